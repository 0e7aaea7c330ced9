//! Adds contexts of our own to the kubeconfig of the user, as other tools that run clusters do. As with
//! kubectl, which rewrites the file too, its comments are lost.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::error::CliError;

/// Whether contexts of these names can be added to the user's kubeconfig, so that whoever asks for it is
/// refused before anything is made.
pub(crate) fn check_merge(file: &Path, names: &[String]) -> Result<(), CliError> {
    let contexts: Vec<Value> = names.iter().map(|name| json!({"name": name})).collect();
    let user = read(file)?;
    merged(user, &json!({"contexts": contexts}))
        .map(drop)
        .map_err(|why| refused(file, &why))
}

/// Adds what a kubeconfig of ours holds to the user's, and tells which file that is. A context of the
/// same name is replaced where it is ours, and refused where it is not.
pub(crate) fn merge_into(file: &Path, ours: &Value) -> Result<PathBuf, CliError> {
    // What a link stands for is written, not the link.
    let file = std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let merged = merged(read(&file)?, ours).map_err(|why| refused(&file, &why))?;
    if let Some(folder) = file.parent() {
        let made = std::fs::create_dir_all(folder);
        made.map_err(|error| failed("make the folder of", &file, &error))?;
    }
    // In one step: nobody reads half of it, and a full disk costs nothing.
    let fresh = file.with_extension("shipway-new");
    super::write_private(&fresh, &manifest::to_yaml(&merged))?;
    std::fs::rename(&fresh, &file)
        .map_err(|error| failed("write the kubeconfig", &file, &error))?;
    Ok(file)
}

fn failed(what: &str, file: &Path, error: &dyn std::fmt::Display) -> CliError {
    CliError::failed(format!("could not {what} `{}`: {error}", file.display()))
}

fn refused(file: &Path, why: &str) -> CliError {
    failed("add contexts to", file, &why).hint("choose other names with --clusters")
}

/// The user's kubeconfig; an empty one where there is none.
fn read(file: &Path) -> Result<Value, CliError> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(failed("read the kubeconfig", file, &error)),
    };
    if text.trim().is_empty() {
        return Ok(json!({}));
    }
    // Its lines hold tokens: of what is wrong with them only the place is told.
    serde_saphyr::from_str(&text).map_err(|error: serde_saphyr::Error| {
        let line = error.location().map(|at| at.line());
        failed("read the kubeconfig", file, &super::no_yaml(line))
    })
}

/// Both in one; the user's own parts stay as they are and where they are.
fn merged(mut user: Value, ours: &Value) -> Result<Value, String> {
    let Some(fields) = user.as_object_mut() else {
        return Err("it is no kubeconfig".to_owned());
    };
    fields.entry("apiVersion").or_insert_with(|| json!("v1"));
    fields.entry("kind").or_insert_with(|| json!("Config"));
    for new in list(ours, "contexts") {
        let name = &new["name"];
        for part in ["clusters", "contexts", "users"] {
            let known = list(&user, part)
                .iter()
                .find(|known| known["name"] == *name);
            if known.is_some() && !is_ours(&user, name) {
                let part = part.trim_end_matches('s');
                return Err(format!("its {part} {name} is of something else"));
            }
        }
    }
    for part in ["clusters", "users", "contexts"] {
        let mut all = list(&user, part).to_vec();
        for new in list(ours, part) {
            match all.iter_mut().find(|known| known["name"] == new["name"]) {
                Some(known) => *known = new.clone(),
                None => all.push(new.clone()),
            }
        }
        user[part] = json!(all);
    }
    if user["current-context"]
        .as_str()
        .unwrap_or_default()
        .is_empty()
    {
        user["current-context"] = ours["current-context"].clone();
    }
    Ok(user)
}

fn list<'a>(kubeconfig: &'a Value, part: &str) -> &'a [Value] {
    kubeconfig[part].as_array().map_or(&[], Vec::as_slice)
}

/// Whether the cluster of a name is one that this program runs: on this machine, below the path that
/// only its server has.
fn is_ours(kubeconfig: &Value, name: &Value) -> bool {
    let clusters = list(kubeconfig, "clusters");
    let found = clusters.iter().find(|cluster| cluster["name"] == *name);
    let server = found.and_then(|cluster| cluster["cluster"]["server"].as_str());
    let ends = format!("/clusters/{}", name.as_str().unwrap_or_default());
    server.is_some_and(|url| url.starts_with("https://127.0.0.1:") && url.ends_with(&ends))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(name: &str, server: &str) -> Value {
        json!({
            "current-context": name,
            "clusters": [{"name": name, "cluster": {"server": server}}],
            "users": [{"name": name, "user": {"token": server}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        })
    }

    #[test]
    fn what_the_user_has_stays_as_it_is() {
        let ours = config("qa", "https://127.0.0.1:7443/clusters/qa");
        let mut user = config("work", "https://work.example.com");
        user["preferences"] = json!({"colors": true});
        let both = merged(user.clone(), &ours).expect("they go together");
        assert_eq!(both["current-context"], "work");
        assert_eq!(both["preferences"], user["preferences"]);
        assert_eq!(
            both["clusters"],
            json!([user["clusters"][0], ours["clusters"][0]])
        );
        let again = config("qa", "https://127.0.0.1:9999/clusters/qa");
        let both = merged(both, &again).expect("ours is replaced");
        assert_eq!(both["users"], json!([user["users"][0], again["users"][0]]));
    }

    #[test]
    fn a_name_that_is_taken_is_refused() {
        let ours = config("qa", "https://127.0.0.1:7443/clusters/qa");
        let user = config("qa", "https://qa.example.com");
        let why = merged(user, &ours).expect_err("it is somebody else's");
        assert_eq!(why, "its cluster \"qa\" is of something else");
        let user = json!({"users": [{"name": "qa", "user": {}}]});
        let why = merged(user, &ours).expect_err("it is somebody else's");
        assert_eq!(why, "its user \"qa\" is of something else");
    }

    #[test]
    fn the_first_context_is_the_current_one() {
        let ours = config("qa", "https://127.0.0.1:7443/clusters/qa");
        let made = merged(json!({}), &ours).expect("there is nothing yet");
        assert_eq!(made["current-context"], "qa");
        assert_eq!(made["kind"], "Config");
    }
}
