//! Which files of a tree count, and what refuses the tree whole.

use std::collections::BTreeSet;

use manifest::{Problem, ProblemReason};

use crate::ignore::{self, Ignore};
use crate::render::{FileContent, MAX_FILES, MAX_TREE_BYTES, Refusal, TreeFile};

/// The files of a tree that hold manifests, by path.
#[derive(Default)]
pub(crate) struct Chosen {
    pub(crate) files: Vec<(String, Vec<u8>)>,
    pub(crate) problems: Vec<Problem>,
}

/// Whether the content of a file matters; of others only that they are there.
pub fn is_read(path: &str) -> bool {
    is_manifest(path) || path == ignore::FILE
}

/// Picks the files that count.
///
/// What `.shipwayignore` excludes is not there at all: neither a chart nor a link in it matters.
pub(crate) fn choose(mut files: Vec<TreeFile>) -> Result<Chosen, Refusal> {
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut chosen = Chosen::default();
    for file in &files {
        if !stays_inside(&file.path) {
            return Err(Refusal::PathOut {
                file: file.path.clone(),
            });
        }
    }
    let ignore = read_ignore(&files, &mut chosen.problems);
    files.retain(|file| !ignore.ignores(&file.path));
    let regular: BTreeSet<String> = files
        .iter()
        .filter(|file| !matches!(file.content, FileContent::Link(_)))
        .map(|file| file.path.clone())
        .collect();
    let mut bytes_read = 0;
    for file in files {
        match file.content {
            FileContent::Link(target) => {
                check_link(&file.path, &target, &regular, &mut chosen.problems)?;
            }
            FileContent::Large => {
                check_name(&file.path)?;
                if is_manifest(&file.path) {
                    chosen.problems.push(too_large(&file.path));
                }
            }
            FileContent::Bytes(bytes) => {
                check_name(&file.path)?;
                if !is_manifest(&file.path) {
                    continue;
                }
                bytes_read += bytes.len();
                if bytes_read > MAX_TREE_BYTES {
                    return Err(Refusal::TooLarge);
                }
                if chosen.files.len() == MAX_FILES {
                    return Err(Refusal::TooManyFiles);
                }
                chosen.files.push((file.path, bytes));
            }
        }
    }
    Ok(chosen)
}

fn read_ignore(files: &[TreeFile], problems: &mut Vec<Problem>) -> Ignore {
    let found = files.iter().find(|file| file.path == ignore::FILE);
    let bytes = match found.map(|file| &file.content) {
        Some(FileContent::Bytes(bytes)) => bytes,
        Some(FileContent::Large) => {
            problems.push(too_large(ignore::FILE));
            return Ignore::default();
        }
        _ => return Ignore::default(),
    };
    Ignore::read(bytes).unwrap_or_else(|problem| {
        problems.push(problem);
        Ignore::default()
    })
}

fn too_large(path: &str) -> Problem {
    let limit = manifest::MAX_FILE_BYTES / 1024 / 1024;
    let message = format!(
        "the file is larger than {limit} MiB: split it, or exclude it in `{}`",
        ignore::FILE
    );
    Problem::new(ProblemReason::TooLarge, message).in_file(path)
}

fn check_name(path: &str) -> Result<(), Refusal> {
    let file = path.to_owned();
    match path.rsplit('/').next().unwrap_or_default() {
        "Chart.yaml" => Err(Refusal::HelmChart { file }),
        "kustomization.yaml" | "kustomization.yml" | "Kustomization" => {
            Err(Refusal::Kustomization { file })
        }
        _ => Ok(()),
    }
}

/// Judges a symbolic link: one that leads out refuses the tree, one inside is a problem.
///
/// A link that hides nothing that is read, such as `README.md` to `docs/README.md`, is let through: its own
/// name is not one that is read, and it names a file, so nothing below it is missed.
fn check_link(
    path: &str,
    target: &str,
    regular: &BTreeSet<String>,
    problems: &mut Vec<Problem>,
) -> Result<(), Refusal> {
    let Some(resolved) = resolve(path, target) else {
        return Err(Refusal::LinkOut {
            file: path.to_owned(),
        });
    };
    if is_read(path) || !regular.contains(&resolved) {
        let message =
            "links are not followed; put the file here, or exclude the link in `.shipwayignore`";
        problems.push(Problem::new(ProblemReason::LinkNotFollowed, message).in_file(path));
    }
    Ok(())
}

/// Where a link leads, from the root of the tree; none if out of it, even if it comes back.
fn resolve(path: &str, target: &str) -> Option<String> {
    if target.starts_with('/') || target.contains(['\0', '\\']) || target.contains(':') {
        return None;
    }
    let mut at: Vec<&str> = path.split('/').collect();
    at.pop();
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                at.pop()?;
            }
            name => at.push(name),
        }
    }
    Some(at.join("/"))
}

fn stays_inside(path: &str) -> bool {
    !path.contains(['\0', '\\']) && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

fn is_manifest(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    ["yaml", "yml", "json"]
        .iter()
        .any(|known| end.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares what is read of a tree, given as `path` or `link->target`; `.shipwayignore` holds
    /// the patterns given.
    #[track_caller]
    fn check(tree: &str, ignore: &str, seen: &str) {
        let mut files: Vec<TreeFile> = tree
            .split_whitespace()
            .map(|entry| match entry.split_once("->") {
                Some((path, target)) => TreeFile {
                    path: path.into(),
                    content: FileContent::Link(target.into()),
                },
                None => TreeFile {
                    path: entry.into(),
                    content: FileContent::Bytes(Vec::new()),
                },
            })
            .collect();
        if !ignore.is_empty() {
            let content = FileContent::Bytes(ignore.as_bytes().to_vec());
            files.push(TreeFile {
                path: ".shipwayignore".into(),
                content,
            });
        }
        let text = match choose(files) {
            Ok(chosen) => {
                let read = chosen.files.into_iter().map(|(path, _)| path);
                let problems = chosen
                    .problems
                    .iter()
                    .map(|problem| format!("!{}({})", problem.file, problem.reason));
                read.chain(problems).collect::<Vec<_>>().join(" ")
            }
            Err(refusal) => format!("refused {}: {refusal}", refusal.as_str()),
        };
        assert_eq!(text, seen);
    }

    #[test]
    fn reads_yaml_and_json_files_at_any_depth_by_path() {
        check(
            "b.yml a/c.json a.yaml README.md Makefile values.toml x.YAML yaml",
            "",
            "a.yaml a/c.json b.yml x.YAML",
        );
    }

    #[test]
    fn shipwayignore_excludes_files() {
        check("a.yaml ci/b.yaml", "ci/\n", "a.yaml");
        check("a.yaml ci/.shipwayignore ci/b.yaml", "", "a.yaml ci/b.yaml");
    }

    #[test]
    fn refuses_a_chart_and_a_kustomization_unless_they_are_excluded() {
        check(
            "a.yaml x/Chart.yaml",
            "",
            "refused HelmChart: `x/Chart.yaml` is a Helm chart; commit what `helm template` prints, or exclude it in `.shipwayignore`",
        );
        for name in ["kustomization.yaml", "x/kustomization.yml", "Kustomization"] {
            check(
                name,
                "",
                &format!(
                    "refused Kustomization: `{name}` is a kustomization; commit what `kustomize build` prints, or exclude it in `.shipwayignore`"
                ),
            );
        }
        check("a.yaml x/Chart.yaml", "x", "a.yaml");
    }

    #[test]
    fn refuses_a_link_out_of_the_tree() {
        for link in [
            "a.yaml->/etc/passwd",
            "a.yaml->../b.yaml",
            "x/a->../../b",
            "x/y/a->../../../b",
            "a->x/../../a",
        ] {
            let path = link.split("->").next().expect("a path");
            check(
                link,
                "",
                &format!("refused LinkOut: the link `{path}` leads out of the tree"),
            );
        }
        check("a.yaml b.yaml->../b.yaml", "b.yaml", "a.yaml");
    }

    #[test]
    fn follows_no_link_inside_the_tree() {
        check(
            "a.yaml b.yaml->a.yaml dir->other x/up->../other",
            "",
            "a.yaml !b.yaml(LinkNotFollowed) !dir(LinkNotFollowed) !x/up(LinkNotFollowed)",
        );
        check(
            "a.yaml docs/README.md README.md->docs/README.md",
            "",
            "a.yaml",
        );
        check(
            "a.yaml docs/ignore .shipwayignore->docs/ignore",
            "",
            "a.yaml !.shipwayignore(LinkNotFollowed)",
        );
    }

    #[test]
    fn refuses_a_path_out_of_the_tree() {
        for path in [
            "../a.yaml",
            "/a.yaml",
            "a/../b.yaml",
            "a//b.yaml",
            "./a.yaml",
            "a\\b.yaml",
        ] {
            check(
                path,
                "",
                &format!("refused PathOut: the path `{path}` leads out of the tree"),
            );
        }
    }

    #[test]
    fn refuses_a_tree_beyond_its_bounds() {
        let file = |index: usize, size: usize| TreeFile {
            path: format!("{index}.yaml"),
            content: FileContent::Bytes(vec![b'#'; size]),
        };
        let many = (0..=MAX_FILES).map(|index| file(index, 0)).collect();
        assert_eq!(choose(many).err(), Some(Refusal::TooManyFiles));
        let large = (0..=16).map(|index| file(index, 4 * 1024 * 1024)).collect();
        assert_eq!(choose(large).err(), Some(Refusal::TooLarge));
    }
}
