//! Custom resources, which between them have all that a schema can say about lists, maps and fields.

use serde_json::{Value, json};

use super::{Sort, maybe, some, texts};
use crate::chance::Chance;

/// The group of the definitions.
const GROUP: &str = "differential.example.com";

/// Every type of list and map, defaults, status and scale.
pub(super) const WIDGET: Sort = Sort {
    group: GROUP,
    version: "v1",
    plural: "widgets",
    kind: "Widget",
    custom: true,
    scale: true,
    status: Some(widget_status),
    make: widget,
};

/// Rules for values, no subresources.
pub(super) const GADGET: Sort = Sort {
    plural: "gadgets",
    kind: "Gadget",
    scale: false,
    status: None,
    make: gadget,
    ..WIDGET
};

/// Fields that nobody declares are kept; lists within lists.
pub(super) const PARCEL: Sort = Sort {
    plural: "parcels",
    kind: "Parcel",
    scale: false,
    status: Some(parcel_status),
    make: parcel,
    ..WIDGET
};

/// The definitions, as they are to be created.
pub(crate) fn definitions() -> [Value; 3] {
    let subresources = json!({"status": {}, "scale": {
        "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas",
        "labelSelectorPath": ".status.selector",
    }});
    [
        definition(&WIDGET, &widget_schema(), &subresources),
        definition(&GADGET, &gadget_schema(), &json!({})),
        definition(&PARCEL, &parcel_schema(), &json!({"status": {}})),
    ]
}

fn definition(sort: &Sort, schema: &Value, subresources: &Value) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{}.{GROUP}", sort.plural)},
        "spec": {
            "group": GROUP, "scope": "Namespaced",
            "names": {"plural": sort.plural, "kind": sort.kind},
            "versions": [{
                "name": sort.version, "served": true, "storage": true,
                "schema": {"openAPIV3Schema": schema}, "subresources": subresources,
            }],
        },
    })
}

fn text() -> Value {
    json!({"type": "string"})
}

fn list(kind: &str, keys: &[&str], items: &Value) -> Value {
    let mut list = json!({"type": "array", "x-kubernetes-list-type": kind, "items": items});
    if !keys.is_empty() {
        list["x-kubernetes-list-map-keys"] = json!(keys);
    }
    list
}

fn widget_schema() -> Value {
    let named = json!({"type": "object", "required": ["name"], "properties": {
        "name": text(), "value": text(), "size": {"type": "integer", "default": 1},
        "tags": list("set", &[], &text()),
    }});
    let port = json!({"type": "object", "required": ["port"], "properties": {
        "port": {"type": "integer"}, "protocol": {"type": "string", "default": "TCP"}, "note": text(),
    }});
    let conditions = json!({"type": "object", "required": ["type", "status"], "properties": {
        "type": text(), "status": text(), "reason": text(),
    }});
    json!({"type": "object", "properties": {
        "spec": {"type": "object", "properties": {
            "replicas": {"type": "integer", "default": 1, "minimum": 0},
            "limit": {"x-kubernetes-int-or-string": true},
            "color": {"type": "string", "enum": ["red", "green"], "default": "red"},
            "ordered": list("atomic", &[], &text()),
            "tags": list("set", &[], &text()),
            "numbers": list("set", &[], &json!({"type": "integer"})),
            "parts": list("map", &["name"], &named),
            "ports": list("map", &["port", "protocol"], &port),
            "plain": {"type": "array", "items": text()},
            "loose": {"type": "object", "additionalProperties": text()},
            "whole": {"type": "object", "x-kubernetes-map-type": "atomic", "properties": {
                "a": text(), "b": text(), "c": {"type": "integer", "default": 3},
            }},
            "deep": {"type": "object", "default": {}, "properties": {
                "level": {"type": "integer", "default": 5}, "note": {"type": "string", "nullable": true},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            }},
        }},
        "status": {"type": "object", "properties": {
            "replicas": {"type": "integer"}, "selector": text(),
            "conditions": list("map", &["type"], &conditions),
        }},
    }})
}

fn widget(chance: &mut Chance) -> Value {
    let mut spec = json!({});
    maybe(
        chance,
        50,
        &mut spec,
        "replicas",
        &[json!(0), json!(1), json!(2)],
    );
    maybe(
        chance,
        30,
        &mut spec,
        "limit",
        &[json!(5), json!("50%"), json!("5")],
    );
    maybe(
        chance,
        30,
        &mut spec,
        "color",
        &[json!("red"), json!("green"), json!("blue")],
    );
    let words = [json!("a"), json!("b"), json!("c")];
    for field in ["ordered", "tags", "plain"] {
        if chance.percent(40) {
            spec[field] = some(chance, &words);
        }
    }
    if chance.percent(25) {
        spec["numbers"] = some(chance, &[json!(1), json!(2), json!(3)]);
    }
    if chance.percent(55) {
        let value = chance.pick(&words).clone();
        let parts = [
            json!({"name": "one", "value": value}),
            json!({"name": "two", "size": 2}),
            json!({"name": "three", "tags": some(chance, &words)}),
        ];
        spec["parts"] = some(chance, &parts);
    }
    if chance.percent(45) {
        let ports = [
            json!({"port": 53, "protocol": "UDP"}),
            json!({"port": 53, "note": "tcp"}),
            json!({"port": 80, "protocol": "TCP", "note": "web"}),
        ];
        spec["ports"] = some(chance, &ports);
    }
    if chance.percent(35) {
        spec["loose"] = texts(chance, &["x", "y", "z"], &["1", "2", ""]);
    }
    if chance.percent(35) {
        spec["whole"] = texts(chance, &["a", "b"], &["1", "2"]);
    }
    if chance.percent(30) {
        spec["deep"] = json!({});
        maybe(
            chance,
            50,
            &mut spec["deep"],
            "level",
            &[json!(6), json!(7)],
        );
        maybe(
            chance,
            40,
            &mut spec["deep"],
            "note",
            &[json!("n"), json!(null)],
        );
        let free = [
            json!({"a": {"b": [1, {"c": 2}]}}),
            json!({"list": ["x"], "a": 1.5}),
        ];
        maybe(chance, 40, &mut spec["deep"], "free", &free);
    }
    json!({"spec": spec})
}

fn widget_status(chance: &mut Chance) -> Value {
    let mut status = json!({});
    maybe(chance, 60, &mut status, "replicas", &[json!(1), json!(2)]);
    maybe(chance, 30, &mut status, "selector", &[json!("app=web")]);
    let conditions = [
        json!({"type": "Ready", "status": "True", "reason": "Fine"}),
        json!({"type": "Ready", "status": "False"}),
        json!({"type": "Stalled", "status": "False"}),
    ];
    let at = chance.below(2);
    status["conditions"] = some(chance, &conditions[at..]);
    status
}

fn gadget_schema() -> Value {
    json!({"type": "object", "required": ["spec"], "properties": {
        "spec": {"type": "object", "required": ["mode"], "properties": {
            "mode": {"type": "string", "enum": ["fast", "slow"]},
            "count": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 10},
            "ratio": {"type": "number", "exclusiveMinimum": true, "minimum": 0, "multipleOf": 0.5},
            "name": {"type": "string", "minLength": 2, "maxLength": 5, "pattern": "^[a-z]+$"},
            "day": {"type": "string", "format": "date"},
            "address": {"type": "string", "format": "ipv4"},
            "flag": {"type": "boolean", "default": false},
            "items": {"type": "array", "minItems": 1, "maxItems": 3, "items": {
                "type": "object", "properties": {"a": text(), "b": {"type": "integer", "default": 2}},
            }},
            "by": {"type": "object", "maxProperties": 2, "additionalProperties": {
                "type": "object", "properties": {"n": {"type": "integer"}, "t": text()},
            }},
            "either": {"type": "object", "properties": {"left": text(), "right": text()},
                "oneOf": [{"required": ["left"]}, {"required": ["right"]}]},
        }},
        "extra": {"type": "object", "nullable": true, "additionalProperties": {"type": "integer"}},
    }})
}

fn gadget(chance: &mut Chance) -> Value {
    let mut spec = json!({"mode": *chance.pick(&["fast", "slow"])});
    maybe(
        chance,
        40,
        &mut spec,
        "count",
        &[json!(1), json!(10), json!(11)],
    );
    maybe(
        chance,
        25,
        &mut spec,
        "ratio",
        &[json!(0.5), json!(1), json!(1.5), json!(0.3)],
    );
    maybe(
        chance,
        30,
        &mut spec,
        "name",
        &[json!("abc"), json!("de"), json!("x")],
    );
    maybe(
        chance,
        20,
        &mut spec,
        "day",
        &[json!("2026-01-31"), json!("2026-02-30")],
    );
    maybe(
        chance,
        20,
        &mut spec,
        "address",
        &[json!("192.0.2.1"), json!("192.0.2")],
    );
    maybe(chance, 30, &mut spec, "flag", &[json!(true), json!(false)]);
    if chance.percent(40) {
        let items = [json!({"a": "x"}), json!({"a": "y", "b": 3}), json!({})];
        spec["items"] = some(chance, &items);
    }
    if chance.percent(35) {
        spec["by"] = json!({});
        let entries = [
            json!({"n": 1}),
            json!({"n": 2, "t": "x"}),
            json!({"t": "y"}),
        ];
        for key in ["one", "two"] {
            maybe(chance, 60, &mut spec["by"], key, &entries);
        }
    }
    let either = [
        json!({"left": "l"}),
        json!({"right": "r"}),
        json!({"left": "l", "right": "r"}),
    ];
    maybe(chance, 25, &mut spec, "either", &either);
    let mut object = json!({"spec": spec});
    maybe(
        chance,
        25,
        &mut object,
        "extra",
        &[json!({"a": 1}), json!({}), json!(null)],
    );
    object
}

fn parcel_schema() -> Value {
    let inner = json!({"type": "object", "required": ["key"], "properties": {
        "key": text(),
        "lines": list("map", &["key"], &json!({"type": "object", "required": ["key"], "properties": {
            "key": text(), "n": {"type": "integer"},
        }})),
    }});
    json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {
        "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {
            "boxes": list("map", &["key"], &inner),
            "grid": {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
            "strict": {"type": "object", "properties": {"a": text()}},
        }},
        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
    }})
}

fn parcel(chance: &mut Chance) -> Value {
    let mut spec = json!({});
    if chance.percent(65) {
        let lines = [
            json!({"key": "a", "n": 1}),
            json!({"key": "b"}),
            json!({"key": "c", "n": 3}),
        ];
        let boxes = [
            json!({"key": "first", "lines": some(chance, &lines)}),
            json!({"key": "second", "lines": some(chance, &lines), "extra": {"x": 1}}),
            json!({"key": "third"}),
        ];
        spec["boxes"] = some(chance, &boxes);
    }
    maybe(
        chance,
        30,
        &mut spec,
        "grid",
        &[json!([[1, 2], [3]]), json!([[]]), json!([[1, 2]])],
    );
    maybe(
        chance,
        30,
        &mut spec,
        "strict",
        &[json!({"a": "x"}), json!({"a": "y"}), json!({})],
    );
    let free = [
        json!({"a": [1, 2]}),
        json!([{"b": 1}]),
        json!("text"),
        json!(2),
        json!(2.5),
    ];
    maybe(chance, 50, &mut spec, "free", &free);
    let mut object = json!({"spec": spec});
    maybe(chance, 30, &mut object, "more", &free);
    object
}

fn parcel_status(chance: &mut Chance) -> Value {
    let mut status = json!({});
    maybe(
        chance,
        60,
        &mut status,
        "phase",
        &[json!("sent"), json!("there")],
    );
    maybe(
        chance,
        40,
        &mut status,
        "steps",
        &[json!(["a", "b"]), json!([]), json!({"a": 1})],
    );
    status
}
