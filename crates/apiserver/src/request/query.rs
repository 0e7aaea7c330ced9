//! The query of a request.

use super::percent_decoded;
use crate::status::Status;

/// Values by name; the first one counts where a name is there several times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Query(Vec<(String, String)>);

/// A query that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadQuery;

impl Query {
    /// Reads what stands behind the question mark.
    ///
    /// # Errors
    /// [`BadQuery`] when an escape is broken or decodes to no text.
    pub(crate) fn parse(text: &str) -> Result<Self, BadQuery> {
        let parts = text.split('&').filter(|part| !part.is_empty());
        let pairs = parts.map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Some((decoded(name)?, decoded(value)?))
        });
        pairs.collect::<Option<_>>().map(Self).ok_or(BadQuery)
    }

    /// The value of a name; an empty one counts as none.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let pair = self.0.iter().find(|(known, _)| known == name);
        pair.map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// The number that is the value of a name, in base ten; none where the name is not there.
    ///
    /// # Errors
    /// 400 for what is no number, in the words of Go's `strconv.ParseInt`.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, Status> {
        let Some((_, text)) = self.0.iter().find(|(known, _)| known == name) else {
            return Ok(None);
        };
        if let Ok(number) = text.parse() {
            return Ok(Some(number));
        }
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let why = if is_number {
            "value out of range"
        } else {
            "invalid syntax"
        };
        Err(Status::bad_request(format!(
            "strconv.ParseInt: parsing {text:?}: {why}"
        )))
    }

    /// All values of a name.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let hits = self.0.iter().filter(move |(known, _)| known == name);
        hits.map(|(_, value)| value.as_str())
    }

    /// Whether a name is there and set: without a value, or with one that is not `false` or `0`, as
    /// upstream converts query values to booleans.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        let pair = self.0.iter().find(|(known, _)| known == name);
        pair.is_some_and(|(_, value)| !matches!(value.to_ascii_lowercase().as_str(), "false" | "0"))
    }
}

fn decoded(text: &str) -> Option<String> {
    percent_decoded(&text.replace('+', " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_and_decoded() {
        let query = Query::parse(
            "watch=true&labelSelector=a%3Db%2Cc+in+%28d%29&limit=&dryRun=All&dryRun=x&pretty",
        )
        .expect("it is one");
        assert!(query.is_true("watch") && query.is_true("pretty") && !query.is_true("force"));
        assert_eq!(query.get("labelSelector"), Some("a=b,c in (d)"));
        assert_eq!(query.get("limit"), None);
        assert_eq!(query.all("dryRun").collect::<Vec<_>>(), ["All", "x"]);
        assert_eq!(Query::parse("a=%f"), Err(BadQuery));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let query = Query::parse("a=-7&b=abc&c=&d=99999999999999999999&e=1.5").expect("it is one");
        assert_eq!(query.number("a"), Ok(Some(-7)));
        assert_eq!(query.number("z"), Ok(None));
        for (name, why) in [
            ("b", "strconv.ParseInt: parsing \"abc\": invalid syntax"),
            ("c", "strconv.ParseInt: parsing \"\": invalid syntax"),
            (
                "d",
                "strconv.ParseInt: parsing \"99999999999999999999\": value out of range",
            ),
            ("e", "strconv.ParseInt: parsing \"1.5\": invalid syntax"),
        ] {
            let refused = query.number(name).expect_err("it is no number");
            assert_eq!((refused.code, refused.message.as_str()), (400, why));
        }
    }
}
