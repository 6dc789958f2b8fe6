//! Which columns a table gets here, given the source's, those that are here, and what the
//! config says of changes. Pure.

use std::fmt;

/// A column: its name and its type as Postgres formats it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) data_type: String,
}

/// dbt's words for what happens when columns change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnSchemaChange {
    /// New columns are not loaded; missing ones become null.
    Ignore,
    /// Any change is an error.
    Fail,
    /// New columns are added; missing ones stay and become null.
    #[default]
    AppendNewColumns,
    /// The table gets exactly the source's columns.
    SyncAllColumns,
}

impl OnSchemaChange {
    /// All of them with their words.
    pub const WORDS: [(&'static str, Self); 4] = [
        ("ignore", Self::Ignore),
        ("fail", Self::Fail),
        ("append_new_columns", Self::AppendNewColumns),
        ("sync_all_columns", Self::SyncAllColumns),
    ];
}

/// One way in which the source differs from what was here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The source has a column that is not here.
    Added {
        /// Its name.
        column: String,
        /// Its type.
        data_type: String,
    },
    /// A column of here is not in the source.
    Removed {
        /// Its name.
        column: String,
    },
    /// Its type is another one.
    Retyped {
        /// Its name.
        column: String,
        /// The type here.
        was: String,
        /// The type in the source.
        is: String,
    },
}

impl Change {
    fn is_type(&self) -> bool {
        matches!(self, Self::Retyped { .. })
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added { column, data_type } => write!(f, "`{column}` is new ({data_type})"),
            Self::Removed { column } => write!(f, "`{column}` is gone from the source"),
            Self::Retyped { column, was, is } => write!(f, "`{column}` was {was} and is {is}"),
        }
    }
}

/// The columns of a target after a load.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// All of them, in order.
    pub(super) columns: Vec<Column>,
    /// Those that the source fills, in the order of `columns`.
    pub(super) loaded: Vec<String>,
    /// How the source differs from what was here.
    pub(super) changes: Vec<Change>,
}

/// Decides the columns. The error holds all changes, of which at least one is not allowed.
pub(super) fn decide(
    source: &[Column],
    here: Option<&[Column]>,
    policy: OnSchemaChange,
) -> Result<Shape, Vec<Change>> {
    let Some(here) = here else {
        return Ok(Shape {
            columns: source.to_vec(),
            loaded: names(source),
            changes: Vec::new(),
        });
    };
    let changes = compare(source, here);
    let allowed = match policy {
        OnSchemaChange::Fail => changes.is_empty(),
        OnSchemaChange::SyncAllColumns => true,
        _ => !changes.iter().any(Change::is_type),
    };
    if !allowed {
        return Err(changes);
    }
    let has = |columns: &[Column], name: &str| columns.iter().any(|c| c.name == name);
    let mut columns: Vec<Column> = match policy {
        OnSchemaChange::SyncAllColumns if !changes.is_empty() => source.to_vec(),
        _ => here.to_vec(),
    };
    if policy == OnSchemaChange::AppendNewColumns {
        let new = source.iter().filter(|c| !has(here, &c.name));
        columns.extend(new.cloned());
    }
    let loaded = names(&columns)
        .into_iter()
        .filter(|name| has(source, name))
        .collect();
    Ok(Shape {
        columns,
        loaded,
        changes,
    })
}

fn names(columns: &[Column]) -> Vec<String> {
    columns.iter().map(|c| c.name.clone()).collect()
}

fn compare(source: &[Column], here: &[Column]) -> Vec<Change> {
    let mut changes = Vec::new();
    for column in source {
        match here.iter().find(|c| c.name == column.name) {
            None => changes.push(Change::Added {
                column: column.name.clone(),
                data_type: column.data_type.clone(),
            }),
            Some(old) if old.data_type != column.data_type => changes.push(Change::Retyped {
                column: column.name.clone(),
                was: old.data_type.clone(),
                is: column.data_type.clone(),
            }),
            Some(_) => {}
        }
    }
    let gone = here
        .iter()
        .filter(|c| source.iter().all(|s| s.name != c.name));
    changes.extend(gone.map(|c| Change::Removed {
        column: c.name.clone(),
    }));
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(text: &str) -> Vec<Column> {
        text.split_whitespace()
            .map(|pair| {
                let (name, data_type) = pair.split_once(':').unwrap();
                Column {
                    name: name.to_owned(),
                    data_type: data_type.to_owned(),
                }
            })
            .collect()
    }

    #[test]
    fn a_new_column_goes_behind_and_a_missing_one_stays() {
        let shape = decide(
            &columns("new:text id:int"),
            Some(&columns("id:int old:text")),
            OnSchemaChange::AppendNewColumns,
        )
        .unwrap();
        assert_eq!(shape.columns, columns("id:int old:text new:text"));
        assert_eq!(shape.loaded, ["id", "new"]);
        assert_eq!(shape.changes.len(), 2);
    }

    #[test]
    fn another_type_needs_the_word_for_it() {
        let (source, here) = (columns("id:bigint"), columns("id:int"));
        for policy in [OnSchemaChange::AppendNewColumns, OnSchemaChange::Ignore] {
            assert!(decide(&source, Some(&here), policy).is_err());
        }
        let shape = decide(&source, Some(&here), OnSchemaChange::SyncAllColumns).unwrap();
        assert_eq!(shape.columns, source);
    }

    #[test]
    fn another_order_is_no_change() {
        let (source, here) = (columns("a:int b:int"), columns("b:int a:int"));
        let shape = decide(&source, Some(&here), OnSchemaChange::Fail).unwrap();
        assert_eq!(shape.loaded, ["b", "a"]);
        assert_eq!(shape.columns, here);
    }
}
