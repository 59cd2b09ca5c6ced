//! What the managers do in the room: who may do what to whom, raised hands, and what is said to those concerned.

use engine::{Manager, ParticipantId, Person, PolicyState, Rights, RightsChange, Role, Slot};

use super::notice::{Notice, NoticeKind};
use super::rights;
use crate::announce::Announcement;
use crate::locale::Language;

/// What a manager can do to one participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonAction {
    /// Mute the microphone, stop the camera or the share.
    Stop(Slot),
    /// Let the participant switch it on again.
    Allow(Slot),
    /// Lower the hand.
    LowerHand,
    /// Show all rights.
    Rights,
    /// Give this role.
    SetRole(Role),
    /// Hand the meeting over.
    HandOver,
    /// Send the participant back to the waiting room.
    SendBack,
}

impl PersonAction {
    /// The text id.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Stop(Slot::Microphone) => "person-mute",
            Self::Stop(Slot::Camera) => "person-stop-camera",
            Self::Stop(Slot::Screen) => "person-stop-share",
            Self::Allow(Slot::Microphone) => "person-allow-microphone",
            Self::Allow(Slot::Camera) => "person-allow-camera",
            Self::Allow(Slot::Screen) => "person-allow-share",
            Self::LowerHand => "person-lower-hand",
            Self::Rights => "person-rights",
            Self::SetRole(Role::Organiser) | Self::HandOver => "person-hand-over",
            Self::SendBack => "person-send-back",
            Self::SetRole(Role::CoOrganiser) => "person-make-co-organiser",
            Self::SetRole(Role::Presenter) => "person-make-presenter",
            Self::SetRole(Role::Participant) => "person-make-participant",
            Self::SetRole(Role::Guest) => "person-make-guest",
        }
    }
}

/// The rights that let somebody send in a slot.
pub const fn rights_of(slot: Slot) -> Rights {
    match slot {
        Slot::Microphone => Rights::MICROPHONE,
        Slot::Camera => Rights::CAMERA,
        Slot::Screen => Rights::SHARE,
    }
}

/// What `me` may do to `person`, in the order of the menu. Empty for ourselves and for people who are not below us.
pub fn actions(me: &Person, person: &Person, hand_is_up: bool) -> Vec<PersonAction> {
    let mut actions = Vec::new();
    if person.me || !me.role.is_manager() || person.role.is_above(me.role) {
        return actions;
    }
    let is_below = me.role.is_above(person.role);
    if may_change_rights(me, person) {
        for slot in [Slot::Microphone, Slot::Camera, Slot::Screen] {
            if person.rights.allow(slot) {
                actions.push(PersonAction::Stop(slot));
            } else if me.rights.contains(rights_of(slot)) {
                actions.push(PersonAction::Allow(slot));
            }
        }
    }
    if hand_is_up {
        actions.push(PersonAction::LowerHand);
    }
    if may_change_rights(me, person) {
        actions.push(PersonAction::Rights);
    }
    if is_below && me.rights.contains(Rights::SET_ROLE) {
        let roles = [Role::CoOrganiser, Role::Presenter, Role::Participant, Role::Guest];
        let possible = roles.into_iter().filter(|role| *role != person.role && me.role.is_above(*role));
        actions.extend(possible.map(PersonAction::SetRole));
    }
    if is_below && me.role == Role::Organiser {
        actions.push(PersonAction::HandOver);
    }
    if is_below && me.rights.contains(Rights::ADMIT | Rights::REMOVE) {
        actions.push(PersonAction::SendBack);
    }
    actions
}

/// Whether `me` may grant rights to `person`, and withdraw them.
pub fn may_change_rights(me: &Person, person: &Person) -> bool {
    !person.me && me.role.is_manager() && me.role.is_above(person.role) && me.rights.contains(Rights::DELEGATE)
}

/// Whether `me` may set the role of those who come later.
pub fn may_set_default_role(me: &Person) -> bool {
    me.role.is_manager() && me.rights.contains(Rights::SET_ROLE)
}

/// Whether `me` may mute everybody who is no manager, and give the right back.
pub fn may_mute_all(me: &Person) -> bool {
    me.role.is_manager() && me.rights.contains(Rights::DELEGATE | Rights::SET_ROLE)
}

/// Raised hands, the order of succession, and the roles.
#[derive(Clone, Debug, Default)]
pub struct Moderation {
    /// The people whose hands are up, in order.
    pub hands: Vec<ParticipantId>,
    /// The people with a role or rights of their own, in the order of succession.
    pub succession: Vec<ParticipantId>,
    /// The role of those who have no role or right of their own; `None` until we are in the meeting.
    pub everyone: Option<Role>,
    /// The rights of each role, in the order of [`Role::ALL`]; `None` until we are in the meeting.
    pub role_rights: Option<[Rights; 5]>,
    /// Our hand as we last wished it; `None` once it is so.
    pub wished: Option<bool>,
}

impl Moderation {
    /// Takes over a new policy of the meeting.
    pub fn set_policy(&mut self, policy: &PolicyState) {
        self.succession.clone_from(&policy.succession);
        (self.everyone, self.role_rights) = (Some(policy.everyone), Some(policy.rights));
    }

    /// The rights of a role in this meeting.
    pub fn rights_of(&self, role: Role) -> Rights {
        self.role_rights.map_or(role.default_rights(), |rights| rights[usize::from(role.number())])
    }

    /// The place of a hand in the queue, from 1; `None` if it is down.
    pub fn place(&self, id: ParticipantId) -> Option<usize> {
        self.hands.iter().position(|other| *other == id).map(|place| place + 1)
    }

    /// Whether our hand is up, as the button shows it.
    pub fn is_own_up(&self, me: Option<ParticipantId>) -> bool {
        self.wished.unwrap_or_else(|| me.is_some_and(|me| self.place(me).is_some()))
    }

    /// Replaces the queue. Returns who else raised a hand.
    pub fn set_hands(&mut self, hands: &[ParticipantId], people: &[Person]) -> Vec<Announcement> {
        let before = std::mem::replace(&mut self.hands, hands.to_vec());
        let me = people.iter().find(|person| person.me).map(|person| person.id);
        let is_up = me.is_some_and(|me| hands.contains(&me));
        self.wished = self.wished.filter(|wished| *wished != is_up);
        let name = |id: &ParticipantId| people.iter().find(|person| person.id == *id && !person.me);
        let raised = hands.iter().filter(|id| !before.contains(id)).filter_map(name);
        raised.map(|person| Announcement::HandRaised(person.name.clone())).collect()
    }

    /// The place of a co-organiser in the order of succession, from 1; `None` for others.
    pub fn order_of(&self, person: &Person, people: &[Person]) -> Option<usize> {
        if person.role != Role::CoOrganiser {
            return None;
        }
        let is_co_organiser =
            |id: &&ParticipantId| people.iter().any(|other| other.id == **id && other.role == Role::CoOrganiser);
        let place = self.succession.iter().filter(is_co_organiser).position(|id| *id == person.id)?;
        Some(place + 1)
    }
}

/// The name of a manager with the role, or "an organiser" if it is not known who did something.
pub fn named(manager: Option<&Manager>, language: Language) -> String {
    let Some(Manager { name, role }) = manager else { return language.text("by-somebody") };
    let id = match role {
        Role::Organiser => "by-organiser",
        Role::CoOrganiser => "by-co-organiser",
        // Nobody in these roles changes anything for others.
        Role::Presenter | Role::Participant | Role::Guest => return name.clone(),
    };
    language.with(id, &[("name", name.as_str().into())])
}

/// What to tell the user of a change of the own role and rights.
pub fn notices(change: &RightsChange, language: Language) -> Vec<Notice> {
    let RightsChange { by, before, now } = change;
    let role = (before.0 != now.0).then_some(match (by, now.0) {
        // Nobody hands a meeting over without being named.
        (None, Role::Organiser) => NoticeKind::Succeeded,
        (_, role) => NoticeKind::RoleChanged(role),
    });
    let slots = [Slot::Microphone, Slot::Camera, Slot::Screen].into_iter();
    let changed = slots.filter(|slot| before.1.allow(*slot) != now.1.allow(*slot));
    let kinds =
        changed.map(|slot| if now.1.allow(slot) { NoticeKind::Allowed(slot) } else { NoticeKind::Stopped(slot) });
    let (gained, lost) = rights::changed(change);
    let gained = (!gained.is_empty()).then_some(NoticeKind::Granted(gained));
    let lost = (!lost.is_empty()).then_some(NoticeKind::Withdrawn(lost));
    let name = named(by.as_ref(), language);
    role.into_iter()
        .chain(kinds)
        .chain(gained)
        .chain(lost)
        .map(|kind| Notice { kind, file: Some(name.clone()), detail: String::new() })
        .collect()
}

/// What to tell the user whose hand a manager has lowered.
pub fn hand_lowered(by: Option<&Manager>, language: Language) -> Notice {
    Notice { kind: NoticeKind::HandLowered, file: Some(named(by, language)), detail: String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::Microphone;

    fn person(id: u64, role: Role) -> Person {
        Person {
            id: ParticipantId(id),
            name: format!("Person {id}"),
            me: id == 1,
            role,
            rights: role.default_rights(),
            device: String::new(),
            certificate: None,
            microphone: Microphone::On,
            camera: true,
            screen: false,
            connected: true,
        }
    }

    #[test]
    fn a_menu_has_what_the_user_may_do_and_nothing_else() {
        use PersonAction::{Allow, HandOver, LowerHand, SendBack, SetRole, Stop};
        let organiser = person(1, Role::Organiser);
        let guest = person(2, Role::Guest);
        assert_eq!(
            actions(&organiser, &guest, true),
            [
                Stop(Slot::Microphone),
                Stop(Slot::Camera),
                Allow(Slot::Screen),
                LowerHand,
                PersonAction::Rights,
                SetRole(Role::CoOrganiser),
                SetRole(Role::Presenter),
                SetRole(Role::Participant),
                HandOver,
                SendBack,
            ]
        );
        let co_organiser = person(1, Role::CoOrganiser);
        let muted = Person { rights: Rights::NONE, ..person(2, Role::Presenter) };
        assert_eq!(
            actions(&co_organiser, &muted, false),
            [
                Allow(Slot::Microphone),
                Allow(Slot::Camera),
                Allow(Slot::Screen),
                PersonAction::Rights,
                SetRole(Role::Participant),
                SetRole(Role::Guest),
                SendBack,
            ]
        );
        assert_eq!(actions(&co_organiser, &person(3, Role::CoOrganiser), true), [LowerHand]);
        assert!(actions(&co_organiser, &person(3, Role::Organiser), true).is_empty());
        assert!(actions(&person(1, Role::Presenter), &guest, true).is_empty());
        assert!(actions(&organiser, &organiser, true).is_empty());
        let without = Person { rights: Rights::ALL.without(Rights::MANAGEMENT), ..co_organiser };
        assert!(actions(&without, &guest, false).is_empty() && !may_mute_all(&without));
        assert!(may_mute_all(&organiser));
    }

    #[test]
    fn hands_are_announced_once_and_the_button_shows_the_wish_until_it_is_true() {
        let people = [person(1, Role::Participant), person(2, Role::Participant)];
        let (me, bob) = (ParticipantId(1), ParticipantId(2));
        let mut moderation = Moderation::default();
        assert_eq!(moderation.set_hands(&[bob], &people), [Announcement::HandRaised("Person 2".into())]);
        moderation.wished = Some(true);
        assert!(moderation.is_own_up(Some(me)));
        assert_eq!(moderation.set_hands(&[bob], &people), []);
        assert!(moderation.is_own_up(Some(me)), "still on its way");
        assert_eq!(moderation.set_hands(&[bob, me], &people), [], "our own is not announced");
        assert_eq!((moderation.place(bob), moderation.place(me), moderation.wished), (Some(1), Some(2), None));
        moderation.set_hands(&[], &people);
        assert!(!moderation.is_own_up(Some(me)));
    }

    #[test]
    fn the_order_of_succession_counts_co_organisers_who_are_here() {
        let people = [person(1, Role::Organiser), person(3, Role::CoOrganiser), person(4, Role::CoOrganiser)];
        let succession = [1, 4, 9, 3].map(ParticipantId).to_vec();
        let moderation = Moderation { succession, ..Moderation::default() };
        let order: Vec<_> = people.iter().map(|person| moderation.order_of(person, &people)).collect();
        assert_eq!(order, [None, Some(2), Some(1)]);
    }

    #[test]
    fn the_user_is_told_who_changed_what() {
        let by = Some(Manager { name: "Anne".into(), role: Role::Organiser });
        let all = (Role::Participant, Role::Participant.default_rights());
        let muted = (Role::Participant, all.1.without(Rights::MICROPHONE));
        let told = |change: &RightsChange, language| -> Vec<String> {
            notices(change, language).iter().map(|notice| notice.sentence(language)).collect()
        };
        let change = RightsChange { by, before: all, now: muted };
        assert_eq!(told(&change, Language::English), ["Anne (organiser) muted you"]);
        assert_eq!(told(&change, Language::French), ["Anne (organisateur) a coupé votre micro"]);
        let back = RightsChange { by: None, before: muted, now: all };
        assert_eq!(told(&back, Language::English), ["An organiser lets you speak again"]);
        let by = Some(Manager { name: "Bob".into(), role: Role::CoOrganiser });
        let promoted = RightsChange { by, before: muted, now: (Role::Presenter, all.1) };
        let expected = ["Bob (co-organiser) made you a presenter", "Bob (co-organiser) lets you speak again"];
        assert_eq!(told(&promoted, Language::English), expected);
        let given = RightsChange { by: None, before: all, now: (all.0, all.1 | Rights::RECORD) };
        assert_eq!(told(&given, Language::English), ["An organiser gave you the right to save the chat"]);
        let (chat, by) =
            (all.1.without(Rights::CHAT | Rights::REACT), Some(Manager { name: "Anne".into(), role: Role::Organiser }));
        let taken = RightsChange { by, before: all, now: (all.0, chat) };
        assert_eq!(
            told(&taken, Language::English),
            ["Anne (organiser) took away your right to write in the chat, react and raise a hand"]
        );
        let inert = RightsChange { by: None, before: all, now: (all.0, all.1.without(Rights::ANNOTATE)) };
        assert!(told(&inert, Language::English).is_empty(), "the right has no effect yet");
    }
}
