//! Graphs made by hand, for unit tests: `model("a").reads("b")` and the like.

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::{Detail, GenericTest, Graph, NameTable, Node, NodeIx, ResourceKind};
use crate::names::{NodeId, Relation};
use crate::project::{ConfigMap, ConfigOrigin, NodeConfig};

/// A node to be, and the names of those that it reads.
pub(crate) struct Made {
    node: Node,
    reads: Vec<String>,
}

pub(crate) fn model(name: &str) -> Made {
    made(ResourceKind::Model, name, &format!("models/{name}.sql"))
}

pub(crate) fn seed(name: &str) -> Made {
    made(ResourceKind::Seed, name, &format!("seeds/{name}.csv"))
}

pub(crate) fn snapshot(name: &str) -> Made {
    made(
        ResourceKind::Snapshot,
        name,
        &format!("snapshots/{name}.sql"),
    )
}

/// A table `source.table`.
pub(crate) fn source(source: &str, table: &str) -> Made {
    let mut made = made(ResourceKind::Source, table, "models/sources.yml");
    made.node.id = NodeId::new(format!("source.shop.{source}.{table}"));
    made.node.fqn = vec!["shop".into(), source.into(), table.into()];
    made.node.detail = Detail::Source {
        source: source.to_owned(),
        loaded_at_field: None,
        freshness: None,
    };
    made
}

/// A singular test.
pub(crate) fn singular_test(name: &str) -> Made {
    let mut made = made(ResourceKind::Test, name, &format!("tests/{name}.sql"));
    made.node.detail = Detail::SingularTest;
    made
}

/// A generic test of the macro `test`; its first parent is what it tests.
pub(crate) fn generic_test(test: &str, name: &str) -> Made {
    let mut made = made(ResourceKind::Test, name, "models/schema.yml");
    made.node.detail = Detail::GenericTest(GenericTest {
        test: test.to_owned(),
        namespace: None,
        attached: NodeIx(0),
        column: None,
        arguments: IndexMap::new(),
        config: IndexMap::new(),
        short_name: name.to_owned(),
    });
    made
}

fn made(kind: ResourceKind, name: &str, path: &str) -> Made {
    let relation = match kind {
        ResourceKind::Test | ResourceKind::Exposure => None,
        _ => Some(Relation::new("db", "public", name)),
    };
    let node = Node {
        path: path.to_owned(),
        fqn: vec!["shop".to_owned(), name.to_owned()],
        raw_code: format!("select 1 as {name}"),
        relation,
        ..Node::bare(format!("{}.shop.{name}", kind.as_str()), kind, "shop", name)
    };
    Made {
        node,
        reads: Vec::new(),
    }
}

impl Made {
    /// Names of the nodes that it reads, blanks between.
    pub(crate) fn reads(mut self, names: &str) -> Self {
        self.reads
            .extend(names.split_whitespace().map(str::to_owned));
        self
    }

    /// Its path, which also gives its qualified name.
    pub(crate) fn path(mut self, path: &str) -> Self {
        let mut parts: Vec<&str> = path.split('/').collect();
        parts.pop();
        let mut fqn = vec![self.node.package.clone()];
        fqn.extend(parts.into_iter().skip(1).map(str::to_owned));
        fqn.push(self.node.name.clone());
        self.node.fqn = fqn;
        self.node.path = path.to_owned();
        self
    }

    pub(crate) fn config(mut self, json: Json) -> Self {
        let raw: ConfigMap = match json {
            Json::Object(map) => map.into_iter().collect(),
            _ => ConfigMap::new(),
        };
        let origin = ConfigOrigin {
            what: "a node",
            place: &|_| None,
            file: None,
        };
        let (config, problems) = NodeConfig::new(raw, "view", &origin);
        assert!(problems.is_empty(), "{problems:?}");
        self.node.config = config.into();
        self
    }

    pub(crate) fn package(mut self, package: &str) -> Self {
        self.node.package = package.to_owned();
        self.node.fqn[0] = package.to_owned();
        self.node.id = NodeId::new(
            self.node
                .id
                .as_str()
                .replace(".shop.", &format!(".{package}.")),
        );
        self
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Node)) -> Self {
        change(&mut self.node);
        self
    }
}

/// The graph of these nodes, in this order.
pub(crate) fn graph(made: Vec<Made>) -> Graph {
    let names: Vec<String> = made.iter().map(|m| m.node.name.clone()).collect();
    let find = |name: &String| {
        let index = names.iter().position(|known| known == name);
        NodeIx(index.expect("a fixture reads nodes that it has") as u32)
    };
    let (mut nodes, mut disabled) = (Vec::new(), Vec::new());
    for m in made {
        let mut node = m.node;
        node.parents = m.reads.iter().map(find).collect();
        if let (Detail::GenericTest(test), Some(first)) = (&mut node.detail, node.parents.first()) {
            test.attached = *first;
        }
        if node.config.enabled {
            nodes.push(Box::new(node));
        } else {
            disabled.push(Box::new(node));
        }
    }
    let table = NameTable::new(&nodes, &disabled);
    Graph::new(nodes, table, disabled)
}
