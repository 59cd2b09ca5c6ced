//! Why a picture is shown smaller or slower than its tile wishes, or not at all, and who can change it. Pure: figures of one
//! second in, a reason out.

use crate::bandwidth::{BandwidthLimit, LimitOwner};
use codec::adapt::{EncodeLimitReason, decode};
use net::meeting::SendLimit;
use proto::{LimitCause, SpatialLayer};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Why a picture is reduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limitation {
    /// Our connection to the server is lost.
    Reconnecting,
    /// The sender's connection to the server is lost.
    SenderReconnecting,
    /// Nothing has arrived yet.
    Connecting,
    /// No tile shows the track, so it is not sent to us.
    NotVisible,
    /// Our downlink has room for sound only.
    SoundOnly,
    /// Our downlink has no room for more.
    DownlinkNarrow,
    /// Our downlink loses packets, so it carries less.
    DownlinkLoss,
    /// Our uplink has no room for more. Only for tracks that we send.
    OwnUplink,
    /// The user limits what is received.
    OwnReceiveLimit,
    /// The user's organisation limits what is received.
    PolicyReceiveLimit,
    /// The user has turned off the video of the others.
    IncomingVideoOff,
    /// The user limits what is sent. Only for tracks that we send.
    OwnSendLimit,
    /// The user's organisation limits what is sent. Only for tracks that we send.
    PolicySendLimit,
    /// This computer is too slow to encode or decode more.
    OwnComputer,
    /// The battery of this computer is nearly empty, so less is encoded. Only for tracks that we send.
    OwnBattery,
    /// This computer is too hot, so less is encoded. Only for tracks that we send.
    OwnHeat,
    /// The sender's uplink has no room for more.
    SenderUplink,
    /// The sender's computer is too slow to encode more.
    SenderComputer,
    /// The sender's camera or screen has no more pixels.
    SenderSource,
    /// The sender sends less, and has not said why.
    Sender,
    /// The server forwards less although neither path nor sender is the cause.
    Server,
}

/// The party that can remove the cause of a [`Limitation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResponsibleParty {
    /// This computer.
    Computer,
    /// The user, by a setting.
    You,
    /// The user's organisation, by a policy.
    Organisation,
    /// The sender, with its computer and its network.
    Sender,
    /// The server.
    Server,
    /// The network between this computer and the server.
    Network,
}

impl Limitation {
    /// Returns the party that can remove the cause.
    #[must_use]
    pub const fn responsible_party(self) -> ResponsibleParty {
        match self {
            Self::NotVisible | Self::OwnComputer | Self::OwnBattery | Self::OwnHeat => ResponsibleParty::Computer,
            Self::OwnReceiveLimit | Self::OwnSendLimit | Self::IncomingVideoOff => ResponsibleParty::You,
            Self::PolicyReceiveLimit | Self::PolicySendLimit => ResponsibleParty::Organisation,
            Self::SenderReconnecting
            | Self::SenderUplink
            | Self::SenderComputer
            | Self::SenderSource
            | Self::Sender => ResponsibleParty::Sender,
            Self::Server => ResponsibleParty::Server,
            Self::Reconnecting
            | Self::Connecting
            | Self::SoundOnly
            | Self::DownlinkNarrow
            | Self::DownlinkLoss
            | Self::OwnUplink => ResponsibleParty::Network,
        }
    }

    /// Returns true if the user sees less than usual. A track that is hidden, and a camera that is smaller than its tile, are as
    /// they should be.
    #[must_use]
    pub const fn is_disturbing(self) -> bool {
        match self {
            Self::NotVisible | Self::SenderSource | Self::IncomingVideoOff => false,
            Self::Reconnecting
            | Self::SenderReconnecting
            | Self::Connecting
            | Self::SoundOnly
            | Self::DownlinkNarrow
            | Self::DownlinkLoss
            | Self::OwnUplink
            | Self::OwnReceiveLimit
            | Self::PolicyReceiveLimit
            | Self::OwnSendLimit
            | Self::PolicySendLimit
            | Self::OwnComputer
            | Self::OwnBattery
            | Self::OwnHeat
            | Self::SenderUplink
            | Self::SenderComputer
            | Self::Sender
            | Self::Server => true,
        }
    }

    /// Returns the name in files: that of `report.json`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reconnecting => "reconnecting",
            Self::SenderReconnecting => "sender_reconnecting",
            Self::Connecting => "connecting",
            Self::NotVisible => "not_visible",
            Self::SoundOnly => "sound_only",
            Self::DownlinkNarrow => "downlink_narrow",
            Self::DownlinkLoss => "downlink_loss",
            Self::OwnUplink => "own_uplink",
            Self::OwnReceiveLimit => "own_receive_limit",
            Self::PolicyReceiveLimit => "policy_receive_limit",
            Self::IncomingVideoOff => "incoming_video_off",
            Self::OwnSendLimit => "own_send_limit",
            Self::PolicySendLimit => "policy_send_limit",
            Self::OwnComputer => "own_computer",
            Self::OwnBattery => "own_battery",
            Self::OwnHeat => "own_heat",
            Self::SenderUplink => "sender_uplink",
            Self::SenderComputer => "sender_computer",
            Self::SenderSource => "sender_source",
            Self::Sender => "sender",
            Self::Server => "server",
        }
    }

    /// Returns the reason of the receivers for a limit that its sender has announced.
    #[must_use]
    pub const fn of_sender(limit: SendLimit) -> Self {
        match limit {
            SendLimit::Uplink => Self::SenderUplink,
            SendLimit::Computer => Self::SenderComputer,
        }
    }

    /// Returns why this computer encodes less of our own tracks.
    #[must_use]
    pub const fn of_own_computer(reason: EncodeLimitReason) -> Self {
        match reason {
            EncodeLimitReason::EncodeTime => Self::OwnComputer,
            EncodeLimitReason::Battery => Self::OwnBattery,
            EncodeLimitReason::Heat => Self::OwnHeat,
        }
    }

    /// Returns the reason for a limit of what is sent.
    #[must_use]
    pub const fn of_send_limit(owner: LimitOwner) -> Self {
        match owner {
            LimitOwner::You => Self::OwnSendLimit,
            LimitOwner::Organisation => Self::PolicySendLimit,
        }
    }

    /// Returns the reason for a limit of what is received.
    #[must_use]
    pub const fn of_receive_limit(owner: LimitOwner) -> Self {
        match owner {
            LimitOwner::You => Self::OwnReceiveLimit,
            LimitOwner::Organisation => Self::PolicyReceiveLimit,
        }
    }
}

/// What is known of one received picture track in one second.
#[derive(Clone, Copy, Debug)]
pub struct TrackFigures<'a> {
    /// False while our connection to the server is lost.
    pub connected: bool,
    /// False while the sender's connection to the server is lost.
    pub sender_connected: bool,
    /// Width and height of the tile. `None` if no tile shows the track.
    pub wished: Option<(u16, u16)>,
    /// The layers that the sender announced, smallest first.
    pub layers: &'a [SpatialLayer],
    /// Width and height of the newest shown picture. `None` before the first one.
    pub size: Option<(u16, u16)>,
    /// Frames that arrived.
    pub received: u64,
    /// Frames that were skipped because decoding fell behind.
    pub skipped: u64,
    /// How much of the track this computer decodes.
    pub decode_limit: decode::Limit,
    /// Pictures per second that were shown.
    pub shown_rate: u64,
    /// What the server reports of the track.
    pub cause: Option<LimitCause>,
    /// What the server may send to us, in kbit/s. `None` before it has said so.
    pub downlink_kbps: Option<u64>,
    /// Packets that our downlink loses although it is not full, in percent.
    pub lost_down: u8,
    /// The limit of what is received, if the downlink carries no more because of it.
    pub receive_limit: Option<BandwidthLimit>,
    /// True if the user has turned off the video of the others.
    pub incoming_video_off: bool,
    /// The limit that the sender has announced.
    pub announced_limit: Option<SendLimit>,
}

/// Returns why a track was reduced in one second. `None` if its tile got what it wishes.
///
/// The first cause that applies is returned, in the order in which the user can do something about it: a lost connection,
/// a tile that is hidden, video that the user has turned off, a track that this computer has paused, a limit that the user or the
/// organisation has set, our path, the sender, this computer, the server.
#[must_use]
pub fn judge(figures: &TrackFigures<'_>) -> Option<Limitation> {
    if !figures.connected {
        return Some(Limitation::Reconnecting);
    }
    // Media may flow while only the sender's messages are lost.
    if !figures.sender_connected && figures.received == 0 {
        return Some(Limitation::SenderReconnecting);
    }
    let Some(wished) = figures.wished else { return Some(Limitation::NotVisible) };
    if figures.incoming_video_off {
        return Some(Limitation::IncomingVideoOff);
    }
    // The server was not told that a tile wishes the track, so it reports no cause.
    if figures.decode_limit == decode::Limit::Paused {
        return Some(Limitation::OwnComputer);
    }
    let limited = figures.receive_limit.map(|limit| Limitation::of_receive_limit(limit.owner));
    // Here the server still tries to send a picture, and the sender cannot encode at such a bitrate, so neither reports the downlink
    // as the cause.
    let too_narrow = figures.downlink_kbps.is_some_and(|rate| rate < MIN_PICTURES_KBPS);
    if too_narrow && figures.shown_rate == 0 {
        return Some(limited.unwrap_or(Limitation::SoundOnly));
    }
    match figures.cause {
        Some(LimitCause::SoundOnly | LimitCause::Downlink) if limited.is_some() => return limited,
        Some(LimitCause::SoundOnly) => return Some(Limitation::SoundOnly),
        Some(LimitCause::Downlink) if figures.lost_down >= LOSSY_PERCENT => return Some(Limitation::DownlinkLoss),
        Some(LimitCause::Downlink) => return Some(Limitation::DownlinkNarrow),
        Some(LimitCause::Sender) | None => {}
    }
    let announced = figures.announced_limit.map(Limitation::of_sender);
    let Some(size) = figures.size else { return Some(announced.unwrap_or(Limitation::Connecting)) };
    let is_small = !fills(size, wished);
    if announced.is_some() && (is_small || figures.shown_rate < SLOW_RATE) {
        return announced;
    }
    let is_skipped = figures.skipped * 100 > figures.received * SKIPPED_PERCENT;
    if is_skipped || figures.decode_limit == decode::Limit::HalfRate {
        return Some(Limitation::OwnComputer);
    }
    let is_largest = figures.layers.iter().all(|layer| !is_larger((layer.width, layer.height), size));
    match (is_small, is_largest, figures.cause) {
        (false, ..) => None,
        (true, true, _) => Some(Limitation::SenderSource),
        (true, false, Some(_)) => Some(Limitation::Sender),
        (true, false, None) => Some(Limitation::Server),
    }
}

/// Returns true if a picture fills a tile: it is enlarged by at most a tenth in width or height. The server chooses layers by
/// the same rule.
fn fills((width, height): (u16, u16), (tile_width, tile_height): (u16, u16)) -> bool {
    let enough = |picture: u16, tile: u16| u32::from(picture) * 11 >= u32::from(tile) * 10;
    enough(width, tile_width) || enough(height, tile_height)
}

fn is_larger((width, height): (u16, u16), (other_width, other_height): (u16, u16)) -> bool {
    u32::from(width) * u32::from(height) > u32::from(other_width) * u32::from(other_height)
}

/// A value that is shown only if it lasts, so that the window does not flicker.
#[derive(Clone, Copy, Debug)]
pub struct Steady<T> {
    /// How long any value must last before it is shown.
    rise: Duration,
    /// How long another value, or none, must last before it replaces the one that is shown.
    hold: Duration,
    shown: Option<T>,
    /// The value that differs from the one that is shown, and since when.
    other: Option<(Option<T>, Duration)>,
}

impl<T: Copy + PartialEq> Steady<T> {
    /// Returns a filter that shows nothing.
    #[must_use]
    pub const fn new(rise: Duration, hold: Duration) -> Self {
        Self { rise, hold, shown: None, other: None }
    }

    /// Handles the value of a second that ended at `now`. Returns the value to show.
    pub fn update(&mut self, value: Option<T>, now: Duration) -> Option<T> {
        if value == self.shown {
            self.other = None;
            return self.shown;
        }
        let since = match self.other {
            // While nothing is shown, all values count together: one that changes all the time lasts, too.
            Some((_, since)) if self.shown.is_none() => since,
            Some((other, since)) if other == value => since,
            Some(_) | None => now,
        };
        self.other = Some((value, since));
        let needed = if self.shown.is_none() { self.rise } else { self.hold };
        if now.saturating_sub(since) >= needed {
            (self.shown, self.other) = (value, None);
        }
        self.shown
    }
}

/// A downlink below this rate carries sound, and no pictures that can be shown, in kbit/s.
const MIN_PICTURES_KBPS: u64 = 50;

/// Above this loss, a narrow downlink is a lossy one.
const LOSSY_PERCENT: u8 = 5;

/// Below this rate a picture moves visibly less than usual, in pictures per second.
const SLOW_RATE: u64 = 18;

/// If more of the received frames are skipped, decoding is too slow.
const SKIPPED_PERCENT: u64 = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use media::Bitrate;

    const fn layer(spatial: u8, width: u16, height: u16) -> SpatialLayer {
        SpatialLayer { spatial, width, height, bitrate: 0 }
    }

    const LAYERS: [SpatialLayer; 3] = [layer(0, 320, 180), layer(1, 640, 360), layer(2, 1280, 720)];

    /// A track whose tile gets what it wishes.
    const GOOD: TrackFigures<'_> = TrackFigures {
        connected: true,
        sender_connected: true,
        wished: Some((1280, 720)),
        layers: &LAYERS,
        size: Some((1280, 720)),
        received: 30,
        skipped: 0,
        decode_limit: decode::Limit::Full,
        shown_rate: 30,
        cause: None,
        downlink_kbps: Some(5_000),
        lost_down: 0,
        receive_limit: None,
        incoming_video_off: false,
        announced_limit: None,
    };
    const SMALL: TrackFigures<'_> = TrackFigures { size: Some((320, 180)), ..GOOD };

    #[test]
    fn each_reduction_has_one_cause() {
        use Limitation as L;
        let (down, sound, sender) = (Some(LimitCause::Downlink), Some(LimitCause::SoundOnly), Some(LimitCause::Sender));
        let limit = |owner| Some(BandwidthLimit { bitrate: Bitrate::kbps(300), owner });
        let (own, policy) = (limit(LimitOwner::You), limit(LimitOwner::Organisation));
        let (uplink, computer) = (Some(SendLimit::Uplink), Some(SendLimit::Computer));
        for (figures, expected, what) in [
            (GOOD, None, "all that is wished"),
            (TrackFigures { wished: Some((1400, 900)), ..GOOD }, None, "hardly enlarged"),
            (TrackFigures { connected: false, ..SMALL }, Some(L::Reconnecting), "our connection"),
            (TrackFigures { sender_connected: false, received: 0, ..GOOD }, Some(L::SenderReconnecting), "theirs"),
            (TrackFigures { sender_connected: false, ..GOOD }, None, "their media still flow"),
            (TrackFigures { wished: None, received: 0, ..GOOD }, Some(L::NotVisible), "hidden"),
            (TrackFigures { cause: sound, size: None, ..GOOD }, Some(L::SoundOnly), "sound only"),
            (TrackFigures { cause: down, ..SMALL }, Some(L::DownlinkNarrow), "narrow"),
            (TrackFigures { cause: down, ..GOOD }, Some(L::DownlinkNarrow), "fewer pictures"),
            (TrackFigures { cause: down, lost_down: 8, ..SMALL }, Some(L::DownlinkLoss), "lossy"),
            (TrackFigures { lost_down: 30, ..GOOD }, None, "losses that were repaired"),
            (
                TrackFigures { cause: down, announced_limit: uplink, ..SMALL },
                Some(L::DownlinkNarrow),
                "what we can change first",
            ),
            (TrackFigures { receive_limit: own, ..GOOD }, None, "a limit that takes nothing away"),
            (TrackFigures { cause: down, receive_limit: own, ..SMALL }, Some(L::OwnReceiveLimit), "our limit"),
            (TrackFigures { cause: sound, receive_limit: policy, ..SMALL }, Some(L::PolicyReceiveLimit), "a policy"),
            (TrackFigures { incoming_video_off: true, received: 0, ..GOOD }, Some(L::IncomingVideoOff), "turned off"),
            (TrackFigures { size: None, received: 0, ..GOOD }, Some(L::Connecting), "no picture yet"),
            (
                TrackFigures { size: None, received: 0, announced_limit: uplink, ..GOOD },
                Some(L::SenderUplink),
                "nothing is sent",
            ),
            (TrackFigures { cause: sender, announced_limit: uplink, ..SMALL }, Some(L::SenderUplink), "their uplink"),
            (TrackFigures { announced_limit: uplink, ..GOOD }, None, "their uplink limits other viewers only"),
            (
                TrackFigures { shown_rate: 15, announced_limit: computer, ..GOOD },
                Some(L::SenderComputer),
                "their computer",
            ),
            (TrackFigures { shown_rate: 15, ..GOOD }, None, "a camera in the dark"),
            (TrackFigures { skipped: 15, shown_rate: 15, ..GOOD }, Some(L::OwnComputer), "our computer"),
            (
                TrackFigures { decode_limit: decode::Limit::Paused, received: 0, ..GOOD },
                Some(L::OwnComputer),
                "paused by our computer",
            ),
            (
                TrackFigures { decode_limit: decode::Limit::HalfRate, shown_rate: 15, ..GOOD },
                Some(L::OwnComputer),
                "half the frame rate",
            ),
            (TrackFigures { cause: sender, ..SMALL }, Some(L::Sender), "they have not said why"),
            (TrackFigures { layers: &LAYERS[..1], ..SMALL }, Some(L::SenderSource), "a small camera"),
            (SMALL, Some(L::Server), "nobody else is the cause"),
        ] {
            assert_eq!(judge(&figures), expected, "{what}");
        }
    }

    #[test]
    fn a_downlink_that_carries_no_picture_is_named_and_not_the_sender() {
        let none = TrackFigures { size: None, received: 0, shown_rate: 0, downlink_kbps: Some(40), ..GOOD };
        let causes = [None, Some(LimitCause::Downlink), Some(LimitCause::Sender), Some(LimitCause::SoundOnly)];
        let announced = [None, Some(SendLimit::Uplink), Some(SendLimit::Computer)];
        for (cause, announced_limit) in causes.into_iter().flat_map(|cause| announced.map(|limit| (cause, limit))) {
            for rate in [20, 30, 49] {
                let figures = TrackFigures { cause, announced_limit, downlink_kbps: Some(rate), ..none };
                assert_eq!(
                    judge(&figures),
                    Some(Limitation::SoundOnly),
                    "{rate} kbit/s, {cause:?}, {announced_limit:?}"
                );
                let frozen = TrackFigures { size: Some((160, 90)), ..figures };
                assert_eq!(judge(&frozen), Some(Limitation::SoundOnly), "a picture from before");
            }
        }
        let slow = TrackFigures { cause: causes[1], size: Some((160, 90)), received: 5, shown_rate: 5, ..none };
        assert_eq!(judge(&slow), Some(Limitation::DownlinkNarrow), "pictures still arrive");
        let wide = TrackFigures { announced_limit: announced[1], downlink_kbps: Some(60), ..none };
        assert_eq!(judge(&wide), Some(Limitation::SenderUplink), "the downlink has room");
        let unknown = TrackFigures { announced_limit: announced[1], downlink_kbps: None, ..none };
        assert_eq!(judge(&unknown), Some(Limitation::SenderUplink));
    }

    /// Returns what is shown after each second.
    fn shown(values: &[Option<Limitation>]) -> Vec<Option<Limitation>> {
        let mut steady = Steady::new(Duration::from_secs(3), Duration::from_secs(3));
        let second = |(second, value): (u64, &Option<Limitation>)| steady.update(*value, Duration::from_secs(second));
        (0..).zip(values).map(second).collect()
    }

    #[test]
    fn a_reduction_is_shown_after_three_seconds_and_does_not_flicker() {
        let [narrow, lossy] = [Limitation::DownlinkNarrow, Limitation::DownlinkLoss].map(Some);
        assert_eq!(shown(&[narrow, narrow, narrow, None, narrow]), [None; 5], "short reductions");
        assert_eq!(shown(&[narrow; 5]), [None, None, None, narrow, narrow]);
        let mut values = [narrow; 14];
        values[5] = None;
        values[7..9].fill(lossy);
        assert!(shown(&values)[3..].iter().all(|shown| *shown == narrow), "short changes");
        values[7..13].fill(None);
        assert_eq!(shown(&values)[9..12], [narrow, None, None], "it ends after three seconds");
        let changing: Vec<_> = (0..6).map(|second| if second % 2 == 0 { narrow } else { lossy }).collect();
        assert_eq!(shown(&changing)[3..], [lossy; 3], "a cause that changes all the time is shown, too");
    }

    #[test]
    fn the_name_in_files_is_that_of_the_report() {
        for limitation in [Limitation::OwnUplink, Limitation::SenderReconnecting, Limitation::SoundOnly] {
            let json = serde_json::to_string(&limitation).unwrap();
            assert_eq!(json.trim_matches('"'), limitation.name());
        }
    }

    #[test]
    fn every_cause_has_an_owner() {
        for (limitation, owner) in [
            (Limitation::DownlinkNarrow, ResponsibleParty::Network),
            (Limitation::SenderUplink, ResponsibleParty::Sender),
            (Limitation::Server, ResponsibleParty::Server),
            (Limitation::OwnComputer, ResponsibleParty::Computer),
        ] {
            assert_eq!(limitation.responsible_party(), owner);
        }
        assert!(!Limitation::NotVisible.is_disturbing() && Limitation::DownlinkLoss.is_disturbing());
    }
}
