//! Shows windows without a GPU, through a pixel buffer that the display server shows.

use std::num::NonZeroU32;

use iced::Color;
use iced::advanced::graphics::compositor::{Display, SurfaceError, Window};
use iced::advanced::graphics::{Error, Settings, Viewport};

use super::buffer_updater::BufferUpdater;

/// Creates the surfaces.
pub struct Compositor {
    context: softbuffer::Context<Box<dyn Display>>,
    settings: Settings,
}

/// The pixel buffer of one window.
pub struct Surface {
    /// `None` if the system refused it. This is logged once, and the window shows nothing.
    window: Option<softbuffer::Surface<Box<dyn Display>, Box<dyn Window>>>,
    buffer_updater: BufferUpdater,
}

impl Compositor {
    pub fn new(settings: Settings, display: impl Display) -> Result<Self, Error> {
        let context = softbuffer::Context::new(Box::new(display) as Box<dyn Display>);
        let context = context.map_err(|error| Error::BackendError(error.to_string()))?;
        Ok(Self { context, settings })
    }

    pub fn renderer(&self) -> iced::Renderer {
        let Settings { default_font, default_text_size, .. } = self.settings;
        iced::Renderer::Secondary(iced_tiny_skia::Renderer::new(default_font, default_text_size))
    }

    pub fn surface(&self, window: impl Window, width: u32, height: u32) -> Surface {
        let window = softbuffer::Surface::new(&self.context, Box::new(window) as Box<dyn Window>);
        let window = window
            .inspect_err(|error| tracing::error!(%error, "the system provides no pixel buffer for the window"))
            .ok();
        let mut surface = Surface { window, buffer_updater: BufferUpdater::default() };
        surface.resize(width, height);
        surface
    }
}

impl Surface {
    /// Sets the size in physical pixels. Does nothing if a side is 0, as in a minimised window.
    pub fn resize(&mut self, width: u32, height: u32) {
        let sides = (NonZeroU32::new(width), NonZeroU32::new(height));
        let (Some(window), (Some(across), Some(down))) = (&mut self.window, sides) else { return };
        if let Err(error) = window.resize(across, down) {
            tracing::error!(%error, width, height, "the window cannot be resized");
        }
        self.buffer_updater.reset();
    }

    /// Draws and shows the layers of `renderer`.
    pub fn present(
        &mut self,
        renderer: &mut iced::Renderer,
        viewport: &Viewport,
        background: Color,
        on_pre_present: impl FnOnce(),
    ) -> Result<(), SurfaceError> {
        let (iced::Renderer::Secondary(renderer), Some(window)) = (renderer, &mut self.window) else {
            return Err(SurfaceError::Other);
        };
        let mut buffer = window.buffer_mut().map_err(|_| SurfaceError::Lost)?;
        let age = buffer.age();
        self.buffer_updater.update(renderer, viewport, background, &mut buffer, age).ok_or(SurfaceError::Outdated)?;
        on_pre_present();
        // Presents the whole buffer, because another window may have covered any part of this one.
        buffer.present().map_err(|_| SurfaceError::Lost)
    }
}
