//! Times as objects write them.

use jiff::Timestamp;

/// RFC 3339 in UTC with whole seconds (`2026-01-31T12:00:00Z`), as `metav1.Time` is written.
pub(crate) fn rfc3339(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
