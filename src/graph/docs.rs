//! Docs blocks (`{% docs name %}…{% enddocs %}`), and `{{ doc('name') }}` in descriptions.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::diag::{Diagnostic, codes, nearest};
use crate::project::Project;

/// A docs block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocsBlock {
    /// Its name.
    pub name: String,
    /// Its package.
    pub package: String,
    /// Its file, from the package's folder.
    pub path: String,
    /// The resource folder that the file lies in.
    pub base: String,
    /// Its text, without blanks around it.
    pub text: String,
}

/// All docs blocks of a project, in order.
#[derive(Debug, Default)]
pub struct DocsBlocks {
    blocks: Vec<DocsBlock>,
    by_name: HashMap<String, Vec<usize>>,
}

static BLOCK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?s)\{%-?\s*docs\s+(\w+)\s*-?%\}(.*?)\{%-?\s*enddocs\s*-?%\}")
        .expect("a constant pattern compiles")
});

static CALL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"\{\{-?\s*doc\(\s*['"]([^'"]+)['"]\s*(?:,\s*['"]([^'"]+)['"]\s*)?\)\s*-?\}\}"#)
        .expect("a constant pattern compiles")
});

impl DocsBlocks {
    /// Reads the blocks of every package's Markdown files.
    pub fn new(project: &Project) -> Self {
        let mut all = Self::default();
        for package in &project.packages {
            for file in &package.docs {
                let text = &project.sources.file(file.file).text;
                for found in BLOCK.captures_iter(text) {
                    all.add(DocsBlock {
                        name: found[1].to_owned(),
                        package: package.name.clone(),
                        path: file.path.clone(),
                        base: file.base.clone(),
                        text: found[2].trim().to_owned(),
                    });
                }
            }
        }
        all
    }

    fn add(&mut self, block: DocsBlock) {
        let index = self.blocks.len();
        self.by_name
            .entry(block.name.clone())
            .or_default()
            .push(index);
        self.blocks.push(block);
    }

    /// The blocks, in order.
    pub fn blocks(&self) -> &[DocsBlock] {
        &self.blocks
    }

    /// The block of a name: of the named package, else of the caller's, else the first.
    fn find(&self, package: Option<&str>, caller: &str, name: &str) -> Option<&DocsBlock> {
        let of = self.by_name.get(name)?;
        let mut blocks = of.iter().map(|index| &self.blocks[*index]);
        match package {
            Some(package) => blocks.find(|block| block.package == package),
            None => blocks
                .clone()
                .find(|block| block.package == caller)
                .or_else(|| blocks.next()),
        }
    }

    /// Puts the text of docs blocks in the place of their calls, and notes their unique ids, each
    /// once.
    ///
    /// # Errors
    /// The names of blocks that do not exist.
    fn render(
        &self,
        text: &str,
        caller: &str,
        used: &mut Vec<String>,
    ) -> Result<String, Vec<String>> {
        let mut unknown = Vec::new();
        let rendered = CALL.replace_all(text, |call: &Captures<'_>| {
            let (first, second) = (&call[1], call.get(2).map(|m| m.as_str()));
            let (package, name) = match second {
                Some(name) => (Some(first), name),
                None => (None, first),
            };
            match self.find(package, caller, name) {
                Some(block) => {
                    let id = format!("doc.{}.{}", block.package, block.name);
                    if !used.contains(&id) {
                        used.push(id);
                    }
                    block.text.clone()
                }
                None => {
                    unknown.push(name.to_owned());
                    String::new()
                }
            }
        });
        if unknown.is_empty() {
            Ok(rendered.into_owned())
        } else {
            Err(unknown)
        }
    }

    /// Renders a description where it stands and notes the blocks that it uses; `what` and `path`
    /// are for messages.
    pub(super) fn describe(
        &self,
        (description, used): (&mut String, &mut Vec<String>),
        caller: &str,
        (what, path): (&str, &str),
        problems: &mut Vec<Diagnostic>,
    ) {
        if !description.contains("{{") {
            return;
        }
        match self.render(description, caller, used) {
            Ok(rendered) => *description = rendered,
            Err(unknown) => problems.extend(unknown.iter().map(|name| {
                let message = format!("the description of {what} uses the unknown docs `{name}`");
                let hint = match nearest(name, self.by_name.keys().map(String::as_str)) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("write {{% docs {name} %}} … {{% enddocs %}} in a .md file"),
                };
                Diagnostic::error(codes::UNKNOWN_DOCS, message)
                    .in_file(path)
                    .hint(hint)
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks() -> DocsBlocks {
        let mut all = DocsBlocks::default();
        for (package, name, text) in [("shop", "a", "A"), ("tools", "a", "A of tools")] {
            all.add(DocsBlock {
                name: name.to_owned(),
                package: package.to_owned(),
                path: "models/docs.md".to_owned(),
                base: "models".to_owned(),
                text: text.to_owned(),
            });
        }
        all
    }

    #[test]
    fn a_call_becomes_the_text_of_its_block() {
        let render = |text: &str, caller: &str| blocks().render(text, caller, &mut Vec::new());
        assert_eq!(render("{{ doc('a') }}!", "shop").unwrap(), "A!");
        assert_eq!(render("{{doc(\"a\")}}", "tools").unwrap(), "A of tools");
        assert_eq!(
            render("x {{ doc('tools', 'a') }}", "shop").unwrap(),
            "x A of tools"
        );
        assert_eq!(render("{{ doc('b') }}", "shop").unwrap_err(), ["b"]);
    }

    #[test]
    fn an_unknown_block_is_told_with_the_nearest() {
        let mut text = "{{ doc('aa') }}".to_owned();
        let mut problems = Vec::new();
        blocks().describe(
            (&mut text, &mut Vec::new()),
            "shop",
            ("model `m`", "models/m.yml"),
            &mut problems,
        );
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].hint.as_deref(), Some("did you mean `a`?"));
    }
}
