//! Nothing from outside is larger than it may be.

use git::{GitError, Limits};

use crate::world::{GO, World, branch, files, get};

#[track_caller]
fn too_large(result: Result<impl Sized, GitError>, message: &str) {
    let Err(error) = result else {
        panic!("it went through")
    };
    assert!(matches!(error, GitError::TooLarge { .. }), "{error:?}");
    assert!(!error.is_transient());
    assert_eq!(error.to_string(), message);
}

/// Text that does not compress well.
fn noise(bytes: usize) -> String {
    let mut state = 88_172_645_463_325_252_u64;
    let mut text = String::new();
    while text.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text.push_str(&state.to_string());
        text.push('\n');
    }
    text
}

#[test]
fn a_pack_is_cut_off_at_its_bound() {
    let world = World::new();
    let tip = world.push("large", &noise(1 << 20));
    let repository = world.open(Limits {
        pack_bytes: 100 << 10,
        ..Limits::default()
    });
    let url = repository.url().to_string();
    too_large(
        repository.fetch(&branch("main"), tip, &GO),
        &format!("the pack of `{url}` is larger than the limit of 102400"),
    );
    assert!(!repository.has(tip));
    assert_eq!(repository.packs(), 0);
    let left = std::fs::read_dir(world.dir.path().join("copy/g1/objects/pack")).expect("a folder");
    assert_eq!(left.count(), 0, "no half of it stays on disk");
}

#[test]
fn large_files_and_trees_are_not_loaded() {
    let world = World::new();
    world
        .tree
        .write("one/large", "x".repeat(5000))
        .expect("writes");
    for n in 0..10 {
        world
            .tree
            .write(&format!("many/{n}"), "x".repeat(900))
            .expect("writes");
    }
    world.tree.write("deep/1/2/3/4/a", "1").expect("writes");
    world.push("a", "1");
    let limits = Limits {
        files: 12,
        file_bytes: 4096,
        tree_bytes: 8000,
        depth: 3,
        ..Limits::default()
    };
    let repository = world.open(limits);
    let tip = get(&repository, &branch("main")).expect("fetches");
    assert_eq!(
        files(&repository, tip, "one").expect("costs only itself"),
        ["large of 5000 bytes"]
    );
    too_large(
        files(&repository, tip, "many"),
        "the content of the folder is larger than the limit of 8000",
    );
    too_large(
        files(&repository, tip, "deep"),
        "the depth of `1/2/3/4` is larger than the limit of 3",
    );
    assert_eq!(
        files(&repository, tip, "deep/1").expect("is less deep"),
        ["2/3/4/a=1"]
    );
}

#[test]
fn too_many_files_are_refused() {
    let world = World::new();
    for n in 0..13 {
        world.tree.write(&format!("many/{n}"), "").expect("writes");
    }
    world.push("a", "1");
    let repository = world.open(Limits {
        files: 12,
        ..Limits::default()
    });
    let tip = get(&repository, &branch("main")).expect("fetches");
    too_large(
        files(&repository, tip, "many"),
        "the number of files is larger than the limit of 12",
    );
}

#[test]
fn a_small_pack_that_unpacks_into_something_huge_is_refused() {
    let world = World::new();
    let tip = world.push("zeros", &"0".repeat(32 << 20));
    let repository = world.open(Limits {
        pack_bytes: 1 << 20,
        ..Limits::default()
    });
    let url = repository.url().to_string();
    too_large(
        repository.fetch(&branch("main"), tip, &GO),
        &format!("an unpacked object of `{url}` is larger than the limit of 1048576"),
    );
    assert!(!repository.has(tip));
}
