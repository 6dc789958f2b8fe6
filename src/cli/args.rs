//! The command line: dbt's words and flags, and ours.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::artifact::run_results::BatchResults;
use crate::names::NodeId;

/// SQL transformations for Postgres: dbt-style models, built and tested in one go.
#[derive(Debug, Parser)]
#[command(
    name = "marts",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
#[command(
    after_help = "Exit codes: 0 all well, 1 a node or test failed, 2 wrong usage, a wrong \
                        project or an error beside the nodes."
)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command; they may stand before or after it.
#[derive(Args, Clone, Debug)]
pub struct Global {
    /// The project's folder
    #[arg(long, global = true, value_name = "DIR")]
    pub project_dir: Option<PathBuf>,
    /// The folder of profiles.yml [default: the project's, then ~/.dbt]
    #[arg(long, global = true, value_name = "DIR")]
    pub profiles_dir: Option<PathBuf>,
    /// The profile to use
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// The target of the profile
    #[arg(long, short = 't', global = true, value_name = "NAME")]
    pub target: Option<String>,
    /// A Postgres to use instead of the profile's, as postgres://user@host/dbname
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "DATABASE_URL",
        hide_env_values = true
    )]
    pub url: Option<String>,
    /// Variables, as YAML: '{name: value}'
    #[arg(long, global = true, value_name = "YAML")]
    pub vars: Option<String>,
    /// Nodes to run at once
    #[arg(long, global = true, value_name = "N")]
    pub threads: Option<usize>,
    /// The folder for artifacts and compiled SQL [default: target]
    #[arg(long, global = true, value_name = "DIR")]
    pub target_path: Option<String>,
    /// The folder of marts.log [default: logs]
    #[arg(long, global = true, value_name = "DIR")]
    pub log_path: Option<PathBuf>,
    /// Say only what went wrong
    #[arg(long, short = 'q', global = true, overrides_with = "no_quiet")]
    pub quiet: bool,
    /// Not quiet, whatever the environment says
    #[arg(long, global = true, hide = true, overrides_with = "quiet")]
    pub no_quiet: bool,
    /// Tell every statement on stderr as it is sent
    #[arg(long, short = 'd', global = true, overrides_with = "no_debug")]
    pub debug: bool,
    /// No statements on stderr, whatever the environment says
    #[arg(long, global = true, hide = true, overrides_with = "debug")]
    pub no_debug: bool,
    /// Take every warning for an error
    #[arg(long, global = true)]
    pub warn_error: bool,
    /// Which warnings are errors, as YAML: `{error: all, warn: [name], silence: [name]}`
    #[arg(long, global = true, value_name = "YAML")]
    pub warn_error_options: Option<String>,
    /// No colours
    #[arg(long, global = true)]
    pub no_use_colors: bool,
    /// How progress is told on stderr
    #[arg(long, global = true, value_enum, ignore_case = true, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// What goes to logs/marts.log
    #[arg(long, global = true, value_enum, ignore_case = true, default_value_t = LogLevel::Info)]
    pub log_level: LogLevel,
    /// Flags of dbt without effect here.
    #[command(flatten)]
    pub of_dbt: super::dbt_flags::DbtFlags,
}

/// How progress is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[value(aliases = ["default", "debug"])]
    Text,
    /// One JSON object a line.
    Json,
}

/// What is logged to the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
    None,
}

/// Which nodes.
#[derive(Args, Clone, Debug, Default)]
pub struct SelectArgs {
    /// Nodes to take: names, +parents, children+, tag:x, path:x, config.x:y …
    #[arg(long, short = 's', visible_alias = "models", alias = "model", short_alias = 'm', num_args = 1.., value_name = "SELECTOR")]
    pub select: Vec<String>,
    /// Nodes to leave out
    #[arg(long, num_args = 1.., value_name = "SELECTOR")]
    pub exclude: Vec<String>,
    /// A selector of selectors.yml
    #[arg(long, value_name = "NAME")]
    pub selector: Option<String>,
    /// Kinds of resources to keep
    #[arg(long, alias = "resource-types", num_args = 1.., value_name = "TYPE")]
    pub resource_type: Vec<String>,
    /// Kinds of resources to leave out
    #[arg(long, alias = "exclude-resource-types", num_args = 1.., value_name = "TYPE")]
    pub exclude_resource_type: Vec<String>,
    /// The folder of an earlier run's artifacts, for state:, result: and source_status:
    #[arg(long, value_name = "DIR")]
    pub state: Option<PathBuf>,
    /// Which tests come with selected nodes: eager, cautious, buildable or empty
    #[arg(long, value_name = "MODE")]
    pub indirect_selection: Option<String>,
}

/// How nodes are run.
#[derive(Args, Clone, Debug, Default)]
pub struct RunArgs {
    /// Which nodes.
    #[command(flatten)]
    pub select: SelectArgs,
    /// Build incremental models anew
    #[arg(long, short = 'f')]
    pub full_refresh: bool,
    /// Start nothing more after the first failure
    #[arg(
        long,
        short = 'x',
        visible_alias = "failfast",
        overrides_with = "no_fail_fast"
    )]
    pub fail_fast: bool,
    /// Go on after a failure, whatever project and environment say
    #[arg(long, hide = true, overrides_with = "fail_fast")]
    pub no_fail_fast: bool,
    /// When built relations become visible, whatever the project says: immediate, audited or together
    #[arg(long, value_name = "MODE")]
    pub publish: Option<String>,
    /// Build and test candidates, say what would change, publish nothing
    #[arg(long)]
    pub dry_run: bool,
    /// With --dry-run: compare rows by key as well
    #[arg(long)]
    pub rows: bool,
    /// Drop relations that removed models left behind
    #[arg(long)]
    pub drop_orphans: bool,
    /// Do not wait for another run that holds the target
    #[arg(long)]
    pub no_wait: bool,
    /// Read what is neither built now nor there from the target whose artifacts --state names
    #[arg(long, overrides_with = "no_defer")]
    pub defer: bool,
    /// Not deferred, whatever the environment says
    #[arg(long, hide = true, overrides_with = "defer")]
    pub no_defer: bool,
    /// With --defer: read it from there even where it is here too
    #[arg(long, overrides_with = "no_favor_state")]
    pub favor_state: bool,
    /// Relations that are here are read here, whatever the environment says
    #[arg(long, hide = true, overrides_with = "favor_state")]
    pub no_favor_state: bool,
    /// The folder of artifacts for --defer, if not that of --state
    #[arg(long, value_name = "DIR")]
    pub defer_state: Option<PathBuf>,
    /// Read refs and sources without rows: checks the SQL and makes empty relations
    #[arg(long, overrides_with = "no_empty")]
    pub empty: bool,
    /// With rows, whatever the environment says
    #[arg(long, hide = true, overrides_with = "empty")]
    pub no_empty: bool,
    /// Read only the rows of refs and sources whose event_time lies in a window: '3 days', or
    /// "{'start': '2024-01-01', 'end': '2024-02-01'}"
    #[arg(long, value_name = "WINDOW")]
    pub sample: Option<String>,
    /// Run each test by itself instead of one scan a table
    #[arg(long)]
    pub no_fuse: bool,
    /// Build microbatch models from this time on: a date, or a date and a time, in UTC
    #[arg(long, value_name = "TIME", requires = "event_time_end")]
    pub event_time_start: Option<String>,
    /// Build microbatch models up to this time
    #[arg(long, value_name = "TIME", requires = "event_time_start")]
    pub event_time_end: Option<String>,
    /// Keep failing rows in tables, whatever the project says
    #[arg(long)]
    pub store_failures: bool,
    /// With build: sources that are stale by their error_after hold back what reads them
    #[arg(long)]
    pub freshness: bool,
    /// Write a report: junit=PATH, github=PATH, markdown=PATH or html=PATH; may be repeated
    #[arg(long, value_name = "FORM=PATH")]
    pub report: Vec<String>,
    /// The nodes to run, whatever is selected; `retry` gives them
    #[arg(skip)]
    pub only: Option<Vec<NodeId>>,
    /// What of microbatch models an earlier run built; `retry` gives it
    #[arg(skip)]
    pub batches: Vec<(NodeId, BatchResults)>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Seeds, models, snapshots and tests in DAG order; a failing test holds back what reads it
    Build(RunArgs),
    /// Build and test candidates and say what would change; `build --dry-run` under another name
    Diff(RunArgs),
    /// Build models
    Run(RunArgs),
    /// Run data tests
    Test(RunArgs),
    /// Load CSV files
    Seed(SeedArgs),
    /// Take snapshots
    Snapshot(RunArgs),
    /// Write compiled SQL to target/compiled, run nothing
    Compile(RunArgs),
    /// Read and check the project
    Parse,
    /// Run the last command again for the nodes that failed, were skipped or stayed unpublished
    Retry(super::retry::RetryArgs),
    /// List nodes
    #[command(visible_alias = "list")]
    Ls(LsArgs),
    /// Run one node's query, or a query given in line, and print some rows
    Show(ShowArgs),
    /// Documentation: the manifest and a catalog of what the database holds
    Docs(super::docs::DocsArgs),
    /// Views over the relations of another target, by its manifest (--state)
    Clone(RunArgs),
    /// Call a macro on the target
    RunOperation(super::run_operation::OperationArgs),
    /// Install the packages of packages.yml and dependencies.yml
    Deps(super::deps::DepsArgs),
    /// How fresh the sources are
    #[command(subcommand)]
    Source(SourceCommand),
    /// Check the project, the profile and the connection
    Debug(super::debug::DebugArgs),
    /// Make a small project to start from
    Init(super::init::InitArgs),
    /// Remove the target folder and other clean-targets
    Clean,
    /// Make synthetic raw data
    Generate(super::generate::GenerateArgs),
    /// Move tables of another Postgres, named in ingest.yml, into the raw schema
    Ingest(super::ingest::IngestArgs),
    /// Everything at once: server, data, seeds, models, tests, the key figures
    #[command(mut_arg("out", |out| out.hide(true)))]
    Demo(super::demo::DemoArgs),
    /// The ledger: what earlier runs did, and whether the record of it is untouched
    Audit(super::audit::AuditArgs),
    /// The private Postgres server
    Db(super::db::DbArgs),
}

/// `seed`.
#[derive(Args, Clone, Debug, Default)]
pub struct SeedArgs {
    /// How it runs.
    #[command(flatten)]
    pub run: RunArgs,
    /// Print the first rows of each seed
    #[arg(long)]
    pub show: bool,
}

/// `source`.
#[derive(Debug, Subcommand)]
pub enum SourceCommand {
    /// Ask each source when it was last loaded; exit code 1 when one is stale by its error_after
    #[command(alias = "snapshot-freshness")]
    Freshness(FreshnessArgs),
}

/// `source freshness`.
#[derive(Args, Clone, Debug, Default)]
pub struct FreshnessArgs {
    /// Which sources: source:raw, source:raw.orders, …
    #[command(flatten)]
    pub select: SelectArgs,
    /// The file to write [default: sources.json in the target folder]
    #[arg(long, short = 'o', value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `ls`.
#[derive(Args, Clone, Debug, Default)]
pub struct LsArgs {
    /// Which nodes.
    #[command(flatten)]
    pub select: SelectArgs,
    /// What is printed of each node: selector, name, path or json
    #[arg(long, default_value = "selector", value_name = "FORM")]
    pub output: String,
    /// Keys to print with --output json
    #[arg(long, num_args = 1.., value_name = "KEY")]
    pub output_keys: Vec<String>,
}

/// `show`.
#[derive(Args, Clone, Debug, Default)]
pub struct ShowArgs {
    /// Which node.
    #[command(flatten)]
    pub select: SelectArgs,
    /// A query with Jinja, instead of a node
    #[arg(long, value_name = "SQL")]
    pub inline: Option<String>,
    /// How many rows; -1 for all
    #[arg(long, default_value_t = 5, allow_negative_numbers = true)]
    pub limit: i64,
    /// text, json or csv
    #[arg(long, default_value = "text", value_name = "FORM")]
    pub output: String,
}
