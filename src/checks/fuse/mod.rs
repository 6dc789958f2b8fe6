//! Shared scans: one statement answers for many tests of a relation whether they have any
//! failing row. A test that has one then runs its own SQL, so every verdict is the one it
//! would have had alone.
//!
//! Pure: rendered tests in ([`prove`]), statements out ([`statements()`]), the answer of a
//! statement back into what is known of each test ([`Statement::read`]).

mod expression;
mod faithful;
mod grouped;
mod proof;
mod quicker;
mod shape;
mod statements;
mod unique_index;

#[cfg(test)]
mod proof_tests;

pub use proof::prove;
pub use shape::{Filter, Origin, Reason, Shape, Unique};
pub use statements::{Collations, Found, Statement, statements};
pub use unique_index::{UniqueIndexes, unique_indexes};
