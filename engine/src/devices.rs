//! Lists the cameras, microphones and speakers of this machine. Each call may take a second: not on the UI thread.

/// A device that the user can choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The identifier for a choice.
    pub id: String,
    /// The name for people.
    pub name: String,
}

/// The cameras, in the system's order; empty if there is none.
#[must_use]
pub fn cameras() -> Vec<Device> {
    capture::device::list().into_iter().map(|info| Device { id: info.id, name: info.name }).collect()
}

/// The microphones, the system's default first.
#[must_use]
pub fn microphones() -> Vec<Device> {
    sound(audio::device::microphones())
}

/// The speakers, the system's default first.
#[must_use]
pub fn speakers() -> Vec<Device> {
    sound(audio::device::speakers())
}

fn sound(found: Vec<audio::device::Info>) -> Vec<Device> {
    found.into_iter().map(|info| Device { id: info.id, name: info.name }).collect()
}
