//! Builds an older kubectl, which the sessions of the suites run with beside the newest one.
//!
//! Nothing else needs it, so that it is left out where Go is missing.

use std::fs;
use std::path::Path;

use crate::real_build::{Program, build, check_go, hash, link};
use crate::run::{Outcome, root, target};

/// Its name beside the other programs.
const NAME: &str = "kubectl-1.32";
const LINK_FLAGS: &str = "-s -w \
-X k8s.io/component-base/version.gitVersion=v1.32.13 \
-X k8s.io/component-base/version.gitMajor=1 \
-X k8s.io/component-base/version.gitMinor=32";

/// Puts it into the folder of the other programs; builds it where it is missing.
pub(crate) fn add(folder: &Path) -> Outcome {
    let module = root().join("xtask/kubectl");
    let mut inputs = LINK_FLAGS.to_owned();
    for file in ["go.mod", "go.sum", "main.go"] {
        let path = module.join(file);
        let text = fs::read_to_string(&path)
            .map_err(|err| format!("could not read `{}`: {err}", path.display()))?;
        inputs.push_str(&text);
    }
    let own = target()
        .join("real")
        .join(format!("{NAME}-{:016x}", hash(&inputs)));
    if !own.join(NAME).is_file() {
        check_go()?;
        let program = Program {
            name: NAME,
            package: ".",
            module,
            link_flags: LINK_FLAGS,
        };
        build(&program, &own)?;
    }
    link(&own.join(NAME), &folder.join(NAME))
}
