//! What the meeting says about quality: the labels of tiles, the statistics panel and the marks in the list of people.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use accesskit::{Role, TreeUpdate};
use app::kit::Element;
use app::locale::Language;
use app::screen::{Context, meeting};
use app::theme::Theme;
use engine::timeline::{AudioStats, LinkStats, ReceivedRtpStreamStats, Second, SentLayerStats, VideoStats};
use engine::{Limitation, ParticipantId, Quality, Slot, TrackId};
use iced::keyboard::Modifiers;
use iced::mouse::{self, Cursor};
use iced::{Event, Point};
use iced_test::runtime::user_interface::{Cache, UserInterface};

use crate::common::{
    self, Paper, Ui, WINDOW, context, meeting_of, renderer, save, small_context, smallest_context, tree,
};

const BOB: ParticipantId = ParticipantId(2);

fn video(id: u64, size: (u16, u16), limited_by: Option<Limitation>) -> VideoStats {
    VideoStats {
        id: Some(TrackId { owner: ParticipantId(id), slot: Slot::Camera }),
        track: "camera".into(),
        wished: Some((636, 358)),
        received: 24,
        bytes: 51_500,
        decoded: 24,
        shown: 23,
        spatial: Some(0),
        size: Some(size),
        packets: ReceivedRtpStreamStats { packets: 200, packets_lost: 7, jitter_ms: 4 },
        decode_ms: 74,
        limited_by,
        tile_limit: limited_by,
        ..VideoStats::default()
    }
}

/// Statistics of one second: our downlink is too narrow for Bob's video, and Carol's uplink is too narrow for hers.
pub fn second() -> Second {
    let voice = |id| AudioStats {
        id: Some(ParticipantId(id)),
        received: 50,
        bytes: 4_100,
        talk_ms: 980,
        concealed_ms: 12,
        inserted_ms: 40,
        removed_ms: if id == 2 { 25 } else { 0 },
        delay_ms: 60,
        packets: ReceivedRtpStreamStats { packets: 50, packets_lost: 1, jitter_ms: 3 },
        ..AudioStats::default()
    };
    let sent = |track: &str, spatial, bytes, size| SentLayerStats {
        track: track.into(),
        spatial,
        frames: 30,
        bytes,
        size,
        encode_ms: 165,
        ..SentLayerStats::default()
    };
    Second {
        at_ms: 61_000,
        length_ms: 1_000,
        link: LinkStats {
            uplink_kbps: Some(1_250),
            downlink_kbps: Some(640),
            round_trip_ms: Some(41),
            lost_up_percent: Some(0),
            lost_down_percent: Some(1),
            ..LinkStats::default()
        },
        video: vec![
            video(2, (320, 180), Some(Limitation::DownlinkNarrow)),
            video(3, (320, 180), Some(Limitation::SenderUplink)),
            video(4, (640, 360), None),
        ],
        audio: vec![voice(2), voice(4)],
        sent: vec![sent("microphone", 0, 4_000, None), sent("camera", 0, 22_000, Some((320, 180)))],
        quality: BTreeMap::from(
            [(1, Quality::Fair), (2, Quality::Good), (3, Quality::Poor), (4, Quality::Good)]
                .map(|(id, quality)| (ParticipantId(id), quality)),
        ),
        ..Second::default()
    }
}

fn reduced_meeting() -> meeting::Meeting {
    let mut screen = meeting_of(4);
    screen.model.second = Some(Arc::new(second()));
    screen
}

/// Calls `visit` with the states of the meeting's screen that are about quality.
pub fn every_state(context: &Context, visit: &mut impl FnMut(&str, Element<'_, ()>)) {
    let pictures = common::pictures(9);
    let mut screen = reduced_meeting();
    visit("meeting-reduced", screen.view(context, &pictures, &[]).map(drop));
    screen.open(meeting::Panel::People);
    visit("meeting-quality", screen.view(context, &pictures, &[]).map(drop));
    screen.open(meeting::Panel::Statistics);
    visit("meeting-statistics", screen.view(context, &pictures, &[]).map(drop));
    let mut heard = second();
    heard.video.clear();
    screen.model.second = Some(Arc::new(heard));
    visit("meeting-statistics-sound", screen.view(context, &pictures, &[]).map(drop));
    let mut own = second();
    own.camera_limit = Some(Limitation::OwnUplink);
    screen.model.second = Some(Arc::new(own));
    screen.model.people[2].connected = false;
    screen.update(meeting::Message::PanelPressed(meeting::Panel::Statistics));
    visit("meeting-cut-off", screen.view(context, &pictures, &[]).map(drop));
}

#[test]
fn pictures_of_small_windows_are_drawn() {
    let folder = std::env::var("SCREENS").unwrap_or_default();
    let pictures = common::pictures(9);
    for (context, size) in
        [(small_context(Language::French), [700, 560]), (smallest_context(Language::English), [480, 400])]
    {
        let mut screen = reduced_meeting();
        let draw = |screen: &meeting::Meeting, name: &str| {
            let name = format!("{name}-{}", size[0]);
            save(&folder, &name, screen.view(&context, &pictures, &[]), &Theme::DARK, size, 1.0);
        };
        draw(&screen, "reduced");
        screen.open(meeting::Panel::Statistics);
        draw(&screen, "statistics");
        screen.open(meeting::Panel::People);
        draw(&screen, "quality");
    }
}

fn labels(update: &TreeUpdate, role: Role) -> Vec<String> {
    let nodes = update.nodes.iter().filter(|(_, node)| node.role() == role);
    nodes.filter_map(|(_, node)| node.label().map(str::to_owned)).collect()
}

#[test]
fn a_reduced_tile_says_why_to_assistive_tools() {
    let pictures = common::pictures(9);
    for (language, bob, carol) in [
        (
            Language::English,
            "Your network is slow: Bob’s video is reduced.",
            "Carol Lefèvre’s network is slow: their video is reduced.",
        ),
        (
            Language::French,
            "Votre connexion est lente\u{a0}: la vidéo envoyée par Bob est réduite.",
            "Carol Lefèvre a une connexion lente\u{a0}: sa vidéo est réduite.",
        ),
    ] {
        let screen = reduced_meeting();
        let tiles = labels(&tree(screen.view(&context(language), &pictures, &[])), Role::ListItem);
        assert!(tiles.iter().any(|label| label.starts_with("Bob") && label.ends_with(bob)), "{tiles:?}");
        assert!(tiles.iter().any(|label| label.starts_with("Carol") && label.ends_with(carol)), "{tiles:?}");
        assert!(tiles.iter().filter(|label| label.contains("réduite") || label.contains("reduced")).count() == 2);
    }
}

/// The pixels of the meeting with the pointer at `pointer`. The clock of the meeting is the same in all pictures.
fn pixels(screen: &meeting::Meeting, pointer: Point) -> Vec<u8> {
    use iced::advanced::renderer::{Headless, Style};
    app::snapshot::load_fonts();
    let now = screen.since.expect("the meeting has begun") + Duration::from_mins(13);
    let context = Context { now, ..context(Language::English) };
    let (pictures, mut renderer) = (common::pictures(9), renderer());
    let view = screen.view(&context, &pictures, &[]);
    let mut ui = UserInterface::build(view, WINDOW, Cache::default(), &mut renderer);
    let (cursor, mut messages) = (Cursor::Available(pointer), Vec::new());
    let moved = Event::Mouse(mouse::Event::CursorMoved { position: pointer });
    let _ = ui.update(&[moved], cursor, &mut renderer, &mut Paper::default(), &mut messages);
    let _ = ui.update(&[], cursor, &mut renderer, &mut Paper::default(), &mut messages);
    ui.draw(&mut renderer, &Theme::DARK, &Style { text_color: iced::Color::WHITE }, cursor);
    renderer.screenshot(iced::Size::new(1280, 800), 1.0, iced::Color::BLACK)
}

#[test]
fn a_tooltip_explains_the_reduced_tile_under_the_pointer() {
    let screen = reduced_meeting();
    let outside = Point::new(640.0, 10.0);
    let (none, over_bob) = (pixels(&screen, outside), pixels(&screen, Point::new(300.0, 200.0)));
    assert!(none != over_bob, "a tooltip over Bob");
    assert!(none == pixels(&screen, Point::new(300.0, 600.0)), "David is not reduced");
    store("tooltip", over_bob);
}

/// Writes a picture of the whole window, if pictures are wanted.
fn store(name: &str, pixels: Vec<u8>) {
    let Ok(folder) = std::env::var("SCREENS") else { return };
    let path = std::path::Path::new(&folder).join(format!("{name}.png"));
    std::fs::create_dir_all(folder).expect("the folder can be created");
    let picture = app::snapshot::Rgba { width: 1280, height: 800, pixels };
    app::snapshot::save(&path, &picture).expect("the folder can be written");
}

#[test]
fn the_picture_of_who_was_cut_off_is_grey_until_it_moves() {
    let mut screen = reduced_meeting();
    // Bob is back, but his last picture is older.
    screen.model.returned.insert(BOB, Instant::now() + Duration::from_mins(1));
    let pixels = pixels(&screen, Point::new(640.0, 10.0));
    let is_grey = |x: usize, y: usize| {
        let [red, green, blue] = pixels[(y * 1280 + x) * 4..][..3] else { panic!("a pixel has three colours") };
        red.abs_diff(green) < 3 && green.abs_diff(blue) < 3
    };
    assert!(is_grey(320, 330) && is_grey(120, 120), "Bob");
    assert!(!is_grey(320, 690) && !is_grey(120, 500), "David");
    store("cut-off", pixels);
}

#[test]
fn the_panel_lists_what_each_track_wishes_receives_and_shows() {
    let mut screen = reduced_meeting();
    screen.open(meeting::Panel::Statistics);
    let pictures = common::pictures(0);
    let update = tree(screen.view(&context(Language::English), &pictures, &[]));
    let lines = labels(&update, Role::ListItem).join("\n").replace(['\u{a0}', '\u{202f}'], " ");
    for line in [
        "Download, 640 kbit/s · 1% lost",
        "Upload, 1.2 Mbit/s · 0% lost",
        "Round trip, 41 ms",
        "Size on your screen, 636 × 358",
        "Received, 320 × 180 · 24 fps",
        "Decoded · shown, 24 fps · 23 fps",
        "Bitrate, 412 kbit/s",
        "Lost packets, 3.5%",
        "Jitter, 4 ms",
        "Decoding, 3 ms per picture",
        "Slowed down to bridge a delay, 40 ms",
        "Sped up to catch up, 25 ms",
        "Camera, 320 × 180 · 30 fps · 176 kbit/s",
        "Encoding, 5.5 ms per picture",
    ] {
        assert!(lines.contains(line), "{line:?} is not in {lines}");
    }
    assert_eq!(lines.matches("Sped up").count(), 1, "David's sound was not sped up: {lines}");
    let mut ui = Ui::new(screen.view(&context(Language::French), &pictures, &[]));
    ui.find("Votre connexion est lente\u{a0}: la vidéo envoyée par Bob est réduite.");
}

#[test]
fn a_shortcut_opens_the_panel_and_a_button_exports() {
    let (mut screen, pictures) = (reduced_meeting(), common::pictures(0));
    let mut ui = Ui::rooted(screen.view(&context(Language::English), &pictures, &[]), meeting::Meeting::shortcut);
    ui.key("I", Modifiers::COMMAND | Modifiers::SHIFT);
    let messages = ui.messages();
    let [meeting::Message::PanelPressed(meeting::Panel::Statistics)] = messages[..] else { panic!("{messages:?}") };
    screen.open(meeting::Panel::Statistics);
    let mut ui = Ui::new(screen.view(&context(Language::English), &pictures, &[]));
    ui.click_id("export");
    assert!(matches!(ui.messages()[..], [meeting::Message::ExportPressed]));
    assert_eq!(screen.update(meeting::Message::ExportPressed), meeting::Action::ExportStatistics);
    screen.model.second = None;
    let mut ui = Ui::new(screen.view(&context(Language::English), &pictures, &[]));
    ui.click_id("export");
    assert!(ui.messages().is_empty(), "there is nothing to export yet");
}

#[test]
fn the_list_of_people_names_the_quality_of_each_connection() {
    let mut screen = reduced_meeting();
    screen.open(meeting::Panel::People);
    let pictures = common::pictures(0);
    let lines = labels(&tree(screen.view(&context(Language::English), &pictures, &[])), Role::ListItem);
    for line in ["Anne Martin, you, unstable connection", "Bob, good connection", "Carol Lefèvre, poor connection"] {
        assert!(lines.iter().any(|label| label == line), "{line:?} is not in {lines:?}");
    }
}

#[test]
fn a_participant_who_is_cut_off_is_shown_as_reconnecting() {
    let mut screen = reduced_meeting();
    screen.model.people[1].connected = false;
    assert_eq!(screen.model.people[1].id, BOB);
    let pictures = common::pictures(9);
    let tiles = labels(&tree(screen.view(&context(Language::English), &pictures, &[])), Role::ListItem);
    let bob = tiles.iter().find(|label| label.starts_with("Bob")).expect("a tile");
    assert!(bob.ends_with("Bob lost the connection and is reconnecting."), "{bob}");
}
