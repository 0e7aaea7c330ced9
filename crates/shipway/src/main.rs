//! The `shipway` program: its commands, and the wiring of the controllers.

mod cli;
mod commands;
mod config;
mod demo;
mod duration;
mod embedded;
mod error;
mod http;
mod output;
mod progress;

use std::process::ExitCode;

fn main() -> ExitCode {
    rustls::crypto::ring::default_provider()
        .install_default()
        .expect("nothing installed a provider before");
    cli::main()
}
