//! What Workloads, Deliverables and Runnables share: they stamp objects, carry them to the API server as
//! their account, and hear when one of them changes.

pub(crate) mod news;
mod seen;
mod submit;
mod uses;

pub(crate) use seen::{Seen, Stamper, StamperKind};
pub(crate) use submit::{Change, Refused, Run, Stamped, Submission};
pub(crate) use uses::{Index, Uses};
