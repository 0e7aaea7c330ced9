//! A template that was read, and its evaluation.

use std::sync::Arc;

use serde_json::{Map, Value as Json};
use starlark::syntax::AstModule;

use crate::compile::{Compiled, compile_text};
use crate::error::{Error, Place, Problem, Reason};
use crate::evaluate;
use crate::limits::Limits;
use crate::node::Shape;
use crate::plain::Plain;
use crate::request::Comments;
use crate::source::Program;

/// What an evaluation may need of its stack: Starlark may call a thousand functions deep, and the
/// crate is recursive.
const STACK: usize = 64 << 20;

/// A template that was read.
#[derive(Debug)]
pub struct Template {
    name: String,
    text: String,
    body: Body,
}

/// What a text turned out to be.
#[derive(Debug)]
pub(crate) enum Body {
    /// YAML without code: always the same object.
    Plain(Vec<Plain>),
    /// A program that builds the documents.
    Code(Box<Code>),
}

#[derive(Debug)]
pub(crate) struct Code {
    pub(crate) ast: AstModule,
    pub(crate) program: Program,
    pub(crate) nodes: Arc<[Static]>,
    pub(crate) texts: Arc<[String]>,
}

/// A node as the template has it.
#[derive(Debug)]
pub(crate) struct Static {
    pub(crate) kind: Kind,
    /// The node above, by index.
    pub(crate) parent: Option<usize>,
    pub(crate) place: Option<Place>,
    /// The scalar that an item has in the template.
    pub(crate) value: Plain,
}

/// What a node is.
#[derive(Debug)]
pub(crate) enum Kind {
    /// A map, an array, or all documents.
    Collection(Shape),
    /// A document, or an item: with a key in a map.
    Item(Option<Plain>),
}

/// Reads a template. `name` is what errors begin with, such as `ClusterTemplate/app spec.ytt`.
///
/// # Errors
///
/// The text is no YAML, its code is no Starlark, or it uses what is not supported.
pub fn compile(name: &str, text: &str, limits: &Limits) -> Result<Template, Error> {
    compile_with(name, text, Comments::Refused, limits)
}

/// Reads a template in which plain comments may be.
pub(crate) fn compile_with(
    name: &str,
    text: &str,
    comments: Comments,
    limits: &Limits,
) -> Result<Template, Error> {
    let compiled = on_large_stack(|| compile_text(text, comments, limits));
    match compiled.and_then(|compiled| compiled) {
        Ok(Compiled { body }) => Ok(Template {
            name: name.to_owned(),
            text: text.to_owned(),
            body,
        }),
        Err(problem) => Err(problem.of(name, &[])),
    }
}

impl Template {
    /// The object that the template makes of the data, which it sees as `data.values`.
    ///
    /// `expired` is asked time and again whether time is over, and told the line that runs (0 where
    /// that is not known), for whoever has to stop an operation that asks no more.
    ///
    /// # Guarantees
    ///
    /// The same data give the same object. No panic leaves here, though the hook for panics runs.
    ///
    /// # Errors
    ///
    /// The code fails, exceeds a limit, or makes no Kubernetes object.
    pub fn evaluate(
        &self,
        data: &Map<String, Json>,
        limits: &Limits,
        expired: impl Fn(u32) -> bool + Sync,
    ) -> Result<Json, Error> {
        let object = match &self.body {
            Body::Plain(documents) => object(documents.clone()),
            Body::Code(code) => on_large_stack(|| evaluate::evaluate(code, data, limits, &expired))
                .and_then(|documents| documents)
                .and_then(object),
        };
        object.map_err(|problem| {
            let mut secret = Vec::new();
            texts(data, &mut secret);
            // What the template itself says is no secret to whoever may read it.
            secret.retain(|text| !self.text.contains(text));
            // Longer ones first: one may be a part of another.
            secret.sort_unstable_by_key(|text| std::cmp::Reverse(text.len()));
            problem.of(&self.name, &secret)
        })
    }
}

/// The first document that is not empty.
fn object(documents: Vec<Plain>) -> Result<Json, Problem> {
    let wrong = |message: &str| Problem::new(Reason::Object, Place::default(), message);
    let document = documents
        .into_iter()
        .find(|document| !document.is_empty_document())
        .ok_or_else(|| wrong("the template makes no object"))?;
    if !matches!(document, Plain::Map(_)) {
        let message = format!("the template makes no object, but {}", document.kind());
        return Err(wrong(&message));
    }
    let object = document.into_json().map_err(|message| wrong(&message))?;
    if object.get("kind").is_none_or(|kind| !kind.is_string()) {
        return Err(wrong("the object has no `kind`"));
    }
    Ok(object)
}

/// The texts of the data that no message may show. Shorter ones are in any text.
fn texts<'a>(data: &'a Map<String, Json>, found: &mut Vec<&'a str>) {
    for value in data.values() {
        texts_of(value, found);
    }
}

fn texts_of<'a>(value: &'a Json, found: &mut Vec<&'a str>) {
    const SHORTEST: usize = 4;
    match value {
        Json::String(text) => {
            let lines = text.lines().chain([text.as_str()]);
            found.extend(lines.filter(|line| line.trim().len() >= SHORTEST));
        }
        Json::Array(items) => items.iter().for_each(|item| texts_of(item, found)),
        Json::Object(map) => texts(map, found),
        _ => {}
    }
}

/// Does something where recursion has room, and survives its panic.
pub(crate) fn on_large_stack<T: Send>(act: impl FnOnce() -> T + Send) -> Result<T, Problem> {
    let crashed = |message: &str| Problem::new(Reason::Crashed, Place::default(), message);
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("ytt".to_owned())
            .stack_size(STACK)
            .spawn_scoped(scope, act)
            .map_err(|_| crashed("no thread for the template"))?;
        thread
            .join()
            .map_err(|_| crashed("the evaluator failed; this is a bug of Shipway"))
    })
}
