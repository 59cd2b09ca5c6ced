//! Tests that every control and its focus ring are visible, in large and small windows.

use std::sync::Arc;
use std::time::Instant;

use app::kit::a11y::{ROOT, TreeBuilder};
use app::kit::{Element, focus, scroll};
use app::locale::Language;
use app::screen::{Context, home, meeting};
use app::snapshot;
use app::theme::Theme;
use iced::advanced::renderer::{Headless, Style};
use iced::advanced::widget::operation::black_box;
use iced::{Event, Point, Rectangle, Size, mouse, window};
use iced_test::runtime::user_interface::{Cache, UserInterface};

use crate::common::{self, context, meeting_of, preview_screen, recents, renderer, smallest_context};

#[test]
fn every_control_and_its_focus_ring_are_visible_in_every_window() {
    for context in [context(Language::French), smallest_context(Language::French)] {
        let pictures = common::pictures(0);
        check("home", &context, home::Home::new(recents()).view(&context));
        let mut preview = preview_screen();
        preview.report_problem(common::problem(engine::NoticeKind::NoCamera));
        check("preview", &context, preview.view(&context, &pictures));
        let mut screen = meeting_of(4);
        screen.model.sharing = true;
        check("meeting", &context, screen.view(&context, &pictures, &common::notices()));
        screen.update(meeting::Message::PanelPressed(meeting::Panel::People));
        check("people", &context, screen.view(&context, &pictures, &[]));
        screen.update(meeting::Message::PanelPressed(meeting::Panel::Lock));
        check("lock", &context, screen.view(&context, &pictures, &[]));
        screen.model.second = Some(Arc::new(crate::statistics::second()));
        screen.update(meeting::Message::PanelPressed(meeting::Panel::Statistics));
        check("statistics", &context, screen.view(&context, &pictures, &[]));
        let mut screen = meeting_of(2);
        screen.update(meeting::Message::SharePressed);
        screen.update(meeting::Message::MonitorsListed(Ok(common::monitors(2))));
        check("share", &context, screen.view(&context, &pictures, &[]));
    }
}

/// Focuses each control, and checks that pixels change on each of its four sides.
fn check<Message: 'static>(name: &str, context: &Context, view: Element<'_, Message>) {
    snapshot::load_fonts();
    let mut renderer = renderer();
    let mut ui = UserInterface::build(view, context.size, Cache::default(), &mut renderer);
    let mut order = focus::TabOrder::default();
    ui.operate(&renderer, &mut black_box(&mut order));
    let (_, count) = order.position();
    assert!(count > 3, "{name} has controls");
    for index in 0..count {
        focus::run(Box::new(focus::SetFocus::new(Some(index))), |op| ui.operate(&renderer, op));
        focus::run(Box::new(scroll::ScrollIntoView::default()), |op| ui.operate(&renderer, op));
        let (label, bounds) = focused(&mut ui, &renderer, context.size);
        assert!(
            bounds.is_within(&Rectangle::with_size(context.size)),
            "{name}: {label} at {bounds:?} is outside the window"
        );
        let with = draw(&mut ui, &mut renderer, context.size);
        focus::run(Box::new(focus::SetFocus::new(None)), |op| ui.operate(&renderer, op));
        let without = draw(&mut ui, &mut renderer, context.size);
        for (side, (at, across)) in lines(bounds) {
            let changed = (-MAX_RING_DISTANCE..=MAX_RING_DISTANCE).any(|step| {
                let point = at + across * f32::from(step);
                pixel(&with, point, context.size).is_some_and(|now| Some(now) != pixel(&without, point, context.size))
            });
            assert!(changed, "{name}: the ring of {label} at {bounds:?} has no {side} side in {:?}", context.size);
        }
    }
}

/// The maximum distance between a ring and the edge of its control, in pixels.
const MAX_RING_DISTANCE: i8 = 5;

/// Three points on each side, and the direction across the side.
fn lines(bounds: Rectangle) -> impl Iterator<Item = (&'static str, (Point, iced::Vector))> {
    let across = [iced::Vector::new(0.0, 1.0), iced::Vector::new(1.0, 0.0)];
    [0.3, 0.5, 0.7].into_iter().flat_map(move |part| {
        let (x, y) = (bounds.x + bounds.width * part, bounds.y + bounds.height * part);
        [
            ("upper", (Point::new(x, bounds.y), across[0])),
            ("lower", (Point::new(x, bounds.y + bounds.height), across[0])),
            ("left", (Point::new(bounds.x, y), across[1])),
            ("right", (Point::new(bounds.x + bounds.width, y), across[1])),
        ]
    })
}

type Ui<'a, Message> = UserInterface<'a, Message, Theme, iced::Renderer>;

fn focused<Message>(ui: &mut Ui<'_, Message>, renderer: &iced::Renderer, size: Size) -> (String, Rectangle) {
    let mut builder = TreeBuilder::new("Test", Rectangle::with_size(size), 1.0, None);
    ui.operate(renderer, &mut black_box(&mut builder));
    let update = builder.finish();
    assert_ne!(update.focus, ROOT, "a control is focused");
    let (_, node) = update.nodes.iter().find(|(id, _)| *id == update.focus).expect("the focused node is in the tree");
    let b = node.bounds().unwrap_or_default();
    #[expect(clippy::cast_possible_truncation, reason = "a place in a window")]
    let bounds =
        Rectangle::new(Point::new(b.x0 as f32, b.y0 as f32), Size::new((b.x1 - b.x0) as f32, (b.y1 - b.y0) as f32));
    (node.label().unwrap_or_default().to_owned(), bounds)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole pixels")]
fn draw<Message>(ui: &mut Ui<'_, Message>, renderer: &mut iced::Renderer, size: Size) -> Vec<u8> {
    // A text field updates its focus when it is redrawn.
    let redraw = Event::Window(window::Event::RedrawRequested(Instant::now()));
    let clipboard = &mut iced::advanced::clipboard::Null;
    let _ = ui.update(&[redraw], mouse::Cursor::Unavailable, renderer, clipboard, &mut Vec::new());
    let colours = Theme::DARK.colours();
    ui.draw(renderer, &Theme::DARK, &Style { text_color: colours.text }, mouse::Cursor::Unavailable);
    renderer.screenshot(Size::new(size.width as u32, size.height as u32), 1.0, colours.background)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole pixels")]
fn pixel(pixels: &[u8], at: Point, size: Size) -> Option<[u8; 3]> {
    if !Rectangle::with_size(size).contains(at) {
        return None;
    }
    let index = 4 * (at.y as usize * size.width as usize + at.x as usize);
    pixels.get(index..index + 3)?.try_into().ok()
}
