//! Templates that ask for too much.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use serde_json::Map;
use ytt::{Limits, Reason, compile};

/// A template is stopped, with this in its error.
#[track_caller]
fn check_stopped(template: &str, text: &str) {
    // Fewer steps than a template may take, since this is not optimized.
    let limits = Limits {
        ticks: 20_000,
        nodes: 5_000,
        ..Limits::default()
    };
    let asked = AtomicUsize::new(0);
    // Some seconds of an interpreter, told without a clock.
    let expired = |_| asked.fetch_add(1, Ordering::Relaxed) > 10_000;
    let result = compile("t", template, &limits)
        .and_then(|template| template.evaluate(&Map::new(), &limits, expired));
    let error = result.expect_err("it asks for too much");
    assert_eq!(error.reason, Reason::Limit, "{error}");
    assert!(error.to_string().contains(text), "{error}");
}

#[test]
fn loops_end() {
    check_stopped(
        "#@ for i in range(1000000000):\n#@ end\nkind: A\n",
        "takes too",
    );
    check_stopped(
        "kind: #@ len([i for i in range(1000000000)])\n",
        "takes too",
    );
    check_stopped(
        "#@ for i in range(100000):\n#@ for j in range(100000):\n#@ end\n#@ end\nkind: A\n",
        "takes too",
    );
}

#[test]
fn turns_of_comprehensions_are_counted_before_they_are_taken() {
    check_stopped(
        "kind: #@ len([i for i in range(1000000000)])\n",
        "t:1:26: the template takes too many steps",
    );
    check_stopped(
        "#@ r = range(150)\nkind: #@ len([i + j for i in r if i for j in r])\n",
        ": the template takes too many steps",
    );
    check_stopped(
        "#@ r = range(30000)\nkind: #@ len({str(k): [1 for _ in []] for k in r})\n",
        ": the template takes too many steps",
    );
}

#[test]
fn whoever_watches_is_told_the_line() {
    let last = AtomicU32::new(0);
    let expired = |line| {
        last.store(line, Ordering::Relaxed);
        line == 4
    };
    let text =
        "kind: A\n#@ def f():\n#@   g = 1\n#@   for i in range(9):\n#@   end\n#@ end\na: #@ f()\n";
    let limits = Limits::default();
    let result = compile("t", text, &limits)
        .and_then(|template| template.evaluate(&Map::new(), &limits, expired));
    let error = result.expect_err("it is stopped").to_string();
    assert!(
        error.starts_with("t:4:6: the template takes too long"),
        "{error}"
    );
    assert_eq!(last.load(Ordering::Relaxed), 4);
}

#[test]
fn recursion_ends() {
    check_stopped(
        "#@ def f(x):\n#@   return f(x + 1)\n#@ end\nkind: #@ f(1)\n",
        "calls functions too deep",
    );
    check_stopped(
        "#@ def f(x):\n_: #@ f(x + 1)\n#@ end\nkind: #@ f(1)\n",
        "calls functions too deep\n  in f, called at t:2:7",
    );
}

#[test]
fn texts_that_double_are_stopped() {
    check_stopped(
        "#@ s = 'a' * 1000\n#@ for i in range(60):\n#@ s = s + s\n#@ end\nkind: A\n",
        "uses too much memory",
    );
}

#[test]
fn statements_without_a_loop_are_looked_at() {
    let text = format!(
        "#@ s = 'a' * 1000\n{}kind: A\n",
        "#@ s = s + s\n".repeat(40)
    );
    check_stopped(&text, "the template uses too much memory");
}

#[test]
fn trees_have_a_size_and_a_depth() {
    check_stopped(
        "kind: A\nl:\n#@ for i in range(8000):\n- #@ i\n#@ end\n",
        "too many nodes",
    );
    check_stopped(
        "#@ x = [1]\n#@ for i in range(200):\n#@ x = [x]\n#@ end\nkind: A\na: #@ x\n",
        "nests values too deep",
    );
    check_stopped(
        "#@ def f(x):\na: #@ x\nb: #@ x\n#@ end\n#@ x = 1\n#@ for i in range(60):\n#@ x = f(x)\n#@ end\nkind: A\na: #@ x\n",
        "too many nodes",
    );
}

#[test]
fn encoded_text_is_bounded() {
    check_stopped(
        "#@ load('@ytt:base64', 'base64')\n#@ s = 'a' * 100000\n#@ for i in range(100):\n#@ base64.encode(s)\n#@ end\nkind: A\n",
        "too much text",
    );
    check_stopped(
        "#@ for i in range(100):\n#@ print('a' * 100000)\n#@ end\nkind: A\n",
        "too much text",
    );
}

#[test]
fn natives_that_call_back_are_stopped() {
    check_stopped(
        "#@ l = [i for i in range(1000)]\n#@ for i in range(100000):\n#@ sorted(l, key=lambda x: -x)\n#@ end\nkind: A\n",
        "takes too",
    );
}

#[test]
fn templates_have_a_size_and_a_depth() {
    check_stopped(
        &format!("#@ x = {}1{}\n", "(".repeat(5000), ")".repeat(5000)),
        "nested too deep",
    );
    check_stopped(&format!("#@ x = 1{}\n", " + 1".repeat(50_000)), "too long");
    check_stopped(&format!("a: #@ {}1\n", "not ".repeat(50_000)), "too long");
    check_stopped(&"#@ if True:\n".repeat(5000), "nested too deep");
    check_stopped(
        &format!("#@ if 1:\n{}#@ end\n", "#@ elif 1:\n".repeat(5000)),
        "nested too deep",
    );
    check_stopped(&"a: b\n".repeat(200_000), "too long");
}

#[test]
fn aliases_have_a_size() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let below = format!("*a{}, ", level - 1).repeat(8);
        text = format!("{text}a{level}: &a{level} [{below}]\n");
    }
    check_stopped(&text, "aliases make the template too large");
}
