//! A tile of the stage: the video of one participant, or a shared screen.

use std::sync::Arc;

use iced::Color;

use crate::model::View;

/// A tile.
#[derive(Clone, Debug)]
pub struct Tile {
    /// Whose video the tile shows, and whether it is the camera or the screen.
    pub view: View,
    /// The description for assistive tools.
    pub label: String,
    /// The name shown on the tile. If it is empty, no name is shown.
    pub name: Arc<str>,
    /// The initials, which are shown if there is no video.
    pub initials: Arc<str>,
    /// The colour of the disc behind the initials.
    pub colour: Color,
    /// Shows the crossed microphone beside the name.
    pub muted: bool,
    /// Shows the ring of the active speaker.
    pub speaking: bool,
    /// Mirrors the video, for our own camera.
    pub mirrored: bool,
    /// The video; `None` while the camera is off.
    pub feed: Option<render::Feed>,
}
