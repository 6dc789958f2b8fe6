//! Postgres' binary COPY read as it comes: pieces of any size in, whole rows out.

use crate::session::SessionError;

/// A field's bytes; `None` is null.
pub(super) type Cell<'a> = Option<&'a [u8]>;

/// Signature and flags, before the length of an extension.
const HEAD: usize = 15;

/// What of the stream was seen.
#[derive(Default)]
pub(super) struct Tuples {
    /// Bytes of a row that is not whole yet.
    pending: Vec<u8>,
    begun: bool,
    ended: bool,
}

impl Tuples {
    /// Takes a piece and gives each row that is whole by now to `row`.
    pub(super) fn feed(
        &mut self,
        piece: &[u8],
        mut row: impl FnMut(Cells<'_>),
    ) -> Result<(), SessionError> {
        self.pending.extend_from_slice(piece);
        let mut at = 0;
        while !self.ended {
            let rest = &self.pending[at..];
            if !self.begun {
                let Some(extension) = number(rest, HEAD) else {
                    break;
                };
                let head = HEAD + 4 + usize::try_from(extension).map_err(|_| broken())?;
                if rest.len() < head {
                    break;
                }
                (self.begun, at) = (true, at + head);
                continue;
            }
            let Some(fields) = rest.first_chunk().map(|two| i16::from_be_bytes(*two)) else {
                break;
            };
            if fields < 0 {
                self.ended = true;
                break;
            }
            let Some(length) = whole(&rest[2..], fields)? else {
                break;
            };
            row(Cells(&rest[2..2 + length]));
            at += 2 + length;
        }
        self.pending.drain(..at);
        Ok(())
    }

    /// Whether the end was seen: a stream that broke off has lost rows.
    pub(super) fn finish(&self) -> Result<(), SessionError> {
        self.ended.then_some(()).ok_or_else(broken)
    }
}

/// How long so many fields are; `None` where they are not all there yet.
fn whole(bytes: &[u8], fields: i16) -> Result<Option<usize>, SessionError> {
    let mut at = 0;
    for _ in 0..fields {
        let Some(length) = number(bytes, at) else {
            return Ok(None);
        };
        at += 4;
        if length != -1 {
            at += usize::try_from(length).map_err(|_| broken())?;
        }
    }
    Ok((bytes.len() >= at).then_some(at))
}

fn number(bytes: &[u8], at: usize) -> Option<i32> {
    let four = bytes.get(at..)?.first_chunk()?;
    Some(i32::from_be_bytes(*four))
}

fn broken() -> SessionError {
    SessionError::materialization("the rows of the input query came broken from the server")
}

/// The fields of a row that is whole.
pub(super) struct Cells<'a>(&'a [u8]);

impl<'a> Iterator for Cells<'a> {
    type Item = Cell<'a>;

    fn next(&mut self) -> Option<Cell<'a>> {
        let (length, rest) = self.0.split_first_chunk()?;
        // Null has the length minus one.
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            self.0 = rest;
            return Some(None);
        };
        let (cell, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(Some(cell))
    }
}

/// A boolean; `None` is null.
pub(super) fn boolean(cell: Cell<'_>) -> Option<bool> {
    cell.map(|bytes| bytes == [1])
}

/// A finite double; NaN for all that is not known.
pub(super) fn double(cell: Cell<'_>) -> f64 {
    let bytes = cell.and_then(|bytes| bytes.try_into().ok());
    let value = bytes.map_or(f64::NAN, f64::from_be_bytes);
    if value.is_finite() { value } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> Vec<u8> {
        let mut out = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
        for row in [[Some(1.5), None], [Some(f64::INFINITY), Some(-2.0)]] {
            out.extend(3_i16.to_be_bytes());
            out.extend([0, 0, 0, 1, 1]);
            for cell in row {
                match cell {
                    Some(value) => {
                        out.extend(8_i32.to_be_bytes());
                        out.extend(value.to_be_bytes());
                    }
                    None => out.extend((-1_i32).to_be_bytes()),
                }
            }
        }
        out.extend((-1_i16).to_be_bytes());
        out
    }

    #[test]
    fn rows_are_the_same_in_pieces_of_any_size() {
        let stream = stream();
        for size in 1..=stream.len() {
            let (mut tuples, mut seen) = (Tuples::default(), Vec::new());
            for piece in stream.chunks(size) {
                let row = |mut cells: Cells<'_>| {
                    assert_eq!(cells.next().and_then(boolean), Some(true));
                    seen.extend(cells.map(double));
                };
                tuples.feed(piece, row).unwrap();
            }
            tuples.finish().unwrap();
            assert_eq!((seen[0], seen[3], seen.len()), (1.5, -2.0, 4), "{size}");
            assert!(seen[1].is_nan() && seen[2].is_nan());
        }
    }

    #[test]
    fn a_stream_that_breaks_off_or_lies_about_lengths_is_an_error() {
        let stream = stream();
        let mut tuples = Tuples::default();
        tuples.feed(&stream[..stream.len() - 1], |_| ()).unwrap();
        assert!(tuples.finish().is_err());
        let mut lies = stream;
        lies[21..25].copy_from_slice(&(-7_i32).to_be_bytes());
        assert!(Tuples::default().feed(&lies, |_| ()).is_err());
    }
}
