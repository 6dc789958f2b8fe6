//! What waits for what, on graphs made by hand.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::graph::fixture::{Made, graph, model, seed, singular_test, snapshot, source};

fn plan(graph: &Graph, work: Work) -> Plan {
    let all: Vec<NodeIx> = graph.nodes().map(|(ix, _)| ix).collect();
    planned(graph, &all, work, &|_| Mode::Immediate)
}

fn planned(graph: &Graph, nodes: &[NodeIx], work: Work, mode: &dyn Fn(NodeIx) -> Mode) -> Plan {
    let options = PlanOptions {
        work,
        mode,
        seconds: &|_| None,
    };
    Plan::new(graph, nodes, &options)
}

/// A build as it is without freshness as a gate.
fn plan_without_sources(graph: &Graph) -> Plan {
    let nodes = graph
        .nodes()
        .filter(|(_, n)| n.kind != ResourceKind::Source);
    let nodes: Vec<NodeIx> = nodes.map(|(ix, _)| ix).collect();
    planned(graph, &nodes, Work::Build, &|_| Mode::Immediate)
}

/// A node's name, or its group as `publish a b`.
fn name_of(graph: &Graph, plan: &Plan, step: usize) -> String {
    match plan.steps[step].task {
        Task::Node(ix) => graph.node(ix).name.clone(),
        Task::Publish(group) => format!("publish {}", members(graph, plan, group)),
    }
}

fn members(graph: &Graph, plan: &Plan, group: usize) -> String {
    let members = plan.groups[group].members.iter();
    let names: Vec<&str> = members.map(|ix| graph.node(*ix).name.as_str()).collect();
    names.join(" ")
}

/// What a step waits for, by name.
fn needs(graph: &Graph, plan: &Plan, name: &str) -> Vec<String> {
    let name_of = |step: usize| name_of(graph, plan, step);
    let at = (0..plan.steps.len()).find(|step| name_of(*step) == name);
    let step = &plan.steps[at.expect("a step of this name")];
    let mut names: Vec<String> = step.needs.iter().map(|need| name_of(*need)).collect();
    names.sort();
    names
}

fn steps(graph: &Graph, plan: &Plan) -> Vec<String> {
    plan.nodes().map(|ix| graph.node(ix).name.clone()).collect()
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
        // A build takes the sources that it is given: those that gate it.
        (Work::Build, vec!["events", "codes", "a", "hist", "check"]),
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
    let plan = planned(&graph, &selected, Work::Run, &|_| Mode::Immediate);
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
fn a_unit_test_holds_back_its_model_and_not_what_reads_the_same() {
    let graph = graph(vec![
        model("a"),
        model("b").reads("a"),
        model("other").reads("a"),
        singular_test("b_is_right")
            .reads("b")
            .with(|node| node.kind = ResourceKind::UnitTest),
    ]);
    let build = plan(&graph, Work::Build);
    assert_eq!(needs(&graph, &build, "b_is_right"), ["a"]);
    assert_eq!(needs(&graph, &build, "b"), ["a", "b_is_right"]);
    assert_eq!(needs(&graph, &build, "other"), ["a"]);
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
fn a_test_of_a_source_holds_back_what_reads_the_source() {
    let graph = graph(vec![
        source("raw", "events"),
        model("a").reads("events"),
        model("b").reads("a"),
        model("other"),
        singular_test("events_are_right").reads("events"),
    ]);
    let build = plan_without_sources(&graph);
    assert_eq!(needs(&graph, &build, "a"), ["events_are_right"]);
    assert_eq!(needs(&graph, &build, "b"), ["a"]);
    assert!(needs(&graph, &build, "other").is_empty());
    assert!(needs(&graph, &build, "events_are_right").is_empty());
}

#[test]
fn a_test_of_a_source_and_a_model_holds_back_neither_the_model_nor_what_it_needs() {
    let graph = graph(vec![
        source("raw", "events"),
        model("a").reads("events"),
        model("b").reads("a"),
        model("after").reads("b"),
        model("aside").reads("events"),
        singular_test("b_fits_events").reads("events b"),
    ]);
    let build = plan_without_sources(&graph);
    assert!(needs(&graph, &build, "a").is_empty());
    assert_eq!(needs(&graph, &build, "b"), ["a"]);
    assert_eq!(needs(&graph, &build, "after"), ["b", "b_fits_events"]);
    assert_eq!(needs(&graph, &build, "aside"), ["b_fits_events"]);
}

#[test]
fn a_test_of_a_node_that_is_not_selected_holds_back_what_reads_it() {
    let graph = graph(vec![
        model("a"),
        model("left_out").reads("a"),
        model("b").reads("left_out"),
        singular_test("a_is_right").reads("a"),
    ]);
    let chosen = |node: &crate::graph::Node| matches!(node.name.as_str(), "b" | "a_is_right");
    let nodes = graph.nodes().filter(|(_, node)| chosen(node));
    let nodes: Vec<NodeIx> = nodes.map(|(ix, _)| ix).collect();
    let build = planned(&graph, &nodes, Work::Build, &|_| Mode::Immediate);
    assert_eq!(needs(&graph, &build, "b"), ["a_is_right"]);
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
    let options = PlanOptions {
        work: Work::Run,
        mode: &|_| Mode::Immediate,
        seconds: &|ix| Some(seconds[ix.index()]),
    };
    let plan = Plan::new(&graph, &all, &options);
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

/// The groups of a plan, each by its members' names.
fn groups(graph: &Graph, plan: &Plan) -> Vec<String> {
    let all = 0..plan.groups.len();
    all.map(|group| members(graph, plan, group)).collect()
}

fn all_in(graph: &Graph, work: Work, mode: Mode) -> Plan {
    let all: Vec<NodeIx> = graph.nodes().map(|(ix, _)| ix).collect();
    planned(graph, &all, work, &|_| mode)
}

#[test]
fn an_audited_node_is_published_after_its_tests_and_its_children_wait_for_that() {
    let graph = graph(vec![
        model("a"),
        model("b").reads("a"),
        singular_test("good").reads("a"),
        singular_test("doubt")
            .reads("b")
            .config(json!({"severity": "warn"})),
    ]);
    let plan = all_in(&graph, Work::Build, Mode::Audited);
    assert_eq!(groups(&graph, &plan), ["a", "b"]);
    assert_eq!(needs(&graph, &plan, "b"), ["a", "good", "publish a"]);
    let gates = |group: usize| {
        let gates = plan.groups[group].gates.iter();
        gates
            .map(|step| name_of(&graph, &plan, *step))
            .collect::<Vec<_>>()
    };
    assert_eq!(gates(0), ["a", "good"]);
    assert_eq!(gates(1), ["b", "publish a"]);
    let after = &plan.steps[plan.groups[1].step].after;
    let doubt = plan.steps.iter().position(|s| {
        s.node()
            == graph
                .nodes()
                .find(|(_, n)| n.name == "doubt")
                .map(|(ix, _)| ix)
    });
    assert!(after.contains(&doubt.expect("a step")));
}

#[test]
fn a_view_that_is_not_selected_hides_what_the_same_run_publishes_below_it() {
    let view = |name: &str| model(name).config(json!({"materialized": "view"}));
    let table = |name: &str| model(name).config(json!({"materialized": "table"}));
    let graph = graph(vec![
        table("a"),
        view("v").reads("a"),
        view("w").reads("v"),
        table("kept").reads("a"),
        table("b").reads("kept w"),
        table("c").reads("kept"),
    ]);
    let found = |names: &[&str], mode: Mode| -> Vec<String> {
        let all = graph.nodes().filter(|(_, n)| names.contains(&&*n.name));
        let all: Vec<NodeIx> = all.map(|(ix, _)| ix).collect();
        let plan = planned(&graph, &all, Work::Run, &|_| mode);
        let name = |ix: NodeIx| graph.node(ix).name.as_str();
        let between = plan.views_between(&graph).into_iter();
        between
            .map(|b| format!("{} {} {}", name(b.reader), name(b.view), name(b.below)))
            .collect()
    };
    assert_eq!(found(&["a", "b", "c"], Mode::Together), ["b w a"]);
    assert_eq!(found(&["a", "v", "b", "c"], Mode::Together), ["b w v"]);
    assert_eq!(found(&["a", "v", "w", "b"], Mode::Together), [""; 0]);
    assert_eq!(found(&["b", "c"], Mode::Together), [""; 0]);
    assert_eq!(found(&["a", "b", "c"], Mode::Immediate), [""; 0]);
}

#[test]
fn nodes_that_a_test_compares_are_published_in_one_transaction() {
    let graph = graph(vec![
        model("a"),
        model("b").reads("a"),
        model("other").reads("a"),
        singular_test("same_total").reads("a b"),
    ]);
    let plan = all_in(&graph, Work::Build, Mode::Audited);
    assert_eq!(groups(&graph, &plan), ["a b", "other"]);
    assert_eq!(needs(&graph, &plan, "b"), ["a"]);
    assert_eq!(
        needs(&graph, &plan, "other"),
        ["a", "publish a b", "same_total"]
    );
}

#[test]
fn a_knot_of_tests_over_two_chains_is_one_group() {
    // Each test needs the child of the other's parent.
    let graph = graph(vec![
        model("a"),
        model("v"),
        model("y").reads("a"),
        model("x").reads("v"),
        singular_test("t").reads("a x"),
        singular_test("u").reads("v y"),
    ]);
    let plan = all_in(&graph, Work::Build, Mode::Audited);
    let found = groups(&graph, &plan);
    let knot = found.iter().find(|g| g.contains('a')).expect("a group");
    assert!(knot.contains('v'), "{found:?}");
    assert_eq!(plan.order().len(), plan.steps.len());
}

#[test]
fn together_waits_for_every_test_and_takes_along_what_is_below() {
    let graph = graph(vec![
        seed("s"),
        model("a").reads("s"),
        model("b").reads("a"),
        singular_test("of_seed").reads("s"),
    ]);
    let all: Vec<NodeIx> = graph.nodes().map(|(ix, _)| ix).collect();
    let plan = planned(
        &graph,
        &all,
        Work::Build,
        &|ix| match graph.node(ix).name.as_str() {
            "a" => Mode::Together,
            _ => Mode::Immediate,
        },
    );
    assert_eq!(groups(&graph, &plan), ["a b"]);
    let gates = plan.groups[0].gates.iter();
    let gates: Vec<String> = gates.map(|step| name_of(&graph, &plan, *step)).collect();
    assert_eq!(gates, ["s", "a", "b", "of_seed"]);
}

#[test]
fn a_run_without_tests_publishes_in_the_same_order() {
    let graph = graph(vec![model("a"), model("b").reads("a")]);
    let plan = all_in(&graph, Work::Run, Mode::Audited);
    assert_eq!(groups(&graph, &plan), ["a", "b"]);
    let plan = all_in(&graph, Work::Run, Mode::Together);
    assert_eq!(groups(&graph, &plan), ["a b"]);
}

fn any_modes() -> impl Strategy<Value = Vec<Mode>> {
    let mode = prop_oneof![
        Just(Mode::Immediate),
        Just(Mode::Audited),
        Just(Mode::Audited),
        Just(Mode::Together)
    ];
    prop::collection::vec(mode, 40)
}

proptest! {
    #[test]
    fn publications_close_no_cycle_and_come_after_their_tests(
        graph in any_graph(), modes in any_modes()
    ) {
        let all: Vec<NodeIx> = graph.nodes().map(|(ix, _)| ix).collect();
        let plan = planned(&graph, &all, Work::Build, &|ix| modes[ix.index()]);
        let order = plan.order();
        prop_assert_eq!(order.len(), plan.steps.len());
        let mut place = vec![0; order.len()];
        for (at, step) in order.into_iter().enumerate() {
            place[step] = at;
        }
        let step_of = |ix: NodeIx| plan.steps.iter().position(|s| s.node() == Some(ix)).expect("a step");
        for (ix, node) in graph.nodes() {
            for parent in &node.parents {
                let Some(group) = plan.group_of.get(parent) else { continue };
                let publish = place[plan.groups[*group].step];
                if node.is_test() {
                    prop_assert!(place[step_of(ix)] < publish, "a test reads the candidate");
                } else {
                    let own = plan.group_of.get(&ix);
                    prop_assert!(own.is_some(), "a child is never laxer");
                    if own != Some(group) {
                        prop_assert!(publish < place[step_of(ix)], "a child reads what is live");
                    }
                }
            }
        }
    }

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
        for step in 0..run.steps.len() {
            let name = &name_of(&graph, &run, step);
            let gated = needs(&graph, &build, name);
            let plain = needs(&graph, &run, name);
            prop_assert!(plain.iter().all(|need| gated.contains(need)));
            for extra in gated.iter().filter(|need| !plain.contains(need)) {
                let (_, test) = graph.nodes().find(|(_, n)| n.name == *extra).expect("a node");
                prop_assert!(test.is_test());
                let parents = &test.parents;
                prop_assert!(parents.iter().any(|p| run.steps[step].node().is_some_and(|ix| graph.reads(ix, *p))));
            }
        }
    }
}
