//! Reads the `report.json` of a client.

use serde_json::Value;
use std::fs;

/// A `report.json`.
pub struct Report(Value);

impl Report {
    /// Reads a report.
    pub fn read(path: &str) -> Self {
        let bytes = fs::read(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self(serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{path}: {error}")))
    }

    /// Returns the number at `pointer` (RFC 6901).
    pub fn number(&self, pointer: &str) -> f64 {
        number(&self.0, pointer)
    }

    /// Returns the whole number at `pointer`.
    pub fn count(&self, pointer: &str) -> u64 {
        count(&self.0, pointer)
    }

    /// Returns the text at `pointer`.
    pub fn text(&self, pointer: &str) -> &str {
        self.0.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no text {pointer} in {}", self.0))
    }

    /// Returns the entry of the pictures from `from`.
    pub fn video(&self, from: &str) -> Track<'_> {
        self.track("video", from)
    }

    /// Returns the entry of the sound from `from`.
    pub fn audio(&self, from: &str) -> Track<'_> {
        self.track("audio", from)
    }

    /// Returns the sum of `shown` of the pictures from `from` over all seconds of the timeline.
    pub fn shown_in_timeline(&self, from: &str) -> u64 {
        let seconds = self.0.pointer("/participants/0/timeline").and_then(Value::as_array);
        let seconds = seconds.unwrap_or_else(|| panic!("no timeline in {}", self.0)).iter();
        let tracks = seconds.flat_map(|second| second["video"].as_array().into_iter().flatten());
        tracks.filter(|track| track["from"] == from).map(|track| count(track, "/shown")).sum()
    }

    fn track(&self, kind: &str, from: &str) -> Track<'_> {
        let tracks = self.0[kind].as_array().unwrap_or_else(|| panic!("no {kind}[] in {}", self.0));
        let mut found = tracks.iter().filter(|track| track["from"] == from);
        let track = found.next().unwrap_or_else(|| panic!("no {kind} from {from} in {}", self.0));
        assert!(found.next().is_none(), "two {kind} from {from}");
        Track(track)
    }
}

/// One entry of `video[]` or `audio[]`.
pub struct Track<'a>(&'a Value);

impl Track<'_> {
    /// Returns the whole number at `pointer`.
    pub fn count(&self, pointer: &str) -> u64 {
        count(self.0, pointer)
    }
}

fn number(value: &Value, pointer: &str) -> f64 {
    value.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("no number {pointer} in {value}"))
}

fn count(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("no count {pointer} in {value}"))
}
