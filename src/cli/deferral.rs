//! Relations of another target, by its manifest: what `--defer` reads and `clone` copies.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde_json::{Map, Value as Json};

use super::args::RunArgs;
use super::failure::Failure;
use super::invocation::Invocation;
use super::target::Connected;
use crate::artifact::{self, Manifest};
use crate::diag::codes;
use crate::event::Event;
use crate::graph::{NodeIx, ResourceKind};
use crate::names::Relation;
use crate::report::Reporter;

/// The folder of the other target's artifacts.
pub(super) fn folder(args: &RunArgs) -> Result<&Path, Failure> {
    let given = args.defer_state.as_deref().or(args.select.state.as_deref());
    given.ok_or_else(|| {
        Failure::message(
            codes::CLI_USAGE,
            "--state or --defer-state are required for deferral, but neither was provided",
            "give the folder of the other target's artifacts with --state",
        )
    })
}

/// The other target's manifest.
pub(super) fn manifest(
    invocation: &Invocation,
    folder: &Path,
    reporter: &mut dyn Reporter,
) -> Result<Manifest, Failure> {
    let state = invocation.root().join(folder);
    if state == invocation.root().join(&invocation.target_path) {
        let folder = folder.display();
        reporter.event(&Event::Warned {
            code: codes::STATE_MISSING.as_str().to_owned(),
            message: format!("The state and target directories are the same: '{folder}'"),
        });
    }
    artifact::read(&state.join("manifest.json")).map_err(|error| {
        Failure::message(
            codes::STATE_MISSING,
            error.to_string(),
            "give the folder of the other target's artifacts with --state",
        )
    })
}

/// What the other target has of a node that is built.
pub(super) fn original(
    invocation: &Invocation,
    ix: NodeIx,
    manifest: &Manifest,
) -> Option<Relation> {
    let node = invocation.graph.node(ix);
    let is_built = matches!(
        node.kind,
        ResourceKind::Model | ResourceKind::Seed | ResourceKind::Snapshot
    );
    if !is_built || node.is_ephemeral() {
        return None;
    }
    let earlier = manifest.nodes.get(node.id.as_str())?.as_object()?;
    let text = |map: &Map<String, Json>, key: &str| map.get(key)?.as_str().map(str::to_owned);
    Some(Relation::new(
        text(earlier, "database").unwrap_or_default(),
        text(earlier, "schema")?,
        text(earlier, "alias")?,
    ))
}

/// Under `--defer`: what is read elsewhere, because the run does not build it and it is not
/// there (with `--favor-state`: whether it is there or not).
pub(super) async fn deferred(
    invocation: &Invocation,
    args: &RunArgs,
    selected: &[NodeIx],
    connected: &Connected,
    reporter: &mut dyn Reporter,
) -> Result<HashMap<NodeIx, Relation>, Failure> {
    if !args.defer {
        return Ok(HashMap::new());
    }
    let manifest = manifest(invocation, folder(args)?, reporter)?;
    let selected: HashSet<NodeIx> = selected.iter().copied().collect();
    let others: Vec<NodeIx> = invocation.graph.nodes().map(|(ix, _)| ix).collect();
    let others: Vec<NodeIx> = others
        .into_iter()
        .filter(|ix| !selected.contains(ix))
        .collect();
    let there = match args.favor_state {
        true => HashSet::new(),
        false => existing(invocation, &others, connected).await?,
    };
    let read_elsewhere = others.into_iter().filter(|ix| !there.contains(ix));
    Ok(read_elsewhere
        .filter_map(|ix| Some((ix, original(invocation, ix, &manifest)?)))
        .collect())
}

/// Nodes whose relation is there.
pub(super) async fn existing(
    invocation: &Invocation,
    nodes: &[NodeIx],
    connected: &Connected,
) -> Result<HashSet<NodeIx>, Failure> {
    let failed = |e: crate::pg::PgError| Failure::from(e.diagnostic(None));
    let connection = connected.pool(1)?.get().await.map_err(failed)?;
    let sql = "select n.nspname, c.relname from pg_catalog.pg_class c join \
               pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p', \
               'v', 'm', 'f')";
    let rows = connection.query_untyped(sql).await.map_err(failed)?.rows;
    let names: HashSet<(String, String)> = rows
        .into_iter()
        .filter_map(|row| {
            let mut cells = row.into_iter().flatten();
            Some((cells.next()?, cells.next()?))
        })
        .collect();
    let is_there = |ix: &&NodeIx| {
        let relation = invocation.graph.node(**ix).relation.as_ref();
        relation.is_some_and(|r| names.contains(&(r.schema.clone(), r.identifier.clone())))
    };
    Ok(nodes.iter().filter(is_there).copied().collect())
}
