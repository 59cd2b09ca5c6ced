//! Raw I420 frames: written once, frozen, then shared by handle.

use crate::{Size, Timestamp};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One plane of an I420 picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plane {
    /// Luma, at the picture's size.
    Y,
    /// Blue difference (Cb), at half the width and height.
    U,
    /// Red difference (Cr), at half the width and height.
    V,
}

/// The matrix that converts YUV into RGB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Matrix {
    /// ITU-R BT.601: standard definition and most webcams.
    Bt601,
    /// ITU-R BT.709: high definition.
    #[default]
    Bt709,
}

/// The colour space of a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Colour {
    /// The conversion matrix.
    pub matrix: Matrix,
    /// True for 0..=255 luma, false for 16..=235.
    pub full_range: bool,
}

/// A plane to read.
#[derive(Clone, Copy)]
pub struct PlaneRef<'a> {
    /// The samples, row by row.
    pub data: &'a [u8],
    /// Bytes from the start of one row to the start of the next.
    pub stride: usize,
    /// Width and height in samples, without padding.
    pub size: Size,
}

impl<'a> PlaneRef<'a> {
    /// Returns the rows, each `size.width` samples long.
    pub fn rows(self) -> impl Iterator<Item = &'a [u8]> {
        let width = usize::from(self.size.width);
        self.data.chunks(self.stride).take(usize::from(self.size.height)).map(move |row| &row[..width])
    }
}

/// A plane to write. See [`PlaneRef`].
pub struct PlaneMut<'a> {
    /// The samples, row by row.
    pub data: &'a mut [u8],
    /// Bytes from the start of one row to the start of the next.
    pub stride: usize,
    /// Width and height in samples, without padding.
    pub size: Size,
}

impl PlaneMut<'_> {
    /// Returns the rows, each `size.width` samples long.
    pub fn rows_mut(&mut self) -> impl Iterator<Item = &mut [u8]> {
        let width = usize::from(self.size.width);
        self.data.chunks_mut(self.stride).take(usize::from(self.size.height)).map(move |row| &mut row[..width])
    }

    /// Copies `from` into this plane. If the sizes differ, copies the part that both have.
    pub fn copy_from(&mut self, from: PlaneRef<'_>) {
        for (to, from) in self.rows_mut().zip(from.rows()) {
            let width = to.len().min(from.len());
            to[..width].copy_from_slice(&from[..width]);
        }
    }
}

/// A frozen picture. A clone shares the samples.
#[derive(Clone)]
pub struct Frame {
    slot: Arc<Slot>,
}

/// A picture that one thread is writing.
pub struct FrameMut {
    slot: Arc<Slot>,
    pool: Pool,
}

/// A pool of reusable picture buffers. Clones share the buffers.
#[derive(Clone)]
pub struct Pool {
    shared: Arc<Mutex<PoolState>>,
}

struct PoolState {
    slots: Vec<Arc<Slot>>,
    in_use: usize,
    capacity: usize,
    refused: u64,
}

#[derive(Default)]
struct Slot {
    size: Size,
    colour: Colour,
    number: u64,
    captured: Timestamp,
    samples: Vec<u8>,
}

impl Pool {
    /// Returns a pool of at most `capacity` buffers. Each is allocated when it is first needed.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let state = PoolState { slots: Vec::with_capacity(capacity), in_use: 0, capacity, refused: 0 };
        Self { shared: Arc::new(Mutex::new(state)) }
    }

    /// Takes a picture of `size` to write. Its samples have arbitrary values. Returns `None` if every buffer is in use:
    /// the caller skips this picture, and the pool counts it. Allocates only for a new buffer or a larger size.
    #[must_use]
    pub fn take(&self, size: Size) -> Option<FrameMut> {
        let mut slot = self.lock().idle_slot()?;
        // `idle_slot` returns slots with one owner, so this never fails.
        Arc::get_mut(&mut slot)?.reset(size);
        Some(FrameMut { slot, pool: self.clone() })
    }

    /// Returns how many times [`Pool::take`] returned `None`.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.lock().refused
    }

    fn lock(&self) -> MutexGuard<'_, PoolState> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PoolState {
    fn idle_slot(&mut self) -> Option<Arc<Slot>> {
        let idle = self.slots.iter().position(|slot| Arc::strong_count(slot) == 1);
        let slot = match idle {
            Some(index) => self.slots.swap_remove(index),
            None if self.slots.len() + self.in_use < self.capacity => Arc::default(),
            None => {
                self.refused += 1;
                return None;
            }
        };
        self.in_use += 1;
        Some(slot)
    }
}

impl Slot {
    fn reset(&mut self, size: Size) {
        *self = Self { size, samples: std::mem::take(&mut self.samples), ..Self::default() };
        self.samples.resize(luma_length(size) + 2 * chroma_length(size), 0);
    }

    fn range(&self, plane: Plane) -> std::ops::Range<usize> {
        let (luma, chroma) = (luma_length(self.size), chroma_length(self.size));
        match plane {
            Plane::Y => 0..luma,
            Plane::U => luma..luma + chroma,
            Plane::V => luma + chroma..luma + 2 * chroma,
        }
    }

    fn plane(&self, plane: Plane) -> PlaneRef<'_> {
        let (size, stride) = geometry(self.size, plane);
        PlaneRef { data: &self.samples[self.range(plane)], stride, size }
    }
}

impl FrameMut {
    /// Returns the picture's size.
    #[must_use]
    pub fn size(&self) -> Size {
        self.slot.size
    }

    /// Returns the planes Y, U and V.
    ///
    /// # Panics
    /// Never: until it is frozen, this is the only owner of the buffer.
    pub fn planes_mut(&mut self) -> [PlaneMut<'_>; 3] {
        let slot = Arc::get_mut(&mut self.slot).expect("an unfrozen frame is the only owner of its buffer");
        let size = slot.size;
        let (luma, chroma) = slot.samples.split_at_mut(luma_length(size));
        let (blue, red) = chroma.split_at_mut(chroma_length(size));
        let plane = |plane, data| {
            let (size, stride) = geometry(size, plane);
            PlaneMut { data, stride, size }
        };
        [plane(Plane::Y, luma), plane(Plane::U, blue), plane(Plane::V, red)]
    }

    /// Sets the metadata and makes the picture immutable and shareable.
    ///
    /// # Panics
    /// Never: until it is frozen, this is the only owner of the buffer.
    #[must_use]
    pub fn freeze(mut self, number: u64, captured: Timestamp, colour: Colour) -> Frame {
        let slot = Arc::get_mut(&mut self.slot).expect("an unfrozen frame is the only owner of its buffer");
        slot.number = number;
        slot.captured = captured;
        slot.colour = colour;
        Frame { slot: Arc::clone(&self.slot) }
    }
}

impl Drop for FrameMut {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        state.in_use -= 1;
        state.slots.push(Arc::clone(&self.slot));
    }
}

impl Frame {
    /// Returns the picture's size.
    #[must_use]
    pub fn size(&self) -> Size {
        self.slot.size
    }

    /// Returns the colour space.
    #[must_use]
    pub fn colour(&self) -> Colour {
        self.slot.colour
    }

    /// Returns the source's frame number, from 0.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.slot.number
    }

    /// Returns the capture time.
    #[must_use]
    pub fn captured(&self) -> Timestamp {
        self.slot.captured
    }

    /// Returns the samples of one plane.
    #[must_use]
    pub fn plane(&self, plane: Plane) -> PlaneRef<'_> {
        self.slot.plane(plane)
    }

    /// Returns true if both handles share one picture.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.slot, &other.slot)
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame(#{} {})", self.number(), self.size())
    }
}

fn geometry(size: Size, plane: Plane) -> (Size, usize) {
    match plane {
        Plane::Y => (size, stride(size.width)),
        Plane::U | Plane::V => (size.chroma(), stride(size.chroma().width)),
    }
}

/// Returns the bytes from one row to the next. Rows start at multiples of 16 bytes, for vector instructions.
fn stride(width: u16) -> usize {
    usize::from(width).next_multiple_of(16)
}

fn luma_length(size: Size) -> usize {
    stride(size.width) * usize::from(size.height)
}

fn chroma_length(size: Size) -> usize {
    luma_length(size.chroma())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn freeze(picture: FrameMut, number: u64) -> Frame {
        picture.freeze(number, Timestamp::default(), Colour::default())
    }

    #[test]
    fn planes_do_not_overlap_even_at_odd_sizes() {
        let mut picture = Pool::new(1).take(Size::new(7, 5)).unwrap();
        for (value, mut plane) in (1..).zip(picture.planes_mut()) {
            plane.rows_mut().for_each(|row| row.fill(value));
        }
        let frame = freeze(picture, 3);
        let samples = |plane| frame.plane(plane).rows().flatten().copied().collect::<Vec<_>>();
        assert_eq!(samples(Plane::Y), [1; 35]);
        assert_eq!(samples(Plane::U), [2; 12]);
        assert_eq!(samples(Plane::V), [3; 12]);
    }

    #[test]
    fn a_buffer_returns_to_the_pool_with_the_last_handle() {
        let pool = Pool::new(1);
        let frame = freeze(pool.take(Size::new(16, 16)).unwrap(), 0);
        let second = frame.clone();
        drop(frame);
        assert!(pool.take(Size::new(16, 16)).is_none());
        assert_eq!(pool.refused(), 1);
        drop(second);
        assert!(pool.take(Size::new(16, 16)).is_some());
    }

    #[test]
    fn an_unfinished_frame_returns_its_buffer() {
        let pool = Pool::new(1);
        drop(pool.take(Size::new(16, 16)).unwrap());
        assert!(pool.take(Size::new(8, 8)).is_some());
    }

    #[test]
    fn a_pool_reuses_its_memory() {
        let pool = Pool::new(2);
        let at = |frame: &Frame| frame.plane(Plane::Y).data.as_ptr();
        let first = at(&freeze(pool.take(Size::new(640, 360)).unwrap(), 0));
        assert_eq!(at(&freeze(pool.take(Size::new(640, 360)).unwrap(), 1)), first);
    }
}
