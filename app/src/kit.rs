//! The controls of every window. Each can be used by keyboard, shows its focus, and has a role, a name and a state for
//! assistive tools. Views use these and the iced widgets that [`crate::theme`] styles; iced's own buttons and lists are
//! not used.

pub mod a11y;
pub mod adapter;
pub mod bars;
mod blink;
pub mod draft;
mod element;
pub mod elided;
mod emoji;
pub mod fade;
pub mod field;
pub mod focus;
pub(crate) mod forward;
pub mod icon;
pub mod live;
mod menu_items;
pub mod meter;
pub mod modal;
pub mod paste_menu;
pub mod popup;
pub mod press;
pub mod region;
pub mod root;
pub mod scroll;
pub mod shortcut;
pub mod text;
mod text_area;
pub mod text_field;
pub(crate) mod tooltip;
pub mod visibility;
pub mod wake;

pub use bars::bars;
pub use draft::Draft;
pub use element::Element;
pub use elided::elided;
pub use emoji::emoji_name;
pub use fade::fade;
pub use field::field;
pub use icon::{Icon, icon};
pub use live::live;
pub use meter::meter;
pub use modal::{modal, modal_of};
pub use paste_menu::paste_menu;
pub use popup::popup;
pub use press::{Press, press};
pub use region::{heading, region};
pub use root::root;
pub use shortcut::Shortcut;
pub use text_area::{Area, text_area};
