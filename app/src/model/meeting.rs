//! One meeting as its screen shows it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use engine::NoticeKind as EngineNotice;
use engine::{
    Authorship, Event, Evidence, KeyState, LobbyEvent, Microphone, ParticipantId, Person, Second, SecretLink, Setup,
    Slot, Step, TrackId,
};

use super::chat::ChatModel;
use super::identity::Identities;
use super::link;
use super::lobby::{Asker, Conversation, Lobby};
use super::moderation::Moderation;
use super::name_mark::{self, NameMark};
use super::notice::{Notice, NoticeKind};
use super::verification::Verification;
use crate::announce::Announcement;

/// Whether the user is joining the meeting or is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Joining the meeting: the current step.
    Entering(Step),
    /// In the meeting.
    Inside,
}

impl Default for Phase {
    fn default() -> Self {
        Self::Entering(Step::Connecting)
    }
}

/// What the lock button shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockState {
    /// There are no keys yet.
    Open,
    /// The meeting has keys.
    Closed,
    /// The user has compared the words of the current epoch.
    Verified,
    /// The user has compared the words of an earlier epoch; a participant joined or left since.
    Attention,
    /// The user has compared the words of the current epoch, and they differ: the others have other keys.
    Different,
    /// Some of the participants have other keys, as their programs say.
    Forked,
}

/// The result of comparing the verification words with the other participants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The epoch of the words.
    pub epoch: u64,
    /// Whether everybody had the same words.
    pub equal: bool,
}

/// One meeting as its screen shows it.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, each shown by itself")]
pub struct MeetingModel {
    /// Whether we are in the meeting yet.
    pub phase: Phase,
    /// We create the meeting. Otherwise we join it.
    pub creates: bool,
    /// We come back to the meeting as its organiser.
    pub returns: bool,
    /// The invitation link to give to others; empty until we are in the meeting.
    pub link: SecretLink,
    /// The link by which we entered, as the recent meetings keep it. The other one may name another address, and changes.
    pub entered_by: SecretLink,
    /// The names and addresses by which others can reach the server on this computer, best first; empty if it runs
    /// elsewhere.
    pub hosts: Vec<String>,
    /// This device created the meeting, so it can remove participants.
    pub organiser: bool,
    /// The participants, ourselves first.
    pub people: Vec<Person>,
    /// Whose names are marked.
    pub name_marks: HashMap<ParticipantId, NameMark>,
    /// Who speaks now.
    pub speaking: Vec<ParticipantId>,
    /// The epoch and the verification words of the current keys; `None` until there are keys.
    pub lock: Option<KeyState>,
    /// The last comparison of the words; `None` if there was none.
    pub comparison: Option<Comparison>,
    /// Our microphone.
    pub microphone: Microphone,
    /// Our camera is on.
    pub camera: bool,
    /// The engine found no camera.
    pub camera_missing: bool,
    /// Our screen is shared.
    pub sharing: bool,
    /// Who asks to join and no rule lets in, in the order of arrival. The organiser decides.
    pub asking: Vec<Asker>,
    /// The waiting room.
    pub lobby: Lobby,
    /// Raised hands, and the order of succession.
    pub moderation: Moderation,
    /// The connection is lost, and the engine tries to come back.
    pub reconnecting: bool,
    /// When the connection last came back; `None` if it was never lost.
    pub reconnected_at: Option<Instant>,
    /// When the connection of each other participant last came back; no entry if it was never lost.
    pub returned: HashMap<ParticipantId, Instant>,
    /// What happened in the last second; `None` before the first one.
    pub second: Option<Arc<Second>>,
    /// This device's key is lost when the program ends: no keychain stores it.
    pub temporary_key: bool,
    /// The chat.
    pub chat: ChatModel,
    /// Who the people are, as far as this device knows.
    pub identities: Identities,
    /// Tracks whose frames are dropped, because their owner has not signed them.
    pub doubted_tracks: BTreeMap<TrackId, Authorship>,
    /// What shows whether all are in the same group.
    pub verification: Verification,
}

impl MeetingModel {
    /// Creates the model of a meeting that is joined with these devices.
    pub fn entering(setup: &Setup) -> Self {
        let (camera, sharing) = (setup.opens_camera(), setup.shares_screen());
        Self { microphone: setup.first_microphone(), camera, sharing, ..Self::default() }
    }

    /// Updates the state. Returns what assistive tools announce.
    pub fn handle_event(&mut self, event: &Event) -> Vec<Announcement> {
        match event {
            Event::Progress(step) => self.phase = Phase::Entering(*step),
            Event::Entered { link, organiser, .. } => {
                self.phase = Phase::Inside;
                self.lobby = Lobby { flags: self.lobby.flags, choices: self.lobby.choices, ..Lobby::default() };
                self.link = link::to_share(link, &self.hosts);
                self.entered_by.clone_from(link);
                self.organiser = *organiser;
            }
            Event::LinkChanged { link } => {
                self.link = link::to_share_next(link, &self.link, &self.hosts);
                self.entered_by.clone_from(link);
            }
            Event::AsksToJoin { id, name, evidence } => return self.add_asker(*id, name, evidence.clone()),
            Event::Lobby(event) => {
                if *event == LobbyEvent::SentBack {
                    self.leave_to_waiting_room();
                }
                return self.lobby.handle_event(event, &mut self.asking);
            }
            Event::Policy(policy) => {
                self.lobby.flags = policy.flags;
                self.chat.set_flags(policy.flags);
                self.moderation.set_policy(policy);
            }
            Event::StoppedAsking(id) => self.remove_asker(*id),
            Event::People(people) => return self.replace_people(people),
            Event::Locked(lock) => self.lock = Some(lock.clone()),
            Event::Speaking(speaking) => self.speaking.clone_from(speaking),
            Event::Microphone(microphone) => self.microphone = *microphone,
            Event::Camera(on) => {
                self.camera = *on;
                self.camera_missing &= !on;
            }
            Event::Sharing(on) => self.sharing = *on,
            Event::Notice(notice) => self.handle_notice(notice.kind),
            Event::DoubtedTracks(tracks) => self.doubted_tracks.clone_from(tracks),
            Event::Second(second) => self.second = Some(Arc::clone(second)),
            Event::Chat(event) => return self.chat.handle_event(event),
            Event::Hands(hands) => return self.moderation.set_hands(hands, &self.people),
            Event::HandLowered { .. } => self.moderation.wished = None,
            Event::Verification(event) => self.verification.handle_event(event, &self.people),
            Event::OwnRightsChanged(_) | Event::Level(_) | Event::Totals(_) | Event::Ended(_) => {}
        }
        Vec::new()
    }

    /// What to show for a notice of the engine.
    pub fn notice(&self, notice: &engine::Notice) -> Notice {
        let kind = match (notice.kind, self.phase) {
            (EngineNotice::NobodyAdmits, Phase::Inside) => NoticeKind::OrganiserLeft,
            (kind, _) => kind.into(),
        };
        Notice { kind, file: notice.file.clone(), detail: notice.detail.clone() }
    }

    /// The state of the lock.
    pub fn lock_state(&self) -> LockState {
        match (&self.lock, self.comparison) {
            (None, _) => LockState::Open,
            (Some(_), _) if !self.verification.agreement.differ.is_empty() => LockState::Forked,
            (Some(_), None) => LockState::Closed,
            (Some(lock), Some(last)) if lock.epoch != last.epoch => LockState::Attention,
            (Some(_), Some(last)) if last.equal => LockState::Verified,
            (Some(_), Some(_)) => LockState::Different,
        }
    }

    /// Records that the user has compared the words of the current epoch. Does nothing if there are no keys yet.
    pub fn compared(&mut self, equal: bool) {
        if let Some(lock) = &self.lock {
            self.comparison = Some(Comparison { epoch: lock.epoch, equal });
        }
    }

    /// Records who of `people` has come back at `now`. Called before the list is replaced.
    pub fn note_returns(&mut self, people: &[Person], now: Instant) {
        let was_lost = |person: &&Person| self.person(person.id).is_some_and(|before| !before.connected);
        let back: Vec<_> = people.iter().filter(|person| person.connected).filter(was_lost).map(|one| one.id).collect();
        self.returned.extend(back.into_iter().map(|id| (id, now)));
        self.returned.retain(|id, _| people.iter().any(|person| person.id == *id));
    }

    /// The participant with this id.
    pub fn person(&self, id: ParticipantId) -> Option<&Person> {
        self.people.iter().find(|person| person.id == id)
    }

    /// Whether somebody who can admit people is in the meeting.
    pub fn has_organiser(&self) -> bool {
        self.people.iter().any(|person| person.role.is_manager() && person.rights.contains(engine::Rights::ADMIT))
    }

    /// Whether we may remove a participant.
    pub fn may_remove(&self, person: &Person) -> bool {
        self.me().is_some_and(|me| me.may_remove(person))
    }

    /// Whether we may send in a slot. Before we are in the meeting, we may try.
    pub fn may_send(&self, slot: Slot) -> bool {
        self.me().is_none_or(|me| me.rights.allow(slot))
    }

    /// How many people can see the screen that we share: all other participants.
    pub fn viewers(&self) -> usize {
        self.people.iter().filter(|person| !person.me).count()
    }

    /// Ourselves; `None` until we are in the meeting.
    pub fn me(&self) -> Option<&Person> {
        self.people.iter().find(|person| person.me)
    }

    /// Whether the server of the meeting runs on this computer.
    pub fn is_hosted(&self) -> bool {
        !self.hosts.is_empty()
    }

    /// Removes somebody who asked to join, because the organiser has decided.
    pub fn remove_asker(&mut self, id: ParticipantId) {
        self.asking.retain(|asker| asker.id != id);
        self.lobby.forget(id);
    }

    /// Whether we may decide who joins.
    pub fn may_admit(&self) -> bool {
        self.me().is_some_and(|me| me.role.is_manager() && me.rights.contains(engine::Rights::ADMIT))
    }

    /// Records the time of requests that have arrived since the last call, and of our own.
    pub fn note_requests(&mut self, event: &Event, now: Instant) {
        self.asking.iter_mut().for_each(|asker| _ = asker.since.get_or_insert(now));
        if let Event::Progress(Step::Knocking) = event {
            self.lobby.waiting.sent.get_or_insert(now);
        }
        if let Event::Lobby(LobbyEvent::Received { .. }) = event {
            self.lobby.waiting.received.get_or_insert(now);
        }
    }

    /// Shows the waiting room again, because the organiser has sent us back to it.
    fn leave_to_waiting_room(&mut self) {
        self.phase = Phase::Entering(Step::Connecting);
        self.people.clear();
        self.name_marks.clear();
        self.speaking.clear();
        self.asking.clear();
        self.chat.clear();
        self.moderation = Moderation::default();
        (self.lock, self.comparison, self.organiser, self.reconnecting) = (None, None, false, false);
        (self.creates, self.returns) = (false, false);
        self.verification = Verification::default();
    }

    fn add_asker(&mut self, id: ParticipantId, name: &str, evidence: Evidence) -> Vec<Announcement> {
        if self.asking.iter().any(|asker| asker.id == id) {
            return Vec::new();
        }
        let mark = NameMark::of_asker(name, &self.people);
        let chat = Conversation::default();
        let (badge, refusal) = self.identities.judge_asker(&evidence, name);
        let other_device =
            badge.as_ref().filter(|badge| badge.is_alarm()).map(|_| Announcement::OtherDevice(name.to_owned()));
        self.asking.push(Asker { id, name: name.to_owned(), mark, evidence, badge, refusal, since: None, chat });
        let marked = mark.map(|mark| Announcement::NameMarked(name.to_owned(), mark));
        std::iter::once(Announcement::Asking(name.to_owned())).chain(marked).chain(other_device).collect()
    }

    fn handle_notice(&mut self, kind: EngineNotice) {
        self.revert_button(kind);
        let begins = kind == EngineNotice::Reconnecting;
        self.reconnecting = begins || self.reconnecting && kind != EngineNotice::Reconnected;
    }

    /// Undoes the change of a button. A button shows its new state when it is pressed, before the engine reports
    /// whether the device works.
    fn revert_button(&mut self, kind: EngineNotice) {
        self.camera_missing |= kind == EngineNotice::NoCamera;
        match kind {
            EngineNotice::NoCamera
            | EngineNotice::CameraTaken
            | EngineNotice::CameraLost
            | EngineNotice::CameraFailed
            | EngineNotice::FileFormat => self.camera = false,
            // The file may be the microphone's. The camera then has the state that the other participants know.
            EngineNotice::MissingFile | EngineNotice::BadFile => self.camera = self.me().is_some_and(|me| me.camera),
            EngineNotice::NoScreen | EngineNotice::ScreenFormat => self.sharing = false,
            EngineNotice::NoSound
            | EngineNotice::NoMicrophone
            | EngineNotice::NoSpeaker
            | EngineNotice::SoundRefused
            | EngineNotice::SoundLost
            | EngineNotice::SoundFormat
            | EngineNotice::NotWritten
            | EngineNotice::DiskFull
            | EngineNotice::SoundBack
            | EngineNotice::TooNarrow
            | EngineNotice::StillWaiting
            | EngineNotice::NobodyAdmits
            | EngineNotice::Overloaded
            | EngineNotice::CodecReplaced
            | EngineNotice::TrackFailed
            | EngineNotice::PeerUnreadable
            | EngineNotice::NotAllowed
            | EngineNotice::NotBelow
            | EngineNotice::PersonLeft
            | EngineNotice::RightImpossible
            | EngineNotice::TooManyRoles
            | EngineNotice::KeysMissing
            | EngineNotice::NotRemoved
            | EngineNotice::ChangeRejected
            | EngineNotice::KeysUnreadable
            | EngineNotice::KeysReported
            | EngineNotice::Reconnecting
            | EngineNotice::Reconnected
            | EngineNotice::OldLinkRefused
            | EngineNotice::WrongClock
            | EngineNotice::Forged
            | EngineNotice::LinkNotChanged
            | EngineNotice::Refused => {}
        }
    }

    /// Replaces the list. Returns who joined, who left and who began or stopped sharing the screen, except ourselves. People
    /// who were there when we joined are not announced, but their shared screens and marked names are.
    fn replace_people(&mut self, people: &[Person]) -> Vec<Announcement> {
        self.verification.retain(people);
        let before = std::mem::replace(&mut self.people, people.to_vec());
        if let Some(me) = self.me() {
            self.organiser = me.is_organiser();
        }
        let shares = |person: &Person, from: &[Person]| from.iter().any(|other| other.id == person.id && other.screen);
        let others = people.iter().filter(|person| !person.me);
        let sharing: Vec<_> = others
            .filter(|person| person.screen != shares(person, &before))
            .map(|person| {
                let announcement = if person.screen { Announcement::Sharing } else { Announcement::SharingEnded };
                announcement(person.name.clone())
            })
            .collect();
        // A notice says who comes with another device.
        self.identities.update(people);
        let marked = self.replace_marks(&before);
        if before.is_empty() {
            return sharing.into_iter().chain(marked).collect();
        }
        let absent = |person: &&Person, from: &[Person]| !person.me && from.iter().all(|other| other.id != person.id);
        let joined = people.iter().filter(|person| absent(person, &before));
        let left = before.iter().filter(|person| absent(person, people));
        let joined = joined.map(|person| Announcement::Joined(person.name.clone()));
        let left = left.map(|person| Announcement::Left(person.name.clone()));
        joined.chain(left).chain(sharing).chain(marked).collect()
    }

    /// Marks the names of the participants. Returns which marks are new.
    fn replace_marks(&mut self, people_before: &[Person]) -> Vec<Announcement> {
        let is_same = |(old, new): (&Person, &Person)| {
            (old.id, &old.name, old.me, old.is_organiser()) == (new.id, &new.name, new.me, new.is_organiser())
        };
        // The list of people changes with each microphone. Names are compared only if one has changed.
        if people_before.len() == self.people.len() && people_before.iter().zip(&self.people).all(is_same) {
            return Vec::new();
        }
        let before = std::mem::replace(&mut self.name_marks, name_mark::marks(&self.people));
        let new = |person: &&Person| before.get(&person.id) != self.name_marks.get(&person.id);
        let marked = self.people.iter().filter(new).filter_map(|person| {
            let mark = self.name_marks.get(&person.id)?;
            Some(Announcement::NameMarked(person.name.clone(), *mark))
        });
        marked.collect()
    }
}

/// The first letters of the first and the last word of a name, which a tile shows without video; `?` without letters.
pub fn initials(name: &str) -> String {
    let mut words = name.split(|letter: char| letter.is_whitespace() || letter == '-').filter_map(|word| {
        let first = word.chars().find(|letter| letter.is_alphanumeric())?;
        Some(first.to_uppercase().to_string())
    });
    let first = words.next().unwrap_or_else(|| "?".to_owned());
    words.next_back().map_or(first.clone(), |last| first + &last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::Words;

    fn person(id: u64, me: bool) -> Person {
        Person {
            id: ParticipantId(id),
            name: format!("Person {id}"),
            me,
            role: if me { engine::Role::Organiser } else { engine::Role::Participant },
            rights: engine::Rights::ALL,
            device: "0123 4567".into(),
            certificate: None,
            microphone: Microphone::On,
            camera: true,
            screen: false,
            connected: true,
        }
    }

    fn notice(kind: EngineNotice) -> engine::Notice {
        engine::Notice { kind, file: None, detail: String::new() }
    }

    #[test]
    fn joining_and_leaving_are_announced_but_not_our_own_entry() {
        let mut model = MeetingModel::default();
        assert_eq!(model.handle_event(&Event::People(vec![person(1, true), person(2, false)])), []);
        let announced = model.handle_event(&Event::People(vec![person(1, true), person(3, false)]));
        assert_eq!(announced, [Announcement::Joined("Person 3".into()), Announcement::Left("Person 2".into())]);
    }

    #[test]
    fn a_name_that_looks_like_another_is_marked_and_announced_once() {
        let named = |id, name: &str| Person { name: name.into(), ..person(id, false) };
        let mut model = MeetingModel::default();
        let anne = Person { name: "Anne".into(), ..person(1, true) };
        let people = vec![anne.clone(), named(2, "Bob"), named(3, "B\u{3bf}b")];
        let marked = |name: &str| Announcement::NameMarked(name.into(), NameMark::Confusable);
        assert_eq!(model.handle_event(&Event::People(people.clone())), [marked("Bob"), marked("B\u{3bf}b")]);
        assert_eq!(model.handle_event(&Event::People(people)), [], "announced once");
        assert_eq!(model.name_marks.len(), 2);
        let evidence = Evidence {
            class: engine::IdentityClass::Guest,
            device: engine::DeviceKey([0; 32]),
            certificate: None,
            via_old_link: true,
            sent_back: false,
        };
        let asks = model.handle_event(&Event::AsksToJoin { id: ParticipantId(9), name: "\u{410}nne".into(), evidence });
        assert_eq!(asks, [Announcement::Asking("\u{410}nne".into()), marked("\u{410}nne")]);
        let left = model.handle_event(&Event::People(vec![anne, named(2, "Bob")]));
        assert_eq!((left, model.name_marks.len()), (vec![Announcement::Left("B\u{3bf}b".into())], 0));
    }

    #[test]
    fn debug_shows_no_link() {
        let mut model = MeetingModel::default();
        let link = SecretLink::from("conclave://host:1/#c2VjcmV0");
        model.handle_event(&Event::Entered { me: ParticipantId(1), link, organiser: true });
        assert!(model.link.expose().ends_with("c2VjcmV0") && !format!("{model:?}").contains("c2VjcmV0"), "{model:?}");
    }

    #[test]
    fn screens_that_others_share_are_announced() {
        let sharing = |id, screen| Person { screen, ..person(id, false) };
        let mut model = MeetingModel::default();
        let first = model.handle_event(&Event::People(vec![person(1, true), sharing(2, true)]));
        assert_eq!(first, [Announcement::Sharing("Person 2".into())], "shared before we came");
        assert_eq!(model.handle_event(&Event::People(vec![person(1, true), sharing(2, true)])), [], "announced once");
        let next = model.handle_event(&Event::People(vec![person(1, true), sharing(2, false), sharing(3, true)]));
        let expected = [
            Announcement::Joined("Person 3".into()),
            Announcement::SharingEnded("Person 2".into()),
            Announcement::Sharing("Person 3".into()),
        ];
        assert_eq!(next, expected);
        let own = Person { screen: true, ..person(1, true) };
        assert_eq!(
            model.handle_event(&Event::People(vec![own, sharing(3, true)])),
            [Announcement::Left("Person 2".into())]
        );
    }

    #[test]
    fn a_camera_that_cannot_be_opened_is_shown_as_off() {
        let mut model = MeetingModel { camera: true, sharing: true, ..MeetingModel::default() };
        for (kind, camera, sharing) in [
            (EngineNotice::PeerUnreadable, true, true),
            (EngineNotice::CameraTaken, false, true),
            (EngineNotice::CameraFailed, false, true),
            (EngineNotice::NoScreen, false, false),
        ] {
            model.handle_event(&Event::Notice(notice(kind)));
            assert_eq!((model.camera, model.sharing), (camera, sharing), "{kind:?}");
        }
    }

    #[test]
    fn nobody_admits_has_another_sentence_for_the_people_inside() {
        for (phase, expected) in [
            (Phase::Inside, NoticeKind::OrganiserLeft),
            (Phase::Entering(Step::Knocking), NoticeKind::Engine(EngineNotice::NobodyAdmits)),
        ] {
            let model = MeetingModel { phase, ..MeetingModel::default() };
            assert_eq!(model.notice(&notice(EngineNotice::NobodyAdmits)).kind, expected, "{phase:?}");
        }
    }

    #[test]
    fn the_policy_sets_flags_and_succession_and_who_is_sent_back_forgets_hands_and_succession() {
        let (flags, succession) = (engine::MeetingFlags::LOCKED, vec![ParticipantId(1), ParticipantId(2)]);
        let rights = engine::Role::ALL.map(engine::Role::default_rights);
        let everyone = engine::Role::Participant;
        let policy = engine::PolicyState { flags, everyone, rights, succession: succession.clone() };
        let mut model = MeetingModel::default();
        model.handle_event(&Event::Policy(policy));
        assert_eq!((model.lobby.flags, &model.moderation.succession), (flags, &succession));
        model.handle_event(&Event::Hands(vec![ParticipantId(2)]));
        model.moderation.wished = Some(true);
        model.handle_event(&Event::Lobby(LobbyEvent::SentBack));
        let Moderation { hands, succession, wished, .. } = model.moderation;
        assert!(hands.is_empty() && succession.is_empty() && wished.is_none(), "{hands:?} {succession:?} {wished:?}");
    }

    #[test]
    fn initials_come_from_any_name() {
        for (name, expected) in [
            ("Anne Martin", "AM"),
            ("Bob", "B"),
            ("Jean-Pierre de la Tour", "JT"),
            ("élodie", "É"),
            ("  ", "?"),
            ("", "?"),
            ("(guest) 42", "G4"),
            ("李 明", "李明"),
        ] {
            assert_eq!(initials(name), expected, "{name:?}");
        }
    }

    #[test]
    fn only_an_organiser_who_is_in_the_meeting_counts() {
        let organiser = Person { role: engine::Role::Organiser, ..person(2, false) };
        let me = Person { role: engine::Role::Participant, rights: engine::Rights::NONE, ..person(1, true) };
        let mut meeting = MeetingModel { people: vec![me, organiser], ..MeetingModel::default() };
        assert_eq!((meeting.has_organiser(), meeting.viewers()), (true, 1));
        meeting.people.pop();
        assert_eq!((meeting.has_organiser(), meeting.viewers()), (false, 0));
    }

    #[test]
    fn the_lock_is_verified_for_one_epoch_only() {
        let words = Words::of(&[0; 17]).unwrap();
        let lock = |epoch| Some(KeyState { epoch, words, suite: "suite" });
        let mut meeting = MeetingModel::default();
        assert_eq!(meeting.lock_state(), LockState::Open);
        meeting.compared(true);
        assert_eq!(meeting.lock_state(), LockState::Open, "there are no words to compare");
        meeting.lock = lock(1);
        assert_eq!(meeting.lock_state(), LockState::Closed);
        meeting.compared(true);
        assert_eq!(meeting.lock_state(), LockState::Verified);
        meeting.lock = lock(2);
        assert_eq!(meeting.lock_state(), LockState::Attention, "the words have changed");
        meeting.verification.agreement.differ = vec![ParticipantId(3)];
        assert_eq!(meeting.lock_state(), LockState::Forked);
    }
}
