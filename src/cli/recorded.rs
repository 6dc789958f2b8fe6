//! The arguments of a run as `run_results.json` keeps them, in dbt's words, and a run made of
//! them again for `retry`. A database URL is never written: it may hold a password.

use std::path::PathBuf;

use serde_json::{Map, Value as Json, json};

use super::args::{Global, RunArgs, SelectArgs};
use super::invocation::Invocation;
use crate::plan::Work;

/// The commands that `retry` can continue.
pub(super) const COMMANDS: [(&str, Work); 5] = [
    ("build", Work::Build),
    ("run", Work::Run),
    ("test", Work::Test),
    ("seed", Work::Seed),
    ("snapshot", Work::Snapshot),
];

/// What a run was asked to do.
pub(super) fn record(
    global: &Global,
    args: &RunArgs,
    command: &str,
    invocation: &Invocation,
) -> Map<String, Json> {
    let path = |path: &Option<PathBuf>| path.as_ref().map(|p| p.display().to_string());
    let target = &invocation.project.target;
    let select = &args.select;
    let json = json!({
        "which": command,
        "select": select.select,
        "exclude": select.exclude,
        "selector": select.selector,
        "resource_types": select.resource_type,
        "exclude_resource_types": select.exclude_resource_type,
        "indirect_selection": select.indirect_selection.as_deref().unwrap_or("eager"),
        "state": path(&select.state),
        "full_refresh": args.full_refresh,
        "fail_fast": args.fail_fast,
        "store_failures": args.store_failures,
        "publish": args.publish,
        "no_fuse": args.no_fuse,
        "drop_orphans": args.drop_orphans,
        "dry_run": args.dry_run,
        "event_time_start": args.event_time_start,
        "event_time_end": args.event_time_end,
        "rows": args.rows,
        "vars": invocation.cli_vars,
        "target": target.name,
        "profile": target.profile,
        "threads": target.threads,
        "by_url": global.url.is_some(),
        "project_dir": path(&Some(invocation.root().to_owned())),
        "profiles_dir": path(&global.profiles_dir),
        "target_path": global.target_path,
        "quiet": global.quiet,
        "invocation_command": format!("marts {command}"),
    });
    match json {
        Json::Object(map) => map,
        _ => Map::new(),
    }
}

/// What `run-operation` was asked to do: the macro and its arguments as written.
pub(super) fn operation(
    global: &Global,
    (name, args): (&str, Option<&str>),
    invocation: &Invocation,
) -> Map<String, Json> {
    let mut map = record(global, &RunArgs::default(), "run-operation", invocation);
    map.insert("macro".to_owned(), name.into());
    map.insert("args".to_owned(), args.unwrap_or("{}").into());
    map
}

/// A run that was recorded, by marts or by dbt.
pub(super) struct Recorded<'a>(pub(super) &'a Map<String, Json>);

impl Recorded<'_> {
    /// Its command's word.
    pub(super) fn command(&self) -> Option<&str> {
        self.0.get("which").and_then(Json::as_str)
    }

    /// Its command, if `retry` can continue it.
    pub(super) fn work(&self) -> Option<Work> {
        let command = self.command()?;
        let known = COMMANDS.iter().find(|(word, _)| *word == command);
        known.map(|(_, work)| *work)
    }

    /// Whether its connection was given by a URL.
    pub(super) fn is_by_url(&self) -> bool {
        self.flag("by_url")
    }

    /// Options of every command; what is given now wins.
    pub(super) fn global(&self, now: &Global) -> Global {
        let by_url = self.is_by_url() || now.url.is_some();
        let of_profile = |key: &str| self.text(key).filter(|_| !by_url);
        Global {
            vars: now.vars.clone().or_else(|| self.vars()),
            target: now.target.clone().or_else(|| of_profile("target")),
            profile: now.profile.clone().or_else(|| of_profile("profile")),
            profiles_dir: now
                .profiles_dir
                .clone()
                .or_else(|| self.text("profiles_dir").map(PathBuf::from)),
            threads: now.threads.or_else(|| {
                let threads = self.0.get("threads").and_then(Json::as_u64);
                threads.and_then(|threads| threads.try_into().ok())
            }),
            ..now.clone()
        }
    }

    /// How nodes were run, without what was selected: `retry` knows its nodes.
    pub(super) fn args(&self) -> RunArgs {
        RunArgs {
            select: SelectArgs::default(),
            full_refresh: self.flag("full_refresh"),
            fail_fast: self.flag("fail_fast"),
            store_failures: self.flag("store_failures"),
            publish: self.text("publish"),
            no_fuse: self.flag("no_fuse"),
            drop_orphans: self.flag("drop_orphans"),
            // What was not to be published then is not published now.
            dry_run: self.flag("dry_run"),
            rows: self.flag("rows"),
            event_time_start: self.text("event_time_start"),
            event_time_end: self.text("event_time_end"),
            ..RunArgs::default()
        }
    }

    /// Variables as `--vars` takes them: JSON is YAML.
    fn vars(&self) -> Option<String> {
        match self.0.get("vars")? {
            Json::Object(map) if !map.is_empty() => Some(Json::Object(map.clone()).to_string()),
            // Older versions of dbt keep the text.
            Json::String(text) if !text.trim().is_empty() => Some(text.clone()),
            _ => None,
        }
    }

    fn text(&self, key: &str) -> Option<String> {
        self.0.get(key).and_then(Json::as_str).map(str::to_owned)
    }

    fn flag(&self, key: &str) -> bool {
        self.0.get(key).and_then(Json::as_bool).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none() -> Global {
        use clap::Parser;
        let cli = super::super::args::Cli::try_parse_from(["marts", "parse"]);
        Global {
            url: None,
            target: None,
            ..cli.unwrap().global
        }
    }

    fn recorded(json: Json) -> Map<String, Json> {
        json.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn what_is_given_now_wins_over_what_was_recorded() {
        let map = recorded(json!({
            "which": "build", "vars": {"v": 1}, "target": "prod", "threads": 2,
            "full_refresh": true, "fail_fast": null,
        }));
        let recorded = Recorded(&map);
        let global = recorded.global(&none());
        assert_eq!(global.vars.as_deref(), Some("{\"v\":1}"));
        assert_eq!(global.target.as_deref(), Some("prod"));
        assert_eq!(global.threads, Some(2));
        let now = Global {
            target: Some("dev".into()),
            ..none()
        };
        assert_eq!(recorded.global(&now).target.as_deref(), Some("dev"));
        assert!(recorded.args().full_refresh);
        assert!(!recorded.args().fail_fast);
        assert_eq!(recorded.work(), Some(Work::Build));
    }

    #[test]
    fn only_runs_are_continued() {
        for (which, work) in [("run", true), ("compile", false), ("generate", false)] {
            let map = recorded(json!({"which": which}));
            assert_eq!(Recorded(&map).work().is_some(), work, "{which}");
        }
        assert!(Recorded(&Map::new()).work().is_none());
    }
}
