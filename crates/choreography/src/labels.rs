//! The labels that stamped objects carry, and by which they are found again.

use std::collections::BTreeMap;

use kinds::TemplateKind;
use kinds::cartographer::label;
use kinds::cartographer::template::Lifecycle;

use crate::owner::{Owner, OwnerKind};

/// Labels by their keys.
pub type Labels = BTreeMap<String, String>;

/// What an object is stamped from and for.
#[derive(Clone, Copy, Debug)]
pub struct Stamping<'a> {
    /// The blueprint's name.
    pub blueprint: &'a str,
    /// The resource's name.
    pub resource: &'a str,
    /// The template's kind.
    pub template_kind: TemplateKind,
    /// The template's name as the blueprint has it: none where it was chosen among options.
    pub template_name: Option<&'a str>,
    /// The template's lifecycle.
    pub lifecycle: Lifecycle,
}

impl Stamping<'_> {
    /// The labels of an owner's object.
    pub fn labels(&self, owner: &Owner) -> Labels {
        let (name, namespace, blueprint) = match owner.kind() {
            OwnerKind::Deliverable => (
                label::DELIVERABLE_NAME,
                label::DELIVERABLE_NAMESPACE,
                label::DELIVERY_NAME,
            ),
            OwnerKind::Workload | OwnerKind::Runnable => (
                label::WORKLOAD_NAME,
                label::WORKLOAD_NAMESPACE,
                label::SUPPLY_CHAIN_NAME,
            ),
        };
        labels([
            (name, owner.name()),
            (namespace, owner.namespace()),
            (blueprint, self.blueprint),
            (label::RESOURCE_NAME, self.resource),
            (label::TEMPLATE_KIND, self.template_kind.as_str()),
            (
                label::CLUSTER_TEMPLATE_NAME,
                self.template_name.unwrap_or_default(),
            ),
            (label::TEMPLATE_LIFECYCLE, self.lifecycle.as_str()),
        ])
    }
}

/// The labels of a Runnable's object.
pub fn of_run(runnable: &Owner, run_template: &str) -> Labels {
    labels([
        (label::RUNNABLE_NAME, runnable.name()),
        (label::RUN_TEMPLATE_NAME, run_template),
    ])
}

fn labels<const N: usize>(entries: [(&str, &str); N]) -> Labels {
    entries
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn owner(kind: OwnerKind) -> Owner {
        let object = json!({"metadata": {"name": "shop", "namespace": "dev"}});
        Owner::new(kind, object)
    }

    fn shown(labels: &Labels) -> String {
        let lines: Vec<_> = labels
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        lines.join("\n")
    }

    const STAMPING: Stamping<'_> = Stamping {
        blueprint: "chain",
        resource: "source",
        template_kind: TemplateKind::ClusterSourceTemplate,
        template_name: Some("git"),
        lifecycle: Lifecycle::Mutable,
    };

    #[test]
    fn an_object_of_a_workload_carries_seven() {
        let labels = STAMPING.labels(&owner(OwnerKind::Workload));
        assert_eq!(
            shown(&labels),
            "carto.run/cluster-template-name=git\n\
             carto.run/resource-name=source\n\
             carto.run/supply-chain-name=chain\n\
             carto.run/template-kind=ClusterSourceTemplate\n\
             carto.run/template-lifecycle=mutable\n\
             carto.run/workload-name=shop\n\
             carto.run/workload-namespace=dev"
        );
    }

    #[test]
    fn an_object_of_a_deliverable_names_its_delivery() {
        let chosen = Stamping {
            template_name: None,
            lifecycle: Lifecycle::Tekton,
            ..STAMPING
        };
        let labels = chosen.labels(&owner(OwnerKind::Deliverable));
        assert_eq!(
            shown(&labels),
            "carto.run/cluster-template-name=\n\
             carto.run/deliverable-name=shop\n\
             carto.run/deliverable-namespace=dev\n\
             carto.run/delivery-name=chain\n\
             carto.run/resource-name=source\n\
             carto.run/template-kind=ClusterSourceTemplate\n\
             carto.run/template-lifecycle=tekton"
        );
    }

    #[test]
    fn an_object_of_a_runnable_carries_two() {
        let labels = of_run(&owner(OwnerKind::Runnable), "tests");
        let expected = "carto.run/run-template-name=tests\ncarto.run/runnable-name=shop";
        assert_eq!(shown(&labels), expected);
    }
}
