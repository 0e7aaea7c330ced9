//! What is to be measured, and how much of it.

use std::path::PathBuf;

use crate::Outcome;
use crate::scenario::Scenario;

pub(crate) const USAGE: &str = "\
usage: bench [--quick] [--write FILE] [scenario…]

  --quick        a tenth of the Shipments, Workloads and samples, 1 minute instead of 10
  --write FILE   write the numbers as Markdown
  scenario       idle, push, drift, chains, install, steady, monorepo, restart, server; all of them by
                 default";

/// The command line.
#[derive(Debug, Default)]
pub(crate) struct Args {
    /// Whether less is measured.
    pub(crate) quick: bool,
    /// Where the page is written.
    pub(crate) write: Option<PathBuf>,
    /// Which scenarios run; all when empty.
    scenarios: Vec<Scenario>,
}

impl Args {
    /// Whether a scenario runs.
    pub(crate) fn wants(&self, scenario: Scenario) -> bool {
        self.scenarios.is_empty() || self.scenarios.contains(&scenario)
    }

    /// The scenarios that were named; none where all run.
    pub(crate) fn named(&self) -> Vec<&'static str> {
        self.scenarios.iter().map(|it| it.name()).collect()
    }

    /// How many Shipments the large scenarios have.
    pub(crate) fn shipments(&self) -> usize {
        if self.quick { 100 } else { 1000 }
    }

    /// How often a latency is measured.
    pub(crate) fn samples(&self) -> usize {
        if self.quick { 30 } else { 300 }
    }

    /// How many objects an API server has when it is started again.
    pub(crate) fn objects(&self) -> usize {
        if self.quick { 5_000 } else { 50_000 }
    }

    /// How long nothing is changed.
    pub(crate) fn minutes(&self) -> u64 {
        if self.quick { 1 } else { 10 }
    }
}

/// Reads the command line.
pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Outcome<Args> {
    let mut args = Args::default();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--quick" => args.quick = true,
            "--write" => {
                args.write = Some(words.next().ok_or("`--write` needs a file")?.into());
            }
            name => {
                let scenario = Scenario::ALL
                    .into_iter()
                    .find(|scenario| scenario.name() == name);
                args.scenarios
                    .push(scenario.ok_or_else(|| format!("there is no scenario `{name}`"))?);
            }
        }
    }
    Ok(args)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Outcome<Args> {
        parse(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn without_names_everything_is_measured() {
        let args = words("--quick").expect("it is a right command line");
        assert!(args.quick && Scenario::ALL.into_iter().all(|one| args.wants(one)));
        let args = words("drift --write x.md").expect("it is a right command line");
        assert!(args.wants(Scenario::Drift) && !args.wants(Scenario::Push));
        assert_eq!(args.write, Some("x.md".into()));
    }

    #[test]
    fn what_is_not_known_is_named() {
        assert_eq!(
            words("steadily").map(drop),
            Err("there is no scenario `steadily`".to_owned())
        );
    }
}
