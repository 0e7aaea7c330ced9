//! Requests that create objects, or ask for what is answered rather than stored.

use bytes::Bytes;
use http::{Response, StatusCode};

use super::objects::Requested;
use super::{Api, special};
use crate::answer;
use crate::registry::draft;
use crate::registry::origin::Origin;
use crate::serve::Body;
use crate::status::Status;
use crate::time::rfc3339;

impl Requested<'_> {
    pub(super) async fn create(&self, api: &Api, body: Bytes) -> Result<Response<Body>, Status> {
        let options = self.options("CreateOptions")?;
        let below = self.kind.taken_by(&self.target.subresource);
        let kind = below.as_ref().unwrap_or(self.kind);
        let incoming = self.decode(kind, &body, &options)?;
        if let Some(name) = incoming.object["metadata"]["name"].as_str() {
            self.call.seen.name.get_or_init(|| name.to_owned());
        }
        if let Some(review) = special::review_of(self.target) {
            let mut warnings = Vec::new();
            let asked = draft::admit(kind, incoming, Origin::Body, &options, &mut warnings)?;
            let answered = review(api, self, &asked)?;
            let mut response = answer::object(StatusCode::CREATED, self.accepted, &answered);
            answer::warn(&mut response, &warnings);
            return Ok(response);
        }
        let now = rfc3339(self.call.now);
        let written = self
            .write(&options, &now)
            .create(self.call.cluster, incoming)
            .await?;
        Ok(self.answer(&written))
    }
}
