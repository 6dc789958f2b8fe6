//! The reports that `--report FORM=PATH` asks for: their forms, their files, which are opened
//! before the run starts, and the one reporter that writes them when it ends.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::Reporter;
use super::digest::Digest;
use super::github::annotations;
use super::html::html;
use super::junit::junit;
use super::lineage::Lineage;
use super::markdown::{self, markdown};
use super::places::Places;
use crate::diag::{Diagnostic, codes, nearest};
use crate::event::Event;

/// A form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// JUnit XML.
    Junit,
    /// GitHub annotations, with the step summary beside them.
    Github,
    /// Markdown for a comment.
    Markdown,
    /// One HTML file.
    Html,
}

const FORMS: [(&str, Form); 4] = [
    ("junit", Form::Junit),
    ("github", Form::Github),
    ("markdown", Form::Markdown),
    ("html", Form::Html),
];

/// Where a report goes.
enum Sink {
    Stdout,
    File(PathBuf, File),
}

/// A report that was asked for, its file open and empty.
struct Wanted {
    form: Form,
    sink: Sink,
}

/// What the environment says to reports.
#[derive(Clone, Debug, Default)]
pub struct Forge {
    /// `GITHUB_STEP_SUMMARY`: a file to add to.
    pub step_summary: Option<PathBuf>,
    /// `GITHUB_ACTIONS`: stdout is read for workflow commands.
    pub is_github: bool,
    /// Files and links.
    pub places: Places,
}

/// Writing that went wrong at the end, for whoever decides the exit code.
#[derive(Clone, Debug, Default)]
pub struct Unwritten(Arc<Mutex<Vec<Diagnostic>>>);

impl Unwritten {
    /// Adds a problem.
    pub fn add(&self, problem: Diagnostic) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(problem);
    }

    /// All of them, leaving none.
    pub fn take(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The requested reports of one command.
pub struct ReportFiles {
    wanted: Vec<Wanted>,
    digest: Digest,
    lineage: Arc<Mutex<Lineage>>,
    forge: Forge,
    unwritten: Unwritten,
    clock: Box<dyn FnMut() -> Timestamp + Send>,
    /// What gives workflow commands their meaning back; see [`ReportFiles::begin`].
    stop_token: Option<String>,
}

impl ReportFiles {
    /// Reads `FORM=PATH` texts and opens the files, relative to the working folder; `-` is
    /// stdout. Folders that are missing are made.
    ///
    /// Errors: a form that is none, a path twice, a file that cannot be written.
    pub fn open(texts: &[String], forge: Forge) -> Result<Self, Vec<Diagnostic>> {
        let mut wanted: Vec<Wanted> = Vec::new();
        let mut problems = Vec::new();
        for text in texts {
            match parse(text).and_then(|(form, path)| {
                only_once(&wanted, path)?;
                Ok(Wanted {
                    form,
                    sink: Sink::open(path)?,
                })
            }) {
                Ok(one) => wanted.push(one),
                Err(problem) => problems.push(*problem),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            wanted,
            digest: Digest::new(),
            lineage: Arc::default(),
            forge,
            unwritten: Unwritten::default(),
            clock: Box::new(Timestamp::now),
            stop_token: None,
        })
    }

    /// Whether none was asked for.
    pub fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Where the graph's facts go once they are known.
    pub fn lineage(&self) -> Arc<Mutex<Lineage>> {
        Arc::clone(&self.lineage)
    }

    /// Where problems of writing are found after [`Reporter::finish`].
    pub fn unwritten(&self) -> Unwritten {
        self.unwritten.clone()
    }

    /// Where annotations go to the stdout of a GitHub job, workflow commands are turned off until
    /// the end under a random word: values of the database reach the log, and a value must
    /// not command.
    #[must_use]
    pub fn begin(mut self) -> Self {
        let is_asked = |one: &Wanted| one.form == Form::Github && matches!(one.sink, Sink::Stdout);
        if self.forge.is_github && self.wanted.iter().any(is_asked) {
            let token = format!("marts-{:032x}", rand::random::<u128>());
            // A closed stdout will be told when the report is written.
            let _ = write_stdout(&format!("::stop-commands::{token}\n"));
            self.stop_token = Some(token);
        }
        self
    }

    fn text(&self, form: Form, lineage: &Lineage) -> String {
        let places = &self.forge.places;
        match form {
            Form::Junit => junit(&self.digest, lineage, places),
            Form::Markdown => markdown(&self.digest, places, markdown::COMMENT),
            Form::Html => html(&self.digest, lineage, places),
            Form::Github => {
                let token = self.stop_token.as_ref();
                let resume = token.map(|t| format!("::{t}::\n")).unwrap_or_default();
                resume + &annotations(&self.digest, places)
            }
        }
    }

    /// Adds to the step's summary, which other steps' tools may have begun.
    fn summarise(&self) -> Result<(), Box<Diagnostic>> {
        let asked = self.wanted.iter().any(|one| one.form == Form::Github);
        let Some(path) = self.forge.step_summary.as_ref().filter(|_| asked) else {
            return Ok(());
        };
        let text = markdown(&self.digest, &self.forge.places, markdown::SUMMARY);
        File::options()
            .create(true)
            .append(true)
            .open(path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| unwritable(path, &error))
    }
}

impl Reporter for ReportFiles {
    fn event(&mut self, event: &Event) {
        if !self.is_empty() {
            let now = (self.clock)();
            self.digest.take(event, now);
        }
    }

    fn finish(&mut self) {
        let lineage = self.lineage.lock().unwrap_or_else(PoisonError::into_inner);
        let lineage = lineage.clone();
        let texts: Vec<String> = self
            .wanted
            .iter()
            .map(|one| self.text(one.form, &lineage))
            .collect();
        for (one, text) in self.wanted.iter_mut().zip(texts) {
            if let Err(problem) = one.sink.write(&text) {
                self.unwritten.add(*problem);
            }
        }
        if let Err(problem) = self.summarise() {
            self.unwritten.add(*problem);
        }
    }
}

impl Sink {
    fn open(path: &str) -> Result<Self, Box<Diagnostic>> {
        if path == "-" {
            return Ok(Self::Stdout);
        }
        let path = PathBuf::from(path);
        let folder = path.parent().filter(|f| !f.as_os_str().is_empty());
        let made = folder.map_or(Ok(()), std::fs::create_dir_all);
        // Emptied now: a report of an earlier run must not pass for this one's.
        match made.and_then(|()| File::create(&path)) {
            Ok(file) => Ok(Self::File(path, file)),
            Err(error) => Err(unwritable(&path, &error)),
        }
    }

    fn write(&mut self, text: &str) -> Result<(), Box<Diagnostic>> {
        match self {
            Self::Stdout => write_stdout(text).map_err(|e| unwritable(Path::new("-"), &e)),
            Self::File(path, file) => file
                .write_all(text.as_bytes())
                .and_then(|()| file.flush())
                .map_err(|error| unwritable(path, &error)),
        }
    }
}

fn write_stdout(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn parse(text: &str) -> Result<(Form, &str), Box<Diagnostic>> {
    let forms = "junit, github, markdown or html";
    let Some((word, path)) = text.split_once('=').filter(|(_, path)| !path.is_empty()) else {
        return Err(Box::new(
            Diagnostic::error(
                codes::REPORT_FORM,
                format!("--report {text:?} does not say where the report goes"),
            )
            .hint(format!(
                "write FORM=PATH, where FORM is {forms}, and PATH is a file or - for stdout"
            )),
        ));
    };
    match FORMS.iter().find(|(name, _)| *name == word) {
        Some((_, form)) => Ok((*form, path)),
        None => {
            let names = FORMS.iter().map(|(name, _)| *name);
            let hint = match nearest(word, names) {
                Some(name) => format!("did you mean {name}={path}?"),
                None => format!("the forms are {forms}"),
            };
            let message = format!("there is no form of report named {word:?}");
            Err(Box::new(
                Diagnostic::error(codes::REPORT_FORM, message).hint(hint),
            ))
        }
    }
}

fn only_once(wanted: &[Wanted], path: &str) -> Result<(), Box<Diagnostic>> {
    let twice = wanted.iter().any(|one| match &one.sink {
        Sink::Stdout => path == "-",
        Sink::File(other, _) => path != "-" && other == Path::new(path),
    });
    if !twice {
        return Ok(());
    }
    let place = if path == "-" { "stdout" } else { path };
    let message = format!("two reports go to {place}");
    Err(Box::new(
        Diagnostic::error(codes::REPORT_FORM, message).hint("give each report a path of its own"),
    ))
}

fn unwritable(path: &Path, error: &io::Error) -> Box<Diagnostic> {
    let shown = match path.to_string_lossy() {
        text if text == "-" => "stdout".to_owned(),
        text => text.into_owned(),
    };
    Box::new(
        Diagnostic::error(
            codes::REPORT_UNWRITABLE,
            format!("the report {shown} cannot be written: {error}"),
        )
        .hint("name a file in a folder that you may write, and that has room"),
    )
}
