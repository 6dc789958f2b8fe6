//! `kill -9` of marts, of its backends and of the server while a build publishes together.
//!
//! The suite kills twenty times. `MARTS_KILLS=1000 cargo test --test it kills:: --
//! --nocapture` does it a thousand times and prints its seed; `MARTS_KILLS_SEED` chooses
//! another.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use marts::pg::server::{self, Options, Running};
use marts::pg::{ConnectConfig, Host};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::support::Client;
use crate::run::support::{Project, Ran};
use crate::support::server::{Watcher, temp_folder, watch};

/// Tables, views, an incremental model, a seed and tests; every relation carries the version, so that a mixture would
/// show.
const FILES: [(&str, &str); 8] = [
    ("seeds/s.csv", "id,name\n1,a\n2,b\n"),
    (
        "models/a.sql",
        "{{ config(materialized='table', indexes=[{'columns': ['id'], 'unique': true}]) }} select \
         g as id, {{ var('v', 1) }} as v from generate_series(1, 300) g cross join (select \
         count(*) from {{ ref('s') }}) s",
    ),
    (
        "models/av.sql",
        "select id, v, {{ var('v', 1) }} as w from {{ ref('a') }}",
    ),
    (
        "models/b.sql",
        "{{ config(materialized='table', post_hook='create index on {{ this }} (v)') }} select \
         id, v from {{ ref('av') }}",
    ),
    (
        "models/r.sql",
        "{{ config(materialized='table', publish_method='rows') }} select id, v from {{ ref('b') }}",
    ),
    (
        "models/i.sql",
        "{{ config(materialized='incremental', unique_key='id') }} select id, v from {{ ref('b') }}",
    ),
    ("models/iv.sql", "select id, v from {{ ref('i') }}"),
    (
        "tests/whole.sql",
        "select i.id from {{ ref('iv') }} i full join {{ ref('r') }} r on i.id = r.id and i.v = \
         r.v where i.id is null or r.id is null",
    ),
];

/// What one statement sees of each relation: rows and versions.
const STATE: &str = "select (select concat(count(*), ':', min(v), ':', max(v)) from shop.a), \
                     (select concat(count(*), ':', min(v), ':', max(w)) from shop.av), (select \
                     concat(count(*), ':', min(v), ':', max(v)) from shop.b), (select \
                     concat(count(*), ':', min(v), ':', max(v)) from shop.r), (select \
                     concat(count(*), ':', min(v), ':', max(v)) from shop.i), (select \
                     concat(count(*), ':', min(v), ':', max(v)) from shop.iv), (select count(*) \
                     from shop.s)";

fn state(version: u32) -> String {
    let cell = format!("300:{version}:{version}");
    [cell.as_str(); 6].join("|") + "|2"
}

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Marts,
    /// The backend that holds the target and publishes.
    Publisher,
    /// A backend that builds or tests.
    Builder,
    Server,
}

/// When.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// At a part of the usual time of a build.
    Anywhere(f64),
    /// So long after the publication began to wait for a table that is being read.
    WhilePublishing(Duration),
    /// So long after that reader ended: about at the commit.
    AtCommit(Duration),
}

/// A private server of its own, since a kill of one backend ends all sessions of a server.
struct Bench {
    project: Project,
    options: Options,
    running: Option<Running>,
    rng: StdRng,
    version: u32,
    usual: Duration,
    _watcher: Watcher,
    folder: PathBuf,
}

impl Bench {
    fn new(seed: u64) -> Self {
        let folder = temp_folder("marts-kills-");
        let watcher = watch(&folder);
        let mut options = Options::new(&folder, "postgres");
        options.base = Some(folder.join("pg"));
        let running = server::ensure_server(&options).expect("a private server");
        let url = format!(
            "postgres://{}@/postgres?host={}&port={}&schema=shop",
            server::SUPERUSER,
            running.socket_dir().display(),
            running.port()
        );
        let mut bench = Self {
            project: Project::published("together", &FILES).with_url(&url),
            options,
            running: Some(running),
            rng: StdRng::seed_from_u64(seed),
            version: 1,
            usual: Duration::ZERO,
            _watcher: watcher,
            folder,
        };
        let commits = bench.client().rows("show synchronous_commit");
        assert_eq!(commits, "off", "else an acknowledged commit proves nothing");
        bench.build();
        bench.version = 2;
        let start = Instant::now();
        bench.build();
        bench.usual = start.elapsed();
        bench
    }

    fn client(&self) -> Client {
        let wanted = ConnectConfig::new(Host::Embedded, server::SUPERUSER, "postgres");
        let running = self.running.as_ref().expect("runs");
        Client::new(running.config(&wanted).with_dbname("postgres"))
    }

    fn args(&self) -> [String; 3] {
        [
            "build".into(),
            "--vars".into(),
            format!("{{v: {}}}", self.version),
        ]
    }

    /// A build of the current version that must end well and clear up.
    fn build(&self) {
        let args = self.args();
        let ran = self.project.marts(&args.each_ref().map(String::as_str));
        assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
        let client = self.client();
        assert_eq!(client.rows(STATE), state(self.version));
        let left = "select nspname from pg_namespace where nspname like '%\\_\\_m\\_%'";
        assert_eq!(client.rows(left), "", "left behind; {}", ran.stderr);
    }

    fn moment(&mut self) -> Moment {
        let ms =
            |rng: &mut StdRng, most: u64| Duration::from_micros(rng.random_range(0..most * 1000));
        match self.rng.random_range(0..5) {
            0 => Moment::WhilePublishing(ms(&mut self.rng, 100)),
            1 | 2 => Moment::AtCommit(ms(&mut self.rng, 12)),
            _ => Moment::Anywhere(self.rng.random_range(0.0..1.1)),
        }
    }

    /// One build, one kill, what is there after it, and the build after that.
    fn kill_once(&mut self, victim: Victim) -> &'static str {
        let moment = self.moment();
        let old = self.version;
        self.version += 1;
        let args = self.args();
        let args = args.each_ref().map(String::as_str);
        let asking = self.client();
        let reader = match moment {
            Moment::Anywhere(_) => None,
            _ => Some(self.client()),
        };
        if let Some(reader) = &reader {
            reader.rows("begin; select count(*) from shop.b");
        }
        let mut child = self.project.spawn(&args);
        match moment {
            Moment::Anywhere(part) => std::thread::sleep(self.usual.mul_f64(part)),
            Moment::WhilePublishing(after) | Moment::AtCommit(after) => {
                until_it_waits(&asking, &mut child);
                if matches!(moment, Moment::AtCommit(_)) {
                    reader.as_ref().expect("reads").rows("commit");
                }
                std::thread::sleep(after);
            }
        }
        self.kill(victim, &mut child, &asking);
        drop((reader, asking));
        let ran = Ran::of(child.wait_with_output().expect("ends"));
        let told = ran.code == 0 || ran.stderr.contains("Published ");
        self.back(victim);
        let found = self.client().rows(STATE);
        let context = format!(
            "version {}, {victim:?}, {moment:?}, exit {}\n{}",
            self.version, ran.code, ran.stderr
        );
        let published = found == state(self.version);
        assert!(published || found == state(old), "half: {found}\n{context}");
        assert!(
            published || !told,
            "an acknowledged publish is lost: {found}\n{context}"
        );
        if victim != Victim::Marts {
            assert!((0..=2).contains(&ran.code), "{context}");
            assert!(
                !(published && ran.stderr.contains("as it was before this run")),
                "it said that nothing was published\n{context}"
            );
        }
        self.build();
        match (published, told) {
            (false, _) => "old",
            (true, true) => "new",
            (true, false) => "new, untold",
        }
    }

    fn kill(&self, victim: Victim, child: &mut Child, asking: &Client) {
        let publisher = "select pid from pg_locks where locktype = 'advisory' and classid = \
                         1952543335 and granted";
        match victim {
            Victim::Marts => child.kill().expect("kills"),
            Victim::Server => {
                signal(&self.postmaster());
            }
            Victim::Publisher => {
                if let Ok(pid) = asking.ask(&format!("{publisher} limit 1")) {
                    signal_backend(&pid, asking);
                }
            }
            Victim::Builder => {
                let builder = format!(
                    "select pid from pg_stat_activity where backend_type = 'client backend' and \
                     application_name like '%marts%' and pid <> pg_backend_pid() and pid not in \
                     ({publisher}) order by state limit 1"
                );
                if let Ok(pid) = asking.ask(&builder) {
                    signal_backend(&pid, asking);
                }
            }
        }
    }

    fn postmaster(&self) -> String {
        let data = self.running.as_ref().expect("runs").data();
        let text = fs::read_to_string(data.join("postmaster.pid")).expect("runs");
        text.lines().next().expect("has a pid").to_owned()
    }

    /// The server answers again: started by us, or by itself where only a backend was killed.
    fn back(&mut self, victim: Victim) {
        if victim == Victim::Server {
            drop(self.running.take());
            let again = server::ensure_server(&self.options).expect("starts again");
            self.running = Some(again);
        }
        let start = Instant::now();
        let wanted = ConnectConfig::new(Host::Embedded, server::SUPERUSER, "postgres");
        let running = self.running.as_ref().expect("runs");
        let config = running.config(&wanted).with_dbname("postgres");
        while Client::try_new(config.clone()).is_err() {
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "the server stays away"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        drop(self.running.take());
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Until the publication waits for a table, or the build ended without.
fn until_it_waits(asking: &Client, child: &mut Child) {
    let waits = "select 1 from pg_locks where not granted and mode = 'AccessExclusiveLock'";
    while asking.rows(waits).is_empty() {
        assert!(
            child.try_wait().expect("is ours").is_none(),
            "it never waited"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// `kill -9`; a process that has just ended is as good. Whether it was there.
fn signal(pid: &str) -> bool {
    let kill = || Command::new("kill").args(["-KILL", pid]).output();
    !pid.is_empty() && kill().is_ok_and(|ran| ran.status.success())
}

/// Likewise, until the server has noticed: it then ends all other sessions and restarts. Before,
/// it still lets in whom it will end.
fn signal_backend(pid: &str, asking: &Client) {
    let there = signal(pid);
    let start = Instant::now();
    // One that was about to end by itself is not noticed.
    while there && asking.ask("select 1").is_ok() && start.elapsed() < Duration::from_secs(2) {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// So many of the twentieths of all kills, in turn of these victims; prints what came out.
fn kills(name: &str, twentieths: u32, victims: &[Victim]) {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<u32>().ok());
    let all = number("MARTS_KILLS").unwrap_or(20);
    let seed = number("MARTS_KILLS_SEED").unwrap_or(20);
    let mut bench = Bench::new(u64::from(seed));
    let mut outcomes = std::collections::BTreeMap::<&str, u32>::new();
    for at in 0..all * twentieths / 20 {
        let victim = victims[at as usize % victims.len()];
        *outcomes.entry(bench.kill_once(victim)).or_default() += 1;
    }
    #[allow(
        clippy::print_stderr,
        reason = "a thousand kills are watched by a person"
    )]
    {
        eprintln!("{name}: seed {seed}, published data after each kill: {outcomes:?}");
    }
}

#[test]
fn a_kill_of_marts_leaves_old_or_new() {
    kills("marts", 7, &[Victim::Marts]);
}

#[test]
fn a_kill_of_a_backend_leaves_old_or_new() {
    kills("backends", 7, &[Victim::Publisher, Victim::Builder]);
}

#[test]
fn a_kill_of_the_server_leaves_old_or_new_and_what_was_acknowledged() {
    kills("server", 6, &[Victim::Server]);
}
