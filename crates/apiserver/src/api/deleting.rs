//! Deletions of objects.

use bytes::Bytes;
use http::Response;

use super::objects::Requested;
use crate::media::{self, Form};
use crate::registry::options::DeleteOptions;
use crate::registry::read::{self, Selection};
use crate::registry::{decode, delete};
use crate::serve::Body;
use crate::status::Status;
use crate::store::Key;

impl Requested<'_> {
    pub(super) async fn delete(&self, body: Bytes) -> Result<Response<Body>, Status> {
        let options = self.delete_options(&body)?;
        let key = Key::new(&self.kind.stored, self.namespace(), &self.target.name)
            .map_err(|_| Status::not_found(self.kind.about(), &self.target.name))?;
        let cluster = self.call.cluster;
        let written = delete::delete(cluster, self.kind, &key, &options, self.call.now).await?;
        Ok(self.answer(&written))
    }

    fn delete_options(&self, body: &[u8]) -> Result<DeleteOptions, Status> {
        if body.is_empty() {
            return DeleteOptions::read(&self.call.query, None);
        }
        let encoding = media::encoding(self.call.content_type.as_deref())?;
        let options = decode::delete_options(encoding, body)?;
        DeleteOptions::read(&self.call.query, Some(&options))
    }

    pub(super) async fn delete_all(&self, body: Bytes) -> Result<Response<Body>, Status> {
        let options = self.delete_options(&body)?;
        let cluster = self.call.cluster;
        let query = &self.call.query;
        let selection = Selection::read(self.kind, self.namespace(), "", query)?;
        let mut list = read::list(cluster, self.kind, &selection, query).await?;
        // A list may ignore it. What deletes more than it was asked for is no good.
        if let Some(limit) = query.get("limit").and_then(|text| text.parse().ok())
            && limit > 0
        {
            list.items.truncate(limit);
        }
        for record in &list.items {
            match delete::delete(cluster, self.kind, record.key(), &options, self.call.now).await {
                // Somebody else was faster.
                Err(status) if status.code != 404 => return Err(status),
                _ => {}
            }
        }
        Ok(self.pieces(Form::Whole, &self.list_metadata(&list), &list.items))
    }
}
