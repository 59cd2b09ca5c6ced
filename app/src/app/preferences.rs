//! Language, theme, bandwidth, and what the window remembers from earlier runs.

use engine::{Person, SecretLink};
use iced::{Task, theme};

use crate::locale::Language;
use crate::model::ContentHints;
use crate::model::bandwidth::{Bandwidth, Change};
use crate::network::{Gateway, NetworkStatus};
use crate::networks::{Networks, NetworksFile};
use crate::policy::Policy;
use crate::recent::{self, Listing, Memory};
use crate::screen::home;
use crate::screen::preferences::Preference;
use crate::theme::{Choice, Theme};
use crate::{background, bandwidth};

/// What the user prefers, and the content of the file that stores it.
pub struct Preferences {
    /// The language of the window.
    pub language: Language,
    /// The theme that the user chose.
    pub theme: Choice,
    /// How much of the network may be used.
    pub bandwidth: Bandwidth,
    /// Identifies the network of this computer. `None` if there is no network, or if it is not recognised.
    gateway: Option<Gateway>,
    /// The file of known networks.
    store: NetworksFile,
    /// The user's choices for networks if the file must not be written. They are lost when the program ends.
    unsaved: Networks,
    /// What the file contains, or will contain after the next save.
    memory: Memory,
}

impl Preferences {
    /// Creates preferences without reading the file, for tests.
    pub fn new(language: Language, theme: Choice) -> Self {
        Self {
            language,
            theme,
            bandwidth: Bandwidth::default(),
            gateway: None,
            store: NetworksFile::of_user(),
            unsaved: Networks::default(),
            memory: Memory::default(),
        }
    }

    /// Applies the content of the file. An argument that is `Some` takes precedence over the file, and the file over the system's
    /// setting. Keeps the network if it was found before.
    pub fn restore(
        &mut self,
        mut memory: Memory,
        language: Option<Language>,
        theme: Option<Choice>,
        name: Option<String>,
    ) {
        memory.tidy();
        let language = language.or_else(|| memory.language.as_deref().and_then(Language::from_tag));
        self.language = language.unwrap_or_else(Language::of_system);
        self.theme = theme.unwrap_or_else(|| theme_from_name(memory.theme.as_deref()));
        memory.name = name.unwrap_or(memory.name);
        let Bandwidth { metered, knows_networks, .. } = self.bandwidth;
        self.bandwidth = Bandwidth { metered, knows_networks, ..bandwidth::with_choices(memory.bandwidth) };
        self.memory = memory;
    }

    /// Changes a preference, and stores it. No message follows.
    pub fn set<T: Send + 'static>(&mut self, preference: Preference) -> Task<T> {
        match preference {
            Preference::Language(language) => {
                self.language = language;
                self.change(move |memory| memory.language = Some(language.tag().to_owned()))
            }
            Preference::Theme(theme) => {
                self.theme = theme;
                self.change(move |memory| memory.theme = Some(theme_name(theme).to_owned()))
            }
            Preference::SignLanguage(on) => self.change(move |memory| memory.sign_language = on),
            Preference::VideoClip(on) => self.change(move |memory| memory.video_clip = on),
            Preference::KnockSound(on) => self.change(move |memory| memory.silent_knocks = !on),
            Preference::Bandwidth(change) => self.set_bandwidth(change),
        }
    }

    fn set_bandwidth<T: Send + 'static>(&mut self, change: Change) -> Task<T> {
        self.bandwidth.apply(change);
        match change {
            Change::SaveData(_) | Change::Limit(..) => {
                let choices = self.bandwidth.choices;
                self.change(move |memory| memory.bandwidth = choices)
            }
            Change::Metered(metered) => {
                let Some(gateway) = self.gateway.clone() else { return Task::none() };
                let remember = move |all: &mut Networks| all.set_metered(&gateway, metered, recent::now());
                if !self.store.keeps() {
                    remember(&mut self.unsaved);
                    return Task::none();
                }
                let store = self.store.clone();
                background::run(move || store.change(remember)).discard()
            }
            Change::ForgetNetworks => {
                self.unsaved = Networks::default();
                let store = self.store.clone();
                background::run(move || store.forget()).discard()
            }
            Change::IncomingVideoOff(_) => Task::none(),
        }
    }

    /// Sets the network that this computer is in.
    pub fn set_network(&mut self, found: NetworkStatus) {
        let unsaved = |gateway: &Gateway| self.unsaved.metered(gateway, recent::now());
        let chosen = found.network.gateway.as_ref().and_then(unsaved);
        self.bandwidth.metered = found.metered().map(|metered| chosen.unwrap_or(metered));
        self.bandwidth.knows_networks = found.knows_networks;
        self.gateway = found.network.gateway;
    }

    /// The theme to draw with.
    pub fn theme(&self, system: theme::Mode) -> Theme {
        Theme::of(self.theme, system)
    }

    /// Returns the content hints of the pictures that we send.
    pub fn content_hints(&self) -> ContentHints {
        ContentHints { sign_language: self.memory.sign_language, video_clip: self.memory.video_clip }
    }

    /// Whether a sound is played when somebody asks to join.
    pub fn knock_sound(&self) -> bool {
        !self.memory.silent_knocks
    }

    /// The name that the user entered last.
    pub fn name(&self) -> &str {
        &self.memory.name
    }

    /// Stores the name. No message follows.
    pub fn set_name<T: Send + 'static>(&mut self, name: &str) -> Task<T> {
        let name = name.to_owned();
        self.change(move |memory| memory.name.clone_from(&name))
    }

    /// The recent meetings, newest first.
    pub fn recent(&self) -> Vec<home::Recent> {
        let now = recent::now();
        let recent = |meeting: &recent::Meeting| home::Recent {
            link: meeting.link.clone(),
            host: meeting.host.clone(),
            age: now.saturating_sub(meeting.entered),
            people: meeting.people.clone(),
            organised: meeting.organised,
            over: meeting.over,
        };
        self.memory.meetings.iter().map(recent).collect()
    }

    /// Adds a meeting that was just entered to the recent ones, and stores it. No message follows.
    pub fn remember<T: Send + 'static>(&mut self, link: &SecretLink, organised: bool, listing: Listing) -> Task<T> {
        match recent::Meeting::entered_now(link, organised, listing) {
            Some(meeting) => self.change(move |memory| memory.enter(meeting.clone())),
            None => Task::none(),
        }
    }

    /// Adds the names of the other participants to a recent meeting, and stores them. No message follows.
    pub fn meet<T: Send + 'static>(&mut self, link: &SecretLink, people: &[Person]) -> Task<T> {
        let names: Vec<_> = people.iter().filter(|person| !person.me).map(|person| person.name.clone()).collect();
        // The list of people changes with each microphone. Only a new name is written.
        if !self.memory.clone().meet(link, &names) {
            return Task::none();
        }
        let link = link.clone();
        self.change(move |memory| {
            memory.meet(&link, &names);
        })
    }

    /// Replaces the link of a recent meeting, and stores it. No message follows.
    pub fn relink<T: Send + 'static>(&mut self, before: &SecretLink, link: &SecretLink) -> Task<T> {
        let (before, link) = (before.clone(), link.clone());
        self.change(move |memory| memory.relink(&before, &link))
    }

    /// Marks a recent meeting that cannot be joined again, and stores it. No message follows.
    pub fn end<T: Send + 'static>(&mut self, link: &SecretLink) -> Task<T> {
        let link = link.clone();
        self.change(move |memory| memory.end(&link))
    }

    /// Removes the meetings whose server has stopped with the engine. [`crate::session`] removes them from the file.
    pub fn drop_hosted(&mut self) {
        self.memory.tidy();
    }

    /// Removes a meeting from the recent ones, and stores the list. No message follows.
    pub fn forget<T: Send + 'static>(&mut self, link: &SecretLink) -> Task<T> {
        let link = link.clone();
        self.change(move |memory| memory.forget(&link))
    }

    /// Changes what is remembered, here and on another thread in the file.
    fn change<T: Send + 'static>(&mut self, change: impl Fn(&mut Memory) + Send + 'static) -> Task<T> {
        change(&mut self.memory);
        background::run(move || recent::change(change)).discard()
    }
}

/// Reads the user's file. Also reads the policies, so that the UI thread does not read them later. Blocks.
pub fn read_files() -> Memory {
    let _ = Policy::of_computer();
    Memory::of_user()
}

const fn theme_name(choice: Choice) -> &'static str {
    match choice {
        Choice::System => "system",
        Choice::Dark => "dark",
        Choice::Light => "light",
        Choice::Contrast => "contrast",
        Choice::ContrastLight => "contrast-light",
    }
}

fn theme_from_name(name: Option<&str>) -> Choice {
    match name {
        Some("dark") => Choice::Dark,
        Some("light") => Choice::Light,
        Some("contrast") => Choice::Contrast,
        Some("contrast-light") => Choice::ContrastLight,
        _ => Choice::System,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Interface, Network};

    fn found(address: &str, knows_networks: bool) -> NetworkStatus {
        let gateway = Some(Gateway { address: address.into(), kind: Interface::Wireless });
        NetworkStatus { network: Network { gateway, metered: None }, chosen: None, knows_networks }
    }

    #[test]
    fn networks_can_be_forgotten_as_soon_as_one_is_remembered() {
        let mut preferences = Preferences::new(Language::English, Choice::Dark);
        preferences.set_network(found("home", false));
        assert!(!preferences.bandwidth.knows_networks);
        preferences.set_network(found("home", true));
        assert!(preferences.bandwidth.knows_networks, "a meeting has ended, and its rates are remembered");
    }

    #[test]
    fn a_network_that_is_found_before_the_file_is_read_stays() {
        let mut preferences = Preferences::new(Language::English, Choice::Dark);
        preferences.set_network(NetworkStatus { chosen: Some(true), ..found("phone", true) });
        let memory = Memory { theme: Some("light".into()), ..Memory::default() };
        preferences.restore(memory, Some(Language::French), None, Some("Anne".into()));
        assert_eq!((preferences.language, preferences.theme), (Language::French, Choice::Light));
        assert_eq!((preferences.bandwidth.metered, preferences.bandwidth.knows_networks), (Some(true), true));
        assert_eq!((preferences.name(), preferences.gateway.is_some()), ("Anne", true));
    }

    #[test]
    fn a_choice_that_may_not_be_stored_holds_until_the_end() {
        let mut preferences = Preferences::new(Language::English, Choice::Dark);
        preferences.store = NetworksFile::keeping_nothing();
        preferences.set_network(found("phone", false));
        let stored: Task<()> = preferences.set(Preference::Bandwidth(Change::Metered(true)));
        assert_eq!(stored.units(), 0, "nothing is written");
        assert!(!preferences.bandwidth.knows_networks);
        preferences.set_network(found("home", false));
        assert_eq!(preferences.bandwidth.metered, Some(false));
        preferences.set_network(found("phone", false));
        assert_eq!(preferences.bandwidth.metered, Some(true));
    }
}
