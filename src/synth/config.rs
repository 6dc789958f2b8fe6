//! What a history is made from. The same config gives the same history, however far it is written.

use super::time::At;

/// The settings of a history. Everything but the window that is written comes from here, so a
/// later window continues the same history as long as these stay the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Which history of all.
    pub seed: u64,
    /// Signups in the planned months.
    pub customers: u32,
    /// Planned months. Signups go on at the reached pace after them.
    pub months: u32,
    /// Put defects into the raw tables, each told in `truth.injected_defects`.
    pub dirt: bool,
    /// When the company opens: midnight on the first of a month.
    pub start: At,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 1,
            customers: Size::Demo.customers(),
            months: 24,
            dirt: false,
            start: At::date(2023, 7, 1),
        }
    }
}

impl Config {
    /// The end of the planned months; the default for how far to write.
    pub fn end(&self) -> At {
        self.start.plus_months(self.months)
    }
}

/// Named sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// For tests.
    Tiny,
    /// For looking around: enough that a plan, month and reason hold more than noise.
    Demo,
    /// For measuring.
    Full,
}

impl Size {
    /// How many customers sign up.
    pub fn customers(self) -> u32 {
        match self {
            Self::Tiny => 300,
            Self::Demo => 3_000,
            Self::Full => 30_000,
        }
    }
}
