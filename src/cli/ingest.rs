//! `ingest`: tables of another Postgres into the raw schema; a line a table on stderr, exit code
//! 1 when one was not loaded or is not as in the source.

use std::io::Write;
use std::time::Instant;

use clap::Args;
use futures_util::StreamExt;

use super::args::Global;
use super::build::runtime;
use super::failure::Failure;
use super::invocation::{project_dir, read};
use super::target::{self, Connected};
use super::{EXIT_NODE_FAILED, EXIT_OK, World};
use crate::diag::{Diagnostic, RenderOptions, SourceMap, codes, render};
use crate::ingest::{Ingest, IngestError, Loaded, Mode, OnSchemaChange, Options, Table, Verify};
use crate::pg::{ConnectConfig, Pool};
use crate::project::{self, IngestFile, IngestTable, ReadOptions};
use crate::report::Style;
use crate::report::format::{count, duration};
use crate::report::style::Tone;

/// Rows of a slice where the table's entry does not say.
const SLICE_ROWS: u64 = 250_000;

/// `ingest`.
#[derive(Args, Clone, Debug, Default)]
pub struct IngestArgs {
    /// Only these tables, by their names in the target
    #[arg(long, short = 's', num_args = 1.., value_name = "TABLE")]
    pub select: Vec<String>,
    /// Load incremental tables as a whole
    #[arg(long, short = 'f')]
    pub full_refresh: bool,
}

/// Runs the command.
pub(super) fn run(global: &Global, args: &IngestArgs, world: &mut World) -> Result<u8, Failure> {
    let (project, _) = read(global, world)?;
    let options = ReadOptions {
        project_dir: project_dir(global),
        env: std::sync::Arc::clone(&world.env),
        ..ReadOptions::default()
    };
    let file = project::read_ingest(&options)
        .map_err(|failed| Failure::new(failed.diagnostics, failed.sources))?;
    let tables = selected(&file, &args.select)?;
    let threads = global.threads.unwrap_or(project.target.threads).max(1);
    runtime()?.block_on(async {
        let connected = target::connect(global, &project, world).await?;
        let work = Work {
            file: &file,
            tables: &tables,
            threads,
            full_refresh: args.full_refresh,
            style: world.stderr_style,
        };
        let code = work.run(&connected).await;
        tokio::task::spawn_blocking(|| connected.close()).await.ok();
        code
    })
}

struct Work<'a> {
    file: &'a IngestFile,
    tables: &'a [Table],
    threads: usize,
    full_refresh: bool,
    style: Style,
}

impl Work<'_> {
    async fn run(&self, connected: &Connected) -> Result<u8, Failure> {
        let started = Instant::now();
        let source = source(self.file, connected)?;
        self.refuse_itself(&source, &connected.config)?;
        let open = |config: ConnectConfig| {
            let size = self.threads * 2 + 1;
            Pool::new(config, size).map_err(|error| Failure::from(error.diagnostic(None)))
        };
        let options = Options {
            source: open(source)?,
            target: open(connected.config.clone())?,
            schema: self.file.schema.clone(),
            load_id: format!("{:032x}", rand::random::<u128>()),
            full_refresh: self.full_refresh,
        };
        let ingest = Ingest::open(options, self.tables)
            .await
            .map_err(|error| Failure::from(error.diagnostic()))?;
        let ingest = &ingest;
        let loads = self.tables.iter().map(|table| async move {
            let loaded = ingest.load(table).await;
            (table, loaded)
        });
        let mut loads = futures_util::stream::iter(loads).buffer_unordered(self.threads);
        let (mut rows, mut failed) = (0, 0);
        while let Some((table, loaded)) = loads.next().await {
            match loaded {
                Ok(loaded) => {
                    rows += loaded.rows;
                    self.tell(table, &loaded);
                }
                Err(error) => {
                    failed += 1;
                    self.tell_error(table, &error);
                }
            }
        }
        let loaded = self.tables.len() - failed;
        let end = match failed {
            0 => String::new(),
            failed => format!("; {} not", count(failed as u64, "table")),
        };
        self.say(&format!(
            "\n{} with {} in {}{end}\n",
            count(loaded as u64, "table"),
            count(rows, "row"),
            duration(started.elapsed())
        ));
        Ok(if failed == 0 {
            EXIT_OK
        } else {
            EXIT_NODE_FAILED
        })
    }

    /// A table that is loaded into itself would wait for itself.
    fn refuse_itself(&self, source: &ConnectConfig, target: &ConnectConfig) -> Result<(), Failure> {
        let is_same = source.host == target.host
            && source.port == target.port
            && source.dbname == target.dbname;
        let itself = self
            .tables
            .iter()
            .find(|table| table.schema == self.file.schema);
        match itself {
            Some(table) if is_same => Err(Failure::message(
                codes::INGEST_CONFIG,
                format!(
                    "{}.{} would be loaded into the schema that it comes from",
                    table.schema, table.name
                ),
                "name another database under `source:`, or another `schema:` in ingest.yml",
            )),
            _ => Ok(()),
        }
    }

    fn tell(&self, table: &Table, loaded: &Loaded) {
        let mut told = format!(
            "  {}    {}.{}  {}{} in {}",
            self.style.paint(Tone::Good, "ok"),
            self.file.schema,
            table.to,
            if loaded.is_delta {
                "new or changed: "
            } else {
                ""
            },
            count(loaded.rows, "row"),
            duration(loaded.took)
        );
        told += &format!(", {} compared", count(loaded.slices as u64, "slice"));
        if loaded.kept + loaded.reloaded > 0 {
            told += &format!(
                "; resumed: {} kept, {} changed since and loaded again",
                loaded.kept, loaded.reloaded
            );
        }
        told.push('\n');
        for change in &loaded.changes {
            told += &format!("        the source's columns: {change}\n");
        }
        for warning in &loaded.warnings {
            told += &format!("        {warning}\n");
        }
        self.say(&told);
    }

    fn tell_error(&self, table: &Table, error: &IngestError) {
        let color = self.style.color;
        let text = render(
            &error.diagnostic(),
            &SourceMap::default(),
            RenderOptions { color },
        );
        let head = format!("  FAIL  {}.{}\n", self.file.schema, table.to);
        let _ = std::io::stderr()
            .lock()
            .write_all(format!("{head}{text}\n").as_bytes());
    }

    fn say(&self, text: &str) {
        if !self.style.quiet {
            let _ = std::io::stderr().lock().write_all(text.as_bytes());
        }
    }
}

/// How to connect to the source; `host: embedded` is another database of the private server.
fn source(file: &IngestFile, connected: &Connected) -> Result<ConnectConfig, Failure> {
    let of_file = |diagnostic: Diagnostic| Failure::from(diagnostic.in_file("ingest.yml"));
    let url = file.source.get("url").and_then(serde_json::Value::as_str);
    let wanted = match url {
        Some(url) => ConnectConfig::from_url(url, &|_| None),
        None => ConnectConfig::from_profile(&file.source),
    }
    .map_err(|error| of_file(error.diagnostic()))?;
    if !wanted.is_embedded() {
        return Ok(wanted);
    }
    match &connected.server {
        Some(server) => Ok(server.config(&wanted)),
        None => Err(of_file(
            Diagnostic::error(
                codes::INGEST_CONFIG,
                "the source is the private server, which this target does not use",
            )
            .hint("name the source's host, or run with a target whose host is `embedded`"),
        )),
    }
}

fn selected(file: &IngestFile, names: &[String]) -> Result<Vec<Table>, Failure> {
    for name in names {
        let known = || file.tables.iter().map(|table| table.to.as_str());
        if known().any(|to| to == name) {
            continue;
        }
        let hint = match crate::diag::nearest(name, known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "give one of the tables of ingest.yml, by its name in the target".to_owned(),
        };
        let message = format!("ingest.yml has no table `{name}`");
        return Err(Failure::message(codes::INGEST_CONFIG, message, hint));
    }
    let wanted = |table: &&IngestTable| names.is_empty() || names.contains(&table.to);
    let tables: Vec<Table> = file.tables.iter().filter(wanted).map(table).collect();
    match tables.is_empty() {
        false => Ok(tables),
        true => Err(Failure::message(
            codes::INGEST_CONFIG,
            "ingest.yml names no tables",
            "add `tables:` with an entry such as `- name: orders`",
        )),
    }
}

fn table(entry: &IngestTable) -> Table {
    let word = entry.on_schema_change.as_deref();
    let policy = OnSchemaChange::WORDS
        .into_iter()
        .find(|(known, _)| Some(*known) == word);
    Table {
        schema: entry.schema.clone(),
        name: entry.name.value.clone(),
        to: entry.to.clone(),
        mode: match entry.is_incremental {
            true => Mode::Incremental,
            false => Mode::Full,
        },
        key: entry.key.clone(),
        watermark: entry.watermark.clone(),
        lookback: entry.lookback.clone(),
        slice_rows: entry.slice_rows.unwrap_or(SLICE_ROWS),
        on_schema_change: policy.map(|(_, policy)| policy).unwrap_or_default(),
        verify: match entry.verifies_delta_only {
            true => Verify::Delta,
            false => Verify::Table,
        },
    }
}
