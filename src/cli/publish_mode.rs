//! When each node of a command becomes visible.

use super::args::RunArgs;
use super::failure::Failure;
use super::invocation::Invocation;
use crate::diag::{Diagnostic, codes};
use crate::graph::Node;
use crate::plan::{Mode, Plan, Work};
use crate::project::Publish;

/// The modes of a command's nodes.
pub(super) struct Modes {
    /// `--publish`, or what a dry run needs; wins over the project.
    forced: Option<Mode>,
    /// What applies where the project says nothing.
    default: Mode,
    work: Work,
}

impl Modes {
    /// Reads `--publish`.
    pub(super) fn new(
        invocation: &Invocation,
        args: &RunArgs,
        work: Work,
    ) -> Result<Self, Failure> {
        let file = &invocation.project.root_package().file;
        let written = args.publish.as_deref().map(|word| {
            let found = Publish::ALL.iter().find(|(known, _)| *known == word);
            found.map(|(_, publish)| mode(*publish)).ok_or_else(|| {
                Failure::message(
                    codes::CLI_USAGE,
                    format!("--publish is {word:?}"),
                    "write immediate, audited or together",
                )
            })
        });
        if args.rows && !args.dry_run {
            return Err(Failure::message(
                codes::CLI_USAGE,
                "--rows compares what a dry run would publish".to_owned(),
                "add --dry-run, or run `marts diff --rows`",
            ));
        }
        // A dry run builds everything on candidates and publishes none of them.
        let dry = args.dry_run.then_some(Mode::Together);
        Ok(Self {
            forced: dry.or(written.transpose()?),
            default: match (file.publish, file.is_marts) {
                (Some(publish), _) => mode(publish),
                (None, true) => Mode::Together,
                (None, false) => Mode::Immediate,
            },
            work,
        })
    }

    /// A node's mode, before that of its ancestors is considered.
    pub(super) fn of(&self, node: &Node) -> Mode {
        self.forced
            .or(node.config.publish.map(mode))
            .unwrap_or(self.default)
    }

    /// A command without tests does not publish what may only be published audited.
    pub(super) fn check_audit(&self, invocation: &Invocation, plan: &Plan) -> Result<(), Failure> {
        if self.work == Work::Build && self.forced != Some(Mode::Immediate) {
            return Ok(());
        }
        let names: Vec<&str> = plan
            .nodes()
            .map(|ix| invocation.graph.node(ix))
            .filter(|node| !node.is_test() && node.config.require_audit)
            .map(|node| node.name.as_str())
            .collect();
        let Some(first) = names.first() else {
            return Ok(());
        };
        let more = match names.len() {
            1 => String::new(),
            n => format!(" and {} more", n - 1),
        };
        let wrong = Diagnostic::error(
            codes::PUBLISH_MODE,
            format!("`{first}`{more} may only be published with its tests (`require_audit: true`)"),
        )
        .hint("run `marts build` with the same selection");
        Err(Failure::new(vec![wrong], invocation.sources().clone()))
    }
}

/// Models that a project's own materialization builds write to their live relations whatever
/// the mode. The warning to give of that, if the modes say otherwise.
///
/// Errors: in a dry run, which must leave nothing behind.
pub(super) fn own_materializations(
    invocation: &Invocation,
    plan: &Plan,
    modes: &Modes,
    dry_run: bool,
) -> Result<Option<String>, Failure> {
    let own: Vec<&Node> = plan
        .nodes()
        .map(|ix| invocation.graph.node(ix))
        .filter(|node| node.model.materialization.is_some())
        .collect();
    let later = |node: &&&Node| modes.of(node) != Mode::Immediate;
    let names: Vec<&str> = own.iter().filter(later).map(|n| n.name.as_str()).collect();
    let (names, are) = match names.as_slice() {
        [] => return Ok(None),
        [one] => ((*one).to_owned(), "is"),
        many => (many.join(", "), "are"),
    };
    if dry_run {
        return Err(Failure::message(
            codes::PUBLISH_MODE,
            format!("{names} {are} built by the project's own materialization, which would write"),
            "leave them out with --exclude",
        ));
    }
    Ok(Some(format!(
        "{names} {are} built by the project's own materialization, which writes by itself: published \
         immediately, and so is what it reads"
    )))
}

/// The warning to give of views that are not selected and show what the run replaces as it was.
pub(super) fn views_between(invocation: &Invocation, plan: &Plan) -> Option<String> {
    let name = |ix| invocation.graph.node(ix).name.as_str();
    let all = plan.views_between(&invocation.graph);
    let first = all.first()?;
    let more = match all.len() {
        1 => String::new(),
        n => format!(" ({} more such)", n - 1),
    };
    Some(format!(
        "`{}` reads `{}`, a view that is not selected: it shows `{}` as it was before this run{more}; \
         select the view too",
        name(first.reader),
        name(first.view),
        name(first.below)
    ))
}

fn mode(publish: Publish) -> Mode {
    match publish {
        Publish::Immediate => Mode::Immediate,
        Publish::Audited => Mode::Audited,
        Publish::Together => Mode::Together,
    }
}
