//! The same condition in a form that Postgres evaluates in less time. A shared scan evaluates
//! dozens of conditions for each row, so that most of its time is theirs.

use sqlparser::ast::{
    BinaryOperator, CastKind, DataType, Expr, Ident, ObjectName, TrimWhereField, Value, VisitMut,
    VisitorMut,
};
use std::ops::ControlFlow;

/// Postgres hashes a list of so many values, which is quicker than comparing with four.
const HASHED: usize = 9;
const COMPARED: usize = 3;

/// Short lists in the form that takes least: `x not in ('a', 'b')` as comparisons, which spares
/// the array, and a few values more filled up to as many as Postgres hashes. The same under
/// every collation.
pub(super) fn with_quick_lists(expr: &Expr) -> Expr {
    let mut expr = expr.clone();
    let _ = expr.visit(&mut Each(quick_list));
    expr
}

/// `trim(x) = ''` after a comparison of `x` that neglects trailing blanks: trimming copies the
/// text, so only what may be blank is trimmed. True to the original where every collation is
/// deterministic; `None` if there is nothing to gain.
pub(super) fn blank_before_trimmed(expr: &Expr) -> Option<Expr> {
    let mut found = expr.clone();
    let _ = found.visit(&mut Each(blank_first));
    (found != *expr).then_some(found)
}

/// Replaces expressions, inner ones first.
struct Each(fn(&Expr) -> Option<Expr>);

impl VisitorMut for Each {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Some(quicker) = (self.0)(expr) {
            *expr = quicker;
        }
        ControlFlow::Continue(())
    }
}

fn quick_list(expr: &Expr) -> Option<Expr> {
    let Expr::InList {
        expr,
        list,
        negated,
    } = expr
    else {
        return None;
    };
    // Of numbers a list has one common type, which each comparison alone may not have. A value
    // that is computed is computed once for a list.
    let plain = matches!(**expr, Expr::Identifier(_));
    let known = list.iter().all(is_text) || list.iter().all(is_boolean);
    match list.len() {
        ..=COMPARED if plain && known => compared(expr, list, *negated),
        1..HASHED if known => Some(Expr::InList {
            expr: expr.clone(),
            list: list.iter().cycle().take(HASHED).cloned().collect(),
            negated: *negated,
        }),
        _ => None,
    }
}

fn compared(expr: &Expr, list: &[Expr], negated: bool) -> Option<Expr> {
    let (compare, join) = match negated {
        true => (BinaryOperator::NotEq, BinaryOperator::And),
        false => (BinaryOperator::Eq, BinaryOperator::Or),
    };
    let each = list
        .iter()
        .map(|value| binary(expr.clone(), compare.clone(), value.clone()));
    let all = each.reduce(|all, one| binary(all, join.clone(), one))?;
    Some(Expr::Nested(Box::new(all)))
}

fn blank_first(expr: &Expr) -> Option<Expr> {
    let Expr::BinaryOp {
        left,
        op: BinaryOperator::Eq,
        right,
    } = expr
    else {
        return None;
    };
    let trimmed = match (trimmed(left), trimmed(right)) {
        (Some(trimmed), None) if is_empty_text(right) => trimmed,
        (None, Some(trimmed)) if is_empty_text(left) => trimmed,
        _ => return None,
    };
    let blank = binary(
        cast(
            cast(trimmed.clone(), DataType::Text),
            DataType::Custom(ObjectName::from(vec![Ident::new("bpchar")]), Vec::new()),
        ),
        BinaryOperator::Eq,
        Expr::value(Value::SingleQuotedString(String::new())),
    );
    // The original stays: what is an error in it stays one.
    let both = binary(blank, BinaryOperator::And, expr.clone());
    Some(Expr::Nested(Box::new(both)))
}

/// The column of `trim(column)`.
fn trimmed(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::Nested(inner) => trimmed(inner),
        Expr::Trim {
            expr,
            trim_where: None | Some(TrimWhereField::Both),
            trim_what: None,
            trim_characters: None,
        } => matches!(**expr, Expr::Identifier(_)).then_some(expr),
        _ => None,
    }
}

fn is_text(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if matches!(value.value, Value::SingleQuotedString(_)))
}

fn is_boolean(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if matches!(value.value, Value::Boolean(_)))
}

fn is_empty_text(expr: &Expr) -> bool {
    let empty = |text: &Value| matches!(text, Value::SingleQuotedString(text) if text.is_empty());
    matches!(expr, Expr::Value(value) if empty(&value.value))
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp {
        left: Box::new(left),
        op,
        right: Box::new(right),
    }
}

fn cast(expr: Expr, data_type: DataType) -> Expr {
    Expr::Cast {
        kind: CastKind::DoubleColon,
        expr: Box::new(expr),
        data_type,
        format: None,
    }
}

#[cfg(test)]
mod tests {
    use sqlparser::dialect::PostgreSqlDialect;
    use sqlparser::parser::Parser;

    use super::*;

    fn read(sql: &str) -> Expr {
        let parser = Parser::new(&PostgreSqlDialect {}).try_with_sql(sql);
        parser.unwrap().parse_expr().unwrap()
    }

    fn listed(sql: &str) -> String {
        with_quick_lists(&read(sql)).to_string()
    }

    fn blank(sql: &str) -> Option<String> {
        blank_before_trimmed(&read(sql)).map(|expr| expr.to_string())
    }

    #[test]
    fn very_short_lists_become_comparisons() {
        assert_eq!(listed("a not in ('x', 'y')"), "(a <> 'x' AND a <> 'y')");
        assert_eq!(listed("not (a in ('x'))"), "NOT ((a = 'x'))");
        assert_eq!(listed("a in (true, false)"), "(a = true OR a = false)");
    }

    #[test]
    fn a_few_values_are_filled_up_with_themselves() {
        let filled = "a NOT IN ('1', '2', '3', '4', '1', '2', '3', '4', '1')";
        assert_eq!(listed("a not in ('1', '2', '3', '4')"), filled);
        let filled = format!("lower(a) IN ({})", ["'x'"; 9].join(", "));
        assert_eq!(listed("lower(a) in ('x')"), filled);
    }

    #[test]
    fn lists_of_numbers_and_of_others_stay() {
        let long = format!("a NOT IN ({})", ["'x'"; 10].join(", "));
        for sql in [
            "a NOT IN (1, 2.5)",
            "a IN ('x', NULL)",
            "a IN (true, 'f')",
            &long,
        ] {
            assert_eq!(listed(sql), sql);
        }
    }

    #[test]
    fn a_text_is_trimmed_only_if_it_may_be_blank() {
        let expected = Some("(a::TEXT::bpchar = '' AND TRIM(a) = '')".to_owned());
        assert_eq!(blank("trim(a) = ''"), expected);
        let turned = Some("(a::TEXT::bpchar = '' AND '' = (TRIM(BOTH a)))".to_owned());
        assert_eq!(blank("'' = (trim(both a))"), turned);
    }

    #[test]
    fn other_trims_stay() {
        for sql in [
            "trim(a) = 'x'",
            "trim('x' from a) = ''",
            "trim(leading a) = ''",
            "trim(a) <> ''",
        ] {
            assert_eq!(blank(sql), None, "{sql}");
        }
    }
}
