//! The bars of the meeting: how much of the window they take, and what fades.

use std::time::{Duration, Instant};

use accesskit::{Rect, Role};
use app::kit::Element;
use app::kit::a11y::TreeBuilder;
use app::locale::Language;
use app::screen::{Context, meeting};
use app::theme::{IDLE_TIMEOUT, Theme};
use iced::advanced::renderer::{Headless, Style};
use iced::advanced::widget::operation::black_box;
use iced::{Event, Rectangle, Size, mouse, window};
use iced_test::runtime::user_interface::{Cache, UserInterface};

use crate::common::{self, WINDOW, context, meeting_of, renderer};

type Ui<'a> = UserInterface<'a, meeting::Message, Theme, iced::Renderer>;

fn build<'a>(view: Element<'a, meeting::Message>, size: Size, renderer: &mut iced::Renderer) -> Ui<'a> {
    app::snapshot::load_fonts();
    UserInterface::build(view, size, Cache::default(), renderer)
}

/// The bounds of the first node with this role whose name starts with `name`.
fn bounds(ui: &mut Ui<'_>, renderer: &iced::Renderer, size: Size, role: Role, name: &str) -> Rect {
    let mut builder = TreeBuilder::new("Test", Rectangle::with_size(size), 1.0, None);
    ui.operate(renderer, &mut black_box(&mut builder));
    let nodes = builder.finish().nodes;
    let found = nodes
        .iter()
        .map(|(_, node)| node)
        .find(|node| node.role() == role && node.label().is_some_and(|label| label.starts_with(name)));
    found.and_then(accesskit::Node::bounds).unwrap_or_else(|| panic!("no {role:?} {name}"))
}

#[test]
fn the_bars_take_at_most_12_percent_of_a_window_720_high() {
    let size = Size::new(1_280.0, 720.0);
    for language in Language::ALL {
        let context = Context { size, ..context(language) };
        let (screen, pictures, mut renderer) = (meeting_of(4), common::pictures(0), renderer());
        let reported = common::notices();
        let mut ui = build(screen.view(&context, &pictures, &reported), size, &mut renderer);
        let bars = [(Role::Banner, "meeting-status"), (Role::Toolbar, "meeting-bar")];
        let heights = bars.map(|(role, id)| {
            let bounds = bounds(&mut ui, &renderer, size, role, &language.text(id));
            bounds.y1 - bounds.y0
        });
        let share = heights.iter().sum::<f64>() / f64::from(size.height);
        assert!(share <= 0.12, "{}: {heights:?} are {share} of the height", language.tag());
    }
}

#[test]
fn the_main_bar_fits_windows_of_all_widths() {
    for (language, width) in Language::ALL.into_iter().flat_map(|language| WIDTHS.map(|width| (language, width))) {
        for off in [false, true] {
            let size = Size::new(width, 800.0);
            let context = Context { size, ..context(language) };
            let (mut screen, pictures, mut renderer) = (meeting_of(9), common::pictures(0), renderer());
            if off {
                screen.update(meeting::Message::MutePressed);
                screen.update(meeting::Message::CameraPressed);
                screen.model.sharing = true;
            }
            let mut ui = build(screen.view(&context, &pictures, &[]), size, &mut renderer);
            let bar = bounds(&mut ui, &renderer, size, Role::Toolbar, "");
            for (name, control) in controls(&mut ui, &renderer, size).into_iter().filter(|(_, it)| it.y0 >= bar.y0) {
                let details = format!("{name} at {control:?} in {width} {}", language.tag());
                assert!((control.y1 - control.y0 - 44.0).abs() < 0.5, "its text does not wrap: {details}");
                assert!(control.x1 - control.x0 >= 31.5 && control.x1 <= f64::from(width), "{details}");
            }
        }
    }
}

const WIDTHS: [f32; 11] = [480.0, 619.0, 620.0, 1_239.0, 1_240.0, 1_280.0, 1_479.0, 1_480.0, 1_679.0, 1_680.0, 1_920.0];

/// The name and the bounds of each button and switch.
fn controls(ui: &mut Ui<'_>, renderer: &iced::Renderer, size: Size) -> Vec<(String, Rect)> {
    let mut builder = TreeBuilder::new("Test", Rectangle::with_size(size), 1.0, None);
    ui.operate(renderer, &mut black_box(&mut builder));
    let nodes = builder.finish().nodes.into_iter().map(|(_, node)| node);
    let controls = nodes.filter(|node| matches!(node.role(), Role::Button | Role::Switch));
    controls.filter_map(|node| Some((node.label()?.to_owned(), node.bounds()?))).collect()
}

#[test]
fn the_bars_fade_but_the_lock_does_not() {
    let context = Context { reduced_motion: false, ..context(Language::English) };
    let (screen, pictures, mut renderer) = (meeting_of(4), common::pictures(0), renderer());
    let mut ui = build(screen.view(&context, &pictures, &[]), WINDOW, &mut renderer);
    let lock = bounds(&mut ui, &renderer, WINDOW, Role::Switch, "Security: ");
    let leave = bounds(&mut ui, &renderer, WINDOW, Role::Button, "Leave");
    let start = Instant::now();
    let visible = draw_at(&mut ui, &mut renderer, start);
    draw_at(&mut ui, &mut renderer, start + IDLE_TIMEOUT);
    let faded = draw_at(&mut ui, &mut renderer, start + IDLE_TIMEOUT + Duration::from_secs(1));
    assert!(crop(&visible, lock) == crop(&faded, lock), "the lock has changed");
    assert!(crop(&visible, leave) != crop(&faded, leave), "the bar has not faded");
    let background = crop(&faded, leave);
    assert!(background.windows(8).all(|pair| pair[..4] == pair[4..]), "the button is invisible");
}

/// Redraws at this time, without a pointer. Returns the pixels.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole pixels")]
fn draw_at(ui: &mut Ui<'_>, renderer: &mut iced::Renderer, now: Instant) -> Vec<u8> {
    let redraw = Event::Window(window::Event::RedrawRequested(now));
    let clipboard = &mut iced::advanced::clipboard::Null;
    let _ = ui.update(&[redraw], mouse::Cursor::Unavailable, renderer, clipboard, &mut Vec::new());
    let colours = Theme::DARK.colours();
    ui.draw(renderer, &Theme::DARK, &Style { text_color: colours.text }, mouse::Cursor::Unavailable);
    renderer.screenshot(Size::new(WINDOW.width as u32, WINDOW.height as u32), 1.0, colours.background)
}

/// The pixels inside these bounds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole pixels")]
fn crop(pixels: &[u8], bounds: Rect) -> Vec<u8> {
    let stride = WINDOW.width as usize * 4;
    let columns = bounds.x0.ceil() as usize * 4..bounds.x1.floor() as usize * 4;
    let rows = bounds.y0.ceil() as usize..bounds.y1.floor() as usize;
    rows.flat_map(|row| pixels[row * stride..][columns.clone()].to_vec()).collect()
}
