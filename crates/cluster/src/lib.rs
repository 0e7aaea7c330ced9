//! Everything that touches a cluster: identity per request, server-side apply, metadata watches,
//! inventory objects, the status writer.
//!
//! It carries out and it observes. What should be done is decided elsewhere, and passed in as a
//! value. It reads no environment variables and no kubeconfig: a `kube::Config` comes in.

pub mod apply;
pub mod caller;
pub mod catalog;
pub mod client;
pub mod contact;
pub mod error;
pub mod events;
pub mod field_path;
pub mod inventory;
pub mod lease;
pub mod limiter;
pub mod ownership;
pub mod prune;
pub mod resource;
pub mod status;
pub mod term;
pub mod watch;

pub use caller::{Caller, Meter};
pub use contact::Contact;
pub use error::{ApiError, causes};
pub use limiter::Limiter;
pub use ownership::Owner;
pub use resource::Resource;
pub use term::Term;
