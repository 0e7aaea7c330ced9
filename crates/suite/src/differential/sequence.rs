//! Sequences of requests: few names, so that writes meet, mostly good ones, and some faults.

use serde_json::{Value, json};

use super::change;
use super::fault::{self, What};
use super::sort::{SORTS, Sort};
use crate::chance::Chance;

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) method: &'static str,
    pub(super) sort: &'static Sort,
    /// The object's name; empty for the collection.
    pub(super) name: &'static str,
    /// `status` or `scale`, or empty.
    pub(super) subresource: &'static str,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) media: &'static str,
    pub(super) body: Body,
}

/// What is sent. A text `$version`, `$former` or `$uid` stands for what the server answered last.
#[derive(Clone, Debug)]
pub(super) enum Body {
    None,
    Is(Value),
    /// The object as the server answered it last, with something merged into it.
    Edited(Value),
}

impl Step {
    /// Whether it may change what owners of fields there are.
    pub(super) fn is_write(&self) -> bool {
        !["GET", "DELETE"].contains(&self.method)
    }

    /// Whether nothing comes of it.
    pub(super) fn is_dry(&self) -> bool {
        let in_body = matches!(&self.body, Body::Is(body) if body.get("dryRun").is_some());
        in_body || self.query.iter().any(|(key, _)| *key == "dryRun")
    }
}

const JSON: &str = "application/json";
const NAMES: [&str; 2] = ["ada", "ben"];
const MANAGERS: [&str; 3] = ["left", "right", "middle"];
const LONGEST: usize = 26;

/// The sequence of a seed.
pub(super) fn sequence(seed: u64) -> Vec<Step> {
    let mut chance = Chance::new(seed);
    let first = chance.pick(SORTS);
    let second = chance.pick(SORTS);
    let names = if chance.percent(70) {
        &NAMES[..1]
    } else {
        &NAMES[..]
    };
    let count = 10 + chance.below(LONGEST - 10);
    let mut steps = Vec::with_capacity(count);
    for index in 0..count {
        let sort = if chance.percent(75) { first } else { second };
        let mut draft = Draft {
            name: names[chance.below(names.len())],
            sort,
            chance: &mut chance,
        };
        steps.push(if index == 0 {
            draft.create()
        } else {
            draft.any()
        });
    }
    steps
}

struct Draft<'a> {
    chance: &'a mut Chance,
    sort: &'static Sort,
    name: &'static str,
}

type Make = fn(&mut Draft<'_>) -> Step;

impl Draft<'_> {
    fn any(&mut self) -> Step {
        let makes: [(usize, Make); 9] = [
            (10, |draft| draft.create()),
            (14, |draft| draft.update()),
            (12, |draft| draft.merge_patch("")),
            (12, |draft| draft.json_patch("")),
            (if self.sort.custom { 1 } else { 12 }, |draft| {
                draft.strategic_patch()
            }),
            (26, |draft| draft.apply("")),
            (if self.sort.status.is_some() { 8 } else { 0 }, |draft| {
                draft.status()
            }),
            (if self.sort.scale { 8 } else { 0 }, |draft| draft.scale()),
            (7, |draft| draft.delete()),
        ];
        let make = self.chance.weighed(&makes);
        make(self)
    }

    fn step(&mut self, method: &'static str, media: &'static str, body: Body) -> Step {
        let mut query = Vec::new();
        if self.chance.percent(85) {
            let manager = *self.chance.pick(&MANAGERS);
            query.push(("fieldManager", manager.to_owned()));
        }
        if self.chance.percent(6) {
            query.push(("dryRun", "All".to_owned()));
        }
        if self.chance.percent(30) {
            let how = *self.chance.pick(&["Strict", "Warn", "Ignore"]);
            query.push(("fieldValidation", how.to_owned()));
        }
        Step {
            method,
            sort: self.sort,
            name: self.name,
            subresource: "",
            query,
            media,
            body,
        }
    }

    /// An object that would be accepted, most likely.
    fn whole(&mut self) -> Value {
        let mut object = (self.sort.make)(self.chance);
        object["apiVersion"] = json!(self.sort.api_version());
        object["kind"] = json!(self.sort.kind);
        object["metadata"] = super::sort::metadata(self.chance);
        object["metadata"]["name"] = json!(self.name);
        object
    }

    /// Spoils what is sent, now and then.
    fn spoiled(&mut self, body: Value, what: What) -> Value {
        if self.chance.percent(18) {
            fault::spoil(self.chance, body, what)
        } else {
            body
        }
    }

    fn create(&mut self) -> Step {
        let whole = self.whole();
        let mut body = self.spoiled(whole, What::Object);
        // The genuine server gives a Service its address before it finds that it has no name.
        if self.sort.kind == "Service" && body["metadata"].is_object() {
            body["metadata"]["name"] = json!(self.name);
        }
        Step {
            name: "",
            ..self.step("POST", JSON, Body::Is(body))
        }
    }

    fn update(&mut self) -> Step {
        let whole = self.whole();
        let body = if self.chance.percent(60) {
            let part = change::part(self.chance, &whole);
            let mut part = self.spoiled(part, What::Patch);
            if self.chance.percent(30)
                && let Some(part) = part.as_object_mut()
            {
                let version = *self.chance.pick(&["$former", ""]);
                part.insert("metadata".to_owned(), json!({"resourceVersion": version}));
            }
            Body::Edited(part)
        } else {
            let mut whole = self.spoiled(whole, What::Object);
            if self.chance.percent(50)
                && let Some(metadata) = whole["metadata"].as_object_mut()
            {
                let version = *self.chance.pick(&["$version", "$version", "$former"]);
                metadata.insert("resourceVersion".to_owned(), json!(version));
            }
            Body::Is(whole)
        };
        self.step("PUT", JSON, body)
    }

    fn merge_patch(&mut self, subresource: &'static str) -> Step {
        let whole = self.wanted(subresource);
        let part = change::part(self.chance, &whole);
        let part = change::with_nulls(self.chance, part);
        let part = self.spoiled(part, What::Patch);
        Step {
            subresource,
            ..self.step("PATCH", "application/merge-patch+json", Body::Is(part))
        }
    }

    fn json_patch(&mut self, subresource: &'static str) -> Step {
        let (from, to) = (self.wanted(subresource), self.wanted(subresource));
        let patch = change::json_patch(self.chance, &from, &to);
        Step {
            subresource,
            ..self.step("PATCH", "application/json-patch+json", Body::Is(patch))
        }
    }

    fn strategic_patch(&mut self) -> Step {
        let whole = self.whole();
        let part = change::part(self.chance, &whole);
        // The genuine server tells a patch as far as it has used up its directives.
        let part = if self.chance.percent(80) {
            change::with_directives(self.chance, part)
        } else {
            fault::spoil(self.chance, part, What::Merge)
        };
        let media = "application/strategic-merge-patch+json";
        self.step("PATCH", media, Body::Is(part))
    }

    fn apply(&mut self, subresource: &'static str) -> Step {
        let whole = self.wanted(subresource);
        let mut part = change::part(self.chance, &whole);
        for field in ["apiVersion", "kind"] {
            part[field] = whole[field].clone();
        }
        if !part["metadata"].is_object() {
            part["metadata"] = json!({});
        }
        part["metadata"]["name"] = json!(self.name);
        if self.sort.kind == "Job" && part["spec"]["template"].is_object() {
            // Labels that the genuine server puts there later than others are no labels of the Job before
            // it is read again, and are stored with the next write.
            let metadata = &mut part["spec"]["template"]["metadata"];
            if metadata["labels"].is_null() {
                metadata["labels"] = json!({});
            }
        }
        let part = self.spoiled(part, What::Patch);
        let step = self.step("PATCH", "application/apply-patch+yaml", Body::Is(part));
        let mut query = step.query.clone();
        if self.chance.percent(45) {
            query.push(("force", "true".to_owned()));
        }
        Step {
            subresource,
            query,
            ..step
        }
    }

    /// What is wanted of an object, or of its status.
    fn wanted(&mut self, subresource: &str) -> Value {
        let mut whole = self.whole();
        if subresource == "status"
            && let Some(make) = self.sort.status
        {
            let keeps_rest = self.chance.percent(20);
            if let Some(fields) = whole.as_object_mut()
                && !keeps_rest
            {
                fields.retain(|key, _| ["apiVersion", "kind", "metadata"].contains(&key.as_str()));
            }
            whole["status"] = make(self.chance);
        }
        whole
    }

    fn status(&mut self) -> Step {
        match self.chance.below(4) {
            0 => self.merge_patch("status"),
            1 => self.json_patch("status"),
            2 => self.apply("status"),
            _ => {
                let whole = self.wanted("status");
                let part = json!({"status": whole["status"], "metadata": whole["metadata"]});
                let part = self.spoiled(part, What::Patch);
                Step {
                    subresource: "status",
                    ..self.step("PUT", JSON, Body::Edited(part))
                }
            }
        }
    }

    fn scale(&mut self) -> Step {
        let replicas = self.chance.below(4);
        let scale = json!({
            "apiVersion": "autoscaling/v1", "kind": "Scale",
            "metadata": {"name": self.name}, "spec": {"replicas": replicas},
        });
        let step = match self.chance.below(6) {
            0 => self.step("GET", JSON, Body::None),
            1 | 2 => {
                let mut scale = scale;
                if self.chance.percent(40) {
                    let version = *self.chance.pick(&["$version", "$former"]);
                    scale["metadata"]["resourceVersion"] = json!(version);
                }
                let scale = self.spoiled(scale, What::Object);
                self.step("PUT", JSON, Body::Is(scale))
            }
            3 => {
                let patch = json!([{"op": "replace", "path": "/spec/replicas", "value": replicas}]);
                self.step("PATCH", "application/json-patch+json", Body::Is(patch))
            }
            4 => {
                let patch = self.spoiled(json!({"spec": {"replicas": replicas}}), What::Patch);
                self.step("PATCH", "application/merge-patch+json", Body::Is(patch))
            }
            // The genuine server cannot convert what is applied to the scale of a custom resource.
            _ if self.sort.custom => self.step("GET", JSON, Body::None),
            _ => {
                let mut step = self.step("PATCH", "application/apply-patch+yaml", Body::Is(scale));
                if self.chance.percent(60) {
                    step.query.push(("force", "true".to_owned()));
                }
                step
            }
        };
        Step {
            subresource: "scale",
            ..step
        }
    }

    fn delete(&mut self) -> Step {
        let mut options = json!({"apiVersion": "v1", "kind": "DeleteOptions"});
        if self.chance.percent(40) {
            let uid = *self.chance.pick(&["$uid", "$uid", "other"]);
            options["preconditions"]["uid"] = json!(uid);
        }
        if self.chance.percent(30) {
            let version = *self.chance.pick(&["$version", "$former"]);
            options["preconditions"]["resourceVersion"] = json!(version);
        }
        if self.chance.percent(40) {
            let how = *self.chance.pick(&["Background", "Foreground", "Orphan"]);
            options["propagationPolicy"] = json!(how);
        }
        if self.chance.percent(10) {
            options["gracePeriodSeconds"] = json!(self.chance.below(2));
        }
        if self.chance.percent(15) {
            options["dryRun"] = json!(["All"]);
        }
        let body = if self.chance.percent(30) {
            Body::None
        } else {
            Body::Is(options)
        };
        Step {
            query: Vec::new(),
            ..self.step("DELETE", JSON, body)
        }
    }
}
