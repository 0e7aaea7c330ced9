//! Objects out of files, read so that nothing of them is lost.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// An object of a type; what the type does not know is refused, as kubectl does by its `--validate=strict`.
///
/// What lies in a part that serde flattens is not looked at.
pub(crate) fn typed<T: DeserializeOwned>(object: Value) -> Result<T, String> {
    let mut unknown = Vec::new();
    let typed = serde_ignored::deserialize(object, |path| unknown.push(path.to_string()));
    let typed = typed.map_err(|why: serde_json::Error| why.to_string())?;
    // A typed object has them in its type.
    unknown.retain(|path| !["apiVersion", "kind"].contains(&path.as_str()));
    let quoted: Vec<String> = unknown.iter().map(|path| format!("{path:?}")).collect();
    match quoted.as_slice() {
        [] => Ok(typed),
        [one] => Err(format!("unknown field {one}")),
        many => Err(format!("unknown fields {}", many.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use kinds::Workload;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(object: &Value, refused: Option<&str>) {
        let read = typed::<Workload>(object.clone());
        assert_eq!(read.err().as_deref(), refused);
    }

    #[test]
    fn what_a_type_does_not_know_is_named() {
        let mut shop = json!({
            "apiVersion": "carto.run/v1alpha1", "kind": "Workload",
            "metadata": {"name": "shop", "creationTimestamp": null, "managedFields": []},
            "spec": {"image": "a", "params": [{"name": "any", "value": {"of": "what"}}], "env": []},
            "status": {},
        });
        check(&shop, None);
        shop["spec"]["imgae"] = json!("b");
        check(&shop, Some(r#"unknown field "spec.imgae""#));
        shop["metadata"]["lables"] = json!({});
        check(
            &shop,
            Some(r#"unknown fields "metadata.lables", "spec.imgae""#),
        );
        shop["spec"]["params"] = json!("none");
        let why = typed::<Workload>(shop).err().unwrap_or_default();
        assert!(why.contains("expected a sequence"), "{why}");
    }
}
