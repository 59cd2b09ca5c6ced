//! Notices: at most three at the top right, each says what, whose fault, what to do; readable six seconds, kept in a list.

use std::collections::VecDeque;
use std::time::Instant;

use accesskit::Role;
use iced::widget::{Column, column, container, row, scrollable};
use iced::{Alignment, Length, Padding};

use super::Context;
use crate::kit::{Element, Icon, icon, press, region, text};
use crate::model::{Notice, sentence};
use crate::theme::{
    self, BAR_TOP, ICON_SMALL, Look, NOTICE, READABLE, SPACE_L, SPACE_M, SPACE_S, SPACE_XS, TARGET, Tone,
};

/// More than this many are not kept: the oldest goes.
const MAX_KEPT: usize = 100;
/// This many are seen at once.
const MAX_SHOWN: usize = 3;

/// Notices seen, waiting to be seen, and seen before.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    shown: Vec<(Notice, Instant)>,
    waiting: VecDeque<Notice>,
    kept: Vec<Notice>,
}

/// What happened.
#[derive(Clone, Copy, Debug)]
pub enum Message {
    /// "Dismiss" was pressed on one that is seen.
    Dismissed(usize),
}

impl Queue {
    /// Something to tell. The same thing twice in a row is told once; a quiet one is only listed, once.
    pub fn push(&mut self, notice: Notice, now: Instant) {
        if notice.kind.is_quiet() && self.kept.iter().any(|kept| kept.kind == notice.kind)
            || self.shown.iter().any(|(shown, _)| shown.kind == notice.kind)
            || self.waiting.iter().any(|waiting| waiting.kind == notice.kind)
        {
            return;
        }
        if notice.kind.fault().is_some() {
            if self.kept.len() == MAX_KEPT {
                self.kept.remove(0);
            }
            self.kept.push(notice.clone());
        }
        if !notice.kind.is_quiet() {
            self.waiting.push_back(notice);
        }
        self.tick(now);
    }

    /// Time has passed: some have been read, others take their place.
    pub fn tick(&mut self, now: Instant) {
        self.shown.retain(|(_, since)| now.saturating_duration_since(*since) < READABLE);
        while self.shown.len() < MAX_SHOWN
            && let Some(next) = self.waiting.pop_front()
        {
            self.shown.push((next, now));
        }
    }

    /// Takes in what happened.
    pub fn update(&mut self, message: Message, now: Instant) {
        let Message::Dismissed(index) = message;
        if index < self.shown.len() {
            self.shown.remove(index);
        }
        self.tick(now);
    }

    /// Whether time matters now.
    pub fn is_busy(&self) -> bool {
        !self.shown.is_empty()
    }

    /// Everything that went wrong so far, oldest first.
    pub fn kept(&self) -> &[Notice] {
        &self.kept
    }

    /// Forgets everything: another meeting begins.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The notices that are seen now, for a layer over the screen.
    pub fn view(&self, context: &Context) -> Option<Element<'_, Message>> {
        if self.shown.is_empty() {
            return None;
        }
        let cards = self.shown.iter().enumerate().map(|(index, (notice, _))| card(index, notice, context));
        let cards = Column::with_children(cards).spacing(SPACE_S).width(NOTICE.min(context.size.width - 2.0 * SPACE_L));
        let cards = region(Role::Region, &context.say("notice-region"), cards);
        let place = container(cards).width(Length::Fill).align_x(Alignment::End);
        Some(place.padding(Padding::from(SPACE_L).top(BAR_TOP + SPACE_S)).into())
    }
}

/// Everything that was reported, newest first: what is in the panel.
pub fn list<'a, Any: 'a>(reported: &'a [Notice], context: &Context) -> Element<'a, Any> {
    if reported.is_empty() {
        let words = text::small(context.say("meeting-notices-empty")).style(text::tone(Tone::Dim));
        return container(words).padding([0.0, SPACE_L]).into();
    }
    let lines = reported.iter().rev().map(|notice| {
        let words = words(notice, context).push(details(&notice.detail, context));
        let line = row![sign(notice), words].spacing(SPACE_M);
        region(Role::ListItem, &spoken(notice, context), line)
    });
    let list = Column::with_children(lines).spacing(SPACE_L).padding([SPACE_XS, SPACE_L]);
    scrollable(region(Role::List, &context.say("notice-region"), list)).height(Length::Fill).into()
}

fn card<'a>(index: usize, notice: &Notice, context: &Context) -> Element<'a, Message> {
    let dismiss = container(icon(Icon::Close).size(ICON_SMALL)).center(TARGET);
    let dismiss = press(dismiss, &context.say("action-dismiss"), Some(Message::Dismissed(index)));
    let dismiss = dismiss.id(format!("dismiss-{index}")).look(Look::Quiet).square(TARGET);
    let line = row![sign(notice), words(notice, context), Element::from(dismiss)].spacing(SPACE_M);
    let line = container(line).padding(Padding::from(SPACE_M).left(SPACE_L)).width(Length::Fill).style(theme::notice);
    region(Role::Alert, &context.say(notice.kind.id()), line)
}

fn sign<'a, Any: 'a>(notice: &Notice) -> Element<'a, Any> {
    let (sign, tone) =
        if notice.kind.fault().is_some() { (Icon::Warning, Tone::Warn) } else { (Icon::Check, Tone::Good) };
    container(icon(sign).size(ICON_SMALL)).padding(SPACE_S - 1.0).style(theme::tinted(tone)).into()
}

/// What, whose fault, what to do.
fn words<'a, Any: 'a>(notice: &Notice, context: &Context) -> Column<'a, Any, theme::Theme, iced::Renderer> {
    let fault = notice
        .kind
        .fault()
        .map(|fault| text::caption(context.say(sentence::fault(fault))).style(text::tone(Tone::Dim)));
    let advice = text::small(context.say(&format!("{}.advice", notice.kind.id())));
    column![]
        .push(fault)
        .push(text::strong(context.say(notice.kind.id())))
        .push(advice)
        .spacing(2.0)
        .width(Length::Fill)
}

/// The same for a screen reader, which hears of an item in a list what it is called and nothing else.
fn spoken(notice: &Notice, context: &Context) -> String {
    let id = notice.kind.id();
    let fault = notice.kind.fault().map(|fault| context.say(sentence::fault(fault)));
    let said = fault.into_iter().chain([context.say(id), context.say(&format!("{id}.advice"))]);
    said.collect::<Vec<_>>().join(". ")
}

/// The cause in the words of whoever reported it, marked as what it is: it may be in another language, and of use to few.
pub(crate) fn details<'a, Any: 'a>(detail: &str, context: &Context) -> Option<Element<'a, Any>> {
    if detail.is_empty() {
        return None;
    }
    let words = context.language.with("notice-details", &[("detail", detail.into())]);
    Some(text::caption(words).style(text::tone(Tone::Dim)).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::NoticeKind;
    use engine::NoticeKind as Engine;
    use std::time::Duration;

    fn notice(kind: impl Into<NoticeKind>) -> Notice {
        Notice { kind: kind.into(), detail: String::new() }
    }

    #[test]
    fn three_are_seen_and_the_rest_waits_its_turn() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        for kind in [Engine::NoCamera, Engine::NoSound, Engine::SoundLost, Engine::BadFile] {
            queue.push(notice(kind), now);
        }
        assert_eq!((queue.shown.len(), queue.waiting.len()), (3, 1));
        queue.tick(now + READABLE.saturating_sub(Duration::from_millis(1)));
        assert_eq!(queue.shown.len(), 3, "six seconds to read");
        queue.tick(now + READABLE);
        assert_eq!((queue.shown.len(), queue.waiting.len()), (1, 0));
        assert_eq!(queue.kept().len(), 4, "all are kept in the list");
    }

    #[test]
    fn the_same_thing_is_told_once_while_it_is_seen() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.push(notice(Engine::NoCamera), now);
        queue.push(notice(Engine::NoCamera), now);
        assert_eq!((queue.shown.len(), queue.kept().len()), (1, 1));
    }

    #[test]
    fn what_nothing_can_be_done_about_is_listed_and_covers_nobody() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.push(notice(NoticeKind::NoGpu), now);
        queue.push(notice(NoticeKind::NoGpu), now);
        assert!(!queue.is_busy());
        assert_eq!(queue.kept(), [notice(NoticeKind::NoGpu)]);
    }

    #[test]
    fn what_went_well_is_not_kept() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.push(notice(NoticeKind::LinkCopied), now);
        assert!(queue.is_busy() && queue.kept().is_empty());
        queue.update(Message::Dismissed(0), now);
        assert!(!queue.is_busy());
    }
}
