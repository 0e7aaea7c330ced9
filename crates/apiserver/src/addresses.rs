//! Cluster IPs and node ports of Services: who has which. Nothing listens there.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use serde_json::{Value, json};

use crate::status::FieldError;

/// The network of cluster IPs, 10.96.0.0/12, as kubeadm has it.
const NETWORK: u32 = u32::from_be_bytes([10, 96, 0, 0]);
const BITS: u32 = 20;
/// The last address of the network, counted from its first.
const LAST: u32 = (1 << BITS) - 1;
/// The ports of nodes that Services may have.
const PORTS: std::ops::RangeInclusive<u16> = 30_000..=32_767;

/// The address of the Service `default/kubernetes`.
pub(crate) const FIRST: Ipv4Addr = Ipv4Addr::new(10, 96, 0, 1);

/// What is taken.
#[derive(Clone, Debug, Default)]
pub(crate) struct Addresses {
    ips: BTreeSet<u32>,
    /// Where the search for a free one begins: who gives one back does not get it again at once.
    next: u32,
    ports: BTreeSet<u16>,
}

impl Addresses {
    /// Notes what a Service has that is stored already.
    pub(crate) fn note(&mut self, service: &Value) {
        self.ips.extend(ips(service).filter_map(offset));
        self.ports.extend(node_ports(service));
    }

    /// Gives back what a Service had and its successor has not.
    pub(crate) fn release(&mut self, service: &Value, successor: Option<&Value>) {
        let kept: Vec<u32> = successor
            .into_iter()
            .flat_map(ips)
            .filter_map(offset)
            .collect();
        for ip in ips(service).filter_map(offset) {
            if !kept.contains(&ip) {
                self.ips.remove(&ip);
            }
        }
        let kept: Vec<u16> = successor.into_iter().flat_map(node_ports).collect();
        for port in node_ports(service) {
            if !kept.contains(&port) {
                self.ports.remove(&port);
            }
        }
    }

    /// Gives a Service the addresses that it needs and has not, and takes those that it names.
    /// Whatever comes of it, nothing is kept of a Service that is refused.
    ///
    /// # Errors
    /// In upstream's words, where what it names is taken or out of the range.
    pub(crate) fn settle(
        &mut self,
        service: &mut Value,
        before: Option<&Value>,
    ) -> Result<(), FieldError> {
        let mut draft = self.clone();
        draft.settle_ips(service, before)?;
        draft.settle_ports(service, before)?;
        *self = draft;
        Ok(())
    }

    fn settle_ips(
        &mut self,
        service: &mut Value,
        before: Option<&Value>,
    ) -> Result<(), FieldError> {
        let kind = service["spec"]["type"].as_str().unwrap_or("ClusterIP");
        if kind == "ExternalName" {
            return Ok(());
        }
        let known: Vec<u32> = before
            .into_iter()
            .flat_map(ips)
            .filter_map(offset)
            .collect();
        let wanted = service["spec"]["clusterIP"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let ip = match wanted.as_str() {
            "None" => {
                service["spec"]["clusterIPs"] = json!(["None"]);
                return Ok(());
            }
            // Only what comes to need one is given one.
            "" if before.is_some_and(|before| before["spec"]["type"] != "ExternalName") => {
                return Ok(());
            }
            "" => self.free_ip().ok_or_else(|| {
                let why = "failed to allocate IP: range is full";
                FieldError::invalid("spec.clusterIPs", json!([]), why)
            })?,
            text => {
                let refused = |why: String| {
                    let why = format!("failed to allocate IP {text}: {why}");
                    FieldError::invalid("spec.clusterIPs", json!([text]), why)
                };
                let ip = text.parse::<Ipv4Addr>().ok().and_then(offset);
                // The first and the last address of the network are no Service's.
                let ip = ip.filter(|ip| (1..LAST).contains(ip)).ok_or_else(|| {
                    refused("the provided network does not match the current range".to_owned())
                })?;
                if self.ips.contains(&ip) && !known.contains(&ip) {
                    return Err(refused("provided IP is already allocated".to_owned()));
                }
                ip
            }
        };
        self.ips.insert(ip);
        let ip = address(ip).to_string();
        service["spec"]["clusterIP"] = json!(ip);
        service["spec"]["clusterIPs"] = json!([ip]);
        Ok(())
    }

    /// From the upper part of the network: the lower is for those who name what they want.
    fn free_ip(&mut self) -> Option<u32> {
        let (first, last) = (257, LAST);
        let next = self.next.clamp(first, last);
        let mut upper = (next..last).chain(first..next);
        let found = upper.find(|ip| !self.ips.contains(ip));
        let found = found.or_else(|| (2..first).find(|ip| !self.ips.contains(ip)))?;
        self.next = found + 1;
        Some(found)
    }

    fn settle_ports(
        &mut self,
        service: &mut Value,
        before: Option<&Value>,
    ) -> Result<(), FieldError> {
        let kind = service["spec"]["type"].as_str().unwrap_or("ClusterIP");
        if !matches!(kind, "NodePort" | "LoadBalancer") {
            return Ok(());
        }
        let known: Vec<u16> = before.into_iter().flat_map(node_ports).collect();
        let Some(ports) = service["spec"]["ports"].as_array_mut() else {
            return Ok(());
        };
        for (index, port) in ports.iter_mut().enumerate() {
            let field = || format!("spec.ports[{index}].nodePort");
            let wanted = port["nodePort"].as_i64().unwrap_or(0);
            let taken = if wanted == 0 {
                let mut all = PORTS;
                let free = all.find(|port| !self.ports.contains(port));
                free.ok_or_else(|| FieldError::invalid(field(), json!(0), "range is full"))?
            } else {
                let port = u16::try_from(wanted)
                    .ok()
                    .filter(|port| PORTS.contains(port));
                let port = port.ok_or_else(|| {
                    let why = "provided port is not in the valid range. The range of valid ports is 30000-32767";
                    FieldError::invalid(field(), json!(wanted), why)
                })?;
                if self.ports.contains(&port) && !known.contains(&port) {
                    let why = "provided port is already allocated";
                    return Err(FieldError::invalid(field(), json!(wanted), why));
                }
                port
            };
            self.ports.insert(taken);
            port["nodePort"] = json!(taken);
        }
        Ok(())
    }
}

fn ips(service: &Value) -> impl Iterator<Item = Ipv4Addr> {
    let ip = service["spec"]["clusterIP"].as_str();
    ip.into_iter().filter_map(|ip| ip.parse().ok())
}

fn node_ports(service: &Value) -> impl Iterator<Item = u16> {
    let ports = service["spec"]["ports"].as_array();
    ports
        .into_iter()
        .flatten()
        .filter_map(|port| u16::try_from(port["nodePort"].as_u64()?).ok())
}

fn offset(ip: Ipv4Addr) -> Option<u32> {
    let offset = u32::from(ip).checked_sub(NETWORK)?;
    (offset >> BITS == 0).then_some(offset)
}

fn address(offset: u32) -> Ipv4Addr {
    Ipv4Addr::from(NETWORK + offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_had_by_one_service() {
        let mut all = Addresses::default();
        let mut web = json!({"spec": {"ports": [{"port": 80}]}});
        all.settle(&mut web, None).expect("there is room");
        assert_eq!(web["spec"]["clusterIP"], "10.96.1.1");
        assert_eq!(web["spec"]["clusterIPs"], json!(["10.96.1.1"]));
        assert_eq!(web["spec"]["ports"][0].get("nodePort"), None);
        let mut api = json!({"spec": {"clusterIP": "10.96.1.1"}});
        let refused = all.settle(&mut api, None).expect_err("it is taken");
        assert!(
            refused
                .to_string()
                .ends_with("failed to allocate IP 10.96.1.1: provided IP is already allocated")
        );
        // Who has it keeps it.
        all.settle(&mut web.clone(), Some(&web))
            .expect("it is its own");
        all.release(&web, None);
        all.settle(&mut api, None).expect("it is free");
        // Who gave one back gets another one.
        all.release(&api, None);
        let mut next = json!({"spec": {}});
        all.settle(&mut next, None).expect("there is room");
        assert_eq!(next["spec"]["clusterIP"], "10.96.1.2");
    }

    #[test]
    fn headless_and_external_services_have_none() {
        let mut all = Addresses::default();
        let mut headless = json!({"spec": {"clusterIP": "None"}});
        all.settle(&mut headless, None).expect("it needs nothing");
        assert_eq!(headless["spec"]["clusterIPs"], json!(["None"]));
        let mut external = json!({"spec": {"type": "ExternalName"}});
        all.settle(&mut external, None).expect("it needs nothing");
        assert_eq!(external["spec"].get("clusterIP"), None);
        for outside in [
            "192.168.0.1",
            // Below the network, at its ends and behind it.
            "0.0.0.0",
            "10.0.0.1",
            "10.95.255.255",
            "10.96.0.0",
            "10.111.255.255",
            "10.112.0.0",
            "255.255.255.255",
        ] {
            let mut service = json!({"spec": {"clusterIP": outside}});
            let refused = all.settle(&mut service, None).expect_err(outside);
            let why = format!(
                "failed to allocate IP {outside}: the provided network does not match the current range"
            );
            assert!(refused.to_string().ends_with(&why), "{refused}");
            // What was stored by another server, or by hand, is no reason to stop.
            all.note(&service);
            all.release(&service, None);
        }
    }

    #[test]
    fn node_ports_are_given_once() {
        let mut all = Addresses::default();
        let mut web = json!({"spec": {"type": "NodePort", "ports": [{"port": 80}, {"port": 81, "nodePort": 30001}]}});
        all.settle(&mut web, None).expect("there is room");
        assert_eq!(web["spec"]["ports"][0]["nodePort"], 30_000);
        let mut api =
            json!({"spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30001}]}});
        let refused = all.settle(&mut api, None).expect_err("it is taken");
        assert_eq!(refused.field, "spec.ports[0].nodePort");
        // Nothing is kept of what was refused: its cluster IP is free again.
        api["spec"]["ports"][0]["nodePort"] = json!(30_005);
        api["spec"]
            .as_object_mut()
            .expect("it is one")
            .remove("clusterIP");
        all.settle(&mut api, None).expect("there is room");
        assert_eq!(api["spec"]["clusterIP"], "10.96.1.2");
    }
}
