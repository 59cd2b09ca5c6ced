//! Draws video tiles: YUV pictures with rounded corners, speaking rings, name tags and placeholders.
//!
//! Decode threads write pictures into a [`Feed`]. The owner of the window passes [`Tile`]s to a [`Stage`] (instanced
//! draws in the caller's render pass), to an [`Offscreen`] target with read-back, or to a [`cpu::Canvas`] if there is
//! no GPU. All three draw the same scene, laid out by the same code.
//!
//! Deliberately absent: windows, widgets, themes (the caller passes colours and fonts), the network, and clocks.

pub mod cpu;

mod adapter;
mod colour;
mod drawn_picture;
mod error;
mod feed;
mod geometry;
mod offscreen;
mod quad;
mod scene;
mod stage;
mod style;
mod text;
mod tile;

pub use drawn_picture::DrawnPicture;
pub use error::Error;
pub use feed::{Counts, Feed, Lease};
pub use offscreen::Offscreen;
pub use stage::{Drawing, Stage};
pub use style::{Font, Style};
pub use tile::{Area, Fit, Mark, Placeholder, Rgba, Tag, Tile};
