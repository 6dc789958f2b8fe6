//! Files that diagnostics point into, and places in them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

/// A file of a [`SourceMap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(u32);

/// A range of bytes in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// The first byte.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
}

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it was written.
    pub span: Span,
}

/// A file's path, as the user should see it, and its text.
#[derive(Debug)]
pub struct SourceFile {
    /// Relative to the project's folder where it lies inside it.
    pub path: PathBuf,
    /// The whole text.
    pub text: Arc<str>,
}

impl SourceFile {
    /// Line and column of a byte, both from 1; the column counts characters.
    pub fn line_column(&self, byte: u32) -> (usize, usize) {
        let byte = (byte as usize).min(self.text.len());
        let before = &self.text.as_bytes()[..byte];
        // A schema file of hundreds of models is asked for each of its tests.
        let line = memchr::memchr_iter(b'\n', before).count() + 1;
        let start = memchr::memrchr(b'\n', before).map_or(0, |p| p + 1);
        let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
        (line, column)
    }

    /// The byte range of a line, from 1, without its newline; the last line when there are fewer.
    pub fn line_range(&self, line: usize) -> (u32, u32) {
        let mut start = 0;
        let mut range = (0, 0);
        for (index, text) in self.text.split('\n').enumerate() {
            range = (
                start as u32,
                (start + text.trim_end_matches('\r').len()) as u32,
            );
            if index + 1 >= line {
                break;
            }
            start += text.len() + 1;
        }
        range
    }
}

/// All files that were read, shared by every stage; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct SourceMap(Arc<RwLock<Vec<Arc<SourceFile>>>>);

impl SourceMap {
    /// Adds a file and gives its id.
    pub fn add(&self, path: impl AsRef<Path>, text: impl Into<Arc<str>>) -> FileId {
        let file = SourceFile {
            path: path.as_ref().to_owned(),
            text: text.into(),
        };
        let mut files = self
            .0
            .write()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        files.push(Arc::new(file));
        FileId((files.len() - 1) as u32)
    }

    /// The file of an id that this map gave.
    pub fn file(&self, id: FileId) -> Arc<SourceFile> {
        let files = self
            .0
            .read()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        Arc::clone(&files[id.0 as usize])
    }

    /// The span of a whole line (from 1) of a file.
    pub fn line_span(&self, file: FileId, line: usize) -> Span {
        let (start, end) = self.file(file).line_range(line);
        Span { file, start, end }
    }
}
