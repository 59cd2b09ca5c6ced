//! The chat of the meeting: what the user writes, and how that changes. The modules below this one draw it.

mod composer;
mod line;
mod show_typing;
mod typing;
pub(super) mod view;
mod vote;
pub mod vote_form;

use std::collections::BTreeSet;

use engine::chat::{Command, Line, LineId, MAX_TEXT, NewLine, Reaction, Status, Text};
use engine::{DeviceKey, ParticipantId, Person, Rights};

use crate::kit::draft::Change;
use crate::kit::{Draft, focus};
use crate::model::MeetingModel;
use show_typing::ShowTyping;

/// The state of the panel.
#[derive(Clone, Debug)]
pub struct Chat {
    /// What the user has typed.
    draft: Draft,
    /// The only reader; `None` for everyone.
    to: Option<Reader>,
    /// What happens with the text when it is sent.
    purpose: Purpose,
    /// The people whom the user has picked, with the text that stands for each.
    mentions: Vec<(ParticipantId, String)>,
    /// What the user searches; `None` if the field of the search is closed.
    search: Option<String>,
    /// How many lines are laid out.
    shown: usize,
    /// The long lines that are laid out in full.
    whole: BTreeSet<LineId>,
    /// The link that is opened if the user confirms.
    pub(super) link: Option<String>,
    /// The form that begins a vote, while it is open.
    form: Option<vote_form::Form>,
    /// Whether the others see what the user types.
    typing: ShowTyping,
    /// The last request to move the focus.
    pub(super) focus: Option<focus::Request>,
}

impl Default for Chat {
    fn default() -> Self {
        Self {
            draft: Draft::default(),
            to: None,
            purpose: Purpose::New,
            mentions: Vec::new(),
            search: None,
            shown: PAGE,
            whole: BTreeSet::new(),
            link: None,
            form: None,
            typing: ShowTyping::default(),
            focus: None,
        }
    }
}

/// The only reader of a text. If the person leaves, the text goes to nobody else.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reader {
    id: ParticipantId,
    device: String,
    name: String,
}

impl Reader {
    /// The person, if present. Who enters the group again has another id.
    fn find<'a>(&self, model: &'a MeetingModel) -> Option<&'a Person> {
        let is_same = |person: &&Person| person.device == self.device && !person.me;
        model.person(self.id).or_else(|| model.people.iter().find(is_same))
    }
}

/// What happens with the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// It is a new line.
    New,
    /// It replies to a line.
    Reply(LineId),
    /// It replaces the text of a line.
    Edit(LineId),
}

/// The menus of the chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Menu {
    /// Who gets the text.
    To,
    /// What can be done with a line.
    Line(LineId),
}

/// User input.
#[derive(Clone, Debug)]
pub enum Message {
    /// The text in the field, or its selection, changed.
    Typed(Change),
    /// Whether the others see what is typed was changed.
    ShowTypingPressed(bool),
    /// Enter or "Send" was pressed.
    Submitted,
    /// The control of a menu was pressed, which opens or closes the menu.
    MenuPressed(Menu),
    /// A reader was chosen; `None` is everyone.
    ToChosen(Option<ParticipantId>),
    /// A person was picked for a mention.
    MentionPressed(ParticipantId),
    /// "Reply" was pressed.
    ReplyPressed(LineId),
    /// "Edit" was pressed.
    EditPressed(LineId),
    /// The reply or the edit was cancelled.
    Cancelled,
    /// "Delete" was pressed.
    DeletePressed(LineId),
    /// A reaction was pressed.
    ReactPressed(LineId, Reaction),
    /// "Copy" was pressed.
    CopyPressed(LineId),
    /// "Try again" was pressed.
    RetryPressed(LineId),
    /// A link was pressed.
    LinkPressed(String),
    /// The link was confirmed.
    LinkConfirmed,
    /// The dialog was closed.
    DialogClosed,
    /// The button of the search was pressed.
    SearchPressed,
    /// The text of the search changed.
    SearchTyped(String),
    /// "Show earlier messages" was pressed.
    EarlierPressed,
    /// "Show all" or "Show less" was pressed at a long line.
    WholePressed(LineId),
    /// "Save chat to a file" was pressed.
    ExportPressed,
    /// Whether people who come late read the chat was changed.
    KeepPressed(bool),
    /// The button that begins a vote was pressed, which opens or closes the form.
    VotePressed,
    /// Input in the form.
    Form(vote_form::Message),
    /// An answer of a vote was chosen.
    ChoosePressed(LineId, u8),
    /// "End vote" was pressed.
    EndVotePressed(LineId),
}

/// What the meeting's screen or the app must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// Open or close this menu.
    Menu(Menu),
    /// Pass this command to the engine.
    Command(Command),
    /// Set whether people who come late read what is written.
    KeepForLater(bool),
    /// Copy this text to the clipboard.
    Copy(String),
    /// Open this link in the browser.
    Open(String),
    /// Save the chat to a file.
    Export,
}

impl Chat {
    /// The panel was opened: the focus goes to the field.
    pub(super) fn open(&mut self) {
        self.focus = Some(focus::Request::to(FIELD));
    }

    /// Handles user input.
    pub(super) fn update(&mut self, message: Message, model: &MeetingModel) -> Action {
        let action = self.handle(message, model);
        if matches!(action, Action::Command(Command::Send(_))) {
            self.typing.end();
        }
        if action != Action::None {
            return action;
        }
        let is_for_all = self.to.is_none() && !matches!(self.purpose, Purpose::Edit(_));
        let changed = self.typing.show(|| if is_for_all { self.draft.text() } else { String::new() });
        changed.map_or(Action::None, Action::Command)
    }

    fn handle(&mut self, message: Message, model: &MeetingModel) -> Action {
        match message {
            Message::Typed(change) => self.draft.perform(change),
            Message::ShowTypingPressed(on) => self.typing.is_on = on,
            Message::Submitted => return self.submit(model),
            Message::MenuPressed(menu) => return Action::Menu(menu),
            Message::ToChosen(to) => self.address(to, model),
            Message::MentionPressed(id) => self.mention(id, model),
            Message::ReplyPressed(id) => self.reply(id, model),
            Message::EditPressed(id) => self.edit(id, model),
            Message::Cancelled => self.clear(),
            Message::DeletePressed(id) => return Action::Command(Command::Delete(id)),
            Message::ReactPressed(id, reaction) => return react(id, reaction, model),
            Message::CopyPressed(id) => {
                let text = model.chat.find(id).filter(|line| may_copy(line, model)).and_then(text_of);
                return text.map_or(Action::None, |text| Action::Copy(text.to_owned()));
            }
            Message::RetryPressed(id) => return Action::Command(Command::Retry(id)),
            Message::LinkPressed(link) => self.link = Some(link),
            Message::LinkConfirmed => return self.link.take().map_or(Action::None, Action::Open),
            Message::DialogClosed => self.link = None,
            Message::SearchPressed => {
                self.search = if self.search.is_some() { None } else { Some(String::new()) };
                self.focus = Some(focus::Request::to(if self.search.is_some() { SEARCH } else { FIELD }));
            }
            Message::SearchTyped(text) => self.search = Some(text),
            Message::EarlierPressed => self.shown += PAGE,
            Message::WholePressed(id) => {
                if !self.whole.remove(&id) {
                    self.whole.insert(id);
                }
            }
            Message::ExportPressed if !may_save(model) => {}
            Message::ExportPressed => return Action::Export,
            Message::KeepPressed(on) => return Action::KeepForLater(on),
            Message::VotePressed if self.form.is_some() => self.close_form(),
            Message::VotePressed => {
                self.form = Some(vote_form::Form::default());
                self.focus = Some(focus::Request::to(vote_form::QUESTION));
            }
            Message::Form(message) => return self.update_form(message),
            Message::ChoosePressed(id, choice) => {
                let vote = model.chat.find(id).and_then(|line| line.vote.as_ref());
                if vote.is_some_and(|vote| vote.mine != Some(choice)) {
                    return Action::Command(Command::Choose { vote: id, choice });
                }
            }
            Message::EndVotePressed(id) => return Action::Command(Command::EndVote(id)),
        }
        Action::None
    }

    fn submit(&mut self, model: &MeetingModel) -> Action {
        let typed = self.draft.text();
        let Ok(text) = Text::new(&typed) else { return Action::None };
        let command = match self.purpose {
            Purpose::Edit(line) => Command::Edit { line, text },
            Purpose::New | Purpose::Reply(_) => {
                let reply = if let Purpose::Reply(line) = self.purpose { Some(line) } else { None };
                let still = |(_, name): &&(ParticipantId, String)| typed.contains(name.as_str());
                let mentions = self.mentions.iter().filter(still).map(|(id, _)| *id).collect();
                let to = self.to.as_ref().map(|to| to.find(model).map(|person| person.id));
                // If the reader has left, the text must not go to everyone instead.
                let to = match to {
                    None => None,
                    Some(Some(id)) => Some(id),
                    Some(None) => return Action::None,
                };
                Command::Send(NewLine { to, text, reply, mentions })
            }
        };
        self.clear();
        Action::Command(command)
    }

    fn close_form(&mut self) {
        (self.form, self.focus) = (None, Some(focus::Request::to(FIELD)));
    }

    fn update_form(&mut self, message: vote_form::Message) -> Action {
        let Some(form) = &mut self.form else { return Action::None };
        let command = match message {
            vote_form::Message::Started => form.command(),
            vote_form::Message::Cancelled => None,
            typed @ (vote_form::Message::QuestionTyped(_)
            | vote_form::Message::OptionTyped(..)
            | vote_form::Message::SecretPressed(_)) => {
                form.update(typed);
                return Action::None;
            }
        };
        self.close_form();
        command.map_or(Action::None, Action::Command)
    }

    /// Chooses who gets the text.
    fn address(&mut self, to: Option<ParticipantId>, model: &MeetingModel) {
        let person = to.and_then(|id| model.person(id));
        if to.is_none() || person.is_some() {
            self.to = person.map(reader);
        }
        self.focus = Some(focus::Request::to(FIELD));
    }

    /// The only reader, if that person has left.
    fn missing<'a>(&'a self, model: &MeetingModel) -> Option<&'a Reader> {
        self.to.as_ref().filter(|to| to.find(model).is_none())
    }

    /// Empties the field.
    fn clear(&mut self) {
        self.draft = Draft::default();
        self.mentions.clear();
        self.purpose = Purpose::New;
        self.focus = Some(focus::Request::to(FIELD));
    }

    fn mention(&mut self, id: ParticipantId, model: &MeetingModel) {
        let (Some(person), Some(at)) = (model.person(id), self.draft.before_caret().rfind('@')) else { return };
        let name = format!("@{}", person.name);
        self.draft.replace_before_caret(at, &format!("{name} "));
        self.mentions.push((id, name));
        self.focus = Some(focus::Request::to(FIELD));
    }

    /// Replies stay in their conversation.
    fn reply(&mut self, id: LineId, model: &MeetingModel) {
        let Some(line) = model.chat.find(id) else { return };
        self.to = line.private.as_ref().map(|peer| {
            let present = model.people.iter().find(|person| is_on(person, peer.device));
            let gone = || Reader { id: ParticipantId(0), device: peer.device.to_string(), name: peer.name.clone() };
            present.map_or_else(gone, reader)
        });
        self.purpose = Purpose::Reply(id);
        self.focus = Some(focus::Request::to(FIELD));
    }

    fn edit(&mut self, id: LineId, model: &MeetingModel) {
        if let Some(text) = model.chat.find(id).and_then(text_of) {
            self.clear();
            (self.draft, self.purpose) = (Draft::new(text), Purpose::Edit(id));
        }
    }

    /// The people whose names begin with what the user types after `@`; nobody if the caret is elsewhere.
    fn suggestions<'a>(&self, model: &'a MeetingModel) -> Vec<&'a Person> {
        let typed = self.draft.before_caret();
        let Some((before, begun)) = typed.rsplit_once('@') else { return Vec::new() };
        let begun = begun.to_lowercase();
        if before.ends_with(char::is_alphanumeric) || begun.chars().count() > MAX_BEGUN {
            return Vec::new();
        }
        let fits = |person: &&Person| {
            let name = person.name.to_lowercase();
            !person.me && name.split_whitespace().any(|word| word.starts_with(&begun)) || name.starts_with(&begun)
        };
        let others = model.people.iter().filter(|person| !person.me);
        others.filter(fits).take(MAX_SUGGESTIONS).collect()
    }

    fn is_too_long(&self) -> bool {
        self.draft.text().len() > MAX_TEXT
    }
}

fn reader(person: &Person) -> Reader {
    Reader { id: person.id, device: person.device.clone(), name: person.name.clone() }
}

/// Whether a person is on this device.
fn is_on(person: &Person, device: DeviceKey) -> bool {
    person.device == device.to_string()
}

fn text_of(line: &Line) -> Option<&str> {
    if let engine::chat::Body::Text(text) = &line.body { Some(text.as_str()) } else { None }
}

fn react(line: LineId, reaction: Reaction, model: &MeetingModel) -> Action {
    let Some(found) = model.chat.find(line) else { return Action::None };
    let on = !found.reactions.iter().any(|one| one.me && one.reaction == reaction);
    Action::Command(Command::React { line, reaction, on })
}

/// Whether we have this right.
fn has(model: &MeetingModel, right: Rights) -> bool {
    model.me().is_some_and(|me| me.rights.contains(right))
}

/// Whether we may begin a vote.
fn may_ask(model: &MeetingModel) -> bool {
    model.me().is_some_and(|me| me.role.is_manager() || me.role == engine::Role::Presenter) && has(model, Rights::CHAT)
}

/// Whether we may remove a line: our own, or one of somebody of a lower role.
fn may_remove(line: &Line, model: &MeetingModel) -> bool {
    let author = model.people.iter().find(|person| is_on(person, line.id.device));
    let is_above = || model.me().is_some_and(|me| author.is_none_or(|author| me.role.is_above(author.role)));
    line.status == Status::Failed
        || line.status == Status::Sent
            && (line.me || line.private.is_none() && has(model, Rights::REMOVE) && is_above())
}

/// Whether we may save the chat to a file: by our right, and by the setting of the meeting.
fn may_save(model: &MeetingModel) -> bool {
    has(model, Rights::RECORD) && model.chat.may_be_recorded()
}

/// Whether we may copy a line: our own, or by the same right as saving.
fn may_copy(line: &Line, model: &MeetingModel) -> bool {
    line.me || may_save(model)
}

/// Whether the menu of a line has items.
fn has_actions(line: &Line, model: &MeetingModel) -> bool {
    let answers = line.status == Status::Sent && (has(model, Rights::REACT) || has(model, Rights::CHAT));
    text_of(line).is_some() && (answers || may_copy(line, model) || may_remove(line, model))
}

/// The ids of the fields.
const FIELD: &str = "chat-field";
const SEARCH: &str = "chat-search";
/// How many lines are laid out at first, and how many more with each press of "Show earlier messages".
const PAGE: usize = 50;
const MAX_SUGGESTIONS: usize = 4;
/// The longest beginning of a name that is looked up, in characters.
const MAX_BEGUN: usize = 32;
