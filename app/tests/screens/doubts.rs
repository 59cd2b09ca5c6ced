//! Tiles of pictures and sound that are not from their owner.

use accesskit::Role;
use app::kit::Element;
use app::locale::Language;
use app::screen::{Context, meeting};
use engine::{Authorship, ParticipantId, Slot, TrackId};

use crate::common::{self, context, meeting_of, tree};

/// A meeting in which Bob's picture is forged, and nothing confirms the voice of Carol.
fn meeting_with_doubts() -> meeting::Meeting {
    let mut screen = meeting_of(4);
    let track = |owner, slot| TrackId { owner: ParticipantId(owner), slot };
    screen.model.doubted_tracks =
        [(track(2, Slot::Camera), Authorship::Forged), (track(3, Slot::Microphone), Authorship::Unproven)].into();
    screen
}

/// Calls `visit` with the state of the meeting's screen.
pub fn every_state(context: &Context, visit: &mut impl FnMut(&str, Element<'_, ()>)) {
    let pictures = common::pictures(9);
    visit("meeting-doubts", meeting_with_doubts().view(context, &pictures, &[]).map(drop));
}

#[test]
fn a_forged_tile_says_so_to_assistive_tools_and_shows_no_picture() {
    let pictures = common::pictures(9);
    for (language, forged, unproven) in [
        (Language::English, "someone else sends pictures or sound in Bob’s name", "nothing confirms"),
        (Language::French, "quelqu’un d’autre envoie des images ou du son au nom de Bob", "rien ne confirme"),
    ] {
        let update = tree(meeting_with_doubts().view(&context(language), &pictures, &[]));
        let tiles = update.nodes.iter().filter(|(_, node)| node.role() == Role::ListItem);
        let labels: Vec<String> = tiles.filter_map(|(_, node)| node.label().map(str::to_lowercase)).collect();
        let says = |text: &str| labels.iter().filter(|label| label.contains(&text.to_lowercase())).count();
        assert_eq!((says(forged), says(unproven)), (1, 1), "{labels:?}");
    }
}
