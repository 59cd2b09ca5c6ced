//! Serves the counters of the SFU to Prometheus: `GET /metrics` over HTTP/1.1 without TLS, one request for each connection.

use crate::media_threads::MediaThreads;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

/// Answers requests until the task is dropped. A client that is slow or sends garbage delays no other one: its connection ends
/// after 5 s, or before if 16 newer ones are open.
pub async fn serve(listener: TcpListener, media: MediaThreads) {
    let mut tasks = JoinSet::new();
    let mut open: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let accepted = listener.accept().await;
        while tasks.try_join_next().is_some() {}
        open.retain(|task| !task.is_finished());
        let Ok((stream, _)) = accepted else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        if open.len() >= MAX_CONNECTIONS
            && let Some(oldest) = open.pop_front()
        {
            oldest.abort();
        }
        let media = media.clone();
        open.push_back(tasks.spawn(async move {
            // After the timeout, the connection is closed.
            let _ = timeout(REQUEST_TIMEOUT, answer(stream, media)).await;
        }));
    }
}

/// Reads one request and answers it. An error means that the client is gone.
async fn answer(mut stream: TcpStream, media: MediaThreads) -> std::io::Result<()> {
    let (status, body) = match read_request(&mut stream).await? {
        Request::Metrics => match media.metrics().await {
            Some(text) => ("200 OK", text),
            None => ("503 Service Unavailable", String::new()),
        },
        Request::OtherPath => ("404 Not Found", "The path is /metrics.\n".into()),
        Request::Malformed => ("400 Bad Request", String::new()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\n\
        Connection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

#[derive(Debug, PartialEq, Eq)]
enum Request {
    Metrics,
    OtherPath,
    Malformed,
}

/// Reads the head of a request. Bytes after it are not read.
async fn read_request(stream: &mut TcpStream) -> std::io::Result<Request> {
    let (mut head, mut length) = ([0; MAX_HEAD], 0);
    while length < MAX_HEAD {
        let read = stream.read(&mut head[length..]).await?;
        if read == 0 {
            break;
        }
        length += read;
        if head[..length].windows(4).any(|window| window == b"\r\n\r\n") {
            return Ok(parse(&head[..length]));
        }
    }
    Ok(Request::Malformed)
}

/// Returns whether the head of a request asks for the metrics.
pub fn is_metrics_request(head: &[u8]) -> bool {
    parse(head) == Request::Metrics
}

fn parse(head: &[u8]) -> Request {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let [b"GET", target, version] = words[..] else { return Request::Malformed };
    if !version.starts_with(b"HTTP/1.") {
        return Request::Malformed;
    }
    let path = target.split(|byte| *byte == b'?').next().unwrap_or_default();
    if path == b"/metrics" { Request::Metrics } else { Request::OtherPath }
}

/// The maximum number of open connections.
const MAX_CONNECTIONS: usize = 16;

/// How long a request with its answer may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// The maximum bytes of the head of a request.
const MAX_HEAD: usize = 4_096;

/// The pause after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_get_of_the_path_is_answered_with_metrics() {
        assert_eq!(parse(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"), Request::Metrics);
        assert_eq!(parse(b"GET /metrics?name=x HTTP/1.0\r\n\r\n"), Request::Metrics);
        assert_eq!(parse(b"GET / HTTP/1.1\r\n\r\n"), Request::OtherPath);
        for garbage in
            [&b"POST /metrics HTTP/1.1\r\n\r\n"[..], b"GET /metrics\r\n\r\n", b"\r\n\r\n", b"\x16\x03\x01\xff"]
        {
            assert_eq!(parse(garbage), Request::Malformed);
        }
    }
}
