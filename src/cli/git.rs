//! Which commit the project's folder is at, asked of git where it is installed.

use std::path::Path;
use std::process::{Command, Stdio};

/// What git says of a folder; all unknown where there is no git or no repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// The commit that is checked out.
    pub(super) commit: Option<String>,
    /// Whether files of the folder differ from it or are unknown to it.
    pub(super) dirty: Option<bool>,
}

/// Asks for a folder, but for what is made in `made` below it.
pub(super) fn state(folder: &Path, made: &[&str]) -> State {
    let Some(commit) = git(folder, &["rev-parse", "--verify", "--quiet", "HEAD"]) else {
        return State::default();
    };
    let excluded: Vec<String> = made
        .iter()
        .filter(|path| Path::new(path).is_relative())
        .map(|path| format!(":(exclude,literal){path}"))
        .collect();
    let mut args = vec!["status", "--porcelain", "--", "."];
    args.extend(excluded.iter().map(String::as_str));
    State {
        commit: Some(commit.trim().to_owned()),
        dirty: git(folder, &args).map(|changes| !changes.trim().is_empty()),
    }
}

/// What git prints; `None` when it does not end well.
fn git(folder: &Path, args: &[&str]) -> Option<String> {
    let output = Command::new("git")
        // A repository's own settings are not to start programs here.
        .args(["-c", "core.fsmonitor=false"])
        .args(args)
        .current_dir(folder)
        // Set inside of git's hooks, and then for another folder.
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(folder: &Path, args: &[&str]) {
        let settings = ["-c", "user.name=x", "-c", "user.email=x@example.com"];
        let ran = Command::new("git")
            .args(settings)
            .args(args)
            .current_dir(folder)
            .output()
            .unwrap();
        assert!(ran.status.success(), "{ran:?}");
    }

    #[test]
    fn a_folder_without_a_repository_has_no_commit() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(state(folder.path(), &["target"]), State::default());
    }

    #[test]
    fn a_change_makes_a_folder_dirty_and_what_is_made_there_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        run(path, &["init", "-q"]);
        assert_eq!(state(path, &["target"]), State::default());
        std::fs::write(path.join("a.sql"), "select 1").unwrap();
        run(path, &["add", "."]);
        run(path, &["commit", "-q", "-m", "first"]);
        std::fs::create_dir(path.join("target")).unwrap();
        std::fs::write(path.join("target/x"), "").unwrap();
        let clean = state(path, &["target"]);
        assert_eq!(clean.commit.as_ref().map(String::len), Some(40));
        assert_eq!(clean.dirty, Some(false));
        std::fs::write(path.join("b.sql"), "select 2").unwrap();
        assert_eq!(state(path, &["target"]).dirty, Some(true));
    }
}
