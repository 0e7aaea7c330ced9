//! The object whose values a run template may use beside the Runnable's own.

use choreography::notation;
use choreography::runnable::{RunError, selected, unresolved};
use cluster::Caller;
use delivery::scope::{Scope, Served};
use kinds::cartographer::runnable::ResourceSelector;
use serde_json::Value;

use super::Pass;
use crate::stamping;

impl Pass<'_> {
    /// The one object that the Runnable selects, read as the account. Nothing where it selects none.
    pub(super) async fn selected(&mut self, caller: &Caller) -> Result<Option<Value>, RunError> {
        let key = &self.stamper.key;
        let Some(selector) = &self.object.spec.selector else {
            self.ctx.selections.forget(key);
            return Ok(None);
        };
        let version = selector.resource.api_version.clone().unwrap_or_default();
        let kind = selector.resource.kind.clone().unwrap_or_default();
        let (group, number) = version.split_once('/').unwrap_or(("", &version));
        let served = self.ctx.catalog.served(group, number, &kind);
        let (Served::Yes(scope), Some(api)) = (served, self.ctx.catalog.api(group, number, &kind))
        else {
            self.ctx.selections.forget(key);
            self.uses.kind_missing = true;
            let why = format!("no matches for kind {kind:?} in version {version:?}");
            return Err(unlisted(selector, Scope::Cluster, &why));
        };
        let labels: Vec<_> = selector
            .matching_labels
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        let labels = labels.join(",");
        // Before it is read: what changes from now on is told.
        let watched = (&api, labels.as_str());
        self.ended.is_unwatched |= self.ctx.selections.follow(&self.ctx.watches, key, watched);
        let namespace = (scope != Scope::Cluster).then_some(key.namespace.as_str());
        let listed = stamping::list(caller, (&api, namespace), &labels).await;
        let listed = listed.map_err(|error| {
            self.uses.refused |= error.is_forbidden();
            self.ended.may_pass |= !error.is_forbidden();
            let why = format!("unable to list from api server: {error}");
            unlisted(selector, scope, &why)
        })?;
        selected(selector, listed).map(Some)
    }
}

fn unlisted(selector: &ResourceSelector, scope: Scope, why: &str) -> RunError {
    let place = match scope {
        Scope::Cluster => "at cluster scope",
        Scope::Namespaced => "in namespace",
    };
    let labels = notation::map(&selector.matching_labels);
    let why = format!("failed to list objects {place} matching selector [{labels}]: {why}");
    unresolved(selector, &why)
}
