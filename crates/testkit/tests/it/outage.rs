//! API servers go away and come back. On a control plane of its own, since others use the shared one.

use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use testkit::World;
use testkit::real::{Command, ControlPlane, ControlPlaneOptions, Servers, State, ask, serve};
use tokio::net::UnixListener;
use tokio::time::timeout;

#[tokio::test]
async fn an_api_server_comes_back_with_its_data() {
    let servers = World::shared().state().servers.clone();
    let clusters = vec!["blue".to_owned(), "green".to_owned()];
    let options = ControlPlaneOptions {
        servers,
        clusters,
        bare: Vec::new(),
        fsync: false,
        audit: false,
    };
    let mut plane = ControlPlane::start(options)
        .await
        .expect("a second control plane starts");
    let blue = Api::<Namespace>::all(plane.state().client("blue").await.expect("a client"));
    let green = Api::<Namespace>::all(plane.state().client("green").await.expect("a client"));
    let before = blue.get("default").await.expect("it answers").metadata.uid;

    plane.stop_apiserver("blue").await.expect("it was running");
    let refused = blue.get("default").await.expect_err("nobody listens");
    assert!(!matches!(refused, kube::Error::Api(_)), "{refused}");
    green
        .get("default")
        .await
        .expect("the other cluster does not care");

    plane
        .start_apiserver("blue")
        .await
        .expect("it starts again");
    let after = blue
        .get("default")
        .await
        .expect("it answers again")
        .metadata
        .uid;
    assert_eq!(before, after, "the data is the same");

    // The way of a suite that does not own the control plane: through its owner.
    let socket = plane.state().folder.join("control.sock");
    let state_file = plane.state().folder.join("state.json");
    let listener = UnixListener::bind(&socket).expect("the folder is writable");
    let suite = async {
        ask(&socket, Command::Pause, "blue")
            .await
            .expect("it was running");
        timeout(Duration::from_millis(500), blue.get("default"))
            .await
            .expect_err("nobody answers");
        ask(&socket, Command::Resume, "blue")
            .await
            .expect("it was paused");
        blue.get("default").await.expect("it goes on");
        let refused = ask(&socket, Command::Stop, "red")
            .await
            .expect_err("nobody is called so");
        assert!(
            refused.to_string().contains("there is no cluster `red`"),
            "{refused}"
        );
    };
    tokio::select! {
        () = suite => {}
        () = serve(&mut plane, &listener, &state_file) => unreachable!("it serves for ever"),
    }
    let written = State::read(&state_file).expect("each command writes the state");
    assert_eq!(
        written.clusters[0].apiserver_pid,
        plane.state().clusters[0].apiserver_pid
    );

    plane.stop().await.expect("all processes end");
}

#[tokio::test]
async fn a_missing_program_is_named() {
    let nowhere = std::path::PathBuf::from("/nowhere");
    let options = ControlPlaneOptions {
        servers: Servers::Genuine { binaries: nowhere },
        clusters: vec!["blue".to_owned()],
        bare: Vec::new(),
        fsync: false,
        audit: false,
    };
    let Err(refused) = ControlPlane::start(options).await else {
        unreachable!("there is no program")
    };
    assert!(
        refused
            .to_string()
            .starts_with("could not start etcd (`/nowhere/etcd`)"),
        "{refused}"
    );
}
