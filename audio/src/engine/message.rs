//! The messages between the engine's threads.

use crate::device::{Choice, Device, Direction};
use crate::remote::Playback;
use media::Mailbox;
use std::sync::Arc;

/// What the thread is told.
pub enum Command {
    /// Use this device from now on; `echo` where it is a real one.
    Install { direction: Direction, device: Box<dyn Device>, echo: bool },
    /// Play this remote.
    Add(u64, Box<Playback>),
    /// Forget this remote.
    Remove(u64),
    /// End.
    Stop,
}

/// A request to the thread.
pub enum DeviceRequest {
    /// Open what the user chose. Dropping the request says that it is done.
    Open(Open),
    /// Replace this device: it is gone.
    Lost(Direction, Box<dyn Device>),
    /// Close this device.
    Close(Box<dyn Device>),
}

/// A choice of the user.
pub struct Open {
    pub direction: Direction,
    pub choice: Choice,
    pub _opening: Option<Arc<CloseOnDrop>>,
}

/// Closes the mailbox when the last request that holds it is done.
pub struct CloseOnDrop(pub Mailbox<()>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}
