//! What selections find, on small graphs made by hand.

use std::collections::{HashMap, HashSet};

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::diag::{SourceMap, Span, Spanned};
use crate::graph::fixture::{
    Made, generic_test, graph, model, seed, singular_test, snapshot, source,
};
use crate::project::{Selector, SelectorCriterion, SelectorDefinition};

/// ```text
/// raw.events -> stg -> fct -> mart     codes (seed) -> fct     hist (snapshot) reads stg
/// tests: unique_stg, rel_fct_codes (reads fct, codes), check_mart (singular)
/// ```
fn shop() -> Graph {
    graph(vec![
        source("raw", "events").with(|n| {
            n.other.insert("tags".to_owned(), json!(["daily"]));
        }),
        model("stg")
            .reads("events")
            .path("models/staging/stg.sql")
            .config(json!({"tags": ["nightly"], "materialized": "view", "group": "core"})),
        seed("codes"),
        model("fct")
            .reads("stg codes")
            .path("models/gold/fct.sql")
            .config(
                json!({"tags": ["nightly", "finance"], "materialized": "table",
                           "meta": {"owner": "ann", "pii": true}, "unique_key": ["a", "b"]}),
            ),
        model("mart")
            .reads("fct")
            .path("models/gold/deep/mart.sql")
            .config(json!({"access": "public", "lookback": 3}))
            .with(|n| n.patch_path = Some("models/gold/_gold.yml".to_owned())),
        snapshot("hist").reads("stg"),
        generic_test("unique", "unique_stg").reads("stg"),
        generic_test("relationships", "rel_fct_codes").reads("fct codes"),
        singular_test("check_mart")
            .reads("mart")
            .config(json!({"severity": "Warn"})),
        model("alone").package("tools"),
        model("off").config(json!({"enabled": false})),
    ])
}

const CONTEXT: SelectContext<'static> = SelectContext {
    root_package: "shop",
    earlier: Earlier::NONE,
};

fn words(text: &str) -> Vec<String> {
    match text {
        "" => Vec::new(),
        text => vec![text.to_owned()],
    }
}

fn names(graph: &Graph, selected: &Selected) -> String {
    let names: Vec<&str> = selected
        .nodes
        .iter()
        .map(|ix| graph.node(*ix).name.as_str())
        .collect();
    names.join(" ")
}

fn find(graph: &Graph, args: &SelectArgs<'_>) -> Selected {
    let selection = Selection::parse(args).unwrap();
    selection.resolve(graph, &CONTEXT).unwrap()
}

fn select(text: &str) -> String {
    let graph = shop();
    let select = words(text);
    let args = SelectArgs {
        select: &select,
        indirect: IndirectSelection::Empty,
        ..SelectArgs::default()
    };
    names(&graph, &find(&graph, &args))
}

fn with_tests(text: &str, exclude: &str, indirect: IndirectSelection) -> String {
    let graph = shop();
    let (select, exclude) = (words(text), words(exclude));
    let args = SelectArgs {
        select: &select,
        exclude: &exclude,
        indirect,
        ..SelectArgs::default()
    };
    names(&graph, &find(&graph, &args))
}

#[test]
fn plus_and_at_reach_relatives() {
    assert_eq!(select("fct"), "fct");
    assert_eq!(select("+fct"), "events stg codes fct");
    assert_eq!(select("1+fct"), "stg codes fct");
    assert_eq!(select("0+fct"), "fct");
    assert_eq!(
        select("stg+"),
        "stg fct mart hist unique_stg rel_fct_codes check_mart"
    );
    assert_eq!(select("stg+1"), "stg fct hist unique_stg");
    assert_eq!(select("1+fct+1"), "stg codes fct mart rel_fct_codes");
    assert_eq!(
        select("@codes"),
        "events stg codes fct mart rel_fct_codes check_mart"
    );
}

#[test]
fn methods_find_what_they_name() {
    for (text, expected) in [
        ("shop.gold", "fct mart"),
        ("gold.fct", "fct"),
        ("gold.*", "fct mart"),
        ("*mart*", "mart check_mart"),
        ("gold.?ct", "fct"),
        ("?ct", "fct"),
        ("[a-c]*", "codes check_mart alone"),
        ("[a-c]*", "codes check_mart alone"),
        ("models/gold", "fct mart"),
        ("path:models/gold/*.sql", "fct"),
        ("path:models/gold/_gold.yml", "mart"),
        ("./models/staging/", "stg"),
        ("fct.sql", "fct"),
        ("file:codes", "codes"),
        ("tag:nightly", "stg fct"),
        ("tag:fin*", "fct"),
        ("tag:daily", "events"),
        ("package:tools", "alone"),
        ("package:this,resource_type:model", "stg fct mart"),
        ("source:raw", "events"),
        ("source:raw.events", "events"),
        ("source:shop.raw.*", "events"),
        ("source:shop.raw.other", ""),
        ("resource_type:seed", "codes"),
        ("resource_type:exposure", ""),
        ("config.materialized:table", "fct"),
        ("config.materialized:view", "stg mart alone"),
        ("config.meta.owner:ann", "fct"),
        ("config.meta.pii:TRUE", "fct"),
        ("config.unique_key:b", "fct"),
        ("config.lookback:3", "mart"),
        ("config.severity:warn", "check_mart"),
        ("test_type:generic", "unique_stg rel_fct_codes"),
        ("test_type:singular", "check_mart"),
        ("test_type:data", "unique_stg rel_fct_codes check_mart"),
        ("test_type:unit", ""),
        ("test_name:uniq*", "unique_stg"),
        ("group:core", "stg"),
        ("access:public", "mart"),
        ("access:protected", "stg fct alone"),
        ("version:none", "stg fct mart alone"),
        ("exposure:any", ""),
        ("metric:any", ""),
    ] {
        assert_eq!(select(text), expected, "{text}");
    }
}

#[test]
fn blanks_unite_and_commas_intersect() {
    assert_eq!(select("stg codes"), "stg codes");
    assert_eq!(select("tag:nightly,models/gold"), "fct");
    assert_eq!(select("tag:nightly,models/gold alone"), "fct alone");
    assert_eq!(select("+mart,tag:finance"), "fct");
}

#[test]
fn a_test_comes_with_its_parents_as_the_mode_says() {
    use IndirectSelection::{Buildable, Cautious, Eager, Empty};
    assert_eq!(with_tests("fct", "", Eager), "fct rel_fct_codes");
    assert_eq!(with_tests("fct", "", Cautious), "fct");
    assert_eq!(with_tests("fct", "", Buildable), "fct rel_fct_codes");
    assert_eq!(with_tests("codes", "", Buildable), "codes");
    assert_eq!(with_tests("fct", "", Empty), "fct");
    assert_eq!(with_tests("stg", "", Cautious), "stg unique_stg");
    // Each part alone leaves the test out; together they hold all of its parents.
    assert_eq!(
        with_tests("fct codes", "", Cautious),
        "codes fct rel_fct_codes"
    );
}

#[test]
fn what_is_excluded_takes_its_tests_along() {
    use IndirectSelection::{Cautious, Eager};
    assert_eq!(
        with_tests("models/gold", "mart", Eager),
        "fct rel_fct_codes"
    );
    assert_eq!(
        with_tests("+fct", "codes", Eager),
        "events stg fct unique_stg"
    );
    assert_eq!(with_tests("", "shop", Eager), "events alone");
    // The mode also says which tests an exclusion takes: here one parent stays.
    assert_eq!(
        with_tests("+fct", "codes", Cautious),
        "events stg fct unique_stg rel_fct_codes"
    );
}

#[test]
fn everything_is_selected_by_default() {
    let graph = shop();
    let all = find(&graph, &SelectArgs::default());
    assert_eq!(all.nodes.len(), graph.nodes().len());
}

#[test]
fn resource_types_narrow_the_result() {
    let graph = shop();
    let kinds = ["model".to_owned(), "seed".to_owned()];
    let select = words("+fct");
    let mut args = SelectArgs {
        select: &select,
        resource_types: &kinds,
        ..SelectArgs::default()
    };
    assert_eq!(names(&graph, &find(&graph, &args)), "stg codes fct");
    args.exclude_resource_types = &kinds[..1];
    assert_eq!(names(&graph, &find(&graph, &args)), "codes");
    let wrong = ["modle".to_owned()];
    args.resource_types = &wrong;
    let error = Selection::parse(&args).unwrap_err();
    assert_eq!(error.hint.as_deref(), Some("did you mean `model`?"));
}

fn warning_of(text: &str) -> (String, Vec<String>, String) {
    let graph = shop();
    let select = words(text);
    let found = find(
        &graph,
        &SelectArgs {
            select: &select,
            ..SelectArgs::default()
        },
    );
    assert_eq!(found.warnings.len(), 1, "{:?}", found.warnings);
    let warning = found.warnings[0].clone();
    (warning.message, warning.notes, warning.hint.unwrap())
}

#[test]
fn a_selection_of_nothing_says_what_may_be_meant() {
    let (message, notes, hint) = warning_of("mrat+");
    assert_eq!(message, "the selection `mrat+` matches nothing");
    assert!(notes.is_empty());
    assert_eq!(hint, "did you mean `mart`?");
    for (text, hint) in [
        ("tag:nightli", "did you mean `tag:nightly`?"),
        ("+models/glod", "did you mean `path:models/gold`?"),
        ("package:tool", "did you mean `package:tools`?"),
        ("source:raw.event", "did you mean `source:raw.events`?"),
        ("events", "sources are selected by `source:raw.events`"),
        (
            "off",
            "`off` is disabled: set `enabled: true` for models/off.sql",
        ),
        ("test_name:uniqe", "did you mean `test_name:unique`?"),
    ] {
        assert_eq!(warning_of(text).2, hint, "{text}");
    }
    let (_, notes, hint) = warning_of("tag:nightly,nope_at_all");
    assert_eq!(notes, ["`nope_at_all` alone matches nothing"]);
    assert_eq!(hint, "`marts ls` shows what there is");
    let (_, notes, _) = warning_of("stg,mart");
    assert_eq!(
        notes,
        ["each part matches something, but nothing matches all of them"]
    );
}

struct Changed(NodeIx);

impl StateAnswers for Changed {
    fn holds(&self, node: NodeIx, check: StateCheck) -> bool {
        match check {
            StateCheck::Modified => node == self.0,
            StateCheck::Old => true,
            _ => false,
        }
    }
}

#[test]
fn earlier_runs_are_asked_where_they_are_given() {
    let graph = shop();
    let id = |name: &str| {
        let node = graph.nodes().find(|(_, n)| n.name == name);
        node.map(|(ix, n)| (ix, n.id.clone())).unwrap()
    };
    let state = Changed(id("fct").0);
    let results = HashMap::from([(id("mart").1, "error".to_owned())]);
    let fresher = HashSet::from([id("events").1]);
    let context = SelectContext {
        root_package: "shop",
        earlier: Earlier {
            state: Some(&state),
            results: Some(&results),
            fresher: Some(&fresher),
        },
    };
    for (text, expected) in [
        ("state:modified", "fct"),
        ("state:modified+1", "fct mart rel_fct_codes"),
        ("result:error", "mart"),
        ("source_status:fresher+1", "events stg"),
    ] {
        let select = words(text);
        let args = SelectArgs {
            select: &select,
            indirect: IndirectSelection::Empty,
            ..SelectArgs::default()
        };
        let selection = Selection::parse(&args).unwrap();
        let found = selection.resolve(&graph, &context).unwrap();
        assert_eq!(names(&graph, &found), expected, "{text}");
        let error = selection.resolve(&graph, &CONTEXT).unwrap_err();
        assert_eq!(error.code, codes::STATE_MISSING);
        assert!(error.hint.unwrap().contains("--state"));
    }
}

fn spanned(text: &str) -> Spanned<String> {
    let file = SourceMap::default().add("selectors.yml", "");
    Spanned {
        value: text.to_owned(),
        span: Span {
            file,
            start: 0,
            end: 0,
        },
    }
}

fn text(text: &str) -> SelectorDefinition {
    SelectorDefinition::Text(spanned(text))
}

fn criterion(
    method: &str,
    value: &str,
    change: impl FnOnce(&mut SelectorCriterion),
) -> SelectorDefinition {
    let mut criterion = SelectorCriterion {
        method: spanned(method),
        value: spanned(value),
        children: false,
        children_depth: None,
        parents: false,
        parents_depth: None,
        childrens_parents: false,
        indirect_selection: None,
        exclude: Vec::new(),
    };
    change(&mut criterion);
    SelectorDefinition::Criterion(Box::new(criterion))
}

fn named(name: &str, definition: SelectorDefinition) -> Selector {
    Selector {
        name: spanned(name),
        description: String::new(),
        default: false,
        definition,
        written: serde_json::Value::Null,
    }
}

fn by_selector(definition: SelectorDefinition) -> String {
    let graph = shop();
    let file = [
        named("gold", text("path:models/gold")),
        named("it", definition),
    ];
    let selectors = Selectors::new(&file, IndirectSelection::Eager).unwrap();
    let args = SelectArgs {
        selector: Some("it"),
        selectors: Some(&selectors),
        ..SelectArgs::default()
    };
    names(&graph, &find(&graph, &args))
}

#[test]
fn selectors_yml_defines_selections() {
    assert_eq!(by_selector(text("stg")), "stg unique_stg");
    let finance = || criterion("tag", "finance", |_| {});
    assert_eq!(by_selector(finance()), "fct rel_fct_codes");
    let parents = criterion("fqn", "fct", |c| {
        c.parents = true;
        c.parents_depth = Some(1);
        c.indirect_selection = Some(spanned("empty"));
    });
    assert_eq!(by_selector(parents), "stg codes fct");
    let family = criterion("fqn", "codes", |c| {
        c.childrens_parents = true;
        c.indirect_selection = Some(spanned("empty"));
    });
    assert_eq!(
        by_selector(family),
        "events stg codes fct mart rel_fct_codes check_mart"
    );
    let less = criterion("fqn", "fct", |c| {
        c.children = true;
        c.indirect_selection = Some(spanned("cautious"));
        c.exclude = vec![text("mart")];
    });
    assert_eq!(by_selector(less), "fct rel_fct_codes");
    let gold = || criterion("selector", "gold", |_| {});
    let union = SelectorDefinition::Union(vec![text("stg"), gold()], vec![text("test_type:data")]);
    assert_eq!(by_selector(union), "stg fct mart");
    let both = vec![text("tag:nightly"), text("selector:gold")];
    let intersection = SelectorDefinition::Intersection(both, Vec::new());
    assert_eq!(by_selector(intersection), "fct rel_fct_codes");
    let pii = criterion("config.meta.pii", "true", |_| {});
    assert_eq!(by_selector(pii), "fct rel_fct_codes");
}

#[test]
fn the_default_selector_holds_where_nothing_else_is_said() {
    let graph = shop();
    let mut usual = named("usual", criterion("tag", "finance", |_| {}));
    usual.default = true;
    let selectors = Selectors::new(&[usual], IndirectSelection::Empty).unwrap();
    let mut args = SelectArgs {
        selectors: Some(&selectors),
        indirect: IndirectSelection::Empty,
        ..SelectArgs::default()
    };
    assert_eq!(names(&graph, &find(&graph, &args)), "fct");
    let select = words("alone");
    args.select = &select;
    assert_eq!(names(&graph, &find(&graph, &args)), "alone");
    args.selector = Some("usuall");
    let error = Selection::parse(&args).unwrap_err();
    assert_eq!(error.hint.as_deref(), Some("did you mean `usual`?"));
    args.selector = Some("usual");
    let found = find(&graph, &args);
    assert_eq!(names(&graph, &found), "fct");
    assert!(found.warnings[0].message.contains("`--select`"));
}

#[test]
fn mistakes_in_selectors_are_all_told() {
    let mut file = [
        named("a", criterion("tags", "x", |_| {})),
        named("b", criterion("selector", "later", |_| {})),
        named(
            "c",
            criterion("tag", "x", |c| c.indirect_selection = Some(spanned("eagr"))),
        ),
        named("d", text("@x+")),
        named("e", text("x")),
        named("later", text("x")),
    ];
    file[4].default = true;
    file[5].default = true;
    let problems = Selectors::new(&file, IndirectSelection::Eager).unwrap_err();
    let told: Vec<(&str, &str)> = problems
        .iter()
        .map(|p| (p.message.as_str(), p.hint.as_deref().unwrap_or_default()))
        .collect();
    insta::assert_debug_snapshot!(told);
    assert!(problems.iter().all(|p| !p.labels.is_empty()));
}

/// A random graph: node `n<i>` reads some of those before it; every fourth node is a test.
fn any_graph() -> impl Strategy<Value = Graph> {
    prop::collection::vec(
        prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        2..40,
    )
    .prop_map(|reads| {
        let is_test = |i: usize| i % 4 == 3;
        let made: Vec<Made> = reads
            .iter()
            .enumerate()
            .map(|(i, reads)| {
                let earlier: Vec<usize> = (0..i).filter(|j| !is_test(*j)).collect();
                let mut names: Vec<String> = reads
                    .iter()
                    .filter(|_| !earlier.is_empty())
                    .map(|index| format!("n{}", index.get(&earlier)))
                    .collect();
                names.sort();
                names.dedup();
                let name = format!("n{i}");
                let node = if is_test(i) {
                    singular_test(&name)
                } else {
                    model(&name)
                };
                node.reads(&names.join(" "))
            })
            .collect();
        graph(made)
    })
}

fn pick(graph: &Graph, text: &str, exclude: &str, indirect: IndirectSelection) -> HashSet<NodeIx> {
    let (select, exclude) = (words(text), words(exclude));
    let args = SelectArgs {
        select: &select,
        exclude: &exclude,
        indirect,
        ..SelectArgs::default()
    };
    find(graph, &args).nodes.into_iter().collect()
}

proptest! {
    #[test]
    fn plus_is_the_closure_of_parents_and_children(graph in any_graph(), at: prop::sample::Index) {
        let ix = NodeIx(at.index(graph.nodes().len()) as u32);
        let name = &graph.node(ix).name;
        let mut above: HashSet<NodeIx> = graph.ancestors(ix, None).into_iter().collect();
        above.insert(ix);
        prop_assert_eq!(pick(&graph, &format!("+{name}"), "", IndirectSelection::Empty), above);
        let mut below: HashSet<NodeIx> = graph.descendants(ix, Some(2)).into_iter().collect();
        below.insert(ix);
        prop_assert_eq!(pick(&graph, &format!("{name}+2"), "", IndirectSelection::Empty), below);
    }

    #[test]
    fn selected_and_excluded_make_the_whole(graph in any_graph(), at: prop::sample::Index) {
        let name = format!("@n{}", at.index(graph.nodes().len()));
        for mode in [IndirectSelection::Eager, IndirectSelection::Cautious, IndirectSelection::Empty] {
            let taken = pick(&graph, &name, "", mode);
            let left = pick(&graph, "", &name, mode);
            prop_assert!(taken.is_disjoint(&left));
            prop_assert_eq!(taken.len() + left.len(), graph.nodes().len());
        }
    }

    #[test]
    fn stricter_modes_take_fewer_tests(graph in any_graph(), at: prop::sample::Index) {
        let name = format!("n{}", at.index(graph.nodes().len()));
        let all = |mode| pick(&graph, &name, "", mode);
        let (empty, cautious) = (all(IndirectSelection::Empty), all(IndirectSelection::Cautious));
        let (buildable, eager) = (all(IndirectSelection::Buildable), all(IndirectSelection::Eager));
        prop_assert!(empty.is_subset(&cautious));
        prop_assert!(cautious.is_subset(&buildable));
        prop_assert!(buildable.is_subset(&eager));
        for test in cautious.difference(&empty) {
            prop_assert!(graph.node(*test).parents.iter().all(|p| empty.contains(p)));
        }
    }
}
