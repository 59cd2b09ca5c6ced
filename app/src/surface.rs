//! How the windows reach the screen: by the graphics card, and where there is none (virtual desktops) by the processor.
//!
//! iced has both ways too, but takes a program that plays a graphics card for a card, and its processor's way draws every
//! picture through a general rasteriser. Ours asks what the card is and copies finished pictures; see docs/adr/0006.
//! Widgets know nothing of this: they draw with [`iced::Renderer`], and only the outermost element is ours.

mod compositor;
mod painter;
mod renderer;
mod renderer_adapter;
mod scene;
mod software;

pub use compositor::look_for_a_card;
pub use renderer::Renderer;
pub use renderer_adapter::adapt_renderer;
