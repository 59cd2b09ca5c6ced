//! What a user can expect of a path that was tested, and what limits it. Pure.

use net::{MediaPath, PathFigures, PathReport};
use std::time::Duration;

/// The verdict on a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionVerdict {
    /// What to expect of a meeting.
    pub quality: ConnectionQuality,
    /// What limits it most, or may limit it. `None` if nothing does. All causes are in the user's network, or between it and the
    /// server.
    pub cause: Option<ConnectionCause>,
}

/// What to expect of a meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConnectionQuality {
    /// Not even sound.
    Unusable,
    /// Sound without video.
    SoundOnly,
    /// Video in its smallest sizes: at most 360 lines.
    SmallVideo,
    /// Video with 720 lines.
    Good,
}

/// What limits a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectionCause {
    /// UDP does not reach the server, so media go through its TCP port.
    UdpBlocked,
    /// The uplink is narrow.
    Upload,
    /// The downlink is narrow.
    Download,
    /// Packets are lost.
    Loss,
    /// The round trip is long, or the jitter is high.
    Delay,
}

impl ConnectionVerdict {
    /// Judges a path.
    #[must_use]
    pub fn of(report: &PathReport) -> Self {
        let figures = &report.figures;
        let by_rate = by_rate(figures.up.as_bps().min(figures.down.as_bps()));
        let lost = figures.lost_up.max(figures.lost_down);
        let by_loss = match lost {
            lost if lost > 40.0 => ConnectionQuality::Unusable,
            lost if lost > 25.0 => ConnectionQuality::SoundOnly,
            lost if lost > 15.0 => ConnectionQuality::SmallVideo,
            _ => ConnectionQuality::Good,
        };
        let quality = by_rate.min(by_loss);
        let is_late = figures.round_trip > LATE || figures.jitter > UNSTEADY;
        let cause = match (report.path, quality) {
            (MediaPath::Tls | MediaPath::Relay, _) => Some(ConnectionCause::UdpBlocked),
            (MediaPath::Udp, _) if by_loss < by_rate || lost > LOSSY => Some(ConnectionCause::Loss),
            (MediaPath::Udp, quality) if quality < ConnectionQuality::Good => Some(narrow(figures)),
            (MediaPath::Udp, _) => is_late.then_some(ConnectionCause::Delay),
        };
        Self { quality, cause }
    }
}

fn by_rate(bits_per_second: u64) -> ConnectionQuality {
    match bits_per_second {
        GOOD.. => ConnectionQuality::Good,
        SMALL..GOOD => ConnectionQuality::SmallVideo,
        SOUND..SMALL => ConnectionQuality::SoundOnly,
        ..SOUND => ConnectionQuality::Unusable,
    }
}

/// Returns the narrower direction.
fn narrow(figures: &PathFigures) -> ConnectionCause {
    if figures.is_downlink_narrower() { ConnectionCause::Download } else { ConnectionCause::Upload }
}

/// A camera with 720 lines at a good quality, and sound, in bits per second.
const GOOD: u64 = 1_200_000;

/// The smallest picture and sound, in bits per second.
const SMALL: u64 = 150_000;

/// Sound, in bits per second.
const SOUND: u64 = 30_000;

/// A loss above this is reported as a cause, in percent. A lower loss is repaired.
const LOSSY: f32 = 5.0;

/// A round trip above this is noticed in a conversation (ITU-T G.114: 150 ms in each direction).
const LATE: Duration = Duration::from_millis(300);

/// Jitter above this delays sound.
const UNSTEADY: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use super::*;
    use media::Bitrate;

    const GOOD_PATH: PathFigures = PathFigures {
        round_trip: Duration::from_millis(20),
        jitter: Duration::from_millis(1),
        lost_up: 0.0,
        lost_down: 0.0,
        up: Bitrate::kbps(2_900),
        down: Bitrate::kbps(2_900),
        is_full: false,
    };

    #[test]
    fn each_path_has_a_quality_and_its_most_important_cause() {
        use ConnectionCause as C;
        use ConnectionQuality as Q;
        let rates = |up, down| PathFigures { up: Bitrate::kbps(up), down: Bitrate::kbps(down), ..GOOD_PATH };
        for (path, figures, quality, cause) in [
            (MediaPath::Udp, GOOD_PATH, Q::Good, None),
            (MediaPath::Udp, rates(1_250, 1_250), Q::Good, None),
            (MediaPath::Udp, rates(800, 790), Q::SmallVideo, Some(C::Upload)),
            (MediaPath::Udp, rates(1_200, 600), Q::SmallVideo, Some(C::Download)),
            (MediaPath::Udp, rates(100, 95), Q::SoundOnly, Some(C::Upload)),
            (MediaPath::Udp, rates(300, 100), Q::SoundOnly, Some(C::Download)),
            (MediaPath::Udp, rates(20, 20), Q::Unusable, Some(C::Upload)),
            (MediaPath::Udp, PathFigures { lost_up: 8.0, ..GOOD_PATH }, Q::Good, Some(C::Loss)),
            (MediaPath::Udp, PathFigures { lost_down: 20.0, ..GOOD_PATH }, Q::SmallVideo, Some(C::Loss)),
            (MediaPath::Udp, PathFigures { lost_down: 30.0, ..GOOD_PATH }, Q::SoundOnly, Some(C::Loss)),
            (MediaPath::Udp, PathFigures { lost_up: 50.0, ..GOOD_PATH }, Q::Unusable, Some(C::Loss)),
            (
                MediaPath::Udp,
                PathFigures { round_trip: Duration::from_millis(400), ..GOOD_PATH },
                Q::Good,
                Some(C::Delay),
            ),
            (MediaPath::Udp, PathFigures { jitter: Duration::from_millis(80), ..GOOD_PATH }, Q::Good, Some(C::Delay)),
            (MediaPath::Tls, GOOD_PATH, Q::Good, Some(C::UdpBlocked)),
            (MediaPath::Tls, rates(500, 500), Q::SmallVideo, Some(C::UdpBlocked)),
        ] {
            assert_eq!(
                ConnectionVerdict::of(&PathReport { path, figures }),
                ConnectionVerdict { quality, cause },
                "{path:?} {figures:?}"
            );
        }
    }
}
