//! Shell-style patterns as dbt's selectors use them: `*`, `?`, `[abc]`, `[a-z]`, `[!a]`.
//!
//! A pattern is compiled once and asked of thousands of names.

/// A compiled pattern over a whole text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Pattern {
    /// `*`.
    All,
    /// No wildcard.
    Exact(String),
    /// Anything else.
    Glob(Vec<Piece>),
}

/// One piece of a [`Pattern::Glob`].
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece {
    One(char),
    AnyOne,
    AnyRun,
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

/// Whether the text has a character that a pattern treats specially.
pub(super) fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?', '[', ']'])
}

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        if text == "*" {
            return Self::All;
        }
        if !text.contains(['*', '?', '[']) {
            return Self::Exact(text.to_owned());
        }
        let chars: Vec<char> = text.chars().collect();
        let mut pieces = Vec::with_capacity(chars.len());
        let mut at = 0;
        while at < chars.len() {
            let piece = match chars[at] {
                '*' => Piece::AnyRun,
                '?' => Piece::AnyOne,
                '[' => match class(&chars[at + 1..]) {
                    Some((piece, length)) => {
                        at += length;
                        piece
                    }
                    None => Piece::One('['),
                },
                other => Piece::One(other),
            };
            pieces.push(piece);
            at += 1;
        }
        Self::Glob(pieces)
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        match self {
            Self::All => true,
            Self::Exact(exact) => exact == text,
            Self::Glob(pieces) => glob(pieces, text),
        }
    }
}

/// The class after a `[`, and how many characters it takes with its `]`; `None` when it is
/// never closed, so that the bracket means itself.
fn class(rest: &[char]) -> Option<(Piece, usize)> {
    let negated = rest.first() == Some(&'!');
    let start = usize::from(negated);
    // A `]` that comes first is a member.
    let from = start + usize::from(rest.get(start) == Some(&']'));
    let end = from + rest.get(from..)?.iter().position(|c| *c == ']')?;
    let members = &rest[start..end];
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < members.len() {
        if at + 2 < members.len() && members[at + 1] == '-' {
            ranges.push((members[at], members[at + 2]));
            at += 3;
        } else {
            ranges.push((members[at], members[at]));
            at += 1;
        }
    }
    Some((Piece::Class { negated, ranges }, end + 1))
}

impl Piece {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::One(own) => *own == c,
            Self::AnyOne | Self::AnyRun => true,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != *negated
            }
        }
    }
}

/// Matches with one point to come back to: the last run, which then takes one more.
fn glob(pieces: &[Piece], text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    let (mut piece, mut at) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while at < chars.len() {
        match pieces.get(piece) {
            Some(Piece::AnyRun) => {
                back = Some((piece, at));
                piece += 1;
            }
            Some(other) if other.takes(chars[at]) => {
                piece += 1;
                at += 1;
            }
            _ => {
                let Some((run, taken)) = back else {
                    return false;
                };
                back = Some((run, taken + 1));
                piece = run + 1;
                at = taken + 1;
            }
        }
    }
    pieces[piece..].iter().all(|p| *p == Piece::AnyRun)
}

/// A pattern over paths: each part between `/` is a [`Pattern`], `**` any number of folders.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PathPattern(Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
enum Part {
    AnyFolders,
    Name(Pattern),
}

impl PathPattern {
    pub(super) fn new(text: &str) -> Self {
        let parts = text.split('/').filter(|part| !matches!(*part, "" | "."));
        Self(
            parts
                .map(|part| match part {
                    "**" => Part::AnyFolders,
                    name => Part::Name(Pattern::new(name)),
                })
                .collect(),
        )
    }

    /// Whether the pattern names the path or a folder above it.
    pub(super) fn covers(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        matches_parts(&self.0, &parts, false)
    }

    /// Whether the pattern names the path itself.
    pub(super) fn names(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        matches_parts(&self.0, &parts, true)
    }
}

fn matches_parts(pattern: &[Part], path: &[&str], whole: bool) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, _) => !whole || path.is_empty(),
        (Some((Part::AnyFolders, rest)), _) => {
            matches_parts(rest, path, whole)
                || (!path.is_empty() && matches_parts(pattern, &path[1..], whole))
        }
        (Some((Part::Name(name), rest)), Some((first, below))) => {
            name.matches(first) && matches_parts(rest, below, whole)
        }
        (Some(_), None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_mean_what_a_shell_means() {
        let cases = [
            ("*", "", true),
            ("a*c", "abbbc", true),
            ("a*c", "abbbd", false),
            ("a*b*c", "a_b_b_c", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("stg_[a-c]*", "stg_b1", true),
            ("stg_[a-c]*", "stg_d1", false),
            ("[!a]b", "cb", true),
            ("[!a]b", "ab", false),
            ("[]x]", "]", true),
            ("[ab", "[ab", true),
            ("é?", "éa", true),
            ("**", "anything", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(
                Pattern::new(pattern).matches(text),
                expected,
                "{pattern} on {text}"
            );
        }
    }

    #[test]
    fn a_path_pattern_covers_what_lies_below_it() {
        let covers = |pattern: &str, path: &str| PathPattern::new(pattern).covers(path);
        assert!(covers("models/gold", "models/gold/a.sql"));
        assert!(covers("./models/gold/", "models/gold/x/a.sql"));
        assert!(!covers("models/go", "models/gold/a.sql"));
        assert!(covers("models/go*", "models/gold/a.sql"));
        assert!(covers("models/**/a.sql", "models/a.sql"));
        assert!(covers("models/**/a.sql", "models/x/y/a.sql"));
        assert!(!covers("*.sql", "models/a.sql"));
        assert!(PathPattern::new("models/*.yml").names("models/a.yml"));
        assert!(!PathPattern::new("models").names("models/a.yml"));
    }
}
