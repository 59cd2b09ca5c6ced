//! Tests of the bounds on offers, and of the timers.

mod isolation;

use super::transport_error::TransportError;
use super::*;
use proto::{Blob, ClientSignal, Kind, MAX_DESCRIPTIONS, Published, ServerSignal, Slot, Subscription, TrackId};
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};

const MEETING: MeetingId = MeetingId([1; 16]);

fn address(last: u8) -> ClientAddress {
    ClientAddress { arrived_at: None, origin: Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)).into()) }
}

/// Returns an SFU with a meeting of `members` participants at one address.
fn meeting_of(members: u64, now: Instant) -> Sfu {
    let mut sfu = Sfu::new(Context::new(vec![(Ipv4Addr::LOCALHOST, 7_443).into()]).unwrap(), now);
    (0..members).for_each(|id| sfu.join(MEETING, ParticipantId(id), address(1), now));
    sfu
}

/// Returns a session description that receives `count` videos.
fn description(count: usize) -> String {
    let fingerprint = vec!["AB"; 32].join(":");
    let mut sdp = format!(
        "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=fingerprint:sha-256 {fingerprint}\r\n\
        a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=setup:actpass\r\na=group:BUNDLE"
    );
    (0..count).for_each(|mid| write!(sdp, " {mid}").unwrap());
    sdp.push_str("\r\n");
    for mid in 0..count {
        write!(sdp, "m=video 9 UDP/TLS/RTP/SAVPF 102\r\na=mid:{mid}\r\na=recvonly\r\na=rtpmap:102 H264/90000\r\n")
            .unwrap();
    }
    sdp
}

/// Sends an offer. Returns the answers and the other replies that the SFU has given since the last call.
fn offer(sfu: &mut Sfu, participant: u64, sdp: &str, now: Instant) -> (usize, Vec<Reply>) {
    offer_of((Vec::new(), Vec::new()), sfu, participant, sdp, now)
}

fn offer_of(
    (published, subscriptions): (Vec<Published>, Vec<Subscription>),
    sfu: &mut Sfu,
    participant: u64,
    sdp: &str,
    now: Instant,
) -> (usize, Vec<Reply>) {
    let (sdp, voices) = (sdp.into(), Vec::new());
    let offer = ClientSignal::Offer { number: 1, sdp, published, subscriptions, voices, downlink: None };
    let message = ToSfu::Signal(Blob(proto::encode(&offer)));
    sfu.handle_command(Command::Message { participant: ParticipantId(participant), message }, now);
    replies(sfu)
}

fn replies(sfu: &mut Sfu) -> (usize, Vec<Reply>) {
    let replies = std::iter::from_fn(|| sfu.poll_reply()).map(|(_, reply)| reply);
    let (answers, others): (Vec<Reply>, Vec<Reply>) =
        replies.partition(|reply| matches!(reply, Reply::Signal(ServerSignal::Answer { .. })));
    (answers.len(), others)
}

const REFUSED: Reply = Reply::Signal(ServerSignal::OfferRefused { number: 1 });

#[test]
fn members_of_one_address_that_resume_again_and_again_cannot_stall_the_media_of_others() {
    let start = Instant::now();
    let (mut sfu, sdp) = (meeting_of(130, start), description(MAX_DESCRIPTIONS));
    let mut answers = 0;
    for step in 0..10_u32 {
        let now = start + Duration::from_millis(100) * step;
        for participant in 0..6 {
            sfu.join(MEETING, ParticipantId(participant), address(1), now);
            answers += offer(&mut sfu, participant, &sdp, now).0;
        }
        sfu.handle_timeout(now);
        answers += replies(&mut sfu).0;
    }
    assert!((1..=7).contains(&answers), "{answers} of 60 offers with 1024 new descriptions in one second");
    let now = start + secs(1);
    sfu.join(MeetingId([2; 16]), ParticipantId(1_000), address(2), now);
    assert_eq!(offer(&mut sfu, 1_000, &description(4), now).0, 1, "another address does not wait");
    let mut steps = (0..60).map(|second| now + secs(second));
    assert!(
        steps.any(|now| {
            sfu.handle_timeout(now);
            replies(&mut sfu).0 > 0
        }),
        "the others are answered later"
    );
}

#[test]
fn a_member_that_resumes_has_sent_as_many_offers_as_before() {
    let now = Instant::now();
    let (mut sfu, sdp) = (meeting_of(1, now), description(1));
    for _ in 0..40 {
        sfu.join(MEETING, ParticipantId(0), address(1), now);
        assert_eq!(offer(&mut sfu, 0, &sdp, now), (1, vec![]));
    }
    sfu.join(MEETING, ParticipantId(0), address(1), now);
    assert_eq!(offer(&mut sfu, 0, &sdp, now), (0, vec![Reply::TooFast]));
}

#[test]
fn members_that_left_allow_no_new_descriptions_after_a_minute() {
    let start = Instant::now();
    let mut sfu = meeting_of(20, start);
    (2..20).for_each(|id| sfu.handle_command(Command::Leave { participant: ParticipantId(id) }, start));
    assert_eq!(offer(&mut sfu, 0, &description(170), start + secs(20)), (1, vec![]), "descriptions may still drain");
    let later = start + secs(90);
    assert_eq!(offer(&mut sfu, 1, &description(170), later), (0, vec![REFUSED]));
    assert_eq!(offer(&mut sfu, 1, &description(32), later), (1, vec![]));
    assert_eq!(offer(&mut sfu, 0, &description(170), later), (1, vec![]), "its transport has them");
    assert_eq!(offer(&mut sfu, 0, &description(171), later), (0, vec![REFUSED]));
}

/// Otherwise each offer could raise the bound of the next one, and count its new descriptions as known ones.
#[test]
fn names_in_the_session_part_allow_no_further_descriptions() {
    let now = Instant::now();
    let mut sfu = meeting_of(1, now);
    let names = (0..200).map(|name| format!("a=mid:x{name}\r\n")).collect::<Vec<_>>().concat();
    let with_names = description(24).replacen("m=video", &format!("{names}m=video"), 1);
    assert_eq!(offer(&mut sfu, 0, &with_names, now), (1, vec![]));
    assert_eq!(offer(&mut sfu, 0, &description(25), now), (0, vec![REFUSED]));
    assert_eq!(offer(&mut sfu, 0, &description(24), now), (1, vec![]));
}

/// A member can have its transport reset: it closes the connection. Its descriptions are new to the next transport.
#[test]
fn an_offer_that_waits_while_its_transport_is_reset_costs_more() {
    let start = Instant::now();
    let (mut sfu, sdp) = (meeting_of(130, start), description(MAX_DESCRIPTIONS));
    assert_eq!(offer(&mut sfu, 0, &sdp, start).0, 1);
    assert_eq!(offer(&mut sfu, 1, &sdp, start).0, 1);
    assert_eq!(offer(&mut sfu, 0, &sdp, start), (0, vec![]), "it waits");
    sfu.meetings.reset_transport(ParticipantId(0), &TransportError::Closed, start);
    // The budget is enough for an offer of known descriptions, and later for one of new descriptions.
    for (after, answers) in [(130, 0), (240, 1)] {
        sfu.handle_timeout(start + Duration::from_millis(after));
        assert_eq!(replies(&mut sfu).0, answers, "{after} ms later");
    }
}

/// Returns what the others are told of a member that sent a voice, and has another transport since an offer with these tracks.
/// `receive` says whether somebody receives the voice.
fn told_of_another_transport(receive: bool, media: &str, tracks: &[Published]) -> (Sfu, Vec<Reply>) {
    let now = Instant::now();
    let (mut sfu, sdp) = (meeting_of(2, now), description(1));
    let track = TrackId { owner: ParticipantId(0), slot: Slot::Microphone };
    assert_eq!(offer_of((vec![voice()], Vec::new()), &mut sfu, 0, &sdp, now), (1, vec![named(vec![voice()])]));
    if receive {
        let receives = (Vec::new(), vec![Subscription { mid: "0".into(), track }]);
        assert_eq!(offer_of(receives, &mut sfu, 1, &sdp, now), (1, vec![]));
    }
    let other = sdp.replace("AB:AB:AB", "AB:CD:AB").replace("m=video", media);
    let (_, told) = offer_of((tracks.to_vec(), Vec::new()), &mut sfu, 0, &other, now);
    (sfu, told)
}

fn voice() -> Published {
    Published { slot: Slot::Microphone, kind: Kind::Audio, mid: "0".into(), layers: Vec::new() }
}

fn named(tracks: Vec<Published>) -> Reply {
    Reply::Signal(ServerSignal::Tracks { owner: ParticipantId(0), tracks })
}

#[test]
fn the_tracks_of_a_member_with_another_transport_go_on_if_its_offer_names_them() {
    for receive in [false, true] {
        let (_, told) = told_of_another_transport(receive, "m=video", &[voice()]);
        assert_eq!(told, [named(vec![voice()])], "received: {receive}");
    }
}

#[test]
fn the_tracks_of_a_member_with_another_transport_end_once_if_its_offer_is_refused_or_names_none() {
    for receive in [false, true] {
        let (_, told) = told_of_another_transport(receive, "m=video", &[]);
        assert_eq!(told, [named(Vec::new())], "received: {receive}");
        let (mut sfu, told) = told_of_another_transport(receive, "m=application", &[voice()]);
        assert_eq!(told, [REFUSED, named(Vec::new())], "received: {receive}");
        let wrong = description(1).replace("AB:AB:AB", "AB:EF:AB").replace("m=video", "m=application");
        assert_eq!(offer(&mut sfu, 0, &wrong, Instant::now()), (0, vec![REFUSED]), "they have ended already");
    }
}

#[test]
fn the_tracks_of_a_member_that_leaves_while_the_offer_of_its_other_transport_waits_end() {
    for receive in [false, true] {
        let now = Instant::now();
        let (mut sfu, sdp) = (meeting_of(130, now), description(MAX_DESCRIPTIONS));
        assert_eq!(offer_of((vec![voice()], Vec::new()), &mut sfu, 0, &sdp, now).0, 1);
        if receive {
            let track = TrackId { owner: ParticipantId(0), slot: Slot::Microphone };
            let receives = (Vec::new(), vec![Subscription { mid: "0".into(), track }]);
            assert_eq!(offer_of(receives, &mut sfu, 1, &sdp, now).0, 1);
        } else {
            assert_eq!(offer(&mut sfu, 1, &sdp, now).0, 1);
        }
        let other = sdp.replace("AB:AB:AB", "AB:CD:AB");
        assert_eq!(offer_of((vec![voice()], Vec::new()), &mut sfu, 0, &other, now), (0, vec![]), "it waits");
        sfu.handle_command(Command::Leave { participant: ParticipantId(0) }, now);
        let (_, told) = replies(&mut sfu);
        assert!(told.len() == 129 && told.iter().all(|reply| *reply == named(Vec::new())), "received: {receive}");
    }
}

#[test]
fn the_time_without_a_meeting_is_no_delay_of_a_timer() {
    let start = Instant::now();
    let (mut sfu, later) = (meeting_of(0, start), start + secs(600));
    sfu.join(MEETING, ParticipantId(1), address(1), later);
    sfu.handle_timeout(later);
    let text = sfu.metrics().text(sfu.size(), 1);
    assert!(text.contains("conclave_sfu_loop_delay_seconds_sum 0\n"), "{text}");
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
