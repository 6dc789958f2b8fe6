//! A file in blocks of whole records, so that blocks can be read on their own, in parallel
//! and in flat memory.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use memchr::{memchr, memchr_iter, memrchr};

use super::records::{End, Records};

/// Bytes that are read at once.
const BLOCK: usize = 1 << 20;
/// A record longer than this is taken for an open quote; Postgres' own limit is 1 GB.
const LONGEST_RECORD: usize = 256 << 20;
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Whole records and the line (from 1) at which they begin.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) bytes: Vec<u8>,
    pub(super) first_line: u64,
}

impl Block {
    /// The line, from 1 in the file, of a byte of this block.
    pub(super) fn line_at(&self, byte: usize) -> u64 {
        self.first_line + lines(&self.bytes[..byte.min(self.bytes.len())])
    }
}

/// Why there is no next block.
#[derive(Debug)]
pub(super) enum Fault {
    /// The file system said no.
    Io(io::Error),
    /// A record that begins at this line does not end.
    Endless(u64),
}

/// The blocks of a file, in order; a byte order mark at its beginning is left out.
pub(super) struct Blocks<R> {
    input: R,
    delimiter: u8,
    size: usize,
    rest: Vec<u8>,
    line: u64,
    begun: bool,
    ended: bool,
}

impl Blocks<File> {
    pub(super) fn open(path: &Path, delimiter: u8) -> io::Result<Self> {
        Ok(Self::new(File::open(path)?, delimiter, BLOCK))
    }
}

impl<R: Read> Blocks<R> {
    fn new(input: R, delimiter: u8, size: usize) -> Self {
        Self {
            input,
            delimiter,
            size,
            rest: Vec::new(),
            line: 1,
            begun: false,
            ended: false,
        }
    }

    /// Reads on until `bytes` has `wanted` bytes or the file ends.
    fn fill(&mut self, bytes: &mut Vec<u8>, wanted: usize) -> io::Result<()> {
        let missing = wanted.saturating_sub(bytes.len()) as u64;
        bytes.reserve_exact(wanted.saturating_sub(bytes.len()));
        let read = self.input.by_ref().take(missing).read_to_end(bytes)?;
        self.ended = (read as u64) < missing;
        Ok(())
    }

    fn block(&mut self) -> Result<Option<Block>, Fault> {
        let mut bytes = std::mem::take(&mut self.rest);
        let mut wanted = self.size.max(bytes.len() + 1);
        loop {
            self.fill(&mut bytes, wanted).map_err(Fault::Io)?;
            if !self.begun {
                self.begun = true;
                if bytes.starts_with(BOM) {
                    bytes.drain(..BOM.len());
                }
            }
            let end = if self.ended {
                bytes.len()
            } else {
                whole_records(&bytes, self.delimiter)
            };
            if end > 0 {
                self.rest = bytes.split_off(end);
                let first_line = self.line;
                self.line += lines(&bytes);
                return Ok(Some(Block { bytes, first_line }));
            }
            if self.ended {
                return Ok(None);
            }
            if bytes.len() >= LONGEST_RECORD {
                return Err(Fault::Endless(self.line));
            }
            wanted = bytes.len() * 2;
        }
    }
}

impl<R: Read> Iterator for Blocks<R> {
    type Item = Result<Block, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended && self.rest.is_empty() {
            return None;
        }
        let block = self.block();
        self.ended |= block.is_err();
        block.transpose()
    }
}

/// The end of the last record in `bytes` that is surely whole; 0 when there is none.
fn whole_records(bytes: &[u8], delimiter: u8) -> usize {
    if memchr(b'"', bytes).is_none() {
        if let Some(newline) = memrchr(b'\n', bytes) {
            return newline + 1;
        }
        // The last byte may be the first half of `\r\n`.
        let before_last = &bytes[..bytes.len().saturating_sub(1)];
        return memrchr(b'\r', before_last).map_or(0, |at| at + 1);
    }
    let mut records = Records::new(bytes, delimiter);
    let mut fields = Vec::new();
    let mut end = 0;
    while let Some(record) = records.next(&mut fields) {
        let at = records.position();
        let halved = bytes[at - 1] == b'\r' && at == bytes.len();
        if record.end != End::Line || halved {
            break;
        }
        end = at;
    }
    end
}

/// Lines that end in `bytes`.
fn lines(bytes: &[u8]) -> u64 {
    let newlines = memchr_iter(b'\n', bytes).count();
    let lone = |at: &usize| bytes.get(at + 1) != Some(&b'\n');
    let returns = memchr_iter(b'\r', bytes).filter(lone).count();
    (newlines + returns) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(text: &str, size: usize) -> Vec<Block> {
        let blocks = Blocks::new(text.as_bytes(), b',', size);
        blocks.map(|block| block.unwrap()).collect()
    }

    fn records(bytes: &[u8]) -> Vec<Vec<String>> {
        let text = std::str::from_utf8(bytes).unwrap();
        let mut records = Records::new(bytes, b',');
        let mut fields = Vec::new();
        let mut all = Vec::new();
        while records.next(&mut fields).is_some() {
            all.push(fields.iter().map(|f| f.text(text).into_owned()).collect());
        }
        all
    }

    #[test]
    fn a_byte_order_mark_is_left_out() {
        assert_eq!(cut("\u{feff}a,b\n1,2\n", 100)[0].bytes, b"a,b\n1,2\n");
        assert!(cut("\u{feff}", 100).is_empty());
        assert!(cut("", 100).is_empty());
    }

    #[test]
    fn lines_are_counted_over_blocks() {
        let blocks = cut("a\r\nb\r\nc\r\n\"d\ne\"\nf", 4);
        let starts: Vec<u64> = blocks.iter().map(|b| b.first_line).collect();
        assert_eq!(starts.first(), Some(&1));
        let last = blocks.last().unwrap();
        assert_eq!(last.line_at(last.bytes.len()), 6);
    }

    #[test]
    fn what_fails_to_be_read_is_told_once() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::Other.into())
            }
        }
        let mut blocks = Blocks::new(Broken, b',', 8);
        assert!(matches!(blocks.next(), Some(Err(Fault::Io(_)))));
        assert!(blocks.next().is_none());
    }

    proptest! {
        #[test]
        fn blocks_of_any_size_hold_the_records_of_the_whole(
            text in "[a,\"\r\n é]{0,60}", size in 1usize..20,
        ) {
            let blocks = cut(&text, size);
            let whole: Vec<u8> = blocks.iter().flat_map(|b| b.bytes.clone()).collect();
            prop_assert_eq!(&whole, text.as_bytes());
            let parts: Vec<_> = blocks.iter().flat_map(|b| records(&b.bytes)).collect();
            prop_assert_eq!(parts, records(text.as_bytes()));
            let mut line = 1;
            for block in &blocks {
                prop_assert_eq!(block.first_line, line);
                line += lines(&block.bytes);
            }
            prop_assert_eq!(line, 1 + lines(text.as_bytes()));
        }
    }
}
