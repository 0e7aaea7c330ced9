//! The audit log: a line for each request, in the format of `audit.k8s.io/v1` at the level `Metadata`.
//!
//! A request is logged once, when its answer begins. That is the stage `ResponseStarted` of a watch,
//! which lasts, and `ResponseComplete` of everything else.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use http::Request;
use http::header::USER_AGENT;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::auth::User;
use crate::request::{ResourceTarget, Target, Verb};

/// A file that grows by a line for each request.
#[derive(Debug)]
pub(crate) struct Log {
    file: Mutex<File>,
}

/// What becomes known of a request while it is answered.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Who is connected.
    pub(crate) caller: OnceLock<User>,
    /// Who acts, where that is someone else.
    pub(crate) impersonated: OnceLock<User>,
    /// What is asked for.
    pub(crate) target: OnceLock<Target>,
    /// The name of the object in the body, which a request to create does not have in its path.
    pub(crate) name: OnceLock<String>,
}

/// The head of a request.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    received: Timestamp,
    method: String,
    uri: String,
    user_agent: String,
}

impl Head {
    /// What is logged of the head of a request that comes now, for a path of its cluster.
    pub(crate) fn of<B>(request: &Request<B>, path: &str) -> Self {
        let agent = request.headers().get(USER_AGENT);
        let agent = agent.map(|agent| String::from_utf8_lossy(agent.as_bytes()).into_owned());
        Self {
            received: Timestamp::now(),
            method: request.method().to_string(),
            uri: match request.uri().query() {
                Some(query) => format!("{path}?{query}"),
                None => path.to_owned(),
            },
            user_agent: agent.unwrap_or_default(),
        }
    }
}

impl Log {
    /// Opens a log to append to.
    ///
    /// # Errors
    /// When the file can neither be made nor written.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).open(path)?;
        let file = Mutex::new(file);
        Ok(Self { file })
    }

    /// Writes the line of a request.
    pub(crate) fn write(&self, head: &Head, seen: &Seen, code: u16, now: Timestamp) {
        let mut line = entry(head, seen, code, now).to_string();
        line.push('\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // Requests are answered whether or not there is room for their lines.
        if let Err(error) = file.write_all(line.as_bytes()) {
            tracing::warn!(error = %error, "could not write the audit log");
        }
    }
}

fn entry(head: &Head, seen: &Seen, code: u16, now: Timestamp) -> Value {
    let target = match seen.target.get() {
        Some(Target::Resource(target)) => Some(target),
        _ => None,
    };
    let method = head.method.to_ascii_lowercase();
    let verb = target.map_or(&*method, |target| target.verb.as_str());
    let is_watch = target.is_some_and(|target| target.verb == Verb::Watch) && code == 200;
    let stage = if is_watch {
        "ResponseStarted"
    } else {
        "ResponseComplete"
    };
    let mut entry = json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "stage": stage,
        "requestURI": head.uri, "verb": verb, "userAgent": head.user_agent,
        "user": seen.caller.get().map(user).unwrap_or_default(),
        "responseStatus": {"metadata": {}, "code": code},
        "requestReceivedTimestamp": precise(head.received), "stageTimestamp": precise(now),
    });
    if let Some(impersonated) = seen.impersonated.get() {
        entry["impersonatedUser"] = user(impersonated);
    }
    if let Some(target) = target {
        let name = seen.name.get().unwrap_or(&target.name);
        entry["objectRef"] = object_ref(target, name);
    }
    entry
}

fn user(user: &User) -> Value {
    json!({"username": user.name, "groups": user.groups})
}

fn object_ref(target: &ResourceTarget, name: &str) -> Value {
    let parts = [
        ("resource", &*target.resource),
        ("namespace", &target.namespace),
        ("name", name),
        ("apiGroup", &target.group),
        ("apiVersion", &target.version),
        ("subresource", &target.subresource),
    ];
    parts
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .collect()
}

/// RFC 3339 in UTC with microseconds, as `metav1.MicroTime` is written.
fn precise(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Query;

    #[track_caller]
    fn check(method: &str, uri: &str, expected: &Value) {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        let query = Query::parse(query).expect("a query");
        let method: http::Method = method.parse().expect("a method");
        let seen = Seen::default();
        let admin = User {
            name: "admin".to_owned(),
            ..User::default()
        };
        let _ = seen.caller.set(admin);
        let _ = seen.target.set(Target::of(&method, path, &query));
        let received = Timestamp::UNIX_EPOCH;
        let head = Head {
            received,
            method: method.to_string(),
            uri: uri.to_owned(),
            user_agent: "test".to_owned(),
        };
        let entry = entry(&head, &seen, 200, received);
        let told = json!([entry["verb"], entry["stage"], entry["objectRef"]]);
        assert_eq!(&told, expected, "{entry}");
        assert_eq!(entry["user"]["username"], "admin");
        assert_eq!(entry["stageTimestamp"], "1970-01-01T00:00:00.000000Z");
    }

    #[test]
    fn tells_what_was_asked_for() {
        let web = json!({"resource": "deployments", "namespace": "a", "name": "web", "apiGroup": "apps", "apiVersion": "v1", "subresource": "status"});
        let pods = json!({"resource": "pods", "apiVersion": "v1"});
        check(
            "PATCH",
            "/apis/apps/v1/namespaces/a/deployments/web/status",
            &json!(["patch", "ResponseComplete", web]),
        );
        check(
            "GET",
            "/api/v1/pods?watch=1",
            &json!(["watch", "ResponseStarted", pods]),
        );
        check("GET", "/version", &json!(["get", "ResponseComplete", null]));
    }
}
