//! The history as CSV files, one per table, and the SQL that loads them.
//!
//! A file gets its name when it is whole, so a folder never holds half a table under its name.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;

use super::{SCHEMAS, Written};
use crate::names::{quote_ident, quote_literal};
use crate::synth::schema::TABLES;
use crate::synth::{Format, Simulation};

/// A file that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}: {source}")]
pub(super) struct FileError {
    pub(super) path: PathBuf,
    pub(super) source: io::Error,
}

struct Output {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Output {
    fn create(dir: &Path, name: &str) -> Result<Self, FileError> {
        let path = dir.join(name);
        let file = at(&part(&path), File::create(part(&path)))?;
        Ok(Self {
            path,
            file: BufWriter::with_capacity(1 << 16, file),
        })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        at(&self.path, self.file.write_all(bytes))
    }

    fn finish(mut self) -> Result<(), FileError> {
        at(&self.path, self.file.flush())?;
        at(&self.path, fs::rename(part(&self.path), &self.path))
    }
}

fn part(path: &Path) -> PathBuf {
    path.with_extension("part")
}

fn at<T>(path: &Path, result: io::Result<T>) -> Result<T, FileError> {
    result.map_err(|source| FileError {
        path: path.to_owned(),
        source,
    })
}

/// Writes every table's file and `load.sql`.
pub(super) fn write(
    simulation: &Simulation,
    threads: usize,
    dir: &Path,
    bar: &ProgressBar,
) -> Result<Written, FileError> {
    at(dir, fs::create_dir_all(dir))?;
    let mut outputs = Vec::new();
    for table in TABLES {
        let mut output = Output::create(dir, &format!("{}.csv", table.name))?;
        output.write(&Format::Csv.head(table))?;
        outputs.push(output);
    }
    let mut written = Written::new();
    simulation.stream(threads, Format::Csv, |block| {
        for (output, bytes) in outputs.iter_mut().zip(&block.tables) {
            output.write(bytes)?;
        }
        written.count(&block);
        bar.inc(1);
        Ok(())
    })?;
    let mut sql = Output::create(dir, "load.sql")?;
    sql.write(load_sql().as_bytes())?;
    outputs.push(sql);
    for output in outputs {
        output.finish()?;
    }
    Ok(written)
}

/// A script for psql, to be run in the folder.
fn load_sql() -> String {
    let mut sql = String::new();
    for schema in SCHEMAS {
        sql.push_str(&format!(
            "create schema if not exists {};\n",
            quote_ident(schema)
        ));
    }
    for table in TABLES {
        let relation = table.qualified(table.schema);
        let file = quote_literal(&format!("{}.csv", table.name));
        sql.push_str(&format!("\n{};\n", table.create_sql(table.schema)));
        sql.push_str(&format!(
            "\\copy {relation} from {file} (format csv, header)\n"
        ));
        // Rows that never change may come twice, as they do in the database.
        if table.is_mutable() {
            sql.push_str(&format!("{};\n", table.key_sql(table.schema)));
        }
    }
    sql
}
