//! What a name means inside a select: a measure, its key, or neither.

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident,
    ObjectName, UnaryOperator,
};

use super::Rule;

/// What a column holds, as far as the lint cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A measure that must not be added up over its key.
    Measure(Measure),
    /// The key of a measure: the currency of an amount, the month of a closing.
    Key,
    /// Anything else, and whatever is not known for certain.
    Other,
}

/// Where a measure comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Measure {
    pub(super) relation: String,
    pub(super) column: String,
    pub(super) key: String,
}

/// Columns of a relation or query, by folded name.
pub(super) type Columns = Vec<(String, Kind)>;

/// The relations of one FROM, each with the name under which it is used.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    rule: Rule,
    pub(super) items: Vec<(String, Columns)>,
}

/// A name as Postgres sees it: lower case unless quoted.
pub(super) fn folded(ident: &Ident) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_lowercase(),
    }
}

/// The parts of a name; `None` where one is not a plain name.
pub(super) fn parts(name: &ObjectName) -> Option<Vec<String>> {
    let ident = |part: &sqlparser::ast::ObjectNamePart| part.as_ident().map(folded);
    name.0.iter().map(ident).collect()
}

impl Scope {
    /// A scope without relations.
    pub(super) fn new(rule: Rule) -> Self {
        Self {
            rule,
            items: Vec::new(),
        }
    }

    /// Whether speaking of the key is enough.
    pub(super) fn is_generous(&self) -> bool {
        self.rule == Rule::Currency
    }

    fn column(&self, item: Option<&str>, name: &str) -> Kind {
        let items = self.items.iter();
        let found: Vec<&Kind> = items
            .filter(|(alias, _)| item.is_none_or(|item| item == alias))
            .flat_map(|(_, columns)| columns.iter().filter(|(n, _)| n == name))
            .map(|(_, kind)| kind)
            .collect();
        match found.as_slice() {
            [first, rest @ ..] if rest.iter().all(|kind| kind == first) => (*first).clone(),
            _ => Kind::Other,
        }
    }

    /// Names that mean a key here.
    fn is_key_word(&self, word: &str) -> bool {
        let named = |(name, kind): &(String, Kind)| match kind {
            Kind::Key => name == word,
            Kind::Measure(measure) => measure.key == word,
            Kind::Other => false,
        };
        (self.rule == Rule::Currency && word.to_lowercase().contains("currency"))
            || self
                .items
                .iter()
                .any(|(_, columns)| columns.iter().any(named))
    }

    /// Whether an expression speaks of a key anywhere; generous, since that is taken as a
    /// sign that its author thought of them.
    pub(super) fn mentions_key(&self, expr: &Expr) -> bool {
        let text = expr.to_string();
        let mut words = text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
        words.any(|word| self.is_key_word(word) || self.is_key_word(&word.to_lowercase()))
            || text
                .split('"')
                .skip(1)
                .step_by(2)
                .any(|word| self.is_key_word(word))
    }

    /// Whether rows that agree in this expression agree in the key. A currency may be spoken of in
    /// any way; a month must be the month itself, since a quarter holds three.
    pub(super) fn sets_key(&self, expr: &Expr) -> bool {
        match (self.rule, expr) {
            (Rule::Currency, _) => self.mentions_key(expr),
            (Rule::Period, Expr::GroupingSets(sets)) => {
                let has_key = |set: &Vec<Expr>| set.iter().any(|e| self.sets_key(e));
                sets.iter().all(has_key)
            }
            (Rule::Period, _) => self.kind(expr) == Kind::Key,
        }
    }

    /// Whether a sum's FILTER leaves one value of the key.
    pub(super) fn filters_key(&self, condition: &Expr) -> bool {
        match self.rule {
            Rule::Currency => self.mentions_key(condition),
            Rule::Period => self.fixes_key(condition),
        }
    }

    /// Whether a condition leaves one value of the key: an equality with one, on its own or among others
    /// that all hold.
    pub(super) fn fixes_key(&self, condition: &Expr) -> bool {
        match condition {
            Expr::Nested(inner) => self.fixes_key(inner),
            Expr::BinaryOp { left, op, right } => match op {
                BinaryOperator::And => self.fixes_key(left) || self.fixes_key(right),
                BinaryOperator::Eq => self.mentions_key(left) || self.mentions_key(right),
                _ => false,
            },
            Expr::InList {
                expr,
                list,
                negated: false,
            } => list.len() == 1 && self.mentions_key(expr),
            Expr::IsNotDistinctFrom(left, right) => {
                self.mentions_key(left) || self.mentions_key(right)
            }
            _ => false,
        }
    }

    /// What an expression gives.
    pub(super) fn kind(&self, expr: &Expr) -> Kind {
        match expr {
            Expr::Identifier(name) => self.column(None, &folded(name)),
            Expr::CompoundIdentifier(names) => match names.as_slice() {
                [.., item, name] => self.column(Some(&folded(item)), &folded(name)),
                _ => Kind::Other,
            },
            Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => self.kind(inner),
            Expr::UnaryOp {
                op: UnaryOperator::Minus | UnaryOperator::Plus,
                expr,
            } => self.kind(expr),
            Expr::BinaryOp { left, op, right } => self.kind_of_operation(left, op, right),
            Expr::Case {
                conditions,
                else_result,
                ..
            } => {
                if self.mentions_key(expr) {
                    return Kind::Other;
                }
                let results = conditions.iter().map(|c| &c.result);
                let results = results.chain(else_result.as_deref());
                self.first_of(results)
            }
            Expr::Function(function) => self.kind_of_function(function),
            _ => Kind::Other,
        }
    }

    /// The first that is not `Other`.
    fn first_of<'e>(&self, exprs: impl IntoIterator<Item = &'e Expr>) -> Kind {
        let mut kinds = exprs.into_iter().map(|expr| self.kind(expr));
        kinds
            .find(|kind| *kind != Kind::Other)
            .unwrap_or(Kind::Other)
    }

    fn kind_of_operation(&self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Kind {
        let measure = |kind: Kind| match kind {
            Kind::Measure(_) => kind,
            _ => Kind::Other,
        };
        match op {
            BinaryOperator::Plus | BinaryOperator::Minus => measure(self.first_of([left, right])),
            // An amount times a rate may well be in another currency.
            BinaryOperator::Multiply if is_number(left) => measure(self.kind(right)),
            BinaryOperator::Multiply | BinaryOperator::Divide if is_number(right) => {
                measure(self.kind(left))
            }
            _ => Kind::Other,
        }
    }

    fn kind_of_function(&self, function: &Function) -> Kind {
        const SAME: [&str; 16] = [
            "coalesce", "nullif", "abs", "round", "trunc", "greatest", "least", "sum", "avg",
            "min", "max", "upper", "lower", "trim", "lag", "lead",
        ];
        let keeps = name_of(function).is_some_and(|name| SAME.contains(&name.as_str()));
        if !keeps {
            return Kind::Other;
        }
        self.first_of(arguments(function))
    }
}

/// A function's name without its schema.
pub(super) fn name_of(function: &Function) -> Option<String> {
    parts(&function.name)?.pop()
}

/// A function's plain arguments.
pub(super) fn arguments(function: &Function) -> Vec<&Expr> {
    let FunctionArguments::List(list) = &function.args else {
        return Vec::new();
    };
    let plain =
        |arg: &'_ FunctionArg| matches!(arg, FunctionArg::Unnamed(FunctionArgExpr::Expr(_)));
    let args = list.args.iter().filter(|arg| plain(arg));
    args.filter_map(|arg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    })
    .collect()
}

fn is_number(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => is_number(inner),
        Expr::UnaryOp { expr, .. } => is_number(expr),
        Expr::Value(_) => true,
        _ => false,
    }
}
