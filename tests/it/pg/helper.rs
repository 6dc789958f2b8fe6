//! Another process that uses a private server: this test binary again, running one "test"
//! that does what its environment says, so that kills, users and limits are real.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use marts::pg::server::{self, Options};

const BASE: &str = "MARTS_IT_BASE";
const PROJECT: &str = "MARTS_IT_PROJECT";

/// Not a test of its own: the body of the helper process.
#[test]
fn helper_process() {
    let Ok(project) = std::env::var(PROJECT) else {
        return;
    };
    let mut options = Options::new(project, "marts").with_env(&|name| std::env::var(name).ok());
    options.base = std::env::var_os(BASE).map(PathBuf::from).or(options.base);
    options.small = true;
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    match runtime.block_on(server::ensure(options)) {
        Err(error) => {
            let diagnostic = error.diagnostic();
            let hint = diagnostic.hint.unwrap_or_default();
            println!(
                "\n@failed {} | {} | {hint}",
                diagnostic.code, diagnostic.message
            );
        }
        Ok(running) => {
            println!("\n@ready {}", running.is_started_here());
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
        }
    }
}

/// A helper process and what it said.
pub(crate) struct Helper {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

/// How to start one.
pub(crate) struct Start<'a> {
    pub(crate) project: &'a Path,
    pub(crate) base: Option<&'a Path>,
    /// Runs as `nobody` when we are root.
    pub(crate) ordinary: bool,
    /// The largest file that it and its children may write, in KiB.
    pub(crate) file_limit: Option<u32>,
}

impl<'a> Start<'a> {
    pub(crate) fn new(project: &'a Path) -> Self {
        Self {
            project,
            base: None,
            ordinary: false,
            file_limit: None,
        }
    }

    pub(crate) fn spawn(self) -> Helper {
        let binary = std::env::current_exe().expect("this binary");
        let mut command = Command::new("bash");
        let limit = match self.file_limit {
            Some(limit) => format!("ulimit -f {limit};"),
            None => String::new(),
        };
        command
            .args(["-c", &format!("{limit} exec \"$@\""), "helper"])
            .arg(binary)
            .args(["--exact", "pg::helper::helper_process", "--nocapture"])
            .env(PROJECT, self.project)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if let Some(base) = self.base {
            command.env(BASE, base);
        }
        if self.ordinary {
            command
                .env("HOME", self.project)
                .env_remove("XDG_CACHE_HOME")
                .env_remove("XDG_RUNTIME_DIR")
                .current_dir("/");
            if is_root() {
                command.uid(NOBODY).gid(NOBODY);
            }
        }
        let mut child = command.spawn().expect("the helper starts");
        Helper {
            stdin: child.stdin.take(),
            stdout: BufReader::new(child.stdout.take().expect("piped")),
            child,
        }
    }
}

/// The user `nobody`, on every system that we know.
pub(crate) const NOBODY: u32 = 65_534;

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

impl Helper {
    /// Waits for its report: `ready true`, `ready false` or `failed …`.
    pub(crate) fn report(&mut self) -> String {
        let mut line = String::new();
        while self.stdout.read_line(&mut line).expect("reads") > 0 {
            if let Some((_, report)) = line.trim_end().rsplit_once('@') {
                return report.to_owned();
            }
            line.clear();
        }
        panic!("the helper ended without a report");
    }

    /// Lets it end in order, and waits for that.
    pub(crate) fn end(mut self) {
        drop(self.stdin.take());
        self.child.wait().expect("ends");
    }

    /// Ends it by kill -9.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("kills");
        self.child.wait().expect("ends");
    }
}
