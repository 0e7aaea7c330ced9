//! Tokens from their issue to their end.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::super::{Credentials, User, authenticate};
use super::*;

const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";

fn issuer() -> Issuer {
    let pem = rcgen::KeyPair::generate().expect("a key").serialize_pem();
    Issuer {
        name: ISSUER.to_owned(),
        key: SigningKey::from_pem(&pem).expect("a key"),
    }
}

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().expect("a time")
}

/// The account `shop/web` with a uid.
fn account(uid: &str) -> impl Fn(&str, &str) -> Option<Arc<Value>> {
    let account = Arc::new(json!({"metadata": {"name": "web", "uid": uid}}));
    move |namespace, name| (namespace == "shop" && name == "web").then(|| account.clone())
}

fn issue(issuer: &Issuer, spec: &Value) -> Result<Value, String> {
    let request = TokenRequest {
        namespace: "shop",
        name: "web",
        body: &json!({"spec": spec}),
        lookup: &account("1"),
        now: now(),
    };
    request.issue(issuer).map_err(|status| status.message)
}

fn token(issuer: &Issuer) -> String {
    let answer = issue(issuer, &json!({})).expect("a token");
    answer["status"]["token"]
        .as_str()
        .expect("a text")
        .to_owned()
}

#[test]
fn a_token_stands_for_its_account_until_its_time_or_the_account_ends() {
    let issuer = issuer();
    let token = token(&issuer);
    let user = verify(&issuer, &token, &account("1"), now()).expect("a user");
    assert_eq!(user.name, "system:serviceaccount:shop:web");
    let groups = ["system:serviceaccounts", "system:serviceaccounts:shop"];
    assert_eq!(user.groups, groups);
    assert_eq!(user.uid, "1");
    let id = &user.extra["authentication.kubernetes.io/credential-id"][0];
    assert!(id.starts_with("JTI=") && id.len() == 40, "{id}");
    for (uid, seconds, why) in [
        ("1", 3600, None),
        ("1", 3661, Some(TokenError::Expired)),
        ("1", -61, Some(TokenError::Expired)),
        ("2", 0, Some(TokenError::Invalidated)),
    ] {
        let later = now() + SignedDuration::from_secs(seconds);
        let found = verify(&issuer, &token, &account(uid), later);
        assert_eq!(found.err(), why, "{uid} after {seconds} s");
    }
    let gone = verify(&issuer, &token, &|_, _| None, now());
    assert_eq!(gone.err(), Some(TokenError::Invalidated));
}

#[test]
fn what_this_server_did_not_sign_for_itself_is_not_accepted() {
    let issuer = issuer();
    let ours = token(&issuer);
    let (message, signature) = ours.rsplit_once('.').expect("three parts");
    let (header, payload) = message.split_once('.').expect("three parts");
    let unsigned = {
        use base64::Engine as _;
        let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
        engine.encode(r#"{"alg":"none"}"#)
    };
    let elsewhere = Issuer {
        name: "https://elsewhere".to_owned(),
        key: self::issuer().key,
    };
    let for_others = elsewhere.key.sign(&json!({"iss": ISSUER, "aud": [ISSUER]}));
    let of_others = issuer.key.sign(&json!({"iss": "x", "aud": [ISSUER]}));
    for forged in [
        String::new(),
        "a.b.c".to_owned(),
        format!("{header}.{payload}."),
        format!("{header}.{payload}x.{signature}"),
        format!("{unsigned}.{payload}.{signature}"),
        for_others.expect("a token"),
        of_others.expect("a token"),
    ] {
        let found = verify(&issuer, &forged, &account("1"), now());
        assert_eq!(found.err(), Some(TokenError::Unknown), "{forged}");
    }
}

#[test]
fn requests_for_other_tokens_are_refused() {
    let issuer = issuer();
    for (spec, why) in [
        (
            json!({"expirationSeconds": 1}),
            "TokenRequest.authentication.k8s.io \"\" is invalid: spec.expirationSeconds: Invalid value: 1: may not specify a duration less than 10 minutes",
        ),
        (
            json!({"boundObjectRef": {"kind": "Pod"}}),
            "this server binds tokens to no object but their account",
        ),
        (
            json!({"audiences": ["vault"]}),
            "this server issues tokens for https://kubernetes.default.svc.cluster.local alone",
        ),
    ] {
        assert_eq!(issue(&issuer, &spec), Err(why.to_owned()));
    }
}

#[test]
fn credentials_are_looked_at_in_order() {
    let issuer = issuer();
    let token = token(&issuer);
    let bearer = format!("bEARER {token} and more");
    let twice = format!("Bearer  {token}");
    let ann = User {
        name: "ann".to_owned(),
        ..User::default()
    };
    for (certificate, authorization, name) in [
        (None, None, "system:anonymous"),
        (None, Some("Basic abc"), "system:anonymous"),
        (None, Some(&*twice), "system:anonymous"),
        (None, Some(&*bearer), "system:serviceaccount:shop:web"),
        (Some(&ann), Some("Bearer wrong"), "ann"),
        (None, Some("Bearer wrong"), ""),
    ] {
        let shown = Credentials {
            certificate,
            authorization,
        };
        let got = authenticate(&issuer, shown, &account("1"), now());
        let got = got.map(|user| user.name).unwrap_or_default();
        assert_eq!(got, name, "{authorization:?}");
    }
}
