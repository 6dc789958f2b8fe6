//! Named selections of `selectors.yml`, from how they were written to what they mean.
//!
//! A definition may name selectors that stand above it.

use indexmap::IndexMap;

use super::criterion::{check, criterion};
use super::method::Method;
use super::spec::{Combine, Criterion, IndirectSelection, Reach, Spec};
use crate::diag::{Diagnostic, Span, Spanned, codes, nearest};
use crate::project::{Selector, SelectorCriterion, SelectorDefinition};

/// The selectors of a project, in order.
#[derive(Clone, Debug, Default)]
pub struct Selectors {
    named: IndexMap<String, Spec>,
    default: Option<String>,
}

impl Selectors {
    /// Understands the selectors of a project; `indirect` holds where a definition does not
    /// say otherwise.
    ///
    /// # Errors
    /// Every definition that is wrong, at its place.
    pub fn new(
        selectors: &[Selector],
        indirect: IndirectSelection,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut known = Self::default();
        let mut problems = Vec::new();
        let mut default: Option<&Selector> = None;
        for selector in selectors {
            let reader = Reader {
                known: &known,
                indirect,
            };
            match reader.definition(&selector.definition) {
                Ok(spec) => {
                    known.named.insert(selector.name.value.clone(), spec);
                }
                Err(problem) => problems.push(problem),
            }
            if selector.default {
                match default {
                    Some(first) => problems.push(two_defaults(first, selector)),
                    None => default = Some(selector),
                }
            }
        }
        known.default = default.map(|selector| selector.name.value.clone());
        if problems.is_empty() {
            Ok(known)
        } else {
            Err(problems)
        }
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.keys().map(String::as_str)
    }

    pub(super) fn default_spec(&self) -> Option<&Spec> {
        self.named.get(self.default.as_ref()?)
    }

    pub(super) fn find(&self, name: &str) -> Result<&Spec, Diagnostic> {
        self.named.get(name).ok_or_else(|| {
            let hint = match nearest(name, self.names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if self.named.is_empty() => {
                    "define it in selectors.yml beside the project file".to_owned()
                }
                None => {
                    let names: Vec<&str> = self.names().collect();
                    format!("selectors.yml has {}", names.join(", "))
                }
            };
            Diagnostic::error(
                codes::UNKNOWN_SELECTOR,
                format!("there is no selector named `{name}`"),
            )
            .hint(hint)
        })
    }
}

fn two_defaults(first: &Selector, second: &Selector) -> Diagnostic {
    let (one, two) = (&first.name, &second.name);
    Diagnostic::error(
        codes::SELECTOR_DEFINITION,
        format!(
            "the selectors `{}` and `{}` are both the default",
            one.value, two.value
        ),
    )
    .at(two.span, "")
    .at(one.span, "the first one")
    .hint("leave `default: true` at one of them")
}

/// Reads the definition of one selector.
struct Reader<'a> {
    /// Those above it in the file.
    known: &'a Selectors,
    indirect: IndirectSelection,
}

impl Reader<'_> {
    fn definition(&self, definition: &SelectorDefinition) -> Result<Spec, Diagnostic> {
        match definition {
            SelectorDefinition::Text(text) => self.text(text),
            SelectorDefinition::Criterion(criterion) => self.criterion(criterion),
            SelectorDefinition::Union(of, less) => self.group(Combine::Union, of, less),
            SelectorDefinition::Intersection(of, less) => {
                self.group(Combine::Intersection, of, less)
            }
        }
    }

    fn group(
        &self,
        combine: Combine,
        of: &[SelectorDefinition],
        less: &[SelectorDefinition],
    ) -> Result<Spec, Diagnostic> {
        let of = Spec::group(combine, self.all(of)?);
        self.without(of, less)
    }

    fn without(&self, spec: Spec, less: &[SelectorDefinition]) -> Result<Spec, Diagnostic> {
        if less.is_empty() {
            return Ok(spec);
        }
        let less = Spec::group(Combine::Union, self.all(less)?);
        Ok(Spec::group(Combine::Difference, vec![spec, less]))
    }

    fn all(&self, definitions: &[SelectorDefinition]) -> Result<Vec<Spec>, Diagnostic> {
        definitions.iter().map(|d| self.definition(d)).collect()
    }

    fn text(&self, text: &Spanned<String>) -> Result<Spec, Diagnostic> {
        let criterion = criterion(&text.value, self.indirect).map_err(|d| d.at(text.span, ""))?;
        match &criterion.method {
            Method::Selector(name) => self.named(name, text.span),
            _ => Ok(Spec::Criterion(Box::new(criterion))),
        }
    }

    fn named(&self, name: &str, span: Span) -> Result<Spec, Diagnostic> {
        self.known.find(name).cloned().map_err(|problem| {
            let problem = problem.at(span, "");
            problem.note("a selector may name only those above it")
        })
    }

    fn criterion(&self, written: &SelectorCriterion) -> Result<Spec, Diagnostic> {
        let (method, value) = (&written.method.value, &written.value.value);
        if method == "selector" {
            return self.named(value, written.value.span);
        }
        let text = format!("{method}:{value}");
        let place = |problem: Diagnostic| problem.at(written.method.span, "");
        let criterion = Criterion {
            method: Method::parse(method, value, &text).map_err(place)?,
            childrens_parents: written.childrens_parents,
            parents: reach(written.parents, written.parents_depth),
            children: reach(written.children, written.children_depth),
            indirect: self.mode(written)?,
            text,
        };
        let spec = Spec::Criterion(Box::new(check(criterion).map_err(place)?));
        self.without(spec, &written.exclude)
    }

    fn mode(&self, written: &SelectorCriterion) -> Result<IndirectSelection, Diagnostic> {
        let Some(word) = &written.indirect_selection else {
            return Ok(self.indirect);
        };
        IndirectSelection::parse(&word.value).map_err(|problem| problem.at(word.span, ""))
    }
}

fn reach(wanted: bool, depth: Option<u32>) -> Reach {
    match (wanted, depth) {
        (false, _) => Reach::Nothing,
        (true, Some(steps)) => Reach::Steps(steps as usize),
        (true, None) => Reach::All,
    }
}
