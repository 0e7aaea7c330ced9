//! Media types: what a body is written in, and what an answer is to be written in.

use crate::status::Status;

/// How objects are written in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// The syntax.
    pub(crate) syntax: Syntax,
    /// How much of an object.
    pub(crate) form: Form,
}

/// A syntax.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

/// How much of an object is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// All of it.
    Whole,
    /// `PartialObjectMetadata`.
    Metadata,
    /// A row of a `Table`; with the group version it was asked in (`v1`, `v1beta1`).
    Table(&'static str),
}

impl Written {
    /// All of it, in JSON.
    pub(crate) const JSON: Self = Self {
        syntax: Syntax::Json,
        form: Form::Whole,
    };

    /// The media type of the answer.
    pub(crate) fn content_type(self) -> &'static str {
        match self.syntax {
            Syntax::Json => "application/json",
            Syntax::Yaml => "application/yaml",
        }
    }
}

/// What an `Accept` header asks for: the first of its ranges that is served, whatever their weights,
/// as upstream does for the media types it knows.
///
/// # Errors
/// 406 that lists what is served.
pub(crate) fn accepted(header: Option<&str>) -> Result<Written, Status> {
    let Some(header) = header.filter(|header| !header.trim().is_empty()) else {
        return Ok(Written::JSON);
    };
    let mut ranges: Vec<(f32, Range<'_>)> = header.split(',').filter_map(range).collect();
    ranges.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let found = ranges.iter().find_map(|(_, range)| range.written());
    found.ok_or_else(|| {
        Status::not_acceptable(
            "only the following media types are accepted: application/json, application/yaml",
        )
    })
}

struct Range<'a> {
    kind: &'a str,
    as_: &'a str,
    group: &'a str,
    version: &'a str,
}

fn range(text: &str) -> Option<(f32, Range<'_>)> {
    let mut parts = text.split(';').map(str::trim);
    let mut range = Range {
        kind: parts.next()?,
        as_: "",
        group: "",
        version: "",
    };
    let mut weight = 1.0;
    for part in parts {
        match part.split_once('=') {
            Some(("as", value)) => range.as_ = value,
            Some(("g", value)) => range.group = value,
            Some(("v", value)) => range.version = value,
            Some(("q", value)) => weight = value.parse().unwrap_or(0.0),
            _ => {}
        }
    }
    Some((weight, range))
}

impl Range<'_> {
    fn written(&self) -> Option<Written> {
        let syntax = match self.kind {
            "application/json" | "*/*" | "application/*" => Syntax::Json,
            "application/yaml" => Syntax::Yaml,
            _ => return None,
        };
        let form = match (self.as_, self.group, self.version) {
            ("", _, _) => Form::Whole,
            ("Table", "meta.k8s.io", "v1") => Form::Table("v1"),
            ("Table", "meta.k8s.io", "v1beta1") => Form::Table("v1beta1"),
            ("PartialObjectMetadata" | "PartialObjectMetadataList", "meta.k8s.io", "v1") => {
                Form::Metadata
            }
            _ => return None,
        };
        Some(Written { syntax, form })
    }
}

/// What a body is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// JSON.
    Json,
    /// YAML.
    Yaml,
    /// Protobuf with Kubernetes' frame around it.
    Protobuf,
}

/// A `Content-Type` without its parameters.
fn kind(header: Option<&str>) -> &str {
    let kind = header.unwrap_or_default().split(';').next();
    kind.unwrap_or_default().trim()
}

/// What a `Content-Type` says of the body of a write.
///
/// # Errors
/// 415 that lists what is understood.
pub(crate) fn encoding(header: Option<&str>) -> Result<Encoding, Status> {
    // Of a patch's type upstream looks at the letters as they are.
    match kind(header).to_ascii_lowercase().as_str() {
        "" | "application/json" => Ok(Encoding::Json),
        "application/yaml" => Ok(Encoding::Yaml),
        "application/vnd.kubernetes.protobuf" => Ok(Encoding::Protobuf),
        _ => Err(unsupported(
            "application/json, application/yaml, application/vnd.kubernetes.protobuf",
        )),
    }
}

/// The kinds of patches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PatchType {
    /// RFC 6902.
    Json,
    /// RFC 7386.
    Merge,
    /// Kubernetes' own, which knows how lists are merged.
    Strategic,
    /// Server-side apply.
    Apply,
}

/// What kind of patch a `Content-Type` announces.
///
/// # Errors
/// 415, which for custom resources lists what is understood.
pub(crate) fn patch_type(header: Option<&str>, is_custom: bool) -> Result<PatchType, Status> {
    match kind(header) {
        "application/json-patch+json" => Ok(PatchType::Json),
        "application/merge-patch+json" => Ok(PatchType::Merge),
        "application/strategic-merge-patch+json" if !is_custom => Ok(PatchType::Strategic),
        "application/apply-patch+yaml" => Ok(PatchType::Apply),
        _ if is_custom => Err(unsupported(
            "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
        )),
        _ => Err(Status::unsupported_patch()),
    }
}

fn unsupported(known: &str) -> Status {
    Status::unsupported_media_type(format!(
        "the body of the request was in an unknown format - accepted media types include: {known}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &str, form: Form) {
        let found = accepted(Some(header)).map(|written| written.form);
        assert_eq!(found, Ok(form), "{header}");
    }

    #[test]
    fn the_first_form_that_is_served_is_written() {
        check("*/*", Form::Whole);
        check(
            "application/vnd.kubernetes.protobuf,application/json",
            Form::Whole,
        );
        check(
            "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json",
            Form::Table("v1"),
        );
        check(
            "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
            Form::Metadata,
        );
        check(
            "application/json;as=Nonsense;g=meta.k8s.io;v=v1, application/json;q=0.1",
            Form::Whole,
        );
        let refused = accepted(Some("application/cbor")).expect_err("it is not served");
        assert_eq!(refused.code, 406);
        assert_eq!(accepted(None), Ok(Written::JSON));
    }

    #[test]
    fn bodies_and_patches_are_told_apart() {
        assert_eq!(
            encoding(Some("application/json; charset=utf-8")),
            Ok(Encoding::Json)
        );
        assert_eq!(encoding(Some("Application/JSON")), Ok(Encoding::Json));
        assert_eq!(
            encoding(Some("application/cbor"))
                .expect_err("unknown")
                .code,
            415
        );
        let strategic = Some("application/strategic-merge-patch+json");
        assert_eq!(patch_type(strategic, false), Ok(PatchType::Strategic));
        assert_eq!(patch_type(strategic, true).expect_err("unknown").code, 415);
    }
}
