//! Selects the graphics adapter.

use crate::Error;

/// The adapter with the lowest power consumption. OpenGL ES is tried last, because it looks for displays, which a
/// headless machine lacks.
pub(crate) fn adapter() -> Result<wgpu::Adapter, Error> {
    let options = wgpu::RequestAdapterOptions {
        power_preference: wgpu::PowerPreference::LowPower,
        ..wgpu::RequestAdapterOptions::default()
    };
    let request = |backends| {
        let descriptor = wgpu::InstanceDescriptor { backends, ..wgpu::InstanceDescriptor::default() };
        pollster::block_on(wgpu::Instance::new(&descriptor).request_adapter(&options))
    };
    let found = request(wgpu::Backends::PRIMARY).or_else(|_| request(wgpu::Backends::SECONDARY));
    found.map_err(|error| Error::NoAdapter(error.to_string()))
}
