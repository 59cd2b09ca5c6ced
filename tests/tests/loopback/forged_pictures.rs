//! A member that seals pictures with another member's keys, and a server that presents them as those of that member.

use crate::client::{Client, State};
use crate::insider::Insider;
use crate::{opened, run, server};
use proto::{Slot, TrackId};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tests::attack::false_server::FalseServer;
use tests::attack::track_swap::{Swap, relay};

#[test]
fn pictures_in_another_members_name_are_dropped_within_a_second() {
    run(async {
        let server = server().await;
        let organiser = Client::create(&server, "organiser");
        organiser.until("it is a member", |state| state.entered.is_some()).await;
        let victim = Client::join(&organiser.link(), "victim");
        for client in [&organiser, &victim] {
            client.until("both are members", |state| state.members.len() == 2).await;
        }
        let leaf = organiser.look(|state| state.leaves[&victim.me()]);
        let (address, swap) = (server.address(), Swap::default());
        let shared = Arc::clone(&swap);
        let hostile = FalseServer::start(move |socket| relay(socket, address, Arc::clone(&shared))).await.unwrap();
        let mut insider = Insider::join_as(&organiser.link(), Some(leaf)).await;
        *swap.lock().unwrap() = Some((victim.me(), insider.me));
        let viewer = Client::join(&hostile.link(&organiser.link()).unwrap(), "viewer");
        viewer.until("it is a member", |state| state.members.len() == 4).await;
        let forged = TrackId { owner: victim.me(), slot: Slot::Camera };
        let dropped = |state: &State| state.received.get(&forged).is_some_and(|received| received.unproven > 30);
        let mut pace = tokio::time::interval(INTERVAL);
        pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let start = Instant::now();
        let (mut last, mut stall) = (start, Duration::ZERO);
        while !viewer.look(dropped) {
            assert!(start.elapsed() < Duration::from_mins(1), "forged pictures are dropped");
            pace.tick().await;
            stall = stall.max(last.elapsed());
            last = Instant::now();
            for packet in insider.picture() {
                insider.send(packet).await;
            }
            insider.listen(Duration::from_millis(1)).await;
        }
        let (shown, unproven) = viewer
            .look(|state| state.received.get(&forged).map(|received| (received.opened, received.unproven)).unwrap());
        let most = u64::try_from((BLANKED + stall).as_millis() / INTERVAL.as_millis()).unwrap();
        println!("{shown} forged pictures were shown (limit {most}), {unproven} were dropped; longest stall {stall:?}");
        assert!(shown <= most, "{shown} pictures got through, more than those of {BLANKED:?} and of {stall:?}");
        // Those who are connected to an honest server see the victim as before.
        let real = victim.camera();
        organiser.until("the organiser sees the victim", |state| opened(state, real) >= 25).await;
        insider.vanish().await;
    });
}

const INTERVAL: Duration = Duration::from_millis(33);

/// Pictures count for 900 ms without valid digests (docs/frames.md, "Digests"). If the machine stops for a while, those of that time arrive at
/// once, so the longest stall of this run is added.
const BLANKED: Duration = Duration::from_secs(1);
