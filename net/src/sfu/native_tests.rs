use super::*;
use proto::{DownlinkReport, MAX_DESCRIPTIONS, TileWish};

const ME: ParticipantId = ParticipantId(1);

/// The dialect, driven by a simulated stack that numbers `mid`s in the order in which media descriptions are added.
struct TestDriver {
    native: Native,
    now: Instant,
    mids: Vec<(bool, Kind)>,
    offers: Vec<ClientSignal>,
    wishes: Vec<ClientSignal>,
    tracks: Vec<(TrackId, String)>,
    /// The shared descriptions of the last order.
    shared: Vec<String>,
    others: Vec<Output>,
}

impl TestDriver {
    fn entered() -> Self {
        let mut driver = Self {
            native: Native::default(),
            now: Instant::now(),
            mids: Vec::new(),
            offers: Vec::new(),
            wishes: Vec::new(),
            tracks: Vec::new(),
            shared: Vec::new(),
            others: Vec::new(),
        };
        driver.handle(Input::Entered(ME));
        driver
    }

    fn handle(&mut self, input: Input) {
        self.native.handle(input, self.now);
        while let Some(output) = self.native.poll() {
            match output {
                Output::Offer { transport, plan } => {
                    let mids = self.mids_of(&plan);
                    self.native.handle(Input::Local { transport, sdp: "offer".into(), mids }, self.now);
                }
                Output::Signal(bytes) => match proto::decode_signal(&bytes).unwrap() {
                    offer @ ClientSignal::Offer { .. } => self.offers.push(offer),
                    wishes @ ClientSignal::Wishes { .. } => self.wishes.push(wishes),
                },
                Output::Apply { kind, .. } => assert_eq!(kind, SdpKind::Answer),
                Output::Track(incoming) => self.tracks.push((incoming.track, incoming.mid)),
                Output::SharedVoices { mids, .. } => self.shared = mids,
                Output::TrackEnded(track) => self.tracks.retain(|(other, _)| *other != track),
                other @ (Output::LayersChanged(..)
                | Output::TunnelToken { .. }
                | Output::TurnServers { .. }
                | Output::TrackDemand(_)
                | Output::SoundLoss { .. }
                | Output::Downlink(_)
                | Output::Failed(_)) => self.others.push(other),
                other @ (Output::Connect { .. } | Output::AddCandidate { .. }) => {
                    panic!("not of this dialect: {other:?}")
                }
            }
        }
    }

    fn signal(&mut self, signal: &ServerSignal) {
        self.handle(Input::Signal(proto::encode(signal).into()));
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
        let number = self.native.number;
        self.signal(&ServerSignal::Answer { number, sdp: "answer".into(), tunnel: None, turn: None });
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

    /// Answers offers until there is nothing more to offer.
    fn settle(&mut self) {
        for _ in 0..50 {
            while self.native.negotiation.is_some() {
                self.answer();
            }
            let Some(due) = self.native.poll_timeout() else { return };
            self.now = self.now.max(due);
            self.handle(Input::Timeout);
        }
        panic!("there is always another offer");
    }

    fn show(&mut self, owners: std::ops::RangeInclusive<u64>) {
        self.handle(Input::Wishes(owners.map(|owner| tile(owner, 320)).collect()));
        self.settle();
    }

    /// Returns the owners of the received tracks of a slot.
    fn received(&self, slot: Slot) -> Vec<u64> {
        let tracks = self.tracks.iter().map(|(track, _)| track).filter(|track| track.slot == slot);
        let mut owners: Vec<u64> = tracks.map(|track| track.owner.0).collect();
        owners.sort_unstable();
        owners
    }

    fn descriptions(&self, kind: Kind) -> usize {
        self.mids.iter().filter(|(_, other)| *other == kind).count()
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

fn tile(owner: u64, width: u16) -> TileWish {
    let track = track(owner, Slot::Camera);
    TileWish { track, width, height: 180, frames_per_second: 30, priority: 0, hidden: false }
}

fn track(owner: u64, slot: Slot) -> TrackId {
    TrackId { owner: ParticipantId(owner), slot }
}

#[test]
fn nothing_is_offered_before_there_is_something_to_offer() {
    let mut driver = TestDriver::entered();
    assert!(driver.offers.is_empty());
    driver.handle(publish(Slot::Microphone, Vec::new()));
    assert_eq!(driver.offers.len(), 1);
    let ClientSignal::Offer { number, published, .. } = &driver.offers[0] else { panic!("an offer") };
    assert_eq!((*number, published.len(), published[0].kind), (1, 1, Kind::Audio));
}

#[test]
fn a_track_published_before_entering_is_offered_on_entering() {
    let mut native = Native::default();
    native.handle(publish(Slot::Camera, vec![layer()]), Instant::now());
    assert_eq!(native.poll(), None);
    native.handle(Input::Entered(ME), Instant::now());
    let plan = Plan { send: vec![(Slot::Camera, Kind::Video)], ..Plan::default() };
    assert_eq!(native.poll(), Some(Output::Offer { transport: TransportId::Primary, plan }));
}

#[test]
fn a_track_without_a_layer_or_a_size_is_never_offered() {
    let mut driver = TestDriver::entered();
    for layers in [Vec::new(), vec![SpatialLayer { width: 0, ..layer() }]] {
        driver.handle(publish(Slot::Camera, layers));
        driver.handle(publish(Slot::Microphone, Vec::new()));
        driver.answer();
    }
    let published = driver.offers.iter().flat_map(|offer| match offer {
        ClientSignal::Offer { published, .. } => published.clone(),
        ClientSignal::Wishes { .. } => Vec::new(),
    });
    assert!(published.map(|track| track.slot).all(|slot| slot == Slot::Microphone));
}

#[test]
fn a_remote_track_without_a_layer_is_ignored_and_the_meeting_goes_on() {
    let mut driver = TestDriver::entered();
    let tracks = vec![Published { slot: Slot::Camera, kind: Kind::Video, mid: "x".into(), layers: Vec::new() }];
    driver.signal(&ServerSignal::Tracks { owner: ParticipantId(2), tracks });
    assert!(driver.offers.is_empty() && driver.others.is_empty(), "{:?}", driver.others);
    driver.sends(2, &[Slot::Camera]);
    driver.answer();
    assert_eq!(driver.tracks.len(), 1);
}

#[test]
fn changes_during_an_offer_are_combined_in_the_next_one() {
    let mut driver = TestDriver::entered();
    driver.sends(2, &[Slot::Microphone, Slot::Camera]);
    driver.sends(3, &[Slot::Camera]);
    driver.sends(4, &[Slot::Camera]);
    assert_eq!(driver.offers.len(), 1);
    assert!(driver.tracks.is_empty());
    driver.answer();
    assert_eq!((driver.offers.len(), driver.tracks.len()), (2, 2));
    driver.answer();
    assert_eq!((driver.offers.len(), driver.tracks.len()), (2, 4));
}

#[test]
fn own_tracks_are_not_subscribed() {
    let mut driver = TestDriver::entered();
    driver.sends(ME.0, &[Slot::Camera]);
    assert!(driver.offers.is_empty());
}

#[test]
fn a_description_is_reused_only_after_an_answer_without_its_old_track() {
    let mut driver = TestDriver::entered();
    driver.sends(2, &[Slot::Camera]);
    driver.answer();
    assert_eq!(driver.last_subscriptions(), [("0".into(), 2)]);
    // While an offer with track 2 is pending, 2 ends and 3 begins. The description of 2 must not be reused yet.
    driver.handle(publish(Slot::Microphone, Vec::new()));
    driver.sends(2, &[]);
    driver.sends(3, &[Slot::Camera]);
    assert!(driver.tracks.is_empty());
    driver.answer();
    assert_eq!(driver.last_subscriptions(), [("1".into(), 3)]);
    driver.answer();
    assert_eq!(driver.tracks, [(track(3, Slot::Camera), "1".into())]);
    // Now an offer without track 2 has been answered, so its description is free.
    driver.sends(4, &[Slot::Camera]);
    driver.answer();
    assert_eq!(driver.last_subscriptions(), [("0".into(), 4), ("1".into(), 3)]);
    assert_eq!(driver.mids.len(), 2);
}

#[test]
fn a_track_that_ends_during_its_negotiation_is_never_announced() {
    let mut driver = TestDriver::entered();
    driver.sends(2, &[Slot::Camera]);
    driver.sends(2, &[]);
    driver.answer();
    driver.answer();
    assert!(driver.tracks.is_empty());
    assert!(driver.last_subscriptions().is_empty());
    assert_eq!(driver.offers.len(), 2);
}

#[test]
fn a_slot_that_is_unpublished_keeps_its_description() {
    let mut driver = TestDriver::entered();
    driver.handle(publish(Slot::Camera, vec![layer()]));
    driver.answer();
    driver.handle(Input::Unpublish(Slot::Camera));
    let Some(ClientSignal::Offer { published, .. }) = driver.offers.last() else { panic!("an offer") };
    assert!(published.is_empty());
    driver.answer();
    driver.handle(publish(Slot::Camera, vec![layer()]));
    assert_eq!(driver.offers.len(), 3);
}

#[test]
fn the_token_of_an_answer_is_passed_on() {
    let mut driver = TestDriver::entered();
    driver.handle(publish(Slot::Camera, vec![layer()]));
    let number = driver.native.number;
    driver.signal(&ServerSignal::Answer { number, sdp: "answer".into(), tunnel: Some("0a".into()), turn: None });
    assert_eq!(driver.others, [Output::TunnelToken { transport: TransportId::Primary, token: "0a".into() }]);
}

#[test]
fn unknown_answers_are_ignored_and_a_missing_answer_is_an_error() {
    let mut driver = TestDriver::entered();
    driver.signal(&ServerSignal::Answer { number: 0, sdp: String::new(), tunnel: None, turn: None });
    driver.sends(2, &[Slot::Camera]);
    driver.signal(&ServerSignal::Answer { number: 77, sdp: String::new(), tunnel: None, turn: None });
    driver.signal(&ServerSignal::OfferRefused { number: 77 });
    assert!(driver.others.is_empty());
    assert!(driver.tracks.is_empty());
    driver.now = driver.native.poll_timeout().unwrap();
    driver.handle(Input::Timeout);
    assert!(matches!(driver.others.first(), Some(Output::Failed(_))));
}

#[test]
fn wishes_are_sent_when_they_have_settled_and_only_if_changed() {
    let mut driver = TestDriver::entered();
    let tile = |width| tile(2, width);
    for width in 301..=360u16 {
        driver.handle(Input::Wishes(vec![tile(width)]));
    }
    assert_eq!(driver.wishes.len(), 1);
    driver.now = driver.native.poll_timeout().unwrap();
    driver.handle(Input::Timeout);
    assert_eq!(driver.wishes.last(), Some(&ClientSignal::Wishes { tiles: vec![tile(360)] }));
    driver.now += Duration::from_secs(1);
    driver.handle(Input::Wishes(vec![tile(360)]));
    assert_eq!((driver.wishes.len(), driver.native.poll_timeout()), (2, None));
}

#[test]
fn a_refused_offer_and_malformed_signalling_are_failures() {
    let mut driver = TestDriver::entered();
    driver.sends(2, &[Slot::Camera]);
    driver.signal(&ServerSignal::OfferRefused { number: driver.native.number });
    assert!(matches!(driver.others[..], [Output::Failed(_)]));
    let mut driver = TestDriver::entered();
    driver.handle(Input::Signal(vec![0xff; 9].into()));
    assert!(matches!(driver.others[..], [Output::Failed(_)]));
}

/// The server ends the connection of a client that sends more than 50 messages in a second.
#[test]
fn tracks_that_change_all_the_time_cause_few_offers() {
    let mut driver = TestDriver::entered();
    let start = driver.now;
    for round in 0..1_000u32 {
        driver.now = start + Duration::from_millis(10) * round;
        driver.handle(Input::Timeout);
        driver.sends(2, if round.is_multiple_of(2) { &[Slot::Camera, Slot::Screen] } else { &[] });
        driver.answer();
    }
    let offers = driver.offers.len();
    assert!((50..=62).contains(&offers), "{offers} in ten seconds");
    assert!(driver.mids.len() <= 6, "{} media descriptions for two tracks", driver.mids.len());
    // The last state is offered, without anything else that happens.
    for _ in 0..4 {
        driver.now = driver.native.poll_timeout().unwrap_or(driver.now);
        driver.handle(Input::Timeout);
        driver.answer();
    }
    assert!(driver.last_subscriptions().is_empty() && driver.tracks.is_empty());
    assert_eq!(driver.native.poll_timeout(), None);
    driver.now += Duration::from_secs(10);
    let before = driver.offers.len();
    for owner in 10..20 {
        driver.sends(owner, &[Slot::Camera]);
        driver.answer();
    }
    assert_eq!(driver.offers.len(), before + 10, "people who join after a pause do not wait");
}

#[test]
fn a_server_cannot_report_a_loss_above_100_percent() {
    let mut driver = TestDriver::entered();
    driver.signal(&ServerSignal::SoundLoss { percent: 255, max_bitrate: None });
    assert!(matches!(driver.others[..], [Output::SoundLoss { percent: 100, max_bitrate: None }]));
}

#[test]
fn reports_about_the_downlink_and_new_layers_of_a_track_are_passed_on() {
    let mut driver = TestDriver::entered();
    let report = DownlinkReport { bitrate: 300_000, ..DownlinkReport::default() };
    driver.signal(&ServerSignal::Downlink { report: report.clone() });
    assert_eq!(driver.others, [Output::Downlink(report)]);
    driver.others.clear();
    driver.sends(2, &[Slot::Camera]);
    driver.answer();
    driver.sends(2, &[Slot::Camera]);
    assert!(driver.others.is_empty(), "the layers are the same");
    let layers = vec![SpatialLayer { width: 640, ..layer() }];
    let camera = Published { slot: Slot::Camera, kind: Kind::Video, mid: "x".into(), layers: layers.clone() };
    driver.signal(&ServerSignal::Tracks { owner: ParticipantId(2), tracks: vec![camera] });
    assert_eq!(driver.others, [Output::LayersChanged(track(2, Slot::Camera), layers)]);
}

#[test]
fn in_a_large_meeting_only_pictures_that_a_tile_shows_have_descriptions() {
    let mut driver = TestDriver::entered();
    driver.show(201..=225);
    (2..=301).for_each(|owner| driver.sends(owner, &[Slot::Microphone, Slot::Camera]));
    driver.settle();
    assert!(driver.received(Slot::Microphone).is_empty(), "whoever speaks is heard on shared descriptions");
    assert_eq!(driver.shared.len(), MAX_SHARED_VOICES);
    assert!(driver.descriptions(Kind::Audio) <= MAX_SHARED_VOICES + MAX_OWN_VOICES);
    let pictures = driver.received(Slot::Camera);
    assert!((201..=225).all(|owner| pictures.contains(&owner)), "{pictures:?}");
    assert!(driver.descriptions(Kind::Video) <= MAX_UNSEEN_PICTURES, "{}", driver.descriptions(Kind::Video));
}

#[test]
fn the_description_of_a_picture_that_is_not_shown_any_more_is_used_for_one_that_is() {
    let mut driver = TestDriver::entered();
    (2..=301).for_each(|owner| driver.sends(owner, &[Slot::Camera]));
    for first in [2, 51, 100, 2, 120] {
        driver.show(first..=first + 48);
        assert_eq!(driver.received(Slot::Camera), (first..=first + 48).collect::<Vec<_>>());
    }
    assert_eq!(driver.descriptions(Kind::Video), MAX_UNSEEN_PICTURES);
    // An offer that named neither the old nor a new track was answered in between.
    let named = |offer: &ClientSignal| match offer {
        ClientSignal::Offer { subscriptions, .. } => {
            subscriptions.iter().find(|one| one.mid == "0").map(|one| one.track)
        }
        ClientSignal::Wishes { .. } => None,
    };
    let tracks: Vec<Option<TrackId>> = driver.offers.iter().map(named).collect();
    assert!(tracks.windows(2).all(|two| two[0] == two[1] || two[0].is_none() || two[1].is_none()), "{tracks:?}");
    // A tile that is hidden keeps its picture as long as no other needs its description.
    driver.handle(Input::Wishes(Vec::new()));
    driver.settle();
    assert_eq!(driver.received(Slot::Camera).len(), MAX_UNSEEN_PICTURES);
}

#[test]
fn no_meeting_has_more_descriptions_than_the_server_accepts() {
    let mut driver = TestDriver::entered();
    driver.handle(publish(Slot::Microphone, Vec::new()));
    driver.handle(publish(Slot::Camera, vec![layer()]));
    driver.handle(publish(Slot::Screen, vec![layer()]));
    driver.show(2..=600);
    (2..=1_024).for_each(|owner| driver.sends(owner, &[Slot::Microphone, Slot::Camera, Slot::Screen]));
    driver.settle();
    let received =
        |driver: &TestDriver| [Slot::Microphone, Slot::Camera, Slot::Screen].map(|slot| driver.received(slot).len());
    let cameras = MAX_PICTURES - RESERVED_FOR_SCREENS;
    assert_eq!(received(&driver), [0, cameras, 0]);
    let screens = (2..=400).map(|owner| TileWish { track: track(owner, Slot::Screen), ..tile(owner, 320) });
    driver.handle(Input::Wishes((2..=600).map(|owner| tile(owner, 320)).chain(screens).collect()));
    driver.settle();
    assert_eq!(received(&driver), [0, cameras, RESERVED_FOR_SCREENS], "a screen needs no camera to end");
    assert!(3 + driver.mids.len() <= MAX_DESCRIPTIONS);
    // A track that found no description gets that of one that ends.
    driver.sends(2, &[]);
    driver.settle();
    assert_eq!(received(&driver), [0, cameras - 1, RESERVED_FOR_SCREENS + 1]);
    assert!(3 + driver.mids.len() <= MAX_DESCRIPTIONS);
}

#[test]
fn a_voice_keeps_its_description_until_the_server_sends_it_on_a_shared_one() {
    let mut driver = TestDriver::entered();
    (2..=17).for_each(|owner| driver.sends(owner, &[Slot::Microphone]));
    driver.settle();
    assert_eq!((driver.received(Slot::Microphone).len(), driver.shared.len()), (MAX_OWN_VOICES, 0));
    driver.sends(18, &[Slot::Microphone]);
    driver.handle(Input::Timeout);
    assert!(driver.native.negotiation.is_some());
    let Some(ClientSignal::Offer { subscriptions, voices, .. }) = driver.offers.last() else { panic!("an offer") };
    assert_eq!((subscriptions.len(), voices.len()), (0, MAX_SHARED_VOICES));
    assert!(voices.iter().all(|mid| driver.tracks.iter().all(|(_, other)| other != mid)), "not used before");
    assert_eq!(driver.received(Slot::Microphone).len(), MAX_OWN_VOICES, "until the answer");
    driver.answer();
    assert_eq!((driver.received(Slot::Microphone).len(), driver.shared.len()), (0, MAX_SHARED_VOICES));
    // It does not change again when somebody leaves.
    let (shared, offers) = (driver.shared.clone(), driver.offers.len());
    (3..=18).for_each(|owner| driver.sends(owner, &[]));
    driver.settle();
    assert_eq!((&driver.shared, driver.received(Slot::Microphone)), (&shared, vec![]));
    assert!(driver.offers.len() <= offers + 1);
    driver.handle(Input::Restart);
    (driver.tracks, driver.mids) = (Vec::new(), Vec::new());
    driver.handle(Input::Entered(ME));
    driver.sends(2, &[Slot::Microphone]);
    driver.settle();
    assert_eq!(driver.received(Slot::Microphone), [2], "in a small meeting each has its own");
}

#[test]
fn after_a_pause_the_same_transport_is_offered_again_and_tracks_that_are_not_named_have_ended() {
    let mut driver = TestDriver::entered();
    driver.show(2..=3);
    (2..=3).for_each(|owner| driver.sends(owner, &[Slot::Camera]));
    driver.settle();
    let (mids, offers) = (driver.mids.len(), driver.offers.len());
    driver.handle(Input::Suspended);
    driver.handle(publish(Slot::Microphone, Vec::new()));
    driver.settle();
    assert_eq!(driver.offers.len(), offers, "nothing is said while there is no connection");
    driver.handle(Input::Entered(ME));
    driver.sends(3, &[Slot::Camera]);
    driver.settle();
    assert!(driver.offers.len() > offers);
    assert_eq!(driver.received(Slot::Camera), [3], "the other one has left meanwhile");
    assert_eq!(driver.mids.len(), mids, "the descriptions are the same");
    let offers = driver.offers.len();
    driver.handle(Input::Suspended);
    driver.handle(Input::Entered(ME));
    driver.sends(3, &[Slot::Camera]);
    driver.settle();
    assert!(driver.offers.len() > offers, "the answer shows whether the server still has the transport");
}

#[test]
fn tracks_that_were_named_before_the_transport_turns_out_to_be_forgotten_are_received_again() {
    let mut driver = TestDriver::entered();
    driver.show(2..=4);
    (2..=4).for_each(|owner| driver.sends(owner, &[Slot::Camera, Slot::Microphone]));
    driver.settle();
    driver.handle(Input::Suspended);
    driver.handle(Input::Entered(ME));
    // The server was started again. It names the tracks once, as soon as their senders are back.
    (2..=3).for_each(|owner| driver.sends(owner, &[Slot::Camera, Slot::Microphone]));
    driver.handle(Input::Restart);
    (driver.tracks, driver.mids) = (Vec::new(), Vec::new());
    driver.handle(Input::Entered(ME));
    driver.settle();
    for slot in [Slot::Camera, Slot::Microphone] {
        let mut received = driver.received(slot);
        received.sort_unstable();
        assert_eq!(received, [2, 3], "the fourth has not come back");
    }
}

#[test]
fn what_tiles_show_is_received_again_after_a_restart() {
    let mut driver = TestDriver::entered();
    driver.show(201..=225);
    driver.handle(Input::Restart);
    (driver.tracks, driver.mids) = (Vec::new(), Vec::new());
    driver.handle(Input::Entered(ME));
    (2..=301).for_each(|owner| driver.sends(owner, &[Slot::Camera]));
    driver.settle();
    let pictures = driver.received(Slot::Camera);
    assert!((201..=225).all(|owner| pictures.contains(&owner)), "{pictures:?}");
}
