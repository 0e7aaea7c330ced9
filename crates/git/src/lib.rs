//! Looks up a revision of a Git repository, fetches just that commit and reads a sub-tree of it.
//!
//! Everything blocks (callers on an async runtime use a blocking thread), credentials arrive as
//! values, nothing is read from the environment or from a user's Git configuration, and no
//! program is ever started. This crate must not know Kubernetes clients, clocks of controllers,
//! or what the files mean.
//!
//! # Assumptions
//!
//! The binary has installed a rustls crypto provider before the first [`Repository::open`] with
//! an http(s) URL.

mod credentials;
mod error;
mod http;
mod id;
mod limits;
mod reference;
mod remote;
mod repository;
mod store;
mod tree;
mod url;

pub use credentials::{Auth, Credentials, CredentialsError, Secret};
pub use error::{GitError, Refusal};
pub use id::{CommitId, InvalidId, TreeId};
pub use limits::Limits;
pub use reference::Reference;
pub use repository::Repository;
pub use tree::{Content, File};
pub use url::{GitUrl, GitUrlError};
