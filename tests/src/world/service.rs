//! A toy delivery service: the rules of docs/protocol.md in their plainest form, for comparison with the real server.

use super::Who;
use proto::{Blob, Down, Entry, Epoch, MeetingId, ParticipantId, Position, Problem, Up, VERSION};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// What the server wants done.
pub(super) enum Order {
    /// Say this.
    Say(Who, Down),
    /// Close behind it.
    Close(Who),
}

impl Order {
    pub(super) fn who(&self) -> Who {
        match self {
            Self::Say(who, _) | Self::Close(who) => *who,
        }
    }
}

/// The server.
#[derive(Default)]
pub(super) struct Service {
    connections: BTreeMap<Who, Connection>,
    meetings: BTreeMap<MeetingId, Hall>,
    orders: Vec<Order>,
}

struct Connection {
    participant: ParticipantId,
    meeting: Option<MeetingId>,
    heard: Instant,
    pinged: Instant,
}

/// One meeting as the server knows it.
struct Hall {
    admission_key: Blob,
    epoch: Epoch,
    length: u64,
    members: BTreeMap<ParticipantId, Who>,
    waiting: Vec<(ParticipantId, Who, Blob)>,
    /// Gone, and named by no commit since: whoever enters must know of them.
    gone: BTreeSet<ParticipantId>,
}

impl Service {
    pub(super) fn connect(&mut self, who: Who, participant: ParticipantId, now: Instant) {
        self.connections.insert(who, Connection { participant, meeting: None, heard: now, pinged: now });
    }

    /// A message of `who` arrived.
    pub(super) fn handle(&mut self, who: Who, bytes: &[u8], now: Instant) -> Vec<Order> {
        if let Some(connection) = self.connections.get_mut(&who) {
            connection.heard = now;
            let (me, meeting) = (connection.participant, connection.meeting);
            match proto::decode::<Up>(bytes) {
                Ok(message) => self.serve(who, me, meeting, message),
                Err(_) => self.refuse(who, Problem::Malformed),
            }
        }
        std::mem::take(&mut self.orders)
    }

    /// The connection of `who` is closed.
    pub(super) fn disconnect(&mut self, who: Who) -> Vec<Order> {
        self.drop_out(who);
        std::mem::take(&mut self.orders)
    }

    /// Pings every 2 s; drops who has said nothing for 6 s.
    pub(super) fn tick(&mut self, now: Instant) -> Vec<Order> {
        let dead: Vec<_> =
            self.connections.iter().filter(|(_, each)| now >= each.heard + DEAD).map(|(who, _)| *who).collect();
        for who in dead {
            self.drop_out(who);
            self.orders.push(Order::Close(who));
        }
        for (who, connection) in &mut self.connections {
            if now >= connection.pinged + PING {
                connection.pinged = now;
                self.orders.push(Order::Say(*who, Down::Ping));
            }
        }
        std::mem::take(&mut self.orders)
    }

    /// Nobody waits, nobody is gone but still in, and the members are these.
    pub(super) fn assert_rest(&self, members: &BTreeSet<ParticipantId>) {
        let Some(hall) = self.meetings.values().find(|hall| hall.members.keys().any(|id| members.contains(id))) else {
            panic!("the server has the meeting");
        };
        assert_eq!(&hall.members.keys().copied().collect::<BTreeSet<_>>(), members, "the server agrees who is in");
        assert!(hall.waiting.is_empty(), "nobody waits at the door");
    }

    fn serve(&mut self, who: Who, me: ParticipantId, meeting: Option<MeetingId>, message: Up) {
        match message {
            Up::Hello { version: VERSION } => self.say(who, Down::Hello { version: VERSION, participant: me }),
            Up::Hello { .. } => self.refuse(who, Problem::Version),
            Up::Create { meeting, admission_key } => self.create(who, me, meeting, admission_key),
            Up::Approach { meeting } => match self.meetings.get(&meeting) {
                Some(hall) => self.say(who, Down::AdmissionKey { admission_key: hall.admission_key.clone() }),
                None => self.refuse(who, Problem::NoMeeting),
            },
            Up::Knock { meeting, request } => self.knock(who, me, meeting, &request),
            Up::Leave => self.drop_out(who),
            Up::Refuse { .. } | Up::Commit { .. } | Up::Tell { .. } => {
                let hall = meeting.and_then(|meeting| self.meetings.get_mut(&meeting));
                let Some(hall) = hall.filter(|hall| hall.members.contains_key(&me)) else { return };
                let (done, closed) = hall.serve(who, me, message);
                self.orders.extend(done);
                for closed in closed {
                    self.connections.remove(&closed);
                    self.orders.push(Order::Close(closed));
                }
            }
            Up::Pong => {}
        }
    }

    fn create(&mut self, who: Who, me: ParticipantId, meeting: MeetingId, admission_key: Blob) {
        if self.meetings.contains_key(&meeting) {
            return self.refuse(who, Problem::MeetingExists);
        }
        let hall = Hall {
            admission_key,
            epoch: Epoch(0),
            length: 0,
            members: [(me, who)].into(),
            waiting: Vec::new(),
            gone: BTreeSet::new(),
        };
        self.meetings.insert(meeting, hall);
        self.settle(who, meeting);
        self.say(who, Down::Created);
    }

    fn knock(&mut self, who: Who, me: ParticipantId, meeting: MeetingId, request: &Blob) {
        let Some(hall) = self.meetings.get_mut(&meeting) else { return self.refuse(who, Problem::NoMeeting) };
        hall.waiting.push((me, who, request.clone()));
        for member in hall.members.values() {
            let request = request.clone();
            self.orders.push(Order::Say(*member, Down::Knocked { participant: me, request }));
        }
        self.settle(who, meeting);
    }

    /// The connection is of no use any more.
    fn drop_out(&mut self, who: Who) {
        let Some(connection) = self.connections.remove(&who) else { return };
        let Some(meeting) = connection.meeting else { return };
        let Some(hall) = self.meetings.get_mut(&meeting) else { return };
        hall.drop_out(connection.participant, &mut self.orders);
        if hall.members.is_empty() {
            let hall = self.meetings.remove(&meeting);
            for (_, who, _) in hall.into_iter().flat_map(|hall| hall.waiting) {
                self.refuse(who, Problem::NoMeeting);
            }
        }
    }

    fn settle(&mut self, who: Who, meeting: MeetingId) {
        if let Some(connection) = self.connections.get_mut(&who) {
            connection.meeting = Some(meeting);
        }
    }

    fn refuse(&mut self, who: Who, problem: Problem) {
        self.say(who, Down::Problem { problem });
        self.connections.remove(&who);
        self.orders.push(Order::Close(who));
    }

    fn say(&mut self, who: Who, message: Down) {
        self.orders.push(Order::Say(who, message));
    }
}

impl Hall {
    /// What a member asks for; also whose connections close.
    fn serve(&mut self, who: Who, me: ParticipantId, message: Up) -> (Vec<Order>, Vec<Who>) {
        let (mut orders, mut closed) = (Vec::new(), Vec::new());
        match message {
            Up::Commit { epoch, .. } if epoch != self.epoch => {
                orders.push(Order::Say(who, Down::Lost { epoch: self.epoch }));
            }
            Up::Commit { epoch, blob, welcomes, removed } => {
                let (ids, connections) = self.put_out(&removed, &mut orders);
                closed = connections;
                self.log(&Entry::Commit { from: me, epoch, blob }, &mut orders);
                self.epoch = epoch.next();
                self.gone.retain(|id| !removed.contains(id));
                for id in ids {
                    self.vanish(id, &mut orders);
                }
                for welcome in welcomes {
                    welcome.to.iter().for_each(|to| self.let_in(*to, &welcome.blob, &mut orders));
                }
            }
            Up::Tell { epoch, blob } => self.log(&Entry::Told { from: me, epoch, blob }, &mut orders),
            Up::Refuse { participant, why } => {
                for (_, who, _) in self.waiting.extract_if(.., |(id, ..)| *id == participant) {
                    orders.push(Order::Say(who, Down::Refused { why }));
                    closed.push(who);
                }
            }
            Up::Hello { .. } | Up::Create { .. } | Up::Approach { .. } | Up::Knock { .. } | Up::Leave | Up::Pong => {
                unreachable!("the service hands nothing else on")
            }
        }
        (orders, closed)
    }

    /// Who of them was a member, and their connections.
    fn put_out(&mut self, removed: &[ParticipantId], orders: &mut Vec<Order>) -> (Vec<ParticipantId>, Vec<Who>) {
        let members = removed.iter().filter_map(|id| Some((*id, self.members.remove(id)?)));
        let (ids, connections): (Vec<_>, Vec<_>) = members.unzip();
        orders.extend(connections.iter().map(|who| Order::Say(*who, Down::Removed)));
        (ids, connections)
    }

    /// Opens the door to one who waits; one who does no more is gone at once.
    fn let_in(&mut self, to: ParticipantId, welcome: &Blob, orders: &mut Vec<Order>) {
        if self.members.contains_key(&to) {
            return;
        }
        let Some(at) = self.waiting.iter().position(|(id, ..)| *id == to) else {
            return self.vanish(to, orders);
        };
        let (_, who, _) = self.waiting.remove(at);
        let (welcome, position, epoch) = (welcome.clone(), Position(self.length), self.epoch);
        let gone = self.gone.iter().copied().collect();
        orders.push(Order::Say(who, Down::Admitted { welcome, position, epoch, gone }));
        for (participant, _, request) in &self.waiting {
            let (participant, request) = (*participant, request.clone());
            orders.push(Order::Say(who, Down::Knocked { participant, request }));
        }
        self.members.insert(to, who);
    }

    fn drop_out(&mut self, id: ParticipantId, orders: &mut Vec<Order>) {
        let waited = self.waiting.extract_if(.., |(waiting, ..)| *waiting == id).count() > 0;
        if waited {
            for member in self.members.values() {
                orders.push(Order::Say(*member, Down::Withdrew { participant: id }));
            }
        }
        if self.members.remove(&id).is_some() {
            self.vanish(id, orders);
        }
    }

    fn vanish(&mut self, id: ParticipantId, orders: &mut Vec<Order>) {
        self.gone.insert(id);
        self.log(&Entry::Gone { participant: id }, orders);
    }

    fn log(&mut self, entry: &Entry, orders: &mut Vec<Order>) {
        let position = Position(self.length);
        self.length += 1;
        for member in self.members.values() {
            orders.push(Order::Say(*member, Down::Log { position, entry: entry.clone() }));
        }
    }
}

const PING: Duration = Duration::from_secs(2);
const DEAD: Duration = Duration::from_secs(6);
