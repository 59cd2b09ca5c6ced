//! State that the engine's threads share with its handle.

use crate::device::{self, Direction};
use crate::jitter::Statistics;
use media::Level;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Something works worse than asked for; the engine goes on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// No device: nothing is sent, or nothing is heard, until another is chosen.
    #[error("no {direction}")]
    Unavailable {
        /// Which way.
        direction: Direction,
        /// Why.
        #[source]
        error: device::Error,
    },
    /// The device that was in use has gone. The engine looks for it, or another, and tells [`Warning::Replaced`].
    #[error("{direction} {device} was lost")]
    Lost {
        /// Which way.
        direction: Direction,
        /// Its name.
        device: String,
    },
    /// After a loss: sound goes on with this device.
    #[error("{direction} is now {device}")]
    Replaced {
        /// Which way.
        direction: Direction,
        /// Its name.
        device: String,
    },
    /// The codec could not be set up: nothing is sent.
    #[error("nothing can be sent")]
    Codec(#[from] codec::opus::Error),
    /// A thread could not be started: there is no sound at all.
    #[error("no thread for sound")]
    Thread(#[from] std::io::Error),
}

/// Loudness for meters, and who speaks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Levels {
    /// Our microphone after processing; also while muted, so that the user can be told.
    pub microphone: Level,
    /// Whether somebody speaks into it; also while muted.
    pub speaking: bool,
    /// Each remote's key, loudness, and whether it speaks.
    pub remotes: Vec<(u64, Level, bool)>,
}

/// What the threads and the handle share. Each lock is held for a few copies only, but that of `muted`.
pub struct Shared {
    pub status: Mutex<Status>,
    pub warnings: Mutex<Vec<Warning>>,
    /// Held while a packet leaves: once [`Engine::set_muted`] has returned, none does.
    pub muted: Mutex<bool>,
}

/// The devices in use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Devices {
    /// Name of the microphone; "null" where there is none.
    pub microphone: String,
    /// Name of the speaker; "null" where there is none.
    pub speaker: String,
    /// How often the microphone's sound came faster than it was taken, since it was opened.
    pub microphone_xruns: u64,
    /// How often the speaker had nothing to play, since it was opened.
    pub speaker_xruns: u64,
}

#[derive(Default)]
pub struct Status {
    pub levels: Levels,
    pub devices: Devices,
    pub statistics: HashMap<u64, Statistics>,
}

impl Shared {
    pub fn warn(&self, warning: Warning) {
        tracing::debug!(%warning, "sound");
        let mut warnings = lock(&self.warnings);
        if warnings.len() < MAX_WARNINGS {
            warnings.push(warning);
        }
    }
}

// Each value is whole whenever its lock is free, so a thread that panicked poisons nothing.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Warnings that are kept for a caller who does not ask.
const MAX_WARNINGS: usize = 32;
