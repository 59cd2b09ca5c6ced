//! Sound on links that lose packets at random.

use super::{concealment, impaired, seconds, secs, show};
use media::Bitrate;
use proto::ServerSignal;
use std::time::Duration;
use tests::impairment::Impairment;

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Returns whether a datagram is lost: 30 % are, at random.
fn is_lost(number: u64) -> bool {
    // SplitMix64 (Steele, Lea, Flood 2014).
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) % 10 < 3
}

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
