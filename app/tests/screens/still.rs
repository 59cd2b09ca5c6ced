//! Tests that a window is not redrawn if nothing changes.

use std::time::{Duration, Instant};

use app::kit::{Element, focus};
use app::locale::Language;
use app::screen::home;
use app::snapshot;
use app::theme::Theme;
use iced::advanced::widget::operation::{black_box, focusable};
use iced::keyboard::key::Named;
use iced::{Event, mouse, window};
use iced_test::runtime::user_interface::{Cache, State, UserInterface};

use crate::common::{self, Paper, WINDOW, context, key_events, preview_screen, recents, renderer};

/// A view whose state is kept.
struct Window<'a, Message> {
    ui: UserInterface<'a, Message, Theme, iced::Renderer>,
    renderer: iced::Renderer,
}

impl<'a, Message: 'a> Window<'a, Message> {
    fn new(view: Element<'a, Message>) -> Self {
        snapshot::load_fonts();
        let mut renderer = renderer();
        let ui = UserInterface::build(view, WINDOW, Cache::default(), &mut renderer);
        Self { ui, renderer }
    }

    fn handle(&mut self, event: Event) -> window::RedrawRequest {
        let (cursor, mut paper, mut messages) = (mouse::Cursor::Unavailable, Paper::default(), Vec::new());
        let (state, _) = self.ui.update(&[event], cursor, &mut self.renderer, &mut paper, &mut messages);
        match state {
            State::Updated { redraw_request, .. } => redraw_request,
            State::Outdated => panic!("the view is outdated"),
        }
    }

    /// Redraws at a time. Returns when the next redraw is needed.
    fn redraw(&mut self, now: Instant) -> window::RedrawRequest {
        self.handle(Event::Window(window::Event::RedrawRequested(now)))
    }

    fn focus(&mut self, id: &'static str) {
        let (ui, renderer) = (&mut self.ui, &self.renderer);
        focus::run(Box::new(focusable::focus(id.into())), |op| ui.operate(renderer, &mut black_box(op)));
    }

    fn pixels(&mut self) -> Vec<u8> {
        use iced::advanced::renderer::{Headless, Style};
        let style = Style { text_color: iced::Color::WHITE };
        self.ui.draw(&mut self.renderer, &Theme::DARK, &style, mouse::Cursor::Unavailable);
        self.renderer.screenshot(iced::Size::new(1280, 800), 1.0, iced::Color::BLACK)
    }
}

#[test]
fn a_screen_that_does_not_change_is_not_redrawn() {
    let context = context(Language::English);
    let home = home::Home::new(recents());
    let mut home = Window::new(home.view(&context));
    let now = Instant::now();
    assert_eq!(home.redraw(now), window::RedrawRequest::Wait);
    let (screen, pictures) = (preview_screen(), common::pictures(1));
    let mut preview = Window::new(screen.view(&context, &pictures));
    preview.redraw(now);
    assert_eq!(preview.redraw(now + Duration::from_secs(1)), window::RedrawRequest::Wait);
}

#[test]
fn a_caret_blinks_for_ten_seconds_after_the_last_input_and_then_stays_visible() {
    let context = context(Language::English);
    let (screen, pictures) = (preview_screen(), common::pictures(0));
    let mut window = Window::new(screen.view(&context, &pictures));
    let without_caret = window.pixels();
    window.focus("name");
    let start = Instant::now();
    let after = |ms| start + Duration::from_millis(ms);
    assert!(matches!(window.redraw(after(0)), window::RedrawRequest::At(_)), "the caret blinks");
    let with_caret = window.pixels();
    assert_ne!(with_caret, without_caret);
    assert!(matches!(window.redraw(after(9_700)), window::RedrawRequest::At(_)), "it still blinks");
    assert_ne!(window.pixels(), with_caret, "it is hidden");
    for ms in [10_100, 10_700, 60_000] {
        assert_eq!(window.redraw(after(ms)), window::RedrawRequest::Wait, "it does not blink any more");
        assert_eq!(window.pixels(), with_caret, "it is visible");
    }
    for event in key_events(Named::ArrowLeft) {
        window.handle(event);
    }
    assert!(matches!(window.redraw(Instant::now()), window::RedrawRequest::At(_)), "it blinks again after a key");
}
