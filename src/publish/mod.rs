//! From candidate to published relation: where candidates live, what hangs on the relation
//! that they replace, and the short transaction that exchanges the two.
//!
//! Always holds: a reader sees the whole old or the whole new relation; nothing of others is
//! dropped with CASCADE; whatever a crash leaves carries a run tag and is removed by the
//! next run. Start at [`swap::publish_table`].

pub mod facts;
pub mod group;
pub mod home;
mod inherit;
pub mod leftovers;
mod locking;
mod locks;
mod pending;
mod publication;
mod rows;
pub mod swap;
pub mod target_lock;
pub mod views;

pub use home::{CandidateHome, RunTag};
pub use inherit::{take_over, take_over_as};
pub use locks::lock_inside;
pub use pending::Pending;
pub use publication::Publication;

/// A stable 64-bit hash (FNV-1a) for names and advisory locks; not for untrusted keys.
pub fn hash64(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// How a table was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// There was none before.
    Created,
    /// The candidate took the place of the old relation.
    Swapped,
    /// The old table's rows were replaced in place, because something hangs on it.
    Rows,
}
