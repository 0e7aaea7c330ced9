//! What folders say becomes one case.

use std::fs;

use choreography::context::Output;
use serde_json::json;
use tempfile::TempDir;

use super::*;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("there is room");
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("it is in the folder")).expect("there is room");
        fs::write(path, text).expect("there is room");
    }
    folder
}

/// What the folders on the way say, the first one above all.
fn read(folder: &TempDir, way: &[&str]) -> Result<Case, Wrong> {
    let mut place = folder.path().to_owned();
    let mut case = Case::default().within(&place)?;
    for name in way {
        place.push(name);
        case = case.within(&place)?;
    }
    Ok(case)
}

/// A path, from the folder.
fn shown(folder: &TempDir, file: Option<&Named>) -> String {
    let path = file.map(|file| file.path.strip_prefix(folder.path()).expect("it is there"));
    path.map(|path| path.display().to_string())
        .unwrap_or_default()
}

#[track_caller]
fn check_wrong(info: &str, why: &str) {
    let folder = folder(&[("info.yaml", info)]);
    let wrong = read(&folder, &[]).expect_err("it is wrong");
    let place = format!("{}/", folder.path().display());
    assert_eq!(wrong.why.replace(&place, ""), why);
}

#[test]
fn files_are_found_by_their_names_or_named() {
    let folder = folder(&[
        ("template.yaml", ""),
        ("workload.yaml", ""),
        ("expected.yaml", ""),
        ("template-ytt-values.yaml", ""),
        ("supply-chain.yaml", ""),
        ("supply-chain-2.yaml", ""),
        ("supply-chain-ytt-values.yaml", ""),
        ("supply-chain.txt", ""),
        (
            "other/info.yaml",
            "expected: is.yaml\ngiven: {workload: ../w.yaml, template: {path: t.yaml, yttPath: v.yaml, name: t}}",
        ),
    ]);
    let case = read(&folder, &[]).expect("it can be read");
    let chains: Vec<String> = case
        .chain
        .paths
        .iter()
        .map(|file| shown(&folder, Some(file)))
        .collect();
    assert_eq!(chains, ["supply-chain-2.yaml", "supply-chain.yaml"]);
    assert_eq!(case.with, With::Chain);
    let files = |case: &Case| {
        let Case {
            template,
            workload,
            expected,
            ..
        } = case;
        let files = [
            &template.file,
            &template.values,
            workload,
            expected,
            &case.chain.values,
        ];
        files.map(|file| shown(&folder, file.as_ref())).join(" ")
    };
    assert_eq!(
        files(&case),
        "template.yaml template-ytt-values.yaml workload.yaml expected.yaml supply-chain-ytt-values.yaml"
    );
    let case = read(&folder, &["other"]).expect("it can be read");
    assert_eq!(
        files(&case),
        "other/t.yaml other/v.yaml other/../w.yaml other/is.yaml supply-chain-ytt-values.yaml"
    );
    assert_eq!(case.template.name.as_deref(), Some("t"));
}

#[test]
fn a_folder_says_more_than_those_above_it() {
    let above = "
metadata: {name: all, description: of them}
focus: true
given:
  mockSupplyChain:
    blueprintInputs: {sources: {src: {url: one, revision: 1}}}
    blueprintParams: [{name: a, value: 1}]
compareOptions: {ignoreLabels: true}
";
    let folder = folder(&[
        ("info.yaml", above),
        (
            "a/info.yaml",
            "given: {mockSupplyChain: {blueprintParams: [{name: b, default: 2}]}}",
        ),
        (
            "b/info.yaml",
            "focus: false\ncompareOptions: {ignoreLabels: false}",
        ),
        ("c/supply-chain.yaml", ""),
        (
            "c/d/info.yaml",
            "given: {supplyChain: {targetResourceName: r}}",
        ),
        (
            "c/e/info.yaml",
            "given: {mockSupplyChain: {blueprintParams: []}}",
        ),
    ]);
    let a = read(&folder, &["a"]).expect("it can be read");
    assert_eq!((a.name, a.description, a.is_focused), (None, None, true));
    assert_eq!(a.mock.params[0].name, "b");
    let source = Output::Source {
        url: json!("one"),
        revision: json!(1),
    };
    assert_eq!(a.mock.inputs.source("src"), Some(source));
    let b = read(&folder, &["b"]).expect("it can be read");
    assert!(!b.is_focused && b.compare != a.compare);
    assert_eq!((b.with, b.mock.params.len()), (With::Mock, 1));
    let d = read(&folder, &["c", "d"]).expect("it can be read");
    assert_eq!((d.with, d.chain.paths.len()), (With::Chain, 1));
    assert_eq!(d.chain.target.as_deref(), Some("r"));
    let e = read(&folder, &["c", "e"]).expect("it can be read");
    assert_eq!((e.with, e.mock.params.len()), (With::Mock, 0));
}

#[test]
fn outputs_of_others_are_of_one_kind_each() {
    let info = "given: {supplyChain: {previousOutputs: {
        git: {source: {url: u}}, build: {image: i}, render: {config: {a: 1}}}}}";
    let folder = folder(&[("info.yaml", info)]);
    let case = read(&folder, &[]).expect("it can be read");
    let outputs: Vec<Output> = case.chain.outputs.into_values().collect();
    let source = Output::Source {
        url: json!("u"),
        revision: Value::Null,
    };
    let expected = [
        Output::Image(json!("i")),
        source,
        Output::Config(json!({"a": 1})),
    ];
    assert_eq!(outputs, expected);
    check_wrong(
        "given: {supplyChain: {previousOutputs: {git: {image: i, config: c}}}}",
        "`info.yaml`: `given.supplyChain.previousOutputs.git` has to be one of `source`, `image` and `config`: \
         a resource gives one thing",
    );
}

#[test]
fn paths_are_beside_their_info_or_where_the_command_runs() {
    let folder = folder(&[
        ("chains/a.yaml", ""),
        (
            "case/info.yaml",
            "given: {supplyChain: {paths: [../chains, Cargo.toml, gone.yaml]}}",
        ),
    ]);
    let case = read(&folder, &["case"]).expect("it can be read");
    let paths: Vec<_> = case.chain.paths.iter().map(|file| &file.path).collect();
    let here = folder.path().join("case");
    assert_eq!(
        paths,
        [
            &here.join("../chains"),
            &PathBuf::from("Cargo.toml"),
            &here.join("gone.yaml")
        ]
    );
}

#[test]
fn what_is_wrong_with_an_info_is_told_with_file_and_key() {
    check_wrong(
        "given: {template: {pth: a}}",
        "`info.yaml`: unknown key `given.template.pth`",
    );
    check_wrong("focus: often", "`info.yaml`: `focus` is not true or false");
    check_wrong("- a", "`info.yaml`: it is no mapping");
    check_wrong("a: [", "info.yaml:1: not valid YAML: unclosed bracket '['");
    check_wrong(
        "given: {mockSupplyChain: {blueprintParams: [{name: a, value: 1, default: 2}]}}",
        "`info.yaml`: `given.mockSupplyChain.blueprintParams[0]` needs either a `value` or a `default`",
    );
    check_wrong(
        "given: {mockSupplyChain: {blueprintInputs: {image: {}}}}",
        "`info.yaml`: unknown key `given.mockSupplyChain.blueprintInputs.image`",
    );
    check_wrong(
        "{}\n---\n{}",
        "`info.yaml` has several documents, and one is read",
    );
}

#[test]
fn a_supply_chain_is_there_or_mocked() {
    let folder = folder(&[
        (
            "info.yaml",
            "given: {mockSupplyChain: {blueprintParams: []}}",
        ),
        ("supply-chain.yaml", ""),
    ]);
    let wrong = read(&folder, &[]).expect_err("it is both");
    assert!(
        wrong
            .why
            .ends_with("has both a supply chain and a mocked one"),
        "{}",
        wrong.why
    );
}
