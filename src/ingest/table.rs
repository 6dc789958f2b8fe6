//! One table's load, as its choreography: columns, what is left of an interrupted load, slices,
//! the comparison of both sides, the publication.

use std::collections::HashMap;
use std::time::Instant;

use super::checksum::{self, Hash};
use super::columns::{self, SourceColumn};
use super::publish::Publication;
use super::shape::{self, Column, Shape};
use super::slices::{self, Slice};
use super::source::source_name;
use super::staging::{self, Staging};
use super::state::{self, Compared, Done};
use super::{Ingest, IngestError, Loaded, Mode, Sum, Table, Verify, target_session};
use crate::names::{quote_ident, quote_literal};
use crate::pg::{Connection, PgError};

/// What is known before rows move.
struct Plan {
    shape: Shape,
    columns: Vec<SourceColumn>,
    here: Option<Vec<Column>>,
    /// From which watermark on (SQL, inclusive); `None` for the whole table.
    low: Option<String>,
    /// The highest watermark under the snapshot.
    watermark: Option<String>,
    hash: Hash,
}

/// Loads a table. On an error readers see what they saw before, unless it says otherwise.
pub(super) async fn load(ingest: &Ingest, table: &Table) -> Result<Loaded, IngestError> {
    let started = Instant::now();
    let open = |_| ingest.snapshot.session(&ingest.source);
    let (reader, counter) =
        futures_util::try_join!(open(()), open(())).map_err(IngestError::Source)?;
    let target = target_session(&ingest.target).await?;
    hold(ingest, table, &target).await?;
    let plan = plan(ingest, table, (&reader, &target)).await?;
    let staging = Staging {
        ingest,
        table,
        shape: &plan.shape,
        expressions: staging::expressions(&plan.shape, &plan.columns),
        hash: plan.hash,
        fingerprint: fingerprint(table, &plan),
        reader: &reader,
        counter: &counter,
        target: &target,
    };
    let mut loaded = Loaded {
        is_delta: plan.low.is_some(),
        changes: plan.shape.changes.clone(),
        ..Loaded::default()
    };
    let done = fill(&staging, &plan, &mut loaded).await?;
    let compared = compare(&staging, &done).await?;
    loaded.rows = done.iter().map(|d| d.source.rows).sum();
    loaded.slices = done.len();
    let staged = staging.relation();
    publish(&staging, &plan, compared).await?;
    tracing::debug!(%staged, "published");
    if plan.low.is_none() {
        let source: Sum = done.iter().map(|d| d.source).sum();
        loaded.whole = Some((source, source));
    } else if table.verify == Verify::Table {
        loaded.whole = Some(verify(&staging).await?);
    }
    loaded.took = started.elapsed();
    Ok(loaded)
}

/// Keeps other loads of the table away for the session.
async fn hold(ingest: &Ingest, table: &Table, target: &Connection) -> Result<(), IngestError> {
    let name = quote_literal(&format!("marts ingest {}.{}", ingest.schema, table.to));
    let sql = format!(
        "select pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended({name}, 0))::text"
    );
    let held = state::one(target, &sql)
        .await
        .map_err(IngestError::Target)?;
    match held.as_deref() {
        Some("true") => Ok(()),
        _ => Err(IngestError::Busy(format!("{}.{}", ingest.schema, table.to))),
    }
}

async fn plan(
    ingest: &Ingest,
    table: &Table,
    (source, target): (&Connection, &Connection),
) -> Result<Plan, IngestError> {
    let told = columns::of_source(source, &table.schema, &table.name)
        .await
        .map_err(IngestError::Source)?;
    let columns = columns::mapped(target, told)
        .await
        .map_err(IngestError::Target)?;
    check_columns(table, &columns)?;
    let here = columns::of_target(target, &ingest.schema, &table.to)
        .await
        .map_err(IngestError::Target)?;
    let known = state::known(target, &ingest.schema, &table.to)
        .await
        .map_err(IngestError::Target)?;
    if here.is_some() && known.is_none() {
        let name = format!("{}.{}", ingest.schema, table.to);
        return Err(IngestError::Foreign(name));
    }
    let names: Vec<Column> = columns.iter().map(|c| c.column.clone()).collect();
    let shape =
        shape::decide(&names, here.as_deref(), table.on_schema_change).map_err(|changes| {
            IngestError::Drift {
                table: source_name(table),
                changes,
            }
        })?;
    if shape.loaded.is_empty() {
        return Err(IngestError::Config {
            problem: format!("no column of {} is to be loaded", source_name(table)),
            hint: "set `on_schema_change: append_new_columns` for it in ingest.yml".to_owned(),
        });
    }
    let last = known.and_then(|known| known.watermark);
    let is_delta = table.mode == Mode::Incremental && !ingest.full_refresh && here.is_some();
    let watermark = highest(source, table).await.map_err(IngestError::Source)?;
    let low = match (is_delta, &last) {
        (true, Some(last)) => Some(low(table, last, &columns)),
        _ => None,
    };
    let hash = hash(source, target).await?;
    Ok(Plan {
        shape,
        columns,
        here,
        watermark: watermark.or(last),
        low,
        hash,
    })
}

/// The named columns are there, and the watermark can be compared.
fn check_columns(table: &Table, columns: &[SourceColumn]) -> Result<(), IngestError> {
    let name = source_name(table);
    if columns.is_empty() {
        return Err(IngestError::Config {
            problem: format!("{name} has no columns"),
            hint: "take it out of ingest.yml".to_owned(),
        });
    }
    for wanted in table.key.iter().chain(&table.watermark) {
        let names = columns.iter().map(|c| c.column.name.as_str());
        if names.clone().any(|name| name == wanted) {
            continue;
        }
        return Err(IngestError::Config {
            problem: format!("{name} has no column `{wanted}`"),
            hint: match crate::diag::nearest(wanted, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "correct `key` or `watermark` in ingest.yml".to_owned(),
            },
        });
    }
    Ok(())
}

async fn highest(source: &Connection, table: &Table) -> Result<Option<String>, PgError> {
    let Some(watermark) = &table.watermark else {
        return Ok(None);
    };
    let sql = format!(
        "select max({})::text from {}",
        quote_ident(watermark),
        super::source::relation(table)
    );
    state::one(source, &sql).await
}

/// Where a delta begins, as SQL.
fn low(table: &Table, last: &str, columns: &[SourceColumn]) -> String {
    let data_type = columns
        .iter()
        .find(|c| Some(&c.column.name) == table.watermark.as_ref())
        .map_or("text", |c| c.column.data_type.as_str());
    let last = format!("{}::{data_type}", quote_literal(last));
    match &table.lookback {
        None => last,
        Some(number) if number.parse::<f64>().is_ok() => format!("({last} - {number})"),
        Some(span) => format!("({last} - {}::interval)", quote_literal(span)),
    }
}

/// Databases of different encodings hold the same text as different bytes.
async fn hash(source: &Connection, target: &Connection) -> Result<Hash, IngestError> {
    let sql = "select current_setting('server_encoding')";
    let there = state::one(source, sql).await.map_err(IngestError::Source)?;
    let here = state::one(target, sql).await.map_err(IngestError::Target)?;
    Ok(match there == here {
        true => Hash::Text,
        false => Hash::Utf8,
    })
}

/// Everything that an interrupted load must have in common with this one to be continued.
fn fingerprint(table: &Table, plan: &Plan) -> String {
    let text = format!(
        "{:?} {:?} {:?} {:?} {:?}",
        source_name(table),
        plan.shape.columns,
        plan.shape.loaded,
        plan.low,
        plan.hash
    );
    staging::tag(&text)
}

/// Moves all slices that are not there yet.
async fn fill(
    staging: &Staging<'_>,
    plan: &Plan,
    loaded: &mut Loaded,
) -> Result<Vec<Done>, IngestError> {
    let resumed = staging.resume().await?;
    loaded.kept = resumed.kept.len();
    loaded.reloaded = resumed.stale.len();
    let mut earlier: Vec<&Done> = resumed.kept.iter().chain(&resumed.stale).collect();
    earlier.sort_by_key(|done| done.number);
    let known: Vec<Slice> = earlier.iter().map(|done| done.slice.clone()).collect();
    let mut next = earlier.last().map_or(1, |done| done.number + 1);
    let new = cut(staging, plan, &known)
        .await
        .map_err(IngestError::Source)?;
    let mut done = resumed.kept.clone();
    for stale in &resumed.stale {
        done.push(staging.load(stale.number, &stale.slice).await?);
    }
    for slice in &new {
        done.push(staging.load(next, slice).await?);
        next += 1;
    }
    Ok(done)
}

async fn cut(staging: &Staging<'_>, plan: &Plan, known: &[Slice]) -> Result<Vec<Slice>, PgError> {
    let table = staging.table;
    match &plan.low {
        Some(low) => slices::by_watermark(staging.reader, table, low, known).await,
        None if staging.ingest.snapshot.reads_pages() => {
            slices::by_pages(staging.reader, table, known).await
        }
        None => Ok(slices::whole(table, known)),
    }
}

/// Both sides of each slice, and of all; an error, written down, where they differ.
async fn compare(staging: &Staging<'_>, done: &[Done]) -> Result<Vec<Compared>, IngestError> {
    let mut staged: HashMap<String, Sum> = staging.sums().await.map_err(IngestError::Target)?;
    let mut compared = Vec::with_capacity(done.len() + 1);
    for slice in done {
        compared.push(Compared {
            slice: Some(slice.number),
            source: slice.source,
            target: staged.remove(&slice.xid).unwrap_or_default(),
        });
    }
    let whole = Compared {
        slice: None,
        source: compared.iter().map(|c| c.source).sum(),
        // Rows that belong to no slice are in it as well.
        target: compared
            .iter()
            .map(|c| c.target)
            .chain(staged.into_values())
            .sum(),
    };
    compared.push(whole);
    let wrong: Vec<&Compared> = compared.iter().filter(|c| c.source != c.target).collect();
    if wrong.is_empty() {
        return Ok(compared);
    }
    let what = wrong.iter().map(|c| in_words(c)).collect();
    write_down(staging, &compared).await?;
    Err(differs(staging, what, false))
}

async fn write_down(staging: &Staging<'_>, compared: &[Compared]) -> Result<(), IngestError> {
    let ingest = staging.ingest;
    let sql = state::compared_sql(&ingest.schema, staging.table, &ingest.load_id, compared);
    let written = staging
        .target
        .execute(&format!("begin; {sql}; commit"))
        .await;
    written.map(|_| ()).map_err(IngestError::Target)
}

fn differs(staging: &Staging<'_>, what: Vec<String>, is_published: bool) -> IngestError {
    IngestError::Differs {
        table: format!("{}.{}", staging.ingest.schema, staging.table.to),
        what,
        is_published,
    }
}

fn in_words(compared: &Compared) -> String {
    let what = match compared.slice {
        Some(number) => format!("slice {number}"),
        None => "the whole table".to_owned(),
    };
    let (source, target) = (compared.source, compared.target);
    if source.rows == target.rows {
        return format!(
            "{what}: {} rows on both sides, with other values",
            source.rows
        );
    }
    format!(
        "{what}: {} rows in the source, {} here",
        source.rows, target.rows
    )
}

async fn publish(
    staging: &Staging<'_>,
    plan: &Plan,
    compared: Vec<Compared>,
) -> Result<(), IngestError> {
    let (ingest, table) = (staging.ingest, staging.table);
    // Of a delta the whole table is compared afterwards, if it is.
    let compared: Vec<Compared> = match plan.low.is_some() && table.verify == Verify::Table {
        true => compared.into_iter().filter(|c| c.slice.is_some()).collect(),
        false => compared,
    };
    let notes = vec![
        state::loaded_sql(
            &ingest.schema,
            table,
            plan.watermark.as_deref(),
            &ingest.load_id,
        ),
        state::forget_sql(&ingest.schema, &table.to),
        state::compared_sql(&ingest.schema, table, &ingest.load_id, &compared),
    ];
    let publication = Publication {
        schema: &ingest.schema,
        table,
        shape: &plan.shape,
        here: plan.here.as_deref(),
        notes,
        target: staging.target,
    };
    match &plan.low {
        Some(low) => publication.delta(low).await,
        None => publication.whole().await,
    }
}

/// Compares the whole table on both sides after a delta: what was deleted in the source, or
/// changed without its watermark, shows only here.
async fn verify(staging: &Staging<'_>) -> Result<(Sum, Sum), IngestError> {
    let here = format!(
        "{}.{}",
        quote_ident(&staging.ingest.schema),
        quote_ident(&staging.table.to)
    );
    let there = super::source::relation(staging.table);
    let source_sum = checksum::sum_sql(&staging.expressions, staging.hash);
    let target_sum = checksum::sum_sql(&checksum::plain(&staging.shape.loaded), staging.hash);
    let (source, target) = futures_util::join!(
        checksum::of(staging.counter, &there, &source_sum),
        checksum::of(staging.target, &here, &target_sum)
    );
    let compared = Compared {
        slice: None,
        source: source.map_err(IngestError::Source)?,
        target: target.map_err(IngestError::Target)?,
    };
    write_down(staging, std::slice::from_ref(&compared)).await?;
    if compared.source != compared.target {
        return Err(differs(staging, vec![in_words(&compared)], true));
    }
    Ok((compared.source, compared.target))
}
