//! Reads a folder of a commit: its id, and the files below it within bounds.
//!
//! # Guarantees
//!
//! Nothing is followed and nothing is written. Sizes are read from object headers before content
//! is loaded. Every path is relative, `/` separated and stays below its folder.

use gix::object::Kind;
use gix::object::tree::EntryKind;

use crate::{CommitId, GitError, Limits, TreeId};

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A file.
    Bytes(Vec<u8>),
    /// A symbolic link and where it points, unchecked.
    Link(String),
    /// A file that is larger than one may be, with its size. It is not loaded.
    Large(u64),
    /// A file that the caller does not care for. It is not loaded.
    Left,
}

/// A file of a sub-tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Relative to the sub-tree, with `/` between folders.
    pub path: String,
    /// What stands there.
    pub content: Content,
}

/// How many names of a folder an error shows.
const SHOWN: usize = 8;
/// The longest path.
const PATH_BYTES: usize = 4096;

pub(crate) fn tree_id(
    repo: &gix::Repository,
    commit: CommitId,
    path: &str,
) -> Result<TreeId, GitError> {
    let object = repo
        .try_find_object(commit.oid())
        .map_err(GitError::local)?;
    let missing = GitError::CommitMissing { commit };
    let Some(mut tree) = object.and_then(|object| object.try_into_commit().ok()?.tree().ok())
    else {
        return Err(missing);
    };
    let mut walked = String::new();
    for part in path
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
    {
        if part == ".." {
            return Err(GitError::Refused {
                path: path.to_owned(),
                why: "leaves its repository",
            });
        }
        let entry = tree
            .find_entry(part)
            .map(|entry| (entry.kind(), entry.object_id()));
        let Some((kind, id)) = entry else {
            return Err(path_missing(&tree, path, walked));
        };
        if !walked.is_empty() {
            walked.push('/');
        }
        walked.push_str(part);
        if kind != EntryKind::Tree {
            return Err(GitError::NotADirectory { path: walked });
        }
        tree = repo.find_tree(id).map_err(GitError::local)?;
    }
    TreeId::from_oid(tree.id).ok_or(missing)
}

fn path_missing(tree: &gix::Tree<'_>, path: &str, nearest: String) -> GitError {
    let mut names: Vec<String> = tree
        .iter()
        .flatten()
        .take(SHOWN + 1)
        .map(|entry| crate::error::printable(&entry.filename().to_string()))
        .collect();
    if names.len() > SHOWN {
        names.truncate(SHOWN);
        names.push("…".to_owned());
    }
    let nearest = if nearest.is_empty() {
        ".".to_owned()
    } else {
        nearest
    };
    GitError::PathMissing {
        path: path.to_owned(),
        nearest,
        entries: names,
    }
}

/// What stands at one path of a commit, if that is a file or a link.
pub(crate) fn file(
    repo: &gix::Repository,
    commit: CommitId,
    path: &str,
    limits: &Limits,
) -> Result<Option<Content>, GitError> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let folder = match tree_id(repo, commit, folder) {
        Ok(folder) => folder,
        Err(GitError::PathMissing { .. } | GitError::NotADirectory { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let tree = repo.find_tree(folder.oid()).map_err(GitError::local)?;
    let Some(entry) = tree.find_entry(name) else {
        return Ok(None);
    };
    let kind = entry.kind();
    if matches!(kind, EntryKind::Tree | EntryKind::Commit) {
        return Ok(None);
    }
    let mut walk = Walk::new(repo, limits, &|_| true);
    walk.entry(path.to_owned(), kind, entry.object_id(), 0)?;
    Ok(walk.files.pop().map(|file| file.content))
}

/// A folder that is still to be read.
struct Pending {
    prefix: String,
    tree: gix::ObjectId,
    depth: usize,
}

/// What has been found and may be loaded.
struct Walk<'a> {
    repo: &'a gix::Repository,
    limits: &'a Limits,
    wanted: &'a dyn Fn(&str) -> bool,
    pieces: usize,
    bytes: u64,
    folders: Vec<Pending>,
    files: Vec<File>,
}

pub(crate) fn read(
    repo: &gix::Repository,
    tree: TreeId,
    limits: &Limits,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<File>, GitError> {
    if !repo.has_object(tree.oid()) {
        return Err(GitError::TreeMissing { tree });
    }
    let root = Pending {
        prefix: String::new(),
        tree: tree.oid(),
        depth: 0,
    };
    let mut walk = Walk::new(repo, limits, wanted);
    walk.folders.push(root);
    while let Some(folder) = walk.folders.pop() {
        walk.folder(&folder)?;
    }
    walk.files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(walk.files)
}

impl<'a> Walk<'a> {
    fn new(
        repo: &'a gix::Repository,
        limits: &'a Limits,
        wanted: &'a dyn Fn(&str) -> bool,
    ) -> Self {
        Self {
            repo,
            limits,
            wanted,
            pieces: 0,
            bytes: 0,
            folders: Vec::new(),
            files: Vec::new(),
        }
    }

    fn folder(&mut self, folder: &Pending) -> Result<(), GitError> {
        if folder.depth > self.limits.depth {
            return Err(too_large(
                format!("the depth of `{}`", folder.prefix),
                self.limits.depth as u64,
            ));
        }
        // A list of names is data from outside like any file.
        self.weigh(
            &folder.prefix,
            folder.tree,
            Kind::Tree,
            self.limits.tree_bytes,
        )?;
        let tree = self.repo.find_tree(folder.tree).map_err(GitError::local)?;
        for entry in tree.iter() {
            let Ok(entry) = entry else {
                return Err(GitError::Refused {
                    path: folder.prefix.clone(),
                    why: "is a malformed folder",
                });
            };
            self.pieces += 1;
            if self.pieces > self.limits.files {
                return Err(too_large(
                    "the number of files".to_owned(),
                    self.limits.files as u64,
                ));
            }
            let path = joined(&folder.prefix, entry.filename())?;
            self.entry(path, entry.kind(), entry.object_id(), folder.depth)?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        path: String,
        kind: EntryKind,
        id: gix::ObjectId,
        depth: usize,
    ) -> Result<(), GitError> {
        let content = match kind {
            EntryKind::Tree => {
                let depth = depth + 1;
                self.folders.push(Pending {
                    prefix: path,
                    tree: id,
                    depth,
                });
                return Ok(());
            }
            EntryKind::Commit => {
                return Err(GitError::Refused {
                    path,
                    why: "is a submodule",
                });
            }
            EntryKind::Blob | EntryKind::BlobExecutable if !(self.wanted)(&path) => Content::Left,
            EntryKind::Blob | EntryKind::BlobExecutable => self.file(&path, id)?,
            EntryKind::Link => {
                let Ok(target) = String::from_utf8(self.load(&path, id)?) else {
                    let why = "is a link whose target is not UTF-8";
                    return Err(GitError::Refused { path, why });
                };
                Content::Link(target)
            }
        };
        self.files.push(File { path, content });
        Ok(())
    }

    fn file(&mut self, path: &str, id: gix::ObjectId) -> Result<Content, GitError> {
        let size = self.repo.find_header(id).map_err(GitError::local)?.size();
        if size > self.limits.file_bytes {
            return Ok(Content::Large(size));
        }
        self.load(path, id).map(Content::Bytes)
    }

    fn load(&mut self, path: &str, id: gix::ObjectId) -> Result<Vec<u8>, GitError> {
        self.weigh(path, id, Kind::Blob, self.limits.file_bytes)?;
        let mut blob = self.repo.find_blob(id).map_err(GitError::local)?;
        Ok(std::mem::take(&mut blob.data))
    }

    /// Counts an object before it is loaded.
    fn weigh(
        &mut self,
        path: &str,
        id: gix::ObjectId,
        kind: Kind,
        limit: u64,
    ) -> Result<(), GitError> {
        let header = self.repo.find_header(id).map_err(GitError::local)?;
        if header.kind() != kind {
            return Err(GitError::Refused {
                path: path.to_owned(),
                why: "is not what its folder says",
            });
        }
        let size = header.size();
        if size > limit {
            return Err(too_large(format!("`{path}`"), limit));
        }
        self.bytes = self.bytes.saturating_add(size);
        if self.bytes > self.limits.tree_bytes {
            return Err(too_large(
                "the content of the folder".to_owned(),
                self.limits.tree_bytes,
            ));
        }
        Ok(())
    }
}

fn too_large(what: String, limit: u64) -> GitError {
    GitError::TooLarge { what, limit }
}

/// Appends a name, if it is one: a tree made by hand can hold anything.
fn joined(prefix: &str, name: &gix::bstr::BStr) -> Result<String, GitError> {
    let refused = |why| {
        let shown = crate::error::printable(&name.to_string());
        Err(GitError::Refused {
            path: if prefix.is_empty() {
                shown
            } else {
                format!("{prefix}/{shown}")
            },
            why,
        })
    };
    let Ok(text) = std::str::from_utf8(name) else {
        return refused("is not UTF-8");
    };
    let unsafe_name = matches!(text, "" | "." | "..") || text.contains(['/', '\\', '\0']);
    if unsafe_name || text.eq_ignore_ascii_case(".git") {
        return refused("is not a safe name");
    }
    if prefix.len() + text.len() >= PATH_BYTES {
        return refused("is too long");
    }
    Ok(if prefix.is_empty() {
        text.to_owned()
    } else {
        format!("{prefix}/{text}")
    })
}
