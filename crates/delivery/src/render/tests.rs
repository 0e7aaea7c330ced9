//! Files, overlays and patches become manifests.

use super::*;

/// Renders for `shop/web` and compares manifests and problems.
///
/// A tree is text: `== path`, then the file. `-> target` as only line makes it a link.
#[track_caller]
fn check(app: &str, overlay: &str, seen: &str) {
    let overlay = (!overlay.is_empty()).then(|| Overlay {
        files: tree(overlay),
    });
    let rendering = render(
        &Subject {
            namespace: "shop",
            name: "web",
        },
        tree(app),
        overlay.as_ref(),
    );
    assert_eq!(show(&rendering), seen.trim());
}

fn tree(text: &str) -> Vec<TreeFile> {
    let mut files = Vec::new();
    for part in text.split("== ").skip(1) {
        let (path, body) = part.split_once('\n').expect("a path and a body");
        let content = match body.strip_prefix("-> ") {
            Some(target) => FileContent::Link(target.trim().to_owned()),
            None => FileContent::Bytes(body.as_bytes().to_vec()),
        };
        files.push(TreeFile {
            path: path.trim().to_owned(),
            content,
        });
    }
    files
}

fn show(rendering: &Rendering) -> String {
    let mut lines = Vec::new();
    for manifest in &rendering.manifests {
        let rest = manifest.value()["data"].clone();
        lines.push(format!(
            "{} {}:{} {rest}",
            manifest.id(None),
            manifest.file,
            manifest.line
        ));
    }
    lines.extend(
        rendering
            .problems
            .iter()
            .map(|problem| format!("{}: {problem}", problem.reason)),
    );
    if let Some(refusal) = &rendering.refused {
        lines.push(format!("refused {}: {refusal}", refusal.as_str()));
    }
    if rendering.complete() {
        lines.push("complete".to_owned());
    }
    lines.join("\n")
}

/// A ConfigMap in flow style, with its `data`.
fn map(name: &str, data: &str) -> String {
    format!("{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}, data: {data}}}\n")
}

#[test]
fn reads_every_document_below_the_path() {
    let app = format!(
        "== b/x.yaml\n{}---\n{}== a.yaml\n{}",
        map("b1", "1"),
        map("b2", "2"),
        map("a", "3")
    );
    check(
        &app,
        "",
        "ConfigMap/a a.yaml:1 3\nConfigMap/b1 b/x.yaml:1 1\nConfigMap/b2 b/x.yaml:3 2\ncomplete",
    );
}

#[test]
fn a_file_that_does_not_parse_costs_that_file() {
    let app = format!(
        "== a.yaml\n{}== b.yaml\n{}---\na: [\n",
        map("a", "1"),
        map("b", "2")
    );
    check(
        &app,
        "",
        "ConfigMap/a a.yaml:1 1\nUnparseable: b.yaml:3: not valid YAML: unclosed bracket '['",
    );
}

#[test]
fn a_document_without_kind_costs_its_file() {
    let app = format!(
        "== a.yaml\n{}== b.yaml\n{}---\napiVersion: v1\n",
        map("a", "1"),
        map("b", "2")
    );
    check(
        &app,
        "",
        "ConfigMap/a a.yaml:1 1\nNoKind: b.yaml:3: the document has no `kind`",
    );
}

#[test]
fn an_object_in_two_files_costs_both_copies() {
    let app = format!(
        "== a.yaml\n{}---\n{}== b.yaml\n{}",
        map("a", "1"),
        map("c", "2"),
        map("a", "3")
    );
    check(
        &app,
        "",
        "ConfigMap/c a.yaml:3 2\nDuplicate: a.yaml:1: `ConfigMap/a` is also in b.yaml:1\nDuplicate: b.yaml:1: `ConfigMap/a` is also in a.yaml:1",
    );
    let named = map("a", "1").replace("name: a", "name: a, namespace: shop");
    let app = format!("== a.yaml\n{}== b.yaml\n{named}", map("a", "1"));
    check(
        &app,
        "",
        "Duplicate: a.yaml:1: `ConfigMap/a` is also in b.yaml:1\nDuplicate: b.yaml:1: `ConfigMap/shop/a` is also in a.yaml:1",
    );
}

#[test]
fn an_empty_tree_is_not_complete() {
    check("", "", "");
    check("== README.md\nhello\n", "", "");
    check("== a.yaml\n# nothing\n", "", "");
}

#[test]
fn a_refused_tree_yields_nothing() {
    let app = format!("== a.yaml\n{}== b.yaml\n-> ../../x.yaml\n", map("a", "1"));
    check(
        &app,
        "",
        "refused LinkOut: the link `b.yaml` leads out of the tree",
    );
}

#[test]
fn shipwayignore_excludes_files() {
    let app = format!(
        "== .shipwayignore\nci.yaml\n== a.yaml\n{}== ci.yaml\nsteps: []\n",
        map("a", "1")
    );
    check(&app, "", "ConfigMap/a a.yaml:1 1\ncomplete");
}

#[test]
fn an_overlay_adds_what_is_for_all_and_for_the_one() {
    let app = format!("== a.yaml\n{}", map("a", "1"));
    let overlay = format!(
        "== all/b.yaml\n{}== shop/web/c.yaml\n{}== shop/other/d.yaml\n{}== qa/web/e.yaml\nbroken: [\n== f.yaml\n{}",
        map("b", "2"),
        map("c", "3"),
        map("d", "4"),
        map("f", "6"),
    );
    check(
        &app,
        &overlay,
        "ConfigMap/a a.yaml:1 1\nConfigMap/b overlay:all/b.yaml:1 2\nConfigMap/c overlay:shop/web/c.yaml:1 3\ncomplete",
    );
}

#[test]
fn an_overlay_object_that_exists_is_an_error_that_names_both() {
    let app = format!("== a.yaml\n{}", map("a", "1"));
    check(
        &app,
        &format!("== all/a.yaml\n{}", map("a", "2")),
        "Duplicate: a.yaml:1: `ConfigMap/a` is also in overlay:all/a.yaml:1\nDuplicate: overlay:all/a.yaml:1: `ConfigMap/a` is also in a.yaml:1",
    );
    check(
        &app,
        &format!(
            "== all/a.yaml\n{}== shop/web/a.yaml\n{}",
            map("a", "2"),
            map("a", "3")
        ),
        "Duplicate: a.yaml:1: `ConfigMap/a` is also in overlay:shop/web/a.yaml:1\nDuplicate: overlay:shop/web/a.yaml:1: `ConfigMap/a` is also in a.yaml:1",
    );
    check(
        &app,
        &format!("== all/b.yaml\n{}---\n{}", map("b", "2"), map("b", "3")),
        "ConfigMap/a a.yaml:1 1\nDuplicate: overlay:all/b.yaml:1: `ConfigMap/b` is also in overlay:all/b.yaml:3\nDuplicate: overlay:all/b.yaml:3: `ConfigMap/b` is also in overlay:all/b.yaml:1",
    );
}

#[test]
fn an_object_for_the_one_replaces_the_same_one_for_all() {
    let app = format!("== a.yaml\n{}", map("a", "1"));
    check(
        &app,
        &format!(
            "== all/b.yaml\n{}---\n{}== shop/web/b.yaml\n{}",
            map("b", "2"),
            map("c", "2"),
            map("b", "3").replace("name: b", "name: b, namespace: shop"),
        ),
        "ConfigMap/a a.yaml:1 1\nConfigMap/c overlay:all/b.yaml:3 2\nConfigMap/shop/b overlay:shop/web/b.yaml:1 3\ncomplete",
    );
}

#[test]
fn an_object_for_the_one_is_reached_by_its_own_patches_alone() {
    let app = format!("== a.yaml\n{}", map("a", "{x: 1}"));
    check(
        &app,
        &format!(
            "== all/patches/p.yaml\n{}---\n{}== shop/web/b.yaml\n{}== shop/web/patches/p.yaml\n{}",
            map("a", "{x: 2}"),
            map("b", "{x: 2, y: 2}"),
            map("b", "{x: 3}"),
            map("b", "{z: 4}"),
        ),
        "ConfigMap/a a.yaml:1 {\"x\":2}\nConfigMap/b overlay:shop/web/b.yaml:1 {\"x\":3,\"z\":4}\ncomplete",
    );
}

#[test]
fn patches_are_merged_by_identity_and_the_specific_one_wins() {
    let app = format!("== a.yaml\n{}", map("a", "{x: 1, y: 1, z: 1}"));
    let overlay = format!(
        "== shop/web/patches/p.yaml\n{}== all/patches/p.yaml\n{}",
        map("a", "{y: 3}"),
        map("a", "{y: 2, z: null}"),
    );
    check(
        &app,
        &overlay,
        "ConfigMap/a a.yaml:1 {\"x\":1,\"y\":3}\ncomplete",
    );
}

#[test]
fn a_patch_reaches_what_the_overlay_adds_and_may_delete() {
    let app = format!("== a.yaml\n{}---\n{}", map("a", "1"), map("gone", "1"));
    let overlay = format!(
        "== all/b.yaml\n{}== shop/web/patches/p.yaml\n{}---\n{{apiVersion: v1, kind: ConfigMap, metadata: {{name: gone, namespace: shop}}, $patch: delete}}\n",
        map("b", "{x: 1}"),
        map("b", "{x: 2}"),
    );
    check(
        &app,
        &overlay,
        "ConfigMap/a a.yaml:1 1\nConfigMap/b overlay:all/b.yaml:1 {\"x\":2}\ncomplete",
    );
}

#[test]
fn a_patch_without_target_is_nothing_in_all_and_an_error_elsewhere() {
    let app = format!("== a.yaml\n{}", map("a", "1"));
    check(
        &app,
        &format!("== all/patches/p.yaml\n{}", map("z", "1")),
        "ConfigMap/a a.yaml:1 1\ncomplete",
    );
    check(
        &app,
        &format!("== shop/web/patches/p.yaml\n{}", map("z", "1")),
        "ConfigMap/a a.yaml:1 1\nPatchWithoutTarget: overlay:shop/web/patches/p.yaml:1: the patch finds no `ConfigMap/z`",
    );
    let elsewhere = map("a", "2").replace("name: a", "name: a, namespace: other");
    check(
        &app,
        &format!("== shop/web/patches/p.yaml\n{elsewhere}"),
        "ConfigMap/a a.yaml:1 1\nPatchWithoutTarget: overlay:shop/web/patches/p.yaml:1: the patch finds no `ConfigMap/other/a`",
    );
}

#[test]
fn a_patch_of_another_version_keeps_the_version() {
    let app = "== a.yaml\n{apiVersion: x.io/v2, kind: W, metadata: {name: a}, data: {l: [1]}}\n";
    let overlay = "== all/patches/p.yaml\n{apiVersion: x.io/v1, kind: W, metadata: {name: a}, data: {l: [2]}}\n";
    let rendering = render(
        &Subject {
            namespace: "shop",
            name: "web",
        },
        tree(app),
        Some(&Overlay {
            files: tree(overlay),
        }),
    );
    assert_eq!(rendering.manifests[0].api_version(), "x.io/v2");
    assert_eq!(
        rendering.manifests[0].value()["data"]["l"],
        serde_json::json!([2])
    );
}

#[test]
fn a_patch_that_cannot_be_merged_costs_its_object() {
    let app = format!(
        "== a.yaml\n{}---\n{}",
        map("a", "{env: [{name: A}]}"),
        map("b", "1")
    );
    let overlay = format!("== all/patches/p.yaml\n{}", map("a", "{env: [{x: 1}]}"));
    check(
        &app,
        &overlay,
        "ConfigMap/b a.yaml:3 1\nPatchInvalid: overlay:all/patches/p.yaml:1: an item of `env` in the patch has no `name`; `ConfigMap/a` of a.yaml:1 is left out",
    );
}

#[test]
fn a_patch_that_cannot_be_read_refuses_everything() {
    let app = format!("== a.yaml\n{}", map("a", "1"));
    check(
        &app,
        "== all/patches/p.yaml\na: [\n",
        "refused PatchUnreadable: overlay:all/patches/p.yaml:1: not valid YAML: unclosed bracket '['; without the patch nothing is applied",
    );
}

#[test]
fn a_broken_overlay_object_costs_its_file() {
    let app = format!("== a.yaml\n{}", map("a", "1"));
    check(
        &app,
        "== all/b.yaml\nkind: X\n",
        "ConfigMap/a a.yaml:1 1\nNoApiVersion: overlay:all/b.yaml:1: the document has no `apiVersion`",
    );
}

#[test]
fn an_overlay_obeys_the_file_rules() {
    let app = format!("== a.yaml\n{}", map("a", "1"));
    check(
        &app,
        "== all/Chart.yaml\nx: 1\n",
        "refused HelmChart: `overlay:all/Chart.yaml` is a Helm chart; commit what `helm template` prints, or exclude it in `.shipwayignore`",
    );
    check(
        &app,
        "== shop/other/Chart.yaml\nx: 1\n",
        "ConfigMap/a a.yaml:1 1\ncomplete",
    );
    check(
        &app,
        "== shop/web\n-> ../../etc\n",
        "refused LinkOut: the link `overlay:shop/web` leads out of the tree",
    );
    check(
        &app,
        "== all\n-> base\n",
        "ConfigMap/a a.yaml:1 1\nLinkNotFollowed: overlay:all: links are not followed; put the file here, or exclude the link in `.shipwayignore`",
    );
    check(
        &app,
        "== .shipwayignore\n*\n== all/b.yaml\nkind: X\n",
        "ConfigMap/a a.yaml:1 1\ncomplete",
    );
    check(
        &app,
        &format!(
            "== .shipwayignore\n/all/*.tmpl.yaml\n**/patches/old.yaml\n== all/b.tmpl.yaml\nkind: [\n== all/b.yaml\n{}== shop/web/b.tmpl.yaml\n{}== shop/web/patches/old.yaml\nkind: [\n== all/.shipwayignore\n*\n",
            map("b", "2"),
            map("c", "3"),
        ),
        "ConfigMap/a a.yaml:1 1\nConfigMap/b overlay:all/b.yaml:1 2\nConfigMap/c overlay:shop/web/b.tmpl.yaml:1 3\ncomplete",
    );
}
