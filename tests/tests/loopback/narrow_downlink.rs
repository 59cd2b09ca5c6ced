//! A viewer whose downlink is narrow, over real sockets.

use crate::client::{Client, State};
use crate::lossy::Lossy;
use crate::{backends_over, run, server};
use media::Bitrate;
use std::sync::Arc;
use std::time::Duration;
use tests::impairment::Impairment;

/// Returns an organiser who sends, and a guest who shows its camera in a large tile over the path.
async fn viewer_over(server: &server::Server, path: Arc<Lossy>) -> (Client, Client) {
    let organiser = Client::create(server, "organiser");
    organiser.until("the client is a member", |state| state.entered.is_some()).await;
    let guest = Client::join_with(&organiser.link(), "guest", backends_over(path));
    for client in [&organiser, &guest] {
        client.until("both are members", |state| state.members.len() == 2).await;
    }
    guest.show(&[&organiser], 1_280, 720);
    (organiser, guest)
}

fn pictures(viewer: &Client, sender: &Client) -> u64 {
    let camera = sender.camera();
    viewer.look(|state| state.received.get(&camera).map_or(0, |received| received.opened))
}

/// Counts the pictures that a viewer opens in each of the next seconds.
async fn count(viewer: &Client, sender: &Client, seconds: usize) -> Vec<u64> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.tick().await;
    let (mut before, mut counts) = (pictures(viewer, sender), Vec::new());
    for _ in 0..seconds {
        ticks.tick().await;
        let now = pictures(viewer, sender);
        counts.push(now - before);
        before = now;
    }
    counts
}

/// The sender has 25 pictures a second, and its smallest layer 150 kbit/s.
#[test]
fn a_downlink_of_300_kbit_s_carries_a_moving_picture() {
    run(async {
        let server = server().await;
        let (organiser, guest) = viewer_over(&server, Lossy::impaired(Impairment::limited(Bitrate::kbps(300)))).await;
        guest.until("pictures arrive", |state| state.received.values().any(|received| received.opened > 0)).await;
        let counts = count(&guest, &organiser, 15).await;
        println!("pictures in each second: {counts:?}");
        let moving = counts.iter().filter(|count| **count >= 10).count();
        assert!(moving >= 9, "{moving} of 15 seconds have at least 10 pictures: {counts:?}");
    });
}

#[test]
fn a_viewer_recovers_from_a_dip_of_its_downlink() {
    run(async {
        let server = server().await;
        let path = Lossy::impaired(Impairment::limited(Bitrate::kbps(10_000)));
        let (organiser, guest) = viewer_over(&server, Arc::clone(&path)).await;
        let camera = organiser.camera();
        let large = |state: &State| state.received.get(&camera).map_or(0, |received| received.layers[2]);
        guest.until("the largest layer arrives", |state| large(state) > 50).await;
        path.change(Impairment::limited(Bitrate::kbps(300)));
        let dip = count(&guest, &organiser, 8).await;
        path.change(Impairment::limited(Bitrate::kbps(10_000)));
        let before = guest.look(large);
        guest.until("the largest layer returns", |state| large(state) > before + 25).await;
        println!("pictures in each second of the dip: {dip:?}");
        let moving = dip[2..].iter().filter(|count| **count >= 10).count();
        assert!(moving >= 3, "{moving} of 6 seconds have at least 10 pictures: {dip:?}");
    });
}
