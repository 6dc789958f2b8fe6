//! The values that a node's config can have, as types.

use std::time::Duration;

use serde_json::Value as Json;

use crate::diag::Span;

/// Words of a config key and what they mean.
macro_rules! choices {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// Every word with its meaning.
            pub const ALL: &'static [(&'static str, Self)] = &[$(($word, Self::$variant),)*];

            /// The word.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}

/// One of Postgres' time limits, as a node's config sets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLimit {
    /// The setting's name.
    pub setting: &'static str,
    /// Its value; zero lifts a limit of the target.
    pub limit: Duration,
    /// Where it was written, where that is known.
    pub place: Option<Span>,
}

impl TimeLimit {
    /// The settings that a node may have.
    pub const SETTINGS: [&'static str; 3] = [
        "statement_timeout",
        "lock_timeout",
        "idle_in_transaction_session_timeout",
    ];
}

choices! {
    /// Who may `ref` a model.
    Access {
        /// Its group only.
        Private = "private",
        /// Its package.
        Protected = "protected",
        /// Everybody.
        Public = "public",
    }
}

choices! {
    /// What an incremental model does when its columns change.
    OnSchemaChange {
        /// Nothing.
        Ignore = "ignore",
        /// Stop with an error.
        Fail = "fail",
        /// Add new columns.
        AppendNewColumns = "append_new_columns",
        /// Add new columns, drop missing ones, change types.
        SyncAllColumns = "sync_all_columns",
    }
}

choices! {
    /// What a materialized view does when its config changes.
    OnConfigurationChange {
        /// Alter it.
        Apply = "apply",
        /// Warn and leave it.
        Continue = "continue",
        /// Stop with an error.
        Fail = "fail",
    }
}

choices! {
    /// What a snapshot does with rows that are gone.
    HardDeletes {
        /// Nothing.
        Ignore = "ignore",
        /// Close them.
        Invalidate = "invalidate",
        /// Close them and add a row that says so.
        NewRecord = "new_record",
    }
}

choices! {
    /// What a failing test is.
    TestSeverity {
        /// A failure.
        Error = "error",
        /// A warning.
        Warn = "warn",
    }
}

choices! {
    /// What failing rows are kept as.
    StoreFailuresAs {
        /// A table.
        Table = "table",
        /// A view.
        View = "view",
        /// Not at all.
        Ephemeral = "ephemeral",
    }
}

choices! {
    /// When a node becomes visible.
    Publish {
        /// As soon as it is built (dbt's order).
        Immediate = "immediate",
        /// After its own tests passed.
        Audited = "audited",
        /// With the whole selection, after all tests passed.
        Together = "together",
    }
}

choices! {
    /// How a table becomes visible.
    PublishMethod {
        /// By exchanging relations.
        Swap = "swap",
        /// By delete and insert in one transaction.
        Rows = "rows",
    }
}

/// Which columns a check snapshot compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckColumns {
    /// All of them.
    All,
    /// These.
    Columns(Vec<String>),
}

/// Which descriptions become comments in Postgres.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PersistDocs {
    /// That of the relation.
    pub relation: bool,
    /// Those of its columns.
    pub columns: bool,
}

/// A model's contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contract {
    /// Whether columns and types are checked and constraints created.
    pub enforced: bool,
    /// Whether type aliases are resolved, default true.
    pub alias_types: bool,
}

impl Default for Contract {
    fn default() -> Self {
        Self {
            enforced: false,
            alias_types: true,
        }
    }
}

/// SQL that runs before or after a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// The template.
    pub sql: String,
    /// Whether it runs in the node's transaction, default true.
    pub transaction: bool,
    /// Whether a macro that it calls asks or changes the database; known once macros are.
    pub calls_work: bool,
}

impl Hook {
    /// A hook as it is written: SQL, a mapping, or a mapping as JSON text (`before_begin()`
    /// and its like give that).
    pub fn from_json(value: &Json) -> Option<Self> {
        match value {
            Json::String(text) => {
                let as_mapping = text
                    .trim_start()
                    .starts_with('{')
                    .then(|| serde_json::from_str::<Json>(text).ok())
                    .flatten()
                    .and_then(|json| Self::from_mapping(&json));
                Some(as_mapping.unwrap_or_else(|| Self {
                    sql: text.clone(),
                    transaction: true,
                    calls_work: false,
                }))
            }
            other => Self::from_mapping(other),
        }
    }

    fn from_mapping(value: &Json) -> Option<Self> {
        let map = value.as_object()?;
        Some(Self {
            sql: map.get("sql")?.as_str()?.to_owned(),
            transaction: map
                .get("transaction")
                .is_none_or(|t| t.as_bool() != Some(false)),
            calls_work: false,
        })
    }
}

/// An index of a table or materialized view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// Columns, or expressions, in order.
    pub columns: Vec<String>,
    /// `unique`, default false.
    pub unique: bool,
    /// `type`, the access method, default Postgres' own (btree).
    pub kind: Option<String>,
}

impl Index {
    /// An entry of `indexes`; the error says what was found.
    pub(super) fn from_json(value: &Json) -> Result<Self, String> {
        let Some(map) = value.as_object() else {
            return Err(format!("a list with {}", describe(value)));
        };
        if let Some(key) = map
            .keys()
            .find(|k| !["columns", "unique", "type"].contains(&k.as_str()))
        {
            return Err(format!("a list with the unknown key `{key}`"));
        }
        let columns = match map.get("columns") {
            Some(Json::String(column)) => vec![column.clone()],
            Some(Json::Array(items)) => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect::<Option<Vec<_>>>()
                .ok_or("a list with columns that are not text")?,
            _ => return Err("a list with an index that has no `columns`".to_owned()),
        };
        if columns.is_empty() {
            return Err("a list with an index that has no `columns`".to_owned());
        }
        let unique = match map.get("unique") {
            None | Some(Json::Null) => false,
            Some(Json::Bool(unique)) => *unique,
            Some(other) => return Err(format!("a list where `unique` is {}", describe(other))),
        };
        let kind = match map.get("type") {
            None | Some(Json::Null) => None,
            Some(Json::String(kind)) => Some(kind.clone()),
            Some(other) => return Err(format!("a list where `type` is {}", describe(other))),
        };
        Ok(Self {
            columns,
            unique,
            kind,
        })
    }
}

/// What a value is, for a message.
pub(super) fn describe(value: &Json) -> String {
    match value {
        Json::Null => "nothing".to_owned(),
        Json::Bool(flag) => format!("the boolean {flag}"),
        Json::Number(number) => format!("the number {number}"),
        Json::String(text) if text.chars().count() <= 40 && !text.contains('\n') => {
            format!("the text \"{text}\"")
        }
        Json::String(_) => "a long text".to_owned(),
        Json::Array(_) => "a list".to_owned(),
        Json::Object(_) => "a mapping".to_owned(),
    }
}
