//! Compares every decision with what the genuine server of v1.36.3 decided.
//!
//! `tests/recorded.json` holds roles and bindings (`objects`), which are added to those of the bootstrap,
//! and what the genuine server answered with them:
//!
//! * `decisions`: the status of a SubjectAccessReview of a user and attributes;
//! * `refusals`: the answer to a request of an impersonated user;
//! * `writes`: the answer to the dry run of writing a role or binding;
//! * `rules`: the status of a SelfSubjectRulesReview;
//! * `reviews`: the answers to the bodies of reviews, right and wrong;
//! * `impersonations`: the answer to a request with headers of a ServiceAccount with the rules given.
//!   A `SelfSubjectReview` tells the user.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::rbac::{Decision, RbacKind, Rules, Write, bootstrap_objects};
use super::*;
use crate::request::{Query, Target as Requested};

const RECORDED: &str = include_str!("tests/recorded.json");

fn recorded() -> Value {
    serde_json::from_str(RECORDED).expect("the file is JSON")
}

fn rules(recorded: &Value) -> Rules {
    let mut rules = Rules::default();
    for (kind, object) in bootstrap_objects() {
        rules.set(kind, &object);
    }
    for object in object::list(recorded, &["objects"]) {
        rules.set(kind_of(object), object);
    }
    rules
}

fn kind_of(object: &Value) -> RbacKind {
    RbacKind::of_kind(object::text(object, &["kind"])).expect("a kind of RBAC")
}

/// The user of a case, as whom the genuine server served it.
fn user(case: &Value) -> User {
    User {
        name: object::text(case, &["user"]).to_owned(),
        groups: object::texts(case, &["groups"])
            .map(str::to_owned)
            .collect(),
        ..User::default()
    }
}

/// Asks for what a request asks for. The attributes borrow the request.
fn with_attributes<T>(case: &Value, ask: impl FnOnce(&Attributes<'_>) -> T) -> T {
    let method = object::text(case, &["method"]);
    let (path, query) = {
        let path = object::text(case, &["path"]);
        path.split_once('?').unwrap_or((path, ""))
    };
    let query = Query::parse(query).expect("a query");
    match Requested::of(&method.parse().expect("a method"), path, &query) {
        Requested::Resource(request) => ask(&Attributes::of_request(&request)),
        Requested::Path => ask(&Attributes::path(&method.to_lowercase(), path)),
    }
}

/// An answer in which it does not matter which of two bindings allowed something: the genuine server
/// looks at bindings in no order.
fn settled(answer: &Value) -> String {
    answer
        .to_string()
        .replace("system:public-info-viewer", "system:discovery")
}

#[test]
fn decisions_are_those_of_the_genuine_server() {
    let recorded = recorded();
    let rules = rules(&recorded);
    let cases = object::list(&recorded, &["decisions"]);
    assert!(cases.len() > 700);
    for case in cases {
        let text = |kind: &str, field: &str| object::text(case, &[kind, field]);
        let asked = if case["path"].is_null() {
            let field = |field: &str| text("resource", field);
            Attributes::resource(
                field("verb"),
                ResourceAttributes {
                    group: object::text(case, &["resource", "group"]),
                    resource: object::text(case, &["resource", "resource"]),
                    subresource: object::text(case, &["resource", "subresource"]),
                    name: object::text(case, &["resource", "name"]),
                    namespace: object::text(case, &["resource", "namespace"]),
                },
            )
        } else {
            Attributes::path(text("path", "verb"), text("path", "path"))
        };
        let (allowed, reason) = match rules.decide(&user(case), &asked) {
            Decision::Allow(grant) => (true, grant.to_string()),
            Decision::Deny(reason) => (false, reason),
        };
        let mut status = json!({"allowed": allowed});
        if !reason.is_empty() {
            status["reason"] = json!(reason);
        }
        assert_eq!(settled(&status), settled(&case["status"]), "{case}");
    }
}

#[test]
fn refusals_have_the_text_of_the_genuine_server() {
    let recorded = recorded();
    let rules = rules(&recorded);
    for case in object::list(&recorded, &["refusals"]) {
        let user = match object::text(case, &["user"]) {
            "system:anonymous" => User::anonymous(),
            _ => user(case).authenticated(),
        };
        let refused = with_attributes(case, |asked| rules.authorize(&user, asked));
        let refused = refused.expect_err("it is refused").to_json();
        assert_eq!(refused, case["answer"], "{case}");
    }
}

#[test]
fn nobody_hands_out_more_than_they_have() {
    let recorded = recorded();
    let rules = rules(&recorded);
    for case in object::list(&recorded, &["writes"]) {
        let object = &case["object"];
        let write = Write {
            kind: kind_of(object),
            namespace: object::text(case, &["namespace"]),
            name: object::text(case, &["name"]),
            object,
            old: None,
        };
        let user = user(case).authenticated();
        // A user who may not write at all is refused before.
        let create = Attributes::resource(
            "create",
            ResourceAttributes {
                group: rbac::GROUP,
                resource: write.kind.resource(),
                namespace: write.namespace,
                ..ResourceAttributes::default()
            },
        );
        let done = rules
            .authorize(&user, &create)
            .and_then(|()| rules.check_write(&user, &write));
        let answer = done.err().map_or(Value::Null, |status| status.to_json());
        assert_eq!(answer, case["answer"], "{case}");
    }
}

#[test]
fn all_that_a_user_may_do_is_listed_as_the_genuine_server_lists_it() {
    let recorded = recorded();
    let rules = rules(&recorded);
    for case in object::list(&recorded, &["rules"]) {
        let body = json!({"spec": {"namespace": case["namespace"]}});
        let answer = review::self_subject_rules_review(&body, &user(case), &rules);
        let status = &answer.expect("an answer")["status"];
        // The genuine server lists bindings in no order.
        for list in ["resourceRules", "nonResourceRules"] {
            let sorted = |status: &Value| -> BTreeSet<String> {
                let rules = object::list(status, &[list]);
                rules.iter().map(ToString::to_string).collect()
            };
            assert_eq!(sorted(status), sorted(&case["status"]), "{case}");
        }
        assert_eq!(status["evaluationError"], case["status"]["evaluationError"]);
    }
}

#[test]
fn reviews_are_answered_as_by_the_genuine_server() {
    let recorded = recorded();
    let rules = rules(&recorded);
    for case in object::list(&recorded, &["reviews"]) {
        let (body, user) = (&case["body"], user(case).authenticated());
        let answer = match object::text(case, &["kind"]) {
            "SelfSubjectAccessReview" => review::self_subject_access_review(body, &user, &rules),
            _ => review::self_subject_rules_review(body, &user, &rules),
        };
        let answer = answer.unwrap_or_else(|status| status.to_json());
        assert_eq!(settled(&answer), settled(&case["answer"]), "{case}");
    }
}

#[test]
fn impersonation_is_allowed_and_refused_as_by_the_genuine_server() {
    let recorded = recorded();
    for case in object::list(&recorded, &["impersonations"]) {
        let mut rules = rules(&recorded);
        let name = object::text(case, &["sa"]);
        let metadata = json!({"name": name});
        rules.set(
            RbacKind::ClusterRole,
            &json!({"metadata": metadata, "rules": case["rules"]}),
        );
        rules.set(
            RbacKind::ClusterRoleBinding,
            &json!({
                "metadata": metadata,
                "roleRef": {"kind": "ClusterRole", "name": name},
                "subjects": [{"kind": "ServiceAccount", "namespace": "t1", "name": name}],
            }),
        );
        let headers = object::list(case, &["headers"])
            .iter()
            .filter_map(|header| Some((header[0].as_str()?, header[1].as_str()?.as_bytes())));
        let requestor = User::service_account("t1", name, "u").authenticated();
        let served = impersonation_wanted(headers).and_then(|wanted| {
            let wanted = wanted.expect("somebody is wanted");
            with_attributes(case, |asked| {
                let as_whom = impersonate(&rules, &requestor, &wanted)?;
                rules.authorize(&as_whom, asked)?;
                Ok(as_whom.to_json())
            })
        });
        let wanted = if case["code"] == 201 {
            Ok(case["answer"]["status"]["userInfo"].clone())
        } else {
            Err(case["answer"].clone())
        };
        assert_eq!(served.map_err(|status| status.to_json()), wanted, "{case}");
    }
}

/// Whom headers ask to be, or the code of the refusal.
fn asked(headers: &[(&str, &[u8])]) -> Result<Option<User>, u16> {
    impersonation_wanted(headers.iter().copied()).map_err(|status| status.code)
}

#[test]
fn whom_headers_name_is_not_overlooked() {
    let text = "jürgen".as_bytes();
    let wanted = asked(&[("impersonate-user", text)]).expect("it is text");
    assert_eq!(wanted.map(|user| user.name).as_deref(), Some("jürgen"));
    let all: [(&str, &[u8]); 4] = [
        ("Impersonate-User", b"a"),
        ("Impersonate-Group", text),
        ("Impersonate-Uid", text),
        ("Impersonate-Extra-Team", text),
    ];
    let wanted = asked(&all)
        .expect("it is text")
        .expect("somebody is wanted");
    assert_eq!(
        (wanted.groups, wanted.uid),
        (vec!["jürgen".to_owned()], "jürgen".to_owned())
    );
    assert_eq!(wanted.extra["team"], ["jürgen"]);
    for name in [
        "impersonate-user",
        "impersonate-group",
        "impersonate-uid",
        "impersonate-extra-x",
    ] {
        assert_eq!(
            asked(&[("impersonate-user", b"a"), (name, b"j\xfcrgen")]),
            Err(400),
            "{name}"
        );
        assert_eq!(asked(&[(name, b"j\xfcrgen")]), Err(400), "{name}");
    }
    assert_eq!(asked(&[("x-other", b"\xfc")]), Ok(None));
}
