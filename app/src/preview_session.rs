//! Runs the preview's camera and microphone on a separate thread, because opening and closing a device may take a second.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use engine::{Preview, PreviewEvent};
use iced::futures::Stream;
use iced::futures::channel::mpsc;
use media::Frame;

use crate::kit::meter;
use crate::model::{Device, Kind, View};
use crate::pictures::{Pictures, show_frame};

/// What the preview reports.
#[derive(Clone, Debug)]
pub enum Event {
    /// The level of the microphone, 0.0 to 1.0.
    Level(f32),
    /// A camera has delivered its first picture.
    Picture,
    /// A device does not work.
    Notice(engine::Notice),
}

/// An open preview. Dropping it closes the devices without waiting for them.
#[derive(Debug)]
pub struct PreviewSession {
    commands: SyncSender<Command>,
    // Not joined on the UI thread: closing a device may take a second.
    _thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
enum Command {
    Use(Kind, Device),
    Stop(SyncSender<()>),
}

/// How often the level is read.
const LEVEL_INTERVAL: Duration = Duration::from_millis(66);

/// How long [`PreviewSession::close`] waits for the thread to close the devices.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

impl PreviewSession {
    /// Opens a camera and a microphone. Pictures go to the feed of [`View::Own`].
    pub fn start(camera: Device, microphone: Device, pictures: Pictures) -> (Self, impl Stream<Item = Event>) {
        let (commands, inbox) = sync_channel(8);
        let (events, outbox) = mpsc::channel(32);
        let work =
            move || Worker { pictures, events, shown: Arc::default(), level: 0.0 }.run(&inbox, &camera, &microphone);
        let thread = std::thread::Builder::new().name("preview-devices".into()).spawn(work);
        if let Err(error) = &thread {
            tracing::error!(%error, "cannot start the thread of the preview");
        }
        (Self { commands, _thread: thread.ok() }, outbox)
    }

    /// Switches to another device, or opens the same one again. The preview does not open speakers.
    pub fn choose(&self, kind: Kind, device: Device) {
        self.send(Command::Use(kind, device));
    }

    fn send(&self, command: Command) {
        // The command is dropped if the queue is full, because a device does not answer, or if the thread has ended.
        let _ = self.commands.try_send(command);
    }

    /// Closes the devices, so that the meeting can open them. If the queue is full, waits until the thread takes a command.
    /// Then waits until the devices are closed, for at most three seconds. Must not be called on the UI thread.
    pub fn close(self) {
        let (done, closed) = sync_channel(1);
        if self.commands.send(Command::Stop(done)).is_ok() {
            let _ = closed.recv_timeout(CLOSE_TIMEOUT);
        }
    }
}

struct Worker {
    pictures: Pictures,
    events: mpsc::Sender<Event>,
    /// Set by the camera's thread when the first picture of a camera is shown.
    shown: Arc<Mutex<bool>>,
    /// The last reported level.
    level: f32,
}

impl Worker {
    fn run(mut self, inbox: &Receiver<Command>, camera: &Device, microphone: &Device) {
        let mut preview = Preview::open(camera.camera(), microphone.sound(), self.frame_callback());
        loop {
            match inbox.recv_timeout(LEVEL_INTERVAL) {
                Ok(Command::Use(Kind::Camera, device)) => {
                    self.pictures.feed(View::Own).clear();
                    preview.set_camera(device.camera(), self.frame_callback());
                }
                Ok(Command::Use(Kind::Microphone, device)) => preview.set_microphone(device.sound()),
                Ok(Command::Use(Kind::Speaker, _)) => {}
                Ok(Command::Stop(done)) => {
                    drop(preview);
                    let _ = done.try_send(());
                    return;
                }
                Err(RecvTimeoutError::Timeout) => self.report(&preview),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn report(&mut self, preview: &Preview) {
        if let Some(level) = self.changed_level(preview.level()) {
            self.send(Event::Level(level));
        }
        if std::mem::take(&mut *self.shown.lock().unwrap_or_else(PoisonError::into_inner)) {
            self.send(Event::Picture);
        }
        let events: Vec<_> = preview.events().collect();
        for PreviewEvent::Notice(notice) in events {
            self.send(Event::Notice(notice));
        }
    }

    /// Returns the level if the meter shows it differently from the last one. Each event redraws the window.
    fn changed_level(&mut self, level: f32) -> Option<f32> {
        let changed = !meter::is_same(level, self.level);
        self.level = if changed { level } else { self.level };
        changed.then_some(level)
    }

    /// Shows each frame of a camera, and reports the first. Runs on the camera's thread.
    fn frame_callback(&self) -> Box<dyn FnMut(Frame) + Send> {
        let (feed, shown) = (self.pictures.feed(View::Own), Arc::clone(&self.shown));
        let mut first = true;
        Box::new(move |frame| {
            show_frame(&feed, &frame);
            if std::mem::take(&mut first) {
                *shown.lock().unwrap_or_else(PoisonError::into_inner) = true;
            }
        })
    }

    fn send(&mut self, event: Event) {
        // The event is dropped if the UI thread is behind, so that the queue is full, or if the preview is over.
        let _ = self.events.try_send(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_reported_only_if_the_meter_changes() {
        let (events, _outbox) = mpsc::channel(1);
        let mut worker = Worker { pictures: Pictures::default(), events, shown: Arc::default(), level: 0.0 };
        let levels = [0.0, 0.001, 0.5, 0.501, 0.502, 0.2, 0.0, 0.0];
        let reported: Vec<f32> = levels.into_iter().filter_map(|level| worker.changed_level(level)).collect();
        assert_eq!(reported, [0.5, 0.2, 0.0]);
    }
}
