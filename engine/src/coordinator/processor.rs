//! Adapts what is encoded and decoded to the processor and the battery of this computer, once a second.

use crate::power;
use crate::receive;
use crate::stats::ComputerLimits;
use crate::stats::track_stats::{DecodeStats, SendStats, TrackStats};
use codec::adapt::power::PowerState;
use codec::adapt::{ContentHint, EncodeLimitReason, decode, encode};
use proto::{ParticipantId, Slot, TileWish, TrackId};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Measures the load of this computer, and decides how much it encodes and decodes.
pub struct Processor {
    power: watch::Receiver<PowerState>,
    /// The number of threads that decode pictures.
    decode_threads: usize,
    encoders: BTreeMap<Slot, Encoding>,
    decoders: decode::Budget<TrackId>,
    /// The wishes of the tiles, without what is reduced.
    wishes: Vec<TileWish>,
    /// True if the user wants no video of the others.
    incoming_video_off: bool,
    /// When each participant spoke last.
    spoke: BTreeMap<ParticipantId, Instant>,
    last: Option<Measured>,
    overload_notice: OverloadNotice,
}

/// The state of the notice that this computer is too slow to encode. The notice is shown once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum OverloadNotice {
    #[default]
    NotNeeded,
    Due,
    Shown,
}

struct Encoding {
    hint: ContentHint,
    layers: u8,
    adapter: encode::Adapter,
}

/// The counters at the end of a second.
struct Measured {
    at: Instant,
    sent: BTreeMap<(Slot, u8), SendStats>,
    received: BTreeMap<TrackId, DecodeStats>,
}

/// What has changed in a second.
#[derive(Debug, Default)]
pub struct Changes {
    /// The new limits of our tracks.
    pub encode: Vec<(Slot, encode::Limits)>,
    /// The wishes that the SFU must know, if they have changed.
    pub wishes: Option<Vec<TileWish>>,
}

impl Processor {
    /// Starts to watch the power supply. Called in the runtime.
    pub fn start() -> Self {
        Self::new(power::watch(), receive::picture_threads())
    }

    fn new(power: watch::Receiver<PowerState>, decode_threads: usize) -> Self {
        Self {
            power,
            decode_threads,
            encoders: BTreeMap::new(),
            decoders: decode::Budget::default(),
            wishes: Vec::new(),
            incoming_video_off: false,
            spoke: BTreeMap::new(),
            last: None,
            overload_notice: OverloadNotice::NotNeeded,
        }
    }

    /// Replaces the wishes of the tiles. Returns what the SFU must know.
    pub fn set_wishes(&mut self, tiles: Vec<TileWish>) -> Vec<TileWish> {
        self.wishes = tiles;
        self.reduced_wishes()
    }

    /// Sets whether the user wants no video of the others. Returns the wishes that the SFU must know, if that is new.
    pub fn set_incoming_video_off(&mut self, off: bool) -> Option<Vec<TileWish>> {
        let changed = std::mem::replace(&mut self.incoming_video_off, off) != off;
        changed.then(|| self.reduced_wishes())
    }

    /// Returns true if the notice that this computer is too slow to encode must be shown now. Returns true only once.
    pub fn take_overload_notice(&mut self) -> bool {
        let due = self.overload_notice == OverloadNotice::Due;
        if due {
            self.overload_notice = OverloadNotice::Shown;
        }
        due
    }

    /// Returns the tracks of which this computer encodes or decodes less, with the reasons.
    pub fn computer_limits(&self) -> ComputerLimits {
        let limited = |(slot, encoding): (&Slot, &Encoding)| Some((*slot, encoding.adapter.reason()?));
        let limit = |tile: &TileWish| (tile.track, self.decoders.limit(tile.track));
        ComputerLimits {
            sent: self.encoders.iter().filter_map(limited).collect(),
            received: self.wishes.iter().map(limit).filter(|(_, limit)| *limit != decode::Limit::Full).collect(),
        }
    }

    /// Records the participants who speak at `now`.
    pub fn set_speaking(&mut self, speaking: &[ParticipantId], now: Instant) {
        self.spoke.extend(speaking.iter().map(|id| (*id, now)));
    }

    /// Returns true if the last second is over.
    pub fn is_due(&self, now: Instant) -> bool {
        self.last.as_ref().is_none_or(|last| now.saturating_duration_since(last.at) >= INTERVAL)
    }

    /// Measures the last second if it is over. `sources` are our tracks with their hints and numbers of layers.
    pub fn handle_tick(
        &mut self,
        stats: &TrackStats,
        sources: &[(Slot, ContentHint, u8)],
        now: Instant,
    ) -> Option<Changes> {
        if !self.is_due(now) {
            return None;
        }
        let measured = Measured { at: now, sent: stats.all_sent().into_iter().collect(), received: stats.work() };
        let last = self.last.replace(measured)?;
        let elapsed = now.saturating_duration_since(last.at);
        self.spoke.retain(|_, at| now.saturating_duration_since(*at) < SPEECH_HOLD);
        let encode = self.adapt_encoders(&last, sources, elapsed, now);
        let wishes = self.adapt_decoders(&last, elapsed, now).then(|| self.reduced_wishes());
        Some(Changes { encode, wishes })
    }

    fn adapt_encoders(
        &mut self,
        last: &Measured,
        sources: &[(Slot, ContentHint, u8)],
        elapsed: Duration,
        now: Instant,
    ) -> Vec<(Slot, encode::Limits)> {
        let Some(measured) = &self.last else { return Vec::new() };
        let power = *self.power.borrow_and_update();
        self.encoders.retain(|slot, _| sources.iter().any(|(other, ..)| other == slot));
        let mut changes = Vec::new();
        for &(slot, hint, layers) in sources {
            let known = self.encoders.get(&slot).is_some_and(|known| (known.hint, known.layers) == (hint, layers));
            if !known {
                let adapter = encode::Adapter::new(hint, layers);
                changes.push((slot, adapter.limits()));
                self.encoders.insert(slot, Encoding { hint, layers, adapter });
            }
            let Some(Encoding { adapter, .. }) = self.encoders.get_mut(&slot) else { continue };
            if adapter.update(encode_load(slot, &last.sent, &measured.sent, elapsed), power, now) {
                tracing::info!(?slot, limits = ?adapter.limits(), reason = ?adapter.reason(), "encoding adapted");
                if adapter.reason() == Some(EncodeLimitReason::EncodeTime)
                    && self.overload_notice == OverloadNotice::NotNeeded
                {
                    self.overload_notice = OverloadNotice::Due;
                }
                changes.push((slot, adapter.limits()));
            }
        }
        changes
    }

    /// Returns true if what is decoded has changed.
    fn adapt_decoders(&mut self, last: &Measured, elapsed: Duration, now: Instant) -> bool {
        let Some(measured) = &self.last else { return false };
        let (mut loads, mut skipped) = (Vec::new(), 0);
        for tile in self.wishes.iter().filter(|tile| !tile.hidden) {
            let (before, after) = (last.received.get(&tile.track), measured.received.get(&tile.track));
            let (before, after) = (before.copied().unwrap_or_default(), after.copied().unwrap_or_default());
            skipped += after.skipped.saturating_sub(before.skipped);
            let attention = decode::Attention {
                priority: tile.priority,
                speaks: self.spoke.contains_key(&tile.track.owner),
                pixels: u32::from(tile.width) * u32::from(tile.height),
            };
            let busy = after.time.saturating_sub(before.time);
            loads.push(decode::TrackLoad { track: tile.track, attention, busy });
        }
        let threads = u32::try_from(self.decode_threads.min(loads.len()).max(1)).unwrap_or(1);
        let changed = self.decoders.update(&loads, decode::Load { capacity: elapsed * threads, skipped }, now);
        if changed {
            let limits: Vec<_> = loads.iter().map(|load| (load.track, self.decoders.limit(load.track))).collect();
            tracing::info!(?limits, "decoding adapted");
        }
        changed
    }

    fn reduced_wishes(&self) -> Vec<TileWish> {
        let reduce = |tile: &TileWish| match self.decoders.limit(tile.track) {
            _ if self.incoming_video_off => TileWish { hidden: true, ..*tile },
            decode::Limit::Full => *tile,
            decode::Limit::HalfRate => TileWish { frames_per_second: tile.frames_per_second.min(HALF_RATE), ..*tile },
            decode::Limit::Paused => TileWish { hidden: true, ..*tile },
        };
        self.wishes.iter().map(reduce).collect()
    }
}

/// Returns the work of the layers of `slot` between two measurements.
fn encode_load(
    slot: Slot,
    last: &BTreeMap<(Slot, u8), SendStats>,
    now: &BTreeMap<(Slot, u8), SendStats>,
    elapsed: Duration,
) -> encode::Load {
    let mut load = encode::Load::default();
    for ((_, spatial), now) in now.iter().filter(|((other, _), _)| *other == slot) {
        let before = last.get(&(slot, *spatial)).copied().unwrap_or_default();
        let encoded = now.encoded.saturating_sub(before.encoded);
        let missed = now.missed.saturating_sub(before.missed);
        if encoded == 0 {
            continue;
        }
        let busy = now.encode_time.saturating_sub(before.encode_time).as_secs_f64() / elapsed.as_secs_f64().max(0.001);
        load.busy = load.busy.max(busy);
        load.missed = load.missed.max(share(missed, missed + encoded));
        load.largest = load.largest.max(Some(*spatial));
    }
    load
}

fn share(part: u64, whole: u64) -> f64 {
    let exact = |count: u64| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    exact(part) / exact(whole.max(1))
}

/// The interval of measurements.
const INTERVAL: Duration = Duration::from_secs(1);

/// How long a participant who has spoken counts as a speaker.
const SPEECH_HOLD: Duration = Duration::from_secs(3);

/// The frame rate of a tile that is reduced, in frames per second: a camera without its highest temporal layer.
const HALF_RATE: u8 = 15;

#[cfg(test)]
#[path = "processor_tests.rs"]
mod tests;
