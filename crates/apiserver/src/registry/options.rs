//! The options of a write, from the query and, for deletions, from the body.

use serde_json::{Value, json};

use crate::media::PatchType;
use crate::request::Query;
use crate::status::{About, FieldError, Status};

/// What to do about fields that the schema does not know, or that are there twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum FieldValidation {
    /// Refuse the request.
    Strict,
    /// Warn of each.
    #[default]
    Warn,
    /// Drop them silently.
    Ignore,
}

/// The options of a write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct WriteOptions {
    /// Whether nothing is stored.
    pub(crate) dry_run: bool,
    /// Who is to own the fields; empty where the caller names none.
    pub(crate) field_manager: String,
    /// What to do about unknown fields.
    pub(crate) field_validation: FieldValidation,
    /// Whether an apply takes fields from their owners; none where the caller does not say.
    pub(crate) force: Option<bool>,
}

/// The longest name of a field manager, as upstream has it.
const LONGEST_MANAGER: usize = 128;

impl WriteOptions {
    /// Reads them from a query. `kind` is the options' own (`CreateOptions`, `PatchOptions`), which
    /// errors name.
    ///
    /// # Errors
    /// 422 that names the option, in upstream's words (apimachinery, `meta/v1/validation`).
    pub(crate) fn read(query: &Query, kind: &'static str) -> Result<Self, Status> {
        let mut errors = Vec::new();
        let dry_run: Vec<&str> = query.all("dryRun").collect();
        if dry_run.iter().any(|text| *text != "All") {
            let wrong = FieldError::not_supported("dryRun", json!(dry_run), &["All"]);
            errors.push(wrong);
        }
        let field_manager = query.get("fieldManager").unwrap_or_default().to_owned();
        check_manager(&field_manager, &mut errors);
        let field_validation = match query.get("fieldValidation") {
            None => FieldValidation::default(),
            Some("Strict") => FieldValidation::Strict,
            Some("Warn") => FieldValidation::Warn,
            Some("Ignore") => FieldValidation::Ignore,
            Some(other) => {
                let known = ["", "Ignore", "Strict", "Warn"];
                errors.push(FieldError::not_supported(
                    "fieldValidation",
                    json!(other),
                    &known,
                ));
                FieldValidation::default()
            }
        };
        if !errors.is_empty() {
            return Err(invalid(kind, &errors));
        }
        Ok(Self {
            dry_run: !dry_run.is_empty(),
            field_manager,
            field_validation,
            force: query.all("force").next().map(|_| query.is_true("force")),
        })
    }

    /// Who owns what this write sets: who the caller names, else what it calls itself
    /// ([`manager_of`](crate::fields::manager_of)).
    pub(crate) fn manager<'a>(&'a self, itself: &'a str) -> &'a str {
        let named = [&*self.field_manager, itself];
        named
            .into_iter()
            .find(|name| !name.is_empty())
            .unwrap_or("unknown")
    }
}

fn check_manager(manager: &str, errors: &mut Vec<FieldError>) {
    if manager.len() > LONGEST_MANAGER {
        errors.push(FieldError {
            kind: crate::status::FieldErrorKind::TooLong,
            field: "fieldManager".to_owned(),
            value: json!(manager),
            detail: format!("may not be more than {LONGEST_MANAGER} bytes"),
        });
    }
    if let Some((at, c)) = manager.char_indices().find(|(_, c)| c.is_control()) {
        let code = u32::from(c);
        let detail = format!("invalid character U+{code:04X} (at position {at})");
        errors.push(FieldError::invalid("fieldManager", json!(manager), detail));
    }
}

/// What a deletion asks for beside the object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DeleteOptions {
    /// Whether nothing is stored.
    pub(crate) dry_run: bool,
    /// What becomes of the objects that it owns; none for the kind's own way.
    pub(crate) propagation: Option<Propagation>,
    /// How many seconds the object may take to end; none for the kind's own way.
    pub(crate) grace_period_seconds: Option<i64>,
    /// The uid that it must have.
    pub(crate) uid: Option<String>,
    /// The resourceVersion that it must have.
    pub(crate) resource_version: Option<String>,
}

/// What becomes of the objects that a deleted one owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Propagation {
    /// They stay, without their owner.
    Orphan,
    /// They go after it.
    Background,
    /// They go before it.
    Foreground,
}

impl DeleteOptions {
    /// Reads them from a query and a body; the body counts where there is one.
    ///
    /// # Errors
    /// 400 where a number is none, 422 that names an option that makes no sense.
    pub(crate) fn read(query: &Query, body: Option<&Value>) -> Result<Self, Status> {
        let mut errors = Vec::new();
        let policy = match body {
            Some(body) => body["propagationPolicy"].as_str(),
            None => query.all("propagationPolicy").next(),
        };
        let dry_run: Vec<String> = match body {
            Some(body) => body["dryRun"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|text| text.as_str().map(str::to_owned))
                .collect(),
            None => query.all("dryRun").map(str::to_owned).collect(),
        };
        if dry_run.iter().any(|text| text != "All") {
            errors.push(FieldError::not_supported(
                "dryRun",
                json!(dry_run),
                &["All"],
            ));
        }
        let orphan = match body {
            Some(body) => body["orphanDependents"].as_bool(),
            None => query
                .get("orphanDependents")
                .map(|_| query.is_true("orphanDependents")),
        };
        let propagation = match policy {
            Some("Orphan") => Some(Propagation::Orphan),
            Some("Background") => Some(Propagation::Background),
            Some("Foreground") => Some(Propagation::Foreground),
            None => orphan.map(|orphan| {
                if orphan {
                    Propagation::Orphan
                } else {
                    Propagation::Background
                }
            }),
            Some(other) => {
                let known = ["Foreground", "Background", "Orphan", "nil"];
                errors.push(FieldError::not_supported(
                    "propagationPolicy",
                    json!(other),
                    &known,
                ));
                None
            }
        };
        if let (Some(_), Some(policy)) = (orphan, policy) {
            let why = "orphanDependents and deletionPropagation cannot be both set";
            errors.push(FieldError::invalid("propagationPolicy", json!(policy), why));
        }
        let grace_period_seconds = match body {
            Some(body) => body["gracePeriodSeconds"].as_i64(),
            None => query.number("gracePeriodSeconds")?,
        };
        if !errors.is_empty() {
            return Err(invalid("DeleteOptions", &errors));
        }
        let preconditions = body.map_or(&Value::Null, |body| &body["preconditions"]);
        let precondition = |name: &str| preconditions[name].as_str().map(str::to_owned);
        let uid = match body {
            Some(_) => precondition("uid"),
            None => query.get("uid").map(str::to_owned),
        };
        Ok(Self {
            dry_run: !dry_run.is_empty(),
            propagation,
            grace_period_seconds,
            uid,
            resource_version: precondition("resourceVersion"),
        })
    }
}

/// Checks the options of a patch against its kind.
///
/// # Errors
/// 422 for an apply without a manager, and for force without an apply, in upstream's words.
pub(crate) fn check_patch(options: &WriteOptions, how: PatchType) -> Result<(), Status> {
    let error = if how == PatchType::Apply {
        if !options.field_manager.is_empty() {
            return Ok(());
        }
        FieldError::required("fieldManager", "is required for apply patch")
    } else if options.force.is_some() {
        FieldError::forbidden("force", "may not be specified for non-apply patch")
    } else {
        return Ok(());
    };
    Err(invalid("PatchOptions", &[error]))
}

/// 422 for options rather than an object.
pub(crate) fn invalid(kind: &'static str, errors: &[FieldError]) -> Status {
    let about = About {
        group: "meta.k8s.io",
        resource: "",
        kind,
    };
    Status::invalid(about, "", errors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_wrong_ones_named() {
        let read = |text: &str| {
            WriteOptions::read(&Query::parse(text).expect("it is one"), "PatchOptions")
        };
        let options = read("dryRun=All&fieldManager=me&fieldValidation=Strict&force=true")
            .expect("they are good");
        assert!(options.dry_run && options.force == Some(true));
        assert_eq!(options.manager("kubectl"), "me");
        assert_eq!(WriteOptions::default().manager("kubectl"), "kubectl");
        assert_eq!(WriteOptions::default().manager(""), "unknown");
        let wrong = read("dryRun=Some").expect_err("it is not known");
        assert_eq!(
            wrong.message,
            "PatchOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: [\"Some\"]: supported values: \"All\""
        );
        assert_eq!(
            read("fieldValidation=x").expect_err("it is not known").code,
            422
        );
        let wrong = read("dryRun=").expect_err("it is not known");
        assert!(
            wrong.message.contains("Unsupported value: [\"\"]"),
            "{}",
            wrong.message
        );
    }

    #[test]
    fn a_deletion_is_told_by_its_body_or_its_query() {
        let query = Query::parse("propagationPolicy=Orphan&dryRun=All").expect("it is one");
        let read = DeleteOptions::read(&query, None).expect("they are good");
        assert_eq!(read.propagation, Some(Propagation::Orphan));
        assert!(read.dry_run);
        let body = json!({"propagationPolicy": "Foreground", "preconditions": {"uid": "u"}, "gracePeriodSeconds": 0});
        let read = DeleteOptions::read(&query, Some(&body)).expect("they are good");
        assert_eq!(read.propagation, Some(Propagation::Foreground));
        assert_eq!(
            (read.uid.as_deref(), read.grace_period_seconds),
            (Some("u"), Some(0))
        );
        let refused = |text: &str| {
            let query = Query::parse(text).expect("it is one");
            DeleteOptions::read(&query, None)
                .expect_err("it makes no sense")
                .code
        };
        assert_eq!(refused("gracePeriodSeconds=abc"), 400);
        assert_eq!(refused("propagationPolicy="), 422);
        let body = json!({"propagationPolicy": "Sideways"});
        assert_eq!(
            DeleteOptions::read(&query, Some(&body))
                .expect_err("unknown")
                .code,
            422
        );
    }
}
