//! Passes pictures from a decode thread to the drawing thread through leased memory. The newest picture wins.
//!
//! A lease is ordinary memory until a [`crate::Stage`] has drawn the feed, and mapped staging memory of the GPU after
//! that. Nothing waits: if every buffer is in use, the picture is skipped and counted.

mod layout;
mod memory;

pub(crate) use layout::Layout;
pub(crate) use memory::{Bytes, Memory};

use media::{Colour, PlaneMut, PlaneRef, Size, Timestamp};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

/// The pictures of one track, for one or more tiles. Clones share the feed.
///
/// Only one stage or canvas can show a feed, because it takes the pictures.
#[derive(Clone)]
pub struct Feed {
    pub(crate) shared: Arc<Shared>,
}

/// Counts of a feed's pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Published by [`Lease::publish`].
    pub published: u64,
    /// Taken for drawing.
    pub shown: u64,
    /// Replaced by the next picture before they were drawn.
    pub replaced: u64,
    /// Leases refused because every buffer was in use or the size is not supported.
    pub refused: u64,
}

/// Memory for one picture, written by one thread. Drop without [`Lease::publish`] returns it to the feed.
pub struct Lease {
    shared: Arc<Shared>,
    // `None` only after `publish` or during `drop`.
    memory: Option<Memory>,
    layout: Layout,
}

/// A published picture.
pub(crate) struct Picture {
    pub memory: Memory,
    pub layout: Layout,
    pub colour: Colour,
    pub number: u64,
    pub captured: Timestamp,
}

pub(crate) struct Shared {
    id: u64,
    state: Mutex<State>,
}

type Wake = Arc<dyn Fn() + Send + Sync>;

/// The device that draws a feed, and the id of its stage. The id is needed because devices of two wgpu instances may
/// compare equal.
#[derive(Clone)]
pub(crate) struct StageDevice {
    pub stage: u64,
    pub device: wgpu::Device,
}

#[derive(Default)]
struct State {
    device: Option<StageDevice>,
    // Incremented when the device changes. Memory of an older generation is not reused.
    generation: u64,
    idle: Vec<Memory>,
    allocated: usize,
    newest: Option<Picture>,
    visible: bool,
    last_published: Option<Instant>,
    wake: Option<Wake>,
    counts: Counts,
}

impl Feed {
    /// Creates a feed without pictures.
    #[must_use]
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let state = State { idle: Vec::with_capacity(MAX_BUFFERS), ..State::default() };
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Self { shared: Arc::new(Shared { id, state: Mutex::new(state) }) }
    }

    /// Sets a function to call after each published picture, on the publishing thread. It must neither block nor draw.
    pub fn on_publish(&self, wake: impl Fn() + Send + Sync + 'static) {
        self.shared.lock().wake = Some(Arc::new(wake));
    }

    /// Leases memory for a picture of `size`. Returns `None` if every buffer is in use, or if the size is empty or over
    /// 8192 on a side: the caller skips this picture, and the feed counts it. Allocates only for a new buffer or a
    /// larger size.
    #[must_use]
    pub fn lease(&self, size: Size) -> Option<Lease> {
        let lease = Layout::of(size).and_then(|layout| {
            let memory = self.shared.memory(layout).or_else(|| {
                self.shared.poll_device();
                self.shared.memory(layout)
            })?;
            Some(Lease { shared: Arc::clone(&self.shared), memory: Some(memory.map_view()), layout })
        });
        if lease.is_none() {
            self.shared.lock().counts.refused += 1;
        }
        lease
    }

    /// Copies an I420 picture and publishes it. Returns false if it was skipped because no memory was free.
    pub fn show(&self, planes: [PlaneRef<'_>; 3], colour: Colour, number: u64, captured: Timestamp) -> bool {
        let Some(mut lease) = self.lease(planes[0].size) else { return false };
        lease.copy_from(planes);
        lease.publish(colour, number, captured);
        true
    }

    /// Removes the picture. Tiles show their placeholder until the next one is published.
    pub fn clear(&self) {
        let unseen = {
            let mut state = self.shared.lock();
            state.visible = false;
            let unseen = state.newest.take();
            state.counts.replaced += u64::from(unseen.is_some());
            unseen
        };
        if let Some(picture) = unseen {
            self.shared.give_back(picture.memory);
        }
        self.shared.wake();
    }

    /// When the last picture was published. `None` before the first one.
    #[must_use]
    pub fn last_published(&self) -> Option<Instant> {
        self.shared.lock().last_published
    }

    /// The counts so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.lock().counts
    }

    /// True if both handles share one feed.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    pub(crate) fn id(&self) -> u64 {
        self.shared.id
    }

    pub(crate) fn downgrade(&self) -> Weak<Shared> {
        Arc::downgrade(&self.shared)
    }

    /// Takes the newest unseen picture, if any. The second value is true if the feed has a picture, also one taken
    /// before. The caller can read staging memory of `device` and ordinary memory; later leases use that device.
    pub(crate) fn take(&self, device: Option<&StageDevice>) -> (Option<Picture>, bool) {
        let mut state = self.shared.lock();
        let dropped = state.attach(device);
        let picture = state.newest.take();
        state.counts.shown += u64::from(picture.is_some());
        let visible = state.visible;
        drop(state);
        drop(dropped);
        (picture, visible)
    }
}

impl Default for Feed {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Feed(#{} {:?})", self.shared.id, self.counts())
    }
}

impl Lease {
    /// The picture's size.
    #[must_use]
    pub fn size(&self) -> Size {
        self.layout.size
    }

    /// The luma plane, then the interleaved chroma plane (its width is in bytes, twice the chroma samples). Write
    /// sequentially and do not read, because mapped memory is slow to read.
    ///
    /// # Panics
    /// Never: a lease has its memory until it is published.
    pub fn planes_mut(&mut self) -> [PlaneMut<'_>; 2] {
        let memory = self.memory.as_mut().expect("a lease has its memory until it is published");
        self.layout.planes_mut(memory.bytes_mut())
    }

    /// Copies an I420 picture. If the sizes differ, copies the part that both have.
    pub fn copy_from(&mut self, planes: [PlaneRef<'_>; 3]) {
        let [luma, blue, red] = planes;
        let [mut to_luma, mut to_chroma] = self.planes_mut();
        to_luma.copy_from(luma);
        for ((to, blue), red) in to_chroma.rows_mut().zip(blue.rows()).zip(red.rows()) {
            for ((to, blue), red) in to.chunks_exact_mut(2).zip(blue).zip(red) {
                to[0] = *blue;
                to[1] = *red;
            }
        }
    }

    /// Publishes the picture, which replaces one that was not drawn yet. Then calls the function set by
    /// [`Feed::on_publish`].
    pub fn publish(mut self, colour: Colour, number: u64, captured: Timestamp) {
        if let Some(memory) = self.memory.take() {
            let memory = memory.unmap_view();
            self.shared.publish(Picture { memory, layout: self.layout, colour, number, captured });
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(memory) = self.memory.take() {
            self.shared.give_back(memory.unmap_view());
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lease({})", self.layout.size)
    }
}

impl Shared {
    /// Returns memory of a picture that was drawn, replaced or not published.
    pub(crate) fn give_back(&self, memory: Memory) {
        let mut state = self.lock();
        if memory.generation == state.generation {
            state.idle.push(memory);
        } else {
            state.allocated = state.allocated.saturating_sub(1);
        }
    }

    /// Discards a buffer that could not be mapped. A new one may be allocated.
    pub(crate) fn discard(&self) {
        let mut state = self.lock();
        state.allocated = state.allocated.saturating_sub(1);
    }

    fn publish(&self, picture: Picture) {
        let now = Instant::now();
        let mut state = self.lock();
        state.counts.published += 1;
        state.last_published = Some(now);
        // The device changed while the picture was written, and the new one cannot read it.
        if picture.memory.generation != state.generation && picture.memory.is_mapped() {
            state.allocated = state.allocated.saturating_sub(1);
            state.counts.replaced += 1;
            return;
        }
        state.visible = true;
        let unseen = state.newest.replace(picture);
        state.counts.replaced += u64::from(unseen.is_some());
        drop(state);
        if let Some(picture) = unseen {
            self.give_back(picture.memory);
        }
        self.wake();
    }

    fn wake(&self) {
        let wake = self.lock().wake.clone();
        if let Some(wake) = wake {
            wake();
        }
    }

    fn memory(&self, layout: Layout) -> Option<Memory> {
        let mut state = self.lock();
        if let Some(index) = state.idle.iter().position(|memory| memory.fits(layout)) {
            return Some(state.idle.swap_remove(index));
        }
        // No idle buffer fits: replace one.
        let misfit = state.idle.pop();
        if misfit.is_none() {
            if state.allocated >= MAX_BUFFERS {
                return None;
            }
            state.allocated += 1;
        }
        let (device, generation) = (state.device.clone(), state.generation);
        drop(state);
        drop(misfit);
        Some(Memory::new(device.as_ref().map(|stage_device| &stage_device.device), generation, layout))
    }

    /// Polls the device. The callbacks of finished buffers return them to the feed.
    fn poll_device(&self) {
        let device = self.lock().device.clone();
        if let Some(StageDevice { device, .. }) = device {
            // A lost device returns no buffers; the stage that owns it handles the error.
            let _ = device.poll(wgpu::PollType::Poll);
        }
    }

    // No code panics while it holds the lock, so a poisoned lock still guards a consistent state.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Changes the device. Returns the memory that the caller drops after it released the lock.
    fn attach(&mut self, device: Option<&StageDevice>) -> Option<(Vec<Memory>, Option<Picture>)> {
        if self.device.as_ref().map(|stage_device| stage_device.stage) == device.map(|stage_device| stage_device.stage)
        {
            return None;
        }
        self.device = device.cloned();
        self.generation += 1;
        let idle = std::mem::replace(&mut self.idle, Vec::with_capacity(MAX_BUFFERS));
        let unreadable = self.newest.take_if(|picture| picture.memory.is_mapped());
        self.allocated = self.allocated.saturating_sub(idle.len() + usize::from(unreadable.is_some()));
        Some((idle, unreadable))
    }
}

/// The buffers of a feed: one being written, one published, and two in use by the GPU.
const MAX_BUFFERS: usize = 4;

#[cfg(test)]
mod tests;
