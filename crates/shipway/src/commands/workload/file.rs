//! A file that describes a Workload.

use std::io::Read as _;
use std::path::Path;

use kinds::Workload;
use kube::Resource as _;
use manifest::Document;

use crate::commands::strict;
use crate::error::CliError;

/// One byte more than a file may have, so that a larger one is refused and not cut off.
const TOO_LARGE: u64 = manifest::MAX_FILE_BYTES as u64 + 1;

/// Reads the one Workload of a file, or of standard input where its name is `-`.
pub(super) fn read(path: &Path) -> Result<Workload, CliError> {
    let name = path.display().to_string();
    let unread = |why: std::io::Error| CliError::failed(format!("could not read `{name}`: {why}"));
    let mut bytes = Vec::new();
    if name == "-" {
        let input = std::io::stdin().lock();
        input.take(TOO_LARGE).read_to_end(&mut bytes)
    } else {
        let file = std::fs::File::open(path).map_err(unread)?;
        file.take(TOO_LARGE).read_to_end(&mut bytes)
    }
    .map_err(unread)?;
    let documents = manifest::parse_documents(&name, &bytes).map_err(|problems| {
        let why: Vec<String> = problems.iter().map(ToString::to_string).collect();
        CliError::failed(why.join("\n"))
    })?;
    let group = |document: &Document| {
        let version = document.value["apiVersion"].as_str()?.split_once('/')?;
        Some(version.0 == "carto.run")
    };
    let mut workloads = documents
        .into_iter()
        .filter(|document| document.value["kind"] == "Workload" && group(document) == Some(true));
    match (workloads.next(), workloads.next()) {
        (Some(Document { line, value }), None) => {
            let version = Workload::api_version(&());
            if value["apiVersion"] != *version {
                let theirs = &value["apiVersion"];
                return Err(CliError::failed(format!(
                    "`{name}`, line {line}: a Workload of {theirs} is not known"
                ))
                .hint(format!("apiVersion is {version}")));
            }
            strict::typed(value)
                .map_err(|why| CliError::failed(format!("`{name}`, line {line}: {why}")))
        }
        (None, _) => Err(CliError::failed(format!("`{name}` has no Workload"))),
        (Some(_), Some(_)) => Err(CliError::failed(format!("`{name}` has several Workloads"))
            .hint("`kubectl apply -f` takes them all")),
    }
}
