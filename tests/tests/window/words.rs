//! The texts of the window, read from its Fluent files, to find controls in each language.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// A language of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    English,
    French,
}

impl Language {
    /// Returns the tag of its folder.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }

    /// Returns the locale of a system in this language.
    pub fn locale(self) -> &'static str {
        match self {
            Self::English => "en_GB.UTF-8",
            Self::French => "fr_FR.UTF-8",
        }
    }
}

/// The texts of one language by id.
pub struct Words(HashMap<String, String>);

impl Words {
    /// Reads the texts that are on the line of their id. Attributes and variants are left out.
    pub fn read(language: Language) -> Self {
        let file = format!("../app/locales/{}/conclave.ftl", language.tag());
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("the texts");
        let lines = text.lines().filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()));
        let texts = lines.filter_map(|line| line.split_once(" = "));
        Self(texts.map(|(id, text)| (id.to_owned(), text.to_owned())).collect())
    }

    /// Returns the text with this id.
    pub fn text(&self, id: &str) -> &str {
        self.0.get(id).unwrap_or_else(|| panic!("no text has the id {id}"))
    }

    /// Returns the text with this id and this value of its variable.
    pub fn with(&self, id: &str, variable: &str, value: &str) -> String {
        self.text(id).replace(&format!("{{ ${variable} }}"), value)
    }
}
