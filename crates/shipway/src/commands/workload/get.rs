//! `get`: what a supply chain has made of a Workload, as a tree.

use std::collections::BTreeSet;
use std::process::ExitCode;

use clap::Args;
use k8s_openapi::jiff::Timestamp;
use kinds::Workload;
use kinds::cartographer::condition_type;
use kinds::cartographer::owner::{CoreReference, ResourceStatus};
use kinds::condition::{self, Condition, kind};
use kube::ResourceExt as _;

use super::{named, refused, workloads};
use crate::commands::at_work;
use crate::commands::target::Target;
use crate::config::ClusterArgs;
use crate::error::CliError;
use crate::output::{
    Format, OutputArgs, age, print_text, print_whole, table_within, terminal_width,
};

/// Show what the supply chain has made of a Workload, and how it is
///
/// A tree: below each resource are those that take its outputs. `wide` shows the outputs, too, the first line
/// of each. AGE is how long the Workload is there, and how long each resource has given what it gives now.
#[derive(Debug, Args)]
pub(super) struct GetArgs {
    /// The Workload
    #[arg(value_parser = crate::commands::target::name)]
    name: String,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) async fn get(cluster: &ClusterArgs, args: &GetArgs) -> Result<ExitCode, CliError> {
    let target = Target::connect(cluster).await?;
    let workload = workloads(&target).get(&args.name).await.map_err(|error| {
        let refusal = refused(&target, &error);
        match &error {
            kube::Error::Api(status) if status.code == 404 => refusal.hint(format!(
                "{} lists the Workloads of the namespace",
                target.command("workload list")
            )),
            _ => refusal,
        }
    })?;
    let form = args.output.output;
    match form {
        Format::Json | Format::Yaml => print_whole(form, &workload)?,
        Format::Name => print_text(&format!("{}\n", named(&workload.name_any()))),
        Format::Table => print_text(&tree(&workload, false, terminal_width())),
        Format::Wide => print_text(&tree(&workload, true, None)),
    }
    if form.is_for_people() {
        at_work::tell(&target).await;
    }
    Ok(ExitCode::SUCCESS)
}

fn tree(workload: &Workload, is_wide: bool, width: Option<usize>) -> String {
    let status = workload.status.clone().unwrap_or_default();
    let ready = condition::find(&status.conditions, kind::READY);
    let created = workload.metadata.creation_timestamp.as_ref();
    let chain = status.supply_chain_ref.as_ref();
    let chain = chain.and_then(|chain| chain.name.clone());
    let healthy = condition::find(&status.conditions, condition_type::RESOURCES_HEALTHY);
    let mut rows = vec![vec![
        format!("Workload/{}", workload.name_any()),
        chain
            .map(|chain| format!("ClusterSupplyChain/{chain}"))
            .unwrap_or_default(),
        String::new(),
        state(ready),
        state(healthy),
        age(created.map(|time| time.0)),
        why(ready),
    ]];
    if is_wide {
        rows[0].insert(6, String::new());
    }
    for (branch, resource) in branches(&status.resources) {
        rows.push(row(branch, resource, is_wide));
    }
    let mut header = vec![
        "RESOURCE", "TEMPLATE", "OBJECT", "READY", "HEALTHY", "AGE", "MESSAGE",
    ];
    if is_wide {
        header.insert(6, "OUTPUTS");
    }
    table_within(&header, &rows, width)
}

fn row(branch: String, resource: &ResourceStatus, is_wide: bool) -> Vec<String> {
    let find = |kind: &str| condition::find(&resource.conditions, kind);
    let ready = find(kind::READY);
    let reference = |reference: Option<&CoreReference>| {
        let reference = reference.cloned().unwrap_or_default();
        match (reference.kind, reference.name) {
            (Some(kind), Some(name)) => format!("{kind}/{name}"),
            _ => String::new(),
        }
    };
    // Since when what it gives is as it is; where it gives nothing, since when it stands as it does.
    let outputs = resource.outputs.iter().map(|out| &out.last_transition_time);
    let since = outputs.max();
    let since = since.or_else(|| ready.map(|ready| &ready.last_transition_time));
    let since = since.and_then(|time| time.parse::<Timestamp>().ok());
    let mut row = vec![
        branch,
        reference(resource.template_ref.as_ref()),
        reference(resource.stamped_ref.as_ref()),
        state(ready),
        state(find(condition_type::HEALTHY)),
        since.map(|since| age(Some(since))).unwrap_or_default(),
    ];
    if is_wide {
        let output = |output: &kinds::cartographer::owner::Output| {
            let mut lines = output.preview.lines();
            let first = lines.next().unwrap_or_default();
            let more = if lines.next().is_some() { " …" } else { "" };
            format!("{}={first}{more}", output.name)
        };
        let outputs: Vec<String> = resource.outputs.iter().map(output).collect();
        row.push(outputs.join(", "));
    }
    row.push(why(ready));
    row
}

fn state(condition: Option<&Condition>) -> String {
    condition.map_or_else(|| "Unknown".to_owned(), |it| it.status.clone())
}

/// Why it is not as it should be.
fn why(condition: Option<&Condition>) -> String {
    match condition {
        Some(it) if it.is_true() => String::new(),
        Some(it) if it.message.is_empty() => it.reason.clone(),
        Some(it) => format!("{}: {}", it.reason, it.message),
        None => String::new(),
    }
}

/// The resources with the branches that lead to them: each below the last of those whose outputs it takes,
/// and in the order of the blueprint otherwise.
fn branches(resources: &[ResourceStatus]) -> Vec<(String, &ResourceStatus)> {
    // What has fallen out of the chain and is not deleted yet comes after a resource of its name, or alone.
    let mut names = BTreeSet::new();
    let (current, left): (Vec<&ResourceStatus>, Vec<&ResourceStatus>) = resources
        .iter()
        .partition(|resource| names.insert(&resource.name));
    let is_there = |name: &str| current.iter().any(|resource| resource.name == name);
    let parent = |resource: &ResourceStatus| {
        let mut inputs = resource.inputs.iter().map(|input| input.name.clone());
        let mut last = None;
        for input in inputs.by_ref() {
            if input != resource.name && is_there(&input) {
                last = Some(input);
            }
        }
        last
    };
    let mut shown = Vec::new();
    let mut seen = BTreeSet::new();
    below(&current, &parent, (None, ""), &mut seen, &mut shown);
    // Whatever goes round in a circle is below nobody.
    for resource in &current {
        if !seen.contains(resource.name.as_str()) {
            shown.push((format!("└─{}", resource.name), *resource));
        }
    }
    for resource in left {
        shown.push((format!("└─{} (left)", resource.name), resource));
    }
    shown
}

fn below<'a>(
    resources: &[&'a ResourceStatus],
    parent: &impl Fn(&ResourceStatus) -> Option<String>,
    (above, stem): (Option<&str>, &str),
    seen: &mut BTreeSet<&'a str>,
    shown: &mut Vec<(String, &'a ResourceStatus)>,
) {
    let children: Vec<&ResourceStatus> = resources
        .iter()
        .copied()
        .filter(|resource| parent(resource).as_deref() == above)
        .collect();
    for (index, child) in children.iter().enumerate() {
        if !seen.insert(&child.name) {
            continue;
        }
        let is_last = index + 1 == children.len();
        let (branch, more) = if is_last {
            ("└─", "  ")
        } else {
            ("├─", "│ ")
        };
        shown.push((format!("{stem}{branch}{}", child.name), child));
        let stem = format!("{stem}{more}");
        below(resources, parent, (Some(&child.name), &stem), seen, shown);
    }
}

#[cfg(test)]
mod tests {
    use kinds::cartographer::owner::Input;

    use super::*;

    fn resource(name: &str, inputs: &[&str]) -> ResourceStatus {
        let input = |name: &&str| Input {
            name: (*name).to_owned(),
        };
        ResourceStatus {
            name: name.to_owned(),
            inputs: inputs.iter().map(input).collect(),
            ..ResourceStatus::default()
        }
    }

    #[track_caller]
    fn check(resources: &[(&str, &[&str])], expected: &[&str]) {
        let resources: Vec<_> = resources
            .iter()
            .map(|(name, inputs)| resource(name, inputs))
            .collect();
        let shown: Vec<String> = branches(&resources)
            .into_iter()
            .map(|(line, _)| line)
            .collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_resource_is_below_the_last_one_that_it_takes_from() {
        check(
            &[
                ("source", &[]),
                ("test", &["source"]),
                ("image", &["test"]),
                ("scan", &["source"]),
            ],
            &["└─source", "  ├─test", "  │ └─image", "  └─scan"],
        );
        check(
            &[("b", &["a", "c"]), ("a", &[]), ("c", &[])],
            &["├─a", "└─c", "  └─b"],
        );
    }

    #[test]
    fn what_goes_round_and_what_is_gone_is_shown_all_the_same() {
        check(&[("a", &["b"]), ("b", &["a"])], &["└─a", "└─b"]);
        check(&[("a", &["gone"])], &["└─a"]);
        check(
            &[("a", &[]), ("b", &["a"]), ("a", &[])],
            &["└─a", "  └─b", "└─a (left)"],
        );
    }
}
