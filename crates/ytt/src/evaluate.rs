//! Runs a program and takes out the documents that it built.

use std::sync::LazyLock;

use serde_json::{Map, Value as Json};
use starlark::PrintHandler;
use starlark::environment::{Globals, GlobalsBuilder, LibraryExtension, Module};
use starlark::eval::Evaluator;
use starlark::values::{Value, ValueLike as _};

use crate::error::{Place, Problem};
use crate::instruction;
use crate::library;
use crate::limits::Limits;
use crate::node::Fragment;
use crate::overlay;
use crate::plain::Plain;
use crate::report;
use crate::run::{Budget, Run, budget};
use crate::template::Code;
use crate::value;

/// Everything that a template may call. It is the same for all of them, and built once.
static GLOBALS: LazyLock<Globals> = LazyLock::new(|| {
    GlobalsBuilder::extended_by(&[LibraryExtension::SetType, LibraryExtension::Print])
        .with(instruction::instructions)
        .with(library::all)
        .build()
});

/// Output of `print` goes nowhere, but counts.
struct Silence<'a, 'e>(&'a Budget<'e>);

impl PrintHandler for Silence<'_, '_> {
    fn println(&self, text: &str) -> starlark::Result<()> {
        self.0.text(text.len())
    }
}

pub(crate) fn evaluate(
    code: &Code,
    data: &Map<String, Json>,
    limits: &Limits,
    expired: &(dyn Fn(u32) -> bool + Sync),
) -> Result<Vec<Plain>, Problem> {
    let budget = Budget::new(expired, limits);
    let silence = Silence(&budget);
    let module = Module::new();
    {
        let heap = module.heap();
        let run = heap.alloc_complex_no_freeze(Run::new(code.nodes.clone(), code.texts.clone()));
        module.set_extra_value(run);
        library::data::provide(&module, value::record(data, heap));
        let mut eval = Evaluator::new(&module);
        // What natives hold in their hands is not seen by the collector, and an evaluation is short.
        eval.disable_gc();
        eval.extra = Some(&budget);
        eval.set_print_handler(&silence);
        let whole = eval
            .set_max_callstack_size(limits.calls)
            .map_err(starlark::Error::new_other)
            .and_then(|()| eval.eval_module(code.ast.clone(), &GLOBALS))
            .and_then(|_| documents(run, &mut eval));
        whole.map_err(|error| {
            let mut problem = report::problem(&error, &code.program);
            if problem.place == Place::default() {
                problem.place = Place::line(budget.line.get());
            }
            problem
        })
    }
}

/// The documents, after those that are overlays were applied to the others.
fn documents<'v>(run: Value<'v>, eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<Vec<Plain>> {
    let heap = eval.heap();
    let budget = budget(eval)?;
    let root = run
        .downcast_ref::<Run>()
        .map(|run| run.with(|context| Ok(context.root())));
    let Some(root) = root.transpose()?.flatten() else {
        return Ok(Vec::new());
    };
    let root = overlay::between_documents(root, eval)?;
    let documents = Fragment::of(root)
        .map(|root| root.items().clone())
        .unwrap_or_default();
    let mut plain = Vec::new();
    for document in documents {
        let document = value::to_plain(document.value, heap, budget)?;
        // Nobody asks for what comes behind the object.
        let last = !document.is_empty_document();
        plain.push(document);
        if last {
            break;
        }
    }
    Ok(plain)
}
