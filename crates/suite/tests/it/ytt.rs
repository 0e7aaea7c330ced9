//! ytt templates that ask for too much: what a worker makes of them, and what a cluster sees of it.
#![expect(
    clippy::disallowed_methods,
    reason = "a worker is a program, and is started"
)]

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};

use std::path::Path;

use serde_json::{Value, json};
use suite::program;
use testkit::eventually;
use testkit::kuttl::Case;

use crate::cases::{Manner, USUAL, failures};
use crate::choreography::{PATIENCE, chains, ours};

/// One worker, as the controller has several.
struct Worker(Child);

impl Worker {
    fn start() -> Self {
        let mut command = Command::new(program());
        command.arg("ytt-worker").stderr(Stdio::null());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Self(command.spawn().expect("the program starts"))
    }

    /// What it answers; none where it dies of the template.
    fn ask(&mut self, template: &str, data: &Value) -> Option<Value> {
        let request = json!({"name": "T/a spec.ytt", "template": template, "data": data});
        let request = request.to_string();
        let length = u32::try_from(request.len()).expect("it is short");
        let input = self.0.stdin.as_mut().expect("it is piped");
        input.write_all(&length.to_le_bytes()).ok()?;
        input.write_all(request.as_bytes()).ok()?;
        let output = self.0.stdout.as_mut().expect("it is piped");
        let mut length = [0; 4];
        output.read_exact(&mut length).ok()?;
        let mut answer = vec![0; u32::from_le_bytes(length) as usize];
        output.read_exact(&mut answer).ok()?;
        Some(serde_json::from_slice(&answer).expect("it answers in JSON"))
    }

    fn end(mut self) -> ExitStatus {
        drop(self.0.stdin.take());
        self.0.wait().expect("it can be waited for")
    }
}

#[test]
fn a_worker_answers_until_its_input_ends() {
    let mut worker = Worker::start();
    let template = "#@ load('@ytt:data', 'data')\nkind: #@ data.values.kind\n";
    for kind in ["First", "Second"] {
        let answer = worker.ask(template, &json!({"kind": kind}));
        assert_eq!(answer, Some(json!({"object": {"kind": kind}})));
    }
    let answer = worker.ask(template, &json!({}));
    let why = "T/a spec.ytt:2:10: struct has no .kind field or method";
    assert_eq!(
        answer,
        Some(
            json!({"refused": {"why": why, "is_late": false, "is_certain": false, "is_last": false}})
        )
    );
    // Whatever the data are.
    let answer = worker.ask("kind: #@ 1 +\n", &json!({})).unwrap_or_default();
    assert_eq!(answer["refused"]["is_certain"], json!(true), "{answer}");
    let answer = worker.ask(template, &json!({"kind": "Third"}));
    assert_eq!(answer, Some(json!({"object": {"kind": "Third"}})));
    assert!(worker.end().success());
}

/// A worker ends with this template, after it has said so.
#[track_caller]
fn check_ends(template: &str, why: &str, is_late: bool) {
    let mut worker = Worker::start();
    let answer = worker.ask(template, &json!({}));
    assert_eq!(
        answer,
        Some(
            json!({"refused": {"why": why, "is_late": is_late, "is_certain": false, "is_last": true}})
        )
    );
    // Its input is open: one that had not ended by itself would answer.
    assert_eq!(worker.ask("kind: A\n", &json!({})), None, "it has ended");
    worker.end();
}

#[test]
fn a_worker_ends_with_a_template_that_asks_for_too_much() {
    check_ends(
        "kind: #@ len([i for i in range(1000000000)])\n",
        "T/a spec.ytt:1:26: the template takes too many steps",
        false,
    );
    check_ends(
        "#@ x = 'x' * 1000000\nkind: A\na: #@ x\nb: #@ x\n",
        "T/a spec.ytt:4: the template makes too much text",
        false,
    );
}

#[test]
fn a_worker_tells_the_line_of_an_operation_that_runs_on() {
    check_ends(
        "#@ a, b = [0] * 100000, [0] * 100000\nkind: A\n\
         #@ x = [a == b for _ in range(400000)]\n",
        "T/a spec.ytt:3: the template takes too long",
        true,
    );
}

#[test]
fn a_worker_dies_of_what_cannot_be_refused() {
    let (open, close) = ("[".repeat(50), "]".repeat(50));
    let deep = format!(
        "#@ x = []\n#@ for i in range(8000):\n#@   x = {open}x{close}\n#@ end\nkind: #@ '{{}}'.format(x)\n"
    );
    for template in [
        "kind: #@ [0] * 2000000000\n",
        "kind: #@ ','.join(['a' * 1000000] * 10000)\n",
        "kind: #@ ('a' * 1000000).replace('a', 'a' * 1000)\n",
        &deep,
    ] {
        let mut worker = Worker::start();
        match worker.ask(template, &json!({})) {
            None => assert!(!worker.end().success(), "{template}"),
            // A machine that is too busy to let it get there.
            Some(answer) => assert_eq!(answer["refused"]["is_late"], json!(true), "{template}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_template_costs_its_owner_alone() {
    let (_turn, world, mut controller) = chains().await;
    let folder = ours("hostile");
    // Each takes seconds of a core, one after the other.
    let patient = Manner {
        patience: 4 * PATIENCE,
        ..USUAL
    };
    let mut hostile = std::pin::pin!(failures(&world, &folder, patient));
    let good = Case::read(&ours("supplychain").join("a-chain-of-ytt-templates"));
    let good = good.expect("the case can be read");
    let client = world.client().await;
    // Again and again, for as long as templates are at their limits, and once more.
    let mut failed = None;
    while failed.is_none() {
        let namespace = world.temp_namespace("kuttl").await;
        let neighbour = good.run(&client, namespace.name(), PATIENCE);
        let mut neighbour = std::pin::pin!(neighbour);
        let ran = loop {
            tokio::select! {
                ran = &mut neighbour => break ran,
                ended = &mut hostile, if failed.is_none() => failed = Some(ended),
            }
        };
        good.remove(&client).await;
        assert_eq!(ran, Ok(()), "{}", controller.log());
    }
    let failed = failed.unwrap_or_default();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    // One that has just ended is waited for in no time.
    let workers = eventually("the workers to be few and alive", PATIENCE, || async {
        let workers = controller.children();
        let is_alive = workers.iter().all(|(_, state)| *state != 'Z');
        if (1..=4).contains(&workers.len()) && is_alive {
            Ok(workers)
        } else {
            Err(format!("{workers:?}"))
        }
    })
    .await;
    controller.kill_hard();
    eventually("the workers to end", PATIENCE, || async {
        let is_there = |pid: &u32| Path::new(&format!("/proc/{pid}/exe")).exists();
        let there: Vec<_> = workers
            .iter()
            .map(|(pid, _)| *pid)
            .filter(is_there)
            .collect();
        there
            .is_empty()
            .then_some(())
            .ok_or_else(|| format!("{there:?}"))
    })
    .await;
}
