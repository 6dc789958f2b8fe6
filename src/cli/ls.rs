//! `ls`: the selected nodes on stdout.

use std::collections::HashMap;
use std::io::Write;

use super::args::{Global, LsArgs};
use super::failure::Failure;
use super::invocation::{Invocation, reporter};
use super::{EXIT_OK, World, manifest};
use crate::graph::listing::{ListForm, listing};
use crate::graph::manifest::node_json;
use crate::graph::{DocsBlocks, NodeIx, ResourceKind};

/// Runs the command.
pub(super) fn run(global: &Global, args: &LsArgs, world: &mut World) -> Result<u8, Failure> {
    let form = ListForm::parse(&args.output, &args.output_keys)?;
    let invocation = Invocation::load(global, "list", false, world)?;
    let mut reporter = reporter(global, world);
    let color = world.stderr_style.color;
    let graph = &invocation.graph;
    let mut nodes = invocation.select(&args.select, &mut *reporter, color)?;
    if args.select.resource_type.is_empty() {
        // Neither is built, so neither is listed unless it is asked for.
        let is_usual = |ix: &NodeIx| {
            let kind = graph.node(*ix).kind;
            !matches!(kind, ResourceKind::Analysis | ResourceKind::Operation)
        };
        nodes.retain(is_usual);
    }
    manifest::beside(&invocation, || {
        let (docs, compiled) = (DocsBlocks::default(), HashMap::new());
        let input = manifest::input(&invocation, &[], &docs, &compiled);
        for line in listing(graph, &nodes, &form, |ix| node_json(&input, ix)) {
            let _ = writeln!(world.stdout, "{line}");
        }
    });
    reporter.finish();
    invocation.leave();
    Ok(EXIT_OK)
}
