//! What the published rows amount to, beside the figures that they must show.
//!
//! Counted from rows as anyone could with SQL, never from what the simulation knows inside.

use std::collections::HashMap;

use super::config::Config;
use super::id::Id;
use super::log::Logs;
use super::params::{CARD_REASONS, METHOD_SHARES, PRICE_FACTORS};
use super::rows::{AttemptRow, InvoiceRow, LineRow, SubscriptionRow};
use super::time::{At, DAY, HOUR};
use super::vocab::{DECLINE_CODES, METHODS};

/// How far a figure may lie from its target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tolerance {
    /// As a share of the target.
    Relative(f64),
    /// In percentage points.
    Points(f64),
}

/// A figure beside its target.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What it is.
    pub name: String,
    /// What the rows show; NaN where there is nothing to count.
    pub measured: f64,
    /// What they should show.
    pub target: f64,
    /// How far off is allowed at full size.
    pub tolerance: Tolerance,
    /// Whether it is a share, to be shown in percent.
    pub is_share: bool,
}

impl Figure {
    /// Whether the measured value is within `slack` times the tolerance.
    pub fn holds(&self, slack: f64) -> bool {
        let off = (self.measured - self.target).abs();
        match self.tolerance {
            Tolerance::Relative(share) => off <= share * slack * self.target,
            Tolerance::Points(points) => off <= points * slack / 100.0,
        }
    }
}

/// Hours of a recovery that are told apart: past the end of dunning.
const HOURS: usize = 40 * 24;

/// Counts over rows; those of several customers add up.
#[derive(Clone, Debug, PartialEq)]
pub struct Tally {
    invoices: u64,
    first_failures: u64,
    attempts: u64,
    failures: u64,
    mature: u64,
    mature_failed: u64,
    recovered: u64,
    recovered_by_customer: u64,
    soft: u64,
    recovery_hours: Vec<u64>,
    reasons: [u64; CARD_REASONS.len()],
    methods: [u64; METHODS.len()],
    monthly_open: u64,
    monthly_lost_involuntary: u64,
    open: u64,
    lost_voluntary: u64,
    lost_involuntary: u64,
    /// Worth of the service in US cents, by month from the start.
    served: Vec<i64>,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            invoices: 0,
            first_failures: 0,
            attempts: 0,
            failures: 0,
            mature: 0,
            mature_failed: 0,
            recovered: 0,
            recovered_by_customer: 0,
            soft: 0,
            recovery_hours: vec![0; HOURS],
            reasons: [0; CARD_REASONS.len()],
            methods: [0; METHODS.len()],
            monthly_open: 0,
            monthly_lost_involuntary: 0,
            open: 0,
            lost_voluntary: 0,
            lost_involuntary: 0,
            served: Vec::new(),
        }
    }
}

impl Tally {
    /// Counts a customer's rows as they stand at an instant.
    pub fn count(&mut self, config: &Config, logs: &Logs, at: At) {
        if logs.customers.view(at).all(|c| c.is_test) {
            return;
        }
        for line in logs.lines.view(at) {
            self.count_served(config, line, at);
        }
        let mut tries: HashMap<Id, Vec<&AttemptRow>> = HashMap::new();
        for attempt in logs.attempts.view(at).filter(|a| a.outcome != "pending") {
            tries.entry(attempt.invoice_id).or_default().push(attempt);
        }
        let method = logs.methods.view(at).next().map_or("", |m| m.kind);
        let is_card = METHODS[..3].contains(&method);
        for invoice in logs.invoices.view(at) {
            if let Some(tries) = tries.get(&invoice.invoice_id) {
                self.count_invoice(invoice, tries, at, is_card);
            }
        }
        if !tries.is_empty() {
            add(&mut self.methods, METHODS.iter().position(|m| *m == method));
        }
        for subscription in logs.subscriptions.view(at) {
            self.count_months(config, subscription, at);
        }
    }

    /// Divides a line's worth over the months of its period, as far as they are over.
    fn count_served(&mut self, config: &Config, line: &LineRow, at: At) {
        let (from, to) = (line.period_start, line.period_end);
        let factor = PRICE_FACTORS
            .iter()
            .find(|f| f.0 == line.currency)
            .map_or(1.0, |f| f.1);
        let cents = (line.amount - line.discount) as f64 / factor;
        for month in 0.. {
            let (open, close) = (
                config.start.plus_months(month),
                config.start.plus_months(month + 1),
            );
            if close > at || open >= to {
                return;
            }
            if self.served.len() <= month as usize {
                self.served.push(0);
            }
            let shared = close.min(to).since(open.max(from)).max(0) as f64;
            let share = shared / to.since(from).max(1) as f64;
            self.served[month as usize] += (cents * share).round() as i64;
        }
    }

    fn count_invoice(
        &mut self,
        invoice: &InvoiceRow,
        tries: &[&AttemptRow],
        at: At,
        is_card: bool,
    ) {
        let first = tries[0];
        let failed = first.outcome == "failed";
        self.invoices += 1;
        self.attempts += tries.len() as u64;
        self.failures += tries.iter().filter(|t| t.outcome == "failed").count() as u64;
        if failed {
            self.count_reason(first.decline_code.unwrap_or(""), is_card);
        }
        if invoice.due_at.plus(30 * DAY) > at {
            return;
        }
        self.mature += 1;
        self.mature_failed += u64::from(failed);
        // The targets are of dunning: what is paid after the write-off came too late for it.
        let in_time = invoice.uncollectible_at.is_none();
        let success = tries.iter().find(|t| in_time && t.outcome == "succeeded");
        if let (true, Some(success)) = (failed, success) {
            self.recovered += 1;
            self.recovered_by_customer += u64::from(success.initiator == "customer");
            let hours = success.attempted_at.since(first.attempted_at) / HOUR;
            self.recovery_hours[(hours as usize).min(HOURS - 1)] += 1;
        }
    }

    fn count_reason(&mut self, code: &str, is_card: bool) {
        self.first_failures += 1;
        let class = DECLINE_CODES
            .iter()
            .find(|c| c.0 == code)
            .map_or("", |c| c.2);
        self.soft += u64::from(class != "hard");
        if is_card {
            let reason = CARD_REASONS
                .iter()
                .position(|r| r.codes.iter().any(|c| c.0 == code));
            add(&mut self.reasons, reason);
        }
    }

    /// For each whole month: was it paying when the month opened, and did it end in the month?
    fn count_months(&mut self, config: &Config, row: &SubscriptionRow, at: At) {
        let Some(activated) = row.activated_at else {
            return;
        };
        let monthly = row.price_id.ends_with("_month");
        for month in 0.. {
            let (open, close) = (
                config.start.plus_months(month),
                config.start.plus_months(month + 1),
            );
            if close > at || row.ended_at.is_some_and(|end| end < open) {
                return;
            }
            if activated >= open {
                continue;
            }
            let lost = row.ended_at.is_some_and(|end| end < close);
            let involuntary = lost && row.end_reason == Some("payment_failed");
            self.open += 1;
            self.lost_involuntary += u64::from(involuntary);
            self.lost_voluntary += u64::from(lost && !involuntary);
            self.monthly_open += u64::from(monthly);
            self.monthly_lost_involuntary += u64::from(monthly && involuntary);
        }
    }

    /// Adds another's counts.
    pub fn merge(&mut self, other: &Self) {
        self.invoices += other.invoices;
        self.first_failures += other.first_failures;
        self.attempts += other.attempts;
        self.failures += other.failures;
        self.mature += other.mature;
        self.mature_failed += other.mature_failed;
        self.recovered += other.recovered;
        self.recovered_by_customer += other.recovered_by_customer;
        self.soft += other.soft;
        self.monthly_open += other.monthly_open;
        self.monthly_lost_involuntary += other.monthly_lost_involuntary;
        self.open += other.open;
        self.lost_voluntary += other.lost_voluntary;
        self.lost_involuntary += other.lost_involuntary;
        let months = self.served.len().max(other.served.len());
        self.served.resize(months, 0);
        for (mine, theirs) in self.served.iter_mut().zip(&other.served) {
            *mine += theirs;
        }
        sum(&mut self.recovery_hours, &other.recovery_hours);
        sum(&mut self.reasons, &other.reasons);
        sum(&mut self.methods, &other.methods);
    }

    /// The figures beside their targets.
    pub fn figures(&self) -> Vec<Figure> {
        let mut out = vec![
            rate(
                "first-attempt failure",
                self.first_failures,
                self.invoices,
                0.039,
            ),
            rate("attempt failure", self.failures, self.attempts, 0.103),
            value(
                "attempts per invoice",
                ratio(self.attempts, self.invoices),
                1.10,
            ),
            rate(
                "recovered, of failed invoices",
                self.recovered,
                self.mature_failed,
                0.64,
            ),
            rate(
                "recovered by the customer, of recovered",
                self.recovered_by_customer,
                self.recovered,
                0.25,
            ),
            rate(
                "unrecovered, of invoices",
                self.mature_failed - self.recovered,
                self.mature,
                0.014,
            ),
            rate(
                "involuntary churn per month, monthly plans",
                self.monthly_lost_involuntary,
                self.monthly_open,
                0.0088,
            ),
            value("days to recovery, median", self.recovery_days(0.5), 3.0),
            value(
                "days to recovery, 90th percentile",
                self.recovery_days(0.9),
                8.0,
            ),
            share(
                "soft first failures".to_owned(),
                self.soft,
                self.first_failures,
                0.82,
            ),
        ];
        let customers = self.methods.iter().sum();
        for (i, method) in METHODS.iter().enumerate() {
            out.push(share(
                format!("method {method}"),
                self.methods[i],
                customers,
                METHOD_SHARES[i],
            ));
        }
        let failures = self.reasons.iter().sum();
        for (i, reason) in CARD_REASONS.iter().enumerate() {
            out.push(share(
                format!("card reason {}", reason.name),
                self.reasons[i],
                failures,
                reason.share,
            ));
        }
        out
    }

    /// Invoices whose outcome is final and whose first attempt failed.
    pub fn failed_invoices(&self) -> u64 {
        self.mature_failed
    }

    /// Worth of the service in US cents by month from the start, for months that are over.
    pub fn served(&self) -> &[i64] {
        &self.served
    }

    /// Monthly churn of all paying subscriptions: by will, by failed payment. No target.
    pub fn monthly_churn(&self) -> (f64, f64) {
        (
            ratio(self.lost_voluntary, self.open),
            ratio(self.lost_involuntary, self.open),
        )
    }

    /// The days within which a share of the recovered invoices were paid.
    fn recovery_days(&self, share: f64) -> f64 {
        let wanted = share * self.recovered as f64;
        let mut seen = 0;
        for (hour, n) in self.recovery_hours.iter().enumerate() {
            seen += n;
            if seen > 0 && seen as f64 >= wanted {
                return (hour as f64 + 0.5) / 24.0;
            }
        }
        f64::NAN
    }
}

fn add(counts: &mut [u64], place: Option<usize>) {
    if let Some(count) = place.and_then(|i| counts.get_mut(i)) {
        *count += 1;
    }
}

fn sum(into: &mut [u64], from: &[u64]) {
    for (a, b) in into.iter_mut().zip(from) {
        *a += b;
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        f64::NAN
    } else {
        part as f64 / whole as f64
    }
}

fn value(name: &str, measured: f64, target: f64) -> Figure {
    Figure {
        name: name.to_owned(),
        measured,
        target,
        tolerance: Tolerance::Relative(0.08),
        is_share: false,
    }
}

fn rate(name: &str, part: u64, whole: u64, target: f64) -> Figure {
    Figure {
        is_share: true,
        ..value(name, ratio(part, whole), target)
    }
}

fn share(name: String, part: u64, whole: u64, target: f64) -> Figure {
    Figure {
        name,
        measured: ratio(part, whole),
        target,
        tolerance: Tolerance::Points(2.0),
        is_share: true,
    }
}
