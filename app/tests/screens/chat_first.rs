//! The preview of a new meeting, and the meeting that begins with the chat.

use accesskit::{Role, Toggled};
use app::locale::Language;
use app::model::MeetingModel;
use app::screen::{meeting, preview};
use engine::{AudioChoice, Choice, Event, MeetingFlags, Microphone, ParticipantId, Setup};
use std::time::Instant;

use crate::common::{self, Ui, context, preview_screen, tree};

fn joining() -> preview::Preview {
    let mut screen = preview_screen();
    screen.purpose = preview::Purpose::Join { host: "visio.example.fr".into() };
    screen
}

#[test]
fn the_preview_offers_to_begin_with_the_chat_only() {
    let pictures = common::pictures(0);
    for language in Language::ALL {
        for (screen, name) in [(preview_screen(), "preview-start-chat"), (joining(), "preview-join-chat")] {
            let update = tree(screen.view(&context(language), &pictures));
            let name = language.text(name);
            let button = update.nodes.iter().find(|(_, node)| node.label() == Some(name.as_str()));
            let (_, button) = button.unwrap_or_else(|| panic!("no {name}"));
            assert_eq!(button.description(), Some(language.text("preview-chat-text").as_str()));
            let mut ui = Ui::new(screen.view(&context(language), &pictures));
            let order = ui.tab_order();
            let at =
                |id: &str| order.iter().position(|other| other == id).unwrap_or_else(|| panic!("no {id}: {order:?}"));
            assert_eq!(at("enter-chat").abs_diff(at("enter")), 1, "Tab reaches it beside the join button");
            ui.click_id("enter-chat");
            let [preview::Message::ChatOnlyPressed] = ui.messages()[..] else { panic!("it is pressed") };
            let mut screen = screen;
            let action = screen.update(preview::Message::ChatOnlyPressed);
            assert!(matches!(action, preview::Action::Enter { chat_first: true, .. }), "{action:?}");
        }
    }
}

#[test]
fn a_new_meeting_can_begin_with_a_waiting_room_and_locked() {
    let pictures = common::pictures(0);
    let ids = [("preview-waiting-room", MeetingFlags::WAITING_ROOM), ("preview-lock", MeetingFlags::LOCKED)];
    let toggled = |screen: &preview::Preview, name: &str| {
        let update = tree(screen.view(&context(Language::French), &pictures));
        let name = Language::French.text(name);
        let found = update.nodes.iter().find(|(_, node)| node.label() == Some(name.as_str()));
        found.map(|(_, node)| (node.role(), node.toggled()))
    };
    let mut screen = preview_screen();
    for (id, flag) in ids {
        assert_eq!(toggled(&joining(), id), None, "the meeting exists");
        assert_eq!(toggled(&screen, id), Some((Role::CheckBox, Some(Toggled::False))));
        let mut ui = Ui::new(screen.view(&context(Language::French), &pictures));
        ui.click_id(id);
        let message = ui.messages().into_iter().last().expect("a press");
        assert_eq!(screen.update(message), preview::Action::None);
        assert!(screen.flags.contains(flag));
        assert_eq!(toggled(&screen, id), Some((Role::CheckBox, Some(Toggled::True))));
    }
    let _ = screen.update(preview::Message::FlagPressed(MeetingFlags::LOCKED, false));
    assert_eq!(screen.flags, MeetingFlags::WAITING_ROOM);
}

#[test]
fn a_meeting_that_begins_with_the_chat_shows_it_and_its_usual_buttons_raise_it() {
    let setup = Setup {
        name: "Anne".into(),
        camera: Choice::Synthetic,
        microphone: AudioChoice::Default,
        speaker: AudioChoice::Off,
        screen: true,
        muted: false,
        chat_first: true,
        proxy: engine::ProxySettings::default(),
        bandwidth: engine::Bandwidth::default(),
        flags: MeetingFlags::NONE,
    };
    let model = MeetingModel::entering(&setup);
    assert_eq!((model.microphone, model.camera, model.sharing), (Microphone::Muted, false, false));
    let mut screen = common::meeting_of(3);
    (screen.model.microphone, screen.model.camera) = (model.microphone, model.camera);
    screen.open(meeting::Panel::Chat);
    let before = screen.focus();
    let (me, link) = (ParticipantId(1), engine::SecretLink::default());
    screen.handle_event(&Event::Entered { me, link, organiser: false }, Instant::now());
    assert!(screen.focus() > before, "the field of the chat gets the focus when it is shown");
    let pictures = common::pictures(0);
    let mut ui = Ui::new(screen.view(&context(Language::English), &pictures, &[]));
    ui.find(&Language::English.text("chat-title"));
    ui.click_id("mute");
    ui.click_id("camera");
    let messages = ui.messages();
    let pressed: Vec<_> = messages
        .into_iter()
        .filter(|message| matches!(message, meeting::Message::MutePressed | meeting::Message::CameraPressed))
        .map(|message| screen.update(message))
        .collect();
    assert_eq!(pressed, [meeting::Action::Mute(false), meeting::Action::Camera(true)]);
}
