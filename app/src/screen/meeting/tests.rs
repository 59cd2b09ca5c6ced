//! What the meeting screen does with its messages.

use super::*;
use crate::model::LockState;
use engine::{KeyState, Words};

fn meeting(microphone: Microphone) -> Meeting {
    Meeting::new(MeetingModel { microphone, ..MeetingModel::default() }, Devices::default())
}

#[test]
fn a_button_shows_its_new_state_at_once() {
    let mut meeting = meeting(Microphone::On);
    assert_eq!(meeting.update(Message::MutePressed), Action::Mute(true));
    assert_eq!(meeting.model.microphone, Microphone::Muted);
    assert_eq!(meeting.update(Message::MutePressed), Action::Mute(false));
    assert_eq!(meeting.model.microphone, Microphone::On);
}

#[test]
fn without_a_microphone_mute_does_nothing() {
    let mut meeting = meeting(Microphone::Off);
    assert_eq!(meeting.update(Message::MutePressed), Action::None);
    assert_eq!(meeting.model.microphone, Microphone::Off);
}

#[test]
fn the_space_bar_unmutes_only_if_muted() {
    let mut muted = meeting(Microphone::Muted);
    assert_eq!(muted.update(Message::TalkKeyChanged(true)), Action::Mute(false));
    assert_eq!(muted.update(Message::TalkKeyChanged(false)), Action::Mute(true));
    let mut unmuted = meeting(Microphone::On);
    assert_eq!(unmuted.update(Message::TalkKeyChanged(true)), Action::None);
    assert_eq!(unmuted.update(Message::TalkKeyChanged(false)), Action::None, "releasing it does not mute");
}

fn monitor(id: &str) -> device_list::Monitor {
    let size = media::Size::new(2, 1);
    let thumbnail = device_list::Thumbnail { size, rgba: vec![0; 8] };
    device_list::Monitor { id: id.into(), name: id.into(), size, thumbnail }
}

#[test]
fn sharing_asks_which_monitor_and_must_be_confirmed() {
    let mut meeting = meeting(Microphone::On);
    assert_eq!(meeting.update(Message::SharePressed), Action::ListMonitors);
    assert!(!meeting.model.sharing, "nothing is shared yet");
    assert_eq!(meeting.update(Message::ShareConfirmed), Action::None, "nothing is listed yet");
    meeting.update(Message::SharePressed);
    meeting.update(Message::MonitorsListed(Ok(vec![monitor("a"), monitor("b")])));
    assert_eq!(meeting.update(Message::MonitorPressed(1)), Action::None);
    let chosen = Some(Screen::Monitor("b".into()));
    assert_eq!(meeting.update(Message::ShareConfirmed), Action::Share(chosen));
    assert!(meeting.model.sharing);
    assert_eq!(meeting.update(Message::SharePressed), Action::Share(None), "stopping needs no dialog");
}

#[test]
fn a_cancelled_choice_shares_nothing() {
    let mut meeting = meeting(Microphone::On);
    meeting.update(Message::SharePressed);
    meeting.update(Message::DialogClosed);
    assert_eq!(meeting.update(Message::MonitorsListed(Ok(vec![monitor("a")]))), Action::None);
    assert_eq!(meeting.update(Message::ShareConfirmed), Action::None);
    meeting.update(Message::SharePressed);
    let Action::Notify(notice) = meeting.update(Message::MonitorsListed(Err("no display".into()))) else {
        panic!("the failure is not shown")
    };
    assert_eq!((notice.kind, notice.detail.as_str()), (engine::NoticeKind::NoScreen.into(), "no display"));
    assert!(!meeting.model.sharing);
}

#[test]
fn without_a_camera_the_camera_is_missing_and_not_off() {
    let mut meeting = meeting(Microphone::On);
    assert!(!lacks_camera(&meeting), "off, as far as we know");
    let missing = engine::Notice { kind: engine::NoticeKind::NoCamera, file: None, detail: String::new() };
    meeting.handle_event(&Event::Notice(missing), Instant::now());
    assert!(lacks_camera(&meeting));
    meeting.update(Message::CameraPressed);
    assert!(!lacks_camera(&meeting), "the press looks for a camera again");
    meeting.handle_event(&Event::Camera(false), Instant::now());
    meeting.devices.set_present(Kind::Camera, Vec::new());
    assert!(lacks_camera(&meeting));
}

#[test]
fn escape_closes_the_menu_before_the_panel() {
    let mut meeting = meeting(Microphone::On);
    meeting.open(Panel::People);
    meeting.update(Message::MenuPressed(Menu::Camera));
    meeting.update(Message::Escaped);
    assert_eq!((meeting.menu, meeting.panel), (None, Some(Panel::People)));
    meeting.update(Message::Escaped);
    assert_eq!(meeting.panel, None);
}

#[test]
fn the_shortcut_to_leave_asks_first() {
    let mut meeting = meeting(Microphone::On);
    let message = Meeting::shortcut(Shortcut::Leave).expect("the shortcut does something");
    assert_eq!(meeting.update(message), Action::None, "the user is still in the meeting");
    assert_eq!(meeting.leaving, Some(LeaveQuestion::Whether));
    meeting.update(Message::Escaped);
    assert_eq!(meeting.leaving, None);
}

#[test]
fn the_words_are_confirmed_for_one_epoch() {
    let mut meeting = meeting(Microphone::On);
    meeting.update(Message::WordsCompared(true));
    assert_eq!(meeting.model.lock_state(), LockState::Open, "there is nothing to confirm yet");
    let lock = |epoch| Some(KeyState { epoch, words: Words::of(&[0; 17]).unwrap(), suite: "suite" });
    meeting.model.lock = lock(4);
    assert_eq!(meeting.model.lock_state(), LockState::Closed);
    for (equal, expected) in [(true, LockState::Verified), (false, LockState::Different)] {
        meeting.model.lock = lock(4);
        meeting.update(Message::WordsCompared(equal));
        assert_eq!(meeting.model.lock_state(), expected);
        meeting.model.lock = lock(5);
        assert_eq!(meeting.model.lock_state(), LockState::Attention, "the next epoch has other words");
    }
}

#[test]
fn the_copied_link_has_the_address_that_the_user_chose() {
    let link = crate::model::link::example("10.8.0.6");
    let hosts = ["10.8.0.6", "192.168.1.20"].map(str::to_owned).to_vec();
    let mut meeting = meeting(Microphone::On);
    meeting.model = MeetingModel { link, hosts, ..meeting.model };
    let copied = |meeting: &mut Meeting| {
        let Action::Copy(link) = meeting.update(Message::CopyPressed) else { panic!("no link is copied") };
        crate::model::link::host(&link)
    };
    assert_eq!(copied(&mut meeting).as_deref(), Some("10.8.0.6"));
    let mut enter = |message| meeting.update(Message::Address(message));
    enter(address::Message::Chosen("192.168.1.20".into()));
    enter(address::Message::Typed("not a name".into()));
    enter(address::Message::Submitted);
    assert_eq!(copied(&mut meeting).as_deref(), Some("192.168.1.20"), "a wrong name changes nothing");
    let mut enter = |message| meeting.update(Message::Address(message));
    enter(address::Message::Typed("meet.example.org".into()));
    enter(address::Message::Submitted);
    assert_eq!(copied(&mut meeting).as_deref(), Some("meet.example.org"));
    assert_eq!(meeting.model.hosts.first().map(String::as_str), Some("meet.example.org"));
}

#[test]
fn removing_must_be_confirmed() {
    let mut meeting = meeting(Microphone::On);
    assert_eq!(meeting.update(Message::RemovePressed(ParticipantId(7))), Action::None);
    assert_eq!(meeting.update(Message::RemoveConfirmed), Action::Remove(ParticipantId(7)));
    assert_eq!(meeting.update(Message::RemoveConfirmed), Action::None);
}
