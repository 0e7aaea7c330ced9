//! One rule of a role, and what it allows.

use std::fmt::{self, Write};

use serde_json::{Map, Value, json};

use super::super::object;
use super::super::{Attributes, ResourceAttributes, Target};
use crate::status::go_quote;

/// A rule of a `Role` or `ClusterRole`. An empty list of names stands for all names; every other empty
/// list for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PolicyRule {
    /// What may be done; `*` is everything.
    pub(crate) verbs: Vec<Box<str>>,
    /// In which API groups; `*` is all.
    pub(crate) api_groups: Vec<Box<str>>,
    /// To which resources: `pods`, `pods/log`, `*/scale`, `*`.
    pub(crate) resources: Vec<Box<str>>,
    /// To which objects.
    pub(crate) resource_names: Vec<Box<str>>,
    /// To which paths: `/healthz`, `/metrics/*`, `*`.
    pub(crate) non_resource_urls: Vec<Box<str>>,
}

impl PolicyRule {
    /// Reads a rule. What is no list of texts is an empty one, which allows nothing.
    pub(crate) fn from_json(rule: &Value) -> Self {
        let texts = |field: &str| object::texts(rule, &[field]).map(Box::from).collect();
        Self {
            verbs: texts("verbs"),
            api_groups: texts("apiGroups"),
            resources: texts("resources"),
            // A name that is no text must not turn into "all names".
            resource_names: object::list(rule, &["resourceNames"])
                .iter()
                .map(|name| name.as_str().unwrap_or_default().into())
                .collect(),
            non_resource_urls: texts("nonResourceURLs"),
        }
    }

    /// The rule as the API writes it: verbs always, the rest if it is not empty.
    pub(crate) fn to_json(&self) -> Value {
        let mut rule = Map::new();
        rule.insert("verbs".to_owned(), json!(self.verbs));
        for (field, texts) in [
            ("apiGroups", &self.api_groups),
            ("resources", &self.resources),
            ("resourceNames", &self.resource_names),
            ("nonResourceURLs", &self.non_resource_urls),
        ] {
            if !texts.is_empty() {
                rule.insert(field.to_owned(), json!(texts));
            }
        }
        Value::Object(rule)
    }

    /// Whether the rule allows what is asked for.
    pub(crate) fn allows(&self, asked: &Attributes<'_>) -> bool {
        has(&self.verbs, asked.verb)
            && match asked.target {
                Target::Resource(resource) => self.covers_resource(&resource),
                Target::Path(path) => {
                    let urls = &self.non_resource_urls;
                    urls.iter().any(|url| path_covers(url, path))
                }
            }
    }

    fn covers_resource(&self, asked: &ResourceAttributes<'_>) -> bool {
        has(&self.api_groups, asked.group)
            && self.resources.iter().any(|own| resource_covers(own, asked))
            && (self.resource_names.is_empty()
                || self.resource_names.iter().any(|own| **own == *asked.name))
    }
}

/// The short form that messages about escalation quote.
impl fmt::Display for PolicyRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('{')?;
        let mut separator = "";
        for (field, texts) in [
            ("APIGroups", &self.api_groups),
            ("Resources", &self.resources),
            ("NonResourceURLs", &self.non_resource_urls),
            ("ResourceNames", &self.resource_names),
            ("Verbs", &self.verbs),
        ] {
            if !texts.is_empty() {
                write!(f, "{separator}{field}:{}", quoted(texts))?;
                separator = ", ";
            }
        }
        f.write_char('}')
    }
}

/// A list of texts: `["a" "b"]`.
pub(super) fn quoted<T: AsRef<str>>(texts: &[T]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| go_quote(text.as_ref())).collect();
    format!("[{}]", texts.join(" "))
}

/// Whether a list names a text or everything.
pub(super) fn has(list: &[Box<str>], wanted: &str) -> bool {
    list.iter()
        .any(|own| matches!(&**own, "*") || **own == *wanted)
}

/// Whether a path of a rule, which may end in `*`, covers another.
pub(super) fn path_covers(own: &str, path: &str) -> bool {
    own == path || (own.ends_with('*') && path.starts_with(own.trim_end_matches('*')))
}

fn resource_covers(own: &str, asked: &ResourceAttributes<'_>) -> bool {
    if own == "*" {
        return true;
    }
    if asked.subresource.is_empty() {
        return own == asked.resource;
    }
    // A resource of the request holds no slash, so that the first one divides.
    match own
        .strip_suffix(asked.subresource)
        .and_then(|rest| rest.strip_suffix('/'))
    {
        Some(resource) => resource == "*" || resource == asked.resource,
        None => false,
    }
}
