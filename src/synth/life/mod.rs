//! One customer's life, event by event in time order: signup, trial, billing, dunning, churn, return.
//!
//! Everything an event sees is the state of its own instant, and all randomness comes from the
//! customer's stream in that order. So a life simulated further only adds rows and versions.
//! Start at [`Life::run`], or with mergers of two customers at [`Life::run_among`].

mod change;
mod collect;
mod invoice;
mod leave;
mod merge;
mod rare;
mod start;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::id::Id;
use super::log::Logs;
use super::params::Method;
use super::profile::Profile;
use super::random::{Dice, Stream};
use super::rows::{SubscriptionEventRow, SubscriptionRow};
use super::time::At;
use super::world::World;

use merge::Merger;

/// Something that will happen. Places are into the vectors of [`Life`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Signup,
    Join {
        sub: usize,
        seat: usize,
    },
    TrialEnd {
        sub: usize,
    },
    Month {
        sub: usize,
    },
    PeriodEnd {
        sub: usize,
    },
    Change {
        sub: usize,
        change: Change,
    },
    Decide {
        sub: usize,
        non_renewal: bool,
    },
    Withdraw {
        sub: usize,
    },
    Finalize {
        bill: usize,
    },
    Attempt {
        bill: usize,
        by: Initiator,
    },
    Settle {
        bill: usize,
        attempt: usize,
        reason: Option<usize>,
    },
    Dunning {
        bill: usize,
        step: usize,
    },
    Opened {
        message: usize,
    },
    Clicked {
        message: usize,
    },
    Exhausted {
        bill: usize,
    },
    Refund {
        attempt: usize,
    },
    Refunded {
        refund: usize,
    },
    Dispute {
        attempt: usize,
    },
    Resolved {
        dispute: usize,
    },
    Goodwill {
        bill: usize,
    },
    Resume {
        sub: usize,
    },
    Return,
    Forget,
    /// A contract is entered that began earlier.
    Enter {
        began: At,
    },
    PaidAfterAll {
        bill: usize,
    },
    Returned {
        bill: usize,
        attempt: usize,
    },
    GivenUp {
        bill: usize,
    },
    /// Another customer's subscription goes on under this one.
    TakeOver,
}

/// A change that a customer makes to a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    SeatUp,
    SeatDown,
    Upgrade,
    Downgrade,
    Pause,
}

/// Who starts a payment attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Initiator {
    Schedule,
    Retry,
    Customer,
}

/// A subscription's present state.
#[derive(Debug)]
struct Sub {
    plan: usize,
    tier: usize,
    annual: bool,
    quantity: i32,
    pending_quantity: Option<i32>,
    pending_plan: Option<usize>,
    /// Months of a pause that begins with the next period.
    pending_pause: Option<u32>,
    paused: bool,
    discount: Option<Discount>,
    discount_ended: Option<At>,
    activated: Option<At>,
    months: u32,
    periods: u32,
    period: (At, At),
    requested: Option<At>,
    ended: Option<At>,
    failing: u32,
    /// Latent: the chance to cancel in a month.
    hazard: f64,
    period_bill: Option<usize>,
}

/// A discount in force.
#[derive(Clone, Copy, Debug)]
struct Discount {
    id: Id,
    percent: i64,
    end: Option<At>,
}

/// An invoice's state of collection.
#[derive(Debug)]
struct Bill {
    sub: usize,
    attempts: u32,
    retries: u32,
    first_attempt: Option<At>,
    reason: Option<usize>,
    pending: bool,
    closed: bool,
    last_attempt: usize,
    /// What to do when a pending attempt fails after the subscription ended.
    close_as: Option<&'static str>,
}

/// A stretch of time in which a user could be active.
#[derive(Clone, Copy, Debug)]
pub struct UserSpan {
    /// The user's number within the customer, from 1.
    pub user: u32,
    /// From when.
    pub from: At,
    /// Until when; none: still.
    pub to: Option<At>,
}

/// What the product sees of a life, besides its users' own habits.
#[derive(Debug, Default)]
pub struct Footprint {
    /// Stretches of use, in order of their start.
    pub spans: Vec<UserSpan>,
    /// Visits of account pages by the owner: when, and the place in `vocab::PRODUCT_EVENTS`.
    pub visits: Vec<(At, usize)>,
    /// When a paying customer asked to cancel and when it took that back.
    pub requests: Vec<(At, Option<At>)>,
    /// The trial, and whether it came alive.
    pub trial: Option<(At, At, bool)>,
}

/// A customer's life so far.
pub struct Life<'w> {
    /// What it shares with all others.
    pub world: &'w World,
    /// Who lives it.
    pub who: Profile,
    dice: Dice,
    agenda: BinaryHeap<Reverse<(At, u64, Event)>>,
    planned: u64,
    /// Every version of every row.
    pub logs: Logs,
    /// What the product sees.
    pub footprint: Footprint,
    subs: Vec<Sub>,
    bills: Vec<Bill>,
    method: Option<usize>,
    method_kind: Method,
    /// What it pays in now.
    currency: &'static str,
    balance: i64,
    /// Payments that the cardholder disputes: they are not refunded as well.
    disputed: Vec<usize>,
    last_failure: Option<At>,
    /// Users in the order of their rows.
    user_rows: Vec<u32>,
    /// Open spans of active users, by user.
    active: Vec<(u32, usize)>,
    forgotten: bool,
    merger: Merger,
}

impl<'w> Life<'w> {
    /// Lives a customer's life from its signup to `until`, as if there were no others.
    pub fn run(world: &'w World, number: u32, signup: At, until: At) -> Self {
        let mut life = Self::born(world, number, signup);
        life.live(until);
        life
    }

    fn born(world: &'w World, number: u32, signup: At) -> Self {
        let seed = world.config.seed;
        let who = Profile::draw(seed, number);
        let mut life = Self {
            world,
            dice: Dice::new(seed, Stream::Billing, number.into(), 0),
            agenda: BinaryHeap::new(),
            planned: 0,
            logs: Logs::default(),
            footprint: Footprint::default(),
            subs: Vec::new(),
            bills: Vec::new(),
            method: None,
            method_kind: who.method,
            currency: who.country.currency,
            balance: 0,
            disputed: Vec::new(),
            last_failure: None,
            user_rows: Vec::new(),
            active: Vec::new(),
            forgotten: false,
            merger: Merger::default(),
            who,
        };
        life.plan(signup, Event::Signup);
        life
    }

    fn live(&mut self, until: At) {
        while let Some(Reverse((at, _, event))) = self.agenda.pop() {
            if at > until {
                break;
            }
            self.happen(at, event);
        }
    }

    fn plan(&mut self, at: At, event: Event) {
        self.planned += 1;
        self.agenda.push(Reverse((at, self.planned, event)));
    }

    fn happen(&mut self, at: At, event: Event) {
        match event {
            Event::Signup => self.sign_up(at),
            Event::Join { sub, seat } => self.join(at, sub, seat),
            Event::TrialEnd { sub } => self.end_trial(at, sub),
            Event::Month { sub } => self.begin_month(at, sub),
            Event::PeriodEnd { sub } => self.end_period(at, sub),
            Event::Change { sub, change } => self.change(at, sub, change),
            Event::Decide { sub, non_renewal } => self.decide(at, sub, non_renewal),
            Event::Withdraw { sub } => self.withdraw(at, sub),
            Event::Finalize { bill } => self.finalize(at, bill),
            Event::Attempt { bill, by } => self.attempt(at, bill, by),
            Event::Settle {
                bill,
                attempt,
                reason,
            } => self.settle(at, bill, attempt, reason),
            Event::Dunning { bill, step } => self.remind(at, bill, step),
            Event::Opened { message } => self
                .logs
                .dunning
                .update(message, at, |m| m.opened_at = Some(at)),
            Event::Clicked { message } => self
                .logs
                .dunning
                .update(message, at, |m| m.clicked_at = Some(at)),
            Event::Exhausted { bill } => self.exhausted(at, bill),
            Event::Refund { attempt } => self.refund(at, attempt),
            Event::Refunded { refund } => self.logs.refunds.update(refund, at, |r| {
                r.status = "succeeded";
                r.succeeded_at = Some(at);
            }),
            Event::Dispute { attempt } => self.dispute(at, attempt),
            Event::Resolved { dispute } => self.resolve(at, dispute),
            Event::Resume { sub } => self.resume(at, sub),
            Event::Goodwill { bill } => self.goodwill(at, bill),
            Event::Return => self.come_back(at),
            Event::Forget => self.forget(at),
            Event::Enter { began } => self.enter(at, began),
            Event::PaidAfterAll { bill } => self.paid_after_all(at, bill),
            Event::Returned { bill, attempt } => self.returned(at, bill, attempt),
            Event::GivenUp { bill } => self.given_up(at, bill),
            Event::TakeOver => self.take_over(at),
        }
    }

    fn id(&self, prefix: &'static str, place: usize) -> Id {
        Id::nth(prefix, self.who.number, place as u32 + 1)
    }

    fn customer_id(&self) -> Id {
        Id::of("cus", self.who.number)
    }

    fn sub_id(&self, sub: usize) -> Id {
        self.id("sub", sub)
    }

    fn lives(&self, sub: usize) -> bool {
        self.subs[sub].ended.is_none()
    }

    fn unit(&self, sub: usize) -> i64 {
        let s = &self.subs[sub];
        self.world
            .price(s.plan, s.tier, self.currency, s.annual)
            .unit
    }

    fn price_id(&self, sub: usize) -> std::sync::Arc<str> {
        let s = &self.subs[sub];
        self.world
            .price(s.plan, s.tier, self.currency, s.annual)
            .id
            .clone()
    }

    fn update_sub(&mut self, at: At, sub: usize, change: impl FnOnce(&mut SubscriptionRow)) {
        self.logs.subscriptions.update(sub, at, change);
    }

    /// Records a subscription event with what is in force after it. Our billing system tells us
    /// after a fixed moment, so that events of one instant keep their order by (`received_at`, id).
    fn tell(&mut self, at: At, sub: usize, kind: &'static str) {
        self.tell_of(at, at, sub, kind);
    }

    /// Records now what took effect earlier.
    fn tell_of(&mut self, at: At, effective_at: At, sub: usize, kind: &'static str) {
        let row = SubscriptionEventRow {
            event_id: self.id("se", self.logs.subscription_events.len()),
            subscription_id: self.sub_id(sub),
            customer_id: self.customer_id(),
            kind,
            effective_at,
            price_id: self.price_id(sub),
            quantity: self.subs[sub].quantity,
            discount_id: self.subs[sub].discount.map(|d| d.id),
            received_at: at.plus(2),
        };
        self.logs.subscription_events.add(row);
    }
}
