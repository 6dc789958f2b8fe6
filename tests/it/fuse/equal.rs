//! Fused and unfused tests say the same of randomly broken tables.
