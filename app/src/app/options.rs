//! What the window starts with.

use std::sync::Arc;

use engine::{SecretLink, Setup};

use crate::locale::Language;
use crate::session::Starter;
use crate::theme::Choice;

/// What the window starts with.
#[derive(Default)]
pub struct Options {
    /// The first screen.
    pub start: Start,
    /// The language; `None` for the remembered one, else the system's.
    pub language: Option<Language>,
    /// The theme; `None` for the remembered one, else the system's.
    pub theme: Option<Choice>,
    /// The user's name; `None` for the remembered one.
    pub name: Option<String>,
    /// Offers the test pattern as a camera.
    pub developer: bool,
}

/// What the window shows first.
#[derive(Default)]
pub enum Start {
    /// Home.
    #[default]
    Home,
    /// The preview of the meeting that this link names; home with an error message if the link is wrong.
    Join(SecretLink),
    /// A meeting that is entered at once, without a preview.
    Enter(Arc<dyn Starter>, Box<Setup>),
}
