//! The rights of one person as a manager sees and changes them, and what the person is told.

use engine::{Person, Rights, RightsChange, Role};

use crate::locale::Language;

/// One switch: a right that has an effect in this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Switch {
    /// The right. Sharing is two rights that receivers cannot tell apart.
    pub right: Rights,
    /// The text id.
    pub text: &'static str,
    /// The person has it.
    pub on: bool,
    /// Whether the role gives it.
    pub by_role: bool,
    /// Why the switch cannot be used; `None` if it can.
    pub refusal: Option<Refusal>,
}

/// Why a right cannot be granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The role can never have the right.
    ManagersOnly,
    /// Nobody grants a right without having it.
    NotOwn,
}

impl Switch {
    /// The text id of the line below the right: why the switch cannot be used, or where the right comes from.
    pub const fn explanation(&self) -> &'static str {
        match (self.refusal, self.on, self.by_role) {
            (Some(Refusal::ManagersOnly), ..) => "rights-managers-only",
            (Some(Refusal::NotOwn), ..) => "rights-not-own",
            (None, true, true) => "rights-by-role",
            (None, false, false) => "rights-not-by-role",
            (None, true, false) => "rights-granted",
            (None, false, true) => "rights-withdrawn",
        }
    }

    /// Whether the person differs from the role.
    pub const fn is_exception(&self) -> bool {
        self.on != self.by_role
    }
}

/// The switches of a person. `by_role` are the rights of the person's role in this meeting.
pub fn switches(me: &Person, person: &Person, by_role: Rights) -> impl Iterator<Item = Switch> {
    let (own, theirs, possible) = (me.rights, person.rights, person.role.possible_rights());
    SHOWN.into_iter().map(move |(right, text)| {
        let on = has(theirs, right);
        let refusal = if !has(possible, right) {
            Some(Refusal::ManagersOnly)
        } else if !on && !own.contains(right) {
            Some(Refusal::NotOwn)
        } else {
            None
        };
        Switch { right, text, on, by_role: has(by_role, right), refusal }
    })
}

/// Whether we may give the link to others. Before we are in the meeting, we have no rights.
pub fn may_invite(me: Option<&Person>) -> bool {
    me.is_none_or(|me| me.rights.contains(Rights::INVITE))
}

/// The text id of a role.
pub const fn role_text(role: Role) -> &'static str {
    match role {
        Role::Organiser => "people-organiser",
        Role::CoOrganiser => "people-co-organiser",
        Role::Presenter => "people-presenter",
        Role::Participant => "people-participant",
        Role::Guest => "people-guest",
    }
}

/// The rights that a change gives and takes, without those to send, and without those that a new role explains.
pub fn changed(change: &RightsChange) -> (Rights, Rights) {
    let ((role_before, before), (role, now)) = (change.before, change.now);
    let (default_before, default) = (role_before.default_rights(), role.default_rights());
    let gained = now.without(before).without(default.without(default_before));
    let lost = before.without(now).without(default_before.without(default));
    (named(gained), named(lost))
}

/// The names of rights in the middle of a sentence.
pub fn names(rights: Rights, language: Language) -> String {
    let names = SHOWN.into_iter().filter(|(right, _)| has(rights, *right));
    names.map(|(_, id)| language.text(&format!("{id}.verb"))).collect::<Vec<_>>().join(", ")
}

/// Whether a person with `rights` has `right`, of which one part is enough.
pub fn has(rights: Rights, right: Rights) -> bool {
    !(rights & right).is_empty()
}

/// The rights among these that have a name in a notice. The others are told by slot, or have no effect.
fn named(rights: Rights) -> Rights {
    let all = SHOWN.into_iter().fold(Rights::NONE, |all, (right, _)| all | right);
    rights & all.without(Rights::MEDIA)
}

/// The rights that have an effect, in the order of the switches.
const SHOWN: [(Rights, &str); 11] = [
    (Rights::MICROPHONE, "right-microphone"),
    (Rights::CAMERA, "right-camera"),
    (Rights::SHARE, "right-share"),
    (Rights::CHAT, "right-chat"),
    (Rights::REACT, "right-react"),
    (Rights::RECORD, "right-record"),
    (Rights::INVITE, "right-invite"),
    (Rights::ADMIT, "right-admit"),
    (Rights::REMOVE, "right-remove"),
    (Rights::SET_ROLE, "right-set-role"),
    (Rights::DELEGATE, "right-delegate"),
];

/// The rights that have no effect yet. They have no switch: one that changes nothing would lie.
#[cfg(test)]
const WITHOUT_EFFECT: [Rights; 4] = [Rights::FILE, Rights::ANNOTATE, Rights::GIVE_CONTROL, Rights::TAKE_CONTROL];

#[cfg(test)]
mod tests {
    use super::*;
    use engine::{Microphone, ParticipantId};

    fn person(role: Role, rights: Rights) -> Person {
        Person {
            id: ParticipantId(1),
            name: "Anne".into(),
            me: false,
            role,
            rights,
            device: String::new(),
            certificate: None,
            microphone: Microphone::On,
            camera: true,
            screen: false,
            connected: true,
        }
    }

    #[test]
    fn each_right_has_a_switch_or_no_effect_yet() {
        let shown = SHOWN.into_iter().fold(Rights::NONE, |all, (right, _)| all | right);
        let without = WITHOUT_EFFECT.into_iter().fold(Rights::NONE, |all, right| all | right);
        assert_eq!((shown | without, shown & without), (Rights::ALL, Rights::NONE));
    }

    #[test]
    fn a_switch_says_what_the_role_gives_what_is_an_exception_and_what_cannot_be_granted() {
        let guest = Role::Guest.default_rights();
        let theirs = guest.without(Rights::CHAT) | Rights::INVITE;
        let organiser = person(Role::Organiser, Rights::ALL);
        let found = |me: &Person, right| {
            let guest = person(Role::Guest, theirs);
            let found = switches(me, &guest, Role::Guest.default_rights()).find(|switch| switch.right == right);
            found.map(|switch| (switch.on, switch.is_exception(), switch.explanation())).unwrap()
        };
        for (right, expected) in [
            (Rights::MICROPHONE, (true, false, "rights-by-role")),
            (Rights::CHAT, (false, true, "rights-withdrawn")),
            (Rights::INVITE, (true, true, "rights-granted")),
            (Rights::RECORD, (false, false, "rights-not-by-role")),
            (Rights::ADMIT, (false, false, "rights-managers-only")),
        ] {
            assert_eq!(found(&organiser, right), expected, "{right:?}");
        }
        // Who has lost a right can take it from others, and cannot give it.
        let without = person(Role::CoOrganiser, Rights::ALL.without(Rights::RECORD | Rights::INVITE));
        assert_eq!(found(&without, Rights::RECORD).2, "rights-not-own");
        assert_eq!(found(&without, Rights::INVITE).2, "rights-granted");
        // A co-organiser can have all of them.
        let other = person(Role::CoOrganiser, Rights::ALL.without(Rights::DELEGATE));
        let mut all = switches(&organiser, &other, Rights::ALL);
        assert!(all.all(|switch| switch.refusal.is_none()));
        // One of the two rights to share is enough.
        let shares = person(Role::Guest, Rights::APPLICATION);
        assert!(switches(&organiser, &shares, guest).any(|switch| switch.right == Rights::SHARE && switch.on));
    }

    #[test]
    fn a_new_role_explains_its_own_rights_and_nothing_else() {
        let change = |before, now| changed(&RightsChange { by: None, before, now });
        let (participant, guest) = (Role::Participant.default_rights(), Role::Guest.default_rights());
        let as_participant = (Role::Participant, participant);
        assert_eq!(change(as_participant, (Role::Guest, guest)), (Rights::NONE, Rights::NONE));
        let with = |rights: Rights| (Role::Guest, rights);
        assert_eq!(change(as_participant, with(guest | Rights::RECORD)), (Rights::RECORD, Rights::NONE));
        assert_eq!(change(as_participant, with(guest.without(Rights::CHAT))), (Rights::NONE, Rights::CHAT));
        let muted = (Role::Participant, participant.without(Rights::MEDIA | Rights::FILE | Rights::REACT));
        assert_eq!(change(as_participant, muted), (Rights::NONE, Rights::REACT));
        assert_eq!(names(Rights::REACT | Rights::CHAT, Language::English), "write in the chat, react and raise a hand");
    }
}
