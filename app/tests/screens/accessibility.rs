//! What assistive tools get: the text of fields, headings, states, and all controls; and where the focus goes.

use accesskit::{Action, ActionData, ActionRequest, HasPopup, Invalid, Node, NodeId, Role, TreeId, TreeUpdate};
use accesskit_consumer::{NodeRef, Tree, common_filter};
use app::kit::field::{Field, field};
use app::kit::focus::Request;
use app::kit::modal::{self, modal};
use app::kit::{Element, press, text};
use app::locale::Language;
use app::screen::preferences::Part;
use app::screen::{ended, entering, home, meeting, preview};
use engine::{LinkError, ParticipantId, Reason, Step};
use iced::keyboard::{Modifiers, key::Named};
use iced::mouse::Button;
use iced::widget::{column, scrollable};
use iced::{Event, Length};

use crate::common::{
    self, Flow, character_events, click_at, context, hosted_meeting_of, key_events, meeting_of, preview_screen,
    recents, tree,
};

/// The node with this name.
fn named<'a>(update: &'a TreeUpdate, name: &str) -> &'a (NodeId, Node) {
    let found = update.nodes.iter().find(|(_, node)| node.label() == Some(name));
    found.unwrap_or_else(|| panic!("no node is named {name}"))
}

/// The name of the node that has the focus.
fn focused(update: &TreeUpdate) -> &str {
    let node = update.nodes.iter().find(|(id, _)| *id == update.focus);
    node.and_then(|(_, node)| node.label()).unwrap_or_default()
}

fn none<Message>(_: app::kit::Shortcut) -> Option<Message> {
    None
}

/// The headings of a screen: level and text.
fn headings(update: &TreeUpdate) -> Vec<(usize, String)> {
    let all = update.nodes.iter().filter(|(_, node)| node.role() == Role::Heading);
    all.map(|(_, node)| (node.level().unwrap_or(9) + 1, node.label().unwrap_or_default().to_owned())).collect()
}

#[test]
fn each_page_has_one_first_heading_and_panels_and_dialogs_have_one() {
    let (context, pictures) = (context(Language::French), common::pictures(0));
    let first = |update: TreeUpdate| {
        headings(&update).into_iter().filter(|(level, _)| *level == 1).map(|(_, text)| text).collect::<Vec<_>>()
    };
    let home = home::Home::new(recents());
    let title = "Des visioconférences que seuls les participants voient et entendent";
    assert_eq!(first(tree(home.view(&context))), [title]);
    let second: Vec<_> = headings(&tree(home.view(&context))).into_iter().filter(|(level, _)| *level == 2).collect();
    assert_eq!(second.len(), 3, "two cards and the list: {second:?}");
    assert_eq!(first(tree(preview_screen().view(&context, &pictures))), ["Démarrer une visioconférence"]);
    assert_eq!(first(tree(entering::view(Step::Knocking, false, &context))), ["Rejoindre la visioconférence"]);
    let ended = ended::Ended { reason: Reason::Removed, progress: ended::Progress::Inside };
    assert_eq!(first(tree(ended.view(&context))), ["L’organisateur vous a exclu"]);
    let mut screen = meeting_of(4);
    screen.open(meeting::Panel::Lock);
    let update = tree(screen.view(&context, &pictures, &[]));
    assert_eq!(headings(&update)[0], (2, "Sécurité de la visioconférence".to_owned()));
    let parts = headings(&update)[1..].len();
    assert_eq!(parts, 4, "the state, the pictures, the words, and the phrase to be read have one each");
    screen.update(meeting::Message::RemovePressed(ParticipantId(2)));
    assert_eq!(first(tree(screen.view(&context, &pictures, &[]))).len(), 1);
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Message {
    Typed(String),
    Pressed,
    Closed,
}

fn name_field<'a>(value: &'a str, error: Option<&str>) -> Element<'a, Message> {
    field(Field {
        id: "name",
        label: "Name".into(),
        labelled: true,
        value,
        placeholder: "As others see it".into(),
        required: true,
        error: error.map(str::to_owned),
        paste: "Paste".into(),
        beside: None,
        on_input: Message::Typed,
        on_submit: Some(Message::Pressed),
    })
}

/// The text of a field as an assistive tool reads it, and the selection: the numbers of the characters before its ends.
fn read(update: TreeUpdate) -> (String, usize, usize) {
    let tree = Tree::new(update, true);
    let node = find(tree.state().root(), &|node| node.is_text_input()).expect("there is a text field");
    assert!(node.supports_text_ranges(), "the field has no text");
    let selection = node.text_selection_anchor().zip(node.text_selection_focus()).expect("the field has a caret");
    let (anchor, focus) = (selection.0.to_global_usv_index(), selection.1.to_global_usv_index());
    (node.document_range().text(), anchor, focus)
}

fn find<'a>(node: NodeRef<'a>, wanted: &dyn Fn(&NodeRef<'_>) -> bool) -> Option<NodeRef<'a>> {
    if wanted(&node) { Some(node) } else { node.children().find_map(|child| find(child, wanted)) }
}

#[test]
fn assistive_tools_read_the_text_the_caret_and_the_selection_of_a_field() {
    let mut flow = Flow::new();
    assert_eq!(read(flow.tree(name_field("", None), None, []).0), (String::new(), 0, 0));
    let at = flow.place(name_field("Élodie", None), "name");
    let (update, _) = flow.tree(name_field("Élodie", None), None, click_at(at, Button::Left));
    assert_eq!(read(update), ("Élodie".into(), 6, 6), "the caret is behind the last letter");
    let (update, _) = flow.tree(name_field("Élodie", None), None, key_events(Named::ArrowLeft));
    assert_eq!(read(update), ("Élodie".into(), 5, 5));
    let all = character_events("a", Modifiers::COMMAND);
    let (update, _) = flow.tree(name_field("Élodie", None), None, all);
    assert_eq!(read(update), ("Élodie".into(), 0, 6), "everything is selected");
    let (_, messages) = flow.tree(name_field("Élodie", None), None, character_events("x", Modifiers::default()));
    assert_eq!(messages, [Message::Typed("x".into())], "what is selected is replaced");
    assert_eq!(read(flow.tree(name_field("x", None), None, []).0).0, "x");
}

fn request(action: Action, target: NodeId, data: ActionData) -> ActionRequest {
    ActionRequest { action, target_tree: TreeId::ROOT, target_node: target, data: Some(data) }
}

#[test]
fn assistive_tools_can_select_and_enter_text() {
    let mut flow = Flow::new();
    let (update, _) = flow.tree(name_field("Anne Martin", None), None, []);
    let (field, node) = named(&update, "Name");
    let run = *node.children().first().expect("the text is a node");
    let place = |index| accesskit::TextPosition { node: run, character_index: index };
    let wanted = accesskit::TextSelection { anchor: place(5), focus: place(11) };
    let select = Some(request(Action::SetTextSelection, *field, ActionData::SetTextSelection(wanted)));
    let (update, _) = flow.tree(name_field("Anne Martin", None), select, []);
    assert_eq!(read(update), ("Anne Martin".into(), 5, 11));
    let caret = accesskit::TextSelection { anchor: place(4), focus: place(4) };
    let select = Some(request(Action::SetTextSelection, *field, ActionData::SetTextSelection(caret)));
    let (update, _) = flow.tree(name_field("Anne Martin", None), select, []);
    assert_eq!(read(update), ("Anne Martin".into(), 4, 4));
    let enter = Some(request(Action::SetValue, *field, ActionData::Value("Bob".into())));
    let (_, messages) = flow.tree(name_field("Anne Martin", None), enter, []);
    assert_eq!(messages, [Message::Typed("Bob".into())]);
}

#[test]
fn states_are_told_to_assistive_tools() {
    let update = tree(name_field("", Some("Enter your name")));
    let (_, node) = named(&update, "Name");
    assert!(node.is_required());
    assert_eq!((node.invalid(), node.description()), (Some(Invalid::True), Some("Enter your name")));
    assert_eq!(named(&tree(name_field("", None)), "Name").1.invalid(), None);
    let (context, pictures, mut screen) = (context(Language::English), common::pictures(0), meeting_of(4));
    for open in [false, true] {
        let update = tree(screen.view(&context, &pictures, &[]));
        let (_, node) = named(&update, "Choose camera");
        assert_eq!((node.is_expanded(), node.has_popup()), (Some(open), Some(HasPopup::Menu)));
        let (_, share) = named(&update, "Share screen");
        assert_eq!((share.has_popup(), share.keyboard_shortcut()), (Some(HasPopup::Dialog), Some("Ctrl+Shift+S")));
        screen.update(meeting::Message::MenuPressed(meeting::Menu::Camera));
    }
    let preview = preview_screen();
    let update = tree(preview.view(&context, &pictures));
    assert!(named(&update, "Your name").1.is_required(), "nobody joins without a name");
}

#[test]
fn each_control_with_a_shortcut_names_it() {
    let (pictures, screen) = (common::pictures(0), meeting_of(4));
    let update = tree(screen.view(&context(Language::English), &pictures, &[]));
    let keys = |name| named(&update, name).1.keyboard_shortcut().map(str::to_owned);
    for (name, expected) in [
        ("Mute microphone", "Ctrl+D"),
        ("Camera", "Ctrl+E"),
        ("Share screen", "Ctrl+Shift+S"),
        ("People, 4", "Ctrl+P"),
        ("Leave the meeting", "Alt+Q"),
        ("Keyboard shortcuts", "Ctrl+/"),
        ("Statistics", "Ctrl+Shift+I"),
        ("Full screen", "F11"),
    ] {
        assert_eq!(keys(name).as_deref(), Some(expected), "{name}");
    }
    assert_eq!(keys("Copy link"), None);
}

/// The names of the controls that assistive tools list: AccessKit leaves out some nodes.
fn listed(node: NodeRef<'_>, names: &mut Vec<String>) {
    if node.is_focusable(&common_filter) && !node.is_root() {
        names.extend(node.label());
    }
    for child in node.filtered_children(&common_filter) {
        listed(child, names);
    }
}

#[test]
fn controls_that_are_scrolled_off_are_listed() {
    let many = 60;
    let controls = (0..many).map(|index| {
        let name = format!("Control {index}");
        Element::from(press(text::strong(name.clone()), &name, Some(Message::Pressed)).id(name))
    });
    let update = tree(scrollable(column(controls)).height(Length::Fill).into());
    let tree = Tree::new(update, true);
    let mut names = Vec::new();
    listed(tree.state().root(), &mut names);
    let expected: Vec<_> = (0..many).map(|index| format!("Control {index}")).collect();
    assert_eq!(names, expected);
}

#[test]
fn a_control_that_an_assistive_tool_focuses_is_scrolled_into_view() {
    let many: Vec<_> = recents().into_iter().cycle().take(30).collect();
    let home = home::Home::new(many);
    let view = || home.view(&context(Language::English));
    let update = tree(view());
    let last = update.nodes.iter().rev().find(|(_, node)| node.supports_action(Action::Focus)).expect("a control");
    assert!(last.1.bounds().expect("bounds").y0 > 800.0, "it is below the window");
    let port = app::kit::a11y::Port::default();
    let focus = ActionRequest { action: Action::Focus, target_tree: TreeId::ROOT, target_node: last.0, data: None };
    accesskit::ActionHandler::do_action(&mut port.clone(), focus);
    let window = app::kit::root::Window {
        id: iced::window::Id::unique(),
        title: "Test".into(),
        port,
        scale: 1.0,
        focus: None,
        on_shortcut: Box::new(none),
    };
    let (_, update) = Flow::new().show_rooted(app::kit::root(window, view()), None, []);
    let (_, node) = update.nodes.iter().find(|(id, _)| *id == update.focus).expect("the focused control");
    assert!(node.bounds().expect("bounds").y1 <= 800.0, "{:?}", node.bounds());
}

#[test]
fn the_preview_begins_at_the_name_and_returns_to_it_if_it_is_invalid() {
    for language in Language::ALL {
        let (context, pictures, mut flow) = (context(language), common::pictures(0), Flow::new());
        let mut screen = preview_screen();
        screen.name.clear();
        flow.focus = screen.focus;
        let (update, _) = flow.tree(screen.view(&context, &pictures), None, []);
        assert_eq!(focused(&update), language.text("preview-name"));
        let (update, _) = flow.tree(screen.view(&context, &pictures), None, key_events(Named::Tab));
        assert_ne!(focused(&update), language.text("preview-name"), "Tab leaves the field");
        screen.update(preview::Message::EnterPressed);
        flow.focus = screen.focus;
        let (update, _) = flow.tree(screen.view(&context, &pictures), None, []);
        assert_eq!(focused(&update), language.text("preview-name"));
    }
}

#[test]
fn the_focus_goes_to_a_link_or_an_address_that_is_wrong() {
    let context = context(Language::English);
    let (mut flow, mut home) = (Flow::new(), home::Home::default());
    assert_eq!(home.focus, None);
    home.reject_link(LinkError::NotALink);
    flow.focus = home.focus;
    assert_eq!(focused(&flow.tree(home.view(&context), None, []).0), "Meeting link");
    let (mut flow, mut screen) = (Flow::new(), hosted_meeting_of(2));
    screen.open(meeting::Panel::People);
    let pictures = common::pictures(0);
    let at = flow.place(screen.view(&context, &pictures, &[]), "address");
    flow.show(screen.view(&context, &pictures, &[]), none, click_at(at, Button::Left));
    for event in [character_events("/", Modifiers::default()), key_events(Named::Enter)] {
        for message in flow.show(screen.view(&context, &pictures, &[]), none, event) {
            screen.update(message);
        }
    }
    flow.focus = screen.focus();
    let (update, _) = flow.tree(screen.view(&context, &pictures, &[]), None, []);
    assert_eq!(focused(&update), "Other name or address");
    assert_eq!(named(&update, "Other name or address").1.invalid(), Some(Invalid::True));
}

#[test]
fn each_request_moves_the_focus_once() {
    let mut flow = Flow::new();
    flow.focus = Some(Request::to("name"));
    assert_eq!(focused(&flow.tree(name_field("", None), None, []).0), "Name");
    let (update, _) = flow.tree(name_field("", None), None, key_events(Named::Escape));
    assert_ne!(focused(&update), "Name", "Escape leaves the field, and the old request does not return to it");
}

/// Controls, with or without another one before them, and a dialog.
fn page<'a>(ids: &[&'static str], dialog: bool) -> Element<'a, Message> {
    let control = |id: &'static str| Element::from(press(text::strong(id), id, Some(Message::Pressed)).id(id));
    let controls = column(ids.iter().map(|id| control(id)));
    let controls = app::kit::region(Role::Region, "Page", controls);
    let inside = control("confirm");
    let dialog = dialog.then(|| modal::Dialog {
        label: "Dialog".into(),
        content: inside,
        width: 300.0,
        on_close: Message::Closed,
    });
    modal(controls, dialog)
}

#[test]
fn after_a_dialog_the_focus_returns_to_its_control_even_if_the_page_has_changed() {
    for (after, expected) in [
        (&["share", "people"][..], "people"),
        // Sharing shows a banner with a button before the others.
        (&["stop", "share", "people"], "people"),
        // The person whose removal was asked has left. The next person's button has its place.
        (&["share", "other"], "share"),
    ] {
        let mut flow = Flow::new();
        let tabs = [key_events(Named::Tab), key_events(Named::Tab)].concat();
        let (update, _) = flow.tree(page(&["share", "people"], false), None, tabs);
        assert_eq!(focused(&update), "people");
        let (update, _) = flow.tree(page(&["share", "people"], true), None, []);
        assert_eq!(focused(&update), "confirm");
        let (update, _) = flow.tree(page(after, false), None, []);
        assert_eq!(focused(&update), expected, "{after:?}");
    }
}

#[test]
fn a_dialog_that_an_assistive_tool_opens_has_the_focus() {
    let mut flow = Flow::new();
    let at = flow.place(page(&["share", "people"], false), "share");
    flow.show(page(&["share", "people"], false), none, click_at(at, Button::Left));
    let (update, _) = flow.tree(page(&["share", "people"], false), None, []);
    let click = ActionRequest {
        action: Action::Click,
        target_tree: TreeId::ROOT,
        target_node: named(&update, "people").0,
        data: None,
    };
    assert_eq!(flow.tree(page(&["share", "people"], false), Some(click), []).1, [Message::Pressed]);
    assert_eq!(focused(&flow.tree(page(&["share", "people"], true), None, []).0), "confirm");
    assert_eq!(focused(&flow.tree(page(&["share", "people"], false), None, []).0), "people");
}

/// Opens a menu of home by keyboard, then handles the events. Returns the name of the focused item.
fn in_menu(part: Part, language: Language, events: Vec<Event>) -> String {
    let (context, mut flow, mut home) = (context(language), Flow::new(), home::Home::default());
    flow.show(home.view(&context), none, key_events(Named::Tab));
    home.update(home::Message::MenuPressed(part));
    let (update, _) = flow.tree(home.view(&context), None, events);
    focused(&update).to_owned()
}

#[test]
fn a_menu_opens_on_the_checked_item() {
    assert_eq!(in_menu(Part::Theme, Language::English, Vec::new()), "Dark", "the second item");
    assert_eq!(in_menu(Part::Language, Language::French, Vec::new()), "Français");
}

#[test]
fn home_end_and_first_letters_move_in_a_menu() {
    let letter = |letter: &str| character_events(letter, Modifiers::default());
    for (events, expected) in [
        (key_events(Named::End), "High contrast, light"),
        (key_events(Named::Home), "Match system"),
        ([key_events(Named::End), key_events(Named::ArrowDown)].concat(), "Match system"),
        (letter("l"), "Light"),
        (letter("H"), "High contrast, dark"),
        ([letter("h"), letter("h")].concat(), "High contrast, light"),
        ([letter("h"), letter("h"), letter("h")].concat(), "High contrast, dark"),
        (letter("x"), "Dark"),
        (character_events("l", Modifiers::COMMAND), "Dark"),
    ] {
        assert_eq!(in_menu(Part::Theme, Language::English, events), expected);
    }
}
