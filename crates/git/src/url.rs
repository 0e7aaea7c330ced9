//! The address of a repository, checked: http or https, and nothing secret in it.
//!
//! Must not connect to anything.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Why a text is not the address of a repository that can be read.
///
/// No variant repeats the text: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GitUrlError {
    /// An `ssh://` URL or the `user@host:path` form.
    #[error("Git over ssh is not supported yet: use an https URL")]
    Ssh,
    /// A `file://` URL or a path.
    #[error("local repositories are only read by the embedded platform: use an https URL")]
    File,
    /// Another scheme than http or https.
    #[error("the scheme `{0}` is not supported: use an https URL")]
    Scheme(String),
    /// A user or a password stands before the host.
    #[error("the URL carries credentials: put them into a Secret")]
    Credentials,
    /// A query or fragment; both are also places where tokens hide.
    #[error("the URL of a repository has no `?` and no `#`")]
    Query,
    /// No URL at all, no host, too long, or with blanks in it.
    #[error("not an http or https URL")]
    Invalid,
}

/// The checked address of a repository.
///
/// # Guarantees
///
/// Holds no credentials, so it may be shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GitUrl {
    // Shared: errors and keys carry addresses about.
    place: Arc<Place>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Place {
    Http(reqwest::Url),
    Local(PathBuf),
}

impl GitUrl {
    /// Checks an http or https URL.
    pub fn parse(text: &str) -> Result<GitUrl, GitUrlError> {
        if text.len() > 2048 || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(GitUrlError::Invalid);
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(without_scheme(text));
        };
        match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" => {}
            "ssh" | "git+ssh" | "ssh+git" => return Err(GitUrlError::Ssh),
            "file" => return Err(GitUrlError::File),
            other if other.len() <= 16 && other.bytes().all(|b| b.is_ascii_alphanumeric()) => {
                return Err(GitUrlError::Scheme(other.to_owned()));
            }
            _ => return Err(GitUrlError::Invalid),
        }
        // Asked of the text first: `https://token@` without a host does not even parse.
        if rest
            .split(['/', '?', '#'])
            .next()
            .is_some_and(|authority| authority.contains('@'))
        {
            return Err(GitUrlError::Credentials);
        }
        let mut url = reqwest::Url::parse(text).map_err(|_| GitUrlError::Invalid)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(GitUrlError::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(GitUrlError::Query);
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(GitUrlError::Invalid);
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(GitUrl {
            place: Arc::new(Place::Http(url)),
        })
    }

    /// Names a repository on this machine, which is read in place and never written.
    ///
    /// Only for the embedded platform: on a cluster a tenant could read the controller's disk.
    pub fn local(path: &Path) -> GitUrl {
        GitUrl {
            place: Arc::new(Place::Local(path.to_owned())),
        }
    }

    /// The server, with its port where that is not the usual one; empty for this machine.
    pub fn server(&self) -> String {
        let Place::Http(url) = &*self.place else {
            return String::new();
        };
        let host = url.host_str().unwrap_or_default();
        match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// Where it is.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Whether whatever is sent can be read on the way.
    pub(crate) fn is_plain_http(&self) -> bool {
        matches!(&*self.place, Place::Http(url) if url.scheme() == "http")
    }
}

fn without_scheme(text: &str) -> GitUrlError {
    let scp_like = text
        .split_once(':')
        .is_some_and(|(host, _)| !host.is_empty() && !host.contains('/'));
    if scp_like {
        GitUrlError::Ssh
    } else if text.starts_with(['/', '.', '~']) {
        GitUrlError::File
    } else {
        GitUrlError::Invalid
    }
}

impl fmt::Display for GitUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.place {
            Place::Http(url) => f.write_str(url.as_str()),
            Place::Local(path) => write!(f, "file://{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, GitUrlError>) {
        let parsed = GitUrl::parse(text).map(|url| url.to_string());
        assert_eq!(parsed, expected.map(str::to_owned), "{text}");
    }

    #[test]
    fn http_and_https_are_read() {
        check(
            "https://git.example.org/shop.git/",
            Ok("https://git.example.org/shop.git"),
        );
        check("http://LOCALHOST:8080/a/b", Ok("http://localhost:8080/a/b"));
    }

    #[test]
    fn ssh_is_named_as_missing() {
        check("ssh://git@example.org/shop.git", Err(GitUrlError::Ssh));
        check("git@example.org:shop.git", Err(GitUrlError::Ssh));
    }

    #[test]
    fn a_local_path_needs_its_own_constructor() {
        check("file:///srv/shop.git", Err(GitUrlError::File));
        check("/srv/shop.git", Err(GitUrlError::File));
        assert_eq!(
            GitUrl::local(Path::new("/srv/shop.git")).to_string(),
            "file:///srv/shop.git"
        );
    }

    #[test]
    fn credentials_in_a_url_are_refused_and_not_repeated() {
        for text in [
            "https://u:hunter2@e.org/a",
            "https://hunter2@e.org/a",
            "https://hunter2@",
            "https://@e.org/a",
        ] {
            check(text, Err(GitUrlError::Credentials));
            assert!(!GitUrlError::Credentials.to_string().contains("hunter2"));
        }
        check("https://e.org/a?token=hunter2", Err(GitUrlError::Query));
    }

    #[test]
    fn anything_else_is_no_address() {
        for text in [
            "",
            "shop",
            "https://",
            "https:// e.org/a",
            "https://e.org/\na",
        ] {
            check(text, Err(GitUrlError::Invalid));
        }
        check("ftp://e.org/a", Err(GitUrlError::Scheme("ftp".into())));
    }
}
