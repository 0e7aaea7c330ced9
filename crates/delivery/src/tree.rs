//! The objects of an application as a tree, for a reader.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use manifest::ObjectId;

use crate::health::Health;

/// How deep a tree may get; what lies deeper hangs at the last level.
const MAX_LEVELS: usize = 16;

/// One object with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Which object.
    pub id: ObjectId,
    /// How far it is.
    pub health: Health,
    /// What belongs to it, sorted.
    pub children: Vec<Node>,
}

/// All objects of an application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// The objects that belong to no other, sorted.
    pub roots: Vec<Node>,
}

/// One object before it has its place.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// Which object.
    pub id: ObjectId,
    /// Which object it belongs to.
    pub owner: Option<ObjectId>,
    /// How far it is.
    pub health: Health,
}

impl Tree {
    /// Hangs every object below its owner. One whose owner is not there is a root, and so is one
    /// of each circle of owners, so that every object is somewhere.
    pub fn of(leaves: Vec<Leaf>) -> Self {
        let known: BTreeSet<ObjectId> = leaves.iter().map(|leaf| leaf.id.clone()).collect();
        let mut pending = Pending::default();
        let mut roots = Vec::new();
        for leaf in leaves {
            let owner = leaf
                .owner
                .clone()
                .filter(|owner| known.contains(owner) && *owner != leaf.id);
            match owner {
                Some(owner) => pending.by_owner.entry(owner).or_default().push(leaf),
                None => roots.push(leaf),
            }
        }
        let mut tree = Self {
            roots: pending.nodes(roots, 1),
        };
        // What is still pending hangs in a circle.
        while let Some((_, leaves)) = pending.by_owner.pop_first() {
            tree.roots.append(&mut pending.nodes(leaves, 1));
        }
        tree.roots.sort_by(|a, b| a.id.cmp(&b.id));
        tree
    }
}

#[derive(Default)]
struct Pending {
    by_owner: BTreeMap<ObjectId, Vec<Leaf>>,
}

impl Pending {
    fn nodes(&mut self, mut leaves: Vec<Leaf>, level: usize) -> Vec<Node> {
        leaves.sort_by(|a, b| a.id.cmp(&b.id));
        let mut nodes = Vec::with_capacity(leaves.len());
        for leaf in leaves {
            let mut below = self.by_owner.remove(&leaf.id).unwrap_or_default();
            if level >= MAX_LEVELS {
                below = self.all_below(below);
                nodes.push(Node {
                    id: leaf.id,
                    health: leaf.health,
                    children: flat(below),
                });
                continue;
            }
            let children = self.nodes(below, level + 1);
            nodes.push(Node {
                id: leaf.id,
                health: leaf.health,
                children,
            });
        }
        nodes
    }

    fn all_below(&mut self, mut leaves: Vec<Leaf>) -> Vec<Leaf> {
        let mut index = 0;
        while index < leaves.len() {
            leaves.extend(self.by_owner.remove(&leaves[index].id).unwrap_or_default());
            index += 1;
        }
        leaves
    }
}

fn flat(mut leaves: Vec<Leaf>) -> Vec<Node> {
    leaves.sort_by(|a, b| a.id.cmp(&b.id));
    leaves
        .into_iter()
        .map(|leaf| Node {
            id: leaf.id,
            health: leaf.health,
            children: Vec::new(),
        })
        .collect()
}

/// Prints one line for each object: its identity, indented, how far it is, and why.
impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.roots
            .iter()
            .try_for_each(|root| write_node(f, root, 0))
    }
}

fn write_node(f: &mut fmt::Formatter<'_>, node: &Node, level: usize) -> fmt::Result {
    let (id, health) = (&node.id, &node.health);
    write!(
        f,
        "{:indent$}{id} {}",
        "",
        health.status.as_str(),
        indent = level * 2
    )?;
    if !health.reason.is_empty() {
        write!(f, " {}", health.reason)?;
    }
    writeln!(f)?;
    node.children
        .iter()
        .try_for_each(|child| write_node(f, child, level + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// Builds a tree of `name` and `name<owner`.
    #[track_caller]
    fn check(leaves: &str, seen: &str) {
        assert_eq!(
            tree(leaves)
                .to_string()
                .replace(" NotFound NotFound", "")
                .replace("Pod/", ""),
            seen
        );
    }

    fn tree(leaves: &str) -> Tree {
        let id = |name: &str| ObjectId {
            group: String::new(),
            kind: "Pod".into(),
            namespace: None,
            name: name.into(),
        };
        let leaf = |word: &str| {
            let (name, owner) = word
                .split_once('<')
                .map_or((word, None), |(name, owner)| (name, Some(owner)));
            Leaf {
                id: id(name),
                owner: owner.map(id),
                health: crate::health::health(&Value::Null, None),
            }
        };
        Tree::of(leaves.split_whitespace().map(leaf).collect())
    }

    #[test]
    fn hangs_objects_below_their_owner() {
        check("c<b b<a a z d<a", "a\n  b\n    c\n  d\nz\n");
    }

    #[test]
    fn keeps_what_has_no_owner_here() {
        check("b<gone a<a", "a\nb\n");
        check("a<b b<a c<b", "b\n  a\n  c\n");
    }

    #[test]
    fn bounds_the_depth() {
        let links = (1..100_000).map(|n| format!("p{n:06}<p{:06} ", n - 1));
        let chain = links.collect::<Vec<_>>().concat();
        let tree = tree(&format!("p000000 {chain}"));
        assert_eq!(tree.to_string().lines().count(), 100_000);
    }
}
