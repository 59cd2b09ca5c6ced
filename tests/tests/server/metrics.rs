//! Metrics, over a real socket.

use super::connection::{TIMEOUT, TestServer, meeting};
use super::send_pictures;
use server::Limits;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Sends bytes, and returns the answer.
async fn ask(address: SocketAddr, request: &[u8]) -> String {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await.expect("listening");
        stream.write_all(request).await.expect("it reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("an answer");
        String::from_utf8(answer).expect("text")
    };
    timeout(TIMEOUT, exchange).await.expect("an answer")
}

pub async fn scrape(address: SocketAddr) -> String {
    ask(address, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").await
}

/// Returns the names and labels of all series.
fn series(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| Some(line.rsplit_once(' ')?.0)).collect()
}

pub fn value(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{name} is in\n{text}")).parse().expect("a number")
}

#[tokio::test]
async fn metrics_count_a_meeting_and_have_no_number_or_address_of_it() {
    let server = TestServer::start(Limits::default()).await;
    let address = server.server.metrics_address().unwrap();
    let before = scrape(address).await;
    assert!(before.starts_with("HTTP/1.1 200 OK\r\n") && before.contains("text/plain; version=0.0.4"), "{before}");
    let (anna, ben) = Box::pin(send_pictures(&server)).await;
    let text = scrape(address).await;
    assert_eq!(series(&before), series(&text), "no series is added for a meeting");
    for (name, least) in [
        ("conclave_sfu_meetings", 1.0),
        ("conclave_sfu_participants", 2.0),
        ("conclave_sfu_threads", 1.0),
        ("conclave_sfu_received_packets_total", 50.0),
        ("conclave_sfu_received_bytes_total", 20_000.0),
        ("conclave_sfu_sent_packets_total", 50.0),
        ("conclave_sfu_receiver_budget_bits_per_second_count", 1.0),
        ("conclave_sfu_loop_delay_seconds_count", 1.0),
    ] {
        assert!(value(&text, name) >= least, "{name} in\n{text}");
    }
    let hex = format!("{:032x}", u128::from_be_bytes(meeting(1).0));
    let mut secrets = vec![hex, "127.0.0.1".into(), server.address().port().to_string()];
    for member in [&anna, &ben] {
        let id = member.connection.id.0;
        secrets.extend([id.to_string(), format!("{id:x}"), member.socket.local_addr().unwrap().port().to_string()]);
    }
    let labels = series(&text).join("\n");
    for secret in &secrets {
        assert!(!labels.contains(secret.as_str()), "{secret} is in\n{labels}");
    }
    assert!(secrets.iter().filter(|secret| secret.len() > 8).all(|secret| !text.contains(secret.as_str())), "{text}");
    server.close().await;
}

#[tokio::test]
async fn slow_clients_and_garbage_do_not_delay_the_metrics_of_others() {
    let server = TestServer::start(Limits::default()).await;
    let address = server.server.metrics_address().unwrap();
    let mut slow = Vec::new();
    for _ in 0..40 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /metr").await.unwrap();
        slow.push(stream);
    }
    let start = std::time::Instant::now();
    assert!(scrape(address).await.contains("conclave_sfu_meetings 0"));
    assert!(start.elapsed().as_secs() < 4, "it does not wait for the slow ones: {:?}", start.elapsed());
    // The oldest were closed for newer ones.
    let mut rest = Vec::new();
    let _ = timeout(TIMEOUT, slow[0].read_to_end(&mut rest)).await.expect("closed");
    assert!(ask(address, b"\x16\x03\x01 garbage\r\n\r\n").await.starts_with("HTTP/1.1 400 "));
    assert!(ask(address, &[b'a'; 4_096]).await.starts_with("HTTP/1.1 400 "), "an endless head");
    assert!(ask(address, b"GET /other HTTP/1.1\r\n\r\n").await.starts_with("HTTP/1.1 404 "));
    let (_anna, _ben) = server.pair().await;
    server.close().await;
}
