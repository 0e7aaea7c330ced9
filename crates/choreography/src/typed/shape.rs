//! The fields of the owners, as Go declares them.
//!
//! From `vmware-tanzu/cartographer: pkg/apis/v1alpha1/{workload,deliverable,runnable,common}.go`
//! of v0.8.11 and Kubernetes' `metav1.ObjectMeta`, `corev1.EnvVar`, `corev1.ResourceRequirements`.

/// How Go declares a value.
pub(super) enum Shape {
    /// JSON as it came.
    Raw,
    /// A string.
    Text,
    /// A number.
    Integer,
    /// A map.
    Map,
    /// A map of quantities, which Go writes in their canonical form.
    Quantities,
    /// Something that may be nil.
    Pointer(&'static Shape),
    /// A list.
    List(&'static Shape),
    /// A struct with its fields, by their names in JSON.
    Struct(&'static [(&'static str, Shape)]),
}

use Shape::{Integer, List, Map, Pointer, Quantities, Raw, Struct, Text};

pub(super) static WORKLOAD: Shape = Struct(&[
    ("kind", Text),
    ("apiVersion", Text),
    ("metadata", METADATA),
    (
        "spec",
        Struct(&[
            ("params", List(&OWNER_PARAM)),
            ("source", Pointer(&SOURCE)),
            ("build", Struct(&[("env", List(&ENV))])),
            ("env", List(&ENV)),
            ("image", Pointer(&Text)),
            ("resources", Pointer(&RESOURCES)),
            ("serviceAccountName", Text),
            ("serviceClaims", List(&SERVICE_CLAIM)),
        ]),
    ),
    (
        "status",
        Struct(&[
            ("observedGeneration", Integer),
            ("conditions", List(&Raw)),
            ("supplyChainRef", OBJECT_REFERENCE),
            ("resources", List(&Raw)),
        ]),
    ),
]);

pub(super) static DELIVERABLE: Shape = Struct(&[
    ("kind", Text),
    ("apiVersion", Text),
    ("metadata", METADATA),
    (
        "spec",
        Struct(&[
            ("params", List(&OWNER_PARAM)),
            ("source", Pointer(&SOURCE)),
            ("serviceAccountName", Text),
        ]),
    ),
    (
        "status",
        Struct(&[
            ("observedGeneration", Integer),
            ("conditions", List(&Raw)),
            ("deliveryRef", OBJECT_REFERENCE),
            ("resources", List(&Raw)),
        ]),
    ),
]);

pub(super) static RUNNABLE: Shape = Struct(&[
    ("kind", Text),
    ("apiVersion", Text),
    ("metadata", METADATA),
    (
        "spec",
        Struct(&[
            ("runTemplateRef", Struct(&[("kind", Text), ("name", Text)])),
            (
                "selector",
                Pointer(&Struct(&[
                    ("resource", Struct(&[("apiVersion", Text), ("kind", Text)])),
                    ("matchingLabels", Map),
                ])),
            ),
            ("inputs", Map),
            ("serviceAccountName", Text),
            (
                "retentionPolicy",
                Struct(&[("maxFailedRuns", Integer), ("maxSuccessfulRuns", Integer)]),
            ),
        ]),
    ),
    (
        "status",
        Struct(&[
            ("observedGeneration", Integer),
            ("conditions", List(&Raw)),
            ("outputs", Map),
        ]),
    ),
]);

const METADATA: Shape = Struct(&[
    ("name", Text),
    ("generateName", Text),
    ("namespace", Text),
    ("selfLink", Text),
    ("uid", Text),
    ("resourceVersion", Text),
    ("generation", Integer),
    ("creationTimestamp", Raw),
    ("deletionTimestamp", Pointer(&Raw)),
    ("deletionGracePeriodSeconds", Pointer(&Integer)),
    ("labels", Map),
    ("annotations", Map),
    ("ownerReferences", List(&Raw)),
    ("finalizers", List(&Raw)),
    ("managedFields", List(&Raw)),
]);

static OWNER_PARAM: Shape = Struct(&[("name", Text), ("value", Raw)]);

static SOURCE: Shape = Struct(&[
    ("git", Pointer(&GIT)),
    ("image", Pointer(&Text)),
    ("subPath", Pointer(&Text)),
]);

static GIT: Shape = Struct(&[
    ("url", Pointer(&Text)),
    (
        "ref",
        Pointer(&Struct(&[
            ("branch", Pointer(&Text)),
            ("tag", Pointer(&Text)),
            ("commit", Pointer(&Text)),
        ])),
    ),
]);

static ENV: Shape = Struct(&[
    ("name", Text),
    ("value", Text),
    ("valueFrom", Pointer(&Raw)),
]);

static RESOURCES: Shape = Struct(&[
    ("limits", Quantities),
    ("requests", Quantities),
    ("claims", List(&Raw)),
]);

static SERVICE_CLAIM: Shape = Struct(&[
    ("name", Text),
    (
        "ref",
        Pointer(&Struct(&[
            ("apiVersion", Text),
            ("kind", Text),
            ("name", Text),
        ])),
    ),
]);

const OBJECT_REFERENCE: Shape = Struct(&[
    ("kind", Text),
    ("namespace", Text),
    ("name", Text),
    ("apiVersion", Text),
]);
