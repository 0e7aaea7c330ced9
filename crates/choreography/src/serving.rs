//! What comes before the walk: whether a blueprint serves the owner, and as which ServiceAccount its
//! objects are submitted.
//!
//! Each refusal is the last condition that the owner's status gets before `Ready`; the walk's two
//! follow [`ready`].

use kinds::BlueprintSpec;
use kinds::cartographer::blueprint::BlueprintStatus;
use kinds::cartographer::condition_type;
use kinds::cartographer::reason::Reason;
use kinds::condition::{find, kind::READY};
use serde_json::Value;

use crate::conditions::Draft;
use crate::owner::{Owner, OwnerKind};
use crate::selection::NotServed;
use crate::typed::Typed;
use crate::verdict::{Status, Verdict};

/// The ServiceAccount where none is named.
const DEFAULT: &str = "default";

/// A ServiceAccount.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Account {
    /// What is said where it does not exist.
    pub fn missing(&self) -> String {
        let Self { namespace, name } = self;
        format!(
            "failed to get service account object from api server [{namespace}/{name}]: failed to get object \
             [{namespace}/{name}] from api server: ServiceAccount \"{name}\" not found"
        )
    }
}

/// Why nothing is submitted as a ServiceAccount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountProblem {
    /// It could not be read.
    Account,
    /// There is no token of it.
    Token,
    /// There is no client for it.
    Client,
}

/// The ServiceAccount that submits an owner's objects: the owner's own, else the blueprint's, else
/// the default one of the owner's namespace.
pub fn account(owner: &Owner, blueprint: Option<&BlueprintSpec>) -> Account {
    let own = named(owner.typed());
    let given = blueprint.and_then(|spec| spec.service_account_ref.as_ref());
    let (namespace, name) = match (own, given) {
        (Some(name), _) => (None, name),
        (None, Some(given)) => (given.namespace.clone(), given.name.clone()),
        (None, None) => (None, DEFAULT.to_owned()),
    };
    let namespace = namespace.filter(|namespace| !namespace.is_empty());
    Account {
        namespace: namespace.unwrap_or_else(|| owner.namespace().to_owned()),
        name,
    }
}

fn named(owner: &Typed) -> Option<String> {
    match crate::jsonpath::one("spec.serviceAccountName", owner) {
        Ok(Value::String(name)) if !name.is_empty() => Some(name),
        _ => None,
    }
}

/// That the blueprint serves the owner.
pub fn ready(owner: OwnerKind) -> Draft {
    Draft::new(ready_type(owner), Verdict::good(Reason::Ready))
}

/// That no blueprint does.
pub fn not_served(owner: OwnerKind, why: &NotServed) -> Draft {
    let verdict = Verdict::new(Status::False, why.reason(), why.to_string());
    Draft::new(ready_type(owner), verdict)
}

/// That the blueprint is not ready itself, and why: what its own condition says. None if it is.
pub fn not_ready(owner: OwnerKind, blueprint: Option<&BlueprintStatus>) -> Option<Draft> {
    let conditions = blueprint.map_or(&[][..], |status| &status.conditions);
    let mut verdict = Verdict::new(Status::False, Reason::Unknown, "");
    if let Some(condition) = find(conditions, READY) {
        if condition.is_true() {
            return None;
        }
        verdict.reason.clone_from(&condition.reason);
        verdict.message.clone_from(&condition.message);
    }
    Some(Draft::new(ready_type(owner), verdict))
}

/// That nothing can be submitted.
pub fn no_account(problem: AccountProblem, why: impl Into<String>) -> Draft {
    let reason = match problem {
        AccountProblem::Account => Reason::ServiceAccountError,
        AccountProblem::Token => Reason::ServiceAccountTokenError,
        AccountProblem::Client => Reason::ResourceRealizerBuilderError,
    };
    let verdict = Verdict::new(Status::False, reason, why);
    Draft::new(condition_type::RESOURCES_SUBMITTED, verdict)
}

fn ready_type(owner: OwnerKind) -> &'static str {
    match owner {
        OwnerKind::Workload => condition_type::SUPPLY_CHAIN_READY,
        OwnerKind::Deliverable => condition_type::DELIVERY_READY,
        OwnerKind::Runnable => condition_type::RUN_TEMPLATE_READY,
    }
}

#[cfg(test)]
mod tests {
    use kinds::Condition;
    use kinds::cartographer::blueprint::ServiceAccountReference;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(own: &Value, given: Option<(&str, Option<&str>)>, expected: &str) {
        let metadata = json!({"name": "shop", "namespace": "dev"});
        let owner = json!({"metadata": metadata, "spec": {"serviceAccountName": own}});
        let blueprint = BlueprintSpec {
            service_account_ref: given.map(|(name, namespace)| ServiceAccountReference {
                name: name.to_owned(),
                namespace: namespace.map(str::to_owned),
            }),
            ..BlueprintSpec::default()
        };
        let owner = Owner::new(OwnerKind::Workload, owner);
        let Account { namespace, name } = account(&owner, Some(&blueprint));
        assert_eq!(format!("{namespace}/{name}"), expected);
    }

    #[test]
    fn the_owners_account_wins_then_the_blueprints() {
        check(&json!("own"), Some(("given", Some("ops"))), "dev/own");
        check(&json!(null), Some(("given", Some("ops"))), "ops/given");
        check(&json!(""), Some(("given", None)), "dev/given");
        check(&json!(null), None, "dev/default");
    }

    fn shown(draft: &Draft) -> String {
        let Draft { kind, verdict } = draft;
        let status = verdict.status.as_str();
        format!("{kind}={status} {}: {}", verdict.reason, verdict.message)
    }

    fn standing(status: &str) -> BlueprintStatus {
        BlueprintStatus {
            conditions: vec![Condition {
                kind: "Ready".to_owned(),
                status: status.to_owned(),
                reason: "TemplatesNotFound".to_owned(),
                message: "m".to_owned(),
                last_transition_time: String::new(),
                observed_generation: None,
            }],
            ..BlueprintStatus::default()
        }
    }

    #[test]
    fn a_blueprint_that_is_not_ready_says_why() {
        let of = |status: Option<&BlueprintStatus>| {
            not_ready(OwnerKind::Workload, status).map(|draft| shown(&draft))
        };
        assert_eq!(of(Some(&standing("True"))), None);
        let said = of(Some(&standing("False")));
        assert_eq!(
            said.as_deref(),
            Some("SupplyChainReady=False TemplatesNotFound: m")
        );
        assert_eq!(
            of(None).as_deref(),
            Some("SupplyChainReady=False Unknown: ")
        );
    }

    #[test]
    fn an_account_that_is_missing_is_named_with_its_namespace() {
        let account = Account {
            namespace: "dev".to_owned(),
            name: "builder".to_owned(),
        };
        assert_eq!(
            account.missing(),
            "failed to get service account object from api server [dev/builder]: \
             failed to get object [dev/builder] from api server: ServiceAccount \"builder\" not found"
        );
    }

    #[test]
    fn each_kind_of_owner_has_its_words() {
        assert_eq!(
            shown(&ready(OwnerKind::Deliverable)),
            "DeliveryReady=True Ready: "
        );
        let draft = no_account(AccountProblem::Token, "fetch token: no");
        assert_eq!(
            shown(&draft),
            "ResourcesSubmitted=False ServiceAccountTokenError: fetch token: no"
        );
    }
}
