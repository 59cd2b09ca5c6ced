//! A server that forwards media on several threads, over real sockets.

use super::connection::TestServer;
use super::{Member, metrics, send_pictures_in, send_until};
use proto::ServerSignal;

/// Returns the number of a member's media thread: the first character of the ICE user name (`ice-ufrag`) in the server's answer.
fn thread_of(member: &Member) -> char {
    let mut answers = member.client.signals.iter().rev().filter_map(|signal| match signal {
        ServerSignal::Answer { sdp, .. } => Some(sdp),
        ServerSignal::OfferRefused { .. }
        | ServerSignal::Tracks { .. }
        | ServerSignal::TrackDemand { .. }
        | ServerSignal::SoundLoss { .. }
        | ServerSignal::Downlink { .. } => None,
    });
    let answer = answers.next().expect("its offer was answered");
    let name = answer.lines().find_map(|line| line.strip_prefix("a=ice-ufrag:")).expect("it has a user name");
    name.chars().next().expect("it is not empty")
}

/// A hash chooses the thread of a meeting, so this opens meetings until two have different threads.
#[tokio::test]
async fn media_flow_in_meetings_on_two_threads() {
    let server = TestServer::start_with_threads(2).await;
    let mut first = Box::pin(send_pictures_in(&server, 1)).await;
    let mut second = None;
    for meeting in 2..=40 {
        let pair = Box::pin(send_pictures_in(&server, meeting)).await;
        assert_eq!(thread_of(&pair.0), thread_of(&pair.1), "a meeting has one thread");
        if thread_of(&pair.0) != thread_of(&first.0) {
            second = Some(pair);
            break;
        }
        first = pair;
    }
    let mut second = second.expect("both threads get meetings");
    let mut threads = [&first.0, &second.0].map(thread_of);
    threads.sort_unstable();
    assert_eq!(threads, ['0', '1']);
    for _ in 0..2 {
        for (anna, ben) in [&mut first, &mut second] {
            // Their links are estimated anew after the pause, so the pictures may be small.
            let before = ben.client.received.len();
            send_until(anna, ben, |ben| ben.received.len() >= before + 50).await;
        }
    }
    let text = metrics::scrape(server.server.metrics_address().expect("it serves metrics")).await;
    let least = [("meetings", 2.0), ("participants", 4.0), ("threads", 2.0), ("received_packets_total", 300.0)];
    for (name, least) in least {
        assert!(metrics::value(&text, &format!("conclave_sfu_{name}")) >= least, "{name} of both threads: {text}");
    }
    server.close().await;
}

/// The thread of the meeting opens a socket, and another one reads it.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn media_are_offered_at_the_address_by_which_the_client_came_on_each_thread() {
    let (public, media_threads) = (vec!["203.0.113.5".to_owned()], std::num::NonZero::new(3));
    let config = server::Config::new("0.0.0.0:0".parse().expect("an address"));
    let config = server::Config { public, media_threads, ..config };
    let server = TestServer::start_with(config).await;
    Box::pin(super::connect_at_several_addresses(server)).await;
}
