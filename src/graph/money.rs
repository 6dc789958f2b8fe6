//! Columns that declare money (`meta.money`) as data tests: `money` for each, and
//! `money_decimals` for an amount in major units. From here on they are tests like any other.

use std::borrow::Cow;

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::Node;
use super::generic_nodes::{Declared, test_names};
use crate::diag::{Diagnostic, Spanned, codes};
use crate::money::{self, Declaration, Unit};
use crate::names::quote_ident;
use crate::project::{ColumnProperties, ConfigMap, TestDeclaration};

/// The tests that the columns of a node ask for by `meta.money`.
///
/// Errors: a declaration that nothing understands, with its place.
pub(super) fn tests<'p>(
    node: &Node,
    columns: &'p [ColumnProperties],
    path: &'p str,
) -> Result<Vec<Declared<'p>>, Vec<Diagnostic>> {
    let mut tests = Vec::new();
    let mut problems = Vec::new();
    for column in columns {
        let Some(value) = declared_money(column) else {
            continue;
        };
        match money::declaration(value) {
            Ok(mut money) => {
                quote_currency(&mut money, columns);
                tests.extend(of_column(node, column, &money, path));
            }
            Err(problem) => problems.push(
                Diagnostic::error(
                    codes::MONEY_DECLARATION,
                    format!("column `{}`: {}", column.name.value, problem.message),
                )
                .at(column.name.span, "")
                .hint(problem.hint),
            ),
        }
    }
    if problems.is_empty() {
        Ok(tests)
    } else {
        Err(problems)
    }
}

/// `meta.money`, or `config.meta.money`; `false` and null say no.
fn declared_money(column: &ColumnProperties) -> Option<&Json> {
    let meta = column.other.get("meta").and_then(|m| m.get("money"));
    let config = column.other.get("config");
    let in_config = config
        .and_then(|c| c.get("meta"))
        .and_then(|m| m.get("money"));
    let value = in_config.or(meta)?;
    (!value.is_null() && *value != Json::Bool(false)).then_some(value)
}

/// A currency column that is declared with `quote: true` is written in quotes.
fn quote_currency(money: &mut Declaration, columns: &[ColumnProperties]) {
    if let Some(name) = &mut money.currency_column {
        let column = columns.iter().find(|c| c.name.value == *name);
        if column.is_some_and(|c| c.quote == Some(true)) {
            *name = quote_ident(name);
        }
    }
}

fn of_column<'p>(
    node: &Node,
    column: &'p ColumnProperties,
    money: &Declaration,
    path: &'p str,
) -> Vec<Declared<'p>> {
    let make = |test: &str, arguments: IndexMap<String, Json>, config: ConfigMap| {
        let only = [("column_name".to_owned(), column.name.value.clone().into())];
        let (_, name) = test_names(node, None, test, &only.into_iter().collect());
        Declared {
            declaration: Cow::Owned(TestDeclaration {
                config_places: Default::default(),
                test: Spanned {
                    value: test.to_owned(),
                    span: column.name.span,
                },
                arguments,
                config,
                name: Some(name),
                description: String::new(),
            }),
            column: Some(column),
            path,
        }
    };
    let mut tests = vec![make(money::TEST, money.arguments(), money.config.clone())];
    if money.unit == Some(Unit::Major) {
        // Thresholds of the declaration are about wrong amounts; how they are written is a hint.
        let mut config = money.config.clone();
        config.insert("severity".to_owned(), "warn".into());
        config.retain(|key, _| !["warn_if", "error_if"].contains(&key.as_str()));
        let arguments = money.currency_arguments();
        tests.push(make(money::TEST_OF_DECIMALS, arguments, config));
    }
    tests
}
