//! Parameters and answers as kube-apiserver v1.36.3 took and gave them.

use super::*;

#[track_caller]
fn check_list(query: &ListQuery<'_>, wanted: Result<Revision, (u16, &str)>) {
    let plan = plan_list(query);
    let plan = plan.map_err(|status| (status.code, status.message));
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
        ("", "", 0, Ok(latest)),
        ("", "", 2, Ok(latest)),
        ("", "", -1, Ok(latest)),
        ("0", "", 2, Ok(latest)),
        ("0", "NotOlderThan", 2, Ok(latest)),
        ("1", "", 0, Ok(Revision::AtLeast(1))),
        ("1", "", 2, Ok(Revision::Exactly(1))),
        ("1", "Exact", 0, Ok(Revision::Exactly(1))),
        ("1", "NotOlderThan", 2, Ok(Revision::AtLeast(1))),
        ("01", "", 0, Ok(Revision::AtLeast(1))),
        ("00", "Exact", 0, Ok(latest)),
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

#[test]
fn nothing_is_continued() {
    let query = ListQuery {
        continues: "x",
        ..ListQuery::default()
    };
    let why = "this server gives lists whole: start a new one without the continue parameter";
    check_list(&query, Err((410, why)));
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
