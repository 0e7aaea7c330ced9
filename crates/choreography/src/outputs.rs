//! What a stamped object gives to other resources.

use kinds::TemplateKind;
use kinds::cartographer::template::{
    Deployed, ObservedCompletion, ObservedMatch, Outputs as Paths,
};
use serde_json::Value;

use crate::context::{Inputs, Output};
use crate::health;
use crate::jsonpath::one;
use crate::notation::display;

/// Why there is no output.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutputError {
    /// There is no value at the path where an output is read. The object may get it.
    #[error("failed to evaluate json path '{path}': {why}")]
    MissingValue {
        /// The path.
        path: String,
        /// Why there is none.
        why: String,
    },
    /// The object cannot tell which generation its status speaks of.
    #[error("{0}")]
    NoObservedGeneration(String),
    /// The deployment is not as awaited yet.
    #[error("{0}")]
    NotMet(String),
    /// The deployment failed in the way that its template names.
    #[error("{0}")]
    Failed(String),
    /// Nothing goes in that could be passed on.
    #[error("deployment not found in upstream template")]
    NoDeployment,
}

/// Reads the output of a stamped object. None where the template has none, or where it is `null`.
pub fn read(
    paths: Paths<'_>,
    object: &Value,
    inputs: &Inputs,
) -> Result<Option<Output>, OutputError> {
    match paths {
        Paths::Source { url, revision } => Ok(Some(Output::Source {
            url: value(url, object, &format!("the url path [{url}]"))?,
            revision: value(revision, object, &format!("the revision path [{revision}]"))?,
        })),
        Paths::Image(path) => {
            let image = value(path, object, &format!("the url path [{path}]"))?;
            Ok((!image.is_null()).then_some(Output::Image(image)))
        }
        Paths::Config(path) => {
            let config = value(path, object, &format!("spec.configPath [{path}]"))?;
            Ok((!config.is_null()).then_some(Output::Config(config)))
        }
        Paths::None => Ok(None),
        Paths::Deployment(deployed) => {
            check_deployed(deployed, object)?;
            let deployment = inputs.deployment();
            deployment.map(Some).ok_or(OutputError::NoDeployment)
        }
    }
}

/// The input that is passed on as the output, by the kind of template that it stands for.
pub fn passed_through(kind: TemplateKind, input: &str, inputs: &Inputs) -> Option<Output> {
    match kind {
        TemplateKind::ClusterSourceTemplate => inputs.source(input),
        TemplateKind::ClusterImageTemplate => inputs.image(input),
        TemplateKind::ClusterConfigTemplate => inputs.config(input),
        TemplateKind::ClusterDeploymentTemplate => inputs.deployment(),
        TemplateKind::ClusterTemplate => None,
    }
}

fn value(path: &str, object: &Value, what: &str) -> Result<Value, OutputError> {
    let value = current(path, object);
    value.map_err(|why| missing(path, format!("failed to evaluate {what}: {why}")))
}

/// The value at a path, unless it is in a status of before: what was made of earlier inputs is not
/// passed on as made of these. Cartographer does so.
fn current(path: &str, object: &Value) -> Result<Value, String> {
    let value = one(path, object).map_err(|why| why.to_string())?;
    if is_in_status(path) && health::is_behind(object) {
        return Err("the status is of an earlier generation".to_owned());
    }
    Ok(value)
}

/// Whether a path leads into the status, in the ways that people write it: `.status.a`, `{.status.a}`, `status.a`.
fn is_in_status(path: &str) -> bool {
    let path = path.trim_start_matches(['{', '$', '.', ' ']);
    let rest = path.strip_prefix("status");
    rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_'))
}

fn missing(path: &str, why: String) -> OutputError {
    OutputError::MissingValue {
        path: path.to_owned(),
        why,
    }
}

fn check_deployed(deployed: Deployed<'_>, object: &Value) -> Result<(), OutputError> {
    match (deployed.completion, deployed.matches) {
        (Some(completion), _) => check_completion(completion, object),
        (None, matches) => check_matches(matches.unwrap_or_default(), object),
    }
}

fn check_matches(matches: &[ObservedMatch], object: &Value) -> Result<(), OutputError> {
    for ObservedMatch { input, output } in matches {
        let look = |side: &str, path: &str| {
            current(path, object).map_err(|why| {
                OutputError::NotMet(format!("could not find value on {side} [{path}]: {why}"))
            })
        };
        let (wanted, found) = (look("input", input)?, look("output", output)?);
        if !equal(&wanted, &found) {
            return Err(OutputError::NotMet(format!(
                "input [{input}] and output [{output}] do not match: {} != {}",
                display(&wanted),
                display(&found)
            )));
        }
    }
    Ok(())
}

fn check_completion(completion: &ObservedCompletion, object: &Value) -> Result<(), OutputError> {
    const GENERATION: &str = "metadata.generation";
    const OBSERVED: &str = "status.observedGeneration";
    let generation = one(GENERATION, object).map_err(|why| {
        missing(
            GENERATION,
            format!("failed to evaluate {GENERATION}: {why}"),
        )
    })?;
    let observed = one(OBSERVED, object).map_err(|why| {
        OutputError::NoObservedGeneration(format!("failed to evaluate {OBSERVED}: {why}"))
    })?;
    if !equal(&observed, &generation) {
        return Err(OutputError::NotMet(format!(
            "{OBSERVED} does not equal {GENERATION}: {} != {}",
            display(&observed),
            display(&generation)
        )));
    }
    if let Some(failed) = &completion.failed {
        let key = &failed.key;
        match one(key, object) {
            Ok(Value::String(found)) if found == failed.value => {
                let text = format!("deployment failure condition [{key}] was: {found}");
                return Err(OutputError::Failed(text));
            }
            Err(why) if !why.is_does_not_exist() => {
                return Err(missing(key, format!("failed to evaluate {key}: {why}")));
            }
            // What is not there has not failed.
            Ok(_) | Err(_) => {}
        }
    }
    let key = &completion.succeeded.key;
    let found = one(key, object).map_err(|why| {
        OutputError::NotMet(format!(
            "failed to evaluate succeededCondition.Key [{key}]: {why}"
        ))
    })?;
    let wanted = &completion.succeeded.value;
    if found.as_str() == Some(wanted) {
        return Ok(());
    }
    Err(OutputError::NotMet(format!(
        "deployment success condition [{key}] was: {}, expected: {wanted}",
        display(&found)
    )))
}

/// Whether two values are equal; numbers by their value, however written.
fn equal(a: &Value, b: &Value) -> bool {
    a == b || a.is_number() && b.is_number() && a.as_f64() == b.as_f64()
}

#[cfg(test)]
mod tests;
