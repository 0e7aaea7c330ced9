//! The order of objects and what each waits for.

use super::*;

/// Makes objects of lines: `group/Kind [namespace/]name`, then fields of the object in flow style.
fn objects(lines: &str) -> Vec<Object> {
    let object = |line: &str| {
        let mut words = line.trim().splitn(3, ' ');
        let (kind, name) = (words.next().expect("a kind"), words.next().expect("a name"));
        let (group, kind) = kind.rsplit_once('/').unwrap_or(("", kind));
        let (namespace, name) = name
            .split_once('/')
            .map_or((None, name), |(ns, name)| (Some(ns), name));
        let version = if group.is_empty() {
            "v1".to_owned()
        } else {
            format!("{group}/v1")
        };
        let rest = words
            .next()
            .map(|rest| format!(", {rest}"))
            .unwrap_or_default();
        let text =
            format!("{{apiVersion: {version}, kind: {kind}, metadata: {{name: '{name}'}}{rest}}}");
        let mut manifests = manifest::parse_file("a.yaml", text.as_bytes()).expect(&text);
        let mut manifest = manifests.remove(0);
        manifest.set_namespace(namespace);
        Object {
            id: manifest.id(None),
            manifest,
            crd_in_set: false,
        }
    };
    lines.trim().lines().map(object).collect()
}

#[track_caller]
fn check_stages(lines: &str, seen: &str) {
    let objects = objects(lines);
    let stages = stages(&objects);
    let stage = |stage: &Vec<usize>| {
        let ids: Vec<String> = stage
            .iter()
            .map(|index| objects[*index].id.to_string())
            .collect();
        ids.join(" ")
    };
    assert_eq!(
        stages.iter().map(stage).collect::<Vec<_>>().join("\n"),
        seen
    );
}

#[track_caller]
fn check_waits(lines: &str, seen: &str) {
    let objects = objects(lines);
    let all = waits(&objects);
    let mut text = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        let needs = waits_for(&objects, index);
        assert_eq!(needs, all[index]);
        for need in needs {
            let need = match need {
                Need::Crd(name) => format!("crd {name}"),
                Need::Namespace(name) => format!("namespace {name}"),
                Need::Backend(id) => format!("backend {id}"),
            };
            text.push(format!("{}: {need}", object.id));
        }
    }
    assert_eq!(text.join("\n"), seen);
}

#[track_caller]
fn check_prune(lines: &str, seen: &str) {
    let ids: Vec<ObjectId> = objects(lines).into_iter().map(|object| object.id).collect();
    let stage = |stage: &Vec<ObjectId>| {
        stage
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        prune_stages(&ids)
            .iter()
            .map(stage)
            .collect::<Vec<_>>()
            .join("\n"),
        seen
    );
}

const EVERYTHING: &str = "
admissionregistration.k8s.io/ValidatingWebhookConfiguration hook
apiregistration.k8s.io/APIService v1.metrics
apps/Deployment n/web
Service n/web
x.io/Widget n/w
rbac.authorization.k8s.io/RoleBinding n/rb
rbac.authorization.k8s.io/ClusterRoleBinding crb
ServiceAccount n/sa
rbac.authorization.k8s.io/Role n/r
rbac.authorization.k8s.io/ClusterRole cr
ConfigMap n/cm
Secret n/s
ResourceQuota n/q
LimitRange n/l
networking.k8s.io/NetworkPolicy n/np
policy/PodDisruptionBudget n/pdb
PersistentVolume pv
PersistentVolumeClaim n/pvc
storage.k8s.io/StorageClass sc
scheduling.k8s.io/PriorityClass pc
node.k8s.io/RuntimeClass rc
networking.k8s.io/IngressClass ic
apiextensions.k8s.io/CustomResourceDefinition widgets.x.io
Namespace n
";

#[test]
fn applies_what_others_need_first_and_webhooks_last() {
    check_stages(
        EVERYTHING,
        "CustomResourceDefinition/widgets.x.io Namespace/n\n\
         StorageClass/sc PriorityClass/pc RuntimeClass/rc IngressClass/ic\n\
         ServiceAccount/n/sa Role/n/r ClusterRole/cr ConfigMap/n/cm Secret/n/s ResourceQuota/n/q LimitRange/n/l NetworkPolicy/n/np PodDisruptionBudget/n/pdb PersistentVolume/pv PersistentVolumeClaim/n/pvc\n\
         RoleBinding/n/rb ClusterRoleBinding/crb\n\
         Deployment/n/web Service/n/web Widget.x.io/n/w\n\
         ValidatingWebhookConfiguration/hook APIService/v1.metrics",
    );
}

#[test]
fn matches_kinds_by_group() {
    check_stages(
        "x.io/Namespace n/a\nx.io/Role n/b\nConfigMap n/c",
        "ConfigMap/n/c\nNamespace.x.io/n/a Role.x.io/n/b",
    );
}

#[test]
fn leaves_out_stages_without_objects() {
    check_stages("apps/Deployment n/web", "Deployment/n/web");
    assert_eq!(stages(&[]), Vec::<Vec<usize>>::new());
}

#[test]
fn deletes_in_reverse_with_custom_resources_before_their_operator() {
    check_prune(
        EVERYTHING,
        "ValidatingWebhookConfiguration/hook\n\
         Widget.x.io/n/w\n\
         CustomResourceDefinition/widgets.x.io APIService/v1.metrics\n\
         Service/n/web Deployment/n/web\n\
         ClusterRoleBinding/crb RoleBinding/n/rb\n\
         ConfigMap/n/cm LimitRange/n/l PersistentVolume/pv PersistentVolumeClaim/n/pvc ResourceQuota/n/q Secret/n/s ServiceAccount/n/sa NetworkPolicy/n/np PodDisruptionBudget/n/pdb ClusterRole/cr Role/n/r\n\
         IngressClass/ic RuntimeClass/rc PriorityClass/pc StorageClass/sc\n\
         Namespace/n",
    );
}

#[test]
fn knows_a_custom_resource_by_the_definition_beside_it() {
    check_prune(
        "apiextensions.k8s.io/CustomResourceDefinition widgets.x.k8s.io\nx.k8s.io/Widget n/w\napps/Deployment n/d",
        "Widget/n/w\nCustomResourceDefinition/widgets.x.k8s.io\nDeployment/n/d",
    );
}

const DEFINITION: &str = "apiextensions.k8s.io/CustomResourceDefinition widgets.x.io spec: {group: x.io, names: {kind: Widget}}";

#[test]
fn a_custom_resource_waits_for_its_definition() {
    check_waits(
        &format!("x.io/Widget w\nx.io/Other o\n{DEFINITION}"),
        "Widget.x.io/w: crd widgets.x.io",
    );
    check_waits("x.io/Widget w", "");
}

#[test]
fn an_object_waits_for_its_namespace() {
    check_waits(
        "ConfigMap shop/a\nConfigMap other/b\nNamespace shop",
        "ConfigMap/shop/a: namespace shop",
    );
}

#[test]
fn a_webhook_configuration_waits_for_its_backends() {
    let hook = "webhooks: [{name: a, clientConfig: {service: {namespace: ops, name: hook}}}, {name: b, clientConfig: {url: x}}]";
    check_waits(
        &format!(
            "admissionregistration.k8s.io/MutatingWebhookConfiguration h {hook}
             Service ops/hook spec: {{selector: {{app: hook}}}}
             apps/Deployment ops/hook spec: {{template: {{metadata: {{labels: {{app: hook, v: x}}}}}}}}
             apps/Deployment ops/other spec: {{template: {{metadata: {{labels: {{app: other}}}}}}}}
             apps/Deployment shop/hook spec: {{template: {{metadata: {{labels: {{app: hook}}}}}}}}"
        ),
        "MutatingWebhookConfiguration/h: backend Deployment/ops/hook",
    );
    check_waits(
        &format!("admissionregistration.k8s.io/ValidatingWebhookConfiguration h {hook}"),
        "",
    );
}

#[test]
fn nothing_else_waits() {
    check_waits(
        "apps/Deployment n/d spec: {template: {metadata: {labels: {a: b}}}}\nService n/s spec: {selector: {a: b}}\nrbac.authorization.k8s.io/RoleBinding n/rb\nrbac.authorization.k8s.io/Role n/r\napiregistration.k8s.io/APIService v1.m",
        "",
    );
}
