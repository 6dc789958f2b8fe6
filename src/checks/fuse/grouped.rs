//! Grouped queries that a shared scan can answer: keys that occur more than once, and groups
//! whose key is in or not in a list. Both have rows exactly if a row of the relation says so.

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr,
    Select, SelectItem, Value,
};

use super::Reason;
use super::expression::{Columns, folded, is_literal, rewrite};
use super::proof::{Output, Outputs, Source, View, enclosed};

/// A `group by` on the way.
#[derive(Clone, Debug)]
pub(super) struct Grouped {
    /// The keys, in terms of the relation.
    pub(super) keys: Vec<Expr>,
    pub(super) chosen: Chosen,
}

/// Which groups are left.
#[derive(Clone, Debug)]
pub(super) enum Chosen {
    /// All of them: such a test is none.
    All,
    /// Those of more than one row.
    Duplicates,
    /// Those whose key passes this condition.
    Listed(Expr),
}

/// Reads `select … group by keys [having count(*) > 1]`.
pub(super) fn read(
    select: &Select,
    keys: &[Expr],
    conditions: Vec<Expr>,
    source: &Source,
) -> Result<View, Reason> {
    let keys: Vec<Expr> = keys
        .iter()
        .map(|key| read_key(key, &select.projection, source))
        .collect::<Result<_, _>>()?;
    let chosen = match &select.having {
        None => Chosen::All,
        Some(having) if is_more_than_one(having) => Chosen::Duplicates,
        Some(_) => return Err(Reason::Clause("having")),
    };
    let mut named = Vec::new();
    for item in &select.projection {
        let Some((name, expr)) = source.item(item)? else {
            return Err(Reason::Clause("* with group by"));
        };
        let output = if is_count(expr) {
            Output::Count
        } else {
            let value = rewrite(expr, source)?;
            if !keys.contains(&value) && !is_literal(&value) {
                return Err(Reason::Clause("an aggregate"));
            }
            Output::Value(value)
        };
        named.push((name, output));
    }
    Ok(View {
        origin: source.view.origin.clone(),
        conditions,
        selected: source.view.selected.clone(),
        outputs: Outputs::Named(named),
        grouped: Some(Grouped { keys, chosen }),
    })
}

/// A key as written, or by its position in the select list.
fn read_key(key: &Expr, items: &[SelectItem], source: &Source) -> Result<Expr, Reason> {
    let expr = match key {
        Expr::Value(value) => {
            let at = match &value.value {
                Value::Number(digits, _) => digits.parse::<usize>().ok(),
                _ => None,
            };
            let item = at.and_then(|at| items.get(at.checked_sub(1)?));
            let item = item.ok_or(Reason::Clause("group by a constant"))?;
            let found = source.item(item)?;
            found.ok_or(Reason::Clause("* with group by"))?.1
        }
        other => other,
    };
    if let Expr::Identifier(name) = key {
        // Postgres prefers a column of the input to an alias; which of them is there is not known.
        let wanted = folded(name);
        for item in items {
            if let SelectItem::ExprWithAlias { expr, alias } = item
                && folded(alias) == wanted
                && *expr != *key
            {
                return Err(Reason::Name(wanted));
            }
        }
    }
    if is_literal(expr) {
        return Err(Reason::Clause("group by a constant"));
    }
    rewrite(expr, source)
}

/// Reads a select over a grouped query.
pub(super) fn over(select: &Select, source: Source) -> Result<View, Reason> {
    let grouped_again = match &select.group_by {
        GroupByExpr::Expressions(keys, _) => !keys.is_empty(),
        GroupByExpr::All(_) => true,
    };
    let Some(grouped) = source.view.grouped.clone().filter(|_| !grouped_again) else {
        return Err(Reason::Clause("group by"));
    };
    if select.having.is_some() {
        return Err(Reason::Clause("having"));
    }
    let chosen = match (&select.selection, grouped.chosen) {
        (None, chosen) => chosen,
        (Some(selection), Chosen::All) => Chosen::Listed(listed(selection, &source)?),
        (Some(_), _) => return Err(Reason::Clause("a filter over groups")),
    };
    let mut named = Vec::new();
    for item in &select.projection {
        match source.item(item)? {
            None => named.extend(source.outputs()),
            Some((name, Expr::Identifier(column))) => {
                named.push((name, source.output(&folded(column))?));
            }
            Some((name, literal)) if is_literal(literal) => {
                named.push((name, Output::Value(rewrite(literal, &source)?)));
            }
            Some(_) => return Err(Reason::Clause("group by")),
        }
    }
    Ok(View {
        outputs: Outputs::Named(named),
        grouped: Some(Grouped {
            keys: grouped.keys,
            chosen,
        }),
        ..source.view
    })
}

/// `key in (…)` or `key not in (…)`. Other conditions could tell apart what a group holds
/// together, as `1.0` and `1.00` do.
fn listed(selection: &Expr, source: &Source) -> Result<Expr, Reason> {
    match selection {
        Expr::Nested(inner) => listed(inner, source),
        Expr::InList {
            expr,
            list,
            negated,
        } if list.iter().all(is_literal) => {
            let Expr::Identifier(name) = &**expr else {
                return Err(Reason::Clause("a filter over groups"));
            };
            let list: Result<Vec<Expr>, Reason> =
                list.iter().map(|value| rewrite(value, source)).collect();
            Ok(Expr::InList {
                expr: Box::new(enclosed(source.column(name)?)),
                list: list?,
                negated: *negated,
            })
        }
        _ => Err(Reason::Clause("a filter over groups")),
    }
}

impl Source {
    fn outputs(&self) -> Vec<(Option<String>, Output)> {
        match &self.view.outputs {
            Outputs::Named(named) => named.clone(),
            Outputs::All | Outputs::Mixed => Vec::new(),
        }
    }

    fn output(&self, wanted: &str) -> Result<Output, Reason> {
        let named = self.outputs();
        let mut found = named
            .into_iter()
            .filter(|(n, _)| n.as_deref() == Some(wanted));
        match (found.next(), found.next()) {
            (Some((_, output)), None) => Ok(output),
            _ => Err(Reason::Name(wanted.to_owned())),
        }
    }
}

/// `count(*) > 1` or `count(*) >= 2`.
fn is_more_than_one(having: &Expr) -> bool {
    let number = |expr: &Expr| match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.parse::<u32>().ok(),
            _ => None,
        },
        _ => None,
    };
    match having {
        Expr::Nested(inner) => is_more_than_one(inner),
        Expr::BinaryOp { left, op, right } if is_count(left) => matches!(
            (op, number(right)),
            (BinaryOperator::Gt, Some(1)) | (BinaryOperator::GtEq, Some(2))
        ),
        _ => false,
    }
}

/// `count(*)` and nothing else.
fn is_count(expr: &Expr) -> bool {
    let Expr::Function(Function {
        name,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(list),
        filter: None,
        null_treatment: None,
        over: None,
        within_group,
        ..
    }) = expr
    else {
        return false;
    };
    let star = matches!(
        list.args.as_slice(),
        [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)]
    );
    star && list.duplicate_treatment.is_none()
        && list.clauses.is_empty()
        && within_group.is_empty()
        && name.to_string().eq_ignore_ascii_case("count")
}
