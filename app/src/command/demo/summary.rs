//! The demo's results as a table.

use engine::report::{Percentiles, Report};

/// Prints what each participant saw and heard of each other participant.
pub fn print(report: &Report) {
    println!("\nfrom    to      layer       shown/sent   freezes  latency p50/p95  heard/sent   concealed");
    for video in &report.video {
        let audio = report.audio.iter().find(|audio| audio.from == video.from && audio.to == video.to);
        let heard = audio.map_or_else(String::new, |audio| format!("{}/{}", audio.packets_played, audio.packets_sent));
        let concealed = audio.map_or_else(String::new, |audio| format!("{} ms", audio.concealed_ms));
        let layer = format!("{}x{}", video.layer.width, video.layer.height);
        let shown = format!("{}/{}", video.frames_shown, video.frames_sent);
        println!(
            "{:<7} {:<7} {layer:<11} {shown:<12} {:<8} {:<16} {heard:<12} {concealed}",
            video.from,
            video.to,
            video.freezes,
            milliseconds(video.latency_ms),
        );
    }
    for participant in &report.participants {
        println!(
            "{}: joined after {} ms, first frames after {}, {} ms CPU per shown frame, {} MB",
            participant.name,
            participant.join_ms.map_or_else(|| "?".into(), |ms| ms.to_string()),
            milliseconds(participant.first_frame_ms),
            participant.cpu_ms_per_shown_frame.map_or_else(|| "?".into(), |ms| format!("{ms:.2}")),
            participant.rss_mb.map_or_else(|| "?".into(), |mb| mb.to_string()),
        );
    }
    let (keys, sfu) = (&report.e2ee, &report.sfu);
    println!(
        "keys: {} frames opened, {} failed, {} replayed, {} sent before we joined or after we left, {} epochs",
        keys.opened,
        keys.failed_to_open,
        keys.open_failures.replayed,
        keys.open_failures.before_us + keys.open_failures.after_us,
        keys.epochs
    );
    println!("server: {} packets in, {} out, {} layers stopped\n", sfu.packets_in, sfu.packets_out, sfu.layers_stopped);
}

fn milliseconds(times: Percentiles) -> String {
    match (times.p50, times.p95) {
        (Some(p50), Some(p95)) => format!("{p50}/{p95} ms"),
        _ => "-".into(),
    }
}
