//! The alarm about a fork, the pictures to compare, and the spoken phrase.

use accesskit::Role;
use app::kit::Element;
use app::locale::Language;
use app::model::NoticeKind;
use app::screen::Context;
use app::screen::meeting::{self, Panel, verify};
use engine::verification::{Agreement, EmojiCheck, EmojiFailure, Event as Shown, PhraseCheck};
use engine::{Emoji, Event, ParticipantId, Phrase};
use std::time::Instant;

use crate::common::{self, Ui, context, meeting_of, tree};

fn ids(numbers: &[u64]) -> Vec<ParticipantId> {
    numbers.iter().copied().map(ParticipantId).collect()
}

fn shows(screen: &mut meeting::Meeting, event: Shown) -> Option<NoticeKind> {
    screen.handle_event(&Event::Verification(event), Instant::now());
    screen.model.verification.take_notice().map(|notice| notice.kind)
}

/// A meeting of four in which the third and the fourth have other keys.
fn forked() -> meeting::Meeting {
    let mut screen = meeting_of(4);
    let agreement = Agreement { agree: ids(&[2]), differ: ids(&[3, 4]), unheard: Vec::new(), misnumbered: Vec::new() };
    assert_eq!(shows(&mut screen, Shown::Agreement(agreement)), Some(NoticeKind::Forked));
    screen
}

fn with_pictures(state: EmojiCheck) -> meeting::Meeting {
    let mut screen = meeting_of(4);
    screen.open(Panel::Lock);
    shows(&mut screen, Shown::Emoji(state));
    screen
}

fn done() -> EmojiCheck {
    EmojiCheck::Done { by: ParticipantId(2), emoji: Emoji([0, 17, 37, 61, 48]), participants: ids(&[1, 2, 3, 4]) }
}

fn with_phrase(state: PhraseCheck) -> meeting::Meeting {
    let mut screen = meeting_of(4);
    screen.open(Panel::Lock);
    shows(&mut screen, Shown::Phrase(state));
    screen
}

/// Calls `visit` with each state of the screen and the name of its picture.
pub fn every_state(context: &Context, visit: &mut impl FnMut(&str, Element<'_, ()>)) {
    let pictures = common::pictures(9);
    let mut draw = |name: &str, screen: &meeting::Meeting| {
        visit(name, screen.view(context, &pictures, &[]).map(drop));
    };
    draw("meeting-forked", &forked());
    draw("meeting-pictures", &with_pictures(done()));
    let waiting = EmojiCheck::Running { by: ParticipantId(1), waiting: ids(&[3, 4]) };
    draw("meeting-pictures-waiting", &with_pictures(waiting));
    draw("meeting-pictures-silent", &with_pictures(EmojiCheck::Failed(EmojiFailure::Silent(ids(&[3])))));
    let phrase = Phrase([0, 2_047, 1_024, 512, 77]);
    let small = |state| {
        let mut screen = with_phrase(state);
        // The words take the space above.
        screen.model.verification.heard.insert(ParticipantId(3), true);
        screen.model.verification.heard.insert(ParticipantId(4), false);
        screen
    };
    draw("meeting-phrase-read", &small(PhraseCheck::Read { by: ParticipantId(2), phrase }));
    draw("meeting-phrase-listen", &small(PhraseCheck::Listen { who: ParticipantId(2), phrase }));
    let mut people = small(PhraseCheck::Failed(ParticipantId(2)));
    people.open(Panel::People);
    draw("meeting-phrase-heard", &people);
}

#[test]
fn the_alarm_names_both_sides_and_the_next_step() {
    for language in Language::ALL {
        let screen = forked();
        let names: Vec<_> = screen.model.people.iter().map(|person| person.name.clone()).collect();
        let view = || screen.view(&context(language), &common::pictures(9), &[]);
        let text = |id: &str, names: String| language.with(id, &[("name", names.into())]);
        let mut ui = Ui::new(view());
        ui.find(&text("notice-forked", format!("{}, {}", names[2], names[3])));
        ui.find(&text("fork-with", names[1].clone()));
        ui.find(&language.text("notice-forked.advice"));
        let mut ui = Ui::new(view());
        ui.click_id("fork-compare");
        assert!(matches!(ui.messages()[..], [meeting::Message::PanelPressed(Panel::Lock)]));
        let mut ui = Ui::new(view());
        ui.click_id("fork-leave");
        assert!(matches!(ui.messages()[..], [meeting::Message::LeavePressed]));
        let update = tree(view());
        let title = text("notice-forked", format!("{}, {}", names[2], names[3]));
        assert!(update.nodes.iter().any(|(_, node)| node.role() == Role::Region && node.label() == Some(&title)));
    }
}

#[test]
fn the_end_of_the_alarm_takes_the_banner_away_and_says_so() {
    let mut screen = forked();
    assert_eq!(shows(&mut screen, Shown::Agreement(Agreement::default())), Some(NoticeKind::Agreed));
    let view = screen.view(&context(Language::English), &common::pictures(9), &[]);
    assert!(!Ui::new(view).tab_order().iter().any(|id| id == "fork-leave"));
}

#[test]
fn the_five_pictures_have_names_for_assistive_tools_in_their_order() {
    for (language, expected) in [
        (Language::English, ["sun", "carrot", "rocket", "camera", "snail"]),
        (Language::French, ["soleil", "carotte", "fusée", "appareil photo", "escargot"]),
    ] {
        let screen = with_pictures(done());
        let update = tree(screen.view(&context(language), &common::pictures(9), &[]));
        let items = update.nodes.iter().filter(|(_, node)| node.role() == Role::ListItem);
        let names: Vec<_> = items.filter_map(|(_, node)| node.label()).filter(|name| expected.contains(name)).collect();
        assert_eq!(names, expected, "{language:?}");
    }
}

#[test]
fn comparing_asking_and_hearing_reach_the_engine_or_stay_here() {
    let mut screen = meeting_of(4);
    screen.open(Panel::Lock);
    let compare = verify::Message::ComparePressed;
    let action = screen.update(meeting::Message::Verify(compare));
    assert_eq!(action, meeting::Action::Verify(engine::verification::Command::CompareEmoji));
    let who = ParticipantId(2);
    let action = screen.update(meeting::Message::Verify(verify::Message::AskPressed(who)));
    assert_eq!(action, meeting::Action::Verify(engine::verification::Command::AskForPhrase(who)));
    shows(&mut screen, Shown::Phrase(PhraseCheck::Listen { who, phrase: Phrase([1; 5]) }));
    assert_eq!(screen.update(meeting::Message::Verify(verify::Message::Heard(true))), meeting::Action::None);
    assert_eq!(screen.model.verification.heard.get(&who), Some(&true));
    // The badge goes with the person.
    let rest = screen.model.people[..1].to_vec();
    screen.handle_event(&Event::People(rest), Instant::now());
    assert!(screen.model.verification.heard.is_empty());
}

#[test]
fn a_request_to_read_a_phrase_opens_the_panel_with_the_words() {
    let mut screen = meeting_of(4);
    let phrase = Phrase([0, 2_047, 1_024, 512, 77]);
    let kind = shows(&mut screen, Shown::Phrase(PhraseCheck::Read { by: ParticipantId(2), phrase }));
    assert_eq!(kind, Some(NoticeKind::ReadPhrase));
    let mut ui = Ui::new(screen.view(&context(Language::French), &common::pictures(9), &[]));
    ui.find(&phrase.in_language(engine::WordsLanguage::French).join(" "));
}
