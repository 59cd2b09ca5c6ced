//! The place of notifications in a meeting.

use accesskit::{Rect, Role, TreeUpdate};
use app::locale::Language;
use app::model::{Notice, NoticeKind};
use app::screen::meeting::{Message, Panel};
use app::screen::notice::Queue;
use std::time::Instant;

use crate::common::{self, context, hosted_meeting_of, meeting_of, smallest_context, tree, tree_in};

fn queue() -> Queue {
    let mut queue = Queue::default();
    queue.push(Notice { kind: NoticeKind::LinkCopied, file: None, detail: String::new() }, Instant::now());
    queue
}

/// The place of the node with this role and name, in pixels; `None` if there is none.
fn place(update: &TreeUpdate, role: Role, name: &str) -> Option<Rect> {
    let node = update.nodes.iter().find(|(_, node)| node.role() == role && node.label() == Some(name));
    node.and_then(|(_, node)| node.bounds())
}

#[test]
fn notices_cover_neither_banners_nor_the_panel_nor_a_dialog() {
    let (queue, pictures) = (queue(), common::pictures(0));
    for language in Language::ALL {
        let context = context(language);
        let notices = |update: &TreeUpdate| place(update, Role::Region, &context.text("notice-region"));
        let mut screen = meeting_of(4);
        (screen.model.sharing, screen.model.reconnecting) = (true, true);
        screen.open(Panel::People);
        let update = tree(screen.view_with(&queue, &context, &pictures));
        let cards = notices(&update).expect("the notices are shown");
        for banner in ["meeting-sharing-you", "meeting-reconnecting"] {
            let banner = place(&update, Role::Region, &context.text(banner)).expect("the banner is shown");
            assert!(banner.y1 <= cards.y0, "{banner:?} under {cards:?}");
        }
        let panel = place(&update, Role::Region, &context.text("people-title")).expect("the panel is shown");
        assert!(cards.x1 <= panel.x0, "{panel:?} under {cards:?}");

        let mut screen = hosted_meeting_of(4);
        assert!(notices(&tree(screen.view_with(&queue, &context, &pictures))).is_some());
        screen.update(Message::LeavePressed);
        assert!(notices(&tree(screen.view_with(&queue, &context, &pictures))).is_none(), "the dialog is above");
    }
}

#[test]
fn notices_have_space_beside_a_panel_in_the_smallest_window() {
    let (queue, pictures, context) = (queue(), common::pictures(0), smallest_context(Language::French));
    let mut screen = meeting_of(4);
    screen.open(Panel::People);
    let update = tree_in(screen.view_with(&queue, &context, &pictures), context.size);
    let cards = place(&update, Role::Region, &context.text("notice-region")).expect("the notices are shown");
    assert!(cards.x1 - cards.x0 > 350.0, "{cards:?}");
}
