//! `package-lock.yml`: which version of each package was taken, so that everybody takes the same.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::super::failure::Failure;
use crate::diag::codes;

/// The file's name.
const FILE: &str = "package-lock.yml";

/// The file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lock {
    #[serde(default)]
    packages: Vec<Locked>,
    /// dbt's hash of what packages.yml asks for.
    #[serde(default)]
    sha1_hash: String,
}

/// One package, under dbt's keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Locked {
    /// The name of its project.
    #[serde(default)]
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    package: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    git: Option<String>,
    /// The commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) revision: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subdirectory: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tarball: Option<String>,
    /// The branch or tag that was asked for; ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) asked: Option<String>,
}

impl Locked {
    pub(super) fn hub(name: &str, package: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            package: Some(package.to_owned()),
            version: Some(version.to_owned()),
            ..Self::default()
        }
    }

    pub(super) fn git(name: &str, url: &str, commit: &str, subdirectory: Option<&str>) -> Self {
        Self {
            name: name.to_owned(),
            git: Some(url.to_owned()),
            revision: Some(commit.to_owned()),
            subdirectory: subdirectory.map(str::to_owned),
            ..Self::default()
        }
    }

    pub(super) fn tarball(name: &str, url: &str) -> Self {
        Self {
            name: name.to_owned(),
            tarball: Some(url.to_owned()),
            ..Self::default()
        }
    }
}

impl Lock {
    /// The file of a folder; nothing where there is none or nobody can read it.
    pub(super) fn read(folder: &Path) -> Self {
        let text = std::fs::read_to_string(folder.join(FILE)).unwrap_or_default();
        serde_yaml::from_str(&text).unwrap_or_default()
    }

    /// One without packages, for a list of this hash.
    pub(super) fn of_list(sha1_hash: &str) -> Self {
        Self {
            packages: Vec::new(),
            sha1_hash: sha1_hash.to_owned(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.packages.is_empty()
    }

    pub(super) fn add(&mut self, locked: Locked) {
        self.packages.push(locked);
    }

    /// The version of a hub package.
    pub(super) fn hub(&self, package: &str) -> Option<&str> {
        let of = |locked: &&Locked| locked.package.as_deref() == Some(package);
        self.packages.iter().find(of)?.version.as_deref()
    }

    /// The entry of a repository.
    pub(super) fn git(&self, url: &str, subdirectory: Option<&str>) -> Option<&Locked> {
        let of = |locked: &&Locked| {
            locked.git.as_deref() == Some(url) && locked.subdirectory.as_deref() == subdirectory
        };
        self.packages.iter().find(of)
    }

    /// Writes the file where it changes; a project without fetched packages needs none.
    pub(super) fn write(&self, folder: &Path, earlier: &Self) -> Result<(), Failure> {
        if self == earlier || (self.is_empty() && earlier.is_empty()) {
            return Ok(());
        }
        let path = folder.join(FILE);
        let text = serde_yaml::to_string(self).unwrap_or_default();
        std::fs::write(&path, text).map_err(|error| {
            Failure::message(
                codes::TARGET_UNWRITABLE,
                format!("cannot write {FILE}: {error}"),
                "make the project's folder writable",
            )
        })
    }

    /// Removes installed packages that an earlier lock brought and that nobody asks for any more.
    pub(super) fn remove_gone(&self, install: &Path, earlier: &Self) {
        let kept = |name: &str| self.packages.iter().any(|locked| locked.name == name);
        let plain = |name: &str| !name.is_empty() && !name.contains(['/', '\\', '.']);
        for gone in &earlier.packages {
            if plain(&gone.name) && !kept(&gone.name) {
                let _ = std::fs::remove_dir_all(install.join(&gone.name));
            }
        }
    }
}
