//! One evaluation as data, for whoever evaluates in another process.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::limits::Limits;
use crate::template::compile;

/// What is to be evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// What errors begin with.
    pub name: String,
    /// The text of the template.
    pub template: String,
    /// What the template sees as `data.values`.
    pub data: Map<String, Value>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The Kubernetes object.
    Object(Value),
    /// Why there is none.
    Refused(Error),
}

impl Request {
    /// Compiles and evaluates, under the limits and until `expired`.
    pub fn answer(&self, limits: &Limits, expired: impl Fn() -> bool + Sync) -> Answer {
        let object = compile(&self.name, &self.template, limits)
            .and_then(|template| template.evaluate(&self.data, limits, expired));
        match object {
            Ok(object) => Answer::Object(object),
            Err(error) => Answer::Refused(error),
        }
    }
}
