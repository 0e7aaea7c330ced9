//! Asking as somebody else.
//!
//! Upstream knows four constrained ways (beta and on in 1.36, `ConstrainedImpersonation`), which allow to
//! be somebody for some requests alone, and the old one with the verb `impersonate`. The first that
//! allows it decides; if none does, the refusal is that of the first that could have.
//! Read in `k8s.io/apiserver/pkg/endpoints/filters/impersonation`. Left out is its memory of which way
//! worked last for a user, which changes nothing but whose refusal is shown.

mod wanted;

use std::collections::BTreeMap;

use super::dns;
use super::quote::Quoted;
use super::rbac::{Decision, Rules};
use super::user::{
    ANONYMOUS, AUTHENTICATED, MASTERS, NODE_NAME, NODES, UNAUTHENTICATED, node_of,
    service_account_groups, service_account_of,
};
use super::{Attributes, ResourceAttributes, User};
use crate::status::Status;

pub use wanted::impersonation_wanted;

/// From how many groups or extra values on it is asked for all of them at once first.
const MANY: usize = 4;

/// As whom a request is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Impersonated {
    /// The user.
    pub user: User,
    /// The verb that allowed it; empty for the old way, `impersonate`.
    pub constraint: &'static str,
}

/// Lets a user be another for a request.
///
/// # Errors
///
/// 403 if no rule allows it.
pub fn impersonate(
    rules: &Rules,
    requestor: &User,
    wanted: &User,
    asked: &Attributes<'_>,
) -> Result<Impersonated, Status> {
    let attempt = Attempt {
        rules,
        requestor,
        wanted,
        asked,
    };
    for way in &WAYS {
        if attempt.can(way) && attempt.run(way, &mut |_, _| ()) {
            return Ok(Impersonated {
                user: attempt.user(way),
                constraint: if way.is_constrained() { way.verb } else { "" },
            });
        }
    }
    let mut refusal = None;
    for way in WAYS.iter().filter(|way| attempt.can(way)).take(1) {
        attempt.run(way, &mut |asked, why| {
            refusal = Some(asked.forbidden(requestor, &why));
        });
    }
    Err(refusal.unwrap_or_else(|| asked.forbidden(requestor, "")))
}

/// A way to be somebody else.
struct Way {
    mode: Mode,
    /// The verb for who is asked to be.
    verb: &'static str,
    /// What stands before the request's verb in the verb for what is done so.
    on: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    AssociatedNode,
    ArbitraryNode,
    ServiceAccount,
    UserInfo,
    Old,
}

const WAYS: [Way; 5] = [
    Way {
        mode: Mode::AssociatedNode,
        verb: "impersonate:associated-node",
        on: "impersonate-on:associated-node:",
    },
    Way {
        mode: Mode::ArbitraryNode,
        verb: "impersonate:arbitrary-node",
        on: "impersonate-on:arbitrary-node:",
    },
    Way {
        mode: Mode::ServiceAccount,
        verb: "impersonate:serviceaccount",
        on: "impersonate-on:serviceaccount:",
    },
    Way {
        mode: Mode::UserInfo,
        verb: "impersonate:user-info",
        on: "impersonate-on:user-info:",
    },
    Way {
        mode: Mode::Old,
        verb: "impersonate",
        on: "",
    },
];

impl Way {
    fn is_constrained(&self) -> bool {
        self.mode != Mode::Old
    }

    /// The API group of users and groups in rules.
    fn group(&self) -> &'static str {
        if self.is_constrained() {
            "authentication.k8s.io"
        } else {
            ""
        }
    }
}

struct Attempt<'a> {
    rules: &'a Rules,
    requestor: &'a User,
    wanted: &'a User,
    asked: &'a Attributes<'a>,
}

/// Is told the first thing that is not allowed, and why.
type OnRefusal<'a> = &'a mut dyn FnMut(&Attributes<'_>, String);

impl Attempt<'_> {
    /// Whether a way knows users like the wanted one.
    fn can(&self, way: &Way) -> bool {
        let wanted = self.wanted;
        let name = wanted.name.as_str();
        let name_alone =
            || wanted.uid.is_empty() && wanted.groups.is_empty() && wanted.extra.is_empty();
        match way.mode {
            Mode::AssociatedNode => {
                let own = self.requestor.extra.get(NODE_NAME).map(Vec::as_slice);
                name_alone()
                    && service_account_of(&self.requestor.name).is_some()
                    && node_of(name).is_some_and(|node| matches!(own, Some([own]) if own == node))
            }
            Mode::ArbitraryNode => name_alone() && node_of(name).is_some(),
            Mode::ServiceAccount => name_alone() && service_account_of(name).is_some(),
            Mode::UserInfo => node_of(name).is_none() && service_account_of(name).is_none(),
            Mode::Old => true,
        }
    }

    /// Asks for everything that a way asks for, up to the first refusal.
    fn run(&self, way: &Way, refused: OnRefusal<'_>) -> bool {
        if way.is_constrained() {
            let verb = format!("{}{}", way.on, self.asked.verb);
            let asked = Attributes {
                verb: &verb,
                ..*self.asked
            };
            if !self.check(&asked, refused) {
                return false;
            }
        }
        self.check_name(way, refused)
            && self.check_uid(way, refused)
            && self.check_groups(way, refused)
            && self.check_extra(way, refused)
    }

    fn check_name(&self, way: &Way, refused: OnRefusal<'_>) -> bool {
        let name = self.wanted.name.as_str();
        let mut resource = ResourceAttributes {
            group: way.group(),
            resource: "users",
            name,
            ..ResourceAttributes::default()
        };
        if let Some(node) = node_of(name).filter(|_| way.is_constrained()) {
            resource.resource = "nodes";
            resource.name = node;
            if way.mode == Mode::AssociatedNode {
                resource.name = "*";
            }
        }
        if let Some((namespace, name)) = service_account_of(name) {
            resource.resource = "serviceaccounts";
            resource.namespace = namespace;
            resource.name = name;
        }
        self.check(&Attributes::resource(way.verb, resource), refused)
    }

    fn check_uid(&self, way: &Way, refused: OnRefusal<'_>) -> bool {
        let uid = self.wanted.uid.as_str();
        uid.is_empty() || {
            let resource = authentication("uids", "", uid);
            self.check(&Attributes::resource(way.verb, resource), refused)
        }
    }

    fn check_groups(&self, way: &Way, refused: OnRefusal<'_>) -> bool {
        let groups = &self.wanted.groups;
        let asked = |name| {
            Attributes::resource(
                way.verb,
                ResourceAttributes {
                    group: way.group(),
                    resource: "groups",
                    name,
                    ..ResourceAttributes::default()
                },
            )
        };
        if way.is_constrained() {
            if groups.iter().any(String::is_empty) {
                let why = "impersonating the empty string group is not allowed";
                refused(&asked(""), why.to_owned());
                return false;
            }
            if self.wanted.is_in(MASTERS) {
                let why = "impersonating the system:masters group is not allowed";
                refused(&asked(MASTERS), why.to_owned());
                return false;
            }
            if groups.len() >= MANY && self.rules.allows(self.requestor, &asked("*")) {
                return true;
            }
        }
        groups
            .iter()
            .all(|group| self.check(&asked(group), refused))
    }

    fn check_extra(&self, way: &Way, refused: OnRefusal<'_>) -> bool {
        let extra = &self.wanted.extra;
        let asked =
            |key, value| Attributes::resource(way.verb, authentication("userextras", key, value));
        if way.is_constrained() {
            if let Some(why) = fault_of(extra) {
                refused(&asked("", ""), why);
                return false;
            }
            let is_many =
                extra.len() >= MANY || extra.values().map(Vec::len).sum::<usize>() >= MANY;
            if is_many && self.rules.allows(self.requestor, &asked("*", "*")) {
                return true;
            }
        }
        extra.iter().all(|(key, values)| {
            values
                .iter()
                .all(|value| self.check(&asked(key, value), refused))
        })
    }

    fn check(&self, asked: &Attributes<'_>, refused: OnRefusal<'_>) -> bool {
        match self.rules.decide(self.requestor, asked) {
            Decision::Allow(_) => true,
            Decision::Deny(reason) => {
                refused(asked, reason);
                false
            }
        }
    }

    /// The user that the request is served as, with the groups that belong to it.
    fn user(&self, way: &Way) -> User {
        let mut user = self.wanted.clone();
        if way.is_constrained() && node_of(&user.name).is_some() {
            user.groups = vec![NODES.to_owned()];
        } else if let Some((namespace, _)) = service_account_of(&user.name)
            && user.groups.is_empty()
        {
            user.groups = service_account_groups(namespace);
        }
        let group = if user.name == ANONYMOUS {
            UNAUTHENTICATED
        } else if user.is_in(UNAUTHENTICATED) {
            return user;
        } else {
            AUTHENTICATED
        };
        if !user.is_in(group) {
            user.groups.push(group.to_owned());
        }
        user
    }
}

fn authentication<'a>(
    resource: &'a str,
    subresource: &'a str,
    name: &'a str,
) -> ResourceAttributes<'a> {
    ResourceAttributes {
        group: "authentication.k8s.io",
        resource,
        subresource,
        name,
        ..ResourceAttributes::default()
    }
}

/// What is wrong with extra values, as the constrained ways see it.
fn fault_of(extra: &BTreeMap<String, Vec<String>>) -> Option<String> {
    for (key, values) in extra {
        let what = if key.is_empty() {
            "the empty string key in extra is not allowed".to_owned()
        } else if let Some(why) = fault_of_key(key) {
            format!("an invalid key in extra is not allowed: extra.key: Invalid value: {why}")
        } else if key.chars().any(char::is_uppercase) {
            let key = Quoted(key);
            format!("a non-lowercase key in extra is not allowed: {key}")
        } else if values.iter().any(String::is_empty) {
            "the empty string value in extra is not allowed".to_owned()
        } else {
            continue;
        };
        return Some(format!("impersonating {what}"));
    }
    None
}

/// What is wrong with a key, which has to be a name of DNS and a path (`acme.io/team`).
fn fault_of_key(key: &str) -> Option<String> {
    let parts = key
        .split_once('/')
        .filter(|(host, path)| !host.is_empty() && !path.is_empty());
    let Some((host, path)) = parts else {
        let key = Quoted(key);
        return Some(format!(
            "{key}: must be a domain-prefixed path (such as \"acme.io/foo\")"
        ));
    };
    if !dns::is_subdomain(host) {
        return Some(format!(
            "{}: a lowercase RFC 1123 subdomain is expected",
            Quoted(host)
        ));
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&byte);
    (!path.bytes().all(fits)).then(|| format!("{}: Invalid path", Quoted(path)))
}
