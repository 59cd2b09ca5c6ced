//! Scrolling by keyboard: the arrows, Page Up, Page Down, Home and End.

use accesskit::TreeUpdate;
use app::locale::Language;
use app::screen::{Context, home, meeting};
use app::theme::Choice;
use app::{App, Message};
use iced::keyboard::key::Named;
use iced::{Size, window};

use crate::common::{self, Flow, context, key_events, meeting_of, recents, smallest_context};

/// The top edge of the node with this name, in pixels.
fn top(update: &TreeUpdate, name: &str) -> f64 {
    let node = update.nodes.iter().find(|(_, node)| node.label() == Some(name));
    let (_, node) = node.unwrap_or_else(|| panic!("no node is named {name}"));
    node.bounds().expect("a node has bounds").y0
}

/// The list of shortcuts has no control inside, so that Tab does not lead to its end.
#[test]
fn the_shortcuts_sheet_is_scrolled_by_keyboard_in_a_small_window() {
    // A tiling window manager ignores the minimum size.
    let context = Context { size: Size::new(480.0, 280.0), ..context(Language::French) };
    let mut app = App::new(context.language, Choice::Dark);
    drop(app.update(Message::Resized(context.size)));
    drop(app.update(Message::ShortcutsShown(true)));
    let mut flow = Flow::new();
    flow.size = context.size;
    let mut top_after = |keys: &[Named]| {
        let events = keys.iter().flat_map(|key| key_events(*key));
        let (messages, update) = flow.show_rooted(app.view(window::Id::unique()), None, events);
        assert!(messages.is_empty(), "{} messages", messages.len());
        top(&update, "Aller à la partie suivante de la fenêtre, F6")
    };
    let start = top_after(&[]);
    let line = top_after(&[Named::ArrowDown]);
    assert!(line < start, "one line down: {line} < {start}");
    let page = top_after(&[Named::ArrowUp, Named::PageDown]);
    assert!(page < line, "a page is longer than a line: {page} < {line}");
    let end = top_after(&[Named::Home, Named::End]);
    assert!(end <= page && top_after(&[Named::PageDown, Named::ArrowDown]) >= end, "End is the bottom");
    assert!(end < f64::from(context.size.height) - 40.0, "the last line is visible");
    for keys in [&[Named::Home][..], &[Named::End, Named::PageUp, Named::PageUp, Named::PageUp]] {
        assert!((top_after(keys) - start).abs() < 0.5, "{keys:?} leads to the top");
    }
}

#[test]
fn a_long_page_and_a_dialog_are_scrolled_by_keyboard() {
    let mut home = home::Home::new(recents().into_iter().cycle().take(30).collect());
    let context = context(Language::English);
    let title = context.text("home-title");
    let mut flow = Flow::new();
    let start = top(&flow.tree(home.view(&context), None, []).0, &title);
    let end = top(&flow.tree(home.view(&context), None, key_events(Named::End)).0, &title);
    assert!(end < start - 500.0, "{end} after {start}");
    let keys = [Named::Home, Named::Tab, Named::Tab, Named::PageDown];
    let focused = top(&flow.tree(home.view(&context), None, keys.into_iter().flat_map(key_events)).0, &title);
    assert!(focused < start && focused > end, "the focus is in the bar above: {focused}");
    home.update(home::Message::MenuPressed(app::screen::preferences::Part::Language));
    let (update, _) = flow.tree(home.view(&context), None, key_events(Named::End));
    assert!((top(&update, &title) - focused).abs() < 0.5, "an open menu gets the keys, not the page under it");

    let context = smallest_context(Language::English);
    let mut screen = meeting_of(4);
    screen.model.hosts = vec!["192.0.2.1".into()];
    screen.update(meeting::Message::LeavePressed);
    let pictures = common::pictures(0);
    let mut flow = Flow::new();
    flow.size = context.size;
    let mut first = |keys: Vec<iced::Event>| {
        let (update, messages) = flow.tree(screen.view(&context, &pictures, &[]), None, keys);
        assert!(!messages.iter().any(|message| matches!(message, meeting::Message::LeaveAnswered(_))), "{messages:?}");
        top(&update, "Leave")
    };
    let start = first(Vec::new());
    assert!(first(key_events(Named::End)) < start);
    assert!((first(key_events(Named::Home)) - start).abs() < 0.5);
}
