//! The stage of the suites: a namespace, an account, a Git repository and the controller, all
//! real. A scenario is one test and reads like one sentence.
#![expect(
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a scenario ends by panicking"
)]
#![expect(
    clippy::print_stderr,
    reason = "a scenario that fails shows what the controller said"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "the controller is a program and is started"
)]

mod chance;
mod controller;
pub mod differential;
mod embedded;
pub mod kubeconfig;
mod recorder;
mod scene;
pub mod soak;

pub use embedded::Embedded;

pub use controller::{Controller, identity, install, install_file, install_of, program};
pub use recorder::Recorder;
pub use scene::until_status;
pub use scene::{Namespaced, Scene, SceneOptions, apply, shipway};
