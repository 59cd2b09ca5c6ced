//! What cameras, microphones and loudspeakers there are. Asking may take a moment: not on the interface's thread.

/// A device to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// What a choice names it by.
    pub id: String,
    /// What people know it as.
    pub name: String,
}

/// The cameras, in the system's order; empty where none is found.
#[must_use]
pub fn cameras() -> Vec<Device> {
    capture::device::list().into_iter().map(|info| Device { id: info.id, name: info.name }).collect()
}

/// The microphones, the system's own choice first.
#[must_use]
pub fn microphones() -> Vec<Device> {
    sound(audio::device::microphones())
}

/// The loudspeakers, the system's own choice first.
#[must_use]
pub fn speakers() -> Vec<Device> {
    sound(audio::device::speakers())
}

fn sound(found: Vec<audio::device::Info>) -> Vec<Device> {
    found.into_iter().map(|info| Device { id: info.id, name: info.name }).collect()
}
