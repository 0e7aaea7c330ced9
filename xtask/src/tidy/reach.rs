//! What must not get into the tree: second TLS providers, features that change everybody's JSON, and
//! addresses that hold on one machine only.

use super::Finding;
use super::tree::Tree;

/// Packages of which one dependency's default features bring in all.
const PACKAGES: [&str; 5] = [
    "aws-lc-rs",
    "aws-lc-sys",
    "openssl",
    "openssl-sys",
    "native-tls",
];
/// Features of serde_json that change the behaviour of every other user of it.
const FEATURES: [&str; 2] = ["preserve_order", "arbitrary_precision"];
// Both lists are put together, or this file would find itself.
const HOSTS: [&str; 8] = [
    concat!("proxy.", "golang.org"),
    concat!("sum.", "golang.org"),
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("registry.", "npmjs.org"),
    concat!("py", "pi.org"),
    concat!("deb.", "debian.org"),
    concat!("static.", "rust-lang.org"),
];
const FOLDERS: [&str; 3] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
];

pub(super) fn reach(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for (path, text) in tree.files() {
        if path.ends_with("Cargo.lock") {
            found.extend(packages(path, text));
            // It names the registry on every line, as it must.
            continue;
        }
        if path.ends_with("Cargo.toml") {
            for feature in FEATURES
                .iter()
                .filter(|feature| text.contains(&format!("\"{feature}\"")))
            {
                let what =
                    format!("`{feature}` of serde_json changes every map or number in the binary");
                found.push(Finding::new(path, what));
            }
        }
        for (number, line) in text.lines().enumerate() {
            if let Some(address) = address(line) {
                found.push(Finding::new(
                    path,
                    format!("line {} names `{address}`", number + 1),
                ));
            }
        }
    }
    found
}

fn packages(path: &str, lock: &str) -> Vec<Finding> {
    let names = lock
        .lines()
        .filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    let banned = names.filter(|name| PACKAGES.contains(name));
    banned
        .map(|name| {
            Finding::new(
                path,
                format!("`{name}` is in the graph: `cargo tree -i {name}`"),
            )
        })
        .collect()
}

/// A registry's host, or a folder that is somebody's machine.
fn address(line: &str) -> Option<&'static str> {
    let host = HOSTS.into_iter().find(|host| line.contains(host));
    host.or_else(|| {
        FOLDERS.into_iter().find(|folder| {
            // In the middle of a longer path or URL it is just a name.
            line.match_indices(folder)
                .any(|(at, _)| !line[..at].ends_with(is_part_of_path))
        })
    })
}

fn is_part_of_path(before: char) -> bool {
    before.is_alphanumeric() || "._-~})>*]".contains(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_packages_features_and_addresses() {
        let home = format!("dir = \"{}me/x\"", "/ho");
        let tree = Tree::of(&[
            (
                "Cargo.lock",
                "name = \"aws-lc-rs\"\nname = \"serde\"\nsource = \"registry\"",
            ),
            (
                "crates/a/Cargo.toml",
                "serde_json = { features = [\"preserve_order\"] }",
            ),
            ("crates/a/src/lib.rs", &home),
        ]);
        let paths: Vec<_> = reach(&tree)
            .into_iter()
            .map(|finding| finding.path)
            .collect();
        assert_eq!(
            paths,
            ["Cargo.lock", "crates/a/Cargo.toml", "crates/a/src/lib.rs"]
        );
    }

    #[test]
    fn a_folder_inside_of_a_path_is_no_address() {
        let [folder, ..] = FOLDERS;
        assert!(address(&format!("cd {folder}x")).is_some());
        assert!(address(&format!("see config{folder}x")).is_none());
        assert!(address(&format!("see ~{folder}x")).is_none());
    }
}
