//! Snapshots: the history of a query's rows.

use super::{Built, Spec};
use crate::session::{Session, SessionError};

/// Takes a snapshot.
pub(super) async fn build(spec: Spec<'_>, _session: &dyn Session) -> Result<Built, SessionError> {
    Err(SessionError::materialization(spec.node.name.clone()))
}
