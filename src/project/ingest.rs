//! `ingest.yml` as written: the source of `marts ingest` and its tables. Secrets may be read in
//! it, so no message of this file quotes a value of `source`.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::diag::codes::{INGEST_CONFIG, INGEST_MISSING};
use crate::diag::{Diagnostic, Severity, SourceMap, Spanned};

use super::render::Renderer;
use super::yaml::{Check, Document, Fields, Node};
use super::{ReadFailure, ReadOptions, load_yaml, report_duplicate_keys};

/// The file's name, in the project's folder.
const FILE: &str = "ingest.yml";

/// The content of `ingest.yml`.
#[derive(Clone, Debug)]
pub struct IngestFile {
    /// The keys of `source:`, as in an output of `profiles.yml`; secrets included, so never
    /// print it.
    pub source: Map<String, Json>,
    /// `schema`: where tables go.
    pub schema: String,
    /// `tables`.
    pub tables: Vec<IngestTable>,
    /// The file, for messages.
    pub sources: SourceMap,
}

/// An entry of `tables`.
#[derive(Clone, Debug)]
pub struct IngestTable {
    /// `name` in the source.
    pub name: Spanned<String>,
    /// `schema` in the source.
    pub schema: String,
    /// `to`: its name here.
    pub to: String,
    /// `mode` is `incremental`.
    pub is_incremental: bool,
    /// `key`.
    pub key: Vec<String>,
    /// `watermark`.
    pub watermark: Option<String>,
    /// `lookback`.
    pub lookback: Option<String>,
    /// `slice_rows`.
    pub slice_rows: Option<u64>,
    /// `on_schema_change`, one of dbt's words.
    pub on_schema_change: Option<String>,
    /// `verify` is `delta`.
    pub verifies_delta_only: bool,
}

const TABLE_KEYS: [&str; 10] = [
    "name",
    "schema",
    "to",
    "mode",
    "key",
    "watermark",
    "lookback",
    "slice_rows",
    "on_schema_change",
    "verify",
];

/// Reads `ingest.yml` of a project. Errors: there is none, or what is wrong with it.
pub fn read_ingest(options: &ReadOptions) -> Result<IngestFile, ReadFailure> {
    let sources = SourceMap::default();
    let mut check = Check::new(true);
    let path = options.project_dir.join(FILE);
    let file = match path.is_file() {
        true => read(&path, options, &sources, &mut check),
        false => {
            check.push(missing(&options.project_dir));
            None
        }
    };
    let failed = check
        .diagnostics
        .iter()
        .any(|d| d.severity == Severity::Error);
    match file {
        Some(file) if !failed => Ok(file),
        _ => Err(ReadFailure {
            diagnostics: check.diagnostics,
            sources,
        }),
    }
}

fn missing(folder: &Path) -> Diagnostic {
    Diagnostic::error(INGEST_MISSING, "there is no ingest.yml")
        .note(format!("looked in {}", folder.display()))
        .hint("write one with `source:` and `tables:`, as docs/ingest.md shows")
}

fn read(
    path: &Path,
    options: &ReadOptions,
    sources: &SourceMap,
    check: &mut Check,
) -> Option<IngestFile> {
    let (_, document) = load_yaml(path, Path::new(FILE), sources, check)?;
    report_duplicate_keys(&document, check);
    let renderer = Renderer {
        env: options.env.clone(),
        vars: Arc::new(options.cli_vars.clone()),
        target: Json::Null,
        secrets: true,
    };
    let mut file = content(&document, &renderer, check)?;
    file.sources = sources.clone();
    Some(file)
}

fn content(document: &Document, renderer: &Renderer, check: &mut Check) -> Option<IngestFile> {
    let mut fields = Fields::of(&document.root, FILE, check)?;
    let mut source = Map::new();
    for (key, node) in fields.mapping("source", check).into_iter().flatten() {
        source.insert(key.value.clone(), renderer.json(node, check));
    }
    if source.is_empty() {
        check.push(
            Diagnostic::error(INGEST_CONFIG, "ingest.yml does not say where the source is")
                .at(document.root.span, "")
                .hint("add `source:` with host, user, dbname and so on, as in profiles.yml"),
        );
    }
    let schema = text(&mut fields, "schema", renderer, check);
    let mut tables: Vec<IngestTable> = Vec::new();
    for node in fields.list("tables", check) {
        let Some(table) = table(node, renderer, check) else {
            continue;
        };
        if let Some(first) = tables.iter().find(|t| t.to == table.to) {
            check.push(
                Diagnostic::error(INGEST_CONFIG, format!("two tables go to `{}`", table.to))
                    .at(table.name.span, "")
                    .at(first.name.span, "the first one")
                    .hint("give one of them another name with `to:`"),
            );
        }
        tables.push(table);
    }
    fields.take("version");
    fields.rest_known(&["version", "source", "schema", "tables"], check);
    Some(IngestFile {
        source,
        schema: schema.unwrap_or_else(|| "raw".to_owned()),
        tables,
        sources: SourceMap::default(),
    })
}

fn text(
    fields: &mut Fields<'_>,
    key: &str,
    renderer: &Renderer,
    check: &mut Check,
) -> Option<String> {
    let text = fields.text(key, check)?;
    renderer.text(text, check)
}

fn table(node: &Node, renderer: &Renderer, check: &mut Check) -> Option<IngestTable> {
    let mut fields = Fields::of(node, "an entry of `tables`", check)?;
    let name = fields.required_text("name", check)?;
    fields.rename(format!("table `{}`", name.value));
    let mode = word(&mut fields, "mode", &["full", "incremental"], check);
    let verify = word(&mut fields, "verify", &["table", "delta"], check);
    let policies = ["ignore", "fail", "append_new_columns", "sync_all_columns"];
    let on_schema_change = word(&mut fields, "on_schema_change", &policies, check);
    let key = fields.texts("key", check).unwrap_or_default();
    let table = IngestTable {
        schema: text(&mut fields, "schema", renderer, check).unwrap_or_else(|| "public".to_owned()),
        to: text(&mut fields, "to", renderer, check).unwrap_or_else(|| name.value.clone()),
        is_incremental: mode.as_deref() == Some("incremental"),
        key: key.into_iter().map(|k| k.value).collect(),
        watermark: fields.text("watermark", check).map(|t| t.value),
        lookback: fields.text("lookback", check).map(|t| t.value),
        slice_rows: slice_rows(&mut fields, check),
        on_schema_change,
        verifies_delta_only: verify.as_deref() == Some("delta"),
        name,
    };
    fields.rest_known(&TABLE_KEYS, check);
    if table.is_incremental && table.watermark.is_none() {
        check.push(
            Diagnostic::error(
                INGEST_CONFIG,
                format!(
                    "table `{}` is incremental and has no `watermark`",
                    table.name.value
                ),
            )
            .at(table.name.span, "")
            .hint("add `watermark: updated_at`, the column that grows with every change of a row"),
        );
    }
    if table.to.len() > crate::names::MAX_IDENT_BYTES {
        check.push(
            Diagnostic::error(
                INGEST_CONFIG,
                format!("the name `{}` is longer than 63 bytes", table.to),
            )
            .at(table.name.span, "")
            .hint("give a shorter one with `to:`"),
        );
    }
    Some(table)
}

fn slice_rows(fields: &mut Fields<'_>, check: &mut Check) -> Option<u64> {
    let node = fields.take("slice_rows")?;
    let rows = node.to_json().as_u64().filter(|rows| *rows > 0);
    if rows.is_none() {
        check.wrong_type(
            fields.what(),
            "slice_rows",
            node,
            "a number of rows from 1 on",
        );
    }
    rows
}

/// One of a few words.
fn word(fields: &mut Fields<'_>, key: &str, words: &[&str], check: &mut Check) -> Option<String> {
    let text = fields.text(key, check)?;
    if words.contains(&text.value.as_str()) {
        return Some(text.value);
    }
    let hint = match crate::diag::nearest(&text.value, words.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write one of: {}", words.join(", ")),
    };
    check.push(
        Diagnostic::error(
            INGEST_CONFIG,
            format!("`{key}` of {} is `{}`", fields.what(), text.value),
        )
        .at(text.span, format!("expected one of {}", words.join(", ")))
        .hint(hint),
    );
    None
}
