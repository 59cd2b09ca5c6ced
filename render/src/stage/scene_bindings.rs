//! The bind group of a scene: the target's size, the colour conversions and the glyph atlas.

use super::pipeline::Pipeline;
use crate::colour;
use crate::text::Atlas;
use bytemuck::{Pod, Zeroable};

/// The first bind group and its resources.
pub(super) struct SceneBindings {
    uniforms: wgpu::Buffer,
    sampler: wgpu::Sampler,
    atlas: wgpu::Texture,
    group: wgpu::BindGroup,
}

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Uniforms {
    size: [f32; 2],
    unused: [f32; 2],
    conversions: [colour::Conversion; colour::CONVERSIONS],
}

impl SceneBindings {
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue, pipeline: &Pipeline, atlas: &mut Atlas) -> Self {
        let uniforms = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("scene"),
            size: size_of::<Uniforms>() as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let sampler = device.create_sampler(&wgpu::SamplerDescriptor {
            label: Some("blend"),
            mag_filter: wgpu::FilterMode::Linear,
            min_filter: wgpu::FilterMode::Linear,
            ..wgpu::SamplerDescriptor::default()
        });
        let texture = texture(device, atlas.side());
        let group = group(device, pipeline, &uniforms, &sampler, &texture);
        let bindings = Self { uniforms, sampler, atlas: texture, group };
        bindings.upload(queue, atlas);
        bindings
    }

    pub fn group(&self) -> &wgpu::BindGroup {
        &self.group
    }

    pub fn set_target(&self, queue: &wgpu::Queue, width: u32, height: u32) {
        #[expect(clippy::cast_precision_loss, reason = "a target is a few thousand pixels wide")]
        let size = [width as f32, height as f32];
        let uniforms = Uniforms { size, unused: [0.0; 2], conversions: colour::conversions() };
        queue.write_buffer(&self.uniforms, 0, bytemuck::bytes_of(&uniforms));
    }

    /// Uploads the changed rows of the atlas, and replaces the texture if the atlas has grown.
    pub fn refresh(&mut self, device: &wgpu::Device, queue: &wgpu::Queue, pipeline: &Pipeline, atlas: &mut Atlas) {
        if self.atlas.width() != u32::from(atlas.side()) {
            self.atlas = texture(device, atlas.side());
            self.group = group(device, pipeline, &self.uniforms, &self.sampler, &self.atlas);
        }
        self.upload(queue, atlas);
    }

    fn upload(&self, queue: &wgpu::Queue, atlas: &mut Atlas) {
        let rows = atlas.take_dirty();
        if rows.is_empty() {
            return;
        }
        let stride = u32::from(atlas.side()) * 4;
        queue.write_texture(
            wgpu::TexelCopyTextureInfo {
                texture: &self.atlas,
                mip_level: 0,
                origin: wgpu::Origin3d { x: 0, y: u32::from(rows.start), z: 0 },
                aspect: wgpu::TextureAspect::All,
            },
            &atlas.pixels()[usize::from(rows.start) * stride as usize..usize::from(rows.end) * stride as usize],
            wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(stride), rows_per_image: None },
            wgpu::Extent3d {
                width: u32::from(atlas.side()),
                height: u32::from(rows.end - rows.start),
                depth_or_array_layers: 1,
            },
        );
    }
}

fn texture(device: &wgpu::Device, side: u16) -> wgpu::Texture {
    device.create_texture(&wgpu::TextureDescriptor {
        label: Some("glyph atlas"),
        size: wgpu::Extent3d { width: u32::from(side), height: u32::from(side), depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::Rgba8Unorm,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    })
}

fn group(
    device: &wgpu::Device,
    pipeline: &Pipeline,
    uniforms: &wgpu::Buffer,
    sampler: &wgpu::Sampler,
    atlas: &wgpu::Texture,
) -> wgpu::BindGroup {
    let view = atlas.create_view(&wgpu::TextureViewDescriptor::default());
    device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("scene"),
        layout: pipeline.scene(),
        entries: &[
            wgpu::BindGroupEntry { binding: 0, resource: uniforms.as_entire_binding() },
            wgpu::BindGroupEntry { binding: 1, resource: wgpu::BindingResource::Sampler(sampler) },
            wgpu::BindGroupEntry { binding: 2, resource: wgpu::BindingResource::TextureView(&view) },
        ],
    })
}
