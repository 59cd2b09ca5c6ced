//! What is kept of a packet that was sent, to send it again. Keeping it allocates nothing: packets own a list of their header
//! extensions, and a clone would make another one.

use bytes::Bytes;
use rtc::rtp;

/// A packet without what its repetition says anew.
#[derive(Clone, Debug)]
pub struct SentPacket {
    /// True on the last packet of a picture.
    pub marker: bool,
    /// Its time, 90 kHz for pictures, 48 kHz for sound.
    pub timestamp: u32,
    /// Its piece of the frame.
    pub payload: Bytes,
    extensions: [Option<(u8, Bytes)>; MAX_EXTENSIONS],
}

impl SentPacket {
    /// Keeps `packet`, but for the header extensions in `except`.
    pub fn of(packet: &rtp::Packet, except: [Option<u8>; 2]) -> Self {
        let mut extensions = <[Option<(u8, Bytes)>; MAX_EXTENSIONS]>::default();
        let kept = packet.header.extensions.iter().filter(|extension| !except.contains(&Some(extension.id)));
        for (place, extension) in extensions.iter_mut().zip(kept) {
            *place = Some((extension.id, extension.payload.clone()));
        }
        let rtp::Header { marker, timestamp, .. } = packet.header;
        Self { marker, timestamp, payload: packet.payload.clone(), extensions }
    }

    /// Ids and values of the header extensions.
    pub fn extensions(&self) -> impl Iterator<Item = (u8, Bytes)> {
        self.extensions.iter().flatten().cloned()
    }
}

/// Extensions that are kept: the descriptor is the only one of ours; the transport adds one or two.
const MAX_EXTENSIONS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_kept_without_the_name_of_its_stream() {
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
