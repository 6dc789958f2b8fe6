//! From a node's template to the SQL that is sent: rendering, the queries of ephemeral
//! models put in front, the file under `target/compiled`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::graph::{Detail, Graph, Node, NodeIx, ResourceKind};
use crate::jinja::Template;
use crate::session::SessionError;

use super::names::ephemeral_cte;
use super::session::RunSession;

/// Where a node's compiled SQL goes, relative to the project's folder.
pub(super) fn compiled_path(target_path: &str, node: &Node) -> PathBuf {
    path_under(Path::new(target_path).join("compiled"), node)
}

/// Where the statements that made a node go.
pub(super) fn run_path(target_path: &str, node: &Node) -> PathBuf {
    path_under(Path::new(target_path).join("run"), node)
}

fn path_under(folder: PathBuf, node: &Node) -> PathBuf {
    let mut path = folder.join(&node.package);
    match &node.detail {
        // One property file declares many tests; each gets a file in a folder of its name.
        Detail::GenericTest(test) => {
            path.push(&node.path);
            path.push(format!("{}.sql", file_name(&test.short_name)));
        }
        Detail::UnitTest(_) => {
            path.push(&node.path);
            // Its name is its own among the tests of its model, which stands before it.
            let model = node.fqn.iter().rev().nth(1).map_or("", String::as_str);
            path.push(file_name(model));
            let version = node.model.version.as_ref();
            let version = version.map_or_else(String::new, |v| format!("_v{}", v.text()));
            path.push(format!("{}{version}.sql", file_name(&node.name)));
        }
        _ => path.push(&node.path),
    }
    // One file may hold several snapshots.
    let stem = path
        .file_stem()
        .is_some_and(|stem| stem == node.name.as_str());
    if node.kind == ResourceKind::Snapshot && !stem {
        path.set_extension("");
        path.push(format!("{}.sql", file_name(&node.name)));
    }
    if path.extension().is_none_or(|e| e != "sql") {
        path.set_extension("sql");
    }
    path
}

/// A test's own name may hold anything; a file's may not.
fn file_name(name: &str) -> String {
    let safe: String = name
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || "_-.".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    let mut end = safe.len().min(200);
    while !safe.is_char_boundary(end) {
        end -= 1;
    }
    safe[..end].to_owned()
}

/// The node's SQL with the queries of the ephemeral models that it reads.
pub(super) fn compile(
    graph: &Graph,
    ix: NodeIx,
    session: &RunSession,
    context_of: &(dyn Fn(NodeIx) -> Arc<crate::jinja::NodeContext> + Sync),
) -> Result<String, SessionError> {
    let own = render(graph, ix, session, context_of)?;
    with_ephemeral(graph, ix, own, session, context_of)
}

/// A query of the node, with those of the ephemeral models that the node reads.
pub(super) fn with_ephemeral(
    graph: &Graph,
    ix: NodeIx,
    own: String,
    session: &RunSession,
    context_of: &(dyn Fn(NodeIx) -> Arc<crate::jinja::NodeContext> + Sync),
) -> Result<String, SessionError> {
    let mut ctes = Vec::new();
    for parent in ephemeral_ancestors(graph, ix) {
        let sql = render(graph, parent, session, context_of)?;
        ctes.push((ephemeral_cte(&graph.node(parent).name).to_string(), sql));
    }
    Ok(with_ctes(&own, &ctes))
}

fn render(
    graph: &Graph,
    ix: NodeIx,
    session: &RunSession,
    context_of: &(dyn Fn(NodeIx) -> Arc<crate::jinja::NodeContext> + Sync),
) -> Result<String, SessionError> {
    let node = graph.node(ix);
    let Some(file) = node.file else {
        return Ok(String::new());
    };
    let template = Template {
        file,
        text: Arc::from(node.raw_code.as_str()),
        first_line: node.first_line,
    };
    let text = session.render_template(&template, context_of(ix))?;
    Ok(trim_sql(&text).to_owned())
}

/// Without empty lines around it and without a semicolon at its end, so that it can stand
/// inside other statements.
pub(super) fn trim_sql(text: &str) -> &str {
    let text = text.trim_start_matches(['\n', '\r']).trim_end();
    text.strip_suffix(';').map_or(text, str::trim_end)
}

/// Ephemeral models that a node reads, directly or through others, each after what it reads.
fn ephemeral_ancestors(graph: &Graph, ix: NodeIx) -> Vec<NodeIx> {
    fn visit(graph: &Graph, ix: NodeIx, found: &mut Vec<NodeIx>) {
        for parent in &graph.node(ix).parents {
            if graph.node(*parent).is_ephemeral() && !found.contains(parent) {
                visit(graph, *parent, found);
                found.push(*parent);
            }
        }
    }
    let mut found = Vec::new();
    visit(graph, ix, &mut found);
    found
}

/// Puts common table expressions in front of a query, before its own if it has some.
pub(super) fn with_ctes(sql: &str, ctes: &[(String, String)]) -> String {
    if ctes.is_empty() {
        return sql.to_owned();
    }
    let list: Vec<String> = ctes
        .iter()
        .map(|(name, sql)| format!("{name} as (\n{sql}\n)"))
        .collect();
    let list = list.join(",\n");
    let start = skip_comments(sql);
    let (before, query) = sql.split_at(start);
    match strip_word(query, "with") {
        Some(rest) => match strip_word(rest.trim_start(), "recursive") {
            Some(rest) => format!("{before}with recursive {list},{rest}"),
            None => format!("{before}with {list},{rest}"),
        },
        None => format!("{before}with {list}\n{query}"),
    }
}

/// The byte at which the first word of a statement begins.
fn skip_comments(sql: &str) -> usize {
    let mut at = 0;
    loop {
        let rest = &sql[at..];
        let trimmed = rest.trim_start();
        at += rest.len() - trimmed.len();
        let comment = if trimmed.starts_with("--") {
            trimmed.find('\n').map(|end| end + 1)
        } else if trimmed.starts_with("/*") {
            trimmed.find("*/").map(|end| end + 2)
        } else {
            return at;
        };
        match comment {
            Some(length) => at += length,
            None => return sql.len(),
        }
    }
}

/// What follows a keyword, if the text begins with it as a whole word.
fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let head = text.get(..word.len())?;
    let rest = &text[word.len()..];
    let ends = !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    (head.eq_ignore_ascii_case(word) && ends).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cte() -> Vec<(String, String)> {
        vec![("__dbt__cte__a".to_owned(), "select 1".to_owned())]
    }

    #[test]
    fn an_ephemeral_query_goes_before_the_readers_own_ctes() {
        assert_eq!(
            with_ctes("-- c\nwith b as (select 2) select * from b", &cte()),
            "-- c\nwith __dbt__cte__a as (\nselect 1\n), b as (select 2) select * from b"
        );
        assert_eq!(
            with_ctes("select within from x", &cte()),
            "with __dbt__cte__a as (\nselect 1\n)\nselect within from x"
        );
        assert_eq!(
            with_ctes("WITH RECURSIVE t as (select 1) select * from t", &cte()),
            "with recursive __dbt__cte__a as (\nselect 1\n), t as (select 1) select * from t"
        );
        assert_eq!(with_ctes("select 1", &[]), "select 1");
    }

    #[test]
    fn a_semicolon_at_the_end_goes() {
        assert_eq!(trim_sql("\n select 1 ;\n"), " select 1");
    }

    #[test]
    fn a_tests_name_becomes_a_harmless_file_name() {
        assert_eq!(file_name("../../etc/passwd"), ".._.._etc_passwd");
    }
}
