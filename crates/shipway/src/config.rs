//! How a command finds its cluster: kubectl's flags, kubectl's defaults. The only place that
//! reads a kubeconfig or the environment.
#![expect(
    clippy::disallowed_methods,
    reason = "the binary is where the environment is read"
)]

mod merge;

pub(crate) use merge::merge_into;

use std::path::{Path, PathBuf};

use clap::Args;
use kube::config::{KubeConfigOptions, Kubeconfig};
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
        value_name = "NAME"
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
                .map_err(|error| self.no_cluster(&error))?;
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
        Ok(config)
    }

    /// Connects to the cluster.
    pub(crate) async fn connect(&self) -> Result<Client, CliError> {
        let config = self.config().await?;
        cluster::client::connect(&config).map_err(|error| self.no_cluster(&error))
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
                    "could not read the kubeconfig `{}`: {error}",
                    file.display()
                ))
            }),
            None => Kubeconfig::read().map_err(|error| self.no_cluster(&error)),
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
