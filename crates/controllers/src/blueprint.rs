//! `ClusterSupplyChain` and `ClusterDelivery`: whether the templates that they name exist, and whether admission
//! would have let them in: it may not have been asked.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use choreography::admission::Checked;
use choreography::strict;
use choreography::validate::Invalid;
use cluster::status;
use k8s_openapi::jiff::Timestamp;
use kinds::cartographer::blueprint::{Blueprint, BlueprintStatus};
use kinds::cartographer::condition_type;
use kinds::cartographer::reason::Reason;
use kinds::condition::{self, kind};
use kinds::{BlueprintSpec, Condition};
use kube::core::ApiResource;
use kube::runtime::controller::Action;
use serde_json::Value;

use crate::context::Ctx;

/// How long a blueprint rests whose status could not be written.
const AFTER_FAILURE: Duration = Duration::from_secs(2);

/// One pass over one blueprint.
pub(crate) async fn reconcile<B>(blueprint: Arc<B>, ctx: Arc<Ctx>) -> Action
where
    B: Blueprint
        + Checked
        + kube::Resource<DynamicType = ()>
        + Clone
        + Debug
        + Send
        + Sync
        + 'static,
{
    if blueprint.meta().deletion_timestamp.is_some() || ctx.left.is_so() {
        return Action::await_change();
    }
    let before = blueprint.standing().cloned().unwrap_or_default();
    let missing = missing(blueprint.blueprint(), |kind, name| {
        ctx.library.template(kind, name).is_some()
    });
    let mut next = BlueprintStatus {
        observed_generation: blueprint.meta().generation,
        conditions: conditions(
            &missing,
            blueprint.check().err().map(|why| why.to_string()),
            strict::usable(&blueprint.blueprint().resources).err(),
        ),
    };
    condition::settle_times(&before.conditions, &mut next.conditions, Timestamp::now());
    let api = ApiResource::erase::<B>(&());
    let value = |status: &BlueprintStatus| -> Value {
        serde_json::to_value(status).expect("a status is plain data")
    };
    let (before, next) = (value(&before), value(&next));
    let name = blueprint.name();
    match status::write(&ctx.caller, &api, None, name, &before, &next).await {
        Ok(_) => Action::await_change(),
        Err(error) => {
            tracing::warn!(error = %error, "could not write the status of {} `{name}`", B::KIND);
            Action::requeue(AFTER_FAILURE)
        }
    }
}

/// The resources of a blueprint whose template is not there: one word for each template that is missing.
fn missing(
    blueprint: &BlueprintSpec,
    is_there: impl Fn(kinds::TemplateKind, &str) -> bool,
) -> Vec<String> {
    let mut missing = Vec::new();
    for resource in &blueprint.resources {
        let template = &resource.template_ref;
        let options = template
            .options
            .iter()
            .filter_map(|option| option.name.as_ref());
        for name in template.name.iter().chain(options) {
            if !is_there(template.kind, name) {
                missing.push(resource.name.clone());
            }
        }
    }
    missing
}

/// The owners of a blueprint that breaks a rule are served all the same, as far as that goes.
fn conditions(
    missing: &[String],
    invalid: Option<String>,
    unusable: Option<Invalid>,
) -> Vec<Condition> {
    let templates = if missing.is_empty() {
        ("True", Reason::Ready, String::new())
    } else {
        let message = format!(
            "did not find the template of the resource(s) [{}]",
            missing.join(", ")
        );
        ("False", Reason::TemplatesNotFound, message)
    };
    let ready = match unusable {
        Some(why) if missing.is_empty() => ("False", Reason::InvalidBlueprint, why.to_string()),
        _ => templates.clone(),
    };
    let say = |kind: &str, (status, reason, message): (&str, Reason, String)| Condition {
        kind: kind.to_owned(),
        status: status.to_owned(),
        reason: reason.as_str().to_owned(),
        message,
        last_transition_time: String::new(),
        observed_generation: None,
    };
    let invalid = invalid.map(|why| {
        let verdict = ("False", Reason::InvalidBlueprint, why);
        say(condition_type::VALID, verdict)
    });
    let mut conditions = vec![say(condition_type::TEMPLATES_READY, templates)];
    conditions.extend(invalid);
    conditions.push(say(kind::READY, ready));
    conditions
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(there: &[&str], expected: &[&str]) {
        let blueprint: BlueprintSpec = serde_json::from_value(json!({"resources": [
            {"name": "source", "templateRef": {"kind": "ClusterSourceTemplate", "name": "git"}},
            {"name": "image", "templateRef": {"kind": "ClusterImageTemplate", "options": [
                {"name": "kpack", "selector": {"matchLabels": {"a": "b"}}},
                {"name": "kaniko", "selector": {"matchLabels": {"a": "c"}}},
                {"passThrough": "image", "selector": {"matchLabels": {"a": "d"}}},
            ]}},
        ]}))
        .expect("the test's blueprint is right");
        assert_eq!(
            missing(&blueprint, |_, name| there.contains(&name)),
            expected
        );
    }

    #[test]
    fn each_missing_template_names_its_resource() {
        check(&["git", "kpack", "kaniko"], &[]);
        check(&["kpack"], &["source", "image"]);
        check(&[], &["source", "image", "image"]);
    }
}
