//! The files of a specification and of its environment to manifests.

use std::collections::BTreeMap;
use std::fmt;

use manifest::{Manifest, ObjectId, Problem, ProblemReason};

use crate::{file_rule, overlay};

/// The most files of a tree that are read.
pub const MAX_FILES: usize = 20_000;
/// The most bytes of a tree that are read.
pub const MAX_TREE_BYTES: usize = 64 * 1024 * 1024;

/// One file of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeFile {
    /// The path below the root of the tree, with `/`.
    pub path: String,
    /// What is there.
    pub content: FileContent,
}

/// What stands at a path.
#[derive(Clone, PartialEq, Eq)]
pub enum FileContent {
    /// A regular file.
    Bytes(Vec<u8>),
    /// A symbolic link and where it points.
    Link(String),
    /// A file that is too large to be read; larger than [`manifest::parse_file`] takes.
    Large,
}

/// Shows the size only: a file in a log must not show a Secret.
impl fmt::Debug for FileContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Link(_) => f.write_str("Link"),
            Self::Large => f.write_str("Large"),
        }
    }
}

/// What an environment adds: `all/` for every application, `<namespace>/<name>/` for one.
#[derive(Clone, Debug)]
pub struct Overlay {
    /// Every file of the overlay, those for other applications included.
    pub files: Vec<TreeFile>,
}

/// The Shipment that is rendered for.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its namespace, the default for objects that name none.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
}

/// Why a tree is refused whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
pub enum Refusal {
    /// A Helm chart was found, which would have to be rendered first.
    #[error(
        "`{file}` is a Helm chart; commit what `helm template` prints, or exclude it in `.shipwayignore`"
    )]
    HelmChart {
        /// The file.
        file: String,
    },
    /// A kustomization was found, which would have to be built first.
    #[error(
        "`{file}` is a kustomization; commit what `kustomize build` prints, or exclude it in `.shipwayignore`"
    )]
    Kustomization {
        /// The file.
        file: String,
    },
    /// A link leads out of the tree.
    #[error("the link `{file}` leads out of the tree")]
    LinkOut {
        /// The link.
        file: String,
    },
    /// A path leads out of the tree.
    #[error("the path `{file}` leads out of the tree")]
    PathOut {
        /// The path.
        file: String,
    },
    /// A patch of the environment cannot be read, so nobody knows which objects would be applied
    /// without what the environment wants of them.
    #[error("{problem}; without the patch nothing is applied")]
    PatchUnreadable {
        /// What is wrong with the patch, and where.
        problem: Box<Problem>,
    },
    /// There are too many files.
    #[error("the tree has more than {MAX_FILES} manifest files")]
    TooManyFiles,
    /// The files are too large together.
    #[error("the manifest files are larger than {} MiB together", MAX_TREE_BYTES / 1024 / 1024)]
    TooLarge,
}

impl Refusal {
    /// The file that it is about, and the line where that is known.
    pub fn place(&self) -> Option<(&str, Option<u32>)> {
        match self {
            Self::HelmChart { file }
            | Self::Kustomization { file }
            | Self::LinkOut { file }
            | Self::PathOut { file } => Some((file, None)),
            Self::PatchUnreadable { problem } => Some((&problem.file, problem.line)),
            Self::TooManyFiles | Self::TooLarge => None,
        }
    }

    /// The name of the variant, as in conditions and events.
    pub fn as_str(&self) -> &'static str {
        self.into()
    }
}

/// What a specification says, and what in it could not be understood.
#[derive(Clone, Debug, Default)]
pub struct Rendering {
    /// The objects, in the order of their files.
    pub manifests: Vec<Manifest>,
    /// What costs a file, a document or a patch.
    pub problems: Vec<Problem>,
    /// What costs everything.
    pub refused: Option<Refusal>,
}

impl Rendering {
    /// Whether everything was understood and there is something: only then may anything be pruned.
    pub fn complete(&self) -> bool {
        self.problems.is_empty() && self.refused.is_none() && !self.manifests.is_empty()
    }
}

/// Reads the manifests of a specification and adds what its environment says.
///
/// Guarantees: manifests come in the order of their paths: those of the application, then what the
/// overlay has for all, then what it has for this one. A refused tree yields none.
pub fn render(subject: &Subject<'_>, files: Vec<TreeFile>, overlay: Option<&Overlay>) -> Rendering {
    let mut rendering = Rendering::default();
    if let Err(refusal) = fill(&mut rendering, subject, files, overlay) {
        rendering.manifests.clear();
        rendering.refused = Some(refusal);
    }
    rendering
}

fn fill(
    rendering: &mut Rendering,
    subject: &Subject<'_>,
    files: Vec<TreeFile>,
    overlay: Option<&Overlay>,
) -> Result<(), Refusal> {
    let chosen = file_rule::choose(files)?;
    rendering.problems = chosen.problems;
    for (path, bytes) in chosen.files {
        match manifest::parse_file(&path, &bytes) {
            Ok(manifests) => rendering.manifests.extend(manifests),
            Err(problems) => rendering.problems.extend(problems),
        }
    }
    let mut addition = match overlay {
        Some(overlay) => overlay::read(subject, overlay)?,
        None => overlay::Addition::default(),
    };
    rendering.problems.append(&mut addition.problems);
    rendering.manifests.append(&mut addition.manifests);
    drop_duplicates(subject, rendering);
    overlay::patch(
        subject,
        &mut rendering.manifests,
        &addition,
        &mut rendering.problems,
    );
    Ok(())
}

/// Drops every copy of an object that is written more than once: nobody can tell which is meant.
fn drop_duplicates(subject: &Subject<'_>, rendering: &mut Rendering) {
    let mut copies: BTreeMap<ObjectId, Vec<usize>> = BTreeMap::new();
    for (position, manifest) in rendering.manifests.iter().enumerate() {
        copies
            .entry(manifest.id(Some(subject.namespace)))
            .or_default()
            .push(position);
    }
    copies.retain(|_, positions| positions.len() > 1);
    let mut dropped = vec![false; rendering.manifests.len()];
    for (_, positions) in copies {
        for position in &positions {
            dropped[*position] = true;
            let manifest = &rendering.manifests[*position];
            let other = positions.iter().find(|other| *other != position);
            let other = other.map_or(manifest, |other| &rendering.manifests[*other]);
            let message = format!(
                "`{}` is also in {}:{}",
                manifest.id(None),
                other.file,
                other.line
            );
            let problem = Problem::new(ProblemReason::Duplicate, message);
            rendering
                .problems
                .push(problem.at(&manifest.file, manifest.line));
        }
    }
    let mut position = 0;
    rendering.manifests.retain(|_| {
        position += 1;
        !dropped[position - 1]
    });
}

#[cfg(test)]
mod tests;
