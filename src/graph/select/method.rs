//! The methods of a criterion (`tag:`, `path:`, `config.x:`, ...), parsed with their values.

use super::pattern::{PathPattern, Pattern};
use crate::diag::{Diagnostic, codes, nearest};

/// Every method, as people write them.
const NAMES: [&str; 22] = [
    "access",
    "config",
    "exposure",
    "file",
    "fqn",
    "group",
    "metric",
    "package",
    "path",
    "resource_type",
    "result",
    "saved_query",
    "selector",
    "semantic_model",
    "source",
    "source_status",
    "state",
    "tag",
    "test_name",
    "test_type",
    "unit_test",
    "version",
];

/// What a criterion asks of a node.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Method {
    Fqn(Name),
    Path(PathPattern),
    File(Pattern),
    Package(Pattern),
    /// The root project: `package:this`.
    ThisPackage,
    Tag(Pattern),
    Group(Pattern),
    Access(String),
    Source {
        package: Pattern,
        source: Pattern,
        table: Pattern,
    },
    /// Kinds named by package and name, of which a graph may hold none.
    Named {
        kind: &'static str,
        package: Pattern,
        name: Pattern,
    },
    ResourceType(&'static str),
    Config {
        path: Vec<String>,
        value: String,
    },
    TestName(Pattern),
    TestType(TestType),
    Version(VersionKind),
    State(StateCheck),
    Result(String),
    /// `source_status:fresher`.
    Fresher,
    /// Another selector, by name.
    Selector(String),
}

/// A dotted name, for the `fqn` method.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Name {
    pub(super) text: String,
    /// Parts that must be equal, up to the first with a wildcard.
    pub(super) exact: Vec<String>,
    /// The rest, as one pattern over the rest of a node's name.
    pub(super) rest: Option<Pattern>,
    /// How many parts there are.
    pub(super) parts: usize,
}

/// `test_type:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TestType {
    Generic,
    Singular,
    Data,
    Unit,
}

/// `version:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum VersionKind {
    Latest,
    Prerelease,
    Old,
    None,
}

/// `state:`: how a node compares with itself in an earlier manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StateCheck {
    /// It is not in the earlier one.
    New,
    /// It is in the earlier one.
    Old,
    /// Anything that matters is different, macros it uses included.
    Modified,
    /// Nothing of that is different.
    Unmodified,
    /// `modified.body`: its SQL.
    Body,
    /// `modified.configs`.
    Configs,
    /// `modified.relation`: database, schema or alias.
    Relation,
    /// `modified.persisted_descriptions`.
    PersistedDescriptions,
    /// `modified.macros`: a macro that it uses, directly or not.
    Macros,
    /// `modified.contract`.
    Contract,
}

const STATE_CHECKS: [(&str, StateCheck); 10] = [
    ("new", StateCheck::New),
    ("old", StateCheck::Old),
    ("modified", StateCheck::Modified),
    ("unmodified", StateCheck::Unmodified),
    ("modified.body", StateCheck::Body),
    ("modified.configs", StateCheck::Configs),
    ("modified.relation", StateCheck::Relation),
    (
        "modified.persisted_descriptions",
        StateCheck::PersistedDescriptions,
    ),
    ("modified.macros", StateCheck::Macros),
    ("modified.contract", StateCheck::Contract),
];

const TEST_TYPES: [(&str, TestType); 5] = [
    ("generic", TestType::Generic),
    ("schema", TestType::Generic),
    ("singular", TestType::Singular),
    ("data", TestType::Data),
    ("unit", TestType::Unit),
];

const VERSIONS: [(&str, VersionKind); 4] = [
    ("latest", VersionKind::Latest),
    ("prerelease", VersionKind::Prerelease),
    ("old", VersionKind::Old),
    ("none", VersionKind::None),
];

/// dbt's resource types; marts may have no nodes of some.
pub(super) const RESOURCE_TYPES: [&str; 13] = [
    "analysis",
    "exposure",
    "function",
    "metric",
    "model",
    "operation",
    "saved_query",
    "seed",
    "semantic_model",
    "snapshot",
    "source",
    "test",
    "unit_test",
];

impl Method {
    /// The method that a bare value means, by its shape.
    pub(super) fn of_shape(value: &str) -> &'static str {
        let lower = value.to_lowercase();
        if value.contains('/') {
            "path"
        } else if [".sql", ".py", ".csv"].iter().any(|e| lower.ends_with(e)) {
            "file"
        } else {
            "fqn"
        }
    }

    /// Reads `method` (with its dotted arguments) and `value` of the criterion `whole`.
    pub(super) fn parse(method: &str, value: &str, whole: &str) -> Result<Self, Diagnostic> {
        let mut words = method.split('.');
        let name = words.next().unwrap_or_default();
        let arguments: Vec<String> = words.map(str::to_owned).collect();
        let pattern = || Pattern::new(value);
        let problem = Problem { whole, name };
        Ok(match name {
            "fqn" => Self::Fqn(Name::new(value)),
            "path" if value.is_empty() => return Err(problem.value("give a path after `path:`")),
            "path" => Self::Path(PathPattern::new(value)),
            "file" => Self::File(pattern()),
            "package" if value == "this" => Self::ThisPackage,
            "package" => Self::Package(pattern()),
            "tag" => Self::Tag(pattern()),
            "group" => Self::Group(pattern()),
            "access" => Self::Access(problem.one_of(value, &["private", "protected", "public"])?),
            "source" => source(value, &problem)?,
            "exposure" | "metric" | "semantic_model" | "saved_query" | "unit_test" => {
                named(name, value, &problem)?
            }
            "resource_type" => {
                let found = RESOURCE_TYPES.iter().find(|known| **known == value);
                let found = found.ok_or_else(|| problem.known(value, &RESOURCE_TYPES));
                Self::ResourceType(found?)
            }
            "config" if arguments.is_empty() => {
                return Err(problem.value("name the key too, as in `config.materialized:table`"));
            }
            "config" => Self::Config {
                path: arguments,
                value: value.to_owned(),
            },
            "test_name" => Self::TestName(pattern()),
            "test_type" => Self::TestType(problem.choice(value, &TEST_TYPES)?),
            "version" => Self::Version(problem.choice(value, &VERSIONS)?),
            "state" => Self::State(problem.choice(value, &STATE_CHECKS)?),
            "result" => Self::Result(value.to_owned()),
            "source_status" => {
                problem.one_of(value, &["fresher"])?;
                Self::Fresher
            }
            "selector" => Self::Selector(value.to_owned()),
            _ => return Err(problem.unknown_method()),
        })
    }
}

fn source(value: &str, problem: &Problem<'_>) -> Result<Method, Diagnostic> {
    let parts: Vec<&str> = value.split('.').collect();
    let (package, source, table) = match parts[..] {
        [source] => ("*", source, "*"),
        [source, table] => ("*", source, table),
        [package, source, table] => (package, source, table),
        _ => {
            let form = "write `source:name`, `source:name.table` or `source:package.name.table`";
            return Err(problem.value(form));
        }
    };
    Ok(Method::Source {
        package: Pattern::new(package),
        source: Pattern::new(source),
        table: Pattern::new(table),
    })
}

fn named(kind: &str, value: &str, problem: &Problem<'_>) -> Result<Method, Diagnostic> {
    let (package, name) = match value.split_once('.') {
        None => ("*", value),
        Some((_, name)) if name.contains('.') => {
            return Err(problem.value(&format!("write `{kind}:name` or `{kind}:package.name`")));
        }
        Some(both) => both,
    };
    let known = RESOURCE_TYPES.iter().find(|known| **known == kind);
    Ok(Method::Named {
        kind: known.copied().unwrap_or_default(),
        package: Pattern::new(package),
        name: Pattern::new(name),
    })
}

impl Name {
    fn new(text: &str) -> Self {
        let parts: Vec<&str> = text.split('.').collect();
        let wild = parts
            .iter()
            .position(|part| super::pattern::has_wildcard(part));
        let exact = &parts[..wild.unwrap_or(parts.len())];
        Self {
            text: text.to_owned(),
            exact: exact.iter().map(|part| (*part).to_owned()).collect(),
            rest: wild.map(|at| Pattern::new(&parts[at..].join("."))),
            parts: parts.len(),
        }
    }

    /// Whether it means the node of this qualified name: its last part alone, or its parts
    /// from the start, with or without the package; fewer parts mean all below.
    pub(super) fn matches(&self, fqn: &[String]) -> bool {
        self.matches_from(fqn) || (fqn.len() > 1 && self.matches_from(&fqn[1..]))
    }

    /// The same for a version of a model, whose last part is for example `v2`: `model` means all
    /// versions, `model.v2` and `model_v2` one.
    pub(super) fn matches_version(&self, fqn: &[String]) -> bool {
        let Some((version, rest)) = fqn.split_last() else {
            return false;
        };
        let name = rest.last().map_or("", String::as_str);
        let leaf = self.rest.as_ref().filter(|_| self.parts == 1);
        let is_leaf = |text: &str| leaf.is_some_and(|pattern| pattern.matches(text));
        let joined = format!("{name}_{version}");
        let mut last_two: Vec<&str> = self.text.rsplitn(3, '.').take(2).collect();
        last_two.reverse();
        self.text == name
            || last_two.join("_") == joined
            || is_leaf(name)
            || is_leaf(&joined)
            || self.matches(fqn)
    }

    fn matches_from(&self, fqn: &[String]) -> bool {
        let Some(last) = fqn.last() else {
            return false;
        };
        // One part with a wildcard also means a last part, however deep.
        let leaf = self.rest.as_ref().filter(|_| self.parts == 1);
        if *last == self.text || leaf.is_some_and(|pattern| pattern.matches(last)) {
            return true;
        }
        // Dots in a name count as separators.
        let mut flat = fqn.iter().flat_map(|part| part.split('.'));
        if flat.clone().count() < self.parts {
            return false;
        }
        let leads = self
            .exact
            .iter()
            .all(|part| flat.next() == Some(part.as_str()));
        match &self.rest {
            _ if !leads => false,
            None | Some(Pattern::All) => true,
            Some(rest) => rest.matches(&flat.collect::<Vec<_>>().join(".")),
        }
    }
}

/// Builds the messages about one criterion.
struct Problem<'a> {
    whole: &'a str,
    name: &'a str,
}

impl Problem<'_> {
    fn error(&self, message: String) -> Diagnostic {
        Diagnostic::error(codes::SELECTION, message)
    }

    fn value(&self, hint: &str) -> Diagnostic {
        self.error(format!("the selection `{}` is incomplete", self.whole))
            .hint(hint)
    }

    fn known(&self, value: &str, known: &[&str]) -> Diagnostic {
        let near = nearest(value, known.iter().copied());
        let hint = match near {
            Some(near) => format!("did you mean `{}:{near}`?", self.name),
            None => format!("use one of {}", known.join(", ")),
        };
        let name = self.name;
        self.error(format!(
            "`{value}` in the selection `{}` is no {name}",
            self.whole
        ))
        .hint(hint)
    }

    fn one_of(&self, value: &str, known: &[&str]) -> Result<String, Diagnostic> {
        if known.contains(&value) {
            Ok(value.to_owned())
        } else {
            Err(self.known(value, known))
        }
    }

    fn choice<T: Copy>(&self, value: &str, known: &[(&str, T)]) -> Result<T, Diagnostic> {
        let found = known.iter().find(|(word, _)| *word == value);
        found.map(|(_, choice)| *choice).ok_or_else(|| {
            let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            self.known(value, &words)
        })
    }

    fn unknown_method(&self) -> Diagnostic {
        let hint = match nearest(self.name, NAMES) {
            Some(near) => format!("did you mean `{near}:`?"),
            None => format!("use one of {}", NAMES.join(", ")),
        };
        self.error(format!(
            "the selection `{}` uses the unknown method `{}`",
            self.whole, self.name
        ))
        .hint(hint)
    }
}
