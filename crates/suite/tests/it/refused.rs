//! Requests that make no sense: both servers refuse them alike, and neither does a part of them.

use std::time::Duration;

use http::Request;
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::Value;
use suite::Embedded;
use testkit::{Need, World, eventually};

/// How long a server may take to learn of something.
const PATIENCE: Duration = Duration::from_secs(30);
const JSON: &str = "application/json";
const MERGE: &str = "application/merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";

/// A request: its method, its path below the namespace, or a whole one, and its body with its type.
type Asked<'a> = (&'a str, &'a str, &'a str, &'a str);

/// What is refused, or, where it is not, does what it says on both.
const REQUESTS: &[Asked<'_>] = &[
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
    (
        "DELETE",
        "configmaps/kept",
        JSON,
        r#"{"orphanDependents":true,"propagationPolicy":"Orphan"}"#,
    ),
    (
        "DELETE",
        "configmaps?orphanDependents=false&propagationPolicy=Background",
        "",
        "",
    ),
    // Selectors.
    ("GET", "configmaps?fieldSelector=x%3Dy", "", ""),
    ("GET", "configmaps?watch=1&fieldSelector=x%3Dy", "", ""),
    ("DELETE", "configmaps?fieldSelector=x%3Dy", "", ""),
    ("GET", "pods?fieldSelector=x%3Dy", "", ""),
    ("GET", "/api/v1/nodes?fieldSelector=x%3Dy", "", ""),
    ("GET", "/apis/batch/v1/jobs?fieldSelector=x%3Dy", "", ""),
    (
        "GET",
        "/apis/apps/v1/deployments?fieldSelector=x%3Dy",
        "",
        "",
    ),
    // What is not served.
    ("GET", "/apis/apps/v9", "", ""),
    ("GET", "/apis/apps/v9/deployments", "", ""),
    ("GET", "/api/v9/pods", "", ""),
    ("GET", "nothings", "", ""),
    ("GET", "/apis/none.example.com/v1", "", ""),
    ("GET", "/apis/none.example.com/v1/nothings", "", ""),
    // Bodies.
    ("POST", "configmaps", JSON, "null"),
    ("PUT", "configmaps/kept", JSON, "null"),
    (
        "POST",
        "/apis/apps/v1/namespaces/default/deployments",
        JSON,
        "null",
    ),
    ("POST", "configmaps", JSON, ""),
    ("POST", "configmaps", JSON, "{"),
    ("POST", "configmaps", JSON, "[]"),
    ("POST", "configmaps", JSON, "5"),
    (
        "POST",
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All",
        JSON,
        r#"{"metadata":{"name":"lamps.x.example.com"},"spec":{"group":"x.example.com","scope":"Cluster","names":{"plural":"lamps","kind":"Lamp"},"versions":[{"name":"v1","served":true,"storage":true,"deprecationWarning":"x","schema":{"openAPIV3Schema":{"type":"object"}}}]}}"#,
    ),
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

async fn ask(client: &Client, space: &str, (method, path, media, body): Asked<'_>) -> (u16, Value) {
    let path = match path {
        path if path.starts_with('/') => path.to_owned(),
        path => format!("/api/v1/namespaces/{space}/{path}"),
    };
    ask_as(client, "", (method, &path, media, body)).await
}

/// The answer to a request for a whole path, of somebody else where that is named.
async fn ask_as(
    client: &Client,
    user: &str,
    (method, path, media, body): Asked<'_>,
) -> (u16, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("accept", JSON);
    let request = match user {
        "" => request,
        user => request.header("impersonate-user", user),
    };
    let request = match media {
        "" => request,
        media => request.header("content-type", media),
    };
    let request = request.body(Body::from(body.as_bytes().to_vec()));
    send(client, request.expect("it is one")).await
}

/// Asks until the answer has a code: the genuine server learns of rights, definitions and deletions a moment later.
async fn until_told(client: &Client, user: &str, request: Asked<'_>, wanted: u16) -> Value {
    eventually(&format!("{request:?} to be {wanted}"), PATIENCE, || async {
        match ask_as(client, user, request).await {
            (code, told) if code == wanted => Ok(told),
            (code, told) => Err(format!("{code}: {told}")),
        }
    })
    .await
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
    let account = format!("/api/v1/namespaces/{space}/serviceaccounts/default");
    until_told(client, "", ("GET", &account, "", ""), 200).await;
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

/// Roles that take in others hand out whatever somebody labels: that is for those who have everything.
#[tokio::test(flavor = "multi_thread")]
async fn roles_that_take_in_others_are_refused_alike() {
    let world = World::shared();
    if world.lacks(Need::Judge) {
        return;
    }
    let genuine = client_of(&world).await;
    let server = Embedded::start(None).await;
    let embedded = server.client().await;
    let name = format!("takes-in-{}", std::process::id());
    let roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
    let bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
    let (role, rights) = (format!("{roles}/{name}"), format!("{name}-rights"));
    let applied = format!("{role}?fieldManager=test");
    let aggregation = r#""aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"a":"b"}}]}"#;
    let named = format!(r#""metadata":{{"name":"{name}"}}"#);
    let plain = format!("{{{named}}}");
    let typed = r#""apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole""#;
    let whole = format!("{{{typed},{named},{aggregation}}}");
    let bare = format!("{{{typed},{named}}}");
    let part = format!("{{{aggregation}}}");
    let allows = format!(
        r#"{{"metadata":{{"name":"{rights}"}},"rules":[{{"apiGroups":["rbac.authorization.k8s.io"],"resources":["clusterroles"],"verbs":["get","create","patch","update"]}}]}}"#
    );
    let binds = format!(
        r#"{{"metadata":{{"name":"{rights}"}},"roleRef":{{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"{rights}"}},"subjects":[{{"kind":"User","apiGroup":"rbac.authorization.k8s.io","name":"{name}"}}]}}"#
    );
    for client in [&genuine, &embedded] {
        for (path, body) in [(roles, &allows), (bindings, &binds)] {
            let (code, made) = ask_as(client, "", ("POST", path, JSON, body)).await;
            assert_eq!(code, 201, "{made}");
        }
        until_told(client, &name, ("GET", &role, "", ""), 404).await;
    }
    let asked: &[(&str, Asked<'_>, u16)] = &[
        (&name, ("POST", roles, JSON, &whole), 403),
        (&name, ("PUT", &role, JSON, &whole), 403),
        (&name, ("PATCH", &applied, APPLY, &whole), 403),
        (&name, ("POST", roles, JSON, &plain), 201),
        (&name, ("PUT", &role, JSON, &whole), 403),
        (&name, ("PATCH", &role, MERGE, &part), 403),
        (&name, ("PATCH", &applied, APPLY, &whole), 403),
        // Who has everything may, and nobody else takes it back.
        ("", ("PATCH", &role, MERGE, &part), 200),
        (&name, ("PUT", &role, JSON, &bare), 403),
        (
            &name,
            ("PATCH", &role, MERGE, r#"{"aggregationRule":null}"#),
            403,
        ),
        (
            &name,
            (
                "PATCH",
                &role,
                MERGE,
                r#"{"metadata":{"labels":{"a":"b"}}}"#,
            ),
            403,
        ),
        // What the garbage collector writes hands out nothing.
        (
            &name,
            (
                "PATCH",
                &role,
                MERGE,
                r#"{"metadata":{"finalizers":["a.b/c"]}}"#,
            ),
            200,
        ),
    ];
    for (user, request, wanted) in asked {
        let (code, answer) = ask_as(&genuine, user, *request).await;
        let (own_code, own) = ask_as(&embedded, user, *request).await;
        assert_eq!(code, *wanted, "{request:?}: {answer}");
        assert_eq!(own_code, code, "{request:?}: {own}");
        assert_eq!(words(&own), words(&answer), "{request:?}");
    }
    let free = (
        "PATCH",
        &*role,
        MERGE,
        r#"{"metadata":{"finalizers":null}}"#,
    );
    ask_as(&genuine, "", free).await;
    for path in [
        &role,
        &format!("{roles}/{rights}"),
        &format!("{bindings}/{rights}"),
    ] {
        ask_as(&genuine, "", ("DELETE", path, "", "")).await;
    }
    server.stop().await;
}

/// No way leads into a kind whose definition goes.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_created_while_its_definition_goes() {
    let world = World::shared();
    if world.lacks(Need::Judge) {
        return;
    }
    let genuine = client_of(&world).await;
    let server = Embedded::start(Some(Duration::from_millis(50))).await;
    let embedded = server.client().await;
    let group = format!("g{}.example.com", std::process::id());
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let definition = format!("{definitions}/lamps.{group}");
    let defined = format!(
        r#"{{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{{"name":"lamps.{group}"}},"spec":{{"group":"{group}","scope":"Namespaced","names":{{"plural":"lamps","kind":"Lamp"}},"versions":[{{"name":"v1","served":true,"storage":true,"subresources":{{"status":{{}}}},"schema":{{"openAPIV3Schema":{{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}}}}]}}}}"#
    );
    let lamps = format!("/apis/{group}/v1/namespaces/default/lamps");
    let lamp = |name: &str, finalizers: &str| {
        format!(
            r#"{{"apiVersion":"{group}/v1","kind":"Lamp","metadata":{{"name":"{name}"{finalizers}}}}}"#
        )
    };
    let held = lamp("held", r#","finalizers":["a.b/c"]"#);
    for client in [&genuine, &embedded] {
        let (code, made) = ask_as(client, "", ("POST", definitions, JSON, &defined)).await;
        assert_eq!(code, 201, "{made}");
        until_told(client, "", ("POST", &lamps, JSON, &held), 201).await;
        let (code, told) = ask_as(client, "", ("DELETE", &definition, "", "")).await;
        assert_eq!(code, 200, "{told}");
    }
    let new = lamp("new", "");
    let applied = format!("{lamps}/new?fieldManager=test");
    let forced = format!("{applied}&force=true&dryRun=All");
    let changed = format!("{lamps}/held?fieldManager=test");
    for (request, wanted) in [
        (("POST", &*lamps, JSON, &*new), 403),
        (("PATCH", &applied, APPLY, &new), 403),
        (("PATCH", &forced, APPLY, &new), 403),
        (("PATCH", &changed, APPLY, &lamp("held", "")), 200),
        (
            (
                "PATCH",
                &changed,
                MERGE,
                r#"{"metadata":{"labels":{"a":"b"}}}"#,
            ),
            200,
        ),
    ] {
        let told = until_told(&genuine, "", request, wanted).await;
        let (code, own) = ask_as(&embedded, "", request).await;
        assert_eq!((code, words(&own)), (wanted, words(&told)), "{request:?}");
    }
    for client in [&genuine, &embedded] {
        let free = r#"{"metadata":{"finalizers":null}}"#;
        ask_as(client, "", ("PATCH", &changed, MERGE, free)).await;
    }
    server.stop().await;
}
