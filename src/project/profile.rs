//! `profiles.yml`: finding it, choosing profile and target, rendering only that output.
//!
//! Values may be secrets, so no message of this file quotes one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::diag::codes::{
    MISSING_KEY, PROFILE_NOT_FOUND, PROFILES_MISSING, TARGET_NOT_FOUND, WRONG_TYPE,
};
use crate::diag::{Diagnostic, SourceMap, Spanned, nearest};

use super::ReadOptions;
use super::declarations::Target;
use super::files::read_text;
use super::render::Renderer;
use super::yaml::{self, Check, Node};

/// Threads where nothing says how many.
const DEFAULT_THREADS: usize = 4;

/// The target of this invocation. Findings go to `check`; `None` when there is no target.
pub(crate) fn read(
    options: &ReadOptions,
    asked: Option<&Spanned<String>>,
    sources: &SourceMap,
    check: &mut Check,
) -> Option<Target> {
    if let Some(url) = &options.url {
        return super::url::target(url, options, asked, check);
    }
    let Some(path) = find(options) else {
        check.push(missing(options, asked));
        return None;
    };
    let shown = path
        .strip_prefix(&options.project_dir)
        .unwrap_or(&path)
        .to_owned();
    let text = match read_text(&path, &shown) {
        Ok(text) => text,
        Err(diagnostic) => {
            check.push(diagnostic);
            return None;
        }
    };
    let file = sources.add(&shown, text.clone());
    match yaml::parse(file, &text) {
        Ok(document) => choose(&document.root, options, asked, check, &shown),
        Err(diagnostic) => {
            check.push(diagnostic);
            None
        }
    }
}

/// Keys of an output that templates may not see.
const HIDDEN: [&str; 5] = ["password", "pass", "sslkey", "sslpassword", "url"];

impl Target {
    /// dbt's `target` variable: the output's keys without secrets, and what dbt adds to them.
    pub fn variable(&self) -> Json {
        let mut variable = Map::new();
        for (key, value) in &self.output {
            if !HIDDEN.contains(&key.as_str()) {
                variable.insert(key.clone(), value.clone());
            }
        }
        // One is an alias of the other, and both are asked for.
        let dbname = self
            .output
            .get("dbname")
            .or_else(|| self.output.get("database"));
        if let Some(dbname) = dbname.cloned() {
            variable.insert("dbname".to_owned(), dbname.clone());
            variable.insert("database".to_owned(), dbname);
        }
        variable.insert("name".to_owned(), self.name.clone().into());
        variable.insert("target_name".to_owned(), self.name.clone().into());
        variable.insert("profile_name".to_owned(), self.profile.clone().into());
        variable.insert("schema".to_owned(), self.schema.clone().into());
        variable.insert("threads".to_owned(), self.threads.into());
        Json::Object(variable)
    }
}

fn candidates(options: &ReadOptions) -> Vec<PathBuf> {
    if let Some(folder) = &options.profiles_dir {
        return vec![folder.join("profiles.yml")];
    }
    let mut paths = vec![options.project_dir.join("profiles.yml")];
    if let Some(home) = options.env.get("HOME") {
        paths.push(Path::new(home).join(".dbt").join("profiles.yml"));
    }
    paths
}

fn find(options: &ReadOptions) -> Option<PathBuf> {
    candidates(options).into_iter().find(|path| path.is_file())
}

fn missing(options: &ReadOptions, asked: Option<&Spanned<String>>) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(PROFILES_MISSING, "there is no profiles.yml");
    for path in candidates(options) {
        diagnostic = diagnostic.note(format!("looked for {}", path.display()));
    }
    if let Some(folder) = &options.profiles_dir {
        diagnostic = diagnostic.in_dbts_words(format!(
            "dbt looked for a profiles.yml file in {}",
            folder.display()
        ));
    }
    let name = asked.map_or("<profile>", |name| &name.value);
    diagnostic.hint(format!(
        "write one beside the project file with the profile `{name}`, or give --url"
    ))
}

fn choose(
    root: &Node,
    options: &ReadOptions,
    asked: Option<&Spanned<String>>,
    check: &mut Check,
    shown: &Path,
) -> Option<Target> {
    let renderer = Renderer {
        env: options.env.clone(),
        vars: Arc::new(options.cli_vars.clone()),
        target: Json::Null,
        secrets: true,
    };
    let Some(name) = options
        .profile
        .clone()
        .or_else(|| asked.map(|name| name.value.clone()))
    else {
        check.push(
            Diagnostic::error(MISSING_KEY, "the project file names no profile")
                .hint("add `profile: <name>` to it, or give --profile"),
        );
        return None;
    };
    let Some(profile) = root.get(&name) else {
        check.push(unknown_profile(root, &name, options, asked, shown));
        return None;
    };
    let target = target_name(profile, options, &renderer, check)?;
    let Some(output) = profile.get("outputs").and_then(|o| o.get(&target.0)) else {
        check.push(unknown_target(profile, &name, &target, check_span(profile)));
        return None;
    };
    build(&name, &target.0, output, options, &renderer, check)
}

fn check_span(node: &Node) -> crate::diag::Span {
    node.as_mapping()
        .and_then(|entries| entries.first())
        .map_or(node.span, |(key, _)| key.span)
}

fn unknown_profile(
    root: &Node,
    name: &str,
    options: &ReadOptions,
    asked: Option<&Spanned<String>>,
    shown: &Path,
) -> Diagnostic {
    let mut names: Vec<&str> = root
        .as_mapping()
        .into_iter()
        .flatten()
        .map(|(key, _)| key.value.as_str())
        .filter(|key| *key != "config")
        .collect();
    names.sort_unstable();
    let mut diagnostic = Diagnostic::error(
        PROFILE_NOT_FOUND,
        format!("{} has no profile `{name}`", shown.display()),
    );
    if options.profile.is_none()
        && let Some(asked) = asked
    {
        diagnostic = diagnostic.at(asked.span, "asked for here");
    } else {
        diagnostic = diagnostic.in_file(shown);
    }
    if !names.is_empty() {
        diagnostic = diagnostic.note(format!("it has: {}", names.join(", ")));
    }
    match nearest(name, names.iter().copied()) {
        Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
        None => diagnostic.hint(format!("add the profile `{name}`, or give --profile")),
    }
}

/// The target's name, and where it was written.
fn target_name(
    profile: &Node,
    options: &ReadOptions,
    renderer: &Renderer,
    check: &mut Check,
) -> Option<(String, Option<crate::diag::Span>)> {
    if let Some(target) = &options.target {
        return Some((target.clone(), None));
    }
    let Some(node) = profile.get("target") else {
        return Some(("default".to_owned(), None));
    };
    let Some(text) = yaml::scalar_text(node) else {
        check.wrong_type("the profile", "target", node, "the name of an output");
        return None;
    };
    let span = node.span;
    let name = renderer.text(Spanned { value: text, span }, check)?;
    Some((name, Some(span)))
}

fn unknown_target(
    profile: &Node,
    name: &str,
    target: &(String, Option<crate::diag::Span>),
    fallback: crate::diag::Span,
) -> Diagnostic {
    let outputs: Vec<&str> = profile
        .get("outputs")
        .and_then(Node::as_mapping)
        .into_iter()
        .flatten()
        .map(|(key, _)| key.value.as_str())
        .collect();
    let diagnostic = Diagnostic::error(
        TARGET_NOT_FOUND,
        format!("profile `{name}` has no target `{}`", target.0),
    )
    .at(target.1.unwrap_or(fallback), "")
    .in_dbts_words(format!(
        "The profile '{name}' does not have a target named '{}'.",
        target.0
    ));
    let diagnostic = if outputs.is_empty() {
        diagnostic.note("it has no outputs at all")
    } else {
        diagnostic.note(format!("it has: {}", outputs.join(", ")))
    };
    match nearest(&target.0, outputs.iter().copied()) {
        Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
        None => diagnostic.hint("add it under `outputs:`, or give --target with one that exists"),
    }
}

fn build(
    profile: &str,
    name: &str,
    output: &Node,
    options: &ReadOptions,
    renderer: &Renderer,
    check: &mut Check,
) -> Option<Target> {
    let Some(entries) = output.as_mapping() else {
        check.push(
            Diagnostic::error(
                WRONG_TYPE,
                format!("target `{name}` is {}", output.describe()),
            )
            .at(output.span, "expected type, host, user and so on")
            .hint("write `key: value` lines here"),
        );
        return None;
    };
    let before = check.diagnostics.len();
    let mut rendered = Map::new();
    for (key, value) in entries {
        rendered.insert(key.value.clone(), renderer.json(value, check));
    }
    let kind = rendered
        .get("type")
        .and_then(Json::as_str)
        .map(str::to_owned);
    match kind.as_deref() {
        Some("postgres") => {}
        Some(other) => check.push(wrong_adapter(name, other, output)),
        None => check.push(
            Diagnostic::error(MISSING_KEY, format!("target `{name}` has no `type`"))
                .at(check_span(output), "")
                .hint("add `type: postgres` here"),
        ),
    }
    let schema = schema_of(&rendered, name, output, check);
    let threads = threads_of(&rendered, output, options, check);
    if check.diagnostics.len() > before {
        return None;
    }
    Some(Target {
        profile: profile.to_owned(),
        name: name.to_owned(),
        schema,
        threads,
        output: rendered,
    })
}

fn wrong_adapter(name: &str, kind: &str, output: &Node) -> Diagnostic {
    let span = output.get("type").map_or(output.span, |node| node.span);
    Diagnostic::error(
        crate::diag::codes::TARGET_NOT_POSTGRES,
        format!("target `{name}` is of type `{kind}`; marts speaks only to Postgres"),
    )
    .at(span, "")
    .hint("write `type: postgres`, or choose another target with --target")
}

fn schema_of(rendered: &Map<String, Json>, name: &str, output: &Node, check: &mut Check) -> String {
    match rendered.get("schema") {
        Some(Json::String(schema)) if !schema.is_empty() => schema.clone(),
        Some(Json::Number(number)) => number.to_string(),
        _ => {
            check.push(
                Diagnostic::error(MISSING_KEY, format!("target `{name}` has no `schema`"))
                    .at(check_span(output), "")
                    .hint("add `schema: <where models are built>` here"),
            );
            String::new()
        }
    }
}

fn threads_of(
    rendered: &Map<String, Json>,
    output: &Node,
    options: &ReadOptions,
    check: &mut Check,
) -> usize {
    if let Some(threads) = options.threads {
        return threads.max(1);
    }
    let number = match rendered.get("threads") {
        None | Some(Json::Null) => return DEFAULT_THREADS,
        Some(Json::Number(number)) => number.as_u64(),
        Some(Json::String(text)) => text.trim().parse().ok(),
        Some(_) => None,
    };
    match number.filter(|n| (1..=1024).contains(n)) {
        Some(number) => number as usize,
        None => {
            if let Some(node) = output.get("threads") {
                check.wrong_type("the target", "threads", node, "a number from 1 to 1024");
            }
            DEFAULT_THREADS
        }
    }
}
