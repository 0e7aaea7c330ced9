//! From flags to a Workload. Pure.

use clap::Args;
use kinds::cartographer::owner::{Git, OwnerParam, Source};
use kinds::cartographer::workload::{Build, EnvVar, ServiceClaim, ServiceReference};
use kinds::shipment::GitReference;
use kinds::{Workload, names};
use kube::ResourceExt as _;
use serde_json::{Map, Value, json};

/// The param whose value becomes annotations of the running application.
const ANNOTATIONS: &str = "annotations";

/// What of a Workload is to be as the flags say; what no flag names stays as it is.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Workload")]
pub(super) struct EditArgs {
    /// Say what kind of application it is, such as `web`; supply chains select by it
    #[arg(short = 't', long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Say which application it is a part of
    #[arg(short, long, value_name = "NAME")]
    app: Option<String>,
    /// Set a label, or remove it by `KEY-`
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = change)]
    label: Vec<Change>,
    /// Set an annotation of the running application, or remove it by `KEY-`
    #[arg(long, value_name = "KEY=VALUE", value_parser = change)]
    annotation: Vec<Change>,
    /// Build the source code of this Git repository
    #[arg(long, value_name = "URL")]
    git_repo: Option<String>,
    /// Follow this branch; none if empty
    #[arg(long, value_name = "BRANCH")]
    git_branch: Option<String>,
    /// Stay at this tag; none if empty
    #[arg(long, value_name = "TAG")]
    git_tag: Option<String>,
    /// Stay at this commit; none if empty
    #[arg(long, value_name = "COMMIT")]
    git_commit: Option<String>,
    /// Build the source code in this image
    #[arg(short, long, value_name = "IMAGE", conflicts_with_all = ["git_repo", "git_branch", "git_tag", "git_commit"])]
    source_image: Option<String>,
    /// Run this image, which was built elsewhere
    #[arg(short, long, value_name = "IMAGE", conflicts_with_all = ["git_repo", "git_branch", "git_tag", "git_commit", "source_image", "sub_path"])]
    image: Option<String>,
    /// The folder in the source; its root if empty
    #[arg(long, value_name = "FOLDER")]
    sub_path: Option<String>,
    /// Set an environment variable, or remove it by `NAME-`
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = change)]
    env: Vec<Change>,
    /// Set an environment variable of the build, or remove it by `NAME-`
    #[arg(long, value_name = "NAME=VALUE", value_parser = change)]
    build_env: Vec<Change>,
    /// Set a param to a text, or remove it by `NAME-`
    #[arg(short, long, value_name = "NAME=TEXT", value_parser = change)]
    param: Vec<Change>,
    /// Set a param to any value, as YAML or JSON, or remove it by `NAME-`
    #[arg(long, value_name = "NAME=YAML", value_parser = change)]
    param_yaml: Vec<Change>,
    /// Use at most so many CPUs, such as `500m`
    #[arg(long, value_name = "CPUS")]
    limit_cpu: Option<String>,
    /// Use at most so much memory, such as `1Gi`
    #[arg(long, value_name = "BYTES")]
    limit_memory: Option<String>,
    /// Need so many CPUs
    #[arg(long, value_name = "CPUS")]
    request_cpu: Option<String>,
    /// Need so much memory
    #[arg(long, value_name = "BYTES")]
    request_memory: Option<String>,
    /// Bind a service under a name, or let go of it by `NAME-`
    #[arg(long, value_name = "NAME=APIVERSION:KIND:OBJECT", value_parser = change)]
    service_ref: Vec<Change>,
    /// Submit what is stamped as this ServiceAccount; the supply chain's if empty
    #[arg(long, value_name = "NAME")]
    service_account: Option<String>,
}

/// What becomes of a named value.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Change {
    Set(String, String),
    Remove(String),
}

fn change(text: &str) -> Result<Change, String> {
    let change = match text.split_once('=') {
        Some((name, value)) => Change::Set(name.to_owned(), value.to_owned()),
        None => match text.strip_suffix('-') {
            Some(name) => Change::Remove(name.to_owned()),
            None => {
                return Err("it is NAME=VALUE to set a value, and NAME- to remove it".to_owned());
            }
        },
    };
    let (Change::Set(name, _) | Change::Remove(name)) = &change;
    if name.is_empty() {
        return Err("the name is empty".to_owned());
    }
    Ok(change)
}

impl EditArgs {
    /// Makes a Workload as the flags say.
    ///
    /// # Errors
    /// A sentence that names the flag.
    pub(super) fn edit(&self, workload: &mut Workload) -> Result<(), String> {
        self.labels(workload);
        self.source(workload)?;
        let spec = &mut workload.spec;
        variables(&mut spec.env, &self.env);
        let build = spec.build.get_or_insert_with(Build::default);
        variables(&mut build.env, &self.build_env);
        spec.build.take_if(|build| *build == Build::default());
        self.params(&mut spec.params)?;
        self.quantities(workload);
        self.services(&mut workload.spec.service_claims)?;
        if let Some(account) = &self.service_account {
            workload.spec.service_account_name = given(account);
        }
        Ok(())
    }

    fn labels(&self, workload: &mut Workload) {
        let labels = workload.labels_mut();
        let own = [
            (names::WORKLOAD_TYPE_LABEL, &self.kind),
            (names::PART_OF_LABEL, &self.app),
        ];
        for (key, value) in own {
            match value.as_deref() {
                None => {}
                Some("") => drop(labels.remove(key)),
                Some(value) => drop(labels.insert(key.to_owned(), value.to_owned())),
            }
        }
        for change in &self.label {
            match change {
                Change::Set(key, value) => drop(labels.insert(key.clone(), value.clone())),
                Change::Remove(key) => drop(labels.remove(key)),
            }
        }
    }

    /// Where the source code is; one place takes the others' turn.
    fn source(&self, workload: &mut Workload) -> Result<(), String> {
        let spec = &mut workload.spec;
        if let Some(image) = &self.image {
            spec.image = given(image);
            spec.source = None;
            return Ok(());
        }
        let mut source = spec.source.take().unwrap_or_default();
        if let Some(image) = &self.source_image {
            source.image = given(image);
            source.git = None;
            spec.image = None;
        }
        let reference = [&self.git_branch, &self.git_tag, &self.git_commit];
        if self.git_repo.is_some() || reference.iter().any(|part| part.is_some()) {
            let mut git = source.git.take().unwrap_or_default();
            if let Some(url) = &self.git_repo {
                git.url = given(url);
            }
            if git.url.is_none() {
                return Err("--git-branch, --git-tag and --git-commit need --git-repo".to_owned());
            }
            git.reference = self.reference(git.reference.unwrap_or_default());
            source.git = Some(git).filter(|git| *git != Git::default());
            source.image = None;
            spec.image = None;
        }
        if let Some(path) = &self.sub_path {
            source.sub_path = given(path);
        }
        spec.source = Some(source).filter(|source| *source != Source::default());
        Ok(())
    }

    fn reference(&self, mut reference: GitReference) -> Option<GitReference> {
        let parts = [
            (&self.git_branch, &mut reference.branch),
            (&self.git_tag, &mut reference.tag),
            (&self.git_commit, &mut reference.commit),
        ];
        for (flag, part) in parts {
            if let Some(text) = flag {
                *part = given(text);
            }
        }
        Some(reference).filter(|reference| *reference != GitReference::default())
    }

    fn params(&self, params: &mut Vec<OwnerParam>) -> Result<(), String> {
        for change in &self.param {
            match change {
                Change::Set(name, text) => set_param(params, name, json!(text)),
                Change::Remove(name) => params.retain(|param| param.name != *name),
            }
        }
        for change in &self.param_yaml {
            match change {
                Change::Set(name, text) => {
                    let value = serde_saphyr::from_str::<Value>(text)
                        .map_err(|why| format!("--param-yaml: the value of `{name}`: {why}"))?;
                    set_param(params, name, value);
                }
                Change::Remove(name) => params.retain(|param| param.name != *name),
            }
        }
        if self.annotation.is_empty() {
            return Ok(());
        }
        let known = params.iter().find(|param| param.name == ANNOTATIONS);
        let mut annotations = match known.map(|param| &param.value) {
            None => Map::new(),
            Some(Value::Object(annotations)) => annotations.clone(),
            Some(_) => {
                return Err(format!(
                    "--annotation: the param `{ANNOTATIONS}` is not an object"
                ));
            }
        };
        for change in &self.annotation {
            match change {
                Change::Set(key, value) => drop(annotations.insert(key.clone(), json!(value))),
                Change::Remove(key) => drop(annotations.remove(key)),
            }
        }
        if annotations.is_empty() {
            params.retain(|param| param.name != ANNOTATIONS);
        } else {
            set_param(params, ANNOTATIONS, Value::Object(annotations));
        }
        Ok(())
    }

    fn quantities(&self, workload: &mut Workload) {
        let resources = workload.spec.resources.get_or_insert_default();
        let given = [
            (&self.limit_cpu, &mut resources.limits, "cpu"),
            (&self.request_cpu, &mut resources.requests, "cpu"),
        ];
        for (flag, quantities, name) in given {
            quantity(flag.as_ref(), quantities, name);
        }
        let given = [
            (&self.limit_memory, &mut resources.limits, "memory"),
            (&self.request_memory, &mut resources.requests, "memory"),
        ];
        for (flag, quantities, name) in given {
            quantity(flag.as_ref(), quantities, name);
        }
        let is_empty = resources.limits.is_empty() && resources.requests.is_empty();
        workload.spec.resources.take_if(|_| is_empty);
    }

    fn services(&self, claims: &mut Vec<ServiceClaim>) -> Result<(), String> {
        for change in &self.service_ref {
            match change {
                Change::Remove(name) => claims.retain(|claim| claim.name != *name),
                Change::Set(name, object) => {
                    // The object's name has no colon, and neither has its kind.
                    let mut parts = object.rsplitn(3, ':');
                    let parts = (parts.next(), parts.next(), parts.next());
                    let refused =
                        || format!("--service-ref: `{object}` is not APIVERSION:KIND:OBJECT");
                    let (Some(object), Some(kind), Some(api_version)) = parts else {
                        return Err(refused());
                    };
                    let mut version = api_version.split('/');
                    let is_version = version.clone().count() <= 2
                        && version.all(|part| !part.is_empty() && !part.contains(':'));
                    if !is_version || kind.is_empty() || object.is_empty() {
                        return Err(refused());
                    }
                    let claim = ServiceClaim {
                        name: name.clone(),
                        reference: Some(ServiceReference {
                            api_version: api_version.to_owned(),
                            kind: kind.to_owned(),
                            name: object.to_owned(),
                        }),
                    };
                    match claims.iter_mut().find(|known| known.name == *name) {
                        Some(known) => *known = claim,
                        None => claims.push(claim),
                    }
                }
            }
        }
        Ok(())
    }
}

/// A text that is there.
fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn quantity(
    flag: Option<&String>,
    quantities: &mut std::collections::BTreeMap<String, Value>,
    name: &str,
) {
    match flag.map(String::as_str) {
        None => {}
        Some("") => drop(quantities.remove(name)),
        Some(text) => drop(quantities.insert(name.to_owned(), json!(text))),
    }
}

fn set_param(params: &mut Vec<OwnerParam>, name: &str, value: Value) {
    match params.iter_mut().find(|param| param.name == name) {
        Some(known) => known.value = value,
        None => params.push(OwnerParam {
            name: name.to_owned(),
            value,
        }),
    }
}

fn variables(variables: &mut Vec<EnvVar>, changes: &[Change]) {
    for change in changes {
        match change {
            Change::Remove(name) => variables.retain(|variable| variable.name != *name),
            Change::Set(name, value) => {
                let variable = EnvVar {
                    name: name.clone(),
                    value: Some(value.clone()),
                    value_from: None,
                };
                match variables.iter_mut().find(|known| known.name == *name) {
                    Some(known) => *known = variable,
                    None => variables.push(variable),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        edit: EditArgs,
    }

    #[track_caller]
    fn check(before: &Value, flags: &[&str], after: &Result<Value, &str>) {
        let words = std::iter::once(&"edit").chain(flags);
        let flags = Flags::try_parse_from(words).expect("the flags are right");
        let mut workload = Workload::new(
            "web",
            serde_json::from_value(before.clone()).expect("a spec"),
        );
        let edited = flags.edit.edit(&mut workload);
        let edited = edited.map(|()| {
            let mut shown = serde_json::to_value(&workload.spec).expect("plain data");
            if let Some(labels) = workload.metadata.labels.filter(|labels| !labels.is_empty()) {
                shown["labels"] = json!(labels);
            }
            shown
        });
        assert_eq!(edited, after.clone().map_err(str::to_owned));
    }

    #[test]
    fn flags_say_what_a_workload_is() {
        check(
            &json!({}),
            &[
                "--type",
                "web",
                "--app",
                "shop",
                "--git-repo",
                "https://git.example/shop",
                "--git-branch",
                "main",
                "--sub-path",
                "web",
                "--env",
                "A=b=c",
                "--build-env",
                "D=",
                "--param",
                "p=1",
                "--param-yaml",
                "q={a: [1]}",
                "--limit-cpu",
                "500m",
                "--request-memory",
                "1Gi",
                "--service-ref",
                "db=v1:Secret:shop-db",
                "--service-account",
                "robot",
                "--annotation",
                "x=y",
                "--label",
                "team=red",
            ],
            &Ok(json!({
                "labels": {
                    "app.kubernetes.io/part-of": "shop", "apps.tanzu.vmware.com/workload-type": "web", "team": "red",
                },
                "source": {
                    "git": {"url": "https://git.example/shop", "ref": {"branch": "main"}}, "subPath": "web",
                },
                "env": [{"name": "A", "value": "b=c"}],
                "build": {"env": [{"name": "D", "value": ""}]},
                "params": [
                    {"name": "p", "value": "1"}, {"name": "q", "value": {"a": [1]}},
                    {"name": "annotations", "value": {"x": "y"}},
                ],
                "resources": {"limits": {"cpu": "500m"}, "requests": {"memory": "1Gi"}},
                "serviceClaims": [{"name": "db", "ref": {"apiVersion": "v1", "kind": "Secret", "name": "shop-db"}}],
                "serviceAccountName": "robot",
            })),
        );
    }

    #[test]
    fn what_no_flag_names_stays() {
        let spec = json!({
            "source": {"git": {"url": "https://git.example/a", "ref": {"branch": "main", "tag": "v1"}}},
            "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
            "params": [{"name": "p", "value": 1}],
        });
        check(&spec, &[], &Ok(spec.clone()));
        check(
            &spec,
            &[
                "--git-tag",
                "",
                "--env",
                "A-",
                "--env",
                "B=3",
                "--param",
                "p-",
            ],
            &Ok(json!({
                "source": {"git": {"url": "https://git.example/a", "ref": {"branch": "main"}}},
                "env": [{"name": "B", "value": "3"}],
            })),
        );
    }

    #[test]
    fn one_place_of_the_source_takes_the_turn_of_another() {
        let git = json!({"source": {"git": {"url": "https://git.example/a"}}});
        check(
            &git,
            &["--image", "r.example/a:1"],
            &Ok(json!({"image": "r.example/a:1"})),
        );
        check(
            &json!({"image": "r.example/a:1"}),
            &["--git-repo", "https://git.example/a"],
            &Ok(git.clone()),
        );
        check(
            &git,
            &["--source-image", "r.example/source:1"],
            &Ok(json!({"source": {"image": "r.example/source:1"}})),
        );
    }

    #[test]
    fn what_makes_no_sense_names_its_flag() {
        let lonely = "--git-branch, --git-tag and --git-commit need --git-repo";
        check(&json!({}), &["--git-branch", "main"], &Err(lonely));
        let short = "--service-ref: `v1:Secret` is not APIVERSION:KIND:OBJECT";
        check(&json!({}), &["--service-ref", "db=v1:Secret"], &Err(short));
        let long = "--service-ref: `a/v1:Secret:s:ns` is not APIVERSION:KIND:OBJECT";
        check(
            &json!({}),
            &["--service-ref", "db=a/v1:Secret:s:ns"],
            &Err(long),
        );
        let text = json!({"params": [{"name": "annotations", "value": "a"}]});
        let wrong = "--annotation: the param `annotations` is not an object";
        check(&text, &["--annotation", "a=b"], &Err(wrong));
        assert!(change("a").is_err() && change("=b").is_err() && change("-").is_err());
    }
}
