//! One picture source and all the layers that are made of it.

use super::layer::{LayerThread, Start};
use crate::track_stats::TrackStats;
use capture::{Format, CaptureThread, Source};
use codec::encode::Config;
use codec::layer::{Content, Ladder, Rung};
use crypto::KeyRing;
use media::{Bitrate, BufferPool, Frame, VideoCodec};
use net::FrameSender;
use proto::{SenderLayers, Slot, SpatialLayer};
use std::sync::{Arc, OnceLock};

/// A source with its layers. Dropping it closes the device and joins every thread: not on an async thread, please.
pub struct Pictures {
    slot: Slot,
    layers: Layers,
    _pump: CaptureThread,
}

/// What a source tells, on its own thread.
pub enum Report {
    /// It is open; nothing is sent before [`Pictures::publish`].
    Opened(Format),
    /// It could not be opened, or has stopped for good.
    Failed(capture::Error),
}

/// How a source is opened, on its own thread.
pub type Open = Box<dyn FnOnce() -> Result<Box<dyn Source>, capture::Error> + Send>;

// Empty until the format is known; then read by the camera's thread at each picture, without a lock.
type Layers = Arc<OnceLock<Vec<LayerThread>>>;

impl Pictures {
    /// Opens a source. `own` gets every picture by handle; `report` hears what becomes of the source.
    ///
    /// # Errors
    /// Where the system has no thread left.
    pub fn start(
        slot: Slot,
        open: Open,
        mut own: Box<dyn FnMut(Frame) + Send>,
        mut report: Box<dyn FnMut(Report) + Send>,
    ) -> std::io::Result<Self> {
        let layers = Layers::default();
        let feeding = Arc::clone(&layers);
        let on = move |event| match event {
            capture::Report::Opened { format, .. } => report(Report::Opened(format)),
            capture::Report::Failed(error) => report(Report::Failed(error)),
            capture::Report::Frame(frame) => {
                feeding.get().into_iter().flatten().for_each(|layer| layer.put(&frame));
                own(frame);
            }
        };
        let pump = CaptureThread::start(&format!("{slot:?}").to_lowercase(), open, Box::new(on))?;
        Ok(Self { slot, layers, _pump: pump })
    }

    /// Begins to send by `outlet`, in the layers of [`announced`]. Does nothing the second time.
    ///
    /// # Errors
    /// Where the system has no thread left.
    pub fn publish(
        &self,
        format: Format,
        ring: &KeyRing,
        frame_sender: &FrameSender,
        pool: &BufferPool,
        stats: &TrackStats,
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
            ring: ring.clone(),
            frame_sender: frame_sender.clone(),
            pool: pool.clone(),
            stats: stats.clone(),
        };
        let ladder = ladder(self.slot, format);
        let threads =
            ladder.rungs().iter().map(|rung| LayerThread::start(start(rung))).collect::<Result<Vec<_>, _>>()?;
        // A second call finds the layers in place; its threads end here, unused.
        let _ = self.layers.set(threads);
        Ok(())
    }

    /// Encodes what somebody wants, and nothing else.
    pub fn want(&self, wanted: &SenderLayers) {
        for (spatial, layer) in (0..).zip(self.layers.get().into_iter().flatten()) {
            layer.want(wanted.wanted.iter().any(|wish| wish.spatial == spatial));
        }
    }

    /// Makes the next picture of one layer a key picture.
    pub fn key_frame(&self, spatial: u8) {
        if let Some(layer) = self.layers.get().and_then(|layers| layers.get(usize::from(spatial))) {
            layer.key_frame();
        }
    }

    /// Shares `budget` among the layers that somebody wants.
    pub fn share(&self, budget: Bitrate, format: Format) {
        let layers = self.layers.get().map_or(&[][..], Vec::as_slice);
        let ladder = ladder(self.slot, format);
        let (wanted, rungs): (Vec<&LayerThread>, Vec<Rung>) =
            layers.iter().zip(ladder.rungs().iter().copied()).filter(|(layer, _)| layer.is_wanted()).unzip();
        for (layer, rate) in wanted.iter().zip(codec::rate::split(budget, &rungs)) {
            layer.aim(rate);
        }
    }
}

/// The layers in which a source of this format is sent, as the wire names them, smallest first.
pub fn announced(slot: Slot, format: Format) -> Vec<SpatialLayer> {
    let layer = |rung: &Rung| SpatialLayer {
        spatial: rung.spatial,
        width: rung.size.width,
        height: rung.size.height,
        bitrate: u32::try_from(rung.bitrate.as_bps()).unwrap_or(u32::MAX),
    };
    ladder(slot, format).rungs().iter().map(layer).collect()
}

fn ladder(slot: Slot, format: Format) -> Ladder {
    Ladder::for_source(format.size, content(slot))
}

fn content(slot: Slot) -> Content {
    match slot {
        Slot::Screen => Content::Screen,
        Slot::Camera | Slot::Microphone => Content::Camera,
    }
}
