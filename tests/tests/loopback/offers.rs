//! Offers whose session description is valid and whose lists and numbers are absurd, by a member and by strangers.

use crate::attacks::{assert_the_others_continue, memory};
use crate::client::Client;
use crate::insider::{Insider, signal};
use crate::{all_receive, meeting, run, server};
use proto::{
    Blob, ClientMessage, ClientSignal, DownlinkSettings, Kind, ParticipantId, Published, Slot, SpatialLayer,
    Subscription, TileWish, ToSfu, TrackId,
};
use std::time::Duration;
use tests::attack::wire::{Received, Wire, another_address};

/// Changes what an offer publishes, its subscriptions, and its shared voices.
type Change<'c> = dyn Fn(&mut Vec<Published>, &mut Vec<Subscription>, &mut Vec<String>) + 'c;

/// Returns the offers, from the last one of a member.
fn absurd_offers(of: &Insider, victim: TrackId) -> Vec<ClientMessage> {
    let ClientMessage::Sfu(ToSfu::Signal(Blob(bytes))) = of.repeated_offer(2, true) else { panic!("it is an offer") };
    let Ok(ClientSignal::Offer { sdp, published, .. }) = proto::decode_signal(&bytes) else { panic!("it is an offer") };
    let (mid, layer) = (published[0].mid.clone(), published[0].layers[0]);
    let offer = |change: &Change<'_>| {
        let (mut published, mut subscriptions, mut voices) = (published.clone(), Vec::new(), Vec::new());
        change(&mut published, &mut subscriptions, &mut voices);
        let (number, sdp, downlink) = (2, sdp.clone(), None);
        signal(&ClientSignal::Offer { number, sdp, published, subscriptions, voices, downlink })
    };
    let subscribed = |mid: &str, track| Subscription { mid: mid.to_owned(), track };
    let nobody = TrackId { owner: ParticipantId(u64::MAX), slot: Slot::Screen };
    let rate = |max_bitrate, last_bitrate| {
        let (number, sdp, downlink) = (2, sdp.clone(), Some(DownlinkSettings { max_bitrate, last_bitrate }));
        let (published, subscriptions, voices) = (published.clone(), Vec::new(), Vec::new());
        signal(&ClientSignal::Offer { number, sdp, published, subscriptions, voices, downlink })
    };
    let wish =
        |track| TileWish { track, width: u16::MAX, height: 1, frames_per_second: 255, priority: 255, hidden: false };
    vec![
        offer(&|_, _, voices| *voices = vec![mid.clone(); 8]),
        offer(&|_, _, voices| *voices = (0..8).map(|voice| format!("no{voice}")).collect()),
        offer(&|_, _, voices| *voices = vec![String::new(); 8]),
        offer(&|_, _, voices| *voices = vec![mid.clone(); 9]),
        offer(&|_, _, voices| *voices = (0..9_000).map(|voice| format!("{voice}")).collect()),
        offer(&|_, _, voices| *voices = vec!["x".repeat(200_000)]),
        offer(&|_, subscriptions, _| *subscriptions = vec![subscribed(&mid, victim); 3_072]),
        offer(&|_, subscriptions, _| *subscriptions = vec![subscribed("no", nobody); 3_072]),
        offer(&|_, subscriptions, _| *subscriptions = vec![subscribed("no", nobody); 3_073]),
        offer(&|_, subscriptions, voices| {
            (*subscriptions, *voices) = (vec![subscribed(&mid, victim)], vec![mid.clone()]);
        }),
        offer(&|published, _, _| *published = vec![published[0].clone(); 8]),
        offer(&|published, _, _| *published = vec![published[0].clone(); 200]),
        offer(&|published, _, _| published[0].layers = vec![layer; 8]),
        offer(&|published, _, _| published[0].layers = vec![layer; 5_000]),
        offer(&|published, _, _| {
            let largest = SpatialLayer { spatial: u8::MAX, width: u16::MAX, height: u16::MAX, bitrate: u32::MAX };
            published[0].layers = vec![largest];
        }),
        offer(&|published, _, _| {
            let track = |slot, kind| Published { slot, kind, mid: mid.clone(), layers: Vec::new() };
            *published = vec![track(Slot::Microphone, Kind::Video), track(Slot::Camera, Kind::Audio)];
        }),
        rate(Some(0), Some(0)),
        rate(Some(u32::MAX), Some(u32::MAX)),
        rate(Some(1), Some(u32::MAX)),
        signal(&ClientSignal::Wishes { tiles: vec![wish(victim); 1_024] }),
        signal(&ClientSignal::Wishes { tiles: vec![wish(nobody); 1_025] }),
    ]
}

/// A member sends all of them, each in a connection of its own, because the server may close it.
async fn send_as_member(clients: &[Client]) -> usize {
    let victim = clients[0].camera();
    let mut closed = 0;
    for index in 0.. {
        let mut insider = Insider::join(&clients[0].link()).await;
        let Some(message) = absurd_offers(&insider, victim).into_iter().nth(index) else {
            insider.vanish().await;
            return closed;
        };
        insider.send_message(&message).await;
        insider.listen(Duration::from_millis(100)).await;
        // A member that is not disconnected can send pictures.
        for packet in insider.picture() {
            insider.try_send_packet(packet).await;
        }
        closed += usize::from(!insider.is_connected().await);
        insider.vanish().await;
    }
    closed
}

#[test]
fn absurd_lists_in_offers_of_a_member_disturb_no_client_and_fill_no_memory() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 2).await;
        all_receive(&clients, 10).await;
        let mut used = Vec::new();
        for _ in 0..2 {
            let closed = Box::pin(send_as_member(&clients)).await;
            used.push(memory());
            println!("{closed} of the senders were disconnected, {} MiB", memory());
            assert!(closed >= 5, "lists beyond the bounds of the protocol are refused");
            assert_the_others_continue(&clients).await;
        }
        // The first round grows pools and caches to their bounds. The second one may add little.
        assert!(used[1] <= used[0] + 24, "{used:?} MiB");
        for client in &clients {
            client.until("only the two are left", |state| state.members.len() == 2).await;
        }
    });
}

#[test]
fn offers_of_strangers_are_not_read() {
    run(async {
        let server = server().await;
        let clients = meeting(&server, 2).await;
        all_receive(&clients, 10).await;
        let insider = Insider::join(&clients[0].link()).await;
        let offers = absurd_offers(&insider, clients[0].camera());
        insider.vanish().await;
        let before = memory();
        for _ in 0..3 {
            for offer in &offers {
                let mut stranger = Wire::greeted(another_address(), server.address()).await.unwrap();
                stranger.send_bytes(proto::encode(offer)).await;
                let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
                let closed = loop {
                    match stranger.next(deadline).await {
                        Received::Closed => break true,
                        Received::Nothing => break false,
                        Received::Message(proto::ServerMessage::Sfu(answer)) => panic!("a stranger gets {answer:?}"),
                        Received::Message(_) => {}
                    }
                };
                assert!(closed, "a stranger that sends signalling is disconnected");
            }
        }
        assert!(memory() <= before + 24, "{before} and {} MiB", memory());
        assert_the_others_continue(&clients).await;
    });
}
