//! The tree in its forms.

use std::collections::BTreeMap;

use delivery::health::{Health, Status};
use delivery::tree::{Node, Tree};
use k8s_openapi::jiff::Timestamp;
use kinds::Shipment;
use kinds::condition::{self, kind};
use kinds::shipment::Failure;
use kube::ResourceExt as _;
use manifest::ObjectId;
use serde_json::{Value, json};

use super::walk::Found;
use crate::commands::get::short;
use crate::output::{age, lines, table_within, terminal_width};

/// Everything that is shown.
pub(super) struct Shown<'a> {
    pub(super) shipment: &'a Shipment,
    pub(super) tree: &'a Tree,
    pub(super) found: &'a [Found],
    /// What is not there since it could not be applied, or its file not be read.
    pub(super) absent: &'a [Failure],
    /// What could not be read.
    pub(super) unread: &'a [String],
}

impl Shown<'_> {
    /// A table: what is not well tells why.
    pub(super) fn table(&self) -> String {
        self.rows(terminal_width(), |health| {
            if health.status == Status::Current {
                String::new()
            } else {
                why(health)
            }
        })
    }

    /// The same with a word on everything.
    pub(super) fn wide(&self) -> String {
        self.rows(None, why)
    }

    fn rows(&self, width: Option<usize>, message: impl Fn(&Health) -> String) -> String {
        let created: BTreeMap<&ObjectId, Option<Timestamp>> = self
            .found
            .iter()
            .map(|found| (&found.id, found.created()))
            .collect();
        let mut rows = vec![self.head()];
        let mut add = |node: &Node, branch: String| {
            let age = match created.get(&node.id).copied().flatten() {
                Some(at) => age(Some(at)),
                None => String::new(),
            };
            let object = format!("{branch}{}", node.id);
            rows.push(vec![
                object,
                node.health.status.as_str().to_owned(),
                age,
                message(&node.health),
            ]);
        };
        walk(&self.tree.roots, "", self.absent.len(), &mut add);
        for (index, failure) in self.absent.iter().enumerate() {
            let branch = branch(index + 1 == self.absent.len());
            let status = Status::Failed.as_str().to_owned();
            rows.push(vec![
                format!("{branch}{}", name_of(failure)),
                status,
                String::new(),
                format!("{}: {}", failure.reason, failure.message),
            ]);
        }
        table_within(&["OBJECT", "STATUS", "AGE", "MESSAGE"], &rows, width)
    }

    fn head(&self) -> Vec<String> {
        let shipment = self.shipment;
        let status = shipment.status.clone().unwrap_or_default();
        let ready = condition::find(&status.conditions, kind::READY);
        let word = match ready.map(|ready| ready.status.as_str()) {
            Some("True") => "Ready",
            Some("False") => "NotReady",
            _ => "Unknown",
        };
        let created = shipment.metadata.creation_timestamp.as_ref();
        let message = ready.map(|ready| ready.message.clone()).unwrap_or_default();
        let revision = short(status.revision.as_deref().unwrap_or("-"));
        vec![
            format!(
                "Shipment/{}/{}",
                shipment.namespace().unwrap_or_default(),
                shipment.name_any()
            ),
            word.to_owned(),
            age(created.map(|time| time.0)),
            format!("{revision}: {message}"),
        ]
    }

    /// Kinds and names, one a line.
    pub(super) fn names(&self) -> String {
        let mut names = Vec::new();
        let mut add = |node: &Node, _: String| {
            let kind = node.id.kind.to_lowercase();
            let dot = if node.id.group.is_empty() { "" } else { "." };
            names.push(format!("{kind}{dot}{}/{}", node.id.group, node.id.name));
        };
        walk(&self.tree.roots, "", 0, &mut add);
        lines(names)
    }

    /// The whole tree, for programs.
    pub(super) fn whole(&self) -> Value {
        let status = self.shipment.status.clone().unwrap_or_default();
        let ready = condition::find(&status.conditions, kind::READY);
        json!({
            "shipment": {"namespace": self.shipment.namespace(), "name": self.shipment.name_any()},
            "revision": status.revision,
            "ready": ready.map(|ready| ready.status.clone()),
            "objects": self.tree.roots.iter().map(value).collect::<Vec<_>>(),
            "failures": status.failures,
            "failed": status.failed.unwrap_or_default(),
            "unread": self.unread,
        })
    }
}

/// The object, or the file where there is none.
fn name_of(failure: &Failure) -> &str {
    let name = failure.object.as_ref().or(failure.at.as_ref());
    name.map_or("-", String::as_str)
}

fn value(node: &Node) -> Value {
    let mut shown = json!({
        "group": node.id.group, "kind": node.id.kind, "namespace": node.id.namespace, "name": node.id.name,
        "status": node.health.status.as_str(), "reason": node.health.reason, "message": node.health.message,
        "children": node.children.iter().map(value).collect::<Vec<_>>(),
    });
    if let Some(map) = shown
        .as_object_mut()
        .filter(|map| map["namespace"].is_null())
    {
        map.remove("namespace");
    }
    shown
}

fn why(health: &Health) -> String {
    match (health.reason.as_str(), health.message.as_str()) {
        ("", message) => message.to_owned(),
        (reason, "") => reason.to_owned(),
        (reason, message) => format!("{reason}: {message}"),
    }
}

/// Visits every node with the branches that lead to it; `more` lines of the same level follow.
fn walk(nodes: &[Node], stem: &str, more: usize, visit: &mut impl FnMut(&Node, String)) {
    for (index, node) in nodes.iter().enumerate() {
        let is_last = index + 1 == nodes.len() + more;
        let below = if is_last { "  " } else { "│ " };
        visit(node, format!("{stem}{}", branch(is_last)));
        walk(&node.children, &format!("{stem}{below}"), 0, visit);
    }
}

fn branch(is_last: bool) -> &'static str {
    if is_last { "└─" } else { "├─" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use delivery::health::health;
    use delivery::tree::Leaf;

    #[test]
    fn draws_branches_from_the_shipment_down() {
        let id = |kind: &str, name: &str| ObjectId {
            group: String::new(),
            kind: kind.to_owned(),
            namespace: Some("shop".to_owned()),
            name: name.to_owned(),
        };
        let leaf = |id: ObjectId, owner: Option<ObjectId>| Leaf {
            id,
            owner,
            health: health(&Value::Null, None),
        };
        let deployment = id("Deployment", "web");
        let leaves = vec![
            leaf(deployment.clone(), None),
            leaf(id("Pod", "web-1"), Some(deployment)),
            leaf(id("Service", "web"), None),
        ];
        let mut seen = Vec::new();
        let roots = Tree::of(leaves).roots;
        walk(&roots, "", 0, &mut |node, branch| {
            seen.push(format!("{branch}{}", node.id));
        });
        assert_eq!(
            lines(&seen),
            "├─Deployment/shop/web\n│ └─Pod/shop/web-1\n└─Service/shop/web\n"
        );
        walk(&roots, "", 1, &mut |node, branch| {
            seen.push(format!("{branch}{}", node.id));
        });
        assert_eq!(seen.last().map(String::as_str), Some("├─Service/shop/web"));
    }
}
