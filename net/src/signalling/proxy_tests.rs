use super::answer::MAX_HEAD;
use super::*;
use crate::signalling;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use webrtc::runtime::TokioRuntime;

/// A proxy that gives each connection the next of `answers`, and records the requests. An answer of `None` is silence.
async fn false_proxy(answers: Vec<Option<&'static [u8]>>) -> (ProxyUrl, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&requests);
    tokio::spawn(async move {
        let mut open = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = vec![0; 4_096];
            let length = stream.read(&mut bytes).await.unwrap();
            seen.lock().unwrap().push(String::from_utf8_lossy(&bytes[..length]).into_owned());
            match answer {
                // The client may have disconnected already.
                Some(answer) => drop(stream.write_all(answer).await),
                None => open.push(stream),
            }
        }
        std::future::pending::<()>().await;
    });
    (format!("http://anna:p%40ss@{address}").parse().unwrap(), requests)
}

async fn connection_error(answers: Vec<Option<&'static [u8]>>) -> Error {
    let (proxy, _) = false_proxy(answers).await;
    connect_within(LIMIT, &proxy, ("meet.example", 443), &TokioRuntime).await.expect_err("no connection")
}

#[tokio::test]
async fn credentials_of_the_url_are_sent_with_the_first_request() {
    let (proxy, requests) = false_proxy(vec![Some(b"HTTP/1.1 200 Connection established\r\n\r\n")]).await;
    connect(&proxy, "meet.example", 443, &TokioRuntime).await.unwrap();
    let expected = "CONNECT meet.example:443 HTTP/1.1\r\nHost: meet.example:443\r\n\
                    Proxy-Authorization: Basic YW5uYTpwQHNz\r\n\r\n";
    assert_eq!(*requests.lock().unwrap(), [expected]);
}

#[tokio::test]
async fn an_ipv6_server_has_brackets_in_the_request() {
    let (proxy, requests) = false_proxy(vec![Some(b"HTTP/1.1 200 OK\r\n\r\n")]).await;
    connect(&proxy, "2001:db8::1", 443, &TokioRuntime).await.unwrap();
    assert!(requests.lock().unwrap()[0].starts_with("CONNECT [2001:db8::1]:443 HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_proxy_that_misbehaves_gives_an_error_that_names_it() {
    assert!(matches!(connection_error(vec![Some(b""); 3]).await, Error::Closed(_)));
    assert!(matches!(connection_error(vec![Some(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")]).await, Error::NotHttp(_)));
    assert!(
        matches!(connection_error(vec![Some(b"HTTP/1.1 200 OK\r\n\r\n<html>")]).await, Error::NotHttp(_)),
        "speaks first"
    );
    assert!(matches!(
        connection_error(vec![Some(b"HTTP/1.1 403 Forbidden\r\n\r\n<html>")]).await,
        Error::Refused(_, 403)
    ));
    assert!(matches!(
        connection_error(vec![Some(b"HTTP/1.1 302 Found\r\nLocation: /login\r\n\r\n")]).await,
        Error::SignIn(_, 302)
    ));
    let wrong = connection_error(vec![Some(
        b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n",
    )])
    .await;
    assert!(matches!(&wrong, Error::Authentication(_, schemes) if schemes == "Basic"), "{wrong}");
    let text = wrong.to_string();
    assert!(text.contains("127.0.0.1:") && !text.contains("anna") && !text.contains("p@ss"), "{text}");
}

#[tokio::test]
async fn a_proxy_that_closes_some_connections_is_asked_again() {
    let established: Option<&[u8]> = Some(b"HTTP/1.1 200 Connection established\r\n\r\n");
    let (proxy, requests) = false_proxy(vec![Some(b""), Some(b""), established]).await;
    connect(&proxy, "meet.example", 443, &TokioRuntime).await.unwrap();
    assert_eq!(requests.lock().unwrap().len(), 3);
    let text = connection_error(vec![Some(b""); 3]).await.to_string();
    assert!(text.starts_with("the proxy 127.0.0.1:") && text.ends_with("closed the connection"), "{text}");
}

#[tokio::test]
async fn a_sign_in_that_is_not_supported_is_named() {
    let demand = b"HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n\r\n";
    let error = connection_error(vec![Some(demand)]).await;
    assert!(matches!(&error, Error::UnsupportedScheme(_, schemes) if schemes == "Negotiate, NTLM"), "{error}");
    assert!(error.to_string().contains("wants a sign-in by Negotiate, NTLM, which is not supported yet"), "{error}");
    assert!(matches!(signalling::Error::from(error).reason(), proto::Reason::Proxy(_)));
    let portal = connection_error(vec![Some(b"HTTP/1.1 511 Network Authentication Required\r\n\r\n")]).await;
    assert!(matches!(signalling::Error::from(portal).reason(), proto::Reason::SignIn(_)));
}

#[tokio::test]
async fn a_proxy_that_never_answers_is_given_up() {
    let (proxy, _) = false_proxy(vec![None]).await;
    let limit = Duration::from_millis(50);
    let error = connect_within(limit, &proxy, ("meet.example", 443), &TokioRuntime).await.unwrap_err();
    assert!(matches!(&error, Error::Silent(_)), "{error}");
}

#[tokio::test]
async fn a_closed_port_is_an_unreachable_proxy() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy: ProxyUrl = listener.local_addr().unwrap().to_string().parse().unwrap();
    drop(listener);
    let error = connect(&proxy, "meet.example", 443, &TokioRuntime).await.unwrap_err();
    assert!(matches!(&error, Error::Unreachable(..)), "{error}");
    assert_eq!(signalling::Error::from(error).reason().fault(), Some(proto::Fault::Network));
}

/// Long enough for a proxy on this computer.
const LIMIT: Duration = Duration::from_secs(20);

/// Stands for the system's Kerberos.
#[derive(Debug)]
struct Negotiate;

impl ProxyAuthenticator for Negotiate {
    fn scheme(&self) -> &'static str {
        "Negotiate"
    }

    fn credentials(&self, host: &str, challenge: Option<&str>) -> Option<String> {
        assert_eq!((host, challenge), ("127.0.0.1", Some("")));
        Some("dG9rZW4=".into())
    }
}

#[tokio::test]
async fn another_scheme_answers_the_demand_of_the_proxy() {
    let demand = b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Negotiate\r\nproxy-authenticate: NTLM\r\n\r\n";
    let (proxy, requests) = false_proxy(vec![Some(demand), Some(b"HTTP/1.1 200 OK\r\n\r\n")]).await;
    let proxy: ProxyUrl = proxy.to_string().parse().unwrap();
    let settings = ProxySettings::of(proxy).with_authenticator(Arc::new(Negotiate));
    connect(settings.for_host("meet.example").unwrap(), "meet.example", 443, &TokioRuntime).await.unwrap();
    let requests = requests.lock().unwrap();
    assert!(!requests[0].contains("Authorization"), "{}", requests[0]);
    assert!(requests[1].contains("\r\nProxy-Authorization: Negotiate dG9rZW4=\r\n"), "{}", requests[1]);
}

#[test]
fn an_answer_is_parsed_when_its_head_is_complete() {
    let head = b"HTTP/1.1 200 OK\r\nVia: x\r\n\r\n";
    for length in 0..head.len() {
        assert_eq!(Answer::parse(&head[..length]), Ok(None), "the first {length} bytes");
    }
    assert_eq!(Answer::parse(head), Ok(Some(Answer { status: 200, demands: Vec::new() })));
    let endless = [&b"HTTP/1.1 200 OK\r\nX: "[..], &vec![b'x'; MAX_HEAD]].concat();
    assert_eq!(Answer::parse(&endless), Err(Malformed));
    let many = ["HTTP/1.1 200 OK\r\n", &"X: y\r\n".repeat(1_000)].concat();
    assert_eq!(Answer::parse(many.as_bytes()), Err(Malformed));
}

#[test]
fn urls_of_proxies_are_parsed() {
    let place = |url: &str| url.parse::<ProxyUrl>().map(|proxy| (proxy.host, proxy.port));
    for (url, host, port) in [
        ("http://proxy.example:3128", "proxy.example", 3_128),
        ("HTTP://proxy.example:3128/", "proxy.example", 3_128),
        ("proxy.example", "proxy.example", 80),
        ("http://[2001:db8::1]:8080", "2001:db8::1", 8_080),
        ("http://user:a@b@10.0.0.1:1", "10.0.0.1", 1),
    ] {
        assert_eq!(place(url), Ok((host.to_owned(), port)), "{url}");
    }
    for url in [
        "",
        "https://proxy.example:1",
        "socks4://proxy.example:1",
        "http://:1",
        "http://proxy.example:0",
        "http://a:b:1",
        "http://proxy.example:99999",
        "http://a b:1",
        "http://a\r\nb:1",
        "http://[::1:80",
        "http://[::1]x",
        "http://u%:p@h:1",
        "http://u%3Aser:p@h:1",
        "http://h:1/path",
    ] {
        assert!(place(url).is_err(), "{url:?}");
    }
}

#[test]
fn the_environment_names_the_proxy_and_its_exceptions() {
    let settings = |variables: &[(&str, &str)]| {
        ProxySettings::from_variables(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    };
    let proxy = |settings: &ProxySettings, host: &str| settings.for_host(host).map(ToString::to_string);
    assert_eq!(proxy(&settings(&[]), "meet.example"), None);
    assert_eq!(proxy(&settings(&[("HTTP_PROXY", "http://a:1")]), "meet.example"), None, "it is for clear HTTP");
    assert_eq!(proxy(&settings(&[("HTTPS_PROXY", "https://a:1")]), "meet.example"), None, "not supported");
    assert_eq!(proxy(&settings(&[("ALL_PROXY", "socks5://a")]), "meet.example").as_deref(), Some("a:1080"));
    assert_eq!(proxy(&settings(&[("all_proxy", "http://a:1")]), "meet.example").as_deref(), Some("a:1"));
    let all = settings(&[
        ("HTTPS_PROXY", "http://a:1"),
        ("ALL_PROXY", "http://b:2"),
        ("NO_PROXY", "intern.example, .corp, 10.1.2.3"),
    ]);
    assert_eq!(proxy(&all, "meet.example").as_deref(), Some("a:1"));
    assert_eq!(proxy(&all, "notintern.example").as_deref(), Some("a:1"));
    for direct in ["intern.example", "MEET.intern.example", "a.corp", "10.1.2.3", "localhost", "127.0.0.1", "::1"] {
        assert_eq!(proxy(&all, direct), None, "{direct}");
    }
    assert_eq!(proxy(&settings(&[("HTTPS_PROXY", "http://a:1"), ("NO_PROXY", "*")]), "meet.example"), None);
    assert!(ProxySettings::of("http://a:1".parse().unwrap()).for_host("127.0.0.1").is_some());
    assert!(ProxySettings::of("http://a:1".parse().unwrap()).bypassing_loopback().for_host("127.0.0.1").is_none());
}
