//! The quality of shown pictures at the size of a tile: PSNR of their luma, compared with the clip of the camera.
//!
//! A shown picture does not say which picture of the clip it is, so it is compared with all, and the best one counts.

use super::figures::round;
use crate::psnr;
use anyhow::{Context, Result};
use codec::container::y4m::Reader;
use codec::scale::Scaler;
use media::{Colour, Frame, Plane, PlaneRef, Pool, Size, Timestamp};
use std::fs;
use std::path::Path;

/// The pictures of a clip at the size of a tile.
pub struct Reference {
    pictures: Vec<Frame>,
}

impl Reference {
    /// Reads a Y4M file.
    ///
    /// # Errors
    /// Returns an error if it cannot be read.
    pub fn read(clip: &Path) -> Result<Self> {
        let mut pictures = Vec::new();
        read_pictures(clip, 1, |planes| pictures.extend(at_tile_size(planes)))?;
        Ok(Self { pictures })
    }

    /// Returns the PSNR of a picture in decibels. Returns `None` if there is nothing to compare it with.
    pub fn psnr(&self, picture: [PlaneRef<'_>; 3]) -> Option<f64> {
        let shown = at_tile_size(picture)?;
        let ratios = self.pictures.iter().filter_map(|said| psnr::of(said.plane(Plane::Y), shown.plane(Plane::Y)));
        ratios.reduce(f64::max)
    }

    /// Returns the mean PSNR of the pictures that a client wrote of the participant `name` (`--dump`). Takes one picture of each second
    /// with 30. Returns `None` if there are none.
    ///
    /// # Errors
    /// Returns an error if a file cannot be read.
    pub fn of_dump(&self, folder: &Path, name: &str) -> Result<Option<f64>> {
        let mut ratios = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let of_sender = path.file_stem().is_some_and(|stem| stem.to_string_lossy().starts_with(name));
            if of_sender && path.extension().is_some_and(|extension| extension == "y4m") {
                read_pictures(&path, EVERY, |planes| ratios.extend(self.psnr(planes)))?;
            }
        }
        Ok(mean(&ratios))
    }
}

/// Returns the mean, rounded to two digits. Returns `None` if there are no values.
pub fn mean(values: &[f64]) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a call has few pictures")]
    let count = values.len() as f64;
    (!values.is_empty()).then(|| round(values.iter().sum::<f64>() / count))
}

/// Calls `each` with one of `every` pictures of a Y4M file. The last picture of a client that was ended may be incomplete, and is left
/// out.
fn read_pictures(path: &Path, every: usize, mut each: impl FnMut([PlaneRef<'_>; 3])) -> Result<()> {
    let mut reader = Reader::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let (pool, size, mut number) = (Pool::new(1), reader.header().size, 0_usize);
    loop {
        let mut frame = pool.take(size).context("the only frame is free")?;
        if !reader.read(&mut frame).unwrap_or(false) {
            return Ok(());
        }
        if number.is_multiple_of(every) {
            let frame = frame.freeze(0, Timestamp::default(), Colour::default());
            each([Plane::Y, Plane::U, Plane::V].map(|plane| frame.plane(plane)));
        }
        number += 1;
    }
}

fn at_tile_size(planes: [PlaneRef<'_>; 3]) -> Option<Frame> {
    let mut target = Pool::new(1).take(TILE)?;
    Scaler::new().scale_planes(planes, &mut target);
    Some(target.freeze(0, Timestamp::default(), Colour::default()))
}

/// The size of the tile.
const TILE: Size = Size::new(640, 360);

/// One picture of each second.
const EVERY: usize = 30;

#[cfg(test)]
mod tests {
    use super::*;
    use codec::container::y4m::{Header, Writer};
    use media::FrameRate;

    /// Writes pictures of one brightness each.
    fn write(path: &Path, size: Size, levels: &[u8]) {
        let header = Header { size, rate: FrameRate::THIRTY, colour: Colour::default() };
        let mut writer = Writer::create(path, header).expect("a file");
        for level in levels {
            let samples = vec![*level; usize::from(size.width) * usize::from(size.height)];
            let plane = |size: Size| PlaneRef { data: &samples, stride: usize::from(size.width), size };
            writer.write([plane(size), plane(size.chroma()), plane(size.chroma())]).expect("written");
        }
        writer.finish().expect("written");
    }

    #[test]
    fn the_most_similar_picture_of_the_clip_counts() {
        let folder = tempfile::tempdir().expect("a folder");
        let clip = folder.path().join("clip.y4m");
        write(&clip, Size::new(1_280, 720), &[20, 120, 220]);
        let reference = Reference::read(&clip).expect("the clip");
        let shown = folder.path().join("shown");
        fs::create_dir(&shown).expect("a folder");
        write(&shown.join("sender.y4m"), Size::new(320, 180), &[120, 20, 20]);
        write(&shown.join("sender-640x360.y4m"), Size::new(640, 360), &[121]);
        write(&shown.join("other.y4m"), Size::new(640, 360), &[70]);
        let psnr = reference.of_dump(&shown, "sender").expect("read").expect("pictures");
        assert!((psnr - f64::midpoint(psnr::EQUAL, 48.13)).abs() < 0.1, "{psnr}");
        assert_eq!(reference.of_dump(&shown, "nobody").expect("read"), None);
    }
}
