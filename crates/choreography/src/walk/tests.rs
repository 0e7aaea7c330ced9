//! Whole passes against a server that answers from memory.

#![expect(
    clippy::needless_pass_by_value,
    reason = "a call with `json!` reads better without a reference"
)]

use kinds::{ClusterDelivery, ClusterSupplyChain};
use serde_json::{from_value, json};

use super::*;
use crate::fuzz::Random;
use crate::owner::OwnerKind;

fn workload(spec: Value) -> Owner {
    let metadata =
        json!({"name": "shop", "namespace": "dev", "uid": "u", "labels": {"app": "web"}});
    Owner::new(
        OwnerKind::Workload,
        json!({"metadata": metadata, "spec": spec}),
    )
}

fn deliverable() -> Owner {
    let metadata =
        json!({"name": "shop", "namespace": "dev", "uid": "u", "labels": {"app": "web"}});
    Owner::new(
        OwnerKind::Deliverable,
        json!({"metadata": metadata, "spec": {}}),
    )
}

fn chain(resources: Value) -> ClusterSupplyChain {
    from_value(json!({"apiVersion": "carto.run/v1alpha1", "kind": "ClusterSupplyChain", "metadata": {"name": "chain"}, "spec": {"selector": {"app": "web"}, "resources": resources}})).expect("it is a chain")
}

fn delivery(resources: Value) -> ClusterDelivery {
    from_value(json!({"apiVersion": "carto.run/v1alpha1", "kind": "ClusterDelivery", "metadata": {"name": "delivery"}, "spec": {"selector": {"app": "web"}, "resources": resources}})).expect("it is a delivery")
}

fn template(kind: &str, name: &str, spec: Value) -> Template {
    let object = json!({"apiVersion": "carto.run/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec});
    match kind {
        "ClusterSourceTemplate" => Template::Source(from_value(object).expect("it is one")),
        "ClusterImageTemplate" => Template::Image(from_value(object).expect("it is one")),
        "ClusterConfigTemplate" => Template::Config(from_value(object).expect("it is one")),
        "ClusterDeploymentTemplate" => Template::Deployment(from_value(object).expect("it is one")),
        _ => Template::Plain(from_value(object).expect("it is one")),
    }
}

fn object(name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

/// The three templates of a chain from source to configuration.
fn templates() -> Vec<Template> {
    vec![
        template(
            "ClusterSourceTemplate",
            "git",
            json!({"urlPath": "data.url", "revisionPath": "data.rev", "template": object("git", json!({"url": "u", "rev": "r"}))}),
        ),
        template(
            "ClusterImageTemplate",
            "kpack",
            json!({"imagePath": "data.image", "template": object("kpack", json!({"image": "$(source.url)$@$(source.revision)$"}))}),
        ),
        template(
            "ClusterConfigTemplate",
            "render",
            json!({"configPath": "data.config", "template": object("render", json!({"config": "$(image)$"}))}),
        ),
        template(
            "ClusterTemplate",
            "push",
            json!({"template": object("push", json!({"config": "$(config)$"}))}),
        ),
    ]
}

fn resource(kind: &str, name: &str, inputs: Value) -> Value {
    let template = match kind {
        "ClusterSourceTemplate" => "git",
        "ClusterImageTemplate" => "kpack",
        "ClusterConfigTemplate" => "render",
        _ => "push",
    };
    let mut resource = json!({"name": name, "templateRef": {"kind": kind, "name": template}});
    for (field, value) in inputs.as_object().into_iter().flatten() {
        resource[field] = value.clone();
    }
    resource
}

fn from(resource: &str) -> Value {
    json!([{"name": "in", "resource": resource}])
}

fn source_to_push() -> [Value; 4] {
    [
        resource("ClusterSourceTemplate", "source", json!({})),
        resource(
            "ClusterImageTemplate",
            "build",
            json!({"sources": from("source")}),
        ),
        resource(
            "ClusterConfigTemplate",
            "config",
            json!({"images": from("build")}),
        ),
        resource(
            "ClusterTemplate",
            "push",
            json!({"configs": from("config")}),
        ),
    ]
}

/// Answers for the API server: what becomes of each object, and what each round asked for.
struct Server {
    templates: Vec<Template>,
    submit: fn(&Submission) -> Result<Value, Refused>,
    earlier: Vec<Value>,
    rounds: Vec<String>,
}

impl Server {
    fn new(templates: Vec<Template>) -> Self {
        Self {
            templates,
            submit: |submission| Ok(submission.object.clone()),
            earlier: vec![],
            rounds: vec![],
        }
    }

    fn drive<B: Blueprint>(&mut self, walk: &mut Walk<'_, B>) {
        loop {
            let asks = walk.next();
            if asks.is_empty() {
                return;
            }
            let round: Vec<_> = asks
                .into_iter()
                .map(|ask| self.carry_out(walk, ask))
                .collect();
            self.rounds.push(round.join(" "));
        }
    }

    fn carry_out<B: Blueprint>(&mut self, walk: &mut Walk<'_, B>, ask: Ask) -> String {
        match ask {
            Ask::Template { kind, name } => {
                let found = self
                    .templates
                    .iter()
                    .find(|template| template.name() == name);
                let fetched = found
                    .cloned()
                    .map_or(Fetched::Missing, |template| Fetched::Found(template.into()));
                let said = format!("read:{name}");
                walk.answer(Answer::Template {
                    kind,
                    name,
                    fetched,
                });
                said
            }
            Ask::Ytt {
                resource,
                template,
                data,
                ..
            } => {
                let outcome = if template == "bad" {
                    Err("unable to apply ytt template: no".to_owned())
                } else {
                    Ok(object("ytt", json!({"names": data.len()})))
                };
                let said = format!("ytt:{resource}");
                walk.answer(Answer::Ytt { resource, outcome });
                said
            }
            Ask::Submit(submission) => {
                let name = &submission.object["metadata"]["name"];
                let reference = CoreReference {
                    name: name.as_str().map(str::to_owned),
                    namespace: Some("dev".to_owned()),
                    resource: Some("configmaps".to_owned()),
                    ..CoreReference::default()
                };
                let outcome = (self.submit)(&submission).map(|object| Submitted {
                    object,
                    earlier: self.earlier.clone(),
                    reference,
                });
                let said = format!("submit:{}", submission.resource);
                walk.answer(Answer::Submitted {
                    resource: submission.resource,
                    outcome,
                });
                said
            }
            Ask::Delete { object, .. } => {
                format!(
                    "delete:{}",
                    object["metadata"]["name"].as_str().unwrap_or_default()
                )
            }
        }
    }
}

fn shown(report: &Report) -> String {
    let draft = |draft: &crate::conditions::Draft| {
        let verdict = &draft.verdict;
        format!(
            "{}={} {} {}",
            draft.kind,
            verdict.status.as_str(),
            verdict.reason,
            verdict.message
        )
    };
    let mut lines: Vec<_> = report
        .resources
        .iter()
        .map(|entry| {
            let outputs: Vec<_> = entry
                .outputs
                .iter()
                .map(|output| format!("{}={}", output.name, output.preview.trim()))
                .collect();
            let reasons: Vec<_> = entry
                .conditions
                .iter()
                .map(|condition| format!("{}:{}", condition.status, condition.reason))
                .collect();
            format!(
                "{} [{}] {}",
                entry.name,
                outputs.join(" "),
                reasons.join(" ")
            )
        })
        .collect();
    lines.push(draft(&report.submitted).trim().to_owned());
    lines.push(draft(&report.healthy).trim().to_owned());
    if report.retries {
        lines.push("retries".to_owned());
    }
    lines.join("\n")
}

fn pass<B: Blueprint>(owner: &Owner, blueprint: &B, server: &mut Server) -> Report {
    let mut walk = Walk::new(owner, blueprint);
    server.drive(&mut walk);
    assert!(walk.is_done(), "nothing is asked for, and nothing is left");
    walk.finish(&[], "t")
}

#[track_caller]
fn check<B: Blueprint>(owner: &Owner, blueprint: &B, server: &mut Server, expected: &str) {
    assert_eq!(shown(&pass(owner, blueprint, server)), expected);
}

#[test]
fn what_one_resource_gives_goes_into_the_next() {
    let mut server = Server::new(templates());
    let chain = chain(json!(source_to_push()));
    check(
        &workload(json!({})),
        &chain,
        &mut server,
        "source [url=u revision=r] True:ResourceSubmissionComplete True:OutputsAvailable True:Ready\n\
         build [image=u@r] True:ResourceSubmissionComplete True:OutputsAvailable True:Ready\n\
         config [config=u@r] True:ResourceSubmissionComplete True:OutputsAvailable True:Ready\n\
         push [] True:ResourceSubmissionComplete True:AlwaysHealthy True:Ready\n\
         ResourcesSubmitted=True ResourceSubmissionComplete\n\
         ResourcesHealthy=True HealthyConditionRule",
    );
    let rounds = "read:git\nsubmit:source\nread:kpack\nsubmit:build\nread:render\nsubmit:config\nread:push\nsubmit:push";
    assert_eq!(server.rounds.join("\n"), rounds);
}

#[test]
fn resources_may_be_listed_in_any_order() {
    let listed = source_to_push();
    let names = |report: &Report| {
        let mut names: Vec<_> = report
            .resources
            .iter()
            .map(|entry| format!("{entry:?}"))
            .collect();
        names.sort();
        names
    };
    let in_order = pass(
        &workload(json!({})),
        &chain(json!(listed)),
        &mut Server::new(templates()),
    );
    for order in [[3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]] {
        let chain = chain(json!(order.map(|index| listed[index].clone())));
        let report = pass(&workload(json!({})), &chain, &mut Server::new(templates()));
        assert_eq!(names(&report), names(&in_order));
        assert_eq!(report.submitted, in_order.submitted);
    }
}

#[test]
fn independent_resources_go_on_at_once() {
    let chain = chain(json!([
        resource("ClusterSourceTemplate", "a", json!({})),
        resource("ClusterSourceTemplate", "b", json!({})),
        resource(
            "ClusterImageTemplate",
            "build-a",
            json!({"sources": from("a")})
        ),
        resource(
            "ClusterImageTemplate",
            "build-b",
            json!({"sources": from("b")})
        ),
    ]));
    let mut server = Server::new(templates());
    pass(&workload(json!({})), &chain, &mut server);
    let rounds = "read:git\nsubmit:a submit:b\nread:kpack\nsubmit:build-a submit:build-b";
    assert_eq!(server.rounds.join("\n"), rounds);
}

#[test]
fn a_slow_branch_does_not_hold_up_another() {
    let chain = chain(json!([
        resource("ClusterSourceTemplate", "slow", json!({})),
        resource("ClusterSourceTemplate", "fast", json!({})),
        resource(
            "ClusterImageTemplate",
            "build",
            json!({"sources": from("fast")})
        ),
    ]));
    let owner = workload(json!({}));
    let mut walk = Walk::new(&owner, &chain);
    let mut server = Server::new(templates());
    for ask in walk.next() {
        server.carry_out(&mut walk, ask);
    }
    let asks = walk.next();
    assert_eq!(asks.len(), 2);
    for ask in asks.into_iter().skip(1) {
        assert_eq!(server.carry_out(&mut walk, ask), "submit:fast");
    }
    assert!(matches!(&walk.next()[..], [Ask::Template { name, .. }] if name == "kpack"));
    assert!(!walk.is_done());
}

#[expect(clippy::unnecessary_wraps, reason = "it stands where others refuse")]
fn silent(submission: &Submission) -> Result<Value, Refused> {
    let mut object = submission.object.clone();
    if submission.resource == "source" {
        object["data"] = json!({});
    }
    Ok(object)
}

#[test]
fn the_owner_tells_of_what_is_missing_and_not_of_what_waits_for_it() {
    let mut listed = source_to_push();
    listed.reverse();
    let mut server = Server::new(templates());
    server.submit = silent;
    check(
        &workload(json!({})),
        &chain(json!(listed)),
        &mut server,
        "push [] Unknown:WaitingForInput Unknown:NoStampedObject Unknown:WaitingForInput\n\
         config [] Unknown:WaitingForInput Unknown:OutputNotAvailable Unknown:WaitingForInput\n\
         build [] Unknown:WaitingForInput Unknown:OutputNotAvailable Unknown:WaitingForInput\n\
         source [] Unknown:MissingValueAtPath Unknown:OutputNotAvailable Unknown:MissingValueAtPath\n\
         ResourcesSubmitted=Unknown MissingValueAtPath waiting to read value [data.url] from object [configmaps/git] in namespace [dev]\n\
         ResourcesHealthy=Unknown HealthyConditionRule",
    );
}

#[test]
fn the_first_error_in_listed_order_is_the_owners() {
    let chain = chain(json!([
        resource("ClusterSourceTemplate", "source", json!({})),
        {"name": "gone", "templateRef": {"kind": "ClusterTemplate", "name": "gone"}},
    ]));
    let mut server = Server::new(templates());
    server.submit = |_| {
        Err(Refused::Rejected {
            is_forbidden: true,
            why: "create: forbidden".to_owned(),
        })
    };
    check(
        &workload(json!({})),
        &chain,
        &mut server,
        "source [] False:TemplateRejectedByAPIServer Unknown:OutputNotAvailable False:TemplateRejectedByAPIServer\n\
         gone [] False:UnknownError False:UnknownError\n\
         ResourcesSubmitted=False TemplateRejectedByAPIServer unable to apply object [dev/git] for resource [source] in supply chain [chain]: create: forbidden\n\
         ResourcesHealthy=Unknown HealthyConditionRule\n\
         retries",
    );
}

fn with_options(options: Value) -> ClusterSupplyChain {
    chain(json!([
        resource("ClusterSourceTemplate", "source", json!({})),
        {"name": "choice", "sources": from("source"), "templateRef": {"kind": "ClusterSourceTemplate", "options": options}},
    ]))
}

#[test]
fn an_option_may_pass_its_input_on() {
    let field =
        |operator: &str| json!({"matchFields": [{"key": "spec.image", "operator": operator}]});
    let chain = with_options(json!([
        {"passThrough": "in", "selector": field("DoesNotExist")},
        {"name": "git", "selector": field("Exists")},
    ]));
    check(
        &workload(json!({})),
        &chain,
        &mut Server::new(templates()),
        "source [url=u revision=r] True:ResourceSubmissionComplete True:OutputsAvailable True:Ready\n\
         choice [url=u revision=r] True:PassThrough True:Ready\n\
         ResourcesSubmitted=True ResourceSubmissionComplete\n\
         ResourcesHealthy=True HealthyConditionRule",
    );
    let mut server = Server::new(templates());
    server.submit = silent;
    let report = shown(&pass(&workload(json!({})), &chain, &mut server));
    let second = report.lines().nth(1);
    assert_eq!(
        second,
        Some("choice [] Unknown:WaitingForInput Unknown:WaitingForInput")
    );
    let chain = with_options(json!([
        {"passThrough": "none", "selector": field("DoesNotExist")},
        {"name": "git", "selector": field("Exists")},
    ]));
    let mut server = Server::new(templates());
    let report = shown(&pass(&workload(json!({})), &chain, &mut server));
    let second = report.lines().nth(1);
    assert_eq!(
        second,
        Some("choice [] False:PassThrough False:PassThrough")
    );
}

#[test]
fn options_that_do_not_decide_are_told_of_and_not_tried_again() {
    let labels = |key: &str| json!({"matchLabels": {key: "web"}});
    let chain = with_options(json!([
        {"name": "a", "selector": labels("app")},
        {"name": "b", "selector": labels("app")},
    ]));
    let report = pass(&workload(json!({})), &chain, &mut Server::new(templates()));
    assert_eq!(report.submitted.verdict.reason, "TemplateOptionsMatchError");
    assert!(!report.retries);
}

#[test]
fn a_deployment_is_passed_on_once_it_is_done() {
    let deploy = template(
        "ClusterDeploymentTemplate",
        "deploy",
        json!({"observedMatches": [{"input": "data.want", "output": "data.have"}], "template": object("deploy", json!({"want": "$(deployment.url)$", "have": "$(deployment.url)$"}))}),
    );
    let after = template(
        "ClusterTemplate",
        "push",
        json!({"template": object("push", json!({"url": "$(source.url)$"}))}),
    );
    let delivery = delivery(json!([
        resource("ClusterSourceTemplate", "source", json!({})),
        {"name": "deployer", "deployment": {"resource": "source"}, "templateRef": {"kind": "ClusterDeploymentTemplate", "name": "deploy"}},
        resource("ClusterTemplate", "after", json!({"sources": from("deployer")})),
    ]));
    let server = || {
        let mut all = templates();
        all.retain(|template| template.name() != "push");
        all.extend([deploy.clone(), after.clone()]);
        Server::new(all)
    };
    check(
        &deliverable(),
        &delivery,
        &mut server(),
        "source [url=u revision=r] True:ResourceSubmissionComplete True:OutputsAvailable True:Ready\n\
         deployer [url=u revision=r] True:ResourceSubmissionComplete True:OutputsAvailable True:Ready\n\
         after [] True:ResourceSubmissionComplete True:AlwaysHealthy True:Ready\n\
         ResourcesSubmitted=True ResourceSubmissionComplete\n\
         ResourcesHealthy=True HealthyConditionRule",
    );
    let mut server = server();
    server.submit = |submission| {
        let mut object = submission.object.clone();
        if submission.resource == "deployer" {
            object["data"]["have"] = json!("old");
        }
        Ok(object)
    };
    check(
        &deliverable(),
        &delivery,
        &mut server,
        "source [url=u revision=r] True:ResourceSubmissionComplete True:OutputsAvailable True:Ready\n\
         deployer [] Unknown:ConditionNotMet Unknown:OutputNotAvailable Unknown:ConditionNotMet\n\
         after [] False:TemplateStampFailure Unknown:NoStampedObject False:TemplateStampFailure\n\
         ResourcesSubmitted=Unknown ConditionNotMet resource [deployer] condition not met: input [data.want] and output [data.have] do not match: u != old\n\
         ResourcesHealthy=Unknown HealthyConditionRule",
    );
}

fn run(name: &str, second: u8, succeeded: &str) -> Value {
    let metadata =
        json!({"name": name, "creationTimestamp": format!("2026-01-01T00:00:0{second}Z")});
    json!({"metadata": metadata, "data": {"url": name, "rev": "r"}, "status": {"conditions": [{"type": "Succeeded", "status": succeeded}]}})
}

fn runs(lifecycle: &str) -> (ClusterSupplyChain, Server) {
    let git = template(
        "ClusterSourceTemplate",
        "git",
        json!({"lifecycle": lifecycle, "retentionPolicy": {"maxFailedRuns": 1, "maxSuccessfulRuns": 1}, "urlPath": "data.url", "revisionPath": "data.rev", "template": object("new", json!({}))}),
    );
    let chain = chain(json!([resource(
        "ClusterSourceTemplate",
        "source",
        json!({})
    )]));
    (chain, Server::new(vec![git]))
}

#[test]
fn the_output_is_that_of_the_newest_run_that_is_healthy() {
    let (chain, mut server) = runs("tekton");
    server.submit = |_| Ok(run("new", 9, "Unknown"));
    server.earlier = vec![
        run("old", 1, "True"),
        run("good", 3, "True"),
        run("bad", 4, "False"),
        run("worse", 2, "False"),
    ];
    check(
        &workload(json!({})),
        &chain,
        &mut server,
        "source [url=good revision=r] True:ResourceSubmissionComplete Unknown:SucceededCondition Unknown:SucceededCondition\n\
         ResourcesSubmitted=True ResourceSubmissionComplete\n\
         ResourcesHealthy=Unknown HealthyConditionRule",
    );
    assert_eq!(
        server.rounds.last().map(String::as_str),
        Some("delete:worse delete:old")
    );
}

#[test]
fn without_a_healthy_run_the_value_is_missing() {
    let (chain, mut server) = runs("tekton");
    server.submit = |_| Ok(run("new", 9, "False"));
    check(
        &workload(json!({})),
        &chain,
        &mut server,
        "source [] Unknown:MissingValueAtPath False:SucceededCondition False:SucceededCondition\n\
         ResourcesSubmitted=Unknown MissingValueAtPath cannot read value [data.url] from unhealthy object [configmaps/new] in namespace [dev], examine object, particularly whether it is receiving proper inputs\n\
         ResourcesHealthy=False HealthyConditionRule",
    );
}

#[test]
fn an_immutable_run_without_a_rule_is_healthy_at_once() {
    let (chain, mut server) = runs("immutable");
    server.submit = |_| Ok(run("new", 9, "False"));
    let report = pass(&workload(json!({})), &chain, &mut server);
    assert_eq!(report.resources[0].outputs[0].preview, "new\n");
}

#[test]
fn a_ytt_template_is_evaluated_elsewhere() {
    let ytt = |text: &str| template("ClusterTemplate", "push", json!({"ytt": text}));
    let chain = chain(json!([resource("ClusterTemplate", "push", json!({}))]));
    let mut server = Server::new(vec![ytt("good")]);
    let report = pass(&workload(json!({})), &chain, &mut server);
    assert_eq!(server.rounds.join("\n"), "read:push\nytt:push\nsubmit:push");
    assert_eq!(
        report.submitted.verdict.reason,
        "ResourceSubmissionComplete"
    );
    let report = pass(
        &workload(json!({})),
        &chain,
        &mut Server::new(vec![ytt("bad")]),
    );
    assert_eq!(
        report.submitted.verdict.message,
        "unable to stamp object for resource [push] for template [ClusterTemplate/push] in supply chain [chain]: unable to apply ytt template: no"
    );
}

#[test]
fn a_circle_ends_too() {
    let chain = chain(json!([
        resource("ClusterImageTemplate", "a", json!({"images": from("b")})),
        resource("ClusterImageTemplate", "b", json!({"images": from("a")})),
        resource(
            "ClusterImageTemplate",
            "self",
            json!({"images": from("self")})
        ),
    ]));
    let report = pass(&workload(json!({})), &chain, &mut Server::new(templates()));
    assert_eq!(report.submitted.verdict.reason, "WaitingForInput");
}

#[test]
fn what_its_controller_has_not_looked_at_yet_is_behind() {
    let chain = chain(json!([resource(
        "ClusterImageTemplate",
        "kpack",
        json!({})
    )]));
    let is_behind = |path: &str, rule: Value, observed: i64| {
        let ready = json!([{"type": "Ready", "status": "True"}]);
        let status = json!({"observedGeneration": observed, "image": "i", "conditions": ready});
        let image = json!({
            "apiVersion": "v1", "kind": "Image", "status": status,
            "metadata": {"name": "i", "generation": 2},
        });
        let spec = json!({"imagePath": path, "healthRule": rule, "template": image});
        let kpack = template("ClusterImageTemplate", "kpack", spec);
        let report = pass(&workload(json!({})), &chain, &mut Server::new(vec![kpack]));
        report.is_behind
    };
    let (always, ready) = (
        json!({"alwaysHealthy": {}}),
        json!({"singleConditionType": "Ready"}),
    );
    for (path, rule, wanted) in [
        ("status.image", &always, true),
        ("metadata.name", &ready, true),
        ("metadata.name", &always, false),
    ] {
        assert_eq!(is_behind(path, rule.clone(), 1), wanted, "{path} {rule}");
        assert!(!is_behind(path, rule.clone(), 2), "{path} {rule}");
    }
}

#[test]
fn what_failed_keeps_the_object_of_before() {
    let chain = chain(json!([resource(
        "ClusterSourceTemplate",
        "source",
        json!({})
    )]));
    let owner = workload(json!({}));
    let before = pass(&owner, &chain, &mut Server::new(templates()));
    let mut walk = Walk::new(&owner, &chain);
    Server::new(vec![]).drive(&mut walk);
    let after = walk.finish(&before.resources, "t2");
    assert_eq!(
        after.resources[0].stamped_ref,
        before.resources[0].stamped_ref
    );
    assert_eq!(after.resources[0].outputs, before.resources[0].outputs);
    assert_eq!(after.healthy, before.healthy);
}

#[test]
fn a_pass_without_a_change_says_the_same() {
    let owner = workload(json!({}));
    let chain = chain(json!(source_to_push()));
    let first = pass(&owner, &chain, &mut Server::new(templates()));
    let mut walk = Walk::new(&owner, &chain);
    Server::new(templates()).drive(&mut walk);
    assert_eq!(walk.finish(&first.resources, "t2"), first);
}

#[test]
fn a_pass_that_is_cut_short_says_so() {
    let owner = workload(json!({}));
    let chain = chain(json!(source_to_push()));
    let mut walk = Walk::new(&owner, &chain);
    assert_eq!(walk.next().len(), 1);
    let report = walk.finish(&[], "t");
    assert_eq!(report.submitted.verdict.message, "the pass was cut short");
    assert!(report.retries);
}

#[test]
fn answers_that_nobody_waits_for_change_nothing() {
    let owner = workload(json!({}));
    let chain = chain(json!(source_to_push()));
    let mut walk = Walk::new(&owner, &chain);
    for resource in ["source", "nobody"] {
        let resource = resource.to_owned();
        walk.answer(Answer::Ytt {
            resource: resource.clone(),
            outcome: Ok(json!({})),
        });
        let outcome = Err(Refused::Other("x".to_owned()));
        walk.answer(Answer::Submitted { resource, outcome });
    }
    assert!(matches!(&walk.next()[..], [Ask::Template { .. }]));
}

#[test]
fn odd_templates_never_panic() {
    let values = [
        json!(null),
        json!("$(source)$"),
        json!("$(workload)$"),
        json!({"kind": "$(params.x)$"}),
        json!([]),
        json!({"kind": "A", "metadata": "$(source.url)$"}),
        json!({"kind": "A", "metadata": {"labels": 5, "namespace": {}}}),
        json!({"kind": "A", "metadata": {"name": ["$(", ")$"], "namespace": "dev"}}),
        json!("$(..)$"),
        json!(7),
    ];
    let paths = [
        "",
        ".",
        "data",
        "..",
        "metadata.name",
        "[",
        "metadata[*]",
        "status.conditions[?(@.x==\"y\")]",
    ];
    let mut random = Random::new(3);
    for _ in 0..2_000 {
        let rule = json!({"multiMatch": {"healthy": {"matchFields": [{"key": random.pick(&paths), "operator": "Exists", "messagePath": random.pick(&paths)}]}, "unhealthy": {}}});
        let spec = json!({
            "urlPath": random.pick(&paths), "revisionPath": random.pick(&paths), "template": random.pick(&values),
            "healthRule": rule, "lifecycle": random.pick(&["mutable", "immutable", "tekton"]),
        });
        let git = template("ClusterSourceTemplate", "git", spec);
        let chain = chain(json!([
            resource("ClusterSourceTemplate", "source", json!({})),
            resource(
                "ClusterSourceTemplate",
                "next",
                json!({"sources": from("source"), "params": [{"name": "x", "default": random.pick(&values)}]})
            ),
        ]));
        let _ = pass(
            &workload(json!({"params": [{"name": "x", "value": random.pick(&values)}]})),
            &chain,
            &mut Server::new(vec![git]),
        );
    }
}

#[test]
fn what_goes_into_an_object_is_told_by_its_digest() {
    let (owner, chain) = (workload(json!({})), chain(json!(source_to_push())));
    let mut server = Server::new(templates());
    let mut walk = Walk::new(&owner, &chain);
    let mut told = Vec::new();
    loop {
        let asks = walk.next();
        if asks.is_empty() {
            break;
        }
        for ask in asks {
            if let Ask::Submit(submission) = &ask {
                told.push((submission.resource.clone(), submission.inputs.clone()));
            }
            server.carry_out(&mut walk, ask);
        }
    }
    let report = walk.finish(&[], "2026-01-01T00:00:00Z");
    let statuses: BTreeMap<String, String> = report
        .resources
        .iter()
        .flat_map(|resource| {
            let named = |output: &kinds::cartographer::owner::Output| {
                (
                    format!("{}.{}", resource.name, output.name),
                    output.digest.clone(),
                )
            };
            resource.outputs.iter().map(named).collect::<Vec<_>>()
        })
        .collect();
    let of = |names: &[&str]| -> BTreeMap<String, String> {
        names
            .iter()
            .map(|name| ((*name).to_owned(), statuses[*name].clone()))
            .collect()
    };
    assert_eq!(
        told,
        [
            ("source".to_owned(), of(&[])),
            ("build".to_owned(), of(&["source.url", "source.revision"])),
            ("config".to_owned(), of(&["build.image"])),
            ("push".to_owned(), of(&["config.config"])),
        ]
    );
}
