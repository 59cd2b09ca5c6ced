//! Fuzz targets: a table of functions, one for each parser of untrusted bytes.
//!
//! The replay test (tests/tests/fuzz.rs) runs the committed corpus and a bounded number of mutations through each target ([`replay`]);
//! `app/tests/damaged_files.rs` does the same with the files of the client. `cargo xtask fuzz` runs the same table under libFuzzer.
//! What a target asserts must hold for any bytes. A table in docs/security.md lists the target of each parser,
//! and which parsers are tested over real sockets instead.

mod certificate;
mod delivery;
mod inside;
mod insider;
mod keys;
mod media_bytes;
mod member;
mod path_test;
pub mod replay;
mod sfu;
mod wire;

/// A fuzz target.
pub struct Target {
    /// The name of the target and of its folder in the corpus.
    pub name: &'static str,
    /// Parses the bytes. Panics if an invariant does not hold.
    pub run: fn(&[u8]),
    /// Returns valid inputs from the real encoders.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// The number of mutations in one round of the tests.
    pub mutations: usize,
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "proto_up", run: wire::client_message, seeds: wire::client_messages, mutations: 2_000 },
    Target { name: "proto_down", run: wire::server_message, seeds: wire::server_messages, mutations: 2_000 },
    Target { name: "client_signal", run: wire::client_signal, seeds: wire::client_signals, mutations: 1_000 },
    Target { name: "server_signal", run: wire::server_signal, seeds: wire::server_signals, mutations: 1_000 },
    Target { name: "native_dialect", run: wire::native, seeds: wire::negotiations, mutations: 500 },
    Target { name: "meeting", run: wire::meeting, seeds: wire::conversations, mutations: 60 },
    Target { name: "chat", run: wire::chat, seeds: wire::chats, mutations: 4_000 },
    Target { name: "typing", run: wire::typing, seeds: wire::typings, mutations: 4_000 },
    Target { name: "session_description", run: wire::description, seeds: wire::descriptions, mutations: 1_000 },
    Target { name: "dependency_descriptor", run: wire::descriptor, seeds: wire::descriptors, mutations: 4_000 },
    Target { name: "assembler", run: wire::assembler, seeds: wire::packets, mutations: 500 },
    Target { name: "tunnel_message", run: wire::tunnel_message, seeds: wire::tunnel_messages, mutations: 2_000 },
    Target { name: "path_test", run: path_test::path_test, seeds: path_test::seeds, mutations: 2_000 },
    Target { name: "proxy_answer", run: wire::proxy_answer, seeds: wire::proxy_answers, mutations: 2_000 },
    Target { name: "socks5_reply", run: wire::socks5_reply, seeds: wire::socks5_replies, mutations: 2_000 },
    Target { name: "web_page", run: wire::web_page, seeds: wire::web_pages, mutations: 2_000 },
    Target { name: "ice_answer", run: wire::ice_answer, seeds: wire::ice_answers, mutations: 2_000 },
    Target { name: "turn_answer", run: wire::turn_answer, seeds: wire::turn_answers, mutations: 2_000 },
    Target { name: "turn_stream", run: wire::turn_stream, seeds: wire::turn_streams, mutations: 2_000 },
    Target { name: "delivery", run: delivery::delivery, seeds: delivery::scripts, mutations: 1_000 },
    Target { name: "stored_meeting", run: delivery::stored, seeds: delivery::stored_meetings, mutations: 1_000 },
    Target { name: "metrics_request", run: sfu::metrics_request, seeds: sfu::metrics_requests, mutations: 1_000 },
    Target { name: "offer", run: sfu::offer, seeds: sfu::offers, mutations: 300 },
    Target { name: "datagram", run: sfu::datagrams, seeds: sfu::packets, mutations: 500 },
    Target { name: "invitation", run: keys::invitation, seeds: keys::invitations, mutations: 2_000 },
    Target { name: "name", run: keys::name, seeds: keys::names, mutations: 1_000 },
    Target { name: "authority_chain", run: keys::authority_chain, seeds: keys::authority_chains, mutations: 500 },
    Target { name: "meeting_policy", run: keys::policy, seeds: keys::policies, mutations: 4_000 },
    Target { name: "member_message", run: member::member_message, seeds: member::member_messages, mutations: 4_000 },
    Target { name: "manager_keys", run: keys::manager_keys, seeds: keys::sealed_keys, mutations: 100 },
    Target { name: "lobby", run: keys::lobby, seeds: keys::lobby_messages, mutations: 2_000 },
    Target { name: "knock", run: keys::knock, seeds: keys::knocks, mutations: 200 },
    Target { name: "knock_mutated", run: keys::knock_mutated, seeds: keys::scripts, mutations: 200 },
    Target { name: "welcome", run: keys::welcome, seeds: keys::welcomes, mutations: 20 },
    Target { name: "credential", run: inside::credential, seeds: inside::credentials, mutations: 4_000 },
    Target { name: "knock_inside", run: inside::knock_inside, seeds: keys::scripts, mutations: 20 },
    Target { name: "welcome_inside", run: inside::welcome_inside, seeds: keys::scripts, mutations: 8 },
    Target { name: "tree", run: inside::tree, seeds: keys::scripts, mutations: 8 },
    Target { name: "shared_keys", run: inside::shared_keys, seeds: keys::scripts, mutations: 20 },
    Target { name: "lobby_inside", run: inside::lobby_inside, seeds: inside::lobby_plaintexts, mutations: 4_000 },
    Target { name: "digests", run: inside::digests, seeds: inside::digest_lists, mutations: 4_000 },
    Target { name: "plain_frames", run: inside::plain_frames, seeds: inside::frame_lists, mutations: 200 },
    Target { name: "insider", run: insider::insider, seeds: insider::messages, mutations: 10 },
    Target { name: "mls", run: keys::mls, seeds: keys::messages, mutations: 500 },
    Target { name: "mls_mutated", run: keys::mls_mutated, seeds: keys::scripts, mutations: 100 },
    Target { name: "certificate", run: certificate::certificate, seeds: certificate::certificates, mutations: 1_000 },
    Target { name: "frame", run: keys::frame, seeds: keys::frames, mutations: 1_000 },
    Target { name: "sound", run: keys::sound, seeds: keys::sounds, mutations: 20_000 },
    Target { name: "frame_mutated", run: keys::frame_mutated, seeds: keys::scripts, mutations: 500 },
    Target { name: "bitstream", run: media_bytes::bitstream, seeds: media_bytes::pictures, mutations: 1_000 },
    Target { name: "decoder", run: media_bytes::decoder, seeds: media_bytes::pictures, mutations: 60 },
    Target { name: "opus", run: media_bytes::opus, seeds: media_bytes::audio_packets, mutations: 200 },
    Target { name: "mp4", run: media_bytes::mp4, seeds: Vec::new, mutations: 300 },
    Target { name: "y4m", run: media_bytes::y4m, seeds: media_bytes::video_files, mutations: 500 },
    Target { name: "wav", run: media_bytes::wav, seeds: media_bytes::audio_files, mutations: 200 },
];

/// Returns the target called `name`.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Changes `bytes` as `script` says. Each step has five bytes: the kind of change, the place (two bytes), a value, a
/// length. Returns whether the bytes differ.
fn mutate(bytes: &mut Vec<u8>, script: &[u8]) -> bool {
    let before = bytes.clone();
    for step in script.as_chunks::<5>().0 {
        let [kind, place_high, place_low, value, length] = *step;
        let place = usize::from(u16::from_be_bytes([place_high, place_low])) % bytes.len().max(1);
        match kind % 5 {
            0 if !bytes.is_empty() => bytes[place] ^= value,
            1 => bytes.truncate(place),
            2 => bytes.insert(place.min(bytes.len()), value),
            3 => bytes.extend(std::iter::repeat_n(value, usize::from(length))),
            _ => {
                let end = (place + usize::from(length)).min(bytes.len());
                bytes.drain(place.min(end)..end);
            }
        }
    }
    *bytes != before
}

/// Splits `bytes` into parts. Two bytes before each part are its length.
fn parts(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (length, following) = rest.split_first_chunk::<2>()?;
        let (part, following) = following.split_at(usize::from(u16::from_be_bytes(*length)).min(following.len()));
        rest = following;
        Some(part)
    })
}

/// Joins parts into the format that [`parts`] splits. A part is cut off at 64 KiB.
fn joined<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        let length = u16::try_from(part.len()).unwrap_or(u16::MAX);
        bytes.extend(length.to_be_bytes());
        bytes.extend(&part[..usize::from(length)]);
    }
    bytes
}
