//! A panic while the SFU handles a meeting ends the media of that meeting only. Real transports on virtual time.

use super::*;
use proto::{Kind, Published, Slot, Subscription, TrackId};
use std::sync::Arc;
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::media::{Direction, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::RtpWrite;
use str0m::{Candidate, Event, Input, Output, Rtc};

const FIRST: MeetingId = MeetingId([1; 16]);
const SECOND: MeetingId = MeetingId([2; 16]);

/// A client that sends or receives one track of sound.
struct Client {
    id: ParticipantId,
    rtc: Rtc,
    address: SocketAddr,
    mid: Mid,
    offer: Option<(String, SdpPendingOffer)>,
    sent: u32,
    received: usize,
}

impl Client {
    fn new(id: u64, direction: Direction, now: Instant) -> Self {
        let mut rtc = Rtc::builder()
            .set_crypto_provider(Arc::new(str0m::crypto::from_feature_flags()))
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, false)
            .build(now);
        let address = SocketAddr::from(([127, 0, 0, 1], 10_000 + u16::try_from(id).unwrap()));
        rtc.add_local_candidate(Candidate::host(address, "udp").unwrap());
        let mut api = rtc.sdp_api();
        let mid = api.add_media(MediaKind::Audio, direction, None, None, None);
        let offer = api.apply().map(|(offer, pending)| (offer.to_sdp_string(), pending));
        Self { id: ParticipantId(id), rtc, address, mid, offer, sent: 0, received: 0 }
    }

    fn speak(&mut self, now: Instant) {
        let Some(payload) = self.rtc.media(self.mid).and_then(|media| media.remote_pts().first().copied()) else {
            return;
        };
        let mut direct = self.rtc.direct_api();
        let Some(stream) = direct.stream_tx_by_mid(self.mid, None) else { return };
        let sequence = u64::from(self.sent).into();
        stream.write_rtp(RtpWrite::new(payload, sequence, self.sent * 960, now, vec![7; 100]));
        self.sent += 1;
    }

    fn poll(&mut self, input: Input<'_>) -> Vec<Vec<u8>> {
        self.rtc.handle_input(input).unwrap();
        let mut sent = Vec::new();
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(_) => return sent,
                Output::Transmit(transmit) => sent.push(transmit.contents.to_vec()),
                Output::Event(Event::RtpPacket(_)) => self.received += 1,
                Output::Event(_) => {}
            }
        }
    }
}

/// An SFU with clients.
struct World {
    sfu: Sfu,
    clients: Vec<Client>,
    /// The participants whose connections were dropped.
    failed: Vec<u64>,
    now: Instant,
}

impl World {
    /// Returns two meetings: participant 1 speaks to 2, and 3 to 4. Both are connected.
    fn of_two_meetings() -> Self {
        let now = Instant::now();
        let mut world = Self { sfu: meeting_of(0, now), clients: Vec::new(), failed: Vec::new(), now };
        world.open(FIRST, 1, 2);
        world.open(SECOND, 3, 4);
        world.speaks_to(2);
        world.speaks_to(4);
        world
    }

    /// Lets `speaker` and `listener` join, offer and connect.
    fn open(&mut self, meeting: MeetingId, speaker: u64, listener: u64) {
        self.clients.retain(|client| client.id.0 != speaker && client.id.0 != listener);
        for (id, direction) in [(speaker, Direction::SendOnly), (listener, Direction::RecvOnly)] {
            self.sfu.join(meeting, ParticipantId(id), address(1), self.now);
            let client = Client::new(id, direction, self.now);
            let (mid, owner) = (client.mid.to_string(), ParticipantId(speaker));
            let (mut published, mut subscriptions) = (Vec::new(), Vec::new());
            if id == speaker {
                published.push(Published { slot: Slot::Microphone, kind: Kind::Audio, mid, layers: Vec::new() });
            } else {
                subscriptions.push(Subscription { mid, track: TrackId { owner, slot: Slot::Microphone } });
            }
            let sdp = client.offer.as_ref().unwrap().0.clone();
            self.clients.push(client);
            self.send(
                id,
                &ClientSignal::Offer { number: 1, sdp, published, subscriptions, voices: Vec::new(), downlink: None },
            );
        }
    }

    fn send(&mut self, participant: u64, signal: &ClientSignal) {
        let message = ToSfu::Signal(Blob(proto::encode(signal)));
        self.sfu.handle_command(Command::Message { participant: ParticipantId(participant), message }, self.now);
        self.deliver();
    }

    fn deliver(&mut self) {
        while let Some((participant, reply)) = self.sfu.poll_reply() {
            let client = self.clients.iter_mut().find(|client| client.id == participant);
            match reply {
                Reply::Failed => self.failed.push(participant.0),
                Reply::Signal(ServerSignal::Answer { sdp, .. }) => {
                    let Some(client) = client else { continue };
                    let answer = SdpAnswer::from_sdp_string(&sdp).unwrap();
                    let (_, pending) = client.offer.take().unwrap();
                    client.rtc.sdp_api().accept_answer(pending, answer).unwrap();
                }
                Reply::Signal(_) | Reply::Totals(_) | Reply::Malformed | Reply::TooFast => {}
            }
        }
    }

    /// Simulates 20 ms, in which each speaker sends a packet.
    fn step(&mut self) {
        let server = SocketAddr::from((Ipv4Addr::LOCALHOST, 7_443));
        for client in &mut self.clients {
            client.speak(self.now);
        }
        for _ in 0..20 {
            self.now += Duration::from_millis(1);
            for client in &mut self.clients {
                for datagram in client.poll(Input::Timeout(self.now)) {
                    self.sfu.handle_datagram(client.address, server, &datagram, self.now);
                }
            }
            self.sfu.advance(self.now);
            if self.sfu.poll_timeout() <= self.now {
                self.sfu.handle_timeout(self.now);
            }
            while let Some(transmit) = self.sfu.poll_transmit() {
                let to = self.clients.iter_mut().find(|client| client.address == transmit.destination);
                let Some(client) = to else { continue };
                let datagram = Receive::new(Protocol::Udp, server, client.address, &transmit.contents).unwrap();
                for answer in client.poll(Input::Receive(self.now, datagram)) {
                    self.sfu.handle_datagram(client.address, server, &answer, self.now);
                }
            }
            self.deliver();
        }
    }

    /// Runs until a listener has received ten more packets.
    fn speaks_to(&mut self, listener: u64) {
        let received = |world: &Self| world.clients.iter().find(|client| client.id.0 == listener).unwrap().received;
        let before = received(self);
        for _ in 0..500 {
            if received(self) >= before + 10 {
                return;
            }
            self.step();
        }
        panic!("{} packets in ten seconds", received(self) - before);
    }

    fn inject(&mut self, meeting: MeetingId) {
        self.sfu.inject_panic(meeting);
    }

    fn failed_meetings(&self) -> u64 {
        self.sfu.metrics().failed_meetings
    }
}

#[test]
fn a_panic_while_a_packet_is_forwarded_ends_the_media_of_its_meeting_and_others_go_on() {
    let mut world = World::of_two_meetings();
    world.inject(FIRST);
    world.step();
    world.failed.sort_unstable();
    assert_eq!((world.failed.as_slice(), world.sfu.size(), world.failed_meetings()), (&[1, 2][..], (1, 2), 1));
    assert!(world.sfu.totals(FIRST).is_some_and(|totals| totals.packets_out >= 10), "its totals are kept");
    world.speaks_to(4);
    // The members of the first meeting connect again.
    world.open(FIRST, 1, 2);
    world.speaks_to(2);
    world.speaks_to(4);
    assert_eq!((world.failed.len(), world.sfu.size(), world.failed_meetings()), (2, (2, 4), 1));
}

#[test]
fn a_panic_in_a_timer_a_message_or_an_offer_ends_the_media_of_its_meeting_and_others_go_on() {
    let wishes = ClientSignal::Wishes { tiles: Vec::new() };
    let offer = ClientSignal::Offer {
        number: 2,
        sdp: description(1),
        published: Vec::new(),
        subscriptions: Vec::new(),
        voices: Vec::new(),
        downlink: None,
    };
    for signal in [None, Some(wishes), Some(offer)] {
        let mut world = World::of_two_meetings();
        world.sfu.join(FIRST, ParticipantId(5), address(1), world.now);
        world.inject(FIRST);
        if let Some(signal) = &signal {
            world.send(5, signal);
        } else {
            world.sfu.handle_timeout(world.now + TICK);
            world.deliver();
        }
        world.failed.sort_unstable();
        assert_eq!((world.failed.as_slice(), world.sfu.size()), (&[1, 2, 5][..], (1, 2)), "{signal:?}");
        assert_eq!(world.failed_meetings(), 1);
        world.speaks_to(4);
    }
}

#[test]
fn a_meeting_that_fails_again_and_again_leaves_nothing_behind() {
    let start = Instant::now();
    let mut world = World { sfu: meeting_of(0, start), clients: Vec::new(), failed: Vec::new(), now: start };
    for round in 1..=100 {
        world.sfu.join(FIRST, ParticipantId(1), address(1), world.now);
        world.sfu.join(FIRST, ParticipantId(2), address(1), world.now);
        world.inject(FIRST);
        world.send(1, &ClientSignal::Wishes { tiles: Vec::new() });
        assert_eq!((world.sfu.size(), world.failed.len(), world.failed_meetings()), ((0, 0), 2 * round, round as u64));
    }
    let meetings = &world.sfu.meetings;
    assert!(meetings.rooms.is_empty());
}
