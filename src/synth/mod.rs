//! The SaaS simulation: seeds in, raw rows out. Nothing here opens a file or a connection.
//!
//! | stage | from | to |
//! |---|---|---|
//! | [`world`] | [`Config`] | prices, incidents, instants of signups |
//! | [`profile`] | seed, customer | who the customer is |
//! | [`life`] | world, profile | every version of every row of the customer ([`log::Logs`]) |
//! | [`usage`] | life, window | the customer's product events |
//! | [`market`] | world, what was served | spend, costs, exchange rates |
//! | [`dirt`] | rows | the same rows, some spoilt |
//! | [`simulation`] | config, [`Window`] | blocks of encoded rows |
//! | [`truth`] | parameters, world | the answers, for tests alone |
//! | [`calibration`] | rows | figures beside their targets |
//!
//! A history does not depend on how far it is written: what exists at an instant is each key's
//! last version not after it. So writing to T1 and then the window (T1, T2], by key, leaves the
//! same rows as writing to T2 at once. [`schema`] says what the tables look like.

pub mod calibration;
pub mod config;
pub mod dirt;
pub mod encode;
pub mod id;
pub mod life;
pub mod log;
pub mod market;
pub mod params;
pub mod profile;
pub mod random;
pub mod rows;
pub mod schema;
pub mod simulation;
pub mod time;
pub mod truth;
pub mod usage;
pub mod vocab;
pub mod world;

pub use config::{Config, Size};
pub use encode::Format;
pub use log::Window;
pub use simulation::{Block, Simulation};
