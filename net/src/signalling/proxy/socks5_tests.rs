use super::*;
use crate::signalling;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use webrtc::runtime::TokioRuntime;

const SUCCEEDED: &[u8] = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00";

/// A proxy on a real socket for one connection: it expects each message of the client, and answers it. Returns the rest of what the
/// client sends when the connection ends.
async fn scripted(script: Vec<(&'static [u8], &'static [u8])>) -> (String, tokio::task::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        for (expected, answer) in script {
            let mut bytes = vec![0; expected.len()];
            stream.read_exact(&mut bytes).await.unwrap();
            assert_eq!(bytes, expected);
            stream.write_all(answer).await.unwrap();
        }
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        rest
    });
    (address.to_string(), task)
}

async fn connected(url: String, host: &str) -> Result<TcpStream, Error> {
    super::super::connect(&url.parse().unwrap(), host, 443, &TokioRuntime).await
}

#[tokio::test]
async fn a_proxy_without_users_connects_to_the_name() {
    let request = b"\x05\x01\x00\x03\x0cmeet.example\x01\xbb";
    let (address, task) = scripted(vec![(b"\x05\x01\x00", b"\x05\x00"), (request, SUCCEEDED)]).await;
    let mut stream = connected(format!("socks5://{address}"), "meet.example").await.unwrap();
    stream.write_all(b"hello").await.unwrap();
    drop(stream);
    assert_eq!(task.await.unwrap(), b"hello");
}

#[tokio::test]
async fn user_and_password_are_sent_only_if_the_proxy_wants_them() {
    let ipv6 = b"\x05\x01\x00\x04\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01\xbb";
    let script: Vec<(&[u8], &[u8])> = vec![
        (b"\x05\x02\x00\x02", b"\x05\x02"),
        (b"\x01\x04anna\x04p@ss", b"\x01\x00"),
        (ipv6, b"\x05\x00\x00\x03\x03abc\x00\x00"),
    ];
    let (address, _task) = scripted(script).await;
    connected(format!("socks5h://anna:p%40ss@{address}"), "2001:db8::1").await.unwrap();
    let ipv4 = b"\x05\x01\x00\x01\xc0\x00\x02\x07\x01\xbb";
    let (address, _task) = scripted(vec![(b"\x05\x02\x00\x02", b"\x05\x00"), (ipv4, SUCCEEDED)]).await;
    connected(format!("socks://anna:p%40ss@{address}"), "192.0.2.7").await.unwrap();
}

#[tokio::test]
async fn each_refusal_says_why_and_names_no_password() {
    let error = async |script: Vec<(&'static [u8], &'static [u8])>| {
        let (address, _task) = scripted(script).await;
        connected(format!("socks5://anna:p%40ss@{address}"), "meet.example").await.expect_err("no connection")
    };
    let greeting: &[u8] = b"\x05\x02\x00\x02";
    let wrong = error(vec![(greeting, b"\x05\x02"), (b"\x01\x04anna\x04p@ss", b"\x01\x01")]).await;
    assert!(matches!(wrong, Error::Authentication(..)), "{wrong}");
    let text = wrong.to_string();
    assert!(text.contains("requires authentication (user and password)") && !text.contains("p@ss"), "{text}");
    for version in [&b"\x00\x00"[..], b"\x05\x00", b"\x05\x01"] {
        let other = error(vec![(greeting, b"\x05\x02"), (b"\x01\x04anna\x04p@ss", version)]).await;
        assert!(matches!(other, Error::NotSocks(_)), "{version:?}: another version of RFC 1929 says nothing: {other}");
    }
    assert!(matches!(error(vec![(greeting, b"\x05\xff")]).await, Error::Authentication(..)), "another method");
    assert!(matches!(error(vec![(greeting, b"HT")]).await, Error::NotSocks(_)), "an HTTP server");
    assert!(matches!(error(vec![(greeting, b"\x05\x01")]).await, Error::NotSocks(_)), "a method that was not offered");
    let request: &[u8] = b"\x05\x01\x00\x03\x0cmeet.example\x01\xbb";
    let forbidden = b"\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00";
    let refused = error(vec![(greeting, b"\x05\x00"), (request, forbidden)]).await;
    let expected = "refused the connection to the server: its rules do not allow it";
    assert!(refused.to_string().ends_with(expected), "{refused}");
    assert!(matches!(signalling::Error::from(refused).reason(), proto::Reason::Proxy(_)));
}

#[tokio::test]
async fn a_socks_proxy_that_never_answers_is_given_up() {
    let (address, _task) = scripted(vec![(b"\x05\x01\x00", b"\x05")]).await;
    let proxy: ProxyUrl = format!("socks5://{address}").parse().unwrap();
    let limit = Duration::from_millis(50);
    let error = super::super::connect_within(limit, &proxy, ("meet.example", 443), &TokioRuntime).await.unwrap_err();
    assert!(matches!(error, Error::Silent(_)), "{error}");
}

#[test]
fn a_reply_is_parsed_when_it_is_complete() {
    let name = [&b"\x05\x00\x00\x03\xff"[..], &[b'x'; 255], b"\x00\x50"].concat();
    assert_eq!(name.len(), MAX_REPLY);
    let ipv6 = [&b"\x05\x05\x00\x04"[..], &[7; 16], b"\x00\x50"].concat();
    for (reply, expected) in
        [(SUCCEEDED, Reply::Succeeded), (&name, Reply::Succeeded), (&ipv6, Reply::Failed(Cause::Refused))]
    {
        for length in 0..reply.len() {
            assert_eq!(parse_reply(&reply[..length]), Ok(None), "the first {length} bytes");
        }
        assert_eq!(parse_reply(reply), Ok(Some(expected)));
        assert_eq!(parse_reply(&[reply, b"x"].concat()), Err(Malformed), "the server does not speak first");
    }
    for wrong in [&b"\x04"[..], b"\x05\x00\x01", b"\x05\x00\x00\x02"] {
        assert_eq!(parse_reply(wrong), Err(Malformed), "{wrong:?}");
    }
}

#[test]
fn a_name_that_does_not_fit_is_not_requested() {
    assert!(request(&"x".repeat(255), 443).is_some_and(|request| request.len() == 262));
    assert_eq!(request(&"x".repeat(256), 443), None);
}
