//! Texts and what is said about them, in the words of kube-apiserver v1.36.3.

use serde_json::json;

use super::*;
use crate::schema::builtin::Builtin;

fn read(kind: (&str, &str, &str), text: &str) -> Result<Decoded, String> {
    let builtin = Builtin::load();
    let of = builtin.by_gvk(kind.0, kind.1, kind.2);
    assert!(of.is_some(), "{kind:?} is there");
    decode(&builtin.schema, of, text.as_bytes())
}

const DEPLOYMENT: (&str, &str, &str) = ("apps", "v1", "Deployment");
const POD: (&str, &str, &str) = ("", "v1", "Pod");
const CONFIG_MAP: (&str, &str, &str) = ("", "v1", "ConfigMap");

fn told(decoded: &Decoded) -> String {
    let faults: Vec<String> = decoded.faults.iter().map(Fault::to_string).collect();
    faults.join(", ")
}

#[test]
fn fields_that_are_unknown_or_come_twice_are_told_in_order() {
    for (kind, text, wanted) in [
        (CONFIG_MAP, r#"{"data":{"a":"1"}}"#, ""),
        (
            CONFIG_MAP,
            r#"{"dta":{"a":"1"},"data":{"a":"1","a":"2"}}"#,
            r#"unknown field "dta", duplicate field "data.a""#,
        ),
        (
            DEPLOYMENT,
            r#"{"spec":{"template":{"spec":{"containers":[{"name":"a"},{"imag":"x","name":"b","name":"c"}]}},"replicas":1,"replicas":null,"Replicas":2}}"#,
            r#"unknown field "spec.template.spec.containers[1].imag", duplicate field "spec.template.spec.containers[1].name", duplicate field "spec.replicas", unknown field "spec.Replicas""#,
        ),
        // Each is told once, and inside what is unknown nothing is.
        (
            POD,
            r#"{"x":{"y":1,"y":2},"x":3,"metadata":{"labels":{"a.b/c":"1","a.b/c":"2"}}}"#,
            r#"unknown field "x", duplicate field "metadata.labels.a.b/c""#,
        ),
    ] {
        let decoded = read(kind, text).expect("the text is an object");
        let faults: Vec<String> = decoded.faults.iter().map(Fault::to_string).collect();
        assert_eq!(faults.join(", "), wanted);
    }
}

#[test]
fn what_is_unknown_or_null_is_dropped_and_the_last_one_counts() {
    let text = r#"{"kind":"ConfigMap","x":1,"data":{"a":"1","a":"2"},"immutable":null}"#;
    let decoded = read(CONFIG_MAP, text).expect("the text is an object");
    assert_eq!(
        decoded.value,
        json!({"kind": "ConfigMap", "data": {"a": "2"}})
    );
}

#[test]
fn values_of_another_type_are_refused_in_words_of_go() {
    for (kind, text, wanted) in [
        (
            DEPLOYMENT,
            r#"{"spec":{"replicas":"3"}}"#,
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            DEPLOYMENT,
            r#"{"spec":{"replicas":1.5}}"#,
            "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            DEPLOYMENT,
            r#"{"spec":{"replicas":99999999999}}"#,
            "json: cannot unmarshal number 99999999999 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            POD,
            r#"{"spec":{"containers":{"name":"a"}}}"#,
            "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container",
        ),
        (
            POD,
            r#"{"spec":{"containers":["a"]}}"#,
            "json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type v1.Container",
        ),
        (
            POD,
            r#"{"metadata":{"labels":{"a":1}}}"#,
            "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
        ),
        (
            POD,
            r#"{"spec":[]}"#,
            "json: cannot unmarshal array into Go struct field Pod.spec of type v1.PodSpec",
        ),
        // The first one is told, and nothing of what would be a warning.
        (
            CONFIG_MAP,
            r#"{"x":1,"data":{"a":true},"immutable":"yes"}"#,
            "json: cannot unmarshal bool into Go struct field ConfigMap.data of type string",
        ),
        (
            CONFIG_MAP,
            r#"{"binaryData":{"a":"%"}}"#,
            "illegal base64 data at input byte 0",
        ),
        (
            POD,
            r#"{"spec":{"containers":[{"resources":{"limits":{"cpu":"1x"}}}]}}"#,
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
        (
            POD,
            r#"{"spec":{"containers":[{"resources":{"limits":{"cpu":"1kk"}}}]}}"#,
            "unable to parse quantity's suffix",
        ),
        (
            POD,
            r#"{"metadata":{"creationTimestamp":"yesterday"}}"#,
            r#"parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006""#,
        ),
        (
            ("coordination.k8s.io", "v1", "Lease"),
            r#"{"spec":{"renewTime":"2026-01-02T03:04:05Z"}}"#,
            r#"parsing time "2026-01-02T03:04:05Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000""#,
        ),
        (
            POD,
            r#"{"metadata":{"creationTimestamp":5}}"#,
            "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.creationTimestamp of type string",
        ),
        (
            ("", "v1", "Service"),
            r#"{"spec":{"ports":[{"targetPort":true}]}}"#,
            "json: cannot unmarshal bool into Go struct field ServicePort.spec.ports.targetPort of type int32",
        ),
        (
            ("", "v1", "Secret"),
            r#"{"data":{"a":"YWJ"}}"#,
            "illegal base64 data at input byte 0",
        ),
        (
            ("", "v1", "Secret"),
            r#"{"data":{"a":5}}"#,
            "json: cannot unmarshal number into Go struct field Secret.data of type []uint8",
        ),
    ] {
        assert_eq!(read(kind, text).map(|_| ()), Err(wanted.to_owned()));
    }
}

#[test]
fn texts_that_are_broken_or_too_deep_are_refused() {
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(200), "]".repeat(200));
    assert!(decode(&Schema::default(), None, deep.as_bytes()).is_err());
    for text in ["", "{", r#"{"data":{}"#, "{} x"] {
        assert!(read(CONFIG_MAP, text).is_err(), "{text}");
    }
}

#[test]
fn without_a_type_only_what_comes_twice_is_told() {
    let text = br#"{"spec":{"a":1,"a":[{"b":1,"b":null}]}}"#;
    let decoded = decode(&Schema::default(), None, text).expect("the text is an object");
    assert_eq!(
        told(&decoded),
        r#"duplicate field "spec.a", duplicate field "spec.a[0].b""#
    );
    assert_eq!(decoded.value, json!({"spec": {"a": [{"b": null}]}}));
}

#[test]
fn faults_are_limited() {
    let fields: Vec<String> = (0..500).map(|at| format!("\"x{at}\":1")).collect();
    let decoded = read(CONFIG_MAP, &format!("{{{}}}", fields.join(","))).expect("an object");
    assert_eq!(decoded.faults.len(), MAX_FAULTS);
}

#[test]
fn values_that_were_read_before_are_checked_alike() {
    let builtin = Builtin::load();
    let of = builtin.by_gvk("", "v1", "ConfigMap");
    let decoded = decode_value(&builtin.schema, of, json!({"data": {"a": "1"}, "dta": {}}));
    let decoded = decoded.expect("an object");
    assert_eq!(told(&decoded), "unknown field \"dta\"");
    assert_eq!(decoded.value, json!({"data": {"a": "1"}}));
}

#[test]
fn line_breaks_in_bytes_are_left_out() {
    let decoded = read(("", "v1", "Secret"), r#"{"data":{"a":"YW\nJj"}}"#).expect("an object");
    assert_eq!(decoded.value, json!({"data": {"a": "YWJj"}}));
}
