//! Which node a comment belongs to: by its line alone, as in ytt.

use std::collections::BTreeMap;

use crate::yaml::parse::{Comment, Node, NodeKind};

/// The comments of each node, by the node's index, and those that no node came for.
pub(crate) struct Attached {
    pub(crate) of: BTreeMap<usize, Vec<Comment>>,
    pub(crate) left: Vec<Comment>,
}

/// Gives each comment to the last node that begins on its line, or else to the first one on the
/// next line where one begins.
pub(crate) fn attach(nodes: &[Node], comments: Vec<Comment>) -> Attached {
    // On each line the first node and the last.
    let mut lines: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        let begins = matches!(
            node.kind,
            NodeKind::Document | NodeKind::MapItem(_) | NodeKind::ArrayItem
        );
        let Some(place) = node.place.filter(|_| begins) else {
            continue;
        };
        lines
            .entry(place.line)
            .and_modify(|(_, last)| *last = index)
            .or_insert((index, index));
    }
    let mut attached = Attached {
        of: BTreeMap::new(),
        left: Vec::new(),
    };
    for comment in comments {
        let line = comment.place.line;
        let node = lines
            .get(&line)
            .map(|(_, last)| *last)
            .or_else(|| lines.range(line..).next().map(|(_, (first, _))| *first));
        match node {
            Some(node) => attached.of.entry(node).or_default().push(comment),
            None => attached.left.push(comment),
        }
    }
    attached
}
