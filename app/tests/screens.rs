//! Tests every screen in both languages, without a window: its texts, its Tab order, and its nodes for assistive tools.
//! `SCREENS=folder cargo test -p app --test screens` writes a picture of each.

#[path = "screens/accessibility.rs"]
mod accessibility;
#[path = "screens/bars.rs"]
mod bars;
#[path = "screens/chat.rs"]
mod chat;
#[path = "screens/chat_first.rs"]
mod chat_first;
mod common;
#[path = "screens/connection.rs"]
mod connection;
#[path = "screens/doubts.rs"]
mod doubts;
#[path = "screens/facts.rs"]
mod facts;
#[path = "screens/identity.rs"]
mod identity;
#[path = "screens/keyboard.rs"]
mod keyboard;
#[path = "screens/leaving.rs"]
mod leaving;
#[path = "screens/moderation.rs"]
mod moderation;
#[path = "screens/names.rs"]
mod names;
#[path = "screens/notices.rs"]
mod notices;
#[path = "screens/preferences.rs"]
mod preferences;
#[path = "screens/rings.rs"]
mod rings;
#[path = "screens/scroll.rs"]
mod scroll;
#[path = "screens/share.rs"]
mod share;
#[path = "screens/small.rs"]
mod small;
#[path = "screens/space.rs"]
mod space;
#[path = "screens/statistics.rs"]
mod statistics;
#[path = "screens/still.rs"]
mod still;
#[path = "screens/verification.rs"]
mod verification;
#[path = "screens/waiting_room.rs"]
mod waiting_room;
#[path = "screens/words.rs"]
mod words;

use std::collections::BTreeSet;

use accesskit::{Action, Role, Toggled, TreeUpdate};
use app::kit::Element;
use app::locale::Language;
use app::model::{Device, Kind, NoticeKind, sentence};
use app::screen::preferences::Part;
use app::screen::{Context, ended, entering, home, meeting, preview};
use app::theme::{Choice, Theme};
use common::{Ui, context, hosted_meeting_of, meeting_of, notices, preview_screen, recents, save, small_context, tree};
use engine::{LinkError, Microphone, ParticipantId, Reason, Step};
use iced::keyboard::key::Named;

/// Calls `visit` with each screen and the name of its picture.
fn every_screen(language: Language, mut visit: impl FnMut(&str, Element<'_, ()>)) {
    let context = context(language);
    let mut home = home::Home::new(recents());
    visit("home", home.view(&context).map(drop));
    home.update(home::Message::LinkTyped("http://example.org".into()));
    home.reject_link(LinkError::NotALink);
    home.update(home::Message::MenuPressed(Part::Language));
    visit("home-refused", home.view(&context).map(drop));
    visit("home-empty", home::Home::default().view(&context).map(drop));
    for (name, hosted) in leaving::hosted_meetings() {
        let mut home = home::Home::new(recents());
        home.hosted = Some(hosted);
        visit(name, home.view(&context).map(drop));
    }
    leaving::every_end_dialog(&context, &mut visit);
    visit("preview", preview_screen().view(&context, &common::pictures(9)).map(drop));
    let mut join = preview_screen();
    join.purpose = preview::Purpose::Join { host: "visio.example.fr".into() };
    visit("preview-join", join.view(&context, &common::pictures(9)).map(drop));
    let mut empty = preview_screen();
    empty.name.clear();
    empty.update(preview::Message::EnterPressed);
    empty.update(preview::Message::CameraPressed);
    empty.update(preview::Message::MicrophonePressed);
    empty.update(preview::Message::MenuPressed(preview::Menu::Devices(Kind::Microphone)));
    let mut without = preview_screen();
    without.report_problem(common::problem(engine::NoticeKind::NoCamera));
    without.report_problem(common::problem(engine::NoticeKind::NoMicrophone));
    visit("preview-without", without.view(&context, &common::pictures(0)).map(drop));
    visit("preview-empty", empty.view(&context, &common::pictures(9)).map(drop));
    for step in [Step::Connecting, Step::Approaching, Step::Knocking] {
        visit(&format!("entering-{step:?}").to_lowercase(), entering::view(step, false, &context).map(drop));
    }
    visit("entering-new", entering::view(Step::Connecting, true, &context).map(drop));
    visit("entering-returning", entering::returning(&context).map(drop));
    every_meeting(&context, &mut visit);
    let refused = || "connect: connection refused (os error 111)".to_owned();
    for (name, reason) in [
        ("ended-unreachable", Reason::Unreachable(refused())),
        ("ended-certificate", Reason::Certificate(refused())),
        ("ended-sign-in", Reason::SignIn("HTTP status 302, http://login.hotel.example/".into())),
        ("ended-proxy", Reason::Proxy("the proxy proxy.example:3128 closed the connection".into())),
        ("ended-proxy-method", Reason::Proxy(NEGOTIATE.into())),
        ("ended-removed", Reason::Removed),
        ("ended-removed-by", Reason::RemovedBy("Anne Martin".into())),
        ("ended-host-stopped", Reason::HostStopped),
        ("ended-false-welcome", Reason::FalseWelcome),
    ] {
        let screen = ended::Ended { reason, progress: ended::Progress::Joining };
        visit(name, screen.view(&context).map(drop));
    }
}

const NEGOTIATE: &str = "the proxy proxy.example:3128 wants a sign-in by Negotiate, which is not supported yet: ask IT to let this server through without the proxy (NO_PROXY), or for a proxy with a user and a password";
/// Calls `visit` with each state of the meeting's screen and the name of its picture.
fn every_meeting(context: &Context, visit: &mut impl FnMut(&str, Element<'_, ()>)) {
    for people in [1, 2, 4, 9] {
        let screen = meeting_of(people);
        visit(&format!("meeting-{people}"), screen.view(context, &common::pictures(9), &[]).map(drop));
    }
    for panel in [meeting::Panel::People, meeting::Panel::Lock, meeting::Panel::Notices] {
        let mut screen = meeting_of(4);
        screen.update(meeting::Message::PanelPressed(panel));
        let reported = notices();
        let name = format!("meeting-{panel:?}").to_lowercase();
        visit(&name, screen.view(context, &common::pictures(9), &reported).map(drop));
    }
    statistics::every_state(context, visit);
    doubts::every_state(context, visit);
    names::every_state(context, visit);
    identity::every_state(context, visit);
    verification::every_state(context, visit);
    waiting_room::every_state(context, visit);
    chat::every_state(context, visit);
    moderation::every_state(context, visit);
    let mut screen = hosted_meeting_of(2);
    screen.open(meeting::Panel::People);
    visit("meeting-addresses", screen.view(context, &common::pictures(9), &[]).map(drop));
    let mut screen = meeting_of(4);
    screen.update(meeting::Message::MutePressed);
    screen.update(meeting::Message::CameraPressed);
    screen.update(meeting::Message::PanelPressed(meeting::Panel::People));
    screen.update(meeting::Message::RemovePressed(ParticipantId(2)));
    visit("meeting-remove", screen.view(context, &common::pictures(9), &[]).map(drop));
    for equal in [true, false] {
        let mut screen = meeting_of(4);
        screen.update(meeting::Message::PanelPressed(meeting::Panel::Lock));
        screen.update(meeting::Message::WordsCompared(equal));
        let name = if equal { "meeting-verified" } else { "meeting-different" };
        visit(name, screen.view(context, &common::pictures(9), &[]).map(drop));
    }
    for count in [1, 3] {
        let mut screen = meeting_of(4);
        screen.update(meeting::Message::SharePressed);
        screen.update(meeting::Message::MonitorsListed(Ok(common::monitors(count))));
        visit(&format!("meeting-share-{count}"), screen.view(context, &common::pictures(9), &[]).map(drop));
    }
    let mut screen = meeting_of(4);
    screen.model.organiser = false;
    screen.update(meeting::Message::LeaveKeyPressed);
    visit("meeting-leave-guest", screen.view(context, &common::pictures(9), &[]).map(drop));
    leaving::every_dialog(context, visit);
    let mut screen = meeting_of(1);
    screen.model.camera = false;
    screen.model.camera_missing = true;
    visit("meeting-no-camera", screen.view(context, &common::pictures(0), &[]).map(drop));
    let mut screen = meeting_of(4);
    screen.model.sharing = true;
    screen.update(meeting::Message::MenuPressed(meeting::Menu::Sound));
    visit("meeting-menu", screen.view(context, &common::pictures(9), &[]).map(drop));
    let mut screen = meeting_of(5);
    screen.model.people[2].screen = true;
    visit("meeting-screen", screen.view(context, &common::pictures(9), &[]).map(drop));
}

#[test]
fn every_node_has_a_name_and_valid_bounds() {
    for language in Language::ALL {
        every_screen(language, |name, view| {
            let update = tree(view);
            let mut ids = BTreeSet::new();
            for (id, node) in &update.nodes {
                assert!(ids.insert(*id), "{name}: two nodes have the same id");
                let needs_no_name = matches!(node.role(), Role::ScrollView | Role::GenericContainer | Role::TextRun);
                let text = node.label().or(node.value()).unwrap_or_default();
                assert!(
                    needs_no_name || !text.is_empty(),
                    "{name}: {:?} has no name in {}",
                    node.role(),
                    language.tag()
                );
                assert!(
                    !text.starts_with(|c: char| c.is_lowercase()) || !text.contains('-') || text.contains(' '),
                    "{name}: {text} is a text id"
                );
                let b = node.bounds().expect("every node has bounds");
                assert!(b.x0.is_finite() && b.x1 >= b.x0 && b.y1 >= b.y0, "{name}: {text}");
            }
        });
    }
}

#[test]
fn every_control_is_focusable_and_large_enough() {
    for language in Language::ALL {
        every_screen(language, |name, view| {
            let update = tree(view);
            for (_, node) in &update.nodes {
                let pressable = matches!(
                    node.role(),
                    Role::Button | Role::Switch | Role::MenuItemRadio | Role::RadioButton | Role::TextInput
                );
                if !pressable || node.is_disabled() {
                    continue;
                }
                let b = node.bounds().unwrap_or_default();
                assert!(node.supports_action(Action::Focus), "{name}: Tab does not reach {:?}", node.label());
                assert!(b.y1 - b.y0 >= 31.5 && b.x1 - b.x0 >= 31.5, "{name}: {:?} is too small: {b:?}", node.label());
                assert!(b.x0 >= -0.5 && b.x1 <= 1280.5, "{name}: {:?} is outside the window: {b:?}", node.label());
            }
        });
    }
}

#[test]
fn node_ids_are_the_same_in_a_new_view() {
    let screen = meeting_of(9);
    let pictures = common::pictures(0);
    let ids = || {
        let update = tree(screen.view(&context(Language::English), &pictures, &[]));
        update.nodes.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
    };
    assert_eq!(ids(), ids());
}

#[test]
fn pictures_of_every_screen() {
    let folder = std::env::var("SCREENS").unwrap_or_default();
    if !folder.is_empty() {
        std::fs::create_dir_all(&folder).unwrap();
    }
    for language in Language::ALL {
        every_screen(language, |name, view| {
            // The pictures in English are dark, those in French light. Other themes follow below for the main screens.
            let theme = if language == Language::English { Theme::DARK } else { Theme::LIGHT };
            save(&folder, &format!("{name}-{}", language.tag()), view, &theme, [1280, 800], 1.0);
        });
    }
    for (theme, name) in
        [(Theme::LIGHT, "light"), (Theme::CONTRAST, "contrast"), (Theme::CONTRAST_LIGHT, "contrast-light")]
    {
        let context = context(Language::English);
        let screen = meeting_of(4);
        save(
            &folder,
            &format!("meeting-4-{name}"),
            screen.view(&context, &common::pictures(9), &[]),
            &theme,
            [1280, 800],
            1.0,
        );
        let screen = home::Home::new(recents());
        save(&folder, &format!("home-{name}"), screen.view(&context), &theme, [1280, 800], 1.0);
        save(
            &folder,
            &format!("preview-{name}"),
            preview_screen().view(&context, &common::pictures(9)),
            &theme,
            [1280, 800],
            1.0,
        );
    }
    let narrow = small_context(Language::French);
    let screen = meeting_of(3);
    save(&folder, "meeting-3-narrow", screen.view(&narrow, &common::pictures(9), &[]), &Theme::DARK, [700, 560], 1.0);
    save(&folder, "home-narrow", home::Home::new(recents()).view(&narrow), &Theme::DARK, [700, 560], 1.0);
    save(
        &folder,
        "preview-narrow",
        preview_screen().view(&narrow, &common::pictures(9)),
        &Theme::DARK,
        [700, 560],
        1.0,
    );
    save_shortcuts(&folder);
    let mut queue = app::screen::notice::Queue::default();
    for notice in notices() {
        queue.push(notice, std::time::Instant::now());
    }
    let context = context(Language::French);
    let screen = meeting_of(4);
    let view = screen.view_with(&queue, &context, &common::pictures(9)).map(drop);
    save(&folder, "notices", view, &Theme::DARK, [1280, 800], 1.0);
}

/// Draws the list of shortcuts, large and in a small window.
fn save_shortcuts(folder: &str) {
    for (language, size) in [(Language::English, [1280_u16, 800]), (Language::French, [480, 400])] {
        let mut app = app::App::new(language, Choice::Dark);
        let (width, height) = (f32::from(size[0]), f32::from(size[1]));
        drop(app.update(app::Message::Resized(iced::Size::new(width, height))));
        drop(app.update(app::Message::ShortcutsShown(true)));
        let view = app.view(iced::window::Id::unique());
        save(folder, &format!("shortcuts-{}", language.tag()), view, &Theme::DARK, size.map(u32::from), 1.0);
    }
}

#[test]
fn home_starts_and_joins_meetings_in_both_languages() {
    for (language, start, join) in
        [(Language::English, "Start a meeting", "Join"), (Language::French, "Démarrer", "Rejoindre")]
    {
        let home = home::Home::default();
        let mut ui = Ui::new(home.view(&context(language)));
        ui.click_id("start");
        assert!(matches!(ui.messages()[..], [home::Message::StartPressed]), "{start}");
        let mut ui = Ui::new(home.view(&context(language)));
        ui.find(join);
        ui.click_id("link");
        ui.typewrite("x");
        ui.tap(Named::Enter);
        let messages = ui.messages();
        assert!(
            matches!(&messages[..], [home::Message::LinkTyped(text), home::Message::JoinPressed] if text.expose() == "x")
        );
    }
}

const LINK_ERRORS: [LinkError; 9] = [
    LinkError::NotALink,
    LinkError::BadHost,
    LinkError::BadPort,
    LinkError::BadPath,
    LinkError::NoSecret,
    LinkError::Damaged,
    LinkError::Truncated,
    LinkError::TooLong,
    LinkError::OtherVersion(2),
];

#[test]
fn each_bad_link_is_explained_in_both_languages() {
    for language in Language::ALL {
        for problem in LINK_ERRORS {
            let mut home = home::Home::default();
            home.reject_link(problem);
            let sentence = language.text(sentence::link(problem));
            let update = tree(home.view(&context(language)));
            let field = update.nodes.iter().find(|(_, node)| node.role() == Role::TextInput).unwrap();
            assert_eq!(field.1.description(), Some(sentence.as_str()), "the description of the field");
            Ui::new(home.view(&context(language))).find(&sentence);
        }
    }
}

#[test]
fn each_notification_has_a_text_and_advice() {
    for language in Language::ALL {
        for kind in sentence::NOTICES.map(NoticeKind::Engine).into_iter().chain(NoticeKind::OF_WINDOW) {
            assert_ne!(language.text(kind.id()), kind.id());
            let advice = format!("{}.advice", kind.id());
            assert_ne!(language.text(&advice), advice);
        }
    }
}

#[test]
fn each_notification_has_a_sentence_of_its_own() {
    for language in Language::ALL {
        let kinds = sentence::NOTICES.map(NoticeKind::Engine).into_iter().chain(NoticeKind::OF_WINDOW);
        let sentences: Vec<String> = kinds.map(|kind| language.text(kind.id())).collect();
        let different: BTreeSet<&String> = sentences.iter().collect();
        assert_eq!(different.len(), sentences.len(), "{sentences:?}");
    }
}

#[test]
fn a_notification_about_a_missing_right_has_the_words_of_users() {
    for (language, text) in [
        (Language::English, "You do not have the right to do this"),
        (Language::French, "Vous n’avez pas le droit de faire cela"),
    ] {
        assert_eq!(language.text(sentence::notice(engine::NoticeKind::NotAllowed)), text);
    }
}

#[test]
fn tiles_describe_name_and_state() {
    let mut screen = meeting_of(4);
    screen.model.people[1].microphone = Microphone::Muted;
    screen.model.people[2].camera = false;
    screen.model.speaking = vec![ParticipantId(3)];
    let pictures = common::pictures(0);
    let update = tree(screen.view(&context(Language::English), &pictures, &[]));
    let tiles: Vec<_> = list_items(&update);
    assert!(tiles.contains(&"Bob, muted, camera on".to_owned()), "{tiles:?}");
    assert!(tiles.contains(&"Carol Lefèvre, speaking, no video".to_owned()), "{tiles:?}");
    assert!(tiles.contains(&"Anne Martin, you, organiser, camera on".to_owned()), "{tiles:?}");
}

fn list_items(update: &TreeUpdate) -> Vec<String> {
    let items = update.nodes.iter().filter(|(_, node)| node.role() == Role::ListItem);
    items.filter_map(|(_, node)| node.label().map(str::to_owned)).collect()
}

#[test]
fn switches_keep_their_name_when_toggled() {
    let (mut screen, pictures) = (meeting_of(2), common::pictures(0));
    let state = |screen: &meeting::Meeting| {
        let update = tree(screen.view(&context(Language::English), &pictures, &[]));
        let mute = update.nodes.iter().find(|(_, node)| node.label() == Some("Mute microphone")).unwrap();
        mute.1.toggled()
    };
    assert_eq!(state(&screen), Some(Toggled::False));
    screen.update(meeting::Message::MutePressed);
    assert_eq!(state(&screen), Some(Toggled::True));
}

#[test]
fn who_has_the_right_can_remove_people_of_lower_roles() {
    let (pictures, mut screen) = (common::pictures(0), meeting_of(4));
    screen.update(meeting::Message::PanelPressed(meeting::Panel::People));
    let removes = |screen: &meeting::Meeting| {
        let update = tree(screen.view(&context(Language::English), &pictures, &[]));
        let names = update.nodes.iter().filter_map(|(_, node)| node.label().map(str::to_owned));
        names.filter(|name| name.starts_with("Remove ")).count()
    };
    assert_eq!(removes(&screen), 3, "all others");
    screen.model.people[..2].iter_mut().for_each(|person| person.role = engine::Role::CoOrganiser);
    assert_eq!(removes(&screen), 2, "those of lower roles");
    screen.model.people[0].rights = engine::Rights::NONE;
    assert_eq!(removes(&screen), 0);
}

#[test]
fn the_preview_lists_the_available_devices() {
    let pictures = common::pictures(1);
    let mut screen = preview_screen();
    screen.update(preview::Message::MenuPressed(preview::Menu::Devices(Kind::Camera)));
    let view = || screen.view(&context(Language::English), &pictures);
    let update = tree(view());
    let choices: Vec<_> = update.nodes.iter().filter(|(_, node)| node.role() == Role::MenuItemRadio).collect();
    let names: Vec<_> = choices.iter().filter_map(|(_, node)| node.label()).collect();
    assert_eq!(names, ["Integrated camera", "Logitech Brio 500", "None"]);
    assert_eq!(choices[0].1.toggled(), Some(Toggled::True));
    let mut ui = Ui::new(view());
    ui.click("Logitech Brio 500");
    let chosen = ui.messages().into_iter().find(|message| matches!(message, preview::Message::Chosen(..)));
    assert!(matches!(chosen, Some(preview::Message::Chosen(Kind::Camera, Device::Named(id))) if id == "1"));
}

#[test]
fn the_stage_requests_video_in_the_size_of_its_tiles() {
    let screen = meeting_of(4);
    let pictures = common::pictures(0);
    let mut ui = Ui::new(screen.view(&context(Language::English), &pictures, &[]));
    ui.redraw();
    ui.redraw();
    let tiles: Vec<_> = ui
        .messages()
        .into_iter()
        .filter_map(|message| if let meeting::Message::WishesChanged(tiles) = message { Some(tiles) } else { None })
        .collect();
    let [tiles] = &tiles[..] else { panic!("once for each change, not for each picture: {tiles:?}") };
    assert_eq!(tiles.len(), 3, "nothing is requested for our own picture");
    assert!(tiles.iter().all(|tile| tile.width > 500 && tile.height > 280), "{tiles:?}");
}
