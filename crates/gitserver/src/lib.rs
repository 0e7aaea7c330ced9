//! A real Git server for tests and the demo: smart HTTP by Git's own `git http-backend`.
//!
//! Serves the bare repositories of a folder on 127.0.0.1, over http or TLS with an authority of
//! its own, with or without credentials, and can play a broken server. [`WorkTree`] is the
//! person who pushes to it. Starts programs (`git`), which is why no production crate may use
//! it; must not know anything of Shipway.
//!
//! # Guarantees
//!
//! Nothing outlives the server: dropping or stopping it ends its connections and programs.

mod backend;
mod certificate;
mod fault;
mod server;
mod work_tree;

pub use fault::Fault;
pub use server::{Auth, GitServer, Requests, ServerError, ServerOptions};
pub use work_tree::{GitFailed, WorkTree, check};
