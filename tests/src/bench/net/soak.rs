//! A long meeting over links that change all the time: memory, threads and descriptors of the clients must not grow (row 21).
//!
//! Nine clients with a small camera, four of them with a voice, show everybody. The links of all but the organiser go through [`PHASES`], each client at another
//! place. The clients are measured at the end of each round, so that all have been through the same phases.

use super::call::{BenchClient, BenchFiles, Call, RECEIVER, SENDER};
use super::figures::{round, to_f64};
use super::running_meeting::RunningMeeting;
use crate::bench::process::resident_kib_and_threads;
use crate::bench::wait;
use crate::netlab::NetworkSpec;
use anyhow::{Result, ensure};
use serde::Serialize;
use std::fmt;
use std::fs;
use std::time::{Duration, Instant};

/// The growth of all clients.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SoakFigures {
    /// Why the meeting could not be held. The other figures mean nothing then.
    pub failed: Option<String>,
    /// The time from the first measurement to the last one.
    pub minutes: f64,
    /// The clients, the organiser first.
    pub clients: Vec<ClientGrowth>,
}

/// What one client needed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ClientGrowth {
    /// Its name.
    pub name: String,
    /// The measurements, one for each round.
    pub rounds: Vec<ResourceUsage>,
}

/// What a process uses at one time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ResourceUsage {
    /// The time since the clients were there.
    pub seconds: u64,
    /// Resident memory.
    pub resident_kib: u64,
    /// Its threads.
    pub threads: u64,
    /// Its open file descriptors.
    pub descriptors: u64,
}

impl SoakFigures {
    /// Holds the meeting for about `length`, which is at least two rounds.
    ///
    /// # Errors
    /// Returns a [`crate::netlab::Error`] if there is no network, or another error if a program does not start, fails, or does
    /// not end in time.
    pub fn measure(files: BenchFiles<'_>, length: Duration) -> Result<Self> {
        let rounds = u32::try_from(length.as_secs() / ROUND.as_secs())?.max(2);
        let mut spec = links(0, rounds)?;
        (1..=GUESTS).try_for_each(|number| {
            spec.add_guest(&links(number.into(), rounds)?);
            anyhow::Ok(())
        })?;
        let (programs, clip, out) = (files.programs.to_owned(), files.small_clip.to_owned(), files.out.to_owned());
        let call = Call { spec, length, out, ..Call::new(programs, clip) };
        let tile = ["--tile", "320x180"];
        let mut meeting = RunningMeeting::start(&call, SENDER, &tile)?;
        meeting.join(RECEIVER.without_recording(), &tile)?;
        for number in 0..GUESTS {
            meeting
                .join(BenchClient::guest(number, VOICES.get(usize::from(number)).copied(), files.small_clip), &tile)?;
        }
        let start = Instant::now();
        let schedule = meeting.start_schedule()?;
        let mut clients: Vec<ClientGrowth> = meeting
            .processes()
            .map(|(client, _)| ClientGrowth { name: client.name.to_owned(), rounds: Vec::new() })
            .collect();
        for round in 1..=rounds {
            wait((round * ROUND).saturating_sub(start.elapsed()));
            for ((_, process), growth) in meeting.processes().zip(&mut clients) {
                growth.rounds.push(ResourceUsage::of(process, start.elapsed())?);
            }
        }
        schedule.stop()?;
        meeting.end()?;
        Ok(Self { failed: None, minutes: round(f64::from(rounds - 1) * ROUND.as_secs_f64() / 60.0), clients })
    }

    /// Returns figures for a meeting that could not be held.
    pub fn failure(error: &anyhow::Error) -> Self {
        Self { failed: Some(format!("{error:#}")), ..Self::default() }
    }

    /// Returns true if each client was measured in at least two rounds, grew by less than [`Self::max_growth_kib`], and has no more
    /// threads or descriptors than after the first round.
    pub fn is_met(&self) -> bool {
        let stable = |client: &ClientGrowth| {
            let threads = client.growth(|of| of.threads);
            client.rounds.len() > 1
                && client.resident_growth() < self.max_growth_kib()
                && threads <= 0
                && client.growth(|of| of.descriptors) <= 0
        };
        self.failed.is_none() && !self.clients.is_empty() && self.clients.iter().all(stable)
    }

    /// Returns the part of [`MAX_GROWTH_KIB`] for the length of this meeting. What is kept of each second fills its place in the
    /// first [`FILLING_MINUTES`], so a meeting may grow evenly until then.
    fn max_growth_kib(&self) -> i64 {
        let part = (self.minutes / FILLING_MINUTES).min(1.0);
        #[expect(clippy::cast_possible_truncation, reason = "a few thousand")]
        let kib = (to_f64(MAX_GROWTH_KIB.unsigned_abs()) * part) as i64;
        kib
    }
}

impl ClientGrowth {
    fn resident_growth(&self) -> i64 {
        self.growth(|of| of.resident_kib)
    }

    /// Returns the difference between the last round and the first one.
    fn growth(&self, figure: fn(&ResourceUsage) -> u64) -> i64 {
        let ends = self.rounds.first().zip(self.rounds.last());
        ends.map_or(0, |(first, last)| figure(last).cast_signed() - figure(first).cast_signed())
    }
}

impl ResourceUsage {
    /// Reads that of a process.
    fn of(process: u32, after: Duration) -> Result<Self> {
        let (resident_kib, threads) = resident_kib_and_threads(process)?;
        ensure!(resident_kib > 0, "a client ended");
        Ok(Self {
            seconds: after.as_secs(),
            resident_kib,
            threads,
            descriptors: fs::read_dir(format!("/proc/{process}/fd"))?.count() as u64,
        })
    }
}

impl fmt::Display for SoakFigures {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(failed) = &self.failed {
            return write!(to, "21   soak  FAILED: {failed}");
        }
        writeln!(to, "21   nine clients, from the end of the first round over {} minutes:", self.minutes)?;
        for client in &self.clients {
            let all = |figure: fn(&ResourceUsage) -> u64| {
                client.rounds.iter().map(|of| figure(of).to_string()).collect::<Vec<_>>().join(" ")
            };
            let mib = |kib: u64| round(to_f64(kib) / 1_024.0);
            let resident: Vec<String> = client.rounds.iter().map(|of| mib(of.resident_kib).to_string()).collect();
            let (name, threads, descriptors) = (&client.name, all(|of| of.threads), all(|of| of.descriptors));
            writeln!(to, "     {name:<9} MiB {}; threads {threads}; descriptors {descriptors}", resident.join(" "))?;
        }
        let verdict = if self.is_met() { "met" } else { "MISSED" };
        write!(
            to,
            "     goal: < {} MiB more ({} in {FILLING_MINUTES} minutes and later), no more threads or descriptors  {verdict}",
            round(to_f64(self.max_growth_kib().unsigned_abs()) / 1_024.0),
            MAX_GROWTH_KIB / 1_024
        )
    }
}

/// Returns what a link does. It begins with another phase than those of other numbers.
fn links(number: usize, rounds: u32) -> Result<NetworkSpec> {
    let phases = (0..PHASES.len() * rounds as usize).map(|index| {
        let (down, up, loss) = PHASES[(index + number) % PHASES.len()];
        let at = PHASE.as_secs() * index as u64;
        format!("down={down}@{at}s receiver.up={up}@{at}s loss={loss}@{at}s")
    });
    let text = phases.collect::<Vec<_>>().join(" ");
    Ok(text.parse()?)
}

/// What a link does in each phase: the rate from the server, the rate to it, and the loss.
const PHASES: [(&str, &str, &str); 8] = [
    ("free", "free", "0%"),
    ("1500k", "free", "0%"),
    ("500k", "free", "0%"),
    ("free", "free", "10%"),
    ("300k", "300k", "0%"),
    ("free", "free", "30%"),
    ("150k", "free", "2%"),
    ("10M", "500k", "5%"),
];

/// The length of a phase and of a round.
const PHASE: Duration = Duration::from_secs(8);
const ROUND: Duration = Duration::from_secs(PHASE.as_secs() * PHASES.len() as u64);

/// The goal for 30 minutes: 5 MiB.
const MAX_GROWTH_KIB: i64 = 5 * 1_024;

/// The statistics of each second are kept for ten minutes. After that, a client may not grow any more.
const FILLING_MINUTES: f64 = 10.0;

/// The clients besides the organiser and the receiver.
const GUESTS: u8 = 7;

/// The voices of the first guests. The organiser and the receiver have the others.
const VOICES: [&str; 2] = ["carol.wav", "david.wav"];

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(first: [u64; 3], last: [u64; 3]) -> SoakFigures {
        let of = |[resident_kib, threads, descriptors]: [u64; 3]| ResourceUsage {
            seconds: 1,
            resident_kib,
            threads,
            descriptors,
        };
        let steady = ClientGrowth { name: "receiver".into(), rounds: vec![of(first); 2] };
        let client = ClientGrowth { name: "sender".into(), rounds: vec![of(first), of(last)] };
        SoakFigures { failed: None, minutes: 30.0, clients: vec![steady, client] }
    }

    #[test]
    fn one_client_that_grows_misses_the_goal() {
        assert!(figures([50_000, 20, 30], [55_000, 20, 29]).is_met());
        assert!(!figures([50_000, 20, 30], [55_120, 20, 30]).is_met());
        assert!(!figures([50_000, 20, 30], [50_000, 21, 30]).is_met());
        assert!(!figures([50_000, 20, 30], [50_000, 20, 31]).is_met());
        let short = SoakFigures { minutes: 2.0, ..figures([50_000, 20, 30], [51_100, 20, 30]) };
        assert!(!short.is_met() && figures([50_000, 20, 30], [51_100, 20, 30]).is_met(), "1 MiB in two minutes");
        assert!(!SoakFigures::default().is_met(), "nothing was measured");
        let unmeasured = SoakFigures { clients: vec![ClientGrowth::default()], ..SoakFigures::default() };
        assert!(!unmeasured.is_met(), "a client was not measured");
    }

    #[test]
    fn each_link_is_in_another_phase_and_every_round_has_all_phases() {
        let [first, second] = [0, 1].map(|number| links(number, 2).expect("links").changes);
        assert_eq!(first.len(), 3 * 2 * PHASES.len());
        assert_ne!(first[0].setting, second[0].setting);
        assert_eq!(first[3].setting, second[0].setting);
        assert!(first.last().is_some_and(|last| last.at < 2 * ROUND));
    }

    #[test]
    fn the_resources_of_this_process_can_be_read() {
        let of = ResourceUsage::of(std::process::id(), Duration::ZERO).expect("it runs");
        assert!(of.resident_kib > 0 && of.threads > 0 && of.descriptors > 0);
    }
}
