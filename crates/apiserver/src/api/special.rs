//! What is asked of the server rather than stored: reviews and tokens.

use serde_json::Value;

use super::objects::Requested;
use super::{Api, stored};
use crate::auth::review;
use crate::auth::token::TokenRequest;
use crate::request::ResourceTarget;
use crate::status::Status;

/// Answers what was asked.
pub(super) type Review = fn(&Api, &Requested<'_>, &Value) -> Result<Value, Status>;

/// What is answered rather than stored.
const REVIEWS: &[(&str, &str, &str, Review)] = &[
    (
        "authorization.k8s.io",
        "selfsubjectaccessreviews",
        "",
        |_, request, body| {
            let call = request.call;
            call.cluster
                .with_rules(|rules| review::self_subject_access_review(body, &call.user, rules))
        },
    ),
    (
        "authorization.k8s.io",
        "selfsubjectrulesreviews",
        "",
        |_, request, body| {
            let call = request.call;
            call.cluster
                .with_rules(|rules| review::self_subject_rules_review(body, &call.user, rules))
        },
    ),
    (
        "authentication.k8s.io",
        "selfsubjectreviews",
        "",
        |_, request, _| {
            Ok(review::self_subject_review(
                &request.call.user,
                request.call.now,
            ))
        },
    ),
    ("", "serviceaccounts", "token", |api, request, body| {
        let cluster = request.call.cluster;
        let lookup = |namespace: &str, name: &str| stored(cluster, namespace, name);
        let asked = TokenRequest {
            namespace: &request.target.namespace,
            name: &request.target.name,
            body,
            lookup: &lookup,
            now: request.call.now,
        };
        asked.issue(&api.issuer)
    }),
];

/// What answers a request that stores nothing; none where it is stored.
pub(super) fn review_of(target: &ResourceTarget) -> Option<Review> {
    let found = REVIEWS.iter().find(|(group, resource, subresource, _)| {
        (*group, *resource, *subresource)
            == (&*target.group, &*target.resource, &*target.subresource)
    });
    found.map(|(_, _, _, review)| *review)
}
