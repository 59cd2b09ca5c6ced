//! The arguments of `cargo xtask bench net`.

use super::chromium::ChromiumCodec;
use super::outages::Outage;
use super::path::{self, NetworkPath};
use anyhow::{Context, Result, bail, ensure};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// What is measured, and how.
#[derive(Debug)]
pub struct BenchOptions {
    /// The paths, in the order of the arguments.
    pub paths: Vec<NetworkPath>,
    /// The outages to measure: row 15.
    pub outages: Vec<Outage>,
    /// The meetings of many clients to measure.
    pub meetings: Vec<MeetingRow>,
    /// The length of a call without a schedule.
    pub length: Duration,
    /// The length of the long meeting.
    pub soak: Duration,
    /// The number of calls over each path.
    pub runs: u32,
    /// Holds each call again, by clients that remember the network.
    pub again: bool,
    /// The folder of `conclave` and `conclave-server`.
    pub programs: PathBuf,
    /// The folder for reports and logs. Without it they are removed.
    pub out: Option<PathBuf>,
    /// Holds the calls of rows 1 to 10 between two Chromium, too.
    pub chromium: bool,
    /// The video codec that these prefer.
    pub codec: ChromiumCodec,
    /// Prints JSON instead of lines.
    pub json: bool,
}

/// A row that is a meeting of many clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MeetingRow {
    /// What is received as tiles change: row 14.
    TileChanges,
    /// Clients on different paths: row 17.
    MixedNetworks,
    /// A client among many senders: row 19.
    Crowd,
    /// A long meeting over links that change: row 21.
    Soak,
}

impl MeetingRow {
    /// Returns the meeting of a row, or `None` if the row is another one.
    fn of_row(number: u32) -> Option<Self> {
        match number {
            14 => Some(Self::TileChanges),
            17 => Some(Self::MixedNetworks),
            19 => Some(Self::Crowd),
            21 => Some(Self::Soak),
            _ => None,
        }
    }
}

impl BenchOptions {
    /// Reads the arguments. Without `--rows` and `--spec`, all rows are measured.
    ///
    /// # Errors
    /// Returns an error if an argument is unknown, or its value is wrong.
    pub fn parse(arguments: &[String]) -> Result<Self> {
        let programs = std::env::current_exe()?.parent().context("a program is in a folder")?.to_owned();
        let length = Duration::from_secs(30);
        let (paths, outages) = (Vec::new(), Vec::new());
        let mut options = Self {
            paths,
            outages,
            meetings: Vec::new(),
            length,
            soak: SOAK,
            runs: 1,
            again: false,
            programs,
            out: None,
            chromium: false,
            codec: ChromiumCodec::Vp8,
            json: false,
        };
        let (mut interrupted, mut stop, mut outage) = (false, STOP, None::<String>);
        let mut rest = arguments.iter();
        while let Some(name) = rest.next() {
            let mut value = || rest.next().with_context(|| format!("no value after `{name}`"));
            match name.as_str() {
                "--json" => options.json = true,
                "--again" => options.again = true,
                "--chromium" => options.chromium = true,
                "--chromium-codec" => options.codec = value()?.parse()?,
                "--rows" => interrupted |= options.add_rows(value()?)?,
                "--spec" => options.paths.push(NetworkPath::new(value()?)?),
                "--seconds" => options.length = Duration::from_secs(number(name, value()?, 5..=500)?.into()),
                "--runs" => options.runs = number(name, value()?, 1..=99)?,
                "--outage" => {
                    interrupted = true;
                    outage = Some(value()?.clone());
                }
                "--stop" => stop = Duration::from_secs(number(name, value()?, 1..=300)?.into()),
                "--minutes" => options.soak = Duration::from_mins(number(name, value()?, 1..=600)?.into()),
                "--programs" => options.programs = value()?.into(),
                "--out" => options.out = Some(value()?.into()),
                unknown => bail!("unknown argument `{unknown}`"),
            }
        }
        let all = options.paths.is_empty() && !interrupted && options.meetings.is_empty();
        if all {
            options.paths = path::all();
            // The soak is too long.
            options.meetings = vec![MeetingRow::TileChanges, MeetingRow::MixedNetworks, MeetingRow::Crowd];
        }
        if all || interrupted {
            options.outages = Outage::all(stop).to_vec();
        }
        if let Some(name) = outage {
            let named = Outage::named(&name, stop).with_context(|| format!("`{name}` is not the name of an outage"))?;
            options.outages = vec![named];
        }
        Ok(options)
    }

    /// Adds rows, such as `3,5`. Returns true if the outages are among them.
    fn add_rows(&mut self, rows: &str) -> Result<bool> {
        let mut interrupted = false;
        for row in rows.split(',') {
            let row = row.trim().parse().with_context(|| format!("`{row}` is not the number of a row"))?;
            match (row, MeetingRow::of_row(row)) {
                (OUTAGES_ROW, _) => interrupted = true,
                (_, Some(meeting)) => self.meetings.push(meeting),
                (row, None) => self.paths.extend(paths_of_row(row)?),
            }
        }
        Ok(interrupted)
    }
}

/// Reads the value of an option.
fn number(name: &str, value: &str, range: RangeInclusive<u32>) -> Result<u32> {
    let number = value.parse().ok().filter(|number| range.contains(number));
    number.with_context(|| format!("`{name}` is from {} to {}", range.start(), range.end()))
}

fn paths_of_row(row: u32) -> Result<Vec<NetworkPath>> {
    let paths = path::of_row(row);
    ensure!(!paths.is_empty(), "row {row} is not measured here");
    Ok(paths)
}

/// The length of the goal of row 21.
const SOAK: Duration = Duration::from_mins(30);

/// The row of the outages.
const OUTAGES_ROW: u32 = 15;

/// How long the receiver's process is stopped.
const STOP: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<BenchOptions> {
        BenchOptions::parse(&arguments.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn rows_and_specifications_choose_the_paths() {
        let specs = |arguments: &[&str]| {
            parse(arguments).expect("options").paths.into_iter().map(|path| path.spec.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(specs(&["--rows", "3,5"]), ["down=800k", "down=500k", "down=150k"]);
        assert_eq!(specs(&["--spec", "down=600k", "--rows", "1"]), ["down=600k", "free"]);
        assert!(specs(&[]).len() > 12);
        assert!(specs(&["--rows", "15"]).is_empty() && specs(&["--rows", "14"]).is_empty());
        let meetings = |arguments: &[&str]| parse(arguments).expect("options").meetings;
        assert_eq!(meetings(&["--rows", "14,21"]), [MeetingRow::TileChanges, MeetingRow::Soak]);
        assert!(meetings(&[]).len() > 1 && !meetings(&[]).contains(&MeetingRow::Soak));
        assert!(meetings(&["--rows", "15"]).is_empty());
        let again = |arguments: &[&str]| parse(arguments).expect("options").again;
        assert!(again(&["--again", "--rows", "2"]) && !again(&["--rows", "2"]));
        assert_eq!(parse(&["--rows", "21", "--minutes", "5"]).expect("options").soak.as_secs(), 300);
        let outages = |arguments: &[&str]| parse(arguments).expect("options").outages;
        assert_eq!((outages(&["--rows", "1"]).len(), outages(&[]).len()), (0, 5));
        let stopped = Outage::Stopped(Duration::from_secs(20));
        assert!(outages(&["--stop", "20", "--rows", "15"]).contains(&stopped));
        assert_eq!(outages(&["--outage", "handover"]), [Outage::Handover]);
    }

    #[test]
    fn wrong_arguments_are_refused() {
        for wrong in [
            &["--rows", "18"][..],
            &["--rows", "x"],
            &["--rows"],
            &["--spec", "down=fast"],
            &["--seconds", "1"],
            &["--runs", "0"],
            &["--stop", "0"],
            &["--minutes", "0"],
            &["--chromium-codec", "VP10"],
            &["--outage", "flood"],
            &["--fast", "1"],
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
