//! The votes among the lines: who begins and ends one, whose ballots count, and what those who come late get of it.

use super::{Entry, Lines, Sender, new_line};
use crate::meeting::chat::line::LineId;
use crate::meeting::chat::message::{Content, PassedBallot, Question};
use crate::meeting::chat::votes::{self, Cast, Count, OpenVote, Voter};
use proto::Rights;

impl Lines {
    /// Handles the question of a vote. Returns its id if it counts.
    pub fn ask(&mut self, from: &Sender<'_>, question: &Question) -> Option<LineId> {
        let id = LineId { device: from.member.device, counter: question.counter };
        let placed = self.find(id).is_some_and(|at| self.entries[at].line.place.is_some());
        if !votes::may_ask(from.member) || !votes::is_valid(question) || from.private.is_some() || placed {
            return None;
        }
        if let Some(at) = self.find(id) {
            self.place_own(at, from, None);
        } else if self.seen.insert(id) {
            let (name, text) = (from.member.name.clone(), question.text.clone());
            let content = Content { revision: 0, time: from.time, name, text, reply: None, mentions: Vec::new() };
            let (line, is_shared) = (new_line(id, from, &content), from.is_shared);
            self.insert(Entry { line, revision: 0, signed: None, is_shared, count: None });
        } else {
            return None;
        }
        let count = Count::new(question, id.device == from.me);
        let entry = self.find(id).map(|at| &mut self.entries[at])?;
        (entry.line.vote, entry.signed) = (Some(count.shown(from.me)), None);
        self.bytes += count.length();
        entry.count = Some(count);
        Some(id)
    }

    /// Counts a ballot in the vote `id`. Returns true if it counts.
    pub fn choose(&mut self, from: &Sender<'_>, id: LineId, cast: Cast) -> bool {
        let Some(Entry { line, count: Some(count), .. }) = self.find(id).map(|at| &mut self.entries[at]) else {
            return false;
        };
        // A secret ballot is known to the voter and to the member that asks.
        let is_sealed = from.private.as_ref().map(|peer| peer.device);
        let ends = if from.member.device == from.me { is_sealed == Some(id.device) } else { id.device == from.me };
        let is_mine = id.device == from.me && from.member.device == from.me;
        let fits = if count.is_secret() {
            is_mine || is_sealed.is_some() && ends
        } else {
            is_sealed.is_none() && cast.signature.is_some()
        };
        let voter = Voter { device: from.member.device, name: &from.member.name };
        let counts = from.has(Rights::REACT) && fits && count.add(voter, cast);
        line.vote = Some(count.shown(from.me));
        counts
    }

    /// Ends a vote of the sender. Returns its id if it counts.
    pub fn end_vote(&mut self, from: &Sender<'_>, counter: u64, claimed: &[u32]) -> Option<LineId> {
        let id = LineId { device: from.member.device, counter };
        let entry = self.find(id).map(|at| &mut self.entries[at]);
        let Some(Entry { line, count: Some(count), .. }) = entry else { return None };
        if from.private.is_some() || !count.end(claimed) {
            return None;
        }
        line.vote = Some(count.shown(from.me));
        Some(id)
    }

    /// Returns the sums of an own vote that has not ended. `None` if there is none.
    pub fn sums(&self, id: LineId) -> Option<Vec<u32>> {
        let entry = self.find(id).map(|at| &self.entries[at])?;
        let is_open = entry.line.me && entry.line.vote.as_ref().is_some_and(|vote| !vote.ended);
        entry.count.as_ref().filter(|_| is_open).map(Count::counted)
    }

    /// Returns the number of the last ballot that this client knows of the sender, in the vote `id`.
    pub fn last_ballot(&self, from: &Sender<'_>, id: LineId) -> Option<u64> {
        let count = self.find(id).and_then(|at| self.entries[at].count.as_ref())?;
        count.last_ballot(from.member.device)
    }

    /// Returns the votes of this client that have not ended, and that those who come late may know.
    pub fn open_votes(&self) -> Vec<OpenVote> {
        let open = self.entries.iter().filter(|entry| entry.line.me && entry.is_shared);
        let vote = |entry: &Entry| {
            let count = entry.count.as_ref().filter(|count| !count.has_ended())?;
            let text = super::text_of(&entry.line)?;
            let question = count.question(entry.line.id.counter, text);
            Some(OpenVote { question, place: entry.line.place?, ballots: count.ballots() })
        };
        open.filter_map(vote).collect()
    }

    /// Adds an open vote from before that its author passes on, or ballots of it that are missing. Their signatures were verified.
    /// Returns its id if something is new.
    pub fn merge_vote(
        &mut self,
        from: &Sender<'_>,
        question: &Question,
        place: u64,
        ballots: &[PassedBallot],
    ) -> Option<LineId> {
        let id = LineId { device: from.member.device, counter: question.counter };
        let is_known = self.find(id).is_some();
        if !is_known {
            self.ask(&Sender { place, is_shared: true, ..from.clone() }, question)?;
        }
        let Entry { line, count: Some(count), .. } = self.find(id).map(|at| &mut self.entries[at])? else {
            return None;
        };
        let mut is_new = !is_known;
        if !count.is_secret() {
            for ballot in ballots {
                is_new |= count.add_passed(ballot);
            }
        }
        line.vote = Some(count.shown(from.me));
        is_new.then_some(id)
    }
}
