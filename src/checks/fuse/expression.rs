//! Expressions that a shared scan may evaluate: they look at one row, give the same answer
//! each time, and hold no query. What is not known to be so is refused.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Array, BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident,
    Value, VisitMut, VisitorMut,
};

use super::Reason;

/// Functions of Postgres that read one row, keep no state and return no set. Aggregates are
/// absent on purpose, and so is whatever may be volatile.
const PLAIN_FUNCTIONS: &[&str] = &[
    "abs",
    "age",
    "array_length",
    "array_position",
    "ascii",
    "bit_length",
    "btrim",
    "cardinality",
    "ceil",
    "ceiling",
    "char_length",
    "character_length",
    "chr",
    "coalesce",
    "concat",
    "concat_ws",
    "current_date",
    "current_timestamp",
    "date_part",
    "date_trunc",
    "date_bin",
    "decode",
    "div",
    "encode",
    "exp",
    "floor",
    "format",
    "greatest",
    "initcap",
    "isempty",
    "isfinite",
    "json_array_length",
    "json_extract_path_text",
    "json_typeof",
    "jsonb_array_length",
    "jsonb_extract_path_text",
    "jsonb_typeof",
    "least",
    "left",
    "length",
    "ln",
    "localtimestamp",
    "log",
    "lower",
    "lower_inc",
    "lpad",
    "ltrim",
    "make_date",
    "make_interval",
    "make_timestamp",
    "md5",
    "mod",
    "now",
    "nullif",
    "num_nonnulls",
    "num_nulls",
    "octet_length",
    "overlay",
    "position",
    "power",
    "regexp_replace",
    "repeat",
    "replace",
    "reverse",
    "right",
    "round",
    "row",
    "rpad",
    "rtrim",
    "scale",
    "sign",
    "split_part",
    "sqrt",
    "starts_with",
    "strpos",
    "substr",
    "substring",
    "to_char",
    "to_date",
    "to_number",
    "to_timestamp",
    "translate",
    "trim",
    "trim_scale",
    "trunc",
    "upper",
    "upper_inc",
    "width_bucket",
];

/// A row's own system columns are not seen through a subquery, so a test may mean either.
const SYSTEM_COLUMNS: &[&str] = &["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"];

/// How Postgres reads a name: as written between quotes, else in lower case.
pub(super) fn folded(ident: &Ident) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_ascii_lowercase(),
    }
}

/// Answers what a column name of a query means one level below.
pub(super) trait Columns {
    /// The expression for an unqualified name.
    fn column(&self, name: &Ident) -> Result<Expr, Reason>;
    /// The expression for a name with its table before it.
    fn qualified(&self, path: &[Ident]) -> Result<Expr, Reason>;
}

/// The expression in terms of what lies below, if a shared scan may evaluate it.
pub(super) fn rewrite(expr: &Expr, columns: &dyn Columns) -> Result<Expr, Reason> {
    let mut expr = expr.clone();
    match expr.visit(&mut Rewriter { columns }) {
        ControlFlow::Continue(()) => Ok(expr),
        ControlFlow::Break(reason) => Err(reason),
    }
}

/// Whether it is a constant as written, possibly with a sign, a cast or parentheses.
pub(super) fn is_literal(expr: &Expr) -> bool {
    match expr {
        Expr::Value(_) | Expr::TypedString(_) => true,
        Expr::Nested(inner) | Expr::UnaryOp { expr: inner, .. } => is_literal(inner),
        Expr::Cast { expr, .. } => is_literal(expr),
        _ => false,
    }
}

struct Rewriter<'a> {
    columns: &'a dyn Columns,
}

impl VisitorMut for Rewriter<'_> {
    type Break = Reason;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Reason> {
        match check(expr) {
            Ok(()) => ControlFlow::Continue(()),
            Err(reason) => ControlFlow::Break(reason),
        }
    }

    // After its children, so what a name is replaced by is not looked at again.
    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Reason> {
        let found = match expr {
            Expr::Identifier(name) => self.columns.column(name),
            Expr::CompoundIdentifier(path) => self.columns.qualified(path),
            _ => return ControlFlow::Continue(()),
        };
        match found {
            Ok(found) => {
                *expr = found;
                ControlFlow::Continue(())
            }
            Err(reason) => ControlFlow::Break(reason),
        }
    }
}

fn check(expr: &Expr) -> Result<(), Reason> {
    match expr {
        Expr::Identifier(name) => check_name(name),
        Expr::CompoundIdentifier(path) => path.last().map_or(Ok(()), check_name),
        Expr::Value(value) => check_value(&value.value),
        Expr::TypedString(typed) => check_value(&typed.value.value),
        Expr::Function(function) => check_function(function),
        Expr::Array(Array { named: true, .. }) => Ok(()),
        Expr::AnyOp { right, .. } | Expr::AllOp { right, .. } => match **right {
            Expr::Subquery(_) => Err(Reason::Subquery),
            _ => Ok(()),
        },
        Expr::BinaryOp {
            op: BinaryOperator::PGCustomBinaryOperator(_) | BinaryOperator::Custom(_),
            ..
        } => Err(Reason::Expression("an operator with its schema".to_owned())),
        Expr::Cast { format: None, .. } => Ok(()),
        Expr::Nested(_)
        | Expr::IsFalse(_)
        | Expr::IsNotFalse(_)
        | Expr::IsTrue(_)
        | Expr::IsNotTrue(_)
        | Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotUnknown(_)
        | Expr::IsDistinctFrom(..)
        | Expr::IsNotDistinctFrom(..)
        | Expr::InList { .. }
        | Expr::Between { .. }
        | Expr::BinaryOp { .. }
        | Expr::UnaryOp { .. }
        | Expr::Like { any: false, .. }
        | Expr::ILike { any: false, .. }
        | Expr::SimilarTo { .. }
        | Expr::AtTimeZone { .. }
        | Expr::Extract { .. }
        | Expr::Ceil { .. }
        | Expr::Floor { .. }
        | Expr::Position { .. }
        | Expr::Substring { .. }
        | Expr::Trim { .. }
        | Expr::Overlay { .. }
        | Expr::Collate { .. }
        | Expr::Case { .. }
        | Expr::Tuple(_)
        | Expr::Interval(_) => Ok(()),
        Expr::Exists { .. } | Expr::InSubquery { .. } | Expr::Subquery(_) => Err(Reason::Subquery),
        other => Err(Reason::Expression(other.to_string())),
    }
}

fn check_name(name: &Ident) -> Result<(), Reason> {
    match SYSTEM_COLUMNS.contains(&folded(name).as_str()) {
        true => Err(Reason::Expression(format!("the system column {name}"))),
        false => Ok(()),
    }
}

fn check_value(value: &Value) -> Result<(), Reason> {
    match value {
        Value::Number(_, false)
        | Value::SingleQuotedString(_)
        | Value::Boolean(_)
        | Value::Null => Ok(()),
        other => Err(Reason::Expression(other.to_string())),
    }
}

fn check_function(function: &Function) -> Result<(), Reason> {
    let refused = || Reason::Function(function.name.to_string());
    let parts = &function.name.0;
    let names: Option<Vec<String>> = parts.iter().map(|p| p.as_ident().map(folded)).collect();
    let names = names.unwrap_or_default();
    let name = match names.as_slice() {
        [name] => name,
        [schema, name] if schema == "pg_catalog" => name,
        _ => return Err(refused()),
    };
    let plain = function.over.is_none()
        && function.filter.is_none()
        && function.within_group.is_empty()
        && function.null_treatment.is_none()
        && function.parameters == FunctionArguments::None;
    if !plain || !PLAIN_FUNCTIONS.contains(&name.as_str()) {
        return Err(refused());
    }
    match &function.args {
        FunctionArguments::None => Ok(()),
        FunctionArguments::Subquery(_) => Err(Reason::Subquery),
        FunctionArguments::List(list) => {
            let values = list.args.iter().all(|arg| {
                matches!(
                    arg,
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(_))
                        | FunctionArg::Named {
                            arg: FunctionArgExpr::Expr(_),
                            ..
                        }
                )
            });
            let simple = list.duplicate_treatment.is_none() && list.clauses.is_empty();
            if values && simple {
                Ok(())
            } else {
                Err(refused())
            }
        }
    }
}
