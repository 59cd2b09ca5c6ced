//! A tile of the stage: the video of one participant, or a shared screen.

use std::sync::Arc;
use std::time::{Duration, Instant};

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
    /// The badge before the name; `None` if there is none.
    pub mark: Option<render::Mark>,
    /// Shows the ring of the active speaker.
    pub speaking: bool,
    /// Mirrors the video, for our own camera.
    pub mirrored: bool,
    /// The video; `None` while the camera is off.
    pub feed: Option<render::Feed>,
    /// The lost connection that may freeze the video; `None` if none was lost.
    pub loss: Option<ConnectionLoss>,
    /// The label that says why the video is reduced; `None` if it is not.
    pub note: Option<Arc<str>>,
    /// The text of the tooltip; `None` if there is none.
    pub hint: Option<String>,
}

/// The loss of a connection that carries the video of a tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionLoss {
    /// The text over a frozen picture.
    pub text: Arc<str>,
    /// When the connection came back; `None` while it is lost.
    pub reconnected_at: Option<Instant>,
}

impl Tile {
    /// Returns the text over the picture if it is frozen at `now`.
    pub fn frozen_text(&self, now: Instant) -> Option<Arc<str>> {
        let loss = self.loss.as_ref()?;
        let last = self.feed.as_ref()?.last_published()?;
        let is_frozen = match loss.reconnected_at {
            // Media may flow while only the server's messages are lost.
            None => now >= last + FREEZE_TIMEOUT,
            Some(back) => last < back,
        };
        is_frozen.then(|| loss.text.clone())
    }

    /// Returns when the picture will count as frozen if no other one comes. `None` if it is frozen already or cannot freeze.
    pub fn freezes_at(&self, now: Instant) -> Option<Instant> {
        self.loss.as_ref().filter(|loss| loss.reconnected_at.is_none())?;
        let at = self.feed.as_ref()?.last_published()? + FREEZE_TIMEOUT;
        (at > now).then_some(at)
    }
}

/// While the connection is lost, a picture that is older than this counts as frozen.
const FREEZE_TIMEOUT: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;
    use media::{Colour, PlaneRef, Size, Timestamp};

    fn tile(reconnected_at: Option<Instant>) -> Tile {
        let feed = render::Feed::new();
        let plane = |data, size| PlaneRef { data, stride: 2, size };
        let size = Size::new(2, 2);
        let planes = [plane(&[90; 4][..], size), plane(&[90; 2], size.chroma()), plane(&[90; 2], size.chroma())];
        assert!(feed.show(planes, Colour::default(), 0, Timestamp::default()));
        Tile {
            view: View::Own,
            label: String::new(),
            name: "".into(),
            initials: "".into(),
            colour: Color::WHITE,
            muted: false,
            mark: None,
            speaking: false,
            mirrored: false,
            feed: Some(feed),
            loss: Some(ConnectionLoss { text: "Reconnecting".into(), reconnected_at }),
            note: None,
            hint: None,
        }
    }

    #[test]
    fn a_picture_is_frozen_half_a_second_after_the_last_one_while_the_connection_is_lost() {
        let tile = tile(None);
        let last = tile.feed.as_ref().and_then(render::Feed::last_published).unwrap();
        assert_eq!(tile.frozen_text(last + Duration::from_millis(499)), None);
        assert_eq!(tile.freezes_at(last), Some(last + FREEZE_TIMEOUT));
        assert_eq!(tile.frozen_text(last + FREEZE_TIMEOUT).as_deref(), Some("Reconnecting"));
        assert_eq!(tile.freezes_at(last + FREEZE_TIMEOUT), None, "no further redraw");
    }

    #[test]
    fn it_is_frozen_after_the_connection_is_back_until_the_next_picture() {
        let back = Instant::now() + Duration::from_secs(1);
        let before = tile(Some(back));
        assert!(before.frozen_text(back + Duration::from_secs(9)).is_some());
        let after = tile(Some(Instant::now().checked_sub(Duration::from_millis(1)).unwrap()));
        assert_eq!(after.frozen_text(back), None);
        assert_eq!(after.frozen_text(back + Duration::from_hours(1)), None, "a camera that is slow is not lost");
        assert_eq!(after.freezes_at(Instant::now()), None);
    }
}
