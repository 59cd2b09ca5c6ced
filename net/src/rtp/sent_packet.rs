//! A sent packet kept for RTX. Keeping it allocates nothing, unlike a clone of the packet, which copies its list of
//! header extensions.

use bytes::Bytes;
use rtc::rtp;

/// A sent packet kept for RTX, without the fields that a retransmission rewrites.
#[derive(Clone, Debug)]
pub struct SentPacket {
    /// The RTP marker: true on the last packet of a frame.
    pub marker: bool,
    /// The RTP timestamp: 90 kHz for video, 48 kHz for audio.
    pub timestamp: u32,
    /// The payload.
    pub payload: Bytes,
    extensions: [Option<(u8, Bytes)>; MAX_EXTENSIONS],
}

impl SentPacket {
    /// Returns the kept form of `packet`: without the header extensions in `except`, and with at most four of the
    /// others.
    pub fn of(packet: &rtp::Packet, except: [Option<u8>; 2]) -> Self {
        let mut extensions = <[Option<(u8, Bytes)>; MAX_EXTENSIONS]>::default();
        let kept = packet.header.extensions.iter().filter(|extension| !except.contains(&Some(extension.id)));
        for (place, extension) in extensions.iter_mut().zip(kept) {
            *place = Some((extension.id, extension.payload.clone()));
        }
        let rtp::Header { marker, timestamp, .. } = packet.header;
        Self { marker, timestamp, payload: packet.payload.clone(), extensions }
    }

    /// Returns the ids and values of the header extensions.
    pub fn extensions(&self) -> impl Iterator<Item = (u8, Bytes)> {
        self.extensions.iter().flatten().cloned()
    }
}

/// The maximum number of extensions that are kept: our descriptor, and one or two that the stack adds.
const MAX_EXTENSIONS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mid_and_rid_are_not_kept() {
        let mut packet = rtp::Packet { payload: Bytes::from_static(b"piece"), ..rtp::Packet::default() };
        (packet.header.marker, packet.header.timestamp) = (true, 90);
        for (id, value) in [(3, "descriptor"), (1, "mid"), (2, "rid"), (5, "cc")] {
            packet.header.set_extension(id, Bytes::from_static(value.as_bytes())).unwrap();
        }
        let kept = SentPacket::of(&packet, [Some(1), Some(2)]);
        assert_eq!((kept.marker, kept.timestamp, &kept.payload[..]), (true, 90, &b"piece"[..]));
        let extensions: Vec<(u8, Bytes)> = kept.extensions().collect();
        assert_eq!(extensions, [(3, Bytes::from_static(b"descriptor")), (5, Bytes::from_static(b"cc"))]);
    }
}
