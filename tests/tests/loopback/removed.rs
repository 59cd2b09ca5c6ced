//! A removed member whose client does not end itself: it keeps its keys and its transports, and goes on.

use crate::insider::Insider;
use crate::{all_receive, meeting, opened, run, server};
use crypto::{KeyRing, Leaf, Opener, ReceivedFrame, Sealed, Sealer};
use media::{BufferPool, Clock};
use proto::Slot;
use std::time::{Duration, Instant};

/// Seals a frame with the newest keys of `ring`.
fn seal(ring: &KeyRing, number: u64, pool: &BufferPool) -> Sealed {
    let picture = crate::client::picture(number, 0, true, Clock::default().now(), pool);
    Sealer::new(ring.clone(), Slot::Screen).seal(picture).expect("it has keys")
}

/// Returns whether `ring` opens the frame, of any sender.
fn opens(ring: &KeyRing, frame: &Sealed, pool: &BufferPool) -> bool {
    (0..8).any(|leaf| {
        let bytes = pool.copy(frame.bytes());
        let received = ReceivedFrame { header: *frame.header(), bytes, sequence: 0, received: Instant::now() };
        Opener::new(ring.clone(), Slot::Screen, Leaf(leaf), Clock::default()).open(received).is_ok()
    })
}

#[test]
fn a_removed_client_that_does_not_end_itself_opens_nothing_and_nobody_plays_it() {
    run(async {
        let (server, pool) = (server().await, BufferPool::new(16));
        let clients = meeting(&server, 2).await;
        all_receive(&clients, 10).await;
        let mut removed = Insider::join(&clients[0].link()).await;
        // A member whose frames the removed client gets.
        let mut friend = Insider::join(&clients[0].link()).await;
        clients[0].until("four are members", |state| state.members.len() == 4).await;
        let (id, camera) = (removed.me, removed.camera());
        let end = Instant::now() + Duration::from_secs(20);
        while clients.iter().any(|client| client.look(|state| opened(state, camera)) < 5) {
            assert!(Instant::now() < end, "its pictures are played while it is a member");
            for packet in removed.picture() {
                removed.send(packet).await;
            }
            removed.listen(Duration::from_millis(40)).await;
            friend.listen(Duration::from_millis(10)).await;
        }
        assert!(opens(removed.ring(), &seal(friend.ring(), 1, &pool), &pool), "a member opens the others' frames");
        clients[0].remove(id);
        for client in &clients {
            client.until("it is out", |state| !state.members.contains(&id) && state.ended.contains(&camera)).await;
        }
        let epoch = clients[0].look(|state| state.epoch);
        while friend.ring().epoch().is_none_or(|newest| newest.0 < epoch) {
            assert!(Instant::now() < end + Duration::from_secs(20), "the friend has the new keys");
            friend.listen(Duration::from_millis(20)).await;
        }
        let count = || clients.iter().map(|client| client.look(|state| opened(state, camera))).collect::<Vec<_>>();
        let played = count();
        for number in 0..60 {
            for packet in removed.picture() {
                removed.try_send_packet(packet).await;
            }
            removed.listen(Duration::from_millis(20)).await;
            let frame = seal(friend.ring(), 2 + number, &pool);
            assert!(!opens(removed.ring(), &frame, &pool), "it opens no later frame");
        }
        assert_eq!(count(), played, "nobody plays it");
        for client in &clients {
            client.look(|state| assert_eq!((state.reconnecting, &state.over), (0, &None)));
        }
        removed.vanish().await;
        friend.vanish().await;
    });
}

/// Nobody sends media to a member that is alone, so no frame that arrives makes it drop the keys.
#[test]
fn the_keys_of_the_epoch_before_are_gone_after_two_seconds_although_no_frame_and_no_commit_follows() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 2).await;
        clients[1].leave();
        clients[0].until("it is alone, with new keys", |state| state.members.len() == 1).await;
        let (start, epoch) = (Instant::now(), clients[0].look(|state| state.epoch));
        assert!(clients[0].ring.held() >= 2, "frames that are late can still be opened");
        let mut polls = tokio::time::interval(Duration::from_millis(20));
        while clients[0].ring.held() > 1 {
            polls.tick().await;
            assert!(start.elapsed() < Duration::from_secs(12), "the keys are still held after {:?}", start.elapsed());
        }
        println!("gone after {:?}", start.elapsed());
        assert!(start.elapsed() > Duration::from_millis(1_500), "too early for frames that are late");
        assert_eq!(clients[0].look(|state| state.epoch), epoch, "no commit followed");
    });
}
