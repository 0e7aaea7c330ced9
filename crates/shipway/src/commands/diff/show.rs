//! Differences in their forms.

use delivery::diff::Line;
use manifest::ObjectId;
use serde_json::{Value, json};

use crate::output::diff_line;

/// What would become of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Create,
    Update,
    Delete,
}

impl Change {
    fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    fn head(self) -> &'static str {
        match self {
            Self::Create => "\x1b[1;32m+",
            Self::Update => "\x1b[1;33m~",
            Self::Delete => "\x1b[1;31m-",
        }
    }
}

/// How far the API server was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// It was, or there was no need.
    Checked,
    /// It could not be, and why: what is shown is the manifest.
    Unchecked(String),
    /// It says no.
    Refused(String),
}

/// One object that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) id: ObjectId,
    pub(super) change: Change,
    pub(super) lines: Vec<Line>,
    pub(super) word: Word,
}

impl Difference {
    /// An object between two states; nothing where they are the same.
    pub(super) fn between(id: ObjectId, old: &Value, new: &Value) -> Option<Self> {
        let lines = delivery::diff::diff(old, new);
        let change = match (old.is_null(), new.is_null()) {
            (true, _) => Change::Create,
            (_, true) => Change::Delete,
            _ => Change::Update,
        };
        (!lines.is_empty()).then_some(Self {
            id,
            change,
            lines,
            word: Word::Checked,
        })
    }

    /// An object as its manifest alone has it.
    pub(super) fn unchecked(id: ObjectId, manifest: &Value, word: Word) -> Self {
        Self {
            id,
            change: Change::Create,
            lines: delivery::diff::diff(&Value::Null, manifest),
            word,
        }
    }

    pub(super) fn is_refused(&self) -> bool {
        matches!(self.word, Word::Refused(_))
    }

    /// Whether nobody knows what would become of it.
    fn is_unchecked(&self) -> bool {
        matches!(self.word, Word::Unchecked(_))
    }

    /// For people, coloured; the signs say all that the colours say.
    pub(super) fn text(&self) -> String {
        let word = match &self.word {
            Word::Checked => String::new(),
            Word::Unchecked(why) => format!(" (unchecked: {why})"),
            Word::Refused(why) => format!(" (refused: {why})"),
        };
        let mut text = format!("{} {}\x1b[0m{word}\n", self.change.head(), self.id);
        for line in &self.lines {
            text.extend(["  ", &diff_line(line), "\n"]);
        }
        text
    }

    /// For programs.
    pub(super) fn value(&self) -> Value {
        let mut value = json!({
            "object": self.id, "change": self.change.as_str(),
            "diff": self.lines.iter().map(ToString::to_string).collect::<Vec<_>>(),
        });
        match &self.word {
            Word::Checked => {}
            Word::Unchecked(why) => value["unchecked"] = json!(why),
            Word::Refused(why) => value["refused"] = json!(why),
        }
        value
    }
}

/// How much differs, in one line.
pub(super) fn summary(differences: &[Difference], same: usize) -> String {
    let count = |change| {
        differences
            .iter()
            .filter(|difference| difference.change == change && !difference.is_unchecked())
            .count()
    };
    let unchecked = differences.iter().filter(|one| one.is_unchecked()).count();
    let parts = [
        (Change::Create, "to create"),
        (Change::Update, "to change"),
        (Change::Delete, "to delete"),
    ]
    .map(|(change, word)| (count(change), word));
    let mut parts: Vec<_> = parts.into_iter().filter(|(count, _)| *count > 0).collect();
    parts.extend((unchecked > 0).then_some((unchecked, "unchecked")));
    parts.push((same, "the same"));
    parts
        .into_iter()
        .map(|(count, word)| format!("{count} {word}"))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> ObjectId {
        ObjectId {
            group: String::new(),
            kind: "ConfigMap".to_owned(),
            namespace: Some("shop".to_owned()),
            name: "web".to_owned(),
        }
    }

    #[track_caller]
    fn check(old: &Value, new: &Value, shown: &str) {
        let text = Difference::between(id(), old, new)
            .map(|difference| difference.text())
            .unwrap_or_default();
        let plain = text.split('\x1b').map(|part| {
            part.split_once('m')
                .filter(|(code, _)| code.starts_with('['))
                .map_or(part, |(_, rest)| rest)
        });
        assert_eq!(plain.collect::<String>(), shown);
    }

    #[test]
    fn the_sign_says_what_becomes_of_an_object() {
        check(
            &json!({"a": 1}),
            &json!({"a": 2}),
            "~ ConfigMap/shop/web\n  - a: 1\n  + a: 2\n",
        );
        check(
            &Value::Null,
            &json!({"a": 2}),
            "+ ConfigMap/shop/web\n  + a: 2\n",
        );
        check(
            &json!({"a": 1}),
            &Value::Null,
            "- ConfigMap/shop/web\n  - a: 1\n",
        );
        check(&json!({"a": 1}), &json!({"a": 1}), "");
    }

    #[test]
    fn the_summary_leaves_out_what_there_is_none_of() {
        let one = Difference::between(id(), &Value::Null, &json!({"a": 1})).expect("they differ");
        assert_eq!(
            summary(std::slice::from_ref(&one), 3),
            "1 to create, 3 the same"
        );
        let word = Word::Unchecked("you may not".to_owned());
        let unchecked = Difference::unchecked(id(), &json!({"a": 1}), word);
        assert_eq!(
            summary(&[one, unchecked], 0),
            "1 to create, 1 unchecked, 0 the same"
        );
        assert_eq!(summary(&[], 2), "2 the same");
    }
}
