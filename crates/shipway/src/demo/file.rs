//! The files of the demo's repositories: a small but complete application, and the Deliverables
//! that bring it to three environments. Pure.

/// The branch of both repositories.
pub(super) const BRANCH: &str = "main";
/// The folder of the application in its repository.
pub(super) const APP: &str = "config/shop";
/// The folder of the definition in the application's repository.
pub(super) const CATALOG: &str = "config/catalog";
/// How many small objects come along, so that a mass deletion is one.
pub(super) const FEATURES: usize = 10;
/// The image that runs.
pub(super) const IMAGE: &str = "nginx:1.29-alpine";
/// An image that nobody can pull.
pub(super) const BROKEN_IMAGE: &str = "nginx:broken-on-purpose";

/// The application's files: path and text.
pub(super) fn application() -> Vec<(String, String)> {
    let mut files = vec![
        (format!("{CATALOG}/definition.yaml"), DEFINITION.to_owned()),
        (format!("{APP}/settings.yaml"), settings("blue")),
        (
            format!("{APP}/page.yaml"),
            config_map("page", "greeting", "welcome"),
        ),
        (format!("{APP}/account.yaml"), ACCOUNT.to_owned()),
        (format!("{APP}/service.yaml"), SERVICE.to_owned()),
        (format!("{APP}/deployment.yaml"), deployment(IMAGE)),
        (format!("{APP}/catalog.yaml"), CATALOG_OBJECT.to_owned()),
    ];
    for number in 1..=FEATURES {
        files.push((
            format!("{APP}/{}", feature(number)),
            config_map(&format!("feature-{number}"), "enabled", "yes"),
        ));
    }
    files
}

/// The file of one of the small objects.
pub(super) fn feature(number: usize) -> String {
    format!("features/feature-{number}.yaml")
}

/// The settings, with the value that changes.
pub(super) fn settings(colour: &str) -> String {
    config_map("settings", "colour", colour)
}

fn config_map(name: &str, key: &str, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  {key}: \"{value}\"\n"
    )
}

/// The Deployment.
pub(super) fn deployment(image: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: shop\nspec:\n  replicas: 1\n  selector:\n    \
         matchLabels:\n      app: shop\n  template:\n    metadata:\n      labels:\n        app: shop\n    spec:\n      \
         serviceAccountName: shop-web\n      containers:\n        - name: web\n          image: {image}\n          \
         ports:\n            - containerPort: 80\n          envFrom:\n            - configMapRef:\n                \
         name: settings\n"
    )
}

/// A file that is no YAML.
pub(super) const BROKEN: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: more\n  labels: [unclosed\n";

const ACCOUNT: &str = "\
apiVersion: v1
kind: ServiceAccount
metadata:
  name: shop-web
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: shop-web
rules:
  - apiGroups: [\"\"]
    resources: [configmaps]
    verbs: [get, list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: shop-web
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: shop-web
subjects:
  - kind: ServiceAccount
    name: shop-web
";

const SERVICE: &str = "\
apiVersion: v1
kind: Service
metadata:
  name: shop
spec:
  selector:
    app: shop
  ports:
    - name: http
      port: 80
";

const DEFINITION: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: catalogs.demo.shipway.run
  labels:
    app.kubernetes.io/managed-by: shipway-demo
spec:
  group: demo.shipway.run
  scope: Namespaced
  names:
    kind: Catalog
    plural: catalogs
    singular: catalog
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                products:
                  type: integer
";

const CATALOG_OBJECT: &str = "\
apiVersion: demo.shipway.run/v1
kind: Catalog
metadata:
  name: shop
spec:
  products: 12
";

/// One environment, as the deliverables repository knows it.
pub(super) struct Place<'a> {
    /// `qa`, `staging`, `production`.
    pub(super) environment: &'a str,
    /// The namespace there.
    pub(super) namespace: &'a str,
    /// The application's repository.
    pub(super) url: &'a str,
    /// The commit that is pinned; none for who follows the branch.
    pub(super) commit: Option<&'a str>,
    /// Where the Deliverable of the definition lives on this cluster.
    pub(super) catalog_namespace: &'a str,
}

/// The deliverables repository's files for one environment.
pub(super) fn deliverables(place: &Place<'_>) -> Vec<(String, String)> {
    let environment = place.environment;
    let mut files = vec![
        (
            format!("{environment}/access.yaml"),
            access(place.namespace),
        ),
        (format!("{environment}/deliverable-shop.yaml"), shop(place)),
        // For the shop alone: a plain manifest in `all/` would be added to every Shipment.
        (
            format!(
                "overlays/{environment}/{}/shop/environment.yaml",
                place.namespace
            ),
            config_map("environment", "name", environment),
        ),
        // For everything that has this Deployment; nothing elsewhere.
        (
            format!("overlays/{environment}/all/patches/replicas.yaml"),
            replicas(if environment == "production" { 3 } else { 2 }),
        ),
    ];
    if place.catalog_namespace == place.namespace {
        files.push((
            format!("{environment}/deliverable-catalog.yaml"),
            catalog(place),
        ));
    }
    files
}

/// What the environment's overlay changes in the Deployment.
fn replicas(count: usize) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: shop\nspec:\n  replicas: {count}\n"
    )
}

fn shop(place: &Place<'_>) -> String {
    let pin = place
        .commit
        .map(|commit| format!("        # moved by `shipway promote`\n        commit: {commit}\n"));
    format!(
        "apiVersion: carto.run/v1alpha1\nkind: Deliverable\nmetadata:\n  name: shop\n  labels:\n    \
         app.kubernetes.io/part-of: shop\n    app.tanzu.vmware.com/deliverable-type: web\nspec:\n  \
         serviceAccountName: shop-delivery\n  params:\n    - name: delivery\n      value:\n        dependsOn:\n          \
         - name: catalog\n            namespace: {}\n  source:\n    git:\n      url: {}\n      ref:\n        \
         branch: {BRANCH}\n{}    subPath: {APP}\n",
        place.catalog_namespace,
        place.url,
        pin.unwrap_or_default(),
    )
}

fn catalog(place: &Place<'_>) -> String {
    format!(
        "apiVersion: carto.run/v1alpha1\nkind: Deliverable\nmetadata:\n  name: catalog\n  labels:\n    \
         app.kubernetes.io/part-of: shop\n    app.tanzu.vmware.com/deliverable-type: web\nspec:\n  \
         serviceAccountName: catalog-delivery\n  source:\n    git:\n      url: {}\n      ref:\n        \
         branch: {BRANCH}\n    subPath: {CATALOG}\n",
        place.url,
    )
}

/// The accounts that the environment's Deliverables act as, each with what it needs.
fn access(namespace: &str) -> String {
    let account = |name: &str| {
        format!("apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {name}\n---\n")
    };
    let binding = |kind: &str, name: &str, account: &str, role: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata:\n  name: {name}\n  labels:\n    \
             app.kubernetes.io/managed-by: shipway-demo\nroleRef:\n  \
             apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: {role}\nsubjects:\n  \
             - kind: ServiceAccount\n    name: {account}\n    namespace: {namespace}\n---\n"
        )
    };
    [
        account("shop-delivery"),
        binding(
            "RoleBinding",
            "shop-delivery",
            "shop-delivery",
            "cluster-admin",
        ),
        account("catalog-delivery"),
        binding(
            "ClusterRoleBinding",
            &format!("{namespace}-catalog"),
            "catalog-delivery",
            "cluster-admin",
        ),
    ]
    .concat()
}
