//! Draws tiles with shaders: pictures in textures, instanced draws.

use super::pictures::Pictures;
use super::pipeline::Pipeline;
use super::scene_bindings::SceneBindings;
use crate::quad::Quad;
use crate::scene::{Scene, Source};
use crate::text::Text;
use crate::{DrawnPicture, Style, Tile};

/// The textures, bindings, pipeline and scene.
pub(super) struct Shaders {
    style: Style,
    pipeline: Pipeline,
    pictures: Pictures,
    bindings: SceneBindings,
    text: Text,
    scene: Scene,
    sources: Vec<Option<Source>>,
    shown: Vec<DrawnPicture>,
    instances: wgpu::Buffer,
    // The content of the instance buffer, so that an unchanged scene is not uploaded again.
    written: Vec<Quad>,
    target: [u32; 2],
}

impl Shaders {
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue, format: wgpu::TextureFormat, style: Style) -> Self {
        let mut text = Text::new(&style.font);
        let pipeline = Pipeline::new(device, format);
        let bindings = SceneBindings::new(device, queue, &pipeline, text.atlas());
        let pictures = Pictures::new(device, &pipeline);
        Self {
            style,
            pictures,
            bindings,
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

    pub fn set_style(&mut self, style: Style) {
        if !std::sync::Arc::ptr_eq(&style.font.faces, &self.style.font.faces) {
            self.text = Text::new(&style.font);
        }
        self.style = style;
    }

    /// Uploads new pictures and lays out the tiles.
    pub fn prepare(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        tiles: &[Tile],
        [width, height]: [u32; 2],
        scale: f32,
    ) {
        self.sources.clear();
        self.shown.clear();
        self.pictures.begin_frame();
        for tile in tiles {
            let current =
                tile.feed.as_ref().and_then(|feed| self.pictures.refresh(device, queue, &self.pipeline, feed));
            self.sources.push(current.map(|current| current.source));
            let new = current.filter(|current| current.new);
            self.shown.extend(new.map(|current| DrawnPicture {
                id: tile.id,
                number: current.number,
                captured: current.captured,
            }));
        }
        self.pictures.end_frame(device, queue);
        self.scene.lay_out(tiles, &self.sources, &self.style, scale, &mut self.text);
        self.bindings.refresh(device, queue, &self.pipeline, self.text.atlas());
        if self.target != [width, height] {
            self.target = [width, height];
            self.bindings.set_target(queue, width, height);
        }
        self.write_instances(device, queue);
    }

    pub fn shown(&self) -> &[DrawnPicture] {
        &self.shown
    }

    pub fn draw(&self, pass: &mut wgpu::RenderPass<'_>) {
        if self.scene.batches.is_empty() {
            return;
        }
        pass.set_pipeline(self.pipeline.tiles());
        pass.set_bind_group(0, self.bindings.group(), &[]);
        pass.set_vertex_buffer(0, self.instances.slice(..));
        for batch in &self.scene.batches {
            pass.set_bind_group(1, self.pictures.group(batch.class), &[]);
            pass.draw(0..4, batch.quads.clone());
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

fn instances(device: &wgpu::Device, count: usize) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("tiles"),
        size: (count * size_of::<Quad>()) as u64,
        usage: wgpu::BufferUsages::VERTEX | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}
