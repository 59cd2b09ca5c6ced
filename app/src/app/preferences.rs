//! Language, theme, and what the window remembers from earlier runs.

use iced::{Task, theme};

use crate::background;
use crate::locale::Language;
use crate::recent::{self, Memory};
use crate::screen::home;
use crate::screen::preferences::Preference;
use crate::theme::{Choice, Theme};

/// What the user prefers, and the content of the file that stores it.
pub struct Preferences {
    /// The language of the window.
    pub language: Language,
    /// The theme that the user chose.
    pub theme: Choice,
    /// What the file contains, or will contain after the next save.
    memory: Memory,
}

impl Preferences {
    /// Creates preferences without reading the file, for tests.
    pub fn new(language: Language, theme: Choice) -> Self {
        Self { language, theme, memory: Memory::default() }
    }

    /// Reads the file. An argument that is `Some` takes precedence over the file, and the file over the system's
    /// setting.
    pub fn load(language: Option<Language>, theme: Option<Choice>, name: Option<String>) -> Self {
        let mut memory = recent::path().map(|path| Memory::load(&path)).unwrap_or_default();
        let language = language.or_else(|| memory.language.as_deref().and_then(Language::from_tag));
        let theme = theme.unwrap_or_else(|| theme_from_name(memory.theme.as_deref()));
        memory.name = name.unwrap_or(memory.name);
        Self { language: language.unwrap_or_else(Language::of_system), theme, memory }
    }

    /// Changes the language or the theme, and stores it. No message follows.
    pub fn set<T: Send + 'static>(&mut self, preference: Preference) -> Task<T> {
        match preference {
            Preference::Language(language) => {
                self.language = language;
                self.memory.language = Some(language.tag().to_owned());
            }
            Preference::Theme(theme) => {
                self.theme = theme;
                self.memory.theme = Some(theme_name(theme).to_owned());
            }
        }
        self.save()
    }

    /// The theme to draw with.
    pub fn theme(&self, system: theme::Mode) -> Theme {
        Theme::of(self.theme, system)
    }

    /// The name that the user entered last.
    pub fn name(&self) -> &str {
        &self.memory.name
    }

    /// Remembers the name. The next save writes it to the file.
    pub fn set_name(&mut self, name: String) {
        self.memory.name = name;
    }

    /// The recent meetings, newest first.
    pub fn recent(&self) -> Vec<home::Recent> {
        let now = recent::now();
        let recent = |meeting: &recent::Meeting| home::Recent {
            link: meeting.link.clone(),
            host: meeting.host.clone(),
            age: now.saturating_sub(meeting.entered),
        };
        self.memory.meetings.iter().map(recent).collect()
    }

    /// Adds a meeting to the recent ones, and stores the list. No message follows.
    pub fn remember<T: Send + 'static>(&mut self, link: &str) -> Task<T> {
        // Without the text around it, if it was pasted with some.
        let found = engine::find_link(link);
        let link = found.as_ref().map_or(link, |found| found.as_str());
        let host = link.parse().map(|invitation: engine::Invitation| invitation.host).unwrap_or_default();
        self.memory.add(link.to_owned(), host);
        self.save()
    }

    /// Removes a meeting from the recent ones, and stores the list. No message follows.
    pub fn forget<T: Send + 'static>(&mut self, link: &str) -> Task<T> {
        self.memory.forget(link);
        self.save()
    }

    /// Writes the file, on another thread.
    fn save<T: Send + 'static>(&self) -> Task<T> {
        let (memory, Some(path)) = (self.memory.clone(), recent::path()) else { return Task::none() };
        let write = move || {
            if let Err(error) = memory.save(&path) {
                tracing::warn!(%error, "cannot write the file of preferences and recent meetings");
            }
        };
        background::run(write).discard()
    }
}

const fn theme_name(choice: Choice) -> &'static str {
    match choice {
        Choice::System => "system",
        Choice::Dark => "dark",
        Choice::Light => "light",
        Choice::Contrast => "contrast",
    }
}

fn theme_from_name(name: Option<&str>) -> Choice {
    match name {
        Some("dark") => Choice::Dark,
        Some("light") => Choice::Light,
        Some("contrast") => Choice::Contrast,
        _ => Choice::System,
    }
}
