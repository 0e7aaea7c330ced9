//! Garbage in every place that is decoded: objects, options, scales, requests for tokens and definitions in
//! JSON, YAML and protobuf, patches, selectors. Each
//! request gets an answer, and memory stays bounded.

use futures::StreamExt as _;
use http::{Method, Request, header};
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;

use super::{Outcome, Subject};
use crate::chance::Chance;

/// So many requests are under way at a time.
const AT_A_TIME: usize = 16;
/// The most memory the server may have had, in MiB.
const MOST: u64 = 400;

/// Well-formed bodies that are spoilt: how and where they are sent, and their media types.
const BODIES: [(Method, &str, &str, &[u8]); 14] = [
    (Method::POST, MAPS, "application/json", br#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","labels":{"a":"b"},"finalizers":["x/y"]},"data":{"a":"1","b":"\u00e9"},"binaryData":{"c":"AAEC"}}"#),
    (Method::POST, MAPS, "application/yaml", b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: &l {a: b}, annotations: *l}\ndata:\n  a: |\n    1\n  b: \"2\"\n"),
    (Method::POST, MAPS, "application/vnd.kubernetes.protobuf", b"k8s\0\n\x0f\n\x02v1\x12\tConfigMap\x12\x1b\n\x11\n\x01a\x12\0\x1a\0\"\0*\x002\08\0B\0\x12\x06\n\x01a\x12\x011\x1a\0\"\0"),
    (Method::PATCH, KEPT, "application/json-patch+json", br#"[{"op":"add","path":"/data/a~1b","value":[1,{"c":null}]},{"op":"move","from":"/data","path":"/x"},{"op":"test","path":"/kind","value":"ConfigMap"}]"#),
    (Method::PATCH, KEPT, "application/strategic-merge-patch+json", br#"{"metadata":{"finalizers":["a/b"],"$deleteFromPrimitiveList/finalizers":["x/y"],"$setElementOrder/finalizers":["a/b"],"ownerReferences":[{"uid":"1","$patch":"delete"}]},"data":{"$retainKeys":["a"],"$patch":"replace"}}"#),
    (Method::PATCH, KEPT, "application/apply-patch+yaml", b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept, ownerReferences: [{uid: a, name: b, kind: c, apiVersion: v1}]}\ndata: {a: '1'}\n"),
    (Method::PATCH, KEPT, "application/merge-patch+json", br#"{"metadata":{"labels":{"a":null,"b":"c"},"finalizers":null},"data":{"a":{"b":[1,2]},"c":"d"},"immutable":false}"#),
    (Method::PATCH, WEB, "application/json-patch+json", br#"[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"a:2"},{"op":"copy","from":"/spec/template/metadata/labels","path":"/metadata/labels"},{"op":"remove","path":"/spec/template/spec/containers/-1"}]"#),
    (Method::DELETE, KEPT, "application/json", br#"{"kind":"DeleteOptions","apiVersion":"v1","dryRun":["All"],"gracePeriodSeconds":5,"propagationPolicy":"Orphan","preconditions":{"uid":"1","resourceVersion":"2"}}"#),
    (Method::PUT, SCALE, "application/json", br#"{"kind":"Scale","apiVersion":"autoscaling/v1","metadata":{"name":"web","namespace":"default"},"spec":{"replicas":3},"status":{"replicas":1,"selector":"app=web"}}"#),
    (Method::POST, TOKEN, "application/json", br#"{"kind":"TokenRequest","apiVersion":"authentication.k8s.io/v1","spec":{"audiences":["https://kubernetes.default.svc.cluster.local"],"expirationSeconds":600,"boundObjectRef":null}}"#),
    (Method::POST, DEFINITIONS, "application/json", br#"{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"as.b.example.com"},"spec":{"group":"b.example.com","scope":"Namespaced","names":{"plural":"as","kind":"A"},"versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","required":["a"],"properties":{"a":{"type":"integer","minimum":1,"default":2},"b":{"type":"string","pattern":"^(a|b)+$","format":"date-time"},"c":{"type":"array","x-kubernetes-list-type":"set","items":{"type":"string"}}}}}}},"additionalPrinterColumns":[{"name":"a","type":"string","jsonPath":".spec.c[?(@.d=='e')].f"}],"subresources":{"status":{},"scale":{"specReplicasPath":".spec.a","statusReplicasPath":".status.a"}}}]}}"#),
    (Method::POST, "/api/v1/namespaces/default/secrets", "application/vnd.kubernetes.protobuf", b"k8s\0\n\x0c\n\x02v1\x12\x06Secret\x12\"\n\x11\n\x01a\x12\0\x1a\0\"\0*\x002\08\0B\0\x12\x06\n\x01a\x12\x01\xff\x1a\x05a/b/c\x1a\0\"\0"),
    (Method::DELETE, KEPT, "application/vnd.kubernetes.protobuf", b"k8s\0\n\x13\n\x02v1\x12\rDeleteOptions\x12\x13\x08\x05\x12\x03\n\x011\"\x05Other*\x03All\x1a\0\"\0"),
];

/// What parsers fear most, beside what chance finds.
const DREADED: [(&str, &str); 6] = [
    (
        "application/yaml",
        "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nh: [*g,*g,*g,*g,*g,*g,*g,*g,*g]\n",
    ),
    ("application/json", "[[[[["),
    ("application/json", "{\"a\":"),
    ("application/yaml", "- - - - - "),
    ("application/yaml", "? ? ? ? "),
    ("application/yaml", "{{{{{"),
];

const QUERIES: [&str; 4] = [
    "labelSelector=a%20in%20(b,c),!d,e!=f",
    "fieldSelector=metadata.name=a,metadata.namespace!=b",
    "limit=3&continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MX0",
    "resourceVersion=5&resourceVersionMatch=NotOlderThan&timeoutSeconds=1",
];

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const KEPT: &str = "/api/v1/namespaces/default/configmaps/kept?fieldManager=soak";
const WEB: &str = "/apis/apps/v1/namespaces/default/deployments/web";
const SCALE: &str = "/apis/apps/v1/namespaces/default/deployments/web/scale";
const TOKEN: &str = "/api/v1/namespaces/default/serviceaccounts/default/token";
const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
/// What Deployments are sent to, and the one that is patched.
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";
const DEPLOYMENT: &[u8] = br#"{"metadata":{"name":"web"},"spec":{"replicas":0,"selector":{"matchLabels":{"app":"web"}},"template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"a","image":"a:1"}]}}}}"#;

/// Sends so many spoilt requests.
///
/// # Errors
/// Where one gets no answer, as after a panic, or where memory grew beyond its bound.
pub async fn garbage(count: usize) -> Outcome {
    let subject = Subject::start().await?;
    let client = subject.client().await?;
    let kept = br#"{"metadata":{"name":"kept"}}"#.to_vec();
    send(&client, Method::POST, MAPS, "application/json", kept).await?;
    let web = DEPLOYMENT.to_vec();
    send(&client, Method::POST, DEPLOYMENTS, "application/json", web).await?;
    let mut codes = std::collections::BTreeMap::<u16, usize>::new();
    for (media, text) in DREADED {
        for body in [text.to_owned(), text.repeat(100_000)] {
            let code = send(&client, Method::POST, MAPS, media, body.into_bytes()).await?;
            *codes.entry(code).or_default() += 1;
        }
    }
    let requests = (0..count).map(|seed| {
        let client = client.clone();
        async move { one(&client, u64::try_from(seed).unwrap_or_default()).await }
    });
    let mut answers = futures::stream::iter(requests).buffer_unordered(AT_A_TIME);
    while let Some(code) = answers.next().await {
        *codes.entry(code?).or_default() += 1;
    }
    let [_, peak] = subject.memory()?;
    subject.stop().await?;
    if peak > MOST {
        return Err(format!(
            "{peak} MiB of memory at the peak are more than {MOST}"
        ));
    }
    let codes: Vec<String> = codes
        .iter()
        .map(|(code, times)| format!("{times} times {code}"))
        .collect();
    Ok(format!(
        "{count} spoilt requests, all answered ({}); {peak} MiB of memory at the peak",
        codes.join(", ")
    ))
}

async fn one(client: &Client, seed: u64) -> Outcome<u16> {
    let mut chance = Chance::new(seed);
    let asked = if chance.percent(20) {
        let query = spoilt(chance.pick(&QUERIES).as_bytes(), &mut chance);
        let query: String = query.iter().map(|byte| escaped(*byte)).collect();
        send(
            client,
            Method::GET,
            &format!("{MAPS}?{query}"),
            "application/json",
            Vec::new(),
        )
        .await
    } else {
        let (method, path, media, body) = chance.pick(&BODIES);
        let body = spoilt(body, &mut chance);
        send(client, method.clone(), path, media, body).await
    };
    asked.map_err(|why| format!("seed {seed}: {why}"))
}

/// As it stands in a query: what has a meaning there stays, so that it is met.
fn escaped(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"=&%().,!_-".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

/// The same with some bytes changed, gone, doubled or in another place.
fn spoilt(text: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = text.to_vec();
    for _ in 0..=chance.below(4) {
        let at = chance.below(bytes.len());
        let end = (at + 1 + chance.below(12)).min(bytes.len());
        match chance.below(6) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let part = bytes[at..end].to_vec();
                let to = chance.below(bytes.len());
                bytes.splice(to..to, part.repeat(1 + chance.below(50)));
            }
            3 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = u8::try_from(chance.below(256)).unwrap_or_default();
                }
            }
            4 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = *chance.pick(b"\"{}[]:,\\-&*|>?!%@`#0 \n\t\0\xff");
                }
            }
            _ => {
                let big: &[&[u8]] = &[
                    b"99999999999999999999",
                    b"-1",
                    b"1e400",
                    b"\xff\xff\xff\xff\x0f",
                    b"null",
                    b"\\ud800",
                ];
                let part = chance.pick(big).to_vec();
                bytes.splice(at..end, part);
            }
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes
}

/// Sends a request; tells the code of the answer.
async fn send(
    client: &Client,
    method: Method,
    path: &str,
    media: &str,
    body: Vec<u8>,
) -> Outcome<u16> {
    let request = Request::builder()
        .method(method.clone())
        .uri(path)
        .header(header::CONTENT_TYPE, media)
        .body(Body::from(body.clone()))
        .map_err(|error| error.to_string())?;
    let told = |error: String| {
        let body = String::from_utf8_lossy(&body);
        let body: String = body.chars().take(2_000).collect();
        format!("{method} {path} ({media}): {error}\n{body}")
    };
    let response = client.send(request).await;
    let response = response.map_err(|error| told(error.to_string()))?;
    let code = response.status().as_u16();
    // Whole, since a server does not bear with callers that break off all the time.
    let read = response.into_body().collect().await;
    let read = read.map_err(|error| told(error.to_string()))?.to_bytes();
    if String::from_utf8_lossy(&read).contains("caused apiserver to panic") {
        return Err(told("it panics".to_owned()));
    }
    Ok(code)
}
