//! Draws the windows with the GPU, or in software if there is none, as on virtual desktops.
//!
//! iced can do both, but it uses a software Vulkan driver as if it were a GPU, and its software renderer rasterises
//! every image. This module checks whether the adapter is a real GPU, and copies finished images instead of rasterising
//! them; see docs/adr/0006. Widgets draw with [`iced::Renderer`]; only the outermost element uses [`Renderer`].

mod buffer_updater;
mod compositor;
mod pixel_format;
mod renderer;
mod renderer_adapter;
mod scene;
mod software;

pub use compositor::detect_drawing;
pub use pixel_format::differs_from_screen;
pub use renderer::Renderer;
pub use renderer_adapter::adapt_renderer;
