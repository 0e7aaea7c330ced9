//! Every command that a document shows is one that this program understands.

use std::path::{Path, PathBuf};

use clap::Parser as _;

use super::Cli;

fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    let mut folders = vec![root.clone(), root.join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder of the documents is there") {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() && path.starts_with(root.join("docs")) {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found
}

/// The commands of a document: lines that begin with `$ `, and their parts between `|` and `&&`.
fn commands(text: &str) -> Vec<Vec<String>> {
    let lines = text
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("$ "));
    let parts = lines.flat_map(|line| line.split(" && ").flat_map(|part| part.split(" | ")));
    parts
        .map(|part| part.split_whitespace().map(str::to_owned).collect())
        .collect()
}

#[test]
fn every_documented_shipway_command_is_understood() {
    let mut seen = 0;
    for document in documents() {
        let text = std::fs::read_to_string(&document).expect("a document is text");
        for mut words in commands(&text) {
            if words.first().is_some_and(|word| word == "cargo")
                && words.get(1).is_some_and(|word| word == "run")
            {
                let end = words
                    .iter()
                    .position(|word| word == "--")
                    .unwrap_or(words.len() - 1);
                words.drain(..=end);
                words.insert(0, "shipway".to_owned());
            }
            if words.first().is_none_or(|word| word != "shipway") {
                continue;
            }
            seen += 1;
            if let Err(error) = Cli::try_parse_from(&words) {
                let fine = matches!(
                    error.kind(),
                    clap::error::ErrorKind::DisplayHelp | clap::error::ErrorKind::DisplayVersion
                );
                assert!(
                    fine,
                    "{}: `{}`: {error}",
                    document.display(),
                    words.join(" ")
                );
            }
        }
    }
    assert!(
        seen >= 5,
        "only {seen} commands were found: has the form of the documents changed?"
    );
}
