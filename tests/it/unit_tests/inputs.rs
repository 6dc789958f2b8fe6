//! What a unit test gives its model: formats, files, types, overrides.

use super::project;
use crate::run::support::Project;
