//! Events of the meeting as JSON lines on standard output.

use super::control::line_id;
use super::meeting_orders::{right_names, role_name};
use super::people::id_text;
use app::kit::emoji_name;
use app::locale::Language;
use app::model::sentence;
use engine::chat::Event as ChatEvent;
use engine::report::Report;
use engine::verification::EmojiFailure;
use engine::{
    Event, Evidence, IdentityClass, KeyState, LobbyAuthor, LobbyEvent, Manager, MeetingFlags, Microphone, NoticeKind,
    ParticipantId, Person, RightsChange, Role, WordsLanguage,
};
use serde_json::{Value, json};

/// Returns the line of an event. `None` for events without one: some have another one, or none is needed.
pub fn line(event: &Event) -> Option<Value> {
    Some(match event {
        Event::People(people) => json!({ "people": people.iter().map(person).collect::<Vec<_>>() }),
        Event::Policy(policy) => json!({ "policy": {
            "waiting_room": policy.flags.contains(MeetingFlags::WAITING_ROOM),
            "locked": policy.flags.contains(MeetingFlags::LOCKED),
            "chat_history": policy.flags.contains(MeetingFlags::CHAT_HISTORY),
            "guests": policy.flags.contains(MeetingFlags::GUESTS),
            "recording": policy.flags.contains(MeetingFlags::RECORDING),
            "default_role": role_name(policy.everyone),
            "succession": policy.succession.iter().copied().map(id_text).collect::<Vec<_>>(),
        } }),
        Event::Camera(on) => json!({ "camera": on }),
        Event::Sharing(on) => json!({ "sharing": on }),
        Event::Microphone(state) => json!({ "microphone": microphone(*state) }),
        Event::Lobby(LobbyEvent::Received { organiser }) => {
            json!({ "lobby": "received", "by": role_name(if *organiser { Role::Organiser } else { Role::CoOrganiser }) })
        }
        Event::Lobby(LobbyEvent::NobodyHasRequest) => json!({ "lobby": "nobody" }),
        Event::Lobby(LobbyEvent::SentBack) => json!({ "lobby": "sent-back" }),
        Event::Lobby(LobbyEvent::Text { with, author, text }) => json!({ "lobby_text": {
            "with": with.map(id_text),
            "from": author_name(*author),
            "text": text,
        } }),
        Event::Lobby(LobbyEvent::NotSent { with }) => json!({ "lobby_not_sent": { "with": with.map(id_text) } }),
        Event::OwnRightsChanged(change) => rights(change),
        Event::HandLowered { by } => json!({ "hand_lowered": { "by": name_of(by.as_ref()) } }),
        Event::Hands(hands) => json!({ "hands": hands.iter().copied().map(id_text).collect::<Vec<_>>() }),
        Event::StoppedAsking(id) => json!({ "stopped_asking": id_text(*id) }),
        Event::Notice(notice) => json!({ "notice": notice_name(notice.kind) }),
        Event::Verification(event) => return verification(event),
        Event::Progress(_)
        | Event::Entered { .. }
        | Event::LinkChanged { .. }
        | Event::AsksToJoin { .. }
        | Event::Locked(_)
        | Event::Speaking(_)
        | Event::Level(_)
        | Event::Second(_)
        | Event::DoubtedTracks(_)
        | Event::Chat(_)
        | Event::Totals(_)
        | Event::Ended(_) => return None,
    })
}

/// Returns the line with the words of the keys.
pub fn words(lock: &KeyState) -> Value {
    json!({ "words": {
        "epoch": lock.epoch,
        "english": lock.words.in_language(WordsLanguage::English),
        "french": lock.words.in_language(WordsLanguage::French),
    } })
}

fn verification(event: &engine::verification::Event) -> Option<Value> {
    use engine::verification::{EmojiCheck, Event, PhraseCheck};
    let ids = |ids: &[ParticipantId]| ids.iter().copied().map(id_text).collect::<Vec<_>>();
    Some(match event {
        Event::Agreement(now) => json!({ "agreement": {
            "agree": ids(&now.agree),
            "differ": ids(&now.differ),
            "unheard": ids(&now.unheard),
            "misnumbered": ids(&now.misnumbered),
        } }),
        Event::OtherGroup { manager } => json!({ "other_group": id_text(*manager) }),
        Event::Emoji(EmojiCheck::Running { by, waiting }) => {
            json!({ "pictures": { "by": id_text(*by), "waiting": ids(waiting) } })
        }
        Event::Emoji(EmojiCheck::Done { by, emoji, participants }) => {
            let names = emoji.0.map(|number| Language::English.text(emoji_name(number)));
            json!({ "pictures": { "by": id_text(*by), "names": names, "participants": ids(participants) } })
        }
        Event::Emoji(EmojiCheck::Failed(why)) => json!({ "pictures": { "failed": failure(why) } }),
        Event::Emoji(EmojiCheck::Outdated) => json!({ "pictures": { "failed": "outdated" } }),
        Event::Phrase(PhraseCheck::Listen { who, phrase }) => {
            json!({ "phrase": { "listen_to": id_text(*who), "words": phrase.in_language(WordsLanguage::English) } })
        }
        Event::Phrase(PhraseCheck::Read { by, phrase }) => {
            json!({ "phrase": { "read_to": id_text(*by), "words": phrase.in_language(WordsLanguage::English) } })
        }
        Event::Phrase(PhraseCheck::Failed(who)) => json!({ "phrase": { "failed": id_text(*who) } }),
        Event::Phrase(PhraseCheck::Asked(_)) => return None,
    })
}

/// Returns why there are no pictures: the participants who are the cause, or a word.
fn failure(why: &EmojiFailure) -> Value {
    match why {
        EmojiFailure::Silent(who) => json!({ "silent": who.iter().copied().map(id_text).collect::<Vec<_>>() }),
        EmojiFailure::Wrong(who) => json!({ "wrong": id_text(*who) }),
        EmojiFailure::KeysChanged => json!("keys-changed"),
        EmojiFailure::TooMany => json!("too-many"),
        EmojiFailure::Alone => json!("alone"),
        EmojiFailure::TooSoon => json!("too-soon"),
    }
}

/// Returns the line of an event of the chat that is not about the lines.
pub fn chat(event: &ChatEvent) -> Option<Value> {
    Some(match event {
        ChatEvent::Typing(typing) => json!({ "typing": {
            "from": typing.name,
            "start": typing.start,
            "text": typing.text.as_str(),
        } }),
        ChatEvent::Flooded { name } => json!({ "chat_flood": { "from": name } }),
        ChatEvent::Gap { place } => json!({ "chat_gap": { "place": place } }),
        ChatEvent::NotDone(id) => json!({ "chat_not_done": { "id": line_id(*id) } }),
        ChatEvent::Lines(_) | ChatEvent::Dropped(_) => return None,
    })
}

/// Returns the line with our counters, without those of each second, which would make it long.
pub fn report(mut report: Report) -> Value {
    report.participants.iter_mut().for_each(|participant| participant.timeline.clear());
    json!({ "report": report })
}

/// Returns the name of a kind of notice. It is that of its sentence in all languages, and does not change.
fn notice_name(kind: NoticeKind) -> &'static str {
    let id = sentence::notice(kind);
    id.strip_prefix("notice-").unwrap_or(id)
}

fn author_name(author: LobbyAuthor) -> &'static str {
    match author {
        LobbyAuthor::Me => "me",
        LobbyAuthor::Waiting => "waiting",
        LobbyAuthor::Manager(_) => "manager",
    }
}

fn name_of(manager: Option<&Manager>) -> Option<&str> {
    manager.map(|manager| manager.name.as_str())
}

/// Describes a change of our own role and rights.
fn rights(change: &RightsChange) -> Value {
    let (role, rights) = change.now;
    json!({ "rights": {
        "by": name_of(change.by.as_ref()),
        "role": role_name(role),
        "granted": right_names(rights.without(change.before.1)),
        "withdrawn": right_names(change.before.1.without(rights)),
    } })
}

/// Returns the event of somebody who asks to join, with what is known of them.
pub fn asks(id: ParticipantId, name: &str, evidence: &Evidence) -> Value {
    let class = match evidence.class {
        IdentityClass::Known => "known",
        IdentityClass::Guest => "guest",
    };
    json!({ "asks": {
        "id": id_text(id),
        "name": name,
        "identity": class,
        "device": evidence.device.to_string(),
        "old_link": evidence.via_old_link,
        "sent_back": evidence.sent_back,
    } })
}

fn person(person: &Person) -> Value {
    json!({
        "id": id_text(person.id),
        "name": person.name,
        "me": person.me,
        "role": role_name(person.role),
        "rights": right_names(person.rights),
        "microphone": microphone(person.microphone),
        "camera": person.camera,
        "screen": person.screen,
    })
}

const fn microphone(state: Microphone) -> &'static str {
    match state {
        Microphone::On => "on",
        Microphone::Muted => "muted",
        Microphone::Off => "off",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::{Notice, PolicyState, Role};
    use std::collections::BTreeSet;

    #[test]
    fn each_kind_of_notice_has_a_name_of_its_own_that_is_documented() {
        let documented = include_str!("../../../docs/commands.md");
        let names: BTreeSet<_> = sentence::NOTICES.into_iter().map(notice_name).collect();
        assert_eq!(names.len(), sentence::NOTICES.len());
        for name in names {
            assert!(documented.contains(&format!("`{name}`")), "{name} is not in docs/commands.md");
        }
    }

    #[test]
    fn a_notice_has_its_stable_name() {
        let notice = Notice { kind: NoticeKind::NotBelow, file: None, detail: "secret".into() };
        assert_eq!(line(&Event::Notice(notice)), Some(json!({ "notice": "not-below" })));
    }

    #[test]
    fn the_policy_says_who_may_enter_in_which_role_and_who_takes_over() {
        let policy = PolicyState {
            flags: MeetingFlags::GUESTS | MeetingFlags::LOCKED,
            everyone: Role::Guest,
            rights: Role::ALL.map(Role::default_rights),
            succession: vec![ParticipantId(1), ParticipantId(7)],
        };
        assert_eq!(
            line(&Event::Policy(policy)),
            Some(json!({ "policy": {
                "waiting_room": false,
                "locked": true,
                "chat_history": false,
                "guests": true,
                "recording": false,
                "default_role": "guest",
                "succession": ["0000000000000001", "0000000000000007"],
            } }))
        );
    }

    #[test]
    fn texts_of_the_waiting_room_are_printed_on_both_sides() {
        let text = |with, author| LobbyEvent::Text { with, author, text: "Hello".into() };
        let printed = |event| line(&Event::Lobby(event)).expect("it has a line");
        let asker = ParticipantId(7);
        assert_eq!(
            printed(text(Some(asker), LobbyAuthor::Waiting)),
            json!({ "lobby_text": { "with": "0000000000000007", "from": "waiting", "text": "Hello" } })
        );
        assert_eq!(
            printed(text(None, LobbyAuthor::Manager(ParticipantId(1)))),
            json!({ "lobby_text": { "with": null, "from": "manager", "text": "Hello" } })
        );
        assert_eq!(printed(LobbyEvent::NotSent { with: None }), json!({ "lobby_not_sent": { "with": null } }));
    }
}
