//! Fuzz target for the organiser's client in a meeting with a hostile member: everything that such a member can seal or sign.

use super::{joined, parts};
use crypto::{Identity, ManagerKeys, Profile};
use net::meeting::chat::{self, hostile as hostile_chat};
use net::meeting::{Command, Entry, Event, Meeting, hostile, vectors};
use proto::{
    Blob, Down, Epoch, LogEntry, ManagerCommand, MemberBeacon, ParticipantId, Position, ResumeToken, SignedCommand, Up,
    VERSION, Welcome,
};
use std::cell::RefCell;
use std::time::{Duration, Instant, SystemTime};

const ADA: ParticipantId = ParticipantId(1);
const BOB: ParticipantId = ParticipantId(2);

/// The organiser Ada, the hostile member Bob, and the log that a server would keep.
struct Pair {
    ada: Meeting,
    bob: Meeting,
    now: Instant,
    next: Position,
    /// The epoch of the log.
    epoch: Epoch,
    /// The parts of the tree that Ada has sent.
    tree: Vec<Blob>,
    /// The number of Bob's last message about his typing.
    typed: u64,
    inputs_left: u32,
}

thread_local! {
    static PAIR: RefCell<Option<Pair>> = const { RefCell::new(None) };
}

/// Handles messages of a hostile member. Each part is a message: its kind, and its content. None ends the organiser's meeting, and
/// what it sends can be sent.
pub(super) fn insider(bytes: &[u8]) {
    PAIR.with_borrow_mut(|pair| {
        if pair.as_ref().is_none_or(|pair| pair.inputs_left == 0 || pair.bob.is_over()) {
            *pair = Some(Pair::new());
        }
        let Some(pair) = pair else { return };
        pair.inputs_left -= 1;
        for part in parts(bytes).take(MAX_PARTS) {
            if let [kind, content @ ..] = part {
                pair.step(*kind, content);
            }
        }
        assert!(!pair.ada.is_over(), "a member ends nobody's meeting");
    });
}

impl Pair {
    fn new() -> Self {
        let (now, keys) = (Instant::now(), ManagerKeys::new().expect("randomness"));
        let entry = Entry::Create { keys, identity: identity(), profile: profile("Ada") };
        let mut ada = meeting(entry, now);
        ada.handle_message(hello(ADA), now);
        ada.handle_message(Down::Created { resume: ResumeToken([8; 32]) }, now);
        let chain = ada.policy().expect("it is a member").chain().encode();
        let created = |message| if let Up::Create { admission_key, .. } = message { Some(admission_key) } else { None };
        let key = std::iter::from_fn(|| ada.poll_transmit()).find_map(created);
        let invitation = ada.invitation("meet.example", 443, None).expect("it is an organiser");
        let mut bob = meeting(Entry::Join { invitation, identity: identity(), profile: profile("Bob") }, now);
        bob.handle_message(hello(BOB), now);
        let admission_key = key.expect("it creates the meeting");
        bob.handle_message(Down::AdmissionKey { admission_key, chain: Blob(chain) }, now);
        let (next, epoch) = (Position(0), Epoch(0));
        let mut pair = Self { ada, bob, now, next, epoch, tree: Vec::new(), typed: 0, inputs_left: 300 };
        pair.deliver();
        pair.ada.handle_command(Command::Admit(BOB), now);
        pair.deliver();
        assert!(pair.bob.policy().is_some(), "he is a member");
        pair
    }

    fn step(&mut self, kind: u8, content: &[u8]) {
        let message = match kind {
            0 => hostile::seal_plaintext(&mut self.bob, content),
            1 => hostile_chat::seal(&mut self.bob, content.to_vec()),
            2 => {
                self.typed += 1;
                hostile_chat::relay(&self.bob, self.typed, content)
            }
            3 => beacon(content)
                .and_then(|content| hostile::sign_beacon(&self.bob, content))
                .map(|beacon| Up::Beacon { beacon }),
            4 => {
                self.ada.handle_command(Command::Verify(net::meeting::verification::Command::CompareEmoji), self.now);
                None
            }
            _ => {
                self.now += Duration::from_millis(20 * u64::from(content.first().copied().unwrap_or_default()));
                for client in [&mut self.ada, &mut self.bob] {
                    // The server shows that it is there.
                    client.handle_message(Down::Ping, self.now);
                    client.handle_timeout(self.now);
                }
                None
            }
        };
        if let Some(message) = message {
            self.relay(BOB, message);
        }
        self.deliver();
    }

    /// Delivers what both send, until they send nothing more.
    fn deliver(&mut self) {
        for _ in 0..MAX_ROUNDS {
            let mut sent: Vec<_> =
                std::iter::from_fn(|| self.ada.poll_transmit()).map(|message| (ADA, message)).collect();
            assert!(sent.iter().all(|(_, message)| proto::is_sendable(message)));
            sent.extend(std::iter::from_fn(|| self.bob.poll_transmit()).map(|message| (BOB, message)));
            let ends = |event: &Event| matches!(event, Event::Ended(_));
            assert!(!std::iter::from_fn(|| self.ada.poll_event()).any(|event| ends(&event)));
            while self.bob.poll_event().is_some() {}
            if sent.is_empty() {
                return;
            }
            for (from, message) in sent {
                self.relay(from, message);
            }
        }
    }

    fn relay(&mut self, from: ParticipantId, message: Up) {
        match message {
            Up::Tell { epoch, blob } => self.log(&LogEntry::Told { from, epoch, blob }),
            Up::Commit { epoch, blob, .. } => {
                if self.accepts(from, epoch) {
                    self.log(&LogEntry::Commit { from, epoch, blob });
                }
            }
            Up::Manage { counter, command, signature, welcomes } => {
                let signed = SignedCommand { from, counter, command, signature };
                if let Ok(ManagerCommand::Commit { epoch, .. }) = signed.decode()
                    && self.accepts(from, epoch)
                {
                    self.log(&LogEntry::Managed { signed });
                    for welcome in welcomes {
                        self.admit(welcome, epoch);
                    }
                }
            }
            Up::Tree { first, part } => {
                if first {
                    self.tree.clear();
                }
                self.tree.push(part);
            }
            Up::Knock { request, .. } => {
                self.ada.handle_message(Down::Knocked { participant: from, request }, self.now);
            }
            Up::Relay { blob } => self.send_to_other(from, Down::Relayed { from, blob }),
            Up::Beacon { beacon } => self.send_to_other(from, Down::MemberBeacon { from, beacon }),
            // The server answers these, and needs no answer here.
            Up::Hello { .. }
            | Up::Create { .. }
            | Up::Approach { .. }
            | Up::Leave
            | Up::Return { .. }
            | Up::Pong { .. }
            | Up::Resume { .. }
            | Up::Lobby { .. } => {}
        }
    }

    /// Returns true if a commit is the first one for the epoch of the log. The author of another one learns that it came too late.
    fn accepts(&mut self, from: ParticipantId, epoch: Epoch) -> bool {
        if epoch == self.epoch {
            self.epoch = epoch.next();
            return true;
        }
        let author = if from == ADA { &mut self.ada } else { &mut self.bob };
        author.handle_message(Down::CommitTooLate { epoch }, self.now);
        false
    }

    fn send_to_other(&mut self, from: ParticipantId, message: Down) {
        let other = if from == ADA { &mut self.bob } else { &mut self.ada };
        other.handle_message(message, self.now);
    }

    fn log(&mut self, entry: &LogEntry) {
        let position = self.next;
        self.next = Position(position.0 + 1);
        for client in [&mut self.ada, &mut self.bob] {
            if client.policy().is_some() {
                client.handle_message(Down::Log { position, entry: entry.clone() }, self.now);
            }
        }
    }

    /// Lets Bob in, after the commit for it is in the log.
    fn admit(&mut self, welcome: Welcome, epoch: Epoch) {
        let tree = self.tree.iter().map(|part| part.0.len()).sum::<usize>();
        let admitted = Down::Admitted {
            welcome: welcome.blob,
            position: self.next,
            epoch: epoch.next(),
            gone: Vec::new(),
            resume: ResumeToken([9; 32]),
            tree: u32::try_from(tree).expect("it is small"),
        };
        self.bob.handle_message(admitted, self.now);
        for part in std::mem::take(&mut self.tree) {
            self.bob.handle_message(Down::Tree { part }, self.now);
        }
    }
}

/// Returns messages as members send them, forged ones, and whole rounds.
pub(super) fn messages() -> Vec<Vec<u8>> {
    let step = |kind: u8, content: &[u8]| [&[kind], content].concat();
    let plain = vectors::member_messages().into_iter().map(|(_, bytes)| bytes);
    let forged = hostile::all(BOB, &[ADA]).into_iter().map(|forged| forged.encode());
    let told: Vec<_> = plain.chain(forged).map(|plaintext| step(0, &plaintext)).collect();
    let chats = chat::samples().into_iter().map(|body| step(1, &body));
    let typed = chat::typing_samples().into_iter().map(|body| step(2, &body));
    let beacons = [[1; 56], [0xff; 56]].map(|content| step(3, &content));
    let others: Vec<_> = chats.chain(typed).chain(beacons).collect();
    let wait = step(9, &[200]);
    let round = |list: &[Vec<u8>]| joined(list.iter().flat_map(|step| [step.as_slice(), &wait]));
    let comparison = [vec![4], wait.clone(), told[told.len() / 2].clone()];
    told.chunks(6).chain(others.chunks(6)).map(round).chain([round(&comparison)]).collect()
}

fn beacon(content: &[u8]) -> Option<MemberBeacon> {
    let (counter, rest) = content.split_first_chunk::<8>()?;
    let (epoch, rest) = rest.split_first_chunk::<8>()?;
    let (mls_epoch, rest) = rest.split_first_chunk::<8>()?;
    let [counter, epoch, mls_epoch] = [counter, epoch, mls_epoch].map(|bytes| u64::from_be_bytes(*bytes));
    let transcript = *rest.first_chunk::<32>()?;
    Some(MemberBeacon { counter, epoch: Epoch(epoch), mls_epoch, transcript, signature: [0; 64] })
}

fn meeting(entry: Entry, now: Instant) -> Meeting {
    let start = SystemTime::now();
    Meeting::new(entry, Box::new(move |at| start + at.saturating_duration_since(now)), now)
}

fn hello(participant: ParticipantId) -> Down {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Down::Hello { version: VERSION, participant, time: since.map_or(0, |since| since.as_secs()) }
}

fn identity() -> Identity {
    Identity::generate().expect("the system has randomness")
}

fn profile(name: &str) -> Profile {
    Profile::new(name).expect("a valid name")
}

/// Messages of one input that are handled.
const MAX_PARTS: usize = 64;
/// Both answer each other less often.
const MAX_ROUNDS: usize = 100;
