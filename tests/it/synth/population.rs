//! What the planted numbers amount to in a large company: the constants of `truth::POPULATION` against the simulation.
//!
//! `MARTS_COVERAGE=100 cargo test --release --test it synth::population -- --nocapture` says how often the intervals of small
//! companies hold them; `MARTS_COVERAGE_CUSTOMERS=1000` makes the companies larger. `MARTS_POPULATION=500000 cargo test --release --test it synth::population -- --nocapture` prints the constants anew.

use std::collections::BTreeMap;
use std::thread;

use marts::synth::life::Life;
use marts::synth::params::PLANS;
use marts::synth::rows::{InvoiceRow, SubscriptionRow};
use marts::synth::time::{At, DAY};
use marts::synth::truth::{Figure, POPULATION};
use marts::synth::world::World;

use super::config;

const HORIZONS: [i32; 3] = [30, 60, 90];
const TIMES: [i32; 6] = [31, 92, 183, 366, 457, 548];

/// Lives by stratum: how many ended, and how many were lost from sight, per day.
#[derive(Default)]
struct Lives(BTreeMap<Stratum, Days>);

/// A stratum and its value.
type Stratum = (&'static str, &'static str);
/// Per day: how many ended, how many were lost from sight.
type Days = BTreeMap<i64, (u64, u64)>;
/// An automatic charge: the invoice, its first failure, its payment.
type Charge<'a> = (&'a InvoiceRow, Option<At>, Option<At>);

/// Exposed, control, exposed who churned, control who churned.
type Cell = [f64; 4];
/// (horizon, is voluntary) and the stratum of plan, interval, tenure band and month.
type Key = (i32, bool, usize, bool, u8, i32);

#[derive(Default)]
struct Population {
    lives: Lives,
    risks: BTreeMap<Key, Cell>,
}

fn plan_of(price_id: &str) -> usize {
    PLANS
        .iter()
        .position(|plan| price_id.starts_with(plan.id))
        .expect("a price names its plan")
}

fn month(at: At) -> i32 {
    let (year, month, _) = at.civil();
    year * 12 + month as i32
}

impl Population {
    fn add(&mut self, life: &Life<'_>, until: At) {
        if life.who.is_test {
            return;
        }
        let subscriptions: Vec<&SubscriptionRow> = life.logs.subscriptions.view(until).collect();
        let Some(first) = subscriptions.iter().find(|s| s.activated_at.is_some()) else {
            return;
        };
        let activated = first.activated_at.expect("it was found so");
        self.add_life(life, first, activated, until);
        self.add_landmarks(life, activated, until);
    }

    fn add_life(&mut self, life: &Life<'_>, row: &SubscriptionRow, activated: At, until: At) {
        let first_event = life.logs.subscription_events.view(until);
        let price = first_event
            .filter(|e| e.subscription_id == row.subscription_id)
            .find(|e| e.effective_at == activated)
            .map_or(row.price_id.clone(), |e| e.price_id.clone());
        // A pause ends a paying life as well.
        let mut events = life.logs.subscription_events.view(until);
        let paused = events
            .find(|e| e.subscription_id == row.subscription_id && e.kind == "paused")
            .map(|e| e.effective_at);
        let end = paused.or(row.ended_at);
        let days = end.unwrap_or(until).since(activated) / DAY;
        let plan = PLANS[plan_of(&price)].id;
        let interval = if price.ends_with("_year") {
            "year"
        } else {
            "month"
        };
        let channel = life.logs.customers.row(0).channel;
        for key in [
            ("all", "ALL"),
            ("plan", plan),
            ("interval", interval),
            ("channel", channel),
        ] {
            let day = self
                .lives
                .0
                .entry(key)
                .or_default()
                .entry(days)
                .or_default();
            if end.is_some() {
                day.0 += 1
            } else {
                day.1 += 1
            }
        }
    }

    /// As `int_payment_landmark` does, from the simulation's own rows.
    fn add_landmarks(&mut self, life: &Life<'_>, activated: At, until: At) {
        let mut months: BTreeMap<i32, Vec<Charge<'_>>> = BTreeMap::new();
        let attempts: Vec<_> = life.logs.attempts.view(until).collect();
        for invoice in life.logs.invoices.view(until) {
            let mut tries = attempts
                .iter()
                .filter(|a| a.invoice_id == invoice.invoice_id && a.outcome != "pending")
                .peekable();
            if invoice.collection_method == "charge_automatically" && tries.peek().is_some() {
                let failed = tries
                    .find(|a| a.outcome == "failed")
                    .map(|a| a.attempted_at);
                let seen = (invoice, failed, invoice.paid_at);
                months.entry(month(invoice.due_at)).or_default().push(seen);
            }
        }
        let churns: Vec<_> = life
            .logs
            .churn
            .view(until)
            .filter(|c| c.event_type == "churned")
            .collect();
        for (due, seen) in months {
            let failed = seen.iter().filter(|s| s.1.is_some()).min_by_key(|s| s.1);
            let paid = seen.iter().filter(|s| s.2.is_some()).min_by_key(|s| s.2);
            let exposed = failed.is_some();
            let Some((invoice, at)) = failed.map(|s| (s.0, s.1)).or(paid.map(|s| (s.0, s.2)))
            else {
                continue;
            };
            let at = at.expect("it was chosen so");
            let line = life
                .logs
                .lines
                .view(until)
                .find(|l| l.invoice_id == invoice.invoice_id);
            let price = &line.expect("an invoice has lines").price_id;
            let band = match due - month(activated) {
                i32::MIN..=0 => 0,
                1 | 2 => 1,
                3..=5 => 2,
                6..=11 => 3,
                _ => 4,
            };
            for horizon in HORIZONS {
                let end = at.plus(i64::from(horizon) * DAY);
                if end > until {
                    continue;
                }
                for voluntary in [true, false] {
                    let churned = churns
                        .iter()
                        .filter(|c| !voluntary || c.kind == "voluntary")
                        .any(|c| c.occurred_at > at && c.occurred_at <= end);
                    let annual = price.ends_with("_year");
                    let key = (horizon, voluntary, plan_of(price), annual, band, due);
                    let cell = self.risks.entry(key).or_default();
                    let side = usize::from(!exposed);
                    cell[side] += 1.0;
                    cell[side + 2] += f64::from(u8::from(churned));
                }
            }
        }
    }

    fn merge(&mut self, other: Self) {
        for (key, days) in other.lives.0 {
            let mine = self.lives.0.entry(key).or_default();
            for (day, (ended, lost)) in days {
                let slot = mine.entry(day).or_default();
                slot.0 += ended;
                slot.1 += lost;
            }
        }
        for (key, cell) in other.risks {
            let mine = self.risks.entry(key).or_default();
            for (a, b) in mine.iter_mut().zip(cell) {
                *a += b;
            }
        }
    }

    /// Kaplan-Meier, with Greenwood's standard error.
    fn survival(&self, key: (&str, &str), at: i32) -> (f64, f64) {
        let days = &self.lives.0[&key];
        let mut at_risk: u64 = days.values().map(|d| d.0 + d.1).sum();
        let (mut survival, mut greenwood) = (1.0, 0.0);
        for (_, (ended, lost)) in days.range(..=i64::from(at)) {
            let (d, n) = (*ended as f64, at_risk as f64);
            survival *= 1.0 - d / n;
            greenwood += if d < n { d / (n * (n - d)) } else { 0.0 };
            at_risk -= ended + lost;
        }
        (survival, survival * greenwood.sqrt())
    }

    /// Mantel and Haenszel's relative risk, with the standard error of its logarithm.
    fn relative_risk(&self, horizon: i32, voluntary: bool) -> (f64, f64) {
        let (mut exposed, mut control, mut spread) = (0.0, 0.0, 0.0);
        for (key, [m, n, a, c]) in &self.risks {
            if (key.0, key.1) != (horizon, voluntary) {
                continue;
            }
            let all = m + n;
            exposed += a * n / all;
            control += c * m / all;
            spread += ((a + c) * m * n - a * c * all) / (all * all);
        }
        (exposed / control, (spread / (exposed * control)).sqrt())
    }

    /// How often the figures' 95 % intervals hold what is known: (held, asked), by figure. The intervals are those of the
    /// marts: log-log for survival while twenty are still seen, log-normal for risks wherever the mart has an interval. To ask
    /// only where enough of one side churned would choose the companies whose estimate is high, or low.
    fn coverage(&self) -> BTreeMap<String, (u32, u32)> {
        let mut out: BTreeMap<String, (u32, u32)> = BTreeMap::new();
        let mut judge = |name: String, held: bool| {
            let slot = out.entry(name).or_default();
            slot.0 += u32::from(held);
            slot.1 += 1;
        };
        for (figure, segment, at, known) in POPULATION.iter().copied() {
            if figure == "survival" {
                let key = segment.split_once('/').expect("a stratum and its value");
                let Some(days) = self.lives.0.iter().find(|life| *life.0 == key) else {
                    continue;
                };
                let later: u64 = days
                    .1
                    .range(i64::from(at) + 1..)
                    .map(|(_, d)| d.0 + d.1)
                    .sum();
                let (survival, error) = self.survival(key, at);
                if later < 20 || survival <= 0.0 || survival >= 1.0 {
                    continue;
                }
                let half = 1.959_964 * error / survival / -survival.ln();
                let off = (-known.ln()).ln() - (-survival.ln()).ln();
                judge(format!("survival by {}", key.0), off.abs() <= half);
            } else {
                let voluntary = segment == "voluntary";
                let (risk, error) = self.relative_risk(at, voluntary);
                // Nobody of one side churned: the mart says nothing.
                if !(risk > 0.0 && risk.is_finite()) {
                    continue;
                }
                let held = (known / risk).ln().abs() <= 1.959_964 * error;
                judge(format!("relative risk, {segment} {at} d"), held);
            }
        }
        out
    }

    /// Every figure with the standard error of its estimate here.
    fn figures(&self) -> Vec<(Figure, f64)> {
        let mut out = Vec::new();
        for key in self.lives.0.keys() {
            for at in TIMES {
                let (value, error) = self.survival(*key, at);
                let segment: &'static str = format!("{}/{}", key.0, key.1).leak();
                out.push((("survival", segment, at, value), error));
            }
        }
        for (segment, voluntary) in [("voluntary", true), ("total", false)] {
            for horizon in HORIZONS {
                let (value, error) = self.relative_risk(horizon, voluntary);
                out.push((("relative_risk", segment, horizon, value), error * value));
            }
        }
        out
    }
}

fn simulate(customers: u32, seed: u64) -> Population {
    let world = World::new(config(customers, seed));
    let until = world.config.end().plus(-1);
    let signups = world.signups(until);
    let (world, signups) = (&world, &signups);
    let parts: Vec<Population> = thread::scope(|scope| {
        let lanes: Vec<_> = (0..2)
            .map(|lane| {
                scope.spawn(move || {
                    let mut part = Population::default();
                    for place in (lane..signups.len()).step_by(2) {
                        part.add(
                            &Life::run(world, place as u32 + 1, signups[place], until),
                            until,
                        );
                    }
                    part
                })
            })
            .collect();
        lanes
            .into_iter()
            .map(|lane| lane.join().expect("lives are lived"))
            .collect()
    });
    let mut all = Population::default();
    parts.into_iter().for_each(|part| all.merge(part));
    all
}

#[test]
fn the_population_is_what_the_simulation_shows() {
    let asked = std::env::var("MARTS_POPULATION")
        .ok()
        .and_then(|n| n.parse().ok());
    let figures = simulate(asked.unwrap_or(4_000), 2_026).figures();
    if asked.is_some() {
        for ((figure, segment, at, value), _) in &figures {
            eprintln!("    ({figure:?}, {segment:?}, {at}, {value:.5}),");
        }
        return;
    }
    assert_eq!(
        figures.len(),
        POPULATION.len(),
        "run with MARTS_POPULATION=500000"
    );
    for ((figure, segment, at, value), error) in figures {
        let (.., known) = POPULATION
            .iter()
            .find(|known| (known.0, known.1, known.2) == (figure, segment, at))
            .unwrap_or_else(|| panic!("{figure} {segment} {at} is not known"));
        assert!(
            (value - known).abs() < 4.5 * error + 0.005,
            "{figure} {segment} {at}: {value} and not {known}, standard error {error}"
        );
    }
}

#[test]
fn intervals_of_small_companies_hold_what_is_true_of_large_ones() {
    let asked = std::env::var("MARTS_COVERAGE")
        .ok()
        .and_then(|n| n.parse().ok());
    let customers = std::env::var("MARTS_COVERAGE_CUSTOMERS")
        .ok()
        .and_then(|n| n.parse().ok());
    let mut all: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    for seed in 1..=asked.unwrap_or(8) {
        for (name, (held, judged)) in simulate(customers.unwrap_or(500), seed).coverage() {
            let slot = all.entry(name).or_default();
            slot.0 += held;
            slot.1 += judged;
        }
    }
    let (mut held, mut judged) = (0, 0);
    for (name, counts) in &all {
        held += counts.0;
        judged += counts.1;
        if asked.is_some() {
            let share = 100.0 * f64::from(counts.0) / f64::from(counts.1);
            eprintln!("| {name} | {} | {share:.1} % |", counts.1);
        }
    }
    let share = f64::from(held) / f64::from(judged);
    assert!(
        judged > 300 && (0.85..=0.995).contains(&share),
        "{held} of {judged}"
    );
}
