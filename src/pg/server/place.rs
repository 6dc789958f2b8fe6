//! Where a project's private server lives, and as whom it runs. As an ordinary user it is
//! `.marts/pg` of the project; as root `/var/lib/marts/<hash>`, since the service user that
//! the server then runs as cannot enter `/root`.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use super::error::ServerError;

/// The user that the server runs as when we are root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// All the paths of one private server.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Holds everything below; mode 0700.
    pub(super) base: PathBuf,
    /// Postgres' data folder.
    pub(super) data: PathBuf,
    /// Holds the Unix socket.
    pub(super) socket_dir: PathBuf,
    /// The server's log.
    pub(super) log: PathBuf,
    /// `None` when the server runs as ourselves.
    pub(super) owner: Option<Owner>,
}

/// Postgres' limit for a socket's path, with room for its own file name and a lock's.
const LONGEST_SOCKET_PATH: usize = 107;
/// Where the server's data lie when we are root.
const ROOTS_BASE: &str = "/var/lib/marts";

impl Place {
    /// Works the paths out; creates nothing. `base` overrides the usual folder.
    pub(super) fn of(project: &Path, base: Option<&Path>, port: u16) -> Result<Self, ServerError> {
        let project = project
            .canonicalize()
            .map_err(|error| ServerError::io("open", project, &error))?;
        let root = rustix::process::geteuid().is_root();
        let base = match base {
            Some(base) => absolute(base)?,
            None if root => Path::new(ROOTS_BASE).join(hash(&project)),
            None => project.join(".marts/pg"),
        };
        let owner = root.then(|| service_user(&base)).flatten();
        Ok(Self {
            data: base.join("data"),
            socket_dir: socket_dir(&base, port),
            log: base.join("server.log"),
            base,
            owner,
        })
    }

    /// Creates the base and socket folders where they are missing, private to the server's user.
    pub(super) fn prepare(&self) -> Result<(), ServerError> {
        self.create_private(&self.base)?;
        let ignore = self.base.parent().map(|parent| parent.join(".gitignore"));
        if let Some(ignore) = ignore
            && self.base.ends_with(".marts/pg")
            && !ignore.exists()
        {
            // Only a convenience; a folder that cannot hold it fails where it matters.
            let _ = fs::write(&ignore, "*\n");
        }
        self.create_private(&self.socket_dir)?;
        self.check_is_ours(&self.socket_dir)
    }

    fn create_private(&self, dir: &Path) -> Result<(), ServerError> {
        if dir.is_dir() {
            return Ok(());
        }
        if let Some(parent) = dir.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o755)
                .create(parent)
                .map_err(|error| ServerError::io("create", dir, &error))?;
        }
        match DirBuilder::new().mode(0o700).create(dir) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            other => other.map_err(|error| ServerError::io("create", dir, &error))?,
        }
        self.give(dir)
    }

    /// Hands a file or folder to the server's user.
    pub(super) fn give(&self, path: &Path) -> Result<(), ServerError> {
        match self.owner {
            Some(owner) => chown(path, Some(owner.uid), Some(owner.gid))
                .map_err(|error| ServerError::io("change the owner of", path, &error)),
            None => Ok(()),
        }
    }

    /// A folder under `/tmp` could have been made by somebody else before us.
    fn check_is_ours(&self, dir: &Path) -> Result<(), ServerError> {
        let metadata =
            fs::symlink_metadata(dir).map_err(|error| ServerError::io("read", dir, &error))?;
        let ours = self
            .owner
            .map_or_else(|| rustix::process::geteuid().as_raw(), |owner| owner.uid);
        if !metadata.is_dir() || metadata.uid() != ours {
            return Err(ServerError::Unusable {
                data: self.data.clone(),
                reason: format!("{} belongs to somebody else", dir.display()),
            });
        }
        if metadata.mode() & 0o077 != 0 {
            fs::set_permissions(dir, Permissions::from_mode(0o700))
                .map_err(|error| ServerError::io("protect", dir, &error))?;
        }
        Ok(())
    }

    /// A command that runs as the server's user, without this process's Postgres variables.
    pub(super) fn command(&self, program: &Path) -> Command {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new(program);
        command.current_dir(&self.base);
        for (name, _) in std::env::vars_os() {
            if name.as_bytes().starts_with(b"PG") {
                command.env_remove(name);
            }
        }
        if let Some(owner) = self.owner {
            command.uid(owner.uid).gid(owner.gid);
        }
        command
    }

    /// The data folder's major version, if there is a data folder.
    pub(super) fn major(&self) -> Option<u32> {
        let text = fs::read_to_string(self.data.join("PG_VERSION")).ok()?;
        text.trim().parse().ok()
    }
}

fn absolute(path: &Path) -> Result<PathBuf, ServerError> {
    std::path::absolute(path).map_err(|error| ServerError::io("find", path, &error))
}

/// Twelve hex digits that tell paths apart.
pub(super) fn hash(path: &Path) -> String {
    let digest = Sha256::digest(path.as_os_str().as_bytes());
    crate::encode::hex(&digest[..6])
}

/// Beside the data if its path is short enough for a socket, else under the user's runtime
/// folder or `/tmp`.
fn socket_dir(base: &Path, port: u16) -> PathBuf {
    let fits = |dir: &Path| {
        dir.join(format!(".s.PGSQL.{port}.lock")).as_os_str().len() <= LONGEST_SOCKET_PATH
    };
    let beside = base.join("socket");
    if fits(&beside) {
        return beside;
    }
    let uid = rustix::process::geteuid().as_raw();
    let hash = hash(base);
    if uid != 0
        && let Some(runtime) = std::env::var_os("XDG_RUNTIME_DIR")
    {
        let dir = Path::new(&runtime).join(format!("marts-{hash}"));
        if Path::new(&runtime).is_dir() && fits(&dir) {
            return dir;
        }
    }
    PathBuf::from(format!("/tmp/marts-{uid}-{hash}"))
}

/// The owner of an existing data folder, else `postgres`, else `nobody`.
fn service_user(base: &Path) -> Option<Owner> {
    let existing = fs::metadata(base.join("data"))
        .ok()
        .filter(|metadata| metadata.uid() != 0)
        .map(|metadata| Owner {
            uid: metadata.uid(),
            gid: metadata.gid(),
        });
    existing
        .or_else(|| account("postgres"))
        .or_else(|| account("nobody"))
}

fn account(name: &str) -> Option<Owner> {
    let from_file = fs::read_to_string("/etc/passwd")
        .ok()
        .and_then(|text| account_line(&text, name));
    // Accounts of a directory service are known to `id`.
    from_file.or_else(|| {
        let number = |flag: &str| -> Option<u32> {
            let output = Command::new("id").arg(flag).arg(name).output().ok()?;
            String::from_utf8(output.stdout).ok()?.trim().parse().ok()
        };
        Some(Owner {
            uid: number("-u")?,
            gid: number("-g")?,
        })
    })
}

fn account_line(passwd: &str, name: &str) -> Option<Owner> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next() != Some(name) {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Owner { uid, gid })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_moves_the_socket_elsewhere() {
        let short = Path::new("/home/me/shop/.marts/pg");
        assert_eq!(socket_dir(short, 5432), short.join("socket"));
        let long = PathBuf::from(format!("/home/{}/.marts/pg", "x".repeat(100)));
        let dir = socket_dir(&long, 5432);
        assert!(!dir.starts_with(&long));
        assert!(dir.as_os_str().len() < 80, "{}", dir.display());
    }

    #[test]
    fn accounts_are_read_from_passwd() {
        let passwd = "root:x:0:0::/root:/bin/sh\npostgres:x:104:107:,,,:/var/lib:/bin/bash\n";
        assert_eq!(
            account_line(passwd, "postgres"),
            Some(Owner { uid: 104, gid: 107 })
        );
        assert_eq!(account_line(passwd, "nobody"), None);
    }
}
