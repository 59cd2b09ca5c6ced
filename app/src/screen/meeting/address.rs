//! The choice of the server's name or address in the invitation link. Only for a meeting on this computer: it may have
//! several addresses, and cannot know by which one the others reach it.

use accesskit::Role;
use iced::widget::{Column, column, row, space};
use iced::{Alignment, Length};

use crate::kit::field::{Field, field};
use crate::kit::{Element, Icon, elided, focus, icon, press, region};
use crate::model::{MeetingModel, link};
use crate::screen::{Context, menu_heading};
use crate::theme::{ICON_SMALL, Look, SPACE_S, SPACE_XS};

/// The state of the choice.
#[derive(Clone, Debug, Default)]
pub(super) struct Address {
    /// What the user has typed.
    typed: String,
    /// The user has entered a text that is neither a name nor an address.
    is_wrong: bool,
    /// The last request to move the focus: to the text, if it is invalid.
    pub(super) focus: Option<focus::Request>,
}

/// User input.
#[derive(Clone, Debug)]
pub enum Message {
    /// A name or address was chosen.
    Chosen(String),
    /// The text in the field changed.
    Typed(String),
    /// Enter was pressed in the field.
    Submitted,
}

impl Address {
    /// Handles user input: changes the link of `model`, which is the one that is copied.
    pub(super) fn update(&mut self, message: Message, model: &mut MeetingModel) {
        match message {
            Message::Chosen(host) => self.is_wrong = !set_host(model, &host),
            Message::Typed(text) => (self.typed, self.is_wrong) = (text, false),
            Message::Submitted => {
                self.is_wrong = !set_host(model, &self.typed);
                if self.is_wrong {
                    self.focus = Some(focus::Request::to(FIELD));
                }
            }
        }
    }
}

/// Puts `host` into the link, and adds it to the choices. Returns false if it is neither a name nor an address.
fn set_host(model: &mut MeetingModel, host: &str) -> bool {
    let Some(changed) = link::at_host(&model.link, host) else { return false };
    if let Some(host) = link::host(&changed)
        && !model.hosts.contains(&host)
    {
        model.hosts.insert(0, host);
    }
    model.link = changed;
    true
}

/// The choice; `None` if the server does not run on this computer.
pub(super) fn view<'a>(
    address: &'a Address,
    model: &'a MeetingModel,
    context: &Context,
) -> Option<Element<'a, Message>> {
    let current = link::host(&model.link).filter(|_| !model.hosts.is_empty())?;
    let heading = context.text("people-address");
    let items = model.hosts.iter().take(MAX_SHOWN).map(|host| item(host, *host == current));
    let items = Column::with_children(items).spacing(2.0);
    let other = context.text("people-address-other");
    let typed = field(Field {
        id: FIELD,
        label: other.clone(),
        labelled: false,
        value: &address.typed,
        placeholder: other,
        paste: context.text("action-paste"),
        required: false,
        error: address.is_wrong.then(|| context.text("people-address-wrong")),
        beside: None,
        on_input: Message::Typed,
        on_submit: Some(Message::Submitted),
    });
    let inside = column![menu_heading(heading.clone()), items, typed].spacing(SPACE_XS);
    Some(region(Role::RadioGroup, &heading, inside))
}

fn item<'a>(host: &str, chosen: bool) -> Element<'a, Message> {
    let mark: Element<'a, Message> =
        if chosen { icon(Icon::Check).size(ICON_SMALL).into() } else { space().width(ICON_SMALL).into() };
    let line = row![mark, Element::from(elided(host).width(Length::Fill))].spacing(SPACE_S).align_y(Alignment::Center);
    press(line, host, Some(Message::Chosen(host.to_owned())))
        .id(format!("address-{host}"))
        .role(Role::RadioButton)
        .toggled(chosen)
        .look(Look::Item)
        .width(Length::Fill)
        .padding([SPACE_XS, SPACE_S])
        .into()
}

/// The id of the text field.
const FIELD: &str = "address";
/// The maximum number of names and addresses that are shown. The best ones are first.
const MAX_SHOWN: usize = 4;
