//! Draws meetings: YUV pictures as tiles with rounded corners, speaking rings, name tags and placeholders.
//!
//! Decode threads write pictures into a [`Feed`]; whoever owns the window lists [`Tile`]s and hands them to a [`Stage`]
//! (one instanced draw inside somebody else's render pass), to an [`Offscreen`] target with read-back, or to a
//! [`cpu::Canvas`] where there is no GPU. All three show the same scene, laid out by the same code.
//!
//! Deliberately absent: windows, widgets, themes (colours and fonts come from the caller), the network, and any clock.

pub mod bench;
pub mod cpu;

mod colour;
mod error;
mod feed;
mod geometry;
mod look;
mod offscreen;
mod quad;
mod scene;
mod stage;
mod text;
mod tile;

pub use error::Error;
pub use feed::{Counts, Feed, Lease};
pub use look::{Font, Look};
pub use offscreen::Offscreen;
pub use stage::{Drawing, Shown, Stage};
pub use tile::{Area, Fit, Placeholder, Rgba, Tag, Tile};
