//! Checks that the pictures of a whole meeting are those of the senders, and that they are shown in time.

use anyhow::Result;
use media::Size;
use std::time::Duration;
use tests::demo_meeting;

/// Four people with the demo's footage, each shown to the three others at 320x180. A slow machine shows fewer pictures, with
/// less detail, so the limits are far below what `bench meeting` measures at 640x360: pictures of another clip of the footage
/// have 5 to 16 dB.
#[test]
fn four_people_see_each_other_in_good_quality() -> Result<()> {
    let _busy = super::busy();
    let outcome = demo_meeting::hold(Size::new(320, 180), 100, Duration::from_mins(3))?;
    assert_eq!(outcome.qualities.len(), 12, "each of four people sees three others");
    for ((from, to), quality) in &outcome.qualities {
        println!("{from} to {to}: {quality:?}");
        assert!(quality.pictures >= 4, "{from} to {to}: {quality:?}");
        assert!(quality.mean_db >= 25.0, "{from} to {to}: {quality:?}");
    }
    assert_eq!(outcome.report.video.len(), 12);
    for video in &outcome.report.video {
        let (shown, sent) = (video.frames_shown, video.frames_sent);
        println!("{} to {}: {shown} of {sent}, {:?}, {:?}", video.from, video.to, video.latency_ms, video.layer);
        assert!(shown <= sent && 4 * shown >= sent, "{} to {}: {shown} of {sent}", video.from, video.to);
        assert!(video.latency_ms.p95.is_some_and(|p95| p95 < 2_000), "{video:?}");
    }
    assert_eq!(outcome.report.e2ee.failed_to_open, 0);
    Ok(())
}
