//! Whether a controller is at work on a cluster, as its Lease tells: without one nothing that is asked for
//! is ever done, and nothing else would say so.

use std::time::Duration;

use cluster::Resource;
use cluster::caller::Want;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::jiff::Timestamp;
use kube::core::ApiResource;

use super::controller::{LEASE, LEASE_NAMESPACE};
use super::target::Target;
use crate::output::{age, note};

/// How far the clocks of two machines may be apart.
const SKEW: Duration = Duration::from_secs(15);

/// Says so where no controller is at work.
pub(crate) async fn tell(target: &Target) {
    if let Some(why) = nobody(target).await {
        note(why);
    }
}

/// That no controller is at work here, and how that is known. Nothing where one is, or where the caller may
/// not see it.
pub(crate) async fn nobody(target: &Target) -> Option<String> {
    let api = ApiResource::erase::<Lease>(&());
    let place = Resource::object(&api, Some(LEASE_NAMESPACE), LEASE);
    let lease = match target.caller.get(&place, Want::Whole).await {
        Ok(answer) => Some(answer.decode::<Lease>().ok()?),
        Err(error) if error.is_not_found() => None,
        Err(_) => return None,
    };
    let why = idle(lease.as_ref(), Timestamp::now())?;
    Some(format!(
        "no controller is at work here: the Lease `{LEASE_NAMESPACE}/{LEASE}` {why}"
    ))
}

/// Why a Lease says that nobody is at work.
fn idle(lease: Option<&Lease>, now: Timestamp) -> Option<String> {
    let Some(lease) = lease else {
        return Some("is not there".to_owned());
    };
    let spec = lease.spec.clone().unwrap_or_default();
    if spec.holder_identity.is_none_or(|holder| holder.is_empty()) {
        return Some("is held by nobody".to_owned());
    }
    let renewed = spec.renew_time?.0;
    let term = u64::try_from(spec.lease_duration_seconds?).ok()?;
    let end = renewed + Duration::from_secs(term) + SKEW;
    (end < now).then(|| format!("was renewed {} ago for the last time", age(Some(renewed))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(spec: &serde_json::Value, expected: Option<&str>) {
        let lease = json!({"metadata": {}, "spec": spec});
        let lease: Lease = serde_json::from_value(lease).expect("it is a Lease");
        let told = idle(Some(&lease), Timestamp::now());
        assert_eq!(told.as_deref(), expected);
    }

    #[test]
    fn a_lease_tells_whether_somebody_is_at_work() {
        let at = |seconds: u64| {
            let at = Timestamp::now() - Duration::from_secs(seconds);
            at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
        };
        let held = |renewed: String| json!({"holderIdentity": "one", "leaseDurationSeconds": 15, "renewTime": renewed});
        assert_eq!(
            idle(None, Timestamp::now()).as_deref(),
            Some("is not there")
        );
        check(&json!({"holderIdentity": ""}), Some("is held by nobody"));
        check(&held(at(2)), None);
        check(&held(at(25)), None);
        check(
            &held(at(600)),
            Some("was renewed 10m ago for the last time"),
        );
    }
}
