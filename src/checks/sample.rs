//! The failing rows that a report shows: the row's key and the column that is wrong first,
//! then others, in an order that does not change from run to run where that is cheap.

use crate::event::Sample;
use crate::graph::{Detail, GenericTest, Graph, Node};
use crate::names::quote_ident;
use crate::session::Session;
use serde_json::Value as Json;

use super::SAMPLE_ROWS;

/// So many columns of a wide row are shown.
const COLUMNS: usize = 12;
/// Longer values are cut: a report is read, not loaded.
const VALUE: usize = 300;
/// Up to so many failing rows, sorting them costs nothing to speak of.
const SORTED: u64 = 10_000;

/// What a sample is taken of.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// All nodes.
    pub graph: &'a Graph,
    /// The test.
    pub test: &'a Node,
    /// The SQL that selects its failing rows.
    pub sql: &'a str,
    /// How many there are.
    pub failures: u64,
}

/// The sample to show. `plain` is what stands in for it where no better query is known or the
/// better query does not run.
pub async fn better(
    wanted: Wanted<'_>,
    plain: Option<Sample>,
    session: &dyn Session,
) -> Option<Sample> {
    let Detail::GenericTest(test) = &wanted.test.detail else {
        return plain.map(|sample| arranged(sample, &[]));
    };
    let tested = wanted.graph.node(test.attached);
    let keys = keys(wanted.graph, tested);
    let first: Vec<String> = keys.iter().cloned().chain(test.column.clone()).collect();
    let identifiers: Vec<String> = keys.iter().map(|key| identifier(tested, key)).collect();
    let query = with_keys(test, wanted.sql, &identifiers).unwrap_or_else(|| wanted.sql.to_owned());
    let has_keys = query != wanted.sql || returns_rows(test);
    let order = match test.test.as_str() {
        _ if wanted.failures > SORTED => None,
        "unique" | "accepted_values" | "grain_unique" => Some("n_records desc, 1".to_owned()),
        _ if has_keys && !identifiers.is_empty() => Some(identifiers.join(", ")),
        "relationships" => Some("1".to_owned()),
        "reconciles" => Some("first_seen, class, key".to_owned()),
        _ => None,
    };
    let order = order.map_or(String::new(), |by| format!(" order by {by}"));
    let sql = format!("select * from (\n{query}\n) marts_sample{order} limit {SAMPLE_ROWS}");
    let found = session.query(&sql).await.ok().map(|table| Sample {
        columns: table.columns.into_iter().map(|c| c.name).collect(),
        rows: table.rows,
    });
    let sample = found.filter(|s| !s.rows.is_empty()).or(plain);
    sample.map(|sample| arranged(sample, &first))
}

/// Whether a test of ours returns whole rows of the relation.
fn returns_rows(test: &GenericTest) -> bool {
    matches!(test.test.as_str(), "value_between" | "expression_is_true")
}

/// Our own `not_null` and `relationships` return the column alone; the same with the key
/// before it. `None` where the text is another, for example of an overridden macro.
fn with_keys(test: &GenericTest, sql: &str, keys: &[String]) -> Option<String> {
    let column = test.arguments.get("column_name")?.as_str()?;
    let keys: Vec<&str> = keys
        .iter()
        .map(String::as_str)
        .filter(|k| *k != column)
        .collect();
    if keys.is_empty() {
        return None;
    }
    let keys = keys.join(", ");
    match test.test.as_str() {
        "not_null" => {
            let rest = sql
                .trim_start()
                .strip_prefix(&format!("select {column}\nfrom "))?;
            Some(format!("select {keys}, {column}\nfrom {rest}"))
        }
        "relationships" => {
            let rest = sql.trim_start().strip_prefix("select child.from_field\n")?;
            let inner = format!("select {column} as from_field");
            rest.contains(&inner).then(|| {
                let rest =
                    rest.replacen(&inner, &format!("select {keys}, {column} as from_field"), 1);
                format!("select child.*\n{rest}")
            })
        }
        _ => None,
    }
}

/// The columns that tell a row of a node from others, as described: its primary key, its
/// `unique_key`, a column that is tested to be unique, or its tested grain.
pub fn keys(graph: &Graph, node: &Node) -> Vec<String> {
    let primary = primary_key(node);
    if !primary.is_empty() {
        return primary;
    }
    let unique_key = &node.config.unique_key;
    if !unique_key.is_empty() && unique_key.iter().all(|key| is_plain(key)) {
        return unique_key.clone();
    }
    let Some(ix) = graph.find(&node.id) else {
        return Vec::new();
    };
    let mut grain = Vec::new();
    for child in graph.children(ix) {
        let Detail::GenericTest(test) = &graph.node(child).detail else {
            continue;
        };
        if test.attached != ix {
            continue;
        }
        match (test.test.as_str(), &test.column) {
            ("unique", Some(column)) => return vec![column.clone()],
            ("grain_unique" | "unique_combination_of_columns", _) if grain.is_empty() => {
                grain = grain_of(test);
            }
            _ => {}
        }
    }
    grain
}

fn grain_of(test: &GenericTest) -> Vec<String> {
    let columns = test.arguments.get("columns");
    let columns = columns.or(test.arguments.get("combination_of_columns"));
    columns.map(texts).unwrap_or_default()
}

fn primary_key(node: &Node) -> Vec<String> {
    let is_primary = |c: &&Json| c.get("type").and_then(Json::as_str) == Some("primary_key");
    let constraints = |json: Option<&Json>| json.and_then(Json::as_array).cloned();
    let of_node = constraints(node.other.get("constraints")).unwrap_or_default();
    if let Some(primary) = of_node.iter().find(is_primary) {
        return primary.get("columns").map(texts).unwrap_or_default();
    }
    let columns = node.columns.iter();
    let columns = columns.filter(|(_, info)| {
        let own = constraints(info.other.get("constraints")).unwrap_or_default();
        own.iter().any(|c| is_primary(&c))
    });
    columns.map(|(name, _)| name.clone()).collect()
}

fn texts(value: &Json) -> Vec<String> {
    match value {
        Json::Array(items) => items
            .iter()
            .filter_map(Json::as_str)
            .map(str::to_owned)
            .collect(),
        Json::String(text) => vec![text.clone()],
        _ => Vec::new(),
    }
}

/// Whether a text is a name that needs no quotes.
fn is_plain(text: &str) -> bool {
    let first = text.chars().next();
    first.is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$')
}

/// A described column in SQL, quoted as its description asks for.
fn identifier(node: &Node, column: &str) -> String {
    let quoted = node.columns.get(column).is_some_and(|info| info.quote);
    match quoted || !(is_plain(column) || column.starts_with('"')) {
        true => quote_ident(column),
        false => column.to_owned(),
    }
}

/// The named columns first, then others as far as they fit; long values cut.
fn arranged(sample: Sample, first: &[String]) -> Sample {
    let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b.trim_matches('"'));
    let mut order: Vec<usize> = Vec::new();
    for name in first {
        let at = sample.columns.iter().position(|column| same(column, name));
        order.extend(at.filter(|at| !order.contains(at)));
    }
    let rest: Vec<usize> = (0..sample.columns.len())
        .filter(|at| !order.contains(at))
        .collect();
    order.extend(rest);
    order.truncate(COLUMNS.max(first.len()));
    let cut = |value: &str| match value.char_indices().nth(VALUE) {
        Some((at, _)) => format!("{}…", &value[..at]),
        None => value.to_owned(),
    };
    let row = |row: &Vec<Option<String>>| {
        let cells = order.iter().map(|at| row.get(*at).cloned().flatten());
        cells.map(|cell| cell.as_deref().map(cut)).collect()
    };
    Sample {
        columns: order.iter().map(|at| sample.columns[*at].clone()).collect(),
        rows: sample.rows.iter().map(row).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(columns: &[&str]) -> Sample {
        Sample {
            columns: columns.iter().map(|c| (*c).to_owned()).collect(),
            rows: vec![columns.iter().map(|c| Some(format!("{c}!"))).collect()],
        }
    }

    #[test]
    fn the_key_and_the_column_come_first() {
        let first = [
            "ID".to_owned(),
            "\"amount\"".to_owned(),
            "absent".to_owned(),
        ];
        let shown = arranged(sample(&["a", "amount", "b", "id"]), &first);
        assert_eq!(shown.columns, ["id", "amount", "a", "b"]);
        assert_eq!(shown.rows[0][0].as_deref(), Some("id!"));
    }

    #[test]
    fn wide_rows_and_long_values_are_cut() {
        let names: Vec<String> = (0..40).map(|i| format!("c{i}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut wide = sample(&names);
        wide.rows[0][0] = Some("é".repeat(5000));
        let shown = arranged(wide, &["c39".to_owned()]);
        assert_eq!(shown.columns.len(), COLUMNS);
        assert_eq!(shown.columns[0], "c39");
        let long = shown.rows[0][1].as_deref().unwrap();
        assert_eq!(long.chars().count(), VALUE + 1);
    }
}
