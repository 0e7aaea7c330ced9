//! ytt templates, as the passes need them: evaluated apart from this process, and not twice.
//!
//! Must not know: how they are evaluated.

use std::collections::{HashMap, VecDeque};
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use manifest::fingerprint;
use serde::Serialize;
use serde_json::{Map, Value};

/// How many digits tell two requests apart.
const DIGITS: usize = 32;
/// How many bytes of objects are kept, and how many of a single one.
const MOST_KEPT: usize = 32 << 20;
const LARGEST_KEPT: usize = 256 << 10;

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

/// Why a template gives no object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// For whoever wrote the template, without anything secret.
    pub why: String,
    /// Whether the same template and data may be evaluated another time: the machine was too busy.
    pub may_pass: bool,
    /// Whether the template's text is wrong whatever its data are.
    pub is_certain: bool,
}

/// Evaluates ytt templates.
pub trait Evaluate: Debug + Send + Sync {
    /// The object that a template gives.
    ///
    /// # Guarantees
    ///
    /// It ends in bounded time, whatever the template does.
    ///
    /// # Cancellation
    ///
    /// An evaluation ends with its future.
    fn evaluate<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Value, Refusal>>;
}

/// Evaluates what was not evaluated before: a pass without a change costs no evaluation.
#[derive(Debug)]
pub struct Templates {
    evaluate: Arc<dyn Evaluate>,
    kept: Mutex<Kept>,
}

impl Templates {
    /// Those that `evaluate` evaluates.
    pub fn new(evaluate: Arc<dyn Evaluate>) -> Self {
        Self {
            evaluate,
            kept: Mutex::default(),
        }
    }

    /// The object that a template gives.
    ///
    /// # Errors
    ///
    /// It gives none.
    pub async fn evaluate(&self, request: Request<'_>) -> Result<Value, Refusal> {
        let text = serde_json::to_string(&request).expect("a request is plain data");
        let mark = fingerprint(&text, DIGITS);
        if let Some(outcome) = self.kept().outcomes.get(&mark) {
            return outcome.clone();
        }
        let outcome = self.evaluate.evaluate(request).await;
        self.kept().keep(mark, &outcome);
        outcome
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().expect("nothing panics while holding it")
    }
}

/// What came of earlier requests, by their digests.
#[derive(Debug, Default)]
struct Kept {
    outcomes: HashMap<String, Result<Value, Refusal>>,
    /// The oldest first, each with its size.
    order: VecDeque<(String, usize)>,
    total: usize,
}

impl Kept {
    fn keep(&mut self, mark: String, outcome: &Result<Value, Refusal>) {
        let size = match outcome {
            Ok(object) => object.to_string().len(),
            Err(refusal) if refusal.may_pass => return,
            Err(refusal) => refusal.why.len(),
        };
        let size = size + mark.len();
        // Two passes may have asked for the same at once.
        if size > LARGEST_KEPT || self.outcomes.contains_key(&mark) {
            return;
        }
        self.total += size;
        self.order.push_back((mark.clone(), size));
        self.outcomes.insert(mark, outcome.clone());
        while self.total > MOST_KEPT
            && let Some((oldest, size)) = self.order.pop_front()
        {
            self.total -= size;
            self.outcomes.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests;
