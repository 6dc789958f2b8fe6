//! One private server for this test process, and a fresh database per test. A watcher
//! process ends the server and removes its folder when this process ends in whatever way.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use marts::pg::server::{self, Options, Running};
use marts::pg::{ConnectConfig, Connection, Host, Pool};

struct Shared {
    running: Running,
    /// Its standard input closes with this process, which is what it waits for.
    _watcher: Watcher,
}

/// Stops the server at once (its data are thrown away) and removes the folder.
const WATCH: &str = r#"
cat >/dev/null
pid=$(head -n 1 "$1/pg/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid" 2>/dev/null
umount -l "$1/disk" 2>/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10; do
    rm -rf "$1" 2>/dev/null && break
    sleep 0.2
done
"#;

fn shared() -> &'static Shared {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(|| {
        let folder = temp_folder("marts-it-");
        let watcher = watch(&folder);
        let mut options = Options::new(&folder, "postgres");
        options.base = Some(folder.join("pg"));
        options.small = true;
        let running = server::ensure_server(&options).expect("a private server for the tests");
        // Nothing of it outlives this process; databases come and go twice as fast.
        for setting in ["fsync = off", "full_page_writes = off"] {
            run_on(&running, &format!("alter system set {setting}"));
        }
        run_on(&running, "select pg_reload_conf()");
        Shared {
            running,
            _watcher: watcher,
        }
    })
}

/// A process that cleans up when this value, or this process, ends.
pub(crate) struct Watcher(Child);

impl Drop for Watcher {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Ends the server under `<folder>/pg` and removes the folder when this process ends.
pub(crate) fn watch(folder: &Path) -> Watcher {
    let child = Command::new("sh")
        .args(["-c", WATCH, "marts-test-watcher"])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("sh starts");
    Watcher(child)
}

/// A new folder that every user may enter, under the system's folder for such.
pub(crate) fn temp_folder(prefix: &str) -> PathBuf {
    let folder = tempfile::Builder::new()
        .prefix(prefix)
        .tempdir()
        .expect("a temporary folder")
        .keep();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755))
        .expect("its permissions");
    folder
}

/// A database of its own for one test; dropped with this value.
pub(crate) struct TestDb {
    name: String,
}

impl TestDb {
    /// Creates the database.
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("t{}_{number}", std::process::id());
        admin(format!("create database {name}"));
        Self { name }
    }

    /// The database's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// How to connect to it.
    pub(crate) fn config(&self) -> ConnectConfig {
        config(&self.name)
    }

    /// The database as a URL, for `--url` and `DATABASE_URL`.
    pub(crate) fn url(&self) -> String {
        format!(
            "postgres://{}@/{}?host={}&port={}",
            server::SUPERUSER,
            self.name,
            shared().running.socket_dir().display(),
            shared().running.port()
        )
    }

    /// The folder of the server's socket, for `host:` of a profile.
    pub(crate) fn socket_dir(&self) -> &'static Path {
        shared().running.socket_dir()
    }

    /// A pool of connections to it.
    pub(crate) fn pool(&self, size: usize) -> Pool {
        Pool::new(self.config(), size).expect("needs no certificates")
    }

    /// One connection to it.
    pub(crate) async fn connect(&self) -> Connection {
        self.pool(1).get().await.expect("a connection")
    }

    /// Runs SQL and gives the last statement's rows as text; for tests without a runtime.
    pub(crate) fn sql(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        blocking(self.config(), sql.to_owned())
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        admin(format!(
            "drop database if exists {} with (force)",
            self.name
        ));
    }
}

/// The folder of the shared server's socket.
pub(crate) fn socket_dir() -> &'static Path {
    shared().running.socket_dir()
}

fn config(dbname: &str) -> ConnectConfig {
    shared()
        .running
        .config(&ConnectConfig::new(
            Host::Embedded,
            server::SUPERUSER,
            dbname,
        ))
        .with_dbname(dbname)
}

/// Runs SQL on a private server of the test's own.
pub(crate) fn run_on(running: &Running, sql: &str) {
    let config = ConnectConfig::new(Host::Embedded, server::SUPERUSER, "postgres");
    blocking(running.config(&config), sql.to_owned());
}

fn admin(sql: String) {
    blocking(config("postgres"), sql);
}

/// On a thread of its own, since the caller may be inside a runtime.
fn blocking(config: ConnectConfig, sql: String) -> Vec<Vec<Option<String>>> {
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let pool = Pool::new(config, 1).expect("needs no certificates");
            let connection = pool.get().await.expect("a connection");
            connection.query_untyped(&sql).await.expect("runs").rows
        })
    };
    std::thread::spawn(work).join().expect("does not panic")
}
