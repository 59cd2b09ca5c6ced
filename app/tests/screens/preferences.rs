//! The menus of language and appearance, used by keyboard and read by assistive tools.

use accesskit::{Role, Toggled, TreeUpdate};
use app::locale::Language;
use app::model::bandwidth::{Bandwidth, Change, Choice as Rate, Direction};
use app::policy::{Policies, Policy};
use app::screen::preferences::{Part, Preference};
use app::screen::{Context, home, meeting, preview};
use app::theme::{Choice, Theme};
use iced::Size;
use iced::keyboard::key::Named;
use media::Bitrate;

use crate::common::{self, Flow, Ui, context, key_events, meeting_of, preview_screen, tree};

/// The lines of the open menu: the name, and whether it is chosen.
fn lines(update: &TreeUpdate) -> Vec<(String, bool)> {
    let lines = update.nodes.iter().filter(|(_, node)| node.role() == Role::MenuItemRadio);
    lines
        .map(|(_, node)| (node.label().unwrap_or_default().to_owned(), node.toggled() == Some(Toggled::True)))
        .collect()
}

/// Whether the menu of the button with this name is open; `None` if the button opens no menu.
fn is_open(update: &TreeUpdate, name: &str) -> Option<bool> {
    let found = update.nodes.iter().find(|(_, node)| node.label() == Some(name) && node.role() == Role::Button);
    found.unwrap_or_else(|| panic!("no button is named {name}")).1.is_expanded()
}

#[test]
fn the_meeting_has_one_menu_for_language_and_theme() {
    let (pictures, mut screen) = (common::pictures(0), meeting_of(2));
    let context = context(Language::English);
    assert_eq!(is_open(&tree(screen.view(&context, &pictures, &[])), "Language and appearance"), Some(false));
    let mut ui = Ui::new(screen.view(&context, &pictures, &[]));
    for _ in 0..3 {
        ui.tap(Named::Tab);
    }
    assert_eq!(ui.focused().as_deref(), Some("preferences"));
    ui.tap(Named::Enter);
    let pressed = ui.messages().into_iter().find(|message| matches!(message, meeting::Message::MenuPressed(_)));
    screen.update(pressed.expect("Enter opens the menu"));
    let update = tree(screen.view(&context, &pictures, &[]));
    assert_eq!(is_open(&update, "Language and appearance"), Some(true));
    let expected = [
        ("English", true),
        ("Français", false),
        ("Match system", false),
        ("Dark", true),
        ("Light", false),
        ("High contrast, dark", false),
        ("High contrast, light", false),
    ];
    assert_eq!(lines(&update), expected.map(|(name, chosen)| (name.to_owned(), chosen)));
    let mut ui = Ui::new(screen.view(&context, &pictures, &[]));
    ui.redraw();
    ui.tap(Named::ArrowDown);
    ui.tap(Named::Enter);
    let chosen = ui.messages().into_iter().find(|message| matches!(message, meeting::Message::Preferred(_)));
    let action = screen.update(chosen.expect("Enter chooses the item"));
    assert_eq!(action, meeting::Action::Prefer(Preference::Language(Language::French)));
    let update = tree(screen.view(&common::context(Language::French), &pictures, &[]));
    assert!(lines(&update).is_empty(), "the menu has closed");
    assert_eq!(is_open(&update, "Langue et apparence"), Some(false), "the meeting is in French");
}

#[test]
fn the_preview_has_both_menus() {
    let (pictures, mut screen) = (common::pictures(0), preview_screen());
    let context = context(Language::English);
    let order = Ui::new(screen.view(&context, &pictures)).tab_order();
    assert_eq!(order[..3], ["back", "themes", "languages"]);
    for (part, down, expected) in [
        (Part::Language, 1, Preference::Language(Language::French)),
        (Part::Theme, 1, Preference::Theme(Choice::Light)),
    ] {
        screen.update(preview::Message::MenuPressed(preview::Menu::Preferences(part)));
        let mut ui = Ui::new(screen.view(&context, &pictures));
        ui.redraw();
        for _ in 0..down {
            ui.tap(Named::ArrowDown);
        }
        ui.tap(Named::Enter);
        let chosen = ui.messages().into_iter().find(|message| matches!(message, preview::Message::Preferred(_)));
        assert_eq!(screen.update(chosen.expect("Enter chooses the item")), preview::Action::Prefer(expected));
    }
}

#[test]
fn chosen_language_and_theme_are_applied() {
    let mut app = app::App::new(Language::English, Choice::Dark);
    let prefer = |preference| app::Message::Home(home::Message::Preferred(preference));
    drop(app.update(prefer(Preference::Theme(Choice::Light))));
    assert_eq!(app.theme(), Theme::LIGHT);
    drop(app.update(prefer(Preference::Language(Language::French))));
    let update = tree(app.view(iced::window::Id::unique()));
    assert!(update.nodes.iter().any(|(_, node)| node.label() == Some("Démarrer")));
}

#[test]
fn the_window_starts_at_home_in_the_chosen_theme() {
    let app = app::App::new(Language::French, Choice::Light);
    let id = iced::window::Id::unique();
    assert_eq!(app.title(id), "Conclave");
    assert_eq!(app.theme(), Theme::LIGHT);
    let update = tree(app.view(id));
    assert!(update.nodes.iter().any(|(_, node)| node.label() == Some("Démarrer")));
}

/// What the organisation has set for sending, and what the user has chosen for receiving.
fn limited_context(language: Language, size: Size) -> Context {
    let mandatory = Policies { max_send: Some(Bitrate::kbps(600)), max_receive: None };
    let policy = Policy { mandatory, ..Policy::default() };
    let mut bandwidth = Bandwidth { policy, metered: Some(true), knows_networks: true, ..Bandwidth::default() };
    bandwidth.apply(Change::Limit(Direction::Receive, Rate::Kbps(1_000)));
    Context { bandwidth, size, ..context(language) }
}

#[test]
fn the_menu_of_the_bandwidth_is_used_by_keyboard_and_what_the_organisation_has_set_is_locked() {
    let context = limited_context(Language::English, Size::new(1280.0, 800.0));
    let (pictures, mut screen) = (common::pictures(0), preview_screen());
    screen.update(preview::Message::MenuPressed(preview::Menu::Preferences(Part::Bandwidth)));
    let update = tree(screen.view(&context, &pictures));
    let expected = [
        ("600\u{a0}kbit/s · Set by your organisation", true),
        ("No limit", false),
        ("300\u{a0}kbit/s", false),
        ("1\u{a0}Mbit/s", true),
        ("3\u{a0}Mbit/s", false),
    ];
    assert_eq!(lines(&update), expected.map(|(name, chosen)| (name.to_owned(), chosen)));
    let mut ui = Ui::new(screen.view(&context, &pictures));
    ui.redraw();
    ui.tap(Named::End);
    ui.tap(Named::Enter);
    let chosen = ui.messages().into_iter().find(|message| matches!(message, preview::Message::Preferred(_)));
    let forget = Preference::Bandwidth(Change::ForgetNetworks);
    assert_eq!(screen.update(chosen.expect("Enter chooses the item")), preview::Action::Prefer(forget));
    // A choice closes the menu.
    screen.update(preview::Message::MenuPressed(preview::Menu::Preferences(Part::Bandwidth)));
    let mut ui = Ui::new(screen.view(&context, &pictures));
    ui.click("600\u{a0}kbit/s · Set by your organisation");
    assert!(!ui.messages().iter().any(|message| matches!(message, preview::Message::Preferred(_))), "it is locked");
}

#[test]
fn a_menu_that_is_higher_than_the_window_scrolls_to_the_line_with_the_focus() {
    let size = Size::new(480.0, 400.0);
    let (pictures, mut screen) = (common::pictures(0), preview_screen());
    screen.update(preview::Message::MenuPressed(preview::Menu::Preferences(Part::Bandwidth)));
    let folder = std::env::var("SCREENS").unwrap_or_default();
    for language in [Language::English, Language::French] {
        let context = limited_context(language, size);
        let view = || screen.view(&context, &pictures);
        common::save(&folder, &format!("bandwidth-{language:?}-low"), view(), &Theme::DARK, [480, 400], 1.0);
        let large = limited_context(language, Size::new(1280.0, 800.0));
        let picture = screen.view(&large, &pictures);
        common::save(&folder, &format!("bandwidth-{language:?}"), picture, &Theme::DARK, [1280, 800], 1.0);
        let mut flow = Flow::new();
        flow.size = size;
        let last = context.language.text("bandwidth-forget");
        let mut bounds_after = |keys: &[Named]| {
            let (update, _) = flow.tree(view(), None, keys.iter().flat_map(|key| key_events(*key)));
            let node = update.nodes.iter().find(|(_, node)| node.label() == Some(last.as_str()));
            node.expect("the line exists").1.bounds().expect("a node has bounds")
        };
        assert!(bounds_after(&[]).y1 > 400.0, "the window is too low for the whole menu");
        let focused = bounds_after(&[Named::End]);
        assert!(focused.y0 >= 0.0 && focused.y1 <= 400.0, "{focused:?}");
    }
}
