//! Who asks, and what they may: authentication, impersonation and RBAC, as the genuine server does them.
//!
//! Everything is pure except [`pki`], which keeps keys in a folder. Nothing here knows HTTP, storage or
//! the clock: headers, objects and the time are handed in, and a refusal is a
//! [`Status`](crate::status::Status).
//!
//! The rules are those of kube-apiserver 1.36 with `--authorization-mode=RBAC`, read in its sources and
//! recorded from it; where a text is quoted in a test, it was recorded.

mod attributes;
mod authenticate;
mod impersonate;
mod object;
pub(crate) mod pki;
pub(crate) mod rbac;
pub(crate) mod review;
pub(crate) mod token;
mod user;

pub(crate) use attributes::{Attributes, ResourceAttributes, Target};
pub(crate) use authenticate::{Credentials, authenticate, user_of_certificate};
pub(crate) use impersonate::{impersonate, impersonation_wanted};
pub(crate) use user::User;

#[cfg(test)]
mod tests;
