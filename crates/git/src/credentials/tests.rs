//! The shapes of Secret that are read, and that nothing secret is ever shown.

use super::*;

fn secret(type_: Option<&str>, data: &[(&str, &str)]) -> Result<Credentials, CredentialsError> {
    let data = data
        .iter()
        .map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec()))
        .collect();
    Credentials::from_secret(type_, &data)
}

fn basic() -> Auth {
    Auth::Basic {
        username: "ada".into(),
        password: Secret::new("hunter2"),
    }
}

#[track_caller]
fn refused(type_: Option<&str>, data: &[(&str, &str)], message: &str) {
    let error = secret(type_, data)
        .expect_err("it has to be refused")
        .to_string();
    assert_eq!(error, message);
    assert!(!error.contains("hunter2"));
}

#[test]
fn basic_auth_is_read_from_both_shapes() {
    for type_ in [Some("kubernetes.io/basic-auth"), Some("Opaque"), None] {
        let read =
            secret(type_, &[("username", "ada"), ("password", "hunter2")]).expect("complete");
        assert_eq!(
            read,
            Credentials {
                auth: basic(),
                ca_pem: None
            }
        );
    }
}

#[test]
fn the_newline_of_echo_is_dropped() {
    let read =
        secret(None, &[("username", "ada\n"), ("password", "hunter2\r\n")]).expect("complete");
    assert_eq!(read.auth, basic());
}

#[test]
fn a_bearer_token_is_read() {
    let read = secret(Some("Opaque"), &[("bearerToken", "hunter2")]).expect("complete");
    assert_eq!(read.auth, Auth::Bearer(Secret::new("hunter2")));
}

#[test]
fn missing_keys_are_named_with_those_found() {
    refused(
        Some("kubernetes.io/basic-auth"),
        &[("username", "ada"), ("token", "hunter2")],
        "the Secret needs `username` and `password`; it has `token`, `username`",
    );
    refused(
        None,
        &[],
        "the Secret needs `username` and `password`, or `bearerToken`, or only `ca.crt` or `caFile`; it has no keys",
    );
}

#[test]
fn ssh_is_named_as_missing() {
    refused(
        Some("kubernetes.io/ssh-auth"),
        &[("ssh-privatekey", "hunter2")],
        "ssh is not supported yet: the Secret holds `ssh-privatekey`",
    );
    refused(
        Some("Opaque"),
        &[("identity", "hunter2"), ("known_hosts", "x")],
        "ssh is not supported yet: the Secret holds `identity`",
    );
}

#[test]
fn unusable_values_are_refused_by_the_name_of_their_key() {
    refused(
        None,
        &[("username", "a\nb"), ("password", "x")],
        "`username` in the Secret is empty or not a line of text",
    );
    refused(
        None,
        &[("username", "a"), ("password", "")],
        "`password` in the Secret is empty or not a line of text",
    );
    refused(
        None,
        &[("caFile", "hunter2")],
        "`caFile` in the Secret is not a PEM certificate bundle",
    );
    refused(
        None,
        &[
            ("username", "a"),
            ("password", "hunter2"),
            ("bearerToken", "hunter2"),
        ],
        "the Secret holds both `bearerToken` and `password`: keep one of them",
    );
}

#[test]
fn nothing_secret_is_shown() {
    let credentials = Credentials {
        auth: basic(),
        ca_pem: None,
    };
    assert!(!format!("{credentials:?}").contains("hunter2"));
    assert_eq!(Secret::new("hunter2").to_string(), "***");
    assert!(!credentials.fingerprint().contains("hunter2"));
}

#[test]
fn the_fingerprint_tells_credentials_apart() {
    let of = |auth, ca: Option<&str>| {
        Credentials {
            auth,
            ca_pem: ca.map(|ca| ca.as_bytes().to_vec()),
        }
        .fingerprint()
    };
    let all = [
        of(Auth::None, None),
        of(Auth::None, Some("")),
        of(basic(), None),
        of(basic(), Some("x")),
        of(Auth::Bearer(Secret::new("hunter2")), None),
        of(
            Auth::Basic {
                username: "adahunter2".into(),
                password: Secret::new(""),
            },
            None,
        ),
    ];
    let distinct: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!(distinct.len(), all.len());
    assert_eq!(of(basic(), None), of(basic(), None));
}
