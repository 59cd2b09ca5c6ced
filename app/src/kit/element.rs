//! The element type of all views.

/// An iced element with our theme.
pub type Element<'a, Message> = iced::Element<'a, Message, crate::theme::Theme, iced::Renderer>;
