//! The table of how pins are written.

use super::*;

const OLD: &str = "1111111111111111111111111111111111111111";
const NEW: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// A file with a Deliverable whose `git` holds these lines.
fn file(git: &str) -> String {
    format!(
        "# The shop.\napiVersion: carto.run/v1alpha1\nkind: Deliverable\nmetadata:\n  name: shop\nspec:\n  params:\n  - name: delivery\n    value:\n      source: {{git: {{ref: {{commit: no}}}}}}\n  source:\n    subPath: config\n    git:\n{git}  serviceAccountName: shop\n"
    )
}

#[track_caller]
fn check(git: &str, pinned: &str) {
    check_text(&file(git), &file(pinned));
}

#[track_caller]
fn check_text(before: &str, after: &str) {
    match pin(before, "shop", NEW, None) {
        Ok(Pinned::Changed(edit)) => assert_eq!(edit.text, after),
        other => panic!("it was not pinned: {other:?}\n{before}"),
    }
}

#[track_caller]
fn check_refused(text: &str, why: &str) {
    match pin(text, "shop", NEW, Some("https://git/shop.git")) {
        Err(error) => assert!(error.to_string().contains(why), "{error} instead of {why}"),
        other => panic!("it was not refused: {other:?}"),
    }
}

#[test]
fn only_the_commit_changes_and_comment_and_quotes_stay() {
    check(
        &format!(
            "      url: https://git/shop\n      ref:   # what runs\n        commit: {OLD} # 2024-01\n"
        ),
        &format!(
            "      url: https://git/shop\n      ref:   # what runs\n        commit: {NEW} # 2024-01\n"
        ),
    );
    check(
        &format!("      ref:\n        commit: \"{OLD}\"\n        branch: main\n"),
        &format!("      ref:\n        commit: \"{NEW}\"\n        branch: main\n"),
    );
    check(
        &format!("      ref:\n          branch: main\n          commit:   '{OLD}'   # x\n"),
        &format!("      ref:\n          branch: main\n          commit:   '{NEW}'   # x\n"),
    );
    check(
        &format!("      \"ref\":\n        'commit': {OLD}\n"),
        &format!("      \"ref\":\n        'commit': {NEW}\n"),
    );
}

#[test]
fn a_branch_or_a_tag_gets_a_commit_beside_it() {
    check(
        "      ref:\n        branch: main\n",
        &format!("      ref:\n        commit: {NEW}\n        branch: main\n"),
    );
    check(
        "      ref:\n          # follow\n          tag: v1\n",
        &format!("      ref:\n          commit: {NEW}\n          # follow\n          tag: v1\n"),
    );
    check(
        "      ref:\n        commit:\n        branch: main\n",
        &format!("      ref:\n        commit: {NEW}\n        branch: main\n"),
    );
    check(
        "      url: https://git/shop\n",
        &format!("      ref:\n        commit: {NEW}\n      url: https://git/shop\n"),
    );
}

#[test]
fn what_was_followed_before_the_pin_is_told() {
    for (git, told) in [
        (
            "      ref:\n        branch: next\n",
            Some("the branch `next`"),
        ),
        (
            "      ref:\n        branch: next\n        tag: v1\n",
            Some("the tag `v1`"),
        ),
        ("      url: https://git/shop\n", Some("the branch `main`")),
        (
            &format!("      ref:\n        commit: {OLD}\n        branch: main\n"),
            None,
        ),
    ] {
        match pin(&file(git), "shop", NEW, None) {
            Ok(Pinned::Changed(edit)) => assert_eq!(edit.followed.as_deref(), told, "{git}"),
            other => panic!("it was not pinned: {other:?}\n{git}"),
        }
    }
}

#[test]
fn a_mapping_in_braces_on_one_line_is_edited_too() {
    check(
        &format!("      ref: {{commit: {OLD}}} # pin\n"),
        &format!("      ref: {{commit: {NEW}}} # pin\n"),
    );
    check(
        &format!("      ref: {{ branch: main, commit: \"{OLD}\" }}\n"),
        &format!("      ref: {{ branch: main, commit: \"{NEW}\" }}\n"),
    );
    check(
        "      ref: {branch: main}\n",
        &format!("      ref: {{commit: {NEW}, branch: main}}\n"),
    );
    check(
        "      ref: {}\n",
        &format!("      ref: {{commit: {NEW}}}\n"),
    );
    let whole = |commit: &str| {
        format!(
            "{}    git: {{url: 'https://git/a,b', ref: {{commit: {commit}}}}}\n",
            file("").split("    git:").next().expect("it begins")
        )
    };
    check_text(&whole(OLD), &whole(NEW));
}

#[test]
fn the_other_documents_of_the_file_stay() {
    let around = |pinned: &str| {
        format!(
            "---\nkind: Namespace\napiVersion: v1\nmetadata: {{name: shop}}\n---\n{pinned}---\n{}",
            file(&format!("      ref: {{commit: {OLD}}}\n")).replace("name: shop", "name: web")
        )
    };
    let git = |commit: &str| file(&format!("      ref:\n        commit: {commit}\n"));
    check_text(&around(&git(OLD)), &around(&git(NEW)));
}

#[test]
fn line_ends_stay() {
    let text = |commit: &str| {
        file(&format!("      ref:\n        commit: {commit}\n")).replace('\n', "\r\n")
    };
    check_text(&text(OLD), &text(NEW));
    let branch = file("      ref:\n        branch: main\n").replace('\n', "\r\n");
    let pinned = file(&format!(
        "      ref:\n        commit: {NEW}\n        branch: main\n"
    ))
    .replace('\n', "\r\n");
    check_text(&branch, &pinned);
}

#[test]
fn a_commit_that_looks_like_a_number_is_quoted() {
    let number = format!("12e{}", "1".repeat(37));
    let text = file("      ref:\n        branch: main\n");
    let Ok(Pinned::Changed(edit)) = pin(&text, "shop", &number, None) else {
        panic!("it was not pinned")
    };
    assert!(
        edit.text.contains(&format!("commit: \"{number}\"\n")),
        "{}",
        edit.text
    );
}

#[test]
fn what_is_there_already_is_left() {
    let text = file(&format!("      ref: {{commit: {NEW}}}\n"));
    assert!(matches!(pin(&text, "shop", NEW, None), Ok(Pinned::Already)));
}

#[test]
fn what_cannot_be_edited_safely_is_refused() {
    check_refused(
        &file(&format!("      ref: {{\n        commit: {OLD}}}\n")),
        "over several lines",
    );
    check_refused(
        &file(&format!(
            "      ref:\n        branch: &b main\n        commit: &c {OLD}\n"
        )),
        "anchor",
    );
    check_refused(
        &file("      url: https://git/other\n"),
        "delivered from `https://git/other`, but",
    );
    check_refused(
        &file("").replace("name: shop", "name: web"),
        "no Deliverable `shop`",
    );
    check_refused(
        &format!("{}---\n{}", file(""), file("")),
        "several Deliverables `shop`",
    );
    check_refused("kind: Deliverable\n", "line 1");
}

#[test]
fn the_edit_is_shown_as_a_unified_diff() {
    let text = "kind: Deliverable\napiVersion: carto.run/v1alpha1\nmetadata: {name: shop}\nspec:\n  source:\n    git:\n      ref:\n        branch: main\n";
    let Ok(Pinned::Changed(edit)) = pin(text, "shop", NEW, None) else {
        panic!("it was not pinned")
    };
    let plain = ["\x1b[0m", "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[36m"]
        .iter()
        .fold(edit.unified("a.yaml"), |text, code| text.replace(code, ""));
    assert_eq!(
        plain,
        format!(
            "--- a/a.yaml\n+++ b/a.yaml\n@@ -5,4 +5,5 @@\n   source:\n     git:\n       ref:\n+        commit: {NEW}\n         branch: main\n"
        )
    );
}
