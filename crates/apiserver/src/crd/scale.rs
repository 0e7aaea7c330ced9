//! Scaling of custom resources: the two numbers and the selector that an `autoscaling/v1` Scale shows
//! (`pkg/registry/customresource/{etcd,validator}.go`).

use serde_json::{Map, Value, json};

use crate::status::{Cause, Details, FieldError, Status, go_plain};

/// Where a version keeps what a Scale shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scale {
    /// The wanted number (`.spec.replicas`).
    pub(crate) spec_replicas: String,
    /// The number there is (`.status.replicas`).
    pub(crate) status_replicas: String,
    /// The selector as text (`.status.selector`), if there is one.
    pub(crate) label_selector: Option<String>,
}

impl Scale {
    /// The Scale of an object.
    ///
    /// # Errors
    /// 500 where a value has the wrong type, or where no number is wanted.
    pub(crate) fn of(&self, object: &Value) -> Result<Value, Box<Status>> {
        match self.wanted(object)? {
            Some(wanted) => self.shown(object, wanted),
            None => Err(Box::new(missing(&self.spec_replicas))),
        }
    }

    fn wanted(&self, object: &Value) -> Result<Option<i64>, Box<Status>> {
        number(object, &self.spec_replicas).map_err(|why| Box::new(Status::internal(why)))
    }

    fn shown(&self, object: &Value, wanted: i64) -> Result<Value, Box<Status>> {
        let internal = |why: String| Box::new(Status::internal(why));
        let there = number(object, &self.status_replicas).map_err(internal)?;
        let selector = match &self.label_selector {
            Some(path) => text(object, path).map_err(internal)?,
            None => None,
        };
        let metadata: Map<String, Value> = [
            "creationTimestamp",
            "name",
            "namespace",
            "resourceVersion",
            "uid",
        ]
        .into_iter()
        .filter_map(|name| {
            let value = object.get("metadata")?.get(name)?;
            Some((name.to_owned(), value.clone()))
        })
        .collect();
        // Numbers of a Scale have 32 bits; empty ones are left out where upstream leaves them out.
        let mut spec = json!({});
        if wanted != 0 {
            spec["replicas"] = json!(wanted);
        }
        let mut status = json!({"replicas": there.unwrap_or_default()});
        if let Some(selector) = selector.filter(|selector| !selector.is_empty()) {
            status["selector"] = json!(selector);
        }
        Ok(json!({
            "apiVersion": "autoscaling/v1",
            "kind": "Scale",
            "metadata": metadata,
            "spec": spec,
            "status": status,
        }))
    }

    /// Sets the wanted number, making the maps on the way to it.
    ///
    /// # Errors
    /// 500 where something else than a map is in the way.
    pub(crate) fn set(&self, object: &mut Value, replicas: i64) -> Result<(), Box<Status>> {
        let steps: Vec<&str> = split(&self.spec_replicas).collect();
        let Some((last, steps)) = steps.split_last() else {
            return Ok(());
        };
        let mut here = object;
        for step in steps {
            let Some(map) = here.as_object_mut() else {
                return Err(in_the_way(&self.spec_replicas).into());
            };
            here = map.entry(*step).or_insert_with(|| json!({}));
        }
        let Some(map) = here.as_object_mut() else {
            return Err(in_the_way(&self.spec_replicas).into());
        };
        map.insert((*last).to_owned(), json!(replicas));
        Ok(())
    }

    /// Checks the wanted number of an object.
    pub(super) fn check_spec(&self, object: &Value, errors: &mut Vec<FieldError>) {
        check(object, &self.spec_replicas, errors);
    }

    /// Checks the number there is and the selector.
    pub(super) fn check_status(&self, object: &Value, errors: &mut Vec<FieldError>) {
        check(object, &self.status_replicas, errors);
        if let Some(path) = &self.label_selector
            && let Err(why) = text(object, path)
        {
            errors.push(FieldError::invalid(path.as_str(), json!(""), why));
        }
    }
}

/// 500, in the form upstream gives those that it raises itself.
fn missing(path: &str) -> Status {
    let why = format!("the spec replicas field {path:?} does not exist");
    let message = format!("Internal error occurred: {why}");
    Status {
        reason: "InternalError",
        details: Some(Box::new(Details {
            causes: vec![Cause {
                reason: String::new(),
                message: why,
                field: String::new(),
            }],
            ..Details::default()
        })),
        ..Status::internal(message)
    }
}

fn in_the_way(path: &str) -> Status {
    Status::internal(format!(
        "value cannot be set because {path} is not a map[string]interface{{}}"
    ))
}

fn check(object: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let why = match number(object, path) {
        Err(why) => FieldError::invalid(path, json!(0), why),
        Ok(Some(number)) if number < 0 => {
            FieldError::invalid(path, json!(number), "should be a non-negative integer")
        }
        Ok(Some(number)) if number > i64::from(i32::MAX) => {
            let why = format!("should be less than or equal to {}", i32::MAX);
            FieldError::invalid(path, json!(number), why)
        }
        Ok(_) => return,
    };
    errors.push(why);
}

fn split(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('.').unwrap_or(path).split('.')
}

fn find<'a>(object: &'a Value, path: &str) -> Result<Option<&'a Value>, String> {
    let mut here = object;
    let mut way = String::new();
    for step in split(path) {
        way.push('.');
        way.push_str(step);
        let map = match here {
            Value::Object(map) => map,
            Value::Null => return Ok(None),
            other => {
                let (shown, found) = go(other);
                return Err(format!(
                    "{way} accessor error: {shown} is of the type {found}, expected map[string]interface{{}}"
                ));
            }
        };
        let Some(next) = map.get(step) else {
            return Ok(None);
        };
        here = next;
    }
    Ok(Some(here))
}

fn number(object: &Value, path: &str) -> Result<Option<i64>, String> {
    match find(object, path)? {
        None => Ok(None),
        Some(value) => value
            .as_i64()
            .map(Some)
            .ok_or_else(|| mismatch(path, value, "int64")),
    }
}

fn text<'a>(object: &'a Value, path: &str) -> Result<Option<&'a str>, String> {
    match find(object, path)? {
        None => Ok(None),
        Some(value) => value
            .as_str()
            .map(Some)
            .ok_or_else(|| mismatch(path, value, "string")),
    }
}

fn mismatch(path: &str, value: &Value, wanted: &str) -> String {
    let (shown, found) = go(value);
    format!("{path} accessor error: {shown} is of the type {found}, expected {wanted}")
}

fn go(value: &Value) -> (String, &'static str) {
    let found = match value {
        Value::Null => return ("<nil>".to_owned(), "<nil>"),
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_i64() => "int64",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    };
    (go_plain(value), found)
}
