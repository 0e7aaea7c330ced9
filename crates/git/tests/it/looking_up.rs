//! Where references stand, asked as rarely as possible.

use git::{GitUrl, Limits, Reference, Repository};

use crate::world::{World, answers, branch, commit, tag};

#[test]
fn branches_tags_and_annotated_tags_give_commits() {
    let world = World::new();
    let first = world.push("a", "1");
    world.tree.tag("plain").expect("tags");
    world.tree.annotated_tag("noted").expect("tags");
    let second = world.push("a", "2");
    let repository = world.open(Limits::default());
    let wanted = [
        branch("main"),
        tag("plain"),
        tag("noted"),
        branch("gone"),
        tag("main"),
    ];
    assert_eq!(
        repository.look_up(&wanted).expect("answers"),
        answers(&[
            (branch("main"), Some(second)),
            (tag("plain"), Some(first)),
            (tag("noted"), Some(first)),
            (branch("gone"), None),
            (tag("main"), None),
        ])
    );
}

#[test]
fn many_references_cost_one_question() {
    let world = World::new();
    world.push("a", "1");
    let repository = world.open(Limits::default());
    let before = world.server.requests();
    let wanted: Vec<_> = (0..40)
        .map(|n| branch(&format!("b{n}")))
        .chain([branch("main")])
        .collect();
    repository.look_up(&wanted).expect("answers");
    let after = world.server.requests();
    assert_eq!(
        (
            after.info_refs - before.info_refs,
            after.ls_refs - before.ls_refs
        ),
        (1, 1)
    );
    assert_eq!(
        after.all - before.all,
        2,
        "protocol 2 takes a greeting and a question"
    );
}

#[test]
fn an_old_server_answers_with_its_greeting() {
    let world = World::with(|options| options.protocol_v2 = false);
    let first = world.push("a", "1");
    world.tree.annotated_tag("noted").expect("tags");
    let repository = world.open(Limits::default());
    let before = world.server.requests().all;
    let found = repository
        .look_up(&[branch("main"), tag("noted"), branch("gone")])
        .expect("answers");
    let expected = [
        (branch("main"), Some(first)),
        (tag("noted"), Some(first)),
        (branch("gone"), None),
    ];
    assert_eq!(found, answers(&expected));
    assert_eq!(world.server.requests().all - before, 1);
}

#[test]
fn a_pinned_commit_asks_nothing() {
    let world = World::new();
    let repository = world.open(Limits::default());
    let before = world.server.requests();
    let pinned = commit(&"5".repeat(40));
    let wanted = Reference::Commit(pinned);
    assert_eq!(
        repository
            .look_up(std::slice::from_ref(&wanted))
            .expect("answers"),
        answers(&[(wanted, Some(pinned))])
    );
    assert_eq!(world.server.requests(), before);
}

#[test]
fn a_name_no_server_can_have_is_not_there() {
    let world = World::new();
    world.push("a", "1");
    let repository = world.open(Limits::default());
    let wanted = [branch("*"), branch("a..b"), tag("x:y")];
    let found = repository.look_up(&wanted).expect("answers");
    assert!(found.values().all(Option::is_none), "{found:?}");
}

#[test]
fn an_empty_repository_has_no_branch() {
    let world = World::new();
    let repository = world.open(Limits::default());
    assert_eq!(
        repository.look_up(&[branch("main")]).expect("answers"),
        answers(&[(branch("main"), None)])
    );
}

#[test]
fn a_local_repository_is_read_in_place() {
    let world = World::new();
    let first = world.push("a/b", "1");
    let path = world.server.path("shop");
    let copy = world.dir.path().join("unused");
    let repository = Repository::open(
        &copy,
        GitUrl::local(&path),
        git::Credentials::default(),
        Limits::default(),
    )
    .expect("opens");
    let before = world.server.requests();
    assert_eq!(
        crate::world::get(&repository, &branch("main")).expect("reads"),
        first
    );
    assert_eq!(
        crate::world::files(&repository, first, "a").expect("reads"),
        ["b=1"]
    );
    assert_eq!(
        repository.look_up(&[tag("gone")]).expect("answers")[&tag("gone")],
        None
    );
    assert_eq!(world.server.requests(), before);
    assert!(!copy.exists());
}
