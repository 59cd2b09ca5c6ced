//! The preview before entering: the camera's picture and the microphone's level. Nothing is sent.

use crate::event::{Notice, NoticeKind};
use crate::hardware::Cameras;
use crate::meter::linear;
use crate::setup::Choice;
use crate::{clock, notice};
use audio::device::Provider as SoundDevices;
use capture::{CaptureThread, Report};
use media::{BufferPool, Frame};
use proto::Slot;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

/// An open camera and microphone. Dropping it closes both, and waits for the devices.
pub struct Preview {
    camera: Option<CaptureThread>,
    audio: audio::Engine,
    events: Receiver<PreviewEvent>,
    sender: SyncSender<PreviewEvent>,
}

/// An event of a preview.
#[derive(Clone, Debug)]
pub enum PreviewEvent {
    /// A device failed.
    Notice(Notice),
}

impl Preview {
    /// Opens the devices. Waits for the microphone, at most five seconds. `picture` is called with each camera picture
    /// on the camera's thread.
    #[must_use]
    pub fn open(camera: Choice, microphone: audio::Choice, picture: Box<dyn FnMut(Frame) + Send>) -> Self {
        let (sender, events) = sync_channel(16);
        let audio = audio::Engine::start(audio::Config {
            microphone,
            speaker: audio::Choice::Off,
            provider: SoundDevices::default(),
            clock: clock::system(),
            pool: BufferPool::new(8),
            // A preview sends nothing.
            uplink: Box::new(drop),
        });
        audio.set_alone(true);
        let mut preview = Self { camera: None, audio, events, sender };
        preview.set_camera(camera, picture);
        preview.audio.wait_until_open(MICROPHONE_TIMEOUT);
        for notice in notice::warnings(&preview.audio.take_warnings()) {
            // If the queue is full, sixteen other notices wait already.
            let _ = preview.sender.try_send(PreviewEvent::Notice(notice));
        }
        preview
    }

    /// Changes to another camera.
    pub fn set_camera(&mut self, choice: Choice, mut picture: Box<dyn FnMut(Frame) + Send>) {
        self.camera = None;
        if choice == Choice::Off {
            return;
        }
        let sender = self.sender.clone();
        let on = move |report| match report {
            Report::Opened { .. } | Report::Changed(_) => {}
            Report::Frame(frame) => picture(frame),
            Report::Failed(error) => {
                let _ = sender.try_send(PreviewEvent::Notice(notice::source(Slot::Camera, &error)));
            }
        };
        match CaptureThread::start("preview", Cameras::default().open(choice, clock::system()), Box::new(on)) {
            Ok(thread) => self.camera = Some(thread),
            Err(error) => {
                let notice = Notice { kind: NoticeKind::NoCamera, file: None, detail: error.to_string() };
                let _ = self.sender.try_send(PreviewEvent::Notice(notice));
            }
        }
    }

    /// Changes to another microphone.
    pub fn set_microphone(&mut self, choice: audio::Choice) {
        self.audio.set_microphone(choice);
    }

    /// Returns the microphone's current level, from 0.0 (silence) to 1.0 (full scale).
    #[must_use]
    pub fn level(&self) -> f32 {
        linear(self.audio.levels().microphone)
    }

    /// Returns the events since the last call.
    pub fn events(&self) -> impl Iterator<Item = PreviewEvent> {
        let lost = self.audio.take_warnings();
        let lost = lost.into_iter().map(|warning| PreviewEvent::Notice(notice::warning(&warning)));
        self.events.try_iter().chain(lost)
    }
}

/// How long opening a preview waits for the microphone.
const MICROPHONE_TIMEOUT: Duration = Duration::from_secs(5);
