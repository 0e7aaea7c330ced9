//! Who asks.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::validate::{Form, NameRule};

/// The user of requests without credentials.
pub(super) const ANONYMOUS: &str = "system:anonymous";
/// The group of all who showed credentials.
pub(super) const AUTHENTICATED: &str = "system:authenticated";
/// The group of all who did not.
pub(super) const UNAUTHENTICATED: &str = "system:unauthenticated";
/// The group that may everything.
pub(super) const MASTERS: &str = "system:masters";
/// The key of what tells credentials of one user apart.
pub(super) const CREDENTIAL_ID: &str = "authentication.kubernetes.io/credential-id";

const SERVICE_ACCOUNT_PREFIX: &str = "system:serviceaccount:";

/// Who asks, as `authentication.k8s.io/v1` describes a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct User {
    /// The name, the only thing that is never empty.
    pub(crate) name: String,
    /// What tells two users of one name apart; often empty.
    pub(crate) uid: String,
    /// The groups, in the order in which they were found.
    pub(crate) groups: Vec<String>,
    /// What else the authenticator knows.
    pub(crate) extra: BTreeMap<String, Vec<String>>,
}

impl User {
    /// The user of requests without credentials.
    pub(crate) fn anonymous() -> Self {
        Self {
            name: ANONYMOUS.to_owned(),
            groups: vec![UNAUTHENTICATED.to_owned()],
            ..Self::default()
        }
    }

    /// The user that a ServiceAccount is, without the group of all authenticated users.
    pub(crate) fn service_account(namespace: &str, name: &str, uid: &str) -> Self {
        Self {
            name: service_account_username(namespace, name),
            uid: uid.to_owned(),
            groups: service_account_groups(namespace),
            extra: BTreeMap::new(),
        }
    }

    /// Adds the group of all authenticated users, unless the user is anonymous or in it already.
    #[must_use]
    pub(crate) fn authenticated(mut self) -> Self {
        let settled = self.is_in(AUTHENTICATED) || self.is_in(UNAUTHENTICATED);
        if self.name != ANONYMOUS && !settled {
            self.groups.push(AUTHENTICATED.to_owned());
        }
        self
    }

    /// Whether the user is in a group.
    pub(crate) fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|own| own == group)
    }

    /// The user as a `UserInfo` of `authentication.k8s.io/v1`, without what is empty.
    pub(crate) fn to_json(&self) -> Value {
        let mut info = Map::new();
        for (key, text) in [("username", &self.name), ("uid", &self.uid)] {
            if !text.is_empty() {
                info.insert(key.to_owned(), json!(text));
            }
        }
        if !self.groups.is_empty() {
            info.insert("groups".to_owned(), json!(self.groups));
        }
        if !self.extra.is_empty() {
            info.insert("extra".to_owned(), json!(self.extra));
        }
        Value::Object(info)
    }
}

/// The name that a ServiceAccount has as a user.
pub(super) fn service_account_username(namespace: &str, name: &str) -> String {
    format!("{SERVICE_ACCOUNT_PREFIX}{namespace}:{name}")
}

/// The groups that a ServiceAccount is in.
pub(super) fn service_account_groups(namespace: &str) -> Vec<String> {
    vec![
        "system:serviceaccounts".to_owned(),
        format!("system:serviceaccounts:{namespace}"),
    ]
}

/// The namespace and name of the ServiceAccount that a user name stands for.
pub(super) fn service_account_of(username: &str) -> Option<(&str, &str)> {
    let (namespace, name) = username
        .strip_prefix(SERVICE_ACCOUNT_PREFIX)?
        .split_once(':')?;
    let is = |rule: NameRule, name| rule.faults(name, Form::Whole).is_empty();
    (is(NameRule::Label, namespace) && is(NameRule::Subdomain, name)).then_some((namespace, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_service_accounts_are_taken_apart() {
        for (name, parts) in [
            ("system:serviceaccount:shop:web", Some(("shop", "web"))),
            (
                "system:serviceaccount:shop:web.v1",
                Some(("shop", "web.v1")),
            ),
            ("system:serviceaccount:shop", None),
            ("system:serviceaccount:shop:a:b", None),
            ("system:serviceaccount::web", None),
            ("system:serviceaccount:Shop:web", None),
            ("web", None),
        ] {
            assert_eq!(service_account_of(name), parts, "{name}");
        }
    }

    #[test]
    fn the_group_of_the_authenticated_is_added_once_and_never_to_anonymous() {
        let ann = User {
            name: "ann".to_owned(),
            ..User::default()
        };
        let ann = ann.authenticated().authenticated();
        assert_eq!(ann.groups, ["system:authenticated"]);
        assert_eq!(User::anonymous().authenticated(), User::anonymous());
    }
}
