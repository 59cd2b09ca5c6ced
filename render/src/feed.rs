//! The way of a picture from its decode thread to the screen: leased memory, newest wins.
//!
//! A lease is staging memory of the GPU, mapped, once a [`crate::Stage`] has drawn the feed, and plain memory before that
//! or without a GPU. Nothing here waits: where every buffer is in use the picture is skipped and counted.

mod layout;
mod memory;

pub(crate) use layout::Layout;
pub(crate) use memory::{Bytes, Memory};

use media::{Colour, PlaneMut, PlaneRef, Rotation, Size, Timestamp};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Where one track's pictures go and one or more tiles find them. Clones are the same feed.
///
/// One stage or canvas shows a feed: the picture it takes is not there for a second one.
#[derive(Clone)]
pub struct Feed {
    pub(crate) shared: Arc<Shared>,
}

/// What became of a feed's pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Handed over by [`Lease::publish`].
    pub published: u64,
    /// Taken to be drawn.
    pub shown: u64,
    /// Pushed out by the next one before anybody drew them.
    pub replaced: u64,
    /// Leases refused, because every buffer was in use or the size cannot be drawn.
    pub refused: u64,
}

/// Memory for one picture, written by one thread. Dropped without [`Lease::publish`], it goes back unseen.
pub struct Lease {
    shared: Arc<Shared>,
    // Only empty after `publish` and `drop` took it.
    memory: Option<Memory>,
    layout: Layout,
}

/// A picture that waits to be drawn.
pub(crate) struct Picture {
    pub memory: Memory,
    pub layout: Layout,
    pub colour: Colour,
    pub rotation: Rotation,
    pub number: u64,
    pub captured: Timestamp,
}

pub(crate) struct Shared {
    id: u64,
    state: Mutex<State>,
}

type Wake = Arc<dyn Fn() + Send + Sync>;

/// The device that draws a feed, and which stage owns it: devices of two instances may compare equal and are not.
#[derive(Clone)]
pub(crate) struct Home {
    pub stage: u64,
    pub device: wgpu::Device,
}

#[derive(Default)]
struct State {
    device: Option<Home>,
    // Counts changes of device: memory of an older one is not used again.
    generation: u64,
    idle: Vec<Memory>,
    made: usize,
    newest: Option<Picture>,
    visible: bool,
    wake: Option<Wake>,
    counts: Counts,
}

impl Feed {
    /// A feed without pictures.
    #[must_use]
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let state = State { idle: Vec::with_capacity(MAX_BUFFERS), ..State::default() };
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Self { shared: Arc::new(Shared { id, state: Mutex::new(state) }) }
    }

    /// Says whom to call after each published picture, on the publishing thread: it must neither wait nor draw.
    pub fn on_publish(&self, wake: impl Fn() + Send + Sync + 'static) {
        self.shared.lock().wake = Some(Arc::new(wake));
    }

    /// Memory for a picture of `size`. `None` where every buffer is in use, or the size is empty or over 8192 on a
    /// side: the caller skips this picture, and the feed counts it. Allocates only for a new buffer or a larger size.
    #[must_use]
    pub fn lease(&self, size: Size) -> Option<Lease> {
        let lease = Layout::of(size).and_then(|layout| {
            let memory = self.shared.memory(layout).or_else(|| {
                self.shared.collect();
                self.shared.memory(layout)
            })?;
            Some(Lease { shared: Arc::clone(&self.shared), memory: Some(memory.opened()), layout })
        });
        if lease.is_none() {
            self.shared.lock().counts.refused += 1;
        }
        lease
    }

    /// Copies an I420 picture and publishes it; false where it was skipped for want of memory.
    pub fn show(
        &self,
        planes: [PlaneRef<'_>; 3],
        colour: Colour,
        rotation: Rotation,
        number: u64,
        captured: Timestamp,
    ) -> bool {
        let Some(mut lease) = self.lease(planes[0].size) else { return false };
        lease.copy_from(planes);
        lease.publish(colour, rotation, number, captured);
        true
    }

    /// Takes the picture away: tiles show their placeholder until the next one.
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

    /// What became of the pictures so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared.lock().counts
    }

    /// True where both handles are one feed.
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

    /// The newest picture, and whether there is anything to see at all. `device` is what the caller can read: staging
    /// memory of that device or plain memory; leases follow from here on.
    pub(crate) fn take(&self, device: Option<&Home>) -> (Option<Picture>, bool) {
        let mut state = self.shared.lock();
        let retired = state.attach(device);
        let picture = state.newest.take();
        state.counts.shown += u64::from(picture.is_some());
        let visible = state.visible;
        drop(state);
        drop(retired);
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

    /// Luma, then the chroma plane with U and V in turn (its width counts bytes, twice the chroma samples). Write them
    /// from start to end and do not read: mapped memory is slow to read.
    ///
    /// # Panics
    /// Never: a lease holds its memory until it is published.
    pub fn planes_mut(&mut self) -> [PlaneMut<'_>; 2] {
        let memory = self.memory.as_mut().expect("a lease holds its memory until it is published");
        self.layout.planes_mut(memory.bytes_mut())
    }

    /// Copies an I420 picture, as far as both reach.
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

    /// Hands the picture over: it replaces one that nobody has drawn yet. Then calls the wake hook.
    pub fn publish(mut self, colour: Colour, rotation: Rotation, number: u64, captured: Timestamp) {
        if let Some(memory) = self.memory.take() {
            let memory = memory.closed();
            self.shared.publish(Picture { memory, layout: self.layout, colour, rotation, number, captured });
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(memory) = self.memory.take() {
            self.shared.give_back(memory.closed());
        }
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lease({})", self.layout.size)
    }
}

impl Shared {
    /// Takes memory back that was drawn, replaced or never published.
    pub(crate) fn give_back(&self, memory: Memory) {
        let mut state = self.lock();
        if memory.generation == state.generation {
            state.idle.push(memory);
        } else {
            state.made = state.made.saturating_sub(1);
        }
    }

    /// The device lost a buffer: a new one may be made in its place.
    pub(crate) fn forget(&self) {
        let mut state = self.lock();
        state.made = state.made.saturating_sub(1);
    }

    fn publish(&self, picture: Picture) {
        let mut state = self.lock();
        state.counts.published += 1;
        // The device changed while this was being written, and the new one cannot read it.
        if picture.memory.generation != state.generation && picture.memory.is_mapped() {
            state.made = state.made.saturating_sub(1);
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
        if let Some(index) = state.idle.iter().position(|memory| memory.suits(layout)) {
            return Some(state.idle.swap_remove(index));
        }
        // None fits: one that does not makes room.
        let misfit = state.idle.pop();
        if misfit.is_none() {
            if state.made >= MAX_BUFFERS {
                return None;
            }
            state.made += 1;
        }
        let (device, generation) = (state.device.clone(), state.generation);
        drop(state);
        drop(misfit);
        Some(Memory::new(device.as_ref().map(|home| &home.device), generation, layout))
    }

    /// Lets a device that finished with buffers say so; its callbacks bring them home.
    fn collect(&self) {
        let device = self.lock().device.clone();
        if let Some(Home { device, .. }) = device {
            // A lost device has nothing to give back; the stage that owns it will notice.
            let _ = device.poll(wgpu::PollType::Poll);
        }
    }

    // The state is whole whenever the lock is free, so a thread that panicked elsewhere poisons nothing.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Turns to another device, or to none. Returns what is to be dropped without the lock.
    fn attach(&mut self, device: Option<&Home>) -> Option<(Vec<Memory>, Option<Picture>)> {
        if self.device.as_ref().map(|home| home.stage) == device.map(|home| home.stage) {
            return None;
        }
        self.device = device.cloned();
        self.generation += 1;
        let idle = std::mem::replace(&mut self.idle, Vec::with_capacity(MAX_BUFFERS));
        let unreadable = self.newest.take_if(|picture| picture.memory.is_mapped());
        self.made = self.made.saturating_sub(idle.len() + usize::from(unreadable.is_some()));
        Some((idle, unreadable))
    }
}

/// Buffers of a feed: one being written, one waiting, and two with a GPU that runs behind.
const MAX_BUFFERS: usize = 4;

#[cfg(test)]
mod tests;
