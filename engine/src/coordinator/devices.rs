//! Selects, opens and closes our cameras, microphone, speaker and screen, and collects their reports.

use crate::event::Notice;
use crate::hardware::{self, Cameras, Hardware};
use crate::meter::linear;
use crate::notice;
use crate::send::VoiceSender;
use crate::setup::{Choice, Screen, Setup};
use crate::stats::Stats;
use audio::PlayoutTime;
use capture::Open;
use media::{BufferPool, Clock, Mailbox};
use net::meeting::Microphone;
use proto::{Slot, TrackId};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Our cameras, microphone, speaker and screen.
pub struct Devices {
    audio: audio::Engine,
    cameras: Cameras,
    clock: Clock,
    /// The selected camera. Its track shows whether it is open.
    camera: Choice,
    /// True if the selected camera is opened at the start.
    opens_camera: bool,
    /// True if the whole screen is shared from the start.
    screen: bool,
    microphone: Microphone,
    /// The microphone that is opened when it is unmuted for the first time; `None` if it is open, or was.
    unopened: Option<audio::Choice>,
    /// The last reported level of our microphone, 0.0 to 1.0.
    level: f32,
    sound_warnings: notice::SoundWarnings,
    /// Sources that are closing on another thread. Each mailbox closes when its device is free.
    closing: BTreeMap<Slot, Mailbox<()>>,
}

impl Devices {
    /// Starts the audio engine, which opens its devices on its own thread, and returns at once. Packets of the
    /// microphone are sent with `uplink`.
    pub fn start(setup: Setup, hardware: Hardware, clock: Clock, pool: BufferPool, uplink: VoiceSender) -> Self {
        let (microphone, opens_camera, screen) =
            (setup.first_microphone(), setup.opens_camera(), setup.shares_screen());
        let (unopened, opened) =
            if setup.chat_first { (Some(setup.microphone), audio::Choice::Off) } else { (None, setup.microphone) };
        let audio = audio::Engine::start(audio::Config {
            microphone: opened,
            speaker: setup.speaker,
            provider: hardware.sound,
            clock,
            pool,
            uplink: Box::new(move |packet| uplink.send(packet)),
        });
        audio.set_muted(microphone != Microphone::On);
        // Until there are other members.
        audio.set_alone(true);
        Self {
            audio,
            cameras: hardware.cameras,
            clock,
            camera: setup.camera,
            opens_camera,
            screen,
            microphone,
            unopened,
            level: 0.0,
            sound_warnings: notice::SoundWarnings::default(),
            closing: BTreeMap::new(),
        }
    }

    /// Returns the picture sources that the setup selects.
    pub fn first_sources(&mut self) -> Vec<(Slot, Open)> {
        let camera = self.opens_camera.then(|| (Slot::Camera, self.open_camera()));
        let screen = self.screen.then(|| (Slot::Screen, self.open_screen(Screen::Whole)));
        camera.into_iter().chain(screen).collect()
    }

    /// Returns the opener of the selected camera, or of the first one if none is selected.
    pub fn open_camera(&mut self) -> Open {
        if self.camera == Choice::Off {
            self.camera = Choice::Device(None);
        }
        let open = self.cameras.open(self.camera.clone(), self.clock);
        self.when_free(Slot::Camera, open)
    }

    /// Returns the opener of a screen.
    pub fn open_screen(&mut self, screen: Screen) -> Open {
        let open = hardware::screen(screen, self.clock);
        self.when_free(Slot::Screen, open)
    }

    /// Uses another camera from the next [`Devices::open_camera`] on.
    pub fn choose_camera(&mut self, choice: Choice) {
        self.camera = choice;
    }

    /// Drops a source on a thread that may wait for the device.
    pub fn close_source(&mut self, slot: Slot, source: impl Send + 'static) {
        let closed = Mailbox::new();
        self.closing.insert(slot, closed.clone());
        tokio::task::spawn_blocking(move || {
            drop(source);
            closed.close();
        });
    }

    /// Returns the state of our microphone.
    pub fn microphone(&self) -> Microphone {
        self.microphone
    }

    /// Mutes or unmutes the microphone. Opens it if that was left for the first time that it is unmuted. Returns false if
    /// there is none.
    pub fn set_muted(&mut self, muted: bool) -> bool {
        if self.microphone == Microphone::Off {
            return false;
        }
        if !muted && let Some(choice) = self.unopened.take() {
            self.audio.set_microphone(choice);
        }
        self.set_microphone(if muted { Microphone::Muted } else { Microphone::On });
        true
    }

    /// Uses another microphone. If the microphone was off, it is muted afterwards, because selecting a device never
    /// unmutes.
    pub fn choose_microphone(&mut self, choice: audio::Choice) {
        let microphone = match (self.microphone, &choice) {
            (_, audio::Choice::Off) => Microphone::Off,
            (Microphone::Off | Microphone::Muted, _) => Microphone::Muted,
            (Microphone::On, _) => Microphone::On,
        };
        if self.unopened.is_some() {
            self.unopened = Some(choice);
        } else {
            self.audio.set_microphone(choice);
        }
        self.set_microphone(microphone);
    }

    /// Sets whether we are the only member. Then nothing of our microphone is encoded or sent, and the speaker may pause.
    pub fn set_alone(&self, alone: bool) {
        self.audio.set_alone(alone);
    }

    /// Sets how our microphone's packets are encoded.
    pub fn set_protection(&self, protection: audio::Protection) {
        self.audio.set_protection(protection);
    }

    fn set_microphone(&mut self, microphone: Microphone) {
        self.microphone = microphone;
        self.audio.set_muted(microphone != Microphone::On);
    }

    /// Uses another speaker.
    pub fn choose_speaker(&self, choice: audio::Choice) {
        self.audio.set_speaker(choice);
    }

    /// Plays the sound that says that somebody asks to join.
    pub fn play_knock(&self) {
        self.audio.play_cue();
    }

    /// Returns the audio warnings since the last call. Switches the microphone off if there is none left, and to muted if
    /// there is one again.
    pub fn take_warnings(&mut self) -> Vec<Notice> {
        let found = self.sound_warnings.take(&self.audio);
        if found.microphone_lost {
            self.microphone = Microphone::Off;
        } else if found.microphone_back && self.microphone == Microphone::Off {
            // A device that is plugged in never unmutes.
            self.set_microphone(Microphone::Muted);
        }
        found.notices
    }

    /// Returns the current levels, and who speaks.
    pub fn levels(&self) -> audio::Levels {
        self.audio.levels()
    }

    /// Returns our own level for the meter, if it has changed.
    pub fn changed_level(&mut self, levels: &audio::Levels) -> Option<f32> {
        let level = linear(levels.microphone);
        if (level - self.level).abs() <= 0.01 {
            return None;
        }
        self.level = level;
        Some(level)
    }

    /// Plays a remote voice from now on. `playout` gets the times at which it is heard.
    pub fn add_voice(&self, track: TrackId, playout: PlayoutTime) -> audio::Remote {
        self.audio.add_remote(audio_key(track), playout)
    }

    /// Stops playing a remote voice.
    pub fn remove_voice(&self, track: TrackId) {
        self.audio.remove_remote(audio_key(track));
    }

    /// Copies the playback statistics of each voice.
    pub fn count_sound(&self, stats: &Stats) {
        for track in stats.tracks().tracks() {
            if track.slot == Slot::Microphone
                && let Some(statistics) = self.audio.statistics(audio_key(track))
            {
                stats.set_sound(track.owner, statistics);
            }
        }
    }

    /// Returns an opener that waits until our own handle of the device is closed, so that a camera that is switched off
    /// and on is not reported as in use.
    fn when_free(&mut self, slot: Slot, open: Open) -> Open {
        let Some(closed) = self.closing.remove(&slot) else { return open };
        Box::new(move || {
            // The mailbox is always empty. Its closing is the signal.
            let _ = closed.take_until(Instant::now() + CLOSE_TIMEOUT);
            open()
        })
    }
}

/// Returns the key of a track's owner in the audio engine. Each owner has one voice.
fn audio_key(track: TrackId) -> u64 {
    track.owner.0
}

/// How long opening a device waits until our own handle of it is closed. Then it is opened anyway.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);
