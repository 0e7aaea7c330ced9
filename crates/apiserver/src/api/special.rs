//! What is asked of the server rather than stored: reviews and tokens. And the checks on who writes
//! roles.

use http::{Response, StatusCode};
use serde_json::Value;

use super::objects::Requested;
use super::{Api, stored};
use crate::answer;
use crate::auth::review;
use crate::auth::token::TokenRequest;
use crate::registry::options::WriteOptions;
use crate::registry::scale;
use crate::registry::write::Answer;
use crate::serve::Body;
use crate::status::Status;

type Review = fn(&Api, &Requested<'_>, &Value) -> Result<Value, Status>;

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

impl Api {
    /// Answers what is not stored; nothing where it is.
    pub(super) fn special(
        &self,
        request: &Requested<'_>,
        body: &Value,
    ) -> Result<Option<Value>, Status> {
        let target = request.target;
        let found = REVIEWS.iter().find(|(group, resource, subresource, _)| {
            (*group, *resource, *subresource)
                == (&*target.group, &*target.resource, &*target.subresource)
        });
        found
            .map(|(_, _, _, review)| review(self, request, body))
            .transpose()
    }
}

impl Requested<'_> {
    /// Reads and writes the number of replicas of an object.
    pub(super) async fn scale(
        &self,
        options: &WriteOptions,
        now: &str,
        change: impl Fn(Value) -> Result<Value, Status>,
    ) -> Result<Response<Body>, Status> {
        let cluster = self.call.cluster;
        let live =
            crate::registry::read::get(cluster, self.kind, self.namespace(), &self.target.name)?;
        let object = live.value();
        let wanted = change(self.kind.scale_to_change(&object)?)?;
        let replicas = scale::wanted(&self.target.name, &wanted)?;
        let patch = self.kind.scale_patch(replicas)?;
        let write = self.write(options, now);
        let how = crate::media::PatchType::Merge;
        let written = write.patch(cluster, how, &patch).await?;
        let object = match written.object {
            Answer::Stored(record) => record.value(),
            Answer::Shown(object) => object,
        };
        let scale = self.kind.scale_of(&object)?;
        Ok(answer::object(
            StatusCode::OK,
            crate::media::Written::JSON,
            &scale,
        ))
    }
}
