//! Artifacts of earlier runs, as far as a selection asks for them.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde_json::Value as Json;

use super::failure::Failure;
use super::invocation::Invocation;
use super::manifest;
use crate::artifact::{self, ArtifactError, Manifest, RunResults};
use crate::diag::codes;
use crate::graph::DocsBlocks;
use crate::graph::select::{Compares, Earlier, StateAnswers};
use crate::graph::state::StateComparison;
use crate::names::NodeId;

/// What earlier runs left, where it was asked for.
#[derive(Default)]
pub(super) struct EarlierRuns {
    state: Option<StateComparison>,
    results: Option<HashMap<NodeId, String>>,
    fresher: Option<HashSet<NodeId>>,
}

impl EarlierRuns {
    /// Reads what is compared with from the folder of `--state`.
    pub(super) fn read(
        invocation: &Invocation,
        compares: Compares,
        folder: Option<&Path>,
    ) -> Result<Self, Failure> {
        let Some(folder) = folder else {
            return Ok(Self::default());
        };
        Ok(Self {
            state: match compares.state {
                true => Some(state(invocation, folder)?),
                false => None,
            },
            results: match compares.results {
                true => Some(results(folder)?),
                false => None,
            },
            fresher: match compares.fresher {
                true => Some(fresher(invocation, folder)?),
                false => None,
            },
        })
    }

    /// As a selection asks for it.
    pub(super) fn answers(&self) -> Earlier<'_> {
        Earlier {
            state: self.state.as_ref().map(|state| state as &dyn StateAnswers),
            results: self.results.as_ref(),
            fresher: self.fresher.as_ref(),
        }
    }
}

fn unreadable(error: ArtifactError) -> Failure {
    Failure::message(
        codes::STATE_MISSING,
        error.to_string(),
        "give the folder of an earlier run's artifacts with --state, for example a copy of target",
    )
}

fn state(invocation: &Invocation, folder: &Path) -> Result<StateComparison, Failure> {
    let earlier: Manifest = artifact::read(&folder.join("manifest.json")).map_err(unreadable)?;
    let macros = invocation.engine.macros();
    let (docs, compiled) = (DocsBlocks::default(), HashMap::new());
    let input = manifest::input(invocation, &macros, &docs, &compiled);
    Ok(StateComparison::new(&input, &earlier))
}

fn results(folder: &Path) -> Result<HashMap<NodeId, String>, Failure> {
    let path = folder.join("run_results.json");
    let run: RunResults = artifact::read(&path).map_err(unreadable)?;
    let ended = run.results.into_iter().map(|result| {
        let status = serde_json::to_value(result.status).unwrap_or_default();
        let status = status.as_str().unwrap_or_default().to_owned();
        (result.unique_id, status)
    });
    Ok(ended.collect())
}

/// Sources whose newest row is newer than then, or that were not asked then.
fn fresher(invocation: &Invocation, folder: &Path) -> Result<HashSet<NodeId>, Failure> {
    let newest = |folder: &Path| -> Result<HashMap<String, jiff::Timestamp>, Failure> {
        let path = folder.join("sources.json");
        let file: Json = artifact::read(&path).map_err(unreadable)?;
        let list = file["results"].as_array().cloned().unwrap_or_default();
        let of = list.iter().filter_map(|result| {
            let at = result["max_loaded_at"].as_str()?.parse().ok()?;
            Some((result["unique_id"].as_str()?.to_owned(), at))
        });
        Ok(of.collect())
    };
    let then = newest(folder)?;
    let now = newest(&invocation.root().join(&invocation.target_path))?;
    let is_newer = |id: &str, at: &jiff::Timestamp| then.get(id).is_none_or(|then| at > then);
    Ok(now
        .iter()
        .filter(|(id, at)| is_newer(id, at))
        .map(|(id, _)| NodeId::new(id))
        .collect())
}
