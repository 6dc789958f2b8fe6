//! The source rewrite: dbt's Jinja (jinja2 with Python's values) becomes text that the stock
//! engine renders alike. It is the single place that knows the syntax of expressions, and it
//! never adds or removes a newline, so that line numbers stay right.

mod expr;
mod nesting;
mod pieces;
mod strings;
mod token;

use std::borrow::Cow;

use expr::Parser;
use nesting::Nesting;
pub(super) use pieces::{Piece, pieces};
pub(super) use token::{Kind, Tag};

/// What is wrong in a template's text, and at which byte of the (newline-normalised) text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RewriteError {
    pub(super) message: String,
    pub(super) at: usize,
}

impl RewriteError {
    pub(super) fn new(message: impl Into<String>, at: usize) -> Self {
        Self {
            message: message.into(),
            at,
        }
    }
}

/// Newlines as jinja2 normalises them.
pub(super) fn normalise(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Rewrites normalised text.
pub(super) fn rewrite(text: &str) -> Result<String, RewriteError> {
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    let mut nesting = Nesting::default();
    for piece in pieces(text) {
        match piece? {
            Piece::Verbatim(part) => out.push_str(part),
            Piece::Expression { start, inner, tag } => {
                out.push_str(&text[start..inner]);
                let mut parser = Parser::new(text, &tag.tokens, tag.close_start);
                parser.tuple(true)?;
                finish(&parser)?;
                parser.output(inner, tag.close_start, &mut out);
                out.push_str(&text[tag.close_start..tag.close_end]);
            }
            Piece::Statement { start, inner, tag } => {
                out.push_str(&text[start..inner]);
                let mut parser = Parser::new(text, &tag.tokens, tag.close_start);
                let word = parser.expect_name()?;
                statement(&mut parser, word, start)?;
                nesting.note(word, parser.is_block(), start)?;
                if parser.eat(":") {
                    parser.replace_last("");
                }
                finish(&parser)?;
                parser.output(inner, tag.close_start, &mut out);
                out.push_str(&text[tag.close_start..tag.close_end]);
            }
        }
    }
    nesting.finish()?;
    Ok(out)
}

fn finish(parser: &Parser<'_>) -> Result<(), RewriteError> {
    if parser.at_end() {
        return Ok(());
    }
    Err(parser.unexpected("expected the end of the tag"))
}

/// Tags of one word.
const BARE: [&str; 9] = [
    "else",
    "endif",
    "endfor",
    "endset",
    "endwith",
    "endfilter",
    "endautoescape",
    "break",
    "continue",
];

/// Rewrites a statement after its first word; `at` is where it starts.
fn statement(p: &mut Parser<'_>, word: &str, at: usize) -> Result<(), RewriteError> {
    match word {
        "if" | "elif" => p.tuple(false),
        "for" => for_loop(p),
        "set" => set(p),
        "do" => {
            p.replace_last("set __do =");
            p.tuple(true)
        }
        "call" => {
            if p.peek() == "(" {
                p.signature()?;
            }
            p.expression()
        }
        "macro" => {
            p.expect_name()?;
            p.signature()?;
            if p.eat("->") {
                p.replace_last("");
                p.drop_annotation(&[]);
            }
            Ok(())
        }
        "filter" => chain(p),
        "with" => with(p),
        "autoescape" | "include" | "import" | "extends" | "from" => {
            p.tuple(true)?;
            // what follows (`ignore missing`, `as x`, `import a, b`) is names the engine checks
            p.skip_rest();
            Ok(())
        }
        "block" => {
            p.skip_rest();
            Ok(())
        }
        "endmacro" | "endcall" | "endblock" => {
            if !p.at_end() && p.peek() != ":" {
                // jinja2 ignores the name that may be repeated here
                p.expect_name()?;
                p.replace_last("");
            }
            Ok(())
        }
        _ if BARE.contains(&word) => Ok(()),
        _ => Err(RewriteError::new(
            format!("`{word}` is no tag that can stand here"),
            at,
        )),
    }
}

fn for_loop(p: &mut Parser<'_>) -> Result<(), RewriteError> {
    p.target()?;
    p.expect("in")?;
    p.tuple(false)?;
    if p.eat("if") {
        p.expression()?;
    }
    p.eat("recursive");
    Ok(())
}

fn set(p: &mut Parser<'_>) -> Result<(), RewriteError> {
    p.target()?;
    if p.eat("=") {
        return p.tuple(true);
    }
    p.opens_block();
    if p.eat("|") { chain(p) } else { Ok(()) }
}

fn chain(p: &mut Parser<'_>) -> Result<(), RewriteError> {
    p.filter()?;
    while p.eat("|") {
        p.filter()?;
    }
    Ok(())
}

fn with(p: &mut Parser<'_>) -> Result<(), RewriteError> {
    while !p.at_end() && p.peek() != ":" {
        p.target()?;
        p.expect("=")?;
        p.expression()?;
        if !p.eat(",") {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{normalise, rewrite};

    #[track_caller]
    fn check(from: &str, to: &str) {
        assert_eq!(rewrite(from).expect("it is valid"), to);
    }

    #[test]
    fn lists_and_dicts_become_mutable_values() {
        check("{{ [1, 2] }}", "{{ ([1, 2]|__list) }}");
        check(
            "{{ {'a': {'b': 1}} }}",
            "{{ ({'a': ({'b': 1}|__dict)}|__dict) }}",
        );
        check(
            "{{ {'a': {'b': 1}}}}",
            "{{ ({'a': ({'b': 1}|__dict)}|__dict)}}",
        );
    }

    #[test]
    fn arithmetic_becomes_filters_with_pythons_precedence() {
        check("{{ a + b * 2 }}", "{{ ((a) |__add( ((b) |__mul( 2)))) }}");
        check("{{ a ~ b + c }}", "{{ ((a ~ b) |__add( c)) }}");
        check("{{ -a - 1 }}", "{{ ((-a) |__sub( 1)) }}");
    }

    #[test]
    fn slices_are_owned_and_subscripts_stay() {
        check("{{ x.y[1:] }}", "{{ (x.y[1:]|__own) }}");
        check("{{ x[0] }}", "{{ x[0] }}");
    }

    #[test]
    fn do_trailing_colons_and_annotations_go() {
        check(
            "{% do x.append([1]) %}",
            "{% set __do = x.append(([1]|__list)) %}",
        );
        check("{% if a: %}{% endif %}", "{% if a %}{% endif %}");
        check(
            "{% macro f(a: list[str] = [], b) -> str %}{% endmacro %}",
            "{% macro f(a  = ([]|__list), b)   %}{% endmacro %}",
        );
    }

    #[test]
    fn bare_tuples_get_parentheses() {
        check(
            "{% for a in 1, 2 if a %}{% endfor %}",
            "{% for a in (1, 2) if a %}{% endfor %}",
        );
        check("{% set a, b = 1, 2 %}", "{% set a, b = (1, 2) %}");
    }

    #[test]
    fn comments_raw_blocks_and_strings_stay() {
        for text in [
            "{# [1] + {} #}",
            "{% raw %}{{ [1] }}{% endraw %}",
            "{{ '%} [1] + 2 }}' }}",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn an_unclosed_tag_is_reported_where_it_starts() {
        let error = rewrite("ab {{ x ").expect_err("it is not closed");
        assert_eq!(error.at, 3);
    }

    /// Text that looks like templates: fragments of the syntax, in any order.
    fn fragments() -> impl Strategy<Value = String> {
        let fragment = prop::sample::select(vec![
            "{{ ",
            " }}",
            "{% ",
            " %}",
            "{%- ",
            " -%}",
            "{# ",
            " #}",
            "\n",
            " ",
            "if ",
            "x",
            "1.5",
            "for a in b",
            "endif",
            "endfor",
            "set x = ",
            "set y",
            "do ",
            "macro f(",
            "call g()",
            "[",
            "]",
            "(",
            ")",
            "{",
            "}",
            ",",
            ":",
            "|",
            "|list",
            "+",
            "-",
            "*",
            "%",
            "**",
            "~",
            "==",
            "is ",
            "not ",
            "in ",
            "and ",
            "'a\\n'",
            "\"b",
            "'",
            "\\",
            "{% raw %}",
            "{% endraw %}",
            ".",
            "é",
            "else",
            "kwargs",
            "\r\n",
        ]);
        prop::collection::vec(fragment, 0..40).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn a_rewrite_keeps_the_number_of_lines(text in fragments()) {
            let text = normalise(&text);
            if let Ok(rewritten) = rewrite(&text) {
                prop_assert_eq!(rewritten.matches('\n').count(), text.matches('\n').count());
            }
        }

        #[test]
        fn an_error_lies_inside_of_the_text(text in fragments()) {
            let text = normalise(&text);
            if let Err(error) = rewrite(&text) {
                prop_assert!(error.at <= text.len());
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*") {
            let text = normalise(&text);
            let _ = rewrite(&text);
            let _ = crate::jinja::blocks::scan(&text);
        }

        #[test]
        fn a_macros_template_keeps_the_lines_of_its_file(text in fragments()) {
            let text = format!("{{% macro m(a, b={}) %}}x\n{{% endmacro %}}", normalise(&text));
            for block in crate::jinja::blocks::scan(&text).unwrap_or_default() {
                let template = crate::jinja::blocks::macro_template(&text, &block);
                let before = text[..block.body.start].matches('\n').count();
                let body = &text[block.body.clone()];
                prop_assert_eq!(template.matches('\n').count(), before + body.matches('\n').count());
            }
        }
    }
}
