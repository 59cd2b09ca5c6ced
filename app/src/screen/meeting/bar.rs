//! The two bars: what is going on above, what one can do below.

use accesskit::Role;
use engine::Microphone;
use iced::widget::{Space, container, row, tooltip};
use iced::{Alignment, Length, Padding};

use super::{Meeting, Menu, Message, Panel, lock};
use crate::kit::{Element, Icon, Press, icon, press, region, text};
use crate::screen::Context;
use crate::screen::preferences::{self, Part};
use crate::theme::{
    self, BAR_BOTTOM, BAR_TOP, ICON_SMALL, Look, NARROW, SPACE_M, SPACE_S, SPACE_XS, TARGET, TARGET_BAR, Tone,
};

/// The control that the menu of microphones and speakers hangs on.
pub const SOUND_MENU: &str = "sound-menu";
/// The control that the menu of cameras hangs on.
pub const CAMERA_MENU: &str = "camera-menu";

impl Meeting {
    /// The lock, how many are here, how long it has run; notices and full screen.
    pub(super) fn top_bar(&self, context: &Context, reported: usize) -> Element<'_, Message> {
        let people = context.language.with("meeting-people-count", &[("count", self.model.people.len().into())]);
        let since = self.since.map(|since| clock(context.now.saturating_duration_since(since).as_secs()));
        let dot = || text::small("·").style(text::tone(Tone::Dim));
        let mut status = row![text::small(people).style(text::tone(Tone::Dim))].spacing(SPACE_S);
        if let Some(since) = since {
            status = status.push(dot()).push(text::small(since).style(text::tone(Tone::Dim)));
        }
        let bell = quiet(Icon::Bell, &context.say("meeting-notices"), Message::PanelPressed(Panel::Notices));
        let bell = bell.id("notices").toggled(self.panel == Some(Panel::Notices));
        let full = quiet(Icon::FullScreen, &context.say("meeting-full-screen"), Message::FullScreenPressed);
        let open = (self.menu == Some(Menu::Preferences)).then_some(Part::Both);
        let wishes = preferences::sign(context, open, |_| Message::MenuPressed(Menu::Preferences));
        let bar = row![self.lock_button(context), status, Space::new().width(Length::Fill),]
            .push((reported > 0).then(|| hint(bell, context.say("meeting-notices"), tooltip::Position::Bottom)))
            .push(hint(wishes, context.say("menu-preferences"), tooltip::Position::Bottom))
            .push(hint(full.id("full-screen"), context.say("meeting-full-screen"), tooltip::Position::Bottom));
        let bar = container(bar.spacing(SPACE_M).align_y(Alignment::Center))
            .height(BAR_TOP)
            .align_y(Alignment::Center)
            .padding([0.0, SPACE_S])
            .style(theme::bar);
        region(Role::Banner, &context.say("meeting-status"), bar)
    }

    fn lock_button(&self, context: &Context) -> Element<'_, Message> {
        let (sign, tone, id) = lock::shape(self.model.lock_state());
        let state = context.say(id);
        let inside = row![icon(sign).size(ICON_SMALL).tone(tone), text::strong(state.clone())];
        let name = context.language.with("lock-button", &[("state", state.into())]);
        let button =
            press(inside.spacing(SPACE_S).align_y(Alignment::Center), &name, Some(Message::PanelPressed(Panel::Lock)));
        let button = button.id("lock").toggled(self.panel == Some(Panel::Lock)).look(Look::Quiet);
        button.height(TARGET).padding([0.0, SPACE_S]).into()
    }

    /// Sound and picture at the left, the room in the middle, the way out at the right.
    pub(super) fn bottom_bar(&self, context: &Context) -> Element<'_, Message> {
        let devices = row![self.microphone(context), self.camera(context)].spacing(SPACE_S);
        let room = row![self.share(context), self.people(context), copy(context)].spacing(SPACE_S);
        let leave = labelled(context, Icon::Leave, "meeting-leave", "meeting-leave-name", Some(Message::LeavePressed));
        let leave = hinted(leave.id("leave").look(Look::Danger), context, "meeting-leave");
        let space = || Space::new().width(Length::Fill);
        let bar = if is_narrow(context) {
            // No room to keep the middle in the middle.
            row![devices, space(), room, space(), leave]
        } else {
            let leave = container(leave).width(Length::Fill).align_x(Alignment::End);
            row![container(devices).width(Length::Fill), room, leave]
        };
        let bar = container(bar.align_y(Alignment::Center))
            .height(BAR_BOTTOM)
            .align_y(Alignment::Center)
            .padding([0.0, SPACE_S])
            .style(theme::bar);
        region(Role::Toolbar, &context.say("meeting-bar"), bar)
    }

    fn microphone(&self, context: &Context) -> Element<'_, Message> {
        let (sign, word, on) = match self.model.microphone {
            Microphone::On => (Icon::Microphone, "meeting-mute-on", true),
            Microphone::Muted => (Icon::MicrophoneOff, "meeting-mute-off", false),
            Microphone::Off => (Icon::MicrophoneOff, "meeting-mute-none", false),
        };
        let present = self.model.microphone != Microphone::Off;
        let button = labelled(context, sign, word, "meeting-mute-name", present.then_some(Message::MutePressed));
        let button = button.id("mute").toggled(!on).look(if on { Look::Bar } else { Look::BarOff });
        let more = more("meeting-choose-microphone", SOUND_MENU, self.menu == Some(Menu::Sound), Menu::Sound, context);
        row![hinted(button, context, word), more].spacing(2.0).into()
    }

    fn camera(&self, context: &Context) -> Element<'_, Message> {
        let on = self.model.camera;
        let (sign, word) =
            if on { (Icon::Camera, "meeting-camera-on") } else { (Icon::CameraOff, "meeting-camera-off") };
        let button = labelled(context, sign, word, "meeting-camera-name", Some(Message::CameraPressed));
        let button = button.id("camera").toggled(on).look(if on { Look::Bar } else { Look::BarOff });
        let more = more("meeting-choose-camera", CAMERA_MENU, self.menu == Some(Menu::Camera), Menu::Camera, context);
        row![hinted(button, context, word), more].spacing(2.0).into()
    }

    fn share(&self, context: &Context) -> Element<'_, Message> {
        let on = self.model.sharing;
        let (sign, word) = if on { (Icon::ShareOff, "meeting-share-stop") } else { (Icon::Share, "meeting-share") };
        let button = labelled(context, sign, word, word, Some(Message::SharePressed));
        hinted(button.id("share").toggled(on).look(if on { Look::BarOn } else { Look::Bar }), context, word)
    }

    fn people(&self, context: &Context) -> Element<'_, Message> {
        let count = self.model.people.len().to_string();
        let name = format!("{}, {count}", context.say("meeting-people"));
        let mut inside = row![icon(Icon::People)].spacing(SPACE_S).align_y(Alignment::Center);
        if !is_narrow(context) {
            inside = inside.push(text::strong(context.say("meeting-people")));
        }
        inside = inside.push(text::strong(count).style(text::tone(Tone::Dim)));
        let button = press(inside, &name, Some(Message::PanelPressed(Panel::People)));
        let open = self.panel == Some(Panel::People);
        let button = button.id("people").toggled(open).look(if open { Look::BarOn } else { Look::Bar });
        hinted(tall(button), context, "meeting-people")
    }
}

fn copy<'a>(context: &Context) -> Element<'a, Message> {
    let button = labelled(context, Icon::Link, "meeting-copy-link", "meeting-copy-link", Some(Message::CopyPressed));
    hinted(button.id("copy").look(Look::Bar), context, "meeting-copy-link")
}

/// Below this width words are left out: the name and the tooltip still say them.
fn is_narrow(context: &Context) -> bool {
    context.size.width < NARROW
}

fn labelled<'a>(context: &Context, sign: Icon, word: &str, name: &str, message: Option<Message>) -> Press<'a, Message> {
    let mut inside = row![icon(sign)].spacing(SPACE_S).align_y(Alignment::Center);
    if !is_narrow(context) {
        inside = inside.push(text::strong(context.say(word)));
    }
    tall(press(inside, &context.say(name), message))
}

fn tall(button: Press<'_, Message>) -> Press<'_, Message> {
    button.height(TARGET_BAR).padding([0.0, SPACE_M])
}

/// The small control beside a button that opens its devices.
fn more<'a>(name: &str, id: &'static str, open: bool, menu: Menu, context: &Context) -> Element<'a, Message> {
    let inside = container(icon(Icon::Down).size(ICON_SMALL)).center_y(TARGET_BAR).center_x(MORE);
    let button = press(inside, &context.say(name), Some(Message::MenuPressed(menu)));
    button.id(id).expanded(open).look(Look::Quiet).width(MORE).height(TARGET_BAR).padding(0).into()
}

const MORE: f32 = 32.0;

fn quiet<'a>(sign: Icon, name: &str, message: Message) -> Press<'a, Message> {
    press(container(icon(sign)).center(TARGET), name, Some(message)).look(Look::Quiet).square(TARGET)
}

/// Where words are left out, the pointer brings them.
fn hinted<'a>(button: Press<'a, Message>, context: &Context, word: &str) -> Element<'a, Message> {
    if is_narrow(context) { hint(button, context.say(word), tooltip::Position::Top) } else { button.into() }
}

fn hint(button: Press<'_, Message>, word: String, position: tooltip::Position) -> Element<'_, Message> {
    let word = container(text::caption(word)).padding(Padding::from([SPACE_XS, SPACE_S])).style(theme::menu);
    tooltip(Element::from(button), word, position).gap(SPACE_XS).into()
}

/// Hours, minutes and seconds as a clock shows them.
fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_counts() {
        assert_eq!(
            [0, 59, 61, 761, 3_600, 36_061].map(clock),
            ["0:00", "0:59", "1:01", "12:41", "1:00:00", "10:01:01"]
        );
    }
}
