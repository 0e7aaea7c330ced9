//! What the genuine kube-apiserver v1.36.3 answered is data beside this file; here it is asked again.
//!
//! Upstream walks maps in no order, so that faults are compared as sets. Where it shows values by
//! names of its own code, only what it says of them is compared.

use serde_json::{Value, json};

use super::*;
use crate::status::{About, Status};

const DEFINITIONS: &str = include_str!("tests/definitions.json");
const OBJECTS: &str = include_str!("tests/objects.json");
const UPDATES: &str = include_str!("tests/updates.json");

fn data(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap_or_default()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

/// Faults as `reason field: message`, sorted; of messages that show values of many parts the end.
fn causes(reply: &Value) -> Vec<String> {
    let mut causes: Vec<String> = list(&reply["details"], "causes")
        .iter()
        .map(|cause| {
            let message = cause["message"].as_str().unwrap_or_default();
            let shown = ["[{", "{"]
                .iter()
                .any(|start| message.starts_with(&format!("Invalid value: {start}")));
            let message = if shown {
                message
                    .rsplit_once("}: ")
                    .or_else(|| message.rsplit_once("}]: "))
                    .map_or(message, |it| it.1)
            } else {
                message
            };
            // Why a pattern is none, every library says in its own words.
            let message = message
                .split(": error parsing regexp")
                .next()
                .unwrap_or_default();
            format!("{} {}: {message}", cause["reason"], cause["field"])
        })
        .collect();
    causes.sort();
    causes
}

/// Go writes numbers without a fraction as whole ones; here that is left to the encoder.
fn whole(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            let text = format!("{}", number.as_f64().unwrap_or_default());
            serde_json::from_str(&text).unwrap_or_else(|_| value.clone())
        }
        Value::Array(items) => items.iter().map(whole).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.clone(), whole(value)))
            .collect(),
        _ => value.clone(),
    }
}

/// What differs, case by case.
#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn check(&mut self, name: &Value, own: &Value, genuine: &Value) {
        if whole(own) != whole(genuine) {
            let line = format!("{name}:\n  own     {own}\n  genuine {genuine}");
            self.0.push(line);
        }
    }

    #[track_caller]
    fn none(self) {
        assert!(self.0.is_empty(), "{}", self.0.join("\n"));
    }

    fn faults(
        &mut self,
        name: &Value,
        (about, of): (About<'_>, &str),
        errors: &[FieldError],
        case: &Value,
    ) {
        let reply = &case["reply"];
        let own = Status::invalid(about, of, errors).to_json();
        self.check(name, &json!(422), &case["code"]);
        self.check(name, &json!(causes(&own)), &json!(causes(reply)));
        let whole = |reply: &Value| {
            let message = reply["message"].as_str().unwrap_or_default();
            let parts = ["error parsing", "Invalid value: {", "Invalid value: [{"];
            !parts.iter().any(|part| message.contains(part))
        };
        if errors.len() == 1 && whole(&own) && whole(reply) {
            self.check(name, &own, reply);
        }
    }
}

const DEFINITION: About<'static> = About {
    group: "apiextensions.k8s.io",
    resource: "customresourcedefinitions",
    kind: "CustomResourceDefinition",
};

#[test]
fn definitions_are_accepted_and_refused_as_by_the_genuine_server() {
    let mut differences = Differences::default();
    for case in data(DEFINITIONS) {
        let name = &case["name"];
        let mut object = case["definition"].clone();
        prepare_create(&mut object);
        match Definition::parse(&object) {
            Ok(_) => {
                differences.check(name, &json!(201), &case["code"]);
                differences.check(name, &object["spec"], &case["spec"]);
                differences.check(name, &object["status"], &case["status"]);
                let mut warnings = Definition::warnings(&object, None);
                warnings.sort();
                differences.check(name, &json!(warnings), &json!(list(&case, "warnings")));
            }
            Err(errors) => {
                let of = object["metadata"]["name"].as_str().unwrap_or_default();
                differences.faults(name, (DEFINITION, of), &errors, &case);
            }
        }
    }
    differences.none();
}

fn definition(object: &Value) -> Definition {
    let mut object = object.clone();
    prepare_create(&mut object);
    Definition::parse(&object).expect("a definition of the genuine server")
}

fn about(definition: &Definition) -> About<'_> {
    About {
        group: &definition.group,
        resource: &definition.plural,
        kind: &definition.versions[0].kind,
    }
}

/// A write as the server does it, but for what belongs to storing.
fn create(version: &Version, object: &mut Value) -> Result<Vec<String>, Value> {
    let mut warnings = version.decode(object).map_err(|why| {
        let Version { kind, name, .. } = version;
        let why = format!("{kind} in version {name:?} cannot be handled as a {kind}: {why}");
        Status::bad_request(why).to_json()
    })?;
    if object["metadata"].get("namespace").is_none() {
        object["metadata"]["namespace"] = json!("default");
    }
    for name in [
        "uid",
        "creationTimestamp",
        "managedFields",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ] {
        object["metadata"].as_object_mut().map(|it| it.remove(name));
    }
    version.prepare_create(object);
    let metadata = &object["metadata"];
    warnings.extend(crate::validate::finalizer_warnings(metadata, &Value::Null));
    Ok(warnings)
}

fn served(definition: &Definition) -> &Version {
    let mut versions = definition.versions.iter();
    versions
        .find(|version| version.served)
        .expect("one is served")
}

#[test]
fn objects_are_accepted_and_refused_as_by_the_genuine_server() {
    let mut differences = Differences::default();
    for set in data(OBJECTS) {
        let definition = definition(&set["definition"]);
        let version = served(&definition);
        for case in list(&set, "cases") {
            let (name, mut object) = (&case["name"], case["object"].clone());
            if object == "large annotations" {
                object = json!({
                    "apiVersion": version.written, "kind": version.kind,
                    "metadata": {"name": "o", "annotations": {"a": "x".repeat(256 << 10)}},
                });
            }
            let of = object["metadata"]["name"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            match create(version, &mut object) {
                Err(status) => differences.check(name, &status, &case["reply"]),
                Ok(warnings) => {
                    let errors = version.check_create(&object);
                    if errors.is_empty() {
                        differences.check(name, &json!(201), &case["code"]);
                        differences.check(name, &object, &case["stored"]);
                        differences.check(name, &json!(warnings), &case["warnings"]);
                    } else {
                        differences.faults(name, (about(&definition), &of), &errors, case);
                    }
                }
            }
        }
    }
    differences.none();
}

#[test]
fn changes_are_accepted_and_refused_as_by_the_genuine_server() {
    let mut differences = Differences::default();
    for set in data(UPDATES) {
        let definition = definition(&set["definition"]);
        let version = served(&definition);
        let old = &set["old"];
        for case in list(&set, "cases") {
            let (name, mut new) = (&case["name"], case["new"].clone());
            // Names, uids and versions that do not fit are found before.
            if ![json!(200), json!(422)].contains(&case["code"]) || name == "no resource version" {
                continue;
            }
            assert_eq!(version.decode(&mut new).ok(), Some(Vec::new()), "{name}");
            let errors = if case["subresource"] == "status" {
                Version::prepare_status_update(&mut new, old);
                crate::validate::carry_over(&mut new["metadata"], &old["metadata"]);
                version.check_status_update(&new, old)
            } else {
                version.prepare_update(&mut new, old);
                let generation = new["metadata"]["generation"].clone();
                crate::validate::carry_over(&mut new["metadata"], &old["metadata"]);
                new["metadata"]["generation"] = generation;
                version.check_update(&new, old)
            };
            if errors.is_empty() {
                differences.check(name, &json!(200), &case["code"]);
                for part in ["spec", "status"] {
                    differences.check(name, &new[part], &case["stored"][part]);
                }
                let generation = |object: &Value| object["metadata"]["generation"].clone();
                differences.check(name, &generation(&new), &generation(&case["stored"]));
            } else {
                differences.faults(name, (about(&definition), "o"), &errors, case);
            }
        }
    }
    differences.none();
}

const SHOWN: &str = include_str!("tests/shown.json");
const LIVES: &str = include_str!("tests/lives.json");

#[test]
fn tables_and_scales_are_those_of_the_genuine_server() {
    let shown: Value = serde_json::from_str(SHOWN).unwrap_or_default();
    let now = "2026-11-26T01:33:47Z".parse().expect("a time");
    let mut differences = Differences::default();
    for table in list(&shown, "tables") {
        let definition = definition(&table["definition"]);
        let version = served(&definition);
        let name = &table["definition"]["spec"]["names"]["kind"];
        let columns: Vec<Value> = version.columns().iter().map(Column::to_json).collect();
        differences.check(name, &json!(columns), &table["columns"]);
        for row in list(table, "rows") {
            let cells = json!(version.cells(&row["object"], now));
            differences.check(&row["object"]["metadata"]["name"], &cells, &row["cells"]);
        }
    }
    let definition = definition(&shown["scales"]["definition"]);
    let scale = served(&definition).scale.as_ref();
    let scale = scale.expect("it can be scaled");
    for case in list(&shown["scales"], "cases") {
        let own = scale.of(&case["object"]);
        let own = own.unwrap_or_else(|status| status.to_json());
        differences.check(&case["object"]["metadata"]["name"], &own, &case["reply"]);
    }
    differences.none();
}

/// What a definition looks like but for times.
fn timeless(definition: &Value) -> Value {
    let mut status = definition["status"].clone();
    for condition in status["conditions"].as_array_mut().into_iter().flatten() {
        condition["lastTransitionTime"] = Value::Null;
    }
    status
}

#[test]
fn definitions_live_as_on_the_genuine_server() {
    let steps = data(LIVES);
    let step = |name: &str| {
        let found = steps.iter().find(|step| step["name"] == name);
        found.expect("a step of the record")
    };
    let now = "2026-11-26T01:33:47Z";
    let settled = |mut object: Value| {
        if let Some(status) = settle(&object, now) {
            object["status"] = status;
        }
        assert_eq!(settle(&object, now), None, "settled once is settled");
        object
    };
    let mut differences = Differences::default();
    let mut compare = |own: &Value, name: &str| {
        differences.check(
            &json!(name),
            &timeless(own),
            &timeless(&step(name)["after"]),
        );
    };

    let first = "the first is established";
    let one = settled(step(first)["reply"].clone());
    compare(&one, first);

    let mut changed = one.clone();
    changed["spec"] = step("another version is stored")["reply"]["spec"].clone();
    prepare_update(&mut changed, &one);
    assert!(Definition::parse_update(&changed, &one).is_ok());
    compare(&settled(changed.clone()), "another version is stored");

    let mut shorter = changed.clone();
    shorter["spec"]["versions"]
        .as_array_mut()
        .map(|it| it.remove(0));
    prepare_update(&mut shorter, &changed);
    let errors = Definition::parse_update(&shorter, &changed)
        .err()
        .unwrap_or_default();
    let mut faults = Differences::default();
    let missing = "a stored version is missing";
    faults.faults(
        &json!(missing),
        (DEFINITION, "ones.life.example.com"),
        &errors,
        step(missing),
    );
    faults.none();

    let mut other = one.clone();
    for (path, value) in [("group", "x.example.com"), ("scope", "Cluster")] {
        other["spec"][path] = json!(value);
    }
    for (path, value) in [("kind", "Eins"), ("plural", "einse")] {
        other["spec"]["names"][path] = json!(value);
    }
    let errors = Definition::parse_update(&other, &one)
        .err()
        .unwrap_or_default();
    let mut faults = Differences::default();
    let immutable = "what may not change";
    faults.faults(
        &json!(immutable),
        (DEFINITION, "ones.life.example.com"),
        &errors,
        step(immutable),
    );
    faults.none();

    differences.none();
}

#[test]
fn a_version_warns_only_where_it_is_deprecated() {
    let refused = |deprecated: bool, warning: &str| {
        let mut object = data(DEFINITIONS)[0]["definition"].clone();
        let version = &mut object["spec"]["versions"][0];
        version["deprecated"] = json!(deprecated);
        version["deprecationWarning"] = json!(warning);
        prepare_create(&mut object);
        let errors = Definition::parse(&object).err().unwrap_or_default();
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        errors.join("; ")
    };
    let at = "spec.versions[0].deprecationWarning: Invalid value:";
    for (deprecated, warning, wanted) in [
        (true, "use v2", String::new()),
        (
            false,
            "x",
            format!("{at} \"x\": can only be set for deprecated versions"),
        ),
        (
            false,
            "",
            format!("{at} \"\": can only be set for deprecated versions"),
        ),
        (true, "", format!("{at} \"\": must not be an empty string")),
        (
            true,
            "x\ny",
            format!(
                "{at} \"x\\ny\": must only contain printable UTF-8 characters; non-printable character found at index 1"
            ),
        ),
    ] {
        assert_eq!(refused(deprecated, warning), wanted);
    }
}

#[test]
fn what_this_server_does_not_do_is_refused_and_not_ignored() {
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut object = data(DEFINITIONS)[0]["definition"].clone();
        change(&mut object["spec"]);
        prepare_create(&mut object);
        let errors = Definition::parse(&object).err().unwrap_or_default();
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        errors.join("; ")
    };
    assert_eq!(refused(&|_| {}), "");
    let second = |served: bool| {
        move |spec: &mut Value| {
            let mut second = spec["versions"][0].clone();
            second["name"] = json!("v2");
            second["storage"] = json!(false);
            second["served"] = json!(served);
            if let Some(versions) = spec["versions"].as_array_mut() {
                versions.push(second);
            }
        }
    };
    assert_eq!(
        refused(&second(false)),
        "",
        "several versions of which one is served"
    );
    assert_eq!(
        refused(&second(true)),
        "spec.versions: Forbidden: this server serves one version of a definition and converts nothing; set served to false on all others, or use a genuine kube-apiserver"
    );
    let webhook = |spec: &mut Value| {
        spec["conversion"] = json!({"strategy": "Webhook", "webhook": {
            "conversionReviewVersions": ["v1"], "clientConfig": {"url": "https://x.example.com/"},
        }});
    };
    assert_eq!(
        refused(&webhook),
        "spec.conversion.strategy: Forbidden: this server does not convert between versions; use strategy None, or a genuine kube-apiserver"
    );
    let selectable = |spec: &mut Value| {
        spec["versions"][0]["selectableFields"] = json!([{"jsonPath": ".spec.a"}]);
    };
    assert_eq!(
        refused(&selectable),
        "spec.versions[0].selectableFields: Forbidden: this server selects custom resources by name and namespace alone; remove it, or use a genuine kube-apiserver"
    );
    let expression = |spec: &mut Value| {
        let schema = &mut spec["versions"][0]["schema"]["openAPIV3Schema"];
        schema["x-kubernetes-validations"] = json!([{"rule": "self.spec.a != ''"}]);
    };
    let embedded = |spec: &mut Value| {
        let schema = &mut spec["versions"][0]["schema"]["openAPIV3Schema"];
        schema["properties"]["spec"]["x-kubernetes-embedded-resource"] = json!(true);
    };
    assert_eq!(
        refused(&embedded),
        "spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-embedded-resource: Forbidden: this server does not look into objects within others; remove it, or use a genuine kube-apiserver"
    );
    assert_eq!(
        refused(&expression),
        "spec.validation.openAPIV3Schema.x-kubernetes-validations: Forbidden: this server does not evaluate CEL expressions; remove them, or use a genuine kube-apiserver"
    );
}

#[test]
fn hostile_definitions_are_refused_in_bounds() {
    let mut schema = json!({"type": "string"});
    for _ in 0..200 {
        schema = json!({"type": "object", "properties": {"a": schema}});
    }
    let mut object = data(DEFINITIONS)[0]["definition"].clone();
    object["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = schema;
    prepare_create(&mut object);
    let errors = Definition::parse(&object).err().unwrap_or_default();
    assert_eq!(errors.len(), 1, "{errors:?}");
    for odd in [
        json!(null),
        json!([]),
        json!({"spec": []}),
        json!({"spec": {"versions": [1]}}),
    ] {
        let mut object = odd.clone();
        prepare_create(&mut object);
        prepare_update(&mut object, &odd);
        prepare_status_update(&mut object, &odd);
        assert!(Definition::parse(&object).is_err(), "{odd}");
        assert!(Definition::parse_update(&object, &odd).is_err(), "{odd}");
        settle(&object, "now");
        start_deletion(&mut object, "now");
        end(&mut object, Ended::Completed, "now");
    }
}

#[test]
fn a_deleted_definition_goes_when_its_objects_are_gone() {
    let steps = data(LIVES);
    let name = "a deleted one waits for others";
    let step = steps.iter().find(|step| step["name"] == name);
    let after = &step.expect("a step of the record")["after"];
    let now = "2026-11-26T01:33:47Z";
    let mut deleted = after.clone();
    let conditions = deleted["status"]["conditions"].as_array_mut();
    if let Some(conditions) = conditions {
        conditions.truncate(2);
    }
    deleted["metadata"]["deletionTimestamp"] = Value::Null;
    deleted["metadata"]["finalizers"] = json!(["keep.example.com/it"]);
    start_deletion(&mut deleted, now);
    let finalizers = &deleted["metadata"]["finalizers"];
    assert_eq!(
        *finalizers,
        json!(["keep.example.com/it", CLEANUP_FINALIZER])
    );
    end(&mut deleted, Ended::Started, now);
    end(&mut deleted, Ended::Completed, now);
    assert_eq!(timeless(&deleted), timeless(after));
    assert_eq!(
        deleted["metadata"]["finalizers"],
        json!(["keep.example.com/it"])
    );
}

/// A version of a definition with these fields in its spec.
fn with_spec(properties: &Value) -> Version {
    let mut object = data(DEFINITIONS)[0]["definition"].clone();
    object["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": properties}}});
    let definition = definition(&object);
    definition
        .versions
        .into_iter()
        .next()
        .expect("there is one")
}

fn object_of(version: &Version, spec: &Value) -> Value {
    json!({
        "apiVersion": version.written, "kind": version.kind,
        "metadata": {"name": "o", "namespace": "default"}, "spec": spec,
    })
}

#[test]
fn the_generation_counts_all_changes_but_those_of_metadata() {
    let version = with_spec(&json!({"a": {"type": "string"}}));
    let mut old = object_of(&version, &json!({"a": "x"}));
    old["metadata"]["generation"] = json!(3);
    for (spec, label, generation) in [("x", "", 3), ("x", "l", 3), ("y", "", 4)] {
        let mut new = object_of(&version, &json!({"a": spec}));
        new["metadata"]["labels"] = json!({"l": label});
        version.prepare_update(&mut new, &old);
        assert_eq!(new["metadata"]["generation"], generation);
    }
}
