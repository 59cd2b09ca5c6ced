//! A track in the SFU: its layers as they arrive, and who receives it.

use super::allocator::{Allocation, LayerBitrates, Rates};
use super::demand::{self, Demand, LayerDemand};
use super::extension::with_descriptor;
use super::layer_meter::LayerMeter;
use super::sound_loss::SoundLoss;
use super::switch::{PacketInfo, Switch, Target};
use crate::bucket::Bucket;
use proto::descriptor::{Descriptor, Structure};
use proto::{Kind, ParticipantId, Published, SpatialLayer};
use std::time::{Duration, Instant};
use str0m::media::{Mid, Pt};
use str0m::rtp::{RtpPacket, Ssrc};

/// A track and its subscribers. It exists as long as it is published or has subscribers.
#[derive(Debug, Default)]
pub struct Track {
    /// The sending end. `None` while the track is not published.
    pub source: Option<TrackSource>,
    /// Who receives it.
    pub subscribers: Vec<Subscriber>,
}

/// The sending end of a track.
#[derive(Debug)]
pub struct TrackSource {
    /// What its owner declared.
    pub published: Published,
    /// The media description on which it arrives.
    pub mid: Mid,
    layers: Vec<Layer>,
    demand: Demand,
    /// Limits the bytes of sound. `None` before the first packet, and for video.
    sound_limiter: Option<Bucket>,
    /// The reports to its owner about the loss of its sound.
    pub sound_loss: SoundLoss,
    /// The highest bitrate of its sound in the last ten seconds, and when it was measured.
    sound_peak: Option<(u64, Instant)>,
    /// When the sender follows its newest limit. From then on, a bitrate that was measured before does not count.
    sound_settles: Option<Instant>,
}

/// One layer as it arrives.
#[derive(Debug)]
struct Layer {
    declared: SpatialLayer,
    structure: Option<Structure>,
    /// The highest sequence number.
    newest: Option<u64>,
    last_packet: Option<Instant>,
    last_key_request: Option<Instant>,
    wanted_since: Option<Instant>,
    /// The RTP timestamp of the last key frame.
    key_timestamp: Option<u32>,
    meter: LayerMeter,
    limits: ReceiverLimits,
}

/// The highest two bitrates that the receivers of a layer have room for.
#[derive(Clone, Copy, Debug, Default)]
struct ReceiverLimits {
    /// The receiver with room for the highest bitrate, in bits per second with all temporal layers.
    highest: Option<(ParticipantId, u64)>,
    /// The highest bitrate of the other receivers.
    second: u64,
}

/// Why a key frame is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyReason {
    /// A subscriber waits for the layer.
    Switch,
    /// A subscriber cannot decode the layer that it gets.
    Loss,
}

/// One receiver of a track.
#[derive(Debug)]
pub struct Subscriber {
    /// The participant.
    pub participant: ParticipantId,
    /// The media description on which it receives.
    pub mid: Mid,
    /// The SSRC of the stream to it.
    pub ssrc: Ssrc,
    /// The payload type of the codec in its session description.
    pub payload: Pt,
    /// Which packets it gets.
    pub switch: Switch,
    /// The layers that its downlink has room for.
    pub allocated: Option<Allocation>,
}

impl Track {
    /// Ends the source. Subscribers wait for a key frame of the next one.
    pub fn end_source(&mut self) {
        self.source = None;
        self.subscribers.iter_mut().for_each(|subscriber| subscriber.switch.end_source());
    }
}

impl TrackSource {
    /// Returns the sending end that `published` declares.
    pub fn new(published: Published) -> Self {
        let layers: Vec<Layer> = match published.kind {
            Kind::Audio => vec![Layer::new(SpatialLayer { spatial: 0, width: 0, height: 0, bitrate: AUDIO_BITRATE })],
            Kind::Video => published.layers.iter().copied().map(Layer::new).collect(),
        };
        let mid = Mid::from(published.mid.as_str());
        Self {
            demand: Demand::new(layers.len()),
            mid,
            layers,
            published,
            sound_limiter: None,
            sound_peak: None,
            sound_settles: None,
            sound_loss: SoundLoss::default(),
        }
    }

    /// Returns the properties of a packet of layer `spatial` that the switch needs, or `None` if the packet cannot be
    /// forwarded. Audio beyond [`MAX_AUDIO`] is not forwarded, because the allocator assumes [`AUDIO_BITRATE`].
    pub fn inspect(&mut self, spatial: u8, packet: &RtpPacket, now: Instant) -> Option<PacketInfo> {
        let layer = self.layers.get_mut(usize::from(spatial))?;
        let sequence = *packet.seq_no;
        let newest = layer.newest.is_none_or(|newest| sequence > newest);
        layer.newest = layer.newest.max(Some(sequence));
        // A retransmission does not show that the layer is still sent.
        if newest {
            layer.last_packet = Some(now);
        }
        let (start, key, temporal) = match self.published.kind {
            // Each audio packet can be decoded alone.
            Kind::Audio => {
                let bytes = u32::try_from(packet.payload.len()).ok()?;
                let limiter = self.sound_limiter.get_or_insert_with(|| Bucket::new(MAX_AUDIO, MAX_AUDIO, now));
                layer.meter.add(0, packet.payload.len(), now);
                limiter.take(bytes, now).then_some((true, true, 0))?
            }
            Kind::Video => layer.read_descriptor(packet)?,
        };
        let timestamp = packet.header.timestamp;
        let key = match self.published.kind {
            Kind::Audio => key,
            Kind::Video => layer.measure(temporal, key, packet, now),
        };
        Some(PacketInfo { spatial, temporal, sequence, timestamp, start, key, newest, arrival: now })
    }

    /// Returns the target for a subscriber that is allocated `target`: the same, or the next smaller layer that arrives
    /// if the sender does not send this one although it was requested. If a smaller layer arrives and this one does not,
    /// the sender has replaced it, because its uplink has no room.
    pub fn nearest(&self, target: Target, now: Instant) -> Target {
        let layer = |spatial: u8| self.layers.get(usize::from(spatial));
        let arriving =
            (0..target.spatial).rev().find(|spatial| layer(*spatial).is_some_and(|layer| layer.is_arriving(now)));
        let timeout = if arriving.is_some() { REPLACED_TIMEOUT } else { LAYER_TIMEOUT };
        let available = |spatial: &u8| layer(*spatial).is_some_and(|layer| layer.is_available(timeout, now));
        let smaller = || arriving.or_else(|| (0..target.spatial).rev().find(available));
        let spatial = Some(target.spatial).filter(available).or_else(smaller).unwrap_or(target.spatial);
        Target { spatial, ..target }
    }

    /// Returns whether a key frame that begins now shows that the sender has replaced larger layers by this one: it was not
    /// requested, and nothing of it has arrived.
    pub fn is_replacement(&self, spatial: u8, now: Instant) -> bool {
        let layer = self.layers.get(usize::from(spatial));
        layer.is_some_and(|layer| layer.wanted_since.is_none() && !layer.is_arriving(now))
    }

    /// Lets the next reports to its owner repeat the last ones, which may not have arrived.
    pub fn repeat_reports(&mut self) {
        self.demand.repeat();
        self.sound_loss = SoundLoss::default();
    }

    /// Sets what is wanted of each spatial layer. Returns an update if the sender must be notified. Called every 100 ms.
    pub fn update_demand(&mut self, wanted: &[LayerDemand], now: Instant) -> Option<demand::Update> {
        for (spatial, (layer, wanted)) in self.layers.iter_mut().zip(wanted).enumerate() {
            if wanted.temporal_layers == 0 {
                layer.wanted_since = None;
            } else {
                layer.wanted_since.get_or_insert(now);
            }
            let full = layer.rate(layer.full(), wanted.temporal_layers.saturating_sub(1));
            let limit = self.demand.settled_limit(spatial, now).map_or(full, u64::from);
            // Packets of a layer that is not wanted any more still arrive, and then none.
            if wanted.temporal_layers > 0 && (wanted.max_bitrate.is_none() || limit < full) {
                layer.meter.update(limit, wanted.temporal_layers, now);
            }
        }
        self.demand.update(wanted, now)
    }

    /// Returns what the subscribers want of each spatial layer together, and records how much each one needs. A layer is
    /// wanted if it is allocated, or if it is still forwarded until a switch.
    pub fn collect_demand(&mut self, subscribers: &[Subscriber]) -> Vec<LayerDemand> {
        self.layers.iter_mut().for_each(|layer| layer.limits = ReceiverLimits::default());
        let mut wanted = vec![LayerDemand::default(); self.layers.len()];
        for subscriber in subscribers {
            let Some(allocation) = subscriber.allocated else { continue };
            if let Some(layer) = self.layers.get_mut(usize::from(allocation.target.spatial)) {
                let limit = allocation.limit.map(|real| layer.meter.limit_for(real));
                layer.add_limit(subscriber.participant, limit);
            }
            let target = subscriber.switch.target().map(|target| target.spatial);
            for spatial in [Some(allocation.target.spatial), target, subscriber.switch.current()].into_iter().flatten()
            {
                if let Some(wanted) = wanted.get_mut(usize::from(spatial)) {
                    wanted.temporal_layers = wanted.temporal_layers.max(allocation.target.temporal + 1);
                }
            }
        }
        for (layer, wanted) in self.layers.iter().zip(&mut wanted) {
            let limit = layer.limits.highest.map(|(_, rate)| rate).filter(|rate| *rate < layer.full());
            let part = |limit| layer.rate(limit, wanted.temporal_layers.saturating_sub(1));
            wanted.max_bitrate = limit.and_then(|limit| u32::try_from(part(limit)).ok());
        }
        wanted
    }

    /// Returns whether the sender was asked to start a layer a moment ago, and nothing of it has arrived yet.
    pub fn is_starting(&self, spatial: u8, now: Instant) -> bool {
        let Some(layer) = self.layers.get(usize::from(spatial)) else { return false };
        let recent = layer.wanted_since.is_some_and(|at| now.saturating_duration_since(at) < START_TIMEOUT);
        recent && !layer.is_arriving(now)
    }

    /// Returns the spatial layer of which a subscriber needs a key frame: the awaited one, or a smaller one that arrives while
    /// the subscriber gets nothing and nothing of the awaited one has arrived yet.
    pub fn layer_to_request(&self, switch: &Switch, now: Instant) -> Option<u8> {
        let awaited = switch.awaited_layer()?;
        let arriving =
            |spatial: &u8| self.layers.get(usize::from(*spatial)).is_some_and(|layer| layer.is_arriving(now));
        let smaller = || (0..awaited).rev().find(arriving).filter(|_| switch.current().is_none());
        if arriving(&awaited) { Some(awaited) } else { smaller().or(Some(awaited)) }
    }

    /// Calls `request` if a key frame of the layer may be requested now. Returns whether one was requested. `request`
    /// returns false if no packet of the layer has arrived; then the next request does not have to wait.
    pub fn request_key_frame(
        &mut self,
        spatial: u8,
        reason: KeyReason,
        now: Instant,
        request: impl FnOnce() -> bool,
    ) -> bool {
        let Some(layer) = self.layers.get_mut(usize::from(spatial)) else { return false };
        let interval = match reason {
            KeyReason::Switch => KEY_REQUEST_INTERVAL,
            KeyReason::Loss => LOSS_KEY_REQUEST_INTERVAL,
        };
        let due = layer.last_key_request.is_none_or(|last| now.saturating_duration_since(last) >= interval);
        let requested = due && request();
        if requested {
            layer.last_key_request = Some(now);
        }
        requested
    }

    /// Returns the bits per second of each layer for one receiver. The sender can reduce a layer down to what the other
    /// receivers of the layer need.
    pub fn rates(&self, receiver: ParticipantId) -> Rates {
        let rate = |layer: &Layer| -> LayerBitrates {
            let others = match layer.limits.highest {
                Some((highest, rate)) if highest != receiver => rate,
                Some(_) | None => layer.limits.second,
            };
            let min = layer.full() * min_rate_percent(layer.declared.spatial) / 100;
            layer.meter.expect(min.max(others).min(layer.full()), layer.full())
        };
        self.layers.iter().map(rate).collect()
    }

    /// Returns the bits per second to reserve for its sound: [`AVERAGE_PERCENT`] of the highest half-second of the last ten
    /// seconds, because speech pauses between words.
    pub fn sound_rate(&mut self, now: Instant) -> u64 {
        let rate = self.layers.first().map_or(0, |layer| layer.meter.rate(now));
        if self.sound_settles.is_some_and(|at| now >= at) {
            (self.sound_settles, self.sound_peak) = (None, None);
        }
        let recent = |(_, at): &(u64, Instant)| now.saturating_duration_since(*at) < SOUND_PEAK_LIFETIME;
        let highest = self.sound_peak.filter(recent).map(|(highest, _)| highest).filter(|highest| *highest >= rate);
        if highest.is_none() {
            self.sound_peak = Some((rate, now));
        }
        highest.unwrap_or(rate) * AVERAGE_PERCENT / 100
    }

    /// Records the limit that was sent to the sender of sound.
    pub fn limit_sound(&mut self, limit: Option<u32>, now: Instant) {
        self.sound_settles = limit.map(|_| now + SOUND_SETTLE_TIME);
    }

    /// Returns the widths and heights of the layers, smallest first.
    pub fn sizes(&self) -> impl ExactSizeIterator<Item = (u16, u16)> {
        self.layers.iter().map(|layer| (layer.declared.width, layer.declared.height))
    }
}

impl Layer {
    fn new(declared: SpatialLayer) -> Self {
        Self {
            declared,
            structure: None,
            newest: None,
            last_packet: None,
            last_key_request: None,
            wanted_since: None,
            key_timestamp: None,
            meter: LayerMeter::default(),
            limits: ReceiverLimits::default(),
        }
    }

    /// Returns the full bitrate, in bits per second.
    fn full(&self) -> u64 {
        u64::from(self.declared.bitrate).clamp(MIN_RATE, MAX_RATE)
    }

    /// Returns the bits per second of the temporal layers up to `temporal`, if all temporal layers together have `all`.
    fn rate(&self, all: u64, temporal: u8) -> u64 {
        self.meter.expect(0, 0).part(all, temporal)
    }

    /// Records that a receiver has room for `limit` bits per second, or for the full bitrate.
    fn add_limit(&mut self, receiver: ParticipantId, limit: Option<u64>) {
        let rate = limit.unwrap_or(u64::MAX).min(self.full());
        match self.limits.highest {
            Some((_, highest)) if rate <= highest => self.limits.second = self.limits.second.max(rate),
            Some((_, highest)) => self.limits = ReceiverLimits { highest: Some((receiver, rate)), second: highest },
            None => self.limits.highest = Some((receiver, rate)),
        }
    }

    /// Measures a packet, unless it belongs to a key frame. Returns whether it does.
    fn measure(&mut self, temporal: u8, key: bool, packet: &RtpPacket, now: Instant) -> bool {
        let timestamp = packet.header.timestamp;
        if key {
            self.key_timestamp = Some(timestamp);
        }
        let of_key = self.key_timestamp == Some(timestamp);
        if !of_key {
            self.meter.add(temporal, packet.payload.len(), now);
        }
        of_key
    }

    /// Returns whether the packet begins a frame, whether it begins a key frame, and its temporal layer.
    fn read_descriptor(&mut self, packet: &RtpPacket) -> Option<(bool, bool, u8)> {
        let structure = self.structure.as_ref();
        let read = with_descriptor(&packet.header.ext_vals, |bytes| Descriptor::read(bytes, structure).ok())??;
        let start = read.packet.start;
        let key = start && read.frame_diffs.is_empty() && read.structure.is_some();
        if read.structure.is_some() {
            self.structure = read.structure;
        }
        Some((start, key, read.temporal))
    }

    /// Returns whether packets arrived within `timeout` or may still arrive. The latter holds for a layer that was
    /// requested only a moment ago, or is not requested yet.
    fn is_available(&self, timeout: Duration, now: Instant) -> bool {
        let recent = |since: Option<Instant>| since.is_some_and(|at| now.saturating_duration_since(at) < timeout);
        recent(self.last_packet) || recent(self.wanted_since) || self.wanted_since.is_none()
    }

    /// Returns whether packets arrive now.
    fn is_arriving(&self, now: Instant) -> bool {
        self.last_packet.is_some_and(|at| now.saturating_duration_since(at) < MAX_PICTURE_INTERVAL)
    }
}

/// The minimum interval between two key frame requests for one layer. If many receivers lose the same packet, they send
/// many requests.
const KEY_REQUEST_INTERVAL: Duration = Duration::from_millis(300);

/// The same after a loss. A key frame has the size of about ten other pictures, so more of them would take more than a third
/// of the bitrate.
const LOSS_KEY_REQUEST_INTERVAL: Duration = Duration::from_secs(1);

/// How long a layer may take to start before a key frame of it is requested.
const START_TIMEOUT: Duration = Duration::from_secs(1);

/// How long a requested layer may send nothing before its subscribers get a smaller one.
const LAYER_TIMEOUT: Duration = Duration::from_millis(1_500);

/// The same if a smaller layer arrives.
const REPLACED_TIMEOUT: Duration = Duration::from_millis(350);

/// The longest interval between two pictures of a layer that arrives, with some jitter.
const MAX_PICTURE_INTERVAL: Duration = Duration::from_millis(200);

/// Bits per second of one audio track with its headers.
pub const AUDIO_BITRATE: u32 = 50_000;

/// The maximum number of audio bytes that are forwarded per second, and at once after a pause: five voices.
const MAX_AUDIO: u32 = 32_000;

/// Returns the percent of its full bitrate to which a sender can reduce a spatial layer. Below that, the next smaller one
/// looks better (docs/performance.md, `bench ladder`); of the smallest, a bad picture is better than none.
const fn min_rate_percent(spatial: u8) -> u64 {
    match spatial {
        0 => 15,
        1 => 25,
        _ => 40,
    }
}

/// The average bitrate of speech, in percent of its highest half-second.
const AVERAGE_PERCENT: u64 = 85;

/// The time in which the sender of sound obeys a limit, and a half-second of its sound is measured.
const SOUND_SETTLE_TIME: Duration = Duration::from_secs(1);

/// How long the highest bitrate counts.
const SOUND_PEAK_LIFETIME: Duration = Duration::from_secs(10);

/// The bounds of the bitrate that an owner declares, in bits per second.
const MIN_RATE: u64 = 20_000;
const MAX_RATE: u64 = 20_000_000;

#[cfg(test)]
mod tests {
    use super::super::layer_meter::HEADER_BYTES;
    use super::*;
    use proto::Slot;

    #[test]
    fn a_layer_that_the_sender_replaced_is_left_for_the_smaller_one_that_arrives() {
        let layer = |spatial| SpatialLayer { spatial, width: 320 << spatial, height: 180 << spatial, bitrate: 500_000 };
        let layers = (0..3).map(layer).collect();
        let mut source = TrackSource::new(Published { slot: Slot::Camera, kind: Kind::Video, layers, mid: "0".into() });
        let (start, millis) = (Instant::now(), Duration::from_millis);
        let target = |spatial| Target { spatial, temporal: 2 };
        source.layers[2].wanted_since = Some(start);
        source.layers[2].last_packet = Some(start);
        assert_eq!(source.nearest(target(2), start + millis(1_400)), target(2), "nothing else arrives");
        assert_eq!(source.nearest(target(2), start + millis(1_600)), target(1), "not requested yet");
        source.layers[0].last_packet = Some(start + millis(300));
        assert_eq!(source.nearest(target(2), start + millis(320)), target(2));
        assert_eq!(source.nearest(target(2), start + millis(400)), target(0));
        source.layers[2].last_packet = Some(start + millis(500));
        assert_eq!(source.nearest(target(2), start + millis(500)), target(2));
        assert!(!source.is_replacement(0, start + millis(450)), "it still arrives");
        assert!(source.is_replacement(0, start + millis(600)), "it was not requested");
        assert!(!source.is_replacement(2, start + millis(2_000)), "it was requested");
    }

    /// Otherwise its bitrate would remain too high, because nothing is measured any more, and no viewer would get the layer again.
    #[test]
    fn a_layer_that_stops_does_not_seem_to_need_more() {
        let layers = vec![SpatialLayer { spatial: 0, width: 320, height: 180, bitrate: 500_000 }];
        let mut source = TrackSource::new(Published { slot: Slot::Camera, kind: Kind::Video, mid: "0".into(), layers });
        let (mut now, tenth) = (Instant::now(), Duration::from_millis(100));
        for _ in 0..50 {
            now += tenth;
            for (temporal, bytes) in [(0, 3_000), (1, 1_200), (2, 1_800)] {
                source.layers[0].meter.add(temporal, bytes, now);
            }
            source.update_demand(&[LayerDemand { temporal_layers: 3, max_bitrate: None }], now);
        }
        let rate = |source: &TrackSource| source.rates(ParticipantId(7))[0].max;
        let before = rate(&source);
        for _ in 0..15 {
            now += tenth;
            source.update_demand(&[LayerDemand::default()], now);
        }
        assert_eq!(rate(&source), before);
    }

    /// Otherwise the sender would make two key frames: the first picture of the layer, and the requested one.
    #[test]
    fn no_key_frame_is_requested_of_a_layer_that_starts() {
        let layer = |spatial| SpatialLayer { spatial, width: 320, height: 180, bitrate: 150_000 };
        let layers = vec![layer(0), layer(1)];
        let mut source = TrackSource::new(Published { slot: Slot::Camera, kind: Kind::Video, mid: "0".into(), layers });
        let (start, millis) = (Instant::now(), Duration::from_millis);
        let wanted = LayerDemand { temporal_layers: 3, max_bitrate: None };
        source.layers[1].last_packet = Some(start);
        source.update_demand(&[LayerDemand::default(), wanted], start + millis(50));
        assert!(!source.is_starting(1, start + millis(60)), "its sender has not stopped it yet");
        source.update_demand(&[wanted, LayerDemand::default()], start + millis(100));
        source.update_demand(&[wanted, wanted], start + millis(5_000));
        assert!(source.is_starting(1, start + millis(5_000)) && source.is_starting(1, start + millis(5_999)));
        assert!(!source.is_starting(1, start + millis(6_000)), "it does not start");
        source.layers[1].last_packet = Some(start + millis(5_100));
        assert!(!source.is_starting(1, start + millis(5_110)));
    }

    #[test]
    fn a_subscriber_that_gets_nothing_needs_a_key_frame_of_a_smaller_layer_until_the_awaited_one_arrives() {
        let layer = |spatial| SpatialLayer { spatial, width: 320 << spatial, height: 180 << spatial, bitrate: 500_000 };
        let layers = (0..3).map(layer).collect();
        let mut source = TrackSource::new(Published { slot: Slot::Camera, kind: Kind::Video, layers, mid: "0".into() });
        let (mut switch, now) = (Switch::new(0, 90_000), Instant::now());
        assert_eq!(source.layer_to_request(&switch, now), None, "it wants nothing");
        switch.set_target(Some(Target { spatial: 2, temporal: 2 }));
        assert_eq!(source.layer_to_request(&switch, now), Some(2), "nothing arrives");
        source.layers[0].last_packet = Some(now);
        assert_eq!(source.layer_to_request(&switch, now), Some(0));
        source.layers[2].last_packet = Some(now);
        assert_eq!(source.layer_to_request(&switch, now), Some(2));
    }

    #[test]
    fn the_average_of_the_loudest_half_second_is_reserved_for_ten_seconds() {
        let published = Published { slot: Slot::Microphone, kind: Kind::Audio, layers: Vec::new(), mid: "0".into() };
        let (mut source, start) = (TrackSource::new(published), Instant::now());
        let at = |tenth: u32| start + Duration::from_millis(100) * tenth;
        // 80 kbit/s for a second, then 8 kbit/s.
        let reserved: Vec<u64> = (0..150)
            .map(|tenth| {
                let bytes = if tenth < 10 { 1_000 } else { 100 };
                source.layers[0].meter.add(0, bytes - HEADER_BYTES, at(tenth));
                source.sound_rate(at(tenth))
            })
            .collect();
        assert_eq!((reserved[9], reserved[10], reserved[100]), (68_000, 68_000, 68_000));
        assert_eq!(reserved[149], 6_800, "the loud second is over for ten seconds");
    }

    #[test]
    fn a_key_frame_is_requested_once_for_all_receivers_and_less_often_after_losses() {
        let layer = |spatial| SpatialLayer { spatial, width: 320, height: 180, bitrate: 150_000 };
        let layers = vec![layer(0), layer(1), layer(2)];
        let mut source = TrackSource::new(Published { slot: Slot::Camera, kind: Kind::Video, mid: "0".into(), layers });
        let start = Instant::now();
        let mut request = |spatial, reason, milliseconds, arrives| {
            source.request_key_frame(spatial, reason, start + Duration::from_millis(milliseconds), || arrives)
        };
        assert!(request(0, KeyReason::Switch, 0, true));
        assert!(!request(0, KeyReason::Switch, 299, true));
        assert!(request(1, KeyReason::Loss, 299, true), "another layer");
        assert!(request(0, KeyReason::Switch, 300, true));
        assert!(!request(0, KeyReason::Loss, 1_299, true));
        assert!(request(0, KeyReason::Loss, 1_300, true));
        assert!(!request(2, KeyReason::Loss, 1_300, false), "nothing of the layer has arrived");
        assert!(request(2, KeyReason::Loss, 1_301, true));
    }
}
