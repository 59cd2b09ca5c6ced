//! One picture source and its layers.

use super::layer::{LayerThread, Start};
use super::report::{Report, Reporter};
use crate::stats::track_stats::TrackStats;
use capture::{CaptureThread, Format, Open};
use codec::adapt::ContentHint;
use codec::adapt::encode::Limits;
use codec::encode::{Backends, Config};
use codec::layer::{Content, Ladder, Rung};
use codec::rate::{LayerDemand, LayerTarget, allocate};
use crypto::KeyRing;
use media::{Bitrate, BufferPool, Frame, Size, VideoCodec};
use net::FrameSender;
use proto::{Slot, SpatialLayer, TrackDemand};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::thread::Builder;

/// A source with its layers. Dropping it closes the device and joins every thread, so it is not dropped on an async
/// thread.
pub struct PictureSource {
    slot: Slot,
    layers: Layers,
    inputs: Mutex<TargetInputs>,
    reporter: Reporter,
    /// [`LayerThread::start`], except in a test.
    start_layer: fn(Start) -> std::io::Result<LayerThread>,
    _thread: CaptureThread,
}

/// The layers. The source's thread locks it at each picture. It is only locked for writing while the layers are replaced,
/// so the thread does not wait.
#[derive(Clone, Default)]
struct Layers(Arc<RwLock<Published>>);

/// The layers of a published source.
#[derive(Default)]
struct Published {
    /// The size of the pictures that the layers are for. `None` until the source is published.
    source: Option<Size>,
    threads: Vec<LayerThread>,
}

impl Layers {
    fn read(&self) -> RwLockReadGuard<'_, Published> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes a picture to each layer. A picture of another size is dropped: it would be stretched.
    fn put(&self, frame: &Frame) {
        let published = self.read();
        if published.source == Some(frame.size()) {
            published.threads.iter().for_each(|layer| layer.put(frame));
        }
    }

    /// Replaces the layers. The old ones end on a thread of their own, because they may still encode.
    fn replace(&self, source: Size, threads: Vec<LayerThread>) {
        let new = Published { source: Some(source), threads };
        let old = std::mem::replace(&mut *self.0.write().unwrap_or_else(PoisonError::into_inner), new);
        // If no thread can be started, the layers end here.
        let _ = Builder::new().name("encode-end".into()).spawn(move || drop(old));
    }
}

/// The input for the targets of the layers: the layers that the SFU requested, and the available bitrate.
#[derive(Default)]
struct TargetInputs {
    demand: Vec<LayerDemand>,
    /// `None` until the first budget. Until then all layers are paused.
    budget: Option<(Bitrate, Format)>,
    /// The targets that were set last. Empty before the first ones.
    targets: Vec<LayerTarget>,
    /// True if viewers want more than the budget allows.
    limited: bool,
    /// What matters most in the pictures.
    hint: ContentHint,
    /// What this computer can encode. `None` if nothing is limited.
    limits: Option<Limits>,
}

impl PictureSource {
    /// Opens a source. `own` is called with every picture, on the thread of the source. `report` is called on the
    /// thread of the source and on those of the layers.
    ///
    /// # Errors
    /// Returns the system's error if a thread cannot be started.
    pub fn start(
        slot: Slot,
        open: Open,
        mut own: Box<dyn FnMut(Frame) + Send>,
        report: impl Fn(Report) + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let (layers, reporter) = (Layers::default(), Reporter::new(report));
        let (targets, source) = (layers.clone(), reporter.clone());
        let on = move |event| match event {
            capture::Report::Opened { format, .. } => source.tell(Report::Opened(format)),
            capture::Report::Changed(format) => source.tell(Report::Changed(format)),
            capture::Report::Failed(error) => source.tell(Report::Failed(error)),
            capture::Report::Frame(frame) => {
                targets.put(&frame);
                own(frame);
            }
        };
        let thread = CaptureThread::start(&format!("{slot:?}").to_lowercase(), open, Box::new(on))?;
        Ok(Self { slot, layers, inputs: Mutex::default(), reporter, start_layer: LayerThread::start, _thread: thread })
    }

    /// Starts the layers of [`announced`], paused, with the first of `encoders` that works. They send to
    /// `frame_sender`. They replace the layers of an earlier call, and begin with key frames.
    ///
    /// # Errors
    /// Returns the system's error if a thread cannot be started.
    pub fn publish(
        &self,
        format: Format,
        ring: &KeyRing,
        frame_sender: &FrameSender,
        pool: &BufferPool,
        stats: &TrackStats,
        encoders: &Backends,
    ) -> std::io::Result<()> {
        let start = |rung: &Rung| Start {
            slot: self.slot,
            config: Config {
                codec: VideoCodec::H264,
                size: rung.size,
                rate: format.rate,
                bitrate: rung.bitrate,
                temporal_layers: rung.temporal_layers,
                content: content(self.slot),
                spatial: rung.spatial,
            },
            encoders: encoders.clone(),
            ring: ring.clone(),
            frame_sender: frame_sender.clone(),
            pool: pool.clone(),
            stats: stats.clone(),
            reporter: self.reporter.clone(),
        };
        let ladder = ladder(self.slot, format, self.inputs().hint);
        let threads =
            ladder.rungs().iter().map(|rung| (self.start_layer)(start(rung))).collect::<Result<Vec<_>, _>>()?;
        self.layers.replace(format.size, threads);
        self.inputs().targets.clear();
        Ok(())
    }

    /// Makes [`PictureSource::publish`] fail as if the system could not start a thread.
    #[cfg(test)]
    pub fn refuse_layer_threads(&mut self) {
        self.start_layer = |_| Err(std::io::Error::other("no thread is left"));
    }

    /// Sets the requests of all viewers together for each layer. Layers without a viewer are paused.
    pub fn set_demand(&self, demand: &TrackDemand) {
        let layer_demand = |layer: &proto::DemandedLayer| LayerDemand {
            spatial: layer.spatial,
            temporal_layers: layer.temporal_layers,
            max_bitrate: layer.max_bitrate.map(|limit| Bitrate::bps(limit.into())),
        };
        let mut inputs = self.inputs();
        inputs.demand = demand.wanted.iter().map(layer_demand).collect();
        self.set_targets(&mut inputs);
    }

    /// Sets the bitrate that all layers share, of a source of `format`.
    pub fn set_budget(&self, budget: Bitrate, format: Format) {
        let mut inputs = self.inputs();
        inputs.budget = Some((budget, format));
        self.set_targets(&mut inputs);
    }

    /// Returns true if viewers want more or faster layers than the budget allows. A lower bitrate of the same layers does not
    /// count.
    pub fn is_limited(&self) -> bool {
        self.inputs().limited
    }

    /// Sets what matters most in the pictures. It has an effect on later calls of [`PictureSource::publish`].
    pub fn set_hint(&self, hint: ContentHint) {
        self.inputs().hint = hint;
    }

    /// Sets what this computer can encode.
    pub fn set_limits(&self, limits: Limits) {
        let mut inputs = self.inputs();
        inputs.limits = Some(limits);
        self.set_targets(&mut inputs);
    }

    /// Makes the next picture of one layer a key frame.
    pub fn key_frame(&self, spatial: u8) {
        if let Some(layer) = self.layers.read().threads.get(usize::from(spatial)) {
            layer.key_frame();
        }
    }

    fn set_targets(&self, inputs: &mut TargetInputs) {
        let Some((budget, format)) = inputs.budget else { return };
        let (limits, ladder) = (inputs.limits.unwrap_or(Limits::none()), ladder(self.slot, format, inputs.hint));
        let demand = limits.apply(&inputs.demand);
        let targets = allocate(budget, limits.frame_rate(format.rate), &ladder, &demand, &inputs.targets);
        if targets != inputs.targets {
            tracing::debug!(slot = ?self.slot, %budget, ?targets, "layer targets");
        }
        let wanted = allocate(UNLIMITED, limits.frame_rate(format.rate), &ladder, &demand, &[]);
        inputs.limited = is_limited(&targets, &wanted);
        inputs.targets = targets;
        for (layer, target) in self.layers.read().threads.iter().zip(&inputs.targets) {
            layer.set_target(*target);
        }
    }

    fn inputs(&self) -> MutexGuard<'_, TargetInputs> {
        self.inputs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns true if `targets` have fewer or slower layers than `wanted`, the targets without a limit.
fn is_limited(targets: &[LayerTarget], wanted: &[LayerTarget]) -> bool {
    let is_less = |(target, wanted): (&LayerTarget, &LayerTarget)| match (target, wanted) {
        (LayerTarget::Paused, LayerTarget::Running(_)) => true,
        (LayerTarget::Running(target), LayerTarget::Running(wanted)) => target.max_temporal < wanted.max_temporal,
        (LayerTarget::Running(_) | LayerTarget::Paused, LayerTarget::Paused) => false,
    };
    targets.iter().zip(wanted).any(is_less)
}

/// More than all layers need.
const UNLIMITED: Bitrate = Bitrate::kbps(1_000_000);

/// Returns the layers in which a source of this format is sent, as the protocol names them, smallest first. The list is
/// empty if the source is too narrow to be sent.
pub fn announced(slot: Slot, format: Format) -> Vec<SpatialLayer> {
    let layer = |rung: &Rung| SpatialLayer {
        spatial: rung.spatial,
        width: rung.size.width,
        height: rung.size.height,
        bitrate: u32::try_from(rung.bitrate.as_bps()).unwrap_or(u32::MAX),
    };
    ladder(slot, format, ContentHint::default()).rungs().iter().map(layer).collect()
}

fn ladder(slot: Slot, format: Format, hint: ContentHint) -> Ladder {
    let ladder = Ladder::for_source(format.size, content(slot));
    match hint {
        ContentHint::Signing => ladder.with_constant_frame_rate(),
        ContentHint::Balanced | ContentHint::Motion | ContentHint::Detail => ladder,
    }
}

fn content(slot: Slot) -> Content {
    match slot {
        Slot::Screen => Content::Screen,
        Slot::Camera | Slot::Microphone => Content::Camera,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::FrameRate;

    #[test]
    fn an_uplink_that_has_no_room_for_a_wanted_layer_is_a_limit_and_a_lower_bitrate_is_none() {
        let ladder = Ladder::for_source(Size::new(1280, 720), Content::Camera);
        let limited = |budget, wanted: &[u8]| {
            let demand = |spatial: &u8| LayerDemand { spatial: *spatial, temporal_layers: 3, max_bitrate: None };
            let demands: Vec<_> = wanted.iter().map(demand).collect();
            let targets = |budget| allocate(budget, FrameRate::THIRTY, &ladder, &demands, &[]);
            is_limited(&targets(budget), &targets(UNLIMITED))
        };
        assert!(limited(Bitrate::kbps(150), &[2]), "a smaller layer is sent instead");
        assert!(limited(Bitrate::kbps(10), &[0]), "nothing is sent");
        assert!(!limited(Bitrate::kbps(10), &[]), "nobody looks");
        assert!(!limited(Bitrate::kbps(5_000), &[0, 2]), "all layers fit");
        assert!(!limited(Bitrate::kbps(150), &[0]), "the layer has a lower bitrate only");
    }
}
