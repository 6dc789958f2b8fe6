//! The proof that a test's rendered SQL is one filter over one relation, or asks for keys that
//! occur twice: only then may it share a scan.
//!
//! A query is read from the inside out as a [`View`]: the relation at the bottom, the
//! conditions on its rows so far, and what each column means in terms of that relation.
//! Whatever the reader does not know ends the proof, and the test runs by itself.

use sqlparser::ast::{
    Cte, Expr, GroupByExpr, Ident, ObjectName, Query, Select, SelectFlavor, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, Statement, TableAlias, TableFactor,
    WildcardAdditionalOptions,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::expression::{Columns, folded, is_literal, rewrite};
use super::faithful::{Tokens, tokens};
use super::grouped::{self, Grouped};
use super::{Origin, Reason, Shape};

/// The alias that dbt gives to a relation with the `where` of a test.
const WHERE_ALIAS: &str = "dbt_subquery";

/// Reads a test's SQL as something that a shared scan can answer.
pub fn prove(sql: &str) -> Result<Shape, Reason> {
    let written = tokens(sql).ok_or(Reason::Syntax)?;
    let statements = Parser::parse_sql(&PostgreSqlDialect {}, sql).map_err(|_| Reason::Syntax)?;
    let [Statement::Query(query)] = statements.as_slice() else {
        return Err(Reason::Syntax);
    };
    check_faithful(&written, query)?;
    let view = read_query(query, &mut Vec::new())?;
    view.into_shape()
}

/// What is printed from the syntax tree must be what was written, token by token: then no part
/// of it has been lost or changed.
fn check_faithful(written: &Tokens, query: &Query) -> Result<(), Reason> {
    match tokens(&query.to_string()) {
        Some(printed) if printed == *written => Ok(()),
        _ => Err(Reason::Syntax),
    }
}

/// A query over one relation, in terms of that relation's columns.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) origin: Origin,
    /// A row passes if all of them are true.
    pub(super) conditions: Vec<Expr>,
    /// What is selected on the way: it decides no row, but it must be valid.
    pub(super) selected: Vec<Expr>,
    pub(super) outputs: Outputs,
    pub(super) grouped: Option<Grouped>,
}

/// The columns of a query.
#[derive(Clone, Debug)]
pub(super) enum Outputs {
    /// Those of the relation, by their names.
    All,
    /// A list, each with its name if it has one.
    Named(Vec<(Option<String>, Output)>),
    /// `*` and others beside it: it cannot be told what a name means.
    Mixed,
}

/// One column of a query.
#[derive(Clone, Debug)]
pub(super) enum Output {
    Value(Expr),
    /// `count(*)` of a group.
    Count,
}

/// A named query that others may read.
pub(super) struct Named {
    name: String,
    view: View,
    used: bool,
}

fn read_query(query: &Query, scope: &mut Vec<Named>) -> Result<View, Reason> {
    let Query {
        with,
        body,
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks,
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators,
    } = query
    else {
        return Err(Reason::Clause("order by or limit"));
    };
    if !locks.is_empty() || !pipe_operators.is_empty() {
        return Err(Reason::Clause("for update"));
    }
    let outside = scope.len();
    if let Some(with) = with {
        if with.recursive {
            return Err(Reason::Clause("recursive"));
        }
        for cte in &with.cte_tables {
            let named = read_cte(cte, scope)?;
            scope.push(named);
        }
    }
    let view = match &**body {
        SetExpr::Select(select) => read_select(select, scope)?,
        SetExpr::Query(inner) => read_query(inner, scope)?,
        _ => return Err(Reason::Clause("union, values or the like")),
    };
    // Postgres checks the names even in one that nobody reads.
    if scope[outside..].iter().any(|named| !named.used) {
        return Err(Reason::Clause("a common table expression that is not read"));
    }
    scope.truncate(outside);
    Ok(view)
}

fn read_cte(cte: &Cte, scope: &mut Vec<Named>) -> Result<Named, Reason> {
    if !cte.alias.columns.is_empty() || cte.from.is_some() {
        return Err(Reason::Clause("names of columns in an alias"));
    }
    Ok(Named {
        name: folded(&cte.alias.name),
        view: read_query(&cte.query, scope)?,
        used: false,
    })
}

fn read_select(select: &Select, scope: &mut Vec<Named>) -> Result<View, Reason> {
    check_clauses(select)?;
    let [from] = select.from.as_slice() else {
        return Err(Reason::Join);
    };
    if !from.joins.is_empty() {
        return Err(Reason::Join);
    }
    let source = read_source(&from.relation, scope)?;
    if source.view.grouped.is_some() {
        return grouped::over(select, source);
    }
    let mut conditions = source.view.conditions.clone();
    if let Some(selection) = &select.selection {
        conditions.push(rewrite(selection, &source)?);
    }
    let GroupByExpr::Expressions(keys, modifiers) = &select.group_by else {
        return Err(Reason::Clause("group by all"));
    };
    if !modifiers.is_empty() {
        return Err(Reason::Clause("rollup or cube"));
    }
    if !keys.is_empty() {
        return grouped::read(select, keys, conditions, &source);
    }
    if select.having.is_some() {
        return Err(Reason::Clause("having"));
    }
    let mut selected = source.view.selected.clone();
    let outputs = read_outputs(&select.projection, &source, &mut selected)?;
    Ok(View {
        conditions,
        selected,
        outputs,
        ..source.view
    })
}

/// Refuses every clause that does more than choose rows and columns.
fn check_clauses(select: &Select) -> Result<(), Reason> {
    if select.distinct.is_some() {
        return Err(Reason::Clause("distinct"));
    }
    if !select.named_window.is_empty() || select.qualify.is_some() {
        return Err(Reason::Clause("window"));
    }
    let plain = select.top.is_none()
        && select.select_modifiers.is_none()
        && select.optimizer_hints.is_empty()
        && select.exclude.is_none()
        && select.into.is_none()
        && select.lateral_views.is_empty()
        && select.prewhere.is_none()
        && select.connect_by.is_empty()
        && select.cluster_by.is_empty()
        && select.distribute_by.is_empty()
        && select.sort_by.is_empty()
        && select.value_table_mode.is_none()
        && select.flavor == SelectFlavor::Standard;
    if plain {
        Ok(())
    } else {
        Err(Reason::Clause("into or the like"))
    }
}

fn read_outputs(
    items: &[SelectItem],
    source: &Source,
    selected: &mut Vec<Expr>,
) -> Result<Outputs, Reason> {
    let mut named = Vec::new();
    let mut stars = 0;
    for item in items {
        let Some((name, expr)) = source.item(item)? else {
            stars += 1;
            continue;
        };
        let value = rewrite(expr, source)?;
        if !is_literal(&value) {
            selected.push(value.clone());
        }
        named.push((name, Output::Value(value)));
    }
    Ok(match (stars, named.is_empty()) {
        (0, _) => Outputs::Named(named),
        (1, true) => source.view.outputs.clone(),
        _ => Outputs::Mixed,
    })
}

/// What a select reads, and under which names.
pub(super) struct Source {
    pub(super) view: View,
    /// The names that may stand before a column, longest first.
    names: Vec<Vec<String>>,
}

fn read_source(factor: &TableFactor, scope: &mut [Named]) -> Result<Source, Reason> {
    match factor {
        TableFactor::Table {
            name,
            alias,
            args: None,
            with_hints,
            version: None,
            with_ordinality: false,
            partitions,
            json_path: None,
            sample: None,
            index_hints,
        } if with_hints.is_empty() && partitions.is_empty() && index_hints.is_empty() => {
            read_table(name, alias.as_ref(), scope)
        }
        TableFactor::Derived {
            lateral: false,
            subquery,
            alias,
            sample: None,
        } => {
            let mut inner: Vec<Named> = Vec::new();
            let view = read_derived(subquery, scope, &mut inner)?;
            let alias_names = alias.as_ref().map(alias_name).transpose()?;
            let view = match &alias_names {
                Some(name) if name == WHERE_ALIAS => with_where(view, subquery)?,
                _ => view,
            };
            Ok(Source {
                view,
                names: alias_names.into_iter().map(|name| vec![name]).collect(),
            })
        }
        TableFactor::Table { .. } => Err(Reason::Clause("a function or a sample")),
        _ => Err(Reason::Join),
    }
}

/// A subquery sees the named queries around it.
fn read_derived(
    subquery: &Query,
    scope: &mut [Named],
    inner: &mut Vec<Named>,
) -> Result<View, Reason> {
    inner.extend(scope.iter().map(|named| Named {
        name: named.name.clone(),
        view: named.view.clone(),
        used: named.used,
    }));
    let view = read_query(subquery, inner)?;
    for (outer, seen) in scope.iter_mut().zip(inner.iter()) {
        outer.used |= seen.used;
    }
    Ok(view)
}

/// dbt's `where` stays a subquery of its own, so that the tests of one `where` share one scan
/// and Postgres can use an index for it.
fn with_where(view: View, subquery: &Query) -> Result<View, Reason> {
    let plain = view.grouped.is_none()
        && view.selected.is_empty()
        && view.origin.subquery.is_none()
        && matches!(view.outputs, Outputs::All);
    if !plain {
        return Ok(view);
    }
    Ok(View {
        origin: Origin {
            relation: view.origin.relation,
            subquery: Some(format!("({subquery}) {WHERE_ALIAS}")),
        },
        conditions: Vec::new(),
        ..view
    })
}

fn read_table(
    name: &ObjectName,
    alias: Option<&TableAlias>,
    scope: &mut [Named],
) -> Result<Source, Reason> {
    let parts: Option<Vec<&Ident>> = name.0.iter().map(|part| part.as_ident()).collect();
    let path: Vec<String> = parts
        .ok_or(Reason::Clause("a function"))?
        .into_iter()
        .map(folded)
        .collect();
    let names = match alias {
        Some(alias) => vec![vec![alias_name(alias)?]],
        None => (0..path.len()).map(|at| path[at..].to_vec()).collect(),
    };
    if let [single] = path.as_slice()
        && let Some(named) = scope.iter_mut().rfind(|named| named.name == *single)
    {
        named.used = true;
        let view = named.view.clone();
        return Ok(Source { view, names });
    }
    let view = View {
        origin: Origin {
            relation: name.to_string(),
            subquery: None,
        },
        conditions: Vec::new(),
        selected: Vec::new(),
        outputs: Outputs::All,
        grouped: None,
    };
    Ok(Source { view, names })
}

fn alias_name(alias: &TableAlias) -> Result<String, Reason> {
    match alias.columns.is_empty() && alias.at.is_none() {
        true => Ok(folded(&alias.name)),
        false => Err(Reason::Clause("names of columns in an alias")),
    }
}

impl Source {
    /// An item's name and expression; `None` for `*`.
    pub(super) fn item<'a>(
        &self,
        item: &'a SelectItem,
    ) -> Result<Option<(Option<String>, &'a Expr)>, Reason> {
        match item {
            SelectItem::UnnamedExpr(expr) => {
                let name = match expr {
                    Expr::Identifier(name) => Some(folded(name)),
                    Expr::CompoundIdentifier(path) => path.last().map(folded),
                    _ => None,
                };
                Ok(Some((name, expr)))
            }
            SelectItem::ExprWithAlias { expr, alias } => Ok(Some((Some(folded(alias)), expr))),
            SelectItem::Wildcard(options) if is_plain(options) => Ok(None),
            SelectItem::QualifiedWildcard(
                SelectItemQualifiedWildcardKind::ObjectName(name),
                options,
            ) if is_plain(options) => {
                let path: Option<Vec<&Ident>> = name.0.iter().map(|p| p.as_ident()).collect();
                let path: Vec<String> = path.unwrap_or_default().into_iter().map(folded).collect();
                self.check_prefix(&path).map(|()| None)
            }
            other => Err(Reason::Expression(other.to_string())),
        }
    }

    fn check_prefix(&self, path: &[String]) -> Result<(), Reason> {
        match self.names.iter().any(|name| name == path) {
            true => Ok(()),
            false => Err(Reason::Name(path.join("."))),
        }
    }
}

impl Columns for Source {
    fn column(&self, name: &Ident) -> Result<Expr, Reason> {
        let wanted = folded(name);
        let named = match &self.view.outputs {
            Outputs::All => return Ok(Expr::Identifier(name.clone())),
            Outputs::Mixed => return Err(Reason::Name(wanted)),
            Outputs::Named(named) => named,
        };
        let mut found = named.iter().filter(|(n, _)| n.as_ref() == Some(&wanted));
        match (found.next(), found.next()) {
            (Some((_, Output::Value(value))), None) => Ok(enclosed(value.clone())),
            _ => Err(Reason::Name(wanted)),
        }
    }

    fn qualified(&self, path: &[Ident]) -> Result<Expr, Reason> {
        let Some((name, prefix)) = path.split_last() else {
            return Err(Reason::Syntax);
        };
        let prefix: Vec<String> = prefix.iter().map(folded).collect();
        self.check_prefix(&prefix)?;
        // Quoted, since a bare `user` would mean something else.
        self.column(&Ident::with_quote('"', folded(name)))
    }
}

/// In parentheses, unless it is a single word.
pub(super) fn enclosed(expr: Expr) -> Expr {
    match expr {
        Expr::Identifier(_) | Expr::Nested(_) | Expr::Value(_) => expr,
        other => Expr::Nested(Box::new(other)),
    }
}

fn is_plain(options: &WildcardAdditionalOptions) -> bool {
    options.opt_ilike.is_none()
        && options.opt_exclude.is_none()
        && options.opt_except.is_none()
        && options.opt_replace.is_none()
        && options.opt_rename.is_none()
        && options.opt_alias.is_none()
}
