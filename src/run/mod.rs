//! Where everything meets: a session is a Postgres connection plus the template engine, a
//! step is a node on a session, and the dispatcher starts steps and tells what happened.
//!
//! Start at [`Runner::run`]. Only the dispatcher emits events, so their order is one.

mod batches;
mod cancel;
mod changes;
mod committing;
mod compile;
mod custom;
mod database;
mod dispatcher;
mod emptied;
mod ended;
mod evidence;
mod failures;
mod freshness;
mod garbage;
mod gating;
mod inspect;
mod limits;
mod names;
mod orphans;
mod place;
mod publishing;
mod query_comment;
mod retry;
mod run_hooks;
mod runner;
mod scan;
mod schemas;
mod session;
mod step;
mod test_step;
mod unit;

pub use cancel::Cancel;
pub use dispatcher::{Emit, Options};
pub use freshness::{AskedSource, ask_sources, with_freshness};
pub use inspect::{CompiledNode, Look, Looked, call_operation, compile_nodes, look, plain_session};
pub use orphans::Orphans;
pub use query_comment::{CommentSource, QueryComment};
pub use runner::{Runner, Setup};
