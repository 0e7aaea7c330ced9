//! What Go names where the published types do not: texts that are types of their own, and structures that
//! stand within others without a field of their own. Those that the most used kinds have.

/// The struct within which Go has a field of a struct, if it is not that itself.
pub(super) fn embedded(structure: &str, field: &str) -> Option<&'static str> {
    match (structure, field) {
        ("Volume", name) if name != "name" => Some("VolumeSource"),
        ("Probe", "exec" | "httpGet" | "tcpSocket" | "grpc") => Some("ProbeHandler"),
        (
            "ConfigMapKeySelector"
            | "SecretKeySelector"
            | "ConfigMapEnvSource"
            | "SecretEnvSource"
            | "ConfigMapVolumeSource"
            | "ConfigMapProjection"
            | "SecretProjection",
            "name",
        ) => Some("LocalObjectReference"),
        _ => None,
    }
}

/// The type that a text or a map has in Go, if it is one of its own.
pub(super) fn text(structure: &str, field: &str) -> Option<&'static str> {
    Some(match (structure, field) {
        ("ObjectMeta" | "OwnerReference" | "ObjectReference" | "Preconditions", "uid") => {
            "types.UID"
        }
        ("Container" | "EphemeralContainer", "imagePullPolicy") => "v1.PullPolicy",
        ("Container" | "EphemeralContainer", "terminationMessagePolicy") => {
            "v1.TerminationMessagePolicy"
        }
        ("ContainerPort" | "ServicePort", "protocol") => "v1.Protocol",
        ("HTTPGetAction", "scheme") => "v1.URIScheme",
        ("PodSpec", "restartPolicy") => "v1.RestartPolicy",
        ("PodSpec", "dnsPolicy") => "v1.DNSPolicy",
        ("EmptyDirVolumeSource", "medium") => "v1.StorageMedium",
        ("Toleration", "operator") => "v1.TolerationOperator",
        ("Toleration", "effect") => "v1.TaintEffect",
        ("Capabilities", "add" | "drop") => "v1.Capability",
        ("LabelSelectorRequirement", "operator") => "v1.LabelSelectorOperator",
        ("DeleteOptions", "propagationPolicy") => "v1.DeletionPropagation",
        ("ServiceSpec", "type") => "v1.ServiceType",
        ("ServiceSpec", "sessionAffinity") => "v1.ServiceAffinity",
        ("ServiceSpec", "ipFamilyPolicy") => "v1.IPFamilyPolicy",
        ("ServiceSpec", "ipFamilies") => "v1.IPFamily",
        ("ServiceSpec", "internalTrafficPolicy") => "v1.ServiceInternalTrafficPolicy",
        ("ServiceSpec", "externalTrafficPolicy") => "v1.ServiceExternalTrafficPolicy",
        ("DeploymentStrategy", "type") => "v1.DeploymentStrategyType",
        ("DeploymentCondition", "type") => "v1.DeploymentConditionType",
        ("JobCondition", "type") => "v1.JobConditionType",
        ("Condition" | "DeploymentCondition" | "JobCondition", "status") => "v1.ConditionStatus",
        ("JobSpec", "completionMode") => "v1.CompletionMode",
        ("JobSpec", "podReplacementPolicy") => "v1.PodReplacementPolicy",
        ("ResourceRequirements", "limits" | "requests") => "v1.ResourceList",
        ("Secret", "type") => "v1.SecretType",
        ("ManagedFieldsEntry", "operation") => "v1.ManagedFieldsOperationType",
        _ => return None,
    })
}
