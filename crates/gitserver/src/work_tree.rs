//! A clone that somebody works in: write, commit, push, as a person with the `git` program.
//!
//! Must not read anybody's Git configuration. Everything here blocks.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Auth;

/// A `git` command that did not work.
#[derive(Debug, thiserror::Error)]
pub enum GitFailed {
    /// The program could not be started, or a file not be written.
    #[error("could not run `git` or write a file")]
    Io(#[from] io::Error),
    /// It ended with an error.
    #[error("`git {command}` failed: {message}")]
    Exit {
        /// The subcommand.
        command: String,
        /// The end of what it said.
        message: String,
    },
    /// A path that would leave the clone.
    #[error("`{0}` is not a path inside the clone")]
    Path(String),
}

/// Takes a command out of reach of the machine's and the user's configuration.
pub(crate) fn isolate(command: &mut Command) {
    // All of them: `GIT_DIR` misleads, and `GIT_SSL_CAINFO` wins over the setting (seen).
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") {
            command.env_remove(name);
        }
    }
    command
        .env("no_proxy", "localhost,127.0.0.1")
        .env("NO_PROXY", "localhost,127.0.0.1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_AUTHOR_NAME", "Ada")
        .env("GIT_AUTHOR_EMAIL", "ada@example.org")
        .env("GIT_COMMITTER_NAME", "Ada")
        .env("GIT_COMMITTER_EMAIL", "ada@example.org");
}

/// Makes sure that there is a `git` to run. Blocks.
///
/// # Errors
/// [`GitFailed`] where there is none.
pub fn check() -> Result<(), GitFailed> {
    git(Path::new("."), &[], &["--version"]).map(drop)
}

/// Runs `git` in `dir` with settings in its environment (arguments can be seen by everybody).
#[expect(clippy::disallowed_methods, reason = "this crate is what starts `git`")]
pub(crate) fn git(
    dir: &Path,
    settings: &[(String, String)],
    arguments: &[&str],
) -> Result<String, GitFailed> {
    let mut command = Command::new("git");
    isolate(&mut command);
    command
        .current_dir(dir)
        .args(arguments)
        .stdin(Stdio::null());
    command.env("GIT_CONFIG_COUNT", settings.len().to_string());
    for (number, (key, value)) in settings.iter().enumerate() {
        command
            .env(format!("GIT_CONFIG_KEY_{number}"), key)
            .env(format!("GIT_CONFIG_VALUE_{number}"), value);
    }
    let output = command.output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim();
    let message = said
        .char_indices()
        .rev()
        .nth(400)
        .map_or(said, |(at, _)| &said[at..]);
    let command = arguments
        .iter()
        .find(|argument| !argument.starts_with('-'))
        .copied()
        .unwrap_or_default();
    Err(GitFailed::Exit {
        command: command.to_owned(),
        message: message.to_owned(),
    })
}

/// A clone on disk.
pub struct WorkTree {
    dir: PathBuf,
    settings: Vec<(String, String)>,
}

impl WorkTree {
    /// Clones a repository, which may be empty, into the folder `dir`.
    ///
    /// The authority is written beside the clone, to `<dir>.ca.pem`.
    pub fn clone(
        url: &str,
        ca_pem: Option<&str>,
        auth: &Auth,
        dir: &Path,
    ) -> Result<WorkTree, GitFailed> {
        let parent = dir.parent().unwrap_or_else(|| Path::new("."));
        std::fs::create_dir_all(parent)?;
        let mut settings = vec![("init.defaultBranch".to_owned(), "main".to_owned())];
        if let Some(ca_pem) = ca_pem {
            let mut file = dir.as_os_str().to_owned();
            file.push(".ca.pem");
            let file = std::path::absolute(PathBuf::from(file))?;
            std::fs::write(&file, ca_pem)?;
            settings.push((
                "http.sslCAInfo".to_owned(),
                file.to_string_lossy().into_owned(),
            ));
        }
        if let Some(value) = auth.header() {
            settings.push((
                "http.extraHeader".to_owned(),
                format!("Authorization: {value}"),
            ));
        }
        let target = std::path::absolute(dir)?;
        git(
            parent,
            &settings,
            &["clone", "--quiet", url, &target.to_string_lossy()],
        )?;
        let tree = WorkTree {
            dir: target,
            settings,
        };
        if tree.head().is_err() {
            // What an empty server calls its default branch differs between protocol versions.
            tree.git(&["symbolic-ref", "HEAD", "refs/heads/main"])?;
        }
        Ok(tree)
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes a file and the folders above it.
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) -> Result<(), GitFailed> {
        let file = self.inside(path)?;
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(std::fs::write(file, text)?)
    }

    /// Removes a file, or a folder with all that is in it.
    pub fn remove(&self, path: &str) -> Result<(), GitFailed> {
        let file = self.inside(path)?;
        let removed = if file.is_dir() {
            std::fs::remove_dir_all(file)
        } else {
            std::fs::remove_file(file)
        };
        Ok(removed?)
    }

    /// Commits all changes, even none, and says which commit it is.
    pub fn commit(&self, message: &str) -> Result<String, GitFailed> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message])?;
        self.head()
    }

    /// Commits what is left, takes in what others pushed, and pushes the branch; says where it stands.
    pub fn push(&self) -> Result<String, GitFailed> {
        self.git(&["add", "--all"])?;
        if !self.git(&["status", "--porcelain"])?.is_empty() {
            self.commit("work")?;
        }
        let branch = self.git(&["symbolic-ref", "--short", "HEAD"])?;
        let there = self.git(&[
            "ls-remote",
            "--heads",
            "origin",
            &format!("refs/heads/{branch}"),
        ])?;
        if !there.is_empty() {
            self.git(&["pull", "--quiet", "--rebase", "origin", &branch])?;
        }
        self.git(&["push", "--quiet", "--set-upstream", "origin", &branch])?;
        self.head()
    }

    /// Makes a plain tag here and pushes it.
    pub fn tag(&self, name: &str) -> Result<(), GitFailed> {
        self.git(&["tag", "--force", name])?;
        self.push_tag(name)
    }

    /// Makes an annotated tag here and pushes it.
    pub fn annotated_tag(&self, name: &str) -> Result<(), GitFailed> {
        self.git(&["tag", "--force", "--annotate", "--message", name, name])?;
        self.push_tag(name)
    }

    /// Starts a branch here, or goes to the one that is there.
    pub fn branch(&self, name: &str) -> Result<(), GitFailed> {
        let known = self
            .git(&[
                "rev-parse",
                "--quiet",
                "--verify",
                &format!("refs/heads/{name}"),
            ])
            .is_ok();
        let arguments: &[&str] = if known {
            &["checkout", "--quiet", name]
        } else {
            &["checkout", "--quiet", "-b", name]
        };
        self.git(arguments).map(drop)
    }

    /// The commit it stands on.
    pub fn head(&self) -> Result<String, GitFailed> {
        self.git(&["rev-parse", "--verify", "HEAD"])
    }

    /// Runs any other `git` command in the clone and returns what it prints.
    pub fn git(&self, arguments: &[&str]) -> Result<String, GitFailed> {
        git(&self.dir, &self.settings, arguments)
    }

    fn push_tag(&self, name: &str) -> Result<(), GitFailed> {
        self.git(&[
            "push",
            "--quiet",
            "--force",
            "origin",
            &format!("refs/tags/{name}"),
        ])
        .map(drop)
    }

    fn inside(&self, path: &str) -> Result<PathBuf, GitFailed> {
        let plain = Path::new(path)
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_)));
        if path.is_empty() || !plain {
            return Err(GitFailed::Path(path.to_owned()));
        }
        Ok(self.dir.join(path))
    }
}
