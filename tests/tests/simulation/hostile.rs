//! Meetings with hostile members, seed by seed. The invariants I1 to I6 hold during and after each run.
//!
//! `cargo xtask test` runs [`RUNS`] seeds, `cargo xtask seeds N` any number. The variable `CONCLAVE_SEEDS` is that number,
//! and `CONCLAVE_SEED` the first seed, to repeat one that failed. `CONCLAVE_TRACE` prints its messages.

use net::meeting::{Command, MediaState, Microphone, Notice};
use proto::{ParticipantId, Reason, Refusal};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use tests::simulation::{ClientId, Ending, Simulation};

#[test]
fn a_hostile_member_that_says_anything_at_any_time_changes_nothing_for_the_others() {
    let (first, count) = (variable("CONCLAVE_SEED").unwrap_or(FIRST), variable("CONCLAVE_SEEDS").unwrap_or(RUNS));
    let seeds: Vec<u64> = (first..first + count).collect();
    let start = Instant::now();
    let failed: Vec<u64> = std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = seeds.len().div_ceil(threads).max(1);
        let runs: Vec<_> = seeds.chunks(share).map(|seeds| scope.spawn(|| fail(seeds))).collect();
        runs.into_iter().flat_map(|run| run.join().expect("it catches panics")).collect()
    });
    println!("{count} seeds in {:.1?}", start.elapsed());
    assert!(failed.is_empty(), "repeat with CONCLAVE_SEEDS=1 and CONCLAVE_SEED= one of {failed:?}");
}

/// Seeds that have failed before a fix.
#[test]
fn seeds_that_failed_before_pass() {
    assert!(fail(REGRESSIONS).is_empty());
}

/// Returns the seeds that fail.
fn fail(seeds: &[u64]) -> Vec<u64> {
    let fails = |seed: &&u64| {
        let failed = catch_unwind(AssertUnwindSafe(|| Run::new(**seed).run())).is_err();
        if failed {
            eprintln!("seed {seed} failed");
        }
        failed
    };
    seeds.iter().filter(fails).copied().collect()
}

pub fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|number| number.parse().expect("the variable is a number"))
}

/// One run.
struct Run {
    simulation: Simulation,
    /// How many seconds the server's clock is ahead of the true time.
    server_ahead: i64,
    organiser: Honest,
    guests: Vec<Honest>,
    /// Clients whose network is cut, and when it is repaired.
    cut: Vec<(ClientId, Duration)>,
}

/// An honest client.
#[derive(Clone, Copy)]
struct Honest {
    client: ClientId,
    /// How many seconds its clock is ahead of the true time.
    ahead: i64,
    /// True if its connection was broken.
    disturbed: bool,
    fate: Fate,
}

/// What happens to an honest client.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Stays,
    /// The organiser removes it.
    Removed,
    /// It leaves, or its process is killed.
    Leaves,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut clocks = ChaCha8Rng::seed_from_u64(seed);
        let server_ahead = clocks.random_range(-HALF_DAY..HALF_DAY);
        let ahead = clocks.random_range(-HALF_DAY..HALF_DAY);
        let mut simulation = Simulation::with_clock(seed, server_ahead);
        let client = simulation.create_with_clock("Ada", ahead);
        simulation.run(secs(2));
        let organiser = Honest { client, ahead, disturbed: false, fate: Fate::Stays };
        Self { simulation, server_ahead, organiser, guests: Vec::new(), cut: Vec::new() }
    }

    /// Three phases: everybody acts at random; the organiser removes the hostile clients, which go on; nobody acts any more.
    fn run(mut self) {
        for name in ["Blaise", "Chloé"] {
            let ahead = self.random(-80_000..3_000);
            self.join(name, ahead);
        }
        for _ in 0..self.random(1..3) {
            let ahead = self.random(-80_000..3_000);
            self.simulation.add_hostile(self.organiser.client, self.organiser.ahead + ahead);
        }
        for round in 0..ROUNDS {
            self.act(round);
            let wait = Duration::from_millis(self.random(0..1_400).unsigned_abs());
            self.simulation.run(wait);
            self.repair();
            self.decide();
        }
        self.remove_the_hostile();
        self.simulation.stop_hostile();
        for _ in 0..REST.as_secs() / 5 {
            self.simulation.run(secs(5));
            self.repair();
            self.decide();
        }
        self.assert_at_rest();
    }

    fn random(&mut self, range: std::ops::Range<i64>) -> i64 {
        self.simulation.random().random_range(range)
    }

    /// Adds a guest whose clock is `ahead` seconds ahead of the organiser's.
    fn join(&mut self, name: &str, ahead: i64) {
        let (invitation, ahead) = (self.simulation.invitation(self.organiser.client), self.organiser.ahead + ahead);
        let client = self.simulation.join_with_clock(invitation, name, ahead);
        self.guests.push(Honest { client, ahead, disturbed: false, fate: Fate::Stays });
    }

    /// Does something that honest people do.
    fn act(&mut self, round: usize) {
        let guests = self.guests.len();
        let anybody = self.simulation.random().random_range(0..=guests);
        let count = self.guests.iter().filter(|guest| guest.fate == Fate::Stays).count();
        let kind = self.random(0..100);
        match kind {
            0..14 if count < MAX_GUESTS => {
                let ahead = self.random(-DAY..DAY);
                self.join(&format!("Guest {round}"), ahead);
            }
            14..30 => {
                let client = self.person(anybody).client;
                self.simulation.command(client, Command::Refresh);
            }
            30..50 => self.announce(anybody),
            50..56 => self.break_connection(anybody, kind),
            56..60 => self.remove_guest(anybody),
            60..63 => self.leave(anybody, kind),
            63..68 => self.simulation.leak_link(self.organiser.client),
            68..76 => self.remove_one_hostile(),
            76..78 => self.lose_the_organiser(),
            _ => {}
        }
    }

    /// Returns a guest, or the organiser.
    fn person(&mut self, at: usize) -> &mut Honest {
        self.guests.get_mut(at).unwrap_or(&mut self.organiser)
    }

    fn announce(&mut self, who: usize) {
        let all = [Microphone::Off, Microphone::Muted, Microphone::On];
        let microphone = *all.choose(self.simulation.random()).expect("there are three");
        let camera = self.simulation.random().random();
        let client = self.person(who).client;
        if self.simulation.client(client).ending.is_none() {
            let state = MediaState { microphone, camera, ..MediaState::default() };
            self.simulation.command(client, Command::Announce(state));
        }
    }

    fn break_connection(&mut self, who: usize, kind: i64) {
        // Short enough to resume, or so long that it joins again.
        let length = self.random(1..30);
        let Honest { client, fate, .. } = *self.person(who);
        // A connection that breaks before the admission ends the attempt to join.
        if fate != Fate::Stays || self.simulation.client(client).entered.is_none() || !self.remain_without(client) {
            return;
        }
        self.person(who).disturbed = true;
        if kind % 2 == 0 {
            self.simulation.reset(client);
        } else if self.cut.iter().all(|(cut, _)| *cut != client) {
            self.simulation.cut(client);
            self.cut.push((client, self.simulation.elapsed() + secs(length.unsigned_abs())));
        }
    }

    /// Cuts the organiser's network until it cannot resume. Any member may let it in again, also a hostile one.
    fn lose_the_organiser(&mut self) {
        let (client, length) = (self.organiser.client, self.random(25..50));
        if self.remain_without(client) && self.cut.iter().all(|(cut, _)| *cut != client) {
            self.organiser.disturbed = true;
            self.simulation.cut(client);
            self.cut.push((client, self.simulation.elapsed() + secs(length.unsigned_abs())));
        }
    }

    /// Returns whether somebody else is connected: a meeting ends with its last member.
    fn remain_without(&self, client: ClientId) -> bool {
        let people = self.guests.iter().chain([&self.organiser]);
        let mut others = people.filter(|other| other.client != client && other.fate == Fate::Stays);
        others.any(|other| {
            let is_cut = self.cut.iter().any(|(cut, _)| *cut == other.client);
            !is_cut && self.simulation.client(other.client).entered.is_some()
        })
    }

    /// Repairs the networks whose time has come.
    fn repair(&mut self) {
        let now = self.simulation.elapsed();
        for (client, _) in self.cut.extract_if(.., |(_, until)| *until <= now).collect::<Vec<_>>() {
            self.simulation.repair(client);
        }
    }

    fn remove_guest(&mut self, at: usize) {
        let Some(guest) = self.guests.get(at).filter(|guest| guest.fate == Fate::Stays) else { return };
        let (client, organiser) = (guest.client, self.organiser.client);
        let Some(id) = self.simulation.client(client).meeting.me().filter(|_| self.remain_without(client)) else {
            return;
        };
        if self.simulation.client(organiser).is_organiser() && self.simulation.client(organiser).knows(id) {
            self.guests[at].fate = Fate::Removed;
            self.simulation.command(organiser, Command::Remove(id));
        }
    }

    fn leave(&mut self, at: usize, kind: i64) {
        let Some(guest) = self.guests.get(at).filter(|guest| guest.fate == Fate::Stays) else { return };
        let client = guest.client;
        if !self.remain_without(client) {
            return;
        }
        self.guests[at].fate = Fate::Leaves;
        if kind % 2 == 0 {
            self.simulation.command(client, Command::Leave);
        } else {
            self.simulation.kill(client);
        }
    }

    /// Returns the hostile members that the organiser lists.
    fn hostile(&self) -> Vec<ParticipantId> {
        let people = &self.simulation.client(self.organiser.client).people;
        people.iter().map(|person| person.id).filter(|id| self.simulation.is_hostile_id(*id)).collect()
    }

    fn remove_one_hostile(&mut self) {
        if let Some(id) = self.hostile().choose(self.simulation.random()) {
            self.simulation.command(self.organiser.client, Command::Remove(*id));
        }
    }

    /// The organiser admits the guests who knock by an old link, and refuses the others.
    fn decide(&mut self) {
        let organiser = self.organiser.client;
        for asking in self.simulation.client(organiser).asking.clone() {
            let refused = self.simulation.is_hostile_id(asking);
            self.simulation.command(
                organiser,
                if refused { Command::Refuse(asking, Refusal::Declined) } else { Command::Admit(asking) },
            );
        }
    }

    /// I6: the organiser gets rid of all hostile clients, whatever they do meanwhile.
    fn remove_the_hostile(&mut self) {
        let start = self.simulation.elapsed();
        while !self.hostile().is_empty() || !self.cut.is_empty() {
            for id in self.hostile() {
                self.simulation.command(self.organiser.client, Command::Remove(id));
            }
            self.simulation.run(secs(1));
            self.repair();
            self.decide();
            let waited = self.simulation.elapsed().saturating_sub(start);
            assert!(waited < MAX_REMOVAL, "I6: the organiser cannot remove {:?}", self.hostile());
        }
    }

    /// I1, I4 and I6: all agree, nobody hostile is left, and each honest client got what its user wanted.
    fn assert_at_rest(&mut self) {
        let mut members = vec![self.organiser.client];
        let spoiled = self.spoiled();
        for guest in self.guests.clone() {
            let client = self.simulation.client(guest.client);
            match (&client.ending, guest.fate) {
                (Some(Ending::Killed | Ending::Ended(_)), Fate::Leaves)
                | (Some(Ending::Ended(Reason::Removed | Reason::Barred)), Fate::Removed) => {}
                // Its link was newer than the server's keys for longer than it asks, because the organiser was away.
                (Some(Ending::Ended(Reason::Forged)), _) if self.organiser.disturbed && client.entered.is_none() => {}
                (Some(Ending::Ended(reason)), _) if self.is_refused(&guest) => self.assert_clock(&guest, reason),
                (None, Fate::Stays) if client.entered.is_some() => members.push(guest.client),
                (ending, _) => panic!("I6: {} has ended with {ending:?}, or waits", client.name),
            }
            assert!(guest.disturbed || client.reconnecting <= spoiled, "{} lost the meeting", client.name);
        }
        let organiser = self.simulation.client(self.organiser.client);
        assert_eq!(organiser.ending, None, "the organiser is a member");
        assert!(organiser.is_organiser());
        assert!(self.organiser.disturbed || organiser.reconnecting <= spoiled, "the organiser lost the meeting");
        self.simulation.assert_agreement(&members);
        self.simulation.assert_same_policy(&members);
    }

    /// Returns how often somebody could not read the keys of a hostile member. Each time, some lose the meeting for a moment.
    fn spoiled(&self) -> usize {
        let all = self.guests.iter().chain([&self.organiser]);
        let notices = all.flat_map(|honest| &self.simulation.client(honest.client).notices);
        notices.filter(|notice| matches!(notice, Notice::KeysUnreadable(_))).count()
    }

    /// Returns whether a guest's clock is too wrong.
    fn is_refused(&self, guest: &Honest) -> bool {
        let ahead = guest.ahead - self.organiser.ahead;
        !(-DAY - HOUR..=HOUR).contains(&ahead)
    }

    /// The refusal names the clock that is wrong by the server's.
    fn assert_clock(&self, guest: &Honest, reason: &Reason) {
        let (against_server, against_organiser) = (guest.ahead - self.server_ahead, guest.ahead - self.organiser.ahead);
        let (expected, named) = if let Reason::OwnClock { ahead } = reason {
            (against_server, *ahead)
        } else if let Reason::OrganiserClock { ahead } = reason {
            (-against_organiser, *ahead)
        } else {
            panic!("a wrong clock is named, not {reason:?}")
        };
        assert!((named - expected).abs() < 60, "{named} s is told, {expected} s is true");
    }
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const HOUR: i64 = 3_600;
const HALF_DAY: i64 = 12 * HOUR;
const DAY: i64 = 24 * HOUR;

/// The first seed.
const FIRST: u64 = 100_000;

/// The number of seeds in `cargo xtask test`.
const RUNS: u64 = 100;

/// Seeds that found a fault, which was fixed: organisers that could not come back, removals that were undone, a connection
/// that was resumed again and again, what an organiser forgot or said before it was a manager again, and commands that
/// reached the server after the keys had changed. They mean something only as long as the run makes the same choices.
const REGRESSIONS: &[u64] = &[100_134, 100_185, 100_251, 100_622, 100_878, 45, 506, 100_001, 100_003];

/// The number of actions of honest people.
const ROUNDS: usize = 25;

/// The number of guests that stay at the same time.
const MAX_GUESTS: usize = 4;

/// How long the organiser may take to remove all hostile clients, over bad networks and with its own interruptions.
const MAX_REMOVAL: Duration = Duration::from_mins(2);

/// How long nobody acts: a lost member is removed after 20 s, and a client that was cut off joins again.
const REST: Duration = Duration::from_secs(90);
