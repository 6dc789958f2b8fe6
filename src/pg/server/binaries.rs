//! Finding an installed PostgreSQL: the folders where systems put it, newest major first
//! unless a data folder fixes the major.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::ServerError;

/// The oldest major that marts works with.
pub const OLDEST_MAJOR: u32 = 14;

/// An installation that was asked for its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    /// The folder of `initdb` and `postgres`.
    pub dir: PathBuf,
    /// The major version.
    pub major: u32,
    /// The whole version, for example `15.14 (Debian 15.14-0+deb12u1)`.
    pub version: String,
}

impl Binaries {
    /// A program of this installation.
    pub fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Asks the folder's `postgres` for its version.
    pub fn at(dir: &Path) -> Result<Self, ServerError> {
        let unusable = |problem: &str| ServerError::UnusableBinaries {
            dir: dir.to_owned(),
            problem: problem.to_owned(),
        };
        for program in ["initdb", "postgres"] {
            if !dir.join(program).is_file() {
                return Err(unusable(&format!("holds no {program}")));
            }
        }
        let output = Command::new(dir.join("postgres"))
            .arg("--version")
            .output()
            .map_err(|error| unusable(&format!("holds a postgres that does not start: {error}")))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let version = text
            .trim()
            .split_once("(PostgreSQL) ")
            .map(|(_, version)| version.to_owned())
            .ok_or_else(|| unusable("holds a postgres that does not tell its version"))?;
        let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
        let major = digits
            .parse()
            .map_err(|_| unusable("holds a postgres that does not tell its version"))?;
        Ok(Self {
            dir: dir.to_owned(),
            major,
            version,
        })
    }
}

/// The installation to use. `given` (`MARTS_PG_BIN`) is the only one looked at when it is
/// there; `fixed` is the data folder and its major, where there is one.
pub fn find(given: Option<&Path>, fixed: Option<(&Path, u32)>) -> Result<Binaries, ServerError> {
    let found: Vec<Binaries> = match given {
        Some(dir) => vec![Binaries::at(dir)?],
        None => candidates()
            .iter()
            .filter_map(|dir| Binaries::at(dir).ok())
            .collect(),
    };
    choose(found, fixed)
}

fn choose(found: Vec<Binaries>, fixed: Option<(&Path, u32)>) -> Result<Binaries, ServerError> {
    if found.is_empty() {
        return Err(ServerError::NotInstalled);
    }
    if let Some((data, major)) = fixed {
        let majors: BTreeSet<u32> = found.iter().map(|binaries| binaries.major).collect();
        return found
            .into_iter()
            .find(|binaries| binaries.major == major)
            .ok_or_else(|| ServerError::OtherMajor {
                data: data.to_owned(),
                major,
                found: majors.iter().map(u32::to_string).collect(),
            });
    }
    let mut newest: Option<Binaries> = None;
    for binaries in found {
        // The first of several equals wins: it stands earlier in the order of search.
        if newest
            .as_ref()
            .is_none_or(|best| binaries.major > best.major)
        {
            newest = Some(binaries);
        }
    }
    match newest {
        Some(best) if best.major >= OLDEST_MAJOR => Ok(best),
        Some(best) => Err(ServerError::UnusableBinaries {
            problem: format!(
                "holds PostgreSQL {}, and {OLDEST_MAJOR} is the oldest that marts works with",
                best.version
            ),
            dir: best.dir,
        }),
        None => Err(ServerError::NotInstalled),
    }
}

/// Folders that hold both programs, each once, in order of search.
fn candidates() -> Vec<PathBuf> {
    let mut dirs: Vec<PathBuf> = std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default();
    dirs.extend(pg_config_dir());
    dirs.extend(subfolders("/usr/lib/postgresql", "", "bin"));
    dirs.extend(subfolders("/usr", "pgsql-", "bin"));
    dirs.push(PathBuf::from("/usr/libexec/postgresql"));
    dirs.extend(subfolders("/usr/libexec", "postgresql", ""));
    for prefix in [
        "/opt/homebrew/opt",
        "/usr/local/opt",
        "/home/linuxbrew/.linuxbrew/opt",
    ] {
        dirs.extend(subfolders(prefix, "postgresql", "bin"));
    }
    dirs.extend(subfolders(
        "/Applications/Postgres.app/Contents/Versions",
        "",
        "bin",
    ));
    let mut seen = BTreeSet::new();
    dirs.into_iter()
        .filter(|dir| dir.join("initdb").is_file() && dir.join("postgres").is_file())
        // A link in PATH and the folder that it leads to are one installation.
        .filter_map(|dir| {
            let real = dir.join("postgres").canonicalize().ok()?;
            seen.insert(real).then_some(dir)
        })
        .collect()
}

fn pg_config_dir() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let dir = text.trim();
    (!dir.is_empty()).then(|| PathBuf::from(dir))
}

/// `<parent>/<prefix>*/<rest>`, sorted.
fn subfolders(parent: &str, prefix: &str, rest: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(parent) else {
        return Vec::new();
    };
    let mut dirs: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .map(|entry| entry.path().join(rest))
        .collect();
    dirs.sort();
    dirs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(major: u32) -> Binaries {
        Binaries {
            dir: PathBuf::from(format!("/pg/{major}")),
            major,
            version: format!("{major}.1"),
        }
    }

    #[test]
    fn the_newest_major_is_taken_unless_the_data_fix_it() {
        let all = || vec![of(15), of(17), of(16)];
        assert_eq!(choose(all(), None).expect("found").major, 17);
        let data = Path::new("/data");
        assert_eq!(choose(all(), Some((data, 15))).expect("found").major, 15);
        let error = choose(all(), Some((data, 14))).expect_err("not installed");
        assert_eq!(
            error.to_string(),
            "the data in /data is of PostgreSQL 14, but only 15 and 16 and 17 is installed"
        );
    }

    #[test]
    fn what_is_too_old_is_said_so() {
        let error = choose(vec![of(12)], None).expect_err("too old");
        assert_eq!(
            error.to_string(),
            "/pg/12 holds PostgreSQL 12.1, and 14 is the oldest that marts works with"
        );
        assert!(matches!(
            choose(vec![], None),
            Err(ServerError::NotInstalled)
        ));
    }
}
