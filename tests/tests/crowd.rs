//! 200 members join one meeting in bursts, through a real server and with real MLS, while two of them send and receive
//! media. The tasks that move media never compute for long, and media continue.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[expect(dead_code, reason = "shared with loopback.rs, which uses all of it")]
#[path = "loopback/client.rs"]
mod client;
#[path = "crowd/guest.rs"]
mod guest;
#[path = "crowd/probe.rs"]
mod probe;
#[path = "crowd/wakeup_delay.rs"]
mod wakeup_delay;

use client::Client;
use net::Backends;
use probe::{MAX_POLL, Probe};
use server::Server;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use wakeup_delay::WakeupDelay;

#[test]
fn while_200_join_no_network_task_computes_long_and_media_go_on() {
    let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("server").enable_all().build().unwrap();
    let crowd = Builder::new_multi_thread().worker_threads(1).thread_name("crowd").enable_all().build().unwrap();
    runtime.block_on(async {
        let mut config = server::Config::new("127.0.0.1:0".parse().unwrap());
        config.limits = server::Limits { members: 300, ..server::Limits::for_one_address() };
        let server = Server::start(config).await.unwrap();
        let probes = [Probe::new(), Probe::new()];
        let organiser = Client::create_with(&server, "organiser", backends(&probes[0]));
        organiser.until("the organiser is a member", |state| state.entered.is_some()).await;
        let link = organiser.link();
        let clients = [organiser, Client::join_with(&link, "observer", backends(&probes[1]))];
        wait_for_media(&clients).await;

        for probe in &probes {
            probe.start();
        }
        clients.iter().for_each(Client::forget_gaps);
        let wakeup_delay = WakeupDelay::start();
        let start = Instant::now();
        join_in_bursts(&clients, &link, &crowd).await;
        let lateness = wakeup_delay.stop();
        println!("{MEMBERS} members after {:?}; a waiting thread woke up {lateness:?} late", start.elapsed());

        for (client, probe) in clients.iter().zip(&probes) {
            let report = probe.report();
            println!("{report}");
            assert!(report.polls > 1_000, "the probe sees the tasks");
            assert!(report.long <= MAX_LONG_POLLS, "{} polls computed for more than {MAX_POLL:?}", report.long);
            let gap = client.look(|state| state.received.values().map(|received| received.longest_silence).max());
            let gap = gap.expect("media were received");
            println!("the longest gap between two frames of a track: {gap:?}");
            assert!(gap <= MAX_GAP, "no frame for {gap:?}; a waiting thread woke up {lateness:?} late");
        }
        let epoch = clients.each_ref().map(|client| client.look(|state| state.epoch));
        assert!(epoch[0] == epoch[1] && epoch[0] > u64::try_from(BURSTS.len()).unwrap(), "{epoch:?}");
    });
    crowd.shutdown_background();
    runtime.shutdown_timeout(Duration::from_secs(5));
}

fn backends(probe: &Arc<Probe>) -> Backends {
    Backends { stack: Arc::clone(probe) as Arc<_>, ..Backends::default() }
}

/// Waits until both clients receive each other.
async fn wait_for_media(clients: &[Client; 2]) {
    for client in clients {
        client.until("both are members", |state| state.members.len() == 2).await;
    }
    for (viewer, sender) in [(0, 1), (1, 0)] {
        let (viewer, sender) = (&clients[viewer], &clients[sender]);
        viewer.show(&[sender], 640, 360);
        let tracks = [sender.camera(), sender.microphone()];
        let flows = |state: &client::State| {
            tracks.iter().all(|track| state.received.get(track).is_some_and(|received| received.opened > 50))
        };
        viewer.until("media flow", flows).await;
    }
}

async fn join_in_bursts(clients: &[Client; 2], link: &str, crowd: &Runtime) {
    let mut members = clients.len();
    for burst in BURSTS {
        for _ in 0..burst {
            crowd.spawn(guest::join_and_stay(link.to_owned()));
        }
        members += burst;
        for client in clients {
            client.until("the burst has joined", |state| state.members.len() == members).await;
        }
        wait_for_a_second_of_media(clients).await;
    }
    assert_eq!(members, MEMBERS);
}

/// Waits until each of the two has opened 25 more frames of the other's camera.
async fn wait_for_a_second_of_media(clients: &[Client; 2]) {
    for (viewer, sender) in [(0, 1), (1, 0)] {
        let (viewer, sender) = (&clients[viewer], &clients[sender]);
        let (before, camera) = (opened(viewer, sender), sender.camera());
        viewer.until("frames open", |state| state.received[&camera].opened >= before + 25).await;
    }
}

fn opened(viewer: &Client, sender: &Client) -> u64 {
    let camera = sender.camera();
    viewer.look(|state| state.received[&camera].opened)
}

const MEMBERS: usize = 200;

/// How many clients join at once. A second of media passes between two bursts.
const BURSTS: [usize; 7] = [3, 10, 20, 30, 35, 40, 60];

/// How many polls may need longer than [`MAX_POLL`], because a virtual machine counts the time that its host takes away. If tasks of the network
/// computed the MLS operations of 200 joins, there would be one for each join.
const MAX_LONG_POLLS: u64 = 8;

/// The maximum time between two frames of a track, on a machine that also computes for 200 members. A camera sends one every
/// 40 ms.
const MAX_GAP: Duration = Duration::from_secs(1);
