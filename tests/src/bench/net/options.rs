//! The arguments of `cargo xtask bench net`.

use super::outages::Outage;
use super::path::{self, NetworkPath};
use anyhow::{Context, Result, bail, ensure};
use std::path::PathBuf;
use std::time::Duration;

/// What is measured, and how.
#[derive(Debug)]
pub struct BenchOptions {
    /// The paths, in the order of the arguments.
    pub paths: Vec<NetworkPath>,
    /// The outages to measure: row 15.
    pub outages: Vec<Outage>,
    /// Measures what is received as tiles change: row 14.
    pub tile_changes: bool,
    /// The length of a call without a schedule.
    pub length: Duration,
    /// The number of calls over each path.
    pub runs: u32,
    /// The folder of `conclave` and `conclave-server`.
    pub programs: PathBuf,
    /// The folder for reports and logs. Without it they are removed.
    pub out: Option<PathBuf>,
    /// Prints JSON instead of lines.
    pub json: bool,
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
        let mut options =
            Self { paths, outages, tile_changes: false, length, runs: 1, programs, out: None, json: false };
        let (mut interrupted, mut stop) = (false, STOP);
        let mut rest = arguments.iter();
        while let Some(name) = rest.next() {
            if name == "--json" {
                options.json = true;
                continue;
            }
            let value = rest.next().with_context(|| format!("no value after `{name}`"))?;
            match name.as_str() {
                "--rows" => {
                    for row in value.split(',') {
                        let row = row.trim().parse().with_context(|| format!("`{row}` is not the number of a row"))?;
                        match row {
                            OUTAGES_ROW => interrupted = true,
                            TILE_CHANGES_ROW => options.tile_changes = true,
                            row => {
                                let paths = path::of_row(row);
                                ensure!(!paths.is_empty(), "row {row} is not measured here");
                                options.paths.extend(paths);
                            }
                        }
                    }
                }
                "--spec" => options.paths.push(NetworkPath::new(value)?),
                "--seconds" => {
                    let seconds = value.parse().ok().filter(|seconds| (5..=500).contains(seconds));
                    options.length = Duration::from_secs(seconds.context("`--seconds` is from 5 to 500")?);
                }
                "--runs" => {
                    let runs = value.parse().ok().filter(|runs| (1..=99).contains(runs));
                    options.runs = runs.context("`--runs` is from 1 to 99")?;
                }
                "--stop" => {
                    let seconds = value.parse().ok().filter(|seconds| (1..=300).contains(seconds));
                    stop = Duration::from_secs(seconds.context("`--stop` is from 1 to 300")?);
                }
                "--programs" => options.programs = value.into(),
                "--out" => options.out = Some(value.into()),
                unknown => bail!("unknown argument `{unknown}`"),
            }
        }
        let all = options.paths.is_empty() && !interrupted && !options.tile_changes;
        if all {
            options.paths = path::all();
            options.tile_changes = true;
        }
        if all || interrupted {
            options.outages = Outage::all(stop).to_vec();
        }
        Ok(options)
    }
}

/// The row of the changes of tiles.
const TILE_CHANGES_ROW: u32 = 14;

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
        let tile_changes = |arguments: &[&str]| parse(arguments).expect("options").tile_changes;
        assert!(tile_changes(&["--rows", "14"]) && tile_changes(&[]) && !tile_changes(&["--rows", "15"]));
        let outages = |arguments: &[&str]| parse(arguments).expect("options").outages;
        assert_eq!((outages(&["--rows", "1"]).len(), outages(&[]).len()), (0, 4));
        let stopped = Outage::Stopped(Duration::from_secs(20));
        assert!(outages(&["--stop", "20", "--rows", "15"]).contains(&stopped));
    }

    #[test]
    fn wrong_arguments_are_refused() {
        for wrong in [
            &["--rows", "13"][..],
            &["--rows", "x"],
            &["--rows"],
            &["--spec", "down=fast"],
            &["--seconds", "1"],
            &["--runs", "0"],
            &["--stop", "0"],
            &["--fast", "1"],
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
