//! What is below Pods and is no object: what they say, and ways into them. No Pod here runs anywhere, so that it
//! is answered what the genuine server answers of a Pod without a node.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::objects::Requested;
use crate::answer;
use crate::media::{self, Written};
use crate::protobuf;
use crate::registry::options::DeleteOptions;
use crate::registry::{decode, delete, read};
use crate::schema::builtin::Builtin;
use crate::schema::strict;
use crate::serve::Body;
use crate::status::Status;
use crate::store::Key;

/// What is below a Pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Below {
    /// What it says: nothing.
    Log,
    /// A way into it.
    Stream,
    /// Its eviction, which is a deletion.
    Eviction,
}

const BELOW: &[(&str, Below)] = &[
    ("attach", Below::Stream),
    ("eviction", Below::Eviction),
    ("exec", Below::Stream),
    ("log", Below::Log),
    ("portforward", Below::Stream),
];

/// What a request is about that is about no object.
pub(super) fn below(request: &Requested<'_>) -> Option<Below> {
    let target = request.target;
    if (&*target.group, &*target.resource) != ("", "pods") {
        return None;
    }
    let found = BELOW.iter().find(|(name, _)| *name == target.subresource);
    found.map(|(_, below)| *below)
}

impl Below {
    pub(super) async fn answer(
        self,
        request: &Requested<'_>,
        body: Bytes,
    ) -> Result<Response<Body>, Status> {
        let (cluster, name) = (request.call.cluster, &request.target.name);
        if self != Self::Eviction {
            read::get(cluster, request.kind, request.namespace(), name)?;
        }
        match self {
            Self::Log => Ok(answer::with_type(
                StatusCode::OK,
                "text/plain",
                answer::whole(Bytes::new()),
            )),
            Self::Stream => {
                let why = format!("pod {name} does not have a host assigned");
                Err(Status::bad_request(why))
            }
            Self::Eviction => request.evict(&body).await,
        }
    }
}

impl Requested<'_> {
    /// Deletes a Pod as its eviction says. Disruption budgets have no effect here.
    async fn evict(&self, body: &[u8]) -> Result<Response<Body>, Status> {
        let encoding = media::encoding(self.call.content_type.as_deref())?;
        let of = protobuf::Kind::new("policy/v1", "Eviction");
        let eviction = decode::decode(encoding, body, &of)?;
        let types = Builtin::load();
        let kind = eviction["kind"].as_str().unwrap_or_default();
        if !["", "Eviction"].contains(&kind) {
            let version = eviction["apiVersion"].as_str().unwrap_or_default();
            let version = version.rsplit('/').next().unwrap_or_default();
            let why = format!("{kind} in version {version:?} cannot be handled as a Eviction");
            return Err(Status::bad_request(why));
        }
        let type_of = types.by_gvk("policy", "v1", "Eviction");
        let eviction = strict::decode_value(&types.schema, type_of, eviction)
            .map_err(|why| strict::cannot_be_handled("v1", "Eviction", &why))?
            .value;
        if eviction["metadata"]["name"] != *self.target.name {
            let why = "name in URL does not match name in Eviction object";
            return Err(Status::bad_request(why));
        }
        let asked = match &eviction["deleteOptions"] {
            Value::Null => None,
            options => Some(options),
        };
        let mut options = DeleteOptions::read(&self.call.query, asked)?;
        options.dry_run |= self.call.query.all("dryRun").any(|text| text == "All");
        let key = Key::new(&self.kind.stored, self.namespace(), &self.target.name)
            .map_err(|_| Status::not_found(self.kind.about(), &self.target.name))?;
        delete::delete(self.call.cluster, self.kind, &key, &options, self.call.now).await?;
        let done = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201,
        });
        Ok(answer::object(StatusCode::CREATED, Written::JSON, &done))
    }
}
