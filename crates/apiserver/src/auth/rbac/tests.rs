//! How rules follow their objects. What they decide is compared with the genuine server's answers in
//! `auth/tests.rs`.

use serde_json::json;

use super::super::ResourceAttributes;
use super::*;

fn user(name: &str) -> User {
    User {
        name: name.to_owned(),
        ..User::default()
    }
}

fn pods(verb: &'static str) -> Attributes<'static> {
    Attributes::resource(
        verb,
        ResourceAttributes {
            resource: "pods",
            namespace: "shop",
            ..ResourceAttributes::default()
        },
    )
}

fn role(name: &str, verb: &str) -> Value {
    json!({"metadata": {"name": name}, "rules": [
        {"verbs": [verb], "apiGroups": [""], "resources": ["pods"]},
    ]})
}

fn binding(name: &str, role: &str, users: &[&str]) -> Value {
    let subjects: Vec<Value> = users
        .iter()
        .map(|user| json!({"kind": "User", "name": user}))
        .collect();
    json!({
        "metadata": {"name": name, "namespace": "shop"},
        "roleRef": {"kind": "ClusterRole", "name": role},
        "subjects": subjects,
    })
}

#[test]
fn rules_follow_what_is_set_and_removed() {
    let mut rules = Rules::default();
    let may = |rules: &Rules, who: &str, verb| rules.allows(&user(who), &pods(verb));

    rules.set(
        RbacKind::RoleBinding,
        &binding("b", "reader", &["ann", "ann"]),
    );
    assert!(!may(&rules, "ann", "get"), "the role is not there yet");
    rules.set(RbacKind::ClusterRole, &role("reader", "get"));
    assert!(may(&rules, "ann", "get"));
    rules.set(RbacKind::ClusterRole, &role("reader", "list"));
    assert!(!may(&rules, "ann", "get") && may(&rules, "ann", "list"));
    rules.set(RbacKind::RoleBinding, &binding("b", "reader", &["bob"]));
    assert!(!may(&rules, "ann", "list") && may(&rules, "bob", "list"));
    rules.set(RbacKind::RoleBinding, &binding("a", "reader", &["bob"]));
    rules.remove(RbacKind::RoleBinding, "shop", "b");
    assert!(
        may(&rules, "bob", "list"),
        "the other binding is still there"
    );
    rules.remove(RbacKind::RoleBinding, "shop", "a");
    rules.remove(RbacKind::RoleBinding, "shop", "a");
    assert!(!may(&rules, "bob", "list"));
    rules.remove(RbacKind::ClusterRole, "", "reader");
    assert!(rules.bindings.is_empty() && rules.roles.is_empty());
}

#[test]
fn what_is_no_list_of_names_does_not_stand_for_all_names() {
    for (names, allowed) in [
        (json!(null), true),
        (json!([]), true),
        (json!([1]), false),
        (json!(["other"]), false),
    ] {
        let rule = json!({
            "verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "resourceNames": names,
        });
        let rule = PolicyRule::from_json(&rule);
        let asked = Attributes::resource(
            "get",
            ResourceAttributes {
                resource: "pods",
                name: "one",
                ..ResourceAttributes::default()
            },
        );
        assert_eq!(rule.allows(&asked), allowed, "{names}");
    }
}

#[test]
fn a_role_that_multiplies_to_too_much_is_refused_without_being_taken_apart() {
    let many: Vec<String> = (0..1000).map(|index| index.to_string()).collect();
    let object = json!({"metadata": {"name": "bomb"}, "rules": [
        {"verbs": many, "apiGroups": many, "resources": many, "resourceNames": many},
    ]});
    let write = Write {
        kind: RbacKind::ClusterRole,
        namespace: "",
        name: "",
        object: &object,
        old: None,
    };
    let refused = Rules::default().check_write(&user("ann"), &write);
    let message = refused.expect_err("it is refused").message;
    assert!(
        message.ends_with("hold more than 100000 single permissions"),
        "{message}"
    );
}

#[test]
fn roles_that_take_in_others_are_written_by_those_alone_who_may_do_everything() {
    let mut rules = Rules::default();
    for (kind, object) in bootstrap_objects() {
        rules.set(kind, &object);
    }
    let everything = json!({
        "metadata": {"name": "root"},
        "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "User", "name": "root"}],
    });
    rules.set(RbacKind::ClusterRoleBinding, &everything);
    let selectors = json!([{"matchLabels": {"a": "b"}}]);
    let plain = json!({"metadata": {"name": "x"}});
    let mut aggregated = plain.clone();
    aggregated["aggregationRule"] = json!({"clusterRoleSelectors": selectors});
    let mut labelled = aggregated.clone();
    labelled["metadata"]["labels"] = json!({"c": "d"});
    let mut held = aggregated.clone();
    held["metadata"]["finalizers"] = json!(["a.b/c"]);
    let check = |old: Option<&Value>, object: &Value, allowed: bool| {
        let write = Write {
            kind: RbacKind::ClusterRole,
            namespace: "",
            name: "x",
            object,
            old,
        };
        assert!(rules.check_write(&user("root"), &write).is_ok());
        let done = rules.check_write(&user("ann"), &write);
        let why = done.err().map(|status| status.message);
        let refused = "clusterroles.rbac.authorization.k8s.io \"x\" is forbidden: must have cluster-admin privileges to use the aggregationRule";
        assert_eq!(why.as_deref(), (!allowed).then_some(refused), "{object}");
    };
    check(None, &plain, true);
    check(None, &aggregated, false);
    check(Some(&plain), &aggregated, false);
    check(Some(&aggregated), &labelled, false);
    check(Some(&aggregated), &plain, false);
    // The garbage collector's fields hand out nothing.
    check(Some(&aggregated), &held, true);
}

#[test]
fn bootstrap_roles_say_what_everybody_relies_on() {
    let mut rules = Rules::default();
    let mut count = 0;
    for (kind, object) in bootstrap_objects() {
        rules.set(kind, &object);
        count += 1;
    }
    assert_eq!(count, 133);
    for role in ["view", "edit", "admin", "cluster-admin"] {
        rules.set(RbacKind::RoleBinding, &binding(role, role, &[role]));
    }
    let all = [true, true, true, true];
    for (verb, group, resource, subresource, allowed) in [
        ("get", "", "pods", "", all),
        ("get", "", "pods", "log", all),
        ("create", "", "pods", "", [false, true, true, true]),
        ("create", "", "pods", "exec", [false, true, true, true]),
        ("get", "", "secrets", "", [false, true, true, true]),
        (
            "create",
            "rbac.authorization.k8s.io",
            "roles",
            "",
            [false, false, true, true],
        ),
        (
            "update",
            "apps",
            "deployments",
            "scale",
            [false, true, true, true],
        ),
        (
            "update",
            "",
            "resourcequotas",
            "",
            [false, false, false, true],
        ),
        ("get", "", "nodes", "", [false, false, false, true]),
    ] {
        let asked = Attributes::resource(
            verb,
            ResourceAttributes {
                group,
                resource,
                subresource,
                namespace: "shop",
                ..ResourceAttributes::default()
            },
        );
        let got =
            ["view", "edit", "admin", "cluster-admin"].map(|who| rules.allows(&user(who), &asked));
        assert_eq!(got, allowed, "{verb} {resource}/{subresource}");
    }
    for path in ["/healthz", "/version"] {
        assert!(rules.allows(&User::anonymous(), &Attributes::path("get", path)));
    }
    assert!(!rules.allows(&User::anonymous(), &Attributes::path("get", "/api")));
}

#[test]
fn recorded_aggregated_roles_are_what_aggregation_makes() {
    let roles: Vec<Value> = bootstrap_objects()
        .filter(|(kind, _)| *kind == RbacKind::ClusterRole)
        .map(|(_, role)| role)
        .collect();
    let aggregated: Vec<&Value> = roles
        .iter()
        .filter(|role| !role["aggregationRule"].is_null())
        .collect();
    assert_eq!(aggregated.len(), 3);
    // `edit` takes in `view`, and `admin` takes in `edit`.
    for role in aggregated {
        assert_eq!(
            aggregated_rules(role, &roles),
            None,
            "{}",
            role["metadata"]["name"]
        );
    }
}

#[test]
fn aggregation_follows_selectors_in_order_and_takes_each_rule_once() {
    let labelled = |name: &str, verb: &str, labels: Value| {
        let mut role = role(name, verb);
        role["metadata"]["labels"] = labels;
        role
    };
    let all = [
        labelled("z", "get", json!({"a": "1"})),
        labelled("y", "list", json!({"a": "2"})),
        labelled("x", "get", json!({"a": "2", "b": "1"})),
        labelled("self", "delete", json!({"a": "1"})),
    ];
    let check = |selectors: Value, verbs: Option<&[&str]>| {
        let role = json!({
            "metadata": {"name": "self"},
            "aggregationRule": {"clusterRoleSelectors": selectors},
        });
        let rules = aggregated_rules(&role, &all);
        let got = rules.map(|rules| rules.iter().map(|rule| rule.verbs[0].to_string()).collect());
        let wanted: Option<Vec<String>> =
            verbs.map(|verbs| verbs.iter().map(|&verb| verb.to_owned()).collect());
        assert_eq!(got, wanted, "{selectors}");
    };
    check(json!([{"matchLabels": {"a": "1"}}]), Some(&["get"]));
    check(json!([{"matchLabels": {"a": "2"}}]), Some(&["get", "list"]));
    check(
        json!([{"matchExpressions": [{"key": "b", "operator": "DoesNotExist"},
            {"key": "a", "operator": "In", "values": ["2"]}]}, {"matchLabels": {"a": "1"}}]),
        Some(&["list", "get"]),
    );
    check(json!([{}]), Some(&["get", "list"]));
    check(json!([{"matchLabels": {"a": "none"}}]), None);
    check(
        json!([{"matchExpressions": [{"key": "a", "operator": "Bogus"}]}]),
        None,
    );
}
