//! `shipway supply-chain test`: it needs no cluster, so that these run without one.
#![expect(
    clippy::disallowed_methods,
    reason = "the program is started where no cluster is known"
)]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use suite::program;
use tempfile::TempDir;

/// Runs the command in a folder: exit code, output, errors.
fn test(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(program());
    command.args(["supply-chain", "test"]).args(arguments);
    command.current_dir(folder);
    command.env_remove("KUBECONFIG").env("HOME", folder);
    let output = command.output().expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().unwrap_or(-1);
    (code, text(&output.stdout), text(&output.stderr))
}

const TEMPLATE: &str = "
apiVersion: carto.run/v1alpha1
kind: ClusterTemplate
metadata: {name: greeting}
spec:
  params: [{name: word, default: hello}]
  template:
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: $(workload.metadata.name)$}
    data: {text: $(params.word)$ $(sources.src.url)$}
";
const WORKLOAD: &str = "
apiVersion: carto.run/v1alpha1
kind: Workload
metadata: {name: shop, namespace: dev, labels: {type: web}}
spec: {}
";
const EXPECTED: &str = "
apiVersion: v1
kind: ConfigMap
metadata: {name: shop}
data: {text: hello one}
";
const INFO: &str = "
metadata: {name: above}
given: {mockSupplyChain: {blueprintInputs: {sources: {src: {url: one}}}}}
compareOptions: {ignoreMetadata: true}
";

/// A folder of cases with these files beside what all of them have.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("there is room");
    let all = [
        ("cases/template.yaml", TEMPLATE),
        ("cases/workload.yaml", WORKLOAD),
        ("cases/expected.yaml", EXPECTED),
        ("cases/info.yaml", INFO),
    ];
    for (path, text) in all.iter().chain(files) {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("it is in the folder")).expect("there is room");
        fs::write(path, text).expect("there is room");
    }
    folder
}

/// What the cases of a folder print, and how many fail.
#[track_caller]
fn check(files: &[(&str, &str)], failed: usize, shown: &str) {
    let (code, out, errors) = test(folder(files).path(), &["cases"]);
    assert_eq!(out, shown, "{errors}");
    assert_eq!(code, i32::from(failed > 0), "{errors}");
    assert_eq!(errors.contains("failed"), failed > 0, "{errors}");
}

#[test]
fn the_cases_of_the_example_pass() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/supply-chain");
    let (code, out, errors) = test(&example, &["tests"]);
    assert_eq!(
        out,
        "PASS tests/alone (an image is built of what was tested)\n\
         PASS tests/chain/config (the specification has the Workload's variables and replicas)\n\
         PASS tests/chain/source (the source is that of the Workload)\n\
         PASS tests/chain/test (the tests run for the source's revision)\n\
         PASS tests/options/large (a field chooses the large size)\n\
         PASS tests/options/small (a label chooses the small size)\n\
         PASS tests/values (a template file that is ytt itself)\n"
    );
    assert_eq!((code, errors.as_str()), (0, "7 passed\n"));
}

#[test]
fn what_differs_is_shown_line_by_line() {
    check(
        &[
            ("cases/as-above/info.yaml", "{}"),
            (
                "cases/other/info.yaml",
                "metadata: {name: other word, description: It is not hello.}\n\
                 given: {mockSupplyChain: {blueprintParams: [{name: word, value: good day}]}}",
            ),
        ],
        1,
        "PASS cases/as-above\n\
         FAIL cases/other (other word): what is stamped (+) is not what is expected (-)\n  \
           It is not hello.\n  \
         \x20 apiVersion: v1\n  \
         \x20 kind: ConfigMap\n  \
         \x20 data:\n  \
         -   text: hello one\n  \
         +   text: good day one\n",
    );
}

#[test]
fn a_case_that_cannot_be_stamped_says_why_and_spoils_no_other() {
    let chain = "
apiVersion: carto.run/v1alpha1
kind: ClusterSupplyChain
metadata: {name: chain}
spec:
  selector: {type: web}
  resources:
  - {name: greet, templateRef: {kind: ClusterTemplate, name: other}}
";
    let invalid = chain.replace("selector: {type: web}", "params: []");
    check(
        &[
            ("cases/a-fine/info.yaml", "{}"),
            ("cases/b-key/info.yaml", "given: {wrkload: w.yaml}"),
            ("cases/c-file/info.yaml", "given: {workload: w.yaml}"),
            (
                "cases/d-input/info.yaml",
                "given: {mockSupplyChain: {blueprintInputs: {}}}",
            ),
            ("cases/e-chain/supply-chain.yaml", chain),
            ("cases/f-target/supply-chain.yaml", chain),
            (
                "cases/f-target/info.yaml",
                "given: {supplyChain: {targetResourceName: great}}",
            ),
            ("cases/g-invalid/supply-chain.yaml", &invalid),
        ],
        6,
        "PASS cases/a-fine\n\
         FAIL cases/b-key: `cases/b-key/info.yaml`: unknown key `given.wrkload`\n  \
           hint: what can stand there: template, workload, mockSupplyChain, supplyChain\n\
         FAIL cases/c-file: `cases/c-file/info.yaml`, `given.workload`: could not read `cases/c-file/w.yaml`: \
         No such file or directory (os error 2)\n  \
           hint: a path is relative to the folder of its info.yaml\n\
         FAIL cases/d-input: failed to recursively evaluate template: failed to interpolate template at path \
         [data.text]: interpolate tag: evaluate jsonpath: jsonpath returned empty list: sources.src.url\n  \
           hint: `sources` has no `src`, nor anything else\n\
         FAIL cases/e-chain: no resource of supply chain `chain` takes ClusterTemplate/greeting for the Workload\n  \
           hint: `greet` takes ClusterTemplate/other\n\
         FAIL cases/f-target: supply chain `chain` has no resource `great`\n  \
           hint: it has greet\n\
         FAIL cases/g-invalid: `cases/g-invalid/supply-chain.yaml`: error validating clustersupplychain [chain]: \
         at least one selector, selectorMatchExpression, selectorMatchField must be specified\n",
    );
}

#[test]
fn files_may_be_ytt_as_far_as_it_is_known() {
    let template = TEMPLATE
        .replace("hello", "#@ data.values.word")
        .replace(
            "\napiVersion: carto",
            "# a plain comment\n#@ load('@ytt:data', 'data')\n---\napiVersion: carto",
        )
        .replace(
            "[{name: word, default: #@ data.values.word}]",
            "\n  - name: word\n    default: #@ data.values.word",
        );
    let ytt = "
apiVersion: carto.run/v1alpha1
kind: ClusterTemplate
metadata: {name: greeting}
spec:
  ytt: |
    #@ load('@ytt:data', 'data')
    apiVersion: v1
    kind: ConfigMap
    metadata:
      name: shop
    data:
      text: #@ 'hello ' + data.values.sources.src.ur
";
    check(
        &[
            ("cases/a-values/template.yaml", &template),
            (
                "cases/a-values/template-ytt-values.yaml",
                "#@data/values\n---\nword: hello\n",
            ),
            ("cases/b-schema/template.yaml", &template),
            (
                "cases/b-schema/template-ytt-values.yaml",
                "#@data/values-schema\n---\nword: hello\n",
            ),
            ("cases/c-missing/template.yaml", &template),
            (
                "cases/c-missing/info.yaml",
                "given: {template: {yttPath: v.yaml}}",
            ),
            ("cases/c-missing/v.yaml", "wort: hello"),
            (
                "cases/d-spec/template.yaml",
                &ytt.replace(".ur\n", ".url\n"),
            ),
            ("cases/e-failing/template.yaml", ytt),
        ],
        3,
        "PASS cases/a-values\n\
         FAIL cases/b-schema: cases/b-schema/template-ytt-values.yaml:1:1: the annotation `@data/values-schema` is \
         not supported in a file of data values\n  \
           hint: docs/ytt.md says what is known of ytt\n\
         FAIL cases/c-missing: cases/c-missing/template.yaml:10:17: struct has no .word field or method \
         (did you mean .wort?)\n  \
           hint: its data values are those of `cases/c-missing/v.yaml`\n\
         PASS cases/d-spec\n\
         FAIL cases/e-failing: unable to apply ytt template: ClusterTemplate/greeting spec.ytt:7:23: struct has no \
         .ur field or method (did you mean .url?)\n",
    );
}

#[test]
fn only_focused_cases_run_and_that_is_said() {
    let folder = folder(&[
        ("cases/a/info.yaml", "focus: true"),
        ("cases/b/expected.yaml", "kind: Other"),
    ]);
    let (code, out, errors) = test(folder.path(), &["cases"]);
    assert_eq!((code, out.as_str()), (1, "PASS cases/a\n"));
    let said = "1 passed\nonly the 1 of 2 cases with `focus` ran, and the exit code is 1, so that none is left by mistake\n";
    assert_eq!(errors, said);
}

#[test]
fn programs_get_a_list_of_results() {
    let folder = folder(&[
        ("cases/a/info.yaml", "metadata: {name: one}"),
        ("cases/b/expected.yaml", "kind: Other"),
        ("cases/c/info.yaml", "given: {workload: w.yaml}"),
    ]);
    let (code, out, _) = test(folder.path(), &["cases", "-o", "json"]);
    let results: Value = serde_json::from_str(&out).expect("it is JSON");
    assert_eq!(code, 1);
    assert_eq!(
        results[0],
        json!({"case": "cases/a", "name": "one", "passed": true})
    );
    assert_eq!(
        results[1],
        json!({"case": "cases/b", "passed": false, "diff": [
            "- kind: Other", "+ apiVersion: v1", "+ kind: ConfigMap", "+ data:", "+   text: hello one",
        ]})
    );
    assert_eq!(
        results[2]["hint"],
        "a path is relative to the folder of its info.yaml"
    );
    let (_, out, _) = test(folder.path(), &["cases/a", "cases", "-o", "name"]);
    assert_eq!(out, "cases/a\ncases/a\ncases/b\ncases/c\n");
}

#[test]
fn what_is_no_folder_of_cases_is_refused() {
    let folder = folder(&[("docs/README", "")]);
    for (arguments, code, why) in [
        (&[][..], 64, "FOLDER"),
        (
            &["cases", "--context", "a"],
            64,
            "`supply-chain test` has no use for --context",
        ),
        (&["gone"], 2, "`gone` is no folder"),
        (&["cases", "docs"], 2, "`docs` has no cases"),
    ] {
        let (is, out, errors) = test(folder.path(), arguments);
        assert_eq!((is, out.as_str()), (code, ""), "{arguments:?}: {errors}");
        assert!(errors.contains(why), "{arguments:?}: {errors}");
    }
}
