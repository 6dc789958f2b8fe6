//! Finding and reading the files of a package: sorted, links followed once, `.dbtignore`
//! obeyed, every text checked to be text.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use rayon::prelude::*;

use crate::diag::codes::{
    FILE_NAME, LINK_LOOP, PROJECT_NOT_TEXT, PROJECT_NOT_UTF8, PROJECT_UNREADABLE,
};
use crate::diag::{Diagnostic, FileId, SourceMap};

/// A file under a resource folder.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// The file name without its extension.
    pub(crate) name: String,
    /// The extension, in lower case, without the dot.
    pub(crate) extension: String,
    /// Relative to the package's root, with `/`.
    pub(crate) path: String,
    /// The resource folder, relative to the package's root.
    pub(crate) base: String,
    /// Where it is on disk.
    pub(crate) absolute: PathBuf,
}

/// Lists the files of a package's folders.
pub(crate) struct Walker<'a> {
    root: &'a Path,
    ignored: Gitignore,
    /// What went wrong on the way.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl<'a> Walker<'a> {
    /// A walker over a package; reads its `.dbtignore`.
    pub(crate) fn new(root: &'a Path) -> Self {
        let mut builder = GitignoreBuilder::new(root);
        let file = root.join(".dbtignore");
        let mut diagnostics = Vec::new();
        if file.is_file()
            && let Some(error) = builder.add(&file)
        {
            diagnostics.push(
                Diagnostic::warning(
                    PROJECT_UNREADABLE,
                    format!("a pattern of .dbtignore does not count: {error}"),
                )
                .in_file(".dbtignore")
                .hint("write patterns as in .gitignore"),
            );
        }
        let ignored = builder.build().unwrap_or_else(|_| Gitignore::empty());
        Self {
            root,
            ignored,
            diagnostics,
        }
    }

    /// All files below a folder of the package, sorted by path; none if it does not exist.
    pub(crate) fn files(&mut self, base: &str) -> Vec<Found> {
        let base = base.trim_end_matches('/').trim_start_matches("./");
        let mut found = Vec::new();
        let top = self.root.join(base);
        if top.is_dir() {
            let mut visit = Visit {
                walker: self,
                base,
                parents: Vec::new(),
                found: &mut found,
            };
            visit.folder(&top, base);
        }
        found
    }
}

struct Visit<'w, 'a> {
    walker: &'w mut Walker<'a>,
    base: &'w str,
    /// The real paths of the folders above, for links that lead back to them.
    parents: Vec<PathBuf>,
    found: &'w mut Vec<Found>,
}

impl Visit<'_, '_> {
    fn folder(&mut self, folder: &Path, relative: &str) {
        let entries = match sorted_entries(folder) {
            Ok(entries) => entries,
            Err(error) => {
                self.walker.diagnostics.push(unreadable(relative, &error));
                return;
            }
        };
        for (name, file_type) in entries {
            let Some(text) = name.to_str() else {
                self.bad_name(relative, &name.to_string_lossy());
                continue;
            };
            let path = if relative.is_empty() || relative == "." {
                text.to_owned()
            } else {
                format!("{relative}/{text}")
            };
            self.entry(&folder.join(&name), path, text, file_type);
        }
    }

    fn entry(&mut self, absolute: &Path, path: String, name: &str, file_type: fs::FileType) {
        let is_link = file_type.is_symlink();
        let is_folder = if is_link {
            absolute.is_dir()
        } else {
            file_type.is_dir()
        };
        if self
            .walker
            .ignored
            .matched_path_or_any_parents(&path, is_folder)
            .is_ignore()
        {
            return;
        }
        if is_folder {
            self.enter(absolute, &path, is_link);
        } else if !name.starts_with(['.', '#', '~']) && (is_link || file_type.is_file()) {
            // A pipe or a socket would block whoever reads it.
            if !is_link || !absolute.exists() || absolute.is_file() {
                self.file(absolute, path, name);
            }
        }
    }

    fn enter(&mut self, absolute: &Path, path: &str, is_link: bool) {
        if is_link {
            let real = absolute
                .canonicalize()
                .unwrap_or_else(|_| absolute.to_owned());
            let above = absolute.parent().and_then(|p| p.canonicalize().ok());
            if self.parents.contains(&real) || above.is_some_and(|p| p.starts_with(&real)) {
                self.walker.diagnostics.push(
                    Diagnostic::warning(LINK_LOOP, "a link leads back to a folder above it")
                        .in_file(path)
                        .hint("remove the link, or list it in .dbtignore"),
                );
                return;
            }
            self.parents.push(real);
        }
        self.folder(absolute, path);
        if is_link {
            self.parents.pop();
        }
    }

    fn file(&mut self, absolute: &Path, path: String, name: &str) {
        let Some((stem, extension)) = name.rsplit_once('.') else {
            return;
        };
        if name.contains(char::is_control) {
            self.bad_name(&path, name);
            return;
        }
        self.found.push(Found {
            name: stem.to_owned(),
            extension: extension.to_ascii_lowercase(),
            base: self.base.to_owned(),
            absolute: absolute.to_owned(),
            path,
        });
    }

    fn bad_name(&mut self, place: &str, name: &str) {
        self.walker.diagnostics.push(
            Diagnostic::warning(
                FILE_NAME,
                format!("the file name {name:?} cannot be used, so the file is left out"),
            )
            .in_file(place.replace(char::is_control, "?"))
            .hint("rename it in printable UTF-8, or list it in .dbtignore"),
        );
    }
}

fn sorted_entries(folder: &Path) -> io::Result<Vec<(std::ffi::OsString, fs::FileType)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        entries.push((entry.file_name(), entry.file_type()?));
    }
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(entries)
}

/// Reads texts on all cores, in order; each is in the source map under its shown path, or is
/// a diagnostic.
pub(crate) fn read_texts(
    files: &[(PathBuf, PathBuf)],
    sources: &SourceMap,
) -> Vec<Result<FileId, Diagnostic>> {
    let texts: Vec<Result<Arc<str>, Diagnostic>> = files
        .par_iter()
        .map(|(absolute, shown)| read_text(absolute, shown))
        .collect();
    texts
        .into_iter()
        .zip(files)
        .map(|(text, (_, shown))| text.map(|text| sources.add(shown, text)))
        .collect()
}

/// Reads one text file.
pub(crate) fn read_text(absolute: &Path, shown: &Path) -> Result<Arc<str>, Diagnostic> {
    let bytes = fs::read(absolute).map_err(|error| unreadable(shown, &error))?;
    if let Some(at) = bytes.iter().position(|b| *b == 0) {
        return Err(Diagnostic::error(
            PROJECT_NOT_TEXT,
            format!("{} is not a text file", shown.display()),
        )
        .in_file(shown)
        .note(format!("byte {} is NUL", at + 1))
        .hint("save it as UTF-8 text, or list it in .dbtignore"));
    }
    String::from_utf8(bytes)
        .map(Arc::from)
        .map_err(|error| not_utf8(shown, error.as_bytes(), error.utf8_error().valid_up_to()))
}

fn not_utf8(shown: &Path, bytes: &[u8], at: usize) -> Diagnostic {
    let line = bytes[..at].iter().filter(|b| **b == b'\n').count() + 1;
    let start = bytes[..at]
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(0, |p| p + 1);
    let column = String::from_utf8_lossy(&bytes[start..at]).chars().count() + 1;
    Diagnostic::error(
        PROJECT_NOT_UTF8,
        format!("{} is not valid UTF-8", shown.display()),
    )
    .in_file(shown)
    .note(format!(
        "line {line}, column {column} holds the byte 0x{:02x}",
        bytes[at]
    ))
    .hint("save the file as UTF-8; `iconv -f latin1 -t utf-8` converts most old files")
}

fn unreadable(shown: impl AsRef<Path>, error: &io::Error) -> Diagnostic {
    let shown = shown.as_ref();
    let (reason, hint) = match error.kind() {
        io::ErrorKind::PermissionDenied => (
            "permission denied".to_owned(),
            "give yourself the right to read it, for example with `chmod u+r`".to_owned(),
        ),
        io::ErrorKind::NotFound => (
            "it does not exist".to_owned(),
            "restore the file, or remove a link that leads nowhere".to_owned(),
        ),
        _ => (
            error.to_string(),
            "check the file and the disk it lies on".to_owned(),
        ),
    };
    Diagnostic::error(
        PROJECT_UNREADABLE,
        format!("cannot read {}: {reason}", shown.display()),
    )
    .in_file(shown)
    .hint(hint)
}
