//! Figures: each beside a peer or a limit that was measured in the same run, in turn with it.

pub mod codec;
pub mod crypto;
pub mod draw;
pub mod forward;
pub mod ladder;
pub mod net;
mod row;

pub use row::{Duel, Row, duel, print};
