//! What selections find, on small graphs made by hand.
