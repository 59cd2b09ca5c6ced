//! Fuzz targets: every parser that reads bytes of somebody else, as a table of functions that must return.
//!
//! The replay test (tests/tests/fuzz.rs) runs the committed corpus and a bounded number of mutations through each; `cargo xtask fuzz` runs
//! the same table under libFuzzer. What a target asserts holds for any bytes whatever. Which parser has which target, and what is
//! attacked over real sockets instead, is a table in docs/security.md.

mod keys;
mod media_bytes;
mod relay;
mod wire;

/// One target.
pub struct Target {
    /// Also the name of its folder in the corpus.
    pub name: &'static str,
    /// Reads the bytes; panics where a promise is broken.
    pub run: fn(&[u8]),
    /// Fresh valid inputs, from the real encoders.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// How many mutations of each seed a run of the tests affords.
    pub mutations: usize,
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "proto_up", run: wire::up, seeds: wire::ups, mutations: 2_000 },
    Target { name: "proto_down", run: wire::down, seeds: wire::downs, mutations: 2_000 },
    Target { name: "client_signal", run: wire::client_signal, seeds: wire::client_signals, mutations: 1_000 },
    Target { name: "server_signal", run: wire::server_signal, seeds: wire::server_signals, mutations: 1_000 },
    Target { name: "native_dialect", run: wire::native, seeds: wire::negotiations, mutations: 500 },
    Target { name: "meeting", run: wire::meeting, seeds: wire::sayings, mutations: 60 },
    Target { name: "session_description", run: wire::description, seeds: wire::descriptions, mutations: 1_000 },
    Target { name: "dependency_descriptor", run: wire::descriptor, seeds: wire::descriptors, mutations: 4_000 },
    Target { name: "assembler", run: wire::assembler, seeds: wire::packets, mutations: 500 },
    Target { name: "delivery", run: relay::delivery, seeds: relay::conversations, mutations: 1_000 },
    Target { name: "relay_descriptors", run: relay::descriptors, seeds: wire::descriptors, mutations: 4_000 },
    Target { name: "invitation", run: keys::invitation, seeds: keys::invitations, mutations: 2_000 },
    Target { name: "knock", run: keys::knock, seeds: keys::knocks, mutations: 200 },
    Target { name: "knock_bent", run: keys::knock_bent, seeds: keys::scripts, mutations: 200 },
    Target { name: "welcome", run: keys::welcome, seeds: keys::welcomes, mutations: 20 },
    Target { name: "mls", run: keys::mls, seeds: keys::messages, mutations: 500 },
    Target { name: "mls_bent", run: keys::mls_bent, seeds: keys::scripts, mutations: 100 },
    Target { name: "frame", run: keys::frame, seeds: keys::frames, mutations: 1_000 },
    Target { name: "frame_bent", run: keys::frame_bent, seeds: keys::scripts, mutations: 500 },
    Target { name: "bitstream", run: media_bytes::bitstream, seeds: media_bytes::pictures, mutations: 1_000 },
    Target { name: "decoder", run: media_bytes::decoder, seeds: media_bytes::pictures, mutations: 60 },
    Target { name: "opus", run: media_bytes::opus, seeds: media_bytes::sounds, mutations: 200 },
    Target { name: "mp4", run: media_bytes::mp4, seeds: Vec::new, mutations: 300 },
    Target { name: "y4m", run: media_bytes::y4m, seeds: media_bytes::films, mutations: 500 },
    Target { name: "wav", run: media_bytes::wav, seeds: media_bytes::recordings, mutations: 200 },
];

/// The target of that name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Changes `bytes` as `script` says, five bytes a step: what, where (two bytes), with what (two bytes). True where it
/// made a difference.
fn bend(bytes: &mut Vec<u8>, script: &[u8]) -> bool {
    let before = bytes.clone();
    for step in script.as_chunks::<5>().0 {
        let [what, where_high, where_low, with, more] = *step;
        let place = usize::from(u16::from_be_bytes([where_high, where_low])) % bytes.len().max(1);
        match what % 5 {
            0 if !bytes.is_empty() => bytes[place] ^= with,
            1 => bytes.truncate(place),
            2 => bytes.insert(place.min(bytes.len()), with),
            3 => bytes.extend(std::iter::repeat_n(with, usize::from(more))),
            _ => {
                let end = (place + usize::from(more)).min(bytes.len());
                bytes.drain(place.min(end)..end);
            }
        }
    }
    *bytes != before
}

/// The parts that `bytes` say they are made of, each behind its length in two bytes.
fn parts(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (length, behind) = rest.split_first_chunk::<2>()?;
        let (part, behind) = behind.split_at(usize::from(u16::from_be_bytes(*length)).min(behind.len()));
        rest = behind;
        Some(part)
    })
}

/// The opposite of [`parts`]; a part ends at 64 KiB.
fn joined<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        let length = u16::try_from(part.len()).unwrap_or(u16::MAX);
        bytes.extend(length.to_be_bytes());
        bytes.extend(&part[..usize::from(length)]);
    }
    bytes
}
