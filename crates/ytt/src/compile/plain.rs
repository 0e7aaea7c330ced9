//! YAML without code.

use crate::plain::Plain;
use crate::yaml::{NodeKind, Stream};

/// The documents of a file. Of equal keys in a map the last wins.
pub(crate) fn documents(stream: &Stream) -> Vec<Plain> {
    let mut values: Vec<Option<Plain>> = vec![None; stream.nodes.len()];
    let mut documents = Vec::new();
    // Children come behind their parents, so backwards every value is whole when it is taken.
    for (index, node) in stream.nodes.iter().enumerate().rev() {
        let own = values[index].take();
        let value = match &node.kind {
            NodeKind::Scalar(value) => value.clone(),
            NodeKind::Map => reversed(own.unwrap_or(Plain::Map(Vec::new()))),
            NodeKind::Array => reversed(own.unwrap_or(Plain::List(Vec::new()))),
            NodeKind::Document | NodeKind::MapItem(_) | NodeKind::ArrayItem => {
                own.unwrap_or(Plain::Null)
            }
        };
        let Some(parent) = node.parent else {
            documents.push(value);
            continue;
        };
        match (&node.kind, &mut values[parent]) {
            (NodeKind::MapItem(key), Some(Plain::Map(items))) => {
                // Backwards the first that is seen is the last.
                if !items.iter().any(|(other, _)| other == key) {
                    items.push((key.clone(), value));
                }
            }
            (NodeKind::MapItem(key), slot) => *slot = Some(Plain::Map(vec![(key.clone(), value)])),
            (NodeKind::ArrayItem, Some(Plain::List(items))) => items.push(value),
            (NodeKind::ArrayItem, slot) => *slot = Some(Plain::List(vec![value])),
            (_, slot) => *slot = Some(value),
        }
    }
    documents.reverse();
    documents
}

fn reversed(value: Plain) -> Plain {
    match value {
        Plain::Map(mut items) => {
            items.reverse();
            Plain::Map(items)
        }
        Plain::List(mut items) => {
            items.reverse();
            Plain::List(items)
        }
        other => other,
    }
}
