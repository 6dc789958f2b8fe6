//! dbt's flags that scripts pass out of habit: read, so that a command line for dbt works, and
//! without effect, since what they tune is not there (a parse cache, telemetry, a relation
//! cache, experimental parsers).

use std::path::PathBuf;

use clap::Args;

/// Flags that change nothing.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Accepted for dbt's sake, without effect")]
#[allow(missing_docs)]
pub struct DbtFlags {
    #[arg(long, global = true, hide = true)]
    pub partial_parse: bool,
    #[arg(long, global = true, hide = true)]
    pub no_partial_parse: bool,
    #[arg(long, global = true, hide = true, value_name = "FILE")]
    pub partial_parse_file_path: Option<PathBuf>,
    #[arg(long, global = true, hide = true)]
    pub partial_parse_file_diff: bool,
    #[arg(long, global = true, hide = true)]
    pub no_partial_parse_file_diff: bool,
    #[arg(long, global = true, hide = true)]
    pub static_parser: bool,
    #[arg(long, global = true, hide = true)]
    pub no_static_parser: bool,
    #[arg(long, global = true, hide = true)]
    pub use_experimental_parser: bool,
    #[arg(long, global = true, hide = true)]
    pub no_use_experimental_parser: bool,
    #[arg(long, global = true, hide = true)]
    pub populate_cache: bool,
    #[arg(long, global = true, hide = true)]
    pub no_populate_cache: bool,
    #[arg(long, global = true, hide = true)]
    pub cache_selected_only: bool,
    #[arg(long, global = true, hide = true)]
    pub no_cache_selected_only: bool,
    #[arg(long, global = true, hide = true)]
    pub log_cache_events: bool,
    #[arg(long, global = true, hide = true)]
    pub no_log_cache_events: bool,
    #[arg(long, global = true, hide = true)]
    pub send_anonymous_usage_stats: bool,
    #[arg(long, global = true, hide = true)]
    pub no_send_anonymous_usage_stats: bool,
    #[arg(long, global = true, hide = true)]
    pub version_check: bool,
    #[arg(long, global = true, hide = true)]
    pub no_version_check: bool,
    #[arg(long, global = true, hide = true)]
    pub macro_debugging: bool,
    #[arg(long, global = true, hide = true)]
    pub no_macro_debugging: bool,
    #[arg(long, global = true, hide = true)]
    pub use_fast_test_edges: bool,
    #[arg(long, global = true, hide = true)]
    pub no_use_fast_test_edges: bool,
    #[arg(long, global = true, hide = true)]
    pub show_all_deprecations: bool,
    #[arg(long, global = true, hide = true)]
    pub no_show_all_deprecations: bool,
    #[arg(long, global = true, hide = true)]
    pub write_json: bool,
    #[arg(long, global = true, hide = true)]
    pub print: bool,
    #[arg(long, global = true, hide = true)]
    pub no_write_json: bool,
    #[arg(long, global = true, hide = true)]
    pub no_print: bool,
    #[arg(long, global = true, hide = true)]
    pub introspect: bool,
    #[arg(long, global = true, hide = true)]
    pub no_introspect: bool,
    #[arg(long, global = true, hide = true)]
    pub export_saved_queries: bool,
    #[arg(long, global = true, hide = true)]
    pub no_export_saved_queries: bool,
    #[arg(long, global = true, hide = true)]
    pub inject_ephemeral_ctes: bool,
    #[arg(long, global = true, hide = true)]
    pub no_inject_ephemeral_ctes: bool,
    #[arg(long, global = true, hide = true)]
    pub use_colors: bool,
    #[arg(long, global = true, hide = true)]
    pub use_colors_file: bool,
    #[arg(long, global = true, hide = true)]
    pub no_use_colors_file: bool,
    #[arg(long, global = true, hide = true, value_name = "N")]
    pub printer_width: Option<usize>,
    #[arg(long, global = true, hide = true, value_name = "BYTES")]
    pub log_file_max_bytes: Option<u64>,
    #[arg(long, global = true, hide = true, value_name = "FORM")]
    pub log_format_file: Option<String>,
    #[arg(long, global = true, hide = true, value_name = "LEVEL")]
    pub log_level_file: Option<String>,
    #[arg(long, global = true, hide = true, value_name = "FILE")]
    pub record_timing_info: Option<PathBuf>,
}
