//! Textures for pictures of about one size: an array of luma and one of chroma, a layer for each feed.

use super::pipeline::Pipeline;
use crate::feed::Layout;
use media::Size;

/// Two texture arrays with the same layers. Grows by doubling, up to what every device takes.
pub(super) struct Arrays {
    width: u32,
    height: u32,
    luma: wgpu::Texture,
    chroma: wgpu::Texture,
    group: wgpu::BindGroup,
    taken: Vec<bool>,
}

impl Arrays {
    pub fn new(device: &wgpu::Device, pipeline: &Pipeline, size: Size) -> Self {
        let (width, height) = class(size);
        let layers = FEWEST;
        let (luma, chroma) = textures(device, width, height, layers);
        let group = group(device, pipeline, &luma, &chroma);
        Self { width, height, luma, chroma, group, taken: vec![false; layers as usize] }
    }

    pub fn group(&self) -> &wgpu::BindGroup {
        &self.group
    }

    /// True for pictures that belong here.
    pub fn suits(&self, size: Size) -> bool {
        (self.width, self.height) == class(size)
    }

    pub fn is_idle(&self) -> bool {
        !self.taken.contains(&true)
    }

    /// Takes a layer without growing.
    pub fn take(&mut self) -> Option<u32> {
        let layer = self.taken.iter().position(|taken| !taken)?;
        self.taken[layer] = true;
        u32::try_from(layer).ok()
    }

    pub fn free(&mut self, layer: u32) {
        if let Some(taken) = self.taken.get_mut(layer as usize) {
            *taken = false;
        }
    }

    /// Doubles the layers, keeping what they show; false where no more are to be had.
    pub fn grow(&mut self, device: &wgpu::Device, pipeline: &Pipeline, encoder: &mut wgpu::CommandEncoder) -> bool {
        let before = self.luma.depth_or_array_layers();
        let layers = (before * 2).min(device.limits().max_texture_array_layers);
        if layers == before {
            return false;
        }
        let (luma, chroma) = textures(device, self.width, self.height, layers);
        for (from, to) in [(&self.luma, &luma), (&self.chroma, &chroma)] {
            encoder.copy_texture_to_texture(from.as_image_copy(), to.as_image_copy(), from.size());
        }
        self.group = group(device, pipeline, &luma, &chroma);
        (self.luma, self.chroma) = (luma, chroma);
        self.taken.resize(layers as usize, false);
        true
    }

    /// Copies a picture from staging memory that is no longer mapped.
    pub fn copy(&self, encoder: &mut wgpu::CommandEncoder, buffer: &wgpu::Buffer, layout: Layout, layer: u32) {
        for (texture, part) in self.parts(layout) {
            encoder.copy_buffer_to_texture(
                wgpu::TexelCopyBufferInfo { buffer, layout: part.layout },
                on_layer(texture, layer),
                part.extent,
            );
        }
    }

    /// Copies a picture from plain memory.
    pub fn write(&self, queue: &wgpu::Queue, bytes: &[u8], layout: Layout, layer: u32) {
        for (texture, part) in self.parts(layout) {
            queue.write_texture(on_layer(texture, layer), bytes, part.layout, part.extent);
        }
    }

    fn parts(&self, layout: Layout) -> [(&wgpu::Texture, Part); 2] {
        let part = |offset: u32, stride: u32, size: Size| Part {
            layout: wgpu::TexelCopyBufferLayout {
                offset: u64::from(offset),
                bytes_per_row: Some(stride),
                rows_per_image: None,
            },
            extent: wgpu::Extent3d {
                width: u32::from(size.width),
                height: u32::from(size.height),
                depth_or_array_layers: 1,
            },
        };
        [
            (&self.luma, part(0, layout.luma_stride, layout.size)),
            (&self.chroma, part(layout.chroma_offset, layout.chroma_stride, layout.size.chroma())),
        ]
    }
}

struct Part {
    layout: wgpu::TexelCopyBufferLayout,
    extent: wgpu::Extent3d,
}

/// The size class: a camera that changes its size a little keeps its textures.
fn class(size: Size) -> (u32, u32) {
    (u32::from(size.width).next_multiple_of(STEP), u32::from(size.height).next_multiple_of(STEP))
}

fn textures(device: &wgpu::Device, width: u32, height: u32, layers: u32) -> (wgpu::Texture, wgpu::Texture) {
    let array = |label, width, height, format| {
        device.create_texture(&wgpu::TextureDescriptor {
            label: Some(label),
            size: wgpu::Extent3d { width, height, depth_or_array_layers: layers },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format,
            usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST | wgpu::TextureUsages::COPY_SRC,
            view_formats: &[],
        })
    };
    let luma = array("luma", width, height, wgpu::TextureFormat::R8Unorm);
    let chroma = array("chroma", width / 2, height / 2, wgpu::TextureFormat::Rg8Unorm);
    (luma, chroma)
}

fn group(device: &wgpu::Device, pipeline: &Pipeline, luma: &wgpu::Texture, chroma: &wgpu::Texture) -> wgpu::BindGroup {
    let view = |texture: &wgpu::Texture| {
        texture.create_view(&wgpu::TextureViewDescriptor {
            dimension: Some(wgpu::TextureViewDimension::D2Array),
            ..wgpu::TextureViewDescriptor::default()
        })
    };
    let (luma, chroma) = (view(luma), view(chroma));
    device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("pictures"),
        layout: pipeline.picture(),
        entries: &[
            wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::TextureView(&luma) },
            wgpu::BindGroupEntry { binding: 1, resource: wgpu::BindingResource::TextureView(&chroma) },
        ],
    })
}

fn on_layer(texture: &wgpu::Texture, layer: u32) -> wgpu::TexelCopyTextureInfo<'_> {
    wgpu::TexelCopyTextureInfo {
        texture,
        mip_level: 0,
        origin: wgpu::Origin3d { x: 0, y: 0, z: layer },
        aspect: wgpu::TextureAspect::All,
    }
}

/// Two: OpenGL ES takes a texture of one layer for no array at all.
const FEWEST: u32 = 2;

/// Sizes are rounded up to this: even, so that chroma lies at exactly half the place of luma.
const STEP: u32 = 64;
