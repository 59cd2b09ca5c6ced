//! Who asks for the lines from before, and who answers. Pure.
//!
//! A member that enters asks. The present member of the highest rank answers; each further one waits longer, and stays silent
//! if it sees an answer of one before it. Who waits for an answer itself does not answer, because it may have missed lines.
//!
//! A hostile member can answer at once with nothing. So members of a higher rank answer nevertheless, and the member that
//! has asked takes several answers, but only so many lines of each member.

use super::lines::MAX_HISTORY_LINES;
use super::message::{ChatMessage, MAX_ANSWERED, MAX_BODY, MAX_OLD_LINES, OldLine};
use proto::ParticipantId;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The state of both roles.
#[derive(Default)]
pub struct History {
    /// This client wants the lines: how often it has asked, and when it asks next.
    asking: Option<(u32, Instant)>,
    /// Until when this client takes answers. `None` before it has asked.
    taking: Option<Instant>,
    /// How many lines it has taken of each member.
    taken: BTreeMap<ParticipantId, usize>,
    /// Who has asked, and when this client answers.
    requests: BTreeMap<ParticipantId, Instant>,
    /// How often each was answered, and the last time.
    answered: BTreeMap<ParticipantId, (u32, Instant)>,
}

impl History {
    /// This client wants the lines from before.
    pub fn want(&mut self, now: Instant) {
        self.asking.get_or_insert((0, now));
    }

    /// Handles a part of an answer by `from` with `count` lines. Returns how many of them count.
    pub fn handle_answer(&mut self, from: ParticipantId, (count, last): (usize, bool), now: Instant) -> usize {
        if self.taking.is_none_or(|end| end <= now) {
            return 0;
        }
        if last {
            self.asking = None;
        }
        let taken = self.taken.entry(from).or_default();
        let count = count.min(MAX_HISTORY_LINES.saturating_sub(*taken));
        *taken += count;
        count
    }

    /// Returns true if this client has to ask now.
    pub fn take_question(&mut self, now: Instant) -> bool {
        let Some((times, due)) = &mut self.asking else { return false };
        if *due > now {
            return false;
        }
        let asks = *times < MAX_QUESTIONS;
        (*times, *due) = (*times + 1, now + ANSWER_TIMEOUT);
        if asks {
            self.taking = Some(now + TAKING);
            self.taken.clear();
        } else {
            self.asking = None;
        }
        asks
    }

    /// Handles a question. `rank` is how many members act before this client.
    pub fn handle_question(&mut self, from: ParticipantId, rank: u32, now: Instant) {
        let (times, next) = self.answered.get(&from).map_or((0, now), |(times, last)| (*times, *last + PAUSE));
        if times < MAX_ANSWERS && next <= now {
            self.requests.entry(from).or_insert(now + RANK_INTERVAL * rank);
        }
    }

    /// Another member, that acts before this client, has answered `to`.
    pub fn handle_other_answer(&mut self, to: &[ParticipantId], now: Instant) {
        for who in to {
            if self.requests.remove(who).is_some() {
                self.note_answer(*who, now);
            }
        }
    }

    /// Takes the members to be answered now, by one answer.
    pub fn take_requests(&mut self, now: Instant) -> Vec<ParticipantId> {
        if self.asking.is_some() {
            return Vec::new();
        }
        let due = self.requests.iter().filter(|(_, due)| **due <= now);
        let due: Vec<_> = due.map(|(who, _)| *who).take(MAX_ANSWERED).collect();
        for who in &due {
            self.requests.remove(who);
            self.note_answer(*who, now);
        }
        due
    }

    fn note_answer(&mut self, who: ParticipantId, now: Instant) {
        let (times, last) = self.answered.entry(who).or_insert((0, now));
        (*times, *last) = (*times + 1, now);
    }

    /// Forgets those who have left.
    pub fn handle_group_change(&mut self, is_member: impl Fn(ParticipantId) -> bool) {
        self.requests.retain(|id, _| is_member(*id));
        self.answered.retain(|id, _| is_member(*id));
    }

    /// Returns when there is something to do. `is_answering` is true while an answer is on its way: all who ask meanwhile
    /// get one answer together.
    pub fn deadline(&self, is_answering: bool) -> Option<Instant> {
        let request = || self.requests.values().copied().min().filter(|_| !is_answering);
        self.asking.map(|(_, due)| due).or_else(request)
    }
}

/// Returns the messages with these lines for `to`. There is at least one.
pub fn answer(to: &[ParticipantId], lines: Vec<OldLine>) -> Vec<ChatMessage> {
    let (mut parts, mut part, mut length) = (Vec::new(), Vec::new(), 0);
    let head = HEAD + to.len() * MAX_ID;
    for line in lines {
        let size = minicbor::to_vec(&line).map_or(MAX_BODY, |bytes| bytes.len());
        if !part.is_empty() && (length + size > MAX_BODY - head || part.len() == MAX_OLD_LINES) {
            parts.push(std::mem::take(&mut part));
            length = 0;
        }
        part.push(line);
        length += size;
    }
    parts.push(part);
    let count = parts.len();
    let message = |(at, lines)| ChatMessage::History { to: to.to_vec(), lines, last: at + 1 == count };
    parts.into_iter().enumerate().map(message).collect()
}

/// Bytes of a message besides its lines and the members that it answers.
const HEAD: usize = 32;
/// The longest encoding of a member's id, in bytes.
const MAX_ID: usize = 9;
/// How much longer each member waits with an answer than the one before it in rank.
const RANK_INTERVAL: Duration = Duration::from_secs(2);
/// How long a member waits for an answer before it asks again.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_QUESTIONS: u32 = 3;
/// How long after a question answers are taken: all who answer do so in this time, or are not heard.
const TAKING: Duration = Duration::from_secs(30);
/// How often one member is answered, and the pause between two answers.
const MAX_ANSWERS: u32 = 8;
const PAUSE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: ParticipantId = ParticipantId(1);

    #[test]
    fn the_first_in_rank_answers_and_the_others_only_if_it_does_not() {
        let (start, mut first, mut second) = (Instant::now(), History::default(), History::default());
        first.handle_question(ADA, 0, start);
        second.handle_question(ADA, 1, start);
        first.want(start);
        assert_eq!(first.take_requests(start), [], "it may have missed lines itself");
        first.asking = None;
        assert_eq!((first.take_requests(start), second.take_requests(start)), (vec![ADA], vec![]));
        let mut third = History::default();
        third.handle_question(ADA, 2, start);
        third.handle_other_answer(&[ADA], start);
        assert_eq!((second.take_requests(start + 2 * RANK_INTERVAL), third.deadline(false)), (vec![ADA], None));
    }

    #[test]
    fn a_member_that_asks_again_and_again_is_answered_a_few_times() {
        let (start, mut history) = (Instant::now(), History::default());
        let mut answers = 0;
        for second in 0..1_000 {
            let now = start + Duration::from_secs(second);
            history.handle_question(ADA, 0, now);
            answers += u32::from(!history.take_requests(now).is_empty());
        }
        assert_eq!(answers, MAX_ANSWERS);
    }

    #[test]
    fn a_client_without_an_answer_asks_three_times() {
        let (start, mut history) = (Instant::now(), History::default());
        assert!(!history.take_question(start));
        history.want(start);
        let asked = (0..100).filter(|second| history.take_question(start + Duration::from_secs(*second))).count();
        assert_eq!((asked, history.asking), (3, None));
        history.want(start);
        assert!(history.take_question(start));
        history.handle_answer(ADA, (0, true), start);
        assert!(!history.take_question(start + ANSWER_TIMEOUT) && history.deadline(false).is_none());
    }

    #[test]
    fn those_who_ask_while_an_answer_is_on_its_way_get_one_answer_together() {
        let (start, mut history) = (Instant::now(), History::default());
        (1..=100).for_each(|id| history.handle_question(ParticipantId(id), 0, start));
        assert_eq!((history.deadline(true), history.deadline(false)), (None, Some(start)));
        assert_eq!((history.take_requests(start).len(), history.take_requests(start).len()), (MAX_ANSWERED, 36));
    }

    #[test]
    fn an_empty_answer_stops_no_other_answer_and_each_member_may_pass_on_so_many_lines() {
        let (start, bob) = (Instant::now(), ParticipantId(2));
        let mut asker = History::default();
        assert_eq!(asker.handle_answer(bob, (9, false), start), 0, "nobody has asked");
        asker.want(start);
        assert!(asker.take_question(start));
        assert_eq!(asker.handle_answer(bob, (0, true), start), 0);
        assert_eq!(asker.handle_answer(ADA, (64, false), start), 64);
        assert_eq!(asker.handle_answer(ADA, (64, true), start), MAX_HISTORY_LINES - 64, "so many of one member");
        assert_eq!(asker.handle_answer(bob, (64, true), start + TAKING), 0, "too late");
    }
}
