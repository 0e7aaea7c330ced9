//! What the folder of keys holds, over restarts, time and damage.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use rustls::pki_types::UnixTime;

use super::super::user_of_certificate;
use super::*;

const ADMIN: Client<'static> = Client {
    user: "admin",
    group: "system:masters",
};

fn at(day: &str) -> Timestamp {
    format!("{day}T12:00:00Z").parse().expect("a time")
}

fn open(folder: &tempfile::TempDir, day: &str) -> Pki {
    Pki::open(&folder.path().join("pki"), at(day)).expect("an authority")
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn what_is_there_is_used_again_until_it_nears_its_end() {
    let folder = folder();
    let first = open(&folder, "2026-01-01");
    let serving = first.serving().expect("a pair");
    let client = first.client("admin", ADMIN).expect("a pair");
    let key = first.token_key().expect("a key");

    // The day; whether the authority is the same, and whether the client's pair is.
    for (day, same_ca, same_client) in [
        ("2026-01-02", true, true),
        ("2026-09-30", true, true),
        ("2026-11-01", true, false),
        ("2034-12-01", false, false),
    ] {
        let pki = open(&folder, day);
        assert_eq!(pki.ca_pem() == first.ca_pem(), same_ca, "{day}");
        let again = pki.client("admin", ADMIN).expect("a pair");
        assert_eq!(again == client, same_client, "{day}");
        assert_eq!(
            pki.serving().expect("a pair") == serving,
            same_client,
            "{day}"
        );
        assert_eq!(pki.token_key().expect("a key").id, key.id);
        pki.server_config(&pki.serving().expect("a pair"))
            .expect("TLS");
    }
}

#[test]
fn a_client_certificate_names_its_user() {
    let folder = folder();
    let pki = open(&folder, "2026-01-01");
    let pair = pki.client("admin", ADMIN).expect("a pair");
    let der = CertificateDer::from_pem_slice(pair.certificate.as_bytes()).expect("PEM");
    let user = user_of_certificate(&der).expect("a user");
    assert_eq!(user.name, "admin");
    assert_eq!(user.groups, ["system:masters"]);
    let id = &user.extra["authentication.kubernetes.io/credential-id"][0];
    assert!(id.starts_with("X509SHA256=") && id.len() == 75, "{id}");
    assert_eq!(user_of_certificate(b"nonsense"), None);

    // It is good for its authority and time alone.
    let elsewhere = tempfile::tempdir().expect("a folder");
    let other = open(&elsewhere, "2026-01-01");
    for (pki, day, accepted) in [
        (&pki, "2026-01-02", true),
        (&pki, "2027-02-01", false),
        (&other, "2026-01-02", false),
    ] {
        let seconds = at(day).as_second().unsigned_abs();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let clients = pki.clients().expect("a verifier");
        let verified = clients.verify_client_cert(&der, &[], now);
        assert_eq!(verified.is_ok(), accepted, "{day}");
    }
}

#[test]
fn the_folder_and_its_files_belong_to_the_owner_alone() {
    let folder = folder();
    let pki = open(&folder, "2026-01-01");
    pki.serving().expect("a pair");
    pki.token_key().expect("a key");
    let path = folder.path().join("pki");
    let mode = |path: &Path| {
        let metadata = std::fs::metadata(path).expect("it is there");
        metadata.permissions().mode() & 0o777
    };
    assert_eq!(mode(&path), 0o700);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&path).expect("a folder") {
        let entry = entry.expect("a file");
        assert_eq!(mode(&entry.path()), 0o600);
        names.push(entry.file_name().into_string().expect("a name"));
    }
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "ca.crt",
            "ca.key",
            "serving.crt",
            "serving.key",
            "tokens.key"
        ]
    );
}

#[test]
fn broken_files_are_told_where_others_trust_them_and_replaced_elsewhere() {
    let folder = folder();
    let pki = open(&folder, "2026-01-01");
    pki.serving().expect("a pair");
    let path = |name: &str| folder.path().join("pki").join(name);
    std::fs::write(path("serving.crt"), [0xff, 0xfe]).expect("a file");
    pki.serving().expect("a pair");
    std::fs::write(path("tokens.key"), "nonsense").expect("a file");
    assert!(matches!(pki.token_key(), Err(PkiError::Broken { .. })));
    std::fs::write(path("ca.key"), "nonsense").expect("a file");
    let opened = Pki::open(&folder.path().join("pki"), at("2026-01-02"));
    assert!(matches!(opened, Err(PkiError::Broken { .. })));
}

#[test]
fn a_kubeconfig_holds_what_a_client_needs() {
    let folder = folder();
    let pki = open(&folder, "2026-01-01");
    let pair = pki.client("admin", ADMIN).expect("a pair");
    let config = pki.kubeconfig("local", "https://127.0.0.1:6443", &pair);
    assert_eq!(
        config["clusters"][0]["cluster"]["server"],
        "https://127.0.0.1:6443"
    );
    assert_eq!(
        config["contexts"][0]["context"]["user"],
        config["users"][0]["name"]
    );
}
