//! Label selectors: a conjunction of requirements on an object's labels.

use std::fmt;

use serde_json::Value;

use super::rule::{label_key_faults, label_value_faults};
use super::{MAX_REQUIREMENTS, SelectorError, parse};
use crate::status::FieldError;

/// An object's labels, sorted by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(Box<[(Box<str>, Box<str>)]>);

impl Labels {
    /// The labels of a `metadata.labels`; what is no text is left out.
    pub fn of(labels: Option<&Value>) -> Self {
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
    pub fn get(&self, key: &str) -> Option<&str> {
        let found = self
            .0
            .binary_search_by(|(have, _)| (**have).cmp(key))
            .ok()?;
        self.0.get(found).map(|(_, value)| &**value)
    }

    /// All labels in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (&**key, &**value))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What a requirement asks of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Is there with one of the values (`in`, `=`, `==`).
    In,
    /// Is not there, or with none of the values (`notin`, `!=`).
    NotIn,
    /// Is there.
    Exists,
    /// Is not there.
    DoesNotExist,
    /// Is there with a larger whole number.
    GreaterThan,
    /// Is there with a smaller whole number.
    LessThan,
}

/// What is asked of one label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    key: Box<str>,
    operator: Operator,
    /// Sorted.
    values: Box<[Box<str>]>,
    /// What `GreaterThan` and `LessThan` compare with.
    bound: i64,
}

impl Requirement {
    /// A requirement whose parts are right.
    ///
    /// # Errors
    /// All that is wrong with them, as upstream's `labels.NewRequirement` says it.
    pub fn new(
        key: &str,
        operator: Operator,
        mut values: Vec<String>,
    ) -> Result<Self, SelectorError> {
        let mut faults = Vec::new();
        let key_faults = label_key_faults(key);
        if !key_faults.is_empty() {
            faults.push(FieldError::invalid(
                "key",
                key.into(),
                key_faults.join("; "),
            ));
        }
        let bound = match operator {
            Operator::In | Operator::NotIn if values.is_empty() => {
                let why = "for 'in', 'notin' operators, values set can't be empty";
                faults.push(FieldError::invalid("values", Value::Array(vec![]), why));
                0
            }
            Operator::Exists | Operator::DoesNotExist if !values.is_empty() => {
                let why = "values set must be empty for exists and does not exist";
                faults.push(FieldError::invalid("values", values.clone().into(), why));
                0
            }
            Operator::GreaterThan | Operator::LessThan => bound(&values, &mut faults),
            _ => 0,
        };
        for (index, value) in values.iter().enumerate() {
            let value_faults = label_value_faults(value);
            if !value_faults.is_empty() {
                let field = format!("values[{index}][{key}]");
                let value = value.as_str().into();
                faults.push(FieldError::invalid(field, value, value_faults.join("; ")));
            }
        }
        if !faults.is_empty() {
            return Err(aggregate(&faults));
        }
        values.sort_unstable();
        values.dedup();
        Ok(Self {
            key: key.into(),
            operator,
            values: values.into_iter().map(String::into_boxed_str).collect(),
            bound,
        })
    }

    /// Whether an object with these labels fits.
    pub fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        match self.operator {
            Operator::In => value.is_some_and(|value| self.has(value)),
            Operator::NotIn => value.is_none_or(|value| !self.has(value)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::GreaterThan => number(value).is_some_and(|value| value > self.bound),
            Operator::LessThan => number(value).is_some_and(|value| value < self.bound),
        }
    }

    fn has(&self, value: &str) -> bool {
        self.values
            .binary_search_by(|have| (**have).cmp(value))
            .is_ok()
    }
}

/// Go's `strconv.ParseInt`, which takes a sign of either kind as Rust does.
fn number(text: Option<&str>) -> Option<i64> {
    text?.parse().ok()
}

fn bound(values: &[String], faults: &mut Vec<FieldError>) -> i64 {
    if values.len() != 1 {
        let why = "for 'Gt', 'Lt' operators, exactly one value is required";
        faults.push(FieldError::invalid("values", values.to_vec().into(), why));
    }
    let mut bound = 0;
    for (index, value) in values.iter().enumerate() {
        if let Some(value) = number(Some(value)) {
            bound = value;
        } else {
            let field = format!("values[{index}]");
            let why = "for 'Gt', 'Lt' operators, the value must be an integer";
            faults.push(FieldError::invalid(field, value.as_str().into(), why));
        }
    }
    bound
}

/// Several faults as upstream's `Aggregate` writes them: each once.
fn aggregate(faults: &[FieldError]) -> SelectorError {
    let mut texts: Vec<String> = Vec::with_capacity(faults.len());
    for fault in faults {
        let text = fault.to_string();
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    match texts.as_slice() {
        [only] => SelectorError::new(only.clone()),
        several => SelectorError::new(format!("[{}]", several.join(", "))),
    }
}

/// A selector on labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelSelector {
    /// Sorted by key; none for a selector that nothing matches.
    requirements: Option<Box<[Requirement]>>,
}

impl Default for LabelSelector {
    fn default() -> Self {
        Self::everything()
    }
}

impl LabelSelector {
    /// The selector that every object matches.
    pub fn everything() -> Self {
        Self::from(Vec::new())
    }

    /// The selector that no object matches.
    pub fn nothing() -> Self {
        Self { requirements: None }
    }

    /// Reads a query's `labelSelector`.
    ///
    /// # Errors
    /// What the genuine server answers with 400.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        parse::requirements(text).map(Self::from)
    }

    /// Reads a `LabelSelector` object (`matchLabels`, `matchExpressions`). None selects nothing, an
    /// empty one everything (upstream's `metav1.LabelSelectorAsSelector`).
    ///
    /// # Errors
    /// What is wrong with its first requirement that is wrong.
    pub fn from_object(selector: Option<&Value>) -> Result<Self, SelectorError> {
        let Some(selector) = selector.filter(|selector| !selector.is_null()) else {
            return Ok(Self::nothing());
        };
        let mut requirements = Vec::new();
        if let Some(Value::Object(labels)) = selector.get("matchLabels") {
            for (key, value) in labels.iter().take(MAX_REQUIREMENTS + 1) {
                let values = vec![value.as_str().unwrap_or_default().to_owned()];
                requirements.push(Requirement::new(key, Operator::In, values)?);
            }
        }
        if let Some(Value::Array(expressions)) = selector.get("matchExpressions") {
            for expression in expressions.iter().take(MAX_REQUIREMENTS + 1) {
                requirements.push(from_expression(expression)?);
            }
        }
        if requirements.len() > MAX_REQUIREMENTS {
            return Err(SelectorError::too_many());
        }
        Ok(Self::from(requirements))
    }

    /// Whether an object with these labels fits.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.requirements
            .as_ref()
            .is_some_and(|all| all.iter().all(|one| one.matches(labels)))
    }

    /// Whether every object fits: lists count what remains only then.
    pub fn is_everything(&self) -> bool {
        self.requirements.as_ref().is_some_and(|all| all.is_empty())
    }
}

impl From<Vec<Requirement>> for LabelSelector {
    fn from(mut requirements: Vec<Requirement>) -> Self {
        requirements.sort_by(|a, b| a.key.cmp(&b.key));
        Self {
            requirements: Some(requirements.into()),
        }
    }
}

fn from_expression(expression: &Value) -> Result<Requirement, SelectorError> {
    let text = |field| {
        expression
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let operator = match text("operator") {
        "In" => Operator::In,
        "NotIn" => Operator::NotIn,
        "Exists" => Operator::Exists,
        "DoesNotExist" => Operator::DoesNotExist,
        other => {
            let message = format!("{other:?} is not a valid label selector operator");
            return Err(SelectorError::new(message));
        }
    };
    let values = expression.get("values").and_then(Value::as_array);
    let values = values.into_iter().flatten();
    let values = values.map(|value| value.as_str().unwrap_or_default().to_owned());
    Requirement::new(text("key"), operator, values.collect())
}

impl fmt::Display for LabelSelector {
    /// Writes it so that it can be read again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, requirement) in self.requirements.iter().flatten().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            write!(f, "{requirement}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.key;
        match (self.operator, &*self.values) {
            (Operator::Exists, _) => write!(f, "{key}"),
            (Operator::DoesNotExist, _) => write!(f, "!{key}"),
            (Operator::GreaterThan, _) => write!(f, "{key}>{}", self.bound),
            (Operator::LessThan, _) => write!(f, "{key}<{}", self.bound),
            (Operator::In, [value]) => write!(f, "{key}={value}"),
            (Operator::NotIn, [value]) => write!(f, "{key}!={value}"),
            (Operator::In, values) => write!(f, "{key} in ({})", values.join(",")),
            (Operator::NotIn, values) => write!(f, "{key} notin ({})", values.join(",")),
        }
    }
}
