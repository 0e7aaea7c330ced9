//! Tests whose failures are told once more at the end: in a log of thousands of lines nobody finds them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use crate::run::{Outcome, show};

/// How much is repeated of one test, which may have printed the log of a controller.
const LINES: usize = 30;
const WIDTH: usize = 600;

/// Runs `cargo test` to its end and passes its output on; then repeats how each test began to fail.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let shown = show(command);
    eprintln!("$ {shown}");
    let fails = |err: std::io::Error| format!("`{shown}` came to nothing: {err}");
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(fails)?;
    let mut told = Failures::default();
    if let Some(output) = child.stdout.take() {
        let mut out = std::io::stdout();
        for line in BufReader::new(output).split(b'\n') {
            let line = line.map_err(fails)?;
            let passed = out.write_all(&line).and_then(|()| out.write_all(b"\n"));
            passed.and_then(|()| out.flush()).map_err(fails)?;
            told.take(&String::from_utf8_lossy(&line));
        }
    }
    let status = child.wait().map_err(fails)?;
    if status.success() {
        return Ok(());
    }
    for line in &told.lines {
        println!("{line}");
    }
    Err(format!("`{shown}` failed: {status}"))
}

/// What tests printed that failed, as far as it is repeated.
#[derive(Default)]
struct Failures {
    lines: Vec<String>,
    /// How much more of the test is repeated that is told of now.
    left: usize,
}

impl Failures {
    fn take(&mut self, line: &str) {
        let is_name = line.starts_with("---- ") && line.ends_with(" stdout ----");
        if is_name {
            self.left = LINES;
        } else if line == "failures:" || line.starts_with("test result:") {
            self.left = 0;
        }
        if self.left > 0 {
            self.left -= 1;
            self.lines.push(line.chars().take(WIDTH).collect());
        }
    }
}
