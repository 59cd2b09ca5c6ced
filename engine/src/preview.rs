//! Looking at oneself before entering: the camera's picture and the microphone's level, neither sent to anybody.

use crate::event::{Notice, NoticeKind};
use crate::setup::Choice;
use crate::sources::Cameras;
use crate::{clock, reason};
use capture::{CaptureThread, Report};
use media::{BufferPool, Frame};
use proto::Slot;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// An open camera and microphone. Dropping it closes both, which may wait for the device.
pub struct Preview {
    camera: Option<CaptureThread>,
    audio: audio::Engine,
    events: Receiver<PreviewEvent>,
    sender: SyncSender<PreviewEvent>,
}

/// What a preview tells.
#[derive(Clone, Debug)]
pub enum PreviewEvent {
    /// Something about the devices.
    Notice(Notice),
}

impl Preview {
    /// Opens the devices. `picture` gets each camera picture on the camera's thread.
    #[must_use]
    pub fn open(camera: Choice, microphone: audio::Choice, picture: Box<dyn FnMut(Frame) + Send>) -> Self {
        let (sender, events) = sync_channel(16);
        let (audio, warnings) = audio::Engine::start(audio::Config {
            microphone,
            speaker: audio::Choice::Off,
            clock: clock::system(),
            pool: BufferPool::new(8),
            // Nothing that a preview hears goes anywhere.
            uplink: Box::new(drop),
        });
        for notice in crate::coordinator::warnings(&warnings) {
            // A full queue holds sixteen other complaints already.
            let _ = sender.try_send(PreviewEvent::Notice(notice));
        }
        let mut preview = Self { camera: None, audio, events, sender };
        preview.set_camera(camera, picture);
        preview
    }

    /// Looks through another camera from now on.
    pub fn set_camera(&mut self, choice: Choice, mut picture: Box<dyn FnMut(Frame) + Send>) {
        self.camera = None;
        if choice == Choice::Off {
            return;
        }
        let sender = self.sender.clone();
        let on = move |report| match report {
            Report::Opened { .. } => {}
            Report::Frame(frame) => picture(frame),
            Report::Failed(error) => {
                let _ = sender.try_send(PreviewEvent::Notice(reason::source(Slot::Camera, &error)));
            }
        };
        match CaptureThread::start("preview", Cameras::default().open(choice, clock::system()), Box::new(on)) {
            Ok(pump) => self.camera = Some(pump),
            Err(error) => {
                let notice = Notice { kind: NoticeKind::NoCamera, detail: error.to_string() };
                let _ = self.sender.try_send(PreviewEvent::Notice(notice));
            }
        }
    }

    /// Listens to another microphone from now on.
    pub fn set_microphone(&mut self, choice: audio::Choice) {
        self.audio.set_microphone(choice);
    }

    /// The microphone's level now: 0.0 silence to 1.0 full scale.
    #[must_use]
    pub fn level(&self) -> f32 {
        crate::coordinator::linear(self.audio.levels().microphone)
    }

    /// What has happened since the last call.
    pub fn events(&self) -> impl Iterator<Item = PreviewEvent> {
        let lost = self.audio.take_warnings();
        let lost = lost.into_iter().map(|warning| PreviewEvent::Notice(crate::coordinator::warning(&warning)));
        self.events.try_iter().chain(lost)
    }
}
