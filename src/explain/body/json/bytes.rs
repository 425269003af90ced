//! Bytes that a document lists as numbers.

use crate::explain::body::json::document::{Document, Node};

/// The bytes of a list of numbers, of an object that has one as `data`, or of one whose names are
/// their places.
pub(in crate::explain::body) fn of(document: &Document<'_>) -> Option<Vec<u8>> {
    let listed = |node: &Node| match node {
        Node::List(_, items) if !items.is_empty() => {
            items.iter().map(|item| byte(document, item)).collect()
        }
        _ => None,
    };
    if let Some(bytes) = listed(&document.root) {
        return Some(bytes);
    }
    let Node::Map(_, members) = &document.root else {
        return None;
    };
    let data = members
        .iter()
        .find(|(name, _)| document.key(*name) == "data");
    if let Some(bytes) = data.and_then(|(_, node)| listed(node)) {
        return Some(bytes);
    }
    let numbered = members.iter().enumerate().map(|(place, (name, node))| {
        let is_next = document.key(*name) == place.to_string();
        is_next.then(|| byte(document, node))?
    });
    let numbered: Option<Vec<u8>> = numbered.collect();
    numbered.filter(|bytes| !bytes.is_empty())
}

fn byte(document: &Document<'_>, node: &Node) -> Option<u8> {
    let text = std::str::from_utf8(document.raw(node)).ok()?;
    text.parse().ok()
}
