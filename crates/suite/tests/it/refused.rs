//! Requests that make no sense: both servers refuse them alike, and neither does a part of them.

use std::time::Duration;

use http::Request;
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::Value;
use suite::Embedded;
use testkit::{Need, World};

const JSON: &str = "application/json";
const MERGE: &str = "application/merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";

/// A request: its method, its path below the namespace, and its body with its type.
type Asked = (&'static str, &'static str, &'static str, &'static str);

/// What is refused, or, where it is not, does what it says on both.
const REQUESTS: &[Asked] = &[
    // Deletions that were meant for something else.
    (
        "DELETE",
        "configmaps/kept",
        JSON,
        r#"{"kind":"Pod","apiVersion":"v1"}"#,
    ),
    (
        "DELETE",
        "configmaps",
        JSON,
        r#"{"kind":"Secret","apiVersion":"v1","metadata":{"name":"x"}}"#,
    ),
    ("DELETE", "configmaps/kept?gracePeriodSeconds=abc", "", ""),
    ("DELETE", "configmaps?gracePeriodSeconds=", "", ""),
    ("DELETE", "configmaps?limit=abc", "", ""),
    (
        "DELETE",
        "configmaps/kept",
        JSON,
        r#"{"gracePeriodSeconds":"abc"}"#,
    ),
    (
        "DELETE",
        "configmaps/kept",
        JSON,
        r#"{"gracePeriodSeconds":1.5}"#,
    ),
    ("DELETE", "configmaps/kept", JSON, r#"{"preconditions":[]}"#),
    ("DELETE", "configmaps/kept", JSON, r#"{"dryRun":"All"}"#),
    (
        "DELETE",
        "configmaps/kept",
        JSON,
        r#"{"propagationPolicy":5}"#,
    ),
    ("DELETE", "configmaps/kept", JSON, "[]"),
    ("DELETE", "configmaps/kept", JSON, "{"),
    ("DELETE", "configmaps/kept?dryRun=", "", ""),
    ("DELETE", "configmaps/kept?propagationPolicy=", "", ""),
    ("DELETE", "configmaps/kept?uid=other", "", ""),
    // Queries.
    ("GET", "configmaps?limit=abc", "", ""),
    ("GET", "configmaps?limit=1.5", "", ""),
    ("GET", "configmaps?timeoutSeconds=abc", "", ""),
    ("GET", "configmaps?watch=true&timeoutSeconds=1s", "", ""),
    ("GET", "configmaps?watch=true&resourceVersion=abc", "", ""),
    ("GET", "configmaps/kept?resourceVersion=99999999", "", ""),
    ("GET", "configmaps/none?resourceVersion=99999999", "", ""),
    ("GET", "configmaps/kept?resourceVersion=abc", "", ""),
    ("GET", "configmaps/none?resourceVersion=1", "", ""),
    (
        "POST",
        "configmaps?dryRun=",
        JSON,
        r#"{"metadata":{"name":"new"}}"#,
    ),
    (
        "POST",
        "configmaps?fieldValidation=x",
        JSON,
        r#"{"metadata":{"name":"new"}}"#,
    ),
    (
        "POST",
        "configmaps?fieldManager=%00",
        JSON,
        r#"{"metadata":{"name":"new"}}"#,
    ),
    ("PATCH", "configmaps/kept?force=", MERGE, "{}"),
    (
        "PATCH",
        "configmaps/new?fieldManager=x&dryRun=",
        APPLY,
        r#"{"apiVersion":"v1","kind":"ConfigMap"}"#,
    ),
    // Methods.
    ("PATCH", "configmaps", MERGE, "{}"),
    ("PUT", "configmaps", JSON, r#"{"metadata":{"name":"new"}}"#),
    (
        "POST",
        "configmaps/new",
        JSON,
        r#"{"metadata":{"name":"new"}}"#,
    ),
    ("POST", "serviceaccounts/token", JSON, "{}"),
    ("DELETE", "pods/none/log", "", ""),
    // Types of bodies.
    (
        "POST",
        "configmaps?dryRun=All",
        "APPLICATION/JSON",
        r#"{"data":{"a":1}}"#,
    ),
    (
        "PATCH",
        "configmaps/kept",
        "APPLICATION/MERGE-PATCH+JSON",
        "{}",
    ),
    // Tokens.
    (
        "POST",
        "serviceaccounts/default/token",
        JSON,
        r#"{"spec":{"expirationSeconds":599}}"#,
    ),
    (
        "POST",
        "serviceaccounts/default/token",
        JSON,
        r#"{"spec":{"expirationSeconds":-5}}"#,
    ),
    (
        "POST",
        "serviceaccounts/default/token",
        JSON,
        r#"{"spec":{"expirationSeconds":4294967297}}"#,
    ),
    (
        "POST",
        "serviceaccounts/default/token",
        JSON,
        r#"{"spec":{"expirationSeconds":"x"}}"#,
    ),
    (
        "POST",
        "serviceaccounts/default/token",
        JSON,
        r#"{"spec":{"audiences":"a"}}"#,
    ),
    (
        "POST",
        "serviceaccounts/default/token",
        JSON,
        r#"{"kind":"TokenRequest","apiVersion":"v1"}"#,
    ),
    (
        "POST",
        "serviceaccounts/default/token",
        JSON,
        r#"{"metadata":{"name":"other"}}"#,
    ),
    (
        "POST",
        "serviceaccounts/default/token",
        JSON,
        r#"{"metadata":{"namespace":"other"}}"#,
    ),
    (
        "POST",
        "serviceaccounts/default/token?fieldValidation=Strict",
        JSON,
        r#"{"spec":{"foo":1}}"#,
    ),
    (
        "POST",
        "serviceaccounts/none/token",
        JSON,
        r#"{"spec":{"expirationSeconds":1}}"#,
    ),
    // Addresses.
    (
        "POST",
        "services",
        JSON,
        r#"{"metadata":{"name":"low"},"spec":{"clusterIP":"1.2.3.4","ports":[{"port":80}]}}"#,
    ),
    (
        "POST",
        "services",
        JSON,
        r#"{"metadata":{"name":"none"},"spec":{"clusterIP":"0.0.0.0","ports":[{"port":80}]}}"#,
    ),
    // The namespace itself.
    ("PUT", "status", JSON, r#"{"status":{"phase":"Bogus"}}"#),
    (
        "PUT",
        "status",
        JSON,
        r#"{"status":{"phase":"Terminating"}}"#,
    ),
    (
        "PUT",
        "finalize",
        JSON,
        r#"{"spec":{"finalizers":["bad"]}}"#,
    ),
    ("PATCH", "finalize", MERGE, "{}"),
];

/// A connection that repeats nothing, as kube's own does where a revision is still to come.
async fn client_of(world: &World) -> Client {
    let file = Kubeconfig::read_from(world.kubeconfig()).expect("it is there");
    let options = KubeConfigOptions {
        context: Some(world.cluster().to_owned()),
        ..KubeConfigOptions::default()
    };
    let config = kube::Config::from_custom_kubeconfig(file, &options).await;
    cluster::client::connect(&config.expect("it is right")).expect("its address is right")
}

async fn send(client: &Client, request: Request<Body>) -> (u16, Value) {
    let response = client.send(request).await.expect("it is answered");
    let code = response.status().as_u16();
    let read = response.into_body().collect().await.expect("it is read");
    let text = read.to_bytes();
    (code, serde_json::from_slice(&text).unwrap_or_default())
}

async fn ask(client: &Client, space: &str, (method, path, media, body): Asked) -> (u16, Value) {
    let request = Request::builder()
        .method(method)
        .uri(format!("/api/v1/namespaces/{space}/{path}"))
        .header("accept", JSON);
    let request = match media {
        "" => request,
        media => request.header("content-type", media),
    };
    let request = request.body(Body::from(body.as_bytes().to_vec()));
    send(client, request.expect("it is one")).await
}

/// What is said of a refusal, without the revision of the moment and the uid of the object.
fn words(answer: &Value) -> (String, String) {
    let text = |field: &str| answer[field].as_str().unwrap_or_default().to_owned();
    let message = text("message");
    let (message, _) = message.split_once(", current: ").unwrap_or((&message, ""));
    let (message, _) = message.split_once(" in record (").unwrap_or((message, ""));
    (text("reason"), message.to_owned())
}

/// A namespace with an object that nothing here may change.
async fn prepare(client: &Client, space: &str) {
    let spaces = Request::post("/api/v1/namespaces").header("content-type", JSON);
    let named = format!(r#"{{"metadata":{{"name":"{space}"}}}}"#);
    let made = spaces.body(Body::from(named.into_bytes()));
    assert_eq!(send(client, made.expect("it is one")).await.0, 201);
    let kept = r#"{"metadata":{"name":"kept"},"data":{"a":"b"}}"#;
    assert_eq!(
        ask(client, space, ("POST", "configmaps", JSON, kept))
            .await
            .0,
        201
    );
    let account = ("GET", "serviceaccounts/default", "", "");
    let mut left = 200;
    while ask(client, space, account).await.0 != 200 {
        left -= 1;
        assert!(left > 0, "the namespace gets no account");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_refused_alike() {
    let world = World::shared();
    if world.lacks(Need::Judge) {
        return;
    }
    let genuine = client_of(&world).await;
    let server = Embedded::start(Some(Duration::from_millis(50))).await;
    let embedded = server.client().await;
    let space = format!("refused-{}", std::process::id());
    for client in [&genuine, &embedded] {
        prepare(client, &space).await;
    }
    let mut differences = Vec::new();
    for asked in REQUESTS {
        let (code, answer) = ask(&genuine, &space, *asked).await;
        let (own_code, own) = ask(&embedded, &space, *asked).await;
        let (wanted, told) = ((code, words(&answer)), (own_code, words(&own)));
        if wanted != told {
            differences.push(format!(
                "{asked:?}\n  genuine  {wanted:?}\n  embedded {told:?}"
            ));
        }
        assert!(code >= 400, "{asked:?} is not refused: {answer}");
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    for client in [&genuine, &embedded] {
        let (code, kept) = ask(client, &space, ("GET", "configmaps/kept", "", "")).await;
        assert_eq!((code, &kept["data"]["a"]), (200, &Value::from("b")));
        assert!(kept["metadata"]["deletionTimestamp"].is_null());
    }
    let path = format!("/api/v1/namespaces/{space}");
    let gone = Request::delete(path).body(Body::empty());
    send(&genuine, gone.expect("it is one")).await;
    server.stop().await;
}

/// Headers that name somebody who is not written in ASCII.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_whose_name_is_not_ascii_is_not_served_as_the_admin() {
    let client = client_of(&World::shared()).await;
    let text = "jürgen".as_bytes();
    for headers in [
        vec![("impersonate-user", text)],
        vec![
            ("impersonate-user", b"a".as_slice()),
            ("impersonate-group", text),
        ],
        vec![
            ("impersonate-user", b"a".as_slice()),
            ("impersonate-extra-team", text),
        ],
    ] {
        let mut request = Request::get("/api/v1/namespaces/default/configmaps");
        for (name, value) in &headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).expect("it is one");
        let (code, answer) = send(&client, request).await;
        let name = std::str::from_utf8(headers[0].1).expect("it is text");
        let wanted = format!(
            "configmaps is forbidden: User \"{name}\" cannot list resource \"configmaps\" in API group \"\" in the namespace \"default\""
        );
        assert_eq!((code, words(&answer).1), (403, wanted), "{headers:?}");
    }
    // What is no text is nobody.
    let request = Request::get("/api/v1/namespaces/default/configmaps")
        .header("impersonate-user", b"j\xfcrgen".as_slice())
        .body(Body::empty());
    let (code, _) = send(&client, request.expect("it is one")).await;
    assert!(matches!(code, 400 | 403), "{code}");
}
