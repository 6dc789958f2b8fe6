//! What happened to one customer's rows: every version of every row, in time order.
//!
//! The rows that exist at an instant are each key's last version not after it, so a history can
//! be cut anywhere and continued.

use super::rows::{
    AttemptRow, ChurnRow, CreditNoteRow, CustomerRow, CustomerTraitRow, DiscountRow, DisputeRow,
    DunningRow, InvoiceRow, LineRow, MethodRow, Mutable, RefundRow, Row, SubscriptionEventRow,
    SubscriptionRow, SubscriptionTraitRow, UserRow,
};
use super::time::At;

/// A span of history: rows whose present version came after `since` and not after `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Exclusive; none: from the beginning.
    pub since: Option<At>,
    /// Inclusive.
    pub until: At,
}

impl Window {
    /// Whether an instant lies in the span.
    pub fn holds(&self, at: At) -> bool {
        at <= self.until && self.since.is_none_or(|since| at > since)
    }
}

/// The versions of one table's rows for one customer.
#[derive(Debug)]
pub struct Log<R> {
    versions: Vec<(usize, R)>,
    latest: Vec<usize>,
}

impl<R> Default for Log<R> {
    fn default() -> Self {
        Self {
            versions: Vec::new(),
            latest: Vec::new(),
        }
    }
}

impl<R: Row> Log<R> {
    /// Adds a row and gives its place among the rows of this log.
    pub fn add(&mut self, row: R) -> usize {
        let place = self.latest.len();
        self.latest.push(self.versions.len());
        self.versions.push((place, row));
        place
    }

    /// How many rows there are, whatever their versions.
    pub fn len(&self) -> usize {
        self.latest.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.latest.is_empty()
    }

    /// The last version of a row.
    pub fn row(&self, place: usize) -> &R {
        &self.versions[self.latest[place]].1
    }

    /// Each row as it stands at an instant, leaving out those that do not exist yet.
    pub fn view(&self, until: At) -> impl Iterator<Item = &R> {
        let mut last: Vec<Option<usize>> = vec![None; self.len()];
        for (i, (place, row)) in self.versions.iter().enumerate() {
            if row.cursor() <= until {
                last[*place] = Some(i);
            }
        }
        last.into_iter().flatten().map(|i| &self.versions[i].1)
    }

    /// Of the rows as they stand at the window's end, those that are new or changed in it.
    pub fn changed(&self, window: Window) -> impl Iterator<Item = &R> {
        self.view(window.until)
            .filter(move |row| window.holds(row.cursor()))
    }
}

impl<R: Mutable> Log<R> {
    /// Adds a version of a row. Time never runs backwards within a row.
    pub fn update(&mut self, place: usize, at: At, change: impl FnOnce(&mut R)) {
        let mut row = self.row(place).clone();
        debug_assert!(row.cursor() <= at, "a row's versions come in time order");
        row.touch(at);
        change(&mut row);
        self.latest[place] = self.versions.len();
        self.versions.push((place, row));
    }
}

/// All of one customer's rows except product events, which are too many to keep.
#[derive(Debug, Default)]
#[allow(missing_docs, reason = "each field is the table of its name")]
pub struct Logs {
    pub customers: Log<CustomerRow>,
    pub users: Log<UserRow>,
    pub methods: Log<MethodRow>,
    pub subscriptions: Log<SubscriptionRow>,
    pub subscription_events: Log<SubscriptionEventRow>,
    pub discounts: Log<DiscountRow>,
    pub invoices: Log<InvoiceRow>,
    pub lines: Log<LineRow>,
    pub attempts: Log<AttemptRow>,
    pub refunds: Log<RefundRow>,
    pub credit_notes: Log<CreditNoteRow>,
    pub dunning: Log<DunningRow>,
    pub churn: Log<ChurnRow>,
    pub disputes: Log<DisputeRow>,
    pub customer_traits: Log<CustomerTraitRow>,
    pub subscription_traits: Log<SubscriptionTraitRow>,
}
