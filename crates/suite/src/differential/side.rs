//! One of the two servers: sends it the steps of a sequence, and remembers what it answered.

use std::collections::BTreeMap;

use http::Request;
use kube::Client;
use kube::client::Body as HttpBody;
use serde_json::{Value, json};

use super::plain::Names;
use super::sequence::{Body, Step};

/// What a server answered.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reply {
    pub(super) code: u16,
    pub(super) warnings: Vec<String>,
    pub(super) body: Value,
}

/// A server, as one sequence sees it.
pub(super) struct Side<'a> {
    client: &'a Client,
    namespace: &'a str,
    /// Objects as they were answered last, and the one before: by resource and name.
    seen: BTreeMap<(&'static str, String), [Value; 2]>,
    names: Names,
    asked: String,
    history: Vec<String>,
}

/// So much of each former request is told.
const LONG: usize = 700;

impl<'a> Side<'a> {
    pub(super) fn new(client: &'a Client, namespace: &'a str) -> Self {
        Self {
            client,
            namespace,
            seen: BTreeMap::new(),
            names: Names::default(),
            asked: String::new(),
            history: Vec::new(),
        }
    }

    /// What its values are called.
    pub(super) fn names(&self) -> &Names {
        &self.names
    }

    /// The requests before the last one, for people.
    pub(super) fn history(&self) -> &[String] {
        &self.history
    }

    /// The last request, for people.
    pub(super) fn asked(&self) -> String {
        self.asked.clone()
    }

    /// Sends a step, and gives what cannot be the same twice the same names.
    pub(super) async fn send(&mut self, step: &Step) -> Reply {
        let mut path = step.sort.path(self.namespace);
        for part in [step.name, step.subresource] {
            if !part.is_empty() {
                path = format!("{path}/{part}");
            }
        }
        for (index, (key, value)) in step.query.iter().enumerate() {
            let mark = if index == 0 { '?' } else { '&' };
            path = format!("{path}{mark}{key}={value}");
        }
        let body = self.body(step);
        self.history.push(self.asked.chars().take(LONG).collect());
        self.asked = format!("{} {path} ({})\n  {body}", step.method, step.media);
        let mut reply = exchange(self.client, step.method, &path, step.media, &body).await;
        self.remember(step, &reply.body);
        let known = self.names.addresses();
        self.names.learn(&reply.body);
        self.names.settle(&mut reply.body);
        if step.is_dry() {
            self.names.set_addresses(known);
        }
        reply
    }

    fn body(&self, step: &Step) -> Value {
        let seen = self.seen.get(&(step.sort.plural, step.name.to_owned()));
        let mut body = match &step.body {
            Body::None => Value::Null,
            Body::Is(body) => body.clone(),
            Body::Edited(part) => {
                let mut object = match seen {
                    Some([object, _]) => object.clone(),
                    None => json!({
                        "apiVersion": step.sort.api_version(), "kind": step.sort.kind,
                        "metadata": {"name": step.name},
                    }),
                };
                merge(&mut object, part);
                object
            }
        };
        let field =
            |object: &Value, name: &str| object["metadata"][name].as_str().map(str::to_owned);
        let [last, former] = seen.map_or([&Value::Null; 2], |[last, former]| [last, former]);
        let texts = [
            ("$version", field(last, "resourceVersion")),
            ("$former", field(former, "resourceVersion")),
            ("$uid", field(last, "uid")),
        ];
        fill(&mut body, &texts);
        body
    }

    fn remember(&mut self, step: &Step, answer: &Value) {
        let name = answer["metadata"]["name"].as_str().unwrap_or_default();
        let waits = answer["metadata"]["finalizers"].is_array();
        let goes = step.method == "DELETE" || answer["metadata"]["deletionTimestamp"].is_string();
        let is_try = answer["metadata"]["uid"].is_null() && answer["details"]["uid"].is_null()
            || step.is_dry();
        if goes && !waits && !is_try {
            self.seen.remove(&(step.sort.plural, step.name.to_owned()));
            return;
        }
        let is_stored = answer["metadata"]["resourceVersion"].is_string() && !step.is_dry();
        if answer["kind"] != step.sort.kind || name.is_empty() || !is_stored {
            return;
        }
        let key = (step.sort.plural, name.to_owned());
        let entry = self
            .seen
            .entry(key)
            .or_insert_with(|| [Value::Null, Value::Null]);
        if entry[0]["metadata"]["resourceVersion"] != answer["metadata"]["resourceVersion"] {
            entry.swap(0, 1);
        }
        entry[0] = answer.clone();
    }
}

/// Merges as a merge patch does.
fn merge(object: &mut Value, part: &Value) {
    match (object, part) {
        (Value::Object(object), Value::Object(part)) => {
            for (key, value) in part {
                merge(object.entry(key.as_str()).or_insert(Value::Null), value);
            }
        }
        (object, part) => *object = part.clone(),
    }
}

fn fill(body: &mut Value, texts: &[(&str, Option<String>)]) {
    match body {
        Value::String(text) => {
            if let Some((_, known)) = texts.iter().find(|(mark, _)| mark == text) {
                // Old ones that nobody has seen are at least ones that are not there.
                *text = known.clone().unwrap_or_else(|| "1".to_owned());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, texts)),
        Value::Object(map) => map.values_mut().for_each(|value| fill(value, texts)),
        _ => {}
    }
}

/// Sends one request. `null` is no body.
pub(super) async fn exchange(
    client: &Client,
    method: &str,
    path: &str,
    media: &str,
    body: &Value,
) -> Reply {
    let body = match body {
        Value::Null => Vec::new(),
        body => body.to_string().into_bytes(),
    };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("accept", "application/json")
        .header("content-type", media)
        .header("user-agent", "differential/1 (test)")
        .body(HttpBody::from(body))
        .expect("a request of constants is valid");
    let response = match client.send(request).await {
        Ok(response) => response,
        // As a server does that fails within.
        Err(error) => {
            return Reply {
                code: 0,
                warnings: Vec::new(),
                body: json!(format!("no answer: {error}")),
            };
        }
    };
    let code = response.status().as_u16();
    let warnings = response.headers().get_all("warning").iter();
    // Warnings about single fields of built-in kinds are not given by the embedded server.
    let mut warnings: Vec<String> = warnings
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .filter(|text| {
            ["unknown field", "duplicate field"]
                .iter()
                .any(|about| text.contains(about))
        })
        .collect();
    // They stand in the order of fields, which is another one where objects are written with sorted keys.
    warnings.sort();
    let bytes = response.into_body().collect_bytes().await;
    let bytes = bytes.expect("the server answers to the end");
    let body =
        serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes)));
    Reply {
        code,
        warnings,
        body,
    }
}

/// Reads something.
pub(super) async fn read(client: &Client, path: &str) -> Reply {
    exchange(client, "GET", path, "application/json", &Value::Null).await
}

/// Makes a namespace with a name that nobody had before, and returns the name.
pub(super) async fn new_namespace(client: &Client, seed: u64) -> String {
    let namespace = json!({"metadata": {"generateName": format!("seed-{seed}-")}});
    let path = "/api/v1/namespaces";
    let reply = exchange(client, "POST", path, "application/json", &namespace).await;
    let name = reply.body["metadata"]["name"].as_str();
    name.expect("a namespace can be made").to_owned()
}

/// Makes a namespace.
pub(super) async fn make_namespace(client: &Client, name: &str) {
    let namespace = json!({"metadata": {"name": name}});
    let path = "/api/v1/namespaces";
    let reply = exchange(client, "POST", path, "application/json", &namespace).await;
    assert_eq!(reply.code, 201, "{}", reply.body);
}
