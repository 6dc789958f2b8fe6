//! Statistics that SQL does badly, as pure functions: rows in, rows out, the same for the same
//! rows in the same order. They open nothing and know no database; `materialize` calls them.

pub mod logistic;
