//! Builds the genuine control plane from its public Go modules, once.
//!
//! The folder's name holds a hash of everything that decides the result, and a program gets its name
//! when it is complete: what is there is never stale and never half.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::real_older;
use crate::run::{Outcome, capture, root, run, target};

const VERSION: &str = "v1.36.3";
const FLAGS: [&str; 4] = ["-trimpath", "-mod=readonly", "-buildvcs=false", "-ldflags"];
/// Without the version flags the server reports no version, and clients refuse to work.
const LINK_FLAGS: &str = "-s -w \
-X k8s.io/component-base/version.gitVersion=v1.36.3 \
-X k8s.io/component-base/version.gitMajor=1 \
-X k8s.io/component-base/version.gitMinor=36";
/// The oldest Go that `go.mod` admits.
const GO: (u32, u32) = (1, 26);

/// A program and the package that it is built from; the first is needed first.
const PROGRAMS: [(&str, &str); 4] = [
    ("etcd", "./etcd"),
    ("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
    (
        "kube-controller-manager",
        "k8s.io/kubernetes/cmd/kube-controller-manager",
    ),
    ("kubectl", "k8s.io/kubernetes/cmd/kubectl"),
];

/// A folder with all the programs; builds what is missing.
pub(crate) fn binaries() -> Outcome<PathBuf> {
    let folder = match std::env::var_os("KUBEBUILDER_ASSETS") {
        Some(assets) => from_assets(Path::new(&assets))?,
        None => built()?,
    };
    if let Err(why) = real_older::add(&folder) {
        if std::env::var_os("CI").is_some() {
            return Err(format!("there is no older kubectl for the sessions: {why}"));
        }
        eprintln!("the sessions run with the newest kubectl alone: {why}");
    }
    Ok(folder)
}

fn built() -> Outcome<PathBuf> {
    let folder = build_folder()?;
    let missing: Vec<_> = PROGRAMS
        .iter()
        .filter(|(name, _)| !folder.join(name).is_file())
        .collect();
    if missing.is_empty() {
        return Ok(folder);
    }
    check_go()?;
    eprintln!("building the genuine control plane {VERSION}: 6 to 12 minutes the first time");
    for (name, package) in missing {
        build(&genuine(name, package), &folder)?;
    }
    Ok(folder)
}

/// Envtest's folder has no controller manager, so ours may join from elsewhere.
fn from_assets(assets: &Path) -> Outcome<PathBuf> {
    let key = hash(&assets.to_string_lossy());
    let folder = target().join("real").join(format!("assets-{key:016x}"));
    fs::create_dir_all(&folder)
        .map_err(|err| format!("could not make `{}`: {err}", folder.display()))?;
    for (name, package) in PROGRAMS {
        let mut source = assets.join(name);
        if !source.is_file() {
            if name != "kube-controller-manager" {
                return Err(format!(
                    "KUBEBUILDER_ASSETS has no `{name}`: {}",
                    source.display()
                ));
            }
            source = build_folder()?.join(name);
        }
        if !source.is_file() {
            check_go().map_err(|why| format!("KUBEBUILDER_ASSETS has no `{name}`, and {why}"))?;
            build(&genuine(name, package), &build_folder()?)?;
        }
        link(&source, &folder.join(name))?;
    }
    Ok(folder)
}

/// Puts a program there under another name, in place of what is there.
pub(crate) fn link(source: &Path, link: &Path) -> Outcome {
    let _ = fs::remove_file(link);
    std::os::unix::fs::symlink(source, link)
        .map_err(|err| format!("could not link `{}`: {err}", source.display()))
}

fn build_folder() -> Outcome<PathBuf> {
    let mut inputs = format!("{FLAGS:?}{LINK_FLAGS}{PROGRAMS:?}");
    for file in ["go.mod", "go.sum", "etcd/main.go"] {
        let path = modules().join(file);
        let text = fs::read_to_string(&path)
            .map_err(|err| format!("could not read `{}`: {err}", path.display()))?;
        inputs.push_str(&text);
    }
    Ok(target()
        .join("real")
        .join(format!("{VERSION}-{:016x}", hash(&inputs))))
}

/// A program of Go, and what makes it.
pub(crate) struct Program<'a> {
    pub(crate) name: &'a str,
    pub(crate) package: &'a str,
    /// The folder of the module.
    pub(crate) module: PathBuf,
    pub(crate) link_flags: &'a str,
}

fn genuine<'a>(name: &'a str, package: &'a str) -> Program<'a> {
    Program {
        name,
        package,
        module: modules(),
        link_flags: LINK_FLAGS,
    }
}

pub(crate) fn build(program: &Program<'_>, folder: &Path) -> Outcome {
    let name = program.name;
    fs::create_dir_all(folder)
        .map_err(|err| format!("could not make `{}`: {err}", folder.display()))?;
    let started = Instant::now();
    eprintln!("building {name} …");
    let unfinished = folder.join(format!(".{name}.{}", std::process::id()));
    let mut go = Command::new("go");
    go.current_dir(&program.module)
        .arg("build")
        .args(FLAGS)
        .arg(program.link_flags)
        .arg("-o")
        .arg(&unfinished)
        .arg(program.package);
    run(&mut go)?;
    fs::rename(&unfinished, folder.join(name))
        .map_err(|err| format!("could not name `{name}`: {err}"))?;
    eprintln!("built {name} in {} s", started.elapsed().as_secs());
    Ok(())
}

pub(crate) fn check_go() -> Outcome {
    let needed = format!(
        "the genuine control plane is built with Go {}.{} or later: install it, or set KUBEBUILDER_ASSETS to a \
         folder with etcd, kube-apiserver, kube-controller-manager and kubectl",
        GO.0, GO.1
    );
    // The local toolchain is asked for, since another one would have to be downloaded first.
    let found = capture(
        Command::new("go")
            .args(["env", "GOVERSION"])
            .env("GOTOOLCHAIN", "local")
            .current_dir(root()),
    )
    .map_err(|why| format!("{why}; {needed}"))?;
    match go_version(&found) {
        Some(version) if version >= GO => Ok(()),
        _ => Err(format!("found {}; {needed}", found.trim())),
    }
}

/// Major and minor of an answer such as `go1.26.8` or `go1.27rc1`.
fn go_version(answer: &str) -> Option<(u32, u32)> {
    let (major, rest) = answer.trim().strip_prefix("go")?.split_once('.')?;
    let minor: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Where the modules of Go are named that the control plane is made of.
pub(crate) fn modules() -> PathBuf {
    root().join("xtask/real")
}

/// Good enough to tell inputs apart; nothing here guards against malice.
pub(crate) fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::go_version;

    #[test]
    fn compares_go_versions_by_number() {
        assert_eq!(go_version("go1.26.8\n"), Some((1, 26)));
        assert_eq!(go_version("go1.27rc1"), Some((1, 27)));
        assert!(go_version("go1.9") < Some((1, 26)));
        assert_eq!(go_version("devel"), None);
    }
}
