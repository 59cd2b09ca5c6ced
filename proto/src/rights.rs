//! Roles, rights and flags of a meeting. They are part of the group's policy, which the server never sees
//! (docs/security.md, "Roles and rights").

use crate::Slot;
use std::ops::{BitAnd, BitOr, BitOrAssign};

/// What a person is in a meeting. A smaller value is a higher role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Has every right. A meeting has exactly one.
    Organiser,
    /// Manages the meeting with the organiser: admits and removes people, and sets roles and rights below its own.
    CoOrganiser,
    /// Presents.
    Presenter,
    /// Takes part.
    Participant,
    /// Takes part with few rights.
    Guest,
}

impl Role {
    /// All roles, the highest first.
    pub const ALL: [Self; 5] = [Self::Organiser, Self::CoOrganiser, Self::Presenter, Self::Participant, Self::Guest];

    /// Returns the role with this number in an encoded policy, or `None` if there is none.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Organiser),
            1 => Some(Self::CoOrganiser),
            2 => Some(Self::Presenter),
            3 => Some(Self::Participant),
            4 => Some(Self::Guest),
            _ => None,
        }
    }

    /// Returns the number of this role in an encoded policy.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Organiser => 0,
            Self::CoOrganiser => 1,
            Self::Presenter => 2,
            Self::Participant => 3,
            Self::Guest => 4,
        }
    }

    /// Returns true if this role is higher than `other`.
    #[must_use]
    pub const fn is_above(self, other: Self) -> bool {
        self.number() < other.number()
    }

    /// Returns true for the roles that hold the meeting's authority: only they may have [`Rights::MANAGEMENT`].
    #[must_use]
    pub const fn is_manager(self) -> bool {
        matches!(self, Self::Organiser | Self::CoOrganiser)
    }

    /// Returns all rights that somebody in this role may have.
    #[must_use]
    pub const fn possible_rights(self) -> Rights {
        if self.is_manager() { Rights::ALL } else { Rights::ALL.without(Rights::MANAGEMENT) }
    }

    /// Returns the rights that this role has in a new meeting.
    #[must_use]
    pub const fn default_rights(self) -> Rights {
        match self {
            Self::Organiser | Self::CoOrganiser => Rights::ALL,
            Self::Presenter => Rights::ALL.without(Rights::MANAGEMENT),
            Self::Participant => {
                Rights(Self::Presenter.default_rights().0 & !(Rights::TAKE_CONTROL.0 | Rights::RECORD.0))
            }
            Self::Guest => Rights(Rights::MICROPHONE.0 | Rights::CAMERA.0 | Rights::CHAT.0 | Rights::REACT.0),
        }
    }
}

/// A set of rights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rights(u32);

impl Rights {
    /// No right.
    pub const NONE: Self = Self(0);
    /// Send sound.
    pub const MICROPHONE: Self = Self(1);
    /// Send pictures of a camera.
    pub const CAMERA: Self = Self(1 << 1);
    /// Share a screen.
    pub const SCREEN: Self = Self(1 << 2);
    /// Share one application, or play a media file.
    pub const APPLICATION: Self = Self(1 << 3);
    /// Write in the chat.
    pub const CHAT: Self = Self(1 << 4);
    /// Send files.
    pub const FILE: Self = Self(1 << 5);
    /// React, and raise a hand.
    pub const REACT: Self = Self(1 << 6);
    /// Draw on what another person shares.
    pub const ANNOTATE: Self = Self(1 << 7);
    /// Let another person control the own computer.
    pub const GIVE_CONTROL: Self = Self(1 << 8);
    /// Control another person's computer, if that person lets it.
    pub const TAKE_CONTROL: Self = Self(1 << 9);
    /// Record the meeting.
    pub const RECORD: Self = Self(1 << 10);
    /// See and pass on the link.
    pub const INVITE: Self = Self(1 << 11);
    /// Admit and refuse people.
    pub const ADMIT: Self = Self(1 << 12);
    /// Remove people of lower roles.
    pub const REMOVE: Self = Self(1 << 13);
    /// Set the roles of people below to roles below.
    pub const SET_ROLE: Self = Self(1 << 14);
    /// Grant own rights to people below, and withdraw them.
    pub const DELEGATE: Self = Self(1 << 15);
    /// All rights.
    pub const ALL: Self = Self(0xffff);
    /// The rights that only an organiser and co-organisers can have, because they need the meeting's authority.
    pub const MANAGEMENT: Self = Self(Self::ADMIT.0 | Self::REMOVE.0 | Self::SET_ROLE.0 | Self::DELEGATE.0);

    /// The rights to share: a screen, or an application. Receivers cannot tell one from the other.
    pub const SHARE: Self = Self(Self::SCREEN.0 | Self::APPLICATION.0);
    /// The rights to send sound and pictures.
    pub const MEDIA: Self = Self(Self::MICROPHONE.0 | Self::CAMERA.0 | Self::SHARE.0);

    /// Each right by itself, in the order of the bits.
    pub const EACH: [Self; 16] = [
        Self::MICROPHONE,
        Self::CAMERA,
        Self::SCREEN,
        Self::APPLICATION,
        Self::CHAT,
        Self::FILE,
        Self::REACT,
        Self::ANNOTATE,
        Self::GIVE_CONTROL,
        Self::TAKE_CONTROL,
        Self::RECORD,
        Self::INVITE,
        Self::ADMIT,
        Self::REMOVE,
        Self::SET_ROLE,
        Self::DELEGATE,
    ];

    /// Returns the rights of an encoded policy, or `None` if a bit means no right.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Option<Self> {
        if bits & !Self::ALL.0 == 0 { Some(Self(bits)) } else { None }
    }

    /// Returns the bits of an encoded policy.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Returns true if this set has all of `others`.
    #[must_use]
    pub const fn contains(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Returns true if somebody with these rights may send in `slot`. One of the rights to share is enough for a screen.
    #[must_use]
    pub const fn allow(self, slot: Slot) -> bool {
        let needed = match slot {
            Slot::Microphone => Self::MICROPHONE,
            Slot::Camera => Self::CAMERA,
            Slot::Screen => Self::SHARE,
        };
        self.0 & needed.0 != 0
    }

    /// Returns true if there is no right in this set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the rights of this set that are not in `others`.
    #[must_use]
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }
}

impl BitOr for Rights {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Rights {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl BitAnd for Rights {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// What holds for the whole meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MeetingFlags(u16);

impl MeetingFlags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// Nobody enters without the decision of a person.
    pub const WAITING_ROOM: Self = Self(1);
    /// Nobody enters.
    pub const LOCKED: Self = Self(1 << 1);
    /// People enter who show no certificate and were not in this meeting before.
    pub const GUESTS: Self = Self(1 << 2);
    /// Who has the right may record.
    pub const RECORDING: Self = Self(1 << 3);
    /// Who has the right may send files.
    pub const FILES: Self = Self(1 << 4);
    /// Those who come late read the chat from before.
    pub const CHAT_HISTORY: Self = Self(1 << 5);
    /// All flags.
    pub const ALL: Self = Self(0x3f);

    /// Returns the flags of an encoded policy, or `None` if a bit means no flag.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Option<Self> {
        if bits & !Self::ALL.0 == 0 { Some(Self(bits)) } else { None }
    }

    /// Returns the bits of an encoded policy.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Returns true if this set has all of `others`.
    #[must_use]
    pub const fn contains(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// Returns this set with `flags` set or cleared.
    #[must_use]
    pub const fn with(self, flags: Self, set: bool) -> Self {
        if set { Self(self.0 | flags.0) } else { Self(self.0 & !flags.0) }
    }

    /// Returns the flags that differ.
    #[must_use]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }

    /// Returns the rights that a manager needs to change these flags.
    #[must_use]
    pub fn rights_to_change(self) -> Rights {
        let needs = [
            (Self::WAITING_ROOM, Rights::ADMIT),
            (Self::LOCKED, Rights::ADMIT),
            (Self::GUESTS, Rights::ADMIT),
            (Self::RECORDING, Rights::RECORD),
            (Self::FILES, Rights::FILE),
            (Self::CHAT_HISTORY, Rights::CHAT),
        ];
        needs.iter().filter(|(flag, _)| self.contains(*flag)).fold(Rights::NONE, |all, (_, right)| all | *right)
    }
}

impl Default for MeetingFlags {
    /// Returns the flags of a new meeting.
    fn default() -> Self {
        Self(Self::GUESTS.0 | Self::RECORDING.0 | Self::FILES.0)
    }
}

impl BitOr for MeetingFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_right_is_one_bit_and_all_are_known() {
        for (bit, right) in Rights::EACH.into_iter().enumerate() {
            assert_eq!(right.bits(), 1 << bit);
        }
        let all = Rights::EACH.into_iter().fold(Rights::NONE, |all, right| all | right);
        assert_eq!(all, Rights::ALL);
        assert_eq!((Rights::from_bits(0xffff), Rights::from_bits(0x1_0000)), (Some(Rights::ALL), None));
        assert_eq!((MeetingFlags::from_bits(0x3f), MeetingFlags::from_bits(0x40)), (Some(MeetingFlags::ALL), None));
    }

    #[test]
    fn each_slot_needs_its_right() {
        for (right, allowed) in [
            (Rights::MICROPHONE, [true, false, false]),
            (Rights::CAMERA, [false, true, false]),
            (Rights::SCREEN, [false, false, true]),
            (Rights::APPLICATION, [false, false, true]),
            (Rights::ALL.without(Rights::MEDIA), [false; 3]),
        ] {
            assert_eq!([Slot::Microphone, Slot::Camera, Slot::Screen].map(|slot| right.allow(slot)), allowed);
        }
    }

    #[test]
    fn roles_are_numbered_from_the_highest() {
        for (number, role) in (0..).zip(Role::ALL) {
            assert_eq!((role.number(), Role::from_number(number)), (number, Some(role)));
        }
        assert_eq!(Role::from_number(5), None);
        assert!(Role::Organiser.is_above(Role::CoOrganiser) && !Role::CoOrganiser.is_above(Role::CoOrganiser));
        assert!(Role::ALL.is_sorted());
    }

    /// The table in docs/security.md.
    #[test]
    fn the_default_rights_are_those_of_the_documentation() {
        assert_eq!(Role::ALL.map(|role| role.default_rights().bits()), [0xffff, 0xffff, 0x0fff, 0x09ff, 0x0053]);
        for pair in Role::ALL.windows(2) {
            assert!(pair[0].default_rights().contains(pair[1].default_rights()), "no lower role has more");
        }
        for role in Role::ALL {
            assert!(role.possible_rights().contains(role.default_rights()));
            assert_eq!(role.possible_rights().contains(Rights::ADMIT), role.is_manager());
        }
    }

    #[test]
    fn each_flag_needs_the_right_that_it_is_about() {
        let locked = MeetingFlags::LOCKED | MeetingFlags::FILES;
        assert_eq!(locked.rights_to_change(), Rights::ADMIT | Rights::FILE);
        assert_eq!(MeetingFlags::NONE.rights_to_change(), Rights::NONE);
        assert_eq!(MeetingFlags::ALL.with(MeetingFlags::LOCKED, false).bits(), 0x3d);
        assert_eq!(MeetingFlags::ALL.difference(MeetingFlags::LOCKED).bits(), 0x3d);
    }
}
