//! YAML as PyYAML reads it, and where values are.

use serde_json::{Value as Json, json};

use super::{Document, Node, Yaml, parse};
use crate::diag::{SourceMap, Span};

fn document(text: &str) -> Document {
    let file = SourceMap::default().add("a.yml", text);
    match parse(file, text) {
        Ok(document) => document,
        Err(diagnostic) => panic!("{diagnostic:?}"),
    }
}

fn json(text: &str) -> Json {
    document(text).root.to_json()
}

fn slice(text: &str, span: Span) -> &str {
    &text[span.start as usize..span.end as usize]
}

/// Every key and every value that is no mapping or list, as it stands in the text.
fn places<'t>(text: &'t str, node: &Node, found: &mut Vec<&'t str>) {
    match &node.value {
        Yaml::Mapping(entries) => {
            for (key, value) in entries {
                found.push(slice(text, key.span));
                places(text, value, found);
            }
        }
        Yaml::Sequence(items) => {
            for item in items {
                places(text, item, found);
            }
        }
        _ => found.push(slice(text, node.span)),
    }
}

fn written(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    places(text, &document(text).root, &mut found);
    found
}

#[test]
fn plain_words_are_typed_as_pyyaml_types_them() {
    let text = "[yes, No, on, OFF, True, y, n, ~, null, '', 'yes']";
    let expected = json!([
        true, false, true, false, true, "y", "n", null, null, "", "yes"
    ]);
    assert_eq!(json(text), expected);
}

#[test]
fn plain_numbers_are_typed_as_pyyaml_types_them() {
    let text = "[1, 010, 0o10, 0x1F, 0b11, 1_000, 1:30, 1.5, 1e5, 1.0e+3, 08, +3, -4, .5, 1.]";
    let expected = json!([
        1, 8, "0o10", 31, 3, 1000, 90, 1.5, "1e5", 1000.0, "08", 3, -4, 0.5, 1.0
    ]);
    assert_eq!(json(text), expected);
}

#[test]
fn dates_stay_as_they_are_written() {
    assert_eq!(json("begin: 2024-01-01"), json!({"begin": "2024-01-01"}));
}

#[test]
fn anchors_and_merge_keys_are_resolved() {
    let text = "a: &base {x: yes, y: 2}\nb:\n  <<: *base\n  y: 3\nc: *base\nd: [*base, 1]\n";
    let expected = json!({
        "a": {"x": true, "y": 2},
        "b": {"y": 3, "x": true},
        "c": {"x": true, "y": 2},
        "d": [{"x": true, "y": 2}, 1]
    });
    assert_eq!(json(text), expected);
}

#[test]
fn an_own_key_wins_over_a_merged_one_wherever_it_stands() {
    let text = "a: &a {x: 1}\nb: &b {x: 2, z: 2}\nc:\n  x: 3\n  <<: [*a, *b]\n";
    assert_eq!(json(text)["c"], json!({"x": 3, "z": 2}));
}

#[test]
fn the_last_of_two_equal_keys_counts_and_is_reported() {
    let text = "a: 1\nb: 2\na: 3\n";
    let document = document(text);
    assert_eq!(document.root.to_json(), json!({"a": 3, "b": 2}));
    let duplicate = &document.duplicates[0];
    assert_eq!((duplicate.first.start, duplicate.second.start), (0, 10));
}

#[test]
fn every_value_knows_its_place() {
    let text = "models: # all\n  - name: 'a b'   # one\n    tags: [x, \"y\", 3]\n    n: no\n    e:\n    t: |\n      one\n      two\n";
    let expected = [
        "models",
        "name",
        "'a b'",
        "tags",
        "x",
        "\"y\"",
        "3",
        "n",
        "no",
        "e",
        "",
        "t",
        "|\n      one\n      two",
    ];
    assert_eq!(written(text), expected);
}

#[test]
fn places_are_bytes_also_behind_other_letters() {
    let text = "é: 'ü'\nß:\n  - größe: 1 # ä\n";
    assert_eq!(written(text), ["é", "'ü'", "ß", "größe", "1"]);
}

#[test]
fn what_follows_an_alias_knows_its_place() {
    let text = "a: &x 1\nb: *x\nc: 2\nd:\n  - *x\n  - e: *x\nf: [*x, g]\n";
    let expected = [
        "a", "1", "b", "*x", "c", "2", "d", "*x", "e", "*x", "f", "*x", "g",
    ];
    assert_eq!(written(text), expected);
}

#[test]
fn a_byte_order_mark_moves_no_place() {
    let text = "\u{feff}a: b\n";
    assert_eq!(written(text), ["a", "b"]);
}

#[test]
fn windows_line_ends_move_no_place() {
    let text = "a: b\r\nc:\r\n  - d\r\n";
    assert_eq!(written(text), ["a", "b", "c", "d"]);
}

#[test]
fn an_empty_file_is_null() {
    assert_eq!(json(""), Json::Null);
    assert_eq!(json("# nothing\n"), Json::Null);
}

#[test]
fn aliases_that_multiply_are_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        let below = format!("*a{}", level - 1);
        let items = vec![below; 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }
    let file = SourceMap::default().add("a.yml", text.as_str());
    assert!(parse(file, &text).is_err());
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "[ -~\n\té]{0,80}") {
            let file = SourceMap::default().add("a.yml", text.as_str());
            let _ = parse(file, &text);
        }

        #[test]
        fn yaml_like_text_gives_places_inside_the_text(
            lines in prop::collection::vec("( |  |    )(- )?(a|b|<<|&x|\\*x|'q'|\"r\")?(: )?(1|yes|\\[a, b\\]|\\{c: d\\}|\\*x|&x y|\\|)?", 0..8)
        ) {
            let text = lines.join("\n");
            let file = SourceMap::default().add("a.yml", text.as_str());
            if let Ok(document) = parse(file, &text) {
                let mut found = Vec::new();
                places(&text, &document.root, &mut found);
            }
        }
    }
}
