//! The controls of every window: each has a keyboard path, a visible focus, and a role, a name and a state for assistive
//! tools. Views build from these and from the dressed widgets of [`crate::theme`]; stock buttons and lists are banned.

pub mod a11y;
pub mod adapter;
pub mod elided;
pub mod fade;
pub mod field;
pub mod focus;
pub(crate) mod forward;
pub mod icon;
pub mod live;
pub mod meter;
pub mod modal;
pub mod popup;
pub mod press;
pub mod region;
pub mod root;
pub mod text;
pub mod wake;

pub use elided::elided;
pub use fade::fade;
pub use field::field;
pub use icon::{Icon, icon};
pub use live::live;
pub use meter::meter;
pub use modal::modal;
pub use popup::popup;
pub use press::{Press, press};
pub use region::region;
pub use root::{Shortcut, root};

/// An element of ours: iced's, in our theme.
pub type Element<'a, Message> = iced::Element<'a, Message, crate::theme::Theme, iced::Renderer>;
