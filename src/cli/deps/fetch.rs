//! Fetching with the tools that a machine has: git, curl and tar. What they say is told without
//! secrets.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use indexmap::IndexMap;

use super::super::failure::Failure;
use crate::diag::codes;

/// Runs the tools.
pub(super) struct Tools<'a> {
    /// The environment, whose secrets are masked.
    pub(super) env: &'a IndexMap<String, String>,
}

impl Tools<'_> {
    /// A text without the values of secret variables.
    pub(super) fn masked(&self, text: &str) -> String {
        let prefixes = ["DBT_ENV_SECRET", "MARTS_ENV_SECRET"];
        let is_secret = |name: &str| prefixes.iter().any(|prefix| name.starts_with(prefix));
        let secrets = self
            .env
            .iter()
            .filter(|(name, v)| is_secret(name) && !v.is_empty());
        let mut text = text.to_owned();
        for (_, secret) in secrets {
            text = text.replace(secret.as_str(), "*****");
        }
        text
    }

    /// Downloads a file.
    pub(super) fn download(&self, url: &str, to: &Path) -> Result<(), Failure> {
        let mut command = Command::new("curl");
        command.args(["-fsSL", "-m", "120", "-o"]);
        command.arg(to).arg("--").arg(url);
        self.run(command, &format!("{url} cannot be fetched"))?;
        Ok(())
    }

    /// Unpacks a tar archive into a new folder; the folder with the project, which may be the only
    /// one inside.
    pub(super) fn unpack(&self, archive: &Path, into: &Path) -> Result<PathBuf, Failure> {
        make(into)?;
        let mut command = Command::new("tar");
        command.arg("-xzf").arg(archive).arg("-C").arg(into);
        self.run(
            command,
            &format!("{} cannot be unpacked", archive.display()),
        )?;
        let entries = std::fs::read_dir(into).into_iter().flatten().flatten();
        let folders: Vec<PathBuf> = entries.map(|e| e.path()).filter(|p| p.is_dir()).collect();
        Ok(match folders.as_slice() {
            [only] if !has_project(into) => only.clone(),
            _ => into.to_owned(),
        })
    }

    /// Clones a repository into a new folder at a revision; the commit.
    pub(super) fn clone(
        &self,
        url: &str,
        revision: Option<&str>,
        into: &Path,
    ) -> Result<String, Failure> {
        let revision = revision.unwrap_or("HEAD");
        if revision.starts_with('-') {
            return Err(cannot(&format!("{revision:?} is no revision of git"), ""));
        }
        let failed = format!("the repository {url} cannot be cloned");
        let mut command = git();
        command.args(["clone", "--quiet", "--"]).arg(url).arg(into);
        self.run(command, &failed)?;
        let mut command = git();
        command.arg("-C").arg(into);
        command.args([
            "-c",
            "advice.detachedHead=false",
            "checkout",
            "--quiet",
            revision,
        ]);
        self.run(command, &format!("{url} has no revision {revision}"))?;
        let mut command = git();
        command.arg("-C").arg(into).args(["rev-parse", "HEAD"]);
        Ok(self.run(command, &failed)?.trim().to_owned())
    }

    fn run(&self, mut command: Command, failed: &str) -> Result<String, Failure> {
        let tool = command.get_program().to_string_lossy().into_owned();
        let output = command.stdin(Stdio::null()).output();
        let output = output.map_err(|error| {
            let hint = format!("install {tool}, or put the package's folder there yourself");
            Failure::message(
                codes::PACKAGE_FETCH,
                format!("{}: {tool} does not run: {error}", self.masked(failed)),
                hint,
            )
        })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(cannot(
            &self.masked(failed),
            self.masked(said.trim()).as_str(),
        ))
    }
}

/// git that never asks.
fn git() -> Command {
    let mut command = Command::new("git");
    command.env("GIT_TERMINAL_PROMPT", "0");
    command
}

fn cannot(what: &str, said: &str) -> Failure {
    let said = if said.is_empty() {
        String::new()
    } else {
        format!(": {said}")
    };
    Failure::message(
        codes::PACKAGE_FETCH,
        format!("{what}{said}"),
        "check the entry and the network; without a network put the package's folder into \
         dbt_packages, or list it as `- local: path`",
    )
}

/// Whether a folder is a project's.
pub(super) fn has_project(folder: &Path) -> bool {
    ["dbt_project.yml", "project.yml"]
        .iter()
        .any(|file| folder.join(file).is_file())
}

/// Makes a folder and those above it.
pub(super) fn make(folder: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|error| {
        Failure::message(
            codes::TARGET_UNWRITABLE,
            format!("cannot make {}: {error}", folder.display()),
            "make the folder above it writable",
        )
    })
}
