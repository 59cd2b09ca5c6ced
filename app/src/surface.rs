//! Draws the windows with the GPU, or in software if there is none, as on virtual desktops.
//!
//! iced can do both, but it takes a software Vulkan driver for a GPU, and its software renderer draws every image through a
//! general rasteriser. This module checks which adapter it is, and copies finished images; see docs/adr/0006. Widgets draw
//! with [`iced::Renderer`]; only the outermost element uses [`Renderer`].

mod buffer_updater;
mod compositor;
mod renderer;
mod renderer_adapter;
mod scene;
mod software;

pub use compositor::detect_drawing;
pub use renderer::Renderer;
pub use renderer_adapter::adapt_renderer;
