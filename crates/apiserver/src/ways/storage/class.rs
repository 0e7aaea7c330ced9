//! What is wrong with a StorageClass.

use serde_json::Value;

use super::STORAGE_CLASS;
use crate::status::FieldError;
use crate::validate::Path;
use crate::ways::again;
use crate::ways::fault::Faults;
use crate::ways::part::Part as _;

pub(super) fn check(new: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut faults = Faults::default();
    if old.is_some() {
        faults.extend(again(new, &STORAGE_CLASS));
    }
    let provisioner = new.text("provisioner");
    let at = Path::at("provisioner");
    if provisioner.is_empty() {
        faults.required(&at, "");
    } else {
        faults.qualified(&at, &provisioner.to_lowercase());
    }
    let at = Path::at("parameters");
    let count = new.entries("parameters").count();
    if count > 512 {
        faults.too_long(&at, 512);
    }
    for (key, _) in new.entries("parameters") {
        if key.is_empty() {
            faults.invalid(&at, key, "field can not be empty.");
        }
    }
    let policy = new.part("reclaimPolicy");
    faults.one_of_if(&Path::at("reclaimPolicy"), policy, &["Delete", "Retain"]);
    let mode = new.part("volumeBindingMode");
    let known = ["Immediate", "WaitForFirstConsumer"];
    faults.one_of_if(&Path::at("volumeBindingMode"), mode, &known);
    if let Some(old) = old {
        for name in [
            "parameters",
            "provisioner",
            "reclaimPolicy",
            "volumeBindingMode",
        ] {
            faults.immutable(&Path::at(name), new.part(name), old.part(name));
        }
    }
    faults.into_errors()
}
