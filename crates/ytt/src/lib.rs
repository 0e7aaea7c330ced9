//! Carvel ytt templates, evaluated: a text and data in, a Kubernetes object out.
//!
//! A template is YAML with Starlark in its comments. [`compile()`] reads the YAML (`yaml`), gives each
//! comment to its node, and writes a program (`compile`, `source`) that builds the nodes when it
//! runs (`build`, `instruction`). [`Template::evaluate`] runs it on the `starlark` crate, with the
//! modules of `@ytt:` (`library`, `overlay`). [`values()`] reads a file of data values.
//!
//! ytt 0.49 is followed in what a template gives, not in the words of its errors.
//!
//! Must not know: files, a clock, processes, what a template is for.

mod build;
mod compile;
mod error;
mod evaluate;
mod instruction;
mod library;
mod limits;
mod node;
mod number;
mod overlay;
mod plain;
mod record;
mod replace;
mod report;
mod request;
mod run;
mod show;
mod source;
mod template;
mod text;
mod value;
mod values;
mod yaml;

pub use error::{Error, Reason};
pub use limits::Limits;
pub use request::{Answer, Comments, Request};
pub use template::{Template, compile};
pub use values::values;
