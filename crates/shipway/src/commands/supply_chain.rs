//! `shipway supply-chain`: what a cluster offers to Workloads, and tests of what it may offer.

mod test;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use kinds::cartographer::blueprint::{Resource, TemplateReference};
use kinds::cartographer::condition_type;
use kinds::cartographer::selector::OwnerSelector;
use kinds::condition::{self, Condition, kind};
use kinds::{Blueprint as _, ClusterSupplyChain};
use kube::ResourceExt as _;
use kube::api::{Api, ListParams};
use serde_json::json;

use super::target::Target;
use crate::config::ClusterArgs;
use crate::error::CliError;
use crate::output::{
    Format, OutputArgs, age, lines, note, print_text, print_whole, table, table_within,
    terminal_width,
};

/// Show the supply chains that a cluster offers, and test your own
#[derive(Debug, Args)]
pub(crate) struct SupplyChainArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show a supply chain: which Workloads it is for, and what they get
    Get {
        /// The supply chain
        #[arg(value_parser = super::target::name)]
        name: String,
        #[command(flatten)]
        output: OutputArgs,
    },
    /// List the supply chains: which Workloads they are for, and whether they are ready
    List {
        #[command(flatten)]
        output: OutputArgs,
    },
    Test(test::TestArgs),
}

impl SupplyChainArgs {
    /// Whether no cluster is asked.
    pub(crate) fn is_offline(&self) -> bool {
        matches!(self.command, Command::Test(_))
    }
}

pub(crate) async fn cmd_supply_chain(
    cluster: &ClusterArgs,
    args: &SupplyChainArgs,
) -> Result<ExitCode, CliError> {
    match &args.command {
        Command::Get { name, output } => {
            let chain = read(&Target::connect(cluster).await?, name).await?;
            get(&chain, output.output)?;
        }
        Command::List { output } => {
            let target = Target::connect(cluster).await?;
            let found = chains(&target).list(&ListParams::default()).await;
            let found = found.map_err(|error| refused(&target, &error))?;
            list(&found.items, output.output)?;
        }
        Command::Test(args) => return test::test(args).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn read(target: &Target, name: &str) -> Result<ClusterSupplyChain, CliError> {
    chains(target).get(name).await.map_err(|error| {
        let refusal = refused(target, &error);
        match &error {
            kube::Error::Api(status) if status.code == 404 => refusal.hint(format!(
                "{} lists those that are there",
                target.command("supply-chain list")
            )),
            _ => refusal,
        }
    })
}

fn chains(target: &Target) -> Api<ClusterSupplyChain> {
    Api::all(target.client.clone())
}

fn refused(target: &Target, error: &kube::Error) -> CliError {
    target.refused_of("supply chains", error)
}

fn list(chains: &[ClusterSupplyChain], form: Format) -> Result<(), CliError> {
    match form {
        Format::Json | Format::Yaml => {
            let list = json!({"apiVersion": "v1", "kind": "List", "items": chains});
            print_whole(form, &list)?;
        }
        Format::Name => print_text(&lines(chains.iter().map(|chain| named(chain.name())))),
        Format::Table | Format::Wide if chains.is_empty() => note("No supply chains"),
        Format::Table | Format::Wide => {
            let rows: Vec<Vec<String>> = chains
                .iter()
                .map(|chain| {
                    let (ready, why) = standing(chain);
                    let created = chain.metadata.creation_timestamp.as_ref();
                    vec![
                        chain.name_any(),
                        ready,
                        age(created.map(|time| time.0)),
                        selector(&chain.blueprint().selector).join(" and "),
                        why,
                    ]
                })
                .collect();
            let header = ["NAME", "READY", "AGE", "WORKLOADS", "MESSAGE"];
            let width = terminal_width().filter(|_| form == Format::Table);
            print_text(&table_within(&header, &rows, width));
        }
    }
    Ok(())
}

fn get(chain: &ClusterSupplyChain, form: Format) -> Result<(), CliError> {
    match form {
        Format::Json | Format::Yaml => return print_whole(form, chain),
        Format::Name => {
            print_text(&format!("{}\n", named(chain.name())));
            return Ok(());
        }
        Format::Table | Format::Wide => {}
    }
    let (ready, why) = standing(chain);
    let mut head = vec![
        vec!["Name:".to_owned(), chain.name_any()],
        vec!["Ready:".to_owned(), ready],
    ];
    if !why.is_empty() {
        head.push(vec!["Message:".to_owned(), why]);
    }
    let wanted = selector(&chain.blueprint().selector);
    for (index, line) in wanted.into_iter().enumerate() {
        let title = if index == 0 { "Workloads:" } else { "" };
        head.push(vec![title.to_owned(), line]);
    }
    if let Some(account) = &chain.blueprint().service_account_ref {
        let account = match &account.namespace {
            Some(namespace) => format!("{namespace}/{}", account.name),
            None => account.name.clone(),
        };
        head.push(vec!["Account:".to_owned(), account]);
    }
    let head = table(&["", ""], &head);
    print_text(head.strip_prefix('\n').unwrap_or(&head));
    let rows: Vec<Vec<String>> = chain.blueprint().resources.iter().map(row).collect();
    let header = ["RESOURCE", "TEMPLATE", "TAKES FROM", "PARAMS"];
    print_text(&format!("\n{}", table(&header, &rows)));
    Ok(())
}

fn row(resource: &Resource) -> Vec<String> {
    let from: Vec<&str> = resource.producers().collect();
    let params = resource.params.iter().map(|param| param.name.as_str());
    vec![
        resource.name.clone(),
        template(&resource.template_ref),
        from.join(", "),
        params.collect::<Vec<_>>().join(", "),
    ]
}

fn template(reference: &TemplateReference) -> String {
    let kind = reference.kind.as_str();
    if let Some(name) = &reference.name {
        return format!("{kind}/{name}");
    }
    let options: Vec<String> = reference
        .options
        .iter()
        .map(|option| match (&option.name, &option.pass_through) {
            (Some(name), _) => name.clone(),
            (None, Some(input)) => format!("pass {input} on"),
            (None, None) => String::new(),
        })
        .collect();
    format!("{kind}/({})", options.join(" or "))
}

/// What a Workload has to be for a supply chain.
fn selector(selector: &OwnerSelector) -> Vec<String> {
    let labels = selector.selector.iter();
    let labels = labels.map(|(key, value)| format!("{key}={value}"));
    let said = |key: &str, operator: &str, values: &[String]| {
        let values = values.join(", ");
        match operator {
            "Exists" => format!("{key} exists"),
            "DoesNotExist" => format!("{key} does not exist"),
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} not in ({values})"),
            other => format!("{key} {other} ({values})"),
        }
    };
    let expressions = selector.selector_match_expressions.iter();
    let expressions = expressions.map(|it| said(&it.key, &it.operator, &it.values));
    let fields = selector.selector_match_fields.iter();
    let fields = fields.map(|it| said(&it.key, &it.operator, &it.values));
    labels.chain(expressions).chain(fields).collect()
}

/// Whether it is ready, and what is wrong with it.
fn standing(chain: &ClusterSupplyChain) -> (String, String) {
    let conditions = chain.standing().map(|status| status.conditions.clone());
    let conditions = conditions.unwrap_or_default();
    let ready = condition::find(&conditions, kind::READY);
    let invalid = condition::find(&conditions, condition_type::VALID);
    let wrong = ready.filter(|ready| !ready.is_true()).or(invalid);
    let say = |it: &Condition| format!("{}: {}", it.reason, it.message);
    (
        ready.map_or_else(|| "Unknown".to_owned(), |ready| ready.status.clone()),
        wrong.map(say).unwrap_or_default(),
    )
}

fn named(name: &str) -> String {
    format!("clustersupplychain.carto.run/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_is_said_in_words() {
        let spec: OwnerSelector = serde_json::from_value(json!({
            "selector": {"type": "web"},
            "selectorMatchExpressions": [
                {"key": "tier", "operator": "In", "values": ["a", "b"]}, {"key": "old", "operator": "DoesNotExist"},
            ],
            "selectorMatchFields": [{"key": "spec.image", "operator": "Exists"}],
        }))
        .expect("a selector");
        assert_eq!(
            selector(&spec),
            [
                "type=web",
                "tier in (a, b)",
                "old does not exist",
                "spec.image exists"
            ]
        );
    }

    #[test]
    fn a_template_is_one_or_one_of_several() {
        let said = |reference: serde_json::Value| {
            template(&serde_json::from_value(reference).expect("a reference"))
        };
        assert_eq!(
            said(json!({"kind": "ClusterImageTemplate", "name": "kpack"})),
            "ClusterImageTemplate/kpack"
        );
        let options =
            json!([{"name": "kpack", "selector": {}}, {"passThrough": "image", "selector": {}}]);
        assert_eq!(
            said(json!({"kind": "ClusterImageTemplate", "options": options})),
            "ClusterImageTemplate/(kpack or pass image on)"
        );
    }
}
