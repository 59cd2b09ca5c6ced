//! Draws a scene in the caller's render pass.

mod pictures;
mod pipeline;
mod processor;
mod scene_bindings;
mod shaders;
mod texture_arrays;

use crate::{DrawnPicture, Style, Tile};
use processor::Processor;
use shaders::Shaders;
use std::fmt;

/// How tiles are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Drawing {
    /// By shaders on the graphics device.
    #[default]
    Shaders,
    /// By [`crate::cpu`]; the device only composites the result. On machines whose only adapter is a software
    /// rasteriser (virtual desktops) this needs a fraction of the CPU time of shaders.
    Processor,
}

impl Drawing {
    /// The method for an adapter: the CPU for a software rasteriser, otherwise shaders.
    #[must_use]
    pub fn on(adapter: &wgpu::AdapterInfo) -> Self {
        match adapter.device_type {
            wgpu::DeviceType::Cpu => Self::Processor,
            wgpu::DeviceType::Other
            | wgpu::DeviceType::IntegratedGpu
            | wgpu::DeviceType::DiscreteGpu
            | wgpu::DeviceType::VirtualGpu => Self::Shaders,
        }
    }

    /// The method for the default adapter of this machine. Loads the drivers, which takes 10 ms or more, so call it on
    /// a start-up thread.
    #[must_use]
    pub fn on_this_machine() -> Self {
        crate::adapter::adapter().map_or(Self::Processor, |adapter| Self::on(&adapter.get_info()))
    }
}

/// The device resources to draw tiles. Used on the thread that draws.
///
/// A stage holds one scene at a time: each window calls [`Stage::prepare`] and then [`Stage::draw`] before the next
/// window.
pub struct Stage {
    backend: Backend,
}

enum Backend {
    Shaders(Box<Shaders>),
    Processor(Box<Processor>),
}

impl Stage {
    /// Creates a stage for targets of `format`, with or without sRGB encoding. Compiles the shader.
    #[must_use]
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue, format: wgpu::TextureFormat, style: Style) -> Self {
        Self::with(device, queue, format, style, Drawing::Shaders)
    }

    /// As [`Stage::new`], with a choice of the drawing method.
    #[must_use]
    pub fn with(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        format: wgpu::TextureFormat,
        style: Style,
        drawing: Drawing,
    ) -> Self {
        let backend = match drawing {
            Drawing::Shaders => Backend::Shaders(Box::new(Shaders::new(device, queue, format, style))),
            Drawing::Processor => Backend::Processor(Box::new(Processor::new(device, format, style))),
        };
        Self { backend }
    }

    /// Changes the style, for example with the theme.
    pub fn set_style(&mut self, style: Style) {
        match &mut self.backend {
            Backend::Shaders(shaders) => shaders.set_style(style),
            Backend::Processor(processor) => processor.set_style(style),
        }
    }

    /// Uploads new pictures and lays out the tiles. `target` is the size of the render pass's viewport in physical
    /// pixels, `scale` the number of physical pixels per logical pixel. Submits copy commands, so call it before the
    /// render pass is submitted. Returns the pictures that will be drawn for the first time.
    pub fn prepare(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        tiles: &[Tile],
        target: [u32; 2],
        scale: f32,
    ) -> &[DrawnPicture] {
        let scale = if scale.is_finite() { scale.clamp(0.25, 16.0) } else { 1.0 };
        match &mut self.backend {
            Backend::Shaders(shaders) => shaders.prepare(device, queue, tiles, target, scale),
            Backend::Processor(processor) => processor.prepare(device, queue, tiles, target, scale),
        }
        self.shown()
    }

    /// The pictures that the last [`Stage::prepare`] returned.
    #[must_use]
    pub fn shown(&self) -> &[DrawnPicture] {
        match &self.backend {
            Backend::Shaders(shaders) => shaders.shown(),
            Backend::Processor(processor) => processor.shown(),
        }
    }

    /// Draws the prepared scene. The caller sets the viewport and the scissor rectangle of the pass.
    pub fn draw(&self, pass: &mut wgpu::RenderPass<'_>) {
        match &self.backend {
            Backend::Shaders(shaders) => shaders.draw(pass),
            Backend::Processor(processor) => processor.draw(pass),
        }
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.backend {
            Backend::Shaders(_) => "Stage(shaders)",
            Backend::Processor(_) => "Stage(processor)",
        })
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_shader_is_valid() {
        for source in [super::pipeline::SHADER, super::processor::SHADER] {
            let module = naga::front::wgsl::parse_str(source);
            let module = module.unwrap_or_else(|error| panic!("{}", error.emit_to_string(source)));
            let (flags, capabilities) = (naga::valid::ValidationFlags::all(), naga::valid::Capabilities::empty());
            let checked = naga::valid::Validator::new(flags, capabilities).validate(&module);
            checked.unwrap_or_else(|error| panic!("{}", error.emit_to_string(source)));
            let entries: Vec<_> = module.entry_points.iter().map(|entry| entry.name.as_str()).collect();
            assert_eq!(entries, ["vertex", "fragment"]);
        }
    }
}
