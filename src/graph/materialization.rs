//! Who materializes a model: marts itself, in batches or not, or a macro of the project.

use serde_json::Value as Json;

use super::{Node, ResourceKind, microbatch};
use crate::diag::{Diagnostic, Span, codes};
use crate::jinja::Engine;
use crate::project::Project;

/// Whether a microbatch model is built in batches: not where the strategy's macro is the project's
/// own, unless a flag says so.
pub(super) fn is_batched(project: &Project, engine: &Engine, node: &Node) -> bool {
    if !microbatch::is_asked_for(node) {
        return false;
    }
    let flags = &project.root_package().file.flags;
    let asked = flags.get("require_batched_execution_for_custom_microbatch_strategy");
    asked == Some(&Json::Bool(true))
        || engine.is_builtin("get_incremental_microbatch_sql", &node.package)
}

/// The project's or a package's own macro that materializes a model, if there is one; refuses a
/// materialization that neither marts nor a macro knows.
pub(super) fn of_macro(
    project: &Project,
    engine: &Engine,
    node: &Node,
    place: &dyn Fn(&str) -> Option<Span>,
) -> Result<Option<String>, Diagnostic> {
    const OURS: [&str; 6] = [
        "view",
        "table",
        "incremental",
        "ephemeral",
        "materialized_view",
        "logistic_regression",
    ];
    let name = node.config.materialized.as_str();
    if node.kind != ResourceKind::Model {
        return Ok(None);
    }
    let is_ours = OURS.contains(&name);
    let flags = &project.root_package().file.flags;
    let explicit = flags.get("require_explicit_package_overrides_for_builtin_materializations");
    let by_packages = !is_ours || explicit == Some(&Json::Bool(false));
    let own = engine.find_materialization(name, by_packages);
    if is_ours || own.is_some() {
        // An ephemeral model is never built.
        return Ok(own.filter(|_| name != "ephemeral"));
    }
    let message = format!(
        "model `{}` has the unknown materialization `{name}`",
        node.name
    );
    let hint = match crate::diag::nearest(name, OURS) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("use one of {}", OURS.join(", ")),
    };
    let problem = Diagnostic::error(codes::UNKNOWN_MATERIALIZATION, message).hint(hint);
    Err(match place("materialized") {
        Some(span) => problem.at(span, ""),
        None => problem.in_file(&node.path),
    })
}
