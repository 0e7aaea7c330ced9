//! Which requests of the audit log are the controller's, and what they were.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use testkit::audit::{Request, Requests};

/// Who the controller is; see `suite::identity`. Its user agent would miss what kube asks for it:
/// watches, discovery and events go without one.
const CONTROLLER: &str = "system:serviceaccount:shipway-system:shipway";

/// The requests of the controller, in its own name and as others.
pub(crate) fn of_controller(requests: &Requests) -> Requests {
    let is_ours = |request: &Request| {
        request.user == CONTROLLER || request.impersonated_by.as_deref() == Some(CONTROLLER)
    };
    requests.clone().only(is_ours)
}

/// Whether a request keeps the Lease.
pub(crate) fn keeps_lease(request: &Request) -> bool {
    request.resource.ends_with("/leases")
}

/// How many requests there are by verb, as one line.
pub(crate) fn by_verb(requests: &Requests) -> String {
    let mut counts = BTreeMap::<&str, usize>::new();
    for request in &requests.0 {
        *counts.entry(&request.verb).or_default() += 1;
    }
    let words: Vec<_> = counts
        .iter()
        .map(|(verb, count)| format!("{count} {verb}"))
        .collect();
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.join(", ")
    }
}

/// The largest number of requests of one verb for one resource; a list counts once, however many pages it has.
pub(crate) fn most_of_one(requests: &Requests, verb: &str) -> usize {
    let mut counts = BTreeMap::<&str, usize>::new();
    for request in requests
        .0
        .iter()
        .filter(|request| request.verb == verb && !request.further_page)
    {
        *counts.entry(&request.resource).or_default() += 1;
    }
    counts.into_values().max().unwrap_or(0)
}

/// A table of requests by verb, resource and answer, the most frequent first.
pub(crate) fn table(requests: &Requests, shipments: usize) -> String {
    let mut counts = BTreeMap::<(&str, &str, u16), usize>::new();
    for request in &requests.0 {
        *counts
            .entry((&request.verb, &request.resource, request.code))
            .or_default() += 1;
    }
    let mut rows: Vec<_> = counts.into_iter().collect();
    rows.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let mut text =
        "| requests | a Shipment | verb | resource | answer |\n|---:|---:|---|---|---|\n"
            .to_owned();
    for ((verb, resource, code), count) in rows {
        let each = ratio(count, shipments);
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| {count} | {each:.2} | {verb} | {resource} | {code} |"
        );
    }
    text
}

/// One count by another.
pub(crate) fn ratio(count: usize, by: usize) -> f64 {
    let number = |count: usize| u32::try_from(count).map_or(f64::MAX, f64::from);
    number(count) / number(by.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(user: &str, by: Option<&str>, verb: &str, resource: &str) -> Request {
        Request {
            user_agent: String::new(),
            user: user.to_owned(),
            impersonated_by: by.map(str::to_owned),
            groups: Vec::new(),
            verb: verb.to_owned(),
            resource: resource.to_owned(),
            namespace: String::new(),
            name: String::new(),
            selectors: <(String, String)>::default(),
            dry_run: false,
            further_page: false,
            code: 200,
        }
    }

    #[test]
    fn counts_what_the_controller_asked() {
        let all = Requests(vec![
            request("deployer", Some(CONTROLLER), "patch", "configmaps"),
            request("deployer", Some(CONTROLLER), "patch", "configmaps"),
            request(CONTROLLER, None, "list", "secrets"),
            request("deployer", Some("admin"), "patch", "configmaps"),
            request("admin", None, "list", "pods"),
        ]);
        let ours = of_controller(&all);
        assert_eq!(by_verb(&ours), "1 list, 2 patch");
        assert_eq!(most_of_one(&ours, "patch"), 2);
        assert!(table(&ours, 2).contains("| 2 | 1.00 | patch | configmaps | 200 |"));
    }
}
