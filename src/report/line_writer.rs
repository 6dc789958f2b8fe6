//! A writer that survives its reader: after the first failed write it says nothing more.

use std::io::Write;

/// Writes text whole; a closed pipe makes it silent, never an error.
pub(super) struct LineWriter {
    inner: Box<dyn Write + Send>,
    closed: bool,
}

impl LineWriter {
    pub(super) fn new(inner: Box<dyn Write + Send>) -> Self {
        Self {
            inner,
            closed: false,
        }
    }

    /// Writes and flushes, so that lines of the log and the bar keep their order.
    pub(super) fn write(&mut self, text: &str) {
        if self.closed {
            return;
        }
        let written = self
            .inner
            .write_all(text.as_bytes())
            .and_then(|()| self.inner.flush());
        self.closed = written.is_err();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    struct Closed(Arc<AtomicUsize>);

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Err(std::io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_tried_once() {
        let tries = Arc::new(AtomicUsize::new(0));
        let mut writer = LineWriter::new(Box::new(Closed(Arc::clone(&tries))));
        writer.write("one\n");
        writer.write("two\n");
        assert_eq!(tries.load(Ordering::Relaxed), 1);
    }
}
