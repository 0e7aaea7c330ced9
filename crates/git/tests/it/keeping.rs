//! The copy on disk: kept between starts, for one identity alone, and never growing for ever.

use git::{Auth, GitError, Limits, Reference, Secret};

use crate::world::{GO, World, branch, commit, files, get};

#[test]
fn a_restart_keeps_what_was_fetched() {
    let world = World::new();
    world.push("a", "1");
    let tip = get(&world.open(Limits::default()), &branch("main")).expect("fetches");
    let before = world.server.requests();
    let again = world.open(Limits::default());
    again.fetch(&branch("main"), tip, &GO).expect("has it");
    assert_eq!(files(&again, tip, "").expect("reads"), ["a=1"]);
    assert_eq!(world.server.requests(), before);
}

#[test]
fn other_credentials_find_nothing_in_the_same_folder() {
    let world = World::new();
    world.push("a", "1");
    let tip = get(&world.open(Limits::default()), &branch("main")).expect("fetches");
    let other = Auth::Bearer(Secret::new("hunter2"));
    let other = world
        .open_as("copy", "shop", other, Limits::default())
        .expect("opens");
    assert!(!other.has(tip));
}

#[test]
fn packs_do_not_accumulate_for_ever() {
    let world = World::new();
    let mut commits = Vec::new();
    for n in 0..60 {
        world.tree.write("a", n.to_string()).expect("writes");
        commits.push(commit(&world.tree.commit("next").expect("commits")));
    }
    world.tree.push().expect("pushes");
    let repository = world.open(Limits::default());
    let mut most = 0;
    for (n, tip) in commits.iter().enumerate() {
        repository
            .fetch(&Reference::Commit(*tip), *tip, &GO)
            .expect("fetches");
        assert_eq!(
            files(&repository, *tip, "").expect("reads"),
            [format!("a={n}")]
        );
        most = most.max(repository.packs());
    }
    assert!((40..=50).contains(&most), "{most} packs");
    assert!(repository.packs() <= 15, "{} packs", repository.packs());
    assert!(!repository.has(commits[0]), "the old copy is gone");
    let generations = std::fs::read_dir(world.dir.path().join("copy"))
        .expect("a folder")
        .flatten();
    let generations: Vec<_> = generations
        .map(|entry| entry.file_name())
        .filter(|name| name != "identity")
        .collect();
    assert_eq!(generations.len(), 1, "{generations:?}");
}

#[test]
fn a_damaged_copy_is_replaced() {
    let world = World::new();
    world.push("a", "1");
    let tip = get(&world.open(Limits::default()), &branch("main")).expect("fetches");
    std::fs::write(world.dir.path().join("copy/g1/HEAD"), "no head").expect("writes");
    let _ = std::fs::remove_dir_all(world.dir.path().join("copy/g1/objects"));
    let again = world.open(Limits::default());
    again
        .fetch(&branch("main"), tip, &GO)
        .expect("fetches into a new one");
    assert_eq!(files(&again, tip, "").expect("reads"), ["a=1"]);
}

#[test]
fn an_object_that_cannot_be_read_is_fetched_again() {
    let world = World::new();
    let tip = world.push("a", "1");
    get(&world.open(Limits::default()), &branch("main")).expect("fetches");
    let packs = world.dir.path().join("copy/g1/objects/pack");
    for entry in std::fs::read_dir(packs).expect("a folder").flatten() {
        if entry.path().extension().is_some_and(|ext| ext == "pack") {
            let length = std::fs::read(entry.path()).expect("reads").len();
            std::fs::remove_file(entry.path()).expect("removes");
            std::fs::write(entry.path(), vec![0xff; length]).expect("writes");
        }
    }
    let repository = world.open(Limits::default());
    repository
        .fetch(&branch("main"), tip, &GO)
        .expect("does not know yet");
    files(&repository, tip, "").expect_err("it is damaged");
    repository
        .fetch(&branch("main"), tip, &GO)
        .expect("fetches again");
    assert_eq!(files(&repository, tip, "").expect("reads"), ["a=1"]);
}

#[test]
fn an_emptied_copy_fetches_again() {
    let world = World::new();
    world.push("a", "1");
    let repository = world.open(Limits::default());
    let tip = get(&repository, &branch("main")).expect("fetches");
    let tree = repository.tree_id(tip, "").expect("is there");
    assert!(
        !repository.maintain().expect("looks after it"),
        "one pack is few"
    );
    assert!(repository.has(tip));
    repository.empty().expect("empties");
    assert!(matches!(
        repository.read(tree, &|_| true),
        Err(GitError::TreeMissing { .. })
    ));
    repository
        .fetch(&branch("main"), tip, &GO)
        .expect("fetches");
    assert_eq!(repository.read(tree, &|_| true).expect("reads").len(), 1);
    assert!(!repository.has(commit(&"5".repeat(40))));
}
