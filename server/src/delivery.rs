//! The delivery service: who is in which meeting, and in which order their ciphertext counts.
//!
//! A pure machine: connections say [`Up`], the machine hands out [`Action`]s. It knows no clock, no socket and no key;
//! what members tell each other stays a [`proto::Blob`] to it.

mod log;
mod meeting;

use crate::{Limits, sfu};
use bytes::Bytes;
use meeting::Meeting;
use proto::{Blob, Down, MeetingId, ParticipantId, Problem, ToSfu, Up, VERSION};
use std::collections::{HashMap, VecDeque};

/// What is to be done for the machine, in this order.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Send a message to a connection.
    Say(ParticipantId, Bytes),
    /// Close a connection once it has got what was said to it.
    Finish(ParticipantId),
    /// Tell the SFU.
    Media(sfu::Order),
}

/// The machine. See the module.
#[derive(Debug)]
pub struct Delivery {
    limits: Limits,
    meetings: HashMap<MeetingId, Meeting>,
    seats: HashMap<ParticipantId, Seat>,
    actions: VecDeque<Action>,
    draining: bool,
}

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seat {
    /// Connected, and has said nothing.
    Silent,
    /// Greeted, in no meeting.
    Lobby,
    /// Before the door of a meeting.
    AdmissionKey(MeetingId),
    /// In a meeting.
    Member(MeetingId),
    /// About to be closed: not heard any more.
    Finished,
}

impl Delivery {
    /// A machine with no connection.
    pub fn new(limits: Limits) -> Self {
        Self { limits, meetings: HashMap::new(), seats: HashMap::new(), actions: VecDeque::new(), draining: false }
    }

    /// Meetings that have a member.
    pub fn meetings(&self) -> usize {
        self.meetings.len()
    }

    /// Connections that have not gone.
    pub fn connections(&self) -> usize {
        self.seats.len()
    }

    /// A connection is there; it goes by `participant` from now on.
    pub fn handle_arrival(&mut self, participant: ParticipantId) {
        // Nobody else goes by its number: 64 random bits. If somebody did, it would be that one's end.
        self.handle_departure(participant);
        self.seats.insert(participant, Seat::Silent);
        if self.draining {
            self.refuse(participant, Problem::Draining);
        }
    }

    /// A connection is no more.
    pub fn handle_departure(&mut self, participant: ParticipantId) {
        if let Some(seat) = self.seats.remove(&participant) {
            self.vacate(participant, seat);
        }
    }

    /// A connection said something.
    pub fn handle_message(&mut self, from: ParticipantId, message: Up) {
        let Some(seat) = self.seats.get(&from).copied() else { return };
        match (seat, message) {
            (Seat::Finished, _) | (_, Up::Pong) => {}
            (Seat::Silent, Up::Hello { version }) => self.greet(from, version),
            (Seat::Lobby, Up::Create { meeting, admission_key }) => self.create(from, meeting, admission_key),
            (Seat::Lobby, Up::Approach { meeting }) => self.approach(from, meeting),
            (Seat::Lobby, Up::Knock { meeting, request }) => self.knock(from, meeting, request),
            (Seat::Lobby | Seat::AdmissionKey(_) | Seat::Member(_), Up::Leave) => self.finish(from),
            (Seat::Member(meeting), message) => self.handle_member(from, meeting, message),
            (Seat::Silent | Seat::Lobby | Seat::AdmissionKey(_), _) => self.refuse(from, Problem::Malformed),
        }
    }

    /// A connection sent something for the SFU, which only members have.
    pub fn handle_media(&mut self, participant: ParticipantId, request: ToSfu) {
        match self.seats.get(&participant) {
            Some(Seat::Member(_)) => {
                self.actions.push_back(Action::Media(sfu::Order::Request { participant, request }));
            }
            Some(Seat::Silent | Seat::Lobby | Seat::AdmissionKey(_)) => self.refuse(participant, Problem::Malformed),
            Some(Seat::Finished) | None => {}
        }
    }

    /// A connection broke a rule outside this machine: it hears `problem` and ends.
    pub fn refuse(&mut self, participant: ParticipantId, problem: Problem) {
        if self.seats.get(&participant).is_some_and(|seat| *seat != Seat::Finished) {
            self.say(participant, &Down::Problem { problem });
            self.finish(participant);
        }
    }

    /// Takes no meeting and no connection any more, and ends those that there are.
    pub fn drain(&mut self) {
        self.draining = true;
        let everybody: Vec<ParticipantId> = self.seats.keys().copied().collect();
        for participant in everybody {
            self.refuse(participant, Problem::Draining);
        }
    }

    /// What to do next.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    fn greet(&mut self, from: ParticipantId, version: u16) {
        if version != VERSION {
            return self.refuse(from, Problem::Version);
        }
        self.seats.insert(from, Seat::Lobby);
        self.say(from, &Down::Hello { version: VERSION, participant: from });
    }

    fn create(&mut self, from: ParticipantId, id: MeetingId, admission_key: Blob) {
        if admission_key.0.len() > self.limits.stranger_message {
            return self.refuse(from, Problem::Malformed);
        }
        if self.meetings.contains_key(&id) {
            return self.refuse(from, Problem::MeetingExists);
        }
        if self.meetings.len() >= self.limits.meetings {
            return self.refuse(from, Problem::ServerFull);
        }
        self.meetings.insert(id, Meeting::new(admission_key, from, &self.limits));
        self.seats.insert(from, Seat::Member(id));
        self.say(from, &Down::Created);
        self.actions.push_back(Action::Media(sfu::Order::Join { meeting: id, participant: from }));
        tracing::info!(meeting = %id, meetings = self.meetings.len(), "meeting opened");
    }

    fn approach(&mut self, from: ParticipantId, id: MeetingId) {
        match self.meetings.get(&id) {
            Some(meeting) => {
                let admission_key = Down::AdmissionKey { admission_key: meeting.admission_key().clone() };
                self.say(from, &admission_key);
            }
            None => self.refuse(from, Problem::NoMeeting),
        }
    }

    fn knock(&mut self, from: ParticipantId, id: MeetingId, request: Blob) {
        if request.0.len() > self.limits.stranger_message {
            return self.refuse(from, Problem::Malformed);
        }
        let Some(meeting) = self.meetings.get_mut(&id) else { return self.refuse(from, Problem::NoMeeting) };
        if !meeting.knock(from, request.clone()) {
            return self.refuse(from, Problem::MeetingFull);
        }
        self.seats.insert(from, Seat::AdmissionKey(id));
        self.tell_members(id, &Down::Knocked { participant: from, request });
    }

    fn handle_member(&mut self, from: ParticipantId, id: MeetingId, message: Up) {
        match message {
            Up::Refuse { participant, why } => self.turn_away(id, participant, why),
            Up::Commit { epoch, blob, welcomes, removed } => {
                let commit = meeting::Commit { from, epoch, blob, welcomes, removed };
                self.commit(id, commit);
            }
            Up::Tell { epoch, blob } => {
                self.append(id, proto::Entry::Told { from, epoch, blob });
            }
            Up::Hello { .. } | Up::Create { .. } | Up::Approach { .. } | Up::Knock { .. } => {
                self.refuse(from, Problem::Malformed);
            }
            Up::Leave | Up::Pong => {}
        }
    }

    fn turn_away(&mut self, id: MeetingId, participant: ParticipantId, why: proto::Refusal) {
        let waited = self.meetings.get_mut(&id).is_some_and(|meeting| meeting.forget_knock(participant).is_some());
        if waited {
            self.say(participant, &Down::Refused { why });
            self.seats.insert(participant, Seat::Finished);
            self.actions.push_back(Action::Finish(participant));
        }
    }

    fn commit(&mut self, id: MeetingId, commit: meeting::Commit) {
        let Some(meeting) = self.meetings.get_mut(&id) else { return };
        let from = commit.from;
        match meeting.commit(commit) {
            Err(epoch) => self.say(from, &Down::Lost { epoch }),
            Ok(won) => {
                won.removed.iter().for_each(|participant| self.put_out(*participant));
                let bytes = Bytes::from(proto::encode(&won.entry));
                self.actions.extend(won.told.iter().map(|member| Action::Say(*member, bytes.clone())));
                for participant in won.removed {
                    self.append(id, proto::Entry::Gone { participant });
                }
                self.welcome(id, won.welcomes);
                self.end_if_empty(id);
            }
        }
    }

    /// A commit put somebody out: it hears no entry any more.
    fn put_out(&mut self, participant: ParticipantId) {
        self.seats.insert(participant, Seat::Finished);
        self.say(participant, &Down::Removed);
        self.actions.push_back(Action::Finish(participant));
        self.actions.push_back(Action::Media(sfu::Order::Leave { participant }));
    }

    /// Lets those in who wait, and logs the others as gone: members hold leaves of theirs now.
    fn welcome(&mut self, id: MeetingId, welcomes: Vec<proto::Welcome>) {
        for proto::Welcome { to, blob } in welcomes {
            let Some(meeting) = self.meetings.get_mut(&id) else { return };
            let admission = Bytes::from(proto::encode(&meeting.admission(blob)));
            let (admitted, vanished) = meeting.admit(to);
            // Encoded once, for however many: all of them come in at the same place of the log.
            let news = admitted.first().map(|first| meeting.since_admission(*first));
            let news: Vec<Bytes> = news.into_iter().flatten().map(|message| proto::encode(&message).into()).collect();
            for participant in admitted {
                self.enter(id, participant, admission.clone(), &news);
            }
            for participant in vanished {
                self.append(id, proto::Entry::Gone { participant });
            }
        }
    }

    /// Somebody is in: the Welcome, the entries behind it, and who else waits.
    fn enter(&mut self, id: MeetingId, participant: ParticipantId, admission: Bytes, news: &[Bytes]) {
        self.seats.insert(participant, Seat::Member(id));
        self.actions.push_back(Action::Say(participant, admission));
        self.actions.extend(news.iter().map(|bytes| Action::Say(participant, bytes.clone())));
        self.actions.push_back(Action::Media(sfu::Order::Join { meeting: id, participant }));
    }

    /// Ends a connection's part in everything; the socket closes behind what was said.
    fn finish(&mut self, participant: ParticipantId) {
        let Some(seat) = self.seats.insert(participant, Seat::Finished) else { return };
        self.vacate(participant, seat);
        self.actions.push_back(Action::Finish(participant));
    }

    fn vacate(&mut self, participant: ParticipantId, seat: Seat) {
        match seat {
            Seat::AdmissionKey(id) => {
                if self.meetings.get_mut(&id).is_some_and(|meeting| meeting.forget_knock(participant).is_some()) {
                    self.tell_members(id, &Down::Withdrew { participant });
                }
            }
            Seat::Member(id) => {
                self.actions.push_back(Action::Media(sfu::Order::Leave { participant }));
                if self.meetings.get_mut(&id).is_some_and(|meeting| meeting.leave(participant)) {
                    self.append(id, proto::Entry::Gone { participant });
                }
                self.end_if_empty(id);
            }
            Seat::Silent | Seat::Lobby | Seat::Finished => {}
        }
    }

    fn end_if_empty(&mut self, id: MeetingId) {
        if self.meetings.get(&id).is_none_or(|meeting| meeting.members().next().is_some()) {
            return;
        }
        let Some(meeting) = self.meetings.remove(&id) else { return };
        for participant in meeting.knocking() {
            // Its seat first: the meeting that it would withdraw from is no more.
            self.seats.insert(participant, Seat::Lobby);
            self.refuse(participant, Problem::NoMeeting);
        }
        tracing::info!(meeting = %id, meetings = self.meetings.len(), "meeting ended");
    }

    fn append(&mut self, id: MeetingId, entry: proto::Entry) {
        let Some(meeting) = self.meetings.get_mut(&id) else { return };
        let message = meeting.append(entry);
        self.tell_members(id, &message);
    }

    fn tell_members(&mut self, id: MeetingId, message: &Down) {
        let Some(meeting) = self.meetings.get(&id) else { return };
        // Encoded once, for however many.
        let bytes = Bytes::from(proto::encode(message));
        self.actions.extend(meeting.members().map(|member| Action::Say(member, bytes.clone())));
    }

    fn say(&mut self, to: ParticipantId, message: &Down) {
        self.actions.push_back(Action::Say(to, proto::encode(message).into()));
    }
}

#[cfg(test)]
mod tests;
