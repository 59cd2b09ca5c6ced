//! Reads the battery and the temperature of this computer.

#[cfg_attr(target_os = "linux", path = "power/linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "power/unknown.rs")]
mod platform;

use codec::adapt::power::PowerState;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// Watches the battery and the temperature until the receiver is dropped. Reading may take some ten milliseconds, because the
/// system asks the battery, so it is done on a thread that may block.
pub fn watch() -> watch::Receiver<PowerState> {
    let (sender, receiver) = watch::channel(PowerState::default());
    tokio::spawn(async move {
        while !sender.is_closed() {
            // If reading panics, the last state stays.
            if let Ok(state) = tokio::task::spawn_blocking(platform::read).await {
                sender.send_if_modified(|last| std::mem::replace(last, state) != state);
            }
            tokio::select! {
                () = sleep(READ_INTERVAL) => {}
                () = sender.closed() => return,
            }
        }
    });
    receiver
}

/// How often the state is read.
const READ_INTERVAL: Duration = Duration::from_secs(10);
