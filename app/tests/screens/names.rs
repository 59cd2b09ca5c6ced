//! Names that look like another participant's are marked wherever names are shown.

use accesskit::Role;
use app::kit::Element;
use app::locale::Language;
use app::screen::{Context, meeting};
use engine::{Event, ParticipantId};
use std::time::Instant;

use crate::common::{self, context, meeting_of, tree};

/// A meeting with a second Bob, whose name has a Greek letter, and with somebody who asks to join and mixes alphabets.
fn screen() -> meeting::Meeting {
    let mut screen = meeting_of(4);
    let mut people = screen.model.people.clone();
    people[2].name = "B\u{3bf}b".into();
    people[3].name = "D\u{430}vid Okafor".into();
    screen.handle_event(&Event::People(people), Instant::now());
    let (id, name, evidence) = (ParticipantId(70), "\u{410}nne Martin".into(), common::evidence());
    screen.handle_event(&Event::AsksToJoin { id, name, evidence }, Instant::now());
    screen.open(meeting::Panel::People);
    screen
}

/// Calls `visit` with the screen and the name of its picture.
pub fn every_state(context: &Context, visit: &mut impl FnMut(&str, Element<'_, ()>)) {
    visit("meeting-names", screen().view(context, &common::pictures(9), &[]).map(drop));
    let mut small = screen();
    small.model.people.truncate(3);
    visit("meeting-names-tiles", {
        small.update(meeting::Message::Escaped);
        small.view(context, &common::pictures(0), &[]).map(drop)
    });
}

#[test]
fn names_that_look_alike_are_marked_for_the_eyes_and_for_assistive_tools() {
    for language in Language::ALL {
        let screen = screen();
        let update = tree(screen.view(&context(language), &common::pictures(9), &[]));
        let (alike, mixed) = (language.text("name-alike"), language.text("name-mixed"));
        let labels = |name: &str, mark: &str| {
            let items = update.nodes.iter().filter(|(_, node)| node.role() == Role::ListItem);
            let marked = |label: &&str| label.contains(name) && label.contains(mark);
            items.filter_map(|(_, node)| node.label()).filter(marked).count()
        };
        // On the tile and in the list of participants.
        for (name, mark) in [("Bob", &alike), ("B\u{3bf}b", &alike), ("D\u{430}vid Okafor", &mixed)] {
            assert_eq!(labels(name, mark), 2, "{name} in {language:?}");
        }
        assert_eq!(labels("\u{410}nne Martin", &alike), 1, "who asks to join");
        assert_eq!(labels("Anne Martin", &alike), 0, "we know our own name");
        let mut ui = common::Ui::new(screen.view(&context(language), &common::pictures(9), &[]));
        ui.find(&alike);
        ui.find(&mixed);
    }
}
