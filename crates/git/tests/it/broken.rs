//! Servers that hang, drip, talk nonsense or are gone: told apart, and never for long.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use git::{GitError, Limits};
use gitserver::{Fault, GitServer, ServerOptions};

use crate::world::{GO, World, branch, files, get, hasty};

/// Looks up and fetches from the broken server; both fail alike, and soon.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "real time is what this is about")]
fn fails(world: &World, fault: Fault, expected: impl Fn(&GitError) -> bool) {
    let tip = world.push("a", "1");
    let repository = world.open(hasty());
    world.server.set_fault(fault);
    let started = Instant::now();
    let errors = [
        repository
            .look_up(&[branch("main")])
            .expect_err("it is broken"),
        repository
            .fetch(&branch("main"), tip, &GO)
            .expect_err("it is broken"),
    ];
    let took = started.elapsed();
    for error in errors {
        assert!(expected(&error), "{error:?}");
        assert!(error.is_transient(), "{error:?}");
        assert!(
            !error.to_string().contains('<') && !error.to_string().contains("hunter2"),
            "{error}"
        );
    }
    assert!(took < Duration::from_secs(8), "{took:?}");
    world.server.set_fault(Fault::None);
    let tip = get(&repository, &branch("main")).expect("works again");
    assert_eq!(files(&repository, tip, "").expect("reads"), ["a=1"]);
}

#[test]
fn a_server_that_hangs_is_left_in_time() {
    let limits = hasty();
    fails(
        &World::new(),
        Fault::Hang,
        |error| matches!(error, GitError::TimedOut { limit, .. } if *limit == limits.idle),
    );
}

#[test]
fn a_stop_flag_ends_a_fetch_from_a_server_that_hangs() {
    let world = World::new();
    let tip = world.push("a", "1");
    let repository = world.open(Limits::default());
    world.server.set_fault(Fault::Hang);
    let stop = AtomicBool::new(false);
    let before = world.server.requests().all;
    std::thread::scope(|scope| {
        let fetch = scope.spawn(|| repository.fetch(&branch("main"), tip, &stop));
        while world.server.requests().all == before {
            std::thread::yield_now();
        }
        stop.store(true, Ordering::Relaxed);
        let error = fetch.join().expect("no panic").expect_err("it is stopped");
        assert!(matches!(error, GitError::Stopped), "{error:?}");
    });
}

#[test]
fn a_server_that_drips_is_left_in_time() {
    let limits = hasty();
    fails(
        &World::new(),
        Fault::Slow,
        |error| matches!(error, GitError::TimedOut { limit, .. } if *limit == limits.timeout),
    );
}

#[test]
fn a_web_page_is_no_git_server() {
    fails(
        &World::new(),
        Fault::Garbage,
        |error| matches!(error, GitError::Garbage { why, .. } if why == "its answer is of type `text/html`"),
    );
}

#[test]
fn nonsense_of_the_right_type_is_no_git_server() {
    fails(&World::new(), Fault::Nonsense, |error| {
        matches!(error, GitError::Garbage { .. })
    });
}

#[test]
fn a_server_in_trouble_is_told_by_its_status() {
    let world = World::new();
    fails(&world, Fault::Status(500), |error| {
        matches!(error, GitError::Status { status: 500, .. })
    });
}

#[test]
fn a_server_that_is_gone_is_unreachable_until_it_is_back() {
    let World {
        server,
        tree,
        runtime,
        dir,
    } = World::with(|options| options.tls = false);
    tree.write("a", "1").expect("writes");
    tree.push().expect("pushes");
    let port = server.port();
    let url = git::GitUrl::parse(&server.url("shop")).expect("an address");
    let copy = dir.path().join("copy");
    let repository =
        git::Repository::open(&copy, url, git::Credentials::default(), Limits::default())
            .expect("opens");
    get(&repository, &branch("main")).expect("fetches");
    runtime.block_on(server.stop());
    let error = repository
        .look_up(&[branch("main")])
        .expect_err("nobody is there");
    assert!(
        matches!(error, GitError::Unreachable { .. }) && error.is_transient(),
        "{error:?}"
    );
    let mut options = ServerOptions::new(dir.path().join("served"));
    options.port = Some(port);
    let _server = runtime
        .block_on(GitServer::start(options))
        .expect("the port is free again");
    assert!(repository.look_up(&[branch("main")]).expect("is back")[&branch("main")].is_some());
}

#[test]
fn a_fetch_that_was_cut_short_is_mended_by_the_next() {
    let world = World::new();
    let tip = world.push("a", "1");
    let repository = world.open(hasty());
    world.server.set_fault(Fault::Slow);
    repository
        .fetch(&branch("main"), tip, &GO)
        .expect_err("it is too slow");
    drop(repository);
    world.server.set_fault(Fault::None);
    // As a killed process leaves it.
    std::fs::write(world.dir.path().join("copy/g1/shallow.lock"), "").expect("writes");
    let repository = world.open(Limits::default());
    repository
        .fetch(&branch("main"), tip, &GO)
        .expect("fetches");
    assert_eq!(files(&repository, tip, "").expect("reads"), ["a=1"]);
}
