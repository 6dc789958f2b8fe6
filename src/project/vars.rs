//! `--vars` of the command line: YAML, as dbt takes it.

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::diag::codes::CLI_VARS;
use crate::diag::{Diagnostic, SourceMap};

use super::yaml::{self, Yaml};

/// The vars that a text such as `{start: 2024-01-01, fast: yes}` gives. An error points into
/// the text, which is added to `sources` as `--vars`.
pub fn parse_vars(text: &str, sources: &SourceMap) -> Result<IndexMap<String, Json>, Diagnostic> {
    let file = sources.add("--vars", text);
    let document = yaml::parse(file, text)?;
    match &document.root.value {
        Yaml::Null => Ok(IndexMap::new()),
        Yaml::Mapping(entries) => Ok(entries
            .iter()
            .map(|(key, node)| (key.value.clone(), node.to_json()))
            .collect()),
        _ => Err(
            Diagnostic::error(CLI_VARS, format!("--vars is {}", document.root.describe()))
                .at(document.root.span, "expected names with values")
                .hint("write --vars '{name: value}', with a space behind the colon"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn vars_are_yaml() {
        let vars = parse_vars("{start: 2024-01-01, fast: yes}", &SourceMap::default()).unwrap();
        assert_eq!(vars["start"], json!("2024-01-01"));
        assert_eq!(vars["fast"], json!(true));
    }

    #[test]
    fn a_missing_space_behind_the_colon_is_told() {
        let sources = SourceMap::default();
        let error = parse_vars("start:2024", &sources).unwrap_err();
        assert_eq!(error.code, CLI_VARS);
        assert!(error.hint.unwrap().contains("space behind the colon"));
    }
}
