//! Blocks of text in files: snapshots with their queries, docs with their prose.

use super::blocks::{Block, BlockKind, scan};
use super::rewrite;

/// A named block of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextBlock {
    /// Its name.
    pub name: String,
    /// What is between its tags.
    pub text: String,
    /// The line of the file, from 1, on which `text` begins.
    pub first_line: usize,
}

/// The `{% snapshot %}` blocks of a file's text. Errors carry the line, from 1, and say what is
/// wrong.
pub fn snapshot_blocks(text: &str) -> Result<Vec<TextBlock>, (usize, String)> {
    blocks(text, BlockKind::Snapshot)
}

/// The `{% docs %}` blocks of a file's text, without the whitespace around their prose. Errors
/// carry the line, from 1, and say what is wrong.
pub fn docs_blocks(text: &str) -> Result<Vec<TextBlock>, (usize, String)> {
    let mut blocks = blocks(text, BlockKind::Docs)?;
    for block in &mut blocks {
        let prose = block.text.trim_start();
        let skipped = &block.text[..block.text.len() - prose.len()];
        block.first_line += skipped.matches('\n').count();
        block.text = prose.trim_end().to_owned();
    }
    Ok(blocks)
}

fn blocks(text: &str, kind: BlockKind) -> Result<Vec<TextBlock>, (usize, String)> {
    let text = rewrite::normalise(text);
    let line_at = |byte: usize| {
        text.as_bytes()[..byte]
            .iter()
            .filter(|b| **b == b'\n')
            .count()
            + 1
    };
    let found = scan(&text).map_err(|error| (line_at(error.at.min(text.len())), error.message))?;
    let block = |block: Block| TextBlock {
        name: block.name,
        first_line: line_at(block.body.start),
        text: text[block.body].to_owned(),
    };
    Ok(found
        .into_iter()
        .filter(|b| b.kind == kind)
        .map(block)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshots_text_begins_on_the_line_of_its_tag() {
        let blocks = snapshot_blocks("-- x\n{% snapshot s %}\nselect 1\n{% endsnapshot %}");
        let blocks = blocks.expect("it is valid");
        assert_eq!((blocks[0].name.as_str(), blocks[0].first_line), ("s", 2));
        assert_eq!(blocks[0].text, "\nselect 1\n");
    }

    #[test]
    fn prose_is_trimmed_and_keeps_its_line() {
        let blocks =
            docs_blocks("{% docs d %}\n\n# Title\ntext\n{% enddocs %}").expect("it is valid");
        assert_eq!(
            (blocks[0].text.as_str(), blocks[0].first_line),
            ("# Title\ntext", 3)
        );
    }
}
