//! The files of a case: what is in them, and that it is what it has to be.

use std::io::Read as _;

use choreography::admission::Checked as _;
use choreography::owner::{Owner, OwnerKind};
use controllers::ytt::Request;
use kinds::{
    ClusterConfigTemplate, ClusterImageTemplate, ClusterSourceTemplate, ClusterSupplyChain,
    ClusterTemplate, Template, Workload,
};
use manifest::Document;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::case::{Case, Named, TemplateFile};
use super::with::Chain;
use super::wrong::Wrong;
use crate::commands::strict;
use crate::ytt::Workers;

/// The kinds of templates that a supply chain has.
const TEMPLATES: [&str; 4] = [
    "ClusterSourceTemplate",
    "ClusterImageTemplate",
    "ClusterConfigTemplate",
    "ClusterTemplate",
];

/// The object that is expected.
pub(super) fn expected(case: &Case) -> Result<Value, Wrong> {
    let file = needed(case.expected.as_ref(), "expected.yaml", "expected")?;
    let object = only(file)?;
    if !object.is_object() {
        return Err(Wrong::new(format!(
            "`{}` has no object",
            file.path.display()
        )));
    }
    Ok(object)
}

/// The Workload, as a cluster would give it out.
pub(super) fn workload(case: &Case) -> Result<Owner, Wrong> {
    let file = needed(case.workload.as_ref(), "workload.yaml", "given.workload")?;
    let documents = of_kinds(documents(file)?, &["Workload"]);
    let [document] = exactly_one(documents, file, "Workload")?;
    let workload: Workload = typed(file, document)?;
    let object = serde_json::to_value(&workload).expect("an object is plain data");
    Ok(Owner::new(OwnerKind::Workload, object))
}

/// The templates among which the case's one is.
pub(super) async fn templates(
    given: &TemplateFile,
    workers: &Workers,
) -> Result<Vec<Template>, Wrong> {
    let file = needed(given.file.as_ref(), "template.yaml", "given.template.path")?;
    let path = file.path.display();
    let documents = preprocessed(file, given.values.as_ref(), workers).await?;
    let mut templates = Vec::new();
    for document in of_kinds(documents, &TEMPLATES) {
        templates.push(template(file, document)?);
    }
    if let Some(name) = &given.name {
        templates.retain(|template| template.name() == name);
        if templates.is_empty() {
            return Err(Wrong::new(format!("`{path}` has no template `{name}`")));
        }
    }
    if templates.is_empty() {
        return Err(Wrong::new(format!("`{path}` has no template"))
            .hint(format!("the kinds are {}", TEMPLATES.join(", "))));
    }
    Ok(templates)
}

/// The supply chains among which the Workload's one is.
pub(super) async fn chains(
    given: &Chain,
    workers: &Workers,
) -> Result<Vec<ClusterSupplyChain>, Wrong> {
    let mut chains = Vec::new();
    for named in &given.paths {
        let mut has_any = false;
        for file in files(named)? {
            let documents = preprocessed(&file, given.values.as_ref(), workers).await?;
            for document in of_kinds(documents, &["ClusterSupplyChain"]) {
                let chain: ClusterSupplyChain = typed(&file, document)?;
                let path = file.path.display();
                chain
                    .check()
                    .map_err(|why| Wrong::new(format!("`{path}`: {why}")))?;
                chains.push(chain);
                has_any = true;
            }
        }
        if !has_any {
            let path = named.path.display();
            return Err(Wrong::new(format!("`{path}` has no ClusterSupplyChain")));
        }
    }
    if chains.is_empty() {
        return Err(Wrong::new("there is no supply chain").hint(
            "put one into a file whose name begins with supply-chain, or name it under given.supplyChain.paths",
        ));
    }
    Ok(chains)
}

/// The one document of a file; `null` where it is empty.
pub(super) fn only(file: &Named) -> Result<Value, Wrong> {
    let mut documents = documents(file)?;
    if documents.len() > 1 {
        let path = file.path.display();
        return Err(Wrong::new(format!(
            "`{path}` has several documents, and one is read"
        )));
    }
    Ok(documents.pop().map(|one| one.value).unwrap_or_default())
}

fn needed<'f>(file: Option<&'f Named>, name: &str, key: &str) -> Result<&'f Named, Wrong> {
    file.ok_or_else(|| {
        Wrong::new(format!("there is no {name}, and no info.yaml names another file as {key}"))
            .hint("what counts is in the case's folder, or above it as far as the folder that the command names")
    })
}

/// The files of a folder, those in folders below left out, or the one file.
fn files(named: &Named) -> Result<Vec<Named>, Wrong> {
    if !named.path.is_dir() {
        return Ok(vec![named.clone()]);
    }
    let entries = std::fs::read_dir(&named.path).map_err(|why| unread(named, &why))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|why| unread(named, &why))?.path();
        let end = path.extension().and_then(|end| end.to_str());
        if path.is_file() && matches!(end, Some("yaml" | "yml" | "json")) {
            let by = named.by.clone();
            files.push(Named { path, by });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// The documents of a file, which is a ytt template where there are data values for it.
async fn preprocessed(
    file: &Named,
    values: Option<&Named>,
    workers: &Workers,
) -> Result<Vec<Document>, Wrong> {
    let Some(values) = values else {
        return documents(file);
    };
    let name = values.path.display().to_string();
    let data = ytt::values(&name, &text(values)?, &ytt::Limits::default())
        .map_err(|why| Wrong::new(why.to_string()).hint("docs/ytt.md says what is known of ytt"))?;
    let request = Request {
        name: &file.path.display().to_string(),
        template: &text(file)?,
        data: &data,
    };
    let object = workers.preprocess(request).await;
    let value = object.map_err(|refusal| {
        Wrong::new(refusal.why).hint(format!("its data values are those of `{name}`"))
    })?;
    Ok(vec![Document { line: 1, value }])
}

fn documents(file: &Named) -> Result<Vec<Document>, Wrong> {
    let path = file.path.display().to_string();
    let documents = manifest::parse_documents(&path, &bytes(file)?).map_err(|problems| {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Wrong::new(problems.join("; "))
    })?;
    let documents = documents.into_iter();
    Ok(documents
        .filter(|document| !document.value.is_null())
        .collect())
}

fn text(file: &Named) -> Result<String, Wrong> {
    String::from_utf8(bytes(file)?).map_err(|_| {
        let path = file.path.display();
        Wrong::new(format!("`{path}` is not UTF-8 text"))
    })
}

fn bytes(file: &Named) -> Result<Vec<u8>, Wrong> {
    // One byte more, so that what reads the file sees that it is too long.
    let most = manifest::MAX_FILE_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    // What is no file may never end, or never begin.
    let meta = std::fs::metadata(&file.path).map_err(|why| unread(file, &why))?;
    if !meta.is_file() {
        return Err(unread(file, &std::io::Error::other("it is no file")));
    }
    std::fs::File::open(&file.path)
        .and_then(|open| open.take(most).read_to_end(&mut bytes))
        .map_err(|why| unread(file, &why))?;
    Ok(bytes)
}

fn unread(file: &Named, why: &std::io::Error) -> Wrong {
    let by = file.by.as_ref().map(|by| format!("{by}: "));
    let (by, path) = (by.unwrap_or_default(), file.path.display());
    let wrong = Wrong::new(format!("{by}could not read `{path}`: {why}"));
    if file.by.is_some() {
        return wrong.hint("a path is relative to the folder of its info.yaml");
    }
    wrong
}

fn of_kinds(documents: Vec<Document>, kinds: &[&str]) -> Vec<Document> {
    let documents = documents.into_iter();
    documents
        .filter(|document| {
            let kind = document.value.get("kind").and_then(Value::as_str);
            kind.is_some_and(|kind| kinds.contains(&kind))
        })
        .collect()
}

fn exactly_one(documents: Vec<Document>, file: &Named, kind: &str) -> Result<[Document; 1], Wrong> {
    documents.try_into().map_err(|found: Vec<Document>| {
        let how_many = if found.is_empty() {
            "no"
        } else {
            "more than one"
        };
        Wrong::new(format!("`{}` has {how_many} {kind}", file.path.display()))
    })
}

fn template(file: &Named, document: Document) -> Result<Template, Wrong> {
    let kind = document.value["kind"].as_str().unwrap_or_default();
    Ok(match kind {
        "ClusterSourceTemplate" => typed::<ClusterSourceTemplate>(file, document)?.into(),
        "ClusterImageTemplate" => typed::<ClusterImageTemplate>(file, document)?.into(),
        "ClusterConfigTemplate" => typed::<ClusterConfigTemplate>(file, document)?.into(),
        _ => typed::<ClusterTemplate>(file, document)?.into(),
    })
}

fn typed<K: DeserializeOwned>(file: &Named, document: Document) -> Result<K, Wrong> {
    let Document { line, value } = document;
    strict::typed(value).map_err(|why| {
        let path = file.path.display();
        Wrong::new(format!("`{path}`, line {line}: {why}"))
    })
}
