//! Chooses how sound is sent: how it is protected against loss, and how many headers and bits it has on a narrow path. Pure.
//!
//! A frame carries copies of the packets before it. More copies restore longer losses, but cost delay at the receiver and
//! bytes on every path, so the bitrate of the codec falls with their number. In-band FEC of Opus takes bits of the
//! packet itself and restores the packet before it in lower quality. Together with copies it restores one more lost packet
//! than the copies alone, for fewer bytes than another copy. docs/performance.md has the measurements
//! (`cargo xtask bench voice`).
//!
//! With a frame for each 20 ms, headers and tags take more than half of the bitrate of sound. On a narrow path, a frame has
//! two or three packets, so that more is left for pictures. That delays the sound by 20 or 40 ms.

use media::Bitrate;

/// How one voice is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protection {
    /// The number of copies in a frame: of the last 0 to 3 packets that earlier frames had.
    pub copies: u8,
    /// The number of packets that a frame has beside those copies, 1 to 3. Together with the copies, at most 4.
    pub packets_per_frame: u8,
    /// The bitrate of the codec.
    pub bitrate: Bitrate,
    /// The loss in percent that the codec's in-band FEC is made for; 0 is no FEC.
    pub fec: u8,
}

impl Protection {
    /// Returns the protection for a loss in percent.
    #[must_use]
    pub fn for_loss(percent: u8) -> Self {
        let (copies, kbps) = match percent {
            0 => (0, 32),
            1..=4 => (1, 28),
            5..=14 => (2, 24),
            15..=29 => (2, 20),
            30.. => (3, 20),
        };
        Self { copies, packets_per_frame: 1, bitrate: Bitrate::kbps(kbps), fec: FEC }
    }

    /// Returns the protection for a loss in percent on a path that has room for `max_bitrate` with all headers. `None` is a
    /// path that has room for any protection.
    #[must_use]
    pub fn for_path(percent: u8, max_bitrate: Option<Bitrate>) -> Self {
        let narrow = |copies, packets_per_frame, kbps, fec| Self {
            copies,
            packets_per_frame,
            bitrate: Bitrate::kbps(kbps),
            fec,
        };
        // A frame with copies of all packets of the frame before it, or one that a retransmission must repair. In-band FEC would
        // only restore the last of three packets.
        let forms = if percent >= MUCH_LOSS {
            [narrow(2, 2, 20, FEC), narrow(2, 2, 14, FEC), narrow(1, 3, 12, FEC)]
        } else {
            [narrow(0, 2, 24, 0), narrow(0, 3, 20, 0), narrow(0, 3, 12, 0)]
        };
        let usual = Self::for_loss(percent);
        let fits = |form: &Self| max_bitrate.is_none_or(|limit| form.bitrate_with_headers() <= limit);
        let [.., smallest] = forms;
        std::iter::once(usual).chain(forms).find(fits).unwrap_or(smallest)
    }

    /// Returns the bitrate of speech with all headers and tags.
    #[must_use]
    pub fn bitrate_with_headers(&self) -> Bitrate {
        let (packets, copies) = (u64::from(self.packets_per_frame), u64::from(self.copies));
        let payload = (packets + copies) * self.bitrate.as_bps() / 8 / PACKETS_PER_SECOND;
        let plain = INNER_HEADER + (packets + copies - 1) * COPY_HEADER + payload;
        let frame = plain.next_multiple_of(PADDING) + HEADERS;
        Bitrate::bps(frame * 8 * PACKETS_PER_SECOND / packets.max(1))
    }
}

impl Default for Protection {
    /// Returns the protection while no loss is known.
    fn default() -> Self {
        Self::for_loss(0)
    }
}

/// The loss in percent from which frames on a narrow path have copies.
const MUCH_LOSS: u8 = 5;

/// Packets of 20 ms.
const PACKETS_PER_SECOND: u64 = 50;

/// Bytes of the inner header of a frame, of the header of each further packet in it, and the unit to which it is padded
/// (docs/frames.md).
const INNER_HEADER: u64 = 12;
const COPY_HEADER: u64 = 2;
const PADDING: u64 = 32;

/// Bytes of the headers and tags of SFrame, SRTP, RTP with its extensions, UDP and IPv4.
const HEADERS: u64 = 92;

/// The loss in percent that in-band FEC is made for. With less, too few packets have it; with more, libopus takes so many
/// bits for it that the packet itself becomes worse.
const FEC: u8 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_loss_means_more_copies_and_never_more_than_three() {
        let all: Vec<Protection> = (0..=u8::MAX).map(Protection::for_loss).collect();
        assert_eq!((all[0].copies, all[2].copies, all[5].copies, all[30].copies, all[255].copies), (0, 1, 2, 3, 3));
        for pair in all.windows(2) {
            assert!(pair[0].copies <= pair[1].copies && pair[0].bitrate >= pair[1].bitrate);
        }
    }

    #[test]
    fn a_narrow_path_gets_fewer_headers_and_bits() {
        let form = |percent, kbps| {
            let form = Protection::for_path(percent, Some(Bitrate::kbps(kbps)));
            (form.packets_per_frame, form.copies, form.bitrate.as_bps() / 1_000)
        };
        assert_eq!(Protection::for_path(7, None), Protection::for_loss(7));
        assert_eq!(
            [80, 55, 42, 30, 1].map(|kbps| form(0, kbps)),
            [(1, 0, 32), (2, 0, 24), (3, 0, 20), (3, 0, 12), (3, 0, 12)]
        );
        assert_eq!([200, 70, 30].map(|kbps| form(20, kbps)), [(1, 2, 20), (2, 2, 20), (3, 1, 12)]);
        for (percent, kbps) in (0..=100).flat_map(|percent| (0..200).map(move |kbps| (percent, kbps))) {
            let form = Protection::for_path(percent, Some(Bitrate::kbps(kbps)));
            assert!((1..=3).contains(&form.packets_per_frame) && form.packets_per_frame + form.copies <= 4);
            assert!(form.bitrate_with_headers() <= Bitrate::kbps(kbps.max(40)), "{percent} %, {kbps} kbit/s: {form:?}");
        }
    }

    #[test]
    fn packets_and_their_copies_take_at_most_80_kbps() {
        for percent in 0..=100 {
            let protection = Protection::for_loss(percent);
            let sum = protection.bitrate.as_bps() * u64::from(protection.copies + 1);
            assert!(sum <= 80_000, "{percent} %: {sum} bit/s");
        }
    }
}
