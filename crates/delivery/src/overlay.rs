//! What an environment adds to an application: whole objects, and patches by identity.

use std::collections::{BTreeMap, BTreeSet};

use manifest::{Manifest, ObjectId, Problem, ProblemReason};

use crate::file_rule;
use crate::merge::{Lists, Merged, merge};
use crate::render::{FileContent, Overlay, Refusal, Subject, TreeFile};

/// What marks a file of the overlay in problems and manifests.
const PREFIX: &str = "overlay:";
const ALL: &str = "all/";
const PATCHES: &str = "patches/";

/// The part of an overlay that concerns one application.
#[derive(Default)]
pub(crate) struct Addition {
    /// The whole objects: those for the one in place of the same ones for all.
    pub(crate) manifests: Vec<Manifest>,
    /// Which of them are for the one: no patch for all reaches these.
    own: BTreeSet<ObjectId>,
    /// The patches for all, then those for the one.
    patches: Vec<Patch>,
    pub(crate) problems: Vec<Problem>,
}

struct Patch {
    manifest: Manifest,
    /// Whether it is meant for every application that has the object, or for exactly this one.
    for_all: bool,
}

/// Reads what an overlay says about an application, and nothing about others.
pub(crate) fn read(subject: &Subject<'_>, overlay: &Overlay) -> Result<Addition, Refusal> {
    let own = format!("{}/{}/", subject.namespace, subject.name);
    let concerns = |file: &&TreeFile| concerns(file, &own);
    let chosen = file_rule::choose(overlay.files.iter().filter(concerns).cloned().collect())
        .map_err(in_overlay)?;
    let mut addition = Addition {
        problems: chosen.problems,
        ..Addition::default()
    };
    for problem in &mut addition.problems {
        problem.file.insert_str(0, PREFIX);
    }
    // A patch that is a link or too large is as unreadable as one with a typing error.
    let in_patches = |file: &str| {
        let rest = file.strip_prefix(ALL).or_else(|| file.strip_prefix(&own));
        rest.is_some_and(|rest| rest.starts_with(PATCHES))
    };
    let unread = addition
        .problems
        .iter()
        .find(|problem| problem.file.strip_prefix(PREFIX).is_some_and(in_patches));
    if let Some(problem) = unread {
        return Err(Refusal::PatchUnreadable {
            problem: Box::new(problem.clone()),
        });
    }
    let mut for_all_objects = Vec::new();
    let mut own_patches = Vec::new();
    for (path, bytes) in chosen.files {
        let for_all = path.starts_with(ALL);
        let within = path
            .strip_prefix(if for_all { ALL } else { &own })
            .unwrap_or_default();
        let is_patch = within.starts_with(PATCHES);
        let file = format!("{PREFIX}{path}");
        let manifests = match manifest::parse_file(&file, &bytes) {
            Ok(manifests) => manifests,
            // Without its patch an object would be applied as no environment wants it.
            Err(problems) if is_patch => {
                let unread =
                    || Problem::new(ProblemReason::PatchInvalid, "it cannot be read").at(&file, 1);
                let problem = problems.into_iter().next().unwrap_or_else(unread);
                return Err(Refusal::PatchUnreadable {
                    problem: Box::new(problem),
                });
            }
            Err(problems) => {
                addition.problems.extend(problems);
                continue;
            }
        };
        let patches = manifests
            .into_iter()
            .map(|manifest| Patch { manifest, for_all });
        match (is_patch, for_all) {
            (false, true) => for_all_objects.extend(patches.map(|patch| patch.manifest)),
            (false, false) => addition
                .manifests
                .extend(patches.map(|patch| patch.manifest)),
            (true, true) => addition.patches.extend(patches),
            (true, false) => own_patches.extend(patches),
        }
    }
    addition.patches.append(&mut own_patches);
    let id = |manifest: &Manifest| manifest.id(Some(subject.namespace));
    addition.own = addition.manifests.iter().map(id).collect();
    for_all_objects.retain(|manifest| !addition.own.contains(&id(manifest)));
    addition.manifests.splice(0..0, for_all_objects);
    Ok(addition)
}

/// Whether a file is in one of the two folders, is the ignore file, or is a link in place of one
/// of the folders.
fn concerns(file: &TreeFile, own: &str) -> bool {
    let inside = file.path.starts_with(ALL) || file.path.starts_with(own);
    let as_folder = format!("{}/", file.path);
    let in_place = matches!(file.content, FileContent::Link(_))
        && (as_folder == ALL || own.starts_with(&as_folder));
    inside || in_place || file.path == crate::ignore::FILE
}

fn in_overlay(mut refusal: Refusal) -> Refusal {
    if let Refusal::HelmChart { file }
    | Refusal::Kustomization { file }
    | Refusal::LinkOut { file }
    | Refusal::PathOut { file } = &mut refusal
    {
        file.insert_str(0, PREFIX);
    }
    refusal
}

/// Merges the patches, those for all first, into the manifests they name.
///
/// A patch that cannot be merged costs its object too: half of what the environment wants may be
/// worse than what runs.
pub(crate) fn patch(
    subject: &Subject<'_>,
    manifests: &mut Vec<Manifest>,
    addition: &Addition,
    problems: &mut Vec<Problem>,
) {
    if addition.patches.is_empty() {
        return;
    }
    let namespace = Some(subject.namespace);
    let mut index: BTreeMap<ObjectId, usize> = BTreeMap::new();
    for (position, manifest) in manifests.iter().enumerate() {
        index.insert(manifest.id(namespace), position);
    }
    let mut lost = vec![false; manifests.len()];
    for Patch {
        manifest: patch,
        for_all,
    } in &addition.patches
    {
        let id = patch.id(namespace);
        // It is what the place wants of this one, after what it wants of all.
        if *for_all && addition.own.contains(&id) {
            continue;
        }
        let target = index.get(&id).copied().filter(|position| !lost[*position]);
        let Some(position) = target else {
            if !for_all {
                let message = format!("the patch finds no `{}`", patch.id(None));
                let problem = Problem::new(ProblemReason::PatchWithoutTarget, message);
                problems.push(problem.at(&patch.file, patch.line));
            }
            continue;
        };
        let target = &mut manifests[position];
        let lists = Lists::of_group(target.group());
        match merge(target.value_mut(), patch.value(), lists) {
            Ok(Merged::Changed) => {}
            Ok(Merged::Deleted) => lost[position] = true,
            Err(why) => {
                lost[position] = true;
                let message = format!(
                    "{why}; `{}` of {}:{} is left out",
                    patch.id(None),
                    target.file,
                    target.line
                );
                problems.push(
                    Problem::new(ProblemReason::PatchInvalid, message).at(&patch.file, patch.line),
                );
            }
        }
    }
    let mut position = 0;
    manifests.retain(|_| {
        position += 1;
        !lost[position - 1]
    });
}
