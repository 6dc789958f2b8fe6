//! Walks a statement's selects and finds sums of measures over what they must not be added up
//! over: money over currencies, a month's closing over months.
//!
//! Columns are followed through aliases, CTEs and subqueries. A sum is passed over where the
//! measure's key is grouped or partitioned by, or fixed by a condition.

use std::collections::HashMap;

use sqlparser::ast::{
    Cte, Expr, Function, GroupByExpr, JoinConstraint, JoinOperator, NamedWindowExpr, Query, Select,
    SelectItem, SelectItemQualifiedWildcardKind, SetExpr, Statement, TableFactor, TableWithJoins,
    WindowSpec, WindowType,
};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::scope::{Columns, Kind, Measure, Scope, arguments, folded, name_of, parts};
use super::{Finding, Measures, Rule};

/// The sums in a statement that a rule forbids, in order; none where the statement cannot be
/// read.
pub(crate) fn lint(sql: &str, relations: &[Measures], rule: Rule) -> Vec<Finding> {
    let statements = match Parser::parse_sql(&PostgreSqlDialect {}, sql) {
        Ok(statements) => statements,
        Err(error) => {
            tracing::debug!(%error, "not looked at for sums");
            return Vec::new();
        }
    };
    let mut walk = Walk {
        relations,
        rule,
        found: Vec::new(),
    };
    for statement in &statements {
        if let Statement::Query(query) = statement {
            walk.query(query, &Ctes::new());
        }
    }
    walk.found.sort_by_key(|f| f.line);
    walk.found
}

/// What each CTE in sight gives.
type Ctes = HashMap<String, Columns>;

struct Walk<'a> {
    relations: &'a [Measures],
    rule: Rule,
    found: Vec<Finding>,
}

impl Walk<'_> {
    /// The columns that a query gives.
    fn query(&mut self, query: &Query, outer: &Ctes) -> Columns {
        let mut ctes = outer.clone();
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            let Cte { alias, query, .. } = cte;
            // In a recursive one its own name is not a relation of ours.
            ctes.insert(folded(&alias.name), Columns::new());
            let columns = self.query(query, &ctes);
            let columns = renamed(columns, alias.columns.iter().map(|c| folded(&c.name)));
            ctes.insert(folded(&alias.name), columns);
        }
        self.body(&query.body, &ctes)
    }

    fn body(&mut self, body: &SetExpr, ctes: &Ctes) -> Columns {
        match body {
            SetExpr::Select(select) => self.select(select, ctes),
            SetExpr::Query(query) => self.query(query, ctes),
            SetExpr::SetOperation { left, right, .. } => {
                let left = self.body(left, ctes);
                let right = self.body(right, ctes);
                let same = |(at, (name, kind)): (usize, (String, Kind))| {
                    let other = right.get(at).map(|(_, kind)| kind);
                    let kept = match (&kind, other) {
                        (Kind::Measure(_), Some(Kind::Measure(_))) => kind,
                        (Kind::Key, Some(Kind::Key)) => kind,
                        _ => Kind::Other,
                    };
                    (name, kept)
                };
                left.into_iter().enumerate().map(same).collect()
            }
            _ => Columns::new(),
        }
    }

    fn select(&mut self, select: &Select, ctes: &Ctes) -> Columns {
        let mut scope = Scope::new(self.rule);
        let mut conditions: Vec<&Expr> = select.selection.iter().collect();
        for table in &select.from {
            self.from(table, ctes, &mut scope, &mut conditions);
        }
        let one_key = conditions.iter().any(|c| scope.fixes_key(c));
        let before = self.found.len();
        let look = Look {
            select,
            scope: &scope,
            one_key: one_key || is_grouped_by_key(select, &scope),
            one_key_in_windows: one_key,
        };
        let exprs = select.projection.iter().filter_map(expr_of);
        for expr in exprs.chain(conditions).chain(&select.having) {
            self.expr(expr, &look, ctes);
        }
        let mut columns = given(select, &scope);
        if one_key || self.found.len() > before {
            // Of one key, or told of already.
            for (_, kind) in &mut columns {
                *kind = Kind::Other;
            }
        }
        columns
    }

    fn from<'q>(
        &mut self,
        table: &'q TableWithJoins,
        ctes: &Ctes,
        scope: &mut Scope,
        conditions: &mut Vec<&'q Expr>,
    ) {
        self.factor(&table.relation, ctes, scope, conditions);
        for join in &table.joins {
            self.factor(&join.relation, ctes, scope, conditions);
            if let JoinOperator::Join(JoinConstraint::On(on))
            | JoinOperator::Inner(JoinConstraint::On(on)) = &join.join_operator
                && has_literal(on)
            {
                conditions.push(on);
            }
        }
    }

    fn factor<'q>(
        &mut self,
        factor: &'q TableFactor,
        ctes: &Ctes,
        scope: &mut Scope,
        conditions: &mut Vec<&'q Expr>,
    ) {
        match factor {
            TableFactor::Table {
                name,
                alias,
                args: None,
                ..
            } => {
                let Some(names) = parts(name) else { return };
                let Some(last) = names.last() else { return };
                let columns = match (names.as_slice(), ctes.get(last)) {
                    ([_], Some(columns)) => columns.clone(),
                    _ => self.relation(&names),
                };
                let own = alias.as_ref().map(|a| folded(&a.name));
                let aliases = alias.iter().flat_map(|a| &a.columns);
                let columns = renamed(columns, aliases.map(|c| folded(&c.name)));
                scope
                    .items
                    .push((own.unwrap_or_else(|| last.clone()), columns));
            }
            TableFactor::Derived {
                subquery, alias, ..
            } => {
                let columns = self.query(subquery, ctes);
                let Some(alias) = alias else {
                    scope.items.push((String::new(), columns));
                    return;
                };
                let names = alias.columns.iter().map(|c| folded(&c.name));
                scope
                    .items
                    .push((folded(&alias.name), renamed(columns, names)));
            }
            TableFactor::NestedJoin {
                table_with_joins,
                alias: None,
            } => self.from(table_with_joins, ctes, scope, conditions),
            _ => {}
        }
    }

    /// The columns of a declared relation; an undeclared one has none that matter.
    fn relation(&self, names: &[String]) -> Columns {
        let found = self.relations.iter().find(|relation| match names {
            [.., schema, name] => *schema == relation.schema && *name == relation.name,
            [name] => *name == relation.name,
            [] => false,
        });
        let Some(relation) = found else {
            return Columns::new();
        };
        let mut columns = Columns::new();
        for (column, key) in &relation.columns {
            let (column, key) = (plain(column), plain(key));
            let measure = Measure {
                relation: format!("{}.{}", relation.schema, relation.name),
                column: column.clone(),
                key: key.clone(),
            };
            columns.push((column, Kind::Measure(measure)));
            if !columns.iter().any(|(name, _)| *name == key) {
                columns.push((key, Kind::Key));
            }
        }
        columns
    }

    /// Looks for sums in an expression, and into its subqueries.
    fn expr(&mut self, expr: &Expr, look: &Look<'_>, ctes: &Ctes) {
        match expr {
            Expr::Function(function) => {
                self.function(function, look);
                for argument in arguments(function) {
                    self.expr(argument, look, ctes);
                }
            }
            Expr::Nested(inner)
            | Expr::Cast { expr: inner, .. }
            | Expr::UnaryOp { expr: inner, .. }
            | Expr::IsNull(inner)
            | Expr::IsNotNull(inner)
            | Expr::InList { expr: inner, .. } => self.expr(inner, look, ctes),
            Expr::BinaryOp { left, right, .. } => {
                self.expr(left, look, ctes);
                self.expr(right, look, ctes);
            }
            Expr::Case {
                conditions,
                else_result,
                ..
            } => {
                for branch in conditions {
                    self.expr(&branch.condition, look, ctes);
                    self.expr(&branch.result, look, ctes);
                }
                if let Some(result) = else_result {
                    self.expr(result, look, ctes);
                }
            }
            Expr::Subquery(query)
            | Expr::Exists {
                subquery: query, ..
            }
            | Expr::InSubquery {
                subquery: query, ..
            } => {
                self.query(query, ctes);
            }
            _ => {}
        }
    }

    fn function(&mut self, function: &Function, look: &Look<'_>) {
        let forbidden = |name: &String| self.rule.forbids(name);
        let Some(name) = name_of(function).filter(forbidden) else {
            return;
        };
        let arguments = arguments(function);
        let [argument] = arguments.as_slice() else {
            return;
        };
        let Kind::Measure(measure) = look.scope.kind(argument) else {
            return;
        };
        let filtered = |filter: &Expr| look.scope.filters_key(filter);
        if look.scope.mentions_key(argument) || function.filter.as_deref().is_some_and(filtered) {
            return;
        }
        let window = function.over.is_some();
        let one_key = match &function.over {
            Some(over) => look.one_key_in_windows || look.is_partitioned(over),
            None => look.one_key,
        };
        if one_key {
            return;
        }
        let line = function.name.0.last().and_then(|part| part.as_ident());
        self.found.push(Finding {
            function: name,
            relation: measure.relation,
            column: measure.column,
            key: measure.key,
            window,
            line: line.map_or(1, |ident| ident.span.start.line as usize),
        });
    }
}

/// The select in which an expression stands.
struct Look<'a> {
    select: &'a Select,
    scope: &'a Scope,
    /// Whether each of its groups has one key.
    one_key: bool,
    /// Whether all its rows have one.
    one_key_in_windows: bool,
}

impl Look<'_> {
    fn is_partitioned(&self, over: &WindowType) -> bool {
        match over {
            WindowType::WindowSpec(spec) => self.spec_is_partitioned(spec),
            WindowType::NamedWindow(name) => self.named_is_partitioned(&folded(name)),
        }
    }

    fn spec_is_partitioned(&self, spec: &WindowSpec) -> bool {
        let base = spec.window_name.as_ref().map(folded);
        spec.partition_by.iter().any(|e| self.scope.sets_key(e))
            || base.is_some_and(|name| self.named_is_partitioned(&name))
    }

    fn named_is_partitioned(&self, name: &str) -> bool {
        let mut windows = self.select.named_window.iter();
        let found = windows.find(|window| folded(&window.0) == name);
        match found.map(|window| &window.1) {
            Some(NamedWindowExpr::WindowSpec(spec)) => {
                spec.partition_by.iter().any(|e| self.scope.sets_key(e))
            }
            // Of a window that is not found nothing is said.
            _ => true,
        }
    }
}

/// Whether each group of a select has one key; of a currency it is enough to speak of it beside
/// the sums.
fn is_grouped_by_key(select: &Select, scope: &Scope) -> bool {
    let GroupByExpr::Expressions(grouped, _) = &select.group_by else {
        return true;
    };
    let meant = |expr: &Expr| match expr {
        Expr::Value(_) => {
            let at: Option<usize> = expr.to_string().parse().ok();
            at.and_then(|at| expr_of(select.projection.get(at.checked_sub(1)?)?))
                .is_none_or(|expr| scope.sets_key(expr))
        }
        Expr::Identifier(name) => {
            let alias = |item: &SelectItem| match item {
                SelectItem::ExprWithAlias { expr, alias } => {
                    folded(alias) == folded(name) && scope.sets_key(expr)
                }
                _ => false,
            };
            scope.sets_key(expr) || select.projection.iter().any(alias)
        }
        _ => scope.sets_key(expr),
    };
    grouped.iter().any(meant) || scope.is_generous() && speaks_of_key(select, scope)
}

fn speaks_of_key(select: &Select, scope: &Scope) -> bool {
    let beside = |item: &SelectItem| {
        expr_of(item).is_some_and(|expr| {
            let text = expr.to_string().to_lowercase();
            let sums = text.contains("sum(") || text.contains("avg(");
            !sums && scope.mentions_key(expr)
        })
    };
    let having = select.having.as_ref();
    having.is_some_and(|h| scope.mentions_key(h)) || select.projection.iter().any(beside)
}

/// The columns that a select gives.
fn given(select: &Select, scope: &Scope) -> Columns {
    let mut columns = Columns::new();
    for item in &select.projection {
        match item {
            SelectItem::ExprWithAlias { expr, alias } => {
                columns.push((folded(alias), scope.kind(expr)));
            }
            SelectItem::UnnamedExpr(expr) => columns.push((name_given(expr), scope.kind(expr))),
            SelectItem::Wildcard(_) => {
                columns.extend(scope.items.iter().flat_map(|(_, c)| c.clone()));
            }
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                let last = parts(name).and_then(|mut names| names.pop());
                let of = scope
                    .items
                    .iter()
                    .filter(|(alias, _)| Some(alias) == last.as_ref());
                columns.extend(of.flat_map(|(_, c)| c.clone()));
            }
            _ => columns.push((String::new(), Kind::Other)),
        }
    }
    columns
}

/// The name that Postgres gives to an expression without one.
fn name_given(expr: &Expr) -> String {
    match expr {
        Expr::Identifier(name) => folded(name),
        Expr::CompoundIdentifier(names) => names.last().map(folded).unwrap_or_default(),
        Expr::Cast { expr, .. } | Expr::Nested(expr) => name_given(expr),
        Expr::Function(function) => name_of(function).unwrap_or_default(),
        _ => String::new(),
    }
}

fn expr_of(item: &SelectItem) -> Option<&Expr> {
    match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => Some(expr),
        _ => None,
    }
}

/// Columns under the names of an alias list, as far as it goes. Where a `*` may have hidden
/// columns the names would not meet theirs, so nothing is kept.
fn renamed(columns: Columns, names: impl Iterator<Item = String>) -> Columns {
    let names: Vec<String> = names.collect();
    if names.is_empty() {
        return columns;
    }
    if names.len() > columns.len() {
        return Columns::new();
    }
    let kinds = columns.into_iter().map(|(_, kind)| kind);
    names.into_iter().zip(kinds).collect()
}

/// Whether a condition compares with a literal somewhere.
fn has_literal(expr: &Expr) -> bool {
    match expr {
        Expr::BinaryOp { left, right, .. } => has_literal(left) || has_literal(right),
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => has_literal(inner),
        Expr::Value(_) => true,
        _ => false,
    }
}

/// A declared column as Postgres keeps its name: without quotes, else in lower case.
fn plain(column: &str) -> String {
    match column.strip_prefix('"').and_then(|c| c.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => column.to_lowercase(),
    }
}
