//! dbt's hash of a package list: SHA-1 of its entries as Python writes their JSON, in order of that text.

use serde_json::{Map, Value as Json, json};
use sha1::{Digest, Sha1};

use crate::encode::{hex, python_json, sorted};

/// The keys that dbt gives an entry of each kind, with their defaults.
fn known(kind: &str) -> Json {
    match kind {
        "package" => json!({"version": null, "install_prerelease": false}),
        "git" => json!({"revision": null, "warn-unpinned": null, "subdirectory": null}),
        _ => json!({}),
    }
}

/// The text of an entry; none for what is no package.
pub(super) fn text(written: &Json, rendered: &Json) -> Option<String> {
    let entry = rendered.as_object()?;
    let kind = ["package", "git", "local", "tarball"];
    let kind = kind.into_iter().find(|kind| entry.contains_key(*kind))?;
    let mut all: Map<String, Json> = match known(kind) {
        Json::Object(map) => map,
        _ => Map::new(),
    };
    for (key, value) in &mut all {
        if let Some(own) = entry.get(key) {
            *value = own.clone();
        }
    }
    for key in [kind, "name"] {
        if let Some(value) = entry.get(key).filter(|value| !value.is_null()) {
            all.insert(key.to_owned(), value.clone());
        }
    }
    all.insert("unrendered".to_owned(), written.clone());
    Some(python_json(&sorted(Json::Object(all))))
}

/// The hash of all entries' texts.
pub(super) fn of(mut texts: Vec<String>) -> String {
    texts.sort_unstable();
    let digest = Sha1::digest(texts.join("\n").as_bytes());
    hex(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_dbt() {
        let entries = [
            json!({"package": "dbt-labs/dbt_utils", "version": "1.3.0"}),
            json!({"package": "a/b", "version": [">=1", "<2"]}),
            json!({"git": "https://x/y.git", "revision": "v1", "warn-unpinned": false}),
            json!({"git": "https://x/y.git", "revision": 1.0, "subdirectory": "s"}),
            json!({"local": "../x"}),
            json!({"tarball": "https://t", "name": "n"}),
        ];
        let texts = entries.iter().filter_map(|e| text(e, e)).collect();
        // What dbt-core 1.11.16 gives for the same list.
        assert_eq!(of(texts), "a58991ca52b1aab0830407272b95adf299c1b24d");
    }
}
