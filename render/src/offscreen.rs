//! Drawing without a window, with read-back as RGBA.

use crate::adapter::adapter;
use crate::{Drawing, DrawnPicture, Error, Rgba, Stage, Style, Tile};
use std::fmt;
use std::time::Duration;

/// A device, a stage and a texture that can be read back. For snapshots, tests and benchmarks.
pub struct Offscreen {
    device: wgpu::Device,
    queue: wgpu::Queue,
    stage: Stage,
    format: wgpu::TextureFormat,
    adapter: String,
    target: Option<Target>,
}

struct Target {
    texture: wgpu::Texture,
    view: wgpu::TextureView,
    read: wgpu::Buffer,
    stride: u32,
}

impl Offscreen {
    /// Opens the adapter with the lowest power consumption and draws with [`Drawing::on`] it. The target stores sRGB
    /// code values in a format without sRGB encoding, as the windows of the application do.
    ///
    /// # Errors
    /// Returns [`Error::NoAdapter`] if there is no adapter, and [`Error::Device`] if it cannot be opened.
    pub fn new(style: Style) -> Result<Self, Error> {
        let adapter = adapter()?;
        let drawing = Drawing::on(&adapter.get_info());
        Self::open(&adapter, style, wgpu::TextureFormat::Rgba8Unorm, drawing)
    }

    /// As [`Offscreen::new`], with a choice of the drawing method and of a target format with sRGB encoding.
    ///
    /// # Errors
    /// As [`Offscreen::new`].
    pub fn with(style: Style, drawing: Drawing, encoding: bool) -> Result<Self, Error> {
        let format = if encoding { wgpu::TextureFormat::Rgba8UnormSrgb } else { wgpu::TextureFormat::Rgba8Unorm };
        Self::open(&adapter()?, style, format, drawing)
    }

    fn open(
        adapter: &wgpu::Adapter,
        style: Style,
        format: wgpu::TextureFormat,
        drawing: Drawing,
    ) -> Result<Self, Error> {
        let name = adapter.get_info().name;
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("offscreen"),
            required_limits: wgpu::Limits::downlevel_defaults().using_resolution(adapter.limits()),
            ..wgpu::DeviceDescriptor::default()
        };
        let opened = pollster::block_on(adapter.request_device(&descriptor));
        let (device, queue) =
            opened.map_err(|error| Error::Device { name: name.clone(), reason: error.to_string() })?;
        let stage = Stage::with(&device, &queue, format, style, drawing);
        Ok(Self { device, queue, stage, format, adapter: name, target: None })
    }

    /// The adapter name from the driver.
    #[must_use]
    pub fn adapter(&self) -> &str {
        &self.adapter
    }

    /// The stage, to change its style.
    pub fn stage(&mut self) -> &mut Stage {
        &mut self.stage
    }

    /// Draws `tiles` over `background` into `width` by `height` pixels, without read-back. Returns the pictures drawn
    /// for the first time.
    ///
    /// # Errors
    /// Returns [`Error::Size`] if the size is empty or larger than the adapter supports.
    pub fn draw(
        &mut self,
        tiles: &[Tile],
        [width, height]: [u32; 2],
        scale: f32,
        background: Rgba,
    ) -> Result<&[DrawnPicture], Error> {
        let max = self.device.limits().max_texture_dimension_2d;
        if width == 0 || height == 0 || width > max || height > max {
            return Err(Error::Size { width, height, max });
        }
        let Self { device, queue, stage, format, target, .. } = self;
        let target = match target.take_if(|target| !target.is(width, height)) {
            Some(_) | None => target.get_or_insert_with(|| Target::new(device, *format, width, height)),
        };
        stage.prepare(device, queue, tiles, [width, height], scale);
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("offscreen") });
        let mut pass = target.pass(&mut encoder, clear_colour(background, format.is_srgb()));
        stage.draw(&mut pass);
        drop(pass);
        queue.submit([encoder.finish()]);
        Ok(stage.shown())
    }

    /// Waits until the device has finished drawing, without read-back.
    ///
    /// # Errors
    /// Returns [`Error::ReadBack`] if the device was lost or does not finish in time.
    pub fn wait(&self) -> Result<(), Error> {
        let wait = wgpu::PollType::Wait { submission_index: None, timeout: Some(READ_BACK_TIMEOUT) };
        self.device.poll(wait).map(drop).map_err(|error| Error::ReadBack(error.to_string()))
    }

    /// Reads back the last drawing: premultiplied RGBA, four bytes per pixel, in rows. Empty before the first draw.
    ///
    /// # Errors
    /// Returns [`Error::ReadBack`] if the device was lost or does not finish in time.
    pub fn read(&mut self) -> Result<Vec<u8>, Error> {
        let Some(target) = &self.target else { return Ok(Vec::new()) };
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("read") });
        target.copy_out(&mut encoder);
        self.queue.submit([encoder.finish()]);
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        target.read.map_async(wgpu::MapMode::Read, .., move |mapped| {
            // The receiver is dropped if `read` returned early.
            let _ = sender.send(mapped);
        });
        self.wait()?;
        let mapped = receiver.recv_timeout(READ_BACK_TIMEOUT).map_err(|error| Error::ReadBack(error.to_string()))?;
        mapped.map_err(|error| Error::ReadBack(error.to_string()))?;
        let row = target.texture.width() as usize * 4;
        let bytes = target.read.get_mapped_range(..);
        let pixels = bytes.chunks_exact(target.stride as usize).flat_map(|bytes| &bytes[..row]).copied().collect();
        drop(bytes);
        target.read.unmap();
        Ok(pixels)
    }
}

impl fmt::Debug for Offscreen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Offscreen({})", self.adapter)
    }
}

impl Target {
    fn new(device: &wgpu::Device, format: wgpu::TextureFormat, width: u32, height: u32) -> Self {
        let texture = device.create_texture(&wgpu::TextureDescriptor {
            label: Some("offscreen"),
            size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
            view_formats: &[],
        });
        let stride = (width * 4).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let read = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("read"),
            size: u64::from(stride) * u64::from(height),
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        Self { texture, view, read, stride }
    }

    fn is(&self, width: u32, height: u32) -> bool {
        (self.texture.width(), self.texture.height()) == (width, height)
    }

    fn pass<'a>(&self, encoder: &'a mut wgpu::CommandEncoder, clear: wgpu::Color) -> wgpu::RenderPass<'a> {
        encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("tiles"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: &self.view,
                depth_slice: None,
                resolve_target: None,
                ops: wgpu::Operations { load: wgpu::LoadOp::Clear(clear), store: wgpu::StoreOp::Store },
            })],
            ..wgpu::RenderPassDescriptor::default()
        })
    }

    fn copy_out(&self, encoder: &mut wgpu::CommandEncoder) {
        encoder.copy_texture_to_buffer(
            self.texture.as_image_copy(),
            wgpu::TexelCopyBufferInfo {
                buffer: &self.read,
                layout: wgpu::TexelCopyBufferLayout {
                    offset: 0,
                    bytes_per_row: Some(self.stride),
                    rows_per_image: None,
                },
            },
            self.texture.size(),
        );
    }
}

/// The clear colour, premultiplied: linear light for a format with sRGB encoding, otherwise code values.
fn clear_colour(colour: Rgba, encoded: bool) -> wgpu::Color {
    let light = |code: f64| if code <= 0.040_45 { code / 12.92 } else { ((code + 0.055) / 1.055).powf(2.4) };
    let alpha = f64::from(colour.alpha) / 255.0;
    let channel = |code: u8| {
        let code = f64::from(code) / 255.0;
        alpha * if encoded { light(code) } else { code }
    };
    wgpu::Color { r: channel(colour.red), g: channel(colour.green), b: channel(colour.blue), a: alpha }
}

/// Drawing takes milliseconds; a device that needs longer than this hangs.
const READ_BACK_TIMEOUT: Duration = Duration::from_secs(10);
