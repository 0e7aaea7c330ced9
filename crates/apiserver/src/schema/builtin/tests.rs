//! The built-in types, at the places where upstream's reading is known.

use super::*;

/// The field at the end of a path through structs, and the items of lists and maps in between.
#[track_caller]
fn field(kind: (&str, &str, &str), path: &str) -> (&'static Type, Field) {
    let Builtin { schema, .. } = Builtin::load();
    let mut at = Builtin::load()
        .by_gvk(kind.0, kind.1, kind.2)
        .expect("the kind is there");
    let mut found = Field::of(at);
    for name in path.split('.') {
        while let Shape::List { item: inner, .. } | Shape::Map { value: inner, .. } =
            schema.get(at).shape
        {
            at = inner;
        }
        let Shape::Struct(Struct { fields, .. }) = &schema.get(at).shape else {
            panic!("{name} is not in a struct");
        };
        found = fields[name].clone();
        at = found.of;
    }
    (schema.get(at), found)
}

const POD: (&str, &str, &str) = ("", "v1", "Pod");

#[test]
fn lists_are_told_apart_as_upstream_says() {
    for (kind, path, wanted) in [
        (POD, "spec.containers", "name"),
        (POD, "spec.containers.ports", "containerPort,protocol"),
        (POD, "spec.tolerations", ""),
        (POD, "metadata.finalizers", "="),
        (("", "v1", "Service"), "spec.ports", "port,protocol"),
        (("apps", "v1", "Deployment"), "status.conditions", "type"),
    ] {
        let Shape::List { kind, .. } = &field(kind, path).0.shape else {
            panic!("{path} is no list");
        };
        let shown = match kind {
            ListKind::Atomic => String::new(),
            ListKind::Set => "=".to_owned(),
            ListKind::Map(keys) => keys.join(","),
        };
        assert_eq!(shown, wanted, "{path}");
    }
}

#[test]
fn maps_are_atomic_where_upstream_says() {
    for (kind, path, wanted) in [
        (("apps", "v1", "Deployment"), "spec.selector", true),
        (("", "v1", "Service"), "spec.selector", true),
        (POD, "metadata.labels", false),
        (POD, "spec", false),
        (("", "v1", "Event"), "involvedObject", true),
        // Said at the place of use: the type itself is atomic.
        (("", "v1", "PersistentVolume"), "spec.claimRef", false),
    ] {
        let (Shape::Struct(Struct { atomic, .. }) | Shape::Map { atomic, .. }) =
            &field(kind, path).0.shape
        else {
            panic!("{path} is no map");
        };
        assert_eq!(*atomic, wanted, "{path}");
    }
}

#[test]
fn fields_keep_defaults_patches_and_empty_values() {
    let protocol = field(POD, "spec.containers.ports.protocol").1;
    assert_eq!(protocol.default, Some(Value::from("TCP")));
    assert_eq!(protocol.empty, Empty::Omitted);

    let containers = field(POD, "spec.containers").1;
    assert_eq!(containers.patch.key.as_deref(), Some("name"));
    assert!(containers.patch.merge && containers.required);
    assert_eq!(containers.empty, Empty::Written(Value::Null));

    let volumes = field(POD, "spec.volumes").1;
    assert!(volumes.patch.merge && volumes.patch.retain_keys);
    let strategy = field(("apps", "v1", "Deployment"), "spec.strategy").1;
    assert!(!strategy.patch.merge && strategy.patch.retain_keys);
    assert_eq!(field(POD, "spec.securityContext").1.empty, Empty::Kept);
}

#[test]
fn kinds_are_found_by_group_and_version() {
    let builtin = Builtin::load();
    let v1 = builtin.by_gvk("autoscaling", "v1", "HorizontalPodAutoscaler");
    let v2 = builtin.by_gvk("autoscaling", "v2", "HorizontalPodAutoscaler");
    assert!(v1.is_some() && v2.is_some() && v1 != v2);
    let pod = builtin.by_name("io.k8s.api.core.v1.Pod");
    assert_eq!(builtin.by_gvk("", "v1", "Pod"), pod);
    assert_eq!(builtin.by_gvk("apps", "v1beta1", "Deployment"), None);
    for (group, version, kind, of) in builtin.kinds() {
        assert_eq!(builtin.by_gvk(group, version, kind), Some(of));
        assert!(
            matches!(builtin.schema.get(of).shape, Shape::Struct(_)),
            "{kind}"
        );
    }
}
