//! The crate against a real Git server: `git http-backend` behind TLS.

#![expect(
    clippy::panic,
    reason = "a test that sees the wrong thing says what it saw"
)]

mod bounds;
mod broken;
mod doors;
mod fetching;
mod keeping;
mod looking_up;
mod reading;
mod world;
