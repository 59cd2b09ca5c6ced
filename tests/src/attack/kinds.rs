//! The kinds of messages of the protocol. A new variant in `proto` does not compile here until it has a name, and
//! `tests/tests/attack.rs` fails until an attack sends it.

use proto::{
    ClientMessage, ClientSignal, Down, FromSfu, LogEntry, ManagerCommand, Problem, Refusal, ServerMessage,
    ServerSignal, ToSfu, Up,
};

/// Returns the kinds of a client's message, from the outside in.
pub fn of_client(message: &ClientMessage) -> Vec<&'static str> {
    match message {
        ClientMessage::Meeting(up) => [vec![of_up(up)], command_in(up)].concat(),
        ClientMessage::Sfu(ToSfu::Count) => vec!["ToSfu::Count"],
        ClientMessage::Sfu(ToSfu::Signal(bytes)) => {
            let signal = proto::decode_signal::<ClientSignal>(&bytes.0).ok();
            ["ToSfu::Signal"].into_iter().chain(signal.as_ref().map(of_client_signal)).collect()
        }
    }
}

/// Returns the kinds of a server's message, from the outside in.
pub fn of_server(message: &ServerMessage) -> Vec<&'static str> {
    match message {
        ServerMessage::Meeting(down) => [vec![of_down(down)], inside_down(down)].concat(),
        ServerMessage::Sfu(FromSfu::Totals { .. }) => vec!["FromSfu::Totals"],
        ServerMessage::Sfu(FromSfu::Signal(bytes)) => {
            let signal = proto::decode_signal::<ServerSignal>(&bytes.0).ok();
            ["FromSfu::Signal"].into_iter().chain(signal.as_ref().map(of_server_signal)).collect()
        }
    }
}

fn of_up(message: &Up) -> &'static str {
    match message {
        Up::Hello { .. } => "Up::Hello",
        Up::Create { .. } => "Up::Create",
        Up::Approach { .. } => "Up::Approach",
        Up::Knock { .. } => "Up::Knock",
        Up::Manage { .. } => "Up::Manage",
        Up::Commit { .. } => "Up::Commit",
        Up::Tell { .. } => "Up::Tell",
        Up::Leave => "Up::Leave",
        Up::Return { .. } => "Up::Return",
        Up::Pong { .. } => "Up::Pong",
        Up::Resume { .. } => "Up::Resume",
        Up::Lobby { .. } => "Up::Lobby",
        Up::Beacon { .. } => "Up::Beacon",
        Up::Relay { .. } => "Up::Relay",
        Up::Tree { .. } => "Up::Tree",
    }
}

fn command_in(message: &Up) -> Vec<&'static str> {
    let Up::Manage { command, .. } = message else { return Vec::new() };
    proto::decode(&command.0).ok().as_ref().map(of_command).into_iter().collect()
}

fn of_command(command: &ManagerCommand) -> &'static str {
    match command {
        ManagerCommand::Commit { .. } => "ManagerCommand::Commit",
        ManagerCommand::Refuse { .. } => "ManagerCommand::Refuse",
        ManagerCommand::Expel { .. } => "ManagerCommand::Expel",
        ManagerCommand::Void { .. } => "ManagerCommand::Void",
        ManagerCommand::Lock { .. } => "ManagerCommand::Lock",
        ManagerCommand::Beacon { .. } => "ManagerCommand::Beacon",
        ManagerCommand::End => "ManagerCommand::End",
        ManagerCommand::Lobby { .. } => "ManagerCommand::Lobby",
    }
}

fn of_client_signal(signal: &ClientSignal) -> &'static str {
    match signal {
        ClientSignal::Offer { .. } => "ClientSignal::Offer",
        ClientSignal::Wishes { .. } => "ClientSignal::Wishes",
    }
}

fn of_down(message: &Down) -> &'static str {
    match message {
        Down::Hello { .. } => "Down::Hello",
        Down::Created { .. } => "Down::Created",
        Down::AdmissionKey { .. } => "Down::AdmissionKey",
        Down::Knocked { .. } => "Down::Knocked",
        Down::Withdrew { .. } => "Down::Withdrew",
        Down::Admitted { .. } => "Down::Admitted",
        Down::Tree { .. } => "Down::Tree",
        Down::Refused { .. } => "Down::Refused",
        Down::Log { .. } => "Down::Log",
        Down::CommitTooLate { .. } => "Down::CommitTooLate",
        Down::Removed { .. } => "Down::Removed",
        Down::Resumed => "Down::Resumed",
        Down::Returned { .. } => "Down::Returned",
        Down::Ping => "Down::Ping",
        Down::Problem { .. } => "Down::Problem",
        Down::Beacon { .. } => "Down::Beacon",
        Down::Presence { .. } => "Down::Presence",
        Down::Skipped { .. } => "Down::Skipped",
        Down::Ended { .. } => "Down::Ended",
        Down::Lobby { .. } => "Down::Lobby",
        Down::MemberBeacon { .. } => "Down::MemberBeacon",
        Down::Relayed { .. } => "Down::Relayed",
    }
}

fn inside_down(message: &Down) -> Vec<&'static str> {
    let signed = match message {
        Down::Log { entry, .. } => match entry {
            LogEntry::Commit { .. } => return vec!["LogEntry::Commit"],
            LogEntry::Told { .. } => return vec!["LogEntry::Told"],
            LogEntry::Gone { .. } => return vec!["LogEntry::Gone"],
            LogEntry::Managed { signed } => {
                let command = signed.decode().ok();
                return ["LogEntry::Managed"].into_iter().chain(command.as_ref().map(of_command)).collect();
            }
        },
        Down::Removed { signed } | Down::Beacon { signed } | Down::Ended { signed } => signed,
        Down::Problem { problem } => return vec![of_problem(*problem)],
        Down::Refused { why } => return vec![of_refusal(*why)],
        Down::Hello { .. }
        | Down::Created { .. }
        | Down::AdmissionKey { .. }
        | Down::Knocked { .. }
        | Down::Withdrew { .. }
        | Down::Admitted { .. }
        | Down::Tree { .. }
        | Down::CommitTooLate { .. }
        | Down::Resumed
        | Down::Returned { .. }
        | Down::Ping
        | Down::Presence { .. }
        | Down::MemberBeacon { .. }
        | Down::Lobby { .. }
        | Down::Relayed { .. }
        | Down::Skipped { .. } => return Vec::new(),
    };
    signed.decode().ok().as_ref().map(of_command).into_iter().collect()
}

fn of_server_signal(signal: &ServerSignal) -> &'static str {
    match signal {
        ServerSignal::Answer { .. } => "ServerSignal::Answer",
        ServerSignal::OfferRefused { .. } => "ServerSignal::OfferRefused",
        ServerSignal::Tracks { .. } => "ServerSignal::Tracks",
        ServerSignal::TrackDemand { .. } => "ServerSignal::TrackDemand",
        ServerSignal::Downlink { .. } => "ServerSignal::Downlink",
        ServerSignal::SoundLoss { .. } => "ServerSignal::SoundLoss",
    }
}

/// Returns the kind of a problem.
pub fn of_problem(problem: Problem) -> &'static str {
    match problem {
        Problem::Version => "Problem::Version",
        Problem::NoMeeting => "Problem::NoMeeting",
        Problem::MeetingExists => "Problem::MeetingExists",
        Problem::MeetingFull => "Problem::MeetingFull",
        Problem::ServerFull => "Problem::ServerFull",
        Problem::Malformed => "Problem::Malformed",
        Problem::TooFast => "Problem::TooFast",
        Problem::Draining => "Problem::Draining",
        Problem::NotAuthorised => "Problem::NotAuthorised",
        Problem::NotResumable => "Problem::NotResumable",
        Problem::Idle => "Problem::Idle",
        Problem::Superseded => "Problem::Superseded",
        Problem::HostStopped => "Problem::HostStopped",
    }
}

fn of_refusal(why: Refusal) -> &'static str {
    match why {
        Refusal::Declined => "Refusal::Declined",
        Refusal::Unattended => "Refusal::Unattended",
        Refusal::Clock { .. } => "Refusal::Clock",
        Refusal::Removed => "Refusal::Removed",
        Refusal::OldLink => "Refusal::OldLink",
        Refusal::Locked => "Refusal::Locked",
        Refusal::NotNow => "Refusal::NotNow",
        Refusal::NotInvited => "Refusal::NotInvited",
        Refusal::Full => "Refusal::Full",
        Refusal::Unreadable => "Refusal::Unreadable",
        Refusal::NoGuests => "Refusal::NoGuests",
    }
}
