//! A complete member: it merges every commit.

use super::Report;
use crate::attack::wire::{Received, Wire};
use anyhow::{Result, bail};
use net::meeting::{Entry, Event, Meeting};
use proto::ServerMessage;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::{mpsc, oneshot, watch};

/// A member of the bench.
pub struct Member {
    meeting: Meeting,
    wire: Wire,
    reports: mpsc::Sender<Report>,
    /// Gets the meeting's link when this member enters.
    link: Option<oneshot::Sender<crypto::Invitation>>,
}

impl Member {
    /// Returns a member that enters when it runs.
    pub fn new(
        entry: Entry,
        wire: Wire,
        reports: mpsc::Sender<Report>,
        link: Option<oneshot::Sender<crypto::Invitation>>,
    ) -> Self {
        let meeting = Meeting::new(entry, Box::new(|_| SystemTime::now()), Instant::now());
        Self { meeting, wire, reports, link }
    }

    /// Enters after `start` is true, and stays until the connection ends.
    pub async fn run(mut self, mut start: watch::Receiver<bool>) -> Result<()> {
        let _ = self.reports.try_send(Report::Ready);
        if start.wait_for(|started| *started).await.is_err() {
            return Ok(());
        }
        loop {
            self.handle_events()?;
            while let Some(message) = self.meeting.poll_transmit() {
                self.wire.send(&message).await;
            }
            let until = self.meeting.poll_timeout().unwrap_or_else(|| Instant::now() + TICK);
            match self.wire.next(until.into()).await {
                Received::Message(ServerMessage::Meeting(message)) => {
                    self.meeting.handle_message(message, Instant::now());
                }
                Received::Message(ServerMessage::Sfu(_)) => {}
                Received::Nothing => self.meeting.handle_timeout(Instant::now()),
                Received::Closed => return Ok(()),
            }
        }
    }

    fn handle_events(&mut self) -> Result<()> {
        while let Some(event) = self.meeting.poll_event() {
            if let Event::Entered { .. } = event {
                // The bench may have ended.
                let _ = self.reports.try_send(Report::Admitted(Instant::now()));
                let invitation = self.meeting.invitation("127.0.0.1", 1, None);
                if let (Some(link), Some(invitation)) = (self.link.take(), invitation) {
                    let _ = link.send(invitation);
                }
            } else if let Event::Ended(reason) = event {
                bail!("the meeting has ended for a member: {reason}");
            }
        }
        Ok(())
    }
}

const TICK: Duration = Duration::from_secs(1);
