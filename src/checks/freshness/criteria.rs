//! What a source says of its freshness, in dbt's keys: where the time of loading is, and how
//! old the newest may be.

use serde_json::Value as Json;

use crate::diag::{Diagnostic, codes};
use crate::graph::{Detail, Node};

/// How old the newest row may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// So many periods.
    pub count: u64,
    /// Of this length.
    pub period: Period,
}

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Period {
    Minute,
    Hour,
    Day,
}

/// Where the time of loading is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadedAt {
    /// The greatest value of a column or expression.
    Field(String),
    /// A query that gives one value.
    Query(String),
}

/// A source's freshness rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Criteria {
    /// Where the time is; `None` where the source does not say.
    pub loaded_at: Option<LoadedAt>,
    /// Older than this warns.
    pub warn_after: Option<Limit>,
    /// Older than this is an error.
    pub error_after: Option<Limit>,
    /// Rows that count.
    pub filter: Option<String>,
}

impl Limit {
    /// In seconds.
    pub fn seconds(self) -> f64 {
        let one = match self.period {
            Period::Minute => 60.0,
            Period::Hour => 3600.0,
            Period::Day => 86_400.0,
        };
        self.count as f64 * one
    }

    /// For people, for example `2 hours`.
    pub fn words(self) -> String {
        let s = if self.count == 1 { "" } else { "s" };
        format!("{} {}{s}", self.count, self.period.as_str())
    }
}

impl Period {
    /// dbt's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }
}

impl Criteria {
    /// The rules of a source; `None` for what is no source or has no limit.
    ///
    /// Errors: a limit that nothing understands.
    pub fn of(node: &Node) -> Result<Option<Self>, Diagnostic> {
        let Detail::Source {
            loaded_at_field,
            freshness,
            ..
        } = &node.detail
        else {
            return Ok(None);
        };
        let config = |key: &str| node.config.raw.get(key).filter(|v| !v.is_null());
        let Some(written) = freshness.as_ref().or_else(|| config("freshness")) else {
            return Ok(None);
        };
        let warn_after = limit(node, written, "warn_after")?;
        let error_after = limit(node, written, "error_after")?;
        if warn_after.is_none() && error_after.is_none() {
            return Ok(None);
        }
        let text = |value: Option<&Json>| value.and_then(Json::as_str).map(str::to_owned);
        let field = loaded_at_field
            .clone()
            .or_else(|| text(config("loaded_at_field")));
        let query = text(node.other.get("loaded_at_query"))
            .or_else(|| text(config("loaded_at_query")))
            .filter(|_| loaded_at_field.is_none());
        let loaded_at = match (query, field) {
            (Some(query), _) => Some(LoadedAt::Query(query)),
            (None, Some(field)) => Some(LoadedAt::Field(field)),
            (None, None) => None,
        };
        Ok(Some(Self {
            loaded_at,
            warn_after,
            error_after,
            filter: text(written.get("filter")),
        }))
    }

    /// dbt's JSON of the limits.
    pub fn json(&self) -> Json {
        let limit = |limit: Option<Limit>| match limit {
            Some(limit) => {
                serde_json::json!({"count": limit.count, "period": limit.period.as_str()})
            }
            None => serde_json::json!({"count": null, "period": null}),
        };
        serde_json::json!({
            "warn_after": limit(self.warn_after),
            "error_after": limit(self.error_after),
            "filter": self.filter,
        })
    }
}

fn limit(node: &Node, written: &Json, key: &str) -> Result<Option<Limit>, Diagnostic> {
    let value = written.get(key).unwrap_or(&Json::Null);
    let part = |part: &str| value.get(part).filter(|v| !v.is_null());
    let wrong = |what: String| {
        let problem = Diagnostic::error(
            codes::FRESHNESS,
            format!("source `{}`: `{key}` of its freshness {what}", node.label()),
        )
        .hint(format!("write `{key}: {{count: 12, period: hour}}`"));
        Err(match node.span {
            Some(span) => problem.at(span, ""),
            None => problem.in_file(&node.path),
        })
    };
    let (count, period) = match (part("count"), part("period")) {
        (None, None) if value.is_null() || value.is_object() => return Ok(None),
        (Some(count), Some(period)) => (count, period),
        _ => return wrong("needs both `count` and `period`".to_owned()),
    };
    let number = count
        .as_u64()
        .or_else(|| count.as_str().and_then(|text| text.trim().parse().ok()));
    let Some(count) = number else {
        return wrong(format!("has the count {count}, where a number is expected"));
    };
    let period = match period.as_str() {
        Some("minute") => Period::Minute,
        Some("hour") => Period::Hour,
        Some("day") => Period::Day,
        _ => {
            return wrong(format!(
                "has the period {period}; it is minute, hour or day"
            ));
        }
    };
    Ok(Some(Limit { count, period }))
}
