//! Events as people and programs read them: one file per format.
//!
//! A [`Reporter`] takes events in the order in which the dispatcher saw them and owns the
//! writer it was given; nothing here decides what happened, and a reader that went away (a
//! closed pipe) never stops a run. Start at [`terminal::Terminal`].

mod details;
pub mod digest;
pub mod files;
pub mod format;
mod github;
mod html;
pub mod json_lines;
mod junit;
mod lanes;
mod layout;
mod line_writer;
pub mod lineage;
mod markdown;
pub mod places;
pub mod progress;
mod publication;
pub mod run_results;
pub mod style;
mod summary;
pub mod table;
pub mod terminal;
mod timeline;
pub mod wording;

pub use files::{Forge, ReportFiles};
pub use json_lines::JsonLines;
pub use lineage::Lineage;
pub use places::Places;
pub use progress::Progress;
pub use run_results::{RunResultsFile, RunResultsOptions};
pub use style::Style;
pub use table::Grid;
pub use terminal::Terminal;

use crate::event::Event;

/// One format of telling what happens.
pub trait Reporter: Send {
    /// Takes the next event.
    fn event(&mut self, event: &Event);

    /// The last event was given: writes what is still due.
    fn finish(&mut self);
}

impl<R: Reporter + ?Sized> Reporter for Box<R> {
    fn event(&mut self, event: &Event) {
        (**self).event(event);
    }

    fn finish(&mut self) {
        (**self).finish();
    }
}

/// Several formats at once, each given every event.
#[derive(Default)]
pub struct Reporters(Vec<Box<dyn Reporter>>);

impl Reporters {
    /// Adds a format.
    #[must_use]
    pub fn with(mut self, reporter: impl Reporter + 'static) -> Self {
        self.add(reporter);
        self
    }

    /// Adds a format that joins later.
    pub fn add(&mut self, reporter: impl Reporter + 'static) {
        self.0.push(Box::new(reporter));
    }
}

impl Reporter for Reporters {
    fn event(&mut self, event: &Event) {
        for reporter in &mut self.0 {
            reporter.event(event);
        }
    }

    fn finish(&mut self) {
        for reporter in &mut self.0 {
            reporter.finish();
        }
    }
}
