//! Watches which devices are plugged in, while a screen shows menus of devices.

use engine::device_list::Watcher;
use iced::futures::channel::mpsc;
use iced::futures::{Stream, stream};
use iced::{Subscription, Task};

use super::message::Message;
use crate::background;
use crate::screen::meeting;

/// Lists the devices at first and at each change.
pub fn subscription() -> Subscription<Message> {
    Subscription::run(changes)
}

/// Lists the monitors on another thread: it reads the pixels of each.
pub fn list_monitors() -> Task<Message> {
    let failed = Err("listing the monitors panicked".into());
    let listed = background::run_or(engine::device_list::monitors, failed);
    listed.map(|found| Message::Meeting(meeting::Message::MonitorsListed(found)))
}

/// The watcher ends with the stream.
fn changes() -> impl Stream<Item = Message> {
    let (mut sender, receiver) = mpsc::channel(MAX_WAITING);
    let watcher = Watcher::start(move |lists| {
        // If the UI thread is so far behind, it gets the next change.
        let _ = sender.try_send(lists);
    });
    if let Err(error) = &watcher {
        tracing::error!(%error, "cannot start the thread that lists the devices");
    }
    stream::unfold((watcher, receiver), async |(watcher, mut receiver)| {
        let lists = iced::futures::StreamExt::next(&mut receiver).await?;
        Some((Message::DevicesListed(lists), (watcher, receiver)))
    })
}

/// The maximum number of lists that wait for the UI thread.
const MAX_WAITING: usize = 8;

#[cfg(test)]
mod tests {
    use super::super::{App, Screen};
    use super::*;
    use crate::locale::Language;
    use crate::model::{Devices, Kind, MeetingModel};
    use crate::screen::preview;
    use crate::theme::Choice;
    use engine::NoticeKind;
    use engine::device_list::{Device, Lists};
    use iced::advanced::subscription::into_recipes;

    fn lists(names: &[&str]) -> Lists {
        let device = |name: &&str| Device { id: (*name).to_owned(), name: (*name).to_owned() };
        let all: Vec<Device> = names.iter().map(device).collect();
        Lists { cameras: all.clone(), microphones: all.clone(), speakers: all }
    }

    fn preview_screen() -> preview::Preview {
        preview::Preview::new(preview::Purpose::Start, "Anne".into(), Devices::default())
    }

    /// A window with a preview, and one with a meeting that the command line asked for.
    fn windows() -> [App; 2] {
        let meeting = meeting::Meeting::new(MeetingModel::default(), Devices::default());
        [Screen::Preview(preview_screen()), Screen::Meeting(Box::new(meeting))].map(|screen| {
            let mut app = App::new(Language::English, Choice::Dark);
            app.screen = screen;
            app
        })
    }

    fn names(app: &App, kind: Kind) -> Vec<&str> {
        let devices = match &app.screen {
            Screen::Preview(screen) => &screen.devices,
            Screen::Meeting(screen) => &screen.devices,
            Screen::Home(_) | Screen::Ended(_) => panic!("another screen is shown"),
        };
        devices.present(kind).iter().map(|device| device.name.as_str()).collect()
    }

    #[test]
    fn menus_show_what_is_plugged_in_now() {
        for mut app in windows() {
            for plugged in [&["Built-in"][..], &["Built-in", "Headset"], &[]] {
                drop(app.update(Message::DevicesListed(lists(plugged))));
                for kind in [Kind::Camera, Kind::Microphone, Kind::Speaker] {
                    assert_eq!(names(&app, kind), plugged);
                }
            }
        }
    }

    #[test]
    fn every_screen_with_menus_of_devices_watches_them() {
        let count = |app: &App| into_recipes(app.subscription()).len();
        let home = count(&App::new(Language::English, Choice::Dark));
        let [preview, mut meeting] = windows();
        assert_eq!((count(&preview), count(&meeting)), (home + 1, home + 1));
        if let Screen::Meeting(screen) = &mut meeting.screen {
            screen.since = Some(std::time::Instant::now());
        }
        assert_eq!(count(&meeting), home + 2, "a meeting has a clock, too");
    }

    #[test]
    fn a_microphone_that_is_plugged_in_at_the_preview_is_tried() {
        let [mut app, _] = windows();
        if let Screen::Preview(screen) = &mut app.screen {
            screen.report_problem(engine::Notice { kind: NoticeKind::NoMicrophone, file: None, detail: String::new() });
            assert!(!screen.is_microphone_on());
        }
        drop(app.update(Message::DevicesListed(lists(&["Headset"]))));
        let Screen::Preview(screen) = &app.screen else { panic!("another screen is shown") };
        assert!(screen.is_microphone_on());
    }
}
