//! The suites on the genuine control plane: one scenario for each sentence of ARCHITECTURE.md's
//! invariants and for each line of bad input.

mod deliver;
mod deliverable;
