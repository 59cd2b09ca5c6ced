//! A track in the SFU: its layers as they arrive, and who receives it.

use super::bitrate_meter::BitrateMeter;
use super::demand::{self, Demand};
use super::extension::DescriptorBytes;
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
    pub source: Option<Source>,
    /// Who receives it.
    pub subscribers: Vec<Subscriber>,
}

/// The sending end of a track.
#[derive(Debug)]
pub struct Source {
    /// What its owner declared.
    pub published: Published,
    /// The media description on which it arrives.
    pub mid: Mid,
    layers: Vec<Layer>,
    demand: Demand,
    /// The bytes of sound that it may send now. `None` before the first packet, and for video.
    sound: Option<Bucket>,
    /// What its owner was told about the loss of its sound.
    pub sound_loss: SoundLoss,
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
    meter: BitrateMeter,
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
    pub allocated: Option<Target>,
}

impl Track {
    /// Ends the source. Subscribers wait for a key frame of the next one.
    pub fn end_source(&mut self) {
        self.source = None;
        self.subscribers.iter_mut().for_each(|subscriber| subscriber.switch.end_source());
    }
}

impl Source {
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
            sound: None,
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
        layer.last_packet = Some(now);
        layer.meter.add(packet.payload.len(), now);
        let (start, key, temporal) = match self.published.kind {
            // Each audio packet can be decoded alone.
            Kind::Audio => {
                let bytes = u32::try_from(packet.payload.len()).ok()?;
                let sound = self.sound.get_or_insert_with(|| Bucket::new(MAX_AUDIO, MAX_AUDIO, now));
                sound.take(bytes, now).then_some((true, true, 0))?
            }
            Kind::Video => layer.read_descriptor(packet)?,
        };
        let timestamp = packet.header.timestamp;
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

    /// Sets how many temporal layers of each spatial layer are wanted. Returns an update if the sender must be
    /// notified.
    pub fn update_demand(&mut self, wanted: &[u8], now: Instant) -> Option<demand::Update> {
        for (layer, wanted) in self.layers.iter_mut().zip(wanted) {
            if *wanted == 0 {
                layer.wanted_since = None;
            } else {
                layer.wanted_since.get_or_insert(now);
            }
        }
        self.demand.update(wanted, now)
    }

    /// Calls `request` if a key frame of the layer may be requested now. Returns whether one was requested. `request`
    /// returns false if no packet of the layer has arrived; then the next request does not have to wait.
    pub fn request_key_frame(&mut self, spatial: u8, now: Instant, request: impl FnOnce() -> bool) -> bool {
        let Some(layer) = self.layers.get_mut(usize::from(spatial)) else { return false };
        let due = layer.last_key_request.is_none_or(|last| now.saturating_duration_since(last) >= KEY_REQUEST_INTERVAL);
        let requested = due && request();
        if requested {
            layer.last_key_request = Some(now);
        }
        requested
    }

    /// Returns the number of layers.
    pub fn layer_count(&self) -> usize {
        self.layers.len()
    }

    /// Returns the bits per second of each layer: what its owner declared, or what arrives if that is more.
    pub fn rates(&self, now: Instant) -> Vec<u64> {
        let rate =
            |layer: &Layer| u64::from(layer.declared.bitrate).clamp(MIN_RATE, MAX_RATE).max(layer.meter.rate(now));
        self.layers.iter().map(rate).collect()
    }

    /// Returns the bits per second of sound with its headers: [`AUDIO_BITRATE`], or more if frames have copies.
    pub fn sound_rate(&self, now: Instant) -> u64 {
        let payload = self.layers.first().map_or(0, |layer| layer.meter.rate(now));
        u64::from(AUDIO_BITRATE).max(payload + AUDIO_HEADERS)
    }

    /// Returns the widths and heights of the layers, smallest first.
    pub fn sizes(&self) -> Vec<(u16, u16)> {
        self.layers.iter().map(|layer| (layer.declared.width, layer.declared.height)).collect()
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
            meter: BitrateMeter::default(),
        }
    }

    /// Returns whether the packet begins a frame, whether it begins a key frame, and its temporal layer.
    fn read_descriptor(&mut self, packet: &RtpPacket) -> Option<(bool, bool, u8)> {
        let bytes = packet.header.ext_vals.user_values.get::<DescriptorBytes>()?;
        let read = Descriptor::read(bytes.as_slice(), self.structure.as_ref()).ok()?;
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

/// How long a requested layer may send nothing before its subscribers get a smaller one.
const LAYER_TIMEOUT: Duration = Duration::from_millis(1_500);

/// The same if a smaller layer arrives.
const REPLACED_TIMEOUT: Duration = Duration::from_millis(350);

/// The longest interval between two pictures of a layer that arrives, with some jitter.
const MAX_PICTURE_INTERVAL: Duration = Duration::from_millis(200);

/// Bits per second of one audio track with its headers.
pub const AUDIO_BITRATE: u32 = 50_000;

/// Bits per second of the headers of one audio track: 50 packets a second of 40 bytes (IPv4, UDP, RTP, its extension).
const AUDIO_HEADERS: u64 = 16_000;

/// The maximum number of audio bytes that are forwarded per second, and at once after a pause: five voices.
const MAX_AUDIO: u32 = 32_000;

/// The bounds of the bitrate that an owner declares, in bits per second.
const MIN_RATE: u64 = 20_000;
const MAX_RATE: u64 = 20_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use proto::Slot;

    #[test]
    fn a_layer_that_the_sender_replaced_is_left_for_the_smaller_one_that_arrives() {
        let layer = |spatial| SpatialLayer { spatial, width: 320 << spatial, height: 180 << spatial, bitrate: 500_000 };
        let layers = (0..3).map(layer).collect();
        let mut source = Source::new(Published { slot: Slot::Camera, kind: Kind::Video, layers, mid: "0".into() });
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
    }
}
