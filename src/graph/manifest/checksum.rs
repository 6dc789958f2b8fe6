//! The checksum of a contract, made of the same text as dbt's, so that `--state` works with manifests
//! of either.

use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use crate::encode::{hex, python_repr, python_str};
use crate::graph::Node;

/// A constraint with every key that dbt gives it.
pub(super) fn whole(constraint: &Json, of_model: bool) -> Map<String, Json> {
    let get = |key: &str, default: Json| constraint.get(key).cloned().unwrap_or(default);
    let mut whole = Map::new();
    for key in ["type", "name", "expression"] {
        whole.insert(key.to_owned(), get(key, Json::Null));
    }
    for key in ["warn_unenforced", "warn_unsupported"] {
        whole.insert(key.to_owned(), get(key, json!(true)));
    }
    whole.insert("to".to_owned(), get("to", Json::Null));
    whole.insert("to_columns".to_owned(), get("to_columns", json!([])));
    if of_model {
        whole.insert("columns".to_owned(), get("columns", json!([])));
    }
    whole
}

/// A hash of what an enforced contract promises: columns by name, their types and constraints, and
/// the model's own constraints where its materialization enforces them.
pub(super) fn of_contract(node: &Node) -> Option<String> {
    if !node.config.contract.enforced {
        return None;
    }
    let mut columns: Vec<_> = node.columns.iter().collect();
    columns.sort_by_key(|(name, _)| name.as_str());
    let mut text = String::new();
    for (name, info) in columns {
        let data_type = info.data_type.as_deref().unwrap_or("None");
        let constraints = python_list(info.other.get("constraints"), false);
        text.push_str(&format!("|{name}{data_type}{constraints}"));
    }
    let materialized = node.config.materialized.as_str();
    if matches!(materialized, "table" | "incremental") {
        text.push_str(materialized);
        text.push_str(&python_list(node.other.get("constraints"), true));
    }
    let digest = Sha256::digest(text.as_bytes());
    Some(hex(digest))
}

/// Constraints as Python prints a list of dbt's classes.
fn python_list(written: Option<&Json>, of_model: bool) -> String {
    let list = written.and_then(Json::as_array);
    let list = list.map(Vec::as_slice).unwrap_or_default().iter();
    let one = |constraint: &Json| {
        let whole = whole(constraint, of_model);
        let fields = whole.iter().map(|(key, value)| match key.as_str() {
            "type" => {
                let name = python_str(value);
                format!("type=<ConstraintType.{name}: '{name}'>")
            }
            _ => format!("{key}={}", python_repr(value)),
        });
        let class = if of_model { "Model" } else { "Column" };
        let fields: Vec<String> = fields.collect();
        format!("{class}LevelConstraint({})", fields.join(", "))
    };
    let all: Vec<String> = list.map(one).collect();
    format!("[{}]", all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_print_as_in_python() {
        let of = |json: Json, of_model| python_list(Some(&json), of_model);
        assert_eq!(
            of(json!([{"type": "not_null"}]), false),
            "[ColumnLevelConstraint(type=<ConstraintType.not_null: 'not_null'>, name=None, \
             expression=None, warn_unenforced=True, warn_unsupported=True, to=None, to_columns=[])]"
        );
        assert!(
            of(json!([{"type": "check", "columns": ["a"]}]), true).ends_with("columns=['a'])]")
        );
    }
}
