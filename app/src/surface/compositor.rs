//! Chooses who draws the windows, once for each run.

use std::sync::OnceLock;

use iced::Color;
use iced::advanced::graphics::compositor::{self, Display, Information, SurfaceError, Window};
use iced::advanced::graphics::{Compositor as Interface, Error, Settings, Shell, Viewport};
use render::Drawing;

use super::{Renderer, software};

/// iced's own.
type IcedCompositor = <iced::Renderer as compositor::Default>::Compositor;

/// Brings windows to the screen.
pub enum Compositor {
    /// A graphics card does.
    Gpu(Box<IcedCompositor>),
    /// The processor does.
    Software(software::Compositor),
}

/// One window's way to the screen.
pub enum Surface {
    Gpu(Box<<IcedCompositor as Interface>::Surface>),
    Software(Box<software::Surface>),
}

/// Finds out whether there is a graphics card. Loads its drivers, some ten milliseconds and more: [`crate::run`] calls it on
/// a thread of its own at the start.
pub fn detect_drawing() -> Drawing {
    static FOUND: OnceLock<Drawing> = OnceLock::new();
    *FOUND.get_or_init(|| forced_by_environment().unwrap_or_else(Drawing::on_this_machine))
}

/// What iced's own switch says: for drivers that fail, and for measurements.
fn forced_by_environment() -> Option<Drawing> {
    match std::env::var("ICED_BACKEND").as_deref() {
        Ok("wgpu") => Some(Drawing::Shaders),
        Ok("tiny-skia") => Some(Drawing::Processor),
        Ok(_) | Err(_) => None,
    }
}

impl Interface for Compositor {
    type Renderer = Renderer;
    type Surface = Surface;

    async fn with_backend(
        settings: Settings,
        display: impl Display + Clone,
        compatible_window: impl Window + Clone,
        shell: Shell,
        _backend: Option<&str>,
    ) -> Result<Self, Error> {
        if detect_drawing() == Drawing::Shaders {
            let gpu =
                IcedCompositor::with_backend(settings, display.clone(), compatible_window, shell, Some("wgpu")).await;
            match gpu {
                Ok(gpu) if forced_by_environment().is_none() && is_software_adapter(&gpu.information().adapter) => {
                    tracing::info!("the graphics card does not reach this display");
                }
                Ok(gpu) => return Ok(Self::Gpu(Box::new(gpu))),
                Err(error) => tracing::warn!(%error, "the graphics card does not draw"),
            }
        }
        tracing::info!("the processor draws the windows");
        software::Compositor::new(settings, display).map(Self::Software)
    }

    fn create_renderer(&self) -> Renderer {
        match self {
            Self::Gpu(gpu) => gpu.create_renderer(),
            Self::Software(processor) => processor.renderer(),
        }
        .into()
    }

    fn create_surface<W: Window + Clone>(&mut self, window: W, width: u32, height: u32) -> Surface {
        match self {
            Self::Gpu(gpu) => Surface::Gpu(Box::new(gpu.create_surface(window, width, height))),
            Self::Software(processor) => Surface::Software(Box::new(processor.surface(window, width, height))),
        }
    }

    fn configure_surface(&mut self, surface: &mut Surface, width: u32, height: u32) {
        match (self, surface) {
            (Self::Gpu(gpu), Surface::Gpu(surface)) => gpu.configure_surface(surface, width, height),
            (_, Surface::Software(surface)) => surface.resize(width, height),
            (Self::Software(_), Surface::Gpu(_)) => {}
        }
    }

    fn information(&self) -> Information {
        match self {
            Self::Gpu(gpu) => gpu.information(),
            Self::Software(_) => Information { adapter: "CPU".into(), backend: "tiny-skia".into() },
        }
    }

    fn present(
        &mut self,
        renderer: &mut Renderer,
        surface: &mut Surface,
        viewport: &Viewport,
        background_color: Color,
        on_pre_present: impl FnOnce(),
    ) -> Result<(), SurfaceError> {
        let (presented, processor) = match (self, surface) {
            (Self::Gpu(gpu), Surface::Gpu(surface)) => {
                (gpu.present(&mut renderer.inner, surface, viewport, background_color, on_pre_present), false)
            }
            (_, Surface::Software(surface)) => {
                (surface.present(&mut renderer.inner, viewport, background_color, on_pre_present), true)
            }
            // A surface of another compositor: there is one for each run.
            (Self::Software(_), Surface::Gpu(_)) => (Err(SurfaceError::Lost), true),
        };
        tracing::trace!(processor, "window drawn");
        if let Some(waker) = &renderer.waker {
            waker.end(processor);
        }
        presented
    }

    fn screenshot(&mut self, renderer: &mut Renderer, viewport: &Viewport, background_color: Color) -> Vec<u8> {
        match self {
            Self::Gpu(gpu) => gpu.screenshot(&mut renderer.inner, viewport, background_color),
            Self::Software(_) => iced::advanced::renderer::Headless::screenshot(
                renderer,
                viewport.physical_size(),
                viewport.scale_factor(),
                background_color,
            ),
        }
    }
}

/// True for the drivers of no card: there may be one that cannot draw on this display, as on a remote one.
fn is_software_adapter(adapter: &str) -> bool {
    ["llvmpipe", "SwiftShader", "Microsoft Basic Render"].iter().any(|name| adapter.contains(name))
}
