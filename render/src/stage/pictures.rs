//! Which picture of which feed lies on which layer; uploads what is new and sends staging memory home.

use super::arrays::Arrays;
use super::pipeline::Pipeline;
use crate::feed::{Bytes, Feed, Home, Memory, Picture, Shared};
use crate::scene::Source;
use media::{Size, Timestamp};
use std::sync::Weak;
use std::sync::atomic::{AtomicU64, Ordering};

/// A feed's picture, ready to be drawn.
#[derive(Clone, Copy)]
pub(super) struct Held {
    pub source: Source,
    pub number: u64,
    pub captured: Timestamp,
    /// Uploaded in this turn.
    pub new: bool,
}

/// The pictures of all feeds that tiles have named lately.
pub(super) struct Pictures {
    home: Home,
    classes: Vec<Option<Arrays>>,
    entries: Vec<Entry>,
    // Bound where a scene has no picture at all.
    empty: Arrays,
    encoder: Option<wgpu::CommandEncoder>,
    lent: Vec<(Weak<Shared>, Memory)>,
    turn: u64,
}

struct Entry {
    feed: Weak<Shared>,
    id: u64,
    held: Option<Held>,
    named: u64,
}

impl Pictures {
    pub fn new(device: &wgpu::Device, pipeline: &Pipeline) -> Self {
        static STAGES: AtomicU64 = AtomicU64::new(0);
        let home = Home { stage: STAGES.fetch_add(1, Ordering::Relaxed), device: device.clone() };
        let empty = Arrays::new(device, pipeline, Size::new(2, 2));
        Self { home, classes: Vec::new(), entries: Vec::new(), empty, encoder: None, lent: Vec::new(), turn: 0 }
    }

    /// Starts a turn: feeds that are gone, or that no tile has named for long, lose their layers.
    pub fn begin(&mut self) {
        self.turn += 1;
        let (turn, classes) = (self.turn, &mut self.classes);
        self.entries.retain_mut(|entry| {
            let stays = entry.feed.strong_count() > 0 && entry.named + PATIENCE > turn;
            if !stays {
                release(classes, entry.held.take());
            }
            stays
        });
        if self.turn.is_multiple_of(PATIENCE) {
            self.classes.iter_mut().for_each(|classes| drop(classes.take_if(|classes| classes.is_idle())));
        }
    }

    /// The newest picture of `feed`, uploaded where it is new; `None` while there is nothing to see.
    pub fn refresh(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        pipeline: &Pipeline,
        feed: &Feed,
    ) -> Option<Held> {
        let index = self.entry(feed);
        let (picture, visible) = feed.take(Some(&self.home));
        if !visible {
            let held = self.entries[index].held.take();
            release(&mut self.classes, held);
        }
        if let Some(picture) = picture {
            self.upload(device, queue, pipeline, feed, index, picture);
        }
        // Told once, even where two tiles show the same feed.
        self.entries[index].held
    }

    /// Submits the copies, then lets staging memory be mapped again and go home.
    pub fn finish(&mut self, device: &wgpu::Device, queue: &wgpu::Queue) {
        if let Some(encoder) = self.encoder.take() {
            queue.submit([encoder.finish()]);
        }
        for (feed, memory) in self.lent.drain(..) {
            remap(feed, memory);
        }
        for entry in &mut self.entries {
            if let Some(held) = &mut entry.held {
                held.new = false;
            }
        }
        // What the GPU has finished with comes home, also while nobody else submits. A lost device has nothing to say.
        let _ = device.poll(wgpu::PollType::Poll);
    }

    /// The textures for a run of the scene.
    pub fn group(&self, class: Option<u32>) -> &wgpu::BindGroup {
        let class = class.and_then(|index| self.classes.get(index as usize)?.as_ref());
        class.unwrap_or(&self.empty).group()
    }

    fn entry(&mut self, feed: &Feed) -> usize {
        let known = self.entries.iter().position(|entry| entry.id == feed.id());
        let index = known.unwrap_or_else(|| {
            self.entries.push(Entry { feed: feed.downgrade(), id: feed.id(), held: None, named: 0 });
            self.entries.len() - 1
        });
        self.entries[index].named = self.turn;
        index
    }

    fn upload(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        pipeline: &Pipeline,
        feed: &Feed,
        index: usize,
        picture: Picture,
    ) {
        let Picture { memory, layout, colour, rotation, number, captured } = picture;
        let before = self.entries[index].held.take();
        let Some((class, layer)) = self.place(device, pipeline, layout.size, before) else {
            tracing::debug!(size = %layout.size, "no texture left for a picture");
            feed.shared.give_back(memory);
            return;
        };
        let Some(textures) = self.classes.get(class as usize).and_then(Option::as_ref) else { return };
        match &memory.bytes {
            Bytes::Plain(bytes) => {
                textures.write(queue, bytes, layout, layer);
                feed.shared.give_back(memory);
            }
            Bytes::Mapped(buffer, _) => {
                buffer.unmap();
                let encoder = self.encoder.get_or_insert_with(|| encoder(device));
                textures.copy(encoder, buffer, layout, layer);
                self.lent.push((feed.downgrade(), memory));
            }
        }
        let source = Source { class, layer, size: layout.size, colour, rotation };
        self.entries[index].held = Some(Held { source, number, captured, new: true });
    }

    /// A layer for a picture of `size`: the one it had before, if that still suits.
    fn place(
        &mut self,
        device: &wgpu::Device,
        pipeline: &Pipeline,
        size: Size,
        before: Option<Held>,
    ) -> Option<(u32, u32)> {
        if let Some(Held { source, .. }) = before {
            let class = self.classes.get(source.class as usize).and_then(Option::as_ref);
            if class.is_some_and(|class| class.suits(size)) {
                return Some((source.class, source.layer));
            }
        }
        release(&mut self.classes, before);
        for (index, class) in (0..).zip(&mut self.classes) {
            let Some(class) = class.as_mut().filter(|class| class.suits(size)) else { continue };
            if let Some(layer) = class.take() {
                return Some((index, layer));
            }
            let encoder = self.encoder.get_or_insert_with(|| encoder(device));
            if class.grow(device, pipeline, encoder) {
                return Some((index, class.take()?));
            }
        }
        let mut class = Arrays::new(device, pipeline, size);
        let layer = class.take()?;
        let index = self.classes.iter().position(Option::is_none).unwrap_or_else(|| {
            self.classes.push(None);
            self.classes.len() - 1
        });
        self.classes[index] = Some(class);
        Some((u32::try_from(index).ok()?, layer))
    }
}

fn release(classes: &mut [Option<Arrays>], held: Option<Held>) {
    let Some(Held { source, .. }) = held else { return };
    if let Some(Some(class)) = classes.get_mut(source.class as usize) {
        class.free(source.layer);
    }
}

/// Asks for the buffer to be mapped again; its feed gets it back once the GPU has read it.
fn remap(feed: Weak<Shared>, memory: Memory) {
    let Bytes::Mapped(buffer, _) = &memory.bytes else { return };
    let buffer = buffer.clone();
    buffer.map_async(wgpu::MapMode::Write, .., move |mapped| {
        let Some(feed) = feed.upgrade() else { return };
        match mapped {
            Ok(()) => feed.give_back(memory),
            Err(_) => feed.forget(),
        }
    });
}

fn encoder(device: &wgpu::Device) -> wgpu::CommandEncoder {
    device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("pictures") })
}

/// Turns without a tile after which a feed's layer is given away: some ten seconds of a moving scene.
const PATIENCE: u64 = 600;
