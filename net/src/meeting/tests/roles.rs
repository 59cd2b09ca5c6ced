//! Roles and rights: keys for new managers, changes that are tried again, refusals, succession.

use super::super::state::Message;
use super::*;
use proto::{MeetingFlags, Rights, Role};

pub(super) const BOB: ParticipantId = ParticipantId(2);

/// An organiser and a guest, and the log that a server would keep.
pub(super) struct Pair {
    pub(super) organiser: Client,
    pub(super) guest: Client,
    pub(super) next: u64,
}

impl Pair {
    pub(super) fn new() -> Self {
        let (organiser, guest) = Client::two();
        Self { organiser, guest, next: 1 }
    }

    /// Delivers what both send until they send nothing more. Of two commits for one epoch, the organiser's wins.
    pub(super) fn exchange(&mut self) {
        loop {
            let mut sent: Vec<(ParticipantId, Up)> = Vec::new();
            sent.extend(self.organiser.sent().into_iter().map(|message| (ADA, message)));
            sent.extend(self.guest.sent().into_iter().map(|message| (BOB, message)));
            if sent.is_empty() {
                return;
            }
            let mut committed = false;
            for (from, message) in sent {
                if let Some(commit) = as_commit(message.clone(), from) {
                    if !std::mem::replace(&mut committed, true) {
                        self.log(&commit.entry);
                    }
                } else if let Up::Tell { epoch, blob } = message {
                    self.log(&LogEntry::Told { from, epoch, blob });
                }
            }
        }
    }

    /// Delivers what the guest has sent.
    pub(super) fn exchange_of_guest(&mut self) {
        for message in self.guest.sent() {
            if let Some(commit) = as_commit(message.clone(), BOB) {
                self.log(&commit.entry);
            } else if let Up::Tell { epoch, blob } = message {
                self.log(&LogEntry::Told { from: BOB, epoch, blob });
            }
        }
    }

    pub(super) fn log(&mut self, entry: &LogEntry) {
        self.organiser.log(self.next, entry.clone());
        self.guest.log(self.next, entry.clone());
        self.next += 1;
    }

    /// Makes the guest a co-organiser, and lets it get the keys.
    pub(super) fn promote(&mut self) {
        self.organiser.command(Command::SetRole(BOB, Role::CoOrganiser));
        self.exchange();
    }
}

pub(super) fn role(client: &Client, id: ParticipantId) -> Role {
    let policy = client.meeting.policy().unwrap();
    let Phase::Member(joined) = &client.meeting.phase else { panic!("it is a member") };
    let member = joined.log.group().members().into_iter().find(|member| member.participant == id).unwrap();
    policy.role_of(member.device, id)
}

pub(super) fn refusals(client: &mut Client) -> Vec<Notice> {
    let notice = |event| if let Event::Notice(notice) = event { Some(notice) } else { None };
    client.events().into_iter().filter_map(notice).collect()
}

#[test]
fn a_new_manager_gets_the_keys_and_a_former_one_loses_them() {
    let mut pair = Pair::new();
    assert!(pair.guest.meeting.manager.is_none());
    pair.promote();
    assert_eq!(role(&pair.guest, BOB), Role::CoOrganiser);
    assert_eq!(pair.guest.keys().authority(), pair.organiser.keys().authority());
    assert_eq!(pair.guest.keys().public_key(), pair.organiser.keys().public_key());
    let events = pair.guest.events();
    assert_eq!(events.iter().filter(|event| matches!(event, Event::LinkChanged)).count(), 1);
    assert!(events.iter().any(|event| matches!(event, Event::Policy(policy) if policy.succession == [ADA, BOB])));
    // It admits, as the organiser would.
    let (_, request) = Client::knocking(&pair.organiser, 3);
    pair.guest.receive(Down::Knocked { participant: ParticipantId(3), request });
    assert!(pair.guest.sent().is_empty(), "the organiser comes first");
    pair.guest.wait(timing::ADMISSION_INTERVAL);
    let commit = pair.guest.committed();
    assert_eq!(commit.welcomes[0].to, [ParticipantId(3)]);
    pair.log(&commit.entry);
    pair.exchange();
    // A participant again: the authority changes with the same commit.
    let before = pair.organiser.keys().authority();
    pair.organiser.command(Command::SetRole(BOB, Role::Participant));
    pair.exchange();
    assert_eq!(role(&pair.organiser, BOB), Role::Participant);
    assert!(pair.guest.meeting.manager.is_none());
    assert_ne!(pair.organiser.keys().authority(), before);
    pair.guest.events();
    for command in [Command::Remove(ADA), Command::Admit(BOB), Command::SetRole(BOB, Role::Presenter)] {
        pair.guest.command(command.clone());
        assert_eq!(refusals(&mut pair.guest).len(), 1, "{command:?}");
    }
    assert!(pair.guest.sent().is_empty());
}

#[test]
fn the_next_keys_reach_the_other_managers_before_the_commit_that_needs_them() {
    let mut pair = Pair::new();
    pair.promote();
    let (mut third, request) = Client::knocking(&pair.organiser, 3);
    pair.organiser.receive(Down::Knocked { participant: ParticipantId(3), request });
    let admission = pair.organiser.committed();
    pair.log(&admission.entry);
    third.admit(&admission, pair.next);
    pair.exchange();
    pair.guest.events();
    pair.guest.command(Command::Remove(ParticipantId(3)));
    let sent = pair.guest.sent();
    let commit = sent.iter().position(|message| as_commit(message.clone(), BOB).is_some()).expect("a commit");
    let keys = sent.iter().position(|message| matches!(message, Up::Tell { .. })).expect("the next keys");
    assert!(keys < commit);
    for message in sent {
        match (as_commit(message.clone(), BOB), message) {
            (Some(commit), _) => pair.log(&commit.entry),
            (None, Up::Tell { epoch, blob }) => pair.log(&LogEntry::Told { from: BOB, epoch, blob }),
            (None, _) => {}
        }
    }
    // The co-organiser may vanish now.
    assert_eq!(pair.organiser.keys().authority(), pair.guest.keys().authority());
    assert_eq!(pair.organiser.keys().chain(), pair.guest.keys().chain());
    assert_eq!(pair.organiser.keys().chain().rotations(), 1);
}

/// Only honest clients forget keys that they have got.
#[test]
fn a_manager_that_is_none_any_more_does_not_get_the_next_keys() {
    let mut pair = Pair::new();
    pair.promote();
    pair.organiser.command(Command::SetRole(BOB, Role::Participant));
    let sent = pair.organiser.sent();
    assert!(sent.iter().any(|message| as_commit(message.clone(), ADA).is_some()));
    assert!(!sent.iter().any(|message| matches!(message, Up::Tell { .. })));
}

#[test]
fn a_change_that_lost_against_another_commit_is_made_again_on_the_new_policy() {
    let mut pair = Pair::new();
    pair.promote();
    pair.organiser.command(Command::SetFlags { flags: MeetingFlags::WAITING_ROOM, set: true });
    pair.guest.command(Command::SetFlags { flags: MeetingFlags::FILES, set: false });
    pair.exchange();
    for client in [&pair.organiser, &pair.guest] {
        let flags = client.meeting.policy().unwrap().flags();
        assert!(
            flags.contains(MeetingFlags::WAITING_ROOM) && !flags.contains(MeetingFlags::FILES),
            "both are in force"
        );
    }
    // With the waiting room, a person decides.
    let (_, request) = Client::knocking(&pair.organiser, 3);
    pair.organiser.events();
    pair.organiser.receive(Down::Knocked { participant: ParticipantId(3), request });
    assert!(pair.organiser.sent().into_iter().all(|message| as_commit(message, ADA).is_none()));
    assert!(matches!(pair.organiser.events()[..], [Event::AsksToJoin { id: ParticipantId(3), .. }]));
    pair.organiser.command(Command::Admit(ParticipantId(3)));
    assert_eq!(pair.organiser.committed().welcomes[0].to, [ParticipantId(3)]);
}

#[test]
fn a_refusal_says_what_the_user_can_do() {
    let mut pair = Pair::new();
    pair.guest.command(Command::GrantRights(BOB, Rights::RECORD));
    assert_eq!(refusals(&mut pair.guest), [Notice::PolicyRefused(PolicyRefusal::NotAllowed)]);
    for (command, why) in [
        (Command::SetRole(ParticipantId(9), Role::Guest), PolicyRefusal::NoMember),
        (Command::SetRole(BOB, Role::Organiser), PolicyRefusal::Impossible),
        (Command::GrantRights(BOB, Rights::ADMIT), PolicyRefusal::Impossible),
    ] {
        pair.organiser.command(command.clone());
        assert_eq!(refusals(&mut pair.organiser), [Notice::PolicyRefused(why)], "{command:?}");
    }
    pair.promote();
    pair.guest.events();
    for command in [Command::WithdrawRights(ADA, Rights::CHAT), Command::Remove(ADA)] {
        pair.guest.command(command.clone());
        assert_eq!(refusals(&mut pair.guest), [Notice::PolicyRefused(PolicyRefusal::NotBelow)], "{command:?}");
    }
    assert!(pair.guest.sent().is_empty() && pair.organiser.sent().is_empty());
}

#[test]
fn the_member_that_locks_the_meeting_tells_the_server() {
    let mut pair = Pair::new();
    pair.promote();
    pair.guest.command(Command::SetFlags { flags: MeetingFlags::LOCKED, set: true });
    let commit = pair.guest.committed();
    pair.log(&commit.entry);
    let locks = |client: &mut Client, from| {
        let commands = client.sent().into_iter().filter_map(|message| signed(message, from)?.decode().ok());
        commands.filter(|command| matches!(command, ManagerCommand::Lock { locked: true })).count()
    };
    assert_eq!((locks(&mut pair.guest, BOB), locks(&mut pair.organiser, ADA)), (1, 0));
    let (_, request) = Client::knocking(&pair.organiser, 3);
    pair.organiser.receive(Down::Knocked { participant: ParticipantId(3), request });
    let refused = ManagerCommand::Refuse { participant: ParticipantId(3), why: Refusal::Locked };
    assert_eq!(pair.organiser.commands(), [refused]);
}

/// A co-organiser shares the authority, so the server obeys it. The members do not believe it.
#[test]
fn a_manager_without_power_over_a_member_only_makes_it_join_again() {
    let mut pair = Pair::new();
    pair.promote();
    pair.organiser.events();
    let manager = pair.guest.meeting.manager.as_mut().unwrap();
    let command =
        |manager: &mut Manager, command: &ManagerCommand| signed(manager.command(command, Vec::new()), BOB).unwrap();
    let expel = command(manager, &ManagerCommand::Expel { participant: ADA });
    let end = command(manager, &ManagerCommand::End);
    pair.organiser.receive(Down::Removed { signed: expel });
    assert!(matches!(pair.organiser.events()[..], [Event::Reconnecting]), "it comes back, and may remove the other");
    // Nor does it end the meeting.
    let mut pair = Pair::new();
    pair.promote();
    pair.guest.events();
    pair.guest.command(Command::End);
    assert_eq!(refusals(&mut pair.guest), [Notice::NotAllowed]);
    pair.organiser.receive(Down::Ended { signed: end });
    assert!(matches!(pair.organiser.reason(), Some(Reason::Server(_))));
}

#[test]
fn the_next_in_rank_becomes_the_organiser_after_the_time_to_come_back() {
    let mut pair = Pair::new();
    pair.promote();
    pair.guest.log(pair.next, LogEntry::Gone { participant: ADA, by: None });
    let removal = pair.guest.committed();
    assert_eq!(removal.removed, [ADA]);
    pair.guest.log(pair.next + 1, removal.entry);
    pair.guest.sent();
    let start = pair.guest.now;
    let succession = loop {
        pair.guest.receive(Down::Ping);
        pair.guest.wait(Duration::from_secs(2));
        let commit = pair.guest.sent().into_iter().find_map(|message| as_commit(message, BOB));
        if let Some(commit) = commit {
            break commit;
        }
        assert!(pair.guest.now < start + timing::SUCCESSION_TIMEOUT + Duration::from_secs(10));
    };
    assert!(pair.guest.now >= start + timing::SUCCESSION_TIMEOUT);
    pair.guest.log(pair.next + 2, succession.entry);
    assert_eq!(role(&pair.guest, BOB), Role::Organiser);
}

/// A co-organiser that asked for the keys in each message made the organiser send more than the server takes.
#[test]
fn a_manager_that_asks_for_the_keys_again_and_again_is_answered_once_a_second() {
    let mut pair = Pair::new();
    pair.promote();
    let second = Duration::from_secs(1);
    pair.organiser.wait(second);
    pair.exchange();
    let Phase::Member(joined) = &mut pair.guest.meeting.phase else { panic!("it is a member") };
    let mut ask = || {
        let public = crypto::SealingKey::generate().unwrap().public().to_vec().into();
        let sealed = joined.log.seal(&Message::SealingKey { public });
        let Some(Up::Tell { epoch, blob }) = sealed else { panic!("it can encrypt") };
        LogEntry::Told { from: BOB, epoch, blob }
    };
    for _ in 0..20 {
        pair.organiser.log(pair.next, ask());
        pair.next += 1;
    }
    assert_eq!(pair.organiser.sent().len(), 1);
    pair.organiser.wait(second);
    assert_eq!(pair.organiser.sent().len(), 1, "to the newest key");
    pair.organiser.wait(second);
    assert!(pair.organiser.sent().is_empty());
}
