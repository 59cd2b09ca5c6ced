//! The connection to a server of an SFU's own: opened in the background, so that the meeting goes on meanwhile.

use crate::signalling::{Frame, Wire};
use bytes::Bytes;
use std::time::Duration;
use tokio::task::JoinHandle;

/// The connection, in all its states.
#[derive(Default)]
pub enum SfuConnection {
    /// No dialect ordered one: signalling goes through our server.
    #[default]
    None,
    /// It is being opened.
    Opening(JoinHandle<Option<Wire>>),
    /// It works.
    Open(Wire),
    /// It was lost, or was never opened.
    Lost,
}

/// What the connection reports.
pub enum SfuEvent {
    /// It is open.
    Connected,
    /// A frame has arrived.
    Signal(Bytes),
    /// It is lost, or could not be opened.
    Lost,
}

impl SfuConnection {
    /// Begins to open a connection, in place of the one before.
    pub fn open(&mut self, url: String, headers: Vec<(String, String)>) {
        if let Self::Opening(task) = self {
            task.abort();
        }
        *self = Self::Opening(tokio::spawn(async move {
            Wire::connect_url(&url, headers)
                .await
                .inspect_err(|error| tracing::info!(%error, "no connection to the SFU's server"))
                .ok()
        }));
    }

    /// True if the dialect has ordered a connection.
    pub fn is_ordered(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// Sends a frame; it is lost if the connection is not open.
    pub fn send(&self, frame: Bytes) {
        if let Self::Open(wire) = self
            && let Err(error) = wire.send_frame(frame)
        {
            tracing::debug!(%error, "signalling not sent");
        }
    }

    /// The next event; waits for ever if there is no connection. May be dropped while it waits.
    pub async fn next(&mut self) -> SfuEvent {
        match self {
            Self::None | Self::Lost => std::future::pending().await,
            Self::Opening(task) => match task.await {
                Ok(Some(wire)) => {
                    *self = Self::Open(wire);
                    SfuEvent::Connected
                }
                Ok(None) | Err(_) => self.lose(),
            },
            Self::Open(wire) => match wire.next_frame().await {
                Frame::Binary(bytes) | Frame::Text(bytes) => SfuEvent::Signal(bytes),
                Frame::Closed => self.lose(),
            },
        }
    }

    /// Sends what is queued and closes; gives up after `limit`.
    pub async fn close(self, limit: Duration) {
        match self {
            Self::Open(wire) => wire.close(limit).await,
            Self::Opening(task) => task.abort(),
            Self::None | Self::Lost => {}
        }
    }

    fn lose(&mut self) -> SfuEvent {
        *self = Self::Lost;
        SfuEvent::Lost
    }
}
