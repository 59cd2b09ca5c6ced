//! The sentences about a test of the connection.

use engine::{ConnectionCause, ConnectionQuality, ConnectionVerdict, MediaPath, PathReport, PathTestError};

use super::number::{bitrate, millis, percent};
use super::{detail, sentence};
use crate::announce;
use crate::locale::Language;

/// The progress of a test: the path that it tries, and how much is done.
pub fn progress(path: Option<MediaPath>, done: u8, language: Language) -> String {
    let id = match path {
        None => "connection-connecting",
        Some(MediaPath::Udp) => "connection-testing",
        Some(MediaPath::Tls | MediaPath::Relay) => "connection-testing-tcp",
    };
    language.with(id, &[("percent", done.into())])
}

/// What to expect of a meeting.
pub fn quality(quality: ConnectionQuality, language: Language) -> String {
    language.text(match quality {
        ConnectionQuality::Good => "connection-good",
        ConnectionQuality::SmallVideo => "connection-small",
        ConnectionQuality::SoundOnly => "connection-sound",
        ConnectionQuality::Unusable => "connection-unusable",
    })
}

/// What limits the connection.
pub fn cause(cause: ConnectionCause, language: Language) -> String {
    language.text(match cause {
        ConnectionCause::UdpBlocked => "connection-cause-udp",
        ConnectionCause::Upload => "connection-cause-upload",
        ConnectionCause::Download => "connection-cause-download",
        ConnectionCause::Loss => "connection-cause-loss",
        ConnectionCause::Delay => "connection-cause-delay",
    })
}

/// Why there is no result, and what to do.
pub fn failure(error: &PathTestError, language: Language) -> (String, String) {
    let id = match error {
        PathTestError::Unreachable(reason) => sentence::reason(reason),
        PathTestError::Unsupported => "connection-unsupported",
        PathTestError::Busy => "connection-busy",
        PathTestError::NoPath => "connection-no-path",
    };
    (language.text(id), language.text(&format!("{id}.advice")))
}

/// The figures of a test in one line; for a test without a result, the cause as the system reported it.
pub fn details(result: &Result<PathReport, PathTestError>, language: Language) -> Option<String> {
    match result {
        Ok(report) => Some(figures(report, language)),
        Err(PathTestError::Unreachable(reason)) => {
            let words = detail::in_language(&sentence::detail(reason), language);
            (!words.is_empty()).then_some(words)
        }
        Err(PathTestError::Unsupported | PathTestError::Busy | PathTestError::NoPath) => None,
    }
}

fn figures(report: &PathReport, language: Language) -> String {
    let figures = &report.figures;
    let path = match report.path {
        MediaPath::Udp => "UDP",
        MediaPath::Tls | MediaPath::Relay => "TCP (TLS)",
    };
    let time = |time: std::time::Duration| millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX), language);
    let lost = |part: f32| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is at most 1000")]
        let permille = (part.clamp(0.0, 100.0) * 10.0).round() as u64;
        percent(permille, language)
    };
    let rate = |rate: engine::Bitrate, at_least: bool| {
        let rate = bitrate(rate.as_bps() / 1_000, language);
        if at_least { language.with("connection-at-least", &[("rate", rate.into())]) } else { rate }
    };
    // The test ends when the narrower direction is full, so the other one may carry more.
    let down_may_be_more = !figures.is_full || !figures.is_downlink_narrower();
    let up_may_be_more = !figures.is_full || figures.is_downlink_narrower();
    language.with(
        "connection-figures",
        &[
            ("path", path.into()),
            ("round", time(figures.round_trip).into()),
            ("jitter", time(figures.jitter).into()),
            ("lostup", lost(figures.lost_up).into()),
            ("lostdown", lost(figures.lost_down).into()),
            ("up", rate(figures.up, up_may_be_more).into()),
            ("down", rate(figures.down, down_may_be_more).into()),
        ],
    )
}

/// The result as one announcement.
pub fn announcement(result: &Result<PathReport, PathTestError>, language: Language) -> String {
    match result {
        Ok(report) => {
            let verdict = ConnectionVerdict::of(report);
            let cause = verdict.cause.map(|found| cause(found, language));
            announce::join(&std::iter::once(quality(verdict.quality, language)).chain(cause).collect::<Vec<_>>())
        }
        Err(error) => {
            let (sentence, advice) = failure(error, language);
            announce::join(&[sentence, advice])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::{Bitrate, PathFigures, Reason};
    use std::time::Duration;

    const FIGURES: PathFigures = PathFigures {
        round_trip: Duration::from_millis(24),
        jitter: Duration::from_millis(2),
        lost_up: 0.0,
        lost_down: 1.25,
        up: Bitrate::kbps(2_900),
        down: Bitrate::kbps(2_880),
        is_full: false,
    };

    #[test]
    fn each_result_has_a_sentence_with_its_cause_in_both_languages() {
        for language in Language::ALL {
            let reports = [MediaPath::Udp, MediaPath::Tls].map(|path| Ok(PathReport { path, figures: FIGURES }));
            let slow = PathFigures { up: Bitrate::kbps(90), down: Bitrate::kbps(88), is_full: true, ..FIGURES };
            let errors = [
                PathTestError::Unreachable(Reason::Unreachable("x".into())),
                PathTestError::Unsupported,
                PathTestError::Busy,
                PathTestError::NoPath,
            ];
            let slow = Ok(PathReport { path: MediaPath::Udp, figures: slow });
            let all: Vec<_> = reports.into_iter().chain([slow]).chain(errors.map(Err)).collect();
            for result in &all {
                let said = announcement(result, language);
                assert!(said.len() > 20 && !said.contains("connection-"), "{said}");
            }
            let udp = announcement(&all[1], language);
            assert!(udp.contains("UDP") && udp.contains("TCP"), "{udp}");
        }
    }

    #[test]
    fn the_figures_are_in_one_line() {
        let line = details(&Ok(PathReport { path: MediaPath::Udp, figures: FIGURES }), Language::English).unwrap();
        for part in ["UDP", "24\u{a0}ms", "1.3%", "2.9\u{a0}Mbit/s"] {
            assert!(line.contains(part), "{part} in {line}");
        }
    }
}
