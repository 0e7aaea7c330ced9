//! The suites on the genuine control plane: one scenario for each sentence of ARCHITECTURE.md's
//! invariants and for each line of bad input.

mod bad_admission;
mod bad_environment;
mod bad_files;
mod bad_kinds;
mod bad_outage;
mod bad_rights;
mod bad_running;
mod bad_secrets;
mod bad_source;
mod bad_spec;
mod bad_stage;
mod cli;
mod deliver;
mod deliverable;
mod demo;
mod embedded;
mod environment;
mod gaps;
mod hook;
mod rules_audit;
mod rules_conflict;
mod rules_crash;
mod rules_drift;
mod rules_fight;
mod rules_identity;
mod rules_leave;
mod rules_owner;
mod rules_peace;
mod rules_prune;
mod rules_restart;
mod rules_stage;
mod rules_stop;
mod rules_wait;
mod sessions;
mod source;
