//! Some shown pictures are kept, and compared with their source by frame number when the meeting is over.

use crate::video_output::Meta;
use capture::file::Clip;
use codec::decode::Picture;
use codec::{psnr, scale::Scaler};
use media::{Colour, Frame, Plane, PlaneRef, Pool, Rotation, Size, Timestamp};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

/// How near shown pictures came to their source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// Mean peak signal-to-noise ratio of luma in decibels, against the source scaled to the shown size.
    pub psnr_db: f64,
    /// The worst picture's.
    pub worst_db: f64,
    /// How many pictures were compared.
    pub pictures: usize,
}

/// Keeps a picture every half second, at most sixty.
#[derive(Default)]
pub struct Sampler {
    kept: Vec<Kept>,
    due: Timestamp,
}

struct Kept {
    number: u64,
    size: Size,
    luma: Vec<u8>,
}

impl Sampler {
    /// Keeps the picture if one is due.
    pub fn look(&mut self, picture: &Picture<'_>, meta: Meta, shown: Timestamp) {
        if shown < self.due || self.kept.len() >= MAX_SAMPLES {
            return;
        }
        self.due = shown + EVERY;
        let luma = picture.planes[0].rows().flatten().copied().collect();
        self.kept.push(Kept { number: meta.number, size: picture.size, luma });
    }

    /// Compares what was kept with `path`, whose pictures a file camera shows in a loop. `None` where nothing was kept.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn judge(self, path: &Path) -> Result<Option<Quality>, capture::Error> {
        let mut clip = Clip::open(path)?;
        let length = clip.len().max(1);
        let mut by_index: BTreeMap<u64, Vec<Kept>> = BTreeMap::new();
        for kept in self.kept {
            by_index.entry(kept.number % length).or_default().push(kept);
        }
        let mut ratios = Vec::new();
        let mut bench = Bench::default();
        clip.frames(&mut |index, frame| {
            for kept in by_index.remove(&index).into_iter().flatten() {
                ratios.extend(bench.compare(frame, &kept));
            }
            if by_index.is_empty() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(quality(&ratios))
    }
}

fn quality(ratios: &[f64]) -> Option<Quality> {
    let worst_db = ratios.iter().copied().reduce(f64::min)?;
    #[expect(clippy::cast_precision_loss, reason = "at most sixty")]
    let psnr_db = ratios.iter().sum::<f64>() / ratios.len() as f64;
    Some(Quality { psnr_db, worst_db, pictures: ratios.len() })
}

#[derive(Default)]
struct Bench {
    scaler: Scaler,
}

impl Bench {
    fn compare(&mut self, source: &Frame, kept: &Kept) -> Option<f64> {
        let mut canvas = Pool::new(1).take(kept.size)?;
        self.scaler.scale(source, &mut canvas);
        let scaled = canvas.freeze(0, Timestamp::default(), Colour::default(), Rotation::Upright);
        let shown = PlaneRef { data: &kept.luma, stride: usize::from(kept.size.width), size: kept.size };
        psnr::of(scaled.plane(Plane::Y), shown)
    }
}

const EVERY: Duration = Duration::from_millis(500);
const MAX_SAMPLES: usize = 60;
