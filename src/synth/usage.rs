//! What users do in the product, day by day; written as it is drawn, as there is too much to keep.
//!
//! A user's days are drawn in order from the stream of one stay, so a later end only adds days.

use super::id::Id;
use super::life::{Life, UserSpan};
use super::params::{
    ACTIONS_PER_EVENT, DECLINE, EVENTS_PER_DAY, FALSE_ALARM, FEATURE_ZIPF, SKEWED_CLOCK,
    TRIAL_ACTIVATED, WEEKEND,
};
use super::profile::user_habits;
use super::random::{Dice, Stream};
use super::rows::{ProductEventRow, SessionRow};
use super::time::{At, DAY, HOUR, weekday};
use super::vocab::{CORE_ACTIONS, PRODUCT_EVENTS};

/// Streams of a customer's stays begin here, above those of its users.
const STAYS: u64 = 1 << 20;
/// The stream of a customer's moods.
const MOODS: u64 = 1 << 30;
/// Place of `login` in [`PRODUCT_EVENTS`].
const LOGIN: usize = CORE_ACTIONS;
/// How long a fall in use lasts that means nothing.
const FALSE_ALARM_WEEKS: i64 = 5;

/// How the customer's whole use rises and falls.
struct Moods {
    /// Use falls from here to there, and comes back at once after.
    declines: Vec<(i64, i64)>,
    trial: Option<(i64, i64, f64)>,
}

impl Moods {
    fn of(life: &Life<'_>, seed: u64, from: At) -> Self {
        let mut dice = Dice::new(seed, Stream::Usage, life.who.number.into(), MOODS);
        let mut declines = Vec::new();
        for (at, withdrawn) in &life.footprint.requests {
            let weeks = dice.between(DECLINE.2, DECLINE.3);
            if dice.chance(DECLINE.0) {
                let end = withdrawn.map_or(i64::MAX, At::day);
                declines.push((at.plus_days(-7.0 * weeks).day(), end));
            }
        }
        let mut dice = Dice::new(seed, Stream::Usage, life.who.number.into(), MOODS + 1);
        for year in 0..5 {
            let start = from.day() + year * 365 + dice.whole(0, 365);
            if dice.chance(FALSE_ALARM) {
                declines.push((start, start + 7 * FALSE_ALARM_WEEKS));
            }
        }
        let alive = TRIAL_ACTIVATED.0;
        let trial = life.footprint.trial.map(|(start, end, is_alive)| {
            // Trials that come alive are used; the others hardly.
            (
                start.day(),
                end.day(),
                if is_alive { 1.6 } else { 0.5 * (1.0 - alive) },
            )
        });
        Self { declines, trial }
    }

    fn factor(&self, day: i64) -> f64 {
        let mut factor = 1.0;
        for (from, to) in &self.declines {
            if day >= *from && day < *to {
                factor *= (-DECLINE.1 * (day - from) as f64 / 7.0).exp();
            }
        }
        match self.trial {
            Some((from, to, trial)) if day >= from && day <= to => factor * trial,
            _ => factor,
        }
    }
}

/// A sitting ends when nothing has happened for this long.
const SITTING_ENDS: i64 = 1_800;

/// What comes of use.
#[derive(Debug)]
pub enum Trace {
    /// A burst of one feature.
    Event(ProductEventRow),
    /// A sitting, after its events.
    Session(SessionRow),
}

/// Draws the product events of a customer up to the day of an instant and hands them over, also those
/// that are received later.
pub fn product_events(life: &Life<'_>, seed: u64, until: At, emit: &mut impl FnMut(Trace)) {
    let Some(first) = life.footprint.spans.first() else {
        return;
    };
    let moods = Moods::of(life, seed, first.from);
    account_pages(life, emit);
    for (n, span) in life.footprint.spans.iter().enumerate() {
        let mut stay = Stay::new(life, seed, n, *span);
        let last = span.to.unwrap_or(until).min(until).day();
        for day in span.from.day()..=last {
            let weekly = if weekday(day) > 4 { WEEKEND } else { 1.0 };
            let p = stay.habit * moods.factor(day) * weekly * life.world.use_factor(day);
            if stay.dice.coarse_unit() < p {
                stay.active_day(day, emit);
            }
        }
    }
}

/// One user's stay.
struct Stay {
    dice: Dice,
    habit: f64,
    span: UserSpan,
    customer: u32,
    number: u32,
    events: u32,
    sessions: u32,
    platform: &'static str,
    /// How far the phone's clock is ahead of ours.
    clock_ahead: i64,
    country: &'static str,
    utc_offset: i64,
    tastes: Tastes,
}

impl Stay {
    fn new(life: &Life<'_>, seed: u64, n: usize, span: UserSpan) -> Self {
        let customer = life.who.number;
        let mut dice = Dice::new(seed, Stream::Usage, customer.into(), span.user.into());
        let (platform, habit) = user_habits(&mut dice, span.user == 1);
        Self {
            dice: Dice::new(seed, Stream::Usage, customer.into(), STAYS + n as u64),
            habit,
            span,
            customer,
            number: n as u32 + 1,
            events: 0,
            sessions: 0,
            platform,
            clock_ahead: clock_ahead(seed, customer, span.user, platform),
            country: life.who.country.code,
            utc_offset: life.who.country.utc_offset,
            tastes: Tastes::zipf(),
        }
    }

    fn active_day(&mut self, day: i64, emit: &mut impl FnMut(Trace)) {
        let rows = 1 + self.dice.neg_binomial(EVENTS_PER_DAY.0, EVENTS_PER_DAY.1);
        let hour = 9.0 + 6.5 * self.dice.coarse_unit() + 1.5 * self.dice.normal();
        let local = (hour.clamp(0.2, 22.5) * 3_600.0) as i64;
        let mut at = At(day * DAY + (local - self.utc_offset * HOUR).rem_euclid(DAY));
        self.sessions += 1;
        let mut sitting: Option<SessionRow> = None;
        for _ in 0..rows {
            let row = self.event(at);
            if at >= self.span.from && self.span.to.is_none_or(|to| at < to) {
                match &mut sitting {
                    Some(open) if open.session_id == row.session_id => prolong(open, &row),
                    _ => sitting
                        .replace(session(&row))
                        .into_iter()
                        .for_each(|s| emit(Trace::Session(s))),
                }
                emit(Trace::Event(row));
            }
            let pause = 20.0 - 400.0 * (1.0 - self.dice.coarse_unit()).ln();
            self.sessions += u32::from(pause > SITTING_ENDS as f64);
            at = at.plus(pause as i64).min(At(day * DAY + DAY - 1));
        }
        sitting.into_iter().for_each(|s| emit(Trace::Session(s)));
    }

    fn event(&mut self, at: At) -> ProductEventRow {
        self.events += 1;
        let kind = self.tastes.pick(self.dice.coarse_unit());
        let actions = 1.0 - ACTIONS_PER_EVENT * (1.0 - self.dice.coarse_unit()).ln();
        // Phones deliver when they are next online.
        let mobile = matches!(self.platform, "ios" | "android");
        let lag = if mobile {
            3.0 + 600.0 * self.dice.coarse_unit().powi(4)
        } else {
            1.0
        };
        // Not across midnight: of the days before the window's end every event is written.
        let received_at = at.plus(lag as i64 - self.clock_ahead);
        let received_at = received_at.max(At(at.day() * DAY));
        let (name, feature) = PRODUCT_EVENTS[kind];
        ProductEventRow {
            event_id: Id::part("pe", self.customer, self.number, self.events),
            user_id: Id::nth("us", self.customer, self.span.user),
            customer_id: Id::of("cus", self.customer),
            session_id: Id::part("ss", self.customer, self.number, self.sessions),
            name,
            feature,
            actions: if kind == LOGIN { 1 } else { actions as i32 },
            platform: self.platform,
            country: self.country,
            occurred_at: at,
            received_at,
            props: (name == "report_exported").then_some(r#"{"format": "csv"}"#),
        }
    }
}

/// Seconds by which a user's clock is ahead: some phones are set by hand.
fn clock_ahead(seed: u64, customer: u32, user: u32, platform: &str) -> i64 {
    if !matches!(platform, "ios" | "android") {
        return 0;
    }
    let (share, most) = SKEWED_CLOCK;
    let mut dice = Dice::new(seed, Stream::Rare, customer.into(), user.into());
    if dice.chance(share) {
        dice.whole(20, most)
    } else {
        0
    }
}

/// The sitting that an event begins.
fn session(event: &ProductEventRow) -> SessionRow {
    SessionRow {
        session_id: event.session_id,
        user_id: event.user_id,
        customer_id: event.customer_id,
        platform: event.platform,
        country: event.country,
        started_at: event.occurred_at,
        ended_at: event.occurred_at,
        events: 1,
        received_at: event.received_at.plus(SITTING_ENDS),
    }
}

fn prolong(sitting: &mut SessionRow, event: &ProductEventRow) {
    sitting.ended_at = event.occurred_at;
    sitting.events += 1;
    sitting.received_at = sitting
        .received_at
        .max(event.received_at.plus(SITTING_ENDS));
}

/// Popularity of the product's features, as a running sum; the last slot is `login`.
struct Tastes([f64; CORE_ACTIONS + 1]);

impl Tastes {
    fn zipf() -> Self {
        let mut sums = [0.0; CORE_ACTIONS + 1];
        let mut sum = 0.0;
        for (i, slot) in sums.iter_mut().enumerate().take(CORE_ACTIONS) {
            sum += ((i + 1) as f64).powf(-FEATURE_ZIPF);
            *slot = sum;
        }
        sums[CORE_ACTIONS] = sum * 1.12;
        Self(sums)
    }

    fn pick(&self, unit: f64) -> usize {
        let mark = unit * self.0[CORE_ACTIONS];
        self.0.iter().position(|sum| mark < *sum).unwrap_or(0)
    }
}

/// The owner's visits of account pages, which follow from billing rather than habit.
fn account_pages(life: &Life<'_>, emit: &mut impl FnMut(Trace)) {
    let mut visits = life.footprint.visits.clone();
    visits.sort_unstable();
    visits.dedup_by_key(|visit| visit.0);
    let customer = life.who.number;
    let owns = |at: At| {
        life.footprint
            .spans
            .iter()
            .any(|s| s.user == 1 && at >= s.from && s.to.is_none_or(|to| at < to))
    };
    for (at, kind) in visits.into_iter().filter(|v| owns(v.0)) {
        // The id follows the instant and not the place in the list, as the list still grows.
        let id = Id::part(
            "pe",
            customer,
            0,
            at.since(life.logs.customers.row(0).signup_at) as u32,
        );
        let (name, feature) = PRODUCT_EVENTS[kind];
        let row = ProductEventRow {
            event_id: id,
            user_id: Id::nth("us", customer, 1),
            customer_id: Id::of("cus", customer),
            session_id: id.with_prefix("ss"),
            name,
            feature,
            actions: 1,
            platform: "web",
            country: life.who.country.code,
            occurred_at: at,
            received_at: at.plus(1),
            props: None,
        };
        emit(Trace::Session(session(&row)));
        emit(Trace::Event(row));
    }
}
