//! Blocks of a macro or snapshot file: macros, tests, materializations, snapshots and docs,
//! found by a scan that reads only tags. Bodies are looked at when they are first used.

use std::ops::Range;

use super::rewrite::{Kind, Piece, RewriteError, Tag, pieces};

/// What a block declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BlockKind {
    Macro,
    Test,
    Materialization,
    Snapshot,
    Docs,
}

/// A parameter of a macro.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Param {
    pub(super) name: String,
    /// The bytes of the default value, if any.
    pub(super) default: Option<Range<usize>>,
}

/// A top-level block of a file; ranges are bytes of the file's normalised text.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) kind: BlockKind,
    /// The name as registered: `test_x`, `materialization_x_postgres`, or as written.
    pub(super) name: String,
    pub(super) params: Vec<Param>,
    /// The opening tag, with its braces.
    pub(super) head: Range<usize>,
    /// What is between the tags.
    pub(super) body: Range<usize>,
    /// Whether the closing tag strips the whitespace before it.
    pub(super) strips_tail: bool,
    /// The body names `varargs`.
    pub(super) varargs: bool,
    /// The body names `kwargs`.
    pub(super) kwargs: bool,
}

fn kind_of(tag: &str) -> Option<(BlockKind, &'static str)> {
    Some(match tag {
        "macro" => (BlockKind::Macro, "endmacro"),
        "test" => (BlockKind::Test, "endtest"),
        "data_test" => (BlockKind::Test, "enddata_test"),
        "materialization" => (BlockKind::Materialization, "endmaterialization"),
        "snapshot" => (BlockKind::Snapshot, "endsnapshot"),
        "docs" => (BlockKind::Docs, "enddocs"),
        _ => return None,
    })
}

/// A block whose closing tag has not been seen yet.
struct Open {
    block: Block,
    tag: String,
    end: &'static str,
    depth: usize,
}

/// The top-level blocks of normalised text.
pub(super) fn scan(text: &str) -> Result<Vec<Block>, RewriteError> {
    let mut blocks = Vec::new();
    let mut open: Option<Open> = None;
    for piece in pieces(text) {
        match piece? {
            Piece::Verbatim(_) => {}
            Piece::Expression { tag, .. } => {
                if let Some(open) = &mut open {
                    note_names(text, &tag, &mut open.block);
                }
            }
            Piece::Statement { start, inner, tag } => {
                let word = tag.tokens.first().map_or("", |t| &text[t.start..t.end]);
                if let Some(mut current) = open.take() {
                    if word == current.end && current.depth == 0 {
                        current.block.body.end = start;
                        current.block.strips_tail = text[start..inner].ends_with('-');
                        blocks.push(current.block);
                        continue;
                    }
                    if word == current.end {
                        current.depth -= 1;
                    } else if word == current.tag {
                        current.depth += 1;
                    }
                    note_names(text, &tag, &mut current.block);
                    open = Some(current);
                } else if let Some((kind, end)) = kind_of(word) {
                    open = Some(Open {
                        block: head(text, kind, start, &tag)?,
                        tag: word.to_owned(),
                        end,
                        depth: 0,
                    });
                }
            }
        }
    }
    match open {
        None => Ok(blocks),
        Some(open) => Err(RewriteError::new(
            format!(
                "{} `{}` is never closed by `{{% {} %}}`",
                open.tag, open.block.name, open.end
            ),
            open.block.head.start,
        )),
    }
}

fn note_names(text: &str, tag: &Tag, block: &mut Block) {
    for token in tag.tokens.iter().filter(|t| t.kind == Kind::Name) {
        match &text[token.start..token.end] {
            "varargs" => block.varargs = true,
            "kwargs" => block.kwargs = true,
            _ => {}
        }
    }
}

fn head(text: &str, kind: BlockKind, start: usize, tag: &Tag) -> Result<Block, RewriteError> {
    let word = |i: usize| tag.tokens.get(i).map_or("", |t| &text[t.start..t.end]);
    if tag.tokens.get(1).is_none_or(|t| t.kind != Kind::Name) {
        let message = format!("`{{% {} %}}` needs a name", word(0));
        return Err(RewriteError::new(message, start));
    }
    let written = word(1);
    let name = match kind {
        BlockKind::Test => format!("test_{written}"),
        BlockKind::Materialization => {
            format!("materialization_{written}_{}", adapter(text, tag))
        }
        _ => written.to_owned(),
    };
    let params = match kind {
        BlockKind::Macro | BlockKind::Test => params(text, tag)?,
        _ => Vec::new(),
    };
    Ok(Block {
        kind,
        name,
        params,
        head: start..tag.close_end,
        body: tag.close_end..tag.close_end,
        strips_tail: false,
        varargs: false,
        kwargs: false,
    })
}

/// The adapter of `{% materialization x, adapter='postgres' %}` or `…, default %}`.
fn adapter<'a>(text: &'a str, tag: &Tag) -> &'a str {
    let words: Vec<&str> = tag.tokens.iter().map(|t| &text[t.start..t.end]).collect();
    words
        .windows(3)
        .find(|w| w[0] == "adapter" && w[1] == "=")
        .map_or("default", |w| w[2].trim_matches(['\'', '"']))
}

/// The parameters between the parentheses of a head.
fn params(text: &str, tag: &Tag) -> Result<Vec<Param>, RewriteError> {
    let tokens = &tag.tokens;
    let word = |i: usize| tokens.get(i).map_or("", |t| &text[t.start..t.end]);
    let mut params = Vec::new();
    let mut at = 2;
    if word(at) != "(" {
        let place = tokens.get(at).map_or(tag.close_start, |t| t.start);
        return Err(RewriteError::new("expected `(` after the name", place));
    }
    at += 1;
    while word(at) != ")" {
        let Some(token) = tokens.get(at).filter(|t| t.kind == Kind::Name) else {
            let place = tokens.get(at).map_or(tag.close_start, |t| t.start);
            return Err(RewriteError::new("expected a parameter's name", place));
        };
        let name = text[token.start..token.end].to_owned();
        at += 1;
        if word(at) == ":" {
            at = skip(text, tag, at + 1, &["=", ",", ")"]);
        }
        let mut default = None;
        if word(at) == "=" {
            let end = skip(text, tag, at + 1, &[",", ")"]);
            if end > at + 1 && end <= tokens.len() {
                default = Some(tokens[at + 1].start..tokens[end - 1].end);
            }
            at = end;
        }
        params.push(Param { name, default });
        match word(at) {
            "," => at += 1,
            ")" => {}
            _ => {
                let place = tokens.get(at).map_or(tag.close_start, |t| t.start);
                return Err(RewriteError::new(
                    "expected `,` or `)` in the parameters",
                    place,
                ));
            }
        }
    }
    Ok(params)
}

/// The index of the first of `stops` outside of brackets, from `at`.
fn skip(text: &str, tag: &Tag, mut at: usize, stops: &[&str]) -> usize {
    let mut depth = 0usize;
    while let Some(token) = tag.tokens.get(at) {
        let word = &text[token.start..token.end];
        if depth == 0 && token.kind == Kind::Op && stops.contains(&word) {
            break;
        }
        match word {
            "[" | "(" | "{" if token.kind == Kind::Op => depth += 1,
            "]" | ")" | "}" if token.kind == Kind::Op => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    at
}

/// The template that holds one macro, always named `m`, on the lines of its file. Defaults move
/// into the body, since the engine evaluates a signature from right to left; the special
/// parameters are real ones where the body names them.
pub(super) fn macro_template(text: &str, block: &Block) -> String {
    let head = &text[block.head.clone()];
    let lines_before = text[..block.head.start].matches('\n').count();
    let mut defaults = String::new();
    for param in &block.params {
        if let Some(range) = &param.default {
            let (name, value) = (&param.name, &text[range.clone()]);
            defaults +=
                &format!("{{% if {name} is undefined %}}{{% set {name} = {value} %}}{{% endif %}}");
        }
    }
    let names = block.params.iter().map(|p| p.name.as_str());
    let special = [(block.varargs, "varargs"), (block.kwargs, "kwargs")];
    let special = special
        .iter()
        .filter(|(used, _)| *used)
        .map(|(_, name)| *name);
    let names: Vec<&str> = names.chain(special).collect();
    let strips = head.ends_with("-%}");
    let missing = head
        .matches('\n')
        .count()
        .saturating_sub(defaults.matches('\n').count());
    let mut open = format!(
        "{{% macro m({}{}) %}}{defaults}",
        names.join(", "),
        "\n".repeat(missing)
    );
    if strips {
        open.truncate(open.len() - "%}".len());
        open.push_str("-%}");
    }
    let body = &text[block.body.clone()];
    let tail = if block.strips_tail {
        "{%- endmacro %}"
    } else {
        "{% endmacro %}"
    };
    format!("{}{open}{body}{tail}", "\n".repeat(lines_before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_with_their_names_and_parameters() {
        let text = "{# x #}\n{% macro a(x, y: int = [1, 2]) -%}\n{{ kwargs }}{%- endmacro %}\n\
                    {% test t(model) %}select 1{% endtest %}\n\
                    {% materialization m, adapter='postgres' %}{% endmaterialization %}";
        let blocks = scan(text).expect("it is valid");
        let names: Vec<&str> = blocks.iter().map(|b| b.name.as_str()).collect();
        assert_eq!(names, ["a", "test_t", "materialization_m_postgres"]);
        assert_eq!(blocks[0].params.len(), 2);
        assert!(blocks[0].kwargs && blocks[0].strips_tail);
    }

    #[test]
    fn a_macros_template_keeps_its_lines_and_moves_defaults() {
        let text = "\n\n{% macro a(x,\n  y=1) -%}\nbody{% endmacro %}";
        let blocks = scan(text).expect("it is valid");
        assert_eq!(
            macro_template(text, &blocks[0]),
            "\n\n{% macro m(x, y\n) %}{% if y is undefined %}{% set y = 1 %}{% endif -%}\nbody{% endmacro %}"
        );
    }

    #[test]
    fn an_unclosed_block_is_an_error_at_its_head() {
        let error = scan("\n{% macro a() %}").expect_err("it is not closed");
        assert_eq!(error.at, 1);
    }
}
