//! The test of the connection on the preview.

use accesskit::{Action as Click, TreeUpdate};
use app::locale::Language;
use app::screen::Context;
use app::screen::preview::{self, Action, Message};
use app::theme::Theme;
use engine::{Bitrate, ConnectionTestEvent, MediaPath, PathFigures, PathReport, PathTestError, Reason};
use iced::Size;
use iced::keyboard::key::Named;
use std::time::Duration;

use crate::common::{self, Ui, context, preview_screen, save, tree, tree_in};

/// The preview of a meeting on this server.
fn joining() -> preview::Preview {
    let mut screen = preview_screen();
    screen.purpose = preview::Purpose::Join { host: "visio.example.fr".into() };
    screen
}

fn report(path: MediaPath, kbps: u64) -> PathReport {
    let figures = PathFigures {
        round_trip: Duration::from_millis(24),
        jitter: Duration::from_millis(2),
        lost_up: 0.0,
        lost_down: 0.4,
        up: Bitrate::kbps(kbps),
        down: Bitrate::kbps(kbps),
        is_full: kbps < 2_500,
    };
    PathReport { path, figures }
}

/// Presses the button, and reports this event.
fn tested(event: ConnectionTestEvent) -> preview::Preview {
    let mut screen = joining();
    let Action::Test(number) = screen.update(Message::TestPressed) else { panic!("a test begins") };
    screen.update(Message::TestReported(number, event));
    screen
}

fn results() -> [Result<PathReport, PathTestError>; 5] {
    [
        Ok(report(MediaPath::Udp, 2_900)),
        Ok(report(MediaPath::Tls, 400)),
        Err(PathTestError::Busy),
        Err(PathTestError::NoPath),
        Err(PathTestError::Unreachable(Reason::Unreachable("connection refused (os error 111)".into()))),
    ]
}

fn has_button(update: &TreeUpdate, name: &str) -> bool {
    let is_it = |node: &accesskit::Node| node.supports_action(Click::Click) && node.label() == Some(name);
    update.nodes.iter().any(|(_, node)| is_it(node))
}

#[test]
fn only_the_connection_to_another_computer_is_tested() {
    let pictures = common::pictures(0);
    for language in Language::ALL {
        let name = language.text("connection-test");
        let shown = |screen: &preview::Preview| has_button(&tree(screen.view(&context(language), &pictures)), &name);
        assert_eq!((shown(&preview_screen()), shown(&joining())), (false, true));
    }
}

#[test]
fn a_test_shows_its_progress_and_can_be_cancelled_by_its_button_and_by_escape() {
    let pictures = common::pictures(0);
    for language in Language::ALL {
        let mut screen = tested(ConnectionTestEvent::Progress { path: Some(MediaPath::Udp), percent: 40 });
        let update = tree(screen.view(&context(language), &pictures));
        assert!(has_button(&update, &language.text("connection-cancel-name")));
        let words = language.with("connection-testing", &[("percent", 40.into())]);
        Ui::new(screen.view(&context(language), &pictures)).find(&words);
        let mut ui = Ui::rooted(screen.view(&context(language), &pictures), |_| None);
        ui.click_id("test-connection");
        let pressed = ui.messages().into_iter().find(|message| matches!(message, Message::TestPressed));
        assert_eq!(screen.update(pressed.expect("a press")), Action::CancelTest);
        assert!(has_button(&tree(screen.view(&context(language), &pictures)), &language.text("connection-test")));
    }
    let screen = tested(ConnectionTestEvent::Progress { path: None, percent: 0 });
    let shortcut = |screen: &preview::Preview| {
        let mut ui = Ui::new(screen.view(&context(Language::English), &pictures));
        ui.tap(Named::Escape);
        screen.shortcut(app::kit::Shortcut::Close)
    };
    assert!(matches!(shortcut(&screen), Some(Message::TestPressed)));
    assert!(matches!(shortcut(&joining()), Some(Message::BackPressed)));
}

#[test]
fn each_result_is_a_sentence_with_its_cause_and_the_figures() {
    let pictures = common::pictures(9);
    let folder = std::env::var("SCREENS").unwrap_or_default();
    for language in Language::ALL {
        let context = context(language);
        for (index, result) in results().into_iter().enumerate() {
            let has_figures = result.is_ok();
            let screen = tested(ConnectionTestEvent::Ended(result));
            let update = tree(screen.view(&context, &pictures));
            assert!(has_button(&update, &language.text("connection-again")));
            let said = screen.test.announcement(language).expect("it has ended");
            let texts: Vec<_> = update.nodes.iter().filter_map(|(_, node)| node.value()).collect();
            let spoken = texts.iter().filter(|text| said.contains(**text)).count();
            assert!(spoken >= 1, "{said} is shown as well: {texts:?}");
            assert_eq!(texts.iter().any(|text| text.contains("24\u{a0}ms")), has_figures, "{texts:?}");
            let name = format!("connection-{index}-{}", language.tag());
            save(&folder, &name, screen.view(&context, &pictures), &Theme::DARK, [1_280, 800], 1.0);
        }
    }
}

#[test]
fn the_join_button_stays_visible_with_a_result() {
    let pictures = common::pictures(0);
    for (width, height) in [(480.0, 400.0), (700.0, 560.0), (800.0, 600.0), (1_280.0, 720.0), (1_280.0, 800.0)] {
        for language in Language::ALL {
            for result in results() {
                let screen = tested(ConnectionTestEvent::Ended(result));
                let size = Size::new(width, height);
                let context = Context { size, ..context(language) };
                let update = tree_in(screen.view(&context, &pictures), size);
                let join = language.text("preview-join");
                let found = update.nodes.iter().find(|(_, node)| node.label() == Some(join.as_str()));
                let bounds = found.expect("the button").1.bounds().expect("a node has bounds");
                let inside = bounds.y0 >= 0.0 && bounds.y1 <= f64::from(height) && bounds.height() >= 43.5;
                assert!(inside, "{bounds:?} in {width} x {height}");
            }
        }
    }
}
