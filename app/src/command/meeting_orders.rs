//! Commands on standard input that change the meeting or our own devices.

use super::fields::Fields;
use super::people::member;
use engine::verification::Command as Verify;
use engine::{Command, FloorOrder, FloorTarget, MeetingFlags, Person, Rights, Role, Screen};

/// A command. People are named by the names that they chose, or by their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MeetingOrder {
    /// Mutes our microphone, or unmutes it.
    Mute(bool),
    /// Opens or closes our camera.
    Camera(bool),
    /// Begins or ends sharing our screen.
    Share(bool),
    /// Raises our hand, or lowers it.
    Hand(bool),
    /// Lowers the hand of a participant.
    LowerHand(String),
    /// Lowers all hands, if true.
    LowerHands(bool),
    /// Sets or clears a flag of the meeting.
    Flag(MeetingFlags, bool),
    /// Sets the role of those who have no other one.
    DefaultRole(Role),
    /// Changes the link, if true.
    NewLink(bool),
    /// Removes a participant.
    Remove(String),
    /// Sends a participant back to the waiting room.
    SendBack(String),
    /// Makes a participant the organiser.
    HandOver(String),
    /// Stops everything, if true: all others go back to the waiting room.
    Stop(bool),
    /// Ends the meeting for everybody, if true.
    End(bool),
    /// Compares pictures with all who are connected, if true.
    ComparePictures(bool),
    /// Asks a participant to read a phrase aloud.
    AskPhrase(String),
    /// Sets the role of a participant.
    Role(String, Role),
    /// Grants a right to a participant.
    Grant(String, Rights),
    /// Withdraws a right from a participant.
    Withdraw(String, Rights),
    /// Stops or allows what somebody sends. Switches nothing on.
    Floor {
        /// The participant; `None` for all who are no managers.
        of: Option<String>,
        /// What.
        what: Rights,
        /// True allows it.
        allow: bool,
    },
}

/// Returns the command `name`.
///
/// # Errors
/// Returns an error if there is none, or its fields are wrong.
pub fn parse(name: &str, fields: Fields) -> Result<MeetingOrder, String> {
    if let Some((_, flag)) = FLAGS.iter().find(|(known, _)| *known == name) {
        return Ok(MeetingOrder::Flag(*flag, fields.boolean()?));
    }
    Ok(match name {
        "mute" => MeetingOrder::Mute(fields.boolean()?),
        "camera" => MeetingOrder::Camera(fields.boolean()?),
        "share" => MeetingOrder::Share(fields.boolean()?),
        "hand" => MeetingOrder::Hand(fields.boolean()?),
        "lower-hand" => MeetingOrder::LowerHand(fields.text()?),
        "lower-hands" => MeetingOrder::LowerHands(fields.boolean()?),
        "new-link" => MeetingOrder::NewLink(fields.boolean()?),
        "remove" => MeetingOrder::Remove(fields.text()?),
        "send-back" => MeetingOrder::SendBack(fields.text()?),
        "hand-over" => MeetingOrder::HandOver(fields.text()?),
        "stop" => MeetingOrder::Stop(fields.boolean()?),
        "end" => MeetingOrder::End(fields.boolean()?),
        "compare-pictures" => MeetingOrder::ComparePictures(fields.boolean()?),
        "ask-phrase" => MeetingOrder::AskPhrase(fields.text()?),
        "role" => {
            let [of, role] = fields.of(["of", "role"])?;
            MeetingOrder::Role(of.text()?, role.one_of(SETTABLE)?)
        }
        "default-role" => MeetingOrder::DefaultRole(fields.one_of(DEFAULTS)?),
        "grant" => {
            let [to, right] = fields.of(["to", "right"])?;
            MeetingOrder::Grant(to.text()?, right.one_of(&RIGHTS)?)
        }
        "withdraw" => {
            let [from, right] = fields.of(["from", "right"])?;
            MeetingOrder::Withdraw(from.text()?, right.one_of(&RIGHTS)?)
        }
        "stop-sending" | "allow-sending" => {
            let [of, what] = fields.of(["of", "what"])?;
            let (of, what) = (of.if_any(Fields::text)?, what.one_of(&MEDIA)?);
            MeetingOrder::Floor { of, what, allow: name == "allow-sending" }
        }
        _ => return Err("there is no such command".into()),
    })
}

impl MeetingOrder {
    /// Whether the command is only about our own devices, so that it does not need a meeting.
    pub const fn is_own(&self) -> bool {
        matches!(self, Self::Mute(_) | Self::Camera(_) | Self::Share(_))
    }

    /// Returns the command of the engine.
    ///
    /// # Errors
    /// Returns why there is none: nobody, or more than one of `people`, has the name.
    pub fn command(self, people: &[Person]) -> Result<Option<Command>, &'static str> {
        Ok(Some(match self {
            Self::Mute(muted) => Command::Mute(muted),
            Self::Camera(on) => Command::Camera(on),
            Self::Share(on) => Command::Share(on.then_some(Screen::Whole)),
            Self::Hand(up) => Command::RaiseHand(up),
            Self::LowerHand(name) => Command::LowerHand(Some(member(people, &name)?)),
            Self::LowerHands(true) => Command::LowerHand(None),
            Self::Flag(flags, set) => Command::SetFlags { flags, set },
            Self::DefaultRole(role) => Command::SetDefaultRole(role),
            Self::NewLink(true) => Command::ChangeLink,
            Self::Stop(true) => Command::StopEverything,
            Self::End(true) => Command::End,
            Self::ComparePictures(true) => Command::Verify(Verify::CompareEmoji),
            Self::AskPhrase(name) => Command::Verify(Verify::AskForPhrase(member(people, &name)?)),
            Self::LowerHands(false)
            | Self::NewLink(false)
            | Self::Stop(false)
            | Self::End(false)
            | Self::ComparePictures(false) => return Ok(None),
            Self::Remove(name) => Command::Remove(member(people, &name)?),
            Self::SendBack(name) => Command::SendBack(member(people, &name)?),
            Self::HandOver(name) => Command::HandOver(member(people, &name)?),
            Self::Role(of, role) => Command::SetRole(member(people, &of)?, role),
            Self::Grant(to, right) => Command::GrantRights(member(people, &to)?, right),
            Self::Withdraw(from, right) => Command::WithdrawRights(member(people, &from)?, right),
            Self::Floor { of, what, allow } => {
                let person = of.map(|name| member(people, &name)).transpose()?;
                let target = person.map_or(FloorTarget::Everyone, FloorTarget::Person);
                Command::Floor(FloorOrder { target, rights: what, allow })
            }
        }))
    }
}

/// Returns the name of a role.
pub fn role_name(role: Role) -> &'static str {
    ROLES.iter().find(|(_, one)| *one == role).map_or("guest", |(name, _)| name)
}

/// Returns the names of rights.
pub fn right_names(rights: Rights) -> Vec<&'static str> {
    RIGHTS.iter().filter(|(_, right)| rights.contains(*right)).map(|(name, _)| *name).collect()
}

/// The flags of the meeting, and the names of the commands that set them.
const FLAGS: [(&str, MeetingFlags); 5] = [
    ("waiting-room", MeetingFlags::WAITING_ROOM),
    ("lock", MeetingFlags::LOCKED),
    ("guests", MeetingFlags::GUESTS),
    ("recording", MeetingFlags::RECORDING),
    ("chat-history", MeetingFlags::CHAT_HISTORY),
];

/// What somebody may be stopped from sending.
const MEDIA: [(&str, Rights); 4] =
    [("microphone", Rights::MICROPHONE), ("camera", Rights::CAMERA), ("screen", Rights::SHARE), ("all", Rights::MEDIA)];

/// The names of the roles.
pub const ROLES: [(&str, Role); 5] = [
    ("organiser", Role::Organiser),
    ("co-organiser", Role::CoOrganiser),
    ("presenter", Role::Presenter),
    ("participant", Role::Participant),
    ("guest", Role::Guest),
];

/// The roles that `role` sets. `hand-over` makes somebody the organiser.
const SETTABLE: &[(&str, Role)] = ROLES.split_at(1).1;

/// The roles of people who have no other one.
const DEFAULTS: &[(&str, Role)] = ROLES.split_at(2).1;

/// The names of the rights.
pub const RIGHTS: [(&str, Rights); 16] = [
    ("microphone", Rights::MICROPHONE),
    ("camera", Rights::CAMERA),
    ("screen", Rights::SCREEN),
    ("application", Rights::APPLICATION),
    ("chat", Rights::CHAT),
    ("file", Rights::FILE),
    ("react", Rights::REACT),
    ("annotate", Rights::ANNOTATE),
    ("give-control", Rights::GIVE_CONTROL),
    ("take-control", Rights::TAKE_CONTROL),
    ("record", Rights::RECORD),
    ("invite", Rights::INVITE),
    ("admit", Rights::ADMIT),
    ("remove", Rights::REMOVE),
    ("set-role", Rights::SET_ROLE),
    ("delegate", Rights::DELEGATE),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::orders::{self, Order};
    use engine::{Microphone, ParticipantId};

    fn person(id: u64, name: &str) -> Person {
        Person {
            id: ParticipantId(id),
            name: name.into(),
            me: id == 1,
            role: Role::Participant,
            rights: Rights::NONE,
            device: String::new(),
            certificate: None,
            microphone: Microphone::On,
            camera: false,
            screen: false,
            connected: true,
        }
    }

    fn command(line: &str) -> Result<String, String> {
        let people = [person(1, "Ada"), person(2, "Bob"), person(3, "Eve"), person(4, "Eve")];
        let (_, order) = orders::parse(line.as_bytes()).expect("it is not empty")?;
        let Order::Meeting(order) = order else { panic!("{line}") };
        Ok(format!("{:?}", order.command(&people)?))
    }

    #[test]
    fn each_order_is_a_command_of_the_engine() {
        let bob = format!("{:?}", ParticipantId(2));
        for (line, expected) in [
            (r#"{"mute":true}"#, "Mute(true)".to_owned()),
            (r#"{"share":true}"#, "Share(Some(Whole))".into()),
            (r#"{"new-link":true}"#, "ChangeLink".into()),
            (r#"{"hand":true}"#, "RaiseHand(true)".into()),
            (r#"{"stop":true}"#, "StopEverything".into()),
            (r#"{"end":true}"#, "End".into()),
            (r#"{"compare-pictures":true}"#, "Verify(CompareEmoji)".into()),
            (r#"{"ask-phrase":"Bob"}"#, format!("Verify(AskForPhrase({bob}))")),
            (r#"{"lower-hand":"Bob"}"#, format!("LowerHand(Some({bob}))")),
            (r#"{"lower-hands":true}"#, "LowerHand(None)".into()),
            (
                r#"{"stop-sending":{"of":"Bob","what":"microphone"}}"#,
                format!("Floor(FloorOrder {{ target: Person({bob}), rights: Rights(1), allow: false }})"),
            ),
            (
                r#"{"allow-sending":{"what":"camera"}}"#,
                "Floor(FloorOrder { target: Everyone, rights: Rights(2), allow: true })".into(),
            ),
            (r#"{"chat-history":true}"#, "SetFlags { flags: MeetingFlags(32), set: true }".into()),
            (r#"{"guests":false}"#, "SetFlags { flags: MeetingFlags(4), set: false }".into()),
            (r#"{"recording":false}"#, "SetFlags { flags: MeetingFlags(8), set: false }".into()),
            (r#"{"default-role":"guest"}"#, "SetDefaultRole(Guest)".into()),
            (r#"{"remove":"Bob"}"#, format!("Remove({bob})")),
            (r#"{"remove":"0000000000000002"}"#, format!("Remove({bob})")),
            (r#"{"send-back":"Bob"}"#, format!("SendBack({bob})")),
            (r#"{"hand-over":"Bob"}"#, format!("HandOver({bob})")),
            (r#"{"role":{"of":"Bob","role":"co-organiser"}}"#, format!("SetRole({bob}, CoOrganiser)")),
        ] {
            assert_eq!(command(line), Ok(format!("Some({expected})")));
        }
        assert_eq!(command(r#"{"new-link":false}"#), Ok("None".into()));
        assert!(command(r#"{"grant":{"to":"Bob","right":"screen"}}"#).is_ok_and(|found| found.contains("GrantRights")));
    }

    #[test]
    fn a_name_that_nobody_or_two_have_and_unknown_roles_and_rights_are_refused() {
        for line in [
            r#"{"remove":"Nobody"}"#,
            r#"{"remove":"Eve"}"#,
            r#"{"remove":"Ada"}"#,
            r#"{"role":{"of":"Bob","role":"king"}}"#,
            r#"{"grant":{"to":"Bob","right":"fly"}}"#,
            r#"{"default-role":"king"}"#,
            r#"{"stop-sending":{"of":"Nobody","what":"camera"}}"#,
            r#"{"stop-sending":{"of":"Bob","what":"chat"}}"#,
            r#"{"dance":true}"#,
        ] {
            assert!(command(line).is_err(), "{line}");
        }
    }

    #[test]
    fn every_role_and_right_has_a_name() {
        assert_eq!(right_names(Rights::ALL).len(), 16);
        for (name, role) in ROLES {
            assert_eq!(role_name(role), name);
        }
    }
}
