//! Packages that are not there. At parse time a method of something undefined is undefined, as
//! in dbt, so `dbt_utils.star(…)` without the package would pass; the text tells it apart.

use std::collections::HashSet;

use super::Template;
use super::rewrite::{self, Kind, Piece, Tag};

/// A call of a method of a bare name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MethodCall {
    pub(super) name: String,
    pub(super) method: String,
    /// The line of the file, from 1.
    pub(super) line: usize,
}

/// Tags that give names a meaning.
const ASSIGNING: [&str; 7] = ["set", "for", "macro", "call", "import", "from", "with"];

/// The first call `name.method(…)` of one of `methods` whose name is neither known nor assigned
/// by the template.
pub(super) fn call_of_unknown(
    template: &Template,
    methods: &[String],
    known: impl Fn(&str) -> bool,
) -> Option<MethodCall> {
    let text = rewrite::normalise(&template.text);
    let tags: Vec<Tag> = rewrite::pieces(&text)
        .filter_map(|piece| match piece {
            Ok(Piece::Expression { tag, .. } | Piece::Statement { tag, .. }) => Some(tag),
            _ => None,
        })
        .collect();
    let assigned = assigned(&text, &tags);
    let of = |tag: &Tag| {
        let word = |i: usize| tag.tokens.get(i).map_or("", |t| &text[t.start..t.end]);
        (0..tag.tokens.len()).find_map(|i| {
            let (name, method) = (word(i), word(i + 2));
            let is_call = tag.tokens[i].kind == Kind::Name
                && (word(i + 1), word(i + 3)) == (".", "(")
                && (i == 0 || word(i - 1) != ".");
            let is_unknown =
                methods.iter().any(|m| m == method) && !known(name) && !assigned.contains(name);
            (is_call && is_unknown).then(|| MethodCall {
                name: name.to_owned(),
                method: method.to_owned(),
                line: text[..tag.tokens[i].start].matches('\n').count() + template.first_line,
            })
        })
    };
    tags.iter().find_map(of)
}

/// All names of assigning tags but those that are looked into (`x` of `x.y`).
fn assigned<'t>(text: &'t str, tags: &[Tag]) -> HashSet<&'t str> {
    let mut names = HashSet::new();
    for tag in tags {
        let word = |i: usize| tag.tokens.get(i).map_or("", |t| &text[t.start..t.end]);
        if ASSIGNING.contains(&word(0)) {
            names.extend(
                (1..tag.tokens.len())
                    .filter(|i| word(i + 1) != ".")
                    .map(word),
            );
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diag::SourceMap;

    fn find(text: &str) -> Option<String> {
        let template = Template {
            file: SourceMap::default().add("m.sql", text),
            text: Arc::from(text),
            first_line: 1,
        };
        let methods = ["star".to_owned(), "append".to_owned()];
        call_of_unknown(&template, &methods, |name| name == "known").map(|call| call.name)
    }

    #[test]
    fn a_package_that_is_not_there_is_found() {
        assert_eq!(
            find("{{ dbt_utils.star(x) }}").as_deref(),
            Some("dbt_utils")
        );
        assert_eq!(find("{% set a = pkg.star(x) %}").as_deref(), Some("pkg"));
    }

    #[test]
    fn names_of_the_template_and_known_ones_are_not() {
        assert_eq!(
            find("{% set a = [] %}{% do a.append(1) %}{{ known.star() }}"),
            None
        );
        assert_eq!(
            find("{% for r in rows %}{{ r.star() }}{% endfor %}{{ x.y.star() }}"),
            None
        );
    }
}
