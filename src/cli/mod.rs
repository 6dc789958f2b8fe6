//! The command line: arguments to options, one file per command, and the wiring.

pub mod db;
