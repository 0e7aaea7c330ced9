//! A file of data values: what a template sees as `data.values`, as plain YAML.
//!
//! In genuine ytt such a file is a template itself, several of them are laid over each other, and a schema
//! may check them. All that is left out: who has values to compute can do so where they are used.

use serde_json::{Map, Value as Json};

use crate::compile::{plain, read};
use crate::error::{Error, Place, Problem, Reason};
use crate::limits::Limits;
use crate::plain::Plain;
use crate::template::on_large_stack;
use crate::yaml::Comment;

/// Reads a file of data values. `name` is what errors begin with. That they are data values may be said by
/// `#@data/values`, as ytt wants it, or be known.
///
/// # Errors
///
/// The text is no YAML, is not one mapping, or uses what is not supported.
pub fn values(name: &str, text: &str, limits: &Limits) -> Result<Map<String, Json>, Error> {
    let read = on_large_stack(|| read_values(text, limits));
    read.and_then(|read| read)
        .map_err(|problem| problem.of(name, &[]))
}

fn read_values(text: &str, limits: &Limits) -> Result<Map<String, Json>, Problem> {
    let stream = read(text, limits)?;
    for comment in &stream.comments {
        check(comment)?;
    }
    let wrong = |message: &str| Problem::new(Reason::Object, Place::default(), message);
    let mut documents = plain::documents(&stream);
    documents.retain(|document| !document.is_empty_document());
    if documents.len() > 1 {
        let message = "several documents of data values are not supported";
        return Err(Problem::unsupported(Place::default(), message));
    }
    let document = documents.pop().unwrap_or(Plain::Map(Vec::new()));
    let kind = document.kind();
    match document.into_json().map_err(|message| wrong(&message))? {
        Json::Object(values) => Ok(values),
        _ => Err(wrong(&format!("data values are a map, but this is {kind}"))),
    }
}

/// What ytt would make something of is refused rather than passed over.
fn check(comment: &Comment) -> Result<(), Problem> {
    let Some(text) = comment.text.strip_prefix('@') else {
        return Ok(());
    };
    let name = text.split([' ', '\t']).next().unwrap_or_default();
    let message = match name {
        "data/values" | "comment" => return Ok(()),
        "" | "template/code" | "template/value" => {
            "code is not supported in a file of data values".to_owned()
        }
        name => format!("the annotation `@{name}` is not supported in a file of data values"),
    };
    Err(Problem::unsupported(comment.place, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let read = match values("values.yaml", text, &Limits::default()) {
            Ok(values) => Json::Object(values).to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn a_file_of_values_is_a_map_as_ytt_reads_yaml() {
        check(
            "# why\n#@data/values\n---\na: yes\nb: {c: 012}\n",
            r#"{"a":true,"b":{"c":10}}"#,
        );
        check("#! why\na: [1]\n", r#"{"a":[1]}"#);
        check("", "{}");
        check("---\n#@data/values\n---\na: 1\n", r#"{"a":1}"#);
    }

    #[test]
    fn what_is_not_supported_is_named_with_its_line() {
        check(
            "#@data/values-schema\n---\na: 1\n",
            "values.yaml:1:1: the annotation `@data/values-schema` is not supported in a file of data values",
        );
        check(
            "#@data/values\n---\na: #@ 1\n",
            "values.yaml:3:4: code is not supported in a file of data values",
        );
        check(
            "a: 1\n---\nb: 1\n",
            "values.yaml: several documents of data values are not supported",
        );
        check(
            "- a\n",
            "values.yaml: data values are a map, but this is array",
        );
    }
}
