//! Tests of what assistive tools announce: each event once.

use accesskit::{Live, NodeId, Role, TreeUpdate};
use accesskit_consumer::{NodeRef, Tree, TreeChangeHandler};
use iced::advanced::renderer::Headless;
use iced::advanced::widget::operation::black_box;
use iced::{Rectangle, Size};
use iced_runtime::user_interface::{Cache, UserInterface};

use super::*;
use crate::kit::a11y::TreeBuilder;
use crate::model::Phase;

const WINDOW: Size = Size::new(1280.0, 800.0);

/// A window and a screen reader: the screen reader has the tree that the window sent last.
struct ScreenReader {
    app: App,
    cache: Cache,
    renderer: iced::Renderer,
    tree: Option<Tree>,
    /// The time of the last tick.
    now: Instant,
}

/// What the screen reader says, by the rule of AccessKit's adapter for AT-SPI: a live region that is new, or whose name
/// has changed.
#[derive(Default)]
struct Announced(Vec<(Live, String)>);

impl Announced {
    fn add(&mut self, node: &NodeRef<'_>) {
        if let (Live::Polite | Live::Assertive, Some(name)) = (node.live(), node.label()) {
            self.0.push((node.live(), name));
        }
    }
}

impl TreeChangeHandler for Announced {
    fn node_added(&mut self, node: &NodeRef<'_>) {
        self.add(node);
    }

    fn node_updated(&mut self, old: &NodeRef<'_>, new: &NodeRef<'_>) {
        if old.label() != new.label() {
            self.add(new);
        }
    }

    fn focus_moved(&mut self, _old: Option<&NodeRef<'_>>, _new: Option<&NodeRef<'_>>) {}

    fn node_removed(&mut self, _node: &NodeRef<'_>) {}
}

impl ScreenReader {
    fn new(app: App) -> Self {
        crate::snapshot::load_fonts();
        let renderer = <iced::Renderer as Headless>::new(crate::theme::REGULAR, 16.0.into(), Some("tiny-skia"));
        let renderer = iced::futures::executor::block_on(renderer).expect("software rendering needs no device");
        let mut reader = Self { app, cache: Cache::default(), renderer, tree: None, now: Instant::now() };
        reader.listen();
        reader
    }

    /// A window that is in a meeting with Anne, who is the user, and Bob.
    fn in_meeting(language: Language) -> Self {
        let mut app = App::new(language, Choice::Dark);
        let people = vec![person(1, "Anne"), person(2, "Bob")];
        let model = MeetingModel { phase: Phase::Inside, people, ..MeetingModel::default() };
        app.screen = Screen::Meeting(Box::new(meeting::Meeting::new(model, Devices::default())));
        Self::new(app)
    }

    fn tree_of_the_window(&mut self) -> TreeUpdate {
        let view = self.app.view(iced::window::Id::unique());
        let mut ui = UserInterface::build(view, WINDOW, std::mem::take(&mut self.cache), &mut self.renderer);
        let mut builder = TreeBuilder::new("Test", Rectangle::with_size(WINDOW), 1.0, None);
        ui.operate(&self.renderer, &mut black_box(&mut builder));
        self.cache = ui.into_cache();
        builder.finish()
    }

    /// Sends the tree. Returns what the screen reader says.
    fn listen(&mut self) -> Vec<(Live, String)> {
        let update = self.tree_of_the_window();
        let mut said = Announced::default();
        match &mut self.tree {
            Some(tree) => tree.update_and_process_changes(update, &mut said),
            empty @ None => *empty = Some(Tree::new(update, true)),
        }
        said.0
    }

    /// Time passes: three seconds, so that the next announcement is due.
    fn wait(&mut self) -> Vec<(Live, String)> {
        self.now += std::time::Duration::from_secs(3);
        drop(self.app.update(Message::Tick(self.now)));
        self.listen()
    }

    fn press(&mut self, message: meeting::Message) -> Vec<(Live, String)> {
        drop(self.app.update(Message::Meeting(message)));
        self.listen()
    }
}

fn polite(sentence: &str) -> Vec<(Live, String)> {
    vec![(Live::Polite, sentence.to_owned())]
}

fn urgent(sentence: &str) -> Vec<(Live, String)> {
    vec![(Live::Assertive, sentence.to_owned())]
}

#[test]
fn opening_and_closing_panels_menus_and_dialogs_announces_nothing_again() {
    use meeting::{Menu, Message::*, Panel};

    let mut reader = ScreenReader::in_meeting(Language::English);
    reader.app.notifications.announce(Announcement::Muted);
    reader.app.notifications.interrupt("The connection was lost".into());
    let both = [urgent("The connection was lost"), polite("You are muted")].concat();
    let mut said = reader.wait();
    said.sort_by_key(|(live, _)| *live == Live::Polite);
    assert_eq!(said, both);
    for message in [
        PanelPressed(Panel::People),
        PanelPressed(Panel::Lock),
        PanelPressed(Panel::Lock),
        MenuPressed(Menu::Sound),
        MenuClosed,
        LeaveKeyPressed,
        DialogClosed,
        SharePressed,
        DialogClosed,
    ] {
        let name = format!("{message:?}");
        assert_eq!(reader.press(message), [], "{name}");
    }
    for shown in [true, false] {
        drop(reader.app.update(Message::ShortcutsShown(shown)));
        assert_eq!(reader.listen(), [], "the list of shortcuts: {shown}");
    }
    assert_eq!(reader.wait(), [], "nothing new has happened");
    reader.press(CopyPressed);
    assert_eq!(reader.wait(), polite("Link copied"), "a notice is announced once");
    assert_eq!(reader.wait(), [], "the notice has disappeared");
}

#[test]
fn the_same_event_is_announced_again_if_it_happens_again() {
    let mut reader = ScreenReader::in_meeting(Language::French);
    for _ in 0..3 {
        reader.app.notifications.announce(Announcement::Muted);
        let said = reader.wait();
        assert_eq!(said.len(), 1);
        assert_eq!(said[0].1.trim_end(), "Votre micro est coupé");
    }
}

#[test]
fn notices_are_announced_and_urgent_ones_interrupt() {
    let mut reader = ScreenReader::in_meeting(Language::English);
    let notice = |kind| Event::Notice(engine::Notice { kind, file: None, detail: String::new() });
    engine_event(&mut reader.app, notice(engine::NoticeKind::CameraLost));
    let camera = "The camera stopped. It was unplugged or failed. Connect it again, or choose another one.";
    assert_eq!(reader.wait(), polite(camera));
    engine_event(&mut reader.app, notice(engine::NoticeKind::CameraLost));
    assert_eq!(reader.wait(), [], "the notice is still shown");
    engine_event(&mut reader.app, notice(engine::NoticeKind::Reconnecting));
    assert_eq!(reader.wait(), urgent("Connection lost. Reconnecting…"));
    engine_event(&mut reader.app, notice(engine::NoticeKind::CodecReplaced));
    assert_eq!(reader.wait(), [], "a quiet notice is in the list only");
}

#[test]
fn a_screen_that_someone_shares_is_announced() {
    for (language, begun, ended) in [
        (Language::English, "Bob is sharing the screen", "Bob stopped sharing the screen"),
        (Language::French, "Bob partage son écran", "Bob ne partage plus son écran"),
    ] {
        let mut reader = ScreenReader::in_meeting(language);
        for (screen, expected) in [(true, begun), (false, ended)] {
            let bob = engine::Person { screen, ..person(2, "Bob") };
            engine_event(&mut reader.app, Event::People(vec![person(1, "Anne"), bob]));
            assert_eq!(reader.wait(), polite(expected));
        }
    }
}

#[test]
fn the_end_of_a_meeting_is_announced_at_once() {
    for (reason, expected) in [
        (Reason::Removed, "The organiser removed you"),
        (Reason::Ended, "The organiser ended the meeting"),
        (Reason::ServerSilent, "The server stopped responding"),
    ] {
        let mut reader = ScreenReader::in_meeting(Language::English);
        engine_event(&mut reader.app, Event::Ended(reason));
        assert!(reader.app.notifications.needs_ticks(), "the clock runs although the meeting is over");
        let said = reader.wait();
        assert!(matches!(&said[..], [(Live::Assertive, text)] if text.starts_with(expected)), "{said:?}");
        assert_eq!(reader.wait(), []);
    }
    let mut reader = ScreenReader::in_meeting(Language::English);
    engine_event(&mut reader.app, Event::Ended(Reason::Left));
    assert_eq!(reader.wait(), [], "the user has left");
}

#[test]
fn entering_is_announced() {
    let mut app = App::new(Language::English, Choice::Dark);
    app.screen = Screen::Meeting(Box::new(meeting::Meeting::new(MeetingModel::default(), Devices::default())));
    let mut reader = ScreenReader::new(app);
    engine_event(&mut reader.app, Event::Progress(Step::Knocking));
    assert_eq!(reader.wait(), polite("Your request to join was sent."));
    let (me, link) = (engine::ParticipantId(1), engine::SecretLink::default());
    engine_event(&mut reader.app, Event::Entered { me, link, organiser: false });
    assert_eq!(reader.wait(), polite("You are in the meeting"));
}

#[test]
fn the_list_of_shortcuts_names_every_shortcut_in_both_languages() {
    for (language, leave, share) in [
        (Language::English, "Leave the meeting, Alt+Q", "Share screen, or stop sharing, Ctrl+Shift+S"),
        (Language::French, "Quitter la visioconférence, Alt+Q", "Partager l’écran, ou arrêter le partage, Ctrl+Maj+S"),
    ] {
        let mut reader = ScreenReader::new(App::new(language, Choice::Dark));
        drop(reader.app.update(Message::ShortcutsShown(true)));
        let update = reader.tree_of_the_window();
        let items = update.nodes.iter().filter(|(_, node)| node.role() == Role::ListItem);
        let items: Vec<_> = items.filter_map(|(_, node)| node.label()).collect();
        assert_eq!(items.len(), 14, "{items:?}");
        assert!(items.contains(&leave) && items.contains(&share), "{items:?}");
        let dialog = update.nodes.iter().find(|(_, node)| node.role() == Role::AlertDialog).expect("a dialog");
        assert!(dialog.1.is_modal() && dialog.0 != NodeId(0));
    }
}
