//! What cannot be the same on two servers gets the same name on both: the first uid that is answered
//! becomes `uid 1`, the next one `uid 2`. That way it still shows whether one changed.

use std::net::IpAddr;

use serde_json::Value;

/// Where times are that servers write.
const TIMES: [&str; 3] = ["creationTimestamp", "deletionTimestamp", "time"];

/// An address, of the object with this uid. Another object may have had it before.
#[derive(Clone, Debug)]
pub(super) struct Address {
    text: String,
    uid: String,
    /// The how many-th of that object it is.
    number: usize,
}

/// The names that one server's values got.
#[derive(Debug, Default)]
pub(super) struct Names {
    uids: Vec<String>,
    versions: Vec<String>,
    addresses: Vec<Address>,
}

impl Names {
    /// Reads what is new in an answer.
    pub(super) fn learn(&mut self, answer: &Value) {
        for item in answer["items"].as_array().into_iter().flatten() {
            self.learn(item);
        }
        let metadata = &answer["metadata"];
        note(&mut self.uids, metadata["uid"].as_str());
        note(&mut self.uids, answer["details"]["uid"].as_str());
        if !answer["items"].is_array() {
            note(&mut self.versions, metadata["resourceVersion"].as_str());
        }
        let addresses = answer["spec"]["clusterIPs"].as_array();
        for address in addresses.into_iter().flatten().filter_map(Value::as_str) {
            if address.parse::<IpAddr>().is_ok() {
                self.note_address(address, metadata["uid"].as_str().unwrap_or_default());
            }
        }
    }

    fn note_address(&mut self, address: &str, uid: &str) {
        let is_known = |known: &Address| known.text == address && known.uid == uid;
        if self.addresses.iter().any(is_known) {
            return;
        }
        self.addresses.retain(|known| known.text != address);
        let of = self.addresses.iter().filter(|known| known.uid == uid);
        let number = 1 + of.count();
        self.addresses.push(Address {
            text: address.to_owned(),
            uid: uid.to_owned(),
            number,
        });
    }

    /// The addresses that are known, to come back to when the next ones are only tried.
    pub(super) fn addresses(&self) -> Vec<Address> {
        self.addresses.clone()
    }

    /// Comes back to these addresses.
    pub(super) fn set_addresses(&mut self, addresses: Vec<Address>) {
        self.addresses = addresses;
    }

    /// Gives an answer its names.
    pub(super) fn settle(&self, answer: &mut Value) {
        let is_list = answer["items"].is_array();
        self.rename(answer);
        if is_list {
            // That of the whole cluster, in which others write at the same time.
            answer["metadata"]["resourceVersion"] = Value::Null;
        }
    }

    fn rename(&self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.rename(item)),
            Value::Object(map) => {
                for (key, value) in map.iter_mut() {
                    match (key.as_str(), &mut *value) {
                        ("resourceVersion", Value::String(text)) => {
                            if let Some(at) = self.versions.iter().position(|known| known == text) {
                                *text = format!("version {}", at + 1);
                            }
                        }
                        (key, Value::String(text)) if TIMES.contains(&key) => {
                            "some time".clone_into(text);
                        }
                        ("causes", Value::Array(causes)) => {
                            for cause in causes.iter_mut() {
                                self.rename(cause);
                            }
                            // Owners in a conflict stand in the order of chance, and so do faults of
                            // custom resources.
                            causes.sort_by_key(|cause| {
                                [cause["field"].to_string(), cause["message"].to_string()]
                            });
                        }
                        _ => self.rename(value),
                    }
                }
            }
            Value::String(text) => self.rename_in(text),
            _ => {}
        }
    }

    fn rename_in(&self, text: &mut String) {
        for (at, uid) in self.uids.iter().enumerate() {
            if text.contains(uid.as_str()) {
                *text = text.replace(uid.as_str(), &format!("uid {}", at + 1));
            }
        }
        // The longest first: `10.0.0.1` is a part of `10.0.0.12`.
        let mut addresses: Vec<&Address> = self.addresses.iter().collect();
        addresses.sort_by_key(|known| std::cmp::Reverse(known.text.len()));
        for known in addresses {
            if text.contains(known.text.as_str()) {
                let owner = self.uids.iter().position(|uid| *uid == known.uid);
                let owner = owner.map_or(0, |at| at + 1);
                let name = format!("address {} of uid {owner}", known.number);
                *text = text.replace(known.text.as_str(), &name);
            }
        }
        if text.contains("ResourceVersion in ") {
            let words = text.split(' ').map(|word| {
                let inner = word.trim_matches(['(', ')', '.']);
                match self.versions.iter().position(|known| known == inner) {
                    Some(at) => word.replace(inner, &format!("version-{}", at + 1)),
                    None => word.to_owned(),
                }
            });
            *text = words.collect::<Vec<_>>().join(" ");
        }
    }
}

fn note(known: &mut Vec<String>, new: Option<&str>) {
    if let Some(new) = new
        && !new.is_empty()
        && !known.iter().any(|known| known == new)
    {
        known.push(new.to_owned());
    }
}
