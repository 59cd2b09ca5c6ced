//! A track in the SFU: its layers as they arrive, and who views it.

use super::demand::Demand;
use super::descriptor::{Descriptor, Structure};
use super::extension::Raw;
use super::switch::{Arrival, Switch, Target};
use proto::{Kind, ParticipantId, Published, SpatialLayer};
use std::time::{Duration, Instant};
use str0m::media::{Mid, Pt};
use str0m::rtp::{RtpPacket, Ssrc};

/// A track and its viewers. It is there as long as it is published or somebody subscribes to it.
#[derive(Debug, Default)]
pub struct Track {
    /// What its owner says of it; none while it is not sent.
    pub source: Option<Source>,
    /// Who receives it.
    pub viewers: Vec<Viewer>,
}

/// The sending end of a track.
#[derive(Debug)]
pub struct Source {
    /// What its owner says of it.
    pub published: Published,
    /// The media description it comes by.
    pub mid: Mid,
    /// Smallest first; one for sound.
    pub layers: Vec<Layer>,
    /// What its viewers want of it.
    pub demand: Demand,
}

/// One layer as it arrives.
#[derive(Debug)]
pub struct Layer {
    /// What its owner says of it.
    pub declared: SpatialLayer,
    structure: Option<Structure>,
    newest: Option<u64>,
    last_packet: Option<Instant>,
    key_requested: Option<Instant>,
    wanted_since: Option<Instant>,
    meter: Meter,
}

/// One receiver of a track.
#[derive(Debug)]
pub struct Viewer {
    /// Who.
    pub participant: ParticipantId,
    /// The media description by which it receives.
    pub mid: Mid,
    /// The stream in which it receives.
    pub ssrc: Ssrc,
    /// The payload type that it calls the codec.
    pub payload: Pt,
    /// What passes.
    pub switch: Switch,
    /// What its downlink was found to carry of the track.
    pub grant: Option<Target>,
}

impl Track {
    /// The sending end is gone or another one: viewers wait for a key frame of the next.
    pub fn end(&mut self) {
        self.source = None;
        self.viewers.iter_mut().for_each(|viewer| viewer.switch.detach());
    }
}

impl Source {
    /// The sending end that `published` describes.
    pub fn new(published: Published) -> Self {
        let layers: Vec<Layer> = match published.kind {
            Kind::Audio => vec![Layer::new(SpatialLayer { spatial: 0, width: 0, height: 0, bitrate: AUDIO_RATE })],
            Kind::Video => published.layers.iter().copied().map(Layer::new).collect(),
        };
        let mid = Mid::from(published.mid.as_str());
        Self { demand: Demand::new(layers.len()), mid, layers, published }
    }

    /// What the switch needs to know of a packet of layer `spatial`. None for one that is of no use.
    pub fn inspect(&mut self, spatial: u8, packet: &RtpPacket, now: Instant) -> Option<Arrival> {
        let layer = self.layers.get_mut(usize::from(spatial))?;
        let sequence = *packet.seq_no;
        let newest = layer.newest.is_none_or(|newest| sequence > newest);
        layer.newest = layer.newest.max(Some(sequence));
        layer.last_packet = Some(now);
        layer.meter.count(packet.payload.len(), now);
        let (start, key, temporal) = match self.published.kind {
            // Every packet of sound stands for itself.
            Kind::Audio => (true, true, 0),
            Kind::Video => layer.describe(packet)?,
        };
        let timestamp = packet.header.timestamp;
        Some(Arrival { spatial, temporal, sequence, timestamp, start, key, newest, at: now })
    }

    /// The layer to give somebody who is granted `target`: that one, or, where its sender does not send it although it
    /// was asked to, the next smaller one that arrives.
    pub fn nearest(&self, target: Target, now: Instant) -> Target {
        let arrives = |spatial: &u8| self.layers.get(usize::from(*spatial)).is_some_and(|layer| layer.hopeful(now));
        let spatial = (0..=target.spatial).rev().find(arrives).unwrap_or(target.spatial);
        Target { spatial, ..target }
    }

    /// Notes which layers somebody wants, and asks the demand whether the sender is to hear of it.
    pub fn want(&mut self, wanted: &[u8], now: Instant) -> Option<super::demand::News> {
        for (layer, wanted) in self.layers.iter_mut().zip(wanted) {
            if *wanted == 0 {
                layer.wanted_since = None;
            } else {
                layer.wanted_since.get_or_insert(now);
            }
        }
        self.demand.update(wanted, now)
    }

    /// Asks for a key frame of a layer, where that may be done now. `ask` says whether it could: then the next one has to
    /// wait, but not behind a request that never went out because nothing of the layer has come yet.
    pub fn request_key(&mut self, spatial: u8, now: Instant, ask: impl FnOnce() -> bool) -> bool {
        let Some(layer) = self.layers.get_mut(usize::from(spatial)) else { return false };
        let due = layer.key_requested.is_none_or(|last| now.saturating_duration_since(last) >= KEY_INTERVAL);
        let asked = due && ask();
        if asked {
            layer.key_requested = Some(now);
        }
        asked
    }

    /// Bits a second of each layer: what its owner says, or what arrives if that is more.
    pub fn rates(&self, now: Instant) -> Vec<u64> {
        let rate =
            |layer: &Layer| u64::from(layer.declared.bitrate).clamp(MIN_RATE, MAX_RATE).max(layer.meter.rate(now));
        self.layers.iter().map(rate).collect()
    }

    /// Widths and heights of the layers.
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
            key_requested: None,
            wanted_since: None,
            meter: Meter::default(),
        }
    }

    fn describe(&mut self, packet: &RtpPacket) -> Option<(bool, bool, u8)> {
        let raw = packet.header.ext_vals.user_values.get::<Raw>()?;
        let read = Descriptor::read(raw.bytes(), self.structure.as_ref()).ok()?;
        let key = read.start && read.independent && read.structure.is_some();
        if read.structure.is_some() {
            self.structure = read.structure;
        }
        Some((read.start, key, read.temporal))
    }

    /// Packets arrive, or may still: it has not been wanted for long.
    fn hopeful(&self, now: Instant) -> bool {
        let recent = |since: Option<Instant>| since.is_some_and(|at| now.saturating_duration_since(at) < PATIENCE);
        recent(self.last_packet) || recent(self.wanted_since) || self.wanted_since.is_none()
    }
}

/// Bits a second over the last whole window.
#[derive(Debug, Default)]
pub struct Meter {
    began: Option<Instant>,
    bytes: u64,
    rate: u64,
}

impl Meter {
    /// Adds what came, or went, now.
    pub fn count(&mut self, bytes: usize, now: Instant) {
        let began = *self.began.get_or_insert(now);
        let elapsed = now.saturating_duration_since(began);
        if elapsed >= METER_WINDOW {
            let window = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
            self.rate = self.bytes.saturating_mul(8_000) / window.max(1);
            (self.began, self.bytes) = (Some(now), 0);
        }
        self.bytes += bytes as u64;
    }

    /// Bits a second; 0 once nothing has come for a while.
    pub fn rate(&self, now: Instant) -> u64 {
        let current = self.began.is_some_and(|began| now.saturating_duration_since(began) < 3 * METER_WINDOW);
        if current { self.rate } else { 0 }
    }
}

/// Between two requests for a key frame of one layer: receivers that lose the same packet ask in storms.
pub const KEY_INTERVAL: Duration = Duration::from_millis(300);

/// How long a layer that is wanted may send nothing before its viewers get a smaller one.
const PATIENCE: Duration = Duration::from_millis(1_500);

const METER_WINDOW: Duration = Duration::from_millis(500);

/// What one voice takes, with its headers, in bits a second.
pub const AUDIO_RATE: u32 = 50_000;

/// Bounds on what an owner may say of a layer, in bits a second.
const MIN_RATE: u64 = 20_000;
const MAX_RATE: u64 = 20_000_000;
