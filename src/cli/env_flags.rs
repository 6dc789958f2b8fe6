//! Environment variables for flags, as dbt has them: `DBT_X` for `--x`, and `DBT_ENGINE_X`,
//! which wins. What is empty counts as not set; the command line wins over both.

use std::ffi::OsString;

use clap::builder::BoolishValueParser;
use clap::{Arg, ArgAction, Command as Clap, CommandFactory, FromArgMatches};
use indexmap::IndexMap;

use super::args::{Cli, Command, RunArgs};

/// A flag's variables: the first one that is set counts.
struct Variable {
    /// The argument's id.
    id: &'static str,
    /// The forms, that of `DBT_ENGINE_` first; what dbt called it before comes last.
    forms: &'static [&'static str],
}

macro_rules! variables {
    ($($id:literal: $name:literal $(or $older:literal)?,)*) => {
        &[$(Variable {
            id: $id,
            forms: &[concat!("DBT_ENGINE_", $name), concat!("DBT_", $name) $(, $older)?],
        }),*]
    };
}

/// The variables of flags.
const VARIABLES: &[Variable] = variables! {
    "project_dir": "PROJECT_DIR",
    "profiles_dir": "PROFILES_DIR",
    "profile": "PROFILE",
    "target": "TARGET",
    "target_path": "TARGET_PATH",
    "log_path": "LOG_PATH",
    "log_format": "LOG_FORMAT",
    "log_level": "LOG_LEVEL",
    "quiet": "QUIET",
    "debug": "DEBUG",
    "warn_error": "WARN_ERROR",
    "warn_error_options": "WARN_ERROR_OPTIONS",
    "resource_type": "RESOURCE_TYPES",
    "exclude_resource_type": "EXCLUDE_RESOURCE_TYPES",
    "indirect_selection": "INDIRECT_SELECTION",
    "state": "STATE" or "DBT_ARTIFACT_STATE_PATH",
    "defer": "DEFER" or "DBT_DEFER_TO_STATE",
    "defer_state": "DEFER_STATE",
    "favor_state": "FAVOR_STATE" or "DBT_FAVOR_STATE_MODE",
    "full_refresh": "FULL_REFRESH",
    "fail_fast": "FAIL_FAST",
    "store_failures": "STORE_FAILURES",
    "empty": "EMPTY",
    "sample": "SAMPLE",
    "event_time_start": "EVENT_TIME_START",
    "event_time_end": "EVENT_TIME_END",
    "use_colors": "USE_COLORS",
};

/// Variables of what is no flag here; their two forms are one all the same.
const OTHERS: &[Variable] = variables! {
    "": "PACKAGE_HUB_URL",
    "": "INVOCATION_ENV",
    "": "PRINT",
    "": "VERSION_CHECK",
};

/// Flags with a negative form: clap would take the variable of one and the other on the command
/// line for a contradiction, so `settle` reads the variable.
const PAIRS: [&str; 6] = [
    "quiet",
    "debug",
    "fail_fast",
    "defer",
    "favor_state",
    "empty",
];

/// Commands whose words are not dbt's: variables for dbt mean nothing to their arguments.
const NOT_OF_DBT: [&str; 5] = ["generate", "ingest", "demo", "audit", "db"];

/// Reads the arguments, and the environment for what they leave open.
pub(super) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let matches = with_variables(Cli::command(), true).try_get_matches_from(args)?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    settle(&mut cli)?;
    Ok(cli)
}

/// The environment with both forms of each variable, the `DBT_ENGINE_` one deciding.
pub(super) fn both_forms(env: &mut IndexMap<String, String>) {
    for variable in VARIABLES.iter().chain(OTHERS) {
        let (engine, plain) = (variable.forms[0], variable.forms[1]);
        match (env.get(engine).cloned(), env.get(plain).cloned()) {
            (Some(value), _) => env.insert(plain.to_owned(), value),
            (None, Some(value)) => env.insert(engine.to_owned(), value),
            (None, None) => None,
        };
    }
}

fn with_variables(command: Clap, of_dbt: bool) -> Clap {
    let command = match of_dbt {
        true => command.mut_args(with_variable),
        false => command,
    };
    command.mut_subcommands(|inner| {
        let of_dbt = of_dbt && !NOT_OF_DBT.contains(&inner.get_name());
        with_variables(inner, of_dbt)
    })
}

fn with_variable(arg: Arg) -> Arg {
    let id = arg.get_id().as_str();
    let Some(variable) = VARIABLES.iter().find(|known| known.id == id) else {
        return arg;
    };
    let set = variable.set();
    if PAIRS.contains(&id) {
        return arg;
    }
    let is_flag = matches!(arg.get_action(), ArgAction::SetTrue);
    let is_list = matches!(arg.get_action(), ArgAction::Append);
    let arg = match (set, std::env::var_os(variable.forms[1])) {
        (Some(form), _) => arg.env(form),
        // Empty: clap would take it for a value.
        (None, Some(_)) => return arg,
        (None, None) => arg.env(variable.forms[1]),
    };
    match (is_flag, is_list && set.is_some()) {
        (true, _) => arg.value_parser(BoolishValueParser::new()),
        (_, true) => arg.value_delimiter(' '),
        _ => arg,
    }
}

impl Variable {
    fn set(&self) -> Option<&'static str> {
        let is_set =
            |name: &&&'static str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        self.forms.iter().find(is_set).copied()
    }
}

/// What a flag's variable says, where it is set; a text that is neither yes nor no is an error.
fn says(id: &str) -> Result<Option<bool>, clap::Error> {
    let set = VARIABLES.iter().find(|known| known.id == id);
    let Some(name) = set.and_then(Variable::set) else {
        return Ok(None);
    };
    let text = std::env::var(name).unwrap_or_default();
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "t" | "yes" | "y" | "on" => Ok(Some(true)),
        "0" | "false" | "f" | "no" | "n" | "off" => Ok(Some(false)),
        _ => {
            let message = format!("{name} is {text:?}, which is neither true nor false\n");
            Err(clap::Error::raw(
                clap::error::ErrorKind::InvalidValue,
                message,
            ))
        }
    }
}

/// What the environment says of flags that have a negative form; the command line wins.
fn settle(cli: &mut Cli) -> Result<(), clap::Error> {
    let decided = |yes: bool, no: bool, id: &str| {
        let open = !yes && !no;
        Ok::<bool, clap::Error>(yes || (open && says(id)? == Some(true)))
    };
    let global = &mut cli.global;
    global.debug = decided(global.debug, global.no_debug, "debug")?;
    global.quiet = decided(global.quiet, global.no_quiet, "quiet")?;
    global.no_use_colors |= !global.of_dbt.use_colors && says("use_colors")? == Some(false);
    if let Some(run) = run_args(&mut cli.command) {
        run.defer = decided(run.defer, run.no_defer, "defer")?;
        run.favor_state = decided(run.favor_state, run.no_favor_state, "favor_state")?;
        run.empty = decided(run.empty, run.no_empty, "empty")?;
        // The variable's no wins over the project's flag, as that of the command line does.
        run.no_fail_fast |= !run.fail_fast && says("fail_fast")? == Some(false);
        run.fail_fast = decided(run.fail_fast, run.no_fail_fast, "fail_fast")?;
    }
    Ok(())
}

fn run_args(command: &mut Command) -> Option<&mut RunArgs> {
    match command {
        Command::Build(args)
        | Command::Diff(args)
        | Command::Run(args)
        | Command::Test(args)
        | Command::Snapshot(args)
        | Command::Compile(args)
        | Command::Clone(args) => Some(args),
        Command::Seed(args) => Some(&mut args.run),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_form_of_a_variable_decides_for_both() {
        let mut env = IndexMap::from([
            ("DBT_ENGINE_TARGET".to_owned(), "a".to_owned()),
            ("DBT_TARGET".to_owned(), "b".to_owned()),
            ("DBT_PROFILE".to_owned(), "p".to_owned()),
        ]);
        both_forms(&mut env);
        assert_eq!(env["DBT_TARGET"], "a");
        assert_eq!(env["DBT_ENGINE_PROFILE"], "p");
        assert!(!env.contains_key("DBT_STATE"));
    }

    #[test]
    fn no_on_the_command_line_wins() {
        let parse = |args: &[&str]| parse(args.iter().map(OsString::from)).unwrap();
        let of = |mut cli: Cli| run_args(&mut cli.command).unwrap().clone();
        assert!(of(parse(&["marts", "build", "--no-defer", "--defer"])).defer);
        assert!(!of(parse(&["marts", "build", "--defer", "--no-defer"])).defer);
        assert!(
            parse(&["marts", "--no-debug", "--debug", "parse"])
                .global
                .debug
        );
    }

    #[test]
    fn every_variable_belongs_to_an_argument() {
        let mut ids = std::collections::HashSet::new();
        gather(&Cli::command(), &mut ids);
        for variable in VARIABLES {
            assert!(ids.contains(variable.id), "{}", variable.id);
        }
    }

    fn gather(command: &Clap, ids: &mut std::collections::HashSet<String>) {
        ids.extend(command.get_arguments().map(|arg| arg.get_id().to_string()));
        for inner in command.get_subcommands() {
            gather(inner, ids);
        }
    }
}
