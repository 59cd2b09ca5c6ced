//! What a problem that the server reports means for the user.
//!
//! A server can report any problem at any time. If the problem is not an answer to a request of this client, the server has
//! failed: the problem does not show that the link is wrong or that the meeting has ended.

use super::event::Violation;
use proto::{Problem, Reason};

/// The answer that a client awaits on its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    /// The answer to `Hello`.
    Greeting,
    /// The answer to `Create`.
    Creation,
    /// The answer to `Approach`, `Knock` or `Return`.
    Admission,
    /// The answer to `Resume`.
    Resumption,
    /// None: the client is a member.
    Nothing,
}

/// Returns why the meeting ends for this client.
pub(super) fn reason(problem: Problem, awaited: Awaited) -> Reason {
    if is_answer(problem, awaited) { problem.into() } else { Violation::Unexpected.into() }
}

/// Returns true if a server that follows the protocol can report the problem (docs/protocol.md, "Ends").
fn is_answer(problem: Problem, awaited: Awaited) -> bool {
    match problem {
        Problem::Version => awaited == Awaited::Greeting,
        Problem::MeetingExists | Problem::ServerFull => awaited == Awaited::Creation,
        Problem::NoMeeting | Problem::MeetingFull => awaited == Awaited::Admission,
        Problem::NotResumable => awaited == Awaited::Resumption,
        Problem::Idle => awaited != Awaited::Nothing,
        Problem::Malformed
        | Problem::TooFast
        | Problem::Draining
        | Problem::NotAuthorised
        | Problem::Superseded
        | Problem::HostStopped => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::Fault;

    #[test]
    fn a_problem_that_answers_nothing_is_the_servers_fault() {
        for awaited in [Awaited::Greeting, Awaited::Creation, Awaited::Resumption, Awaited::Nothing] {
            for problem in [Problem::NoMeeting, Problem::MeetingFull] {
                assert_eq!(reason(problem, awaited).fault(), Some(Fault::Server), "{problem:?}, {awaited:?}");
                assert_eq!(reason(problem, awaited), Violation::Unexpected.into());
            }
        }
        assert_eq!(reason(Problem::NoMeeting, Awaited::Admission), Reason::NoMeeting);
        for problem in [
            Problem::Version,
            Problem::MeetingExists,
            Problem::ServerFull,
            Problem::MeetingFull,
            Problem::NotResumable,
            Problem::Idle,
        ] {
            assert_eq!(reason(problem, Awaited::Nothing), Violation::Unexpected.into(), "{problem:?}");
        }
        assert_eq!(reason(Problem::NotResumable, Awaited::Admission), Violation::Unexpected.into());
        assert_eq!(reason(Problem::ServerFull, Awaited::Admission), Violation::Unexpected.into());
        assert_eq!(reason(Problem::Version, Awaited::Greeting), Reason::Version);
        assert_eq!(reason(Problem::ServerFull, Awaited::Creation), Reason::Full);
        assert_eq!(reason(Problem::Draining, Awaited::Nothing), Reason::Draining);
    }
}
