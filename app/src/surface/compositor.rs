//! Chooses who draws the windows, once for each run.

use std::sync::OnceLock;

use iced::Color;
use iced::advanced::graphics::compositor::{self, Display, Information, SurfaceError, Window};
use iced::advanced::graphics::{Compositor as Interface, Error, Settings, Shell, Viewport};
use render::Drawing;

use super::{Renderer, software};

/// iced's own.
type Stock = <iced::Renderer as compositor::Default>::Compositor;

/// Brings windows to the screen.
pub enum Compositor {
    /// A graphics card does.
    Card(Box<Stock>),
    /// The processor does.
    Processor(software::Compositor),
}

/// One window's way to the screen.
pub enum Surface {
    Card(Box<<Stock as Interface>::Surface>),
    Processor(Box<software::Surface>),
}

/// Finds out whether there is a graphics card. Loads its drivers, some ten milliseconds and more: [`crate::run`] calls it on
/// a thread of its own at the start.
pub fn look_for_a_card() -> Drawing {
    static FOUND: OnceLock<Drawing> = OnceLock::new();
    *FOUND.get_or_init(|| wished().unwrap_or_else(Drawing::on_this_machine))
}

/// What iced's own switch says: for drivers that fail, and for measurements.
fn wished() -> Option<Drawing> {
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
        if look_for_a_card() == Drawing::Shaders {
            let card = Stock::with_backend(settings, display.clone(), compatible_window, shell, Some("wgpu")).await;
            match card {
                Ok(card) if wished().is_none() && is_a_program(&card.information().adapter) => {
                    tracing::info!("the graphics card does not reach this display");
                }
                Ok(card) => return Ok(Self::Card(Box::new(card))),
                Err(error) => tracing::warn!(%error, "the graphics card does not draw"),
            }
        }
        tracing::info!("the processor draws the windows");
        software::Compositor::new(settings, display).map(Self::Processor)
    }

    fn create_renderer(&self) -> Renderer {
        match self {
            Self::Card(card) => card.create_renderer(),
            Self::Processor(processor) => processor.renderer(),
        }
        .into()
    }

    fn create_surface<W: Window + Clone>(&mut self, window: W, width: u32, height: u32) -> Surface {
        match self {
            Self::Card(card) => Surface::Card(Box::new(card.create_surface(window, width, height))),
            Self::Processor(processor) => Surface::Processor(Box::new(processor.surface(window, width, height))),
        }
    }

    fn configure_surface(&mut self, surface: &mut Surface, width: u32, height: u32) {
        match (self, surface) {
            (Self::Card(card), Surface::Card(surface)) => card.configure_surface(surface, width, height),
            (_, Surface::Processor(surface)) => surface.resize(width, height),
            (Self::Processor(_), Surface::Card(_)) => {}
        }
    }

    fn information(&self) -> Information {
        match self {
            Self::Card(card) => card.information(),
            Self::Processor(_) => Information { adapter: "CPU".into(), backend: "tiny-skia".into() },
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
            (Self::Card(card), Surface::Card(surface)) => {
                (card.present(&mut renderer.inner, surface, viewport, background_color, on_pre_present), false)
            }
            (_, Surface::Processor(surface)) => {
                (surface.present(&mut renderer.inner, viewport, background_color, on_pre_present), true)
            }
            // A surface of another compositor: there is one for each run.
            (Self::Processor(_), Surface::Card(_)) => (Err(SurfaceError::Lost), true),
        };
        tracing::trace!(processor, "window drawn");
        if let Some(waker) = &renderer.waker {
            waker.end(processor);
        }
        presented
    }

    fn screenshot(&mut self, renderer: &mut Renderer, viewport: &Viewport, background_color: Color) -> Vec<u8> {
        match self {
            Self::Card(card) => card.screenshot(&mut renderer.inner, viewport, background_color),
            Self::Processor(_) => iced::advanced::renderer::Headless::screenshot(
                renderer,
                viewport.physical_size(),
                viewport.scale_factor(),
                background_color,
            ),
        }
    }
}

/// True for the drivers of no card: there may be one that cannot draw on this display, as on a remote one.
fn is_a_program(adapter: &str) -> bool {
    ["llvmpipe", "SwiftShader", "Microsoft Basic Render"].iter().any(|name| adapter.contains(name))
}
