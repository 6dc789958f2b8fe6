//! The list of mutants, `mutants.yml` beside this file, and what each makes of its file.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// One mistake that somebody could make.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mutant {
    /// What is wrong with the mutant, as a sentence.
    pub(crate) name: String,
    /// The file that it changes, from the project's folder.
    pub(crate) file: String,
    /// Text that is in the file exactly once.
    pub(crate) find: String,
    /// What stands there instead.
    pub(crate) replace: String,
    /// Why somebody would write this.
    pub(crate) why: String,
    /// What to rebuild; the model and what depends on it unless said otherwise.
    #[serde(default)]
    select: Option<String>,
    /// Whether the mistake shows when later rows are added, and not when all is built anew.
    #[serde(default)]
    pub(crate) incremental: bool,
    /// The mistake of an earlier system that this repeats.
    #[serde(default)]
    pub(crate) regression: Option<String>,
    /// Why no test can tell it from the right model; nothing where a test does.
    #[serde(default)]
    pub(crate) survives: Option<String>,
}

impl Mutant {
    /// The file's text with the mistake in it, or why that cannot be.
    pub(crate) fn broken(&self) -> Result<String, String> {
        let text = fs::read_to_string(project().join(&self.file))
            .map_err(|error| format!("{}: {}: {error}", self.name, self.file))?;
        match text.matches(&self.find).count() {
            1 if self.find != self.replace => Ok(text.replacen(&self.find, &self.replace, 1)),
            1 => Err(format!("{}: changes nothing", self.name)),
            found => Err(format!(
                "{}: its text is {found} times in {}:\n{}",
                self.name, self.file, self.find
            )),
        }
    }

    /// What is rebuilt and tested.
    pub(crate) fn selection(&self) -> String {
        let model = Path::new(&self.file).file_stem().unwrap_or_default();
        match &self.select {
            Some(select) => select.clone(),
            None => format!("{}+", model.to_string_lossy()),
        }
    }
}

/// The folder of the reference project.
pub(crate) fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All mutants, in the order of the list.
pub(crate) fn read() -> Vec<Mutant> {
    let text = fs::read_to_string(project().join("tests/it/mutants/mutants.yml"))
        .expect("the list is there");
    serde_yaml::from_str(&text).expect("it is a list of mutants")
}
