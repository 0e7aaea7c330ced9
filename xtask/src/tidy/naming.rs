//! Each file says what it is for, is called by what it does, and is compiled.

use super::Finding;
use super::tree::Tree;

/// Names that say nothing, so everything ends up there.
const BANNED: [&str; 8] = [
    "common", "util", "utils", "helpers", "shared", "misc", "types", "v2",
];

pub(super) fn headers_and_names(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, text) in tree.rust() {
        if !text.starts_with("//!") {
            found.push(Finding::new(
                path,
                "begins without a `//!` that says what the file is for",
            ));
        }
        let parts = path.trim_end_matches(".rs").split('/');
        for part in parts.filter(|part| BANNED.contains(part)) {
            found.push(Finding::new(
                path,
                format!("`{part}` names no role: name it by what it does"),
            ));
        }
    }
    found
}

/// An integration test that no `mod` names is silently never run.
pub(super) fn registered_tests(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, _) in tree.rust() {
        let Some((folder, file)) = path.split_once("/tests/it/") else {
            continue;
        };
        let name = file
            .split('/')
            .next()
            .unwrap_or(file)
            .trim_end_matches(".rs");
        let main = format!("{folder}/tests/it/main.rs");
        let registry = tree.text(&main).unwrap_or_default();
        let is_registered = registry
            .lines()
            .any(|line| line.trim() == format!("mod {name};"));
        if name != "main" && !is_registered {
            found.push(Finding::new(
                path,
                format!("is never run: add `mod {name};` to {main}"),
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_headers_names_and_tests_that_are_missing() {
        let tree = Tree::of(&[
            ("crates/a/src/lib.rs", "//! A."),
            ("crates/a/src/util/text.rs", "//! Text."),
            ("crates/a/src/bare.rs", "fn bare() {}"),
            ("crates/a/tests/it/main.rs", "//! Tests.\nmod known;\n"),
            ("crates/a/tests/it/known.rs", "//! Known."),
            ("crates/a/tests/it/lost.rs", "//! Lost."),
        ]);
        let paths = |found: Vec<Finding>| {
            found
                .into_iter()
                .map(|finding| finding.path)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            paths(headers_and_names(&tree)),
            ["crates/a/src/bare.rs", "crates/a/src/util/text.rs"]
        );
        assert_eq!(
            paths(registered_tests(&tree)),
            ["crates/a/tests/it/lost.rs"]
        );
    }
}
