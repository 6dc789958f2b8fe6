//! The server's process: what `postmaster.pid` says, whether that is true, starting and
//! stopping. A pid that now belongs to somebody else counts as a dead server.

use std::fs::{self, OpenOptions};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::binaries::Binaries;
use super::error::ServerError;
use super::log;
use super::place::Place;
use super::settings::Settings;

/// What `postmaster.pid` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Postmaster {
    pub(super) pid: i32,
    /// Seconds since 1970; with the pid it names one life of the server.
    pub(super) started: String,
    pub(super) socket_dir: String,
    /// `starting`, `ready`, `stopping` or `standby`; empty before the first of them.
    pub(super) status: String,
}

impl Postmaster {
    /// Reads the file of a data folder; `None` if there is none or it is not complete.
    pub(super) fn read(data: &Path) -> Option<Self> {
        Self::parse(&fs::read_to_string(data.join("postmaster.pid")).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let line = |index: usize| lines.get(index).copied().unwrap_or("").to_owned();
        Some(Self {
            pid: line(0).parse().ok().filter(|pid| *pid > 0)?,
            started: line(2),
            socket_dir: line(4),
            status: line(7),
        })
    }

    pub(super) fn is_ready(&self) -> bool {
        self.status == "ready" || self.status == "standby"
    }
}

/// The server of a data folder, if one lives.
pub(super) fn living(data: &Path) -> Option<Postmaster> {
    Postmaster::read(data).filter(|postmaster| is_server_of(postmaster.pid, data))
}

/// Whether a process exists and is the server of this folder. Linux tells both; elsewhere
/// the name alone has to do.
fn is_server_of(pid: i32, data: &Path) -> bool {
    if !is_alive(pid) {
        return false;
    }
    let proc = Path::new("/proc").join(pid.to_string());
    if !proc.is_dir() {
        return is_postgres_by_ps(pid);
    }
    let name = fs::read_to_string(proc.join("comm")).unwrap_or_default();
    // The server's working folder is its data folder. Where /proc does not tell, the name counts.
    match (fs::read_link(proc.join("cwd")), data.canonicalize()) {
        (Ok(cwd), Ok(data)) => name.starts_with("postgres") && cwd == data,
        _ => name.starts_with("postgres"),
    }
}

fn is_postgres_by_ps(pid: i32) -> bool {
    let output = std::process::Command::new("ps")
        .args(["-o", "comm=", "-p", &pid.to_string()])
        .output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("postgres"))
}

/// Whether a process exists and is more than a zombie.
fn is_alive(pid: i32) -> bool {
    let Some(pid_) = Pid::from_raw(pid) else {
        return false;
    };
    if test_kill_process(pid_) == Err(rustix::io::Errno::SRCH) {
        return false;
    }
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.chars().next());
    state != Some('Z')
}

/// A server that this process started.
#[derive(Debug)]
pub(super) struct Started {
    child: Child,
}

impl Started {
    /// Takes an ended child's status off the system, so that it is no zombie.
    pub(super) fn reap(&mut self) {
        let _ = self.child.try_wait();
    }
}

/// Starts the server and waits until it is ready. `tell` hears of a long wait.
pub(super) fn start(
    place: &Place,
    binaries: &Binaries,
    settings: &Settings,
    tell: &dyn Fn(&str),
) -> Result<Started, ServerError> {
    let mut settings = settings.clone();
    let mut orphans_stopped = false;
    loop {
        remove_leftovers(place)?;
        let before = fs::metadata(&place.log).map_or(0, |metadata| metadata.len());
        let mut started = spawn(place, binaries, &settings)?;
        if wait_until_ready(place, &mut started, tell) {
            return Ok(started);
        }
        let text = log::since(&place.log, before);
        if log::tells_orphans(&text) && !orphans_stopped {
            tell("stopping what a killed server left behind");
            stop_orphans(&place.data);
            orphans_stopped = true;
        } else if log::tells_too_little_memory(&text) && settings.reduce_memory() {
            tracing::debug!("starting the server again with less memory");
        } else {
            return Err(failure(place, &text));
        }
    }
}

fn failure(place: &Place, text: &str) -> ServerError {
    if log::tells_disk_full(text) {
        return ServerError::DiskFull {
            path: place.data.clone(),
        };
    }
    ServerError::Failed {
        program: "postgres",
        reason: log::telling_line(text),
        log: Some(place.log.clone()),
    }
}

/// Removes what a server that no longer lives left: Postgres itself refuses to start when a
/// pid in these files has come to belong to another process of the same user.
fn remove_leftovers(place: &Place) -> Result<(), ServerError> {
    let socket = place.socket_dir.join(format!(".s.PGSQL.{}", super::PORT));
    let lock = place
        .socket_dir
        .join(format!(".s.PGSQL.{}.lock", super::PORT));
    for path in [place.data.join("postmaster.pid"), socket, lock] {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(ServerError::io("remove", &path, &error));
            }
            _ => {}
        }
    }
    Ok(())
}

fn spawn(place: &Place, binaries: &Binaries, settings: &Settings) -> Result<Started, ServerError> {
    let failed = |error: std::io::Error| ServerError::io("write", &place.log, &error);
    const LONGEST_LOG: u64 = 10 * 1024 * 1024;
    let long = fs::metadata(&place.log).is_ok_and(|metadata| metadata.len() > LONGEST_LOG);
    let log = OpenOptions::new()
        .create(true)
        .append(!long)
        .write(true)
        .truncate(long)
        .open(&place.log)
        .map_err(failed)?;
    place.give(&place.log)?;
    let mut command = place.command(&binaries.program("postgres"));
    command.arg("-D").arg(&place.data);
    for (name, value) in settings.pairs(&place.socket_dir) {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    command
        .stdin(Stdio::null())
        .stdout(log.try_clone().map_err(failed)?)
        .stderr(log)
        // Ctrl-C in the terminal is for marts, which then ends its statements in order.
        .process_group(0);
    let child = command.spawn().map_err(|error| ServerError::Failed {
        program: "postgres",
        reason: error.to_string(),
        log: None,
    })?;
    Ok(Started { child })
}

/// False when the server ended instead. Recovery after a crash may take long, so nothing but
/// its end stops the wait.
fn wait_until_ready(place: &Place, started: &mut Started, tell: &dyn Fn(&str)) -> bool {
    let begun = Instant::now();
    let mut told = false;
    loop {
        let ready = Postmaster::read(&place.data).is_some_and(|postmaster| {
            postmaster.pid == started.child.id() as i32 && postmaster.is_ready()
        });
        if ready {
            return true;
        }
        if !matches!(started.child.try_wait(), Ok(None)) {
            return false;
        }
        if !told && begun.elapsed() > Duration::from_secs(2) {
            tell("waiting for the private server to recover");
            told = true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether the server answers on its socket.
pub(super) fn answers(socket_dir: &Path) -> bool {
    UnixStream::connect(socket_dir.join(format!(".s.PGSQL.{}", super::PORT))).is_ok()
}

/// Asks a server to stop: open transactions are rolled back, everything is written.
pub(super) fn ask_to_stop(pid: i32) {
    signal(pid, Signal::INT);
}

fn signal(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ = kill_process(pid, signal);
    }
}

/// Waits until a server's process is gone; false when the time is over first. Its file goes
/// a little earlier than itself.
pub(super) fn wait_until_gone(
    data: &Path,
    pid: i32,
    mut started: Option<&mut Started>,
    limit: Duration,
) -> bool {
    let begun = Instant::now();
    loop {
        if let Some(started) = started.as_deref_mut() {
            started.reap();
        }
        if !is_server_of(pid, data) {
            return true;
        }
        if begun.elapsed() > limit {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// After kill -9 of the postmaster its backends may work on until they next look up. Their
/// parent is gone, so they can do no good; Postgres will not start while they live.
fn stop_orphans(data: &Path) {
    let Ok(data) = data.canonicalize() else {
        return;
    };
    let begun = Instant::now();
    loop {
        let orphans = backends_of(&data);
        if orphans.is_empty() || begun.elapsed() > Duration::from_secs(20) {
            return;
        }
        let how = match begun.elapsed() > Duration::from_secs(3) {
            true => Signal::KILL,
            false => Signal::TERM,
        };
        for pid in orphans {
            signal(pid, how);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Linux only; elsewhere a second start a little later has to do.
fn backends_of(data: &Path) -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid: &i32| is_server_of(*pid, data))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postmaster_pid_is_read() {
        let text = "4711\n/data\n1700000000\n5432\n/sock\n\n  123  456\nready   \n";
        let postmaster = Postmaster::parse(text).expect("complete");
        assert_eq!(postmaster.pid, 4711);
        assert_eq!(postmaster.started, "1700000000");
        assert_eq!(postmaster.socket_dir, "/sock");
        assert!(postmaster.is_ready());
        assert_eq!(Postmaster::parse(""), None);
        assert!(!Postmaster::parse("1\n/data\n").expect("begun").is_ready());
    }

    #[test]
    fn a_pid_that_somebody_else_has_now_is_no_server() {
        let own = std::process::id() as i32;
        assert!(is_alive(own));
        assert!(!is_server_of(own, Path::new("/")));
    }
}
