//! Carries the messages of a TURN server over TCP or TLS.

use super::framing::MessageDecoder;
use super::links::Links;
use crate::signalling::{ByteStream, Error};
use std::future::Future;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::time::timeout;

type Stream = Box<dyn ByteStream>;

/// Waits for the stream, and moves messages until it ends.
pub async fn run(links: &Links, index: usize, opening: impl Future<Output = Result<Stream, Error>>) {
    match timeout(OPEN_TIMEOUT, opening).await.unwrap_or(Err(Error::Silent)) {
        Ok(stream) => {
            tracing::debug!(index, "connected to a TURN server");
            let (reader, writer) = split(stream);
            tokio::select! {
                () = read(links, index, reader) => {}
                () = write(links, index, writer) => {}
            }
            tracing::info!(index, "the connection to a TURN server has ended");
        }
        Err(error) => tracing::info!(index, %error, "no connection to a TURN server"),
    }
    links.handle_end(index);
}

/// Returns at the end of the stream, or if it carries something else than messages of TURN.
async fn read(links: &Links, index: usize, mut stream: ReadHalf<Stream>) {
    let (mut decoder, mut bytes) = (MessageDecoder::default(), vec![0; READ_BYTES]);
    while let Ok(length @ 1..) = stream.read(&mut bytes).await {
        let now = Instant::now();
        if decoder.push(&bytes[..length], |message| links.handle_message(index, message, now)).is_err() {
            tracing::info!(index, "a TURN server sent something else than TURN");
            return;
        }
    }
}

/// Returns if a write fails.
async fn write(links: &Links, index: usize, mut stream: WriteHalf<Stream>) {
    let mut batch = Vec::new();
    while let Some(changed) = links.take_batch(index, &mut batch, Instant::now()) {
        if batch.is_empty() {
            changed.notified().await;
            continue;
        }
        if stream.write_all(&batch).await.is_err() || stream.flush().await.is_err() {
            return;
        }
        batch.clear();
    }
}

/// How long connecting may take.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes that are read at once.
const READ_BYTES: usize = 16 << 10;
