//! Kinds whose objects are stored in the form of another kind: one event is read and written as
//! `v1` and as `events.k8s.io/v1`, one autoscaler as `autoscaling/v2` and as `autoscaling/v1`.
//!
//! External rule: the names on both sides are those of k8s.io/kubernetes, `pkg/apis/events/v1` and
//! `pkg/apis/autoscaling/v1`. What `autoscaling/v1` has no fields for is not seen there, and a write there
//! takes it away: upstream carries it along in annotations.

use serde_json::{Map, Value, json};

/// How objects of one group and version look in another one.
#[derive(Debug)]
pub(super) struct Form {
    /// The group in which they are stored.
    pub(super) group: &'static str,
    api_version: &'static str,
    read: fn(&mut Value),
    write: fn(&mut Value),
}

const EVENTS: Form = Form {
    group: "",
    api_version: "v1",
    read: |event| {
        for (here, there) in OF_EVENTS {
            rename(event, there, here);
        }
    },
    write: |event| {
        for (here, there) in OF_EVENTS {
            rename(event, here, there);
        }
    },
};

/// The fields of events that are called differently: here, and there.
const OF_EVENTS: &[(&str, &str)] = &[
    ("regarding", "involvedObject"),
    ("note", "message"),
    ("reportingController", "reportingComponent"),
    ("deprecatedSource", "source"),
    ("deprecatedFirstTimestamp", "firstTimestamp"),
    ("deprecatedLastTimestamp", "lastTimestamp"),
    ("deprecatedCount", "count"),
];

const AUTOSCALERS: Form = Form {
    group: "autoscaling",
    api_version: "autoscaling/v2",
    read: |autoscaler| {
        if let Some(spec) = part(autoscaler, "spec") {
            let percentage = utilization(spec.remove("metrics").as_ref(), "target");
            set(spec, "targetCPUUtilizationPercentage", percentage);
            spec.remove("behavior");
        }
        if let Some(status) = part(autoscaler, "status") {
            let percentage = utilization(status.remove("currentMetrics").as_ref(), "current");
            set(status, "currentCPUUtilizationPercentage", percentage);
            status.remove("conditions");
        }
    },
    write: |autoscaler| {
        if let Some(spec) = part(autoscaler, "spec") {
            let percentage = spec.remove("targetCPUUtilizationPercentage");
            let metrics = percentage.map(|percentage| {
                let target = json!({"type": "Utilization", "averageUtilization": percentage});
                json!([{"type": "Resource", "resource": {"name": "cpu", "target": target}}])
            });
            set(spec, "metrics", metrics);
        }
        if let Some(status) = part(autoscaler, "status") {
            let percentage = status.remove("currentCPUUtilizationPercentage");
            let metrics = percentage.map(|percentage| {
                let current = json!({"averageUtilization": percentage});
                json!([{"type": "Resource", "resource": {"name": "cpu", "current": current}}])
            });
            set(status, "currentMetrics", metrics);
        }
    },
};

fn part<'a>(object: &'a mut Value, name: &str) -> Option<&'a mut Map<String, Value>> {
    object.get_mut(name)?.as_object_mut()
}

fn set(part: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        part.insert(name.to_owned(), value);
    }
}

/// The percentage of a CPU that metrics tell.
fn utilization(metrics: Option<&Value>, of: &str) -> Option<Value> {
    let mut metrics = metrics?.as_array()?.iter();
    let of_cpu = metrics.find(|metric| metric["resource"]["name"] == "cpu")?;
    of_cpu["resource"][of].get("averageUtilization").cloned()
}

impl Form {
    /// The form of a kind; nothing where its objects are stored as they are.
    pub(super) fn of(group: &str, version: &str, resource: &str) -> Option<&'static Self> {
        match (group, version, resource) {
            ("events.k8s.io", _, "events") => Some(&EVENTS),
            ("autoscaling", "v1", "horizontalpodautoscalers") => Some(&AUTOSCALERS),
            _ => None,
        }
    }

    /// From the form in which it is stored.
    pub(super) fn read(&self, object: &mut Value) {
        (self.read)(object);
    }

    /// To the form in which it is stored.
    pub(super) fn write(&self, object: &mut Value) {
        (self.write)(object);
        object["apiVersion"] = json!(self.api_version);
    }
}

fn rename(object: &mut Value, from: &str, to: &str) {
    if let Some(object) = object.as_object_mut()
        && let Some(value) = object.remove(from)
    {
        object.insert(to.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_the_same_in_both_groups() {
        let form = Form::of("events.k8s.io", "v1", "events").expect("it has one");
        let new = json!({"apiVersion": "events.k8s.io/v1", "note": "hello", "regarding": {"name": "a"}, "reason": "Said"});
        let mut old = new.clone();
        form.write(&mut old);
        let expected = json!({"apiVersion": "v1", "message": "hello", "involvedObject": {"name": "a"}, "reason": "Said"});
        assert_eq!(old, expected);
        form.read(&mut old);
        old["apiVersion"] = json!("events.k8s.io/v1");
        assert_eq!(old, new);
        assert!(Form::of("", "v1", "events").is_none());
    }
    #[test]
    fn an_autoscaler_is_the_same_in_both_versions() {
        let of = |version| Form::of("autoscaling", version, "horizontalpodautoscalers");
        let form = of("v1").expect("it has one");
        let old = json!({
            "apiVersion": "autoscaling/v1",
            "spec": {"maxReplicas": 3, "targetCPUUtilizationPercentage": 70},
            "status": {"currentCPUUtilizationPercentage": 40, "currentReplicas": 1},
        });
        let mut new = old.clone();
        form.write(&mut new);
        let expected = json!({
            "apiVersion": "autoscaling/v2",
            "spec": {"maxReplicas": 3, "metrics": [{"type": "Resource", "resource": {
                "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70},
            }}]},
            "status": {"currentReplicas": 1, "currentMetrics": [{"type": "Resource", "resource": {
                "name": "cpu", "current": {"averageUtilization": 40},
            }}]},
        });
        assert_eq!(new, expected);
        form.read(&mut new);
        new["apiVersion"] = json!("autoscaling/v1");
        assert_eq!(new, old);
        assert!(of("v2").is_none());
    }
}
