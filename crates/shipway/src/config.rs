//! How a command finds its cluster: kubectl's flags, kubectl's defaults. The only place that
//! reads a kubeconfig or the environment.
#![expect(
    clippy::disallowed_methods,
    reason = "the binary is where the environment is read"
)]

mod merge;

pub(crate) use merge::{check_merge, merge_into};

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use cluster::Meter;
use kube::client::AuthError;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};

use crate::error::CliError;
use crate::output::word;

/// Where and as whom a command works.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ClusterArgs {
    /// Use this kubeconfig instead of $KUBECONFIG or ~/.kube/config
    #[arg(long, global = true, help_heading = "Cluster", value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// Use this context of the kubeconfig instead of its current one
    #[arg(long, global = true, help_heading = "Cluster", value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// Work in this namespace instead of the context's
    #[arg(
        short,
        long,
        global = true,
        help_heading = "Cluster",
        value_name = "NAME",
        value_parser = namespace
    )]
    pub(crate) namespace: Option<String>,
}

impl ClusterArgs {
    /// Reads the configuration of the cluster.
    pub(crate) async fn config(&self) -> Result<Config, CliError> {
        let options = KubeConfigOptions {
            context: self.context.clone(),
            ..KubeConfigOptions::default()
        };
        let mut config = if self.kubeconfig.is_none() && self.context.is_none() && in_cluster() {
            let mut config = Config::incluster().map_err(|error| self.no_cluster(&error))?;
            config.proxy_url = None;
            config
        } else {
            let kubeconfig = self.read()?;
            let proxy = proxy(&kubeconfig, self.context.as_deref());
            let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
                .await
                .map_err(|error| self.no_cluster(&told(&error)))?;
            // kube takes that of the environment as well, and none of its exceptions: a cluster on this
            // machine would be looked for behind it.
            config.proxy_url = config.proxy_url.filter(|_| proxy);
            config
        };
        // Requests are repeated where it is known whether that makes sense, not in the transport.
        config.default_retry = false;
        if let Some(namespace) = &self.namespace {
            config.default_namespace.clone_from(namespace);
        }
        namespace(&config.default_namespace).map_err(|why| {
            self.no_cluster(&format!(
                "its namespace `{}`: {why}",
                config.default_namespace
            ))
        })?;
        Ok(config)
    }

    /// Connects to the cluster.
    pub(crate) async fn connect(&self) -> Result<Client, CliError> {
        self.metered(&Arc::default()).await
    }

    /// The same, and every request is counted.
    pub(crate) async fn metered(&self, meter: &Arc<Meter>) -> Result<Client, CliError> {
        let config = self.config().await?;
        cluster::client::metered(&config, meter).map_err(|error| match error {
            kube::Error::Auth(AuthError::InvalidBearerToken(_)) => self.no_cluster(
                &"the token of its user holds a character that no header can hold, such as a line break",
            ),
            error => self.no_cluster(&error),
        })
    }

    /// The same flags for another context, in its own namespace unless the flag names one.
    pub(crate) fn in_context(&self, context: &str) -> Self {
        Self {
            context: Some(context.to_owned()),
            ..self.clone()
        }
    }

    /// The flags as they were given, for a command that is shown: it is to be pasted as it is.
    pub(crate) fn flags(&self) -> String {
        let namespace = self.namespace.as_ref();
        let namespace = namespace.map(|name| format!(" -n {}", word(name)));
        format!("{}{}", namespace.unwrap_or_default(), self.place())
    }

    /// The same without the namespace, which is what kubectl needs to find the cluster.
    pub(crate) fn place(&self) -> String {
        let kubeconfig = self.kubeconfig.as_ref();
        let flags = [
            ("--context", self.context.clone()),
            (
                "--kubeconfig",
                kubeconfig.map(|file| file.display().to_string()),
            ),
        ];
        let given = flags
            .into_iter()
            .filter_map(|(flag, value)| Some((flag, value?)));
        let words = given.map(|(flag, value)| format!(" {flag} {}", word(&value)));
        words.collect::<Vec<_>>().concat()
    }

    /// Reads the kubeconfig.
    fn read(&self) -> Result<Kubeconfig, CliError> {
        match &self.kubeconfig {
            Some(file) => Kubeconfig::read_from(file).map_err(|error| {
                CliError::failed(format!(
                    "could not read the kubeconfig `{}`: {}",
                    file.display(),
                    told(&error)
                ))
            }),
            None => Kubeconfig::read().map_err(|error| match &error {
                KubeconfigError::ReadConfig(why, file) if why.kind() == ErrorKind::NotFound => {
                    CliError::failed(format!("there is no kubeconfig `{}`", file.display()))
                        .hint("`shipway up` runs clusters on this machine; --kubeconfig names another file")
                }
                error => self.no_cluster(&told(error)),
            }),
        }
    }

    /// The names of the contexts of the kubeconfig.
    pub(crate) fn contexts(&self) -> Result<Vec<String>, CliError> {
        let contexts = self.read()?.contexts.into_iter();
        Ok(contexts.map(|context| context.name).collect())
    }

    /// The context that an environment of this name has: that of its name, or `run-` and its name.
    pub(crate) fn context_of(&self, environment: &str) -> Result<Option<String>, CliError> {
        let contexts = self.contexts()?;
        let run = format!("run-{environment}");
        let named = contexts.iter().find(|name| *name == environment);
        let named = named.or_else(|| contexts.iter().find(|name| **name == run));
        Ok(named.cloned())
    }

    fn no_cluster(&self, error: &impl ToString) -> CliError {
        let context = self
            .context
            .as_ref()
            .map(|name| format!(" `{name}`"))
            .unwrap_or_default();
        CliError::failed(format!(
            "could not find the cluster{context}: {}",
            error.to_string()
        ))
        .hint("`kubectl config get-contexts` lists what there is")
    }
}

/// The name of a namespace, as an argument. It becomes a part of URLs.
pub(crate) fn namespace(text: &str) -> Result<String, String> {
    if text.len() > 63 || !is_label(text) {
        return Err("a namespace has up to 63 lower-case letters, digits and `-`, and begins and ends with a letter or digit".to_owned());
    }
    Ok(text.to_owned())
}

/// Whether a text can be the name of an object, or a part of it between two dots.
pub(crate) fn is_label(text: &str) -> bool {
    let good = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    !text.is_empty() && text.bytes().all(good) && !text.starts_with('-') && !text.ends_with('-')
}

/// The kubeconfig that kubectl writes: the first of `$KUBECONFIG`, or `~/.kube/config`.
pub(crate) fn user_kubeconfig() -> Result<PathBuf, CliError> {
    let named = std::env::var_os("KUBECONFIG").and_then(|list| {
        let mut files = std::env::split_paths(&list);
        files.find(|file| !file.as_os_str().is_empty())
    });
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".kube/config"));
    let file = named.or_else(home);
    file.ok_or_else(|| CliError::failed("there is neither $KUBECONFIG nor $HOME"))
}

/// Writes a file that holds keys.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<(), CliError> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| CliError::failed(format!("could not write `{}`: {error}", path.display())))
}

/// Makes a folder, or takes the rights of others away from one that is there and holds nothing but what is
/// `ours`. Where it holds other things, too, somebody may need them: there only the parts are closed.
pub(crate) fn private_folder(folder: &Path, ours: &[&str]) -> Result<(), CliError> {
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
    let close = |path: &Path| {
        let known = std::fs::metadata(path)?.permissions().mode();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(known & 0o700))
    };
    let make = || {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(folder)?;
        let mut is_ours = true;
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if ours.iter().any(|name| entry.file_name() == *name) {
                close(&entry.path())?;
            } else {
                is_ours = false;
            }
        }
        if is_ours { close(folder) } else { Ok(()) }
    };
    make().map_err(|error| {
        CliError::failed(format!(
            "could not use the folder `{}`: {error}",
            folder.display()
        ))
        .hint("choose another folder with --data-dir")
    })
}

/// Where data is kept that nobody named a folder for: `$XDG_DATA_HOME/shipway`, or
/// `~/.local/share/shipway`.
pub(crate) fn data_folder() -> Result<PathBuf, CliError> {
    let named = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let named = named.filter(|folder| folder.is_absolute());
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/share"));
    let folder = named.or_else(home).map(|folder| folder.join("shipway"));
    folder.ok_or_else(|| {
        CliError::failed("there is neither $HOME nor $XDG_DATA_HOME")
            .hint("name a folder with --data-dir")
    })
}

/// What is wrong with a kubeconfig, without its lines: they hold tokens and passwords.
fn told(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::Parse(error) => no_yaml(error.location().map(|at| at.line())),
        error => error.to_string(),
    }
}

/// That a kubeconfig is none, and from which line on.
fn no_yaml(line: Option<u64>) -> String {
    match line {
        Some(line) => format!("line {line} is not what a kubeconfig holds, and is not shown"),
        None => "it is no kubeconfig".to_owned(),
    }
}

/// Whether the cluster of a context has a `proxy-url`.
fn proxy(kubeconfig: &Kubeconfig, context: Option<&str>) -> bool {
    let context = context.or(kubeconfig.current_context.as_deref());
    let mut contexts = kubeconfig.contexts.iter();
    let context = contexts.find(|known| Some(known.name.as_str()) == context);
    let cluster = context.and_then(|known| Some(known.context.as_ref()?.cluster.as_str()));
    let mut clusters = kubeconfig.clusters.iter();
    let cluster = clusters.find(|known| Some(known.name.as_str()) == cluster);
    let url = cluster.and_then(|known| known.cluster.as_ref()?.proxy_url.as_deref());
    url.is_some_and(|url| !url.is_empty())
}

fn in_cluster() -> bool {
    std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()
        && std::env::var_os("KUBECONFIG").is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kubeconfig_that_cannot_be_read_is_not_shown() {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let file = folder.path().join("config");
        for text in [
            "users:\n- name: ada\n  user:\n    token: \"hunter2\n",
            "users:\n- name: ada\n  user: [hunter2]\n",
            "users:\n- name: ada\n  user:\n    token: {hunter2: hunter2}\n",
            "hunter2",
        ] {
            std::fs::write(&file, text).expect("it can be written");
            let args = ClusterArgs {
                kubeconfig: Some(file.clone()),
                ..ClusterArgs::default()
            };
            let refused = args.read().expect_err("it is none").to_string();
            assert!(!refused.contains("hunter2"), "{refused}");
            assert!(
                refused.starts_with("could not read the kubeconfig `"),
                "{refused}"
            );
        }
    }

    #[test]
    fn only_what_can_be_a_namespace_is_taken_for_one() {
        assert!(namespace("shop-1").is_ok() && namespace(&"a".repeat(63)).is_ok());
        let long = "a".repeat(64);
        for bad in ["", "n1/../n11", "n1?x=", "n1.a", "N", "-n", "n-", &long] {
            assert!(namespace(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn flags_are_shown_as_they_can_be_pasted() {
        let mut flags = ClusterArgs::default();
        assert_eq!(flags.flags(), "");
        flags.namespace = Some("shop".to_owned());
        flags.context = Some("two words".to_owned());
        assert_eq!(flags.flags(), " -n shop --context 'two words'");
        flags.kubeconfig = Some(PathBuf::from("/tmp/config"));
        assert_eq!(
            flags.place(),
            " --context 'two words' --kubeconfig /tmp/config"
        );
    }
}
