//! What an object takes beyond its own place: the addresses of Services.

use serde_json::Value;

use super::kind::Kind;
use crate::cluster::Cluster;
use crate::crd;
use crate::status::Status;
use crate::time::rfc3339;
use crate::ways::Special;

/// What was taken for an object that is about to be stored.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Taken(bool);

impl Taken {
    /// Gives it back: the object was not stored.
    pub(crate) fn give_back(self, cluster: &Cluster, draft: &Value, live: Option<&Value>) {
        if self.0 {
            cluster.addresses().release(draft, live);
        }
    }
}

impl Kind {
    /// Takes what an object needs.
    ///
    /// # Errors
    /// 422 where somebody else has it.
    pub(crate) fn take(
        &self,
        cluster: &Cluster,
        draft: &mut Value,
        live: Option<&Value>,
    ) -> Result<Taken, Status> {
        if self.ways.special == Special::DefinesKinds {
            settle_definition(draft);
        }
        if self.ways.special != Special::HasAddresses {
            return Ok(Taken(false));
        }
        cluster.addresses().settle(draft, live).map_err(|error| {
            let name = super::meta::text(draft, "name").to_owned();
            Status::invalid(self.about(), &name, &[error])
        })?;
        Ok(Taken(true))
    }

    /// Gives back what a changed object does not need any more.
    pub(crate) fn changed(&self, cluster: &Cluster, before: &Value, after: &Value) {
        if self.ways.special == Special::HasAddresses {
            cluster.addresses().release(before, Some(after));
        }
    }

    /// Gives back what a deleted object had.
    pub(crate) fn released(&self, cluster: &Cluster, object: &Value) {
        if self.ways.special == Special::HasAddresses {
            cluster.addresses().release(object, None);
        }
    }
}

/// Gives a definition its names, and establishes it, in the write that brings it.
fn settle_definition(draft: &mut Value) {
    let now = rfc3339(jiff::Timestamp::now());
    if let Some(status) = crd::settle(draft, &now) {
        draft["status"] = status;
    }
}
