//! Finds out whether a web page answers instead of the server: a network that requires a sign-in answers all connections itself (a
//! captive portal, RFC 8952).
//!
//! It asks only after TLS with the server has failed, on a connection of its own, and sends nothing but a request for the first page of
//! the server. It follows no redirect. Somebody who intercepts the connection can answer with a page as well, so the answer changes only
//! what the user reads.

mod unverified_tls;

use super::error::Error;
use super::socket::{ByteStream, authority};
use proto::Malformed;
use std::future::Future;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Returns the error to report after TLS with the server has failed: [`Error::WebPage`] if a web page answers, else `error`.
/// `connecting` opens another connection.
pub async fn explain(error: Error, place: (&str, u16), connecting: impl Future<Output = Option<TcpStream>>) -> Error {
    let speaks_tls = matches!(error, Error::Certificate(_));
    if !speaks_tls && !matches!(&error, Error::Tls(inner) if is_not_tls(inner)) {
        return error;
    }
    match timeout(LIMIT, ask(place, speaks_tls, connecting)).await {
        Ok(Some(page)) => Error::WebPage(page),
        Ok(None) | Err(_) => error,
    }
}

/// Returns whether a TLS error says that the other end does not speak TLS.
fn is_not_tls(error: &std::io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(inner, Some(rustls::Error::InvalidMessage(_)))
}

/// Asks for the first page. Returns a description if there is one.
async fn ask(
    (host, port): (&str, u16),
    speaks_tls: bool,
    connecting: impl Future<Output = Option<TcpStream>>,
) -> Option<String> {
    let tcp = connecting.await?;
    let mut stream: Box<dyn ByteStream> =
        if speaks_tls { Box::new(unverified_tls::connect(host, tcp).await?) } else { Box::new(tcp) };
    let host = authority(host, port);
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    stream.flush().await.ok()?;
    let (mut head, mut bytes) = (Vec::new(), [0; 1_024]);
    loop {
        if let Some(page) = read_page(&head).ok()? {
            return page;
        }
        let length = stream.read(&mut bytes).await.ok().filter(|length| *length > 0)?;
        head.extend(bytes.iter().take(length));
    }
}

/// Reads the head of an answer of a web server. Returns `None` if it is not complete, and `Some(None)` if it is not a page for a person.
///
/// # Errors
/// Returns [`Malformed`] if the bytes are no such answer, or if the head is longer than 16 KiB.
pub fn read_page(bytes: &[u8]) -> Result<Option<Option<String>>, Malformed> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(bytes) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) if bytes.len() < MAX_HEAD => return Ok(None),
        Ok(_) | Err(_) => return Err(Malformed),
    }
    let status = response.code.ok_or(Malformed)?;
    let header = |name: &str| {
        let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.and_then(|header| std::str::from_utf8(header.value).ok()).unwrap_or_default()
    };
    // A URL has no other characters (RFC 3986). Those that are invisible or change the direction of text are left out.
    let location: String = header("location").chars().filter(char::is_ascii_graphic).take(MAX_LOCATION).collect();
    let page = match status {
        300..=399 if !location.is_empty() => Some(format!("HTTP status {status}, {location}")),
        // RFC 6585, section 6.
        511 => Some(format!("HTTP status {status}")),
        200 if header("content-type").to_ascii_lowercase().starts_with("text/html") => Some("HTTP status 200".into()),
        _ => None,
    };
    Ok(Some(page))
}

/// How long the request for the page may take.
const LIMIT: Duration = Duration::from_secs(2);

/// The maximum length of the head of an answer in bytes.
const MAX_HEAD: usize = 16 << 10;

/// The maximum number of headers.
const MAX_HEADERS: usize = 64;

/// The maximum number of characters of a redirect's address that are shown.
const MAX_LOCATION: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_for_a_person_is_told_from_other_answers() {
        let page = |text: &str| read_page(text.as_bytes());
        let redirect = "HTTP/1.1 302 Found\r\nLocation: http://login.example/?x\r\n\r\n";
        assert_eq!(page(redirect), Ok(Some(Some("HTTP status 302, http://login.example/?x".into()))));
        assert_eq!(
            page("HTTP/1.0 511 Network Authentication Required\r\n\r\n"),
            Ok(Some(Some("HTTP status 511".into())))
        );
        let html = "HTTP/1.1 200 OK\r\nContent-Type: Text/HTML; charset=utf-8\r\n\r\n<html>";
        assert_eq!(page(html), Ok(Some(Some("HTTP status 200".into()))));
        for other in ["HTTP/1.1 404 Not Found\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n{}", "HTTP/1.1 302 Found\r\n\r\n"] {
            assert_eq!(page(other), Ok(Some(None)), "{other}");
        }
        for length in 0..redirect.len() {
            assert_eq!(page(&redirect[..length]), Ok(None), "the first {length} bytes");
        }
        assert_eq!(page("SSH-2.0-OpenSSH_9.2\r\n\r\n"), Err(Malformed));
        let endless = format!("HTTP/1.1 302 Found\r\nLocation: {}", "x".repeat(MAX_HEAD));
        assert_eq!(page(&endless), Err(Malformed));
        let long = format!("HTTP/1.1 302 Found\r\nLocation: {}\r\n\r\n", "x".repeat(9_000));
        assert!(page(&long).unwrap().unwrap().unwrap().len() < 150);
    }
}
