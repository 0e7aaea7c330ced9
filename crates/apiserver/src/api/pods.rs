//! What is below Pods and is no object: what they say, and ways into them. No Pod here runs anywhere, so that it
//! is answered what the genuine server answers of a Pod without a node.

use bytes::Bytes;
use http::{Response, StatusCode};

use super::objects::Requested;
use crate::answer;
use crate::registry::read;
use crate::serve::Body;
use crate::status::Status;

/// What is below a Pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Below {
    /// What it says: nothing.
    Log,
    /// A way into it.
    Stream,
}

const BELOW: &[(&str, Below)] = &[
    ("attach", Below::Stream),
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
    pub(super) fn answer(self, request: &Requested<'_>) -> Result<Response<Body>, Status> {
        let (cluster, name) = (request.call.cluster, &request.target.name);
        read::get(cluster, request.kind, request.namespace(), name)?;
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
        }
    }
}
