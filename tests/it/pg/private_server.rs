//! The private server in all its cases: each test has a server of its own.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use marts::pg::server::{self, Options, Running, ServerError};
use marts::pg::{Connection, Pool};

use super::helper::{NOBODY, Start, is_root};
use crate::support::server::{Watcher, temp_folder, watch};

/// A folder with a private server under `pg`; ends with the test.
struct Project {
    folder: PathBuf,
    _watcher: Watcher,
}

impl Project {
    fn new() -> Self {
        let folder = temp_folder("marts-srv-");
        Self {
            _watcher: watch(&folder),
            folder,
        }
    }

    fn base(&self) -> PathBuf {
        self.folder.join("pg")
    }

    fn data(&self) -> PathBuf {
        self.base().join("data")
    }

    fn options(&self) -> Options {
        let mut options = Options::new(&self.folder, "marts");
        options.base = Some(self.base());
        options.small = true;
        options
    }

    async fn ensure(&self) -> Running {
        server::ensure(self.options())
            .await
            .expect("a private server")
    }

    fn postmaster(&self) -> Option<i32> {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        text.lines().next()?.parse().ok()
    }

    /// Kills the postmaster as `kill -9` does, and waits until it is gone.
    fn kill_server(&self) {
        let pid = self.postmaster().expect("a server");
        signal(pid, rustix::process::Signal::KILL);
        wait_until(|| !is_alive(pid));
    }
}

async fn connect(running: &Running) -> Connection {
    let config = running.config(&marts::pg::ConnectConfig::new(
        marts::pg::Host::Embedded,
        "",
        "",
    ));
    Pool::new(config, 1)
        .expect("needs no files")
        .get()
        .await
        .expect("a connection")
}

fn signal(pid: i32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(pid).expect("a pid");
    rustix::process::kill_process(pid, signal).expect("is there");
}

fn is_alive(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

fn wait_until(done: impl Fn() -> bool) {
    while !done() {
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Off the runtime's thread, as dropping may wait.
async fn drop_blocking(running: Running) {
    tokio::task::spawn_blocking(move || drop(running))
        .await
        .expect("drops");
}

#[tokio::test]
async fn the_last_user_stops_it_and_the_next_one_finds_the_data() {
    let project = Project::new();
    let first = project.ensure().await;
    assert!(first.is_started_here());
    connect(&first)
        .await
        .execute("create table t as select 1 as a")
        .await
        .expect("runs");
    let second = project.ensure().await;
    assert!(!second.is_started_here());
    drop_blocking(first).await;
    connect(&second)
        .await
        .execute("insert into t values (2)")
        .await
        .expect("still runs");
    let pid = project.postmaster().expect("runs");
    drop_blocking(second).await;
    assert!(!is_alive(pid));
    assert_eq!(project.postmaster(), None);
    let third = project.ensure().await;
    assert!(third.is_started_here());
    let rows = connect(&third)
        .await
        .query("select count(*) from t")
        .await
        .expect("runs");
    assert_eq!(rows.rows[0][0].as_deref(), Some("2"));
    drop_blocking(third).await;
}

#[test]
fn processes_that_start_at_once_share_one_server() {
    let project = Project::new();
    let base = project.base();
    let start = || Start {
        base: Some(&base),
        ..Start::new(&project.folder)
    };
    let mut helpers: Vec<_> = (0..3).map(|_| start().spawn()).collect();
    let mut reports: Vec<_> = helpers
        .iter_mut()
        .map(super::helper::Helper::report)
        .collect();
    reports.sort();
    assert_eq!(reports, ["ready false", "ready false", "ready true"]);
    let pid = project.postmaster().expect("runs");
    // Whoever dies without a word holds no lock any more.
    helpers.pop().expect("three").kill();
    helpers.pop().expect("two").end();
    assert!(is_alive(pid), "somebody still uses it");
    helpers.pop().expect("one").end();
    assert!(!is_alive(pid));
}

#[test]
fn a_killed_user_leaves_a_server_that_the_next_one_uses_and_stops() {
    let project = Project::new();
    let base = project.base();
    let start = || Start {
        base: Some(&base),
        ..Start::new(&project.folder)
    };
    let mut first = start().spawn();
    assert_eq!(first.report(), "ready true");
    first.kill();
    let pid = project.postmaster().expect("runs");
    assert!(is_alive(pid));
    let mut second = start().spawn();
    assert_eq!(second.report(), "ready false");
    second.end();
    assert!(!is_alive(pid));
}

#[tokio::test]
async fn a_killed_server_starts_again_with_what_was_committed() {
    let project = Project::new();
    let first = project.ensure().await;
    let connection = connect(&first).await;
    connection
        .execute("create table t (a int); checkpoint; begin; set local synchronous_commit = on; insert into t values (1); commit")
        .await
        .expect("runs");
    project.kill_server();
    // Its backend notices a little later.
    let error = loop {
        if let Err(error) = connection.execute("select 1").await {
            break error;
        }
    };
    assert!(error.is_lost(), "{error:?}");
    let again = project.ensure().await;
    assert!(again.is_started_here());
    let rows = connect(&again)
        .await
        .query("select count(*) from t")
        .await
        .expect("runs");
    assert_eq!(rows.rows[0][0].as_deref(), Some("1"));
    drop_blocking(first).await;
    drop_blocking(again).await;
    assert_eq!(project.postmaster(), None);
}

#[tokio::test]
async fn a_backend_that_outlives_its_killed_server_is_stopped() {
    let project = Project::new();
    let first = project.ensure().await;
    let connection = connect(&first).await;
    let backend = connection.backend();
    let busy = tokio::spawn(async move {
        // Neither reads nor writes the client's socket for a long time.
        connection
            .execute("do $$ begin loop perform 1; end loop; end $$")
            .await
    });
    let second = connect(&first).await;
    let active =
        format!("select 1 from pg_stat_activity where pid = {backend} and state = 'active'");
    while second
        .query_untyped(&active)
        .await
        .expect("runs")
        .rows
        .is_empty()
    {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    project.kill_server();
    assert!(is_alive(backend), "it does not notice");
    let again = project.ensure().await;
    assert!(!is_alive(backend));
    connect(&again)
        .await
        .execute("select 1")
        .await
        .expect("runs");
    assert!(
        busy.await
            .expect("does not panic")
            .expect_err("gone")
            .is_lost()
    );
    drop_blocking(first).await;
    drop_blocking(again).await;
}

#[tokio::test]
async fn pids_that_belong_to_others_now_do_not_block_the_start() {
    let project = Project::new();
    drop_blocking(project.ensure().await).await;
    // After a crash and a reboot, both files may name a process of the server's own user.
    let mut stranger = sleeper(&project);
    let pid = stranger.id();
    let data = project.data();
    let socket_dir = project.base().join("socket");
    let pid_file = format!(
        "{pid}\n{}\n1\n5432\n{}\n\n  1  1\nready   \n",
        data.display(),
        socket_dir.display()
    );
    let lock = format!(
        "{pid}\n{}\n1\n5432\n{}\n\n",
        data.display(),
        socket_dir.display()
    );
    fs::write(data.join("postmaster.pid"), pid_file).expect("writes");
    fs::write(socket_dir.join(".s.PGSQL.5432.lock"), lock).expect("writes");
    fs::write(socket_dir.join(".s.PGSQL.5432"), "").expect("writes");
    let running = project.ensure().await;
    assert!(running.is_started_here());
    assert!(is_alive(pid as i32), "the stranger is left alone");
    connect(&running)
        .await
        .execute("select 1")
        .await
        .expect("runs");
    stranger.kill().expect("kills");
    stranger.wait().expect("ends");
    drop_blocking(running).await;
}

/// A process of the server's user that is no server.
fn sleeper(project: &Project) -> Child {
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::process::CommandExt;
    let owner = fs::metadata(project.data()).expect("is there");
    let mut command = Command::new("sleep");
    if is_root() {
        command.uid(owner.uid()).gid(owner.gid());
    }
    command.arg("1000").spawn().expect("sleep starts")
}

#[tokio::test]
async fn a_long_path_works() {
    let project = Project::new();
    let deep = project.folder.join("x".repeat(120)).join("y".repeat(120));
    let mut options = project.options();
    options.base = Some(deep.join("pg"));
    let running = server::ensure(options).await.expect("a private server");
    connect(&running)
        .await
        .execute("select 1")
        .await
        .expect("runs");
    assert!(running.url().len() < 250);
    let socket_dir = running.socket_dir().to_owned();
    drop_blocking(running).await;
    fs::remove_dir_all(socket_dir).expect("elsewhere");
}

#[tokio::test]
async fn a_server_whose_socket_is_gone_is_started_again() {
    let project = Project::new();
    let first = project.ensure().await;
    let pid = project.postmaster().expect("runs");
    fs::remove_dir_all(project.base().join("socket")).expect("removes");
    let error = server::ensure(project.options())
        .await
        .expect_err("somebody uses it");
    assert!(error.to_string().contains("its socket is gone"), "{error}");
    // The first user ends without stopping it, as one that is killed.
    std::mem::forget(first);
    assert!(is_alive(pid));
}

#[tokio::test]
async fn a_kept_server_outlasts_its_users() {
    let project = Project::new();
    let mut options = project.options();
    options.keep = true;
    drop_blocking(server::ensure(options).await.expect("starts")).await;
    let pid = project.postmaster().expect("kept");
    drop_blocking(project.ensure().await).await;
    assert!(is_alive(pid));
    assert!(server::stop(&project.options()).expect("stops"));
    assert!(!is_alive(pid));
    assert!(!server::stop(&project.options()).expect("nothing to stop"));
    // Keeping was for that life of the server only.
    drop_blocking(project.ensure().await).await;
    assert_eq!(project.postmaster(), None);
}

#[test]
fn an_ordinary_user_has_it_in_the_project() {
    let project = Project::new();
    let shop = project.folder.join("shop");
    fs::create_dir(&shop).expect("creates");
    if is_root() {
        chown(&shop, Some(NOBODY), Some(NOBODY)).expect("gives");
    }
    let mut helper = Start {
        ordinary: true,
        ..Start::new(&shop)
    }
    .spawn();
    assert_eq!(helper.report(), "ready true");
    assert!(shop.join(".marts/pg/data/PG_VERSION").is_file());
    assert_eq!(
        fs::read_to_string(shop.join(".marts/.gitignore")).expect("reads"),
        "*\n"
    );
    assert!(shop.join(".cache/marts").is_dir(), "the template is cached");
    let mode = fs::metadata(shop.join(".marts/pg"))
        .expect("is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    helper.end();
    assert!(!shop.join(".marts/pg/data/postmaster.pid").exists());
}

#[test]
fn a_read_only_project_folder_is_told() {
    let project = Project::new();
    let shop = project.folder.join("shop");
    fs::create_dir(&shop).expect("creates");
    fs::set_permissions(&shop, fs::Permissions::from_mode(0o555)).expect("protects");
    let mut helper = Start {
        ordinary: true,
        ..Start::new(&shop)
    }
    .spawn();
    let report = helper.report();
    assert!(
        report.starts_with("failed db-server-folder | cannot create "),
        "{report}"
    );
    assert!(report.contains("Permission denied"), "{report}");
    assert!(report.contains("MARTS_PG_DATA"), "{report}");
    helper.end();
}

#[test]
fn a_full_disk_is_told() {
    let project = Project::new();
    let disk = project.folder.join("disk");
    fs::create_dir(&disk).expect("creates");
    let mount = TinyDisk::mount(&disk);
    let base = disk.join("pg");
    let mut helper = Start {
        base: Some(&base),
        // Without the right to mount, a file-size limit below that of a WAL file.
        file_limit: mount.is_none().then_some(4_096),
        ordinary: mount.is_none(),
        ..Start::new(&project.folder)
    }
    .spawn();
    let report = helper.report();
    assert!(
        report.starts_with("failed db-disk-full | the disk of "),
        "{report}"
    );
    helper.end();
}

#[test]
fn a_file_size_limit_is_told_as_a_full_disk() {
    let project = Project::new();
    let base = project.base();
    let mut helper = Start {
        base: Some(&base),
        file_limit: Some(4_096),
        ..Start::new(&project.folder)
    }
    .spawn();
    let report = helper.report();
    assert!(
        report.starts_with("failed db-disk-full | the disk of "),
        "{report}"
    );
    helper.end();
}

#[tokio::test]
async fn a_disk_that_fills_up_later_is_told() {
    let project = Project::new();
    let disk = project.folder.join("disk");
    fs::create_dir(&disk).expect("creates");
    let Some(mut mount) = TinyDisk::mount(&disk) else {
        return;
    };
    mount.resize("80m");
    let mut options = project.options();
    options.base = Some(disk.join("pg"));
    let running = server::ensure(options).await.expect("fits");
    let connection = connect(&running).await;
    let error = connection
        .execute("create table big as select repeat('x', 100) from generate_series(1, 2000000)")
        .await
        .expect_err("does not fit");
    assert_eq!(error.sqlstate(), Some("53100"), "{error:?}");
    assert!(!error.is_transient());
    assert_eq!(error.diagnostic(None).code.as_str(), "db-disk-full");
    connection.execute("select 1").await.expect("goes on");
    drop(connection);
    drop_blocking(running).await;
}

/// A small file system, gone with this value. Needs root.
struct TinyDisk(PathBuf);

impl TinyDisk {
    fn mount(folder: &Path) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=8m,mode=755", "tmpfs"])
            .arg(folder)
            .output()
            .is_ok_and(|output| output.status.success());
        mounted.then(|| Self(folder.to_owned()))
    }

    fn resize(&mut self, size: &str) {
        let done = Command::new("mount")
            .args(["-o", &format!("remount,size={size}")])
            .arg(&self.0)
            .status()
            .expect("mount starts");
        assert!(done.success());
    }
}

impl Drop for TinyDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn binaries_that_cannot_be_used_are_told() {
    let project = Project::new();
    let mut options = project.options();
    options.bin = Some(project.folder.clone());
    let error = server::ensure_server(&options).expect_err("no binaries");
    assert!(
        matches!(error, ServerError::UnusableBinaries { .. }),
        "{error}"
    );
    assert!(error.to_string().ends_with("holds no initdb"), "{error}");
}

#[tokio::test]
async fn data_of_another_major_are_told() {
    let project = Project::new();
    drop_blocking(project.ensure().await).await;
    fs::write(project.data().join("PG_VERSION"), "14\n").expect("writes");
    let error = server::ensure(project.options())
        .await
        .expect_err("another major");
    assert!(
        error.to_string().contains("is of PostgreSQL 14, but only"),
        "{error}"
    );
    let hint = error.diagnostic().hint.expect("a hint");
    assert!(hint.starts_with("install PostgreSQL 14 again"), "{hint}");
}

#[tokio::test]
async fn a_start_that_fails_names_the_reason_and_the_log() {
    let project = Project::new();
    drop_blocking(project.ensure().await).await;
    fs::remove_dir_all(project.data().join("global")).expect("breaks it");
    let error = server::ensure(project.options()).await.expect_err("broken");
    let text = error.to_string();
    assert!(text.starts_with("postgres failed: "), "{text}");
    assert!(
        error
            .diagnostic()
            .hint
            .expect("a hint")
            .contains("server.log")
    );
}
