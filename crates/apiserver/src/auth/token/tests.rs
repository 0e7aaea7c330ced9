//! Compares tokens with those of the genuine server of v1.36.3: it issued and reviewed what
//! `tests/recorded.json` holds, with the objects that were there. `tests/rsa.key` is a key of this test
//! alone.

use jiff::Timestamp;
use serde_json::json;

use super::super::{Authenticator, Credentials, User, object, review};
use super::*;

const RECORDED: &str = include_str!("tests/recorded.json");
const RSA: &str = include_str!("tests/rsa.key");
/// The `kid` of that key, as `openssl` and `sha256` make it.
const RSA_ID: &str = "LEb6rsNdTTGO0uzmwwuntzdbkly3I8VFHKKo8bpYx4w";
const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";

fn recorded() -> Value {
    serde_json::from_str(RECORDED).expect("the file is JSON")
}

fn now(recorded: &Value) -> Timestamp {
    let now = recorded["now"].as_i64().expect("a time");
    Timestamp::from_second(now).expect("a time")
}

/// The recorded tokens but the one that never ends, out of a Secret: such are not issued here.
fn bound(recorded: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let tokens = recorded["tokens"].as_object().expect("tokens");
    tokens.iter().filter(|(name, _)| *name != "old")
}

/// Finds the recorded objects. All of them are in the namespace `t1` or in none.
fn find(recorded: &Value, reference: Reference<'_>) -> Option<Arc<Value>> {
    let (resource, name) = match reference {
        Reference::ServiceAccount("t1", name) => ("serviceaccounts", name),
        Reference::Secret("t1", name) => ("secrets", name),
        Reference::Pod("t1", name) => ("pods", name),
        Reference::Node(name) => ("nodes", name),
        _ => return None,
    };
    recorded
        .get(format!("{resource}/{name}"))
        .cloned()
        .map(Arc::new)
}

fn authenticator(keys: Vec<VerifyingKey>) -> Authenticator {
    let root = User {
        name: "root".to_owned(),
        ..User::default()
    };
    Authenticator {
        verifier: Verifier::new(ISSUER, &[ISSUER.to_owned()], keys),
        tokens: [("fixed".to_owned(), root)].into(),
    }
}

fn genuine_key(recorded: &Value) -> VerifyingKey {
    let pem = object::text(recorded, &["public_key"]);
    VerifyingKey::from_pem(pem).expect("a key")
}

fn issuer(pem: &str) -> Issuer {
    Issuer {
        name: ISSUER.to_owned(),
        audiences: vec![ISSUER.to_owned()],
        key: SigningKey::from_pem(pem).expect("a key"),
    }
}

fn ecdsa_pem() -> String {
    rcgen::KeyPair::generate().expect("a key").serialize_pem()
}

#[test]
fn tokens_of_the_genuine_server_are_reviewed_as_by_itself() {
    let recorded = recorded();
    let authenticator = authenticator(vec![genuine_key(&recorded)]);
    let lookup = |reference: Reference<'_>| find(&recorded, reference);
    let check = |token: &Value, audiences: &Value, wanted: &Value| {
        let body = json!({"spec": {"token": token, "audiences": audiences}});
        let answer = review::token_review(&body, &authenticator, &lookup, now(&recorded));
        assert_eq!(&answer.expect("an answer")["status"], wanted, "{token}");
    };
    for (name, case) in bound(&recorded) {
        let audiences = if name == "audience" {
            json!(["b", "c"])
        } else {
            json!(null)
        };
        check(
            &case["answer"]["status"]["token"],
            &audiences,
            &case["review"],
        );
    }
    for case in object::list(&recorded, &["bad"]) {
        check(&case["token"], &case["audiences"], &case["review"]);
    }
    let answer = review::token_review(&json!({}), &authenticator, &lookup, now(&recorded));
    let refused = answer.expect_err("there is no token").to_json();
    assert_eq!(refused, recorded["no_token"]);
}

#[test]
fn issued_tokens_say_what_those_of_the_genuine_server_say() {
    let recorded = recorded();
    let lookup = |reference: Reference<'_>| find(&recorded, reference);
    for pem in [RSA, &ecdsa_pem()] {
        let issuer = issuer(pem);
        let authenticator = authenticator(vec![issuer.key.public().clone()]);
        for (name, case) in bound(&recorded) {
            let genuine = &case["answer"];
            let created = object::text(genuine, &["metadata", "creationTimestamp"]);
            let now: Timestamp = created.parse().expect("a time");
            let body = json!({"spec": case["spec"]});
            let request = TokenRequest {
                namespace: "t1",
                name: "web",
                body: &body,
                lookup: &lookup,
                now,
            };
            let answer = request.issue(&issuer).expect("a token");
            let mut object = answer.object;
            let token = object["status"]["token"].take();
            let token = token.as_str().expect("a token");

            let mut wanted = genuine.clone();
            let wanted_token = wanted["status"]["token"].take();
            let payload = |token: &str| {
                let mut payload = claims::parts(token).expect("a token").payload;
                assert_eq!(object::text(&payload, &["jti"]).len(), 36);
                payload["jti"].take();
                payload
            };
            let wanted_token = wanted_token.as_str().expect("a token");
            assert_eq!(payload(token), payload(wanted_token), "{name}");
            assert_eq!(object, wanted, "{name}");

            let audiences = ["a".to_owned(), ISSUER.to_owned()];
            let verified = authenticator
                .verify(token, &audiences, &lookup, now)
                .expect("a user");
            assert_eq!(verified.user.name, "system:serviceaccount:t1:web");
            let ids = &verified.user.extra["authentication.kubernetes.io/credential-id"];
            assert_eq!(ids, &[answer.credential_id]);
        }
    }
}

#[test]
fn wrong_requests_for_tokens_are_refused_as_by_the_genuine_server() {
    let recorded = recorded();
    let issuer = issuer(&ecdsa_pem());
    for case in object::list(&recorded, &["wrong"]) {
        let request = TokenRequest {
            namespace: "t1",
            name: object::text(case, &["path"]),
            body: &case["body"],
            lookup: &|reference| find(&recorded, reference),
            now: now(&recorded),
        };
        let refused = request.issue(&issuer).expect_err("it is refused");
        assert_eq!(refused.to_json(), case["answer"], "{case}");
    }
}

/// Which token, seconds from the recording on, what has become of which object, and the error; none if
/// the token is accepted. The times allow for a minute between clocks, and for what the recording took.
/// `UID` is that of the object before.
const ENDS: &str = r#"
plain 3650 - null =>
plain 3670 - null => service account token has expired
audience 770 - null => service account token has expired
pod 25920000 - null =>
plain -50 - null =>
plain -70 - null => service account token is not valid yet
plain 0 serviceaccounts/web null => serviceaccounts "web" not found
plain 0 serviceaccounts/web {"metadata":{"uid":"new"}} => service account UID (new) does not match claim (UID)
plain 0 serviceaccounts/web {"metadata":{"uid":"UID","deletionTimestamp":"2020-01-01T00:00:00Z"}} => service account t1/web has been deleted
secret 0 secrets/bound null => service account token has been invalidated
pod 0 pods/p null => service account token has been invalidated
pod 0 pods/p {"metadata":{"uid":"new"}} => pod UID (new) does not match service account pod ref claim (UID)
pod 0 nodes/n1 null =>
node 0 nodes/n1 null => service account token has been invalidated
old 0 - null => invalid bearer token
"#;

#[test]
fn a_token_ends_with_its_time_and_with_what_it_is_bound_to() {
    let recorded = recorded();
    let authenticator = authenticator(vec![genuine_key(&recorded)]);
    let start = now(&recorded).as_second();
    for line in ENDS.trim().lines() {
        let (case, error) = line.split_once(" =>").expect("an arrow");
        let words: Vec<&str> = case.split(' ').collect();
        let [name, seconds, object, turned] = words.as_slice() else {
            panic!("{line}");
        };
        let token = &["tokens", name, "answer", "status", "token"];
        let token = object::text(&recorded, token);
        let uid = object::text(&recorded, &[object, "metadata", "uid"]);
        let mut changed = recorded.clone();
        let objects = changed.as_object_mut().expect("an object");
        match serde_json::from_str(&turned.replace("UID", uid)).expect("JSON") {
            Value::Null => objects.remove(*object),
            turned => objects.insert((*object).to_owned(), turned),
        };
        let seconds: i64 = seconds.parse().expect("a number");
        let now = Timestamp::from_second(start + seconds).expect("a time");
        let audiences = ["a".to_owned(), ISSUER.to_owned()];
        let lookup = |reference: Reference<'_>| find(&changed, reference);
        let got = authenticator.verify(token, &audiences, &lookup, now);
        let got = got.err().map(|error| error.to_string());
        let wanted = error.trim().replace("(UID)", &format!("({uid})"));
        assert_eq!(got.unwrap_or_default(), wanted, "{line}");
    }
}

#[test]
fn forged_tokens_are_not_accepted() {
    let recorded = recorded();
    let issuer = issuer(RSA);
    let ours = authenticator(vec![issuer.key.public().clone(), genuine_key(&recorded)]);
    let request = TokenRequest {
        namespace: "t1",
        name: "web",
        body: &json!({}),
        lookup: &|reference| find(&recorded, reference),
        now: now(&recorded),
    };
    let answer = request.issue(&issuer).expect("a token").object;
    let token = object::text(&answer, &["status", "token"]);
    let (message, signature) = token.rsplit_once('.').expect("a token");
    let (_, payload) = message.split_once('.').expect("a token");
    let with_header = |header: Value| {
        use base64::Engine;
        let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header.to_string());
        format!("{header}.{payload}.{signature}")
    };
    let kid = issuer.key.public().id();
    for (forged, error) in [
        (token.to_owned(), None),
        (
            with_header(json!({"alg": "none", "kid": kid})),
            Some(TokenError::Signature),
        ),
        (
            with_header(json!({"alg": "HS256"})),
            Some(TokenError::Signature),
        ),
        (
            with_header(json!({"alg": "ES256", "kid": kid})),
            Some(TokenError::Signature),
        ),
        (
            with_header(json!({"alg": "RS256", "kid": "x"})),
            Some(TokenError::UnknownKey),
        ),
        (
            with_header(json!({"alg": "RS256", "kid": kid, "crit": ["x"]})),
            Some(TokenError::Unknown),
        ),
        (format!("{message}."), Some(TokenError::Signature)),
        (message.to_owned(), Some(TokenError::Unknown)),
        ("x".repeat(100_000), Some(TokenError::Unknown)),
        (format!("{token}.x"), Some(TokenError::Unknown)),
    ] {
        let lookup = |reference: Reference<'_>| find(&recorded, reference);
        let got = ours.verify(&forged, &[ISSUER.to_owned()], &lookup, now(&recorded));
        assert_eq!(got.err(), error, "{forged}");
    }
}

#[test]
fn credentials_are_looked_at_in_order() {
    let recorded = recorded();
    let authenticator = authenticator(vec![genuine_key(&recorded)]);
    let ann = User {
        name: "ann".to_owned(),
        ..User::default()
    };
    for (certificate, authorization, name) in [
        (None, None, "system:anonymous"),
        (None, Some("Basic abc"), "system:anonymous"),
        (None, Some("Bearer  fixed"), "system:anonymous"),
        (None, Some("bEARER fixed and more"), "root"),
        (Some(&ann), Some("Bearer wrong"), "ann"),
        (None, Some("Bearer wrong"), ""),
    ] {
        let shown = Credentials {
            certificate,
            authorization,
        };
        let got = authenticator.authenticate(shown, &|_| None, now(&recorded));
        let got = got.map(|user| user.name).unwrap_or_default();
        assert_eq!(got, name, "{authorization:?}");
    }
}

#[test]
fn others_find_the_keys() {
    let recorded = recorded();
    let genuine = genuine_key(&recorded);
    assert_eq!(
        openid_keys(std::slice::from_ref(&genuine)),
        recorded["keys"]
    );
    let url = object::text(&recorded, &["configuration", "jwks_uri"]);
    let configuration = openid_configuration(ISSUER, url, std::slice::from_ref(&genuine));
    assert_eq!(configuration, recorded["configuration"]);

    let rsa = SigningKey::from_pem(RSA).expect("a key");
    assert_eq!(rsa.public().id(), RSA_ID);
    let keys = [genuine, rsa.public().clone()];
    let algorithms =
        &openid_configuration(ISSUER, url, &keys)["id_token_signing_alg_values_supported"];
    assert_eq!(*algorithms, json!(["ES256", "RS256"]));
    assert_eq!(openid_keys(&keys)["keys"][1]["e"], "AQAB");
}

#[test]
fn what_is_no_key_is_told_from_what_is_none_of_ours() {
    let p384 = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).expect("a key");
    for (pem, error) in [
        ("", "this is no key in PEM"),
        (
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            "PKCS#8",
        ),
        (&p384.serialize_pem(), "PKCS#8"),
    ] {
        let got = SigningKey::from_pem(pem)
            .expect_err("it is none")
            .to_string();
        assert!(got.contains(error), "{got}");
    }
    assert!(VerifyingKey::from_pem(&p384.public_key_pem()).is_err());
}
