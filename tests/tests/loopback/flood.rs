//! A flood of commits that no member can merge, for the current epoch, while the organiser is 100 ms away.
//!
//! Against version 2 of the protocol, 45 of them a second from one guest kept the organiser's removals and admissions from
//! ever winning: each advanced the epoch of the server, and the organiser's commit was always too late.

use crate::client::Client;
use crate::{opened, run, server};
use crypto::Invitation;
use proto::ParticipantId;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tests::attack::guest::{Guest, void};
use tests::attack::wire::another_address;
use tests::delay_proxy::forward;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

/// Returns a port by which the server is reached with a round trip of 100 ms.
async fn far_away(server: SocketAddr) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (_, while_paused) = watch::channel(false);
            tokio::spawn(forward(client, server, ROUND_TRIP, while_paused));
        }
    });
    port
}

/// Returns the organiser's link with the address of the server, which has no delay.
fn direct_link(organiser: &Client, server: SocketAddr) -> String {
    let link: Invitation = organiser.link().parse().unwrap();
    link.at("127.0.0.1", server.port(), link.fingerprint).to_text().to_string()
}

/// Several hostile members. Each has its own address.
struct Flood {
    ids: Vec<ParticipantId>,
    tasks: Vec<JoinHandle<u32>>,
    stop: watch::Sender<bool>,
}

impl Flood {
    /// Lets them join, and begins when all members know them.
    async fn start(organiser: &Client, server: SocketAddr) -> Self {
        let (link, mut guests) = (direct_link(organiser, server), Vec::new());
        for _ in 0..FLOODERS {
            guests.push(Guest::join(&link, another_address(), server).await.unwrap());
        }
        let ids: Vec<_> = guests.iter().map(|guest| guest.facts.me).collect();
        let all = |members: &[ParticipantId]| ids.iter().all(|id| members.contains(id));
        organiser.until("the flooders are members", |state| all(&state.members)).await;
        let (stop, until_stopped) = watch::channel(false);
        let tasks = guests.into_iter().map(|guest| tokio::spawn(flood(guest, until_stopped.clone()))).collect();
        Self { ids, tasks, stop }
    }

    /// Stops it. Returns how many commits each sent.
    async fn end(self, organiser: &Client) -> Vec<u32> {
        self.stop.send_replace(true);
        let mut sent = Vec::new();
        for task in self.tasks {
            sent.push(task.await.unwrap());
        }
        for id in self.ids {
            let out = |members: &[ParticipantId]| !members.contains(&id);
            organiser.until("a void commit costs its sender the membership", |state| out(&state.members)).await;
        }
        sent
    }
}

/// Sends a void commit for the current epoch 45 times a second, until it is disconnected or stopped. Returns how many.
async fn flood(mut guest: Guest, stop: watch::Receiver<bool>) -> u32 {
    let mut pace = tokio::time::interval(Duration::from_millis(22));
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sent = 0;
    while !guest.seen.is_out() && !*stop.borrow() {
        pace.tick().await;
        guest.wire.send(&void(guest.facts.epoch)).await;
        sent += 1;
        // It learns the next epoch, also that of its own commit.
        guest.listen(Duration::from_millis(5), |guest| guest.seen.is_out()).await;
    }
    assert_eq!(guest.seen.problem, None, "it is not disconnected for sending too much");
    sent
}

/// Asserts that each flooder has sent several void commits: until the organiser, who is 100 ms away, has removed it. If the server refused
/// the first one, there would be no flood.
fn assert_is_flood(sent: &[u32]) {
    assert!(sent.len() == FLOODERS && sent.iter().all(|sent| *sent >= 2), "{sent:?}");
}

#[test]
fn a_flood_of_void_commits_for_the_current_epoch_delays_neither_removals_nor_admissions() {
    run(async {
        let server = server().await;
        let address = server.address();
        let organiser = Client::create_over(&server, far_away(address).await, "organiser");
        organiser.until("it is a member", |state| state.entered.is_some()).await;
        let guest = Client::join(&direct_link(&organiser, address), "guest");
        guest.until("it is a member", |state| state.entered.is_some()).await;
        let link = direct_link(&organiser, address);
        let flood = Flood::start(&organiser, address).await;
        let start = Instant::now();
        let late = Client::join(&link, "late");
        late.until_within(LIMIT, "the newcomer is admitted", |state| state.entered.is_some()).await;
        let admission = start.elapsed();
        let sent = flood.end(&organiser).await;
        println!("admitted within {admission:?}, {sent:?} void commits");
        assert_is_flood(&sent);
        let flood = Flood::start(&organiser, address).await;
        let (start, victim) = (Instant::now(), late.me());
        organiser.remove(victim);
        for client in [&organiser, &guest] {
            client.until_within(LIMIT, "the removal lands", |state| !state.members.contains(&victim)).await;
        }
        let removal = start.elapsed();
        let sent = flood.end(&organiser).await;
        println!("removed within {removal:?}, {sent:?} void commits");
        assert_is_flood(&sent);
        for track in [guest.microphone(), guest.camera()] {
            let before = organiser.look(|state| opened(state, track));
            organiser.until("the guest is heard and seen", |state| opened(state, track) > before + 50).await;
        }
        for client in [&organiser, &guest] {
            client.look(|state| assert_eq!((state.reconnecting, &state.over), (0, &None)));
        }
    });
}

const ROUND_TRIP: Duration = Duration::from_millis(100);
/// A void commit costs its sender the membership, so that one flooder alone is soon out.
const FLOODERS: usize = 4;
/// A join has several round trips and new keys, and the machine may be busy. Without the limits of the server, the flood
/// delays them for as long as it lasts.
const LIMIT: Duration = Duration::from_secs(10);
