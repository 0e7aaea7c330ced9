//! Whether our reading agrees with client-go's schema of server-side apply, which upstream derives
//! from the same types by another way.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::read;

/// What both name a value of which nothing is known and which has one owner: a RawExtension.
const ATOM: &str = "__untyped_atomic_";

/// Compares type by type.
///
/// # Errors
/// Lists all differences.
pub(super) fn check(types: &BTreeMap<String, Value>, client: &Path) -> Result<(), String> {
    let text = read(&client.join("applyconfigurations/internal/internal.go"))?;
    let yaml = text
        .split('`')
        .nth(1)
        .ok_or("internal.go holds no schema")?;
    let theirs: Value =
        serde_saphyr::from_str(yaml).map_err(|why| format!("internal.go: {why}"))?;
    let mut differences = Vec::new();
    let mut compared = 0;
    for ty in theirs["types"].as_array().into_iter().flatten() {
        let name = ty["name"].as_str().unwrap_or_default();
        // Types that client-go alone has: other versions, lists of options.
        let Some(ours) = types.get(name) else {
            continue;
        };
        compared += 1;
        compare(name, ours, ty, &mut differences);
    }
    if compared < 300 {
        differences.push(format!("only {compared} types are there to compare"));
    }
    if differences.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "client-go's schema of apply differs:\n{}",
            differences.join("\n")
        ))
    }
}

fn compare(name: &str, ours: &Value, theirs: &Value, differences: &mut Vec<String>) {
    let mut differ = |at: &str, ours: &str, theirs: &str| {
        if ours != theirs {
            differences.push(format!("{name}{at}: ours is {ours}, theirs {theirs}"));
        }
    };
    let Some(fields) = ours["f"].as_object() else {
        return differ(
            "",
            &scalars(ours.as_str().unwrap_or_default()),
            &atom(theirs),
        );
    };
    let atomic = |atomic: bool| if atomic { "atomic" } else { "granular" };
    let map = &theirs["map"];
    let their_fields = map["fields"].as_array().map_or(&[][..], Vec::as_slice);
    differ(
        "",
        atomic(ours.get("a").is_some()),
        atomic(map["elementRelationship"] == "atomic"),
    );
    differ(
        "",
        &fields.len().to_string(),
        &their_fields.len().to_string(),
    );
    for field in their_fields {
        let at = field["name"].as_str().unwrap_or_default();
        let ours = fields.get(at).unwrap_or(&Value::Null);
        let expression = ours["t"].as_str().or(ours.as_str()).unwrap_or("nothing");
        let at = format!(".{at}");
        differ(&at, &scalars(expression), &atom(&field["type"]));
        differ(
            &at,
            &format!("default {:?}", ours.get("d")),
            &format!("default {:?}", field.get("default")),
        );
    }
}

/// An expression of ours, with the scalars that apply tells apart.
fn scalars(expression: &str) -> String {
    let at = expression
        .rfind([']', '}', '!', '~'])
        .map_or(0, |at| at + 1);
    let (holders, last) = expression.split_at(at);
    let last = match last {
        "bytes" => "string",
        "int32" | "int64" | "number" => "numeric",
        "int-or-string" | "quantity" | "time" | "microtime" => "untyped",
        other => other,
    };
    format!("{holders}{last}")
}

/// Their atom in our notation.
fn atom(of: &Value) -> String {
    let relation = of["elementRelationship"].as_str();
    if let Some(name) = of["namedType"].as_str() {
        return match (name.rsplit('.').next(), relation) {
            (Some("Quantity" | "IntOrString" | "Time" | "MicroTime"), _) => "untyped".to_owned(),
            _ if name == ATOM => "{!}any".to_owned(),
            (_, Some("separable")) => format!("~{name}"),
            (_, Some("atomic")) => format!("!{name}"),
            _ => name.to_owned(),
        };
    }
    match (of.get("scalar"), of.get("list"), of.get("map")) {
        (Some(_), Some(_), Some(_)) => "any".to_owned(),
        (Some(scalar), _, _) => scalar.as_str().unwrap_or_default().to_owned(),
        (_, Some(list), _) => {
            let keys: Vec<&str> = list["keys"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let kind = match list["elementRelationship"].as_str() {
                Some("atomic") => String::new(),
                _ if keys.is_empty() => "=".to_owned(),
                _ => keys.join(","),
            };
            format!("[{kind}]{}", atom(&list["elementType"]))
        }
        (_, _, Some(map)) => {
            let atomic = map["elementRelationship"] == "atomic";
            let value = atom(&map["elementType"]);
            format!("{{{}}}{value}", if atomic { "!" } else { "" })
        }
        _ => "nothing".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn their_atoms_read_like_our_expressions() {
        for (theirs, ours) in [
            (json!({"scalar": "numeric"}), "int32"),
            (
                json!({"list": {"elementType": {"scalar": "string"}, "elementRelationship": "associative"}}),
                "[=]string",
            ),
            (
                json!({"list": {"elementType": {"namedType": "a.B"}, "elementRelationship": "associative", "keys": ["name"]}}),
                "[name]a.B",
            ),
            (
                json!({"namedType": "a.B", "elementRelationship": "separable"}),
                "~a.B",
            ),
            (
                json!({"map": {"elementType": {"scalar": "string"}}}),
                "{}string",
            ),
        ] {
            assert_eq!(atom(&theirs), scalars(ours));
        }
    }
}
