//! What templates are stamped for: a Workload, a Deliverable or a Runnable, as its JSON.

use serde_json::{Value, json};

use crate::selection;
use crate::typed::Typed;

/// The kinds of owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
pub enum OwnerKind {
    /// Served by a supply chain.
    Workload,
    /// Served by a delivery.
    Deliverable,
    /// Served by a run template.
    Runnable,
}

impl OwnerKind {
    /// The word itself.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// What serves it, in messages.
    pub fn blueprint_word(self) -> &'static str {
        match self {
            Self::Workload => "supply chain",
            Self::Deliverable => "delivery",
            Self::Runnable => "run template",
        }
    }
}

/// An owner with what its JSON says.
#[derive(Clone, Debug)]
pub struct Owner {
    kind: OwnerKind,
    object: Value,
    typed: Typed,
    selected: selection::Owner,
}

impl Owner {
    /// Reads an owner from its JSON.
    pub fn new(kind: OwnerKind, object: Value) -> Self {
        let (typed, selected) = match kind {
            OwnerKind::Workload => (
                Typed::workload(&object),
                selection::Owner::workload(&object),
            ),
            OwnerKind::Deliverable => (
                Typed::deliverable(&object),
                selection::Owner::deliverable(&object),
            ),
            OwnerKind::Runnable => (
                Typed::runnable(&object),
                selection::Owner::workload(&Value::Null),
            ),
        };
        Self {
            kind,
            object,
            typed,
            selected,
        }
    }

    /// Its kind.
    pub fn kind(&self) -> OwnerKind {
        self.kind
    }

    /// As Go holds it.
    pub fn typed(&self) -> &Typed {
        &self.typed
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    /// Its namespace.
    pub fn namespace(&self) -> &str {
        self.text("/metadata/namespace")
    }

    /// As selectors see it. A Runnable is selected by nothing.
    pub fn selected(&self) -> &selection::Owner {
        &self.selected
    }

    /// Its own parameters, in their order.
    pub fn params(&self) -> impl Iterator<Item = (&str, &Value)> {
        let params = self.object.pointer("/spec/params");
        let params = params.and_then(Value::as_array).into_iter().flatten();
        params.filter_map(|param| Some((param.get("name")?.as_str()?, param.get("value")?)))
    }

    /// The reference that makes it the owner of a stamped object.
    pub(crate) fn reference(&self) -> Value {
        json!({
            "apiVersion": kinds::cartographer::API_VERSION,
            "kind": self.kind.as_str(),
            "name": self.name(),
            "uid": self.text("/metadata/uid"),
            "controller": true,
            "blockOwnerDeletion": true,
        })
    }

    fn text(&self, pointer: &str) -> &str {
        let value = self.object.pointer(pointer);
        value.and_then(Value::as_str).unwrap_or_default()
    }
}
