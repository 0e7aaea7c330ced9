//! Owners and managers: the lists of objects in metadata.

use serde_json::{Value, json};

use super::Fields;
use crate::status::FieldError;
use crate::validate::Path;

impl Fields<'_> {
    pub(super) fn owners(&self, place: &Path<'_>, errors: &mut Vec<FieldError>) {
        let here = place.field("ownerReferences");
        let mut controller: Option<String> = None;
        for owner in self.items("ownerReferences") {
            let owner_fields = Fields::of(owner);
            let api_version = owner_fields.text("apiVersion");
            let version = api_version.rsplit_once('/').map_or(api_version, |it| it.1);
            let version = if api_version.matches('/').count() > 1 {
                ""
            } else {
                version
            };
            for (name, wanted, why) in [
                ("apiVersion", version, "version must not be empty"),
                ("kind", owner_fields.text("kind"), "must not be empty"),
                ("name", owner_fields.text("name"), "must not be empty"),
                ("uid", owner_fields.text("uid"), "must not be empty"),
            ] {
                if wanted.is_empty() {
                    let value = json!(owner_fields.text(name));
                    errors.push(FieldError::invalid(here.field(name).text(), value, why));
                }
            }
            if api_version == "v1" && owner_fields.text("kind") == "Event" {
                let why = "/v1, Kind=Event is disallowed from being an owner";
                errors.push(FieldError::invalid(here.text(), owner.clone(), why));
            }
            if owner_fields.value("controller") != &Value::Bool(true) {
                continue;
            }
            let (kind, name) = (owner_fields.text("kind"), owner_fields.text("name"));
            let this = format!("{kind}/{name}");
            if let Some(first) = &controller {
                let why = format!(
                    "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {this}"
                );
                let value = self.value("ownerReferences").clone();
                errors.push(FieldError::invalid(here.text(), value, why));
            } else {
                controller = Some(this);
            }
        }
    }

    pub(super) fn managers(&self, place: &Path<'_>, errors: &mut Vec<FieldError>) {
        let list = place.field("managedFields");
        for (index, entry) in self.items("managedFields").iter().enumerate() {
            let (here, entry) = (list.index(index), Fields::of(entry));
            let operation = entry.text("operation");
            if !matches!(operation, "Apply" | "Update") {
                let why = "must be `Apply` or `Update`";
                let field = here.field("operation").text();
                errors.push(FieldError::invalid(field, json!(operation), why));
            }
            let kind = entry.text("fieldsType");
            if !matches!(kind, "" | "FieldsV1") {
                let field = here.field("fieldsType").text();
                errors.push(FieldError::invalid(
                    field,
                    json!(kind),
                    "must be `FieldsV1`",
                ));
            }
            let manager = entry.text("manager");
            if manager.len() > 128 {
                errors.push(FieldError::too_long(here.field("manager").text(), 128));
            }
            let hidden = |c: &char| c.is_control() || (c.is_whitespace() && *c != ' ');
            if let Some((index, bad)) = manager.chars().enumerate().find(|(_, c)| hidden(c)) {
                let why = format!(
                    "invalid character U+{:04X} (at position {index})",
                    u32::from(bad)
                );
                let field = here.field("manager").text();
                errors.push(FieldError::invalid(field, json!(manager), why));
            }
            if entry.text("subresource").len() > 256 {
                errors.push(FieldError::too_long(here.field("subresource").text(), 256));
            }
        }
    }
}
