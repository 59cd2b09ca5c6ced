//! Adds a meeting of the command line to the recent meetings of the window.

use super::options::Client;
use app::recent::{self, Listing};
use engine::{Person, Reason, SecretLink};

/// How a meeting is recorded.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The link that names the meeting; `None` if it is created.
    pub link: Option<SecretLink>,
    /// Whether it is added.
    pub listing: Listing,
}

impl Recording {
    /// Creates the recording of a meeting. The option `--no-recent` switches it off, and this program remembers no
    /// networks.
    pub fn new(link: Option<SecretLink>, listing: Listing, client: &Client) -> Self {
        if client.no_recent {
            app::networks::keep_nothing();
        }
        Self { link, listing: if client.no_recent { Listing::Unlisted } else { listing } }
    }

    /// Whether the meeting is created, so that its link must be printed.
    pub fn prints_link(&self) -> bool {
        self.link.is_none()
    }

    /// Whether anything about the meeting may be stored.
    pub fn is_listed(&self) -> bool {
        self.listing != Listing::Unlisted
    }

    /// Records that the meeting with this link was entered.
    pub fn entered(&self, link: &SecretLink, organiser: bool) {
        if let Some(meeting) = recent::Meeting::entered_now(link, organiser, self.listing) {
            recent::change(|memory| memory.enter(meeting));
        }
    }

    /// Records the end of the meeting, and who was in it. `link` is its link if it was entered.
    pub fn ended(&self, link: Option<&SecretLink>, people: &[String], reason: &Reason) {
        let Some(link) = link.or(self.link.as_ref()) else { return };
        match self.listing {
            Listing::Unlisted => {}
            Listing::WhileHosted => recent::change(|memory| memory.forget(link)),
            Listing::Listed => recent::change(|memory| {
                memory.meet(link, people);
                if recent::is_over(reason) {
                    memory.end(link);
                }
            }),
        }
    }
}

/// Adds the names of the other participants to `names`.
pub fn add_names(names: &mut Vec<String>, people: &[Person]) {
    for person in people.iter().filter(|person| !person.me) {
        if names.len() < recent::MAX_PEOPLE && !names.contains(&person.name) {
            names.push(person.name.clone());
        }
    }
}
