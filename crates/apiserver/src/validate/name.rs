//! The forms of names, label keys and label values, and the sentences upstream writes about those
//! that have another one (`apimachinery/pkg/util/validation`, `pkg/api/validate/content`).

/// What the name of an object has to look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameRule {
    /// A lower-case DNS name: most kinds.
    Subdomain,
    /// One label of such a name: namespaces, services, ...
    Label,
    /// Whatever can be a part of a URL's path: the kinds of RBAC.
    PathSegment,
}

/// What of a name there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// All of it.
    Whole,
    /// Its beginning (`generateName`): more is going to follow.
    Prefix,
}

impl NameRule {
    /// What is wrong with a name; nothing for a good one.
    pub(crate) fn faults(self, name: &str, form: Form) -> Vec<String> {
        if self == Self::PathSegment {
            return path_segment(name, form);
        }
        let bytes = name.as_bytes();
        // Upstream drops two characters and adds one, so that a prefix may be one character longer
        // than it looks.
        let masked = match bytes {
            [start @ .., _, b'-'] if form == Form::Prefix => {
                let mut masked = start.to_vec();
                masked.push(b'a');
                Some(masked)
            }
            _ => None,
        };
        let bytes = masked.as_deref().unwrap_or(bytes);
        match self {
            Self::Subdomain => subdomain(bytes),
            Self::Label => label(bytes),
            Self::PathSegment => Vec::new(),
        }
    }
}

const LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";

/// What is wrong with a lower-case DNS name.
pub(crate) fn dns1123_subdomain(name: &str) -> Vec<String> {
    subdomain(name.as_bytes())
}

/// What is wrong with a DNS label that has to start with a letter.
pub(crate) fn dns1035_label(name: &str) -> Vec<String> {
    label1035(name.as_bytes())
}

fn subdomain(name: &[u8]) -> Vec<String> {
    let mut faults = too_long(name, 253);
    faults.extend(not_a_subdomain(name));
    faults
}

fn not_a_subdomain(name: &[u8]) -> Option<String> {
    let fault = || {
        format!(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{LABEL}(\\.{LABEL})*')"
        )
    };
    (!is_subdomain(name)).then(fault)
}

fn label(name: &[u8]) -> Vec<String> {
    let mut faults = too_long(name, 63);
    if !is_label(name) {
        faults.push(if is_subdomain(name) {
            "must not contain dots".to_owned()
        } else {
            format!("a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{LABEL}')")
        });
    }
    faults
}

fn label1035(name: &[u8]) -> Vec<String> {
    let mut faults = too_long(name, 63);
    if !is_label(name) || !name[0].is_ascii_lowercase() {
        faults.push("a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')".to_owned());
    }
    faults
}

fn path_segment(name: &str, form: Form) -> Vec<String> {
    if form == Form::Whole && matches!(name, "." | "..") {
        return vec![format!("may not be '{name}'")];
    }
    ['/', '%']
        .into_iter()
        .filter(|bad| name.contains(*bad))
        .map(|bad| format!("may not contain '{bad}'"))
        .collect()
}

fn too_long(name: &[u8], most: usize) -> Vec<String> {
    if name.len() > most {
        vec![longer_than(most)]
    } else {
        Vec::new()
    }
}

fn longer_than(most: usize) -> String {
    format!("must be no more than {most} characters")
}

/// Upstream counts bytes in both places, and says so in one.
fn more_bytes_than(most: usize) -> String {
    format!("must be no more than {most} bytes")
}

fn is_subdomain(name: &[u8]) -> bool {
    name.split(|byte| *byte == b'.').all(is_label)
}

fn is_label(name: &[u8]) -> bool {
    let inner = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
    is_framed(name, inner, |byte| *byte != b'-')
}

fn is_framed(name: &[u8], inner: impl Fn(&u8) -> bool, edge: impl Fn(&u8) -> bool) -> bool {
    name.iter().all(inner) && name.first().is_some_and(&edge) && name.last().is_some_and(&edge)
}

const KEY: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const KEY_WORDS: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const KEY_EXAMPLES: &str = "'MyName',  or 'my.name',  or '123-abc'";

fn is_key(name: &[u8]) -> bool {
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    is_framed(name, inner, u8::is_ascii_alphanumeric)
}

/// What is wrong with a label's key or with the name of a finalizer: `name` or `domain/name`.
pub(crate) fn qualified_name(key: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let name = match key.split_once('/') {
        None => key,
        Some((_, rest)) if rest.contains('/') => {
            return vec![format!(
                "a valid label key {KEY_WORDS} (e.g. {KEY_EXAMPLES}, regex used for validation is '{KEY}') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
        Some(("", name)) => {
            faults.push("prefix part must be non-empty".to_owned());
            name
        }
        Some((prefix, name)) => {
            let long = (prefix.len() > 253).then(|| more_bytes_than(253));
            let other = not_a_subdomain(prefix.as_bytes());
            let prefixed = long.into_iter().chain(other);
            faults.extend(prefixed.map(|fault| format!("prefix part {fault}")));
            name
        }
    };
    if name.is_empty() {
        faults.push("name part must be non-empty".to_owned());
    } else if name.len() > 63 {
        faults.push(format!("name part {}", more_bytes_than(63)));
    }
    if !is_key(name.as_bytes()) {
        faults.push(format!(
            "name part {KEY_WORDS} (e.g. {KEY_EXAMPLES}, regex used for validation is '{KEY}')"
        ));
    }
    faults
}

/// What is wrong with a label's value.
pub(crate) fn label_value(value: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if value.len() > 63 {
        faults.push(more_bytes_than(63));
    }
    if !value.is_empty() && !is_key(value.as_bytes()) {
        faults.push(format!("a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '({KEY})?')"));
    }
    faults
}
