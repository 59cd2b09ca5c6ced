//! Our server in this process, with clients on real sockets.

#[expect(dead_code, reason = "shared with the tests of the server, which use all of it")]
#[path = "../../../tests/server/connection.rs"]
mod connection;

use super::{Figures, LAYER, Participant, RECEIVERS, cpu_time, exchange};
use anyhow::{Context, Result};
use connection::{Connection, TestServer};
use proto::{ClientSignal, Kind, Published, ServerSignal, Slot, Subscription, TileWish, TrackId};
use server::Limits;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::runtime::Builder;

/// Measures a meeting of one sender with all receivers.
///
/// # Errors
/// Returns an error if a client does not connect.
pub fn measure() -> Result<Figures> {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let limits = Limits { silence: Duration::from_hours(1), ..Limits::for_one_address() };
    let server = runtime.block_on(TestServer::start(limits));
    let (mut participants, mut connections) = runtime.block_on(join(&server))?;
    let media_thread = || cpu_time("self", |name| name.starts_with("sfu"));
    let figures = exchange(&mut participants, media_thread, |participants| {
        runtime.block_on(async {
            let limit = Duration::from_millis(1);
            while let Some(message) = connections[0].next_within(limit).await {
                if let Some(signal) = connection::signal(message) {
                    participants[0].client.handle_signal(signal);
                }
            }
        });
    });
    drop(connections);
    runtime.block_on(server.close());
    figures
}

async fn join(server: &TestServer) -> Result<(Vec<Participant>, Vec<Connection>)> {
    let (mut anna, first) = server.pair().await;
    let mut guests = vec![first];
    for epoch in 1..u64::try_from(RECEIVERS)? {
        guests.push(server.guest(&mut anna, epoch).await);
    }
    let mut sender = Participant::new(Ipv4Addr::LOCALHOST.into())?;
    let [microphone, camera] = sender.client.add_microphone_and_camera(LAYER);
    let published = vec![
        Published { slot: Slot::Microphone, kind: Kind::Audio, mid: microphone, layers: Vec::new() },
        Published { slot: Slot::Camera, kind: Kind::Video, mid: camera, layers: vec![LAYER] },
    ];
    offer(&mut sender, &mut anna, published, Vec::new()).await?;
    let (mut participants, mut connections) = (vec![sender], vec![anna]);
    for mut connection in guests {
        let mut receiver = Participant::new(Ipv4Addr::LOCALHOST.into())?;
        let [microphone, camera] = receiver.client.add_receivers();
        let track = |slot| TrackId { owner: connections[0].id, slot };
        let camera_track = track(Slot::Camera);
        let subscriptions = vec![
            Subscription { mid: microphone, track: track(Slot::Microphone) },
            Subscription { mid: camera, track: camera_track },
        ];
        offer(&mut receiver, &mut connection, Vec::new(), subscriptions).await?;
        let tile = |track| TileWish {
            track,
            width: LAYER.width,
            height: LAYER.height,
            frames_per_second: 30,
            priority: 1,
            hidden: false,
        };
        let tiles = [camera_track, track(Slot::Microphone)].map(tile).into();
        connection.signal(&ClientSignal::Wishes { tiles }).await;
        participants.push(receiver);
        connections.push(connection);
    }
    Ok((participants, connections))
}

/// Sends a client's offer, and passes it the answer.
async fn offer(
    participant: &mut Participant,
    connection: &mut Connection,
    published: Vec<Published>,
    subscriptions: Vec<Subscription>,
) -> Result<()> {
    let sdp = participant.client.offer().context("nothing to offer")?;
    connection
        .signal(&ClientSignal::Offer { number: 1, sdp, published, subscriptions, voices: Vec::new(), downlink: None })
        .await;
    let answer = |message| connection::signal(message).filter(|signal| matches!(signal, ServerSignal::Answer { .. }));
    participant.client.handle_signal(connection.find(answer).await);
    Ok(())
}
