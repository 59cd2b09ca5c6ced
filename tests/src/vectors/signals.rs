//! Media signalling, the greeting of a path test, and datagrams.

use super::{hex, message};
use proto::{
    ClientSignal, DatagramQueue, DemandedLayer, DownlinkReport, DownlinkSettings, Kind, LimitCause, LimitedTrack,
    MAX_TUNNEL_AGE, MAX_TUNNEL_QUEUE, ParticipantId, PathTestGreeting, Probe, ProbeKind, Published, ServerSignal, Slot,
    SpatialLayer, Subscription, TileWish, TrackDemand, TrackId, TurnAccess, TurnServer, TurnTransport,
};
use serde_json::{Value, json};
use std::time::Instant;

const OWNER: ParticipantId = ParticipantId(9);

/// Returns each message of signalling, and the greetings.
pub(super) fn all() -> Vec<Value> {
    [of_clients(), of_servers(), greetings()].concat()
}

fn of_clients() -> Vec<Value> {
    let offer = |downlink| ClientSignal::Offer {
        number: 70_000,
        sdp: "v=0\r\n".into(),
        published: published(),
        subscriptions: vec![Subscription { mid: "3a".into(), track: track(Slot::Screen) }],
        voices: vec!["4".into(), "5".into()],
        downlink,
    };
    let says = |downlink: Value| {
        json!({"Offer": {
            "number": 70_000, "sdp": "v=0\r\n", "published": published_says(),
            "subscriptions": [{"mid": "3a", "track": {"owner": 9, "slot": "Screen"}}],
            "voices": ["4", "5"], "downlink": downlink,
        }})
    };
    let settings = |max_bitrate, last_bitrate| Some(DownlinkSettings { max_bitrate, last_bitrate });
    let tile = TileWish {
        track: track(Slot::Camera),
        width: 640,
        height: 360,
        frames_per_second: 30,
        priority: 1,
        hidden: true,
    };
    let wish = json!({
        "track": {"owner": 9, "slot": "Camera"}, "width": 640, "height": 360, "frames_per_second": 30, "priority": 1,
        "hidden": true,
    });
    let signals = [
        (offer(None), says(Value::Null)),
        (offer(settings(None, None)), says(json!({"max_bitrate": null, "last_bitrate": null}))),
        (offer(settings(Some(300_000), None)), says(json!({"max_bitrate": 300_000, "last_bitrate": null}))),
        (offer(settings(None, Some(4_000_000))), says(json!({"max_bitrate": null, "last_bitrate": 4_000_000}))),
        (ClientSignal::Wishes { tiles: vec![tile] }, json!({"Wishes": {"tiles": [wish]}})),
        (ClientSignal::Wishes { tiles: Vec::new() }, json!({"Wishes": {"tiles": []}})),
    ];
    signals.iter().map(|(signal, says)| message("ClientSignal", proto::encode(signal), says)).collect()
}

fn of_servers() -> Vec<Value> {
    let wanted = vec![
        DemandedLayer { spatial: 0, temporal_layers: 3, max_bitrate: None },
        DemandedLayer { spatial: 1, temporal_layers: 2, max_bitrate: Some(500_000) },
    ];
    let wanted_says = json!([
        {"spatial": 0, "temporal_layers": 3, "max_bitrate": null},
        {"spatial": 1, "temporal_layers": 2, "max_bitrate": 500_000},
    ]);
    let layers = |slot, wanted| ServerSignal::TrackDemand { layers: TrackDemand { slot, wanted } };
    let signals = [
        (ServerSignal::OfferRefused { number: 2 }, json!({"OfferRefused": {"number": 2}})),
        (
            ServerSignal::Tracks { owner: OWNER, tracks: published() },
            json!({"Tracks": {"owner": 9, "tracks": published_says()}}),
        ),
        (layers(Slot::Camera, wanted), json!({"TrackDemand": {"layers": {"slot": "Camera", "wanted": wanted_says}}})),
        (
            layers(Slot::Microphone, Vec::new()),
            json!({"TrackDemand": {"layers": {"slot": "Microphone", "wanted": []}}}),
        ),
        (
            ServerSignal::SoundLoss { percent: 12, max_bitrate: None },
            json!({"SoundLoss": {"percent": 12, "max_bitrate": null}}),
        ),
        (
            ServerSignal::SoundLoss { percent: 0, max_bitrate: Some(40_000) },
            json!({"SoundLoss": {"percent": 0, "max_bitrate": 40_000}}),
        ),
    ];
    let all = signals.into_iter().chain(answers()).chain(downlinks());
    all.map(|(signal, says)| message("ServerSignal", proto::encode(&signal), &says)).collect()
}

fn answers() -> [(ServerSignal, Value); 3] {
    let server = |transport, fingerprint| TurnServer { host: "a.example".into(), port: 3_478, transport, fingerprint };
    let access = TurnAccess {
        username: "1400000000:9".into(),
        password: "cGFzc3dvcmQ=".into(),
        servers: vec![
            server(TurnTransport::Udp, None),
            server(TurnTransport::Tcp, None),
            server(TurnTransport::Tls, Some([0x77; 32])),
        ],
    };
    let says = |transport: &str, fingerprint: Value| json!({"host": "a.example", "port": 3_478, "transport": transport, "fingerprint": fingerprint});
    let servers = [says("Udp", Value::Null), says("Tcp", Value::Null), says("Tls", hex([0x77; 32]).into())];
    let access_says = json!({"username": "1400000000:9", "password": "cGFzc3dvcmQ=", "servers": servers});
    let answer = |tunnel: Option<&str>, turn| ServerSignal::Answer {
        number: 70_000,
        sdp: "v=0\r\n".into(),
        tunnel: tunnel.map(str::to_owned),
        turn,
    };
    let answer_says = |tunnel: Value, turn: Value| json!({"Answer": {"number": 70_000, "sdp": "v=0\r\n", "tunnel": tunnel, "turn": turn}});
    [
        (answer(None, None), answer_says(Value::Null, Value::Null)),
        (answer(Some("dG9rZW4"), None), answer_says("dG9rZW4".into(), Value::Null)),
        (answer(None, Some(access)), answer_says(Value::Null, access_says)),
    ]
}

fn downlinks() -> [(ServerSignal, Value); 2] {
    let causes =
        [(LimitCause::Downlink, "Downlink"), (LimitCause::SoundOnly, "SoundOnly"), (LimitCause::Sender, "Sender")];
    let limited = causes.map(|(cause, _)| LimitedTrack { track: track(Slot::Camera), cause }).to_vec();
    let limited_says = causes.map(|(_, name)| json!({"track": {"owner": 9, "slot": "Camera"}, "cause": name}));
    let report = |round_trip, limited| ServerSignal::Downlink {
        report: DownlinkReport { bitrate: 300_000, lost_down: 7, lost_up: 0, round_trip, limited },
    };
    let says = |round_trip: Value, limited: Value| {
        json!({"Downlink": {"report": {
            "bitrate": 300_000, "lost_down": 7, "lost_up": 0, "round_trip": round_trip, "limited": limited,
        }}})
    };
    [
        (report(None, Vec::new()), says(Value::Null, json!([]))),
        (report(Some(450), limited), says(450.into(), json!(limited_says))),
    ]
}

fn greetings() -> Vec<Value> {
    let addresses = ["192.0.2.1", "2001:db8::1"];
    let ready = PathTestGreeting::Ready {
        key: [0x88; 16],
        port: 7_443,
        addresses: addresses.iter().filter_map(|address| address.parse().ok()).collect(),
        tunnel: true,
    };
    let says = json!({"Ready": {"key": hex([0x88; 16]), "port": 7_443, "addresses": addresses, "tunnel": true}});
    vec![
        message("PathTestGreeting", proto::encode(&ready), &says),
        message("PathTestGreeting", proto::encode(&PathTestGreeting::Busy), &json!({"Busy": {}})),
    ]
}

/// Returns messages of a media tunnel, and datagrams of a path test.
pub(super) fn datagrams() -> Vec<Value> {
    let now = Instant::now();
    let mut queue = DatagramQueue::new(MAX_TUNNEL_QUEUE, MAX_TUNNEL_AGE);
    let parts = [vec![0x80; 1], vec![0x81; 300], vec![0x82; 1_500]];
    for part in &parts {
        queue.push(part, now);
    }
    let mut tunnel = Vec::new();
    queue.pop_batch(&mut tunnel, now);
    let mut vectors = vec![json!({"kind": "tunnel", "bytes": hex(tunnel), "datagrams": parts.map(hex)})];
    for (kind, number) in [(ProbeKind::Hello, 0), (ProbeKind::Probe, 1), (ProbeKind::Echo, 2)] {
        let probe = Probe {
            key: [0x88; 16],
            kind,
            sequence: 0x0102_0304,
            sent_at: 0x0506_0708,
            cookie: 0x1112_1314_1516_1718,
            received: 9,
            received_at: 10,
        };
        vectors.push(json!({
            "kind": "probe", "bytes": hex(probe.datagram(80)), "key": hex(probe.key), "number": number,
            "sequence": probe.sequence, "sent_at": probe.sent_at, "cookie": probe.cookie, "received": 9,
            "received_at": 10,
        }));
    }
    vectors
}

fn track(slot: Slot) -> TrackId {
    TrackId { owner: OWNER, slot }
}

fn published() -> Vec<Published> {
    let layer = |spatial, width, height, bitrate| SpatialLayer { spatial, width, height, bitrate };
    let layers = vec![layer(0, 320, 180, 150_000), layer(1, 640, 360, 500_000)];
    vec![
        Published { slot: Slot::Microphone, kind: Kind::Audio, mid: "0".into(), layers: Vec::new() },
        Published { slot: Slot::Camera, kind: Kind::Video, mid: "1".into(), layers },
    ]
}

fn published_says() -> Value {
    json!([
        {"slot": "Microphone", "kind": "Audio", "mid": "0", "layers": []},
        {"slot": "Camera", "kind": "Video", "mid": "1", "layers": [
            {"spatial": 0, "width": 320, "height": 180, "bitrate": 150_000},
            {"spatial": 1, "width": 640, "height": 360, "bitrate": 500_000},
        ]},
    ])
}
