//! Several clients in one meeting, and the log that a server would keep.

use super::*;

/// The organiser is number 0 and participant [`ADA`]; the others are participants 2, 3 and so on.
pub(super) struct Room {
    pub(super) clients: Vec<(ParticipantId, Client)>,
    pub(super) next: u64,
    /// Application messages that were delivered.
    pub(super) told: Vec<LogEntry>,
}

impl Room {
    pub(super) fn new(guests: u64) -> Self {
        let mut room = Self { clients: vec![(ADA, Client::organiser())], next: 0, told: Vec::new() };
        for _ in 0..guests {
            room.join();
        }
        room
    }

    pub(super) fn id(&self, number: usize) -> ParticipantId {
        self.clients[number].0
    }

    pub(super) fn at(&mut self, number: usize) -> &mut Client {
        &mut self.clients[number].1
    }

    /// Somebody joins, and knows all that the others send. Returns the number.
    pub(super) fn join(&mut self) -> usize {
        let id = self.clients.len() as u64 + 1;
        let (client, request) = Client::knocking(&self.clients[0].1, id);
        self.at(0).receive(Down::Knocked { participant: ParticipantId(id), request });
        self.admit(client, ParticipantId(id));
        self.clients.len() - 1
    }

    /// Delivers what is sent until the organiser has admitted the client.
    pub(super) fn admit(&mut self, mut client: Client, id: ParticipantId) {
        for _ in 0..4 {
            if let Some(admission) = self.deliver().into_iter().find(|commit| !commit.welcomes.is_empty()) {
                client.admit(&admission, self.next);
                self.clients.push((id, client));
                self.exchange();
                return;
            }
        }
        panic!("nobody is admitted");
    }

    /// Delivers what all send until they send nothing more.
    pub(super) fn exchange(&mut self) {
        while !self.deliver().is_empty() {}
    }

    /// Delivers what all have sent. Of several commits for one epoch, the first one wins. Returns the commits; if there was
    /// only other traffic, one without content.
    fn deliver(&mut self) -> Vec<Commit> {
        let mut sent: Vec<(ParticipantId, Up)> = Vec::new();
        let mut trees = Vec::new();
        for (id, client) in &mut self.clients {
            sent.extend(client.sent().into_iter().map(|message| (*id, message)));
            trees.push((*id, client.tree.clone()));
        }
        let mut commits = Vec::new();
        let any = !sent.is_empty();
        for (from, message) in sent {
            if let Some(commit) = as_commit(message.clone(), from) {
                if commits.is_empty() {
                    self.log(&commit.entry);
                    let tree = trees.iter().find(|(id, _)| *id == from).map(|(_, tree)| tree.clone());
                    commits.push(Commit { tree: tree.unwrap_or_default(), ..commit });
                }
            } else if let Up::Tell { epoch, blob } = message {
                let entry = LogEntry::Told { from, epoch, blob };
                self.told.push(entry.clone());
                self.log(&entry);
            }
        }
        if commits.is_empty() && any {
            let entry = LogEntry::Gone { participant: ParticipantId(0), by: None };
            commits.push(Commit {
                epoch: Epoch(0),
                blob: Blob(Vec::new()),
                removed: Vec::new(),
                welcomes: Vec::new(),
                tree: Vec::new(),
                entry,
            });
        }
        commits
    }

    /// Adds an entry to the log, which all clients get.
    pub(super) fn log(&mut self, entry: &LogEntry) {
        for (_, client) in &mut self.clients {
            client.log(self.next, entry.clone());
        }
        self.next += 1;
    }

    pub(super) fn command(&mut self, number: usize, command: Command) {
        self.at(number).command(command);
        self.exchange();
    }

    /// Lets time pass for all: less than a server may be silent.
    pub(super) fn wait(&mut self, time: Duration) {
        for (_, client) in &mut self.clients {
            client.receive(Down::Ping);
            client.wait(time);
        }
        self.exchange();
    }

    /// Drops the events so far.
    pub(super) fn forget(&mut self) {
        for (_, client) in &mut self.clients {
            client.events();
        }
    }
}
