//! The whole history in blocks of customers: each block stands alone, so blocks can be made in
//! any order and by any number of threads, and still join to the same bytes.

use std::sync::mpsc::sync_channel;
use std::thread;

use super::calibration::Tally;
use super::config::Config;
use super::dirt::{Dirt, Spoilable, spoil};
use super::encode::Format;
use super::life::Life;
use super::log::{Log, Window};
use super::market;
use super::rows::Row;
use super::schema::TABLES;
use super::time::{At, DAY};
use super::truth;
use super::usage::{Trace, product_events};
use super::world::World;

/// Customers in a block: some megabytes of rows.
const BLOCK: usize = 64;
/// Lives are lived this far beyond the end of the window, because use falls in the weeks before
/// a customer asks to cancel. It must exceed the longest such fall, nine weeks.
const FORESIGHT: i64 = 70 * DAY;
/// Blocks that a thread may be ahead of the taker: bounds memory.
const AHEAD: usize = 2;

/// A history and the window of it to write.
#[derive(Debug)]
pub struct Simulation {
    world: World,
    signups: Vec<At>,
    window: Window,
}

/// The rows of one block.
#[derive(Debug)]
pub struct Block {
    /// Encoded rows by table, in the order of [`TABLES`].
    pub tables: Vec<Vec<u8>>,
    /// How many rows each holds.
    pub rows: Vec<u64>,
    /// What was counted over all rows at the window's end, changed in the window or not.
    pub tally: Tally,
}

/// What is written of the rows, and how.
struct Output {
    window: Window,
    format: Format,
    /// The defects, where there are any.
    dirt: Option<Dirt>,
}

impl Block {
    fn new() -> Self {
        Self {
            tables: vec![Vec::new(); TABLES.len()],
            rows: vec![0; TABLES.len()],
            tally: Tally::default(),
        }
    }

    fn append<R: Row>(&mut self, row: &R, format: Format) {
        format.append(row, &mut self.tables[R::TABLE]);
        self.rows[R::TABLE] += 1;
    }

    /// Appends a row, and what dirt makes of it, as far as it came in the window.
    fn take<R: Spoilable>(&mut self, row: &R, to: &Output) {
        let Some(dirt) = to.dirt else {
            if to.window.holds(row.cursor()) {
                self.append(row, to.format);
            }
            return;
        };
        for (row, defect) in spoil(dirt, row) {
            if to.window.holds(row.cursor()) {
                self.append(&row, to.format);
                defect.iter().for_each(|d| self.append(d, to.format));
            }
        }
    }

    fn take_log<R: Spoilable>(&mut self, log: &Log<R>, to: &Output) {
        for row in log.view(to.window.until) {
            self.take(row, to);
        }
    }
}

impl Simulation {
    /// The history of a config, to be written for a window.
    pub fn new(config: Config, window: Window) -> Self {
        let world = World::new(config);
        let signups = world.signups(window.until);
        Self {
            world,
            signups,
            window,
        }
    }

    /// How many customers there are at the window's end.
    pub fn customers(&self) -> usize {
        self.signups.len()
    }

    /// How many blocks there are; at least one, which also holds plans, prices and answers.
    pub fn blocks(&self) -> usize {
        self.signups.len().div_ceil(BLOCK).max(1)
    }

    /// Makes one block.
    pub fn block(&self, index: usize, format: Format) -> Block {
        let mut block = Block::new();
        if index == 0 {
            self.price_list(&mut block, format);
            self.answers(&mut block, format);
        }
        let first = index * BLOCK;
        for place in first..(first + BLOCK).min(self.signups.len()) {
            self.customer(place, format, &mut block);
        }
        block
    }

    fn answers(&self, block: &mut Block, format: Format) {
        let known_at = self.world.config.start;
        if !self.window.holds(known_at) {
            return;
        }
        for row in truth::effects(known_at) {
            block.append(&row, format);
        }
        for row in truth::incidents(&self.world) {
            block.append(&row, format);
        }
        for row in truth::population(known_at) {
            block.append(&row, format);
        }
    }

    fn price_list(&self, block: &mut Block, format: Format) {
        for row in self
            .world
            .plan_rows()
            .filter(|r| self.window.holds(r.cursor()))
        {
            block.append(&row, format);
        }
        let until = self.window.until;
        for row in market::spend(&self.world, until) {
            if self.window.holds(row.cursor()) {
                block.append(&row, format);
            }
        }
        for row in market::rates(&self.world, until) {
            if self.window.holds(row.cursor()) {
                block.append(&row, format);
            }
        }
        for row in self
            .world
            .price_rows()
            .filter(|r| self.window.holds(r.cursor()))
        {
            block.append(&row, format);
        }
    }

    fn customer(&self, place: usize, format: Format, block: &mut Block) {
        let (window, seed) = (self.window, self.world.config.seed);
        let to = Output {
            window,
            format,
            dirt: self.world.config.dirt.then_some(Dirt {
                seed,
                end: self.world.config.end(),
            }),
        };
        let life = Life::run_among(
            &self.world,
            &self.signups,
            place as u32 + 1,
            window.until.plus(FORESIGHT),
        );
        let logs = &life.logs;
        block.take_log(&logs.customers, &to);
        block.take_log(&logs.users, &to);
        block.take_log(&logs.methods, &to);
        block.take_log(&logs.subscriptions, &to);
        block.take_log(&logs.subscription_events, &to);
        block.take_log(&logs.discounts, &to);
        block.take_log(&logs.invoices, &to);
        block.take_log(&logs.lines, &to);
        block.take_log(&logs.attempts, &to);
        block.take_log(&logs.refunds, &to);
        block.take_log(&logs.credit_notes, &to);
        block.take_log(&logs.dunning, &to);
        block.take_log(&logs.churn, &to);
        block.take_log(&logs.disputes, &to);
        block.take_log(&logs.customer_traits, &to);
        block.take_log(&logs.subscription_traits, &to);
        block.tally.count(&self.world.config, logs, window.until);
        product_events(&life, seed, window.until, &mut |trace| match trace {
            Trace::Event(row) => block.take(&row, &to),
            Trace::Session(row) => block.take(&row, &to),
        });
    }

    /// What is known once all customers are: the cost of serving them. It comes after the last block.
    fn closing(&self, tally: &Tally, format: Format) -> Block {
        let mut block = Block::new();
        for row in market::costs(&self.world, tally.served(), self.window.until) {
            if self.window.holds(row.cursor()) {
                block.append(&row, format);
            }
        }
        block
    }

    /// Makes all blocks on `threads` threads and hands them over in order, then one more that
    /// closes the books. Stops early when the
    /// taker fails.
    pub fn stream<E>(
        &self,
        threads: usize,
        format: Format,
        mut take: impl FnMut(Block) -> Result<(), E>,
    ) -> Result<(), E> {
        let threads = threads.clamp(1, self.blocks());
        thread::scope(|scope| {
            // Thread k makes the blocks k, k + threads, …: the order of taking is then known.
            let lanes: Vec<_> = (0..threads)
                .map(|lane| {
                    let (sender, receiver) = sync_channel(AHEAD);
                    scope.spawn(move || {
                        for index in (lane..self.blocks()).step_by(threads) {
                            if sender.send(self.block(index, format)).is_err() {
                                return;
                            }
                        }
                    });
                    receiver
                })
                .collect();
            let mut tally = Tally::default();
            for index in 0..self.blocks() {
                // A lane that ends early has panicked; the scope passes that on.
                let Ok(block) = lanes[index % threads].recv() else {
                    return Ok(());
                };
                tally.merge(&block.tally);
                take(block)?;
            }
            take(self.closing(&tally, format))
        })
    }
}
