//! Label selectors: a conjunction of requirements on an object's labels.

use serde_json::Value;

use super::{MAX_REQUIREMENTS, SelectorError};
use crate::validate::{label_value, qualified_name};

/// The labels of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Labels(Box<[(Box<str>, Box<str>)]>);

impl Labels {
    /// Those of `metadata.labels`.
    pub(crate) fn of(labels: Option<&Value>) -> Self {
        let Some(Value::Object(labels)) = labels else {
            return Self::default();
        };
        // serde_json's maps are sorted, so the lookups below may search.
        let pairs = labels.iter().filter_map(|(key, value)| {
            let value = value.as_str()?;
            Some((key.as_str().into(), value.into()))
        });
        Self(pairs.collect())
    }

    /// The value of a label.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        let search = |(have, _): &(Box<str>, Box<str>)| (**have).cmp(key);
        let found = self.0.binary_search_by(search).ok()?;
        self.0.get(found).map(|(_, value)| &**value)
    }
}

/// What a label has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Exists,
    DoesNotExist,
    In(Vec<String>),
    NotIn(Vec<String>),
}

/// A label selector. Without requirements it picks everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LabelSelector(Vec<(String, Test)>);

impl LabelSelector {
    /// Reads `labelSelector` of a query: `app=web,tier in (front, back),!draft`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, SelectorError> {
        let mut requirements = Vec::new();
        if text.trim().is_empty() {
            return Ok(Self(requirements));
        }
        for part in split(text) {
            if requirements.len() == MAX_REQUIREMENTS {
                return Err(SelectorError::too_many());
            }
            requirements.push(requirement(part.trim())?);
        }
        Ok(Self(requirements))
    }

    /// Whether it picks an object with these labels.
    pub(crate) fn matches(&self, labels: &Labels) -> bool {
        self.0.iter().all(|(key, test)| {
            let value = labels.get(key);
            let among = |values: &[String]| {
                value.is_some_and(|value| values.iter().any(|other| other == value))
            };
            match test {
                Test::Exists => value.is_some(),
                Test::DoesNotExist => value.is_none(),
                Test::In(values) => among(values),
                Test::NotIn(values) => !among(values),
            }
        })
    }

    /// Whether it picks everything.
    pub(crate) fn is_everything(&self) -> bool {
        self.0.is_empty()
    }
}

/// The parts between commas that are not in parentheses.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    text.split(move |c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
}

fn requirement(text: &str) -> Result<(String, Test), SelectorError> {
    let (key, wanted) = if let Some(key) = text.strip_prefix('!') {
        (key.trim(), Test::DoesNotExist)
    } else if let Some((head, set)) = text.split_once('(') {
        let values = set.strip_suffix(')').ok_or_else(|| unclear(text))?;
        let values = values.split(',').map(str::trim).map(str::to_owned);
        match head.trim().rsplit_once(char::is_whitespace) {
            Some((key, "in")) => (key.trim(), Test::In(values.collect())),
            Some((key, "notin")) => (key.trim(), Test::NotIn(values.collect())),
            _ => return Err(unclear(text)),
        }
    } else if let Some((key, value)) = text.split_once("!=") {
        (key.trim(), Test::NotIn(vec![value.trim().to_owned()]))
    } else if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        (key.trim(), Test::In(vec![value.trim().to_owned()]))
    } else {
        (text, Test::Exists)
    };
    let mut faults = qualified_name(key);
    if let Test::In(values) | Test::NotIn(values) = &wanted {
        faults.extend(values.iter().flat_map(|value| label_value(value)));
    }
    match faults.first() {
        None => Ok((key.to_owned(), wanted)),
        Some(why) => Err(SelectorError(format!(
            "unable to parse requirement: {text:?}: {why}"
        ))),
    }
}

fn unclear(text: &str) -> SelectorError {
    SelectorError(format!("unable to parse requirement: {text:?}"))
}
