//! One evaluation as data, for whoever evaluates in another process.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::limits::Limits;
use crate::template::compile_with;

/// What is to be evaluated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// What errors begin with.
    pub name: String,
    /// The text of the template.
    pub template: String,
    /// What the template sees as `data.values`.
    pub data: Map<String, Value>,
    /// What becomes of comments that are not ytt's.
    #[serde(default)]
    pub comments: Comments,
}

/// What becomes of a comment that is neither `#@` nor `#!`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comments {
    /// It is an error, as it may be code that lacks its sign.
    #[default]
    Refused,
    /// It is passed over, as with `--ignore-unknown-comments`.
    Ignored,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The Kubernetes object.
    Object(Value),
    /// Why there is none.
    Refused(Error),
}

impl Request {
    /// Compiles and evaluates, under the limits and until `expired`, as [`Template::evaluate`](crate::Template::evaluate) does.
    pub fn answer(&self, limits: &Limits, expired: impl Fn(u32) -> bool + Sync) -> Answer {
        let object = compile_with(&self.name, &self.template, self.comments, limits)
            .and_then(|template| template.evaluate(&self.data, limits, expired));
        match object {
            Ok(object) => Answer::Object(object),
            Err(error) => Answer::Refused(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_and_its_answer_travel_as_json() -> Result<(), serde_json::Error> {
        let text = r#"{"name": "T/a spec.ytt", "template": "kind: #@ x", "data": {}}"#;
        let request: Request = serde_json::from_str(text)?;
        let answer = request.answer(&Limits::default(), |_| false);
        let sent = serde_json::to_string(&answer)?;
        assert_eq!(
            sent,
            r#"{"refused":{"reason":"Failed","text":"T/a spec.ytt:1:10: undefined: x"}}"#
        );
        assert_eq!(serde_json::from_str::<Answer>(&sent)?, answer);
        Ok(())
    }

    #[test]
    fn plain_comments_may_be_passed_over() {
        let request = Request {
            name: "a.yaml".to_owned(),
            template: "# plain\nkind: #@ 'A'\n# too\nb: |\n  # text\n".to_owned(),
            data: Map::new(),
            comments: Comments::Ignored,
        };
        let answer = request.answer(&Limits::default(), |_| false);
        let object = serde_json::json!({"kind": "A", "b": "# text\n"});
        assert_eq!(answer, Answer::Object(object));
    }
}
