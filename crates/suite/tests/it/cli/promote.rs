//! `shipway promote`.

use serde_json::json;
use suite::{Scene, kubeconfig};

use super::{fails, fixed, run, settings};

fn deliverable(url: &str, pin: &str) -> String {
    format!(
        "# Staging.\napiVersion: carto.run/v1alpha1\nkind: Deliverable\nmetadata:\n  name: web\nspec:\n  source:\n    git:\n      url: {url}\n      ref:\n        {pin} # do not edit by hand\n    subPath: config\n"
    )
}

/// Runs Git in a folder, as somebody.
#[expect(
    clippy::disallowed_methods,
    reason = "the clone is Git's own, as a user has it"
)]
fn git(folder: &std::path::Path, arguments: &[&str]) -> String {
    let somebody = ["-c", "user.name=A", "-c", "user.email=a@example.com"];
    let ran = std::process::Command::new("git")
        .current_dir(folder)
        .args(somebody)
        .args(arguments)
        .output()
        .expect("git runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        ran.status.success(),
        "git {arguments:?}: {}",
        text(&ran.stderr)
    );
    text(&ran.stdout)
}

#[tokio::test(flavor = "multi_thread")]
async fn promote_moves_the_pin_to_what_is_ready_elsewhere() {
    let scene = Scene::new("promote").await;
    scene.write("config/settings.yaml", &settings("settings", "blue"));
    let commit = scene.push().await;
    scene.apply(&scene.shipment("web", "config")).await;
    scene.until_ready("web", Some(&commit)).await;
    let old = "1".repeat(40);
    let url = scene.git.url("app.git");
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("staging/deliverable-web.yaml");
    std::fs::create_dir_all(file.parent().expect("it has a folder")).expect("it can be made");
    std::fs::write(&file, deliverable(&url, &format!("commit: '{old}'")))
        .expect("it can be written");
    let repo = folder.path().display().to_string();
    for arguments in [
        &["init", "--quiet"][..],
        &["add", "."],
        &["commit", "--quiet", "-m", "pinned"],
    ] {
        git(folder.path(), arguments);
    }
    let head = git(folder.path(), &["rev-parse", "HEAD"]);
    let promote = [
        "promote",
        "web",
        "--from",
        "qa",
        "--to",
        "staging",
        "--from-context",
        scene.world.cluster(),
        "--repo",
        &repo,
    ];
    let (code, out, err) = scene.shipway(&promote);
    assert_eq!(code, 0, "{err}");
    let words = [
        (commit.as_str(), "<new>"),
        (&commit[..8], "<short>"),
        (old.as_str(), "<old>"),
        (url.as_str(), "<url>"),
        (repo.as_str(), "<repo>"),
    ];
    assert_eq!(
        fixed(&out, &words),
        "--- a/staging/deliverable-web.yaml
+++ b/staging/deliverable-web.yaml
@@ -8,5 +8,5 @@
     git:
       url: <url>
       ref:
-        commit: '<old>' # do not edit by hand
+        commit: '<new>' # do not edit by hand
     subPath: config
"
    );
    assert_eq!(
        fixed(&err, &words),
        "next:
  git -C <repo> add staging/deliverable-web.yaml
  git -C <repo> commit -m 'promote web to staging: <short>'
  git -C <repo> pull --rebase
  git -C <repo> push
"
    );
    let edited = std::fs::read_to_string(&file).expect("it is there");
    assert_eq!(edited, deliverable(&url, &format!("commit: '{commit}'")));
    let changed = git(folder.path(), &["status", "--porcelain"]);
    assert_eq!(changed, " M staging/deliverable-web.yaml\n");
    assert_eq!(
        git(folder.path(), &["rev-parse", "HEAD"]),
        head,
        "it does not commit"
    );
    let (code, out, err) = scene.shipway(&promote);
    assert_eq!(
        (code, out, err),
        (
            0,
            String::new(),
            format!("`staging/deliverable-web.yaml` is at {commit} already\n")
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn promote_refuses_what_is_not_ready_or_not_there() {
    let scene = Scene::new("promote").await;
    scene.write("config/settings.yaml", "kind: Broken\n");
    let commit = scene.push().await;
    scene.apply(&scene.shipment("web", "config")).await;
    scene.until_reason("web", "ManifestInvalid").await;
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let staging = folder.path().join("staging");
    std::fs::create_dir_all(&staging).expect("it can be made");
    let url = scene.git.url("app.git");
    std::fs::write(
        staging.join("deliverable-web.yaml"),
        deliverable(&url, "branch: main"),
    )
    .expect("it can be written");
    let repo = folder.path().display().to_string();
    let promote = |name: &'static str, more: &[&'static str]| {
        let mut arguments = vec!["promote", name, "--to", "staging", "--repo", &repo];
        arguments.extend(more);
        arguments.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let said = |arguments: Vec<String>| {
        fails(
            &scene,
            &arguments.iter().map(String::as_str).collect::<Vec<_>>(),
        )
    };
    let not_ready = said(promote("web", &["--from", "qa"]));
    assert!(
        not_ready.contains("of qa is not ready: ManifestInvalid: "),
        "{not_ready}"
    );
    let elsewhere = said(promote("shop", &["--from", "qa"]));
    assert!(
        elsewhere.contains("there is no `staging/deliverable-shop.yaml`")
            && elsewhere.contains("there are `staging/deliverable-web.yaml`"),
        "{elsewhere}"
    );
    let short = said(promote("web", &["--revision", "abc"]));
    assert!(
        short.contains("--revision takes the 40 hexadecimal digits"),
        "{short}"
    );
    let arguments = [
        "promote",
        "web",
        "--to",
        "staging",
        "--repo",
        &repo,
        "--revision",
        &commit,
    ];
    let out = run(&scene, &arguments);
    assert!(
        out.contains(&format!(
            "\n+        commit: {commit}\n         branch: main # do not"
        )),
        "{out}"
    );
}

/// Runs `promote` from `qa` under a kubeconfig whose one context has this name, and without saying
/// which context that is: exit code, output, errors.
#[expect(
    clippy::disallowed_methods,
    reason = "the scene's own way names the context"
)]
fn promote_from(scene: &Scene, context: &str, repo: &str) -> (i32, String, String) {
    let mut config = kubeconfig::admin(&scene.world);
    config["contexts"][0]["name"] = json!(context);
    config["current-context"] = json!(context);
    let (_folder, file) = kubeconfig::write(&config);
    let words = ["promote", "web", "--from", "qa", "--to", "staging"];
    let ran = tokio::task::block_in_place(|| {
        std::process::Command::new(suite::program())
            .args(words)
            .args(["--repo", repo, "-n", scene.ns(), "--kubeconfig"])
            .arg(file)
            .output()
            .expect("the program runs")
    });
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = ran.status.code().unwrap_or(-1);
    (code, text(&ran.stdout), text(&ran.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn promote_finds_the_context_of_an_environment_by_its_name_and_says_which() {
    let scene = Scene::new("promote").await;
    scene.write("config/settings.yaml", &settings("settings", "blue"));
    let commit = scene.push().await;
    scene.apply(&scene.shipment("web", "config")).await;
    scene.until_ready("web", Some(&commit)).await;
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("staging/deliverable-web.yaml");
    std::fs::create_dir_all(file.parent().expect("it has a folder")).expect("it can be made");
    let (url, repo) = (
        scene.git.url("app.git"),
        folder.path().display().to_string(),
    );
    let pinned = |commit: &str| deliverable(&url, &format!("commit: '{commit}'"));
    let read = || std::fs::read_to_string(&file).expect("it is there");
    for context in ["qa", "run-qa"] {
        std::fs::write(&file, pinned(&"1".repeat(40))).expect("it can be written");
        let (code, out, err) = promote_from(&scene, context, &repo);
        assert_eq!(code, 0, "{err}{out}");
        let said = format!("qa is the context `{context}`, and runs {commit} there\n");
        assert!(err.starts_with(&said), "{err}");
        assert_eq!(read(), pinned(&commit));
    }
    // None is guessed, and nothing is changed then.
    let before = pinned(&"1".repeat(40));
    std::fs::write(&file, &before).expect("it can be written");
    let (code, out, err) = promote_from(&scene, "qa-2", &repo);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    assert_eq!(
        err,
        "error: the kubeconfig has no context `qa` or `run-qa`\n\
         hint: name it with --from-context; there are: qa-2\n"
    );
    assert_eq!(read(), before);
}
