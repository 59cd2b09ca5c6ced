//! The first second on narrow links, and sound on links that lose packets at random.

#[path = "limits.rs"]
mod limits;

use super::{concealment, impaired, seconds, secs, show};
use media::Bitrate;
use proto::ServerSignal;
use std::time::{Duration, Instant};
use tests::impairment::Impairment;
use tests::sfu::Simulation;

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Returns the times at which pictures were complete at client 1.
fn pictures(simulation: &Simulation, start: Instant) -> Vec<Duration> {
    let complete = simulation.clients[1].received.iter().filter(|packet| packet.header.marker);
    complete.filter_map(|packet| packet.timestamp.checked_duration_since(start)).collect()
}

#[test]
fn the_first_probes_do_not_delay_the_first_pictures_of_a_narrow_link() {
    for (kilobits, first, moving) in
        [(150, ms(900), secs(1)..secs(2)), (300, ms(500), secs(0)..secs(1)), (500, ms(400), secs(0)..secs(1))]
    {
        let (mut simulation, start) = impaired(Impairment::limited(Bitrate::kbps(kilobits)));
        simulation.send_for(0, secs(3));
        let pictures = pictures(&simulation, start);
        let in_time = pictures.iter().filter(|at| moving.contains(*at)).count();
        let sound = concealment(&simulation, start, start + secs(3));
        show(&format!("{kilobits} kbit/s, first {:?}, {sound:?}", pictures.first()), &seconds(&simulation, 1, start));
        assert!(pictures[0] <= first, "{kilobits} kbit/s: the first picture after {:?}", pictures[0]);
        assert!(in_time >= 12, "{kilobits} kbit/s: {in_time} pictures in {moving:?}");
    }
}

/// A busy radio link delays packets by more than a full queue does, but only some of them.
#[test]
fn jitter_is_not_taken_for_a_full_link() {
    let (mut simulation, start) = impaired(Impairment { delay: ms(60), jitter: ms(30), ..Impairment::default() });
    simulation.send_for(0, secs(30));
    let seconds = seconds(&simulation, 1, start);
    show("jitter of 30 ms", &seconds);
    let still = seconds.iter().filter(|second| second.pictures < 12).count();
    assert!(still <= 1, "{still} seconds without a moving picture");
}

/// Returns whether a datagram is lost: 30 % are, at random.
fn is_lost(number: u64) -> bool {
    // SplitMix64 (Steele, Lea, Flood 2014).
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) % 10 < 3
}

/// Checks the whole SFU over a minute, with one sequence of losses and no limit of the rate: the sender of sound never gets a limit, and
/// pictures move in all but four seconds. It does not check each rule that leads to this: it also passes without the rule of `LinkDelay`
/// for late reports, which `a_single_late_report_of_a_lossy_link_is_no_delay` checks.
#[test]
fn random_loss_of_30_percent_does_not_limit_the_sound() {
    let (mut simulation, start) = impaired(Impairment { delay: ms(1), ..Impairment::default() });
    simulation.loses = is_lost;
    simulation.send_for(0, secs(60));
    let limits: Vec<u32> = simulation.clients[0]
        .signals
        .iter()
        .filter_map(|signal| match signal {
            ServerSignal::SoundLoss { max_bitrate, .. } => *max_bitrate,
            ServerSignal::Answer { .. }
            | ServerSignal::Tracks { .. }
            | ServerSignal::TrackDemand { .. }
            | ServerSignal::Downlink { .. }
            | ServerSignal::OfferRefused { .. } => None,
        })
        .collect();
    let seconds = seconds(&simulation, 1, start);
    show("loss of 30 %", &seconds);
    assert!(limits.is_empty(), "{limits:?}");
    let still = seconds.iter().filter(|second| second.pictures < 12).count();
    assert!(still <= 4, "{still} seconds without a moving picture");
}
