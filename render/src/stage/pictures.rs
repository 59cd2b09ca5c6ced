//! Assigns feeds to texture layers, uploads new pictures and returns staging memory to the feeds.

use super::pipeline::Pipeline;
use super::texture_arrays::TextureArrays;
use crate::feed::{Bytes, Feed, Memory, Picture, Shared, StageDevice};
use crate::scene::{CurrentPicture, Source};
use media::Size;
use std::sync::Weak;
use std::sync::atomic::{AtomicU64, Ordering};

/// The current pictures of all recently drawn feeds.
pub(super) struct Pictures {
    stage_device: StageDevice,
    classes: Vec<Option<TextureArrays>>,
    entries: Vec<Entry>,
    // Bound if a batch has no picture.
    empty: TextureArrays,
    encoder: Option<wgpu::CommandEncoder>,
    in_flight: Vec<(Weak<Shared>, Memory)>,
    frame: u64,
}

struct Entry {
    feed: Weak<Shared>,
    id: u64,
    current: Option<CurrentPicture>,
    last_used: u64,
}

impl Pictures {
    pub fn new(device: &wgpu::Device, pipeline: &Pipeline) -> Self {
        static STAGES: AtomicU64 = AtomicU64::new(0);
        let stage_device = StageDevice { stage: STAGES.fetch_add(1, Ordering::Relaxed), device: device.clone() };
        let empty = TextureArrays::new(device, pipeline, Size::new(2, 2));
        Self {
            stage_device,
            classes: Vec::new(),
            entries: Vec::new(),
            empty,
            encoder: None,
            in_flight: Vec::new(),
            frame: 0,
        }
    }

    /// Starts a frame. Releases the layers of feeds that were dropped or not drawn for `MAX_UNUSED_FRAMES`.
    pub fn begin_frame(&mut self) {
        self.frame += 1;
        let (frame, classes) = (self.frame, &mut self.classes);
        self.entries.retain_mut(|entry| {
            let keep = entry.feed.strong_count() > 0 && entry.last_used + MAX_UNUSED_FRAMES > frame;
            if !keep {
                release(classes, entry.current.take());
            }
            keep
        });
        if self.frame.is_multiple_of(MAX_UNUSED_FRAMES) {
            self.classes.iter_mut().for_each(|classes| drop(classes.take_if(|classes| classes.is_idle())));
        }
    }

    /// The newest picture of `feed`, uploaded if it is new. Returns `None` if the feed has no picture.
    pub fn refresh(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        pipeline: &Pipeline,
        feed: &Feed,
    ) -> Option<CurrentPicture> {
        let index = self.entry(feed);
        let (picture, visible) = feed.take(Some(&self.stage_device));
        if !visible {
            let current = self.entries[index].current.take();
            release(&mut self.classes, current);
        }
        if let Some(picture) = picture {
            self.upload(device, queue, pipeline, feed, index, picture);
        }
        // `new` stays set until the end of the frame, for a second tile with the same feed.
        self.entries[index].current
    }

    /// Submits the copies, then maps the staging buffers again and returns them to their feeds.
    pub fn end_frame(&mut self, device: &wgpu::Device, queue: &wgpu::Queue) {
        if let Some(encoder) = self.encoder.take() {
            queue.submit([encoder.finish()]);
        }
        for (feed, memory) in self.in_flight.drain(..) {
            remap(feed, memory);
        }
        for entry in &mut self.entries {
            if let Some(current) = &mut entry.current {
                current.new = false;
            }
        }
        // Runs the map callbacks of finished buffers. Errors of a lost device are reported elsewhere.
        let _ = device.poll(wgpu::PollType::Poll);
    }

    /// The textures for a batch of the scene.
    pub fn group(&self, class: Option<u32>) -> &wgpu::BindGroup {
        let class = class.and_then(|index| self.classes.get(index as usize)?.as_ref());
        class.unwrap_or(&self.empty).group()
    }

    fn entry(&mut self, feed: &Feed) -> usize {
        let known = self.entries.iter().position(|entry| entry.id == feed.id());
        let index = known.unwrap_or_else(|| {
            self.entries.push(Entry { feed: feed.downgrade(), id: feed.id(), current: None, last_used: 0 });
            self.entries.len() - 1
        });
        self.entries[index].last_used = self.frame;
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
        let Picture { memory, layout, colour, number, captured } = picture;
        let before = self.entries[index].current.take();
        let Some((class, layer)) = self.place(device, pipeline, layout.size, before) else {
            tracing::debug!(size = %layout.size, "no texture layer left for a picture");
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
                self.in_flight.push((feed.downgrade(), memory));
            }
        }
        let source = Source { class, layer, size: layout.size, colour };
        self.entries[index].current = Some(CurrentPicture { source, number, captured, new: true });
    }

    /// Returns a class and layer for a picture of `size`; the previous ones if they still fit.
    fn place(
        &mut self,
        device: &wgpu::Device,
        pipeline: &Pipeline,
        size: Size,
        before: Option<CurrentPicture>,
    ) -> Option<(u32, u32)> {
        if let Some(CurrentPicture { source, .. }) = before {
            let class = self.classes.get(source.class as usize).and_then(Option::as_ref);
            if class.is_some_and(|class| class.fits(size)) {
                return Some((source.class, source.layer));
            }
        }
        release(&mut self.classes, before);
        for (index, class) in (0..).zip(&mut self.classes) {
            let Some(class) = class.as_mut().filter(|class| class.fits(size)) else { continue };
            if let Some(layer) = class.allocate() {
                return Some((index, layer));
            }
            let encoder = self.encoder.get_or_insert_with(|| encoder(device));
            if class.grow(device, pipeline, encoder) {
                return Some((index, class.allocate()?));
            }
        }
        let mut class = TextureArrays::new(device, pipeline, size);
        let layer = class.allocate()?;
        let index = self.classes.iter().position(Option::is_none).unwrap_or_else(|| {
            self.classes.push(None);
            self.classes.len() - 1
        });
        self.classes[index] = Some(class);
        Some((u32::try_from(index).ok()?, layer))
    }
}

fn release(classes: &mut [Option<TextureArrays>], current: Option<CurrentPicture>) {
    let Some(CurrentPicture { source, .. }) = current else { return };
    if let Some(Some(class)) = classes.get_mut(source.class as usize) {
        class.free(source.layer);
    }
}

/// Maps a staging buffer again. The callback returns it to its feed when the GPU has read it.
fn remap(feed: Weak<Shared>, memory: Memory) {
    let Bytes::Mapped(buffer, _) = &memory.bytes else { return };
    let buffer = buffer.clone();
    buffer.map_async(wgpu::MapMode::Write, .., move |mapped| {
        let Some(feed) = feed.upgrade() else { return };
        match mapped {
            Ok(()) => feed.give_back(memory),
            Err(_) => feed.discard(),
        }
    });
}

fn encoder(device: &wgpu::Device) -> wgpu::CommandEncoder {
    device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("pictures") })
}

/// Frames after which the layer of a feed without a tile is released: 10 s at 60 frames per second.
const MAX_UNUSED_FRAMES: u64 = 600;
