//! Draws tiles on the CPU: the changed areas are uploaded into a texture, which the device composites.

use super::pipeline::{blended, linear_target, texture};
use crate::{Area, DrawnPicture, Rgba, Style, Tile, cpu};
use std::borrow::Cow;

/// A canvas, and the texture with its pixels.
pub(super) struct Processor {
    canvas: cpu::Canvas,
    pipeline: wgpu::RenderPipeline,
    layout: wgpu::BindGroupLayout,
    target: Option<(wgpu::Texture, wgpu::BindGroup)>,
}

pub(super) const SHADER: &str = include_str!("../../../shaders/canvas.wgsl");

impl Processor {
    pub fn new(device: &wgpu::Device, format: wgpu::TextureFormat, style: Style) -> Self {
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("canvas"),
            entries: &[wgpu::BindGroupLayoutEntry {
                visibility: wgpu::ShaderStages::VERTEX_FRAGMENT,
                ..texture(0, wgpu::TextureViewDimension::D2)
            }],
        });
        let pipeline = pipeline(device, &layout, format);
        Self { canvas: cpu::Canvas::new(style), pipeline, layout, target: None }
    }

    pub fn set_style(&mut self, style: Style) {
        self.canvas.set_style(style);
    }

    /// Draws the changed tiles and uploads their areas.
    pub fn prepare(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        tiles: &[Tile],
        target: [u32; 2],
        scale: f32,
    ) {
        let max = device.limits().max_texture_dimension_2d;
        self.canvas.draw(tiles, target.map(|side| side.min(max)), scale, Rgba::CLEAR);
        let [width, height] = self.canvas.size();
        if width == 0 || height == 0 {
            self.target = None;
            return;
        }
        let Self { target, layout, canvas, .. } = self;
        // After a change of size the whole canvas is damaged, so the new texture is filled completely.
        drop(target.take_if(|(texture, _)| (texture.width(), texture.height()) != (width, height)));
        let (texture, _) = target.get_or_insert_with(|| create_target(device, layout, width, height));
        for area in canvas.damage() {
            upload(queue, texture, canvas.pixels(), *area);
        }
    }

    pub fn shown(&self) -> &[DrawnPicture] {
        self.canvas.shown()
    }

    pub fn draw(&self, pass: &mut wgpu::RenderPass<'_>) {
        if let Some((_, group)) = &self.target {
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(0, group, &[]);
            pass.draw(0..3, 0..1);
        }
    }
}

fn upload(queue: &wgpu::Queue, texture: &wgpu::Texture, pixels: &[u8], area: Area) {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates, then limited to the canvas"
    )]
    let edges = |from: f32, length: f32, limit: u32| (from as u32).min(limit)..((from + length) as u32).min(limit);
    let (columns, rows) = (edges(area.x, area.width, texture.width()), edges(area.y, area.height, texture.height()));
    if columns.is_empty() || rows.is_empty() {
        return;
    }
    let stride = texture.width() * 4;
    queue.write_texture(
        wgpu::TexelCopyTextureInfo {
            texture,
            mip_level: 0,
            origin: wgpu::Origin3d { x: columns.start, y: rows.start, z: 0 },
            aspect: wgpu::TextureAspect::All,
        },
        pixels,
        wgpu::TexelCopyBufferLayout {
            offset: u64::from(rows.start) * u64::from(stride) + u64::from(columns.start) * 4,
            bytes_per_row: Some(stride),
            rows_per_image: None,
        },
        wgpu::Extent3d { width: columns.end - columns.start, height: rows.end - rows.start, depth_or_array_layers: 1 },
    );
}

fn create_target(
    device: &wgpu::Device,
    layout: &wgpu::BindGroupLayout,
    width: u32,
    height: u32,
) -> (wgpu::Texture, wgpu::BindGroup) {
    let texture = device.create_texture(&wgpu::TextureDescriptor {
        label: Some("canvas"),
        size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::Rgba8Unorm,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
    let group = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("canvas"),
        layout,
        entries: &[wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::TextureView(&view) }],
    });
    (texture, group)
}

fn pipeline(
    device: &wgpu::Device,
    layout: &wgpu::BindGroupLayout,
    format: wgpu::TextureFormat,
) -> wgpu::RenderPipeline {
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some("canvas"),
        source: wgpu::ShaderSource::Wgsl(Cow::Borrowed(SHADER)),
    });
    let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some("canvas"),
        bind_group_layouts: &[layout],
        push_constant_ranges: &[],
    });
    let linear = linear_target(format);
    device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some("canvas"),
        layout: Some(&layout),
        vertex: wgpu::VertexState {
            module: &module,
            entry_point: Some("vertex"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            buffers: &[],
        },
        fragment: Some(wgpu::FragmentState {
            module: &module,
            entry_point: Some("fragment"),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &linear,
                ..wgpu::PipelineCompilationOptions::default()
            },
            targets: &[Some(blended(format))],
        }),
        primitive: wgpu::PrimitiveState::default(),
        depth_stencil: None,
        multisample: wgpu::MultisampleState::default(),
        multiview: None,
        cache: None,
    })
}
