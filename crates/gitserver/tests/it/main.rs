//! The server with the `git` program on the other end.

use std::path::Path;

use gitserver::{Auth, Fault, GitServer, ServerOptions, WorkTree};

struct World {
    runtime: tokio::runtime::Runtime,
    server: GitServer,
    dir: tempfile::TempDir,
}

fn world(change: impl FnOnce(&mut ServerOptions)) -> World {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut options = ServerOptions::new(dir.path().join("served"));
    change(&mut options);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let server = runtime
        .block_on(GitServer::start(options))
        .expect("a server");
    server.create_repository("team/shop").expect("a repository");
    World {
        runtime,
        server,
        dir,
    }
}

impl World {
    fn clone_as(&self, auth: &Auth, name: &str) -> Result<WorkTree, gitserver::GitFailed> {
        let dir = self.dir.path().join(name);
        WorkTree::clone(
            &self.server.url("team/shop"),
            self.server.ca_pem(),
            auth,
            &dir,
        )
    }
}

fn read(tree: &WorkTree, path: &str) -> String {
    std::fs::read_to_string(tree.dir().join(path)).expect("a file")
}

#[test]
fn what_one_pushes_the_other_gets() {
    for tls in [false, true] {
        for protocol_v2 in [false, true] {
            let world = world(|options| {
                options.tls = tls;
                options.protocol_v2 = protocol_v2;
            });
            let one = world.clone_as(&Auth::None, "one").expect("clones");
            one.write("config/a", "1").expect("writes");
            one.push().expect("pushes");
            let other = world.clone_as(&Auth::None, "other").expect("clones");
            assert_eq!(read(&other, "config/a"), "1");
            let requests = world.server.requests();
            assert_eq!((requests.pushes, requests.with_credentials), (1, 0));
            assert_eq!(requests.ls_refs > 0, protocol_v2);
        }
    }
}

#[test]
fn two_who_push_at_once_both_get_through() {
    let world = world(|_| {});
    let one = world.clone_as(&Auth::None, "one").expect("clones");
    one.write("a", "1").expect("writes");
    one.push().expect("pushes");
    let other = world.clone_as(&Auth::None, "other").expect("clones");
    one.write("b", "1").expect("writes");
    one.push().expect("pushes");
    other.write("c", "1").expect("writes");
    other.remove("a").expect("removes");
    let pushed = other.push().expect("takes in what is there and pushes");
    assert_eq!(one.push().expect("takes it in"), pushed);
    assert_eq!(read(&one, "c"), "1");
    assert!(!one.dir().join("a").exists());
}

#[test]
fn only_who_is_known_comes_in() {
    for auth in [
        Auth::Basic {
            username: "ada".into(),
            password: "hunter2".into(),
        },
        Auth::Bearer("hunter2".into()),
    ] {
        let known = auth.clone();
        let world = world(|options| {
            options.tls = true;
            options.auth = known;
        });
        world.clone_as(&auth, "known").expect("clones");
        for wrong in [Auth::None, Auth::Bearer("hunter3".into())] {
            let Err(error) = world.clone_as(&wrong, "unknown") else {
                panic!("it was let in")
            };
            assert!(!error.to_string().contains("hunter3"));
        }
    }
}

#[test]
fn compressed_requests_are_understood() {
    let world = world(|_| {});
    let one = world.clone_as(&Auth::None, "one").expect("clones");
    one.write("a", "1").expect("writes");
    one.push().expect("pushes");
    let other = world.clone_as(&Auth::None, "other").expect("clones");
    // Commits of its own make its offer long enough for `git` to compress it.
    for _ in 0..40 {
        other.commit("more").expect("commits");
    }
    one.write("a", "2").expect("writes");
    one.push().expect("pushes");
    other.git(&["fetch", "--quiet", "origin"]).expect("fetches");
}

#[test]
fn tags_and_branches_arrive() {
    let world = world(|_| {});
    let one = world.clone_as(&Auth::None, "one").expect("clones");
    one.write("a", "1").expect("writes");
    let first = one.push().expect("pushes");
    one.tag("plain").expect("tags");
    one.annotated_tag("noted").expect("tags");
    one.branch("next").expect("branches");
    one.write("a", "2").expect("writes");
    let second = one.push().expect("pushes");
    let listed = one.git(&["ls-remote", "origin"]).expect("lists");
    for line in [
        format!("{first}\trefs/heads/main"),
        format!("{second}\trefs/heads/next"),
        format!("{first}\trefs/tags/plain"),
        format!("{first}\trefs/tags/noted^{{}}"),
    ] {
        assert!(
            listed.lines().any(|listed| listed == line),
            "{line} in {listed}"
        );
    }
}

#[test]
fn a_server_comes_back_on_its_port() {
    let World {
        runtime,
        server,
        dir,
    } = world(|_| {});
    let (url, port) = (server.url("team/shop"), server.port());
    runtime.block_on(server.stop());
    WorkTree::clone(&url, None, &Auth::None, &dir.path().join("none"))
        .err()
        .expect("nobody is there");
    let mut options = ServerOptions::new(dir.path().join("served"));
    options.port = Some(port);
    let _server = runtime
        .block_on(GitServer::start(options))
        .expect("starts again");
    WorkTree::clone(&url, None, &Auth::None, &dir.path().join("some")).expect("clones");
}

#[test]
fn no_program_outlives_the_server() {
    let world = world(|_| {});
    let one = world.clone_as(&Auth::None, "one").expect("clones");
    one.write("a", "1").expect("writes");
    one.push().expect("pushes");
    world.server.set_fault(Fault::Slow);
    let root = world.dir.path().to_string_lossy().into_owned();
    let World {
        runtime,
        server,
        dir,
    } = world;
    std::thread::scope(|scope| {
        let url = server.url("team/shop");
        let slow = dir.path().join("slow");
        let clone = scope.spawn(move || WorkTree::clone(&url, None, &Auth::None, &slow).is_err());
        while backends(&root) == 0 {
            std::thread::yield_now();
        }
        runtime.block_on(server.stop());
        assert!(clone.join().expect("no panic"), "its answer was cut off");
    });
    // The kernel takes a moment; if it takes for ever, the test hangs and says where.
    while backends(&root) > 0 {
        std::thread::yield_now();
    }
}

/// How many `git http-backend` serve the folder, as the kernel sees it.
fn backends(root: &str) -> usize {
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return 0;
    };
    let serves = |process: &Path| {
        let text = |name| std::fs::read(process.join(name)).unwrap_or_default();
        let has = |haystack: &[u8], needle: &[u8]| {
            haystack
                .windows(needle.len())
                .any(|window| window == needle)
        };
        has(&text("cmdline"), b"http-backend") && has(&text("environ"), root.as_bytes())
    };
    processes
        .flatten()
        .filter(|process| serves(&process.path()))
        .count()
}
