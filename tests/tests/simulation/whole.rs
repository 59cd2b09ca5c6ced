//! Whole meetings: up to 16 members, and everything at the same time. Roles and rights move, people knock and are admitted,
//! refused, sent back and removed, managers order, hand over and stop everything, members write, vote and raise their hands,
//! connections end and the server is killed. A naive model of rights agrees at each step of each client.
//!
//! `CONCLAVE_SEEDS` is the number of runs, `CONCLAVE_SEED` the first one, and `CONCLAVE_TRACE` prints the messages.

use super::hostile::variable;
use super::{secs, state};
use net::meeting::chat::{Command as ChatCommand, NewLine, Reaction, Text};
use net::meeting::{Command, FloorOrder, FloorTarget, Microphone};
use proto::{MeetingFlags, ParticipantId, Reason, Refusal, Rights, Role};
use rand::Rng;
use rand::seq::IndexedRandom;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use tests::simulation::{ClientId, Ending, Simulation};

#[test]
fn a_naive_model_of_rights_agrees_at_every_step_of_whole_meetings() {
    let (first, count) = (variable("CONCLAVE_SEED").unwrap_or(1), variable("CONCLAVE_SEEDS").unwrap_or(RUNS));
    let (seeds, start): (Vec<u64>, _) = ((first..first + count).collect(), Instant::now());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (mut failed, mut sum) = (Vec::new(), Outcome::default());
    std::thread::scope(|scope| {
        let share = seeds.len().div_ceil(threads).max(1);
        let runs: Vec<_> = seeds.chunks(share).map(|seeds| scope.spawn(|| run_all(seeds))).collect();
        for (more, outcome) in runs.into_iter().map(|run| run.join().expect("it catches panics")) {
            failed.extend(more);
            sum.changes += outcome.changes;
            sum.members = sum.members.max(outcome.members);
        }
    });
    println!("{count} seeds of {EVENTS} events in {:.1?}: {sum:?}", start.elapsed());
    assert!(failed.is_empty(), "repeat with CONCLAVE_SEEDS=1 and CONCLAVE_SEED= one of {failed:?}");
    // The runs mean something only if much changes.
    assert!(sum.changes as u64 > 10 * count, "{sum:?}");
}

/// What has happened in the runs.
#[derive(Clone, Copy, Debug, Default)]
struct Outcome {
    /// Changes of roles, rights and flags.
    changes: usize,
    /// The most members at the same time.
    members: usize,
}

/// Returns the seeds that fail.
fn run_all(seeds: &[u64]) -> (Vec<u64>, Outcome) {
    let (mut failed, mut sum) = (Vec::new(), Outcome::default());
    for seed in seeds {
        if let Ok(outcome) = catch_unwind(AssertUnwindSafe(|| Run::new(*seed).run())) {
            sum.changes += outcome.changes;
            sum.members = sum.members.max(outcome.members);
        } else {
            eprintln!("CONCLAVE_SEED={seed} failed");
            failed.push(*seed);
        }
    }
    (failed, sum)
}

/// One meeting.
struct Run {
    seed: u64,
    simulation: Simulation,
    /// The first organiser, whose network is never cut for long, so that the meeting goes on.
    first: ClientId,
    /// Clients whose network is cut, and when it is repaired.
    cut: Vec<(ClientId, Duration)>,
    count: usize,
    members: usize,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut simulation = Simulation::seeded(seed);
        let first = simulation.create("Ada");
        simulation.run(secs(3));
        simulation.watch_rights(first);
        Self { seed, simulation, first, cut: Vec::new(), count: 0, members: 1 }
    }

    fn run(mut self) -> Outcome {
        for _ in 0..4 {
            self.join();
        }
        self.simulation.run(secs(5));
        for _ in 0..EVENTS {
            self.act();
            let wait = Duration::from_millis(self.below(MAX_WAIT));
            self.simulation.run(wait);
            self.repair(false);
            let inside = self.inside().len();
            self.members = self.members.max(inside);
        }
        self.rest();
        self.assert_at_rest();
        self.end();
        Outcome { changes: self.simulation.allowed_changes(), members: self.members }
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.simulation.random().random_range(0..limit)
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    /// Returns the members.
    fn inside(&self) -> Vec<ClientId> {
        let mut inside = self.simulation.active();
        inside.retain(|client| self.simulation.client(*client).entered.is_some());
        inside
    }

    /// Returns a member; if possible a manager in three of four cases.
    fn actor(&mut self) -> ClientId {
        let inside = self.inside();
        let is_manager = |client: &ClientId| {
            let people = &self.simulation.client(*client).people;
            people.iter().any(|person| person.me && person.role.is_manager())
        };
        let managers: Vec<_> = inside.iter().copied().filter(is_manager).collect();
        let some = if managers.is_empty() || self.below(4) == 0 { inside } else { managers };
        some.choose(self.simulation.random()).copied().unwrap_or(self.first)
    }

    /// Returns somebody whom a client lists.
    fn somebody(&mut self, of: ClientId) -> ParticipantId {
        let ids: Vec<_> = self.simulation.client(of).people.iter().map(|person| person.id).collect();
        ids.choose(self.simulation.random()).copied().unwrap_or(ParticipantId(0))
    }

    fn join(&mut self) {
        // By the newest link, or the one that somebody happens to know.
        let from = self.actor();
        let invitation = self.simulation.invitation(from);
        self.count += 1;
        self.simulation.join_by(invitation, &format!("Guest {}", self.count));
    }

    fn act(&mut self) {
        match self.below(100) {
            0..14 => self.come_or_go(),
            14..22 => self.wait_room(),
            22..50 => self.change_policy(),
            50..68 => self.order(),
            68..76 => self.hands(),
            76..92 => self.chat(),
            92..97 => self.disturb(),
            _ => self.remove(),
        }
    }

    /// The organiser stays, and so does who was the first one, because a meeting without managers admits nobody.
    fn may_go(&self, client: ClientId) -> bool {
        client != self.first && !self.simulation.client(client).is_organiser()
    }

    fn come_or_go(&mut self) {
        let (client, inside) = (self.actor(), self.inside());
        match self.below(10) {
            0..7 if self.simulation.active().len() < MAX_MEMBERS => self.join(),
            7 if inside.len() > 4 && self.may_go(client) => self.simulation.wish(client, Command::Leave),
            8 if inside.len() > 4 && self.may_go(client) => self.simulation.kill(client),
            _ => self.simulation.wish(client, Command::Refresh),
        }
    }

    /// Managers decide on those who wait, and both sides write.
    fn wait_room(&mut self) {
        let manager = self.actor();
        let asking = self.simulation.client(manager).asking.clone();
        let all = asking.clone();
        let Some(asking) = asking.choose(self.simulation.random()).copied() else {
            let waiting: Vec<_> = self.simulation.active();
            let Some(waiting) = waiting.choose(self.simulation.random()).copied() else { return };
            let text = "May I come in?".to_owned();
            return self.simulation.wish(waiting, Command::WriteLobby { to: None, text });
        };
        let command = match self.below(8) {
            0..3 => Command::Admit(asking),
            3..5 => Command::AdmitAll(all),
            5 => Command::Refuse(asking, Refusal::NotNow),
            _ => Command::WriteLobby { to: Some(asking), text: "A moment".to_owned() },
        };
        self.simulation.wish(manager, command);
    }

    fn change_policy(&mut self) {
        let by = self.actor();
        let (id, right) = (self.somebody(by), self.right());
        let flag = 1 << self.below(6);
        let flags = MeetingFlags::from_bits(flag).expect("it is a flag");
        let roles = [Role::CoOrganiser, Role::Presenter, Role::Participant, Role::Guest];
        let role = *roles.choose(self.simulation.random()).expect("there are four");
        // A locked meeting refuses all, and one without guests those who are new: it is open again more often than not.
        let set = self.coin() && (!flags.contains(MeetingFlags::LOCKED) || self.below(4) == 0);
        let set = set || flags.contains(MeetingFlags::GUESTS) && self.below(4) != 0;
        let command = match self.below(20) {
            0..7 => Command::SetRole(id, role),
            7..12 => Command::GrantRights(id, right),
            12..16 => Command::WithdrawRights(id, right),
            16 => Command::HandOver(id),
            _ => Command::SetFlags { flags, set },
        };
        self.simulation.wish(by, command);
    }

    fn right(&mut self) -> Rights {
        *Rights::EACH.choose(self.simulation.random()).expect("there are 16")
    }

    fn order(&mut self) {
        let by = self.actor();
        let all = self.below(5) == 0;
        let target = if all { FloorTarget::Everyone } else { FloorTarget::Person(self.somebody(by)) };
        let rights = [Rights::MICROPHONE, Rights::CAMERA, Rights::SHARE, Rights::MEDIA];
        let rights = *rights.choose(self.simulation.random()).expect("there are four");
        let allow = self.coin();
        self.simulation.wish(by, Command::Floor(FloorOrder { target, rights, allow }));
    }

    fn hands(&mut self) {
        let client = self.actor();
        let command = match self.below(6) {
            0..3 => Command::RaiseHand(self.coin()),
            3 => Command::LowerHand(None),
            4 => Command::LowerHand(Some(self.somebody(client))),
            _ => Command::Announce(state(Microphone::On, self.coin())),
        };
        self.simulation.wish(client, command);
    }

    fn chat(&mut self) {
        let client = self.actor();
        let lines: Vec<_> = self.simulation.client(client).chat.lines().map(|line| line.id).collect();
        let text = Text::new(&format!("line {}", self.below(1_000_000))).expect("a text");
        let to = if self.below(4) == 0 { Some(self.somebody(client)) } else { None };
        let new = ChatCommand::Send(NewLine { to, text: text.clone(), reply: None, mentions: Vec::new() });
        let command = match (self.below(12), lines.choose(self.simulation.random()).copied()) {
            (6, Some(line)) => ChatCommand::Edit { line, text },
            (7, Some(line)) => ChatCommand::Delete(line),
            (8, Some(line)) => ChatCommand::React { line, reaction: Reaction::Like, on: self.coin() },
            (9, _) => {
                let options = ["now", "later"].map(|text| Text::new(text).expect("a text")).to_vec();
                ChatCommand::StartVote { question: text, options, secret: self.coin() }
            }
            (10, Some(vote)) => ChatCommand::Choose { vote, choice: u8::from(self.coin()) },
            (11, Some(vote)) => ChatCommand::EndVote(vote),
            _ => new,
        };
        self.simulation.wish(client, Command::Chat(command));
    }

    fn disturb(&mut self) {
        let client = self.actor();
        let length = if self.may_go(client) { self.below(40) } else { self.below(15) };
        match self.below(12) {
            0 => self.simulation.restart_server(),
            1..8 => self.simulation.reset(client),
            // Short enough to resume, or so long that it enters again.
            _ if self.cut.iter().all(|(other, _)| *other != client) && self.inside().len() > self.cut.len() + 2 => {
                self.simulation.cut(client);
                self.cut.push((client, self.simulation.elapsed() + secs(length)));
            }
            _ => {}
        }
    }

    fn remove(&mut self) {
        let by = self.actor();
        let id = self.somebody(by);
        let command = match self.below(12) {
            0..5 => Command::SendBack(id),
            5..8 => Command::Remove(id),
            8..11 => Command::ChangeLink,
            _ => Command::StopEverything,
        };
        if self.simulation.client(self.first).meeting.me() != Some(id) {
            self.simulation.wish(by, command);
        }
    }

    /// Repairs the networks whose time has come, or all.
    fn repair(&mut self, all: bool) {
        let now = self.simulation.elapsed();
        for (client, _) in self.cut.extract_if(.., |(_, until)| all || *until <= now).collect::<Vec<_>>() {
            self.simulation.repair(client);
        }
    }

    /// Nobody does anything, except that the organiser admits all, because who was cut off may wait.
    fn rest(&mut self) {
        self.repair(true);
        self.simulation.run(secs(200));
        for _ in 0..3 {
            for client in self.inside() {
                if self.simulation.client(client).is_organiser() {
                    let asking = self.simulation.client(client).asking.clone();
                    self.simulation.wish(client, Command::AdmitAll(asking));
                }
            }
            self.simulation.run(secs(20));
        }
        // Who lost its place in a meeting with a waiting room waits for ever if no organiser is left.
        let is_led = self.inside().into_iter().any(|client| self.simulation.client(client).is_organiser());
        for client in self.simulation.active() {
            let state = self.simulation.client(client);
            if state.entered.is_none() || !is_led && state.out_since.is_some() {
                self.simulation.wish(client, Command::Leave);
            }
        }
        self.simulation.run(secs(20));
    }

    fn assert_at_rest(&mut self) {
        let (seed, inside) = (self.seed, self.inside());
        assert!(!inside.is_empty(), "seed {seed}: nobody is left");
        self.simulation.assert_agreement(&inside);
        self.simulation.assert_same_policy(&inside);
        let client = self.simulation.client(inside[0]);
        let policy = client.meeting.policy().expect("a member");
        for person in &client.people {
            let by_policy = policy.rights_of(person.device, person.id);
            assert_eq!(
                person.rights,
                by_policy,
                "seed {seed}: the orders about {} are not in the policy, which lists {:?}",
                person.name,
                policy.people().iter().filter(|listed| listed.device == person.device).collect::<Vec<_>>()
            );
        }
    }

    /// The organiser ends the meeting, while another manager changes the keys.
    fn end(&mut self) {
        let inside = self.inside();
        for client in &inside {
            if !self.simulation.client(*client).is_organiser() {
                self.simulation.wish(*client, Command::ChangeLink);
            }
        }
        let Some(organiser) = inside.iter().find(|client| self.simulation.client(**client).is_organiser()) else {
            return;
        };
        self.simulation.wish(*organiser, Command::End);
        self.simulation.run(secs(30));
        for client in &inside {
            let expected = if client == organiser { Reason::Left } else { Reason::Ended };
            let ending = self.simulation.client(*client).ending.clone();
            assert_eq!(ending, Some(Ending::Ended(expected)), "seed {}", self.seed);
        }
    }
}

/// Runs without the variable.
const RUNS: u64 = 4;

/// What happens in one run.
const EVENTS: usize = 200;

/// Members, and people who wait.
const MAX_MEMBERS: usize = 16;

/// The longest time between two events, in milliseconds.
const MAX_WAIT: u64 = 800;
