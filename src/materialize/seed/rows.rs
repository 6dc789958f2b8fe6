//! The data rows of a block: the one reading that inference, loading and finding a row's
//! line share, so that they count alike.

use std::ops::ControlFlow;

use super::blocks::Block;
use super::records::{End, Field, Records};

/// How the rows of a file lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) delimiter: u8,
    /// Whether empty lines are nothing, rather than rows of NULLs as in dbt.
    pub(super) strict: bool,
}

/// A data row.
pub(super) struct Row<'a> {
    /// The byte of the block at which it begins.
    pub(super) start: usize,
    pub(super) fields: &'a [Field],
    /// Whether its last field's quote is still open at the end of the file.
    pub(super) open: bool,
}

impl Layout {
    /// Gives every data row of a block to `visit` until it breaks off. The first block's
    /// first record is the header and no row.
    pub(super) fn each_row(
        self,
        block: &Block,
        mut visit: impl FnMut(&Row<'_>) -> ControlFlow<()>,
    ) {
        let mut records = Records::new(&block.bytes, self.delimiter);
        let mut fields = Vec::new();
        if block.first_line == 1 {
            records.next(&mut fields);
        }
        while let Some(record) = records.next(&mut fields) {
            if self.strict && fields.is_empty() {
                continue;
            }
            let row = Row {
                start: record.start,
                fields: &fields,
                open: record.end == End::OpenQuote,
            };
            if visit(&row).is_break() {
                return;
            }
        }
    }
}
