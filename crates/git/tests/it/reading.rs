//! Sub-trees: their ids, their files, and paths that are not there.

use std::os::unix::fs::symlink;

use git::{CommitId, Content, GitError, Limits, Repository};

use crate::world::{World, branch, files, get};

fn tip(world: &World) -> (Repository, CommitId) {
    let repository = world.open(Limits::default());
    let tip = get(&repository, &branch("main")).expect("fetches");
    (repository, tip)
}

#[test]
fn files_come_sorted_with_relative_paths() {
    let world = World::new();
    for path in [
        "config/shop/b/x",
        "config/shop/b.yaml",
        "config/shop/a",
        "config/shop/b-c/y",
        "README",
    ] {
        world.tree.write(path, path).expect("writes");
    }
    world.push("config/other/z", "z");
    let (repository, tip) = tip(&world);
    let paths = |path| -> Vec<String> {
        let files = repository
            .read(repository.tree_id(tip, path).expect("is there"), &|_| true)
            .expect("reads");
        files.into_iter().map(|file| file.path).collect()
    };
    assert_eq!(paths("config/shop"), ["a", "b-c/y", "b.yaml", "b/x"]);
    assert_eq!(paths("./config//shop/"), paths("config/shop"));
    assert_eq!(paths("/"), paths("."));
}

#[test]
fn the_id_of_a_folder_stays_while_others_change() {
    let world = World::new();
    world.tree.write("config/shop/a", "1").expect("writes");
    world.push("config/desk/a", "1");
    let (repository, before) = tip(&world);
    world.push("config/desk/a", "2");
    let after = get(&repository, &branch("main")).expect("fetches");
    assert_ne!(before, after);
    let id = |commit, path| repository.tree_id(commit, path).expect("is there");
    assert_eq!(id(before, "config/shop"), id(after, "config/shop"));
    assert_ne!(id(before, "config/desk"), id(after, "config/desk"));
    assert_ne!(id(before, ""), id(after, ""));
}

#[test]
fn a_missing_path_is_told_with_what_is_near() {
    let world = World::new();
    for n in 0..9 {
        world
            .tree
            .write(&format!("config/app{n}/a"), "1")
            .expect("writes");
    }
    world.push("README", "1");
    let (repository, tip) = tip(&world);
    let told = |path| {
        repository
            .tree_id(tip, path)
            .expect_err("it is not there")
            .to_string()
    };
    assert_eq!(
        told("config/shop/x"),
        "there is no path `config/shop/x`; `config` has `app0`, `app1`, `app2`, `app3`, `app4`, `app5`, `app6`, `app7`, `…`"
    );
    assert_eq!(
        told("cfg"),
        "there is no path `cfg`; `.` has `README`, `config`"
    );
    assert_eq!(told("README"), "`README` is not a folder");
    assert_eq!(told("README/x"), "`README` is not a folder");
    assert_eq!(
        told("config/../README"),
        "`config/../README` leaves its repository"
    );
    let error = repository
        .tree_id("5".repeat(40).parse().expect("an id"), "")
        .expect_err("not fetched");
    assert!(matches!(error, GitError::CommitMissing { .. }), "{error}");
}

#[test]
fn one_file_is_read_by_its_path() {
    let world = World::new();
    world.tree.write("app/a", "1").expect("writes");
    symlink("a", world.tree.dir().join("app/link")).expect("links");
    world.push("top", "2");
    let (repository, tip) = tip(&world);
    let read = |path| repository.file(tip, path).expect("reads");
    assert_eq!(read("app/a"), Some(Content::Bytes(b"1".to_vec())));
    assert_eq!(read("top"), Some(Content::Bytes(b"2".to_vec())));
    assert_eq!(read("app/link"), Some(Content::Link("a".to_owned())));
    for nothing in ["app", "app/b", "other/a", "top/a"] {
        assert_eq!(read(nothing), None, "{nothing}");
    }
}

#[test]
fn links_are_reported_and_not_followed() {
    let world = World::new();
    world.tree.write("app/a", "1").expect("writes");
    symlink("a", world.tree.dir().join("app/inside")).expect("links");
    symlink("/etc/passwd", world.tree.dir().join("app/outside")).expect("links");
    symlink("app", world.tree.dir().join("alias")).expect("links");
    world.push("app/b", "2");
    let (repository, tip) = tip(&world);
    let expected = ["a=1", "b=2", "inside->a", "outside->/etc/passwd"];
    assert_eq!(files(&repository, tip, "app").expect("reads"), expected);
    let error = repository
        .tree_id(tip, "alias")
        .expect_err("a link is no folder");
    assert!(matches!(error, GitError::NotADirectory { .. }), "{error}");
}

#[test]
fn a_submodule_is_refused_by_name() {
    let world = World::new();
    let first = world.push("app/a", "1");
    let entry = format!("160000,{first},app/vendored");
    world
        .tree
        .git(&["update-index", "--add", "--cacheinfo", &entry])
        .expect("adds");
    world
        .tree
        .git(&["commit", "--quiet", "--message", "submodule"])
        .expect("commits");
    world
        .tree
        .git(&["push", "--quiet", "origin", "main"])
        .expect("pushes");
    let (repository, tip) = tip(&world);
    let error = files(&repository, tip, "app").expect_err("it is no file");
    assert_eq!(error.to_string(), "`vendored` is a submodule");
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "feeds a tree to `git` that no work tree can hold"
)]
fn a_tree_made_by_hand_cannot_leave_its_folder() {
    let world = World::new();
    world.push("app/a", "1");
    let blob = world
        .tree
        .git(&["rev-parse", "HEAD:app/a"])
        .expect("a blob");
    for name in ["..", ".git", "a\\b"] {
        let listing = format!("100644 blob {blob}\t{name}\n");
        world.tree.write("listing", &listing).expect("writes");
        let made = std::process::Command::new("git")
            .current_dir(world.tree.dir())
            .args(["mktree"])
            .stdin(std::fs::File::open(world.tree.dir().join("listing")).expect("opens"))
            .output()
            .expect("runs");
        world.tree.remove("listing").expect("removes");
        let tree = String::from_utf8(made.stdout)
            .expect("an id")
            .trim()
            .to_owned();
        let made = world
            .tree
            .git(&["commit-tree", "-m", "evil", &tree])
            .expect("commits");
        world
            .tree
            .git(&[
                "push",
                "--quiet",
                "--force",
                "origin",
                &format!("{made}:refs/heads/evil"),
            ])
            .expect("pushes");
        let repository = world.open(Limits::default());
        let tip = get(&repository, &branch("evil")).expect("fetches");
        let error = files(&repository, tip, "").expect_err("it is refused");
        assert_eq!(error.to_string(), format!("`{name}` is not a safe name"));
    }
}
