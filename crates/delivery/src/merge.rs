//! A patch into an object, by the rules of a strategic merge patch.
//!
//! Mappings are merged key by key, `null` removes a key, a list is replaced. In kinds of Kubernetes
//! itself some lists of mappings are merged item by item instead, each by its merge key.
//!
//! Differs from `k8s.io/apimachinery` on purpose: new items go to the end of a list, not to its
//! start; nulls and directives in what is new are dropped, not kept; `$patch: delete` removes a
//! mapping, where Kubernetes leaves it empty; `$patch: replace` also sets one that is not there.
//! Deliberately absent: joining lists of strings (`finalizers`), and the ordering directives.

use serde_json::{Map, Value};

/// Whether lists are merged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lists {
    /// As Kubernetes does for its own kinds.
    Keyed,
    /// Never: of a custom kind nobody knows the keys.
    Replaced,
}

impl Lists {
    /// How the lists of a kind are merged, by its API group.
    pub(crate) fn of_group(group: &str) -> Self {
        if !group.contains('.') || group.ends_with(".k8s.io") {
            Self::Keyed
        } else {
            Self::Replaced
        }
    }
}

/// What a patch made of its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Merged {
    Changed,
    Deleted,
}

/// Merges a patch that has been found to match.
///
/// # Errors
///
/// What is wrong with the patch, naming only keys. The object may then be half merged.
pub(crate) fn merge(object: &mut Value, patch: &Value, lists: Lists) -> Result<Merged, String> {
    let (Value::Object(target), Value::Object(patch)) = (&mut *object, patch) else {
        return Err("the patch is not a mapping".to_owned());
    };
    match directive(patch)? {
        Directive::Delete => return Ok(Merged::Deleted),
        Directive::Replace => *object = cleaned(&Value::Object(patch.clone())),
        Directive::Merge => {
            // The version of a patch says how to read it, not what the object is.
            let mut patch = patch.clone();
            patch.remove("apiVersion");
            merge_mapping(target, &patch, lists, "")?;
        }
    }
    Ok(Merged::Changed)
}

enum Directive {
    Merge,
    Replace,
    Delete,
}

fn directive(patch: &Map<String, Value>) -> Result<Directive, String> {
    for key in patch.keys() {
        let known = [
            "$retainKeys",
            "$setElementOrder/",
            "$deleteFromPrimitiveList/",
        ];
        if known.iter().any(|start| key.starts_with(start)) {
            return Err(format!("`{key}` is not supported in a patch"));
        }
    }
    match patch
        .get("$patch")
        .map(|value| value.as_str().unwrap_or_default())
    {
        None | Some("merge") => Ok(Directive::Merge),
        Some("replace") => Ok(Directive::Replace),
        Some("delete") => Ok(Directive::Delete),
        Some(_) => Err("`$patch` is none of merge, replace and delete".to_owned()),
    }
}

/// Merges a mapping; `field` is the key it stands under, of its list for an item.
fn merge_mapping(
    target: &mut Map<String, Value>,
    patch: &Map<String, Value>,
    lists: Lists,
    field: &str,
) -> Result<(), String> {
    for (key, value) in patch {
        if key == "$patch" {
            continue;
        }
        match (target.get_mut(key), value) {
            (_, Value::Null) => {
                target.remove(key);
            }
            (Some(Value::Object(target_value)), Value::Object(value)) => match directive(value)? {
                Directive::Delete => {
                    target.remove(key);
                }
                Directive::Replace => {
                    target.insert(key.clone(), cleaned(&Value::Object(value.clone())));
                }
                Directive::Merge => merge_mapping(target_value, value, lists, key)?,
            },
            (Some(Value::Array(items)), Value::Array(patches)) => {
                match merge_key(lists, key, field) {
                    Some(merge_key) => merge_list(items, patches, lists, (key, merge_key))?,
                    None => {
                        target.insert(key.clone(), cleaned(value));
                    }
                }
            }
            (_, Value::Object(map))
                if !matches!(directive(map)?, Directive::Merge | Directive::Replace) => {}
            _ => {
                target.insert(key.clone(), cleaned(value));
            }
        }
    }
    Ok(())
}

/// Merges a list of mappings that are told apart by the value of one key.
///
/// New items go to the end: `env` may refer to what stands before it.
fn merge_list(
    items: &mut Vec<Value>,
    patches: &[Value],
    lists: Lists,
    (field, key): (&str, &str),
) -> Result<(), String> {
    if patches.iter().any(is_replacement) {
        // Kubernetes drops the rest of such an item, which nobody means.
        if patches
            .iter()
            .any(|item| is_replacement(item) && !is_mark(item))
        {
            return Err(format!(
                "`$patch: replace` in an item of `{field}` replaces the whole list and stands alone"
            ));
        }
        *items = cleaned_items(patches).collect();
        return Ok(());
    }
    for patch in patches {
        let Some((patch, name)) = patch
            .as_object()
            .and_then(|patch| Some((patch, patch.get(key)?)))
        else {
            return Err(format!("an item of `{field}` in the patch has no `{key}`"));
        };
        let found = items.iter().position(|item| item.get(key) == Some(name));
        match (directive(patch)?, found) {
            (Directive::Delete, _) => items.retain(|item| item.get(key) != Some(name)),
            (_, Some(index)) => {
                if let Some(item) = items[index].as_object_mut() {
                    merge_mapping(item, patch, lists, field)?;
                }
            }
            (_, None) => {
                items.push(cleaned(&Value::Object(patch.clone())));
            }
        }
    }
    Ok(())
}

/// The key that tells the items of a list apart, as Kubernetes' own types declare it.
fn merge_key(lists: Lists, field: &str, parent: &str) -> Option<&'static str> {
    if lists == Lists::Replaced {
        return None;
    }
    let in_container = matches!(
        parent,
        "containers" | "initContainers" | "ephemeralContainers"
    );
    match field {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "env"
        | "volumes"
        | "imagePullSecrets"
        | "resourceClaims"
        | "webhooks" => Some("name"),
        "volumeMounts" => Some("mountPath"),
        "volumeDevices" => Some("devicePath"),
        "hostAliases" => Some("ip"),
        "topologySpreadConstraints" => Some("topologyKey"),
        "ports" if in_container => Some("containerPort"),
        "ports" if parent == "spec" => Some("port"),
        _ => None,
    }
}

/// A value of a patch where the object has none: without the directives and the keys to remove.
fn cleaned(value: &Value) -> Value {
    match value {
        Value::Object(object) => object
            .iter()
            .filter(|(key, value)| *key != "$patch" && !value.is_null() && !is_deletion(value))
            .map(|(key, value)| (key.clone(), cleaned(value)))
            .collect(),
        Value::Array(items) => cleaned_items(items).collect(),
        scalar => scalar.clone(),
    }
}

fn cleaned_items(items: &[Value]) -> impl Iterator<Item = Value> {
    items
        .iter()
        .filter(|item| !is_deletion(item) && !is_mark(item))
        .map(cleaned)
}

fn is_deletion(value: &Value) -> bool {
    value.get("$patch").is_some_and(|patch| patch == "delete")
}

fn is_replacement(value: &Value) -> bool {
    value.get("$patch").is_some_and(|patch| patch == "replace")
}

/// Whether an item only says that its list is replaced.
fn is_mark(item: &Value) -> bool {
    is_replacement(item) && item.as_object().is_some_and(|item| item.len() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Merges two texts of YAML flow style and compares the outcome.
    #[track_caller]
    fn check(lists: Lists, object: &str, patch: &str, seen: &str) {
        let read = |text: &str| -> Value {
            let text = format!("{{apiVersion: v1, kind: K, metadata: {{name: it}}, x: {text}}}");
            let objects = manifest::parse_file("x.yaml", text.as_bytes()).expect(&text);
            objects[0].value()["x"].clone()
        };
        let mut object = serde_json::json!({"x": read(object)});
        let text = match merge(&mut object, &serde_json::json!({"x": read(patch)}), lists) {
            Ok(_) if object.get("x").is_none() => "gone".to_owned(),
            Ok(_) => object["x"].to_string(),
            Err(why) => why,
        };
        let seen = if seen.starts_with(['{', '[']) {
            read(seen).to_string()
        } else {
            seen.to_owned()
        };
        assert_eq!(text, seen);
    }

    #[test]
    fn merges_mappings_and_removes_by_null() {
        check(
            Lists::Keyed,
            "{a: 1, b: {c: 2, d: 3}}",
            "{b: {c: 4, d: null}, e: {f: null, g: 5}}",
            "{a: 1, b: {c: 4}, e: {g: 5}}",
        );
        check(Lists::Keyed, "{a: 1}", "null", "gone");
        check(Lists::Keyed, "{a: text}", "{a: {b: 1}}", "{a: {b: 1}}");
        check(
            Lists::Keyed,
            "{a: {b: 1}}",
            "{a: {$patch: delete}, z: {$patch: delete}}",
            "{}",
        );
        check(
            Lists::Keyed,
            "{a: {b: 1}}",
            "{a: {$patch: replace, c: 2}}",
            "{a: {c: 2}}",
        );
    }

    #[test]
    fn replaces_lists_without_a_merge_key() {
        check(Lists::Keyed, "{args: [a, b]}", "{args: [c]}", "{args: [c]}");
        check(
            Lists::Keyed,
            "{envFrom: [{prefix: a}]}",
            "{envFrom: [{prefix: b}]}",
            "{envFrom: [{prefix: b}]}",
        );
        check(
            Lists::Replaced,
            "{containers: [{name: a, v: 1}]}",
            "{containers: [{name: b}]}",
            "{containers: [{name: b}]}",
        );
    }

    #[test]
    fn merges_keyed_lists_item_by_item() {
        check(
            Lists::Keyed,
            "{containers: [{name: web, image: a, env: [{name: A, value: '1'}, {name: B, value: '2'}]}, {name: side}]}",
            "{containers: [{name: web, env: [{name: B, value: '3'}, {name: C, value: '4'}]}, {name: new}]}",
            "{containers: [{name: web, image: a, env: [{name: A, value: '1'}, {name: B, value: '3'}, {name: C, value: '4'}]}, {name: side}, {name: new}]}",
        );
        check(
            Lists::Keyed,
            "{initContainers: [{name: a, v: 1}]}",
            "{initContainers: [{name: a, w: 2}]}",
            "{initContainers: [{name: a, v: 1, w: 2}]}",
        );
        check(
            Lists::Keyed,
            "{volumes: [{name: a, v: 1}]}",
            "{volumes: [{name: b}]}",
            "{volumes: [{name: a, v: 1}, {name: b}]}",
        );
        check(
            Lists::Keyed,
            "{imagePullSecrets: [{name: a}]}",
            "{imagePullSecrets: [{name: b}]}",
            "{imagePullSecrets: [{name: a}, {name: b}]}",
        );
        check(
            Lists::Keyed,
            "{volumeMounts: [{name: a, mountPath: /a}]}",
            "{volumeMounts: [{name: b, mountPath: /a}]}",
            "{volumeMounts: [{name: b, mountPath: /a}]}",
        );
    }

    #[test]
    fn merges_ports_by_the_key_of_their_place() {
        check(
            Lists::Keyed,
            "{containers: [{name: a, ports: [{containerPort: 80, name: http}]}]}",
            "{containers: [{name: a, ports: [{containerPort: 80, name: web}, {containerPort: 81}]}]}",
            "{containers: [{name: a, ports: [{containerPort: 80, name: web}, {containerPort: 81}]}]}",
        );
        check(
            Lists::Keyed,
            "{spec: {ports: [{port: 80, name: http}]}}",
            "{spec: {ports: [{port: 80, targetPort: 8080}]}}",
            "{spec: {ports: [{port: 80, name: http, targetPort: 8080}]}}",
        );
        check(
            Lists::Keyed,
            "{other: {ports: [{port: 80}]}}",
            "{other: {ports: [{port: 81}]}}",
            "{other: {ports: [{port: 81}]}}",
        );
    }

    #[test]
    fn deletes_and_replaces_by_directive() {
        check(
            Lists::Keyed,
            "{env: [{name: A}, {name: B}]}",
            "{env: [{name: A, $patch: delete}, {name: Z, $patch: delete}]}",
            "{env: [{name: B}]}",
        );
        check(
            Lists::Keyed,
            "{env: [{name: A}]}",
            "{env: [{$patch: replace}, {name: C}]}",
            "{env: [{name: C}]}",
        );
        check(
            Lists::Keyed,
            "{env: [{name: A, v: 1}]}",
            "{env: [{name: A, $patch: replace, w: 1}]}",
            "`$patch: replace` in an item of `env` replaces the whole list and stands alone",
        );
        check(
            Lists::Keyed,
            "{}",
            "{env: [{$patch: replace}, {name: C}]}",
            "{env: [{name: C}]}",
        );
        check(
            Lists::Keyed,
            "{}",
            "{env: [{name: A, $patch: delete}, {name: B}]}",
            "{env: [{name: B}]}",
        );
        let mut object = serde_json::json!({"a": 1});
        let patch = serde_json::json!({"$patch": "delete"});
        assert_eq!(
            merge(&mut object, &patch, Lists::Replaced),
            Ok(Merged::Deleted)
        );
    }

    #[test]
    fn names_what_it_cannot_merge() {
        check(
            Lists::Keyed,
            "{env: [{name: A}]}",
            "{env: [{value: hunter2}]}",
            "an item of `env` in the patch has no `name`",
        );
        check(
            Lists::Keyed,
            "{env: [{name: A}]}",
            "{env: [hunter2]}",
            "an item of `env` in the patch has no `name`",
        );
        check(
            Lists::Keyed,
            "{a: {b: 1}}",
            "{a: {$patch: hunter2}}",
            "`$patch` is none of merge, replace and delete",
        );
        check(
            Lists::Keyed,
            "{a: {b: 1}}",
            "{a: {$retainKeys: [b]}}",
            "`$retainKeys` is not supported in a patch",
        );
    }
}
