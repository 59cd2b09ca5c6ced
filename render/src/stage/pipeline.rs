//! The render pipeline and its bind group layouts.

use crate::quad::Quad;
use std::borrow::Cow;

/// The pipeline that draws a scene.
pub(super) struct Pipeline {
    tiles: wgpu::RenderPipeline,
    scene: wgpu::BindGroupLayout,
    picture: wgpu::BindGroupLayout,
}

pub(super) const SHADER: &str = include_str!("../../../shaders/tiles.wgsl");

impl Pipeline {
    pub fn new(device: &wgpu::Device, format: wgpu::TextureFormat) -> Self {
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("tiles"),
            source: wgpu::ShaderSource::Wgsl(Cow::Borrowed(SHADER)),
        });
        let scene = layout(device, &[uniform(), sampler(), texture(2, wgpu::TextureViewDimension::D2)]);
        let picture = layout(
            device,
            &[texture(0, wgpu::TextureViewDimension::D2Array), texture(1, wgpu::TextureViewDimension::D2Array)],
        );
        let tiles = tiles(device, &module, &[&scene, &picture], format);
        Self { tiles, scene, picture }
    }

    pub fn tiles(&self) -> &wgpu::RenderPipeline {
        &self.tiles
    }

    /// The bind group of a scene: uniforms, sampler, atlas.
    pub fn scene(&self) -> &wgpu::BindGroupLayout {
        &self.scene
    }

    /// The bind group of a batch: luma and chroma texture arrays.
    pub fn picture(&self) -> &wgpu::BindGroupLayout {
        &self.picture
    }
}

fn tiles(
    device: &wgpu::Device,
    module: &wgpu::ShaderModule,
    groups: &[&wgpu::BindGroupLayout],
    format: wgpu::TextureFormat,
) -> wgpu::RenderPipeline {
    let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some("tiles"),
        bind_group_layouts: groups,
        push_constant_ranges: &[],
    });
    let linear = linear_target(format);
    device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some("tiles"),
        layout: Some(&layout),
        vertex: wgpu::VertexState {
            module,
            entry_point: Some("vertex"),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            buffers: &[wgpu::VertexBufferLayout {
                array_stride: size_of::<Quad>() as u64,
                step_mode: wgpu::VertexStepMode::Instance,
                attributes: &wgpu::vertex_attr_array![
                    0 => Float32x4, 1 => Float32x2, 2 => Float32x4, 3 => Float32x4,
                    4 => Unorm8x4, 5 => Unorm8x4, 6 => Uint32x2
                ],
            }],
        },
        fragment: Some(wgpu::FragmentState {
            module,
            entry_point: Some("fragment"),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &linear,
                ..wgpu::PipelineCompilationOptions::default()
            },
            targets: &[Some(blended(format))],
        }),
        primitive: wgpu::PrimitiveState {
            topology: wgpu::PrimitiveTopology::TriangleStrip,
            ..wgpu::PrimitiveState::default()
        },
        depth_stencil: None,
        multisample: wgpu::MultisampleState::default(),
        multiview: None,
        cache: None,
    })
}

/// A colour target with premultiplied alpha blending.
pub(super) fn blended(format: wgpu::TextureFormat) -> wgpu::ColorTargetState {
    let blend = Some(wgpu::BlendState::PREMULTIPLIED_ALPHA_BLENDING);
    wgpu::ColorTargetState { format, blend, write_mask: wgpu::ColorWrites::ALL }
}

/// The value of the shader's constant `LINEAR_TARGET`: whether the target's format has sRGB encoding.
pub(super) fn linear_target(format: wgpu::TextureFormat) -> [(&'static str, f64); 1] {
    [("LINEAR_TARGET", if format.is_srgb() { 1.0 } else { 0.0 })]
}

fn layout(device: &wgpu::Device, entries: &[wgpu::BindGroupLayoutEntry]) -> wgpu::BindGroupLayout {
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some("tiles"), entries })
}

fn uniform() -> wgpu::BindGroupLayoutEntry {
    let ty = wgpu::BindingType::Buffer {
        ty: wgpu::BufferBindingType::Uniform,
        has_dynamic_offset: false,
        min_binding_size: None,
    };
    wgpu::BindGroupLayoutEntry { binding: 0, visibility: wgpu::ShaderStages::VERTEX_FRAGMENT, ty, count: None }
}

fn sampler() -> wgpu::BindGroupLayoutEntry {
    let ty = wgpu::BindingType::Sampler(wgpu::SamplerBindingType::Filtering);
    wgpu::BindGroupLayoutEntry { binding: 1, visibility: wgpu::ShaderStages::FRAGMENT, ty, count: None }
}

pub(super) fn texture(binding: u32, view_dimension: wgpu::TextureViewDimension) -> wgpu::BindGroupLayoutEntry {
    let ty = wgpu::BindingType::Texture {
        sample_type: wgpu::TextureSampleType::Float { filterable: true },
        view_dimension,
        multisampled: false,
    };
    wgpu::BindGroupLayoutEntry { binding, visibility: wgpu::ShaderStages::FRAGMENT, ty, count: None }
}
