//! The location of each frame, from the sample tables of ISO/IEC 14496-12 8.6 and 8.7.

use super::boxes::{self, Fields, FourCc};
use crate::container::Error;
use media::FrameRate;

/// The location of one frame in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) offset: u64,
    pub(super) size: u32,
    pub(super) key: bool,
}

/// Returns all frames in decoding order. Each lies within the `length` of the file.
pub(super) fn samples(tables: &[u8], length: u64) -> Result<Vec<Sample>, Error> {
    let sizes = Sizes::read(tables, length)?;
    if sizes.count == 0 {
        return Err(Error::Empty);
    }
    let mut samples = Vec::with_capacity(sizes.count);
    let mut runs = Runs::read(tables)?;
    for (chunk, offset) in (1..).zip(chunk_offsets(tables)?) {
        let mut offset = offset;
        for _ in 0..runs.samples_in(chunk) {
            let Some(size) = sizes.get(samples.len()) else { break };
            let end = offset.checked_add(u64::from(size)).filter(|end| *end <= length);
            samples.push(Sample { offset, size, key: false });
            offset = end.ok_or(Error::Damaged("a frame is outside the file"))?;
        }
    }
    if samples.len() < sizes.count {
        return Err(Error::Damaged(BROKEN));
    }
    mark_keys(tables, &mut samples)?;
    Ok(samples)
}

/// Returns the mean frame rate, which is exact for a constant rate.
pub(super) fn rate(tables: &[u8], timescale: u32) -> Result<FrameRate, Error> {
    let entries = pairs(tables, *b"stts")?;
    let (mut count, mut ticks) = (0_u64, 0_u64);
    for (pictures, delta) in entries {
        count = count.saturating_add(u64::from(pictures));
        ticks = ticks.saturating_add(u64::from(pictures) * u64::from(delta));
    }
    let numerator = u64::from(timescale).saturating_mul(count);
    let divisor = divisor(numerator, ticks).max(1);
    let rate = reduce(numerator / divisor, ticks / divisor);
    rate.ok_or_else(|| Error::Unsupported("frame rates below 1 or above 240 per second".into()))
}

/// The frame sizes: one size for all frames, or a list.
struct Sizes<'a> {
    count: usize,
    all: u32,
    list: &'a [u8],
}

impl<'a> Sizes<'a> {
    fn read(tables: &'a [u8], length: u64) -> Result<Self, Error> {
        let mut fields = Fields::new(boxes::find(tables, &[*b"stsz"]).ok_or(Error::Damaged(BROKEN))?).skip(4);
        let (all, count) = (fields.u32()?, fields.u32()?);
        let list = fields.rest();
        let size = if all == 0 { 4 } else { u64::from(all) };
        let room = if all == 0 { list.len() as u64 } else { length };
        // Check the count before memory is reserved for it.
        if u64::from(count) * size > room {
            return Err(Error::Damaged(BROKEN));
        }
        Ok(Self { count: usize::try_from(count).map_err(|_| Error::Damaged(BROKEN))?, all, list })
    }

    fn get(&self, index: usize) -> Option<u32> {
        if index >= self.count {
            return None;
        }
        if self.all != 0 {
            return Some(self.all);
        }
        let bytes = self.list.get(index * 4..)?.first_chunk()?;
        Some(u32::from_be_bytes(*bytes))
    }
}

/// The number of frames of each chunk, stored as runs of chunks with the same number.
struct Runs<'a> {
    rest: std::iter::Peekable<Box<dyn Iterator<Item = (u32, u32)> + 'a>>,
    samples: u32,
}

impl<'a> Runs<'a> {
    fn read(tables: &'a [u8]) -> Result<Self, Error> {
        let list = list(tables, *b"stsc", 12)?;
        let runs = list.chunks_exact(12).map(|entry| (word(entry, 0), word(entry, 4)));
        let runs: Box<dyn Iterator<Item = (u32, u32)> + 'a> = Box::new(runs);
        Ok(Self { rest: runs.peekable(), samples: 0 })
    }

    fn samples_in(&mut self, chunk: u32) -> u32 {
        while let Some((_, samples)) = self.rest.next_if(|(first, _)| *first <= chunk) {
            self.samples = samples;
        }
        self.samples
    }
}

fn chunk_offsets<'a>(tables: &'a [u8]) -> Result<Box<dyn Iterator<Item = u64> + 'a>, Error> {
    if boxes::find(tables, &[*b"co64"]).is_some() {
        let list = list(tables, *b"co64", 8)?;
        return Ok(Box::new(
            list.chunks_exact(8).map(|entry| u64::from(word(entry, 0)) << 32 | u64::from(word(entry, 4))),
        ));
    }
    let list = list(tables, *b"stco", 4)?;
    Ok(Box::new(list.chunks_exact(4).map(|entry| u64::from(word(entry, 0)))))
}

/// Marks the key frames. Without a table every frame is a key frame.
fn mark_keys(tables: &[u8], samples: &mut [Sample]) -> Result<(), Error> {
    if boxes::find(tables, &[*b"stss"]).is_none() {
        for sample in samples {
            sample.key = true;
        }
        return Ok(());
    }
    for entry in list(tables, *b"stss", 4)?.chunks_exact(4) {
        let index = usize::try_from(word(entry, 0)).unwrap_or(usize::MAX).wrapping_sub(1);
        samples.get_mut(index).ok_or(Error::Damaged(BROKEN))?.key = true;
    }
    // Decoding starts at the first frame, also in each loop.
    samples.first().filter(|sample| sample.key).map(drop).ok_or(Error::Damaged("the first frame is not a key frame"))
}

/// Returns the entries of a table of pairs.
pub(super) fn pairs(tables: &[u8], kind: FourCc) -> Result<impl Iterator<Item = (u32, u32)>, Error> {
    Ok(list(tables, kind, 8)?.chunks_exact(8).map(|entry| (word(entry, 0), word(entry, 4))))
}

/// Returns the bytes of a table's entries, according to its count.
fn list(tables: &[u8], kind: FourCc, entry: usize) -> Result<&[u8], Error> {
    let mut fields = Fields::new(boxes::find(tables, &[kind]).ok_or(Error::Damaged(BROKEN))?).skip(4);
    let count = usize::try_from(fields.u32()?).map_err(|_| Error::Damaged(BROKEN))?;
    let length = count.checked_mul(entry).ok_or(Error::Damaged(BROKEN))?;
    fields.bytes(length)
}

fn word(entry: &[u8], at: usize) -> u32 {
    entry.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

fn reduce(mut numerator: u64, mut denominator: u64) -> Option<FrameRate> {
    // The fraction of a variable rate may not fit into 32 bits. Halving both terms changes it by less than a billionth.
    while numerator > u64::from(u32::MAX) || denominator > u64::from(u32::MAX) {
        (numerator, denominator) = (numerator / 2, denominator / 2);
    }
    FrameRate::new(u32::try_from(numerator).ok()?, u32::try_from(denominator).ok()?)
}

/// Returns the greatest common divisor.
fn divisor(one: u64, other: u64) -> u64 {
    if other == 0 { one } else { divisor(other, one % other) }
}

pub(super) const BROKEN: &str = "a sample table is invalid";
