//! Rules for values, as go-openapi's validator has them and with its sentences
//! (kube-openapi's `pkg/validation/validate`).
//!
//! A valid value is checked without writing anything down. Only where something is wrong it is walked
//! again for the sentences, so that they cost nothing where there are none.

mod junctor;
mod number;

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Map, Value, json};

use super::format::Format;
use crate::status::{FieldError, go_quote};
use crate::validate::Path;

pub(super) use number::Numbers;

/// So many faults of one object are written down.
const FAULTS: usize = 512;

/// What holds for a value.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// Of which types it may be; any, where there is none.
    pub(super) kinds: &'static [&'static str],
    pub(super) nullable: bool,
    /// The format as it was written; empty for those that say nothing.
    pub(super) format_name: Box<str>,
    pub(super) format: Option<Format>,
    pub(super) numbers: Numbers,
    pub(super) max_length: Option<i64>,
    pub(super) min_length: Option<i64>,
    pub(super) pattern: Option<(Box<str>, Regex)>,
    pub(super) max_items: Option<i64>,
    pub(super) min_items: Option<i64>,
    pub(super) options: Vec<Value>,
    pub(super) max_properties: Option<i64>,
    pub(super) min_properties: Option<i64>,
    pub(super) required: Vec<Box<str>>,
    pub(super) all_of: Vec<Rules>,
    pub(super) any_of: Vec<Rules>,
    pub(super) one_of: Vec<Rules>,
    pub(super) not: Option<Box<Rules>>,
    pub(super) items: Option<Box<Rules>>,
    pub(super) properties: BTreeMap<Box<str>, Rules>,
    pub(super) entries: Entries,
}

/// What holds for entries that are no properties.
#[derive(Clone, Debug)]
pub(super) enum Entries {
    Any,
    Forbidden,
    Of(Box<Rules>),
}

impl Rules {
    /// Checks a value. `base` is where it stands in its object (`status`), empty for the whole.
    pub(super) fn check(&self, value: &Value, base: &str, errors: &mut Vec<FieldError>) {
        let mut walk = Walk {
            base,
            detailed: false,
        };
        if walk.node(self, value, &Path::TOP).failed {
            walk.detailed = true;
            errors.append(&mut walk.node(self, value, &Path::TOP).errors);
        }
    }
}

/// What came out for one value.
#[derive(Debug, Default)]
struct Outcome {
    failed: bool,
    /// How many checks went well: the alternative that came closest is the one to speak of.
    matches: usize,
    errors: Vec<FieldError>,
}

impl Outcome {
    fn merge(&mut self, other: Outcome) {
        self.failed |= other.failed;
        self.matches += other.matches;
        for error in other.errors {
            self.note(error);
        }
    }

    fn note(&mut self, error: FieldError) {
        if self.errors.len() < FAULTS && !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }
}

struct Walk<'a> {
    base: &'a str,
    /// Whether faults are written down.
    detailed: bool,
}

impl Walk<'_> {
    fn fault(&self, out: &mut Outcome, make: impl FnOnce() -> FieldError) {
        out.failed = true;
        if self.detailed {
            out.note(make());
        }
    }

    /// Where a fault is, as it is named within the object.
    fn place(&self, at: &Path<'_>) -> String {
        match (self.base.is_empty(), at.is_top()) {
            (true, _) => at.text(),
            (false, true) => self.base.to_owned(),
            (false, false) => {
                let at = at.to_string();
                format!("{}.{}", self.base, at.strip_prefix('.').unwrap_or(&at))
            }
        }
    }

    /// A fault that upstream cannot place.
    fn unplaced(&self, out: &mut Outcome, why: impl FnOnce() -> String) {
        self.fault(out, || {
            FieldError::invalid(self.place(&Path::TOP), json!(""), why())
        });
    }

    fn invalid(
        &self,
        out: &mut Outcome,
        at: &Path<'_>,
        value: impl FnOnce() -> Value,
        why: impl FnOnce() -> String,
    ) {
        self.fault(out, || {
            FieldError::invalid(self.place(at), value(), format!("{at} in body {}", why()))
        });
    }

    fn of_type(&self, out: &mut Outcome, at: &Path<'_>, wanted: &str, found: &str) {
        self.fault(out, || {
            let found_text = go_quote(found);
            let why = format!("{at} in body must be of type {wanted}: {found_text}");
            FieldError::type_invalid(self.place(at), json!(found), why)
        });
    }

    /// Checks a value.
    fn node(&self, rules: &Rules, value: &Value, at: &Path<'_>) -> Outcome {
        let mut out = Outcome::default();
        if value.is_null() {
            if rules.kinds.is_empty() || rules.nullable {
                out.matches += 1;
            } else {
                self.of_type(&mut out, at, &rules.kinds.join(","), "null");
            }
            self.option(rules, value, at, &mut out);
            return out;
        }
        if !rules.kinds.is_empty() || !rules.format_name.is_empty() {
            self.kind(rules, value, at, &mut out);
            out.matches += 1;
        }
        self.junctors(rules, value, at, &mut out);
        out.matches += 2;
        match value {
            Value::String(text) => {
                self.text(rules, text, at, &mut out);
                out.matches += 1 + usize::from(rules.format.is_some());
            }
            Value::Number(number) => {
                self.number(rules, number, at, &mut out);
                out.matches += 2;
            }
            Value::Array(items) => {
                self.list(rules, items, at, &mut out);
                out.matches += 2;
            }
            _ => {}
        }
        self.option(rules, value, at, &mut out);
        out.matches += 1;
        if let Value::Object(map) = value {
            self.map(rules, map, at, &mut out);
            out.matches += 1;
        }
        out.matches += 1;
        out
    }

    fn kind(&self, rules: &Rules, value: &Value, at: &Path<'_>, out: &mut Outcome) {
        let (found, found_format) = match value {
            Value::Null => ("null", ""),
            Value::Bool(_) => ("boolean", ""),
            Value::Number(number) if number.is_i64() => ("integer", "int64"),
            Value::Number(_) => ("number", "float64"),
            Value::String(_) => ("string", ""),
            Value::Array(_) => ("array", ""),
            Value::Object(_) => ("object", ""),
        };
        let has = |kind: &str| rules.kinds.contains(&kind);
        let number = || value.as_f64().unwrap_or_default();
        let fits = has(found)
            || (found == "number" && has("integer") && number::is_whole(number()))
            || (found == "integer" && has("number"));
        let by_format = !rules.format_name.is_empty();
        let written = matches!(found, "string" | "array");
        if by_format && !written && !fits && found_format != &*rules.format_name {
            self.of_type(out, at, &rules.format_name, found_format);
        } else if by_format && written && !has("number") && !has("integer") {
            // What is written is left to its format; upstream forgets lists here.
            out.matches += 1;
        } else if fits {
            out.matches += 1;
        } else {
            self.of_type(out, at, &rules.kinds.join(","), found);
        }
    }

    fn text(&self, rules: &Rules, text: &str, at: &Path<'_>, out: &mut Outcome) {
        // Characters are counted only where their number can matter: there are no more than bytes.
        let longer = |most: i64| exceeds(text.len(), most) && exceeds(text.chars().count(), most);
        if let Some(most) = rules.max_length
            && longer(most)
        {
            self.fault(out, || {
                FieldError::too_long(self.place(at), u64::try_from(most).unwrap_or_default())
            });
        } else if let Some(least) = rules.min_length
            && falls_short(text.chars().count(), least)
        {
            let why = || format!("should be at least {least} chars long");
            self.invalid(out, at, || json!(text), why);
        } else if let Some((pattern, regex)) = &rules.pattern
            && !regex.is_match(text)
        {
            let why = || format!("should match '{pattern}'");
            self.invalid(out, at, || json!(text), why);
        }
        if let Some(format) = rules.format
            && !format.holds(text)
        {
            self.of_type(out, at, &rules.format_name, text);
        }
    }

    fn option(&self, rules: &Rules, value: &Value, at: &Path<'_>, out: &mut Outcome) {
        let options = &rules.options;
        if options.is_empty() || options.iter().any(|option| number::same(value, option)) {
            return;
        }
        self.fault(out, || {
            let texts: Vec<String> = options
                .iter()
                .map(|option| {
                    option
                        .as_str()
                        .map_or_else(|| option.to_string(), str::to_owned)
                })
                .collect();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            FieldError::not_supported(self.place(at), value.clone(), &texts)
        });
    }

    fn list(&self, rules: &Rules, items: &[Value], at: &Path<'_>, out: &mut Outcome) {
        if let Some(rules) = &rules.items {
            for (index, item) in items.iter().enumerate() {
                out.merge(self.node(rules, item, &at.index(index)));
            }
        }
        let count = items.len();
        if let Some(least) = rules.min_items
            && falls_short(count, least)
        {
            let why = || format!("should have at least {least} items");
            self.invalid(out, at, || json!(count), why);
        }
        if let Some(most) = rules.max_items
            && exceeds(count, most)
        {
            self.too_many(out, at, count, most);
        }
    }

    fn too_many(&self, out: &mut Outcome, at: &Path<'_>, count: usize, most: i64) {
        self.fault(out, || {
            let most = u64::try_from(most).unwrap_or_default();
            FieldError::too_many(self.place(at), count, most)
        });
    }

    fn map(&self, rules: &Rules, map: &Map<String, Value>, at: &Path<'_>, out: &mut Outcome) {
        let count = map.len();
        if let Some(least) = rules.min_properties
            && falls_short(count, least)
        {
            let why = || format!("should have at least {least} properties");
            self.invalid(out, at, || json!(count), why);
        }
        if let Some(most) = rules.max_properties
            && exceeds(count, most)
        {
            self.too_many(out, at, count, most);
        }
        match &rules.entries {
            Entries::Any => {}
            Entries::Forbidden => {
                for key in map
                    .keys()
                    .filter(|key| !rules.properties.contains_key(key.as_str()))
                {
                    self.fault(out, || {
                        let why = format!("{at}.{key} in body is a forbidden property");
                        FieldError::invalid(self.place(at), json!(key), why)
                    });
                }
            }
            Entries::Of(entries) => {
                for (key, value) in map {
                    if !rules.properties.contains_key(key.as_str()) {
                        out.merge(self.node(entries, value, &at.entry(key)));
                    }
                }
            }
        }
        for (name, rules) in &rules.properties {
            if let Some(value) = map.get(&**name) {
                out.merge(self.node(rules, value, &at.field(name)));
            }
        }
        for name in &rules.required {
            if !map.contains_key(&**name) {
                self.fault(out, || {
                    FieldError::required(self.place(&at.field(name)), "")
                });
            }
        }
    }
}

fn exceeds(count: usize, most: i64) -> bool {
    i64::try_from(count).is_ok_and(|count| count > most)
}

fn falls_short(count: usize, least: i64) -> bool {
    i64::try_from(count).is_ok_and(|count| count < least)
}
