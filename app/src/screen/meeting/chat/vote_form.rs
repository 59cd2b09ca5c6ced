//! The form that begins a vote: the question, the answers, and whether the ballots are secret.

use accesskit::Role;
use engine::chat::{Command, MAX_OPTIONS, MAX_QUESTION, Text};
use iced::Length;
use iced::widget::{column, container, row, scrollable, space};

use crate::kit::field::{Field, field};
use crate::kit::{Element, heading, press, text};
use crate::screen::{Context, check};
use crate::theme::{Look, SPACE_L, SPACE_M, SPACE_S, TARGET_FORM, Tone};

/// What the user has typed.
#[derive(Clone, Debug, Default)]
pub struct Form {
    question: String,
    options: [String; MAX_OPTIONS],
    secret: bool,
}

/// User input.
#[derive(Clone, Debug)]
pub enum Message {
    /// The question changed.
    QuestionTyped(String),
    /// The answer with this index changed.
    OptionTyped(usize, String),
    /// Whether the ballots are secret was changed.
    SecretPressed(bool),
    /// "Start vote" was pressed.
    Started,
    /// "Cancel" was pressed.
    Cancelled,
}

impl Form {
    /// Handles typing, and the check box.
    pub(super) fn update(&mut self, message: Message) {
        match message {
            Message::QuestionTyped(text) => self.question = text,
            Message::OptionTyped(index, text) => {
                if let Some(option) = self.options.get_mut(index) {
                    *option = text;
                }
            }
            Message::SecretPressed(on) => self.secret = on,
            Message::Started | Message::Cancelled => {}
        }
    }

    /// The command that begins the vote. `None` if the question or the answers are not complete, or too long.
    pub(super) fn command(&self) -> Option<Command> {
        let written = self.options.iter().filter(|option| !option.trim().is_empty());
        let options: Vec<_> = written.map(|option| short(option)).collect::<Option<_>>()?;
        let (question, secret) = (short(&self.question)?, self.secret);
        (options.len() >= 2).then_some(Command::StartVote { question, options, secret })
    }

    /// How many fields of answers are shown: one more than are filled in.
    fn fields(&self) -> usize {
        let filled = self.options.iter().rposition(|option| !option.is_empty()).map_or(0, |last| last + 1);
        (filled + 1).clamp(2, MAX_OPTIONS)
    }
}

/// The text, if it is neither empty nor too long.
fn short(text: &str) -> Option<Text> {
    Text::new(text).ok().filter(|text| text.as_str().len() <= MAX_QUESTION)
}

/// Draws the form.
pub(super) fn view<'a>(form: &'a Form, context: &Context) -> Element<'a, Message> {
    let question = input(QUESTION, context.text("vote-question"), &form.question, Message::QuestionTyped, context);
    let options =
        form.options.iter().zip(OPTIONS).take(form.fields()).enumerate().map(|(index, (option, (id, typed)))| {
            let label = context.language.with("vote-option", &[("number", (index + 1).into())]);
            input(id, label, option, typed, context)
        });
    let secret = check(&context.text("vote-secret"), Role::CheckBox, form.secret, Message::SecretPressed(!form.secret));
    let why = context.text(if form.secret { "vote-secret-why" } else { "vote-open-why" });
    let cancel = press(text::strong(context.text("action-cancel")), "", Some(Message::Cancelled)).id("vote-cancel");
    let ready = form.command().map(|_| Message::Started);
    let look = if ready.is_some() { Look::Primary } else { Look::Plain };
    let begin = press(text::strong(context.text("vote-begin")), "", ready).id("vote-begin").look(look);
    let buttons = row![
        space().width(Length::Fill),
        Element::from(cancel.height(TARGET_FORM)),
        Element::from(begin.height(TARGET_FORM)),
    ];
    let inside = column![heading(2, text::strong(context.text("vote-start"))), question]
        .extend(options)
        .push(Element::from(secret.id("vote-secret").padding([0.0, 0.0])))
        .push(text::caption(why).style(text::tone(Tone::Dim)).width(Length::Fill))
        .push(buttons.spacing(SPACE_M));
    let inside = container(inside.spacing(SPACE_S)).padding([SPACE_S, SPACE_L]).width(Length::Fill);
    scrollable(inside).width(Length::Fill).height(Length::Fill).into()
}

fn input<'a>(
    id: &'static str,
    label: String,
    value: &'a str,
    on_input: fn(String) -> Message,
    context: &Context,
) -> Element<'a, Message> {
    let too_long = !value.trim().is_empty() && short(value).is_none();
    field(Field {
        id,
        placeholder: label.clone(),
        label,
        labelled: false,
        value,
        paste: context.text("action-paste"),
        required: id == QUESTION,
        error: too_long.then(|| context.text("vote-too-long")),
        beside: None,
        on_input,
        on_submit: None,
    })
}

/// The id of the field of the question.
pub(super) const QUESTION: &str = "vote-question-field";
/// The message of a text.
type Typed = fn(String) -> Message;

/// The id and the message of each field of an answer.
const OPTIONS: [(&str, Typed); MAX_OPTIONS] = [
    ("vote-option-1", |text| Message::OptionTyped(0, text)),
    ("vote-option-2", |text| Message::OptionTyped(1, text)),
    ("vote-option-3", |text| Message::OptionTyped(2, text)),
    ("vote-option-4", |text| Message::OptionTyped(3, text)),
    ("vote-option-5", |text| Message::OptionTyped(4, text)),
    ("vote-option-6", |text| Message::OptionTyped(5, text)),
];
