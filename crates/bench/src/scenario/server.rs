//! The embedded API server beside the genuine one, each alone with this program: both waiting for the
//! disk, then both not.

use std::time::Duration;

use futures::StreamExt as _;
use serde_json::{Value, json};
use testkit::real::{ControlPlane, ControlPlaneOptions, Servers};
use tokio::time::Instant;

use crate::Outcome;
use crate::args::Args;
use crate::connection::{Connection, Protocol};
use crate::latency::Latency;
use crate::process;
use crate::report::{Report, Row};
use crate::stage::Stage;

/// How many requests are under way at a time.
const AT_A_TIME: usize = 16;
/// How many objects are listed.
const LISTED: usize = 5_000;
/// How many objects are applied.
const APPLIED: usize = 2_000;
/// How often a list is read.
const LISTS: usize = 20;
const CLUSTER: &str = "one";
const MAPS: &str = "/api/v1/namespaces/default/configmaps";
/// The design's bound on a start, in seconds.
const START: f64 = 1.0;

/// What was measured of one server.
struct Figures {
    /// Seconds until everything is usable.
    start: f64,
    /// MiB of all processes, with nothing in it.
    idle: f64,
    /// Creates in a second.
    creates: f64,
    /// Server-side applies in a second: of new objects, and of changed ones.
    applies: [f64; 2],
    /// Reading 5,000 objects.
    list: Latency,
    /// MiB, with all objects.
    loaded: f64,
    /// Seconds until a killed API server answers again.
    restart: f64,
}

pub(crate) async fn run(stage: &Stage, args: &Args, report: &mut Report) -> Outcome {
    let genuine = stage.world.state().servers.clone();
    let kubectl = stage.world.state().kubectl.clone();
    let embedded = Servers::embedded(kubectl).map_err(|error| error.to_string())?;
    for fsync in [true, false] {
        let theirs = measure(genuine.clone(), fsync, args).await?;
        let ours = measure(embedded.clone(), fsync, args).await?;
        tell(&ours, &theirs, fsync, args, report);
    }
    Ok(())
}

async fn measure(servers: Servers, fsync: bool, args: &Args) -> Outcome<Figures> {
    let options = ControlPlaneOptions {
        servers,
        clusters: vec![CLUSTER.to_owned()],
        bare: Vec::new(),
        fsync,
        audit: false,
    };
    let begun = Instant::now();
    let mut plane = ControlPlane::start(options)
        .await
        .map_err(|error| error.to_string())?;
    let start = begun.elapsed().as_secs_f64();
    let measured = exercise(&mut plane, start, args).await;
    let stopped = plane.stop().await.map_err(|error| error.to_string());
    let figures = measured?;
    stopped?;
    Ok(figures)
}

async fn exercise(plane: &mut ControlPlane, start: f64, args: &Args) -> Outcome<Figures> {
    let config = plane.state().config(CLUSTER).await;
    let mut config = config.map_err(|error| error.to_string())?;
    config.default_retry = false;
    let admin = Connection::open(&config, Protocol::Two)?;
    let idle = memory(plane)?;

    let creates = rate(0..LISTED, |index| {
        let admin = admin.clone();
        async move { admin.create(MAPS, &map(index, "first")).await }
    })
    .await?;
    let mut samples = Vec::new();
    for _ in 0..LISTS {
        let begun = Instant::now();
        let bytes = admin.get(MAPS).await?;
        samples.push(begun.elapsed());
        if bytes < LISTED * 100 {
            return Err(format!("a list of {LISTED} objects has {bytes} bytes only"));
        }
    }
    let apply = |value: &'static str| {
        let admin = admin.clone();
        rate(LISTED..LISTED + APPLIED, move |index| {
            let admin = admin.clone();
            async move {
                let object = map(index, value);
                let path = format!("{MAPS}/map-{index}");
                admin.apply(&path, "bench", &object).await
            }
        })
    };
    let applies = [apply("first").await?, apply("second").await?];
    let rest = LISTED + APPLIED..args.objects().max(LISTED + APPLIED);
    rate(rest, |index| {
        let admin = admin.clone();
        async move { admin.create(MAPS, &map(index, "first")).await }
    })
    .await?;
    let loaded = memory(plane)?;

    let failed = |error: testkit::real::RealError| error.to_string();
    plane.stop_apiserver(CLUSTER).await.map_err(failed)?;
    let begun = Instant::now();
    plane.start_apiserver(CLUSTER).await.map_err(failed)?;
    let admin = Connection::open(&config, Protocol::Two)?;
    admin.get(&format!("{MAPS}?limit=1")).await?;
    let restart = begun.elapsed().as_secs_f64();
    Ok(Figures {
        start,
        idle,
        creates,
        applies,
        list: Latency::of(samples),
        loaded,
        restart,
    })
}

fn map(index: usize, value: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": format!("map-{index}"), "labels": {"app.kubernetes.io/name": "bench"}},
        "data": {"settings.yaml": format!("value: {value}\nnumber: {index}\n"), "mode": "steady"},
    })
}

/// How many of these were made in a second, several at a time.
async fn rate<F: Future<Output = Outcome>>(
    indexes: std::ops::Range<usize>,
    one: impl Fn(usize) -> F,
) -> Outcome<f64> {
    let count = indexes.len();
    let begun = Instant::now();
    let mut done = futures::stream::iter(indexes.map(one)).buffer_unordered(AT_A_TIME);
    while let Some(outcome) = done.next().await {
        outcome?;
    }
    Ok(per_second(count, begun.elapsed()))
}

#[expect(clippy::cast_precision_loss, reason = "counts are small")]
fn per_second(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

/// The resident memory of all processes of a control plane, in MiB.
fn memory(plane: &ControlPlane) -> Outcome<f64> {
    let state = plane.state();
    let cluster = &state.clusters[0];
    let apiserver = Some(cluster.apiserver_pid);
    let pids = [apiserver, cluster.controller_manager_pid, state.etcd_pid];
    let mut sum = 0.0;
    for pid in pids.into_iter().flatten() {
        sum += process::memory(pid)?.now;
    }
    Ok(sum)
}

fn tell(ours: &Figures, theirs: &Figures, fsync: bool, args: &Args, report: &mut Report) {
    let disk = if fsync {
        "writes wait for the disk"
    } else {
        "writes do not wait for the disk"
    };
    let mut row = |what: &str, ours: String, theirs: String, judged: Option<(&str, bool)>| {
        let row = Row::new(format!("embedded server, {disk}: {what}"), ours).beside(theirs);
        report.row(match judged {
            Some((wanted, is_met)) => row.judged(wanted, is_met),
            None => row,
        });
    };
    let pair = |of: &dyn Fn(&Figures) -> f64, unit: &str| {
        [ours, theirs].map(|figures| format!("{:.2} {unit}", of(figures)))
    };
    let whole = |of: &dyn Fn(&Figures) -> f64, unit: &str| {
        [ours, theirs].map(|figures| format!("{:.0}{unit}", of(figures)))
    };
    let ahead =
        |of: &dyn Fn(&Figures) -> f64| Some(("ahead of the genuine one", of(ours) > of(theirs)));
    let below =
        |of: &dyn Fn(&Figures) -> f64| Some(("ahead of the genuine one", of(ours) < of(theirs)));

    let [a, b] = pair(&|of| of.start, "s");
    row(
        "start until its kubeconfig is usable",
        a,
        b,
        Some(("below 1 s", ours.start < START)),
    );
    let [a, b] = whole(&|of| of.creates, "/s");
    row("creates", a, b, ahead(&|of| of.creates));
    let [a, b] = whole(&|of| of.applies[0], "/s");
    row(
        "server-side applies of new objects",
        a,
        b,
        ahead(&|of| of.applies[0]),
    );
    let [a, b] = whole(&|of| of.applies[1], "/s");
    row(
        "server-side applies of changed objects",
        a,
        b,
        ahead(&|of| of.applies[1]),
    );
    row(
        &format!("list of {LISTED}"),
        ours.list.to_string(),
        theirs.list.to_string(),
        Some((
            "ahead of the genuine one",
            ours.list.percentile(50) < theirs.list.percentile(50),
        )),
    );
    let [a, b] = whole(&|of| of.idle, " MiB");
    row(
        "resident memory with nothing in it",
        a,
        b,
        below(&|of| of.idle),
    );
    let [a, b] = whole(&|of| of.loaded, " MiB");
    let objects = args.objects().max(LISTED + APPLIED);
    row(
        &format!("resident memory with {objects} objects"),
        a,
        b,
        below(&|of| of.loaded),
    );
    let [a, b] = pair(&|of| of.restart, "s");
    row(
        &format!("restart of the API server with {objects} objects until it answers"),
        a,
        b,
        below(&|of| of.restart),
    );
}
