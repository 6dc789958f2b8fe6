//! What a proof gives: the question that a shared scan can answer, or why there is none.

use std::collections::HashSet;
use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Ident, visit_expressions};

use super::expression::folded;
use super::grouped::{Chosen, Grouped};
use super::proof::View;
use super::quicker::{blank_before_trimmed, with_quick_lists};

/// Postgres takes at most so many arguments of a function.
const MAX_ARGUMENTS: usize = 100;

/// What a scan reads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The relation's name as rendered.
    pub relation: String,
    /// The relation with the test's `where`, as it stands after FROM.
    pub subquery: Option<String>,
}

impl Origin {
    /// What stands after FROM.
    pub fn text(&self) -> &str {
        self.subquery.as_deref().unwrap_or(&self.relation)
    }
}

/// A test as a question about the rows of one relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Does any row pass this condition?
    Filter(Filter),
    /// Does any key occur more than once?
    Unique(Unique),
}

impl Shape {
    /// What it reads.
    pub fn origin(&self) -> &Origin {
        match self {
            Self::Filter(filter) => &filter.origin,
            Self::Unique(unique) => &unique.origin,
        }
    }
}

/// A condition that no row may pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// What it reads.
    pub origin: Origin,
    /// True for a failing row.
    pub failing: String,
    /// Likewise and quicker, where the database has no collation under which different texts
    /// are equal.
    pub quicker: Option<String>,
}

impl Filter {
    /// `rest` holds for every row that is valid, and comes last.
    fn new(origin: Origin, conditions: &[Expr], rest: &[String]) -> Self {
        let conditions: Vec<Expr> = conditions.iter().map(with_quick_lists).collect();
        let text = |conditions: &[Expr]| {
            let parts = conditions.iter().map(in_parentheses);
            joined(&parts.chain(rest.iter().cloned()).collect::<Vec<_>>())
        };
        let trimmed: Vec<Option<Expr>> = conditions.iter().map(blank_before_trimmed).collect();
        let quicker = trimmed.iter().any(Option::is_some).then(|| {
            let pairs = trimmed.into_iter().zip(&conditions);
            let each: Vec<Expr> = pairs.map(|(q, c)| q.unwrap_or_else(|| c.clone())).collect();
            text(&each)
        });
        Self {
            origin,
            failing: text(&conditions).unwrap_or_else(|| "true".to_owned()),
            quicker: quicker.flatten(),
        }
    }
}

/// Keys that may occur only once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unique {
    /// What it reads.
    pub origin: Origin,
    /// The expressions of the key.
    pub keys: Vec<String>,
    /// The key's columns, if all of them are plain columns: the names as Postgres keeps them.
    pub columns: Option<Vec<String>>,
    /// Columns whose nulls do not count.
    pub not_null: Vec<String>,
    /// The rows that count; all if there is none.
    pub counted: Option<String>,
}

/// Why a test runs by itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// It could not be read, or not without loss.
    #[error("its SQL is not read with certainty")]
    Syntax,
    /// It reads more than one relation.
    #[error("it reads more than one relation")]
    Join,
    /// It holds a subquery in an expression.
    #[error("it has a subquery")]
    Subquery,
    /// A clause that does more than choose rows.
    #[error("it has {0}")]
    Clause(&'static str),
    /// A function that may be volatile, an aggregate, or return a set.
    #[error("it calls {0}, which is not known to look at one row only")]
    Function(String),
    /// Another expression that is not known.
    #[error("it has the expression {0}")]
    Expression(String),
    /// A name whose meaning is not certain.
    #[error("it is not certain what {0} means")]
    Name(String),
}

impl View {
    /// The question that the finished query asks.
    pub(super) fn into_shape(self) -> Result<Shape, Reason> {
        match self.grouped {
            None => {
                let rest = validity(&self.conditions, &self.selected)?;
                let rest: Vec<String> = rest.into_iter().collect();
                Ok(Shape::Filter(Filter::new(
                    self.origin,
                    &self.conditions,
                    &rest,
                )))
            }
            Some(Grouped {
                chosen: Chosen::All,
                ..
            }) => Err(Reason::Clause("group by")),
            Some(Grouped {
                chosen: Chosen::Listed(condition),
                keys,
            }) => {
                // Grouping needs types that have an order or a hash: so does `greatest`. It
                // is null only for keys that are in no list.
                let keys: Vec<String> = keys.iter().map(|k| format!("greatest({k})")).collect();
                let mut rest = vec![format!("num_nulls({}) >= 0", keys.join(", "))];
                let mut known = self.conditions;
                known.push(condition);
                rest.extend(validity(&known, &self.selected)?);
                Ok(Shape::Filter(Filter::new(self.origin, &known, &rest)))
            }
            Some(Grouped {
                chosen: Chosen::Duplicates,
                keys,
            }) => {
                let known: Vec<Expr> = self.conditions.iter().chain(&keys).cloned().collect();
                if validity(&known, &self.selected)?.is_some() {
                    return Err(Reason::Clause("columns that are not part of the key"));
                }
                let columns: Option<Vec<String>> = keys.iter().map(column_name).collect();
                let parts: Vec<String> = self.conditions.iter().map(in_parentheses).collect();
                Ok(Shape::Unique(Unique {
                    origin: self.origin,
                    keys: keys.iter().map(ToString::to_string).collect(),
                    columns,
                    not_null: self.conditions.iter().filter_map(not_null).collect(),
                    counted: joined(&parts),
                }))
            }
        }
    }
}

/// A condition that is true for every row and valid only if all selected expressions are.
/// It stands last, so that it is evaluated for failing rows alone.
fn validity(conditions: &[Expr], selected: &[Expr]) -> Result<Option<String>, Reason> {
    let mut known: HashSet<Expr> = HashSet::new();
    for condition in conditions {
        let _ = visit_expressions(condition, |expr| {
            known.insert(expr.clone());
            ControlFlow::<()>::Continue(())
        });
    }
    let mut open: Vec<String> = Vec::new();
    for expr in selected {
        if known.insert(expr.clone()) {
            open.push(expr.to_string());
        }
    }
    if open.len() > MAX_ARGUMENTS {
        return Err(Reason::Clause("very many columns"));
    }
    let text = format!("num_nulls({}) >= 0", open.join(", "));
    Ok((!open.is_empty()).then_some(text))
}

fn joined(parts: &[String]) -> Option<String> {
    (!parts.is_empty()).then(|| parts.join(" and "))
}

fn in_parentheses(expr: &Expr) -> String {
    match expr {
        Expr::Nested(_) => expr.to_string(),
        other => format!("({other})"),
    }
}

fn column_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(Ident { .. }) => match expr {
            Expr::Identifier(name) => Some(folded(name)),
            _ => None,
        },
        Expr::Nested(inner) => column_name(inner),
        _ => None,
    }
}

/// The column of `column is not null`.
fn not_null(condition: &Expr) -> Option<String> {
    match condition {
        Expr::IsNotNull(inner) => column_name(inner),
        Expr::Nested(inner) => not_null(inner),
        _ => None,
    }
}
