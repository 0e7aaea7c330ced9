//! Sources that are not there, do not answer or do not let in.

use gitserver::{Fault, GitServer, ServerOptions};
use serde_json::{Value, json};
use suite::{Controller, Scene, SceneOptions};

use crate::bad_stage::{
    Neighbour, Server, alone, config_map, deliver, login, shipment, until_says, until_value, value,
    with_ref, with_secret,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_is_not_there_is_named_and_waited_for() {
    let scene = Scene::new("norepo").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    let server = Server::start(|_| {}).await;
    let url = server.git.url("later");
    scene.apply(&shipment(&scene, "web", &url, "")).await;
    until_says(&scene, "web", "SourceMissing", &["no repository", &url]).await;
    neighbour.goes_on(&scene).await;
    tokio::task::block_in_place(|| {
        server.git.create_repository("later.git").expect("is made");
        server.write("a.yaml", config_map("late", "1"));
        server.push();
        let later = server.git.url("later");
        server.work.git(&["push", "--quiet", &later, "main"])
    })
    .expect("the push goes through");
    scene.until_ready("web", None).await;
    assert_eq!(value(&scene, "late").await.as_deref(), Some("1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_goes_away_leaves_what_runs() {
    let scene = Scene::new("reposgone").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    let server = Server::start(|_| {}).await;
    server.write("a.yaml", config_map("a", "1"));
    let commit = server.push();
    scene
        .apply(&shipment(&scene, "web", &server.url(), ""))
        .await;
    scene.until_ready("web", Some(&commit)).await;
    let (here, away) = (server.git.path("app.git"), server.git.path("away.git"));
    std::fs::rename(&here, &away).expect("the repository moves");
    until_says(
        &scene,
        "web",
        "SourceMissing",
        &["no repository", &server.url(), "what runs stays", &commit],
    )
    .await;
    assert_eq!(value(&scene, "a").await.as_deref(), Some("1"));
    neighbour.goes_on(&scene).await;
    std::fs::rename(&away, &here).expect("the repository moves");
    server.write("a.yaml", config_map("a", "2"));
    let commit = server.push();
    scene.until_ready("web", Some(&commit)).await;
    until_value(&scene, "a", "2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_branch_that_is_not_there_is_named_and_waited_for() {
    let scene = Scene::new("nobranch").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    scene.write("a.yaml", &config_map("a", "1"));
    scene.push().await;
    let wanted = with_ref(scene.shipment("web", ""), json!({"branch": "release"}));
    scene.apply(&wanted).await;
    until_says(&scene, "web", "SourceMissing", &["has no branch `release`"]).await;
    neighbour.goes_on(&scene).await;
    scene.work.branch("release").expect("a branch can be made");
    let commit = scene.push().await;
    scene.until_ready("web", Some(&commit)).await;
    // And gone again, while it runs.
    let delete = ["push", "--quiet", "origin", "--delete", "release"];
    tokio::task::block_in_place(|| scene.work.git(&delete)).expect("the branch can be deleted");
    until_says(
        &scene,
        "web",
        "SourceMissing",
        &["has no branch `release`", "what runs stays"],
    )
    .await;
    assert_eq!(value(&scene, "a").await.as_deref(), Some("1"));
    scene.push().await;
    scene.until_ready("web", Some(&commit)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_and_a_commit_that_are_not_there_are_named() {
    let scene = Scene::new("notag").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    scene.write("a.yaml", &config_map("a", "1"));
    let commit = scene.push().await;
    let tagged = with_ref(scene.shipment("tagged", ""), json!({"tag": "v1"}));
    scene.apply(&tagged).await;
    let nowhere = "0123456789012345678901234567890123456789";
    let pinned = with_ref(scene.shipment("pinned", ""), json!({"commit": nowhere}));
    scene.apply(&pinned).await;
    until_says(&scene, "tagged", "SourceMissing", &["has no tag `v1`"]).await;
    until_says(&scene, "pinned", "SourceMissing", &[nowhere]).await;
    neighbour.goes_on(&scene).await;
    tokio::task::block_in_place(|| scene.work.tag("v1")).expect("the tag can be pushed");
    scene.until_ready("tagged", Some(&commit)).await;
    let pinned = with_ref(scene.shipment("pinned", ""), json!({"commit": commit}));
    scene.apply(&pinned).await;
    // The same objects from two Shipments: the second one says who has them.
    until_says(&scene, "pinned", "OwnedByOther", &["/tagged"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_is_not_there_is_named_with_what_is_there() {
    let scene = Scene::new("nopath").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    scene.write("config/shop/a.yaml", &config_map("a", "1"));
    deliver(&scene, "config/shopp").await;
    until_says(
        &scene,
        "web",
        "SourceMissing",
        &["no path `config/shopp`", "`config` has `shop`"],
    )
    .await;
    scene.apply(&scene.shipment("web", "config/shop")).await;
    scene.until_ready("web", None).await;
    scene.remove("config");
    scene.write("other/b.yaml", &config_map("b", "1"));
    scene.push().await;
    until_says(
        &scene,
        "web",
        "SourceMissing",
        &["no path `config/shop`", "`other`", "what runs stays"],
    )
    .await;
    assert_eq!(value(&scene, "a").await.as_deref(), Some("1"));
    neighbour.goes_on(&scene).await;
    scene.write("config/shop/a.yaml", &config_map("a", "2"));
    let commit = scene.push().await;
    scene.until_ready("web", Some(&commit)).await;
    until_value(&scene, "a", "2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_are_said_and_a_repaired_secret_is_noticed() {
    let scene = Scene::new("login").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    let server = Server::locked("right-horse").await;
    server.write("a.yaml", config_map("a", "1"));
    server.push();
    let ca = server.ca();
    scene
        .apply(&login(&scene, "door", &ca, "wrong-horse"))
        .await;
    let wanted = with_secret(shipment(&scene, "web", &server.url(), ""), "door");
    scene.apply(&wanted).await;
    let status = until_says(
        &scene,
        "web",
        "SourceUnauthorized",
        &[&server.url(), "does not accept the credentials"],
    )
    .await;
    let text = serde_json::to_string(&status).expect("a status is plain data");
    assert!(!text.contains("horse"), "{text}");
    neighbour.goes_on(&scene).await;
    scene
        .apply(&login(&scene, "door", &ca, "right-horse"))
        .await;
    scene.until_ready("web", None).await;
    assert_eq!(value(&scene, "a").await.as_deref(), Some("1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_account_has_fetched_is_not_for_another_whose_credentials_are_wrong() {
    let scene = Scene::new("cached").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    let server = Server::locked("right-horse").await;
    server.write("a.yaml", config_map("a", "1"));
    server.write("other/b.yaml", config_map("b", "1"));
    server.push();
    let ca = server.ca();
    for (secret, password) in [("door", "right-horse"), ("window", "wrong-horse")] {
        scene.apply(&login(&scene, secret, &ca, password)).await;
    }
    let first = with_secret(shipment(&scene, "web", &server.url(), ""), "door");
    scene.apply(&first).await;
    scene.until_ready("web", None).await;
    let second = with_secret(shipment(&scene, "other", &server.url(), "other"), "window");
    scene.apply(&second).await;
    let status = until_says(&scene, "other", "SourceUnauthorized", &[&server.url()]).await;
    neighbour.goes_on(&scene).await;
    scene.until_ready("web", None).await;
    assert_eq!((status.revision, status.objects), (None, None));
    let owner = scene
        .find::<k8s_openapi::api::core::v1::ConfigMap>("b")
        .await;
    let owner = owner.and_then(|map| map.metadata.annotations);
    let owner = owner.and_then(|notes| notes.get(kinds::names::OWNER_ANNOTATION).cloned());
    assert_eq!(
        owner,
        Some(format!("{}/web", scene.ns())),
        "the whole tree is the first one's"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_missing_or_has_the_wrong_keys_is_named() {
    let scene = Scene::new("nosecret").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    scene.write("a.yaml", &config_map("a", "1"));
    scene.push().await;
    let wanted = with_secret(scene.shipment("web", ""), "door");
    scene.apply(&wanted).await;
    let place = format!("no Secret `{}/door`", scene.ns());
    until_says(&scene, "web", "SourceUnauthorized", &[&place]).await;
    let secret = |data: Value| {
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "door", "namespace": scene.ns()},
            "stringData": data,
        })
    };
    scene
        .apply(&secret(json!({"user": "ada", "pass": "x"})))
        .await;
    let place = format!("Secret `{}/door`", scene.ns());
    until_says(
        &scene,
        "web",
        "SourceUnauthorized",
        &[&place, "`username` and `password`", "it has `pass`, `user`"],
    )
    .await;
    neighbour.goes_on(&scene).await;
    let ca = scene.git.ca_pem().expect("it speaks TLS").to_owned();
    scene.apply(&secret(json!({"caFile": ca}))).await;
    scene.until_ready("web", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ca_that_is_added_to_the_secret_is_noticed() {
    let scene = Scene::new("noca").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    scene.write("a.yaml", &config_map("a", "1"));
    scene.push().await;
    let secret = |data: Value| {
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "door", "namespace": scene.ns()},
            "stringData": data,
        })
    };
    let login = json!({"username": "ada", "password": "right"});
    scene.apply(&secret(login.clone())).await;
    let wanted = with_secret(scene.shipment("web", ""), "door");
    scene.apply(&wanted).await;
    until_says(&scene, "web", "SourceUntrusted", &["no secure connection"]).await;
    neighbour.goes_on(&scene).await;
    let mut trusted = login;
    trusted["caFile"] = json!(scene.git.ca_pem().expect("it speaks TLS"));
    scene.apply(&secret(trusted)).await;
    scene.until_ready("web", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_git_server_that_is_down_leaves_what_runs_and_is_caught_up_with() {
    let scene = Scene::new("gitdown").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    let server = Server::start(|_| {}).await;
    server.write("a.yaml", config_map("a", "1"));
    let commit = server.push();
    let url = server.url();
    scene.apply(&shipment(&scene, "web", &url, "")).await;
    scene.until_ready("web", Some(&commit)).await;
    let Server { git, work, folder } = server;
    let port = git.port();
    git.stop().await;
    until_says(
        &scene,
        "web",
        "SourceUnreachable",
        &["could not reach", &url, "what runs stays", &commit],
    )
    .await;
    scene.apply(&shipment(&scene, "fresh", &url, "")).await;
    until_says(&scene, "fresh", "SourceUnreachable", &[&url]).await;
    assert_eq!(value(&scene, "a").await.as_deref(), Some("1"));
    neighbour.goes_on(&scene).await;
    let again = ServerOptions {
        port: Some(port),
        ..ServerOptions::new(folder.path().join("served"))
    };
    let _git = GitServer::start(again).await.expect("it starts again");
    work.write("a.yaml", config_map("a", "2")).expect("writes");
    let commit = tokio::task::block_in_place(|| work.push()).expect("pushes");
    scene.until_ready("web", Some(&commit)).await;
    until_value(&scene, "a", "2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_git_server_that_sends_garbage_is_named() {
    let scene = Scene::new("garbage").await;
    let neighbour = Neighbour::moves_in(&scene).await;
    scene.write("a.yaml", &config_map("a", "1"));
    deliver(&scene, "").await;
    scene.until_ready("web", None).await;
    for (fault, word) in [
        (Fault::Garbage, "did not answer like a Git server"),
        (Fault::Nonsense, "did not answer like a Git server"),
        (Fault::Status(503), "HTTP status 503"),
    ] {
        scene.git.set_fault(fault);
        until_says(
            &scene,
            "web",
            "SourceUnreachable",
            &[word, "what runs stays"],
        )
        .await;
        neighbour.goes_on(&scene).await;
    }
    scene.git.set_fault(Fault::None);
    let commit = scene.push().await;
    scene.until_ready("web", Some(&commit)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn git_servers_that_hang_hold_up_nobody_else() {
    let _turn = alone().await;
    let options = SceneOptions {
        controller: false,
        cluster: Some("lonely"),
        ..SceneOptions::default()
    };
    let scene = Scene::with("hang", options).await;
    let _controller = Controller::own(&scene.world, &["--git-timeout", "2s"]).await;
    let neighbour = Neighbour::moves_in(&scene).await;
    let server = Server::start(|_| {}).await;
    server.write("a.yaml", config_map("a", "1"));
    let commit = server.push();
    scene
        .apply(&shipment(&scene, "web", &server.url(), ""))
        .await;
    scene.until_ready("web", Some(&commit)).await;
    for fault in [Fault::Hang, Fault::Slow] {
        server.git.set_fault(fault);
        until_says(
            &scene,
            "web",
            "SourceUnreachable",
            &["did not answer in time", "what runs stays"],
        )
        .await;
        neighbour.goes_on(&scene).await;
        server.git.set_fault(Fault::None);
        scene.until_ready("web", None).await;
    }
    // More repositories of that server than may be looked at together.
    server.git.set_fault(Fault::Hang);
    for number in 0..60 {
        let url = server.git.url(&format!("other-{number}"));
        scene
            .apply(&shipment(&scene, &format!("other-{number}"), &url, ""))
            .await;
    }
    neighbour.goes_on(&scene).await;
    server.git.set_fault(Fault::None);
    server.write("a.yaml", config_map("a", "2"));
    server.push();
    until_value(&scene, "a", "2").await;
}
