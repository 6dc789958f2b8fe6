//! A small project in a folder of its own, and `marts` run on it against a test database.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value as Json;

use crate::support::TestDb;
use crate::support::server::temp_folder;

/// A project's files and the database that it builds in; both go with this value.
pub(crate) struct Project {
    pub(crate) db: TestDb,
    root: PathBuf,
    url: String,
}

/// What a command said and did.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Project {
    /// A project of these files (path, text) on a database of its own, published in dbt's order.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        Self::published(
            std::env::var("MARTS_IT_PUBLISH")
                .as_deref()
                .unwrap_or("immediate"),
            files,
        )
    }

    /// A project with a publish mode.
    pub(crate) fn published(mode: &str, files: &[(&str, &str)]) -> Self {
        let db = TestDb::new();
        let url = format!("{}&schema=shop", db.url());
        let project = Self {
            db,
            root: temp_folder("marts-run-"),
            url,
        };
        project.write(
            "project.yml",
            &format!(
                "name: shop\nversion: '1.0'\nconfig-version: 2\nprofile: shop\npublish: {mode}\n"
            ),
        );
        project.write(
            "profiles.yml",
            "shop:\n  target: it\n  outputs:\n    it:\n      type: postgres\n      host: \
             localhost\n      user: nobody\n      dbname: x\n      schema: shop\n      threads: 4\n",
        );
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    /// The project's folder.
    pub(crate) fn root(&self) -> &std::path::Path {
        &self.root
    }

    /// Connects as another role from now on.
    pub(crate) fn with_role(mut self, role: &str) -> Self {
        self.url = self.url.replacen("postgres@", &format!("{role}@"), 1);
        self
    }

    /// Builds in another database from now on.
    pub(crate) fn with_url(mut self, url: &str) -> Self {
        url.clone_into(&mut self.url);
        self
    }

    /// Connects with a further parameter from now on, for example `lock_timeout=1s`.
    pub(crate) fn with_parameter(mut self, parameter: &str) -> Self {
        self.url.push('&');
        self.url.push_str(parameter);
        self
    }

    /// Writes or replaces a file.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().expect("has a folder")).expect("makes the folder");
        fs::write(path, text).expect("writes");
    }

    /// A path inside the project.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// The text of a file of the project.
    #[track_caller]
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).expect("is there")
    }

    /// Removes a file.
    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.root.join(path)).expect("removes");
    }

    /// Copies a file within the project.
    pub(crate) fn copy(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.root.join(from)).expect("reads");
        self.write(to, &text);
    }

    /// A JSON file.
    pub(crate) fn json(&self, path: &str) -> Json {
        let text = fs::read_to_string(self.root.join(path)).expect("reads");
        serde_json::from_str(&text).expect("is JSON")
    }

    /// `marts` with these arguments, not yet started.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_marts"));
        command
            .args(args)
            .args(["--url", &self.url, "--log-level", "debug"])
            .current_dir(&self.root)
            .env("HOME", &self.root)
            .env_remove("DATABASE_URL")
            .stdin(Stdio::null());
        command
    }

    /// Starts `marts` and does not wait.
    pub(crate) fn spawn(&self, args: &[&str]) -> Child {
        self.command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("marts starts")
    }

    /// Runs `marts` to its end.
    pub(crate) fn marts(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args).output().expect("marts runs"))
    }

    /// Runs `marts`, which must end well and leave nothing behind.
    #[track_caller]
    pub(crate) fn ok(&self, args: &[&str]) -> Ran {
        let ran = self.marts(args);
        assert_eq!(ran.code, 0, "{args:?}:\n{}\n{}", ran.stdout, ran.stderr);
        self.no_leftovers();
        ran
    }

    /// Runs `marts`, which must end with this code and say each of these.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, args: &[&str], says: &[&str]) -> Ran {
        let ran = self.marts(args);
        assert_eq!(ran.code, code, "{args:?}:\n{}\n{}", ran.stdout, ran.stderr);
        for text in says {
            assert!(ran.stderr.contains(text), "{text:?} in:\n{}", ran.stderr);
        }
        ran
    }

    /// Rows as text: cells joined by `|`, rows by a space; NULL is `~`.
    #[track_caller]
    pub(crate) fn rows(&self, sql: &str) -> String {
        let rows = self.db.sql(sql);
        let row = |cells: &Vec<Option<String>>| {
            let cells: Vec<&str> = cells.iter().map(|c| c.as_deref().unwrap_or("~")).collect();
            cells.join("|")
        };
        rows.iter().map(row).collect::<Vec<_>>().join(" ")
    }

    /// Runs statements.
    #[track_caller]
    pub(crate) fn sql(&self, sql: &str) {
        self.db.sql(sql);
    }

    /// Waits until a query gives a row, as long as it takes within a minute.
    #[track_caller]
    pub(crate) fn wait_for(&self, sql: &str) {
        for _ in 0..600 {
            if !self.rows(sql).is_empty() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("never came: {sql}");
    }

    /// Schemas and relations of runs that should have cleared up.
    pub(crate) fn leftovers(&self) -> String {
        self.rows(
            "select nspname from pg_namespace where nspname like '%\\_\\_m\\_%' union all select \
             relname from pg_class where relname like '%\\_\\_m\\_%' order by 1",
        )
    }

    #[track_caller]
    pub(crate) fn no_leftovers(&self) {
        assert_eq!(self.leftovers(), "", "left behind");
    }

    /// `run_results.json` of the last run.
    pub(crate) fn run_results(&self) -> Json {
        let text = fs::read_to_string(self.root.join("target/run_results.json"));
        serde_json::from_str(&text.expect("is there")).expect("is JSON")
    }

    /// The status and message of each node of the last run, by its name.
    pub(crate) fn results(&self) -> Vec<(String, String, String)> {
        let text = fs::read_to_string(self.root.join("target/run_results.json"));
        let json: Json = serde_json::from_str(&text.expect("is there")).expect("is JSON");
        let word = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        let results = json["results"].as_array().expect("is a list");
        results
            .iter()
            .map(|r| {
                let id = word(&r["unique_id"]);
                let name = id.split('.').nth(2).unwrap_or_default().to_owned();
                (name, word(&r["status"]), word(&r["message"]))
            })
            .collect()
    }

    /// `name=status` of each node of the last run, sorted.
    pub(crate) fn statuses(&self) -> String {
        let mut all: Vec<String> = self
            .results()
            .iter()
            .map(|(name, status, _)| format!("{name}={status}"))
            .collect();
        all.sort();
        all.join(" ")
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = fs::remove_dir_all(&self.root);
        }
    }
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}
