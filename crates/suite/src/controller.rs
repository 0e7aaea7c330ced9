//! The controller under test: the real program, as a process of its own.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kinds::crd::Profile;
use kube::api::Api;
use kube::{Client, ResourceExt as _};
use testkit::{World, eventually, poll};
use tokio::sync::OnceCell;

use crate::kubeconfig;
use crate::scene::apply;

/// A running controller. It ends with this value, or with the test process.
pub struct Controller {
    /// A shell that ends the controller when our end of its standard input closes, so that the
    /// controller never outlives the tests, however they end.
    child: Child,
    pid: u32,
    /// Where it serves health, metrics and push events.
    pub address: String,
    log: PathBuf,
    _folder: tempfile::TempDir,
}

static SHARED: OnceCell<Controller> = OnceCell::const_new();

/// How long a definition may take until it is served.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a log says where the program itself is broken: a panic, or what one left undone.
const FAULTS: [&str; 2] = ["panicked at", "a fault of Shipway"];

impl Controller {
    /// The controller of the cluster that all scenarios share; started by the first of them.
    pub async fn shared(world: &World) -> &'static Self {
        SHARED
            .get_or_init(|| async {
                install(world).await;
                let identity = identity(world).await;
                Self::start(&identity, world.cluster(), &[]).await
            })
            .await
    }

    /// A controller for a scenario that has a cluster to itself.
    pub async fn own(world: &World, more: &[&str]) -> Self {
        install(world).await;
        Self::start(&identity(world).await, world.cluster(), more).await
    }

    /// Starts a controller for a context and waits until it works.
    pub async fn start(kubeconfig: &Path, context: &str, more: &[&str]) -> Self {
        let controller = Self::launch(kubeconfig, context, more).await;
        controller.until_ready().await
    }

    /// The same, of another profile than `run`.
    pub async fn start_as(profile: &str, kubeconfig: &Path, context: &str) -> Self {
        Self::start_with(profile, kubeconfig, context, &[]).await
    }

    /// The same, with more flags.
    pub async fn start_with(
        profile: &str,
        kubeconfig: &Path,
        context: &str,
        more: &[&str],
    ) -> Self {
        let controller = Self::launch_as(profile, kubeconfig, context, more).await;
        controller.until_ready().await
    }

    async fn until_ready(self) -> Self {
        let controller = self;
        let ready = controller.wait_ready(Duration::from_secs(40)).await;
        if let Err(last) = ready {
            panic!("the controller is not ready: {last}\n{}", controller.log());
        }
        controller
    }

    /// Starts a controller and waits only until it serves HTTP.
    pub async fn launch(kubeconfig: &Path, context: &str, more: &[&str]) -> Self {
        Self::launch_as("run", kubeconfig, context, more).await
    }

    async fn launch_as(profile: &str, kubeconfig: &Path, context: &str, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let log = folder.path().join("controller.log");
        let script =
            "\"$@\" & pid=$!; echo $pid >\"$PIDFILE\"; read _; kill $pid 2>/dev/null; wait $pid";
        let pid_file = folder.path().join("pid");
        let child = Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(program())
            .arg("controller")
            .args([
                "--profile",
                profile,
                "--listen",
                "127.0.0.1:0",
                "--context",
                context,
            ])
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .args(more)
            .env("PIDFILE", &pid_file)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(File::create(&log).expect("the log can be written"))
            .spawn()
            .expect("sh is there");
        let found = poll(Duration::from_secs(20), || async {
            let pid = std::fs::read_to_string(&pid_file).map_err(|error| error.to_string())?;
            let text = std::fs::read_to_string(&log).map_err(|error| error.to_string())?;
            let address = text
                .split("on http://")
                .nth(1)
                .and_then(|rest| rest.split([' ', '\n', '"']).next()); // the log may be JSON
            let address = address
                .ok_or_else(|| format!("it serves nothing yet:\n{text}"))?
                .to_owned();
            pid.trim()
                .parse::<u32>()
                .map(|pid| (pid, address))
                .map_err(|error| error.to_string())
        });
        let (pid, address) = found
            .await
            .unwrap_or_else(|last| panic!("the controller did not start: {last}"));
        Self {
            child,
            pid,
            address,
            log,
            _folder: folder,
        }
    }

    /// Waits until the controllers run.
    ///
    /// # Errors
    /// The last answer of `/readyz` when time is out.
    pub async fn wait_ready(&self, patience: Duration) -> Result<(), String> {
        poll(patience, || async {
            let (code, body) = self.get("/readyz").await?;
            if code == 200 { Ok(()) } else { Err(body) }
        })
        .await
    }

    /// Kills it as a power failure would.
    pub fn kill_hard(&mut self) {
        self.signal("-9");
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Pauses it as a machine that is moved does, until [`Controller::resume`].
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on where it was.
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        // What has ended already needs none.
        let _ = Command::new("kill")
            .args([signal, &self.pid.to_string()])
            .stderr(Stdio::null())
            .status();
    }

    /// The processes that it started and that are not gone, each with its state.
    pub fn children(&self) -> Vec<(u32, char)> {
        let all = std::fs::read_dir("/proc").expect("there are processes");
        let child = |entry: std::fs::DirEntry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let told = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            // Behind the name, in parentheses, follow the state and the parent.
            let mut fields = told.rsplit(')').next()?.split_whitespace();
            let state = fields.next()?.chars().next()?;
            let parent: u32 = fields.next()?.parse().ok()?;
            (parent == self.pid).then_some((pid, state))
        };
        all.flatten().filter_map(child).collect()
    }

    /// Asks it to stop, and waits until it has. Tells its exit code.
    pub fn stop(&mut self) -> Option<i32> {
        self.resume(); // paused, it would not hear
        drop(self.child.stdin.take());
        self.child.wait().ok()?.code()
    }

    /// Fails where the shared controller has a fault; one that nobody started has none.
    #[track_caller]
    pub(crate) fn assert_shared_is_sound() {
        if let Some(shared) = SHARED.get() {
            shared.assert_sound();
        }
    }

    /// Fails where its log tells of a fault of the program: no input whatever may cause one.
    #[track_caller]
    fn assert_sound(&self) {
        let log = self.log();
        let told = log
            .lines()
            .find(|line| FAULTS.iter().any(|fault| line.contains(fault)));
        assert_eq!(told, None, "the controller's log tells of a fault");
    }

    /// What it logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Reads a page of its HTTP server.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn get(&self, path: &str) -> Result<(u16, String), String> {
        self.request("GET", path, &[], "").await
    }

    /// Makes a request to its HTTP server, over one plain connection.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<(u16, String), String> {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut stream = tokio::net::TcpStream::connect(&self.address)
            .await
            .map_err(|error| error.to_string())?;
        let headers: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let headers = headers.concat();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: controller\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}",
            body.len()
        );
        stream
            .write_all(request.as_bytes())
            .await
            .map_err(|error| error.to_string())?;
        let mut answer = String::new();
        stream
            .read_to_string(&mut answer)
            .await
            .map_err(|error| error.to_string())?;
        let code = answer
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .ok_or("no status line")?;
        Ok((
            code,
            answer
                .split_once("\r\n\r\n")
                .map(|(_, body)| body.to_owned())
                .unwrap_or_default(),
        ))
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(40)..];
            eprintln!("the controller's log ends with:\n{}", last.join("\n"));
        }
        self.stop();
        if !std::thread::panicking() {
            self.assert_sound();
        }
    }
}

/// The program, beside our own: tests lie in target/<profile>/deps, the benchmarks above it.
///
/// # Panics
/// Where this process does not know its own program.
pub fn program() -> PathBuf {
    let ours = std::env::current_exe().expect("a process knows its program");
    let beside = ours.with_file_name("shipway");
    if beside.is_file() {
        return beside;
    }
    let above = ours.parent().and_then(Path::parent);
    above
        .expect("tests lie in target/<profile>/deps")
        .join("shipway")
}

/// A kubeconfig with the identity that the controller has in production: its ServiceAccount,
/// under the generated roles. It stays for as long as the tests run.
pub async fn identity(world: &World) -> PathBuf {
    let config = kubeconfig::account(world, "shipway-system", "shipway").await;
    let (folder, file) = kubeconfig::write(&config);
    let _ = folder.keep();
    file
}

/// Installs what the controller needs into the first cluster, as the README says.
pub async fn install(world: &World) {
    install_of(world, "run").await;
}

/// Installs the objects of a file.
pub async fn install_file(world: &World, file: &Path) {
    let text = std::fs::read(file).expect("the file can be read");
    install_text(&world.client().await, &text).await;
}

async fn install_text(client: &Client, text: &[u8]) {
    let objects = manifest::parse_file("install.yaml", text).expect("it is YAML");
    for object in objects {
        // kubectl's manager, since a person installs with kubectl.
        apply(client, "kubectl", object.value()).await;
    }
}

/// Installs what a controller of a profile, `run` or `full`, needs.
pub async fn install_of(world: &World, profile: &str) {
    let printed = |arguments: &[&str]| {
        let ran = Command::new(program()).arg("crds").args(arguments).output();
        let ran = ran.expect("the program runs");
        let why = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "shipway crds {arguments:?}: {why}");
        ran.stdout
    };
    let client = world.client().await;
    install_text(&client, &printed(&["--profile", profile])).await;
    if profile == "run" {
        install_text(&client, &printed(&["--delivery"])).await;
    }
    let api: Api<CustomResourceDefinition> = Api::all(client);
    let profile = if profile == "full" {
        Profile::Full
    } else {
        Profile::Run
    };
    for definition in kinds::crd::of(profile) {
        let name = definition.name_any();
        eventually("the definition to be served", PATIENCE, || async {
            let found = api.get(&name).await.map_err(|error| error.to_string())?;
            let conditions = found.status.and_then(|status| status.conditions);
            let is_served = conditions
                .iter()
                .flatten()
                .any(|condition| condition.type_ == "Established" && condition.status == "True");
            if is_served {
                Ok(())
            } else {
                Err(format!("`{name}`: {conditions:?}"))
            }
        })
        .await;
    }
}
