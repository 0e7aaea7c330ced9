//! Scaling: one number of an object, as `autoscaling/v1` Scale shows it.

use serde_json::{Value, json};

use super::kind::Kind;
use super::meta;
use crate::status::{About, FieldError, Status};

impl Kind {
    /// The Scale of an object.
    ///
    /// # Errors
    /// Where the object has no number to show.
    pub fn scale_of(&self, object: &Value) -> Result<Value, Status> {
        if let Some(scale) = self
            .custom
            .as_ref()
            .and_then(|version| version.scale.as_ref())
        {
            return Ok(scale.of(object)?);
        }
        let mut metadata = json!({});
        for field in [
            "name",
            "namespace",
            "uid",
            "resourceVersion",
            "creationTimestamp",
        ] {
            let text = meta::text(object, field);
            if !text.is_empty() {
                metadata[field] = json!(text);
            }
        }
        let mut status = json!({"replicas": object["status"]["replicas"].as_i64().unwrap_or(0)});
        if let Some(selector) = selector(&object["spec"]["selector"]) {
            status["selector"] = json!(selector);
        }
        let mut spec = json!({});
        let replicas = object["spec"]["replicas"].as_i64().unwrap_or(0);
        if replicas != 0 {
            spec["replicas"] = json!(replicas);
        }
        Ok(json!({
            "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status,
        }))
    }

    /// The Scale of an object that is about to get another number, be there one so far or not.
    ///
    /// # Errors
    /// Where a number is none.
    pub fn scale_to_change(&self, object: &Value) -> Result<Value, Status> {
        let custom = self.custom.as_ref();
        match custom.and_then(|version| version.scale.as_ref()) {
            Some(scale) => Ok(scale.to_change(object)?),
            None => self.scale_of(object),
        }
    }

    /// What is merged into an object to give it another number.
    ///
    /// # Errors
    /// Where the object has no number to set.
    pub fn scale_patch(&self, replicas: i64) -> Result<Value, Status> {
        if let Some(scale) = self
            .custom
            .as_ref()
            .and_then(|version| version.scale.as_ref())
        {
            let mut patch = json!({});
            scale.set(&mut patch, replicas)?;
            return Ok(patch);
        }
        Ok(json!({"spec": {"replicas": replicas}}))
    }
}

/// The number that a Scale asks for.
///
/// # Errors
/// 422 for a negative one.
pub fn wanted(name: &str, scale: &Value) -> Result<i64, Status> {
    let replicas = scale["spec"]["replicas"].as_i64().unwrap_or(0);
    if replicas >= 0 {
        return Ok(replicas);
    }
    let why = "must be greater than or equal to 0";
    let error = FieldError::invalid("spec.replicas", json!(replicas), why);
    let about = About {
        group: "autoscaling",
        resource: "scales",
        kind: "Scale",
    };
    Err(Status::invalid(about, name, &[error]))
}

/// A label selector as text.
fn selector(selector: &Value) -> Option<String> {
    let labels = match &selector["matchLabels"] {
        Value::Null => selector.as_object()?,
        labels => labels.as_object()?,
    };
    let pairs: Vec<String> = labels
        .iter()
        .filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)))
        .collect();
    Some(pairs.join(","))
}
