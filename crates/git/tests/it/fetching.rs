//! One commit, without its history, and no more often than needed.

use std::sync::atomic::AtomicBool;

use git::{GitError, Limits, Reference};

use crate::world::{GO, World, branch, commit, files, get, tag};

#[test]
fn a_branch_brings_its_tip_and_not_its_history() {
    let world = World::new();
    let first = world.push("a", "1");
    let second = world.push("a", "2");
    let repository = world.open(Limits::default());
    assert_eq!(get(&repository, &branch("main")).expect("fetches"), second);
    assert_eq!(files(&repository, second, "").expect("reads"), ["a=2"]);
    assert!(repository.has(second));
    assert!(!repository.has(first));
}

#[test]
fn tags_of_both_kinds_bring_their_commit() {
    let world = World::new();
    let first = world.push("a", "1");
    world.tree.annotated_tag("noted").expect("tags");
    world.push("a", "2");
    world.tree.tag("plain").expect("tags");
    let repository = world.open(Limits::default());
    let noted = get(&repository, &tag("noted")).expect("fetches");
    assert_eq!(noted, first);
    assert_eq!(files(&repository, noted, ".").expect("reads"), ["a=1"]);
    let plain = get(&repository, &tag("plain")).expect("fetches");
    assert_eq!(files(&repository, plain, ".").expect("reads"), ["a=2"]);
}

#[test]
fn a_commit_that_is_there_costs_no_request() {
    let world = World::new();
    world.push("a", "1");
    let repository = world.open(Limits::default());
    let tip = get(&repository, &branch("main")).expect("fetches");
    let before = world.server.requests();
    repository.fetch(&branch("main"), tip, &GO).expect("has it");
    repository
        .fetch(&Reference::Commit(tip), tip, &GO)
        .expect("has it");
    assert_eq!(world.server.requests(), before);
}

#[test]
fn the_next_commit_brings_only_what_is_new() {
    let world = World::new();
    for n in 0..20 {
        world
            .tree
            .write(&format!("apps/{n}/noise"), noise(n))
            .expect("writes");
    }
    world.push("a", "1");
    let repository = world.open(Limits::default());
    get(&repository, &branch("main")).expect("fetches");
    let full = pack_bytes(&world);
    let second = world.push("a", "2");
    assert_eq!(get(&repository, &branch("main")).expect("fetches"), second);
    let both = pack_bytes(&world);
    assert!(
        full > 20 * 4000 && both - full < 4000,
        "{full} bytes at first, {} for the change",
        both - full
    );
    assert_eq!(
        files(&repository, second, "apps/7").expect("reads").len(),
        1
    );
}

/// 4,000 bytes that do not compress.
fn noise(seed: u64) -> Vec<u8> {
    let mut state = seed + 1;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    })
    .take(4000)
    .collect()
}

fn pack_bytes(world: &World) -> u64 {
    let packs =
        std::fs::read_dir(world.dir.path().join("copy/g1/objects/pack")).expect("there are packs");
    packs
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|ext| ext == "pack"))
        .map(|entry| entry.metadata().expect("a file").len())
        .sum()
}

#[test]
fn a_pinned_commit_is_fetched_without_a_look_up() {
    let world = World::new();
    let first = world.push("a", "1");
    world.push("a", "2");
    let repository = world.open(Limits::default());
    repository
        .fetch(&Reference::Commit(first), first, &GO)
        .expect("fetches");
    assert_eq!(files(&repository, first, "").expect("reads"), ["a=1"]);
}

#[test]
fn an_old_server_serves_branches_and_tags() {
    let world = World::with(|options| options.protocol_v2 = false);
    let first = world.push("a", "1");
    world.tree.annotated_tag("noted").expect("tags");
    let second = world.push("a", "2");
    let repository = world.open(Limits::default());
    assert_eq!(get(&repository, &tag("noted")).expect("fetches"), first);
    assert_eq!(get(&repository, &branch("main")).expect("fetches"), second);
    let third = world.push("a", "3");
    assert_eq!(get(&repository, &branch("main")).expect("fetches"), third);
    assert_eq!(files(&repository, third, "").expect("reads"), ["a=3"]);
}

#[test]
fn an_old_server_is_searched_for_a_pinned_commit() {
    let world = World::with(|options| options.protocol_v2 = false);
    let first = world.push("a", "1");
    world.push("a", "2");
    world.push("a", "3");
    let repository = world.open(Limits::default());
    repository
        .fetch_pinned(first, Some("main"), &GO)
        .expect("finds it in the branch");
    assert_eq!(files(&repository, first, "").expect("reads"), ["a=1"]);
    let other = world
        .open_as("other", "shop", git::Auth::None, Limits::default())
        .expect("opens");
    other
        .fetch(&Reference::Commit(first), first, &GO)
        .expect("finds it in the default branch");
    let error = other
        .fetch_pinned(commit(&"5".repeat(40)), None, &GO)
        .expect_err("nobody has it");
    assert!(matches!(error, GitError::CommitMissing { .. }), "{error}");
    let error = other
        .fetch_pinned(commit(&"5".repeat(40)), Some("gone"), &GO)
        .expect_err("no such branch");
    assert!(
        matches!(error, GitError::ReferenceMissing { .. }),
        "{error}"
    );
}

#[test]
fn a_branch_that_moved_on_still_gives_the_commit_that_was_seen() {
    let world = World::new();
    let first = world.push("a", "1");
    world.push("a", "2");
    let repository = world.open(Limits::default());
    repository
        .fetch(&branch("main"), first, &GO)
        .expect("fetches by id");
    assert_eq!(files(&repository, first, "").expect("reads"), ["a=1"]);
}

#[test]
fn a_forced_push_is_nothing_special() {
    let world = World::new();
    let first = world.push("a", "1");
    world.push("a", "2");
    let repository = world.open(Limits::default());
    get(&repository, &branch("main")).expect("fetches");
    world
        .tree
        .git(&["reset", "--quiet", "--hard", &first.to_string()])
        .expect("resets");
    world.tree.write("a", "other").expect("writes");
    let other = commit(&world.tree.commit("rewritten").expect("commits"));
    world
        .tree
        .git(&["push", "--quiet", "--force", "origin", "main"])
        .expect("pushes");
    assert_eq!(get(&repository, &branch("main")).expect("fetches"), other);
    assert_eq!(files(&repository, other, "").expect("reads"), ["a=other"]);
}

#[test]
fn what_is_missing_is_named() {
    let world = World::new();
    let tip = world.push("a", "1");
    let repository = world.open(Limits::default());
    let url = repository.url().to_string();
    let nowhere = commit(&"5".repeat(40));
    let told = |error: GitError| (error.is_transient(), error.to_string());
    let error = repository
        .fetch(&branch("gone"), tip, &GO)
        .expect_err("no such branch");
    assert_eq!(
        told(error),
        (false, format!("`{url}` has no branch `gone`"))
    );
    let error = repository
        .fetch(&tag("v9"), tip, &GO)
        .expect_err("no such tag");
    assert_eq!(told(error), (false, format!("`{url}` has no tag `v9`")));
    let missing = (false, format!("commit {nowhere} is not there"));
    for wanted in [branch("main"), Reference::Commit(nowhere)] {
        let error = repository
            .fetch(&wanted, nowhere, &GO)
            .expect_err("no such commit");
        assert_eq!(told(error), missing, "{wanted}");
    }
    let other = world
        .open_as("other", "shoe", git::Auth::None, Limits::default())
        .expect("asks nobody");
    let error = other
        .look_up(&[branch("main")])
        .expect_err("no such repository");
    assert_eq!(
        told(error),
        (false, format!("there is no repository `{}`", other.url()))
    );
}

#[test]
fn a_raised_stop_flag_ends_a_fetch() {
    let world = World::new();
    let tip = world.push("a", "1");
    let repository = world.open(Limits::default());
    let before = world.server.requests();
    let error = repository
        .fetch(&branch("main"), tip, &AtomicBool::new(true))
        .expect_err("it is raised");
    assert!(matches!(error, GitError::Stopped), "{error}");
    assert_eq!(world.server.requests(), before);
}

#[test]
fn many_threads_share_one_repository() {
    let world = World::new();
    world.push("a", "1");
    let repository = world.open(Limits::default());
    let tip =
        repository.look_up(&[branch("main")]).expect("answers")[&branch("main")].expect("is there");
    let before = world.server.requests().fetches;
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                repository
                    .fetch(&branch("main"), tip, &GO)
                    .expect("fetches");
                assert_eq!(files(&repository, tip, "").expect("reads"), ["a=1"]);
            });
        }
    });
    assert_eq!(world.server.requests().fetches - before, 1);
}
