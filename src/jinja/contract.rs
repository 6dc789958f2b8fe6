//! A broken contract on its way out of the engine: what the query gives beside what the contract
//! promises, as one table.

use minijinja::{Error, ErrorKind, Value};

use super::NodeContext;
use crate::diag::{Diagnostic, codes, nearest};

/// A column with its type.
type Column = (String, String);

/// The columns of both sides, in order.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the query does not give the columns of its contract")]
pub(super) struct BrokenContract {
    declared: Vec<Column>,
    found: Vec<Column>,
}

/// The error of `exceptions.raise_contract_error(yaml_columns, sql_columns)`; each column has a
/// `name` and a `data_type`, as in dbt.
pub(super) fn raise(declared: &Value, found: &Value) -> Error {
    let columns = |list: &Value| -> Vec<Column> {
        let items = list.try_iter().into_iter().flatten();
        let part = |column: &Value, key: &str| {
            let value = column.get_attr(key).unwrap_or_default();
            value.to_string()
        };
        items
            .map(|column| {
                (
                    part(&column, "name"),
                    shown_type(&part(&column, "data_type")),
                )
            })
            .collect()
    };
    let broken = BrokenContract {
        declared: columns(declared),
        found: columns(found),
    };
    Error::new(ErrorKind::InvalidOperation, broken.to_string()).with_source(broken)
}

/// A type as dbt's users see it: Postgres' name in capitals, and dbt's own (its driver's) where
/// that is another.
fn shown_type(data_type: &str) -> String {
    let shown = data_type.to_uppercase();
    let (element, array) = match shown.strip_suffix("[]") {
        Some(element) => (element, "ARRAY"),
        None => (shown.as_str(), ""),
    };
    let bare = element.split('(').next().unwrap_or(element).trim();
    let of_dbt = match bare {
        "TEXT" if array.is_empty() => "TEXT",
        "TEXT" | "CHARACTER VARYING" | "CHARACTER" | "NAME" => "STRING",
        "SMALLINT" => "INTEGER",
        "BIGINT" => "LONGINTEGER",
        "REAL" | "DOUBLE PRECISION" => "FLOAT",
        "NUMERIC" => "DECIMAL",
        "BYTEA" => "BINARY",
        "TIMESTAMP WITHOUT TIME ZONE" => "DATETIME",
        "TIMESTAMP WITH TIME ZONE" => "DATETIMETZ",
        other => other,
    };
    let of_dbt = format!("{of_dbt}{array}");
    if array.is_empty() && of_dbt == bare {
        shown
    } else {
        format!("{shown} ({of_dbt})")
    }
}

/// The broken contract inside an error, if it carries one.
pub(super) fn broken(error: &Error) -> Option<&BrokenContract> {
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(found) = inner.downcast_ref() {
            return Some(found);
        }
        source = inner.source();
    }
    None
}

/// A column of both sides, and what is wrong with it.
struct Line<'a> {
    name: &'a str,
    found: &'a str,
    declared: &'a str,
    reason: &'static str,
}

impl BrokenContract {
    fn lines(&self) -> Vec<Line<'_>> {
        let mut lines = Vec::new();
        for (name, found) in &self.found {
            let declared = self.declared.iter().find(|(n, _)| n == name);
            let (declared, reason) = match declared {
                None => ("", "missing in contract"),
                Some((_, declared)) if declared != found => {
                    (declared.as_str(), "data type mismatch")
                }
                Some(_) => continue,
            };
            lines.push(Line {
                name,
                found,
                declared,
                reason,
            });
        }
        for (name, declared) in &self.declared {
            if !self.found.iter().any(|(n, _)| n == name) {
                lines.push(Line {
                    name,
                    found: "",
                    declared,
                    reason: "missing in definition",
                });
            }
        }
        lines.sort_by_key(|line| line.name);
        lines
    }

    /// What the user is told.
    pub(super) fn diagnostic(&self, node: &NodeContext) -> Diagnostic {
        let of = |key: &str| node.model.get(key).and_then(serde_json::Value::as_str);
        let message = format!(
            "model `{}` breaks its contract: its query does not give the promised columns",
            of("name").unwrap_or_else(|| node.id.as_str())
        );
        let lines = self.lines();
        let mut diagnostic = Diagnostic::error(codes::CONTRACT_BROKEN, message);
        if let Some(path) = of("original_file_path") {
            diagnostic = diagnostic.in_file(path);
        }
        for row in table(&lines) {
            diagnostic = diagnostic.note(row);
        }
        diagnostic.hint(self.hint(&lines))
    }

    fn hint(&self, lines: &[Line<'_>]) -> String {
        let only = |reason: &str| {
            let names = lines.iter().filter(|line| line.reason == reason);
            names.map(|line| line.name).collect::<Vec<_>>()
        };
        let (new, gone) = (only("missing in contract"), only("missing in definition"));
        let renamed = gone
            .iter()
            .find_map(|name| Some((name, nearest(name, new.iter().copied())?)));
        match renamed {
            Some((promised, given)) => {
                format!("did you mean `{promised}` where the query says `{given}`?")
            }
            None => "cast or rename in the model's SQL, or change `columns:` of its contract; \
                     nothing was built"
                .to_owned(),
        }
    }
}

/// Aligned rows under a header, as in dbt.
fn table(lines: &[Line<'_>]) -> Vec<String> {
    let head = [
        "column_name",
        "definition_type",
        "contract_type",
        "mismatch_reason",
    ];
    let rows: Vec<[&str; 4]> = lines
        .iter()
        .map(|line| [line.name, line.found, line.declared, line.reason])
        .collect();
    let width = |at: usize| {
        let cells = rows.iter().map(|row| row[at].chars().count());
        cells.chain([head[at].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..4).map(width).collect();
    let shown = |row: &[&str; 4]| {
        let cells = row.iter().zip(&widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        format!("| {} |", cells.join(" | "))
    };
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    let mut out = vec![shown(&head), format!("| {} |", rule.join(" | "))];
    out.extend(rows.iter().map(shown));
    out
}
