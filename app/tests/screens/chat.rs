//! The chat: its panel with all kinds of lines, what the user writes, its menus, links, unread lines.

use std::time::SystemTime;

use accesskit::{Role, TreeUpdate};
use app::kit::Element;
use app::kit::draft::Change;
use app::locale::Language;
use app::model::NoticeKind;
use app::screen::meeting::chat::vote_form;
use app::screen::meeting::{self, chat};
use app::screen::{Context, meeting::Action, meeting::Panel};
use app::theme::Theme;
use engine::chat::{
    Body, Command, Event as ChatEvent, Line, LineId, NewLine, PassedOn, Peer, Reacted, Reaction, Status, Text,
    TypedText, Typing, Vote, VoteOption,
};
use engine::{DeviceKey, Event, MeetingFlags, ParticipantId, Person, Rights};
use iced::keyboard::{Modifiers, key::Named};

use crate::common::{self, Ui, context, meeting_of, save, small_context, smallest_context, tree};

fn device(number: u8) -> DeviceKey {
    DeviceKey([number; 32])
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs()
}

/// A line of the person with this number: 1 is the user.
fn line(author: u8, place: u64, text: &str) -> Line {
    let names = ["Anne Martin", "Bob", "Carol Lefèvre", "David Okafor"];
    Line {
        id: LineId { device: device(author), counter: place },
        name: names[usize::from(author) - 1].into(),
        me: author == 1,
        private: None,
        time: now() - 600 + place,
        place: Some(place),
        status: Status::Sent,
        reply: None,
        body: Body::Text(Text::new(text).expect("a text")),
        edited: false,
        mentions_me: false,
        reactions: Vec::new(),
        passed_on: None,
        vote: None,
    }
}

fn reacted(author: u8, reaction: Reaction) -> Reacted {
    Reacted { reaction, device: device(author), name: line(author, 1, "x").name, me: author == 1 }
}

fn lines() -> Vec<Line> {
    let first =
        line(2, 1, "Good morning! The agenda is at https://intranet.example.org/agenda?day=30, please read it.");
    let reply = Some(first.id);
    let peer = |author| Some(Peer { device: device(author), name: line(author, 1, "x").name });
    let passed_on = |proved| Some(PassedOn { by: "Bob".into(), proved });
    let reactions = vec![reacted(1, Reaction::Like), reacted(3, Reaction::Like), reacted(4, Reaction::Celebrate)];
    vec![
        Line { passed_on: passed_on(false), ..line(4, 0, "I have to leave early, sorry.") },
        Line { reactions, passed_on: passed_on(true), ..first },
        Line { reply, edited: true, ..line(1, 2, "Thanks, I have read it. Two remarks:\n1. the budget\n2. the date") },
        Line { private: peer(2), ..line(2, 3, "Between us: is the date fixed?") },
        Line { private: peer(2), ..line(1, 4, "Not yet.") },
        line(3, 5, "שלום לכולם, נתראה מחר (tomorrow) بالعربية أيضًا"),
        line(3, 6, &"Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft".repeat(2)),
        Line { body: Body::Deleted, ..line(2, 7, "x") },
        Line { body: Body::RemovedBy("Anne Martin".into()), ..line(3, 8, "x") },
        Line { place: None, status: Status::Sending, ..line(1, 9, "On its way") },
        Line { place: None, status: Status::Failed, ..line(1, 10, "Not sent") },
    ]
}

/// The meeting with the chat open.
fn screen_with(lines: Vec<Line>) -> meeting::Meeting {
    let mut screen = meeting_of(4);
    for (number, person) in (1..).zip(&mut screen.model.people) {
        person.device = device(number).to_string();
    }
    handle(&mut screen, &Event::Chat(ChatEvent::Lines(lines)));
    screen.open(Panel::Chat);
    screen
}

fn handle(screen: &mut meeting::Meeting, event: &Event) -> usize {
    screen.handle_event(event, std::time::Instant::now()).len()
}

fn update(screen: &mut meeting::Meeting, message: chat::Message) -> Action {
    screen.update(meeting::Message::Chat(message))
}

fn typed(text: String) -> chat::Message {
    chat::Message::Typed(Change::Entered(text))
}

fn new_line(to: Option<u64>, text: &str) -> NewLine {
    NewLine { to: to.map(ParticipantId), text: Text::new(text).expect("a text"), reply: None, mentions: Vec::new() }
}

fn sent(command: Command) -> Action {
    Action::Chat(chat::Action::Command(command))
}

/// A vote of the person with this number, with these ballots; `None` while they are secret.
fn vote(author: u8, place: u64, counts: [Option<u32>; 2], vote: &Vote) -> Line {
    let names = ["Bob", "Carol Lefèvre"];
    let option = |(text, count): (&str, Option<u32>)| VoteOption {
        text: Text::new(text).expect("a text"),
        count,
        voters: if vote.secret {
            vec![]
        } else {
            names.iter().take(count.unwrap_or(0) as usize).map(|name| (*name).into()).collect()
        },
    };
    let options =
        ["Thursday at 10, in the large room of the second floor", "Friday"].into_iter().zip(counts).map(option);
    let options = options.collect();
    Line { vote: Some(Vote { options, ..*vote }), ..line(author, place, "When do we meet next?") }
}

fn votes() -> Vec<Line> {
    let open = Vote { options: Vec::new(), secret: false, ended: false, mine: Some(0), ballots: 2 };
    let secret = Vote { secret: true, mine: None, ..open.clone() };
    let ended = Vote { ended: true, ballots: 3, ..secret.clone() };
    vec![
        vote(1, 1, [Some(2), Some(0)], &open),
        vote(2, 2, [None, None], &Vote { ballots: 0, mine: Some(1), ..secret.clone() }),
        vote(1, 3, [None, None], &secret),
        vote(2, 4, [Some(2), Some(1)], &ended),
    ]
}

/// Calls `visit` with the states of the meeting's screen that are about the chat.
pub fn every_state(context: &Context, visit: &mut impl FnMut(&str, Element<'_, ()>)) {
    let pictures = common::pictures(9);
    let mut show = |name: &str, screen: &meeting::Meeting| visit(name, screen.view(context, &pictures, &[]).map(drop));
    show("chat-empty", &screen_with(Vec::new()));
    let mut screen = screen_with(lines());
    handle(&mut screen, &Event::Chat(ChatEvent::Gap { place: 7 }));
    show("chat", &screen);
    update(&mut screen, chat::Message::MenuPressed(chat::Menu::Line(line(1, 2, "x").id)));
    show("chat-menu", &screen);
    let mut screen = screen_with(lines());
    update(&mut screen, chat::Message::ReplyPressed(line(2, 3, "x").id));
    update(&mut screen, typed("It is fixed, @".into()));
    show("chat-reply", &screen);
    update(&mut screen, chat::Message::MenuPressed(chat::Menu::To));
    show("chat-to", &screen);
    let mut screen = screen_with(lines());
    update(&mut screen, chat::Message::LinkPressed("https://intranet.example.org/agenda?day=30".into()));
    show("chat-link", &screen);
    let mut screen = screen_with(lines());
    screen.model.people[0].rights = Rights::NONE;
    update(&mut screen, chat::Message::SearchPressed);
    update(&mut screen, chat::Message::SearchTyped("the DATE".into()));
    show("chat-search", &screen);
    let mut screen = screen_with(votes());
    show("chat-votes", &screen);
    update(&mut screen, chat::Message::VotePressed);
    update(&mut screen, chat::Message::Form(vote_form::Message::QuestionTyped("Do we agree?".into())));
    update(&mut screen, chat::Message::Form(vote_form::Message::OptionTyped(0, "Yes".into())));
    show("chat-vote-form", &screen);
    show("chat-typing", &typing_screen());
    let mut screen = screen_with(lines());
    screen.update(meeting::Message::PanelPressed(Panel::Chat));
    handle(&mut screen, &Event::Chat(ChatEvent::Lines(vec![line(2, 20, "unread"), line(2, 21, "unread")])));
    show("chat-unread", &screen);
}

#[test]
fn pictures_of_the_chat_in_other_windows() {
    let folder = std::env::var("SCREENS").unwrap_or_default();
    let pictures = common::pictures(9);
    let screen = screen_with(lines());
    for (context, size, theme) in [
        (small_context(Language::French), [700, 560], Theme::LIGHT),
        (smallest_context(Language::English), [480, 400], Theme::CONTRAST),
    ] {
        let name = format!("chat-{}", size[0]);
        save(&folder, &name, screen.view(&context, &pictures, &[]), &theme, size, 1.0);
    }
    let many = (0..500).map(|number| line(u8::try_from(number % 4).unwrap() + 1, number, &format!("Message {number}")));
    let screen = screen_with(many.collect());
    save(&folder, "chat-500", screen.view(&context(Language::English), &pictures, &[]), &Theme::DARK, [1280, 800], 1.0);
}

fn labels(update: &TreeUpdate, role: Role) -> Vec<String> {
    let nodes = update.nodes.iter().filter(|(_, node)| node.role() == role);
    nodes.filter_map(|(_, node)| node.label().map(str::to_owned)).collect()
}

#[test]
fn assistive_tools_read_author_notes_and_text_of_each_line() {
    let (screen, pictures) = (screen_with(lines()), common::pictures(0));
    let read = labels(&tree(screen.view(&context(Language::English), &pictures, &[])), Role::ListItem);
    let read: Vec<_> = read.iter().map(|label| label.replace(['\u{2068}', '\u{2069}'], "")).collect();
    for label in [
        "Bob, from before you joined, passed on by Bob, Good morning! The agenda is at https://intranet.example.org/agenda?day=30, please read it.",
        "Anne Martin (you), edited, Thanks, I have read it. Two remarks:\n1. the budget\n2. the date",
        "Bob, Private message to you, Between us: is the date fixed?",
        "Anne Martin (you), Private message to Bob, Not yet.",
        "Bob, Message deleted",
        "Carol Lefèvre, Removed by Anne Martin",
    ] {
        assert!(read.iter().any(|found| found == label), "{label:?} is not in {read:?}");
    }
}

#[test]
fn only_the_newest_lines_are_laid_out_until_the_user_wants_more() {
    let many = (0..500).map(|number| line(2, number, &format!("Message {number}"))).collect();
    let (mut screen, pictures) = (screen_with(many), common::pictures(0));
    let count = |screen: &meeting::Meeting| {
        let update = tree(screen.view(&context(Language::English), &pictures, &[]));
        labels(&update, Role::ListItem).iter().filter(|label| label.contains("Message ")).count()
    };
    assert_eq!(count(&screen), 50);
    update(&mut screen, chat::Message::EarlierPressed);
    assert_eq!(count(&screen), 100);
    update(&mut screen, chat::Message::SearchTyped("message 1".into()));
    assert_eq!(count(&screen), 100, "of 111");
}

#[test]
fn a_text_is_sent_by_enter_and_by_the_button_and_only_if_there_is_one() {
    let (mut screen, pictures) = (screen_with(Vec::new()), common::pictures(0));
    let mut ui = Ui::rooted(screen.view(&context(Language::English), &pictures, &[]), meeting::Meeting::shortcut);
    ui.click_id("chat-field");
    ui.typewrite("a");
    ui.tap(Named::Enter);
    let messages = ui.messages();
    assert!(matches!(messages.last(), Some(meeting::Message::Chat(chat::Message::Submitted))), "{messages:?}");
    let actions: Vec<_> = messages.into_iter().map(|message| screen.update(message)).collect();
    assert_eq!(actions.last(), Some(&sent(Command::Send(new_line(None, "a")))));
    assert_eq!(update(&mut screen, chat::Message::Submitted), Action::None, "nothing to send");
    update(&mut screen, typed("  hello ".into()));
    let mut ui = Ui::new(screen.view(&context(Language::English), &pictures, &[]));
    ui.click_id("chat-send");
    assert!(matches!(ui.messages()[..], [meeting::Message::Chat(chat::Message::Submitted)]));
    assert_eq!(update(&mut screen, chat::Message::Submitted), sent(Command::Send(new_line(None, "hello"))));
    assert_eq!(update(&mut screen, chat::Message::Submitted), Action::None, "the field is empty");
    update(&mut screen, typed("x".repeat(20_000)));
    assert_eq!(update(&mut screen, chat::Message::Submitted), Action::None, "too long");
    let mut ui = Ui::new(screen.view(&context(Language::French), &pictures, &[]));
    ui.find("Ce message est trop long. Envoyez-le en plusieurs fois.");
}

#[test]
fn a_private_text_never_goes_to_everyone_instead() {
    let mut screen = screen_with(lines());
    update(&mut screen, chat::Message::ToChosen(Some(ParticipantId(2))));
    update(&mut screen, typed("secret".into()));
    let people: Vec<Person> = screen.model.people.iter().filter(|person| person.name != "Bob").cloned().collect();
    let all = screen.model.people.clone();
    handle(&mut screen, &Event::People(people));
    for _ in 0..2 {
        assert_eq!(update(&mut screen, chat::Message::Submitted), Action::None, "Bob has left");
    }
    let pictures = common::pictures(0);
    let mut ui = Ui::new(screen.view(&context(Language::English), &pictures, &[]));
    ui.find("Bob has left the meeting. Choose who gets this message.");
    drop(ui);
    handle(&mut screen, &Event::People(all));
    update(&mut screen, chat::Message::ToChosen(Some(ParticipantId(2))));
    assert_eq!(update(&mut screen, chat::Message::Submitted), sent(Command::Send(new_line(Some(2), "secret"))));
    // Who enters the group again has another id.
    let mut back: Vec<Person> = screen.model.people.clone();
    back.iter_mut().filter(|person| person.name == "Bob").for_each(|bob| bob.id = ParticipantId(99));
    handle(&mut screen, &Event::People(back.clone()));
    update(&mut screen, typed("still".into()));
    assert_eq!(update(&mut screen, chat::Message::Submitted), sent(Command::Send(new_line(Some(99), "still"))));
    back.iter_mut().filter(|person| person.name == "Bob").for_each(|bob| bob.id = ParticipantId(2));
    handle(&mut screen, &Event::People(back));
    // A reply to a private line goes to its author.
    update(&mut screen, chat::Message::ToChosen(None));
    let private = line(2, 3, "x").id;
    update(&mut screen, chat::Message::ReplyPressed(private));
    update(&mut screen, typed("yes".into()));
    let reply = NewLine { reply: Some(private), ..new_line(Some(2), "yes") };
    assert_eq!(update(&mut screen, chat::Message::Submitted), sent(Command::Send(reply)));
}

#[test]
fn a_line_is_edited_removed_reacted_to_and_copied_by_its_menu() {
    let (mut screen, pictures) = (screen_with(lines()), common::pictures(0));
    let own = line(1, 2, "x").id;
    update(&mut screen, chat::Message::MenuPressed(chat::Menu::Line(own)));
    let items = labels(&tree(screen.view(&context(Language::English), &pictures, &[])), Role::MenuItem);
    let expected = ["Like", "Heart", "Laugh", "Surprised", "Celebrate", "Reply", "Edit", "Copy text", "Delete"];
    assert_eq!(items, expected);
    update(&mut screen, chat::Message::EditPressed(own));
    update(&mut screen, typed("Changed".into()));
    let text = Text::new("Changed").unwrap();
    assert_eq!(update(&mut screen, chat::Message::Submitted), sent(Command::Edit { line: own, text }));
    let other = line(2, 1, "x").id;
    update(&mut screen, chat::Message::MenuPressed(chat::Menu::Line(other)));
    let items = labels(&tree(screen.view(&context(Language::English), &pictures, &[])), Role::MenuItem);
    assert!(items.contains(&"Remove for everyone".into()) && !items.contains(&"Edit".into()), "{items:?}");
    assert_eq!(update(&mut screen, chat::Message::DeletePressed(other)), sent(Command::Delete(other)));
    let react = |reaction, on| sent(Command::React { line: other, reaction, on });
    let press = |reaction| chat::Message::ReactPressed(other, reaction);
    assert_eq!(update(&mut screen, press(Reaction::Like)), react(Reaction::Like, false), "it is ours");
    assert_eq!(update(&mut screen, press(Reaction::Heart)), react(Reaction::Heart, true));
    let copied = update(&mut screen, chat::Message::CopyPressed(line(2, 3, "x").id));
    assert_eq!(copied, Action::Chat(chat::Action::Copy("Between us: is the date fixed?".into())));
}

#[test]
fn the_lines_of_others_are_copied_by_the_right_to_save_the_chat() {
    let (mut screen, pictures) = (screen_with(lines()), common::pictures(0));
    let (own, other) = (line(1, 2, "x").id, line(2, 1, "x").id);
    screen.model.people[0].rights = screen.model.people[0].rights.without(Rights::RECORD);
    let mut copies = |id| {
        update(&mut screen, chat::Message::MenuPressed(chat::Menu::Line(id)));
        let items = labels(&tree(screen.view(&context(Language::English), &pictures, &[])), Role::MenuItem);
        let copied = update(&mut screen, chat::Message::CopyPressed(id));
        (items.contains(&"Copy text".into()), matches!(copied, Action::Chat(chat::Action::Copy(_))))
    };
    assert_eq!(copies(own), (true, true));
    assert_eq!(copies(other), (false, false));
    // A line with which nothing can be done has no menu.
    let more = |screen: &meeting::Meeting| {
        let update = tree(screen.view(&context(Language::English), &pictures, &[]));
        let menu = Language::English.with("chat-more", &[("name", "Bob".into())]);
        labels(&update, Role::Button).into_iter().filter(|label| *label == menu).count()
    };
    assert!(more(&screen) > 0);
    screen.model.people[0].rights = Rights::NONE;
    assert_eq!(more(&screen), 0);
}

#[test]
fn a_link_is_opened_only_after_a_dialog_that_shows_it() {
    let (mut screen, pictures) = (screen_with(lines()[1..2].to_vec()), common::pictures(0));
    let link = "https://intranet.example.org/agenda?day=30";
    let mut ui = Ui::new(screen.view(&context(Language::English), &pictures, &[]));
    ui.click(link);
    let messages = ui.messages();
    let [meeting::Message::Chat(chat::Message::LinkPressed(pressed))] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(pressed, link);
    assert_eq!(update(&mut screen, chat::Message::LinkPressed(link.into())), Action::None);
    let mut ui = Ui::new(screen.view(&context(Language::English), &pictures, &[]));
    ui.find(link);
    ui.click_id("confirm");
    assert!(matches!(ui.messages()[..], [meeting::Message::Chat(chat::Message::LinkConfirmed)]));
    let opened = update(&mut screen, chat::Message::LinkConfirmed);
    assert_eq!(opened, Action::Chat(chat::Action::Open(link.into())));
    update(&mut screen, chat::Message::LinkPressed(link.into()));
    screen.update(meeting::Message::Escaped);
    assert_eq!(update(&mut screen, chat::Message::LinkConfirmed), Action::None, "Escape cancels");
}

#[test]
fn the_button_counts_unread_lines_and_the_shortcut_opens_the_panel() {
    let (mut screen, pictures) = (meeting_of(2), common::pictures(0));
    assert_eq!(handle(&mut screen, &Event::Chat(ChatEvent::Lines(vec![line(2, 1, "a"), line(2, 2, "b")]))), 2);
    let named = |screen: &meeting::Meeting, name: &str| {
        let update = tree(screen.view(&context(Language::English), &pictures, &[]));
        update.nodes.iter().any(|(_, node)| node.label() == Some(name))
    };
    assert!(named(&screen, "Chat, 2 new messages"));
    let mut ui = Ui::rooted(screen.view(&context(Language::English), &pictures, &[]), meeting::Meeting::shortcut);
    ui.key("C", Modifiers::COMMAND | Modifiers::SHIFT);
    let messages = ui.messages();
    let [meeting::Message::PanelPressed(Panel::Chat)] = messages[..] else { panic!("{messages:?}") };
    screen.update(meeting::Message::PanelPressed(Panel::Chat));
    assert!(!named(&screen, "Chat, 2 new messages") && named(&screen, "Chat"));
    screen.update(meeting::Message::PanelPressed(Panel::Chat));
    let mention = Line { mentions_me: true, ..line(2, 3, "@Anne Martin look") };
    assert_eq!(handle(&mut screen, &Event::Chat(ChatEvent::Lines(vec![mention]))), 0);
    let notice = screen.model.chat.take_notice().expect("a notice");
    assert_eq!(notice.kind, NoticeKind::Mentioned);
    assert!(notice.sentence(Language::French).contains("Bob"));
}

#[test]
fn a_mention_names_a_member_and_is_dropped_with_its_text() {
    let mut screen = screen_with(Vec::new());
    let pictures = common::pictures(0);
    update(&mut screen, typed("Look, @ca".into()));
    let update_tree = tree(screen.view(&context(Language::English), &pictures, &[]));
    let offered = labels(&update_tree, Role::Button);
    assert!(offered.iter().any(|label| label.contains("Carol Lefèvre") && label.starts_with("Mention")), "{offered:?}");
    update(&mut screen, chat::Message::MentionPressed(ParticipantId(3)));
    let mention = NewLine { mentions: vec![ParticipantId(3)], ..new_line(None, "Look, @Carol Lefèvre") };
    assert_eq!(update(&mut screen, chat::Message::Submitted), sent(Command::Send(mention)));
    update(&mut screen, typed("@".into()));
    update(&mut screen, chat::Message::MentionPressed(ParticipantId(2)));
    update(&mut screen, typed("nobody".into()));
    assert_eq!(update(&mut screen, chat::Message::Submitted), sent(Command::Send(new_line(None, "nobody"))));
    update(&mut screen, typed("a@b".into()));
    let update_tree = tree(screen.view(&context(Language::English), &pictures, &[]));
    assert!(!labels(&update_tree, Role::Button).iter().any(|label| label.starts_with("Mention")), "an address");
}

#[test]
fn a_vote_is_begun_with_a_question_and_two_answers_by_those_who_may() {
    let (mut screen, pictures) = (screen_with(Vec::new()), common::pictures(0));
    let form = |message| chat::Message::Form(message);
    update(&mut screen, chat::Message::VotePressed);
    update(&mut screen, form(vote_form::Message::QuestionTyped("Do we agree?".into())));
    update(&mut screen, form(vote_form::Message::OptionTyped(0, "Yes".into())));
    update(&mut screen, form(vote_form::Message::SecretPressed(true)));
    let mut ui = Ui::new(screen.view(&context(Language::English), &pictures, &[]));
    ui.find("Only you receive the votes. The others see the result when you end the vote.");
    ui.click_id("vote-begin");
    assert!(ui.messages().is_empty(), "one answer is no choice");
    update(&mut screen, form(vote_form::Message::OptionTyped(2, " No ".into())));
    let mut ui = Ui::new(screen.view(&context(Language::English), &pictures, &[]));
    ui.click_id("vote-begin");
    let messages = ui.messages();
    assert!(matches!(messages[..], [meeting::Message::Chat(chat::Message::Form(vote_form::Message::Started))]));
    let text = |text| Text::new(text).unwrap();
    let command =
        Command::StartVote { question: text("Do we agree?"), options: vec![text("Yes"), text("No")], secret: true };
    assert_eq!(update(&mut screen, form(vote_form::Message::Started)), sent(command));
    screen.model.people[0].role = engine::Role::Participant;
    let buttons = labels(&tree(screen.view(&context(Language::English), &pictures, &[])), Role::Button);
    assert!(!buttons.contains(&"Start a vote".into()), "{buttons:?}");
}

#[test]
fn an_answer_is_chosen_changed_and_counted_and_who_gets_the_ballots_is_said() {
    let (mut screen, pictures) = (screen_with(votes()), common::pictures(0));
    let [open, secret, mine, ended] = [0, 1, 2, 3].map(|at| votes()[at].id);
    let update_tree = tree(screen.view(&context(Language::English), &pictures, &[]));
    let answers =
        labels(&update_tree, Role::RadioButton).into_iter().map(|label| label.replace(['\u{2068}', '\u{2069}'], ""));
    let answers: Vec<_> = answers.collect();
    assert!(
        answers.contains(&"Vote for Friday, 0 votes".into()) && answers.contains(&"Vote for Friday".into()),
        "{answers:?}"
    );
    assert_eq!(answers.len(), 6, "the vote that has ended has none");
    let press = |vote, choice| chat::Message::ChoosePressed(vote, choice);
    assert_eq!(update(&mut screen, press(open, 0)), Action::None, "it is the choice already");
    assert_eq!(update(&mut screen, press(secret, 0)), sent(Command::Choose { vote: secret, choice: 0 }));
    assert_eq!(update(&mut screen, chat::Message::EndVotePressed(mine)), sent(Command::EndVote(mine)));
    let said = labels(&tree(screen.view(&context(Language::English), &pictures, &[])), Role::ListItem);
    let said: Vec<_> = said.into_iter().map(|label| label.replace(['\u{2068}', '\u{2069}'], "")).collect();
    for words in ["Secret ballot: only Bob receives the votes", "Vote ended · 3 votes · counted by Bob"] {
        assert!(said.iter().any(|label| label.ends_with(words)), "{words:?} is not in {said:?}");
    }
    assert!(screen.model.chat.find(ended).is_some_and(|line| line.vote.as_ref().is_some_and(|vote| vote.ended)));
    screen.model.people[0].rights = Rights::CHAT;
    let answers = labels(&tree(screen.view(&context(Language::English), &pictures, &[])), Role::RadioButton);
    assert!(answers.is_empty(), "without the right to react there is no vote: {answers:?}");
}

#[test]
fn a_long_text_is_shown_in_full_only_on_request() {
    let (rows, pictures) = (vec!["row"; 200].join("\n"), common::pictures(0));
    let long = line(2, 1, &rows);
    let id = long.id;
    let mut screen = screen_with(vec![long, line(3, 2, "short")]);
    let mut ui = Ui::new(screen.view(&context(Language::English), &pictures, &[]));
    ui.find("short");
    ui.click("Show all");
    let messages = ui.messages();
    assert!(matches!(messages[..], [meeting::Message::Chat(chat::Message::WholePressed(line))] if line == id));
    update(&mut screen, chat::Message::WholePressed(id));
    let read = labels(&tree(screen.view(&context(Language::English), &pictures, &[])), Role::Button);
    assert!(read.contains(&"Show less".into()), "{read:?}");
    update(&mut screen, chat::Message::WholePressed(id));
    let screen = screen_with(vec![line(2, 1, "short"), line(3, 2, &"x".repeat(800))]);
    let read = labels(&tree(screen.view(&context(Language::English), &pictures, &[])), Role::Button);
    assert!(!read.contains(&"Show all".into()), "{read:?}");
}

#[test]
fn who_may_not_write_or_record_is_told_so() {
    let (mut screen, pictures) = (screen_with(lines()), common::pictures(0));
    screen.model.chat.set_flags(MeetingFlags::default() | MeetingFlags::CHAT_HISTORY);
    let mut ui = Ui::new(screen.view(&context(Language::English), &pictures, &[]));
    ui.click_id("chat-export");
    assert!(matches!(ui.messages()[..], [meeting::Message::Chat(chat::Message::ExportPressed)]));
    assert_eq!(update(&mut screen, chat::Message::ExportPressed), Action::Chat(chat::Action::Export));
    let mut ui = Ui::new(screen.view(&context(Language::English), &pictures, &[]));
    ui.click_id("chat-keep");
    let messages = ui.messages();
    assert!(
        matches!(messages[..], [meeting::Message::Chat(chat::Message::KeepPressed(false))]),
        "the organiser may change it: {messages:?}"
    );
    screen.model.people[0].role = engine::Role::Participant;
    let mut ui = Ui::new(screen.view(&context(Language::English), &pictures, &[]));
    ui.find("People who join later can read messages to everyone.");
    drop(ui);
    screen.model.people[0].rights = Rights::NONE;
    let mut ui = Ui::new(screen.view(&context(Language::English), &pictures, &[]));
    ui.find("The organiser has turned off chat for you.");
    ui.click_id("chat-export");
    assert!(ui.messages().is_empty());
}

#[test]
fn what_is_typed_for_one_reader_is_shown_to_nobody() {
    let mut screen = screen_with(lines());
    let shown = |text: &str| sent(Command::Type(TypedText::new(text)));
    assert_eq!(update(&mut screen, typed("Hello".into())), Action::None, "the user has not asked for it");
    assert_eq!(update(&mut screen, chat::Message::ShowTypingPressed(true)), shown("Hello"));
    assert_eq!(update(&mut screen, chat::Message::ToChosen(Some(ParticipantId(2)))), shown(""));
    assert_eq!(update(&mut screen, typed("Hello, only for you".into())), Action::None);
    assert_eq!(update(&mut screen, chat::Message::ToChosen(None)), shown("Hello, only for you"));
    assert_eq!(
        update(&mut screen, chat::Message::Submitted),
        sent(Command::Send(new_line(None, "Hello, only for you")))
    );
    assert_eq!(update(&mut screen, typed("Next".into())), shown("Next"));
    assert_eq!(update(&mut screen, chat::Message::EditPressed(lines()[2].id)), shown(""));
    assert_eq!(update(&mut screen, typed("An edit".into())), Action::None);
}

fn typing(author: u8, start: u32, text: &str) -> Event {
    let typing = Typing { device: device(author), name: line(author, 1, "x").name, start, text: TypedText::new(text) };
    Event::Chat(ChatEvent::Typing(typing))
}

/// Three others type, and the user shows what is typed.
fn typing_screen() -> meeting::Meeting {
    let mut screen = screen_with(lines());
    handle(&mut screen, &typing(2, 0, "I will be the"));
    handle(&mut screen, &typing(3, 40, "Où en est le budget ? Nous devions le voir hier, et je n’ai encore rien re"));
    handle(&mut screen, &typing(4, 0, &"a long text without an end ".repeat(12)));
    update(&mut screen, chat::Message::ShowTypingPressed(true));
    update(&mut screen, typed("I show this".into()));
    screen
}

#[test]
fn what_others_type_is_below_the_lines_and_is_read_by_words() {
    let mut screen = screen_with(vec![line(2, 1, "Good morning!")]);
    assert_eq!(handle(&mut screen, &typing(2, 0, "I will be th")), 1, "three words");
    assert_eq!(handle(&mut screen, &typing(2, 0, "I will be the")), 0, "no word is finished");
    let pictures = common::pictures(0);
    let update = tree(screen.view(&context(Language::English), &pictures, &[]));
    assert!(labels(&update, Role::CheckBox).contains(&"Show my text while I type".to_owned()));
    assert!(labels(&update, Role::ListItem).contains(&"Bob is typing".to_owned()));
    handle(&mut screen, &typing(2, 0, ""));
    assert_eq!(handle(&mut screen, &Event::Chat(ChatEvent::Lines(vec![line(2, 2, "I will be there")]))), 1);
    assert!(screen.model.chat.typing().next().is_none());
}
