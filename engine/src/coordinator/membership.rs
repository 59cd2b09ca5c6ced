//! The people in the meeting, the state of the keys, and the announced state of this client.

use crate::event::{Event, KeyState, Manager, Person};
use crate::limitation::Limitation;
use crate::stats::timeline::Second;
use audio::Levels;
use crypto::{Leaf, SecretLink, Words};
use net::meeting::{MediaState, Member, Microphone, SendLimit};
use proto::{Epoch, MeetingFlags, ParticipantId, Rights, Slot};

/// The people in the meeting, the state of the keys, and the announced state of this client.
pub struct Membership {
    /// True if this device created the meeting.
    organiser: bool,
    me: Option<ParticipantId>,
    members: Vec<Member>,
    /// Our own rights. All, until we are in the meeting.
    own_rights: Rights,
    epoch: Epoch,
    /// What this client sends, as announced to the others.
    announced: MediaState,
    /// Why our camera and our screen are sent smaller or slower than viewers request.
    limits: (Option<SendLimit>, Option<SendLimit>),
    /// The people who speak now, loudest first.
    speaking: Vec<ParticipantId>,
    /// Flags to set when this client enters the meeting that it creates.
    flags: MeetingFlags,
}

impl Membership {
    /// Returns the state before this client enters the meeting.
    pub fn new(organiser: bool) -> Self {
        let announced = MediaState::default();
        Self {
            organiser,
            me: None,
            members: Vec::new(),
            own_rights: Rights::ALL,
            epoch: Epoch(0),
            announced,
            limits: (None, None),
            speaking: Vec::new(),
            flags: MeetingFlags::NONE,
        }
    }

    /// Sets the flags that [`Membership::take_flags`] returns.
    pub fn with_flags(self, flags: MeetingFlags) -> Self {
        Self { flags, ..self }
    }

    /// Returns the flags to set in a new meeting, once.
    pub fn take_flags(&mut self) -> Option<MeetingFlags> {
        Some(std::mem::replace(&mut self.flags, MeetingFlags::NONE)).filter(|flags| *flags != MeetingFlags::NONE)
    }

    /// Returns true after [`Membership::enter`].
    pub fn is_inside(&self) -> bool {
        self.me.is_some()
    }

    /// Records that this client is in the meeting, as `me`. Returns the event for the screens.
    pub fn enter(&mut self, me: ParticipantId, link: SecretLink) -> Event {
        self.me = Some(me);
        Event::Entered { me, link, organiser: self.organiser }
    }

    /// Records that this client is not in the meeting any more, and waits to be let in again.
    pub fn leave(&mut self) {
        self.me = None;
        self.speaking.clear();
    }

    /// Records that this client came back, perhaps as another participant.
    pub fn set_me(&mut self, me: ParticipantId) {
        self.me = Some(me);
    }

    /// Replaces the list of members. Returns it for the screens, ourselves first.
    pub fn set_members(&mut self, members: Vec<Member>) -> Vec<Person> {
        self.members = members;
        if let Some(own) = self.members.iter().find(|member| member.me) {
            self.own_rights = own.rights;
        }
        let mut people: Vec<Person> = self.members.iter().map(person).collect();
        people.sort_by_key(|person| !person.me);
        people
    }

    /// Returns true if this is our own id.
    pub fn is_me(&self, id: ParticipantId) -> bool {
        self.me == Some(id)
    }

    /// Sets our own rights.
    pub fn set_own_rights(&mut self, rights: Rights) {
        self.own_rights = rights;
    }

    /// Returns our own rights.
    pub fn own_rights(&self) -> Rights {
        self.own_rights
    }

    /// Returns the name and the role of a member; `None` if there is no such member.
    pub fn manager(&self, id: ParticipantId) -> Option<Manager> {
        let member = self.members.iter().find(|member| member.id == id)?;
        Some(Manager { name: member.name.clone(), role: member.role })
    }

    /// Returns the leaf and the name of a member, or `None` if there is no such member.
    pub fn member(&self, id: ParticipantId) -> Option<(Leaf, &str)> {
        let member = self.members.iter().find(|member| member.id == id)?;
        Some((member.leaf, &member.name))
    }

    /// Records that the keys of `epoch` are in use.
    pub fn set_epoch(&mut self, epoch: Epoch) {
        self.epoch = epoch;
    }

    /// Returns the state of the keys with their new words.
    pub fn lock(&self, words: Words) -> KeyState {
        KeyState { epoch: self.epoch.0, words, suite: SUITE }
    }

    /// Sets why our camera and our screen are sent smaller or slower than viewers request. Returns true if that is new.
    pub fn set_limits(&mut self, second: &Second) -> bool {
        let limit = |limitation| match limitation {
            Some(Limitation::OwnUplink) => Some(SendLimit::Uplink),
            Some(Limitation::OwnComputer | Limitation::OwnBattery | Limitation::OwnHeat) => Some(SendLimit::Computer),
            // Nobody's network or computer is the cause of a limit that the user or the organisation has set.
            Some(_) | None => None,
        };
        let limits = (limit(second.camera_limit), limit(second.screen_limit));
        std::mem::replace(&mut self.limits, limits) != limits
    }

    /// Returns why our camera and our screen are sent smaller or slower than viewers request.
    pub fn limits(&self) -> (Option<SendLimit>, Option<SendLimit>) {
        self.limits
    }

    /// Records that `state` is announced to the others. Returns the changes for the screens.
    pub fn announce(&mut self, state: MediaState) -> Vec<Event> {
        let before = std::mem::replace(&mut self.announced, state);
        let camera = (state.camera != before.camera).then_some(Event::Camera(state.camera));
        let screen = (state.screen != before.screen).then_some(Event::Sharing(state.screen));
        camera.into_iter().chain(screen).collect()
    }

    /// Returns the event that switches a source's button off, for a source that was not announced to the others.
    pub fn unannounced_off(&self, slot: Slot) -> Option<Event> {
        match slot {
            Slot::Camera => (!self.announced.camera).then_some(Event::Camera(false)),
            Slot::Screen => (!self.announced.screen).then_some(Event::Sharing(false)),
            Slot::Microphone => None,
        }
    }

    /// Returns the people who speak now, loudest first.
    pub fn speaking(&self) -> &[ParticipantId] {
        &self.speaking
    }

    /// Updates the list of the people who speak. Returns it if it has changed. `unmuted` is the state of our own
    /// microphone.
    pub fn set_speaking(&mut self, levels: &Levels, unmuted: bool) -> Option<Vec<ParticipantId>> {
        let mut loud: Vec<_> = levels.remotes.iter().filter(|(_, _, speaking)| *speaking).collect();
        loud.sort_by_key(|(_, level, _)| *level);
        let others = loud.iter().map(|(key, ..)| ParticipantId(*key));
        let me = self.me.filter(|_| levels.speaking && unmuted);
        let speaking: Vec<ParticipantId> = others.chain(me).collect();
        if speaking == self.speaking {
            return None;
        }
        self.speaking.clone_from(&speaking);
        Some(speaking)
    }
}

/// Returns a member for the screens. What it announces and may not send is shown as off: nobody hears or sees it.
fn person(member: &Member) -> Person {
    let MediaState { microphone, camera, screen, .. } = member.state;
    let is_heard = microphone != Microphone::On || member.rights.allow(Slot::Microphone);
    Person {
        id: member.id,
        name: member.name.clone(),
        me: member.me,
        role: member.role,
        rights: member.rights,
        device: member.device.to_string(),
        certificate: member.certificate.clone(),
        microphone: if is_heard { microphone } else { Microphone::Muted },
        camera: camera && member.rights.allow(Slot::Camera),
        screen: screen && member.rights.allow(Slot::Screen),
        connected: member.connected,
    }
}

/// The registered name of MLS cipher suite 0x004E.
const SUITE: &str = "MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519";

#[cfg(test)]
mod tests {
    use super::*;
    use crypto::DeviceKey;
    use media::Level;

    #[test]
    fn a_change_of_what_we_send_is_an_event_once() {
        let mut membership = Membership::new(false);
        let on = MediaState { camera: true, ..MediaState::default() };
        assert!(matches!(membership.unannounced_off(Slot::Camera), Some(Event::Camera(false))));
        assert!(matches!(membership.announce(on)[..], [Event::Camera(true)]));
        assert!(membership.announce(on).is_empty() && membership.unannounced_off(Slot::Camera).is_none());
        let screen = MediaState { screen: true, ..MediaState::default() };
        assert!(matches!(membership.unannounced_off(Slot::Screen), Some(Event::Sharing(false))));
        assert!(matches!(membership.announce(screen)[..], [Event::Camera(false), Event::Sharing(true)]));
        assert!(membership.announce(screen).is_empty() && membership.unannounced_off(Slot::Screen).is_none());
        assert!(matches!(membership.announce(MediaState::default())[..], [Event::Sharing(false)]));
    }

    #[test]
    fn a_new_limit_of_our_pictures_is_announced_once() {
        let mut membership = Membership::new(false);
        let second = |camera_limit| Second { camera_limit, ..Second::default() };
        assert!(!membership.set_limits(&second(None)), "nothing is limited at first");
        for (limit, announced) in
            [(Limitation::OwnUplink, SendLimit::Uplink), (Limitation::OwnComputer, SendLimit::Computer)]
        {
            assert!(membership.set_limits(&second(Some(limit))));
            assert!(!membership.set_limits(&second(Some(limit))));
            assert_eq!(membership.limits(), (Some(announced), None));
        }
        assert!(membership.set_limits(&second(None)));
    }

    #[test]
    fn we_come_first_among_the_people() {
        let member = |id: u64, me: bool| Member {
            id: ParticipantId(id),
            leaf: Leaf(0),
            name: String::new(),
            device: DeviceKey([0; 32]),
            certificate: None,
            role: proto::Role::Participant,
            rights: proto::Rights::NONE,
            me,
            state: MediaState::default(),
            connected: true,
        };
        let people = Membership::new(false).set_members(vec![member(7, false), member(8, true), member(9, false)]);
        assert_eq!(people.iter().map(|person| person.id.0).collect::<Vec<_>>(), [8, 7, 9]);
    }

    #[test]
    fn what_a_member_may_not_send_is_shown_as_off_whatever_it_announces() {
        let state = MediaState { microphone: Microphone::On, camera: true, screen: true, ..MediaState::default() };
        let member = |rights| Member {
            id: ParticipantId(7),
            leaf: Leaf(0),
            name: "Guest".into(),
            device: DeviceKey([0; 32]),
            certificate: None,
            role: proto::Role::Guest,
            rights,
            me: false,
            state,
            connected: true,
        };
        for (rights, shown) in [
            (Rights::ALL, (Microphone::On, true, true)),
            (Rights::CAMERA, (Microphone::Muted, true, false)),
            (Rights::MICROPHONE | Rights::APPLICATION, (Microphone::On, false, true)),
            (Rights::NONE, (Microphone::Muted, false, false)),
        ] {
            let person = person(&member(rights));
            assert_eq!((person.microphone, person.camera, person.screen), shown, "{rights:?}");
        }
        let mut membership = Membership::new(false);
        assert!(membership.own_rights().allow(Slot::Microphone), "the microphone may be tried before we enter");
        membership.set_members(vec![Member { me: true, ..member(Rights::CAMERA) }]);
        assert_eq!(membership.own_rights(), Rights::CAMERA);
    }

    #[test]
    fn the_loudest_of_those_who_speak_comes_first() {
        let mut membership = Membership::new(false);
        let remotes = vec![(7, Level::new(30), true), (8, Level::new(10), true), (9, Level::new(5), false)];
        let levels = Levels { microphone: Level::new(20), speaking: false, remotes };
        assert_eq!(membership.set_speaking(&levels, true), Some(vec![ParticipantId(8), ParticipantId(7)]));
        assert_eq!(membership.set_speaking(&levels, true), None, "no change");
    }

    #[test]
    fn we_speak_only_as_an_unmuted_member() {
        let mut membership = Membership::new(true);
        let levels = Levels { microphone: Level::new(20), speaking: true, remotes: vec![(7, Level::new(30), true)] };
        assert_eq!(membership.set_speaking(&levels, true), Some(vec![ParticipantId(7)]));
        membership.enter(ParticipantId(1), SecretLink::default());
        assert_eq!(membership.set_speaking(&levels, false), None);
        assert_eq!(membership.set_speaking(&levels, true), Some(vec![ParticipantId(7), ParticipantId(1)]));
    }
}
