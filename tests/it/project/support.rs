//! A project in a temporary folder, written file by file.

use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;
use marts::diag::{RenderOptions, render_all};
use marts::project::{Project, ReadOptions, read};
use tempfile::TempDir;

/// A project folder that goes away with the value.
pub(crate) struct Scratch {
    folder: TempDir,
    env: IndexMap<String, String>,
}

impl Scratch {
    /// A folder with a minimal project file and a profile for a Postgres that nobody asks.
    pub(crate) fn new() -> Self {
        let scratch = Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            env: IndexMap::new(),
        };
        scratch
            .file("project.yml", "name: shop\nprofile: shop\n")
            .file(
                "profiles.yml",
                "shop:\n  target: dev\n  outputs:\n    dev: {type: postgres, host: h, user: u, password: p, dbname: d, schema: s}\n",
            )
    }

    /// Writes a file.
    pub(crate) fn file(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        std::fs::write(path, text).expect("a written file");
        self
    }

    /// Removes a file.
    pub(crate) fn without(self, path: &str) -> Self {
        std::fs::remove_file(self.folder.path().join(path)).expect("a removed file");
        self
    }

    /// Sets an environment variable for the read.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// What a read of this folder is asked for.
    pub(crate) fn options(&self) -> ReadOptions {
        ReadOptions {
            project_dir: self.path().to_owned(),
            env: Arc::new(self.env.clone()),
            ..ReadOptions::default()
        }
    }

    /// Reads it; a failure shows its messages.
    pub(crate) fn read(&self) -> Project {
        match read(&self.options()) {
            Ok((project, _)) => project,
            Err(failure) => panic!(
                "{}",
                render_all(
                    &failure.diagnostics,
                    &failure.sources,
                    RenderOptions::default()
                )
            ),
        }
    }

    /// The codes of all messages, warnings included.
    pub(crate) fn codes(&self) -> Vec<&'static str> {
        let diagnostics = match read(&self.options()) {
            Ok((_, warnings)) => warnings,
            Err(failure) => failure.diagnostics,
        };
        diagnostics.iter().map(|d| d.code.as_str()).collect()
    }
}
