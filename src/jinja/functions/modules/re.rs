//! `modules.re`: Python's patterns, on fancy-regex, which adds look-around and back-references to the
//! regex crate and hands it every pattern without them.

use std::fmt;
use std::sync::Arc;

use fancy_regex::{Captures, Regex};
use minijinja::value::{Kwargs, Object, ObjectRepr, Tuple, Value, from_args};
use minijinja::{Error, ErrorKind, State};

use super::Module;
use crate::jinja::error::{fail, fail_with};
use crate::jinja::value::{Dict, List};

/// Flags and their numbers in Python.
const FLAGS: [(&str, i64, char); 10] = [
    ("IGNORECASE", 2, 'i'),
    ("I", 2, 'i'),
    ("MULTILINE", 8, 'm'),
    ("M", 8, 'm'),
    ("DOTALL", 16, 's'),
    ("S", 16, 's'),
    ("VERBOSE", 64, 'x'),
    ("X", 64, 'x'),
    ("UNICODE", 32, 'u'),
    ("U", 32, 'u'),
];

/// `modules.re`.
pub(super) fn module() -> Value {
    Value::from_object(Module {
        name: "re",
        functions: &[
            ("compile", |_, args| {
                let (pattern, flags): (String, Option<i64>) = from_args(args)?;
                Ok(Value::from_object(Pattern(compile(&pattern, flags)?)))
            }),
            ("match", |_, args| call(args, "match")),
            ("fullmatch", |_, args| call(args, "fullmatch")),
            ("search", |_, args| call(args, "search")),
            ("findall", |_, args| call(args, "findall")),
            ("finditer", |_, args| call(args, "finditer")),
            ("split", |_, args| call(args, "split")),
            ("sub", |_, args| call(args, "sub")),
            ("escape", |_, args| {
                let (text,): (String,) = from_args(args)?;
                Ok(Value::from(regex::escape(&text)))
            }),
        ],
        constants: |name| {
            let flag = FLAGS.iter().find(|(flag, ..)| *flag == name)?;
            Some(Value::from(flag.1))
        },
        constructor: None,
    })
}

fn compile(pattern: &str, flags: Option<i64>) -> Result<Regex, Error> {
    let flags = flags.unwrap_or(0);
    let mut letters: Vec<char> = FLAGS
        .iter()
        .filter(|(_, bit, _)| flags & bit != 0)
        .map(|(_, _, letter)| *letter)
        .collect();
    letters.dedup();
    let mut text = String::new();
    if !letters.is_empty() {
        text = format!("(?{})", letters.iter().collect::<String>());
    }
    text.push_str(&translated(pattern, letters.contains(&'x')));
    Regex::new(&text).map_err(|error| {
        fail_with(
            format!("`{pattern}` is not a regular expression: {error}"),
            "correct the pattern; the dialect is that of Python's re",
        )
    })
}

/// A pattern of Python's in the crate's words: a brace that opens no count is itself, `[` and
/// blanks in a class are themselves, `\Z` is the very end.
fn translated(pattern: &str, verbose: bool) -> String {
    let inline = pattern.strip_prefix("(?").and_then(|p| p.split_once(')'));
    let verbose = verbose
        || inline.is_some_and(|(f, _)| f.contains('x') && f.chars().all(char::is_alphabetic));
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    let mut class_start = None;
    while let Some(c) = rest.chars().next() {
        let at = pattern.len() - rest.len();
        let mut taken = c.len_utf8();
        match (c, class_start) {
            ('\\', _) => {
                let next = rest[1..].chars().next();
                taken += next.map_or(0, char::len_utf8);
                match next {
                    Some('Z') => out.push_str("\\z"),
                    _ => out.push_str(&rest[..taken]),
                }
            }
            ('#', None) if verbose => taken = rest.find('\n').unwrap_or(rest.len()),
            ('[', None) => {
                let negated = usize::from(rest[1..].starts_with('^'));
                taken += negated;
                // A bracket right at the start closes nothing.
                taken += usize::from(rest[taken..].starts_with(']'));
                out.push_str(&rest[..taken]);
                class_start = Some(at);
            }
            (']', Some(_)) => {
                out.push(c);
                class_start = None;
            }
            ('[' | '&' | '~' | '#', Some(_)) => out.extend(['\\', c]),
            (' ', Some(_)) => out.push_str("\\x20"),
            ('{', None) => match count(rest) {
                Some((length, text)) => {
                    taken = length;
                    out.push_str(&text);
                }
                None => out.push_str("\\{"),
            },
            (c, _) => out.push(c),
        }
        rest = &rest[taken..];
    }
    out
}

/// A count such as `{2,3}` at the start of a text: its length and its text, or nothing.
fn count(text: &str) -> Option<(usize, String)> {
    let inner = text.strip_prefix('{')?.split_once('}')?.0;
    let number = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    let counted = match inner.split_once(',') {
        Some(("", high)) if number(high) => format!("{{0,{high}}}"),
        Some((low, high)) if number(low) && number(high) => format!("{{{inner}}}"),
        None if !inner.is_empty() && number(inner) => format!("{{{inner}}}"),
        _ => return None,
    };
    Some((inner.len() + 2, counted))
}

/// A function of the module: the pattern first, flags named or last.
fn call(args: &[Value], method: &str) -> Result<Value, Error> {
    let Some((pattern, rest)) = args.split_first() else {
        return Err(fail(format!("re.{method}() needs a pattern")));
    };
    if let Some(compiled) = pattern.downcast_object_ref::<Pattern>() {
        return compiled.apply(method, rest);
    }
    let mut rest: Vec<Value> = rest.to_vec();
    let mut flags = None;
    if let Some(kwargs) = rest.last().filter(|v| v.is_kwargs()) {
        flags = Kwargs::try_from(kwargs.clone())?.get::<Option<i64>>("flags")?;
    }
    let plain = match method {
        "sub" => 3,
        "split" => 2,
        _ => 1,
    };
    if rest.len() > plain && !rest[plain].is_kwargs() {
        flags = Some(i64::try_from(rest.remove(plain))?);
    }
    let pattern = pattern.as_str().unwrap_or_default();
    Pattern(compile(pattern, flags)?).apply(method, &rest)
}

/// A compiled pattern.
#[derive(Debug)]
struct Pattern(Regex);

impl Pattern {
    fn apply(&self, method: &str, args: &[Value]) -> Result<Value, Error> {
        if method == "sub" {
            return self.sub(args);
        }
        let text = args.first().map(Value::to_string).unwrap_or_default();
        let regex = &self.0;
        Ok(match method {
            "search" => {
                let found = regex.captures(text.as_str()).map_err(gives_up)?;
                found.map_or(Value::from(()), |c| Match::value(regex, &c))
            }
            "match" => {
                let found = self.anchored(&text, "")?;
                found.unwrap_or_else(|| Value::from(()))
            }
            "fullmatch" => {
                let found = self.anchored(&text, r"\z")?;
                found.unwrap_or_else(|| Value::from(()))
            }
            "findall" => List::value(self.all(&text)?.iter().map(groups_of).collect()),
            "finditer" => {
                let found = self.all(&text)?;
                List::value(found.iter().map(|c| Match::value(regex, c)).collect())
            }
            "split" => {
                let limit = args.get(1).and_then(Value::as_usize).filter(|n| *n > 0);
                List::value(self.split(&text, limit)?)
            }
            _ => return Err(Error::from(ErrorKind::UnknownMethod)),
        })
    }

    fn anchored(&self, text: &str, end: &str) -> Result<Option<Value>, Error> {
        let pattern = format!(r"\A(?:{}){end}", self.0.as_str());
        let regex = Regex::new(&pattern).map_err(|e| fail(e.to_string()))?;
        let found = regex.captures(text).map_err(gives_up)?;
        Ok(found.map(|c| Match::value(&regex, &c)))
    }

    fn all<'t>(&self, text: &'t str) -> Result<Vec<Captures<'t, str>>, Error> {
        let found = self.0.captures_iter(text).collect::<Result<_, _>>();
        found.map_err(gives_up)
    }

    /// Groups of the pattern are part of the result, as in Python.
    fn split(&self, text: &str, limit: Option<usize>) -> Result<Vec<Value>, Error> {
        let mut parts = Vec::new();
        let mut last = 0;
        let found = self.all(text)?;
        for captures in found.iter().take(limit.unwrap_or(usize::MAX)) {
            let Some(whole) = captures.get(0) else {
                continue;
            };
            parts.push(Value::from(&text[last..whole.start()]));
            parts.extend(
                captures
                    .iter()
                    .skip(1)
                    .map(|g| group(g.map(|m| m.as_str()))),
            );
            last = whole.end();
        }
        parts.push(Value::from(&text[last..]));
        Ok(parts)
    }

    fn sub(&self, args: &[Value]) -> Result<Value, Error> {
        let (by, text, count): (Value, Value, Option<Value>) = from_args(args)?;
        let count = match count.filter(|c| !c.is_kwargs()) {
            Some(count) => count.as_usize().unwrap_or(0),
            None => 0,
        };
        let by = by
            .as_str()
            .ok_or_else(|| fail("re.sub() takes text as the replacement"))?;
        let by = replacement(by);
        let text = text.to_string();
        let replaced = self.0.try_replacen(&text, count, by.as_str());
        Ok(Value::from(replaced.map_err(gives_up)?.into_owned()))
    }
}

/// A pattern with look-around may take too long on a text.
fn gives_up(error: fancy_regex::Error) -> Error {
    fail(format!("the regular expression gives up: {error}"))
}

/// Python's `\1` and `\g<name>` in the crate's words.
fn replacement(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '$' => out.push_str("$$"),
            '\\' => match chars.next() {
                Some(digit) if digit.is_ascii_digit() => {
                    out.push_str("${");
                    out.push(digit);
                    while let Some(more) = chars.next_if(char::is_ascii_digit) {
                        out.push(more);
                    }
                    out.push('}');
                }
                Some('g') if chars.next_if_eq(&'<').is_some() => {
                    let name: String = chars.by_ref().take_while(|c| *c != '>').collect();
                    out.push_str(&format!("${{{name}}}"));
                }
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            c => out.push(c),
        }
    }
    out
}

fn group(text: Option<&str>) -> Value {
    text.map_or(Value::from(()), Value::from)
}

/// What `findall` gives for a match: the text, its one group, or a tuple of its groups.
fn groups_of(captures: &Captures<'_, str>) -> Value {
    let text = |at: usize| Value::from(captures.get(at).map_or("", |m| m.as_str()));
    match captures.len() {
        1 => text(0),
        2 => text(1),
        len => Value::from(Tuple::from((1..len).map(text).collect::<Vec<_>>())),
    }
}

impl Object for Pattern {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        (key.as_str() == Some("pattern")).then(|| Value::from(self.0.as_str()))
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        self.apply(method, args)
    }
}

/// A match: its groups as text, by number and name, and where they are (in bytes).
#[derive(Debug)]
struct Match {
    groups: Vec<Option<(String, usize, usize)>>,
    names: Vec<Option<String>>,
}

impl Match {
    fn value(regex: &Regex, captures: &Captures<'_, str>) -> Value {
        let group = |m: fancy_regex::Match<'_>| (m.as_str().to_owned(), m.start(), m.end());
        Value::from_object(Self {
            groups: captures.iter().map(|m| m.map(group)).collect(),
            names: regex
                .capture_names()
                .map(|n| n.map(str::to_owned))
                .collect(),
        })
    }

    fn at(&self, key: Option<&Value>) -> Result<usize, Error> {
        let Some(key) = key else { return Ok(0) };
        let found = match key.as_str() {
            Some(name) => self.names.iter().position(|n| n.as_deref() == Some(name)),
            None => key.as_usize().filter(|at| *at < self.groups.len()),
        };
        found.ok_or_else(|| fail(format!("the match has no group {key}")))
    }

    fn text(&self, at: usize) -> Value {
        let found = self.groups.get(at).and_then(Option::as_ref);
        group(found.map(|(text, ..)| text.as_str()))
    }
}

impl Object for Match {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(self.text(self.at(Some(key)).ok()?))
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let at = || self.at(args.first());
        let place = |pick: fn(&(String, usize, usize)) -> usize| -> Result<Value, Error> {
            let found = self.groups.get(at()?).and_then(Option::as_ref);
            Ok(found.map_or(Value::from(-1), |group| Value::from(pick(group))))
        };
        match method {
            "group" if args.len() > 1 => {
                let groups: Result<Vec<Value>, Error> = args
                    .iter()
                    .map(|key| Ok(self.text(self.at(Some(key))?)))
                    .collect();
                Ok(Value::from(Tuple::from(groups?)))
            }
            "group" => Ok(self.text(at()?)),
            "groups" => {
                let groups: Vec<Value> = (1..self.groups.len()).map(|at| self.text(at)).collect();
                Ok(Value::from(Tuple::from(groups)))
            }
            "groupdict" => {
                let named = self.names.iter().enumerate();
                let entry = |(at, name): (usize, &Option<String>)| {
                    Some((Value::from(name.as_deref()?), self.text(at)))
                };
                Ok(Dict::value(named.filter_map(entry).collect()))
            }
            "start" => place(|group| group.1),
            "end" => place(|group| group.2),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<match of {}>", self.text(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(pattern: &str, text: &str) -> Option<String> {
        let regex = compile(pattern, None).expect("a pattern of Python's");
        let found = regex.find(text).expect("no pattern that gives up");
        Some(found?.as_str().to_owned())
    }

    #[test]
    fn braces_that_open_no_count_are_themselves() {
        assert_eq!(
            first(r"{{\s*ref", "x {{ ref('a') }}").as_deref(),
            Some("{{ ref")
        );
        assert_eq!(first("a{2}b{,2}c{}", "aabbc{}").as_deref(), Some("aabbc{}"));
        assert_eq!(first("{a,b}", "{a,b}").as_deref(), Some("{a,b}"));
    }

    #[test]
    fn look_around_and_back_references_are_pythons() {
        assert_eq!(first(r"a(?=\s|$)", "ab a").as_deref(), Some("a"));
        assert_eq!(
            first(
                "(?ix)(?<!distinct\\s) # not after it\n from\\s",
                "distinct from a from "
            )
            .as_deref(),
            Some("from ")
        );
        assert_eq!(first(r"(a|b)\1", "abb").as_deref(), Some("bb"));
    }

    #[test]
    fn classes_and_comments_are_pythons() {
        assert_eq!(first("[[a]+", "[a[").as_deref(), Some("[a["));
        assert_eq!(first("[]x]+", "]x").as_deref(), Some("]x"));
        assert_eq!(
            first("(?ix) # an [open one\n a [ ]b", "A b").as_deref(),
            Some("A b")
        );
        assert_eq!(first(r"b\Z", "ab").as_deref(), Some("b"));
    }
}
