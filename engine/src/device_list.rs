//! Lists the cameras, microphones, speakers and monitors of this machine. A call may take a second, so it must not run on
//! the UI thread.

pub use capture::screen::{Monitor, Thumbnail};

use audio::device::{Info, Lister};
use media::Mailbox;
use std::io;
use std::thread::Builder;
use std::time::{Duration, Instant};

/// A device that the user can choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// The identifier for a choice.
    pub id: String,
    /// The name that is shown to the user.
    pub name: String,
}

/// The devices that are plugged in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lists {
    /// The cameras, in the system's order.
    pub cameras: Vec<Device>,
    /// The microphones, the system's default first.
    pub microphones: Vec<Device>,
    /// The speakers, the system's default first.
    pub speakers: Vec<Device>,
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

/// Returns the monitors that can be shared, with small pictures of what they show.
///
/// # Errors
/// Returns the cause, in English, if there is no screen, or if the system does not allow its capture.
pub fn monitors() -> Result<Vec<Monitor>, String> {
    capture::screen::list().map_err(|error| error.to_string())
}

fn to_devices(found: Vec<Info>) -> Vec<Device> {
    found.into_iter().map(|info| Device { id: info.id, name: info.name }).collect()
}

/// Lists the devices every two seconds on a thread of its own. Dropping it ends the thread, without waiting for it.
pub struct Watcher {
    stop: Mailbox<()>,
}

impl Watcher {
    /// Starts the thread. It calls `on_change` with the first lists, and again whenever they differ from the ones before.
    ///
    /// # Errors
    /// Returns the system's error if the thread cannot be started.
    pub fn start(on_change: impl FnMut(Lists) + Send + 'static) -> io::Result<Self> {
        let mut sound = Lister::default();
        Self::start_with(on_change, LIST_INTERVAL, move || {
            let [microphones, speakers] = sound.list().map(to_devices);
            Lists { cameras: cameras(), microphones, speakers }
        })
    }

    fn start_with(
        mut on_change: impl FnMut(Lists) + Send + 'static,
        interval: Duration,
        mut list: impl FnMut() -> Lists + Send + 'static,
    ) -> io::Result<Self> {
        let stop = Mailbox::new();
        let stopped = stop.clone();
        Builder::new().name("device-list".into()).spawn(move || {
            let mut reported = None;
            while !stopped.is_closed() {
                let lists = list();
                if reported.as_ref() != Some(&lists) {
                    on_change(lists.clone());
                    reported = Some(lists);
                }
                // The mailbox is always empty. Its closing is the signal.
                let _ = stopped.take_until(Instant::now() + interval);
            }
        })?;
        Ok(Self { stop })
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop.close();
    }
}

/// The time between two lists.
const LIST_INTERVAL: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::sync_channel;

    fn lists(cameras: &[&str]) -> Lists {
        let device = |name: &&str| Device { id: (*name).to_owned(), name: (*name).to_owned() };
        Lists { cameras: cameras.iter().map(device).collect(), ..Lists::default() }
    }

    #[test]
    fn each_change_is_reported_once_until_the_watcher_is_dropped() {
        let (plug, plugged) = sync_channel(4);
        let (reports, received) = sync_channel(4);
        let on_change = move |lists| reports.send(lists).unwrap();
        let list = move || plugged.recv().unwrap_or_default();
        let watcher = Watcher::start_with(on_change, Duration::ZERO, list).unwrap();
        for cameras in [&["front"][..], &["front"], &["front", "usb"], &[]] {
            plug.send(lists(cameras)).unwrap();
        }
        for expected in [&["front"][..], &["front", "usb"], &[]] {
            assert_eq!(received.recv_timeout(Duration::from_secs(20)), Ok(lists(expected)));
        }
        drop((watcher, plug));
        assert!(received.recv_timeout(Duration::from_secs(20)).is_err(), "the thread has ended");
    }
}
