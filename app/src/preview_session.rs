//! The preview's camera and microphone on a thread of their own: opening and closing a device may take a second.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use engine::{Preview, PreviewEvent};
use iced::futures::Stream;
use iced::futures::channel::mpsc;
use media::Frame;

use crate::model::{Device, Devices, Kind, Offer, SELF};
use crate::pictures::Pictures;
use crate::screen::notice::Notice;
use crate::session;

/// What is heard of it.
#[derive(Clone, Debug)]
pub enum News {
    /// What is plugged in.
    Devices(Vec<(Kind, Vec<Offer>)>),
    /// What the microphone hears.
    Level(f32),
    /// The first picture came.
    Picture,
    /// Something to tell.
    Notice(Notice),
}

/// An open rehearsal. Dropping it closes the devices without waiting for them.
#[derive(Debug)]
pub struct PreviewSession {
    orders: SyncSender<Order>,
    // Never joined on the thread that draws: closing a device may take a second.
    _thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
enum Order {
    Use(Kind, Device),
    List,
    Stop(SyncSender<()>),
}

/// How often the level is read.
const BEAT: Duration = Duration::from_millis(66);

impl PreviewSession {
    /// Opens a camera and a microphone; pictures go to the feed of [`SELF`].
    pub fn start(camera: Device, microphone: Device, pictures: Pictures) -> (Self, impl Stream<Item = News>) {
        let (orders, inbox) = sync_channel(8);
        let (news, outbox) = mpsc::channel(32);
        let work = move || Worker { pictures, news, seen: Arc::default() }.run(&inbox, &camera, &microphone);
        let thread = std::thread::Builder::new().name("rehearsal".into()).spawn(work);
        if let Err(error) = &thread {
            tracing::error!(%error, "no thread for the preview");
        }
        (Self { orders, _thread: thread.ok() }, outbox)
    }

    /// Opens this device from now on, or this one again. Speakers are not rehearsed.
    pub fn choose(&self, kind: Kind, device: Device) {
        self.order(Order::Use(kind, device));
    }

    /// Looks again for what is plugged in.
    pub fn list(&self) {
        self.order(Order::List);
    }

    fn order(&self, order: Order) {
        // Full: eight orders wait already, and the newest that fits is soon followed by the next.
        let _ = self.orders.try_send(order);
    }

    /// Closes the devices and waits until they are closed, so that the meeting can open them: not on the thread that
    /// draws.
    pub fn close(self) {
        let (done, closed) = sync_channel(1);
        if self.orders.send(Order::Stop(done)).is_ok() {
            let _ = closed.recv_timeout(Duration::from_secs(3));
        }
    }
}

struct Worker {
    pictures: Pictures,
    news: mpsc::Sender<News>,
    seen: Arc<Mutex<bool>>,
}

impl Worker {
    fn run(mut self, inbox: &Receiver<Order>, camera: &Device, microphone: &Device) {
        let mut preview = Preview::open(session::camera(camera), session::sound(microphone), self.painter());
        self.list();
        loop {
            match inbox.recv_timeout(BEAT) {
                Ok(Order::Use(Kind::Camera, device)) => {
                    self.pictures.feed(SELF).clear();
                    preview.set_camera(session::camera(&device), self.painter());
                }
                Ok(Order::Use(Kind::Microphone, device)) => preview.set_microphone(session::sound(&device)),
                Ok(Order::Use(Kind::Speaker, _)) => {}
                Ok(Order::List) => self.list(),
                Ok(Order::Stop(done)) => {
                    drop(preview);
                    let _ = done.try_send(());
                    return;
                }
                Err(RecvTimeoutError::Timeout) => self.report(&preview),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Asking the system what is plugged in may take a moment, so it is asked here: at the start, and when it is wished.
    fn list(&mut self) {
        let offers = |found: Vec<engine::devices::Device>| {
            found.into_iter().map(|device| Offer { id: device.id, name: device.name }).collect()
        };
        let found = vec![
            (Kind::Camera, offers(engine::devices::cameras())),
            (Kind::Microphone, offers(engine::devices::microphones())),
            (Kind::Speaker, offers(engine::devices::speakers())),
        ];
        self.tell(News::Devices(found));
    }

    fn report(&mut self, preview: &Preview) {
        self.tell(News::Level(preview.level()));
        if std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner)) {
            self.tell(News::Picture);
        }
        let events: Vec<_> = preview.events().collect();
        for PreviewEvent::Notice(notice) in events {
            self.tell(News::Notice(session::notice(&notice)));
        }
    }

    fn painter(&self) -> Box<dyn FnMut(Frame) + Send> {
        let (feed, seen) = (self.pictures.feed(SELF), Arc::clone(&self.seen));
        let mut first = true;
        Box::new(move |frame| {
            session::show_frame(&feed, &frame);
            if std::mem::take(&mut first) {
                *seen.lock().unwrap_or_else(PoisonError::into_inner) = true;
            }
        })
    }

    fn tell(&mut self, news: News) {
        // A full queue holds the latest levels already; a closed one means that the preview is over.
        let _ = self.news.try_send(news);
    }
}

/// Takes what is plugged in into what can be chosen.
pub fn offer(devices: &mut Devices, found: Vec<(Kind, Vec<Offer>)>) {
    for (kind, offers) in found {
        devices.set_offers(kind, offers);
    }
}
