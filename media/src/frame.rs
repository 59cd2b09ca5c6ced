//! A picture: I420 planes, written once, frozen, then shared by handle.

use crate::{Size, Timestamp};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One plane of an I420 picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plane {
    /// Luma, at the picture's size.
    Y,
    /// Blue difference, at half the size.
    U,
    /// Red difference, at half the size.
    V,
}

/// The matrix that turns YUV into RGB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Matrix {
    /// ITU-R BT.601: standard definition and most web cameras.
    Bt601,
    /// ITU-R BT.709: high definition.
    #[default]
    Bt709,
}

/// How samples stand for colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Colour {
    /// The conversion matrix.
    pub matrix: Matrix,
    /// True for 0..=255 luma, false for 16..=235.
    pub full_range: bool,
}

/// How a viewer turns the picture, clockwise, before showing it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Rotation {
    /// As it is stored.
    #[default]
    Upright,
    /// A quarter turn.
    Quarter,
    /// Upside down.
    Half,
    /// Three quarters.
    ThreeQuarters,
}

/// A plane to read: `stride` bytes from row to row, `size` samples of them shown.
#[derive(Clone, Copy)]
pub struct PlaneRef<'a> {
    /// The samples, row by row.
    pub data: &'a [u8],
    /// Bytes from one row's start to the next one's.
    pub stride: usize,
    /// Samples shown.
    pub size: Size,
}

impl<'a> PlaneRef<'a> {
    /// The rows, each `size.width` samples long.
    pub fn rows(self) -> impl Iterator<Item = &'a [u8]> {
        let width = usize::from(self.size.width);
        self.data.chunks(self.stride).take(usize::from(self.size.height)).map(move |row| &row[..width])
    }
}

/// A plane to write; as [`PlaneRef`].
pub struct PlaneMut<'a> {
    /// The samples, row by row.
    pub data: &'a mut [u8],
    /// Bytes from one row's start to the next one's.
    pub stride: usize,
    /// Samples shown.
    pub size: Size,
}

impl PlaneMut<'_> {
    /// The rows, each `size.width` samples long.
    pub fn rows_mut(&mut self) -> impl Iterator<Item = &mut [u8]> {
        let width = usize::from(self.size.width);
        self.data.chunks_mut(self.stride).take(usize::from(self.size.height)).map(move |row| &mut row[..width])
    }

    /// Copies `from` into this plane, as far as both reach.
    pub fn copy_from(&mut self, from: PlaneRef<'_>) {
        for (to, from) in self.rows_mut().zip(from.rows()) {
            let width = to.len().min(from.len());
            to[..width].copy_from_slice(&from[..width]);
        }
    }
}

/// A frozen picture. Cloning it copies no sample.
#[derive(Clone)]
pub struct Frame {
    slot: Arc<Slot>,
}

/// A picture that is being written by one thread.
pub struct FrameMut {
    slot: Arc<Slot>,
    pool: Pool,
}

/// Picture buffers that are used again. Clones share the same buffers.
#[derive(Clone)]
pub struct Pool {
    shared: Arc<Mutex<Shelf>>,
}

struct Shelf {
    slots: Vec<Arc<Slot>>,
    out: usize,
    capacity: usize,
    refused: u64,
}

#[derive(Default)]
struct Slot {
    size: Size,
    colour: Colour,
    rotation: Rotation,
    number: u64,
    captured: Timestamp,
    samples: Vec<u8>,
}

impl Pool {
    /// A pool of at most `capacity` buffers; each is allocated when it is first needed.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let shelf = Shelf { slots: Vec::with_capacity(capacity), out: 0, capacity, refused: 0 };
        Self { shared: Arc::new(Mutex::new(shelf)) }
    }

    /// A picture of `size` to write on, with whatever samples its buffer held before. `None` where every buffer is in
    /// use: the caller skips this picture, and the pool counts it. Allocates only for a new buffer or a larger size.
    #[must_use]
    pub fn canvas(&self, size: Size) -> Option<FrameMut> {
        let mut slot = self.lock().idle_slot()?;
        // The shelf hands out slots that nobody else holds, so this never fails.
        Arc::get_mut(&mut slot)?.lay_out(size);
        Some(FrameMut { slot, pool: self.clone() })
    }

    /// How many times every buffer was in use.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.lock().refused
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    fn idle_slot(&mut self) -> Option<Arc<Slot>> {
        let idle = self.slots.iter().position(|slot| Arc::strong_count(slot) == 1);
        let slot = match idle {
            Some(index) => self.slots.swap_remove(index),
            None if self.slots.len() + self.out < self.capacity => Arc::default(),
            None => {
                self.refused += 1;
                return None;
            }
        };
        self.out += 1;
        Some(slot)
    }
}

impl Slot {
    fn lay_out(&mut self, size: Size) {
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
    /// The picture's size.
    #[must_use]
    pub fn size(&self) -> Size {
        self.slot.size
    }

    /// Y, U and V at once.
    ///
    /// # Panics
    /// Never: a canvas is the only holder of its buffer until it is frozen.
    pub fn planes_mut(&mut self) -> [PlaneMut<'_>; 3] {
        let slot = Arc::get_mut(&mut self.slot).expect("a canvas is the only holder of its buffer");
        let size = slot.size;
        let (luma, chroma) = slot.samples.split_at_mut(luma_length(size));
        let (blue, red) = chroma.split_at_mut(chroma_length(size));
        let laid_out = |plane, data| {
            let (size, stride) = geometry(size, plane);
            PlaneMut { data, stride, size }
        };
        [laid_out(Plane::Y, luma), laid_out(Plane::U, blue), laid_out(Plane::V, red)]
    }

    /// Says how samples stand for colours and how the picture is turned, then shares it: from here nobody writes on it.
    ///
    /// # Panics
    /// Never: as [`FrameMut::planes_mut`].
    #[must_use]
    pub fn freeze(mut self, number: u64, captured: Timestamp, colour: Colour, rotation: Rotation) -> Frame {
        let slot = Arc::get_mut(&mut self.slot).expect("a canvas is the only holder of its buffer");
        slot.number = number;
        slot.captured = captured;
        slot.colour = colour;
        slot.rotation = rotation;
        Frame { slot: Arc::clone(&self.slot) }
    }
}

impl Drop for FrameMut {
    fn drop(&mut self) {
        let mut stock = self.pool.lock();
        stock.out -= 1;
        stock.slots.push(Arc::clone(&self.slot));
    }
}

impl Frame {
    /// The picture's size, before rotation.
    #[must_use]
    pub fn size(&self) -> Size {
        self.slot.size
    }

    /// How samples stand for colours.
    #[must_use]
    pub fn colour(&self) -> Colour {
        self.slot.colour
    }

    /// How a viewer turns it.
    #[must_use]
    pub fn rotation(&self) -> Rotation {
        self.slot.rotation
    }

    /// The source's number of this picture; 0 is its first.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.slot.number
    }

    /// When the source saw it.
    #[must_use]
    pub fn captured(&self) -> Timestamp {
        self.slot.captured
    }

    /// The samples of one plane.
    #[must_use]
    pub fn plane(&self, plane: Plane) -> PlaneRef<'_> {
        self.slot.plane(plane)
    }

    /// True where both handles share one picture.
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

/// Rows start at multiples of 16 bytes, which vector code likes.
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

    fn freeze(canvas: FrameMut, number: u64) -> Frame {
        canvas.freeze(number, Timestamp::default(), Colour::default(), Rotation::Upright)
    }

    #[test]
    fn planes_do_not_overlap_even_at_odd_sizes() {
        let mut canvas = Pool::new(1).canvas(Size::new(7, 5)).unwrap();
        for (value, mut plane) in (1..).zip(canvas.planes_mut()) {
            plane.rows_mut().for_each(|row| row.fill(value));
        }
        let frame = freeze(canvas, 3);
        let shown = |plane| frame.plane(plane).rows().flatten().copied().collect::<Vec<_>>();
        assert_eq!(shown(Plane::Y), [1; 35]);
        assert_eq!(shown(Plane::U), [2; 12]);
        assert_eq!(shown(Plane::V), [3; 12]);
    }

    #[test]
    fn a_buffer_goes_home_with_the_last_handle() {
        let pool = Pool::new(1);
        let frame = freeze(pool.canvas(Size::new(16, 16)).unwrap(), 0);
        let second = frame.clone();
        drop(frame);
        assert!(pool.canvas(Size::new(16, 16)).is_none());
        assert_eq!(pool.refused(), 1);
        drop(second);
        assert!(pool.canvas(Size::new(16, 16)).is_some());
    }

    #[test]
    fn an_unfinished_picture_gives_its_buffer_back() {
        let pool = Pool::new(1);
        drop(pool.canvas(Size::new(16, 16)).unwrap());
        assert!(pool.canvas(Size::new(8, 8)).is_some());
    }

    #[test]
    fn steady_state_reuses_the_same_memory() {
        let pool = Pool::new(2);
        let at = |frame: &Frame| frame.plane(Plane::Y).data.as_ptr();
        let first = at(&freeze(pool.canvas(Size::new(640, 360)).unwrap(), 0));
        assert_eq!(at(&freeze(pool.canvas(Size::new(640, 360)).unwrap(), 1)), first);
    }
}
