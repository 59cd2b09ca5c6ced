use super::*;
use codec::adapt::power::Heat;

const CAMERA: TrackId = TrackId { owner: ParticipantId(7), slot: Slot::Camera };

/// A computer on virtual time.
struct Computer {
    processor: Processor,
    power: watch::Sender<PowerState>,
    stats: TrackStats,
    now: Instant,
}

impl Computer {
    fn new() -> Self {
        let (power, receiver) = watch::channel(PowerState::default());
        let processor = Processor::new(receiver, 1);
        let mut computer = Self { processor, power, stats: TrackStats::default(), now: Instant::now() };
        assert!(computer.tick().is_none(), "there is nothing to compare with yet");
        computer
    }

    fn tick(&mut self) -> Option<Changes> {
        let sources = [(Slot::Camera, ContentHint::Balanced, 3)];
        self.processor.handle_tick(&self.stats, &sources, self.now)
    }

    /// Lets a second pass in which each picture of our camera took `encode`, and each picture of `tracks` the given time.
    fn second(&mut self, encode: Duration, tracks: &[(TrackId, Duration)]) -> Changes {
        self.stats.sent(Slot::Camera, 2, |sent| {
            sent.encoded += 30;
            sent.encode_time += encode * 30;
        });
        for (track, decode) in tracks {
            self.stats.track(*track).lock().unwrap().decoding.time += *decode * 30;
        }
        self.now += Duration::from_secs(1);
        self.tick().expect("a second is over")
    }
}

fn tile(owner: u64, pixels: u16) -> TileWish {
    let track = TrackId { owner: ParticipantId(owner), ..CAMERA };
    TileWish { track, width: pixels, height: 1, frames_per_second: 60, priority: 1, hidden: false }
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[test]
fn slow_encoding_is_reduced_after_three_seconds_and_reported_once() {
    let mut computer = Computer::new();
    let changed: Vec<bool> = (0..6).map(|_| !computer.second(ms(30), &[]).encode.is_empty()).collect();
    // The first change says that nothing is limited.
    assert_eq!(changed, [true, false, true, false, false, true]);
    assert!(computer.processor.computer_limits().sent.contains_key(&Slot::Camera));
    assert!(computer.processor.take_overload_notice() && !computer.processor.take_overload_notice());
}

#[test]
fn a_hot_computer_encodes_less_and_does_not_call_itself_slow() {
    let mut computer = Computer::new();
    computer.second(ms(5), &[]);
    computer.power.send_replace(PowerState { heat: Heat::Hot, ..PowerState::default() });
    let changes = computer.second(ms(5), &[]);
    let [(Slot::Camera, limits)] = changes.encode[..] else { panic!("{changes:?}") };
    assert_eq!((limits.max_spatial, limits.halvings), (2, 1));
    assert!(
        computer.processor.computer_limits().sent[&Slot::Camera] == EncodeLimitReason::Heat
            && !computer.processor.take_overload_notice()
    );
}

#[test]
fn the_smallest_tiles_are_reduced_when_decoding_is_too_slow() {
    let mut computer = Computer::new();
    let tiles = vec![tile(1, 900), tile(2, 300), tile(3, 200)];
    assert_eq!(computer.processor.set_wishes(tiles.clone()), tiles);
    let slow: Vec<_> = tiles.iter().map(|tile| (tile.track, ms(20))).collect();
    let wishes = computer.second(ms(5), &slow).wishes.expect("decoding takes 1.8 s of one");
    let reduced: Vec<_> = wishes.iter().map(|tile| (tile.frames_per_second, tile.hidden)).collect();
    assert_eq!(reduced, [(60, false), (60, true), (60, true)]);
    assert_eq!(computer.processor.computer_limits().received.len(), 2);
    let mut larger = tiles;
    larger[1].width = 1_800;
    let wishes = computer.processor.set_wishes(larger);
    assert!(wishes[1].hidden, "until the next second");
    let wishes = computer.second(ms(5), &slow[..1]).wishes.expect("another tile is looked at most");
    assert_eq!(wishes.iter().map(|tile| tile.hidden).collect::<Vec<_>>(), [true, false, true]);
}

#[test]
fn a_second_is_measured_once() {
    let mut computer = Computer::new();
    computer.second(ms(5), &[]);
    computer.now += ms(900);
    assert!(computer.tick().is_none());
    computer.now += ms(100);
    assert!(computer.tick().is_some());
}
