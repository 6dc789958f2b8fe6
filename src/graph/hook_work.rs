//! Whether a hook works while it is rendered because a macro that it calls does, however deep.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::jinja::Engine;

/// A call, with the package before its dot, or the name that is dispatched.
static CALL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?:\b(\w+)\.)?\b(\w+)\s*\(\s*(?:['"](\w+)['"])?"#)
        .expect("a constant pattern compiles")
});

/// What asks or changes the database, as it is called in a macro.
const WORK: [&str; 7] = [
    "run_query(",
    "statement(",
    "adapter.execute",
    "adapter.get_",
    "adapter.create_",
    "adapter.drop_",
    "adapter.rename_",
];

/// Whether a macro that a hook's text calls asks or changes the database, by the macros' texts.
pub(super) fn calls_work(engine: &Engine, package: &str, text: &str) -> bool {
    (text.contains("{{") || text.contains("{%"))
        && reach(engine, package, text, &mut HashSet::new())
}

fn reach(engine: &Engine, package: &str, text: &str, seen: &mut HashSet<String>) -> bool {
    CALL.captures_iter(text).any(|call| {
        let of = call.get(1).map(|m| m.as_str());
        let names = match (of, call.get(3)) {
            (Some("adapter"), Some(name)) if &call[2] == "dispatch" => ["postgres__", "default__"]
                .map(|prefix| format!("{prefix}{}", name.as_str()))
                .to_vec(),
            _ => vec![call[2].to_owned()],
        };
        names.iter().any(|name| {
            let found = engine.find_macro(name, of.unwrap_or(package));
            let found = found.or_else(|| engine.find_macro(name, package));
            // What the engine brings itself works where its name says so, and that is looked for.
            let Some(found) = found.filter(|found| found.package != "dbt") else {
                return false;
            };
            let does = || WORK.iter().any(|word| found.text.contains(word));
            seen.insert(found.unique_id.clone())
                && (does() || reach(engine, &found.package, &found.text, seen))
        })
    })
}
