//! Requests about objects.

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde_json::Value;

use super::{Api, Call, not_served, pods, unknown_in};
use crate::answer;
use crate::media::{self, Encoding, Form, PatchType, Syntax, Written as Accepted};
use crate::registry::decode;
use crate::registry::draft::Author;
use crate::registry::kind::Kind;
use crate::registry::options::WriteOptions;
use crate::registry::read::{self, List, Selection};
use crate::registry::scale::Wanted;
use crate::registry::write::{Answer, Write, Written};
use crate::request::{ResourceTarget, Verb};
use crate::serve::Body;
use crate::status::Status;
use crate::store::Record;
use crate::table::object::Include;
use crate::time::rfc3339;

/// The largest body that is read, as upstream has it.
const MAX_BODY: usize = 3 * 1024 * 1024;

impl Api {
    pub(super) async fn objects(
        self: &Arc<Self>,
        call: &Call<'_>,
        target: &ResourceTarget,
        body: Incoming,
    ) -> Result<Response<Body>, Status> {
        let served = call.cluster.served();
        let Some(kind) = served.kind(&target.group, &target.version, &target.resource) else {
            return Ok(unknown_in(&target.group));
        };
        let kind = kind.clone();
        let answered = self.objects_of(call, target, &kind, body).await;
        let Some(warnings) = kind
            .custom
            .as_ref()
            .map(|version| version.deprecation.as_slice())
        else {
            return answered;
        };
        // Failures carry them, too.
        let mut response = answered.unwrap_or_else(|status| answer::failure(&status));
        answer::warn(&mut response, warnings);
        Ok(response)
    }

    async fn objects_of(
        self: &Arc<Self>,
        call: &Call<'_>,
        target: &ResourceTarget,
        kind: &Arc<Kind>,
        body: Incoming,
    ) -> Result<Response<Body>, Status> {
        if kind.resource.namespaced && target.namespace.is_empty() && !target.name.is_empty() {
            return Ok(not_served());
        }
        if !target.is_at_its_place(kind.resource.namespaced) {
            return Err(Status::method_not_allowed());
        }
        match target.subresource.as_str() {
            "" => {
                // Discovery hides what a definition on its way out does not take, but its objects may still
                // be changed: how else would they let go.
                if !kind.resource.allows(target.verb.as_str()) && !kind.is_custom() {
                    return Err(Status::method_not_allowed());
                }
            }
            name => {
                let Some(subresource) = kind.resource.subresource(name) else {
                    return Err(if kind.is_custom() {
                        Status::not_found(kind.about(), &target.name)
                    } else {
                        Status::not_served()
                    });
                };
                if !subresource
                    .verbs
                    .iter()
                    .any(|verb| **verb == *target.verb.as_str())
                {
                    return Err(Status::method_not_allowed());
                }
            }
        }
        let accepted = media::accepted(call.accept.as_deref())?;
        let include = match accepted.form {
            Form::Table(_) => Include::read(call.query.get("includeObject").unwrap_or_default())?,
            _ => Include::default(),
        };
        let request = Requested {
            call,
            target,
            kind,
            accepted,
            include,
        };
        if let Some(below) = pods::below(&request) {
            return below.answer(&request);
        }
        match target.verb {
            Verb::Get => request.get().await,
            Verb::List => request.list().await,
            Verb::Watch => self.watch(&request).await,
            Verb::Create => request.create(self, read_body(body).await?).await,
            Verb::Update => request.update(read_body(body).await?).await,
            Verb::Patch => request.patch(read_body(body).await?).await,
            Verb::Delete => request.delete(read_body(body).await?).await,
            Verb::DeleteCollection => request.delete_all(read_body(body).await?).await,
        }
    }
}

/// A request about objects of a kind.
pub(super) struct Requested<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) target: &'a ResourceTarget,
    pub(super) kind: &'a Arc<Kind>,
    pub(super) accepted: Accepted,
    /// What tables have of each object.
    pub(super) include: Include,
}

async fn read_body(body: Incoming) -> Result<Bytes, Status> {
    match Limited::new(body, MAX_BODY).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(Status::too_large(
            format!("Request entity too large: limit is {MAX_BODY}"),
        )),
        Err(error) => Err(Status::bad_request(format!("the body broke off: {error}"))),
    }
}

impl Requested<'_> {
    /// The namespace in which objects are stored.
    pub(super) fn namespace(&self) -> &str {
        if self.kind.resource.namespaced {
            &self.target.namespace
        } else {
            ""
        }
    }

    async fn get(&self) -> Result<Response<Body>, Status> {
        let cluster = self.call.cluster;
        read::at_least(cluster, &self.call.query).await?;
        let record = read::get(cluster, self.kind, self.namespace(), &self.target.name)?;
        if self.target.subresource == "scale" {
            let scale = self.kind.scale_of(&record.value())?;
            return Ok(self.shown(StatusCode::OK, scale));
        }
        Ok(self.stored(StatusCode::OK, &record))
    }

    /// An object as it is stored, in the form that was asked for.
    fn stored(&self, code: StatusCode, record: &Record) -> Response<Body> {
        match (self.accepted.form, self.accepted.syntax) {
            (Form::Whole, Syntax::Json) => answer::json(code, self.kind.json(record)),
            (Form::Metadata, Syntax::Json) => answer::json(code, read::partial(record)),
            _ => self.shown(code, self.kind.object(record)),
        }
    }

    /// An object that is not stored like this.
    fn shown(&self, code: StatusCode, mut object: Value) -> Response<Body> {
        if object["kind"] == "Status" {
            return answer::object(code, Accepted::JSON, &object);
        }
        self.kind.conceal(&mut object);
        match self.accepted.form {
            Form::Whole => answer::object(code, self.accepted, &object),
            Form::Metadata => answer::object(code, self.accepted, &read::partial_of(&object)),
            Form::Table(version) => {
                let table = self.table(version, std::slice::from_ref(&object), None, true);
                answer::object(code, self.accepted, &table)
            }
        }
    }

    /// A table of objects.
    pub(super) fn table(
        &self,
        version: &str,
        objects: &[Value],
        metadata: Option<Value>,
        with_columns: bool,
    ) -> Value {
        self.kind.table(
            version,
            objects,
            metadata,
            with_columns,
            self.include,
            self.call.now,
        )
    }

    async fn list(&self) -> Result<Response<Body>, Status> {
        let cluster = self.call.cluster;
        let query = &self.call.query;
        let selection = Selection::read(self.kind, self.namespace(), "", query)?;
        let list = read::list(cluster, self.kind, &selection, query).await?;
        let metadata = self.list_metadata(&list);
        match (self.accepted.form, self.accepted.syntax) {
            (Form::Table(version), _) => {
                let items = list.items.iter();
                let objects: Vec<Value> = items.map(|record| self.kind.shown(record)).collect();
                let table = self.table(version, &objects, Some(metadata), true);
                Ok(answer::object(StatusCode::OK, self.accepted, &table))
            }
            (form, Syntax::Json) => Ok(self.pieces(form, &metadata, &list.items)),
            (form, Syntax::Yaml) => {
                let items = list.items.iter().map(|record| match form {
                    Form::Metadata => read::partial_of(&record.value()),
                    _ => self.kind.shown(record),
                });
                let list = serde_json::json!({
                    "kind": self.list_kind(form).0, "apiVersion": self.list_kind(form).1,
                    "metadata": metadata, "items": items.collect::<Vec<_>>(),
                });
                Ok(answer::object(StatusCode::OK, self.accepted, &list))
            }
        }
    }

    pub(super) fn list_metadata(&self, list: &List) -> Value {
        let mut metadata = serde_json::json!({"resourceVersion": list.revision.to_string()});
        if self.kind.is_custom() {
            // Upstream's lists of them have no type that would leave it out.
            metadata["continue"] = serde_json::json!("");
        }
        metadata
    }

    fn list_kind(&self, form: Form) -> (&str, &str) {
        match form {
            Form::Metadata => ("PartialObjectMetadataList", "meta.k8s.io/v1"),
            _ => (&self.kind.resource.list_kind, &self.kind.api_version),
        }
    }

    /// A list without reading or writing any of its objects anew.
    pub(super) fn pieces(
        &self,
        form: Form,
        metadata: &Value,
        items: &[Arc<Record>],
    ) -> Response<Body> {
        let (kind, version) = self.list_kind(form);
        let head = format!(
            "{{\"kind\":\"{kind}\",\"apiVersion\":\"{version}\",\"metadata\":{metadata},\"items\":["
        );
        let mut pieces = Vec::with_capacity(items.len() * 2 + 2);
        pieces.push(Bytes::from(head));
        for (index, record) in items.iter().enumerate() {
            if index > 0 {
                pieces.push(Bytes::from_static(b","));
            }
            pieces.push(match form {
                Form::Metadata => Bytes::from(read::partial(record)),
                _ => self.kind.json(record),
            });
        }
        pieces.push(Bytes::from_static(b"]}"));
        answer::with_type(StatusCode::OK, "application/json", answer::pieces(pieces))
    }

    pub(super) fn decode(
        &self,
        kind: &Kind,
        body: &[u8],
        options: &WriteOptions,
    ) -> Result<decode::Incoming, Status> {
        let encoding = media::encoding(self.call.content_type.as_deref())?;
        if encoding == Encoding::Protobuf && kind.is_custom() {
            return Err(Status::unsupported_media_type(
                "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml",
            ));
        }
        decode::object(encoding, body, kind, options.field_validation)
    }

    pub(super) fn options(&self, kind: &'static str) -> Result<WriteOptions, Status> {
        WriteOptions::read(&self.call.query, kind)
    }

    pub(super) fn write<'a>(&'a self, options: &'a WriteOptions, now: &'a str) -> Write<'a> {
        Write {
            user: Some(&self.call.user),
            kind: self.kind,
            namespace: self.namespace(),
            name: &self.target.name,
            subresource: &self.target.subresource,
            options,
            author: Author {
                manager: options.manager(&self.call.agent),
                now,
            },
        }
    }

    pub(super) fn answer(&self, written: &Written) -> Response<Body> {
        let code = if written.is_new {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        };
        let mut response = match &written.object {
            Answer::Stored(record) => self.stored(code, record),
            Answer::Shown(object) => self.shown(code, object.clone()),
        };
        answer::warn(&mut response, &written.warnings);
        response
    }

    async fn update(&self, body: Bytes) -> Result<Response<Body>, Status> {
        let options = self.options("UpdateOptions")?;
        let now = rfc3339(self.call.now);
        if self.target.subresource == "scale" {
            let encoding = media::encoding(self.call.content_type.as_deref())?;
            let write = self.write(&options, &now);
            let wanted = write.admit_scale(encoding, &body)?;
            return self.scale(&write, &wanted).await;
        }
        let incoming = self.decode(self.kind, &body, &options)?;
        let written = self
            .write(&options, &now)
            .replace(self.call.cluster, incoming)
            .await?;
        Ok(self.answer(&written))
    }

    async fn patch(&self, body: Bytes) -> Result<Response<Body>, Status> {
        let options = self.options("PatchOptions")?;
        let how = media::patch_type(self.call.content_type.as_deref(), self.kind.is_custom())?;
        crate::registry::options::check_patch(&options, how)?;
        let now = rfc3339(self.call.now);
        let mut patch = if how == PatchType::Apply {
            decode::yaml(&body)?
        } else {
            decode::patch(&body)?
        };
        if self.kind.is_custom() {
            decode::settle_numbers(&mut patch)?;
        }
        let write = self.write(&options, &now);
        if self.target.subresource == "scale" {
            return self.scale(&write, &Wanted::Patched(how, patch)).await;
        }
        let written = if how == PatchType::Apply {
            write.apply(self.call.cluster, &patch).await?
        } else {
            write.patch(self.call.cluster, how, &patch).await?
        };
        Ok(self.answer(&written))
    }

    async fn scale(&self, write: &Write<'_>, wanted: &Wanted) -> Result<Response<Body>, Status> {
        let written = write.scale(self.call.cluster, wanted).await?;
        let scale = match &written.object {
            Answer::Stored(record) => record.value(),
            Answer::Shown(scale) => scale.clone(),
        };
        let mut response = answer::object(StatusCode::OK, media::Written::JSON, &scale);
        answer::warn(&mut response, &written.warnings);
        Ok(response)
    }
}
