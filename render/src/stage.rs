//! Draws a scene inside somebody else's render pass.

mod arrays;
mod letters;
mod pictures;
mod pipeline;
mod processor;
mod shaders;

use crate::{Look, Tile};
use media::Timestamp;
use processor::Processor;
use shaders::Shaders;
use std::fmt;

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

/// Who does the work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Drawing {
    /// The graphics device.
    #[default]
    Shaders,
    /// [`crate::cpu`], and the device only lays the result over the target. On machines whose only adapter is a
    /// program (virtual desktops), this costs a fraction of running shaders on the processor.
    Processor,
}

impl Drawing {
    /// What suits an adapter.
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

    /// What suits the adapter that this machine gives first. Loads the drivers, some ten milliseconds and more: for
    /// a start-up thread.
    #[must_use]
    pub fn on_this_machine() -> Self {
        crate::offscreen::adapter().map_or(Self::Processor, |adapter| Self::on(&adapter.get_info()))
    }
}

/// Everything a device needs to draw tiles. Belongs to the thread that draws.
///
/// A stage holds one scene at a time: a window prepares and draws before the next one does.
pub struct Stage {
    painter: Painter,
}

enum Painter {
    Shaders(Box<Shaders>),
    Processor(Box<Processor>),
}

impl Stage {
    /// A stage for targets of `format`, sRGB-encoded by the format or not: colours come out the same. Compiles the shader.
    #[must_use]
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue, format: wgpu::TextureFormat, look: Look) -> Self {
        Self::with(device, queue, format, look, Drawing::Shaders)
    }

    /// As [`Stage::new`], and says who does the work.
    #[must_use]
    pub fn with(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        format: wgpu::TextureFormat,
        look: Look,
        drawing: Drawing,
    ) -> Self {
        let painter = match drawing {
            Drawing::Shaders => Painter::Shaders(Box::new(Shaders::new(device, queue, format, look))),
            Drawing::Processor => Painter::Processor(Box::new(Processor::new(device, format, look))),
        };
        Self { painter }
    }

    /// Takes other colours, lengths or letters, as when the theme changes.
    pub fn set_look(&mut self, look: Look) {
        match &mut self.painter {
            Painter::Shaders(shaders) => shaders.set_look(look),
            Painter::Processor(processor) => processor.set_look(look),
        }
    }

    /// Uploads what changed since the last time and lays the tiles out, for a target (the render pass's viewport) of
    /// `width` by `height` physical pixels with `scale` of them to a logical one. Submits its own copies: call it
    /// before the pass is submitted. Returns the pictures that will be drawn for the first time.
    pub fn prepare(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        tiles: &[Tile],
        target: [u32; 2],
        scale: f32,
    ) -> &[Shown] {
        let scale = if scale.is_finite() { scale.clamp(0.25, 16.0) } else { 1.0 };
        match &mut self.painter {
            Painter::Shaders(shaders) => shaders.prepare(device, queue, tiles, target, scale),
            Painter::Processor(processor) => processor.prepare(device, queue, tiles, target, scale),
        }
        self.shown()
    }

    /// The pictures that the last [`Stage::prepare`] found new.
    #[must_use]
    pub fn shown(&self) -> &[Shown] {
        match &self.painter {
            Painter::Shaders(shaders) => shaders.shown(),
            Painter::Processor(processor) => processor.shown(),
        }
    }

    /// Draws what was prepared. The pass's viewport and scissors are the caller's.
    pub fn draw(&self, pass: &mut wgpu::RenderPass<'_>) {
        match &self.painter {
            Painter::Shaders(shaders) => shaders.draw(pass),
            Painter::Processor(processor) => processor.draw(pass),
        }
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.painter {
            Painter::Shaders(_) => "Stage(shaders)",
            Painter::Processor(_) => "Stage(processor)",
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
