//! The view of the meeting: the stage between two bars, banners, and a panel at the side.

use accesskit::Role;
use iced::widget::{Stack, column, container, row};
use iced::{Alignment, Length, Padding};

use super::{
    Meeting, Menu, Message, Panel, banner, bar, chat, confirm_leave, lacks_camera, leave_dialog, lock, moderation_view,
    people, share, statistics, tiles, waiting_room,
};
use crate::kit::{Element, Icon, heading, icon, modal, popup, press, region, text};
use crate::model::{Kind, Notice};
use crate::pictures::Pictures;
use crate::screen::asking;
use crate::screen::confirmation::{self, Texts};
use crate::screen::notice::{self, Queue};
use crate::screen::preferences::{self, Preference};
use crate::screen::{Context, check, device_lines, menu, menu_heading};
use crate::stage::stage;
use crate::theme::{self, Look, NOTICE, PANEL, SPACE_L, SPACE_S};

impl Meeting {
    /// The screen. `reported` is the history of notifications in this meeting.
    pub fn view<'a>(&'a self, context: &Context, pictures: &Pictures, reported: &'a [Notice]) -> Element<'a, Message> {
        self.content(context, pictures, reported, None)
    }

    /// The screen with notifications, below the banners.
    pub fn view_with<'a>(&'a self, queue: &'a Queue, context: &Context, pictures: &Pictures) -> Element<'a, Message> {
        let cards = queue.cards(context).map(|cards| container(cards.map(Message::Notice)).padding(SPACE_S).into());
        self.content(context, pictures, queue.history(), cards)
    }

    fn content<'a>(
        &'a self,
        context: &Context,
        pictures: &Pictures,
        reported: &'a [Notice],
        cards: Option<Element<'a, Message>>,
    ) -> Element<'a, Message> {
        let top = bar::top(self, context, reported.len());
        let bottom = bar::bottom(self, context);
        let tiles = tiles::tiles(&self.model, lacks_camera(self), context, pictures);
        let stage = stage(&context.text("meeting-stage"), tiles, context.scale)
            .frame_rate(pictures.frame_rate())
            .on_wishes(Message::WishesChanged)
            .on_software(Message::SoftwareDrawn);
        let stage = region(Role::Main, &context.text("meeting-stage"), stage);
        // Notifications cover the panel only if the stage beside it is too narrow for them.
        let beside_panel = self.panel.is_none() || context.size.width >= PANEL + NOTICE + 5.0 * SPACE_S;
        let (over_stage, over_all) = if beside_panel { (cards, None) } else { (None, cards) };
        let middle = row![Stack::new().push(stage).push(over_stage)]
            .push(self.panel.map(|open| panel(self, open, context, reported)))
            .spacing(SPACE_S)
            .padding([0.0, SPACE_S])
            .height(Length::Fill);
        let middle = Stack::new().push(middle).push(over_all);
        // Banners are as wide as the window: beside a panel there is not enough space for their text.
        let wide = |line| container(line).padding([0.0, SPACE_S]);
        // The open panel shows who asks, with more to do about it.
        let closed = self.panel != Some(Panel::People);
        let asking =
            closed.then(|| asking::list(&self.model.asking, context, Message::Answered, Some(reply))).flatten();
        let page = column![]
            .push(banner::forked(self, context).map(wide))
            .push(banner::reconnecting(self, context).map(wide))
            .push(asking.map(wide))
            .push(banner::sharing(self, context).map(wide))
            .push(middle)
            .push(banner::status(self, context).map(wide));
        let page = column![top, page.spacing(SPACE_S).height(Length::Fill), bottom];
        let page = container(page).width(Length::Fill).height(Length::Fill).style(theme::page);
        let page = popup(page, self.menu.map(|menu| popup_menu(self, menu, context)));
        // First, because the key that stops everything works in the other dialogs.
        let dialog = moderation_view::dialog(self, context).or_else(|| remove_dialog(self, context));
        let dialog = dialog.or_else(|| share::dialog(self, context));
        let dialog = dialog.or_else(|| chat::view::link_dialog(&self.chat, context));
        let dialog = dialog.or_else(|| leave_dialog::dialog(self, context)).or_else(|| send_back_dialog(self, context));
        modal(page, dialog.or_else(|| confirm_leave::dialog(self, context)))
    }
}

/// The panel at the side.
fn panel<'a>(screen: &'a Meeting, panel: Panel, context: &Context, reported: &'a [Notice]) -> Element<'a, Message> {
    let (title, inside) = match panel {
        Panel::People => (context.text("people-title"), people::panel(screen, context)),
        Panel::Chat => (context.text("chat-title"), chat::view::panel(screen, context)),
        Panel::Lock => (context.text("lock-title"), lock::panel(screen, context)),
        Panel::Statistics => (context.text("statistics-title"), statistics::panel(screen, context)),
        Panel::Notices => (context.text("meeting-notices"), notice::list(reported, context)),
    };
    let close = press(
        container(icon(Icon::Close)).center(theme::TARGET),
        &context.text("action-close"),
        Some(Message::PanelPressed(panel)),
    );
    let close = close.id("panel-close").look(Look::Quiet).square(theme::TARGET);
    let head = container(heading(2, text::heading(title.clone()))).width(Length::Fill);
    let head = row![head, Element::from(close)].align_y(Alignment::Center);
    let head = container(head).padding(Padding::from([SPACE_S, SPACE_S]).left(SPACE_L));
    let inside = column![head, inside].height(Length::Fill);
    region(Role::Region, &title, container(inside).width(PANEL).height(Length::Fill).style(theme::panel))
}

/// The message of "Reply" beside the name of somebody who asks to join.
const fn reply(id: engine::ParticipantId) -> Message {
    Message::WaitingRoom(waiting_room::Message::ReplyPressed(id))
}

/// The open menu.
fn popup_menu<'a>(screen: &'a Meeting, which: Menu, context: &Context) -> popup::Menu<'a, Message> {
    let lines = |kind| device_lines(&screen.devices, kind, context, Message::Chosen);
    let mut list = column![];
    let (anchor, label) = match which {
        Menu::Sound => {
            list = list.push(menu_heading(context.text("preview-microphone"))).extend(lines(Kind::Microphone));
            list = list.push(menu_heading(context.text("preview-speaker"))).extend(lines(Kind::Speaker));
            if screen.model.may_admit() {
                let on = screen.model.lobby.choices.knock_sound;
                let message = Message::Preferred(Preference::KnockSound(!on));
                let knock = check(&context.text("knock-sound"), Role::MenuItemCheckBox, on, message);
                list = list.push(menu_heading(context.text("asking-title"))).push(Element::from(knock));
            }
            (bar::SOUND_MENU, context.text("meeting-choose-microphone"))
        }
        Menu::Camera => {
            list = list.push(menu_heading(context.text("preview-camera"))).extend(lines(Kind::Camera));
            let on = screen.content_hints.sign_language;
            let message = Message::Preferred(Preference::SignLanguage(!on));
            let sign_language = check(&context.text("hint-sign-language"), Role::MenuItemCheckBox, on, message);
            list = list.push(menu_heading(context.text("hint-video"))).push(Element::from(sign_language));
            (bar::CAMERA_MENU, context.text("meeting-choose-camera"))
        }
        Menu::Person(id) => return moderation_view::person_menu(screen, id, context),
        Menu::Preferences(part) => {
            return preferences::popup_menu(part, context, Message::Preferred, Message::MenuClosed);
        }
        Menu::Chat(which) => return chat::view::popup_menu(screen, which, context),
    };
    popup::Menu { anchor: anchor.into(), label, content: menu(list), on_close: Message::MenuClosed }
}

/// Asks before a participant is sent back to the waiting room.
fn send_back_dialog<'a>(screen: &Meeting, context: &Context) -> Option<modal::Dialog<'a, Message>> {
    let texts = waiting_room::question(&screen.model, context)?;
    let confirmed = Message::WaitingRoom(waiting_room::Message::SendBackConfirmed);
    Some(confirmation::dialog(texts, confirmed, Message::DialogClosed, context))
}

/// Asks before a participant is removed.
fn remove_dialog<'a>(screen: &'a Meeting, context: &Context) -> Option<modal::Dialog<'a, Message>> {
    let person = screen.model.person(screen.removing?)?;
    let named = |id| context.language.with(id, &[("name", person.name.as_str().into())]);
    let texts = Texts {
        title: named("people-remove-title"),
        meaning: named("people-remove-text"),
        confirm: context.text("people-remove-confirm"),
    };
    Some(confirmation::dialog(texts, Message::RemoveConfirmed, Message::DialogClosed, context))
}
