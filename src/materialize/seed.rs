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
