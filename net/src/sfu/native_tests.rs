use super::*;

const ME: ParticipantId = ParticipantId(1);

/// The machine with a stack that gives `mid`s in the order of growth.
struct Bench {
    own: Native,
    now: Instant,
    mids: Vec<(bool, Kind)>,
    offers: Vec<ClientSignal>,
    wishes: Vec<ClientSignal>,
    tracks: Vec<(TrackId, String)>,
    others: Vec<Output>,
}

impl Bench {
    fn entered() -> Self {
        let mut bench = Self {
            own: Native::default(),
            now: Instant::now(),
            mids: Vec::new(),
            offers: Vec::new(),
            wishes: Vec::new(),
            tracks: Vec::new(),
            others: Vec::new(),
        };
        bench.give(Input::Entered(ME));
        bench
    }

    fn give(&mut self, input: Input) {
        self.own.handle(input, self.now);
        while let Some(output) = self.own.poll() {
            match output {
                Output::Offer { transport, plan } => {
                    let mids = self.mids_of(&plan);
                    self.own.handle(Input::Local { transport, sdp: "offer".into(), mids }, self.now);
                }
                Output::Signal(bytes) => match proto::decode_signal(&bytes).unwrap() {
                    offer @ ClientSignal::Offer { .. } => self.offers.push(offer),
                    wishes @ ClientSignal::Wishes { .. } => self.wishes.push(wishes),
                },
                Output::Apply { kind, .. } => assert_eq!(kind, SdpKind::Answer),
                Output::Track(incoming) => self.tracks.push((incoming.track, incoming.mid)),
                Output::TrackEnded(track) => self.tracks.retain(|(other, _)| *other != track),
                other @ (Output::SenderLayers(_) | Output::Failed(_)) => self.others.push(other),
                other @ (Output::Connect { .. } | Output::AddCandidate { .. }) => {
                    panic!("not of this dialect: {other:?}")
                }
            }
        }
    }

    fn signal(&mut self, signal: &ServerSignal) {
        self.give(Input::Signal(proto::encode(signal).into()));
    }

    fn mids_of(&mut self, plan: &Plan) -> Mids {
        let has = |mids: &[(bool, Kind)], sends, kind| mids.iter().filter(|mid| **mid == (sends, kind)).count();
        for (kind, wanted) in [(Kind::Audio, plan.receive_audio), (Kind::Video, plan.receive_video)] {
            while has(&self.mids, false, kind) < wanted {
                self.mids.push((false, kind));
            }
        }
        let of = |kind| {
            let all = self.mids.iter().enumerate().filter(move |(_, mid)| **mid == (false, kind));
            all.map(|(index, _)| index.to_string()).collect()
        };
        Mids {
            send: plan.send.iter().map(|(slot, _)| (*slot, format!("s{}", *slot as u8))).collect(),
            receive_audio: of(Kind::Audio),
            receive_video: of(Kind::Video),
        }
    }

    fn answer(&mut self) {
        let number = self.own.number;
        self.signal(&ServerSignal::Answer { number, sdp: "answer".into() });
    }

    fn sends(&mut self, owner: u64, slots: &[Slot]) {
        let track = |slot: &Slot| Published {
            slot: *slot,
            kind: kind_of(*slot),
            mid: "x".into(),
            layers: if kind_of(*slot) == Kind::Video { vec![layer()] } else { Vec::new() },
        };
        let tracks = slots.iter().map(track).collect();
        self.signal(&ServerSignal::Tracks { owner: ParticipantId(owner), tracks });
    }

    fn last_subscriptions(&self) -> Vec<(String, u64)> {
        let Some(ClientSignal::Offer { subscriptions, .. }) = self.offers.last() else { return Vec::new() };
        subscriptions.iter().map(|one| (one.mid.clone(), one.track.owner.0)).collect()
    }
}

fn publish(slot: Slot, layers: Vec<SpatialLayer>) -> Input {
    Input::Publish(TrackSpec { slot, codec: kind_of(slot).into(), layers })
}

fn layer() -> SpatialLayer {
    SpatialLayer { spatial: 0, width: 320, height: 180, bitrate: 100_000 }
}

fn track(owner: u64, slot: Slot) -> TrackId {
    TrackId { owner: ParticipantId(owner), slot }
}

#[test]
fn nothing_is_offered_before_there_is_something_to_offer() {
    let mut bench = Bench::entered();
    assert!(bench.offers.is_empty());
    bench.give(publish(Slot::Microphone, Vec::new()));
    assert_eq!(bench.offers.len(), 1);
    let ClientSignal::Offer { number, published, .. } = &bench.offers[0] else { panic!("an offer") };
    assert_eq!((*number, published.len(), published[0].kind), (1, 1, Kind::Audio));
}

#[test]
fn what_is_published_before_entering_is_offered_on_entering() {
    let mut own = Native::default();
    own.handle(publish(Slot::Camera, vec![layer()]), Instant::now());
    assert_eq!(own.poll(), None);
    own.handle(Input::Entered(ME), Instant::now());
    let plan = Plan { send: vec![(Slot::Camera, Kind::Video)], ..Plan::default() };
    assert_eq!(own.poll(), Some(Output::Offer { transport: TransportId::Primary, plan }));
}

#[test]
fn one_offer_at_a_time_gathers_what_comes_meanwhile() {
    let mut bench = Bench::entered();
    bench.sends(2, &[Slot::Microphone, Slot::Camera]);
    bench.sends(3, &[Slot::Camera]);
    bench.sends(4, &[Slot::Camera]);
    assert_eq!(bench.offers.len(), 1);
    assert!(bench.tracks.is_empty());
    bench.answer();
    assert_eq!((bench.offers.len(), bench.tracks.len()), (2, 2));
    bench.answer();
    assert_eq!((bench.offers.len(), bench.tracks.len()), (2, 4));
}

#[test]
fn own_tracks_are_not_subscribed() {
    let mut bench = Bench::entered();
    bench.sends(ME.0, &[Slot::Camera]);
    assert!(bench.offers.is_empty());
}

#[test]
fn a_place_is_used_again_only_after_an_answer_without_its_old_track() {
    let mut bench = Bench::entered();
    bench.sends(2, &[Slot::Camera]);
    bench.answer();
    assert_eq!(bench.last_subscriptions(), [("0".into(), 2)]);
    // While an offer with two is under way, two leaves and three comes: the old place is not clean yet.
    bench.give(publish(Slot::Microphone, Vec::new()));
    bench.sends(2, &[]);
    bench.sends(3, &[Slot::Camera]);
    assert!(bench.tracks.is_empty());
    bench.answer();
    assert_eq!(bench.last_subscriptions(), [("1".into(), 3)]);
    bench.answer();
    assert_eq!(bench.tracks, [(track(3, Slot::Camera), "1".into())]);
    // By now the first one is.
    bench.sends(4, &[Slot::Camera]);
    bench.answer();
    assert_eq!(bench.last_subscriptions(), [("0".into(), 4), ("1".into(), 3)]);
    assert_eq!(bench.mids.len(), 2);
}

#[test]
fn a_track_that_ends_while_it_is_negotiated_is_never_told() {
    let mut bench = Bench::entered();
    bench.sends(2, &[Slot::Camera]);
    bench.sends(2, &[]);
    bench.answer();
    bench.answer();
    assert!(bench.tracks.is_empty());
    assert!(bench.last_subscriptions().is_empty());
    assert_eq!(bench.offers.len(), 2);
}

#[test]
fn a_slot_that_is_unpublished_keeps_its_description() {
    let mut bench = Bench::entered();
    bench.give(publish(Slot::Camera, vec![layer()]));
    bench.answer();
    bench.give(Input::Unpublish(Slot::Camera));
    let Some(ClientSignal::Offer { published, .. }) = bench.offers.last() else { panic!("an offer") };
    assert!(published.is_empty());
    bench.answer();
    bench.give(publish(Slot::Camera, vec![layer()]));
    assert_eq!(bench.offers.len(), 3);
}

#[test]
fn stray_and_late_answers_change_nothing_and_silence_is_an_error() {
    let mut bench = Bench::entered();
    bench.signal(&ServerSignal::Answer { number: 0, sdp: String::new() });
    bench.sends(2, &[Slot::Camera]);
    bench.signal(&ServerSignal::Answer { number: 77, sdp: String::new() });
    bench.signal(&ServerSignal::OfferRefused { number: 77 });
    assert!(bench.others.is_empty());
    assert!(bench.tracks.is_empty());
    bench.now = bench.own.poll_timeout().unwrap();
    bench.give(Input::Timeout);
    assert!(matches!(bench.others.first(), Some(Output::Failed(_))));
}

#[test]
fn wishes_are_said_ten_times_a_second_and_never_twice() {
    let mut bench = Bench::entered();
    let tile = |width| TileWish {
        track: track(2, Slot::Camera),
        width,
        height: 180,
        frames_per_second: 30,
        priority: 0,
        paused: false,
    };
    for width in 1..=60u16 {
        bench.give(Input::Wishes(vec![tile(width)]));
    }
    assert_eq!(bench.wishes.len(), 1);
    bench.now = bench.own.poll_timeout().unwrap();
    bench.give(Input::Timeout);
    assert_eq!(bench.wishes.last(), Some(&ClientSignal::Wishes { tiles: vec![tile(60)] }));
    bench.now += Duration::from_secs(1);
    bench.give(Input::Wishes(vec![tile(60)]));
    assert_eq!((bench.wishes.len(), bench.own.poll_timeout()), (2, None));
}

#[test]
fn a_refused_offer_and_malformed_signalling_are_failures() {
    let mut bench = Bench::entered();
    bench.sends(2, &[Slot::Camera]);
    bench.signal(&ServerSignal::OfferRefused { number: bench.own.number });
    assert!(matches!(bench.others[..], [Output::Failed(_)]));
    let mut bench = Bench::entered();
    bench.give(Input::Signal(vec![0xff; 9].into()));
    assert!(matches!(bench.others[..], [Output::Failed(_)]));
}
