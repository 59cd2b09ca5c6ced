//! The requests for the server's totals that it has not answered.

use crate::error::Error;
use crate::event::Event;
use proto::Totals;

/// Counts the requests, so that a server cannot flood the program with totals that it did not ask for.
#[derive(Debug, Default)]
pub struct TotalsRequests {
    unanswered: u32,
}

impl TotalsRequests {
    /// Notes a request.
    pub const fn handle_request(&mut self) {
        self.unanswered = self.unanswered.saturating_add(1);
    }

    /// Notes an answer, and returns the event for the program.
    ///
    /// # Errors
    /// Returns [`Error::UnrequestedTotals`] if no request is unanswered.
    pub fn handle_answer(&mut self, totals: Totals) -> Result<Event, Error> {
        self.unanswered = self.unanswered.checked_sub(1).ok_or(Error::UnrequestedTotals)?;
        Ok(Event::Totals(totals))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::Fault;

    #[test]
    fn a_flood_of_totals_is_the_servers_fault() {
        let mut requests = TotalsRequests::default();
        requests.handle_request();
        assert!(matches!(requests.handle_answer(Totals::default()), Ok(Event::Totals(_))));
        let Err(error) = requests.handle_answer(Totals::default()) else { panic!("nobody asked") };
        assert_eq!(error.fault(), Some(Fault::Server), "{error}");
    }
}
