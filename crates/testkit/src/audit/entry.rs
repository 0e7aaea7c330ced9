//! One line of the audit log, of which we want little.

use std::io;

use serde::Deserialize;

use super::Request;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    stage: String,
    verb: String,
    #[serde(rename = "requestURI")]
    request_uri: String,
    #[serde(default)]
    user_agent: String,
    user: User,
    impersonated_user: Option<User>,
    #[serde(default)]
    object_ref: Target,
    #[serde(default)]
    response_status: Status,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct User {
    username: String,
    groups: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Target {
    resource: String,
    subresource: String,
    namespace: String,
    name: String,
    api_group: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    code: u16,
}

/// The request of a line, unless the line repeats one.
pub(super) fn parse(line: &str) -> io::Result<Option<Request>> {
    let entry: Entry = serde_json::from_str(line).map_err(io::Error::other)?;
    // A watch is logged when it begins and when it ends; once is enough, and the beginning is when
    // it costs something.
    if entry.verb == "watch" && entry.stage == "ResponseComplete" {
        return Ok(None);
    }
    let (path, query) = entry
        .request_uri
        .split_once('?')
        .unwrap_or((&entry.request_uri, ""));
    let value = |name: &str| {
        let values = query.split('&').filter_map(|it| it.strip_prefix(name));
        values.map(decoded).next()
    };
    let (user, impersonated_by) = match entry.impersonated_user {
        Some(user) => (user, Some(entry.user.username)),
        None => (entry.user, None),
    };
    let mut groups = user.groups;
    groups.sort();
    Ok(Some(Request {
        user_agent: entry.user_agent,
        user: user.username,
        impersonated_by,
        groups,
        verb: entry.verb,
        resource: resource(&entry.object_ref, path),
        namespace: entry.object_ref.namespace,
        name: entry.object_ref.name,
        selectors: (
            value("labelSelector=").unwrap_or_default(),
            value("fieldSelector=").unwrap_or_default(),
        ),
        dry_run: value("dryRun=").is_some(),
        further_page: value("continue=").is_some(),
        code: entry.response_status.code,
    }))
}

/// A value of a query as it was meant.
fn decoded(text: &str) -> String {
    let decoded = percent_encoding::percent_decode_str(text);
    decoded.decode_utf8_lossy().into_owned()
}

fn resource(target: &Target, path: &str) -> String {
    let parts = [&target.api_group, &target.resource, &target.subresource];
    let named: Vec<_> = parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(String::as_str)
        .collect();
    if named.is_empty() {
        path.to_owned()
    } else {
        named.join("/")
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn names_who_acts_and_on_what() {
        let line = r#"{"stage":"ResponseComplete","requestURI":"/apis/apps/v1/namespaces/shop/deployments/web?dryRun=All&fieldManager=x",
            "verb":"patch","user":{"username":"controller","groups":["controllers"]},
            "impersonatedUser":{"username":"shop-account","groups":["shops","accounts"]},"userAgent":"shipway/0.1",
            "objectRef":{"resource":"deployments","namespace":"shop","name":"web","apiGroup":"apps","apiVersion":"v1"},
            "responseStatus":{"metadata":{},"code":409}}"#;
        let request = parse(line).expect("a line of the log").expect("a request");
        assert_eq!(request.user, "shop-account");
        assert_eq!(request.impersonated_by.as_deref(), Some("controller"));
        assert_eq!(request.groups, ["accounts", "shops"]);
        assert_eq!(request.resource, "apps/deployments");
        assert_eq!(
            (request.code, request.dry_run, request.is_write()),
            (409, true, false)
        );
    }

    #[test]
    fn tells_the_pages_of_a_list_apart() {
        let further = |query: &str| {
            let line = format!(
                r#"{{"stage":"ResponseComplete","requestURI":"/api/v1/pods?limit=500{query}","verb":"list",
                "user":{{"username":"a"}},"objectRef":{{"resource":"pods"}}}}"#
            );
            let request = parse(&line).expect("a line of the log").expect("a request");
            request.further_page
        };
        assert!(!further(""));
        assert!(further("&continue=abc"));
    }

    #[test]
    fn keeps_what_a_watch_is_restricted_to() {
        let line = r#"{"stage":"ResponseStarted","requestURI":"/api/v1/pods?watch=true&labelSelector=app%2Fname&fieldSelector=metadata.name%3Da",
            "verb":"watch","user":{"username":"a"},"objectRef":{"resource":"pods"}}"#;
        let request = parse(line).expect("a line of the log").expect("a request");
        let (labels, fields) = &request.selectors;
        assert_eq!((&**labels, &**fields), ("app/name", "metadata.name=a"));
    }

    #[test]
    fn counts_a_watch_when_it_begins() {
        let line = |stage: &str| {
            format!(
                r#"{{"stage":"{stage}","requestURI":"/api/v1/pods?watch=1","verb":"watch",
                "user":{{"username":"a"}},"objectRef":{{"resource":"pods"}}}}"#
            )
        };
        assert!(parse(&line("ResponseStarted")).expect("a line").is_some());
        assert!(parse(&line("ResponseComplete")).expect("a line").is_none());
    }
}
