//! The keyboard shortcuts of the whole window. None is a letter without Ctrl, Cmd or Alt.

#![expect(clippy::wildcard_enum_match_arm, reason = "iced has many events and keys, this file handles a few")]

use iced::keyboard::{self, Key, Modifiers, key::Named};

/// A keyboard shortcut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortcut {
    /// Ctrl or Cmd with D.
    Mute,
    /// Ctrl or Cmd with E.
    Camera,
    /// Ctrl or Cmd with Shift and S.
    Share,
    /// Ctrl or Cmd with P.
    People,
    /// Ctrl or Cmd with Shift and C.
    Chat,
    /// Alt with Q, as in Zoom; Cmd with W on macOS, where Alt with Q types a letter.
    Leave,
    /// Ctrl or Cmd with Shift and I.
    Statistics,
    /// Ctrl or Cmd with Shift and H: raises or lowers the hand.
    Hand,
    /// Ctrl or Cmd with Shift and X: stops everything.
    StopEverything,
    /// F11.
    FullScreen,
    /// Ctrl or Cmd with `/`: lists the shortcuts.
    List,
    /// Escape: closes the topmost menu, dialog or panel.
    Close,
    /// The space bar was pressed (true) or released (false) while no control had the keyboard focus.
    PushToTalk(bool),
}

/// A key on a keyboard, as a list of shortcuts names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyName {
    /// Ctrl; Cmd on macOS.
    Command,
    /// Shift.
    Shift,
    /// Alt.
    Alt,
    /// Escape.
    Escape,
    /// The space bar.
    Space,
    /// A key with the same name on all keyboards.
    Is(&'static str),
}

impl Shortcut {
    /// The keys that must be pressed together.
    pub const fn keys(self) -> &'static [KeyName] {
        match self {
            Self::Mute => &[KeyName::Command, KeyName::Is("D")],
            Self::Camera => &[KeyName::Command, KeyName::Is("E")],
            Self::Share => &[KeyName::Command, KeyName::Shift, KeyName::Is("S")],
            Self::People => &[KeyName::Command, KeyName::Is("P")],
            Self::Chat => &[KeyName::Command, KeyName::Shift, KeyName::Is("C")],
            Self::Statistics => &[KeyName::Command, KeyName::Shift, KeyName::Is("I")],
            Self::Leave if cfg!(target_os = "macos") => &[KeyName::Command, KeyName::Is("W")],
            Self::Leave => &[KeyName::Alt, KeyName::Is("Q")],
            Self::Hand => &[KeyName::Command, KeyName::Shift, KeyName::Is("H")],
            Self::StopEverything => &[KeyName::Command, KeyName::Shift, KeyName::Is("X")],
            Self::FullScreen => &[KeyName::Is("F11")],
            Self::List => &[KeyName::Command, KeyName::Is("/")],
            Self::Close => &[KeyName::Escape],
            Self::PushToTalk(_) => &[KeyName::Space],
        }
    }
}

/// The shortcut of a keyboard event, if any.
pub(super) fn shortcut(event: &keyboard::Event) -> Option<Shortcut> {
    match event {
        keyboard::Event::KeyPressed { key: Key::Named(named), modifiers, repeat: false, .. } => match named {
            Named::F11 => Some(Shortcut::FullScreen),
            Named::Escape => Some(Shortcut::Close),
            Named::Space if modifiers.is_empty() => Some(Shortcut::PushToTalk(true)),
            _ => None,
        },
        keyboard::Event::KeyReleased { key: Key::Named(Named::Space), .. } => Some(Shortcut::PushToTalk(false)),
        // On many keyboards `/` needs Shift.
        keyboard::Event::KeyPressed { key, modified_key, modifiers, repeat: false, .. }
            if modifiers.command() && !modifiers.alt() && (is_slash(key) || is_slash(modified_key)) =>
        {
            Some(Shortcut::List)
        }
        keyboard::Event::KeyPressed { key, physical_key, modifiers, repeat: false, .. } => {
            // The letter of the key on a Latin keyboard: shortcuts also work with Greek and Cyrillic layouts.
            letter(key.to_latin(*physical_key)?.to_ascii_lowercase(), *modifiers)
        }
        _ => None,
    }
}

fn is_slash(key: &Key) -> bool {
    matches!(key, Key::Character(text) if text == "/")
}

/// The shortcut of a letter with these modifiers, if any.
fn letter(letter: char, modifiers: Modifiers) -> Option<Shortcut> {
    let leave = if cfg!(target_os = "macos") { ('w', Modifiers::COMMAND) } else { ('q', Modifiers::ALT) };
    match (letter, modifiers) {
        _ if (letter, modifiers) == leave => Some(Shortcut::Leave),
        _ if !modifiers.command() || modifiers.alt() => None,
        ('d', _) if !modifiers.shift() => Some(Shortcut::Mute),
        ('e', _) if !modifiers.shift() => Some(Shortcut::Camera),
        ('s', _) if modifiers.shift() => Some(Shortcut::Share),
        ('p', _) if !modifiers.shift() => Some(Shortcut::People),
        ('c', _) if modifiers.shift() => Some(Shortcut::Chat),
        ('i', _) if modifiers.shift() => Some(Shortcut::Statistics),
        ('h', _) if modifiers.shift() => Some(Shortcut::Hand),
        ('x', _) if modifiers.shift() => Some(Shortcut::StopEverything),
        _ => None,
    }
}
