//! `shipway crds`: what has to be installed before the controller can work.

use std::process::ExitCode;

use clap::Args;
use serde_json::Value;

use super::controller::Profile;
use crate::error::CliError;
use crate::output::print_text;

/// Print the CustomResourceDefinitions and the ClusterRole to install
///
/// Apply them with `shipway crds | kubectl apply --server-side -f -`, then the delivery with
/// `shipway crds --delivery | kubectl apply --server-side -f -`: kubectl takes no object whose kind it brings itself.
#[derive(Debug, Args)]
pub(crate) struct CrdsArgs {
    /// Print what this kind of cluster needs
    #[arg(long, value_enum, default_value_t = Profile::Run)]
    profile: Profile,
    /// Print the delivery `delivery-basic` instead, which makes a Shipment of each Deliverable of the type `web`
    #[arg(long, conflicts_with = "profile")]
    delivery: bool,
}

/// The delivery of a Run cluster and its template, as anybody could write them.
const DELIVERY: &str = include_str!("../../../../deploy/delivery-basic.yaml");

pub(crate) fn cmd_crds(args: &CrdsArgs) -> Result<ExitCode, CliError> {
    if args.delivery {
        print_text(DELIVERY);
        return Ok(ExitCode::SUCCESS);
    }
    print_text(&text(args.profile)?);
    Ok(ExitCode::SUCCESS)
}

fn text(profile: Profile) -> Result<String, CliError> {
    let documents = objects(profile)?
        .into_iter()
        .map(|object| format!("---\n{}", manifest::to_yaml(&object)));
    Ok(documents.collect())
}

/// The delivery of a Run cluster and its template, to be applied once their kinds are served.
pub(crate) fn delivery() -> Vec<Value> {
    let delivery = manifest::parse_file("delivery-basic.yaml", DELIVERY.as_bytes());
    let delivery = delivery.expect("the file is part of the program");
    delivery
        .into_iter()
        .map(manifest::Manifest::into_value)
        .collect()
}

/// The definitions and roles of a cluster, in the order in which they are applied.
pub(crate) fn objects(profile: Profile) -> Result<Vec<Value>, CliError> {
    let mut objects = Vec::new();
    for crd in kinds::crd::of(profile.into()) {
        objects.push(serde_json::to_value(crd).map_err(CliError::failed)?);
    }
    objects.extend(kinds::role::all(profile.into()));
    Ok(objects)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_committed_file_is_what_the_command_prints() {
        let printed = text(Profile::Run).expect("the objects are plain data");
        let committed = include_str!("../../../../deploy/crds.yaml");
        assert!(
            printed == committed,
            "deploy/crds.yaml is out of date: run `cargo xtask gen`"
        );
    }

    /// What the delivery makes of a Deliverable: labels, name and spec of the Shipment, or what the error says.
    fn stamped(deliverable: &Value) -> Result<Value, String> {
        let template = delivery().remove(1);
        let mut params = serde_json::Map::new();
        for param in deliverable["spec"]["params"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let name = param["name"].as_str().expect("a param has a name");
            params.insert(name.to_owned(), param["value"].clone());
        }
        let data = json!({"deliverable": deliverable, "params": params});
        let request = ytt::Request {
            name: "ClusterTemplate/delivery-basic spec.ytt".to_owned(),
            template: template["spec"]["ytt"]
                .as_str()
                .expect("it is ytt")
                .to_owned(),
            data: data.as_object().expect("it is an object").clone(),
            comments: ytt::Comments::default(),
        };
        match request.answer(&ytt::Limits::default(), |_| false) {
            ytt::Answer::Object(shipment) => Ok(shipment),
            ytt::Answer::Refused(error) => Err(error.to_string()),
        }
    }

    fn deliverable(spec: &Value) -> Value {
        json!({
            "apiVersion": "carto.run/v1alpha1", "kind": "Deliverable",
            "metadata": {
                "name": "web", "namespace": "shop",
                "labels": {
                    "app.tanzu.vmware.com/deliverable-type": "web", "app": "shop", "shipway.run/owner": "root",
                    "kapp.k14s.io/app": "1", "carto.run/workload-name": "web",
                },
            },
            "spec": spec,
        })
    }

    #[track_caller]
    fn check(spec: &Value, expected: &Value) {
        let shipment = stamped(&deliverable(spec)).expect("it can be stamped");
        assert_eq!(shipment["spec"], *expected);
    }

    #[track_caller]
    fn check_refused(spec: &Value, why: &str) {
        let refused = stamped(&deliverable(spec)).expect_err("it cannot be stamped");
        assert!(refused.contains(why), "{refused}");
    }

    #[test]
    fn a_shipment_has_source_path_and_account_of_its_deliverable() {
        check(
            &json!({
                "source": {"git": {"url": "https://git.example/x", "ref": {"branch": "main"}}, "subPath": "config"},
                "serviceAccountName": "robot",
            }),
            &json!({
                "path": "config", "serviceAccountName": "robot",
                "source": {"git": {"ref": {"branch": "main"}, "url": "https://git.example/x"}},
            }),
        );
        check(
            &json!({"source": {"git": {"url": "https://git.example/x"}}, "params": [
                {"name": "gitops_ssh_secret", "value": "git"}, {"name": "gitops_sub_path", "value": "a/b"},
            ]}),
            &json!({
                "path": "a/b", "serviceAccountName": "default",
                "source": {"git": {"secretRef": {"name": "git"}, "url": "https://git.example/x"}},
            }),
        );
    }

    #[test]
    fn the_param_delivery_is_laid_over_the_spec() {
        check(
            &json!({"source": {"git": {"url": "https://git.example/x", "ref": {"branch": "main"}}}, "params": [
                {"name": "source_credentials_secret", "value": "git"},
                {"name": "delivery", "value": {
                    "suspend": true, "dependsOn": [{"name": "db"}], "source": {"git": {"ref": {"commit": "c"}}},
                }},
            ]}),
            &json!({
                "dependsOn": [{"name": "db"}], "serviceAccountName": "default", "suspend": true,
                "source": {"git": {
                    "ref": {"branch": "main", "commit": "c"}, "secretRef": {"name": "git"},
                    "url": "https://git.example/x",
                }},
            }),
        );
    }

    #[test]
    fn labels_say_what_a_deliverable_is_and_not_whose() {
        let source = json!({"source": {"git": {"url": "https://git.example/x"}}});
        let shipment = stamped(&deliverable(&source)).expect("it can be stamped");
        assert_eq!(
            shipment["metadata"],
            json!({"name": "web", "labels": {
                "app": "shop", "app.kubernetes.io/component": "deploy",
                "app.tanzu.vmware.com/deliverable-type": "web",
            }})
        );
    }

    #[test]
    fn what_cannot_be_stamped_is_named() {
        let git = json!({"git": {"url": "https://git.example/x"}});
        let with = |name: &str, value: Value| json!({"source": git, "params": [{"name": name, "value": value}]});
        let image = json!({"source": {"image": "registry.example/x:1"}});
        check_refused(
            &image,
            "`spec.source.image`: image sources are not supported yet",
        );
        check_refused(&json!({}), "`spec.source.git.url` is missing");
        check_refused(
            &with("delivery", json!({"sync": 1})),
            "the param `delivery` has `spec.sync`, which a Shipment does not have",
        );
        check_refused(
            &with("delivery", json!({"source": {"git": {"branch": "main"}}})),
            "`spec.source.git.branch`, which a Shipment does not have",
        );
        check_refused(&with("delivery", json!("a")), "`spec` is not an object");
        check_refused(
            &with("gitops_sub_path", json!(["a"])),
            "`gitops_sub_path` is not a text",
        );
    }
}
