//! Lists the cameras, microphones and speakers of this machine. A call may take a second, so it must not run on the UI
//! thread.

/// A device that the user can choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The identifier for a choice.
    pub id: String,
    /// The name that is shown to the user.
    pub name: String,
}

/// Returns the cameras, in the system's order. The list is empty if there is none.
#[must_use]
pub fn cameras() -> Vec<Device> {
    capture::device::list().into_iter().map(|info| Device { id: info.id, name: info.name }).collect()
}

/// Returns the microphones, the system's default first.
#[must_use]
pub fn microphones() -> Vec<Device> {
    to_devices(audio::device::microphones())
}

/// Returns the speakers, the system's default first.
#[must_use]
pub fn speakers() -> Vec<Device> {
    to_devices(audio::device::speakers())
}

fn to_devices(found: Vec<audio::device::Info>) -> Vec<Device> {
    found.into_iter().map(|info| Device { id: info.id, name: info.name }).collect()
}
