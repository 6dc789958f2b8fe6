//! The tags of a node: its own, and those that it takes from what it belongs to.

use serde_json::Value as Json;

use super::{Detail, Graph, Node, ResourceKind};

impl Graph {
    /// A node's tags, each once: those of its config, beside a source's config, and for a
    /// generic test those of its column or source.
    pub fn tags<'a>(&'a self, node: &'a Node) -> Vec<&'a str> {
        let mut tags: Vec<&str> = node.config.tags.iter().map(String::as_str).collect();
        if let Detail::RunHook { tag, .. } = &node.detail {
            tags.push(tag);
        }
        let mut add = |more: Option<&'a Json>| match more {
            Some(Json::String(tag)) if !tags.contains(&tag.as_str()) => tags.push(tag),
            Some(Json::Array(list)) => {
                for tag in list.iter().filter_map(Json::as_str) {
                    if !tags.contains(&tag) {
                        tags.push(tag);
                    }
                }
            }
            _ => {}
        };
        if node.kind == ResourceKind::Source {
            add(node.other.get("tags"));
        }
        if let Detail::GenericTest(test) = &node.detail {
            let attached = self.node(test.attached);
            if attached.kind == ResourceKind::Source {
                add(attached.config.raw.get("tags"));
                add(attached.other.get("tags"));
            }
            let column = test.column.as_ref().and_then(|c| attached.columns.get(c));
            if let Some(column) = column {
                add(column.other.get("tags"));
                add(column.other.get("config").and_then(|c| c.get("tags")));
            }
        }
        tags
    }
}
