//! `cargo xtask gen`: files that a program of ours writes, and that are committed all the same.

use std::fs;

use crate::run::{Outcome, capture, cargo, root, run, target};

/// The arguments of `shipway`, and the file that holds what it prints.
const GENERATED: &[(&[&str], &str)] = &[(&["crds"], "deploy/crds.yaml")];

/// Writes the files, or with `--check` says which of them are out of date.
pub(crate) fn generate(args: &[String]) -> Outcome {
    let only_check = match args {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => return Err("usage: cargo xtask gen [--check]".to_owned()),
    };
    run(&mut cargo(&["build", "--workspace"]))?;
    let mut stale = Vec::new();
    for (args, file) in GENERATED {
        let wanted =
            capture(std::process::Command::new(target().join("debug/shipway")).args(*args))?;
        let path = root().join(file);
        if fs::read_to_string(&path).is_ok_and(|present| present == wanted) {
            continue;
        }
        if only_check {
            stale.push(*file);
        } else {
            let folder = path.parent().expect("a generated file is in a folder");
            fs::create_dir_all(folder)
                .and_then(|()| fs::write(&path, wanted))
                .map_err(|err| format!("could not write `{file}`: {err}"))?;
            eprintln!("wrote {file}");
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!(
        "out of date, run `cargo xtask gen`: {}",
        stale.join(", ")
    ))
}
