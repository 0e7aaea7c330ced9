//! What a cluster that asks before it stores one of Cartographer's objects is answered: an
//! `AdmissionReview` in, one out ([Kubernetes' documentation][docs]).
//!
//! Cartographer's rules ([`crate::validate`]) come first and answer in its words, Shipway's own
//! ([`crate::strict`]) second. Only what is created or changed is looked at; of what a change comes from
//! nothing is read, and an owner's name counts where it is given, so that whatever is there can be changed and
//! taken away. A blueprint's names are a warning.
//!
//! [docs]: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/

use kinds::{
    ClusterConfigTemplate, ClusterDelivery, ClusterDeploymentTemplate, ClusterImageTemplate,
    ClusterRunTemplate, ClusterSourceTemplate, ClusterSupplyChain, ClusterTemplate, Template,
    TemplateKind, TemplateSpec,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, from_value, json};

use crate::context::{Context, Inputs};
use crate::labels::Labels;
use crate::owner::{Owner, OwnerKind};
use crate::params::Params;
use crate::validate::Invalid;
use crate::{strict, validate};

/// A kind that is looked at, and how Cartographer calls who looks.
#[derive(Clone, Copy, Debug)]
pub struct Reviewed {
    /// The kind.
    pub kind: &'static str,
    /// The name of its resource.
    pub resource: &'static str,
    /// The name of its webhook.
    pub webhook: &'static str,
}

/// Everything that is looked at: the kinds of Cartographer's webhooks under the names that those have,
/// and the owners, whose names become values of labels.
pub const REVIEWED: [Reviewed; 11] = [
    reviewed(
        "ClusterSupplyChain",
        "clustersupplychains",
        "supply-chain-validator.cartographer.com",
    ),
    reviewed(
        "ClusterDelivery",
        "clusterdeliveries",
        "delivery-validator.cartographer.com",
    ),
    reviewed(
        "ClusterTemplate",
        "clustertemplates",
        "template-validator.cartographer.com",
    ),
    reviewed(
        "ClusterSourceTemplate",
        "clustersourcetemplates",
        "source-template-validator.cartographer.com",
    ),
    reviewed(
        "ClusterImageTemplate",
        "clusterimagetemplates",
        "image-template-validator.cartographer.com",
    ),
    reviewed(
        "ClusterConfigTemplate",
        "clusterconfigtemplates",
        "config-template-validator.cartographer.com",
    ),
    reviewed(
        "ClusterDeploymentTemplate",
        "clusterdeploymenttemplates",
        "deployment-template-validator.cartographer.com",
    ),
    reviewed(
        "ClusterRunTemplate",
        "clusterruntemplates",
        "run-template-validator.cartographer.com",
    ),
    reviewed("Workload", "workloads", "workload-validator.shipway.run"),
    reviewed(
        "Deliverable",
        "deliverables",
        "deliverable-validator.shipway.run",
    ),
    reviewed("Runnable", "runnables", "runnable-validator.shipway.run"),
];

const fn reviewed(kind: &'static str, resource: &'static str, webhook: &'static str) -> Reviewed {
    Reviewed {
        kind,
        resource,
        webhook,
    }
}

impl Reviewed {
    /// Where it is asked about, as in Cartographer: `/validate-carto-run-v1alpha1-clustertemplate`.
    pub fn path(&self) -> String {
        format!("/validate-carto-run-v1alpha1-{}", self.kind.to_lowercase())
    }
}

/// What is checked also where nobody was asked before it was stored.
pub trait Checked {
    /// Whether it may be as it is. Of names that are too long for labels the API server tells, once something is
    /// stamped.
    fn check(&self) -> Result<(), Invalid>;
}

impl Checked for ClusterSupplyChain {
    fn check(&self) -> Result<(), Invalid> {
        validate::supply_chain(self)?;
        strict::supply_chain(self)
    }
}

impl Checked for ClusterDelivery {
    fn check(&self) -> Result<(), Invalid> {
        validate::delivery(self)?;
        strict::delivery(self)
    }
}

/// How long a cluster waits for an answer, in seconds.
const PATIENCE: u8 = 5;

/// The `ValidatingWebhookConfiguration` of this name that makes a cluster ask. `reached` tells how one of the
/// [paths](Reviewed::path) is reached, as the `clientConfig` of a webhook.
///
/// A cluster that gets no answer stores the object all the same, unlike with Cartographer: everything is
/// checked again in the pass that needs it, and nobody has to wait for a controller to repair a chain.
pub fn configuration(name: &str, reached: impl Fn(&str) -> Value) -> Value {
    let webhooks: Vec<Value> = REVIEWED
        .iter()
        .map(|reviewed| {
            json!({
                "name": reviewed.webhook,
                "clientConfig": reached(&reviewed.path()),
                "rules": [{
                    "apiGroups": ["carto.run"], "apiVersions": ["v1alpha1"],
                    "operations": ["CREATE", "UPDATE"], "resources": [reviewed.resource],
                    "scope": "*",
                }],
                "failurePolicy": "Ignore", "sideEffects": "None", "matchPolicy": "Equivalent",
                "admissionReviewVersions": ["v1"], "timeoutSeconds": PATIENCE,
            })
        })
        .collect();
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": "shipway"}},
        "webhooks": webhooks,
    })
}

/// The answer to a review; none where it is no review.
pub fn answer(review: &Value) -> Option<Value> {
    said(review, allowed(review.get("request")?))
}

fn said(review: &Value, allowed: Result<Warnings, Invalid>) -> Option<Value> {
    let uid = review.get("request")?.get("uid")?.as_str()?;
    let version = review.get("apiVersion")?.as_str()?;
    let response = match allowed {
        Ok(warnings) if warnings.is_empty() => json!({"uid": uid, "allowed": true}),
        Ok(warnings) => json!({"uid": uid, "allowed": true, "warnings": warnings}),
        Err(why) => json!({
            "uid": uid, "allowed": false,
            "status": {"code": 403, "reason": "Forbidden", "message": why.to_string()},
        }),
    };
    Some(json!({"apiVersion": version, "kind": "AdmissionReview", "response": response}))
}

/// A review of a ytt template that [`answer`] lets through: whether its text is one only its evaluation tells.
#[derive(Clone, Debug, PartialEq)]
pub struct InYtt {
    /// What it is called in errors.
    pub name: String,
    /// Its text.
    pub template: String,
    /// What it sees of an owner that says nothing, with the template's own params and without any input. Only what
    /// no other data could mend is a reason to refuse it.
    pub data: Map<String, Value>,
}

/// The ytt template that a review is about.
pub fn in_ytt(review: &Value) -> Option<InYtt> {
    let request = review.get("request")?;
    allowed(request).ok()?;
    let kind: TemplateKind = from_value(request["kind"]["kind"].clone()).ok()?;
    let object = &request["object"];
    let spec: TemplateSpec = from_value(object["spec"].clone()).ok()?;
    let template = spec.ytt.filter(|ytt| !ytt.is_empty())?;
    let owner = Owner::new(
        if kind == TemplateKind::ClusterDeploymentTemplate {
            OwnerKind::Deliverable
        } else {
            OwnerKind::Workload
        },
        json!({"metadata": {"name": "sample", "namespace": "default"}, "spec": {}}),
    );
    let params = Params {
        template: &spec.params,
        blueprint: &[],
        resource: &[],
    };
    let params = params.merge(owner.params());
    let context = Context::of_resource(&owner, params, &Inputs::default(), &Labels::new());
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    Some(InYtt {
        name: format!("{}/{name} spec.ytt", kind.as_str()),
        template,
        data: context.values(),
    })
}

/// The answer to a review that is refused for what its evaluation told.
pub fn refusal(review: &Value, why: &str) -> Option<Value> {
    let why = Invalid(format!("invalid template: {why}"));
    said(review, Err(why))
}

/// What is said of an object that may be stored all the same.
type Warnings = Vec<String>;

/// A fault that shows only once something is stamped: a blueprint may have served for long by then.
fn doubt(found: Result<(), Invalid>) -> Warnings {
    found.err().iter().map(Invalid::to_string).collect()
}

fn allowed(request: &Value) -> Result<Warnings, Invalid> {
    let operation = request["operation"].as_str().unwrap_or_default();
    if !["CREATE", "UPDATE"].contains(&operation) {
        return Ok(Warnings::new());
    }
    let object = &request["object"];
    // Who is going cannot be kept from it by a rule that is newer than it.
    if !object["metadata"]["deletionTimestamp"].is_null() {
        return Ok(Warnings::new());
    }
    let kind = request["kind"]["kind"].as_str().unwrap_or_default();
    let checked = match kind {
        "ClusterSupplyChain" => {
            let chain: ClusterSupplyChain = read(object)?;
            chain.check()?;
            return Ok(doubt(strict::names(&chain)));
        }
        "ClusterDelivery" => {
            let delivery: ClusterDelivery = read(object)?;
            delivery.check()?;
            return Ok(doubt(strict::names(&delivery)));
        }
        "ClusterTemplate" => template::<ClusterTemplate>(object),
        "ClusterSourceTemplate" => template::<ClusterSourceTemplate>(object),
        "ClusterImageTemplate" => template::<ClusterImageTemplate>(object),
        "ClusterConfigTemplate" => template::<ClusterConfigTemplate>(object),
        "ClusterDeploymentTemplate" => template::<ClusterDeploymentTemplate>(object),
        "ClusterRunTemplate" => validate::run_template(&read::<ClusterRunTemplate>(object)?),
        "Workload" | "Deliverable" | "Runnable" if operation == "CREATE" => {
            // A name that is made up is short enough, and not there yet.
            let name = object["metadata"]["name"].as_str().unwrap_or_default();
            if name.is_empty() {
                Ok(())
            } else {
                strict::name(kind, name)
            }
        }
        _ => Ok(()),
    };
    checked.map(|()| Warnings::new())
}

fn template<K>(object: &Value) -> Result<(), Invalid>
where
    K: DeserializeOwned,
    Template: From<K>,
{
    validate::template(&Template::from(read::<K>(object)?))
}

/// The definition has checked the structure already, so that what cannot be read is rare.
fn read<K: DeserializeOwned>(object: &Value) -> Result<K, Invalid> {
    from_value(object.clone()).map_err(|why| Invalid(format!("cannot be read: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn review(operation: &str, kind: &str, object: &Value) -> Value {
        json!({
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": {
                "uid": "705ab4f5", "operation": operation,
                "kind": {"group": "carto.run", "version": "v1alpha1", "kind": kind},
                "object": object,
            },
        })
    }

    #[track_caller]
    fn check(operation: &str, kind: &str, object: &Value, refused: Option<&str>) {
        let answer = answer(&review(operation, kind, object)).expect("it is a review");
        assert_eq!(answer["apiVersion"], "admission.k8s.io/v1");
        assert_eq!(answer["response"]["uid"], "705ab4f5");
        assert_eq!(answer["response"]["allowed"], refused.is_none());
        let message = answer["response"]["status"]["message"].as_str();
        assert_eq!(message, refused);
    }

    #[test]
    fn cartographers_rules_answer_in_its_words() {
        let empty =
            json!({"metadata": {"name": "a"}, "spec": {"urlPath": ".a", "revisionPath": ".b"}});
        let neither = "invalid template: must specify one of template or ytt, found neither";
        check("CREATE", "ClusterSourceTemplate", &empty, Some(neither));
        check("UPDATE", "ClusterSourceTemplate", &empty, Some(neither));
        check("DELETE", "ClusterSourceTemplate", &Value::Null, None);
        let run =
            json!({"metadata": {"name": "a"}, "spec": {"template": {"kind": "Job", "spec": {}}}});
        check("CREATE", "ClusterRunTemplate", &run, None);
    }

    #[test]
    fn what_is_going_is_let_go() {
        let going = json!({
            "metadata": {"name": "a", "deletionTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"configPath": ".a"},
        });
        check("UPDATE", "ClusterConfigTemplate", &going, None);
    }

    #[test]
    fn a_cycle_names_its_resources() {
        let resource = |name: &str, from: &str| {
            json!({
                "name": name, "templateRef": {"kind": "ClusterConfigTemplate", "name": "t"},
                "configs": [{"name": "c", "resource": from}],
            })
        };
        let chain = json!({
            "metadata": {"name": "round"},
            "spec": {"selector": {"a": "b"}, "resources": [resource("one", "two"), resource("two", "one")]},
        });
        let answer =
            answer(&review("CREATE", "ClusterSupplyChain", &chain)).expect("it is a review");
        let message = answer["response"]["status"]["message"].as_str();
        let message = message.expect("it is refused");
        assert!(
            message.contains("one") && message.contains("two"),
            "{message}"
        );
    }

    #[test]
    fn a_blueprint_with_a_name_that_no_label_takes_is_stored_with_a_warning() {
        let name = "a".repeat(64);
        let chain = json!({
            "metadata": {"name": name},
            "spec": {"selector": {"a": "b"}, "resources": [
                {"name": "one", "templateRef": {"kind": "ClusterConfigTemplate", "name": "t"}},
            ]},
        });
        let answer =
            answer(&review("CREATE", "ClusterSupplyChain", &chain)).expect("it is a review");
        assert_eq!(answer["response"]["allowed"], true);
        let warning = answer["response"]["warnings"][0].as_str();
        assert!(warning.is_some_and(|text| text.contains("cannot be the value of a label")));
    }

    #[test]
    fn an_owners_name_counts_where_it_is_given() {
        let long = "a".repeat(64);
        let object = json!({"metadata": {"name": long}});
        let answer = answer(&review("CREATE", "Workload", &object)).expect("it is a review");
        assert_eq!(answer["response"]["allowed"], false);
        check("UPDATE", "Workload", &object, None);
        check(
            "CREATE",
            "Runnable",
            &json!({"metadata": {"generateName": "a-"}}),
            None,
        );
        check(
            "CREATE",
            "Deliverable",
            &json!({"metadata": {"name": "a"}}),
            None,
        );
    }

    #[test]
    fn a_template_in_ytt_is_to_be_evaluated() {
        let object = |spec: Value| json!({"metadata": {"name": "app"}, "spec": spec});
        let ytt = object(json!({
            "ytt": "kind: ConfigMap", "configPath": ".data", "params": [{"name": "port", "default": 8080}],
        }));
        let asked = review("CREATE", "ClusterConfigTemplate", &ytt);
        let found = in_ytt(&asked).expect("it has one");
        assert_eq!(found.name, "ClusterConfigTemplate/app spec.ytt");
        assert_eq!(found.template, "kind: ConfigMap");
        assert_eq!(found.data["params"], json!({"port": 8080}));
        assert_eq!(found.data["workload"]["metadata"]["name"], "sample");
        let said = refusal(&asked, "app:1: no").expect("it is a review");
        assert_eq!(said["response"]["allowed"], false);
        let message = &said["response"]["status"]["message"];
        assert_eq!(message, "invalid template: app:1: no");

        let plain = object(json!({"template": {"kind": "ConfigMap"}, "configPath": ".data"}));
        let refused = object(json!({"ytt": "a", "template": {"kind": "A"}, "configPath": ".data"}));
        for (operation, kind, object) in [
            ("CREATE", "ClusterConfigTemplate", &plain),
            ("CREATE", "ClusterConfigTemplate", &refused),
            ("DELETE", "ClusterConfigTemplate", &Value::Null),
            ("CREATE", "ClusterSupplyChain", &ytt),
        ] {
            assert_eq!(in_ytt(&review(operation, kind, object)), None);
        }
    }

    #[test]
    fn what_is_no_review_has_no_answer() {
        assert_eq!(answer(&json!({"kind": "AdmissionReview"})), None);
        assert_eq!(answer(&json!([])), None);
    }
}
