//! The data folder: made once per version by `initdb` in the user's cache, then copied, which
//! takes a tenth of the time. Every folder appears whole or not at all, by a rename.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use sha2::{Digest, Sha256};

use super::binaries::Binaries;
use super::error::ServerError;
use super::place::Place;

/// Changes whenever [`initdb`] is called in another way.
const RECIPE: u32 = 1;

/// Makes the data folder. The caller holds the start lock.
pub(super) fn create_data(place: &Place, binaries: &Binaries) -> Result<(), ServerError> {
    let unfinished = place.base.join("data.new");
    remove(&unfinished)?;
    match template(place, binaries)? {
        Some(template) => copy(place, &template, &unfinished)?,
        None => initdb(place, binaries, &unfinished)?,
    }
    fs::rename(&unfinished, &place.data)
        .map_err(|error| ServerError::io("create", &place.data, &error))
}

/// The cached template, made if need be; `None` where there is no place for a cache.
fn template(place: &Place, binaries: &Binaries) -> Result<Option<PathBuf>, ServerError> {
    let Some(cache) = cache_dir(place) else {
        return Ok(None);
    };
    let digest = Sha256::digest(format!("{RECIPE} {}", binaries.version));
    let digest = crate::encode::hex(&digest[..4]);
    let template = cache.join(format!("initdb-{}-{digest}", binaries.major));
    if template.join("PG_VERSION").is_file() {
        return Ok(Some(template));
    }
    let own = cache.join(format!("initdb.new-{}", own_suffix()));
    remove(&own)?;
    initdb(place, binaries, &own)?;
    match fs::rename(&own, &template) {
        Ok(()) => Ok(Some(template)),
        // Another process was faster; its template is as good.
        Err(_) if template.join("PG_VERSION").is_file() => {
            remove(&own)?;
            Ok(Some(template))
        }
        Err(error) => Err(ServerError::io("create", &template, &error)),
    }
}

/// A folder that we may write and the server's user may enter.
pub(super) fn cache_dir(place: &Place) -> Option<PathBuf> {
    let dir = match place.owner {
        Some(owner) => PathBuf::from(format!("/var/lib/marts/cache-{}", owner.uid)),
        None => std::env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .filter(|dir| dir.is_absolute())
            .or_else(|| std::env::home_dir().map(|home| home.join(".cache")))?
            .join("marts"),
    };
    fs::create_dir_all(&dir).ok()?;
    place.give(&dir).ok()?;
    // `access` does not see a read-only file system; writing does.
    let probe = dir.join(format!(".probe-{}", own_suffix()));
    fs::write(&probe, "").ok()?;
    fs::remove_file(&probe).ok()?;
    Some(dir)
}

/// Differs for each call of each process.
pub(super) fn own_suffix() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{}-{count}", std::process::id())
}

fn initdb(place: &Place, binaries: &Binaries, data: &Path) -> Result<(), ServerError> {
    let first = run_initdb(place, binaries, data, "C.UTF-8")?;
    if first.is_ok() {
        return Ok(());
    }
    remove(data)?;
    // Systems without that locale have at least C.
    run_initdb(place, binaries, data, "C")?.map_err(|output| failure(data, &output))
}

/// The inner result is `initdb`'s own, with its output.
fn run_initdb(
    place: &Place,
    binaries: &Binaries,
    data: &Path,
    locale: &str,
) -> Result<Result<(), String>, ServerError> {
    let mut command: Command = place.command(&binaries.program("initdb"));
    command
        .arg("--pgdata")
        .arg(data)
        .args(["--username", super::SUPERUSER, "--auth", "trust"])
        .args(["--encoding", "UTF8", "--locale", locale])
        .args(["--no-sync", "--no-instructions"])
        .env("LC_ALL", "C");
    let output = command.output().map_err(|error| ServerError::Failed {
        program: "initdb",
        reason: error.to_string(),
        log: None,
    })?;
    if output.status.success() {
        return Ok(Ok(()));
    }
    let mut text = String::from_utf8_lossy(&output.stderr).into_owned();
    if text.trim().is_empty() {
        text = format!("ended with {}", output.status);
    }
    Ok(Err(text))
}

fn failure(data: &Path, output: &str) -> ServerError {
    if super::log::tells_disk_full(output) {
        return ServerError::DiskFull {
            path: data.to_owned(),
        };
    }
    ServerError::Failed {
        program: "initdb",
        reason: super::log::telling_line(output),
        log: None,
    }
}

/// Copies files, modes and, as root, owners.
fn copy(place: &Place, from: &Path, to: &Path) -> Result<(), ServerError> {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(from).to_owned();
            ServerError::io("read", &path, &error.into())
        })?;
        let relative = entry.path().strip_prefix(from).unwrap_or(entry.path());
        let target = to.join(relative);
        let copied = if entry.file_type().is_dir() {
            fs::create_dir(&target)
                .and_then(|()| fs::set_permissions(&target, fs::Permissions::from_mode(0o700)))
        } else {
            fs::copy(entry.path(), &target).map(|_| ())
        };
        copied.map_err(|error| ServerError::io("write", &target, &error))?;
        place.give(&target)?;
    }
    Ok(())
}

fn remove(dir: &Path) -> Result<(), ServerError> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(ServerError::io("remove", dir, &error))
        }
        _ => Ok(()),
    }
}

/// Fails unless the data folder belongs to the server's user.
pub(super) fn check_owner(place: &Place) -> Result<(), ServerError> {
    let metadata =
        fs::metadata(&place.data).map_err(|error| ServerError::io("read", &place.data, &error))?;
    let ours = place
        .owner
        .map_or_else(|| rustix::process::geteuid().as_raw(), |owner| owner.uid);
    if metadata.uid() == ours {
        return Ok(());
    }
    Err(ServerError::Unusable {
        data: place.data.clone(),
        reason: format!("it belongs to user {}, not to {ours}", metadata.uid()),
    })
}
