//! Seeds: a CSV file streamed by COPY into a candidate table, then swapped in.

mod blocks;
mod instant;
mod number;
mod records;

use std::path::Path;

use super::{Built, Spec};
use crate::session::{Session, SessionError};

/// Loads and publishes a seed.
pub(super) async fn build(
    spec: Spec<'_>,
    path: &Path,
    _session: &dyn Session,
) -> Result<Built, SessionError> {
    Err(SessionError::materialization(format!(
        "{} {}",
        spec.node.name,
        path.display()
    )))
}
