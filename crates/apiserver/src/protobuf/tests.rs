//! Bodies against what upstream writes of the same objects, and hostile ones.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::*;

/// Bodies that upstream's serializer wrote, each with what Go's JSON writes of the same object:
/// all kinds of v1 and v2 without any field set, and with random ones.
const SAMPLE: &str = include_str!("../../testdata/protobuf.txt");

/// Reads a body that says itself what it is.
fn decode(body: &[u8]) -> Result<Value, Undecodable> {
    decode_as(body, &Kind::default())
}

fn samples() -> impl Iterator<Item = (Vec<u8>, Value)> {
    SAMPLE.lines().map(|line| {
        let (body, object) = line.split_once(' ').expect("two words");
        let body = STANDARD.decode(body).expect("base64");
        (body, serde_json::from_str(object).expect("JSON"))
    })
}

/// A number of variable length.
fn varint(mut rest: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while rest > 127 {
        bytes.push(rest.to_le_bytes()[0] | 128);
        rest >>= 7;
    }
    bytes.push(rest.to_le_bytes()[0]);
    bytes
}

/// One field of bytes.
fn field(number: u64, value: &[u8]) -> Vec<u8> {
    let length = u64::try_from(value.len()).expect("a length");
    [&varint(number << 3 | 2), &varint(length), value].concat()
}

fn body(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
    let meta = [field(1, api_version.as_bytes()), field(2, kind.as_bytes())].concat();
    [MAGIC.to_vec(), field(1, &meta), field(2, raw)].concat()
}

#[test]
fn bodies_become_the_json_that_go_writes() {
    for (body, wanted) in samples() {
        assert_eq!(decode(&body).map_err(|why| why.why), Ok(wanted));
    }
}

/// Upstream's golden files, where the Go module cache has them. Watch events are left out: servers
/// send them, never clients, and they have no kind.
#[test]
fn golden_files_are_read_exactly() {
    let folder = "go/pkg/mod/k8s.io/api@v0.36.3/testdata/HEAD";
    let folder = std::env::home_dir().map(|home| home.join(folder));
    let Some(entries) = folder.and_then(|folder| std::fs::read_dir(folder).ok()) else {
        return;
    };
    let mut read = 0;
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "pb")
            || path.ends_with("core.v1.WatchEvent.pb")
        {
            continue;
        }
        let body = std::fs::read(&path).expect("a body");
        let wanted = std::fs::read(path.with_extension("json")).expect("its JSON");
        let wanted: Value = serde_json::from_slice(&wanted).expect("JSON");
        let got = decode(&body).map_err(|why| why.why);
        assert_eq!(got, Ok(wanted), "{}", path.display());
        read += 1;
    }
    assert!(read > 150);
}

/// Recorded from a kube-apiserver v1.36.3 that was asked to create a `ConfigMap`.
#[test]
fn faults_are_answered_as_upstream_answers() {
    let of_map = |raw: &[u8]| body("v1", "ConfigMap", raw);
    let far = [[0x0a].as_slice(), &[0xff; 9], &[1]].concat();
    let too_far = [[0x0a].as_slice(), &[0xff; 10]].concat();
    for (body, message) in [
        (
            vec![],
            "the object provided is unrecognized (must be of type ConfigMap): empty data (<empty>)",
        ),
        (
            b"x".to_vec(),
            "the object provided is unrecognized (must be of type ConfigMap): provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] (78)",
        ),
        (
            b"{}".to_vec(),
            "the object provided is unrecognized (must be of type ConfigMap): provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] ({})",
        ),
        (
            MAGIC.to_vec(),
            "the object provided is unrecognized (must be of type ConfigMap): empty body (6b387300)",
        ),
        (
            b"k8s\0\xff".to_vec(),
            "the object provided is unrecognized (must be of type ConfigMap): unexpected EOF (6b387300ff)",
        ),
        (
            of_map(b"\x08\x01"),
            "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: proto: wrong wireType = 0 for field ObjectMeta",
        ),
        (
            of_map(&field(1, b"\x10\x01")),
            "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: proto: wrong wireType = 0 for field GenerateName",
        ),
        (
            of_map(b"\x0a\x05x"),
            "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: unexpected EOF",
        ),
        (
            of_map(b"\0"),
            "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: proto: ConfigMap: illegal tag 0 (wire type 0)",
        ),
        (
            of_map(b"\x0c"),
            "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: proto: ConfigMap: wiretype end group for non-group",
        ),
        (
            of_map(b"\x0f"),
            "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: proto: wrong wireType = 7 for field ObjectMeta",
        ),
        (
            of_map(&far),
            "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: proto: negative length found during unmarshaling",
        ),
        (
            of_map(&too_far),
            "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: proto: integer overflow",
        ),
        (
            body("v1", "Nope", b""),
            "Nope in version \"v1\" cannot be handled as a ConfigMap: no kind \"Nope\" is registered for version \"v1\" in scheme \"pkg/runtime/scheme.go:111\"",
        ),
    ] {
        let why = decode(&body).expect_err(message);
        let status = why.status("ConfigMap", &body);
        assert_eq!((status.code, status.message.as_str()), (400, message));
    }
}

#[test]
fn a_body_without_kind_gets_that_of_the_request() {
    let default = Kind::new("v1", "ConfigMap");
    let raw = field(1, &field(1, b"a"));
    let wanted = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
    for (api_version, kind) in [("", ""), ("v1", ""), ("", "ConfigMap")] {
        let got = decode_as(&body(api_version, kind, &raw), &default);
        assert_eq!(got.map_err(|why| why.why), Ok(wanted.clone()));
    }
    let why = decode(&body("v1", "", &raw)).map_err(|why| why.why);
    let missing = "Object 'Kind' is missing in 'runtime.TypeMeta{APIVersion:\"v1\", Kind:\"\"}'";
    assert_eq!(why, Err(missing.to_owned()));
}

#[test]
fn options_are_known_in_each_group() {
    let raw = [b"\x08\x05".to_vec(), field(4, b"Orphan")].concat();
    for api_version in ["v1", "apps/v1", "meta.k8s.io/v1", "example.com/v1"] {
        let got = decode(&body(api_version, "DeleteOptions", &raw)).map_err(|why| why.why);
        let wanted = json!({
            "apiVersion": api_version, "kind": "DeleteOptions",
            "gracePeriodSeconds": 5, "propagationPolicy": "Orphan",
        });
        assert_eq!(got, Ok(wanted));
    }
}

/// What the wire allows and Go's own clients never write.
#[test]
fn unusual_bodies_are_read_as_upstream_reads_them() {
    let map = |raw: &[u8]| decode(&body("v1", "ConfigMap", raw)).map_err(|why| why.why);
    let name = |name: &[u8]| field(1, &field(1, name));
    let read = |raw: &[u8], path: &str| map(raw).map(|object| object.pointer(path).cloned());
    // A message that occurs twice is merged, a value that does is replaced.
    let twice = [name(b"a"), field(1, &field(3, b"ns")), name(b"b")].concat();
    assert_eq!(
        map(&twice).map(|object| object["metadata"].clone()),
        Ok(json!({"name": "b", "namespace": "ns"}))
    );
    // Fields that nobody knows are passed over, groups included.
    let unknown = [
        b"\xfb\x06\x08\x01\xfc\x06".to_vec(),
        name(b"a"),
        b"\xf8\x06\x01".to_vec(),
    ]
    .concat();
    assert_eq!(read(&unknown, "/metadata/name"), Ok(Some(json!("a"))));
    // An entry of a map may lack its key and its value.
    assert_eq!(read(&field(2, b""), "/data"), Ok(Some(json!({"": ""}))));
    assert_eq!(
        read(&name(b"a\xff\xfez"), "/metadata/name"),
        Ok(Some(json!("a\u{fffd}\u{fffd}z")))
    );
    // Numbers of a list may stand in one field.
    let pod = field(2, &field(14, &field(4, b"\x01\x80\x01")));
    let pod = decode(&body("v1", "Pod", &pod)).map_err(|why| why.why);
    let groups = pod.map(|pod| pod["spec"]["securityContext"]["supplementalGroups"].clone());
    assert_eq!(groups, Ok(json!([1, 128])));
}

#[test]
fn times_outside_of_rfc_3339_are_refused() {
    let time = |seconds: i64| {
        let time = [vec![8], varint(seconds.cast_unsigned())].concat();
        let object = decode(&body("v1", "ConfigMap", &field(1, &field(8, &time))));
        let time = object.map(|object| object["metadata"].get("creationTimestamp").cloned());
        time.map_err(|why| why.why)
    };
    let refused = Err("a time is not between the years 0 and 9999".to_owned());
    assert_eq!(time(0), Ok(Some(json!("1970-01-01T00:00:00Z"))));
    assert_eq!(time(-1), Ok(Some(json!("1969-12-31T23:59:59Z"))));
    assert_eq!(
        time(253_402_300_799),
        Ok(Some(json!("9999-12-31T23:59:59Z")))
    );
    assert_eq!(time(-62_135_596_800), Ok(None));
    assert_eq!(time(253_402_300_800), refused);
    assert_eq!(time(i64::MIN), refused);
    assert_eq!(time(i64::MAX), refused);
}

/// A `CustomResourceDefinition` whose schema says `not` so often.
fn nested(times: usize) -> Vec<u8> {
    let not = (0..times).fold(Vec::new(), |inner, _| field(28, &inner));
    let version = field(4, &field(1, &not));
    let raw = field(2, &field(7, &version));
    body("apiextensions.k8s.io/v1", "CustomResourceDefinition", &raw)
}

#[test]
fn depth_is_that_of_json() {
    let deep = decode(&nested(121))
        .map_err(|why| why.why)
        .expect("deep enough");
    let text = deep.to_string();
    assert!(serde_json::from_str::<Value>(&text).is_ok());
    for times in [122, 5_000] {
        let why = decode(&nested(times)).map_err(|why| why.why);
        assert_eq!(why, Err("exceeded max depth".to_owned()), "{times}");
    }
}

#[test]
fn what_would_take_too_much_memory_is_refused() {
    let containers_of_two_bytes = [0x12, 0].repeat(400_000);
    let raw = body("v1", "Pod", &field(2, &containers_of_two_bytes));
    let why = decode(&raw).expect_err("too much");
    let status = why.status("Pod", &raw);
    assert_eq!((status.code, status.reason), (413, "RequestEntityTooLarge"));
}

/// A row of numbers that is the same each time (xorshift).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % below.max(1)
    }

    fn byte(&mut self) -> u8 {
        self.next(256).to_le_bytes()[0]
    }
}

#[test]
fn changed_bodies_never_break_the_reader() {
    let mut numbers = Numbers(0x5eed);
    for (body, _) in samples() {
        for _ in 0..60 {
            let mut changed = body.clone();
            for _ in 0..=numbers.next(4) {
                let place = numbers.next(changed.len());
                match numbers.next(4) {
                    0 => changed.truncate(place.max(5)),
                    1 => changed.insert(place, numbers.byte()),
                    2 => {
                        changed.remove(place);
                    }
                    _ => changed[place] = numbers.byte(),
                }
            }
            if let Err(why) = decode(&changed) {
                assert_ne!(why.status("Pod", &changed).code, 500);
            }
        }
    }
}

#[test]
fn random_bytes_never_break_the_reader() {
    let mut numbers = Numbers(0xfeed);
    let kinds = [
        ("v1", "Pod"),
        ("apps/v1", "Deployment"),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ];
    for round in 0..20_000 {
        let raw: Vec<u8> = (0..numbers.next(100)).map(|_| numbers.byte()).collect();
        let (api_version, kind) = kinds[round % 3];
        let _ = decode(&body(api_version, kind, &raw));
    }
}
