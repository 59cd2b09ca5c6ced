//! What the SFU reports to viewers about their downlinks.

use super::{impaired, secs};
use media::Bitrate;
use proto::{DownlinkReport, LimitCause, ServerSignal};
use std::time::Duration;
use tests::impairment::Impairment;
use tests::sfu::{Simulation, camera};

/// Returns the last report that viewer 1 got about its downlink.
fn last_report(simulation: &Simulation) -> DownlinkReport {
    let reports = simulation.clients[1].signals.iter().rev();
    let last =
        reports.filter_map(|signal| if let ServerSignal::Downlink { report } = signal { Some(report) } else { None });
    last.clone().next().expect("a report").clone()
}

#[test]
fn a_viewer_is_told_why_its_picture_is_reduced() {
    let cause = |impairment, max_layers| {
        let (mut simulation, _) = impaired(impairment);
        simulation.clients[0].max_layers = max_layers;
        simulation.send_for(0, secs(12));
        let report = last_report(&simulation);
        let reports =
            simulation.clients[1].signals.iter().filter(|signal| matches!(signal, ServerSignal::Downlink { .. }));
        assert!(reports.count() <= 13, "at most one a second");
        (report.cause(camera(0)), report)
    };
    let (free, report) = cause(Impairment { delay: Duration::from_millis(20), ..Impairment::default() }, 3);
    assert_eq!(free, None, "{report:?}");
    assert!(report.bitrate > 1_000_000 && report.round_trip.is_some_and(|time| time >= 20), "{report:?}");
    let (narrow, report) = cause(Impairment::limited(Bitrate::kbps(300)), 3);
    assert_eq!(narrow, Some(LimitCause::Downlink), "{report:?}");
    assert!((150_000..400_000).contains(&report.bitrate), "{report:?}");
    let (sender, report) = cause(Impairment::default(), 1);
    assert_eq!(sender, Some(LimitCause::Sender), "{report:?}");
}
