//! The preview in small windows.

use accesskit::{Action, Rect, TreeUpdate};
use app::locale::Language;
use app::screen::{Context, preview};
use app::theme::Theme;
use engine::NoticeKind;
use iced::Size;

use crate::common::{self, context, preview_screen, save, tree_in};

/// The smallest window, and the usual small ones.
const SIZES: [Size; 8] = [
    Size::new(480.0, 400.0),
    Size::new(641.0, 900.0),
    Size::new(700.0, 560.0),
    Size::new(800.0, 600.0),
    Size::new(1_024.0, 640.0),
    Size::new(1_280.0, 720.0),
    Size::new(1_280.0, 800.0),
    Size::new(1_920.0, 1_000.0),
];

/// The bounds of the button with this label, in pixels.
fn button(update: &TreeUpdate, label: &str) -> Rect {
    let is_it = |node: &accesskit::Node| node.supports_action(Action::Click) && node.label() == Some(label);
    let found = update.nodes.iter().find(|(_, node)| is_it(node));
    let (_, node) = found.unwrap_or_else(|| panic!("no button is named {label}"));
    node.bounds().expect("a node has bounds")
}

fn assert_visible(bounds: Rect, size: Size, what: &str) {
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let inside = bounds.x0 >= 0.0 && bounds.x1 <= width && bounds.y0 >= 0.0 && bounds.y1 <= height;
    assert!(inside && bounds.height() >= 43.5, "{what} at {bounds:?} in a window of {width} x {height}");
}

fn preview_with(problems: &[NoticeKind]) -> preview::Preview {
    let mut screen = preview_screen();
    for kind in problems {
        screen.report_problem(common::problem(*kind));
    }
    screen
}

#[test]
fn the_join_button_of_the_preview_is_visible_in_windows_of_all_sizes() {
    let pictures = common::pictures(9);
    for (language, size) in Language::ALL.into_iter().flat_map(|language| SIZES.map(|size| (language, size))) {
        let context = Context { size, ..context(language) };
        for problems in [&[][..], &[NoticeKind::NoCamera, NoticeKind::NoMicrophone], &[NoticeKind::CameraTaken]] {
            let update = tree_in(preview_with(problems).view(&context, &pictures), size);
            assert_visible(button(&update, &language.text("preview-start")), size, &format!("{problems:?}"));
        }
    }
    let (folder, context) = (std::env::var("SCREENS").unwrap_or_default(), common::smallest_context(Language::French));
    let screen = preview_screen();
    save(&folder, "preview-smallest", screen.view(&context, &pictures), &Theme::DARK, [480, 400], 1.0);
    let context = common::small_context(Language::French);
    let problems = preview_with(&[NoticeKind::NoCamera, NoticeKind::NoMicrophone]);
    save(&folder, "preview-problems", problems.view(&context, &pictures), &Theme::DARK, [700, 560], 1.0);
}

#[test]
fn the_whole_preview_is_visible_in_a_window_of_700_by_560() {
    let pictures = common::pictures(9);
    for language in Language::ALL {
        let context = common::small_context(language);
        let update = tree_in(preview_screen().view(&context, &pictures), context.size);
        let labels = ["preview-start", "meeting-mute-name", "meeting-camera-name"].map(|id| language.text(id));
        let places = labels.map(|label| (button(&update, &label), label));
        for (bounds, label) in &places {
            assert_visible(*bounds, context.size, label);
        }
        let last = update.nodes.iter().find(|(_, node)| node.value() == Some(&language.text("preview-encrypted")));
        let last = last.expect("the last line of the form").1.bounds().expect("a node has bounds");
        assert!(last.y1 <= places[0].0.y0, "{last:?} is above the button");
    }
}
