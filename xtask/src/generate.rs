//! `cargo xtask gen`: files that a program of ours writes, and that are committed all the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::real_build::modules;
use crate::run::{Outcome, capture, cargo, exists, root, run, target};

/// The arguments of `shipway`, and the file that holds what it prints.
const GENERATED: &[(&[&str], &str)] = &[(&["crds"], "deploy/crds.yaml")];

/// The words of `generator`, and the files that it writes into [`DATA`].
const EXTRACTED: &[(&str, &[&str])] = &[
    ("schema", &["types.json", "words.json", "resources.json"]),
    ("protobuf", &["protobuf.txt"]),
];
const DATA: &str = "crates/apiserver/data";
/// The modules of Go that `generator` reads.
const READ: [&str; 6] = [
    "k8s.io/kubernetes",
    "k8s.io/api",
    "k8s.io/apiextensions-apiserver",
    "k8s.io/apimachinery",
    "k8s.io/client-go",
    "k8s.io/kube-aggregator",
];

/// Writes the files, or with `--check` says which of them are out of date.
pub(crate) fn generate(args: &[String]) -> Outcome {
    let only_check = match args {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => return Err("usage: cargo xtask gen [--check]".to_owned()),
    };
    run(&mut cargo(&["build", "--workspace"]))?;
    let mut stale = Vec::new();
    for (file, wanted) in printed()?.into_iter().chain(extracted()?) {
        let path = root().join(&file);
        if fs::read_to_string(&path).is_ok_and(|present| present == wanted) {
            continue;
        }
        if only_check {
            stale.push(file);
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

/// What `shipway` prints, by file.
fn printed() -> Outcome<Vec<(String, String)>> {
    let mut files = Vec::new();
    for (args, file) in GENERATED {
        let text = capture(Command::new(target().join("debug/shipway")).args(*args))?;
        files.push(((*file).to_owned(), text));
    }
    Ok(files)
}

/// What `generator` reads out of Kubernetes' modules, by file; nothing where they are not here.
fn extracted() -> Outcome<Vec<(String, String)>> {
    let modules = match published() {
        Ok(modules) => modules,
        // Without Go, CI has no modules either: everything then runs on the embedded server alone.
        Err(why) if std::env::var_os("CI").is_some() && exists("go") => return Err(why),
        Err(why) => {
            eprintln!("the data in {DATA} is left as it is: {why}");
            return Ok(Vec::new());
        }
    };
    let folder = target().join("generated");
    fs::create_dir_all(&folder)
        .map_err(|err| format!("could not make `{}`: {err}", folder.display()))?;
    let mut files = Vec::new();
    for (word, names) in EXTRACTED {
        let mut generator = Command::new(target().join("debug/generator"));
        run(generator.arg(word).arg(&modules).arg(&folder))?;
        for name in *names {
            let path = folder.join(name);
            let text = fs::read_to_string(&path)
                .map_err(|err| format!("could not read `{}`: {err}", path.display()))?;
            files.push((format!("{DATA}/{name}"), text));
        }
    }
    Ok(files)
}

/// Go's folder of modules, once those of Kubernetes are in it. CI fetches them.
fn published() -> Outcome<PathBuf> {
    if !exists("go") {
        return Err("it is read out of modules of Go, which is not here".to_owned());
    }
    if std::env::var_os("CI").is_some() {
        let mut download = Command::new("go");
        download.current_dir(modules()).args(["mod", "download"]);
        run(download.args(READ))?;
    }
    let cache = capture(Command::new("go").args(["env", "GOMODCACHE"]))?;
    let mut list = Command::new("go");
    list.current_dir(modules())
        .args(["list", "-mod=readonly", "-m", "-f", "{{.Dir}}"]);
    // What is not in the cache has no folder.
    let folders = capture(list.args(READ))?;
    let present = folders.lines().filter(|line| Path::new(line).is_dir());
    if present.count() < READ.len() {
        return Err(
            "Go's cache lacks Kubernetes' modules, which `go mod download` fetches".to_owned(),
        );
    }
    Ok(PathBuf::from(cache.trim()))
}
