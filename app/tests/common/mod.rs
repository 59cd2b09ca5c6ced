//! People, pictures and a simulator for the tests of screens.

use std::path::Path;
use std::time::{Duration, Instant};

use accesskit::{ActionRequest, TreeUpdate};
use app::kit::a11y::{Port, TreeBuilder};
use app::kit::focus::Request;
use app::kit::root::Window;
use app::kit::{Element, Shortcut, root};
use app::locale::Language;
use app::model::bandwidth::Bandwidth;
use app::model::{Device, Devices, Kind, MeetingModel, Notice, NoticeKind, Phase, View};
use app::pictures::Pictures;
use app::screen::{Context, home, meeting, preview};
use app::snapshot;
use app::theme::{Choice, REGULAR, Theme};
use engine::{KeyState, Microphone, ParticipantId, Person, Slot, TrackId, Words};
use iced::advanced::widget::operation::black_box;
use iced::keyboard::{self, Modifiers, key::Named};
use iced::{Event, Rectangle, Settings, Size, window};
use iced_test::runtime::user_interface::{Cache, UserInterface};
use iced_test::selector;
use iced_test::simulator::{Simulator, press_key, release_key};
use media::{Colour, PlaneRef, Timestamp};

pub const WINDOW: Size = Size::new(1280.0, 800.0);

pub fn context(language: Language) -> Context {
    let bandwidth = Bandwidth::default();
    Context {
        language,
        theme: Choice::Dark,
        bandwidth,
        reduced_motion: true,
        size: WINDOW,
        scale: 1.0,
        now: Instant::now(),
    }
}

pub fn small_context(language: Language) -> Context {
    Context { size: Size::new(700.0, 560.0), ..context(language) }
}

/// The smallest window size.
pub fn smallest_context(language: Language) -> Context {
    Context { size: Size::new(480.0, 400.0), ..context(language) }
}

pub fn recents() -> Vec<home::Recent> {
    let recent = |host: &str, age, people: &[&str]| home::Recent {
        link: format!("conclave://{host}:4433/#…").into(),
        host: host.into(),
        age,
        people: people.iter().map(|name| (*name).to_owned()).collect(),
        organised: people.len() == 1,
        over: people.is_empty(),
    };
    vec![
        recent("visio.example.fr", 2_400, &["Bob", "Carol Lefèvre", "David Okafor", "Élise Nguyen-Fontaine"]),
        recent("192.168.1.20", 92_000, &["Farid Benali"]),
        recent("meet.example.org", 600_000, &[]),
    ]
}

pub fn notices() -> Vec<Notice> {
    let notice = |kind, detail: &str| Notice { kind, file: None, detail: detail.into() };
    vec![
        notice(engine::NoticeKind::CameraTaken.into(), "/dev/video0: Device or resource busy"),
        notice(engine::NoticeKind::PeerUnreadable.into(), ""),
        notice(NoticeKind::LinkCopied, ""),
    ]
}

/// A notice of the engine without details.
pub fn problem(kind: engine::NoticeKind) -> engine::Notice {
    engine::Notice { kind, file: None, detail: String::new() }
}

const NAMES: [&str; 9] = [
    "Anne Martin",
    "Bob",
    "Carol Lefèvre",
    "David Okafor",
    "Élise Nguyen-Fontaine",
    "Farid Benali",
    "Greta Lindqvist",
    "Hugo da Silva",
    "Ines Kowalczyk",
];

pub fn meeting_of(people: usize) -> meeting::Meeting {
    let person = |(index, name): (usize, &&str)| Person {
        id: ParticipantId(index as u64 + 1),
        name: (*name).to_owned(),
        me: index == 0,
        role: if index == 0 { engine::Role::Organiser } else { engine::Role::Participant },
        rights: engine::Rights::ALL,
        device: "a1f2 09bc 77de 1100 4411".into(),
        certificate: None,
        microphone: if index == 3 { Microphone::Muted } else { Microphone::On },
        camera: index != 4 && index != 6,
        screen: false,
        connected: true,
    };
    // Zeros select the first word of the list twelve times: "abandon" in English, "abaisser" in French.
    let words = Words::of(&[0; 17]).expect("17 bytes are enough");
    let lock = KeyState { epoch: 5, words, suite: "MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519" };
    let model = MeetingModel {
        phase: Phase::Inside,
        link: "conclave://192.168.1.20:4433/#x".into(),
        organiser: true,
        people: NAMES.iter().take(people).enumerate().map(person).collect(),
        speaking: vec![ParticipantId(2)],
        lock: Some(lock),
        microphone: Microphone::On,
        camera: true,
        ..MeetingModel::default()
    };
    let mut screen = meeting::Meeting::new(model, devices());
    screen.since = Instant::now().checked_sub(Duration::from_secs(761));
    screen
}

/// Like [`meeting_of`], on a server of this computer, which has several addresses.
pub fn hosted_meeting_of(people: usize) -> meeting::Meeting {
    let mut screen = meeting_of(people);
    screen.model.link = format!("conclave://10.8.0.6:7443/#Ag{}", "A".repeat(42)).into();
    screen.model.hosts = ["192.168.1.20", "10.8.0.6", "fd00::2"].map(str::to_owned).to_vec();
    screen
}

/// What is known of a guest who came with an old link.
pub fn evidence() -> engine::Evidence {
    let device = engine::DeviceKey([0xa1; 32]);
    let class = engine::IdentityClass::Guest;
    engine::Evidence { class, device, certificate: None, via_old_link: true, sent_back: false }
}

pub fn devices() -> Devices {
    let device = |id: &str, name: &str| engine::device_list::Device { id: id.into(), name: name.into() };
    let mut devices = Devices::default();
    devices.set_present(Kind::Camera, vec![device("0", "Integrated camera"), device("1", "Logitech Brio 500")]);
    devices.set_present(Kind::Microphone, vec![device("a", "Built-in Audio Analog Stereo")]);
    devices.set_present(Kind::Speaker, vec![device("b", "Jabra Evolve2 65 headset, wireless")]);
    devices.choose(Kind::Speaker, Device::Named("b".into()));
    devices
}

pub fn preview_screen() -> preview::Preview {
    let mut screen = preview::Preview::new(preview::Purpose::Start, "Anne Martin".into(), devices());
    screen.level = 0.2;
    screen.picture = preview::Picture::Shown;
    screen
}

/// Pictures for ourselves and for the first `people` participants, each in a different tint.
pub fn pictures(people: u64) -> Pictures {
    let pictures = Pictures::default();
    if people > 0 {
        paint(&pictures, View::Own, 0);
    }
    for id in 1..=people {
        let view = |slot| View::Track(TrackId { owner: ParticipantId(id), slot });
        paint(&pictures, view(Slot::Camera), id);
        paint(&pictures, view(Slot::Screen), id + 20);
    }
    pictures
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a small picture")]
fn paint(pictures: &Pictures, view: View, seed: u64) {
    let size = media::Size::new(320, 180);
    let luma: Vec<u8> = (0..180u32)
        .flat_map(|y| {
            (0..320u32).map(move |x| {
                let (dx, dy) = (x as f32 - 160.0, y as f32 - 100.0);
                let head = dx.hypot(dy * 1.1) < 48.0 || (y > 140 && dx.abs() < 90.0);
                let base = 60 + y / 4 + x / 12;
                (if head { 150 + y / 8 } else { base }).min(235) as u8
            })
        })
        .collect();
    let tint = |shift: u64| (96 + (seed * 37 + shift * 53) % 64) as u8;
    let chroma = size.chroma();
    let (u, v) = (vec![tint(1); chroma.area() as usize], vec![tint(2); chroma.area() as usize]);
    let plane = |data, size: media::Size| PlaneRef { data, stride: size.width.into(), size };
    let planes = [plane(&luma[..], size), plane(&u[..], chroma), plane(&v[..], chroma)];
    assert!(pictures.feed(view).show(planes, Colour::default(), 1, Timestamp::default()));
}

/// iced's simulator with our font and window size. The view is inside our root widget, which handles Tab and shortcuts.
pub struct Ui<'a, Message> {
    inner: Simulator<'a, Message, Theme>,
}

impl<'a, Message: 'a> Ui<'a, Message> {
    pub fn new(view: Element<'a, Message>) -> Self {
        Self::rooted(view, |_| None)
    }

    pub fn rooted(view: Element<'a, Message>, shortcut: impl Fn(Shortcut) -> Option<Message> + 'a) -> Self {
        snapshot::load_fonts();
        let window = Window {
            id: window::Id::unique(),
            title: "Test".into(),
            port: Port::default(),
            scale: 1.0,
            focus: None,
            on_shortcut: Box::new(shortcut),
        };
        let settings = Settings { default_font: REGULAR, ..Settings::default() };
        Self { inner: Simulator::with_size(settings, WINDOW, root(window, view)) }
    }

    pub fn find(&mut self, text: &str) {
        self.inner.find(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    }

    pub fn click(&mut self, text: &str) {
        self.inner.click(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    }

    pub fn click_id(&mut self, id: &'static str) {
        self.inner.click(selector::id(id)).unwrap_or_else(|error| panic!("{id}: {error}"));
    }

    pub fn typewrite(&mut self, text: &str) {
        self.inner.typewrite(text);
    }

    pub fn tap(&mut self, key: Named) {
        self.inner.tap_key(key);
    }

    pub fn key(&mut self, letter: &str, with: Modifiers) {
        let Event::Keyboard(keyboard::Event::KeyPressed { key, modified_key, physical_key, location, repeat, .. }) =
            press_key(keyboard::Key::Character(letter.into()), None)
        else {
            unreachable!("`press_key` returns a key press")
        };
        let press = keyboard::Event::KeyPressed {
            key: key.clone(),
            modified_key,
            physical_key,
            location,
            modifiers: with,
            repeat,
            text: None,
        };
        self.inner.simulate([Event::Keyboard(press), release_key(key)]);
    }

    pub fn redraw(&mut self) {
        self.inner.simulate([Event::Window(window::Event::RedrawRequested(Instant::now()))]);
    }

    /// The id of the focused control.
    pub fn focused(&mut self) -> Option<String> {
        let target = self.inner.find(selector::is_focused()).ok()?;
        let text = format!("{target:?}");
        // iced has no accessor for the text of an id, so it is read from the debug form: `Custom("lock")`.
        text.split('"').nth(1).map(str::to_owned)
    }

    /// Presses Tab until no control has the focus, at most a hundred times. Returns the ids of the focused controls.
    pub fn tab_order(&mut self) -> Vec<String> {
        let mut order = Vec::new();
        if let Some(first) = self.focused() {
            order.push(first);
        }
        for _ in 0..100 {
            self.tap(Named::Tab);
            let Some(id) = self.focused() else { break };
            order.push(id);
        }
        order
    }

    pub fn messages(self) -> Vec<Message> {
        self.inner.into_messages().collect()
    }
}

/// Three monitors of different shapes, each with a picture of a desktop.
pub fn monitors(count: usize) -> Vec<engine::device_list::Monitor> {
    let all = [("eDP-1", 1920, 1080), ("HDMI-1", 2560, 1080), ("DP-2", 1080, 1920)];
    let monitor = |(name, width, height): (&str, u16, u16)| {
        let size = media::Size::new(width, height);
        let small = media::Size::new(width / 10, height / 10);
        let pixel = |index: u32| {
            let (x, y) = (index % u32::from(small.width), index / u32::from(small.width));
            let is_window = x > 20 && x < u32::from(small.width) / 2 + 20 && y > 16 && y < u32::from(small.height) - 24;
            if y < 6 {
                [30, 32, 40, 255]
            } else if is_window {
                [240, 240, 236, 255]
            } else {
                [40, 84, 120, 255]
            }
        };
        let rgba = (0..u32::from(small.width) * u32::from(small.height)).flat_map(pixel).collect();
        let thumbnail = engine::device_list::Thumbnail { size: small, rgba };
        engine::device_list::Monitor { id: name.into(), name: name.into(), size, thumbnail }
    };
    all.into_iter().take(count).map(monitor).collect()
}

/// A sequence of views of one window. Unlike [`Ui`], the state of the widgets is kept from view to view.
pub struct Flow {
    cache: Cache,
    renderer: iced::Renderer,
    cursor: iced::mouse::Cursor,
    clipboard: Paper,
    /// The screen's last request to move the focus.
    pub focus: Option<Request>,
    /// The size of the window, in logical pixels.
    pub size: Size,
}

/// A clipboard with this text.
#[derive(Default)]
pub struct Paper(pub String);

impl iced::advanced::Clipboard for Paper {
    fn read(&self, _kind: iced::advanced::clipboard::Kind) -> Option<String> {
        Some(self.0.clone())
    }

    fn write(&mut self, _kind: iced::advanced::clipboard::Kind, text: String) {
        self.0 = text;
    }
}

impl Flow {
    pub fn new() -> Self {
        snapshot::load_fonts();
        let cursor = iced::mouse::Cursor::Unavailable;
        let (cache, clipboard) = (Cache::default(), Paper::default());
        Self { cache, renderer: renderer(), cursor, clipboard, focus: None, size: WINDOW }
    }

    pub fn copied(text: &str) -> Self {
        Self { clipboard: Paper(text.into()), ..Self::new() }
    }

    /// Shows a view in our root widget and redraws it, then handles the events. Returns the messages.
    pub fn show<'a, Message: 'a>(
        &mut self,
        view: Element<'a, Message>,
        shortcut: impl Fn(Shortcut) -> Option<Message> + 'a,
        events: impl IntoIterator<Item = Event>,
    ) -> Vec<Message> {
        let window = Window {
            id: window::Id::unique(),
            title: "Test".into(),
            port: Port::default(),
            scale: 1.0,
            focus: self.focus,
            on_shortcut: Box::new(shortcut),
        };
        self.show_rooted(root(window, view), None, events).0
    }

    /// Shows a view in our root widget, carries out the action `request`, then handles the events. Returns the
    /// accessibility tree, and the messages.
    pub fn tree<'a, Message: 'a>(
        &mut self,
        view: Element<'a, Message>,
        request: Option<ActionRequest>,
        events: impl IntoIterator<Item = Event>,
    ) -> (TreeUpdate, Vec<Message>) {
        let window = Window {
            id: window::Id::unique(),
            title: "Test".into(),
            port: Port::default(),
            scale: 1.0,
            focus: self.focus,
            on_shortcut: Box::new(|_| None),
        };
        let (messages, update) = self.show_rooted(root(window, view), request, events);
        (update, messages)
    }

    /// Like [`Flow::show`] for a view that has a root widget. Returns the accessibility tree too.
    pub fn show_rooted<'a, Message: 'a>(
        &mut self,
        view: Element<'a, Message>,
        request: Option<ActionRequest>,
        events: impl IntoIterator<Item = Event>,
    ) -> (Vec<Message>, TreeUpdate) {
        let cache = std::mem::take(&mut self.cache);
        let mut ui = UserInterface::build(view, self.size, cache, &mut self.renderer);
        let mut messages = Vec::new();
        let mut builder = TreeBuilder::new("Test", Rectangle::with_size(WINDOW), 1.0, request);
        ui.operate(&self.renderer, &mut black_box(&mut builder));
        let redraw = || Event::Window(window::Event::RedrawRequested(Instant::now()));
        for event in std::iter::once(redraw()).chain(events) {
            if let Event::Mouse(iced::mouse::Event::CursorMoved { position }) = event {
                self.cursor = iced::mouse::Cursor::Available(position);
            }
            let _ = ui.update(&[event], self.cursor, &mut self.renderer, &mut self.clipboard, &mut messages);
            let _ = ui.update(&[redraw()], self.cursor, &mut self.renderer, &mut self.clipboard, &mut messages);
        }
        let mut builder = TreeBuilder::new("Test", Rectangle::with_size(WINDOW), 1.0, None);
        ui.operate(&self.renderer, &mut black_box(&mut builder));
        self.cache = ui.into_cache();
        (messages, builder.finish())
    }

    /// The centre of the control with this id.
    pub fn place<Message>(&mut self, view: Element<'_, Message>, id: &str) -> iced::Point {
        let mut ui = UserInterface::build(view, self.size, Cache::default(), &mut self.renderer);
        let mut find = app::kit::focus::FindBounds::new(id.to_owned().into());
        ui.operate(&self.renderer, &mut black_box(&mut find));
        find.found.unwrap_or_else(|| panic!("no control is {id}")).center()
    }
}

/// The events of a click.
pub fn click_at(position: iced::Point, button: iced::mouse::Button) -> Vec<Event> {
    use iced::mouse::Event::{ButtonPressed, ButtonReleased, CursorMoved};
    [CursorMoved { position }, ButtonPressed(button), ButtonReleased(button)].map(Event::Mouse).into()
}

/// The events of a key that is pressed and released.
pub fn key_events(key: Named) -> Vec<Event> {
    vec![press_key(keyboard::Key::Named(key), None), release_key(keyboard::Key::Named(key))]
}

/// The events of a letter or another character that is pressed and released with these modifiers.
pub fn character_events(character: &str, with: Modifiers) -> Vec<Event> {
    let key = keyboard::Key::Character(character.into());
    let Event::Keyboard(keyboard::Event::KeyPressed { modified_key, physical_key, location, .. }) =
        press_key(key.clone(), None)
    else {
        unreachable!("`press_key` returns a key press")
    };
    let press = keyboard::Event::KeyPressed {
        key: key.clone(),
        modified_key,
        physical_key,
        location,
        modifiers: with,
        repeat: false,
        text: with.is_empty().then(|| character.into()),
    };
    let hold = |modifiers| Event::Keyboard(keyboard::Event::ModifiersChanged(modifiers));
    vec![hold(with), Event::Keyboard(press), release_key(key), hold(Modifiers::default())]
}

/// The accessibility tree of a view.
pub fn tree<Message>(view: Element<'_, Message>) -> TreeUpdate {
    tree_and_messages(view, None).0
}

/// The accessibility tree of a view in a window of this size.
pub fn tree_in<Message>(view: Element<'_, Message>, size: Size) -> TreeUpdate {
    snapshot::load_fonts();
    let mut renderer = renderer();
    let mut ui = UserInterface::build(view, size, Cache::default(), &mut renderer);
    let mut builder = TreeBuilder::new("Test", Rectangle::with_size(size), 1.0, None);
    ui.operate(&renderer, &mut black_box(&mut builder));
    builder.finish()
}

/// The accessibility tree of a view, and the messages that the action `request` leads to.
pub fn tree_and_messages<Message>(
    view: Element<'_, Message>,
    request: Option<ActionRequest>,
) -> (TreeUpdate, Vec<Message>) {
    snapshot::load_fonts();
    let mut renderer = renderer();
    let mut ui = UserInterface::build(view, WINDOW, Cache::default(), &mut renderer);
    let mut builder = TreeBuilder::new("Test", Rectangle::with_size(WINDOW), 1.0, request);
    ui.operate(&renderer, &mut black_box(&mut builder));
    let mut messages = Vec::new();
    let redraw = Event::Window(window::Event::RedrawRequested(Instant::now()));
    let clipboard = &mut iced::advanced::clipboard::Null;
    let _ = ui.update(&[redraw], iced::mouse::Cursor::Unavailable, &mut renderer, clipboard, &mut messages);
    (builder.finish(), messages)
}

pub fn renderer() -> iced::Renderer {
    use iced::advanced::renderer::Headless;
    let created = <iced::Renderer as Headless>::new(REGULAR, 16.0.into(), Some("tiny-skia"));
    iced::futures::executor::block_on(created).expect("software rendering needs no device")
}

/// Writes a picture of a view as a PNG file.
pub fn save<Message>(folder: &str, name: &str, view: Element<'_, Message>, theme: &Theme, size: [u32; 2], scale: f32) {
    let picture = snapshot::snapshot(view, theme, size, scale).expect("something can draw");
    assert!(picture.pixels.chunks_exact(4).any(|pixel| pixel != &picture.pixels[..4]), "{name} is empty");
    if !folder.is_empty() {
        std::fs::create_dir_all(folder).expect("the folder can be created");
        snapshot::save(&Path::new(folder).join(format!("{name}.png")), &picture).expect("the folder can be written");
    }
}
