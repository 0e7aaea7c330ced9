//! What `shipway up` says, that it ends by Ctrl-C and goes on later, and that it listens on this machine alone.
#![expect(
    clippy::disallowed_methods,
    reason = "the program is started and ended as users do it"
)]

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use http::{Method, Request};
use http_body_util::BodyExt as _;
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};
use suite::program;
use testkit::eventually;

/// A `shipway up` that has said what to try.
struct Up {
    child: Child,
    rest: BufReader<ChildStderr>,
    said: Vec<String>,
    port: u16,
}

impl Up {
    fn start(folder: &Path) -> Self {
        Self::start_with(folder, &["--clusters", "blue,green"])
    }

    fn start_with(folder: &Path, more: &[&str]) -> Self {
        let mut child = Command::new(program())
            .args(["up", "--port", "0"])
            .args(more)
            .args(["--settle-after", "50ms", "--data-dir"])
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let mut rest = BufReader::new(child.stderr.take().expect("it was piped"));
        let mut said = Vec::new();
        while said
            .last()
            .is_none_or(|line: &String| !line.contains("Ctrl-C"))
        {
            let mut line = String::new();
            let read = rest.read_line(&mut line).expect("it can be read");
            assert!(read > 0, "it ends: {said:?}");
            said.push(line.trim_end().to_owned());
        }
        let port = said[0].split_once("127.0.0.1:").map(|(_, rest)| rest);
        let port = port.and_then(|rest| rest.split_once(':'));
        let port = port.and_then(|(port, _)| port.parse().ok());
        Self {
            child,
            rest,
            port: port.expect("it says its port"),
            said,
        }
    }

    /// Ends it as Ctrl-C does; tells how it ended and what it said then.
    fn interrupt(mut self) -> (Option<i32>, Vec<String>) {
        self.signal();
        let ended = self.child.wait().expect("it ends");
        let rest = self.rest.by_ref().lines().map_while(Result::ok).collect();
        (ended.code(), rest)
    }
}

impl Up {
    fn signal(&self) {
        let sent = Command::new("sh")
            .args(["-c", "kill -s INT \"$0\"", &self.child.id().to_string()])
            .status();
        assert!(sent.is_ok_and(|sent| sent.success()), "a signal is sent");
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks the second cluster.
async fn ask(folder: &Path, method: Method, path: &str, body: &Value) -> (u16, Value) {
    let file = Kubeconfig::read_from(folder.join("kubeconfig")).expect("it is there");
    let options = KubeConfigOptions {
        context: Some("green".to_owned()),
        ..KubeConfigOptions::default()
    };
    let config = kube::Config::from_custom_kubeconfig(file, &options).await;
    let client = cluster::client::connect(&config.expect("it is right"));
    let client = client.expect("its address is right");
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .body(Body::from(body.to_string().into_bytes()))
        .expect("the request is right");
    let response = client.send(request).await.expect("it is answered");
    let code = response.status().as_u16();
    let read = response.into_body().collect().await.expect("it is read");
    (
        code,
        serde_json::from_slice(&read.to_bytes()).expect("it is JSON"),
    )
}

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

#[tokio::test(flavor = "multi_thread")]
async fn up_ends_by_ctrl_c_and_goes_on_where_it_was() {
    let folder = tempfile::tempdir().expect("there is room");
    let up = Up::start(folder.path());
    let place = folder.path().display();
    let wanted = [
        format!(
            "Clusters on https://127.0.0.1:{}: `blue`, `green`; the status of workloads there is simulated",
            up.port
        ),
        format!("  export KUBECONFIG={place}/kubeconfig"),
        "  kubectl get namespaces --context blue".to_owned(),
        "  shipway get -A --context blue".to_owned(),
        format!(
            "The log is in {place}/log. Ctrl-C ends it, and `shipway up --data-dir {place}` goes on with the same data."
        ),
    ];
    assert_eq!(up.said, wanted);
    let map = json!({"metadata": {"name": "kept"}, "data": {"a": "b"}});
    let (code, made) = ask(folder.path(), Method::POST, MAPS, &map).await;
    assert_eq!(code, 201, "{made}");
    assert_eq!(up.interrupt(), (Some(0), Vec::new()));

    let again = Up::start(folder.path());
    let path = format!("{MAPS}/kept");
    let (code, kept) = ask(folder.path(), Method::GET, &path, &Value::Null).await;
    assert_eq!((code, &kept["data"]["a"]), (200, &json!("b")));
    assert_eq!(kept["metadata"]["uid"], made["metadata"]["uid"]);
    let revision = &made["metadata"]["resourceVersion"];
    assert_eq!(&kept["metadata"]["resourceVersion"], revision);
    let (code, _) = ask(folder.path(), Method::DELETE, &path, &Value::Null).await;
    assert_eq!(code, 200);
    assert_eq!(again.interrupt().0, Some(0));
}

/// Waits until so many controllers have begun to run in a folder.
async fn until_controllers(folder: &Path, wanted: usize, patience: Duration) {
    eventually("the controllers to run", patience, || async {
        let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
        let run = log.matches("the controllers run").count();
        if run == wanted { Ok(()) } else { Err(log) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn up_goes_on_at_once_with_the_same_clusters_after_it_was_killed() {
    let folder = tempfile::tempdir().expect("there is room");
    let mut up = Up::start(folder.path());
    until_controllers(folder.path(), 2, Duration::from_secs(30)).await;
    up.child.kill().expect("it is killed");
    up.child.wait().expect("it ends");
    let again = Up::start_with(folder.path(), &[]);
    assert!(
        again.said[0].contains(": `blue`, `green`;"),
        "{:?}",
        again.said
    );
    // The Lease of a controller that was killed holds for another 15 s.
    until_controllers(folder.path(), 4, Duration::from_secs(8)).await;
    assert_eq!(again.interrupt().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn up_goes_on_with_what_ran_on_its_clusters() {
    let folder = tempfile::tempdir().expect("there is room");
    let first = ["--clusters", "green", "--profile", "full"];
    assert_eq!(Up::start_with(folder.path(), &first).interrupt().0, Some(0));
    let again = Up::start_with(folder.path(), &[]);
    let chains = "/apis/carto.run/v1alpha1/clustersupplychains";
    let chain = json!({
        "apiVersion": "carto.run/v1alpha1", "kind": "ClusterSupplyChain", "metadata": {"name": "web"},
        "spec": {"selector": {"type": "web"}, "resources": [
            {"name": "source", "templateRef": {"kind": "ClusterSourceTemplate", "name": "nowhere"}},
        ]},
    });
    let (code, made) = ask(folder.path(), Method::POST, chains, &chain).await;
    assert_eq!(code, 201, "{made}");
    let path = format!("{chains}/web");
    let patience = Duration::from_secs(30);
    eventually("the chain to be looked at", patience, || async {
        let (_, chain) = ask(folder.path(), Method::GET, &path, &Value::Null).await;
        let is_so = chain["status"]["conditions"][0]["reason"] == "TemplatesNotFound";
        if is_so {
            Ok(())
        } else {
            Err(chain.to_string())
        }
    })
    .await;
    assert_eq!(again.interrupt().0, Some(0));
}

/// Sends a signal.
fn tell(child: &Child, signal: &str) {
    let line = format!("kill -s {signal} \"$0\"");
    let sent = Command::new("sh")
        .args(["-c", &line, &child.id().to_string()])
        .status();
    assert!(sent.is_ok_and(|sent| sent.success()), "a signal is sent");
}

/// How a process ends within so many seconds; it is killed after that.
fn ends_within(child: &mut Child, seconds: u64) -> Option<i32> {
    let started = Instant::now();
    loop {
        if let Some(ended) = child.try_wait().expect("it can be waited for") {
            return ended.code();
        }
        let is_late = started.elapsed() > Duration::from_secs(seconds);
        if is_late {
            let _ = child.kill();
        }
        assert!(!is_late, "it has not ended after {seconds} s");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Its controllers are still reading their cluster then.
#[test]
fn up_that_is_stopped_as_soon_as_it_is_ready_ends_at_once() {
    for round in 0..8 {
        let folder = tempfile::tempdir().expect("there is room");
        let mut up = Up::start(folder.path());
        // At different places of their start.
        std::thread::sleep(Duration::from_millis(round * 15));
        tell(&up.child, "TERM");
        assert_eq!(ends_within(&mut up.child, 10), Some(0));
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    // An API server that answers nothing: the controller waits for it.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = silent.local_addr().expect("it has one");
    let folder = tempfile::tempdir().expect("there is room");
    let file = folder.path().join("kubeconfig");
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "silent",
        "clusters": [{"name": "silent", "cluster": {"server": format!("http://{address}")}}],
        "contexts": [{"name": "silent", "context": {"cluster": "silent", "user": "me"}}],
        "users": [{"name": "me", "user": {"token": "t"}}],
    });
    std::fs::write(&file, config.to_string()).expect("it can be written");
    let mut child = Command::new(program())
        .args(["controller", "--profile", "run", "--hook-secret", "a/b"])
        .arg("--kubeconfig")
        .arg(&file)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    // Its request has come: it takes signals by then.
    let _waiting = silent.accept().expect("it connects");
    tell(&child, "TERM");
    let said = BufReader::new(child.stderr.take().expect("it was piped"));
    let mut said = said.lines().map_while(Result::ok);
    assert!(
        said.any(|line| line.contains("stopping")),
        "it ends in silence"
    );
    tell(&child, "INT");
    assert_eq!(ends_within(&mut child, 5), Some(130));
}

#[test]
fn up_listens_on_this_machine_alone() {
    let folder = tempfile::tempdir().expect("there is room");
    let up = Up::start(folder.path());
    let own = TcpStream::connect(("127.0.0.1", up.port));
    own.expect("it listens");
    if let Some(address) = outward() {
        let refused = TcpStream::connect((address, up.port));
        assert!(refused.is_err(), "it listens on {address}, too");
    }
}

/// The address under which others see this machine, if there is one: nothing is sent to find it.
fn outward() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    Some(address).filter(|address| !address.is_loopback())
}
