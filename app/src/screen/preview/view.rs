//! The view of the preview: the picture with its switches, and the form.

use accesskit::Role;
use iced::widget::{Column, Row, Stack, column, container, row, scrollable, tooltip};
use iced::{Alignment, Length, Padding};

use super::{Menu, Message, Picture, Preview, Purpose, form, is_missing};
use crate::grid::ASPECT_RATIO;
use crate::kit::{Element, Icon, Press, Shortcut, elided, heading, icon, popup, press, region, text};
use crate::model::{Kind, Notice, View, initials};
use crate::pictures::Pictures;
use crate::screen::{Context, device_lines, icon_button, menu, preferences, shortcuts};
use crate::stage::{Tile, stage};
use crate::theme::{self, Look, SPACE_L, SPACE_M, SPACE_S, SPACE_XL, SPACE_XS, TARGET_BAR, Tone};

impl Preview {
    /// The screen.
    pub fn view(&self, context: &Context, pictures: &Pictures) -> Element<'_, Message> {
        let (title, place) = match &self.purpose {
            Purpose::Start => (context.text("preview-start-title"), context.text("preview-here")),
            Purpose::Join { host } => {
                let place = context.language.with("preview-on-host", &[("host", host.as_str().into())]);
                (context.text("preview-join-title"), place)
            }
        };
        let head = region(Role::Banner, &title, head(self, title.clone(), place, context));
        let layout = Layout::of(self, context);
        let body = scrollable(body(self, layout, context, pictures)).height(Length::Fill);
        let body = column![body].push((!layout.enter_inside).then(|| enter_bar(self, layout, context)));
        let page = column![head, region(Role::Main, &title, body)];
        let page = container(page).width(Length::Fill).height(Length::Fill).style(theme::page);
        popup(page, self.menu.map(|menu| popup_menu(self, menu, context)))
    }
}

/// The top of the screen: back, the title, and the preferences.
fn head<'a>(screen: &Preview, title: String, place: String, context: &Context) -> Element<'a, Message> {
    let back = icon_button(Icon::Back, context.text("action-back"), "", Some(Message::BackPressed));
    let back = back.id("back").look(Look::Quiet);
    // In a small window there is no space for the host.
    let place = (context.size.width >= NARROW_WIDTH).then(|| Element::from(elided(place).tone(Tone::Dim)));
    let words = row![heading(1, elided(title).title())].push(place).spacing(SPACE_M).align_y(Alignment::Center);
    let open = screen.menu.and_then(|menu| if let Menu::Preferences(part) = menu { Some(part) } else { None });
    let controls = preferences::controls(context, open, |part| Message::MenuPressed(Menu::Preferences(part)));
    let bar = row![Element::from(back), container(words).width(Length::Fill), controls];
    container(bar.spacing(SPACE_L).align_y(Alignment::Center)).padding([SPACE_M, SPACE_L]).into()
}

/// Where the parts of the screen are.
#[derive(Clone, Copy)]
struct Layout {
    /// The picture is beside the form, else above it.
    side_by_side: bool,
    /// The width of the picture, in logical pixels.
    width: f32,
    /// The join button is at the end of the form, else below the part that scrolls, so that it is always visible.
    enter_inside: bool,
}

impl Layout {
    fn of(screen: &Preview, context: &Context) -> Self {
        let available = context.size.width - 2.0 * SPACE_XL;
        let side_by_side = available >= FORM_WIDTH + SPACE_XL + MIN_PICTURE_WIDTH;
        let width = if side_by_side { available - FORM_WIDTH - SPACE_XL } else { available };
        let share = if side_by_side { MAX_PICTURE_SHARE } else { MAX_PICTURE_SHARE_ABOVE };
        let width = width.min(MAX_PICTURE_WIDTH).min(context.size.height * share * ASPECT_RATIO);
        let problems = if screen.problems.is_empty() { 0.0 } else { PROBLEMS_HEIGHT };
        let test = match (&screen.purpose, screen.test.has_text()) {
            (Purpose::Start, _) => RULES_HEIGHT,
            (Purpose::Join { .. }, false) => TEST_HEIGHT,
            (Purpose::Join { .. }, true) => TEST_HEIGHT + RESULT_HEIGHT,
        };
        let enter_inside = side_by_side && context.size.height >= FORM_HEIGHT + problems + test;
        Self { side_by_side, width, enter_inside }
    }
}

/// The picture and the form: side by side if the window is wide enough, else one below the other.
fn body<'a>(screen: &'a Preview, layout: Layout, context: &Context, pictures: &Pictures) -> Element<'a, Message> {
    let Layout { side_by_side, width, enter_inside } = layout;
    let left = column![picture(screen, width, context, pictures), toggles(screen, width, context)]
        .spacing(SPACE_L)
        .width(width);
    let form = form::form(screen, enter_inside, context);
    let body: Element<'a, Message> = if side_by_side {
        row![left, container(form).width(FORM_WIDTH)].spacing(SPACE_XL).into()
    } else {
        column![left, container(form).width(width.max(FORM_WIDTH))].spacing(SPACE_XL).align_x(Alignment::Center).into()
    };
    // In a tall window the content is a little above the middle.
    let used = width / ASPECT_RATIO + TARGET_BAR + HEADING_HEIGHT + 2.0 * SPACE_L;
    // With problems, the form is taller than the picture.
    let centred = enter_inside && screen.problems.is_empty() && !screen.test.has_text();
    let above = if centred { ((context.size.height - used) * 0.4).max(SPACE_L) } else { SPACE_L };
    container(body).center_x(Length::Fill).padding(Padding::from([SPACE_L, SPACE_XL]).top(above)).into()
}

/// The join buttons below the part that scrolls. The join button is at the place of the form. The one that joins with the chat only is
/// below the picture, or below the join button if there is no place beside it.
fn enter_bar<'a>(screen: &Preview, layout: Layout, context: &Context) -> Element<'a, Message> {
    let Layout { side_by_side, width, .. } = layout;
    let (button, chat) = (container(form::enter(screen, context)), container(form::enter_chat(screen, context)));
    let line: Element<'a, Message> = if side_by_side {
        let line = row![chat.width(width), button.width(FORM_WIDTH)].spacing(SPACE_XL);
        line.align_y(Alignment::Center).into()
    } else {
        let width = width.max(FORM_WIDTH);
        column![button.width(width), chat.width(width)].spacing(SPACE_XS).into()
    };
    container(line).center_x(Length::Fill).padding([SPACE_M, SPACE_XL]).into()
}

/// The picture of the camera, or the reason why there is none.
fn picture<'a>(screen: &Preview, width: f32, context: &Context, pictures: &Pictures) -> Element<'a, Message> {
    let tile = Tile {
        view: View::Own,
        label: context.text("preview-picture"),
        name: "".into(),
        initials: initials(&screen.name).into(),
        colour: theme::AVATARS[9],
        muted: !screen.is_microphone_on(),
        mark: None,
        speaking: false,
        mirrored: true,
        feed: screen.is_camera_on().then(|| pictures.feed(View::Own)),
        loss: None,
        note: None,
        hint: None,
    };
    let height = width / ASPECT_RATIO;
    let words = match (screen.camera, screen.camera_problem(), screen.picture) {
        (_, Some(problem), _) => Some(Notice::from(problem.clone()).sentence(context.language)),
        (false, None, _) if screen.devices.lacks(Kind::Camera) => Some(context.text("preview-camera-none")),
        (false, None, _) => Some(context.text("preview-camera-off")),
        (true, None, Picture::Missing) => Some(context.text("preview-camera-none")),
        (true, None, Picture::Opening) => Some(context.text("preview-camera-wait")),
        (true, None, Picture::Shown) => None,
    };
    let words = words.map(|words| {
        let words = container(text::small(words)).padding([SPACE_S - 2.0, SPACE_M]).style(theme::scrim);
        container(words)
            .width(Length::Fill)
            .height(Length::Fill)
            .align_bottom(height)
            .align_x(Alignment::Center)
            .padding(SPACE_L)
    });
    let stage = Element::from(stage(&context.text("preview-picture"), vec![tile], context.scale));
    let layers = Stack::new().push(stage).push(words.map(Element::from));
    container(layers).width(width).height(height).into()
}

/// The switches of microphone and camera, one below the other if the picture is narrow. A missing device is shown as off.
fn toggles<'a>(screen: &Preview, width: f32, context: &Context) -> Element<'a, Message> {
    let microphone = Switch {
        id: "microphone",
        icons: (Icon::Microphone, Icon::MicrophoneOff),
        words: ("meeting-mute-on", "meeting-mute-off", "meeting-mute-none"),
        name: "meeting-mute-name",
        shortcut: Shortcut::Mute,
        on: screen.is_microphone_on(),
        // The switch is named "Mute": it is on while the microphone is off.
        toggled: !screen.is_microphone_on(),
        missing: screen
            .microphone_problem()
            .filter(|problem| is_missing(problem.kind))
            .map(|problem| form::microphone_problem_words(screen, problem, context).0),
        pressed: Message::MicrophonePressed,
    };
    let camera = Switch {
        id: "camera",
        icons: (Icon::Camera, Icon::CameraOff),
        words: ("meeting-camera-on", "meeting-camera-off", "meeting-camera-none"),
        name: "meeting-camera-name",
        shortcut: Shortcut::Camera,
        on: screen.is_camera_on(),
        toggled: screen.is_camera_on(),
        missing: screen
            .camera_problem()
            .filter(|problem| is_missing(problem.kind))
            .map(|problem| Notice::from(problem.clone()).sentence(context.language)),
        pressed: Message::CameraPressed,
    };
    let both = [microphone.view(context), camera.view(context)];
    let both: Element<'a, Message> = if width >= TOGGLES_WIDTH {
        Row::with_children(both).spacing(SPACE_S).into()
    } else {
        Column::with_children(both).spacing(SPACE_S).align_x(Alignment::Center).into()
    };
    container(both).center_x(Length::Fill).into()
}

/// The open menu.
fn popup_menu<'a>(screen: &Preview, which: Menu, context: &Context) -> popup::Menu<'a, Message> {
    let kind = match which {
        Menu::Devices(kind) => kind,
        Menu::Preferences(part) => {
            return preferences::popup_menu(part, context, Message::Preferred, Message::MenuClosed);
        }
    };
    let (anchor, label) = form::select_ids(kind);
    let lines = device_lines(&screen.devices, kind, context, Message::Chosen);
    let inside = menu(iced::widget::Column::with_children(lines));
    popup::Menu { anchor: anchor.into(), label: context.text(label), content: inside, on_close: Message::MenuClosed }
}

/// The maximum height of a picture beside the form, as a share of the height of the window.
const MAX_PICTURE_SHARE: f32 = 0.6;
/// The maximum height of a picture above the form, as a share of the height of the window: the name is visible below it.
const MAX_PICTURE_SHARE_ABOVE: f32 = 0.3;
/// In a window of this height, the whole form is visible, in logical pixels.
const FORM_HEIGHT: f32 = 660.0;
/// How much higher the form with two problems is, in logical pixels.
const PROBLEMS_HEIGHT: f32 = 170.0;
/// How much higher the form with the rules of a new meeting is, in logical pixels.
const RULES_HEIGHT: f32 = 48.0;
/// How much higher the form with the button that tests the connection is, in logical pixels.
const TEST_HEIGHT: f32 = 56.0;
/// How much higher the form with the result of a test is, in logical pixels.
const RESULT_HEIGHT: f32 = 140.0;
/// If the picture is narrower, the two switches do not fit side by side. In logical pixels.
const TOGGLES_WIDTH: f32 = 400.0;
/// The height of the top of the screen, in logical pixels.
const HEADING_HEIGHT: f32 = 56.0;
/// If the window is narrower, the host is not shown. In logical pixels.
const NARROW_WIDTH: f32 = 760.0;
/// The width of the form, in logical pixels.
const FORM_WIDTH: f32 = 330.0;
/// If the picture would be narrower beside the form, it is above the form. In logical pixels.
const MIN_PICTURE_WIDTH: f32 = 240.0;
/// The maximum width of the picture, in logical pixels.
const MAX_PICTURE_WIDTH: f32 = 760.0;

/// A switch. Its icon and its text show the state.
struct Switch {
    id: &'static str,
    /// The icons for on and off.
    icons: (Icon, Icon),
    /// The text ids for on, off and missing.
    words: (&'static str, &'static str, &'static str),
    name: &'static str,
    shortcut: Shortcut,
    on: bool,
    toggled: bool,
    /// The reason why the device is missing.
    missing: Option<String>,
    pressed: Message,
}

impl Switch {
    fn view<'a>(self, context: &Context) -> Element<'a, Message> {
        let (symbol, word) = match (self.on, &self.missing) {
            (true, _) => (self.icons.0, self.words.0),
            (false, None) => (self.icons.1, self.words.1),
            (false, Some(_)) => (self.icons.1, self.words.2),
        };
        let word = context.text(word);
        let inside = row![icon(symbol), text::strong(word.clone())].spacing(SPACE_S).align_y(Alignment::Center);
        let message = self.missing.is_none().then_some(self.pressed);
        let control: Press<'a, Message> = press(inside, &context.text(self.name), message);
        let control = control.id(self.id).toggled(self.toggled).description(self.missing);
        let look = if self.on { Look::Bar } else { Look::BarOff };
        let control = control.look(look).height(TARGET_BAR).padding([0.0, SPACE_L]);
        shortcuts::hint(control, &word, Some(self.shortcut), tooltip::Position::Top, context)
    }
}
