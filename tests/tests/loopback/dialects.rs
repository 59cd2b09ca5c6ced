//! Runs the same tests of the driver with the native dialect and with dialects of other kinds of SFUs, with media over real
//! transports.

#[path = "dialects/endpoint.rs"]
mod endpoint;
#[path = "dialects/janus.rs"]
mod janus;
#[path = "dialects/livekit.rs"]
mod livekit;
#[path = "dialects/publisher.rs"]
mod publisher;

use crate::client::Client;
use crate::{fake_sfu, opened, run, server};
use janus::{Janus, JanusFormat};
use livekit::{LiveKit, LiveKitFormat};
use net::Backends;
use net::sfu::Sfu;
use net::sfu::native::Native;
use net::sfu::null::Null;
use proto::Slot;

type Dialect<'d> = &'d dyn Fn() -> Box<dyn Sfu>;

fn backends(dialect: Dialect) -> Backends {
    Backends { sfu: dialect(), ..Backends::default() }
}

async fn two_members(server: &server::Server, dialect: Dialect<'_>) -> (Client, Client) {
    let anna = Client::create_with(server, "anna", backends(dialect));
    anna.until("anna is a member", |state| state.entered.is_some()).await;
    let ben = Client::join_with(&anna.link(), "ben", backends(dialect));
    for client in [&anna, &ben] {
        client.until("both are members", |state| state.members.len() == 2).await;
    }
    (anna, ben)
}

/// Two members see and hear each other until one leaves.
async fn two_members_meet(dialect: Dialect<'_>) {
    let server = server().await;
    let (anna, ben) = two_members(&server, dialect).await;
    anna.show(&[&ben], 320, 180);
    ben.show(&[&anna], 320, 180);
    for (client, other) in [(&anna, &ben), (&ben, &anna)] {
        let (camera, voice) = (other.camera(), other.microphone());
        client.until("the other's camera arrives", |state| opened(state, camera) > 20).await;
        client.until("the other's voice arrives", |state| opened(state, voice) > 20).await;
        client.until("layers are wanted", |state| state.wanted.contains_key(&Slot::Camera)).await;
    }
    let before = ben.look(|state| state.key_frames_wanted);
    anna.session.key_frame(ben.camera());
    ben.until("a key frame is requested", |state| state.key_frames_wanted > before).await;
    let (camera, voice) = (ben.camera(), ben.microphone());
    ben.session.unpublish(Slot::Camera);
    anna.until("the camera has ended", |state| state.ended.contains(&camera)).await;
    ben.leave();
    anna.until("the voice has ended", |state| state.ended.contains(&voice)).await;
}

/// A member changes the size of a tile, and receives the layer that fits.
async fn layers_fit_tiles(dialect: Dialect<'_>) {
    let server = server().await;
    let (anna, ben) = two_members(&server, dialect).await;
    let camera = ben.camera();
    let layers = |client: &Client| client.look(|state| state.received.get(&camera).map_or([0; 3], |one| one.layers));
    anna.show(&[&ben], 320, 180);
    anna.until("the small layer arrives", |state| opened(state, camera) > 20).await;
    assert_eq!(layers(&anna)[1..], [0, 0], "a small tile gets the small layer only");
    anna.show(&[&ben], 1_280, 720);
    anna.until("the large layer arrives", |state| state.received[&camera].layers[2] > 20).await;
    let before = layers(&anna);
    anna.until("only the large layer arrives", |state| state.received[&camera].layers[2] > before[2] + 20).await;
    assert!(layers(&anna)[0] <= before[0] + 1, "a large tile gets the large layer: {before:?}, {:?}", layers(&anna));
    anna.show(&[&ben], 300, 170);
    anna.until("the small layer arrives again", |state| state.received[&camera].layers[0] > before[0] + 20).await;
    let before = layers(&anna);
    anna.until("only the small layer arrives", |state| state.received[&camera].layers[0] > before[0] + 20).await;
    assert!(layers(&anna)[2] <= before[2] + 1, "a small tile gets the small layer: {before:?}, {:?}", layers(&anna));
}

fn with_livekit<F: Future<Output = ()>>(test: impl FnOnce(String) -> F) {
    run(async { test(fake_sfu::start(LiveKitFormat::default).await).await });
}

fn with_janus<F: Future<Output = ()>>(test: impl FnOnce(String) -> F) {
    run(async { test(fake_sfu::start(JanusFormat::default).await).await });
}

#[test]
fn two_members_meet_through_the_native_dialect() {
    run(two_members_meet(&|| Box::new(Native::default())));
}

#[test]
fn two_members_meet_through_a_dialect_shaped_like_livekit() {
    with_livekit(|url| async move { two_members_meet(&|| Box::new(LiveKit::new(&url))).await });
}

#[test]
fn two_members_meet_through_a_dialect_shaped_like_janus() {
    with_janus(|url| async move { two_members_meet(&|| Box::new(Janus::new(&url))).await });
}

#[test]
fn layers_fit_tiles_through_the_native_dialect() {
    run(layers_fit_tiles(&|| Box::new(Native::default())));
}

#[test]
fn layers_fit_tiles_through_a_dialect_shaped_like_livekit() {
    with_livekit(|url| async move { layers_fit_tiles(&|| Box::new(LiveKit::new(&url))).await });
}

#[test]
fn layers_fit_tiles_through_a_dialect_shaped_like_janus() {
    with_janus(|url| async move { layers_fit_tiles(&|| Box::new(Janus::new(&url))).await });
}

#[test]
fn a_meeting_goes_on_without_an_sfu() {
    run(async {
        let server = server().await;
        let (anna, ben) = two_members(&server, &|| Box::new(Null)).await;
        ben.leave();
        anna.until("ben has left", |state| state.members.len() == 1).await;
        assert!(anna.look(|state| state.connected.is_none() && state.over.is_none()));
    });
}
