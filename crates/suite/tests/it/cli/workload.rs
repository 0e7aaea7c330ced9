//! `shipway workload` and `shipway supply-chain`.

use serde_json::json;

use crate::choreography::Chains;

const CHAIN: &str = "a-source-and-a-config";

/// A supply chain of two resources, for Workloads of the type `cli`.
async fn install(chains: &Chains) {
    let source = json!({
        "apiVersion": "carto.run/v1alpha1", "kind": "ClusterSourceTemplate", "metadata": {"name": "cli-source"},
        "spec": {"urlPath": ".data.url", "revisionPath": ".data.revision", "template": {
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "$(workload.metadata.name)$-source"},
            "data": {"url": "$(workload.spec.source.git.url)$", "revision": "1"},
        }},
    });
    let config = json!({
        "apiVersion": "carto.run/v1alpha1", "kind": "ClusterConfigTemplate", "metadata": {"name": "cli-config"},
        "spec": {"configPath": ".data", "template": {
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "$(workload.metadata.name)$-config"},
            "data": {"from": "$(source.url)$"},
        }},
    });
    let chain = json!({
        "apiVersion": "carto.run/v1alpha1", "kind": "ClusterSupplyChain", "metadata": {"name": CHAIN},
        "spec": {
            "selector": {"apps.tanzu.vmware.com/workload-type": "cli"},
            "resources": [
                {"name": "source", "templateRef": {"kind": "ClusterSourceTemplate", "name": "cli-source"}},
                {"name": "config", "templateRef": {"kind": "ClusterConfigTemplate", "name": "cli-config"},
                 "sources": [{"name": "source", "resource": "source"}]},
            ],
        },
    });
    for object in [source, config, chain] {
        chains.apply(&object).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workload_is_created_changed_shown_and_deleted() {
    let chains = Chains::begin().await;
    install(&chains).await;
    let create = [
        "workload",
        "create",
        "shop",
        "--type",
        "cli",
        "--git-repo",
        "https://git.example/one",
    ];
    let (code, _, errors) = chains.shipway(&create);
    assert_eq!(code, 2, "there is no terminal to ask on: {errors}");
    assert!(
        errors.contains("url: https://git.example/one"),
        "it is shown all the same: {errors}"
    );
    let (code, out, _) = chains.shipway(&[&create[..], &["--dry-run"]].concat());
    assert!(code == 0 && out.contains("workload-type: cli"), "{out}");
    let (_, out, errors) = chains.shipway(&[&create[..], &["--dry-run", "-o", "json"]].concat());
    let dry: serde_json::Value = serde_json::from_str(&out).expect(&errors);
    assert_eq!(
        dry["metadata"]["namespace"],
        chains.ns(),
        "it is chosen by a flag"
    );
    let (_, out, _) = chains.shipway(&["workload", "list", "-o", "name"]);
    assert_eq!(out, "", "nothing was written");

    let now = ["--yes", "--wait"];
    let (code, out, errors) = chains.shipway(&[&create[..], &now[..]].concat());
    assert_eq!(
        (code, out.as_str()),
        (
            0,
            "workload.carto.run/shop created\nworkload.carto.run/shop is ready\n"
        ),
        "{errors}"
    );
    let (code, _, errors) = chains.shipway(&[&create[..], &now[..]].concat());
    assert!(
        code == 2 && errors.contains("is there already") && errors.contains("workload apply shop"),
        "{errors}"
    );

    let (_, out, _) = chains.shipway(&["workload", "get", "shop"]);
    for line in [
        "Workload/shop",
        "└─source",
        "  └─config",
        "ClusterConfigTemplate/cli-config",
        "ConfigMap/shop-config",
    ] {
        assert!(out.contains(line), "`{line}` is missing:\n{out}");
    }
    let (_, out, _) = chains.shipway(&["workload", "get", "shop", "-o", "wide"]);
    assert!(
        out.contains("config=from: https://git.example/one"),
        "{out}"
    );
    let (_, out, _) = chains.shipway(&["workload", "get", "shop", "-o", "json"]);
    let whole: serde_json::Value = serde_json::from_str(&out).expect("it is JSON");
    assert_eq!(
        whole["status"]["resources"][1]["stampedRef"]["name"],
        "shop-config"
    );

    change_and_delete(&chains);
}

fn change_and_delete(chains: &Chains) {
    let now = ["--yes", "--wait"];
    let change = [
        "workload",
        "apply",
        "shop",
        "--git-repo",
        "https://git.example/two",
        "--app",
        "mall",
    ];
    let (code, out, errors) = chains.shipway(&[&change[..], &now[..]].concat());
    assert_eq!(code, 0, "{errors}");
    assert!(
        out.starts_with("workload.carto.run/shop configured\n"),
        "{out}"
    );
    assert!(
        errors.contains("- ") && errors.contains("https://git.example/one"),
        "what goes is shown: {errors}"
    );
    let (_, out, _) = chains.shipway(&[&change[..], &now[..]].concat());
    assert!(
        out.starts_with("workload.carto.run/shop unchanged\n"),
        "{out}"
    );
    let (_, out, errors) = chains.shipway(&[&change[..], &now[..], &["-o", "json"]].concat());
    let whole: serde_json::Value = serde_json::from_str(&out).expect(&errors);
    assert_eq!(whole["status"]["conditions"][0]["status"], "True");
    let (_, out, _) = chains.shipway(&["workload", "list", "--app", "mall"]);
    assert!(out.contains(CHAIN) && out.contains("True"), "{out}");
    let (_, out, _) = chains.shipway(&["workload", "list", "--app", "other", "-o", "name"]);
    assert_eq!(out, "");

    let (code, _, errors) = chains.shipway(&["workload", "delete", "shop"]);
    assert!(
        code == 2 && errors.contains("nothing was deleted"),
        "{errors}"
    );
    let (code, out, errors) = chains.shipway(&["workload", "delete", "shop", "--yes", "--wait"]);
    assert_eq!(
        (code, out.as_str()),
        (0, "workload.carto.run/shop deleted\n"),
        "{errors}"
    );
    let (code, _, errors) = chains.shipway(&["workload", "get", "shop"]);
    assert!(
        code == 2 && errors.contains("not found") && errors.contains("workload list"),
        "{errors}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_says_what_a_workload_is_and_flags_change_it() {
    let chains = Chains::begin().await;
    install(&chains).await;
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().join("workload.yaml");
    let file = path.display().to_string();
    let text = "apiVersion: carto.run/v1alpha1\nkind: Workload\nmetadata:\n  name: filed\n  labels:\n    apps.tanzu.vmware.com/workload-type: cli\nspec:\n  source:\n    git:\n      url: https://git.example/file\n  env:\n  - name: A\n    value: \"1\"\n";
    std::fs::write(&path, text).expect("it can be written");
    let (code, out, errors) = chains.shipway(&[
        "workload", "apply", "-f", &file, "--env", "B=2", "--yes", "--wait",
    ]);
    assert_eq!(
        (code, out.lines().next()),
        (0, Some("workload.carto.run/filed created")),
        "{errors}"
    );
    let (code, out, errors) = chains.shipway(&["workload", "apply", "-f", &file, "--yes"]);
    assert_eq!(
        (code, out.as_str()),
        (0, "workload.carto.run/filed configured\n"),
        "{errors}"
    );
    let (_, out, _) = chains.shipway(&["workload", "get", "filed", "-o", "json"]);
    let whole: serde_json::Value = serde_json::from_str(&out).expect("it is JSON");
    assert_eq!(
        whole["spec"]["env"],
        json!([{"name": "A", "value": "1"}]),
        "the file's spec is the spec"
    );

    let (code, _, errors) = chains.shipway(&["workload", "apply", "other", "-f", &file, "--yes"]);
    assert!(code == 64 && errors.contains("`filed`"), "{errors}");
    std::fs::write(
        &path,
        "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\n",
    )
    .expect("it can be written");
    let (code, _, errors) = chains.shipway(&["workload", "apply", "-f", &file, "--yes"]);
    assert!(code == 2 && errors.contains("has no Workload"), "{errors}");
    std::fs::write(&path, "kind: [\n").expect("it can be written");
    let (code, _, errors) = chains.shipway(&["workload", "apply", "-f", &file, "--yes"]);
    assert!(
        code == 2 && errors.contains("workload.yaml"),
        "the file and the line are named: {errors}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn supply_chains_are_listed_and_shown() {
    let chains = Chains::begin().await;
    install(&chains).await;
    let (code, out, errors) = chains.shipway(&["supply-chain", "list"]);
    assert_eq!(code, 0, "{errors}");
    let line = out.lines().find(|line| line.starts_with(CHAIN));
    assert!(
        line.is_some_and(|line| line.contains("workload-type=cli")),
        "{out}"
    );
    let (_, out, _) = chains.shipway(&["supply-chain", "get", CHAIN]);
    for part in [
        "Workloads:   apps.tanzu.vmware.com/workload-type=cli",
        "config     ClusterConfigTemplate/cli-config   source",
    ] {
        assert!(out.contains(part), "`{part}` is missing:\n{out}");
    }
    let (_, out, _) = chains.shipway(&["supply-chain", "get", CHAIN, "-o", "name"]);
    assert_eq!(out, format!("clustersupplychain.carto.run/{CHAIN}\n"));
    let (code, _, errors) = chains.shipway(&["supply-chain", "get", "no-such"]);
    assert!(
        code == 2 && errors.contains("supply-chain list"),
        "{errors}"
    );
}
