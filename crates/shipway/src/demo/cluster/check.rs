//! What has to hold before the demo touches a cluster: it gets in nobody's way, and nobody in its.

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Namespace, Node};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kinds::{Deliverable, Environment, Shipment};
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams};
use kube::{Client, Resource, ResourceExt as _};
use serde_json::json;

use super::access::{self, MANAGER, find, patiently, refused};
use super::{Context, LEASE, Stage, named};
use crate::commands::controller::Profile;
use crate::commands::crds;
use crate::error::CliError;

/// What the user has to be able to do: verb, group and resource.
const RIGHTS: [(&str, &str, &str); 6] = [
    ("create", "", "namespaces"),
    (
        "create",
        "apiextensions.k8s.io",
        "customresourcedefinitions",
    ),
    ("create", "rbac.authorization.k8s.io", "clusterroles"),
    ("create", "rbac.authorization.k8s.io", "clusterrolebindings"),
    ("bind", "rbac.authorization.k8s.io", "clusterroles"),
    ("impersonate", "", "users"),
];
/// How many names a message lists.
const NAMED: usize = 3;

impl Stage {
    /// Makes sure that nothing of the user's is in the way. Changes nothing.
    pub(in crate::demo) async fn check(&mut self) -> Result<(), CliError> {
        self.distinct().await?;
        for index in 0..self.contexts.len() {
            let context = &self.contexts[index];
            may_all(context).await?;
            let found = leases(context).await?;
            if let Some(holder) = found.iter().find_map(alive) {
                return Err(busy(&context.name, &holder));
            }
            let leased = found
                .iter()
                .any(|lease| lease.namespace().as_deref() == Some(LEASE.0));
            let leftovers = self.names_are_free(context).await?;
            definitions_fit(context, &self.place(context)).await?;
            let others = self.of_others(context).await?;
            if !others.is_empty() {
                return Err(occupied(&context.name, &others));
            }
            self.leftovers |= leftovers;
            self.contexts[index].leased = leased;
        }
        Ok(())
    }

    /// Whether no two contexts are one cluster; its identity is the uid of `kube-system`.
    async fn distinct(&self) -> Result<(), CliError> {
        let mut known: Vec<(String, &str)> = Vec::new();
        for context in &self.contexts {
            let api: Api<Namespace> = Api::all(context.client.clone());
            let uid = match api.get_metadata_opt("kube-system").await {
                Ok(found) => found.and_then(|found| found.uid()),
                // Who may not read it is told below what is missing.
                Err(kube::Error::Api(status)) if status.code == 403 => None,
                Err(error) => return Err(unreachable(&context.name, &error)),
            };
            let Some(uid) = uid else { continue };
            if let Some((_, other)) = known.iter().find(|(known, _)| *known == uid) {
                return Err(CliError::usage(format!(
                    "the contexts `{other}` and `{}` are the same cluster",
                    context.name
                ))
                .hint("with one cluster pass one context: three namespaces of it play the environments"));
            }
            known.push((uid, &context.name));
        }
        Ok(())
    }

    /// Whether all names of the demo are free, but for what an earlier demo left; tells whether
    /// there is any such thing.
    async fn names_are_free(&self, context: &Context) -> Result<bool, CliError> {
        let mut leftovers = false;
        for object in self.own(context) {
            match find(&context.client, &object).await? {
                Some(found) if !found.marked => {
                    let name = object["metadata"]["name"].as_str().unwrap_or_default();
                    let kind = object["kind"].as_str().unwrap_or_default();
                    return Err(CliError::failed(format!(
                        "{} exists in the context `{}`, and no demo made it",
                        named(&object),
                        context.name
                    ))
                    .hint(format!(
                        "the demo needs that name; if nobody needs what is there: `kubectl delete {} {name}{}`",
                        kind.to_lowercase(), self.place(context)
                    )));
                }
                found => leftovers |= found.is_some(),
            }
        }
        for object in crds::objects(Profile::Run)?
            .into_iter()
            .chain(crds::delivery())
        {
            match find(&context.client, &object).await? {
                Some(found) if !found.marked && found.going => {
                    return Err(CliError::failed(format!(
                        "{} is being deleted in the context `{}`",
                        named(&object),
                        context.name
                    ))
                    .hint("try again when it is gone"));
                }
                found => leftovers |= found.is_some_and(|found| found.marked),
            }
        }
        Ok(leftovers)
    }

    /// What others have for a controller to do: the demo's controller would do it, as the user.
    pub(super) async fn of_others(&self, context: &Context) -> Result<Vec<String>, CliError> {
        let mut found = list::<Shipment>(context).await?;
        found.extend(list::<Deliverable>(context).await?);
        found.extend(list::<Environment>(context).await?);
        let ours: Vec<&str> = self.namespaces(context).collect();
        let others = found.into_iter().filter(|(kind, namespace, name)| {
            let place = if kind == "Environment" {
                name
            } else {
                namespace
            };
            !ours.contains(&place.as_str())
        });
        Ok(others
            .map(|(kind, namespace, name)| match namespace.as_str() {
                "" => format!("{kind} `{name}`"),
                _ => format!("{kind} `{namespace}/{name}`"),
            })
            .collect())
    }
}

/// Whether the user may do everything that the demo does.
async fn may_all(context: &Context) -> Result<(), CliError> {
    let api: Api<SelfSubjectAccessReview> = Api::all(context.client.clone());
    let mut missing = Vec::new();
    for (verb, group, resource) in RIGHTS {
        let review = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(ResourceAttributes {
                    verb: Some(verb.to_owned()),
                    group: Some(group.to_owned()),
                    resource: Some(resource.to_owned()),
                    ..ResourceAttributes::default()
                }),
                ..SelfSubjectAccessReviewSpec::default()
            },
            ..SelfSubjectAccessReview::default()
        };
        let answer = api
            .create(&PostParams::default(), &review)
            .await
            .map_err(|error| unreachable(&context.name, &error))?;
        if !answer.status.is_some_and(|status| status.allowed) {
            missing.push(format!("{verb} {resource}"));
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(CliError::failed(format!(
        "the user of the context `{}` may not {}",
        context.name,
        missing.join(", ")
    ))
    .hint("the demo needs the rights of the ClusterRole `cluster-admin`"))
}

/// The Leases of controllers, in whatever namespace.
async fn leases(context: &Context) -> Result<Vec<Lease>, CliError> {
    let api: Api<Lease> = Api::all(context.client.clone());
    let named = ListParams::default().fields(&format!("metadata.name={}", LEASE.1));
    api.list(&named)
        .await
        .map(|found| found.items)
        .map_err(|error| unreachable(&context.name, &error))
}

/// Who holds a Lease, if anybody renewed it lately.
fn alive(lease: &Lease) -> Option<String> {
    let spec = lease.spec.as_ref()?;
    let term = i64::from(spec.lease_duration_seconds.unwrap_or(0));
    let now = k8s_openapi::jiff::Timestamp::now();
    let renewed = spec.renew_time.as_ref()?;
    let holder = spec.holder_identity.clone()?;
    (!holder.is_empty() && now.duration_since(renewed.0).as_secs() < term).then_some(holder)
}

fn busy(context: &str, holder: &str) -> CliError {
    CliError::failed(format!(
        "a controller (`{holder}`) is at work in the context `{context}`"
    ))
    .hint("the demo brings its own, and two never work on one cluster: stop that one, or try another cluster")
    .hint("one that was killed counts as at work for another 15 s")
}

/// Whether the definitions that are there are ours: they are used as they are, never changed.
async fn definitions_fit(context: &Context, place: &str) -> Result<(), CliError> {
    let api: Api<CustomResourceDefinition> = Api::all(context.client.clone());
    for wanted in kinds::crd::all() {
        let name = wanted.name_any();
        let object = json!({"kind": "CustomResourceDefinition", "metadata": {"name": name}});
        let Some(there) = api
            .get_opt(&name)
            .await
            .map_err(|error| refused("look for", &object, &error))?
        else {
            continue;
        };
        if access::is_marked(&there) {
            continue;
        }
        let mut params = PatchParams::apply(MANAGER).force();
        params.dry_run = true;
        let applied = api
            .patch(&name, &params, &Patch::Apply(&wanted))
            .await
            .map_err(|error| refused("compare", &object, &error))?;
        // The API server counts a generation for each change of what is wanted.
        if applied.metadata.generation != there.metadata.generation {
            return Err(CliError::failed(format!(
                "the definition `{name}` in the context `{}` is not the one of this version of Shipway",
                context.name
            ))
            .hint(format!(
                "of another version of Shipway: install this one's with `shipway crds | kubectl apply --server-side{place} -f -`"
            ))
            .hint("of another product, such as Cartographer: try a cluster without it"));
        }
    }
    Ok(())
}

/// All objects of a kind: kind, namespace and name. A kind that is not served has none.
async fn list<K>(context: &Context) -> Result<Vec<(String, String, String)>, CliError>
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug + serde::de::DeserializeOwned,
{
    let api: Api<K> = Api::all(context.client.clone());
    let all = ListParams::default();
    match patiently(|| api.list_metadata(&all)).await {
        Ok(found) => Ok(found
            .items
            .into_iter()
            .map(|one| {
                (
                    K::kind(&()).into_owned(),
                    one.namespace().unwrap_or_default(),
                    one.name_any(),
                )
            })
            .collect()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(Vec::new()),
        Err(error) => Err(unreachable(&context.name, &error)),
    }
}

fn occupied(context: &str, others: &[String]) -> CliError {
    let some = others[..others.len().min(NAMED)].join(", ");
    let rest = others.len().saturating_sub(NAMED);
    let more = if rest == 0 {
        String::new()
    } else {
        format!(" and {rest} more")
    };
    CliError::failed(format!("in the context `{context}` there is {some}{more}")).hint(
        "the demo's controller would deliver that too, with your rights: try a cluster without",
    )
}

/// Whether Pods get healthy on a cluster: it has nodes, or is one of ours, which plays them. One where that
/// may not be asked is taken to.
pub(super) async fn runs_pods(client: &Client) -> bool {
    let nodes: Api<Node> = Api::all(client.clone());
    let found = nodes.list_metadata(&ListParams::default().limit(1)).await;
    if found.map_or(true, |found| !found.items.is_empty()) {
        return true;
    }
    let version = client.apiserver_version().await;
    version.is_ok_and(|version| version.git_version.ends_with("+shipway"))
}

fn unreachable(context: &str, error: &kube::Error) -> CliError {
    let why = match error {
        kube::Error::Api(status) => status.message.clone(),
        error => cluster::causes(error),
    };
    CliError::failed(format!(
        "could not ask the cluster of the context `{context}`: {why}"
    ))
}
