//! Texture arrays for pictures of one size class: one array for luma and one for chroma, with a layer per feed.

use super::pipeline::Pipeline;
use crate::feed::Layout;
use media::Size;

/// A luma and a chroma texture array with the same number of layers. Grows by doubling, up to the device's limit.
pub(super) struct TextureArrays {
    width: u32,
    height: u32,
    luma: wgpu::Texture,
    chroma: wgpu::Texture,
    group: wgpu::BindGroup,
    in_use: Vec<bool>,
}

impl TextureArrays {
    pub fn new(device: &wgpu::Device, pipeline: &Pipeline, size: Size) -> Self {
        let (width, height) = size_class(size);
        let layers = MIN_LAYERS;
        let (luma, chroma) = textures(device, width, height, layers);
        let group = group(device, pipeline, &luma, &chroma);
        Self { width, height, luma, chroma, group, in_use: vec![false; layers as usize] }
    }

    pub fn group(&self) -> &wgpu::BindGroup {
        &self.group
    }

    /// True if pictures of `size` belong to this size class.
    pub fn fits(&self, size: Size) -> bool {
        (self.width, self.height) == size_class(size)
    }

    pub fn is_idle(&self) -> bool {
        !self.in_use.contains(&true)
    }

    /// Allocates a layer without growing. Returns `None` if all are in use.
    pub fn allocate(&mut self) -> Option<u32> {
        let layer = self.in_use.iter().position(|in_use| !in_use)?;
        self.in_use[layer] = true;
        u32::try_from(layer).ok()
    }

    pub fn free(&mut self, layer: u32) {
        if let Some(in_use) = self.in_use.get_mut(layer as usize) {
            *in_use = false;
        }
    }

    /// Doubles the number of layers and copies their content. Returns false if the device's limit is reached.
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
        self.in_use.resize(layers as usize, false);
        true
    }

    /// Copies a picture from an unmapped staging buffer.
    pub fn copy(&self, encoder: &mut wgpu::CommandEncoder, buffer: &wgpu::Buffer, layout: Layout, layer: u32) {
        for (texture, part) in self.parts(layout) {
            encoder.copy_buffer_to_texture(
                wgpu::TexelCopyBufferInfo { buffer, layout: part.layout },
                on_layer(texture, layer),
                part.extent,
            );
        }
    }

    /// Copies a picture from ordinary memory.
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

/// The size class of a picture: the size rounded up, so that small changes keep the textures.
fn size_class(size: Size) -> (u32, u32) {
    (u32::from(size.width).next_multiple_of(SIZE_STEP), u32::from(size.height).next_multiple_of(SIZE_STEP))
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

/// OpenGL ES treats a texture of one layer as a plain texture, so the minimum is two.
const MIN_LAYERS: u32 = 2;

/// Sizes are rounded up to a multiple of this. It is even, so that chroma positions are exactly half the luma positions.
const SIZE_STEP: u32 = 64;
