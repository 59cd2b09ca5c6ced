//! Screens show the real state: missing devices, a shared screen, who can join, and what went wrong.

use accesskit::{Node, Role, Toggled};
use app::locale::Language;
use app::model::{Kind, sentence};
use app::screen::{ended, meeting, notice, preview};
use engine::{NoticeKind, Reason};
use iced::advanced::widget::operation::black_box;

use crate::common::{self, Ui, context, hosted_meeting_of, meeting_of, notices, preview_screen, tree};

/// The node with this name.
fn named(update: &accesskit::TreeUpdate, name: &str) -> Node {
    let found = update.nodes.iter().find(|(_, node)| node.label() == Some(name));
    found.unwrap_or_else(|| panic!("no node is named {name}")).1.clone()
}

#[test]
fn a_missing_device_is_disabled_with_a_reason() {
    for language in Language::ALL {
        let pictures = common::pictures(0);
        let mut screen = preview::Preview::new(preview::Purpose::Start, "Anne".into(), app::model::Devices::default());
        screen.report_problem(common::problem(NoticeKind::NoCamera));
        screen.report_problem(common::problem(NoticeKind::NoMicrophone));
        let update = tree(screen.view(&context(language), &pictures));
        let camera = named(&update, &language.text("meeting-camera-name"));
        assert!(camera.is_disabled());
        assert_eq!(camera.toggled(), Some(Toggled::False), "it is not on");
        assert_eq!(camera.description(), Some(language.text("notice-no-camera").as_str()));
        let microphone = named(&update, &language.text("meeting-mute-name"));
        assert!(microphone.is_disabled());
        assert_eq!(microphone.toggled(), Some(Toggled::True), "the microphone is off");
        assert_eq!(microphone.description(), Some(language.text("preview-microphone-none").as_str()));
        let mut ui = Ui::new(screen.view(&context(language), &pictures));
        ui.find(&language.text("meeting-camera-none"));
        ui.find(&language.text("meeting-mute-none"));
        ui.find(&language.text("notice-no-camera.advice"));
        ui.find(&language.text("preview-microphone-none.advice"));
        ui.click_id("again-camera");
        assert!(matches!(ui.messages()[..], [preview::Message::RetryPressed(Kind::Camera)]));
    }
}

#[test]
fn a_camera_that_another_program_holds_can_be_tried_again() {
    let (pictures, mut screen) = (common::pictures(0), preview_screen());
    screen.report_problem(common::problem(NoticeKind::CameraTaken));
    let update = tree(screen.view(&context(Language::English), &pictures));
    let camera = named(&update, "Camera");
    assert_eq!((camera.is_disabled(), camera.toggled()), (false, Some(Toggled::False)));
    let mut ui = Ui::new(screen.view(&context(Language::English), &pictures));
    ui.find("Another program is using the camera");
    ui.click_id("camera");
    assert!(matches!(ui.messages()[..], [preview::Message::CameraPressed]));
}

#[test]
fn a_meeting_on_this_computer_offers_the_addresses_for_the_link() {
    let (pictures, mut elsewhere) = (common::pictures(0), meeting_of(1));
    elsewhere.open(meeting::Panel::People);
    let heading = "Address in the link";
    let view = |screen: &meeting::Meeting| tree(screen.view(&context(Language::English), &pictures, &[]));
    let is_named =
        |update: &accesskit::TreeUpdate, name: &str| update.nodes.iter().any(|(_, node)| node.label() == Some(name));
    assert!(!is_named(&view(&elsewhere), heading), "the server runs elsewhere");
    let mut screen = hosted_meeting_of(1);
    screen.open(meeting::Panel::People);
    let update = view(&screen);
    assert_eq!(named(&update, heading).role(), Role::RadioGroup);
    assert_eq!(named(&update, "10.8.0.6").toggled(), Some(Toggled::True));
    assert_eq!(named(&update, "192.168.1.20").toggled(), Some(Toggled::False));
    let mut ui = Ui::new(screen.view(&context(Language::English), &pictures, &[]));
    ui.click_id("address-192.168.1.20");
    let chosen = ui.messages().into_iter().find(|message| matches!(message, meeting::Message::Address(_)));
    screen.update(chosen.expect("an address was chosen"));
    assert_eq!(named(&view(&screen), "192.168.1.20").toggled(), Some(Toggled::True));
    assert!(screen.model.link.expose().starts_with("conclave://192.168.1.20:7443/"), "{}", screen.model.link.expose());
}

#[test]
fn while_sharing_the_number_of_viewers_is_shown() {
    for (people, seen) in
        [(1, "Nobody else is here to see it."), (2, "One person can see it."), (4, "3 people can see it.")]
    {
        let (pictures, mut screen) = (common::pictures(0), meeting_of(people));
        let view = |screen: &meeting::Meeting| tree(screen.view(&context(Language::English), &pictures, &[]));
        let is_mentioned = |update: &accesskit::TreeUpdate| {
            update.nodes.iter().any(|(_, node)| node.label() == Some("You are sharing your screen"))
        };
        assert!(!is_mentioned(&view(&screen)));
        screen.model.sharing = true;
        let update = view(&screen);
        assert!(is_mentioned(&update));
        let tile = "Anne Martin, you, organiser, sharing the screen, camera on";
        assert!(update.nodes.iter().any(|(_, node)| node.label() == Some(tile)), "the label of the tile says it too");
        let mut ui = Ui::new(screen.view(&context(Language::English), &pictures, &[]));
        ui.find(seen);
        ui.click_id("share-stop");
        assert!(ui.messages().iter().any(|message| matches!(message, meeting::Message::SharePressed)));
    }
}

#[test]
fn without_its_organiser_a_meeting_says_that_nobody_can_join() {
    let (pictures, mut screen) = (common::pictures(0), meeting_of(4));
    screen.update(meeting::Message::PanelPressed(meeting::Panel::People));
    Ui::new(screen.view(&context(Language::English), &pictures, &[])).find("Anyone with this link can join.");
    screen.model.people[0].role = engine::Role::Participant;
    let mut ui = Ui::new(screen.view(&context(Language::English), &pictures, &[]));
    ui.find("The organiser has left: nobody else can join.");
}

#[test]
fn a_key_that_is_not_saved_is_mentioned_in_the_security_panel() {
    let (pictures, mut screen) = (common::pictures(0), meeting_of(2));
    screen.update(meeting::Message::PanelPressed(meeting::Panel::Lock));
    let is_mentioned = |screen: &meeting::Meeting| {
        let update = tree(screen.view(&context(Language::French), &pictures, &[]));
        let words = Language::French.text("lock-passing");
        update.nodes.iter().any(|(_, node)| node.value() == Some(words.as_str()))
    };
    assert!(!is_mentioned(&screen));
    screen.model.temporary_key = true;
    assert!(is_mentioned(&screen));
}

#[test]
fn details_are_labelled_and_only_in_the_list_of_notifications() {
    let detail = "/dev/video0: Device or resource busy";
    for (language, labelled) in [
        (Language::English, format!("Details: {detail}")),
        (Language::French, "Détails\u{a0}: /dev/video0\u{a0}: déjà utilisé par un autre programme".to_owned()),
    ] {
        let screen = ended::Ended { reason: Reason::Here(detail.into()), progress: ended::Progress::Joining };
        Ui::new(screen.view(&context(language))).find(&labelled);
        let reported = notices();
        Ui::new(notice::list::<()>(&reported, &context(language))).find(&labelled);
        let mut queue = notice::Queue::default();
        queue.push(reported[0].clone(), std::time::Instant::now());
        let update = tree(queue.view(&context(language)).expect("a notice is shown"));
        let texts = |node: &Node| format!("{:?} {:?}", node.label(), node.value());
        assert!(update.nodes.iter().all(|(_, node)| !texts(node).contains("/dev/video0")));
    }
}

#[test]
fn the_title_after_a_failed_join_does_not_say_that_the_meeting_was_left() {
    for (progress, expected) in [
        (ended::Progress::Inside, "You’re no longer in the meeting"),
        (ended::Progress::Joining, "You did not join the meeting"),
        (ended::Progress::Starting, "The meeting could not be started"),
    ] {
        let screen = ended::Ended { reason: Reason::Unreachable(String::new()), progress };
        let update = tree(screen.view(&context(Language::English)));
        let main = update.nodes.iter().find(|(_, node)| node.role() == Role::Main).expect("a screen has a main region");
        assert_eq!(main.1.label(), Some(expected));
    }
}

#[test]
fn a_removed_or_declined_user_does_not_read_that_another_participant_is_the_cause() {
    for reason in [Reason::Removed, Reason::Refused] {
        let screen = ended::Ended { reason, progress: ended::Progress::Inside };
        let update = tree(screen.view(&context(Language::English)));
        let shows = |words: &str| update.nodes.iter().any(|(_, node)| node.value().or(node.label()) == Some(words));
        assert!(shows(&Language::English.text(sentence::reason(&screen.reason))));
        assert!(!shows("Another participant"));
    }
}

#[test]
fn a_long_name_is_shortened_and_shown_whole_in_a_tooltip() {
    let name = "Maximilienne-Élisabeth de La Rochefoucauld-Montmorency-Laval";
    let (pictures, mut screen) = (common::pictures(0), meeting_of(3));
    screen.update(meeting::Message::PanelPressed(meeting::Panel::People));
    let height = |screen: &meeting::Meeting, name: &str| {
        let update = tree(screen.view(&context(Language::English), &pictures, &[]));
        let lines = update.nodes.iter().filter(|(_, node)| node.role() == Role::ListItem && node.label() == Some(name));
        // The tile has this name too. The line in the panel is the lower of the two.
        lines.filter_map(|(_, node)| node.bounds()).map(|bounds| bounds.y1 - bounds.y0).fold(f64::INFINITY, f64::min)
    };
    let before = height(&screen, "Bob");
    screen.model.people[1].name = name.into();
    assert!((height(&screen, name) - before).abs() < 0.5, "the name still takes one line");
    let plain = hovered(&screen, &pictures, false);
    let shown = hovered(&screen, &pictures, true);
    assert_ne!(plain, shown, "the tooltip shows the whole name");
}

/// Draws the meeting with the pointer on the second name of the panel, or without a pointer.
fn hovered(screen: &meeting::Meeting, pictures: &app::pictures::Pictures, over: bool) -> Vec<u8> {
    use iced::advanced::renderer::{Headless, Style};
    use iced_test::runtime::user_interface::{Cache, UserInterface};
    let context = context(Language::English);
    let (theme, mut renderer) = (app::theme::Theme::DARK, common::renderer());
    let view = screen.view(&context, pictures, &[]);
    let mut ui = UserInterface::build(view, common::WINDOW, Cache::default(), &mut renderer);
    let mut find = Find { name: &screen.model.people[1].name, at: None };
    ui.operate(&renderer, &mut black_box(&mut find));
    let at = find.at.expect("the name is in the panel");
    let cursor = if over { iced::mouse::Cursor::Available(at) } else { iced::mouse::Cursor::Unavailable };
    let moved = iced::Event::Mouse(iced::mouse::Event::CursorMoved { position: at });
    let clipboard = &mut iced::advanced::clipboard::Null;
    let _ = ui.update(&[moved], cursor, &mut renderer, clipboard, &mut Vec::new());
    let _ = ui.update(&[], cursor, &mut renderer, clipboard, &mut Vec::new());
    ui.draw(&mut renderer, &theme, &Style { text_color: theme.colours().text }, cursor);
    renderer.screenshot(iced::Size::new(1280, 800), 1.0, theme.colours().background)
}

/// Finds a name in the panel at the right.
struct Find<'a> {
    name: &'a str,
    at: Option<iced::Point>,
}

impl iced::advanced::widget::Operation for Find<'_> {
    fn traverse(&mut self, operate: &mut dyn FnMut(&mut dyn iced::advanced::widget::Operation)) {
        operate(self);
    }

    fn text(&mut self, _id: Option<&iced::advanced::widget::Id>, bounds: iced::Rectangle, text: &str) {
        if text == self.name && bounds.x > 900.0 {
            self.at = Some(bounds.center());
        }
    }
}

/// A menu of devices may be empty, and without a window there is none.
#[test]
fn no_advice_names_a_menu() {
    for language in Language::ALL {
        for kind in sentence::NOTICES {
            let advice = language.text(&format!("{}.advice", sentence::notice(kind)));
            for menu in ["next to the", "à côté du"] {
                assert!(!advice.contains(menu), "{kind:?}: {advice}");
            }
        }
    }
}

/// Without the cookie of the sound server, the server lists no microphone, and "No microphone was found" was shown beside a
/// server that works.
#[test]
fn a_sound_server_that_refuses_this_program_is_no_missing_microphone() {
    for language in Language::ALL {
        let pictures = common::pictures(0);
        let mut screen = preview::Preview::new(preview::Purpose::Start, "Anne".into(), app::model::Devices::default());
        screen.report_problem(common::problem(NoticeKind::SoundRefused));
        let sentence = language.text(sentence::notice(NoticeKind::SoundRefused));
        let update = tree(screen.view(&context(language), &pictures));
        let shown: Vec<_> = update
            .nodes
            .iter()
            .flat_map(|(_, node)| [node.label(), node.value(), node.description()])
            .flatten()
            .map(str::to_owned)
            .collect();
        assert!(shown.contains(&sentence), "{shown:?}");
        for id in ["preview-microphone-none", "notice-no-microphone"] {
            assert!(!shown.contains(&language.text(id)), "{id} is shown: {shown:?}");
        }
        Ui::new(screen.view(&context(language), &pictures)).find(&sentence);
    }
}
