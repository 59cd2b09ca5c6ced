//! Notifications. Each says what happened, where the cause is and what to do. At most three are shown at the top right, for
//! six seconds each; a panel lists those that report a problem.

use std::collections::VecDeque;
use std::time::Instant;

use accesskit::Role;
use iced::widget::{Column, column, container, row, scrollable};
use iced::{Alignment, Length, Padding};

use super::Context;
use crate::kit::{Element, Icon, icon, press, region, text};
use crate::model::{Notice, sentence};
use crate::theme::{
    self, BAR_TOP, ICON_SMALL, Look, NOTICE, NOTICE_DURATION, SPACE_L, SPACE_M, SPACE_S, SPACE_XS, TARGET, Tone,
};

/// The maximum length of the history. If there are more, the oldest is dropped.
const MAX_HISTORY: usize = 100;
/// The maximum number shown at once.
const MAX_SHOWN: usize = 3;

/// The notifications that are shown, waiting, and in the history.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    /// Each with the time since which it is shown.
    shown: Vec<(Notice, Instant)>,
    waiting: VecDeque<Notice>,
    history: Vec<Notice>,
}

/// User input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// "Dismiss" was pressed on the shown notification with this index.
    Dismissed(usize),
}

impl Queue {
    /// Adds a notification. It is dropped if one of its kind is shown or waiting. A quiet one is only added to the history,
    /// once. Returns whether it is shown now or later.
    pub fn push(&mut self, notice: Notice, now: Instant) -> bool {
        if notice.kind.is_quiet() && self.history.iter().any(|kept| kept.kind == notice.kind)
            || self.shown.iter().any(|(shown, _)| shown.kind == notice.kind)
            || self.waiting.iter().any(|waiting| waiting.kind == notice.kind)
        {
            return false;
        }
        let is_shown = !notice.kind.is_quiet();
        if notice.kind.fault().is_some() {
            if self.history.len() == MAX_HISTORY {
                self.history.remove(0);
            }
            self.history.push(notice.clone());
        }
        if is_shown {
            self.waiting.push_back(notice);
        }
        self.tick(now);
        is_shown
    }

    /// Removes notifications whose time is over, and shows waiting ones.
    pub fn tick(&mut self, now: Instant) {
        self.shown.retain(|(_, since)| now.saturating_duration_since(*since) < NOTICE_DURATION);
        while self.shown.len() < MAX_SHOWN
            && let Some(next) = self.waiting.pop_front()
        {
            self.shown.push((next, now));
        }
    }

    /// Handles user input.
    pub fn update(&mut self, message: Message, now: Instant) {
        let Message::Dismissed(index) = message;
        if index < self.shown.len() {
            self.shown.remove(index);
        }
        self.tick(now);
    }

    /// Whether notifications are shown, so that [`Queue::tick`] must be called.
    pub fn is_busy(&self) -> bool {
        !self.shown.is_empty()
    }

    /// The notifications that report a problem, oldest first.
    pub fn history(&self) -> &[Notice] {
        &self.history
    }

    /// Removes everything, for the next meeting.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Removes the notifications that no longer matter, because the meeting is over.
    pub fn end_meeting(&mut self) {
        self.shown.retain(|(notice, _)| notice.kind.outlives_meeting());
        self.waiting.retain(|notice| notice.kind.outlives_meeting());
    }

    /// The shown notifications, for a layer over a screen below its upper bar; `None` if none are shown.
    pub fn view(&self, context: &Context) -> Option<Element<'_, Message>> {
        let cards = self.cards(context)?;
        Some(container(cards).padding(Padding::from(SPACE_L).top(BAR_TOP + SPACE_S)).into())
    }

    /// The shown notifications, aligned to the right; `None` if none are shown.
    pub fn cards(&self, context: &Context) -> Option<Element<'_, Message>> {
        if self.shown.is_empty() {
            return None;
        }
        let cards = self.shown.iter().enumerate().map(|(index, (notice, _))| card(index, notice, context));
        let cards = Column::with_children(cards).spacing(SPACE_S).width(NOTICE.min(context.size.width - 2.0 * SPACE_L));
        let cards = region(Role::Region, &context.text("notice-region"), cards);
        Some(container(cards).width(Length::Fill).align_x(Alignment::End).into())
    }
}

/// The content of the panel: `reported`, newest first.
pub fn list<'a, Any: 'a>(reported: &'a [Notice], context: &Context) -> Element<'a, Any> {
    if reported.is_empty() {
        let words = text::small(context.text("meeting-notices-empty")).style(text::tone(Tone::Dim));
        return container(words).padding([0.0, SPACE_L]).into();
    }
    let lines = reported.iter().rev().map(|notice| {
        let words = words(notice, context).push(details(&notice.details(context.language), context));
        let line = row![badge(notice), words].spacing(SPACE_M);
        region(Role::ListItem, &accessible_name(notice, context), line)
    });
    let list = Column::with_children(lines).spacing(SPACE_L).padding([SPACE_XS, SPACE_L]);
    scrollable(region(Role::List, &context.text("notice-region"), list)).height(Length::Fill).into()
}

fn card<'a>(index: usize, notice: &Notice, context: &Context) -> Element<'a, Message> {
    let dismiss = container(icon(Icon::Close).size(ICON_SMALL)).center(TARGET);
    let dismiss = press(dismiss, &context.text("action-dismiss"), Some(Message::Dismissed(index)));
    let dismiss = dismiss.id(format!("dismiss-{index}")).look(Look::Quiet).square(TARGET);
    let line = row![badge(notice), words(notice, context), Element::from(dismiss)].spacing(SPACE_M);
    let line = container(line).padding(Padding::from(SPACE_M).left(SPACE_L)).width(Length::Fill).style(theme::notice);
    region(Role::Alert, &notice.sentence(context.language), line)
}

fn badge<'a, Any: 'a>(notice: &Notice) -> Element<'a, Any> {
    let (symbol, tone) =
        if notice.kind.fault().is_some() { (Icon::Warning, Tone::Warn) } else { (Icon::Check, Tone::Good) };
    container(icon(symbol).size(ICON_SMALL)).padding(SPACE_S - 1.0).style(theme::tinted(tone)).into()
}

/// The text of a notification.
fn words<'a, Any: 'a>(notice: &Notice, context: &Context) -> Column<'a, Any, theme::Theme, iced::Renderer> {
    let fault = notice
        .kind
        .fault()
        .map(|fault| text::caption(context.text(sentence::fault(fault))).style(text::tone(Tone::Dim)));
    let advice = text::small(notice.advice(context.language));
    column![]
        .push(fault)
        .push(text::strong(notice.sentence(context.language)))
        .push(advice)
        .spacing(2.0)
        .width(Length::Fill)
}

/// The text of a notification as one name: screen readers read only the name of a list item.
fn accessible_name(notice: &Notice, context: &Context) -> String {
    let fault = notice.kind.fault().map(|fault| context.text(sentence::fault(fault)));
    let texts = fault.into_iter().chain([notice.sentence(context.language), notice.advice(context.language)]);
    texts.collect::<Vec<_>>().join(". ")
}

/// The reported cause, labelled as a detail. `None` if it is empty.
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
        Notice { kind: kind.into(), file: None, detail: String::new() }
    }

    #[test]
    fn at_most_three_are_shown_and_the_others_wait() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        for kind in [Engine::NoCamera, Engine::NoSound, Engine::SoundLost, Engine::BadFile] {
            queue.push(notice(kind), now);
        }
        assert_eq!((queue.shown.len(), queue.waiting.len()), (3, 1));
        queue.tick(now + NOTICE_DURATION.saturating_sub(Duration::from_millis(1)));
        assert_eq!(queue.shown.len(), 3, "shown for six seconds");
        queue.tick(now + NOTICE_DURATION);
        assert_eq!((queue.shown.len(), queue.waiting.len()), (1, 0));
        assert_eq!(queue.history().len(), 4, "all are in the history");
    }

    #[test]
    fn each_kind_is_shown_once_at_a_time() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.push(notice(Engine::NoCamera), now);
        queue.push(notice(Engine::NoCamera), now);
        assert_eq!((queue.shown.len(), queue.history().len()), (1, 1));
    }

    #[test]
    fn a_quiet_notification_is_listed_but_not_shown() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.push(notice(NoticeKind::NoGpu), now);
        queue.push(notice(NoticeKind::NoGpu), now);
        assert!(!queue.is_busy());
        assert_eq!(queue.history(), [notice(NoticeKind::NoGpu)]);
    }

    #[test]
    fn a_success_is_not_in_the_history() {
        let (mut queue, now) = (Queue::default(), Instant::now());
        queue.push(notice(NoticeKind::LinkCopied), now);
        assert!(queue.is_busy() && queue.history().is_empty());
        queue.update(Message::Dismissed(0), now);
        assert!(!queue.is_busy());
    }
}
