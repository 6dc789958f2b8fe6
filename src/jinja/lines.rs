//! Lines: where a template calls `ref` and `source`, and which template line made which line of
//! the output. Both are found by looking at the text, so they are near, not exact.

use super::Template;
use super::rewrite::{self, Kind, Piece, Tag};
use super::{RefCall, Scan, SourceCall};

/// A `ref` or `source` as written, with its text arguments.
struct Call {
    function: String,
    texts: Vec<String>,
    line: usize,
}

/// Gives each ref and source of a scan the line of its first call; where the arguments are not
/// plain text, the first call of that function; otherwise the template's first line.
pub(super) fn place_calls(scan: &mut Scan, template: &Template) {
    let calls = calls(template);
    let line = |function: &str, texts: &[&str]| {
        let of = |call: &&Call| call.function == function;
        let exact = calls.iter().filter(of).find(|c| c.texts == texts);
        exact
            .or_else(|| calls.iter().find(of))
            .map_or(template.first_line, |c| c.line)
    };
    for (call, place) in &mut scan.refs {
        let RefCall { package, name, .. } = call;
        let texts: Vec<&str> = package
            .as_deref()
            .into_iter()
            .chain([name.as_str()])
            .collect();
        *place = line("ref", &texts);
    }
    for (SourceCall { source, table }, place) in &mut scan.sources {
        *place = line("source", &[source.as_str(), table.as_str()]);
    }
    for (call, place) in &mut scan.functions {
        let package = call.package.as_deref().into_iter();
        let texts: Vec<&str> = package.chain([call.name.as_str()]).collect();
        *place = line("function", &texts);
    }
}

fn calls(template: &Template) -> Vec<Call> {
    let text = rewrite::normalise(&template.text);
    let mut calls = Vec::new();
    for piece in rewrite::pieces(&text) {
        if let Ok(Piece::Expression { tag, .. } | Piece::Statement { tag, .. }) = piece {
            calls_in(&text, &tag, template.first_line, &mut calls);
        }
    }
    calls
}

fn calls_in(text: &str, tag: &Tag, first_line: usize, calls: &mut Vec<Call>) {
    let word = |i: usize| tag.tokens.get(i).map_or("", |t| &text[t.start..t.end]);
    for (at, token) in tag.tokens.iter().enumerate() {
        let function = word(at);
        if token.kind != Kind::Name
            || !["ref", "source", "function"].contains(&function)
            || word(at + 1) != "("
        {
            continue;
        }
        let mut texts = Vec::new();
        let mut next = at + 2;
        while tag.tokens.get(next).is_some_and(|t| t.kind == Kind::Str) {
            texts.push(word(next).trim_matches(['\'', '"']).to_owned());
            next += 1;
            if word(next) != "," {
                break;
            }
            next += 1;
        }
        calls.push(Call {
            function: function.to_owned(),
            texts,
            line: text[..token.start].matches('\n').count() + first_line,
        });
    }
}

/// For each line of the output the template's line whose literal text it shows. Lines that show
/// none follow the line before them.
pub fn map(output: &str, template: &Template) -> Vec<usize> {
    let literals = literals(template);
    let mut at = 0;
    let mut map = Vec::new();
    for line in output.split('\n') {
        let line = line.trim();
        if !line.is_empty() {
            let ahead = (at..literals.len()).chain(0..at);
            let mut matching = ahead.filter(|i| matches(line, &literals[*i]));
            if let Some(found) = matching.next() {
                at = found;
            }
        }
        map.push(template.first_line + at.min(literals.len().saturating_sub(1)));
    }
    map
}

/// Whether an output line holds all literal parts of a template line.
fn matches(line: &str, parts: &[String]) -> bool {
    !parts.is_empty() && parts.iter().all(|part| line.contains(part.as_str()))
}

/// The literal parts of each line of a template.
fn literals(template: &Template) -> Vec<Vec<String>> {
    let text = rewrite::normalise(&template.text);
    let mut lines: Vec<Vec<String>> = vec![Vec::new(); text.matches('\n').count() + 1];
    let mut line = 0;
    let mut at = 0;
    for piece in rewrite::pieces(&text) {
        let end = match &piece {
            Ok(Piece::Verbatim(part)) => at + part.len(),
            Ok(Piece::Expression { tag, .. } | Piece::Statement { tag, .. }) => tag.close_end,
            Err(_) => break,
        };
        if let Ok(Piece::Verbatim(part)) = piece
            && !part.starts_with("{#")
        {
            for (offset, literal) in part.split('\n').enumerate() {
                let literal = literal.trim();
                if !literal.is_empty() {
                    lines[line + offset].push(literal.to_owned());
                }
            }
        }
        line += text[at..end].matches('\n').count();
        at = end;
    }
    lines
}
