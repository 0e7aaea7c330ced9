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
mod ytt;

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args_os()
        .nth(1)
        .is_some_and(|first| first == ytt::NAME)
    {
        return ytt::work();
    }
    rustls::crypto::ring::default_provider()
        .install_default()
        .expect("nothing installed a provider before");
    cli::main()
}
