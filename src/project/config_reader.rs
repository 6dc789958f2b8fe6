//! From a merged config to its types: one method a group of keys, one for each shape of value.
//!
//! A wrong value is reported and its default taken.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use crate::diag::codes::CONFIG_VALUE;
use crate::diag::{Diagnostic, nearest};
use crate::limits;

use super::declarations::ConfigMap;
use super::node_config::{ConfigOrigin, NodeConfig};
use super::node_values::{
    Access, CheckColumns, Contract, HardDeletes, Hook, Index, OnConfigurationChange,
    OnSchemaChange, PersistDocs, Publish, PublishMethod, StoreFailuresAs, TestSeverity, TimeLimit,
    describe,
};
use super::threshold::Threshold;

/// Takes typed values out of the map and collects what is wrong.
pub(super) struct Reader<'a> {
    raw: &'a ConfigMap,
    origin: &'a ConfigOrigin<'a>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    /// A reader of one node's config.
    pub(super) fn new(raw: &'a ConfigMap, origin: &'a ConfigOrigin<'a>) -> Self {
        Self {
            raw,
            origin,
            diagnostics: Vec::new(),
        }
    }

    /// Everything but `raw`, and what is wrong.
    pub(super) fn read(mut self, materialized: &str) -> (NodeConfig, Vec<Diagnostic>) {
        let mut config = self.common(materialized);
        self.incremental(&mut config);
        self.table(&mut config);
        self.seed(&mut config);
        self.snapshot(&mut config);
        self.test(&mut config);
        self.publication(&mut config);
        (config, self.diagnostics)
    }

    fn common(&mut self, materialized: &str) -> NodeConfig {
        let docs = self.map("docs");
        NodeConfig {
            enabled: self.boolean("enabled").unwrap_or(true),
            materialized: self
                .text("materialized")
                .unwrap_or_else(|| materialized.to_owned()),
            schema: self.text("schema"),
            database: self.text("database"),
            alias: self.text("alias"),
            group: self.text("group"),
            access: self
                .choice("access", Access::ALL)
                .unwrap_or(Access::Protected),
            tags: unique(self.texts("tags")),
            meta: self.map("meta"),
            pre_hook: self.hooks("pre-hook"),
            post_hook: self.hooks("post-hook"),
            full_refresh: self.boolean("full_refresh"),
            quoting: self.booleans("quoting"),
            sql_header: self.text("sql_header"),
            docs_show: docs.get("show").and_then(Json::as_bool).unwrap_or(true),
            docs_color: docs
                .get("node_color")
                .and_then(Json::as_str)
                .map(str::to_owned),
            ..NodeConfig::default()
        }
    }

    fn incremental(&mut self, config: &mut NodeConfig) {
        config.unique_key = self.texts("unique_key");
        config.incremental_strategy = self.text("incremental_strategy");
        config.incremental_predicates = self.texts("incremental_predicates");
        if config.incremental_predicates.is_empty() {
            config.incremental_predicates = self.texts("predicates");
        }
        config.merge_update_columns = self.texts("merge_update_columns");
        config.merge_exclude_columns = self.texts("merge_exclude_columns");
        if let Some(choice) = self.choice("on_schema_change", OnSchemaChange::ALL) {
            config.on_schema_change = choice;
        }
        if let Some(choice) = self.choice("on_configuration_change", OnConfigurationChange::ALL) {
            config.on_configuration_change = choice;
        }
        config.event_time = self.text("event_time");
        config.begin = self.text("begin");
        let sizes = [("hour", ()), ("day", ()), ("month", ()), ("year", ())];
        // Elsewhere the key is anybody's own: packages have seeds with a `batch_size` of rows.
        let batches = config.incremental_strategy.as_deref() == Some("microbatch");
        if batches && self.choice("batch_size", &sizes).is_some() {
            config.batch_size = self.text("batch_size").map(|size| size.to_lowercase());
        }
        config.lookback = self.number("lookback").unwrap_or(1);
        config.concurrent_batches = self.boolean("concurrent_batches");
    }

    fn table(&mut self, config: &mut NodeConfig) {
        config.indexes = self.indexes();
        config.unlogged = self.boolean("unlogged").unwrap_or(false);
        config.grants = self.grants();
        let docs = self.booleans("persist_docs");
        config.persist_docs = PersistDocs {
            relation: docs.get("relation").copied().unwrap_or(false),
            columns: docs.get("columns").copied().unwrap_or(false),
        };
        let contract = self.booleans("contract");
        config.contract = Contract {
            enforced: contract.get("enforced").copied().unwrap_or(false),
            alias_types: contract.get("alias_types").copied().unwrap_or(true),
        };
    }

    fn seed(&mut self, config: &mut NodeConfig) {
        config.column_types = self.text_map("column_types");
        config.quote_columns = self.boolean("quote_columns");
        if let Some(text) = self.text("delimiter") {
            // One that no file can have fails the seed alone, as any fault of its file does.
            config.delimiter = match text.as_str() {
                "\\t" => "\t".to_owned(),
                _ => text,
            };
        }
    }

    fn snapshot(&mut self, config: &mut NodeConfig) {
        config.strategy = self.text("strategy");
        config.updated_at = self.text("updated_at");
        config.check_cols = self.check_columns();
        config.target_schema = self.text("target_schema");
        config.target_database = self.text("target_database");
        let chosen = self.choice("hard_deletes", HardDeletes::ALL);
        let invalidate = self.boolean("invalidate_hard_deletes").unwrap_or(false);
        config.hard_deletes = match (chosen, invalidate) {
            (Some(chosen), _) => chosen,
            (None, true) => HardDeletes::Invalidate,
            (None, false) => HardDeletes::Ignore,
        };
        config.dbt_valid_to_current = self.text("dbt_valid_to_current");
        config.snapshot_meta_column_names = self.text_map("snapshot_meta_column_names");
    }

    fn test(&mut self, config: &mut NodeConfig) {
        if let Some(severity) = self.choice("severity", TestSeverity::ALL) {
            config.severity = severity;
        }
        if let Some(condition) = self.condition("warn_if") {
            config.warn_if = condition;
        }
        if let Some(condition) = self.condition("error_if") {
            config.error_if = condition;
        }
        config.where_ = self.text("where");
        config.limit = self.number("limit");
        if let Some(expression) = self.text("fail_calc") {
            config.fail_calc = expression;
        }
        config.store_failures = self.boolean("store_failures");
        config.store_failures_as = self.choice("store_failures_as", StoreFailuresAs::ALL);
    }

    fn publication(&mut self, config: &mut NodeConfig) {
        config.publish = self.choice("publish", Publish::ALL);
        if let Some(method) = self.choice("publish_method", PublishMethod::ALL) {
            config.publish_method = method;
        }
        config.require_audit = self.boolean("require_audit").unwrap_or(false);
        config.limits = TimeLimit::SETTINGS
            .into_iter()
            .filter_map(|setting| self.time_limit(setting))
            .collect();
        config.retries = self
            .number("retries")
            .map(|n| n.try_into().unwrap_or(u32::MAX));
    }

    /// The value of a key, unless it is absent or null.
    fn value(&self, key: &str) -> Option<&Json> {
        self.raw.get(key).filter(|value| !value.is_null())
    }

    fn text(&mut self, key: &str) -> Option<String> {
        let text = scalar(self.value(key)?);
        if text.is_none() {
            self.wrong(key, "text");
        }
        text
    }

    fn boolean(&mut self, key: &str) -> Option<bool> {
        let value = as_bool(self.value(key)?);
        if value.is_none() {
            self.wrong(key, "true or false");
        }
        value
    }

    fn number(&mut self, key: &str) -> Option<u64> {
        let value = match self.value(key)? {
            Json::Number(number) => number.as_u64(),
            Json::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        if value.is_none() {
            self.wrong(key, "a whole number");
        }
        value
    }

    fn time_limit(&mut self, setting: &'static str) -> Option<TimeLimit> {
        let text = self.text(setting)?;
        let Some(limit) = limits::parse(&text) else {
            self.wrong(setting, limits::SPELLING);
            return None;
        };
        Some(TimeLimit {
            setting,
            limit,
            place: (self.origin.place)(setting),
        })
    }

    fn texts(&mut self, key: &str) -> Vec<String> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let texts: Option<Vec<String>> = match value {
            Json::Array(items) => items.iter().map(scalar).collect(),
            other => scalar(other).map(|text| vec![text]),
        };
        texts.unwrap_or_else(|| {
            self.wrong(key, "text, or a list of texts");
            Vec::new()
        })
    }

    fn map(&mut self, key: &str) -> Map<String, Json> {
        match self.value(key) {
            None => Map::new(),
            Some(Json::Object(map)) => map.clone(),
            Some(_) => {
                self.wrong(key, "keys with values");
                Map::new()
            }
        }
    }

    fn booleans(&mut self, key: &str) -> IndexMap<String, bool> {
        let mut flags = IndexMap::new();
        for (name, value) in self.map(key) {
            match as_bool(&value) {
                Some(flag) => {
                    flags.insert(name, flag);
                }
                None if value.is_null() => {}
                None => self.wrong_inside(key, &name, &value, "true or false"),
            }
        }
        flags
    }

    fn text_map(&mut self, key: &str) -> IndexMap<String, String> {
        let mut texts = IndexMap::new();
        for (name, value) in self.map(key) {
            match scalar(&value) {
                Some(text) => {
                    texts.insert(name, text);
                }
                None => self.wrong_inside(key, &name, &value, "text"),
            }
        }
        texts
    }

    /// One of a few words, in any case.
    fn choice<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let value = self.value(key)?;
        let word = value.as_str().unwrap_or_default();
        let found = choices
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(word));
        if let Some((_, choice)) = found {
            return Some(*choice);
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let near = nearest(word, names.iter().copied()).map(str::to_owned);
        let mut diagnostic = self.diagnose(
            key,
            &describe(value),
            &format!("one of {}", names.join(", ")),
        );
        if let Some(near) = near {
            diagnostic = Diagnostic {
                hint: None,
                ..diagnostic
            }
            .hint(format!("did you mean `{near}`?"));
        }
        self.diagnostics.push(diagnostic);
        None
    }

    /// `warn_if` and `error_if`.
    fn condition(&mut self, key: &str) -> Option<String> {
        let text = self.text(key)?;
        if let Err(expected) = Threshold::parse(&text) {
            self.wrong(key, expected);
            return None;
        }
        Some(text)
    }

    fn hooks(&mut self, key: &str) -> Vec<Hook> {
        let items = match self.value(key) {
            None => return Vec::new(),
            Some(Json::Array(items)) => items.clone(),
            Some(other) => vec![other.clone()],
        };
        let mut hooks = Vec::new();
        for item in &items {
            match Hook::from_json(item) {
                Some(hook) => hooks.push(hook),
                None => self.wrong(key, "SQL, or `sql:` with `transaction:`"),
            }
        }
        hooks
    }

    fn indexes(&mut self) -> Vec<Index> {
        let items = match self.value("indexes") {
            None => return Vec::new(),
            Some(Json::Array(items)) => items.clone(),
            Some(_) => {
                self.wrong("indexes", "a list of indexes, each with `columns:`");
                return Vec::new();
            }
        };
        let mut indexes = Vec::new();
        for item in &items {
            match Index::from_json(item) {
                Ok(index) => indexes.push(index),
                Err(problem) => {
                    let diagnostic = self.diagnose("indexes", &problem, "columns, unique and type");
                    self.diagnostics.push(diagnostic);
                }
            }
        }
        indexes
    }

    fn grants(&mut self) -> Option<IndexMap<String, Vec<String>>> {
        self.value("grants")?;
        let mut grants = IndexMap::new();
        for (privilege, roles) in self.map("grants") {
            let list: Option<Vec<String>> = match &roles {
                Json::Array(items) => items.iter().map(scalar).collect(),
                Json::Null => Some(Vec::new()),
                other => scalar(other).map(|role| vec![role]),
            };
            match list {
                Some(list) => {
                    grants.insert(privilege, list);
                }
                None => {
                    self.wrong_inside("grants", &privilege, &roles, "a role, or a list of roles")
                }
            }
        }
        Some(grants)
    }

    fn check_columns(&mut self) -> Option<CheckColumns> {
        if self.value("check_cols")?.as_str() == Some("all") {
            return Some(CheckColumns::All);
        }
        let columns = self.texts("check_cols");
        Some(CheckColumns::Columns(columns))
    }

    fn wrong(&mut self, key: &str, expected: &str) {
        let found = self
            .raw
            .get(key)
            .map_or_else(|| "nothing".to_owned(), describe);
        let diagnostic = self.diagnose(key, &found, expected);
        self.diagnostics.push(diagnostic);
    }

    fn wrong_inside(&mut self, key: &str, name: &str, value: &Json, expected: &str) {
        let found = format!("{} for `{name}`", describe(value));
        let diagnostic = self.diagnose(key, &found, expected);
        self.diagnostics.push(diagnostic);
    }

    fn diagnose(&self, key: &str, found: &str, expected: &str) -> Diagnostic {
        let diagnostic = Diagnostic::error(
            CONFIG_VALUE,
            format!("config `{key}` of {} is {found}", self.origin.what),
        )
        .hint(format!("give it {expected}"));
        match ((self.origin.place)(key), self.origin.file) {
            (Some(span), _) => diagnostic.at(span, format!("expected {expected}")),
            (None, Some(file)) => diagnostic.in_file(file),
            (None, None) => diagnostic,
        }
    }
}

fn scalar(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn as_bool(value: &Json) -> Option<bool> {
    match value {
        Json::Bool(flag) => Some(*flag),
        // Jinja gives Python's spelling where more than one expression made the text.
        Json::String(text) => match text.trim() {
            "true" | "True" => Some(true),
            "false" | "False" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn unique(texts: Vec<String>) -> Vec<String> {
    let mut seen: IndexMap<String, ()> = IndexMap::new();
    for text in texts {
        seen.insert(text, ());
    }
    seen.into_keys().collect()
}
