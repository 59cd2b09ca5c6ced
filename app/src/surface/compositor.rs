//! Chooses between the GPU and software rendering, once per run.

use std::sync::OnceLock;

use iced::Color;
use iced::advanced::graphics::compositor::{self, Display, Information, SurfaceError, Window};
use iced::advanced::graphics::{Compositor as Interface, Error, Settings, Shell, Viewport};
use render::Drawing;

use super::{Renderer, software};

/// The compositor of iced.
type IcedCompositor = <iced::Renderer as compositor::Default>::Compositor;

/// Shows windows on the screen.
pub enum Compositor {
    /// With the GPU.
    Gpu(Box<IcedCompositor>),
    /// In software.
    Software(software::Compositor),
}

/// The surface of one window.
pub enum Surface {
    Gpu(Box<<IcedCompositor as Interface>::Surface>),
    Software(Box<software::Surface>),
}

/// Detects whether there is a GPU. The first call loads its drivers, which takes 10 ms or more, so [`crate::run`] makes the
/// first call on a separate thread.
pub fn detect_drawing() -> Drawing {
    static FOUND: OnceLock<Drawing> = OnceLock::new();
    *FOUND.get_or_init(|| forced_by_environment().unwrap_or_else(Drawing::on_this_machine))
}

/// The choice of the user in iced's environment variable `ICED_BACKEND`, for drivers that fail and for measurements.
fn forced_by_environment() -> Option<Drawing> {
    match std::env::var("ICED_BACKEND").as_deref() {
        Ok("wgpu") => Some(Drawing::Shaders),
        Ok("tiny-skia") => Some(Drawing::Processor),
        Ok(_) | Err(_) => None,
    }
}

impl compositor::Default for Renderer {
    type Compositor = Compositor;
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
                    tracing::info!("the GPU cannot draw on this display, only a software driver can");
                }
                Ok(gpu) => return Ok(Self::Gpu(Box::new(gpu))),
                Err(error) => tracing::warn!(%error, "the GPU cannot be used"),
            }
        }
        tracing::info!("windows are drawn in software");
        software::Compositor::new(settings, display).map(Self::Software)
    }

    fn create_renderer(&self) -> Renderer {
        match self {
            Self::Gpu(gpu) => gpu.create_renderer(),
            Self::Software(software) => software.renderer(),
        }
        .into()
    }

    fn create_surface<W: Window + Clone>(&mut self, window: W, width: u32, height: u32) -> Surface {
        match self {
            Self::Gpu(gpu) => Surface::Gpu(Box::new(gpu.create_surface(window, width, height))),
            Self::Software(software) => Surface::Software(Box::new(software.surface(window, width, height))),
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
        let (presented, software) = match (self, surface) {
            (Self::Gpu(gpu), Surface::Gpu(surface)) => {
                (gpu.present(&mut renderer.inner, surface, viewport, background_color, on_pre_present), false)
            }
            (_, Surface::Software(surface)) => {
                (surface.present(&mut renderer.inner, viewport, background_color, on_pre_present), true)
            }
            // Impossible: this compositor creates all surfaces, and a software compositor creates no GPU surface.
            (Self::Software(_), Surface::Gpu(_)) => (Err(SurfaceError::Lost), true),
        };
        tracing::trace!(software, "window drawn");
        if let Some(waker) = &renderer.waker {
            waker.end(software);
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

/// Whether an adapter is a software driver. Vulkan falls back to one if the GPU cannot draw on this display, for example a
/// remote one.
fn is_software_adapter(adapter: &str) -> bool {
    ["llvmpipe", "SwiftShader", "Microsoft Basic Render"].iter().any(|name| adapter.contains(name))
}
