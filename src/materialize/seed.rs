//! Seeds: a CSV file streamed by COPY into a candidate table, then swapped in.

mod blocks;
mod chunks;
mod copy;
mod header;
mod infer;
mod instant;
mod number;
mod problem;
mod records;
mod rows;
mod shape;
mod value;

pub use chunks::SeedChunks;
pub use copy::CopyFormat;
pub use infer::infer;
pub use problem::SeedProblem;
pub use shape::{CopyPlace, SeedColumn, SeedOptions, SeedShape};
pub(super) use value::Value;

use std::path::{Path, PathBuf};

use super::{Built, Candidate, Spec, hooks, settings, table};
use crate::diag::{Diagnostic, codes};
use crate::names::{Relation, quote_ident};
use crate::session::{Pieces, Session, SessionError};

/// Loads a seed into a candidate and publishes it; a wrong row leaves the old table as it is.
pub(super) async fn build(
    spec: Spec<'_>,
    path: &Path,
    session: &dyn Session,
) -> Result<Built, SessionError> {
    let config = &spec.node.config;
    let candidate = spec.home.candidate(spec.live);
    let (rows, shape) = load(spec, path, session).await?;
    let mut built = table::publish(spec, &candidate, session).await?;
    hooks::outside(session, &config.post_hook).await?;
    built.rows = Some(rows);
    built.warnings.extend(warnings(spec, &shape));
    Ok(built)
}

/// Loads a seed into a candidate.
pub(super) async fn candidate(
    spec: Spec<'_>,
    path: &Path,
    session: &dyn Session,
) -> Result<Candidate, SessionError> {
    let (rows, shape) = load(spec, path, session).await?;
    let mut candidate = table::finish(spec, Some(rows), session).await?;
    candidate.warnings.extend(warnings(spec, &shape));
    Ok(candidate)
}

fn warnings(spec: Spec<'_>, shape: &SeedShape) -> Vec<String> {
    let text = |w| describe(spec, w).message;
    shape.warnings.iter().map(text).collect()
}

/// Creates the candidate table and copies the file into it; its rows and shape.
async fn load(
    spec: Spec<'_>,
    path: &Path,
    session: &dyn Session,
) -> Result<(u64, SeedShape), SessionError> {
    let config = &spec.node.config;
    let shape = read_shape(spec, path).await?;
    let candidate = spec.home.candidate(spec.live);
    hooks::outside(session, &config.pre_hook).await?;
    let mut before = vec!["begin".to_owned()];
    before.extend(hooks::inside(session, &config.pre_hook).await?);
    before.push(format!("drop table if exists {candidate}"));
    before.push(create_table(spec, &candidate, &shape));
    session.execute((&before.join("\n;\n")).into()).await?;
    let rows = copy(spec, path, &candidate, &shape, session).await?;
    let mut after = settings::indexes(spec, &candidate, session).await?;
    after.push("commit".to_owned());
    session.execute((&after.join("\n;\n")).into()).await?;
    Ok((rows, shape))
}

/// Reads the whole file once for columns and types, on a thread that may block.
async fn read_shape(spec: Spec<'_>, path: &Path) -> Result<SeedShape, SessionError> {
    let config = &spec.node.config;
    let options = SeedOptions {
        delimiter: config.delimiter.clone(),
        column_types: config.column_types.clone(),
        strict: spec.strict_seeds,
    };
    let file = path.to_owned();
    let inferred = tokio::task::spawn_blocking(move || infer(&file, &options)).await;
    match inferred {
        Ok(Ok(shape)) => Ok(shape),
        Ok(Err(problems)) => Err(problem(spec, &problems)),
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Column names are quoted as dbt does: only when `quote_columns` says so, or when they
/// would not mean the same without.
fn column_sql(spec: Spec<'_>, name: &str) -> String {
    let plain = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    match spec.node.config.quote_columns {
        Some(true) => quote_ident(name),
        _ if plain => name.to_owned(),
        Some(false) => name.to_owned(),
        None => quote_ident(name),
    }
}

fn create_table(spec: Spec<'_>, candidate: &Relation, shape: &SeedShape) -> String {
    let unlogged = if spec.node.config.unlogged {
        "unlogged "
    } else {
        ""
    };
    let columns: Vec<String> = shape
        .columns
        .iter()
        .map(|c| format!("{} {}", column_sql(spec, &c.name), c.data_type))
        .collect();
    format!(
        "create {unlogged}table {candidate} ({})",
        columns.join(", ")
    )
}

async fn copy(
    spec: Spec<'_>,
    path: &Path,
    candidate: &Relation,
    shape: &SeedShape,
    session: &dyn Session,
) -> Result<u64, SessionError> {
    let chunks = shape.chunks(path).map_err(|p| problem(spec, &[p]))?;
    let name = seed_path(spec);
    let pieces: Pieces =
        Box::new(chunks.map(move |piece| piece.map_err(|problem| diagnostic(&name, &problem))));
    let statement = format!("copy {candidate} from stdin {}", shape.format.options());
    session
        .copy_in(&statement, pieces)
        .await
        .map_err(|error| with_line(spec, path, shape, error))
}

/// Postgres counts rows; people look for lines.
fn with_line(
    spec: Spec<'_>,
    path: &Path,
    shape: &SeedShape,
    mut error: SessionError,
) -> SessionError {
    let place = error
        .diagnostic
        .notes
        .iter()
        .find_map(|note| CopyPlace::parse(note));
    if let Some(place) = place {
        let line = shape.line_of_row(path, place.row);
        let line = line.map(|l| format!(", line {l}")).unwrap_or_default();
        let column = place
            .column
            .map(|c| format!(", column `{c}`"))
            .unwrap_or_default();
        let value = place.value.map(|v| format!(": `{v}`")).unwrap_or_default();
        let note = format!("{}{line}{column}{value}", seed_path(spec).display());
        error.diagnostic.notes.insert(0, note);
    }
    error
}

fn seed_path(spec: Spec<'_>) -> PathBuf {
    PathBuf::from(&spec.node.path)
}

/// The problems of a file as one error: the first in full, the others as notes.
fn problem(spec: Spec<'_>, problems: &[SeedProblem]) -> SessionError {
    let Some((first, others)) = problems.split_first() else {
        return SessionError::message(codes::SEED_FILE, "the seed's file cannot be read");
    };
    let mut diagnostic = describe(spec, first);
    for other in others.iter().take(9) {
        diagnostic = diagnostic.note(describe(spec, other).message);
    }
    if others.len() > 9 {
        diagnostic = diagnostic.note(format!("and {} more", others.len() - 9));
    }
    SessionError::new(diagnostic)
}

fn describe(spec: Spec<'_>, problem: &SeedProblem) -> Diagnostic {
    diagnostic(&seed_path(spec), problem)
}

fn diagnostic(path: &Path, problem: &SeedProblem) -> Diagnostic {
    let line = problem
        .line
        .map(|line| format!("line {line}"))
        .unwrap_or_default();
    let column = problem
        .column
        .as_ref()
        .map(|c| format!("column `{c}`"))
        .unwrap_or_default();
    let place = [line, column]
        .iter()
        .filter(|s| !s.is_empty())
        .cloned()
        .collect::<Vec<_>>();
    let place = if place.is_empty() {
        String::new()
    } else {
        format!("{}: ", place.join(", "))
    };
    let diagnostic =
        Diagnostic::error(codes::SEED_FILE, format!("{place}{}", problem.message)).in_file(path);
    match &problem.hint {
        Some(hint) => diagnostic.hint(hint.clone()),
        None => diagnostic.hint("correct the file, then run again; the old table is untouched"),
    }
}
