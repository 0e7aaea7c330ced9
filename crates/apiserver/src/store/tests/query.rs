//! Parameters and answers as kube-apiserver v1.36.3 took and gave them.

use super::*;

fn token_of(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}

#[track_caller]
fn check_list(query: &ListQuery<'_>, wanted: Result<(Revision, &str, usize), (u16, &str)>) {
    let plan = plan_list(query);
    let plan = plan.map(|plan| (plan.revision, plan.start, plan.limit));
    let plan = plan.map_err(|status| (status.code, status.message));
    let wanted = wanted.map(|(revision, start, limit)| (revision, start.to_owned(), limit));
    let wanted = wanted.map_err(|(code, message)| (code, message.to_owned()));
    assert_eq!(plan, wanted, "{query:?}");
}

#[test]
fn versions_and_matches_are_read_as_by_the_genuine_server() {
    let latest = Revision::AtLeast(0);
    let syntax = |text: &str| {
        format!(
            "invalid resource version: resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax"
        )
    };
    for (version, by, limit, wanted) in [
        ("", "", 0, Ok((latest, "", 0))),
        ("", "", 2, Ok((latest, "", 2))),
        ("", "", -1, Ok((latest, "", 0))),
        ("0", "", 2, Ok((latest, "", 0))),
        ("0", "NotOlderThan", 2, Ok((latest, "", 0))),
        ("1", "", 0, Ok((Revision::AtLeast(1), "", 0))),
        ("1", "", 2, Ok((Revision::Exactly(1), "", 2))),
        ("1", "Exact", 0, Ok((Revision::Exactly(1), "", 0))),
        ("1", "NotOlderThan", 2, Ok((Revision::AtLeast(1), "", 2))),
        ("01", "", 0, Ok((Revision::AtLeast(1), "", 0))),
        ("00", "Exact", 0, Ok((latest, "", 0))),
        ("x", "", 0, Err((400, syntax("x")))),
        ("-1", "Exact", 0, Err((400, syntax("-1")))),
        ("+5", "", 0, Err((400, syntax("+5")))),
        ("18446744073709551616", "", 0, Err((400, syntax("18446744073709551616").replace("invalid syntax", "value out of range")))),
        ("", "Exact", 0, Err((422, "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided".to_owned()))),
        ("", "foo", 0, Err((422, "ListOptions.meta.k8s.io \"\" is invalid: [resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided, resourceVersionMatch: Unsupported value: \"foo\": supported values: \"Exact\", \"NotOlderThan\", \"\"]".to_owned()))),
        ("0", "Exact", 0, Err((422, "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"".to_owned()))),
    ] {
        let query = ListQuery {
            resource_version: version,
            version_match: by,
            limit,
            ..ListQuery::default()
        };
        let wanted = wanted.as_ref().map_err(|(code, text)| (*code, text.as_str()));
        check_list(&query, wanted.copied());
    }
    let query = ListQuery {
        send_initial_events: Some(false),
        ..ListQuery::default()
    };
    check_list(
        &query,
        Err((
            422,
            "ListOptions.meta.k8s.io \"\" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list",
        )),
    );
}

#[track_caller]
fn check_token(token: &str, wanted: Option<(Revision, &str)>) {
    let query = ListQuery {
        continues: token,
        ..ListQuery::default()
    };
    let plan = plan_list(&query).map(|plan| (plan.revision, plan.start));
    let plan = plan.map_err(|status| (status.code, status.message));
    let wanted = wanted.map(|(revision, start)| (revision, start.to_owned()));
    let why = "invalid continue token: continue key is not valid";
    assert_eq!(plan, wanted.ok_or_else(|| (400, why.to_owned())), "{token}");
}

#[test]
fn tokens_are_read_as_by_the_genuine_server() {
    for (json, revision, start) in [
        (
            r#"{"v":"meta.k8s.io/v1","rv":388,"start":"/four\u0000"}"#,
            Revision::Exactly(388),
            "four\0",
        ),
        (
            r#"{"v":"meta.k8s.io/v1","rv":388,"start":"a/b"}"#,
            Revision::Exactly(388),
            "a/b",
        ),
        (
            r#"{"v":"meta.k8s.io/v1","rv":388,"start":"/"}"#,
            Revision::Exactly(388),
            "",
        ),
        (
            r#"{"v":"meta.k8s.io/v1","rv":-5,"start":"one\u0000"}"#,
            Revision::AtLeast(0),
            "one\0",
        ),
    ] {
        check_token(&token_of(json), Some((revision, start)));
    }
}

#[test]
fn what_is_no_token_is_refused() {
    let padded = token_of(r#"{"v":"meta.k8s.io/v1","rv":388,"start":"/four\u0000"}"#) + "=";
    for token in ["x", "%", "a b", &*padded] {
        check_token(token, None);
    }
    for json in [
        "{",
        "[]",
        "{}",
        "null",
        r#"{"v":"v2","rv":1,"start":"a"}"#,
        r#"{"v":"meta.k8s.io/v1","rv":0,"start":"a"}"#,
        r#"{"v":"meta.k8s.io/v1","rv":5,"start":""}"#,
        r#"{"v":"meta.k8s.io/v1","rv":5,"start":"../x"}"#,
        r#"{"v":"meta.k8s.io/v1","rv":5,"start":"/../x"}"#,
        r#"{"v":"meta.k8s.io/v1","rv":5,"start":"a//b"}"#,
        r#"{"v":"meta.k8s.io/v1","rv":5,"start":"a/"}"#,
        r#"{"v":"meta.k8s.io/v1","rv":5,"start":"."}"#,
        r#"{"v":"meta.k8s.io/v1","rv":"5","start":"a"}"#,
        r#"{"v":"meta.k8s.io/v1","rv":1.5,"start":"a"}"#,
        r#"{"v":"meta.k8s.io/v1","rv":5,"start":5}"#,
        r#"{"v":"meta.k8s.io/v1","rv":1,"start":"a"} x"#,
    ] {
        check_token(&token_of(json), None);
    }
}

#[test]
fn a_token_stands_alone_but_for_a_version_of_zero() {
    let token = token_of(r#"{"v":"meta.k8s.io/v1","rv":388,"start":"/four\u0000"}"#);
    for (version, by, wanted) in [
        ("", "", Ok((Revision::Exactly(388), "four\0", 2))),
        ("0", "", Ok((Revision::Exactly(388), "four\0", 0))),
        (
            "5",
            "",
            Err((
                400,
                "specifying resource version is not allowed when using continue",
            )),
        ),
        (
            "0",
            "NotOlderThan",
            Err((
                422,
                "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided",
            )),
        ),
    ] {
        let query = ListQuery {
            resource_version: version,
            version_match: by,
            continues: &token,
            limit: 2,
            ..ListQuery::default()
        };
        check_list(&query, wanted);
    }
}

#[test]
fn a_list_that_expired_can_be_continued_with_the_latest_state() {
    let token = token_of(r#"{"v":"meta.k8s.io/v1","rv":1,"start":"/one\u0000"}"#);
    let plan = |continues| {
        plan_list(&ListQuery {
            continues,
            ..ListQuery::default()
        })
    };
    let status = plan(token.as_str()).expect("the query is right").expired();
    assert_eq!((status.code, status.reason), (410, "Expired"));
    let fresh = token_of(r#"{"v":"meta.k8s.io/v1","rv":-1,"start":"one\u0000"}"#);
    assert_eq!(status.to_json()["metadata"]["continue"], fresh);
    let fresh = plan(fresh.as_str()).expect("the query is right");
    assert_eq!(
        (fresh.revision, &*fresh.start),
        (Revision::AtLeast(0), "one\0")
    );
    let status = plan("").expect("the query is right").expired();
    assert_eq!(
        status.message,
        "The resourceVersion for the provided list is too old."
    );
    assert_eq!(status.to_json()["metadata"], json!({}));
}

#[test]
fn pages_write_the_tokens_of_the_genuine_server() {
    let store = Store::in_memory(History::default());
    for (namespace, name) in [
        ("recorded", "five"),
        ("recorded", "four"),
        ("recorded", "one"),
        ("kube", "root"),
    ] {
        now(store.commit(Expect::Absent, put(&pods(), &object(namespace, name, 0))))
            .expect("the change can be made");
    }
    let page = |scope: &Scope| store.snapshot(&pods()).page(scope, "", 2, None);
    let namespaced = page(&Scope::namespace("recorded"));
    let wanted = token_of(r#"{"v":"meta.k8s.io/v1","rv":4,"start":"/four\u0000"}"#);
    assert_eq!(namespaced.resume, Some(wanted));
    assert_eq!(namespaced.remaining, Some(1));
    let all = page(&Scope::all());
    let wanted = token_of(r#"{"v":"meta.k8s.io/v1","rv":4,"start":"/recorded/five\u0000"}"#);
    assert_eq!((all.resume, all.remaining), (Some(wanted), Some(2)));
    // With a filter nobody knows how many remain, and what follows counts whether it fits or not.
    let fits = |record: &Record| record.key().name().starts_with('f');
    let filtered = store
        .snapshot(&pods())
        .page(&Scope::namespace("recorded"), "", 2, Some(&fits));
    assert_eq!(
        (filtered.resume.is_some(), filtered.remaining),
        (true, None)
    );
    let whole = store.snapshot(&pods()).page(&Scope::all(), "", 4, None);
    assert_eq!(
        (whole.items.len(), whole.resume, whole.remaining),
        (4, None, None)
    );
}

#[test]
fn watches_start_where_the_genuine_server_starts_them() {
    let invalid = |why: &str| {
        Err((
            422,
            format!("ListOptions.meta.k8s.io \"\" is invalid: {why}"),
        ))
    };
    let not_told = "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
    let requires = "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
    let unsupported =
        "resourceVersionMatch: Unsupported value: \"Exact\": supported values: \"NotOlderThan\"";
    let no_number =
        "resourceVersion: Invalid value: \"x\": strconv.ParseUint: parsing \"x\": invalid syntax";
    for (version, by, initial, wanted) in [
        ("", "", None, Ok((WatchStart::State(0), true))),
        ("0", "", None, Ok((WatchStart::State(0), true))),
        ("00", "", None, Ok((WatchStart::State(0), false))),
        ("5", "", None, Ok((WatchStart::After(5), false))),
        ("x", "", None, Err((500, no_number.to_owned()))),
        (
            "5",
            "NotOlderThan",
            Some(true),
            Ok((WatchStart::State(5), true)),
        ),
        (
            "",
            "NotOlderThan",
            Some(false),
            Ok((WatchStart::Now, false)),
        ),
        (
            "1",
            "NotOlderThan",
            Some(false),
            Ok((WatchStart::After(1), false)),
        ),
        (
            "",
            "Exact",
            None,
            invalid(&format!("[{not_told}, {unsupported}]")),
        ),
        ("", "", Some(true), invalid(requires)),
        ("", "", Some(false), invalid(requires)),
        (
            "",
            "Exact",
            Some(true),
            invalid(&format!("[{requires}, {unsupported}]")),
        ),
        ("", "NotOlderThan", None, invalid(not_told)),
    ] {
        let query = ListQuery {
            resource_version: version,
            version_match: by,
            send_initial_events: initial,
            bookmarks: true,
            ..ListQuery::default()
        };
        let plan = plan_watch(&query).map(|plan| (plan.start, plan.end_bookmark));
        let plan = plan.map_err(|status| (status.code, status.message));
        assert_eq!(plan, wanted, "{query:?}");
    }
}
