//! Dependencies between our crates point down only, as ARCHITECTURE.md's code map says.

use std::collections::BTreeMap;

use super::Finding;
use super::tree::Tree;

const MAP: &str = "ARCHITECTURE.md";
/// What a crate without IO, clock and runtime has no use for.
const FORBIDDEN_BELOW_2: [&str; 14] = [
    "tokio",
    "tokio-util",
    "tokio-stream",
    "kube",
    "kube-client",
    "kube-runtime",
    "hyper",
    "hyper-util",
    "reqwest",
    "axum",
    "gix",
    "rustls",
    "jiff",
    "tracing-subscriber",
];
/// `kinds` derives its resources with kube's macro.
const ALLOWED: [(&str, &str); 1] = [("kinds", "kube")];

/// A crate's place: its layer's number, or among the tools of development.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Layer {
    Number(u8),
    Dev,
}

pub(super) fn layers(tree: &Tree) -> Vec<Finding> {
    let Some(map) = tree.text(MAP) else {
        return vec![Finding::new(
            MAP,
            "is missing: its code map is where the layers are read from",
        )];
    };
    let map = parse_map(map);
    if map.is_empty() {
        return vec![Finding::new(
            MAP,
            "has no code map: a table that begins with `| layer | crate |`",
        )];
    }
    let mut found = Vec::new();
    for (path, text) in tree.files() {
        let name = match path.strip_suffix("/Cargo.toml") {
            Some("xtask") => "xtask",
            Some(folder) => match folder.strip_prefix("crates/") {
                Some(name) => name,
                None => continue,
            },
            None => continue,
        };
        match map.get(name) {
            None => found.push(Finding::new(MAP, format!("the code map lacks `{name}`"))),
            Some(layer) => check_crate(path, name, *layer, text, &map, &mut found),
        }
    }
    for name in map.keys() {
        let places = [
            format!("crates/{name}/Cargo.toml"),
            format!("{name}/Cargo.toml"),
        ];
        if !places.iter().any(|place| tree.text(place).is_some()) {
            found.push(Finding::new(
                MAP,
                format!("the code map has `{name}`, and there is no such crate"),
            ));
        }
    }
    found
}

fn check_crate(
    path: &str,
    name: &str,
    layer: Layer,
    manifest: &str,
    map: &BTreeMap<&str, Layer>,
    found: &mut Vec<Finding>,
) {
    let Layer::Number(number) = layer else { return };
    for dependency in dependencies(manifest) {
        let problem = match map.get(dependency) {
            // Only the binary wires the demo's servers.
            Some(Layer::Dev) if number < 4 => Some("is for development only".to_owned()),
            Some(Layer::Number(other)) if *other == number => {
                Some(format!("is in the same layer L{number}"))
            }
            Some(Layer::Number(other)) if *other > number => {
                Some(format!("is above it, in L{other}"))
            }
            None if number < 2 && is_forbidden(name, dependency) => Some(format!(
                "has no place in L{number}, which knows no IO, clock or runtime"
            )),
            _ => None,
        };
        if let Some(problem) = problem {
            found.push(Finding::new(
                path,
                format!("`{name}` must not depend on `{dependency}`: it {problem}"),
            ));
        }
    }
}

fn is_forbidden(name: &str, dependency: &str) -> bool {
    FORBIDDEN_BELOW_2.contains(&dependency) && !ALLOWED.contains(&(name, dependency))
}

/// Crates by name out of rows such as ``| L2 | `git`, `registry` | … |``.
fn parse_map(text: &str) -> BTreeMap<&str, Layer> {
    let mut map = BTreeMap::new();
    let rows = text
        .lines()
        .map(str::trim)
        .skip_while(|line| !is_head(line));
    for row in rows.take_while(|line| line.starts_with('|')) {
        let mut cells = row.trim_matches('|').split('|').map(str::trim);
        let (Some(layer), Some(crates)) = (cells.next(), cells.next()) else {
            continue;
        };
        let layer = match layer
            .strip_prefix('L')
            .and_then(|number| number.parse().ok())
        {
            Some(number) => Layer::Number(number),
            None if layer == "dev" => Layer::Dev,
            None => continue,
        };
        // Names stand between backticks: every other piece.
        map.extend(
            crates
                .split('`')
                .skip(1)
                .step_by(2)
                .map(|name| (name, layer)),
        );
    }
    map
}

fn is_head(line: &str) -> bool {
    let mut cells = line
        .trim_matches('|')
        .split('|')
        .map(|cell| cell.trim().to_ascii_lowercase());
    cells.next().as_deref() == Some("layer")
        && cells.next().is_some_and(|cell| cell.starts_with("crate"))
}

/// The names below `[dependencies]` and `[build-dependencies]`; tests may use what they like.
fn dependencies(manifest: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut counts = false;
    for line in manifest.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            let section = section.trim_end_matches(']');
            let section = section.rsplit_once("'.").map_or(section, |(_, rest)| rest);
            counts = matches!(section, "dependencies" | "build-dependencies");
            if let Some(name) = section.strip_prefix("dependencies.") {
                names.push(name);
            }
            continue;
        }
        if !counts || line.starts_with('#') {
            continue;
        }
        if let Some((key, _)) = line.split_once('=') {
            names.push(key.trim().split('.').next().unwrap_or_default());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "# Map\n\n| Layer | crate | is |\n|---|---|---|\n| L0 | `kinds` | - |\n\
        | L1 | `plan`, `policy` | - |\n| L2 | `cluster` | - |\n| dev | `testkit` | - |\n\nText about `other`.";

    fn check(name: &str, manifest: &str, wanted: &[&str]) {
        let mut files = vec![(MAP, TABLE)];
        let paths: Vec<_> = ["kinds", "plan", "policy", "cluster", "testkit"]
            .map(|other| (other, format!("crates/{other}/Cargo.toml")))
            .into();
        for (other, path) in &paths {
            files.push((path, if *other == name { manifest } else { "" }));
        }
        let found: Vec<_> = layers(&Tree::of(&files))
            .into_iter()
            .map(|finding| finding.what)
            .collect();
        assert_eq!(found.len(), wanted.len(), "{found:?}");
        for (found, wanted) in found.iter().zip(wanted) {
            assert!(
                found.ends_with(wanted),
                "`{found}` does not end with `{wanted}`"
            );
        }
    }

    #[test]
    fn arrows_point_down() {
        check(
            "cluster",
            "[dependencies]\nplan.workspace = true\nkinds = { path = \"x\" }\ntokio = \"1\"",
            &[],
        );
        check(
            "plan",
            "[dependencies]\ncluster.workspace = true",
            &["it is above it, in L2"],
        );
        check(
            "plan",
            "[dependencies]\npolicy.workspace = true",
            &["it is in the same layer L1"],
        );
        check(
            "plan",
            "[dependencies.cluster]\npath = \"x\"",
            &["it is above it, in L2"],
        );
        check(
            "cluster",
            "[dependencies]\ntestkit.workspace = true",
            &["it is for development only"],
        );
        check(
            "cluster",
            "[dependencies]\n# plan\n[dev-dependencies]\ntestkit.workspace = true",
            &[],
        );
        check("testkit", "[dependencies]\ncluster.workspace = true", &[]);
    }

    #[test]
    fn the_lower_layers_have_no_runtime() {
        let problem = ["which knows no IO, clock or runtime"];
        check("plan", "[dependencies]\ntokio.workspace = true", &problem);
        check("plan", "[dependencies]\nkube.workspace = true", &problem);
        check("kinds", "[dependencies]\nkube.workspace = true", &[]);
    }

    #[test]
    fn the_map_is_complete() {
        let found = layers(&Tree::of(&[(MAP, TABLE), ("crates/portal/Cargo.toml", "")]));
        assert_eq!(found[0].what, "the code map lacks `portal`");
        assert_eq!(
            found.len(),
            6,
            "and it names five crates that are not there: {found:?}"
        );
    }
}
