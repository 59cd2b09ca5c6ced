//! A server that forks the group, keeps beacons back or passes false ones, and what the members show of it.

use super::authority::group;
use super::room::Room;
use super::*;
use crate::meeting::verification::{Agreement, Event as Shown};
use crypto::group::beacon;
use proto::MemberBeacon;

/// Which beacons the server passes between the two halves of a fork.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Passes {
    Nothing,
    OfMembers,
    All,
}

/// What the server does from the fork on so that the silence of the other half has a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Excuse {
    /// Every 20 s, it reports the other half as absent, and at once as connected.
    Flicker,
    /// It reports the other half as absent.
    Absence,
    /// Every 20 s, it breaks the connections.
    Breaks,
}

/// A meeting of four: the organiser and participant 2 are one half, participants 3 and 4 the other.
struct Halves {
    room: Room,
    /// True once each half has a commit of its own.
    forked: bool,
    passes: Passes,
    /// What each client showed, and when.
    shown: Vec<Vec<(Duration, Shown)>>,
    time: Duration,
}

impl Halves {
    fn new(passes: Passes) -> Self {
        let mut room = Room::new(3);
        room.forget();
        room.clients.iter_mut().for_each(|(_, client)| drop(client.all_sent()));
        Self { room, forked: false, passes, shown: vec![Vec::new(); 4], time: Duration::ZERO }
    }

    /// Each half gets another commit for the same epoch.
    fn fork(&mut self) {
        for half in [[0, 1], [2, 3]] {
            self.room.at(half[0]).command(Command::Refresh);
            let sent = self.room.at(half[0]).sent();
            let id = self.room.id(half[0]);
            let commit = sent.into_iter().find_map(|message| as_commit(message, id)).expect("a commit");
            for number in half {
                let position = self.room.next;
                self.room.at(number).log(position, commit.entry.clone());
            }
        }
        self.room.next += 1;
        self.forked = true;
    }

    /// Lets time pass in steps of 100 ms. Beacons arrive at once.
    fn run(&mut self, time: Duration) {
        let end = self.time + time;
        while self.time < end {
            self.time += STEP;
            for number in 0..4 {
                self.room.at(number).receive(Down::Ping);
                self.room.at(number).wait(STEP);
            }
            self.pass_beacons();
        }
    }

    /// As [`Self::run`], with what the server does every 20 s.
    fn run_with(&mut self, excuse: Excuse, time: Duration) {
        let end = self.time + time;
        while self.time < end {
            for number in 0..4 {
                self.excuse(excuse, number);
            }
            self.run(end.saturating_sub(self.time).min(Duration::from_secs(20)));
        }
    }

    fn excuse(&mut self, excuse: Excuse, number: usize) {
        let other = if number < 2 { [2, 3] } else { [0, 1] };
        for participant in self.ids(&other) {
            let presence = |connected| Down::Presence { participant, connected };
            match excuse {
                Excuse::Flicker => {
                    self.room.at(number).receive(presence(false));
                    self.room.at(number).receive(presence(true));
                }
                Excuse::Absence => self.room.at(number).receive(presence(false)),
                Excuse::Breaks => {}
            }
        }
        if excuse == Excuse::Breaks {
            let client = self.room.at(number);
            client.meeting.handle_disconnected(client.now);
            client.wait(Duration::ZERO);
            assert!(client.meeting.poll_reconnect());
            client.meeting.handle_connected(client.now);
            client.receive(hello(ParticipantId(99)));
            client.receive(Down::Resumed);
        }
    }

    fn pass_beacons(&mut self) {
        for from in 0..4 {
            let id = self.room.id(from);
            for message in self.room.at(from).all_sent() {
                let passed = if let Up::Beacon { beacon } = message {
                    Some((Down::MemberBeacon { from: id, beacon }, self.passes != Passes::Nothing))
                } else {
                    signed(message, id).map(|signed| (Down::Beacon { signed }, self.passes == Passes::All))
                };
                let Some((down, crosses)) = passed else { continue };
                let others = (0..4).filter(|to| *to != from && (crosses || !self.forked || to / 2 == from / 2));
                for to in others {
                    self.room.at(to).receive(down.clone());
                }
            }
        }
        for (number, shown) in self.shown.iter_mut().enumerate() {
            let events = self.room.clients[number].1.events();
            let shows = |event| if let Event::Verification(shown) = event { Some(shown) } else { None };
            shown.extend(events.into_iter().filter_map(shows).map(|shown| (self.time, shown)));
        }
    }

    fn ids(&self, numbers: &[usize]) -> Vec<ParticipantId> {
        let mut ids: Vec<_> = numbers.iter().map(|number| self.room.id(*number)).collect();
        ids.sort_unstable();
        ids
    }
}

#[test]
fn a_fork_is_named_on_both_sides_within_five_seconds() {
    let mut halves = Halves::new(Passes::OfMembers);
    halves.run(Duration::from_secs(12));
    assert!(halves.shown.iter().all(Vec::is_empty), "all is well: {:?}", halves.shown);
    halves.fork();
    let start = halves.time;
    halves.run(Duration::from_secs(5));
    for (number, (mine, theirs)) in [(0, ([1], [2, 3])), (1, ([0], [2, 3])), (2, ([3], [0, 1])), (3, ([2], [0, 1]))] {
        let (mine, theirs) = (halves.ids(&mine), halves.ids(&theirs));
        let agreement = Agreement { agree: mine, differ: theirs, ..Agreement::default() };
        let [.., (at, last)] = &halves.shown[number][..] else { panic!("{number} shows nothing") };
        assert_eq!(last, &Shown::Agreement(agreement), "{number}");
        let time = at.saturating_sub(start);
        assert!(time <= Duration::from_secs(5), "{number}: {time:?}");
        println!("client {number} names the fork after {time:?}");
    }
}

#[test]
fn who_gets_a_managers_beacon_of_the_other_half_is_told_and_joins_again() {
    let mut halves = Halves::new(Passes::All);
    halves.fork();
    halves.run(Duration::from_secs(1));
    for number in [2, 3] {
        let shown: Vec<_> = halves.shown[number].iter().map(|(_, event)| event.clone()).collect();
        assert_eq!(shown, [Shown::OtherGroup { manager: ADA }], "{number}");
    }
}

#[test]
fn members_whose_beacons_are_kept_back_are_named_after_a_bound() {
    let mut halves = Halves::new(Passes::Nothing);
    halves.fork();
    halves.run(Duration::from_secs(24));
    assert!(halves.shown.iter().all(Vec::is_empty));
    halves.run(Duration::from_secs(7));
    for (number, (mine, theirs)) in [(0, ([1], [2, 3])), (3, ([2], [0, 1]))] {
        let agreement = Agreement { agree: halves.ids(&mine), unheard: halves.ids(&theirs), ..Agreement::default() };
        assert_eq!(halves.shown[number].last().map(|(_, event)| event), Some(&Shown::Agreement(agreement)));
    }
}

#[test]
fn neither_reports_of_absence_nor_broken_connections_hide_that_beacons_are_kept_back() {
    for (excuse, limit) in [(Excuse::Flicker, 35), (Excuse::Absence, 36), (Excuse::Breaks, 40)] {
        let mut halves = Halves::new(Passes::Nothing);
        halves.run(Duration::from_secs(12));
        halves.fork();
        let start = halves.time;
        halves.run_with(excuse, Duration::from_secs(100));
        for (number, theirs) in [(0, [2, 3]), (1, [2, 3]), (2, [0, 1]), (3, [0, 1])] {
            let unheard = halves.ids(&theirs);
            let is_named = |shown: &Shown| matches!(shown, Shown::Agreement(now) if now.unheard == unheard);
            let shown = &halves.shown[number];
            let at = shown.iter().find(|(_, shown)| is_named(shown)).map(|(at, _)| at.saturating_sub(start));
            let at = at.unwrap_or_else(|| panic!("{excuse:?}: {number} names nobody: {shown:?}"));
            assert!(at <= Duration::from_secs(limit), "{excuse:?}: {number} after {at:?}");
            assert!(is_named(&shown.last().unwrap().1), "{excuse:?}: the alarm ends without a beacon: {shown:?}");
        }
    }
}

#[test]
fn the_same_excuses_are_no_alarm_while_beacons_come() {
    for excuse in [Excuse::Flicker, Excuse::Breaks] {
        let mut halves = Halves::new(Passes::All);
        halves.run_with(excuse, Duration::from_mins(5));
        assert!(halves.shown.iter().all(Vec::is_empty), "{excuse:?}: {:?}", halves.shown);
    }
}

/// Passes the beacons of two clients to the other one for a time, with pings. Returns the agreements that each has shown.
fn pass(mut clients: [&mut Client; 2], seconds: u32) -> [Vec<Agreement>; 2] {
    let mut shown = [Vec::new(), Vec::new()];
    for _ in 0..seconds {
        let mut sent = Vec::new();
        for (number, client) in clients.iter_mut().enumerate() {
            client.receive(Down::Ping);
            client.wait(Duration::from_secs(1));
            sent.extend(client.all_sent().into_iter().map(|message| (number, message)));
        }
        for (number, message) in sent {
            let Up::Beacon { beacon } = message else { continue };
            let from = clients[number].meeting.me().unwrap();
            clients[1 - number].receive(Down::MemberBeacon { from, beacon });
        }
        for (client, shown) in clients.iter_mut().zip(&mut shown) {
            let agreement =
                |event| if let Event::Verification(Shown::Agreement(now)) = event { Some(now) } else { None };
            shown.extend(client.events().into_iter().filter_map(agreement));
        }
    }
    shown
}

#[test]
fn a_wrong_number_of_the_epoch_is_no_fork_and_is_said() {
    let (mut organiser, mut guest) = Client::two();
    // Only the guest gets an invalid commit, so its log has another number from then on.
    guest.log_commit(1, ParticipantId(3), 1, Blob(vec![1; 40]));
    let early = pass([&mut organiser, &mut guest], 10);
    assert!(early.iter().all(Vec::is_empty), "the organiser may get it later: {early:?}");
    // A valid commit, under the number that each expects.
    guest.command(Command::Refresh);
    let commit = guest.committed();
    guest.log(2, commit.entry);
    organiser.log_commit(1, ParticipantId(2), 1, commit.blob);
    assert_eq!(group(&organiser).transcript_hash(), group(&guest).transcript_hash());
    let shown = pass([&mut organiser, &mut guest], 60);
    for (shown, other) in shown.iter().zip([ParticipantId(2), ADA]) {
        let [Agreement { agree, differ, unheard, misnumbered }] = &shown[..] else { panic!("{shown:?}") };
        assert_eq!((&agree[..], &misnumbered[..]), (&[other][..], &[other][..]));
        assert!(differ.is_empty() && unheard.is_empty());
    }
    let (_, request) = Client::knocking(&organiser, 9);
    organiser.receive(Down::Knocked { participant: ParticipantId(9), request });
    assert_eq!(organiser.committed().welcomes.len(), 1, "the group is not forked");
}

#[test]
fn who_is_kept_in_old_keys_is_named_whatever_number_the_server_gives_its_log() {
    for junk in [1, 2] {
        let (mut organiser, mut guest) = Client::two();
        organiser.command(Command::Refresh);
        let commit = organiser.committed();
        organiser.log(1, commit.entry);
        organiser.events();
        for position in 0..junk {
            guest.log_commit(1 + position, ParticipantId(3), 1 + position, Blob(vec![1; 40]));
        }
        let [shown, _] = pass([&mut organiser, &mut guest], 40);
        let last = shown.last().unwrap_or_else(|| panic!("{junk}: nobody is named"));
        assert_eq!(last.differ, [ParticipantId(2)], "{junk}: {shown:?}");
    }
}

#[test]
fn nobody_is_admitted_while_the_group_is_forked() {
    let mut halves = Halves::new(Passes::OfMembers);
    halves.fork();
    halves.run(Duration::from_secs(3));
    let asking = ParticipantId(9);
    let (_, request) = Client::knocking(&halves.room.clients[0].1, 9);
    halves.room.at(0).receive(Down::Knocked { participant: asking, request });
    let is_commit = |client: &mut Client| client.sent().into_iter().any(|message| as_commit(message, ADA).is_some());
    assert!(!is_commit(halves.room.at(0)));
    // The other half leaves, which ends the alarm.
    for number in [2, 3] {
        let (id, position) = (halves.room.id(number), halves.room.next);
        halves.room.next += 1;
        for to in [0, 1] {
            halves.room.at(to).log(position, LogEntry::Gone { participant: id, by: None });
        }
    }
    let good = |event: &Event| matches!(event, Event::Verification(Shown::Agreement(now)) if now.is_good());
    assert!(halves.room.at(0).events().iter().any(good));
    assert!(is_commit(halves.room.at(0)), "those who left are removed");
}

#[test]
fn an_admission_that_waited_goes_on_after_the_alarm() {
    let (mut organiser, guest) = Client::two();
    let lie = beacon_of(&guest, 1, [9; 32]);
    organiser.receive(Down::MemberBeacon { from: ParticipantId(2), beacon: lie });
    organiser.receive(Down::Ping);
    organiser.wait(Duration::from_secs(1));
    assert!(matches!(&organiser.events()[..], [Event::Verification(Shown::Agreement(now))] if !now.is_good()));
    let (_, request) = Client::knocking(&organiser, 3);
    organiser.receive(Down::Knocked { participant: ParticipantId(3), request });
    assert!(organiser.sent().iter().all(|message| as_commit(message.clone(), ADA).is_none()));
    let due = organiser.meeting.poll_timeout().expect("a member has a deadline");
    assert!(due > organiser.now, "it does not wake up for an admission that waits");
    let truth = beacon_of(&guest, 2, group(&guest).transcript_hash());
    organiser.receive(Down::MemberBeacon { from: ParticipantId(2), beacon: truth });
    assert!(matches!(&organiser.events()[..], [Event::Verification(Shown::Agreement(now))] if now.is_good()));
    organiser.receive(Down::Ping);
    assert_eq!(organiser.committed().welcomes.len(), 1);
}

/// Returns a beacon that a guest has signed.
fn beacon_of(guest: &Client, counter: u64, transcript: [u8; 32]) -> MemberBeacon {
    let mut beacon = MemberBeacon { counter, epoch: Epoch(1), mls_epoch: 1, transcript, signature: [0; 64] };
    beacon::sign(group(guest), guest.meeting.me().unwrap(), &mut beacon);
    beacon
}

#[test]
fn forged_and_repeated_beacons_change_nothing() {
    let (mut organiser, guest) = Client::two();
    let guest_id = ParticipantId(2);
    let mut forged = beacon_of(&guest, 1, [9; 32]);
    forged.signature[0] ^= 1;
    let lie = beacon_of(&guest, 1, [9; 32]);
    for (from, beacon) in [(guest_id, forged), (ADA, lie.clone()), (ParticipantId(77), lie.clone())] {
        organiser.receive(Down::MemberBeacon { from, beacon });
    }
    // An old beacon does not replace a newer one.
    let truth = beacon_of(&guest, 2, group(&guest).transcript_hash());
    organiser.receive(Down::MemberBeacon { from: guest_id, beacon: truth });
    organiser.receive(Down::MemberBeacon { from: guest_id, beacon: lie });
    organiser.receive(Down::Ping);
    organiser.wait(Duration::from_secs(4));
    assert!(organiser.events().is_empty());
}

#[test]
fn a_short_difference_is_no_alarm() {
    let (mut organiser, guest) = Client::two();
    for (counter, transcript) in [(1, [9; 32]), (2, group(&guest).transcript_hash())] {
        organiser
            .receive(Down::MemberBeacon { from: ParticipantId(2), beacon: beacon_of(&guest, counter, transcript) });
        organiser.receive(Down::Ping);
        organiser.wait(Duration::from_millis(900));
    }
    assert!(organiser.events().is_empty());
}

#[test]
fn a_commit_that_never_arrives_is_named() {
    let (mut organiser, guest) = Client::two();
    let mut ahead = beacon_of(&guest, 1, [9; 32]);
    ahead.epoch = Epoch(2);
    beacon::sign(group(&guest), ParticipantId(2), &mut ahead);
    organiser.receive(Down::MemberBeacon { from: ParticipantId(2), beacon: ahead });
    let mut shown = Vec::new();
    for _ in 0..21 {
        organiser.receive(Down::Ping);
        organiser.wait(Duration::from_secs(1));
        shown.extend(organiser.events());
    }
    let named =
        |event: &Event| matches!(event, Event::Verification(Shown::Agreement(now)) if now.differ == [ParticipantId(2)]);
    assert!(shown.len() == 1 && shown.iter().all(named));
}

#[test]
fn a_client_that_slept_and_one_that_was_away_raise_no_alarm() {
    let (mut organiser, _guest) = Client::two();
    // The server notices that the guest sleeps, and would say that it is gone after 20 s.
    for second in 0..30 {
        organiser.receive(Down::Ping);
        organiser.wait(Duration::from_secs(1));
        if second == 10 {
            organiser.receive(Down::Presence { participant: ParticipantId(2), connected: false });
        }
    }
    organiser.receive(Down::Presence { participant: ParticipantId(2), connected: true });
    let is_alarm = |event: &Event| matches!(event, Event::Verification(_));
    assert!(!organiser.events().iter().any(is_alarm));
    // This client sleeps itself. It has got a ping when it wakes up.
    organiser.now += Duration::from_mins(1);
    organiser.receive(Down::Ping);
    organiser.wait(Duration::from_secs(4));
    assert!(!organiser.events().iter().any(is_alarm));
}

const STEP: Duration = Duration::from_millis(100);
