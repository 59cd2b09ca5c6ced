use super::*;
use crypto::{Identity, ManagerKeys, Profile};
use futures_util::FutureExt as _;
use proto::{Epoch, ParticipantId, Position, Problem, Reason, ResumeToken, VERSION};
use std::sync::mpsc as blocking;

/// The maximum time of a test.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A thread under test with its command channel and its key ring.
struct Running {
    keys: KeysThread,
    commands: mpsc::Sender<Command>,
    ring: KeyRing,
}

impl Running {
    fn new(create: impl FnOnce() -> Meeting + Send + 'static) -> Self {
        let (commands, inbox) = mpsc::channel(8);
        let ring = KeyRing::new();
        let address = Address { host: "meet.example".into(), port: 443, fingerprint: None };
        let setup = Setup { commands: inbox, ring: ring.clone(), address, shared: Shared::default() };
        Self { keys: KeysThread::spawn_with(setup, create).unwrap(), commands, ring }
    }

    /// Returns a thread that does nothing until the returned sender is dropped.
    fn held() -> (Self, blocking::SyncSender<()>) {
        let (release, held) = blocking::sync_channel(0);
        let running = Self::new(move || {
            let _ = held.recv();
            organiser()
        });
        (running, release)
    }

    fn receive(&self, message: Down) {
        self.keys.inbox.send(Input::Message(message));
    }
}

fn organiser() -> Meeting {
    organiser_since(Instant::now())
}

fn organiser_since(start: Instant) -> Meeting {
    let (identity, profile) = (Identity::generate().unwrap(), Profile::new("Ada").unwrap());
    let entry = Entry::Create { keys: ManagerKeys::new().unwrap(), identity, profile };
    Meeting::new(entry, Box::new(|_| SystemTime::now()), start)
}

fn hello() -> Down {
    let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    Down::Hello { version: VERSION, participant: ParticipantId(1), time }
}

fn block<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(TIMEOUT, future).await.expect("the thread answers in time") })
}

/// Returns the messages that the thread sends until it ends, and the reason for the end.
async fn rest(keys: &mut KeysThread) -> (Vec<Up>, Option<Reason>) {
    let (mut sent, mut reason) = (Vec::new(), None);
    while let Some(output) = keys.outputs.recv().await {
        match output {
            Output::Send(message) => sent.push(message),
            Output::Event(Event::Meeting(meeting::Event::Ended(why))) => reason = Some(why),
            Output::Event(_) | Output::Reconnect => {}
        }
    }
    (sent, reason)
}

#[test]
fn a_full_inbox_has_no_room_and_loses_nothing() {
    let (mut running, release) = Running::held();
    let mut accepted = 0;
    while accepted <= MAX_INPUTS && running.keys.inbox.room().now_or_never().is_some() {
        running.receive(Down::Ping);
        accepted += 1;
    }
    assert_eq!(accepted, MAX_INPUTS);
    drop(release);
    block(async {
        running.keys.inbox.room().await;
        running.keys.inbox.send(Input::Disconnected);
        let (sent, _) = rest(&mut running.keys).await;
        assert_eq!(sent.iter().filter(|message| **message == Up::Pong { position: Position(0) }).count(), MAX_INPUTS);
    });
}

#[test]
fn leave_does_not_wait_behind_the_servers_messages() {
    let (mut running, release) = Running::held();
    for _ in 0..MAX_INPUTS {
        running.receive(Down::Ping);
    }
    running.commands.try_send(Command::Leave).unwrap();
    drop(release);
    let (sent, reason) = block(rest(&mut running.keys));
    assert_eq!((sent, reason), (vec![Up::Hello { version: VERSION }, Up::Leave], Some(Reason::Left)));
}

#[test]
fn leave_is_sent_when_the_last_handle_is_dropped() {
    let Running { mut keys, commands, .. } = Running::new(organiser);
    drop(commands);
    let (sent, reason) = block(rest(&mut keys));
    assert_eq!((sent.last(), reason), (Some(&Up::Leave), Some(Reason::Left)));
}

#[test]
fn closing_sends_leave() {
    let (running, release) = Running::held();
    running.receive(Down::Ping);
    drop(release);
    let mut sent = Vec::new();
    block(running.keys.close(|message| sent.push(message))).unwrap();
    assert_eq!(sent.last(), Some(&Up::Leave));
}

#[test]
fn a_panic_is_an_error() {
    let mut running = Running::new(|| panic!("on purpose"));
    block(async {
        assert!(running.keys.outputs.recv().await.is_none());
        assert!(matches!(running.keys.close(|_| ()).await, Err(Error::KeysThread)));
    });
}

#[test]
fn timers_run_on_the_thread() {
    let early = meeting::SERVER_TIMEOUT.checked_sub(Duration::from_millis(50)).unwrap();
    let mut running = Running::new(move || organiser_since(Instant::now().checked_sub(early).unwrap()));
    assert_eq!(block(rest(&mut running.keys)).1, Some(Reason::ServerSilent));
}

#[test]
fn keys_are_in_the_ring_before_their_event_and_gone_at_the_end() {
    let mut running = Running::new(organiser);
    running.receive(hello());
    running.receive(Down::Created { resume: ResumeToken([1; 32]) });
    block(async {
        let mut rekeyed = false;
        while let Some(output) = running.keys.outputs.recv().await {
            match output {
                Output::Event(Event::Rekeyed(epoch)) => {
                    rekeyed = true;
                    assert_eq!((epoch, running.ring.epoch()), (Epoch(0), Some(Epoch(0))));
                    running.receive(Down::Problem { problem: Problem::Draining });
                }
                Output::Event(Event::Meeting(meeting::Event::Ended(reason))) => {
                    assert_eq!((reason, running.ring.epoch()), (Reason::Draining, None));
                }
                Output::Event(_) | Output::Send(_) | Output::Reconnect => {}
            }
        }
        assert!(rekeyed);
    });
}

#[test]
fn the_organiser_can_come_back_after_the_meeting_has_ended() {
    let (commands, inbox) = mpsc::channel(8);
    let address = Address { host: "meet.example".into(), port: 443, fingerprint: None };
    let shared = Shared::default();
    let setup = Setup { commands: inbox, ring: KeyRing::new(), address, shared: shared.clone() };
    let mut keys = KeysThread::spawn_with(setup, organiser).unwrap();
    keys.inbox.send(Input::Message(hello()));
    keys.inbox.send(Input::Message(Down::Created { resume: ResumeToken([1; 32]) }));
    block(async {
        while let Some(output) = keys.outputs.recv().await {
            if matches!(output, Output::Event(Event::Meeting(meeting::Event::Entered { .. }))) {
                assert!(shared.take_return_entry().is_none(), "the meeting has not ended");
                commands.try_send(Command::Leave).unwrap();
            }
        }
    });
    assert!(matches!(shared.take_return_entry(), Some(Entry::Return { .. })));
    assert!(shared.take_return_entry().is_none());
}
