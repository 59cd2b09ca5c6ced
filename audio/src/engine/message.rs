//! The messages between the engine's threads.

use crate::device::{Choice, Device, Direction, Error};
use crate::remote::Playback;
use media::Mailbox;
use std::sync::Arc;

/// A command to the audio thread.
pub enum Command {
    /// Use this device. `hardware` is false for files and null devices. `number` counts the devices of this direction.
    Install { direction: Direction, device: Box<dyn Device>, hardware: bool, number: u64 },
    /// Use this device again, which [`DeviceRequest::SetAlone`] lent to the device thread.
    Return { direction: Direction, device: Box<dyn Device> },
    /// Add this remote.
    Add(u64, Box<Playback>),
    /// Remove this remote.
    Remove(u64),
    /// Play the sound that says that somebody asks to join.
    PlayCue,
    /// Stop the thread.
    Stop,
}

/// A request to the device thread.
pub enum DeviceRequest {
    /// Open the selected device. The request is dropped when it is done.
    Open(Open),
    /// Replace this device, which failed.
    Lost(Direction, Box<dyn Device>, Error),
    /// Call [`Device::set_alone`] and return the device.
    SetAlone(SetAlone),
    /// Close this device.
    Close(Box<dyn Device>),
}

/// A selection by the user.
pub struct Open {
    pub direction: Direction,
    pub choice: Choice,
    /// Signals by its drop that the request is done.
    pub _opening: Option<Arc<CloseOnDrop>>,
}

/// A device whose [`Device::set_alone`] is to be called with `alone`.
pub struct SetAlone {
    pub direction: Direction,
    pub device: Box<dyn Device>,
    /// The number with which the device was installed.
    pub number: u64,
    pub alone: bool,
}

/// Closes the mailbox when the last owner is dropped.
pub struct CloseOnDrop(pub Mailbox<()>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}
