//! One evaluation: the trees that are being built, and how much of the limits is used.
#![expect(
    unsafe_code,
    reason = "a derive of the starlark crate writes `unsafe impl`"
)]

use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::Arc;

use allocative::Allocative;
use starlark::any::ProvidesStaticType;
use starlark::eval::Evaluator;
use starlark::values::{
    Heap, NoSerialize, StarlarkValue, Trace, Value, ValueLike as _, starlark_value,
};

use crate::build::Context;
use crate::limits::Limits;
use crate::node::failure;
use crate::template::Static;

/// A message of ours that came through the crate.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Said(pub(crate) String);

/// A limit was exceeded.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the template {0}")]
pub(crate) struct Exceeded(pub(crate) &'static str);

pub(crate) fn exceeded(what: &'static str) -> starlark::Error {
    starlark::Error::new_other(Exceeded(what))
}

/// What natives may use up, and whether time is over.
#[derive(ProvidesStaticType)]
pub(crate) struct Budget<'e> {
    expired: &'e (dyn Fn(u32) -> bool + Sync),
    /// The line that runs, as far as is known; 0 before the first.
    pub(crate) line: Cell<u32>,
    pub(crate) limits: &'e Limits,
    ticks: Cell<u64>,
    nodes: Cell<usize>,
    text: Cell<usize>,
}

impl<'e> Budget<'e> {
    pub(crate) fn new(expired: &'e (dyn Fn(u32) -> bool + Sync), limits: &'e Limits) -> Self {
        Self {
            expired,
            line: Cell::new(0),
            limits,
            ticks: Cell::new(0),
            nodes: Cell::new(0),
            text: Cell::new(0),
        }
    }

    /// Counts calls and turns of loops.
    pub(crate) fn ticks(&self, count: u64) -> starlark::Result<()> {
        let ticks = self.ticks.get().saturating_add(count);
        self.ticks.set(ticks);
        if ticks > self.limits.ticks {
            return Err(exceeded("takes too many steps"));
        }
        Ok(())
    }

    pub(crate) fn nodes(&self, count: usize) -> starlark::Result<()> {
        let nodes = self.nodes.get().saturating_add(count);
        self.nodes.set(nodes);
        if nodes > self.limits.nodes {
            return Err(exceeded("makes too many nodes"));
        }
        Ok(())
    }

    pub(crate) fn text(&self, count: usize) -> starlark::Result<()> {
        let text = self.text.get().saturating_add(count);
        self.text.set(text);
        if text > self.limits.text {
            return Err(exceeded("makes too much text"));
        }
        Ok(())
    }

    pub(crate) fn depth(&self, depth: usize) -> starlark::Result<()> {
        if depth > self.limits.depth {
            return Err(exceeded("nests values too deep"));
        }
        Ok(())
    }

    fn check(&self, heap: &Heap) -> starlark::Result<()> {
        if (self.expired)(self.line.get()) {
            return Err(exceeded("takes too long"));
        }
        if heap.allocated_bytes() > self.limits.heap {
            return Err(exceeded("uses too much memory"));
        }
        Ok(())
    }
}

/// The budget of an evaluation. Every native of ours asks for it, and so looks at time and memory:
/// the crate itself looks at neither. So natives of ours stand in every function, loop and lambda.
pub(crate) fn budget<'a, 'e>(eval: &Evaluator<'_, 'a, 'e>) -> starlark::Result<&'a Budget<'e>> {
    let budget = unchecked(eval)?;
    budget.check(eval.heap())?;
    Ok(budget)
}

/// The budget, at a line of the template; 0 where a node has none.
pub(crate) fn budget_at<'a, 'e>(
    line: u32,
    eval: &Evaluator<'_, 'a, 'e>,
) -> starlark::Result<&'a Budget<'e>> {
    let budget = unchecked(eval)?;
    if line > 0 {
        budget.line.set(line);
    }
    budget.check(eval.heap())?;
    Ok(budget)
}

fn unchecked<'a, 'e>(eval: &Evaluator<'_, 'a, 'e>) -> starlark::Result<&'a Budget<'e>> {
    eval.extra
        .and_then(|extra| extra.downcast_ref::<Budget<'e>>())
        .ok_or_else(|| failure("not within an evaluation"))
}

/// The state of an evaluation, where natives find it.
#[derive(Trace, ProvidesStaticType, NoSerialize, Allocative)]
pub(crate) struct Run<'v> {
    #[trace(unsafe_ignore)]
    #[allocative(skip)]
    pub(crate) nodes: Arc<[Static]>,
    #[trace(unsafe_ignore)]
    #[allocative(skip)]
    pub(crate) texts: Arc<[String]>,
    /// The trees that are being built, the innermost last.
    pub(crate) contexts: RefCell<Vec<Context<'v>>>,
}

impl<'v> Run<'v> {
    pub(crate) fn new(nodes: Arc<[Static]>, texts: Arc<[String]>) -> Self {
        Self {
            nodes,
            texts,
            contexts: RefCell::new(vec![Context::default()]),
        }
    }

    /// Does something with the innermost tree.
    pub(crate) fn with<T>(
        &self,
        act: impl FnOnce(&mut Context<'v>) -> starlark::Result<T>,
    ) -> starlark::Result<T> {
        let mut contexts = self.contexts.borrow_mut();
        let context = contexts.last_mut();
        act(context.ok_or_else(|| failure("no node is being built"))?)
    }
}

impl fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Run")
    }
}

impl fmt::Display for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("run")
    }
}

#[starlark_value(type = "run")]
impl<'v> StarlarkValue<'v> for Run<'v> {}

/// The state of the evaluation that a native is called in.
pub(crate) fn run<'v>(eval: &Evaluator<'v, '_, '_>) -> starlark::Result<&'v Run<'v>> {
    let value: Option<Value<'v>> = eval.module().extra_value();
    value
        .and_then(Value::downcast_ref::<Run>)
        .ok_or_else(|| failure("not within an evaluation"))
}
