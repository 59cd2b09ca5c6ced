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
    /// Shows the ring of the active speaker.
    pub speaking: bool,
    /// Mirrors the video, for our own camera.
    pub mirrored: bool,
    /// The video; `None` while the camera is off.
    pub feed: Option<render::Feed>,
    /// What to show if the video stands still because a connection is lost; `None` if none is.
    pub loss: Option<Loss>,
}

/// The loss of a connection that carries the video of a tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The text over a picture that stands still.
    pub text: Arc<str>,
    /// When the connection came back; `None` while it is lost.
    pub back: Option<Instant>,
}

impl Tile {
    /// Returns the text over the picture if it stands still at `now`.
    pub fn still(&self, now: Instant) -> Option<Arc<str>> {
        let loss = self.loss.as_ref()?;
        let last = self.feed.as_ref()?.last_published()?;
        let is_still = match loss.back {
            // Media may flow while only the server's messages are lost.
            None => now >= last + STILL_AFTER,
            Some(back) => last < back,
        };
        is_still.then(|| loss.text.clone())
    }

    /// Returns when the picture counts as standing still, if no other one comes. `None` if that does not change.
    pub fn stands_still_at(&self, now: Instant) -> Option<Instant> {
        self.loss.as_ref().filter(|loss| loss.back.is_none())?;
        let at = self.feed.as_ref()?.last_published()? + STILL_AFTER;
        (at > now).then_some(at)
    }
}

/// A picture that is older than this stands still.
const STILL_AFTER: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;
    use media::{Colour, PlaneRef, Size, Timestamp};

    fn tile(back: Option<Instant>) -> Tile {
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
            speaking: false,
            mirrored: false,
            feed: Some(feed),
            loss: Some(Loss { text: "Reconnecting".into(), back }),
        }
    }

    #[test]
    fn a_picture_stands_still_half_a_second_after_the_last_one_while_the_connection_is_lost() {
        let tile = tile(None);
        let last = tile.feed.as_ref().and_then(render::Feed::last_published).unwrap();
        assert_eq!(tile.still(last + Duration::from_millis(499)), None);
        assert_eq!(tile.stands_still_at(last), Some(last + STILL_AFTER));
        assert_eq!(tile.still(last + STILL_AFTER).as_deref(), Some("Reconnecting"));
        assert_eq!(tile.stands_still_at(last + STILL_AFTER), None, "no further redraw");
    }

    #[test]
    fn it_stands_still_after_the_connection_is_back_until_the_next_picture() {
        let back = Instant::now() + Duration::from_secs(1);
        let before = tile(Some(back));
        assert!(before.still(back + Duration::from_secs(9)).is_some());
        let after = tile(Some(Instant::now().checked_sub(Duration::from_millis(1)).unwrap()));
        assert_eq!(after.still(back), None);
        assert_eq!(after.still(back + Duration::from_hours(1)), None, "a camera that is slow is not lost");
        assert_eq!(after.stands_still_at(Instant::now()), None);
    }
}
