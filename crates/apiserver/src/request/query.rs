//! The query of a request.

use super::percent_decoded;

/// Values by name; the first one counts where a name is there several times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

/// A query that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadQuery;

impl Query {
    /// Reads what stands behind the question mark.
    ///
    /// # Errors
    /// [`BadQuery`] when an escape is broken or decodes to no text.
    pub fn parse(text: &str) -> Result<Self, BadQuery> {
        let parts = text.split('&').filter(|part| !part.is_empty());
        let pairs = parts.map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Some((decoded(name)?, decoded(value)?))
        });
        pairs.collect::<Option<_>>().map(Self).ok_or(BadQuery)
    }

    /// The value of a name; an empty one counts as none.
    pub fn get(&self, name: &str) -> Option<&str> {
        let pair = self.0.iter().find(|(known, _)| known == name);
        pair.map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// All values of a name.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let hits = self.0.iter().filter(move |(known, _)| known == name);
        hits.map(|(_, value)| value.as_str())
    }

    /// Whether a name is there and set: without a value, or with one that is not `false` or `0`, as
    /// upstream converts query values to booleans.
    pub fn is_true(&self, name: &str) -> bool {
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
}
