//! A seed's rows as bytes for COPY, block by block, in flat memory.

use std::fs::File;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::blocks::{Block, Blocks};
use super::copy::CopyFormat;
use super::problem::SeedProblem;
use super::rows::{Layout, Row};
use super::shape::{SeedColumn, SeedShape};

/// The bytes of a COPY, in pieces of about a megabyte. Reading blocks: pull it where a
/// thread may wait for a disk.
pub struct SeedChunks {
    path: PathBuf,
    blocks: Blocks<File>,
    columns: Vec<SeedColumn>,
    format: CopyFormat,
    layout: Layout,
    rows_due: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Begin,
    Rows,
    Done,
}

impl SeedChunks {
    pub(super) fn open(shape: &SeedShape, path: &Path) -> Result<Self, SeedProblem> {
        let blocks = Blocks::open(path, shape.layout.delimiter);
        Ok(Self {
            path: path.to_owned(),
            blocks: blocks.map_err(|error| SeedProblem::io(path, &error))?,
            columns: shape.columns.clone(),
            format: shape.format,
            layout: shape.layout,
            rows_due: shape.rows,
            state: State::Begin,
        })
    }

    fn chunk(&mut self) -> Result<Option<Bytes>, SeedProblem> {
        let mut out = Vec::new();
        if self.state == State::Begin {
            self.state = State::Rows;
            self.format.begin(&mut out);
        }
        match self.blocks.next() {
            Some(Ok(block)) => {
                out.reserve(block.bytes.len() * 5 / 4);
                self.encode(&block, &mut out)?;
            }
            Some(Err(fault)) => return Err(SeedProblem::fault(&self.path, &fault)),
            None if self.rows_due > 0 => return Err(self.changed()),
            None => {
                self.state = State::Done;
                self.format.end(&mut out);
            }
        }
        Ok(Some(Bytes::from(out)))
    }

    fn encode(&mut self, block: &Block, out: &mut Vec<u8>) -> Result<(), SeedProblem> {
        let Ok(text) = std::str::from_utf8(&block.bytes) else {
            return Err(self.changed());
        };
        let mut rows = 0;
        let mut whole = true;
        self.layout.each_row(block, |row| {
            rows += 1;
            whole = encode_row(&self.columns, self.format, (text, row), out).is_some();
            if whole {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        let due = self.rows_due.checked_sub(rows);
        self.rows_due = due.filter(|_| whole).ok_or_else(|| self.changed())?;
        Ok(())
    }

    /// Inference read every value, so that only another file can hold a different one.
    fn changed(&self) -> SeedProblem {
        let path = self.path.display();
        SeedProblem::new(format!("{path} changed while it was loaded")).hint("load it again")
    }
}

fn encode_row(
    columns: &[SeedColumn],
    format: CopyFormat,
    (text, row): (&str, &Row<'_>),
    out: &mut Vec<u8>,
) -> Option<()> {
    format.begin_row(columns.len(), out);
    for (index, column) in columns.iter().enumerate() {
        let field = row.fields.get(index).map(|field| field.text(text));
        let value = column.reading.value(field.as_deref().unwrap_or(""))?;
        format.put(&value, index == 0, out);
    }
    format.end_row(out);
    (row.fields.len() <= columns.len()).then_some(())
}

impl Iterator for SeedChunks {
    type Item = Result<Bytes, SeedProblem>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.state == State::Done {
            return None;
        }
        let chunk = self.chunk();
        if chunk.is_err() {
            self.state = State::Done;
        }
        chunk.transpose()
    }
}
