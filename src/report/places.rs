//! Where a project's files are for the reader of a report: relative to the repository, and as
//! links into the forge that runs the job.

use std::path::{Path, PathBuf};

/// From paths of a project to paths and links of its repository.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// The project's folder relative to the repository's; empty where they are one.
    prefix: PathBuf,
    /// What stands before a path in a link, without the slash between; `None` off the forge.
    blob: Option<String>,
}

impl Places {
    /// Of a project's folder, by the environment of GitHub Actions or GitLab CI. Elsewhere the
    /// nearest folder above with a `.git` is the repository.
    pub fn new(project: &Path, var: impl Fn(&str) -> Option<String>) -> Self {
        let var = |name: &str| var(name).filter(|value| !value.is_empty());
        let workspace = var("GITHUB_WORKSPACE").or_else(|| var("CI_PROJECT_DIR"));
        let project = real(project);
        let named = workspace.map(|folder| real(Path::new(&folder)));
        let inside = named.filter(|folder| project.starts_with(folder));
        let root = inside.or_else(|| {
            let above = project.ancestors();
            let found = above
                .into_iter()
                .find(|folder| folder.join(".git").exists());
            found.map(Path::to_owned)
        });
        let prefix = root.and_then(|root| project.strip_prefix(root).ok().map(Path::to_owned));
        Self {
            prefix: prefix.unwrap_or_default(),
            blob: github(&var).or_else(|| gitlab(&var)),
        }
    }

    /// A file of the project as a path of the repository.
    pub fn path(&self, file: &Path) -> String {
        let path = if file.is_absolute() {
            file.to_owned()
        } else {
            self.prefix.join(file)
        };
        path.to_string_lossy().into_owned()
    }

    /// Whether links lead to a forge.
    pub fn is_linked(&self) -> bool {
        self.blob.is_some()
    }

    /// A link to a file and line; relative where no forge is known.
    pub fn link(&self, file: &Path, line: Option<usize>) -> String {
        let path = percent(&self.path(file));
        let line = line.map(|line| format!("#L{line}")).unwrap_or_default();
        match &self.blob {
            Some(blob) => format!("{blob}/{path}{line}"),
            None => format!("{path}{line}"),
        }
    }
}

fn github(var: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let server = var("GITHUB_SERVER_URL")?;
    let (repository, sha) = (var("GITHUB_REPOSITORY")?, var("GITHUB_SHA")?);
    Some(format!("{server}/{repository}/blob/{sha}"))
}

fn gitlab(var: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let (url, sha) = (var("CI_PROJECT_URL")?, var("CI_COMMIT_SHA")?);
    Some(format!("{url}/-/blob/{sha}"))
}

/// The folder without links, so that two names of one place meet.
fn real(folder: &Path) -> PathBuf {
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
}

/// A path in a link: everything but letters, digits and a few marks is escaped.
fn percent(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                text.push(char::from(byte));
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(project: &Path, vars: &[(&str, &str)]) -> Places {
        Places::new(project, |name| {
            let found = vars.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_project_below_the_workspace_is_named_from_there() {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("analytics");
        std::fs::create_dir(&project).unwrap();
        let workspace = folder.path().to_str().unwrap();
        let vars = [
            ("GITHUB_WORKSPACE", workspace),
            ("GITHUB_SERVER_URL", "https://github.example"),
            ("GITHUB_REPOSITORY", "shop/data"),
            ("GITHUB_SHA", "abc"),
        ];
        let places = places(&project, &vars);
        let file = Path::new("models/a b.yml");
        assert_eq!(places.path(file), "analytics/models/a b.yml");
        assert_eq!(
            places.link(file, Some(3)),
            "https://github.example/shop/data/blob/abc/analytics/models/a%20b.yml#L3"
        );
    }

    #[test]
    fn without_a_workspace_the_repository_is_found_by_its_git_folder() {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("x/y");
        std::fs::create_dir_all(&project).unwrap();
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        let places = places(&project, &[("GITHUB_WORKSPACE", "/elsewhere")]);
        assert_eq!(places.path(Path::new("m.sql")), "x/y/m.sql");
        assert_eq!(places.link(Path::new("m.sql"), None), "x/y/m.sql");
    }

    #[test]
    fn gitlab_has_links_of_its_own() {
        let vars = [
            ("CI_PROJECT_URL", "https://gitlab.example/shop"),
            ("CI_COMMIT_SHA", "abc"),
        ];
        let link = Places {
            prefix: PathBuf::new(),
            ..places(Path::new("/"), &vars)
        };
        assert_eq!(
            link.link(Path::new("m.sql"), Some(1)),
            "https://gitlab.example/shop/-/blob/abc/m.sql#L1"
        );
    }
}
