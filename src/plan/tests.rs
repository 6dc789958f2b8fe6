//! What waits for what, on graphs made by hand.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::graph::fixture::{Made, graph, model, seed, singular_test, snapshot, source};

fn plan(graph: &Graph, work: Work) -> Plan {
    let all: Vec<NodeIx> = graph.nodes().map(|(ix, _)| ix).collect();
    Plan::new(graph, &all, work, |_| None)
}

/// What a step waits for, by name.
fn needs(graph: &Graph, plan: &Plan, name: &str) -> Vec<String> {
    let name_of = |step: usize| graph.node(plan.steps[step].node).name.clone();
    let at = (0..plan.steps.len()).find(|step| name_of(*step) == name);
    let step = &plan.steps[at.expect("a step of this name")];
    let mut names: Vec<String> = step.needs.iter().map(|need| name_of(*need)).collect();
    names.sort();
    names
}

fn steps(graph: &Graph, plan: &Plan) -> Vec<String> {
    let nodes = plan.steps.iter().map(|step| graph.node(step.node));
    nodes.map(|node| node.name.clone()).collect()
}

#[test]
fn each_command_covers_its_kinds() {
    let graph = graph(vec![
        source("raw", "events"),
        seed("codes"),
        model("a").reads("events codes"),
        snapshot("hist").reads("a"),
        singular_test("check").reads("a"),
        model("inner").config(json!({"materialized": "ephemeral"})),
    ]);
    for (work, expected) in [
        (Work::Run, vec!["a"]),
        (Work::Seed, vec!["codes"]),
        (Work::Snapshot, vec!["hist"]),
        (Work::Test, vec!["check"]),
        (Work::Build, vec!["codes", "a", "hist", "check"]),
    ] {
        assert_eq!(steps(&graph, &plan(&graph, work)), expected, "{work:?}");
    }
}

#[test]
fn a_step_waits_for_the_nearest_selected_through_what_is_not() {
    let graph = graph(vec![
        model("a"),
        model("inner")
            .reads("a")
            .config(json!({"materialized": "ephemeral"})),
        model("left_out").reads("inner"),
        model("b").reads("left_out"),
        model("c").reads("b a"),
    ]);
    let selected: Vec<NodeIx> = graph
        .nodes()
        .filter(|(_, node)| node.name != "left_out")
        .map(|(ix, _)| ix)
        .collect();
    let plan = Plan::new(&graph, &selected, Work::Run, |_| None);
    assert_eq!(steps(&graph, &plan), ["a", "b", "c"]);
    assert_eq!(needs(&graph, &plan, "b"), ["a"]);
    assert_eq!(needs(&graph, &plan, "c"), ["a", "b"]);
}

#[test]
fn a_test_holds_back_what_reads_its_parent() {
    let graph = graph(vec![
        model("a"),
        model("b").reads("a"),
        model("c").reads("b"),
        singular_test("a_is_right").reads("a"),
    ]);
    let build = plan(&graph, Work::Build);
    assert_eq!(needs(&graph, &build, "b"), ["a", "a_is_right"]);
    // c waits for b, which waits.
    assert_eq!(needs(&graph, &build, "c"), ["b"]);
    assert_eq!(needs(&graph, &build, "a_is_right"), ["a"]);
    assert_eq!(needs(&graph, &plan(&graph, Work::Run), "b"), ["a"]);
}

#[test]
fn a_warning_test_holds_back_nothing() {
    let graph = graph(vec![
        model("a"),
        model("b").reads("a"),
        singular_test("a_is_odd")
            .reads("a")
            .config(json!({"severity": "warn"})),
    ]);
    assert_eq!(needs(&graph, &plan(&graph, Work::Build), "b"), ["a"]);
}

#[test]
fn a_test_of_two_parents_holds_back_what_reads_either() {
    let graph = graph(vec![
        model("a"),
        model("b"),
        model("of_a").reads("a"),
        model("of_b").reads("b"),
        model("neither"),
        singular_test("a_fits_b").reads("a b"),
    ]);
    let build = plan(&graph, Work::Build);
    assert_eq!(needs(&graph, &build, "of_a"), ["a", "a_fits_b"]);
    assert_eq!(needs(&graph, &build, "of_b"), ["a_fits_b", "b"]);
    assert!(needs(&graph, &build, "neither").is_empty());
}

#[test]
fn a_test_never_holds_back_what_it_needs() {
    // The test reads both ends of a -> between -> c, and `aside` hangs on the middle.
    let graph = graph(vec![
        model("a"),
        model("between").reads("a"),
        model("c").reads("between"),
        model("aside").reads("between"),
        model("after").reads("c"),
        singular_test("c_fits_a").reads("a c"),
    ]);
    let build = plan(&graph, Work::Build);
    assert_eq!(needs(&graph, &build, "between"), ["a"]);
    assert_eq!(needs(&graph, &build, "c"), ["between"]);
    assert_eq!(needs(&graph, &build, "aside"), ["between", "c_fits_a"]);
    assert_eq!(needs(&graph, &build, "after"), ["c", "c_fits_a"]);
}

#[test]
fn two_tests_that_would_wait_for_each_other_do_not() {
    let graph = graph(vec![
        model("a"),
        model("b"),
        model("of_a").reads("a"),
        model("of_b").reads("b"),
        singular_test("one").reads("a of_b"),
        singular_test("two").reads("b of_a"),
    ]);
    let build = plan(&graph, Work::Build);
    assert_eq!(build.order().len(), build.steps.len());
    assert_eq!(needs(&graph, &build, "of_a"), ["a", "one"]);
    assert_eq!(needs(&graph, &build, "of_b"), ["b"]);
}

#[test]
fn the_longest_chain_behind_a_step_gives_its_weight() {
    let graph = graph(vec![
        model("a"),
        model("b").reads("a"),
        model("c").reads("b"),
        model("d").reads("a"),
    ]);
    let all: Vec<NodeIx> = graph.nodes().map(|(ix, _)| ix).collect();
    let seconds = [1.0, 2.0, 4.0, 5.0];
    let plan = Plan::new(&graph, &all, Work::Run, |ix| Some(seconds[ix.index()]));
    let remaining: Vec<f64> = plan.steps.iter().map(|step| step.remaining).collect();
    assert_eq!(remaining, [7.0, 6.0, 4.0, 5.0]);
}

/// A random project: every third node is a test, some of them warnings.
fn any_graph() -> impl Strategy<Value = Graph> {
    let node = (
        prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        any::<bool>(),
    );
    prop::collection::vec(node, 1..40).prop_map(|nodes| {
        let is_test = |i: usize| i % 3 == 2;
        let made: Vec<Made> = nodes
            .iter()
            .enumerate()
            .map(|(i, (reads, warns))| {
                let earlier: Vec<usize> = (0..i).filter(|j| !is_test(*j)).collect();
                let mut names: Vec<String> = reads
                    .iter()
                    .filter(|_| !earlier.is_empty())
                    .map(|index| format!("n{}", index.get(&earlier)))
                    .collect();
                names.sort();
                names.dedup();
                let name = format!("n{i}");
                let node = match (is_test(i), warns) {
                    (false, _) => model(&name),
                    (true, false) => singular_test(&name),
                    (true, true) => singular_test(&name).config(json!({"severity": "warn"})),
                };
                node.reads(&names.join(" "))
            })
            .collect();
        graph(made)
    })
}

proptest! {
    #[test]
    fn every_step_comes_after_what_it_needs(graph in any_graph()) {
        let plan = plan(&graph, Work::Build);
        let order = plan.order();
        prop_assert_eq!(order.len(), plan.steps.len());
        let mut done = vec![false; plan.steps.len()];
        for step in order {
            prop_assert!(plan.steps[step].needs.iter().all(|need| done[*need]));
            done[step] = true;
        }
    }

    #[test]
    fn what_no_gate_concerns_waits_for_its_parents_alone(graph in any_graph()) {
        let (build, run) = (plan(&graph, Work::Build), plan(&graph, Work::Run));
        for step in &run.steps {
            let name = &graph.node(step.node).name;
            let gated = needs(&graph, &build, name);
            let plain = needs(&graph, &run, name);
            prop_assert!(plain.iter().all(|need| gated.contains(need)));
            for extra in gated.iter().filter(|need| !plain.contains(need)) {
                let (_, test) = graph.nodes().find(|(_, n)| n.name == *extra).expect("a node");
                prop_assert!(test.is_test());
                let parents = &test.parents;
                prop_assert!(parents.iter().any(|p| graph.reads(step.node, *p)));
            }
        }
    }
}
