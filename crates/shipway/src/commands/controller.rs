//! `shipway controller`: the product.

mod webhooks;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, FromArgMatches as _, ValueEnum};
use cluster::caller::{Meter, Want};
use cluster::lease::{self, Claim, Kept};
use cluster::{ApiError, Caller, Contact, Limiter, Resource};
use controllers::{Metrics, Options};
use git::Limits;
use k8s_openapi::api::core::v1::Secret;
use kube::core::ApiResource;
use tokio::sync::{OnceCell, oneshot};
use tokio_util::sync::CancellationToken;

use crate::config::ClusterArgs;
use crate::duration::interval;
use crate::error::CliError;
use crate::http::{self, Site};
use crate::output::Visible;
use crate::ytt::Workers;
use webhooks::WebhookArgs;

/// How long what is under way may take when the controller is to stop; Kubernetes waits for 30 s.
const GRACE: Duration = Duration::from_secs(20);

/// Where a controller holds its Lease, unless it is told another place.
pub(crate) const LEASE_NAMESPACE: &str = "shipway-system";
/// The name of that Lease.
pub(crate) const LEASE: &str = "shipway-controller";

/// Which controllers run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    /// Deliver: what a Run cluster needs
    Run,
    /// Everything in one cluster: supply chains, too
    Full,
}

impl From<Profile> for kinds::crd::Profile {
    fn from(profile: Profile) -> Self {
        match profile {
            Profile::Run => Self::Run,
            Profile::Full => Self::Full,
        }
    }
}

/// Run the controllers of one cluster
#[derive(Debug, Args)]
pub(crate) struct ControllerArgs {
    /// Run the controllers of this kind of cluster
    #[arg(long, value_enum)]
    profile: Profile,
    /// Serve health, metrics and push events here
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Take push events signed with the key `key` of this Secret
    #[arg(long, value_name = "NAMESPACE/NAME")]
    hook_secret: Option<String>,
    #[command(flatten)]
    webhooks: WebhookArgs,
    /// Keep Git repositories below this folder instead of a temporary one
    #[arg(long, value_name = "FOLDER")]
    cache_dir: Option<PathBuf>,
    /// Give up one look at or fetch from a Git server after so long
    #[arg(long, default_value = "1m", value_parser = interval, value_name = "DURATION")]
    git_timeout: Duration,
    /// Look so often at kinds that may not be watched, such as Secrets
    #[arg(long, default_value = "5m", value_parser = interval, value_name = "DURATION")]
    unwatched_interval: Duration,
    /// Apply everything again so often, to put right what no watch shows
    #[arg(long, default_value = "24h", value_parser = interval, value_name = "DURATION")]
    audit_interval: Duration,
    /// Hold the Lease in this namespace
    #[arg(long, default_value = LEASE_NAMESPACE, value_name = "NAME", value_parser = crate::config::namespace)]
    lease_namespace: String,
    /// Send so many requests to the API server at a time
    #[arg(long, default_value_t = 24, value_name = "COUNT")]
    requests: usize,
    /// Write the log as lines of JSON
    #[arg(long)]
    log_json: bool,
    /// Log this much, as in `info` or `info,cluster=debug`
    #[arg(long, default_value = "info", value_name = "FILTER")]
    log: String,
    /// As whom the Lease is held; somebody new where there is no name.
    #[arg(skip)]
    holder: Option<String>,
}

impl ControllerArgs {
    /// The flags of a controller of a cluster that this program carries along: the usual ones of a profile.
    ///
    /// It holds the Lease under one name in every process: whoever has the data has outlived the one before,
    /// which may have been killed, and need not wait for the end of its term.
    pub(super) fn embedded(cache_dir: PathBuf, cluster: &str, profile: Profile) -> Self {
        let command = Self::augment_args(clap::Command::new("controller"));
        let usual = command.get_matches_from(["controller", "--profile", "run"]);
        let usual = Self::from_arg_matches(&usual).expect("only the profile has no default");
        Self {
            cache_dir: Some(cache_dir),
            holder: Some(format!("shipway-up-{cluster}")),
            profile,
            ..usual
        }
    }
}

pub(crate) async fn cmd_controller(
    cluster: &ClusterArgs,
    args: ControllerArgs,
) -> Result<ExitCode, CliError> {
    start_log(&args)?;
    let stop = CancellationToken::new();
    tokio::spawn(stop_on_signal(stop.clone()));
    Box::pin(control(cluster, args, stop)).await
}

/// Runs the controllers of one cluster until `stop`.
pub(super) async fn control(
    cluster: &ClusterArgs,
    args: ControllerArgs,
    stop: CancellationToken,
) -> Result<ExitCode, CliError> {
    let meter = Arc::new(Meter::default());
    let client = cluster.metered(&meter).await?;
    let caller = Caller::new(client.clone(), Arc::new(Limiter::new(4)), Arc::default());
    let hook_key = match &args.hook_secret {
        Some(secret) => Some(hook_key(&caller, secret).await?),
        None => None,
    };
    let metrics = Arc::new(Metrics::default());
    let contact = Arc::new(Contact::default());
    let site = Arc::new(Site {
        engine: OnceCell::new(),
        contact: contact.clone(),
        metrics: metrics.clone(),
        meter,
        hook_key,
    });
    let address = http::serve(args.listen, site.clone(), stop.clone())
        .await
        .map_err(|error| {
            CliError::failed(format!("could not listen on `{}`: {error}", args.listen))
                .hint("choose another address with --listen")
        })?;
    tracing::info!(http.address = %address, "serving /healthz, /readyz, /metrics and /hooks/git on http://{address}");

    let held = tokio::select! {
        held = hold_lease(&caller, &contact, (cluster, &args)) => held?,
        () = stop.cancelled() => return Ok(ExitCode::SUCCESS),
    };
    // Those whose answers a controller of this cluster gives: one without the Lease is not asked.
    let writer = caller.within(held.term());
    let ytt = Arc::new(Workers::new());
    args.webhooks
        .serve(args.profile, &writer, ytt.clone(), stop.clone())
        .await?;
    let (started, running) = oneshot::channel();
    // It goes with the controller that ends in order.
    let temporary = match args.cache_dir {
        Some(_) => None,
        None => Some(
            tempfile::tempdir()
                .map_err(|error| CliError::failed(format!("no temporary folder: {error}")))?,
        ),
    };
    let own = temporary.as_ref().map(|folder| folder.path().to_owned());
    let options = Options {
        cache: args.cache_dir.clone().or(own).unwrap_or_default(),
        requests_at_once: args.requests.max(1),
        passes_at_once: 32,
        unwatched_interval: args.unwatched_interval,
        audit_interval: args.audit_interval,
        limits: limits(args.git_timeout),
        profile: args.profile.into(),
        ytt,
    };
    tokio::spawn(async move {
        if let Ok(engine) = running.await {
            tracing::info!("the controllers run");
            // Set once, since it is sent once.
            let _ = site.engine.set(engine);
        }
    });
    let (working, done) = (stop.child_token(), CancellationToken::new());
    let term = held.term();
    let engine = async {
        let running = controllers::run(client, term, options, metrics, started, working.clone());
        let ended = bounded(running, &working).await;
        done.cancel(); // not before: what was under way still wrote
        ended
    };
    let kept = async {
        let kept = held.keep(done.clone()).await;
        working.cancel();
        kept
    };
    let (ended, kept) = tokio::join!(engine, kept);
    if let Kept::Lost(to) = kept {
        return Err(CliError::failed(match to {
            Some(other) => format!("another controller has taken the Lease: `{other}`"),
            None => "the Lease is lost: it was deleted or taken from us".to_owned(),
        }));
    }
    ended.map_err(|error| {
        CliError::failed(error).hint("is everything of `shipway crds` installed?")
    })?;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Runs to the end. Once `stop` says so, what is under way may be finished, but not for ever.
async fn bounded(
    running: impl Future<Output = Result<(), ApiError>>,
    stop: &CancellationToken,
) -> Result<(), ApiError> {
    let late = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = running => ended,
        () = late => {
            // A restart repeats nothing, so this loses nothing.
            tracing::warn!("what was under way has not ended in time and is left");
            Ok(())
        }
    }
}

fn limits(timeout: Duration) -> Limits {
    let usual = Limits::default();
    Limits {
        timeout,
        idle: usual.idle.min(timeout),
        ..usual
    }
}

async fn hold_lease(
    caller: &Caller,
    contact: &Arc<Contact>,
    (cluster, args): (&ClusterArgs, &ControllerArgs),
) -> Result<lease::Held, CliError> {
    let holder = match &args.holder {
        Some(holder) => holder.clone(),
        None => format!("shipway-{}-{}", std::process::id(), random()),
    };
    let claim = Claim {
        namespace: &args.lease_namespace,
        name: LEASE,
        holder: &holder,
    };
    let held = lease::acquire(caller, contact, claim, |other| {
        tracing::info!(
            lease.holder = other,
            "waiting: `{other}` is at work on this cluster"
        );
    });
    held.await.map_err(|error| {
        CliError::failed(format!("could not hold the Lease `{}/shipway-controller`: {error}", args.lease_namespace))
            .hint(format!(
                "install what the controller needs with `shipway crds | kubectl apply --server-side{} -f -`",
                cluster.place()
            ))
    })
}

/// Tells two processes with the same id on two machines apart.
fn random() -> u32 {
    use std::hash::BuildHasher as _;
    u32::try_from(std::hash::RandomState::new().hash_one(0) & 0xFFFF_FFFF).unwrap_or_default()
}

/// Logs into a file, after what is in it.
pub(super) fn log_into(path: &std::path::Path) -> Result<(), CliError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| {
            CliError::failed(format!("could not write `{}`: {error}", path.display()))
        })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter("info")?)
        .with_writer(std::sync::Mutex::new(Visible(file)))
        .with_ansi(false)
        .init();
    Ok(())
}

/// What is logged. The client's own spans would put every URL into the log.
fn filter(level: &str) -> Result<tracing_subscriber::EnvFilter, CliError> {
    let text = format!("{level},kube_client=off,gix=warn,h2=warn,hyper=warn");
    tracing_subscriber::EnvFilter::try_new(text)
        .map_err(|error| CliError::usage(format!("--log `{level}`: {error}")))
}

async fn hook_key(caller: &Caller, secret: &str) -> Result<Vec<u8>, CliError> {
    let (namespace, name) = secret
        .split_once('/')
        .ok_or_else(|| CliError::usage("--hook-secret takes NAMESPACE/NAME"))?;
    let api = ApiResource::erase::<Secret>(&());
    let answer = caller
        .get(&Resource::object(&api, Some(namespace), name), Want::Whole)
        .await;
    let secret: Secret = answer
        .map_err(|error| {
            CliError::failed(format!(
                "could not read the Secret `{namespace}/{name}`: {error}"
            ))
        })?
        .decode()
        .map_err(|_| CliError::failed(format!("could not read the Secret `{namespace}/{name}`")))?;
    let key = secret
        .data
        .unwrap_or_default()
        .remove("key")
        .map(|key| key.0.trim_ascii_end().to_vec()) // a file's last line break is not the key's
        .filter(|key| !key.is_empty());
    key.ok_or_else(|| CliError::failed(format!("the Secret `{namespace}/{name}` has no key `key`")))
}

fn start_log(args: &ControllerArgs) -> Result<(), CliError> {
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter(&args.log)?)
        .with_writer(|| Visible(std::io::stderr()));
    if args.log_json {
        log.json().init();
    } else {
        log.with_ansi(false).init();
    }
    Ok(())
}

/// Stops at a first signal, and ends the process at a second one: a restart repeats nothing.
pub(super) async fn stop_on_signal(stop: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let taken = |kind| signal(kind).expect("signals can be taken");
    let mut terminate = taken(SignalKind::terminate());
    let mut interrupt = taken(SignalKind::interrupt());
    let mut next = async || {
        tokio::select! {
            _ = interrupt.recv() => SignalKind::interrupt(),
            _ = terminate.recv() => SignalKind::terminate(),
        }
    };
    next().await;
    tracing::info!("stopping");
    stop.cancel();
    let again = next().await.as_raw_value();
    tracing::warn!("told to end a second time: what is under way is left");
    // As of a process that the signal ended.
    std::process::exit(128 + again);
}
