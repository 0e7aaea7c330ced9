//! Files stay small enough to be read in one go. What is too long today is in a ratchet list, with
//! its length, and may only become shorter.

use std::collections::BTreeMap;

use super::Finding;
use super::tree::Tree;

const BUDGET: usize = 400;
const RATCHET: &str = "xtask/tidy-ratchet.txt";

pub(super) fn budget(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut allowed = ratchet(tree.text(RATCHET).unwrap_or_default(), &mut found);
    for (path, text) in tree.rust() {
        let lines = if is_test(path) {
            0
        } else {
            lines_without_tests(text)
        };
        match allowed.remove(path) {
            None if lines > BUDGET => found.push(Finding::new(
                path,
                format!("has {lines} lines without tests, more than {BUDGET}: split it by role"),
            )),
            Some(max) if lines > max => {
                found.push(Finding::new(
                    path,
                    format!("grew from {max} to {lines} lines: split it by role"),
                ));
            }
            Some(_) if lines <= BUDGET => {
                found.push(Finding::new(
                    RATCHET,
                    format!("`{path}` fits the budget now: remove its line"),
                ));
            }
            Some(max) if lines < max => {
                found.push(Finding::new(
                    RATCHET,
                    format!("`{path}` shrank: write {lines} instead of {max}"),
                ));
            }
            _ => {}
        }
    }
    for path in allowed.keys() {
        found.push(Finding::new(
            RATCHET,
            format!("`{path}` is gone: remove its line"),
        ));
    }
    found
}

/// Lines of `path max`; `#` begins a comment.
fn ratchet<'a>(text: &'a str, found: &mut Vec<Finding>) -> BTreeMap<&'a str, usize> {
    let mut allowed = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let entry = line
            .split_once(' ')
            .and_then(|(path, max)| Some((path, max.trim().parse().ok()?)));
        match entry {
            Some((path, max)) => drop(allowed.insert(path, max)),
            None => found.push(Finding::new(RATCHET, format!("`{line}` is not `path max`"))),
        }
    }
    allowed
}

fn is_test(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs")
}

/// Counts lines outside of `#[cfg(test)] mod … { … }`. Relies on rustfmt: the module ends with a
/// brace as far to the right as it begins.
fn lines_without_tests(text: &str) -> usize {
    let mut count = 0;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            count += 1;
            continue;
        }
        let indent = &line[..line.len() - line.trim_start().len()];
        let mut rest = lines
            .by_ref()
            .skip_while(|line| line.trim_start().starts_with("#["));
        let item = rest.next().unwrap_or_default();
        if item.trim_start().starts_with("mod ") && item.ends_with('{') {
            let end = format!("{indent}}}");
            rest.find(|line| *line == end);
        } else {
            // A single function or import for tests counts like any other line.
            count += 2;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(lines: usize) -> String {
        "//! A.\n".repeat(lines)
    }

    fn check(lines: usize, ratchet: &str, wanted: &[&str]) {
        let text = file(lines);
        let tree = Tree::of(&[("crates/a/src/lib.rs", &text), (RATCHET, ratchet)]);
        let found: Vec<_> = budget(&tree)
            .into_iter()
            .map(|finding| finding.what)
            .collect();
        assert_eq!(found.len(), wanted.len(), "{found:?}");
        for (found, wanted) in found.iter().zip(wanted) {
            assert!(found.contains(wanted), "`{found}` is not about `{wanted}`");
        }
    }

    #[test]
    fn the_ratchet_turns_one_way() {
        check(400, "", &[]);
        check(401, "", &["401 lines without tests"]);
        check(450, "# old\ncrates/a/src/lib.rs 450\n", &[]);
        check(451, "crates/a/src/lib.rs 450", &["grew from 450 to 451"]);
        check(
            449,
            "crates/a/src/lib.rs 450",
            &["write 449 instead of 450"],
        );
        check(400, "crates/a/src/lib.rs 450", &["remove its line"]);
        check(1, "crates/b/src/lib.rs 450", &["is gone"]);
        check(1, "crates/b/src/lib.rs", &["is not `path max`"]);
    }

    #[test]
    fn modules_of_tests_do_not_count() {
        let text = "//! A.\nfn a() {}\n\n#[cfg(test)]\nmod tests {\n    mod inner {\n    }\n}\nfn b() {}\n";
        assert_eq!(lines_without_tests(text), 4);
        assert_eq!(lines_without_tests("//! A.\n#[cfg(test)]\nfn a() {}\n"), 3);
        assert_eq!(
            lines_without_tests("#[cfg(test)]\n#[path = \"x\"]\nmod tests {\n}\nfn b() {}\n"),
            1
        );
    }
}
