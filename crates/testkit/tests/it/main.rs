//! The testkit against the genuine control plane that `cargo xtask test` starts.

mod audit;
mod kubelet;
mod outage;
