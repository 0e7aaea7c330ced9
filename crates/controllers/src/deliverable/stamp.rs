//! From a Deliverable to the Shipment that carries it out. Pure.
//!
//! The params are the platform's (`source_credentials_secret`, `gitops_ssh_secret`,
//! `gitops_sub_path`) and `delivery`, an object with any field of a Shipment's spec.

use cluster::Owner;
use kinds::{Deliverable, Reason, ShipmentSpec, names};
use kube::{Resource as _, ResourceExt as _};
use manifest::fingerprint;
use serde_json::{Map, Value, json};

use super::select::DELIVERY;

/// The delivery's resource that stamps the Shipment.
pub(super) const RESOURCE: &str = "deployer";
/// The template of that resource.
pub(super) const TEMPLATE: &str = "app-deploy";
/// The kind of that template.
pub(super) const TEMPLATE_KIND: &str = "ClusterTemplate";
/// The digest of what was stamped, so that a pass after a restart writes nothing.
const STAMP: &str = "shipway.run/stamp";
/// Labels that are not handed on: they say whose the Deliverable is, not what it is.
const NOT_COPIED: [&str; 3] = [
    names::OWNER_LABEL,
    "kapp.k14s.io/app",
    "kapp.k14s.io/association",
];

/// The account that submits the Shipment and that the Shipment acts as.
pub(super) fn account(deliverable: &Deliverable) -> String {
    let named = deliverable
        .spec
        .service_account_name
        .clone()
        .filter(|name| !name.is_empty());
    named.unwrap_or_else(|| "default".to_owned())
}

/// The Shipment, ready to be applied.
///
/// # Errors
/// A sentence that names the field.
pub(super) fn stamp(deliverable: &Deliverable) -> Result<Value, String> {
    let namespace = deliverable.namespace().unwrap_or_default();
    let name = deliverable.name_any();
    let owner = Owner::deliverable(&namespace, &name);
    let mut shipment = json!({
        "apiVersion": "shipway.run/v1alpha1", "kind": "Shipment",
        "metadata": {
            "name": name, "namespace": namespace,
            "labels": labels(deliverable, &owner),
            "annotations": {names::OWNER_ANNOTATION: owner.annotation()},
        },
        "spec": spec(deliverable)?,
    });
    // The reference has no blockOwnerDeletion: setting that needs the right to finalize Deliverables.
    if let Some(mut reference) = deliverable.controller_owner_ref(&()) {
        reference.block_owner_deletion = None;
        shipment["metadata"]["ownerReferences"] = json!([reference]);
    }
    shipment["metadata"]["annotations"][STAMP] = json!(fingerprint(&shipment.to_string(), 16));
    Ok(shipment)
}

fn labels(deliverable: &Deliverable, owner: &Owner) -> Map<String, Value> {
    let mut labels: Map<String, Value> = deliverable
        .labels()
        .iter()
        .filter(|(key, _)| !NOT_COPIED.contains(&key.as_str()) && !key.starts_with("carto.run/"))
        .map(|(key, value)| (key.clone(), json!(value)))
        .collect();
    let mut set = |key: &str, value: &str| labels.insert(key.to_owned(), json!(value));
    set("app.kubernetes.io/component", "deploy");
    set("carto.run/deliverable-name", &deliverable.name_any());
    set(
        "carto.run/deliverable-namespace",
        &deliverable.namespace().unwrap_or_default(),
    );
    set("carto.run/delivery-name", DELIVERY);
    set("carto.run/resource-name", RESOURCE);
    set("carto.run/template-kind", TEMPLATE_KIND);
    set("carto.run/cluster-template-name", TEMPLATE);
    set("carto.run/template-lifecycle", "mutable");
    set(names::OWNER_LABEL, &owner.label());
    labels
}

fn spec(deliverable: &Deliverable) -> Result<Value, String> {
    let source = deliverable.spec.source.clone().unwrap_or_default();
    if source.image.as_ref().is_some_and(|image| !image.is_empty()) {
        return Err("`spec.source.image`: image sources are not supported yet".to_owned());
    }
    let git = source.git.unwrap_or_default();
    let url = git
        .url
        .filter(|url| !url.is_empty())
        .ok_or("`spec.source.git.url` is missing")?;
    let mut from = json!({"url": url});
    if let Some(reference) = git.reference {
        from["ref"] = json!(reference);
    }
    let secret = text_param(deliverable, "source_credentials_secret")?
        .or(text_param(deliverable, "gitops_ssh_secret")?);
    if let Some(secret) = secret {
        from["secretRef"] = json!({"name": secret});
    }
    let mut spec = json!({"source": {"git": from}, "serviceAccountName": account(deliverable)});
    let path = source
        .sub_path
        .filter(|path| !path.is_empty())
        .or(text_param(deliverable, "gitops_sub_path")?);
    if let Some(path) = path {
        spec["path"] = json!(path);
    }
    if let Some(more) = param(deliverable, "delivery") {
        merge(&mut spec, more)?;
    }
    Ok(spec)
}

fn param<'a>(deliverable: &'a Deliverable, name: &str) -> Option<&'a Value> {
    deliverable
        .spec
        .params
        .iter()
        .find(|param| param.name == name)
        .map(|param| &param.value)
}

fn text_param(deliverable: &Deliverable, name: &str) -> Result<Option<String>, String> {
    match param(deliverable, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("the param `{name}` is not a text")),
    }
}

/// Lays the fields of the param `delivery` over the spec; a field that a Shipment does not have
/// is refused here, since the API server would only drop it.
fn merge(spec: &mut Value, more: &Value) -> Result<(), String> {
    let Value::Object(more) = more else {
        return Err("the param `delivery` is not an object".to_owned());
    };
    let known = serde_json::from_value::<ShipmentSpec>(Value::Object(more.clone()).with_source())
        .map_err(|error| format!("the param `delivery`: {error}"))?;
    let known = serde_json::to_value(known).map_err(|error| error.to_string())?;
    for (key, value) in more {
        if known.get(key).is_none() && !value.is_null() && !is_empty(value) {
            return Err(format!(
                "the param `delivery` has `{key}`, which a Shipment does not have ({})",
                Reason::SpecInvalid.as_str()
            ));
        }
        lay_over(&mut spec[key.as_str()], value);
    }
    Ok(())
}

fn is_empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty)
}

fn lay_over(below: &mut Value, above: &Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => {
            for (key, value) in above {
                lay_over(below.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (below, above) => *below = above.clone(),
    }
}

/// Gives a partial spec the one field that a whole one must have.
trait WithSource {
    fn with_source(self) -> Self;
}

impl WithSource for Value {
    fn with_source(mut self) -> Self {
        if let Value::Object(map) = &mut self {
            let source = map.entry("source").or_insert_with(|| json!({}));
            if let Some(git) = source.get_mut("git").and_then(Value::as_object_mut) {
                git.entry("url").or_insert_with(|| json!(""));
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinds::DeliverableSpec;

    fn deliverable(spec: Value) -> Deliverable {
        let spec: DeliverableSpec = serde_json::from_value(spec).expect("the test's spec is right");
        let mut deliverable = Deliverable::new("web", spec);
        deliverable.metadata.namespace = Some("shop".to_owned());
        deliverable.metadata.uid = Some("u1".to_owned());
        deliverable.metadata.labels = Some(
            [
                (
                    "app.tanzu.vmware.com/deliverable-type".to_owned(),
                    "web".to_owned(),
                ),
                (names::OWNER_LABEL.to_owned(), "root".to_owned()),
            ]
            .into(),
        );
        deliverable
    }

    #[track_caller]
    fn check(given: Value, stamped: &str) {
        let text = match stamp(&deliverable(given)) {
            Ok(shipment) => shipment["spec"].to_string(),
            Err(why) => why,
        };
        assert_eq!(text, stamped);
    }

    #[test]
    fn source_path_and_account_are_carried_over() {
        check(
            json!({"source": {"git": {"url": "https://git/x", "ref": {"branch": "main"}}, "subPath": "config"}, "serviceAccountName": "robot"}),
            r#"{"path":"config","serviceAccountName":"robot","source":{"git":{"ref":{"branch":"main"},"url":"https://git/x"}}}"#,
        );
    }

    #[test]
    fn the_platforms_params_are_understood() {
        check(
            json!({"source": {"git": {"url": "https://git/x"}}, "params": [
                {"name": "source_credentials_secret", "value": "git"}, {"name": "gitops_sub_path", "value": "a/b"}
            ]}),
            r#"{"path":"a/b","serviceAccountName":"default","source":{"git":{"secretRef":{"name":"git"},"url":"https://git/x"}}}"#,
        );
    }

    #[test]
    fn the_delivery_param_lays_any_field_over_the_spec() {
        check(
            json!({"source": {"git": {"url": "https://git/x"}}, "params": [
                {"name": "delivery", "value": {"suspend": true, "dependsOn": [{"name": "db"}]}}
            ]}),
            r#"{"dependsOn":[{"name":"db"}],"serviceAccountName":"default","source":{"git":{"url":"https://git/x"}},"suspend":true}"#,
        );
    }

    #[test]
    fn what_cannot_be_stamped_is_named() {
        check(
            json!({"source": {"image": "registry/x:1"}}),
            "`spec.source.image`: image sources are not supported yet",
        );
        check(json!({}), "`spec.source.git.url` is missing");
        check(
            json!({"source": {"git": {"url": "https://git/x"}}, "params": [{"name": "delivery", "value": {"sync": 1}}]}),
            "the param `delivery` has `sync`, which a Shipment does not have (SpecInvalid)",
        );
    }

    #[test]
    fn the_owner_of_the_deliverable_does_not_own_the_shipment() {
        let stamped = stamp(&deliverable(
            json!({"source": {"git": {"url": "https://git/x"}}}),
        ))
        .expect("it can be stamped");
        assert_eq!(
            stamped["metadata"]["labels"][names::OWNER_LABEL],
            json!(Owner::deliverable("shop", "web").label())
        );
    }
}
