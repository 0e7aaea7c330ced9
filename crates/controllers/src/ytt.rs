//! ytt templates, as the controllers need them: somebody evaluates them, apart from this process.

use futures::future::BoxFuture;
use serde::Serialize;
use serde_json::{Map, Value};

/// What is to be evaluated.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Request<'a> {
    /// What the template is called in errors, such as `ClusterTemplate/app spec.ytt`.
    pub name: &'a str,
    /// Its text.
    pub template: &'a str,
    /// The data values.
    pub data: &'a Map<String, Value>,
}

/// Evaluates ytt templates.
pub trait Evaluate: Send + Sync {
    /// The object that a template gives; otherwise what is wrong with it, with its line.
    fn evaluate<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Value, String>>;
}
