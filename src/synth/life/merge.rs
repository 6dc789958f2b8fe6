//! Two customers that become one: a company with two accounts lets support put the second one's plan under the first.
//!
//! Customers are lived apart from one another, so who of a pair looks on the other's life first, lived as if nobody merged. Both
//! come to the same answer, and up to the instant of the merger neither life differs from the one without it.

use crate::synth::random::{Dice, Stream};
use crate::synth::time::At;
use crate::synth::world::World;

use super::{Event, Life};

/// Pairs of neighbours that turn out to be one company: share, days after the second's signup from which on they merge, with its next
/// period. The fewest are more than lives are lived ahead: who is not known yet changes nothing that is.
const MERGED: (f64, (f64, f64)) = (0.04, (80.0, 300.0));
/// Beside the cases of the other rare ones.
const CASE: u64 = 8;

/// What a subscription goes on as under another customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) plan: usize,
    pub(super) tier: usize,
    pub(super) annual: bool,
    pub(super) quantity: i32,
}

/// What a life does about a merger.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Merger {
    /// It takes no part in one.
    #[default]
    None,
    /// It looks from then on for a period's end at which its subscription could move.
    Sought { from: At },
    /// Then its subscription could move.
    Found { at: At, terms: Terms },
    /// Then it moves.
    Leaves { at: At },
    /// Then it takes over another's.
    Takes { terms: Terms },
}

impl<'w> Life<'w> {
    /// Lives a customer's life beside all others: `signups` has each one's signup.
    pub fn run_among(world: &'w World, signups: &[At], number: u32, until: At) -> Self {
        let signup = signups[number as usize - 1];
        let mut life = Self::born(world, number, signup);
        if let Some((at, terms)) = merger(world, signups, number.div_ceil(2) * 2, until) {
            if number.is_multiple_of(2) {
                life.merger = Merger::Leaves { at };
            } else {
                life.merger = Merger::Takes { terms };
                life.plan(at, Event::TakeOver);
            }
        }
        life.live(until);
        life
    }

    /// Whether the subscription moves to another customer now that its period ends.
    pub(super) fn moves_away(&mut self, at: At, sub: usize) -> bool {
        match self.merger {
            Merger::Sought { from } if at >= from && self.could_move(sub) => {
                let s = &self.subs[sub];
                let terms = Terms {
                    plan: s.plan,
                    tier: s.tier,
                    annual: s.annual,
                    quantity: s.quantity,
                };
                self.merger = Merger::Found { at, terms };
                self.agenda.clear();
                true
            }
            Merger::Leaves { at: then } if then == at => {
                self.end(at, sub, "merged");
                true
            }
            _ => false,
        }
    }

    /// Nothing is owed, asked for or about to change, and it is worth as much there as here.
    fn could_move(&self, sub: usize) -> bool {
        let s = &self.subs[sub];
        let waits =
            s.pending_plan.is_some() || s.pending_quantity.is_some() || s.pending_pause.is_some();
        let plain = s.discount.is_none() && self.balance == 0 && !self.who.is_test;
        plain && !waits && s.requested.is_none() && self.is_clear(sub)
    }

    /// A customer in good standing can take over another's subscription.
    fn could_take(&self) -> bool {
        let settled = |sub: usize| {
            let s = &self.subs[sub];
            let pays = s.activated.is_some() && s.requested.is_none() && !s.paused;
            self.lives(sub) && pays && s.failing == 0
        };
        !self.forgotten && !self.who.is_test && (0..self.subs.len()).any(settled)
    }

    /// Another's subscription goes on under this customer, from the instant at which it ended there.
    pub(super) fn take_over(&mut self, at: At) {
        let Merger::Takes { terms } = self.merger else {
            return;
        };
        let seats = self.seats();
        let sub = self.open(at, at, None, terms);
        self.invite(at, sub, seats, seats + terms.quantity as usize);
        self.activate(at, at, sub);
    }

    /// Seats of all subscriptions that are in use.
    pub(super) fn seats(&self) -> usize {
        let used = self.subs.iter().filter(|s| s.ended.is_none() && !s.paused);
        used.map(|s| s.quantity as usize).sum()
    }
}

/// When the second of a pair moves to the first, and with what; `second` is its number.
fn merger(world: &World, signups: &[At], second: u32, until: At) -> Option<(At, Terms)> {
    let signup = *signups.get(second as usize - 1)?;
    let (share, (soonest, latest)) = MERGED;
    let mut dice = Dice::new(world.config.seed, Stream::Rare, second.into(), CASE << 32);
    if !dice.chance(share) {
        return None;
    }
    let from = signup.plus_days(dice.between(soonest, latest));
    let mut away = Life::born(world, second, signup);
    away.merger = Merger::Sought { from };
    away.live(until);
    let Merger::Found { at, terms } = away.merger else {
        return None;
    };
    let first = second - 1;
    let mut stays = Life::born(world, first, signups[first as usize - 1]);
    stays.live(at.plus(-1));
    (stays.could_take() && stays.currency == away.currency).then_some((at, terms))
}
