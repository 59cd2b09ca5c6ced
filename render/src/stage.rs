//! Draws a scene inside somebody else's render pass.

mod arrays;
mod letters;
mod pictures;
mod pipeline;

use crate::quad::Quad;
use crate::scene::{Scene, Source};
use crate::text::Text;
use crate::{Look, Tile};
use letters::Letters;
use media::Timestamp;
use pictures::Pictures;
use pipeline::Pipeline;

/// A picture that was drawn for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The tile's id.
    pub id: u64,
    /// The picture's number, as it was published.
    pub number: u64,
    /// When its source saw it, as it was published.
    pub captured: Timestamp,
}

/// Everything a device needs to draw tiles: textures, letters, one pipeline. Belongs to the thread that draws.
///
/// A stage holds one scene at a time: a window prepares and draws before the next one does.
pub struct Stage {
    look: Look,
    pipeline: Pipeline,
    pictures: Pictures,
    letters: Letters,
    text: Text,
    scene: Scene,
    sources: Vec<Option<Source>>,
    shown: Vec<Shown>,
    instances: wgpu::Buffer,
    // What the instance buffer holds: a scene that stays the same is not written again.
    written: Vec<Quad>,
    target: [u32; 2],
}

impl Stage {
    /// A stage for targets of `format`, sRGB-encoded by the format or not: colours come out the same. Compiles the shader.
    #[must_use]
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue, format: wgpu::TextureFormat, look: Look) -> Self {
        let mut text = Text::new(&look.font);
        let pipeline = Pipeline::new(device, format);
        let letters = Letters::new(device, queue, &pipeline, text.atlas());
        let pictures = Pictures::new(device, &pipeline);
        Self {
            look,
            pictures,
            letters,
            pipeline,
            text,
            scene: Scene::default(),
            sources: Vec::new(),
            shown: Vec::new(),
            instances: instances(device, 256),
            written: Vec::new(),
            target: [0, 0],
        }
    }

    /// Takes other colours, lengths or letters, as when the theme changes.
    pub fn set_look(&mut self, look: Look) {
        if !std::sync::Arc::ptr_eq(&look.font.faces, &self.look.font.faces) {
            self.text = Text::new(&look.font);
        }
        self.look = look;
    }

    /// Uploads what changed since the last time and lays the tiles out, for a target (the render pass's viewport) of
    /// `width` by `height` physical pixels with `scale` of them to a logical one. Submits its own copies: call it
    /// before the pass is submitted. Returns the pictures that will be drawn for the first time.
    pub fn prepare(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        tiles: &[Tile],
        [width, height]: [u32; 2],
        scale: f32,
    ) -> &[Shown] {
        let scale = if scale.is_finite() { scale.clamp(0.25, 16.0) } else { 1.0 };
        self.sources.clear();
        self.shown.clear();
        self.pictures.begin();
        for tile in tiles {
            let held = tile.feed.as_ref().and_then(|feed| self.pictures.refresh(device, queue, &self.pipeline, feed));
            self.sources.push(held.map(|held| held.source));
            let new = held.filter(|held| held.new);
            self.shown.extend(new.map(|held| Shown { id: tile.id, number: held.number, captured: held.captured }));
        }
        self.pictures.finish(device, queue);
        self.scene.lay_out(tiles, &self.sources, &self.look, scale, &mut self.text);
        self.letters.refresh(device, queue, &self.pipeline, self.text.atlas());
        if self.target != [width, height] {
            self.target = [width, height];
            self.letters.set_target(queue, width, height);
        }
        self.write_instances(device, queue);
        &self.shown
    }

    /// The pictures that the last [`Stage::prepare`] found new.
    #[must_use]
    pub fn shown(&self) -> &[Shown] {
        &self.shown
    }

    /// Draws what was prepared. The pass's viewport and scissors are the caller's.
    pub fn draw(&self, pass: &mut wgpu::RenderPass<'_>) {
        if self.scene.runs.is_empty() {
            return;
        }
        pass.set_pipeline(self.pipeline.tiles());
        pass.set_bind_group(0, self.letters.group(), &[]);
        pass.set_vertex_buffer(0, self.instances.slice(..));
        for run in &self.scene.runs {
            pass.set_bind_group(1, self.pictures.group(run.class), &[]);
            pass.draw(0..4, run.quads.clone());
        }
    }

    fn write_instances(&mut self, device: &wgpu::Device, queue: &wgpu::Queue) {
        if self.written == self.scene.quads {
            return;
        }
        self.written.clone_from(&self.scene.quads);
        let bytes: &[u8] = bytemuck::cast_slice(&self.written);
        if (bytes.len() as u64) > self.instances.size() {
            self.instances = instances(device, self.written.len().next_power_of_two());
        }
        queue.write_buffer(&self.instances, 0, bytes);
    }
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Stage({} rectangles in {} draws)", self.scene.quads.len(), self.scene.runs.len())
    }
}

fn instances(device: &wgpu::Device, count: usize) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("tiles"),
        size: (count * size_of::<Quad>()) as u64,
        usage: wgpu::BufferUsages::VERTEX | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}
