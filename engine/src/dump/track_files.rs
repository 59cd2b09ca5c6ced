//! Writes shown pictures into a Y4M file, and their numbers and times into a second file.

use crate::stats::track_stats::MAX_SIZES;
use crate::video_output::Meta;
use codec::container::Error;
use codec::container::y4m::{Header, Writer};
use codec::decode::Picture;
use media::{FrameRate, Size, Timestamp};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The files of one track. A Y4M file has one size, so each size of a track has its own files. At the end the size with
/// the most pictures is `NAME.y4m`, the others are `NAME-WxH.y4m`.
pub struct TrackFiles {
    folder: PathBuf,
    name: String,
    names: Names,
    /// The path without its extension. It is empty until the first picture.
    stem: PathBuf,
    /// In the order of their first pictures. The first one has the plain name until the end.
    sizes: Vec<SizeFiles>,
    /// True after an error. Then nothing more is written.
    broken: bool,
}

/// The files of one size.
struct SizeFiles {
    size: Size,
    pictures: Writer<BufWriter<File>>,
    times: BufWriter<File>,
    count: u64,
}

impl TrackFiles {
    /// Returns files in `folder`, named after `name` without the characters that a file name should not contain, with
    /// `suffix`. A number is added if `names` contains the name already.
    pub fn new(folder: &Path, name: &str, suffix: &str, names: Names) -> Self {
        let (folder, name) = (folder.to_owned(), file_name(name) + suffix);
        Self { folder, name, names, stem: PathBuf::new(), sizes: Vec::new(), broken: false }
    }

    /// Writes a picture. The first error is logged, and then nothing more is written. The meeting continues.
    pub fn add(&mut self, picture: &Picture<'_>, meta: Meta, shown: Timestamp) {
        if self.broken {
            return;
        }
        if let Err(error) = self.write(picture, meta, shown) {
            self.broken = true;
            tracing::warn!(file = %path(&self.stem, None, "y4m").display(), %error, "dump stopped");
        }
    }

    fn write(&mut self, picture: &Picture<'_>, meta: Meta, shown: Timestamp) -> Result<(), Error> {
        let files = self.files_of(picture)?;
        files.pictures.write(picture.planes)?;
        // Flush after each picture, so that the files are complete if the client is killed.
        files.pictures.flush()?;
        let (captured, shown) = (meta.captured.as_micros(), shown.as_micros());
        let line = writeln!(files.times, "{},{captured},{shown}", meta.number);
        line.and_then(|()| files.times.flush()).map_err(Error::Write)?;
        files.count += 1;
        Ok(())
    }

    /// Returns the files of the picture's size. Creates them if they do not exist.
    fn files_of(&mut self, picture: &Picture<'_>) -> Result<&mut SizeFiles, Error> {
        let found = self.sizes.iter().position(|files| files.size == picture.size);
        let index = found.unwrap_or(self.sizes.len());
        if found.is_none() {
            if index == MAX_SIZES {
                return Err(Error::Write(io::Error::other("too many picture sizes")));
            }
            if index == 0 {
                self.stem = self.folder.join(self.names.take(&self.name));
            }
            let other = (index > 0).then_some(picture.size);
            let (pictures, times) = (path(&self.stem, other, "y4m"), path(&self.stem, other, "csv"));
            self.sizes.push(SizeFiles::create(&pictures, &times, picture)?);
        }
        Ok(&mut self.sizes[index])
    }
}

impl Drop for TrackFiles {
    fn drop(&mut self) {
        let counts: Vec<(Size, u64)> = self.sizes.iter().map(|files| (files.size, files.count)).collect();
        // Close the files before they are renamed.
        self.sizes.clear();
        let Some((first, _)) = counts.first() else { return };
        let most = counts.iter().max_by_key(|(_, count)| *count).map_or(*first, |(size, _)| *size);
        if most != *first
            && let Err(error) = exchange(&self.stem, *first, most)
        {
            tracing::warn!(%error, "dump not renamed");
        }
    }
}

/// Renames the files so that those of size `most` have the plain name instead of those of size `first`.
fn exchange(stem: &Path, first: Size, most: Size) -> io::Result<()> {
    for ending in ["y4m", "csv"] {
        let plain = path(stem, None, ending);
        std::fs::rename(&plain, path(stem, Some(first), ending))?;
        std::fs::rename(path(stem, Some(most), ending), &plain)?;
    }
    Ok(())
}

fn path(stem: &Path, size: Option<Size>, ending: &str) -> PathBuf {
    let name = stem.file_name().unwrap_or_default().to_string_lossy();
    let size = size.map(|size| format!("-{size}")).unwrap_or_default();
    stem.with_file_name(format!("{name}{size}.{ending}"))
}

impl SizeFiles {
    fn create(pictures: &Path, times: &Path, first: &Picture<'_>) -> Result<Self, Error> {
        if let Some(folder) = pictures.parent() {
            std::fs::create_dir_all(folder).map_err(Error::Write)?;
        }
        let header = Header { size: first.size, rate: RATE, colour: first.colour };
        let mut times = BufWriter::new(File::create(times).map_err(Error::Write)?);
        writeln!(times, "frame,captured_us,shown_us").map_err(Error::Write)?;
        Ok(Self { size: first.size, pictures: Writer::create(pictures, header)?, times, count: 0 })
    }
}

/// The names that the files of one client have already, because participants may have the same name or join again.
/// Clones share the names.
#[derive(Clone, Default)]
pub struct Names(Arc<Mutex<BTreeSet<String>>>);

impl Names {
    /// Reserves and returns `name`, or if it is in use, `name` with the first free number from 2 up.
    fn take(&self, name: &str) -> String {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let numbered = (2u32..).map(|number| format!("{name}-{number}"));
        // Some file systems ignore case.
        let free = std::iter::once(name.to_owned()).chain(numbered).find(|name| taken.insert(name.to_lowercase()));
        free.unwrap_or_else(|| name.to_owned())
    }
}

/// Replaces all characters except letters, digits and a few others by an underscore, so that no file is outside of the
/// folder. Cuts a long name.
fn file_name(name: &str) -> String {
    let clean = |sign: char| if sign.is_alphanumeric() || "-_ ".contains(sign) { sign } else { '_' };
    let mut name: String = name.chars().map(clean).collect();
    name.truncate(name.floor_char_boundary(MAX_NAME_BYTES));
    if name.trim().is_empty() { "nobody".into() } else { name }
}

/// The maximum length of a name in a file name, in bytes. Systems allow 255 bytes (`NAME_MAX` of Linux and macOS, fewer
/// with some encrypted file systems). The suffix, the number, the size and the extension need at most 40.
const MAX_NAME_BYTES: usize = 200;

/// The frame rate in the header of each Y4M file. The real times are in the second file.
const RATE: FrameRate = FrameRate::THIRTY;

#[cfg(test)]
mod tests {
    use super::*;
    use media::{Colour, PlaneRef};

    fn show(files: &mut TrackFiles, size: Size, number: u64) {
        let samples = vec![0; usize::from(size.width) * usize::from(size.height)];
        let plane = |size: Size| PlaneRef { data: &samples, stride: usize::from(size.width), size };
        let planes = [plane(size), plane(size.chroma()), plane(size.chroma())];
        let picture = Picture { planes, size, colour: Colour::default() };
        let meta = Meta { number, captured: Timestamp::from_micros(number), layer: media::Layer::default() };
        files.add(&picture, meta, Timestamp::from_micros(number + 1));
    }

    #[test]
    fn the_size_with_the_most_pictures_has_the_plain_name() {
        let temporary = tempfile::tempdir().expect("a folder");
        let folder = temporary.path();
        let mut files = TrackFiles::new(folder, "Anne", "", Names::default());
        let (small, large) = (Size::new(4, 2), Size::new(8, 4));
        for (number, size) in (0..).zip([small, large, large, small, large]) {
            show(&mut files, size, number);
        }
        let written = std::fs::read(folder.join("Anne-8x4.y4m")).expect("pictures");
        assert_eq!(
            written.windows(6).filter(|bytes| bytes == b"FRAME\n").count(),
            3,
            "pictures are in the file at once"
        );
        drop(files);
        let frames = |name: &str| {
            let text = std::fs::read_to_string(folder.join(name)).expect("a CSV file");
            text.lines().skip(1).filter_map(|line| line.split(',').next()?.parse().ok()).collect::<Vec<u64>>()
        };
        assert_eq!((frames("Anne.csv"), frames("Anne-4x2.csv")), (vec![1, 2, 4], vec![0, 3]));
        let length = |name: &str| std::fs::metadata(folder.join(name)).expect("pictures").len();
        assert!(length("Anne.y4m") > length("Anne-4x2.y4m") && !folder.join("Anne-8x4.y4m").exists());
    }

    #[test]
    fn a_dump_that_cannot_be_written_is_an_error_of_writing() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let mut files = TrackFiles::new(&file.path().join("inside"), "Anne", "", Names::default());
        let samples = [0; 8];
        let plane = |size: Size| PlaneRef { data: &samples, stride: usize::from(size.width), size };
        let size = Size::new(4, 2);
        let picture = Picture {
            planes: [plane(size), plane(size.chroma()), plane(size.chroma())],
            size,
            colour: Colour::default(),
        };
        let meta = Meta { number: 0, captured: Timestamp::from_micros(0), layer: media::Layer::default() };
        let error = files.write(&picture, meta, Timestamp::from_micros(1)).expect_err("no folder");
        assert!(error.to_string().starts_with("the file cannot be written: "), "{error}");
    }

    #[test]
    fn a_participant_who_joins_again_or_has_the_same_name_overwrites_nothing() {
        let temporary = tempfile::tempdir().expect("a folder");
        let folder = temporary.path();
        let names = Names::default();
        // The second track shows nothing, so it uses no name.
        for (name, shows) in [("Anne", true), ("Anne", false), ("anne", true), ("Anne-2", true), ("Anne", true)] {
            let mut files = TrackFiles::new(folder, name, "", names.clone());
            (0..u64::from(shows)).for_each(|number| show(&mut files, Size::new(4, 2), number));
        }
        let files = std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("a file").file_name());
        let mut files: Vec<String> = files.map(|name| name.to_string_lossy().into_owned()).collect();
        files.sort_unstable();
        files.retain(|name| name.ends_with("y4m"));
        assert_eq!(files, ["Anne-2-2.y4m", "Anne-3.y4m", "Anne.y4m", "anne-2.y4m"]);
    }

    #[test]
    fn the_longest_names_are_cut_and_stay_different() {
        let temporary = tempfile::tempdir().expect("a folder");
        let folder = temporary.path();
        let names = Names::default();
        // 64 letters of four bytes: the longest name that a participant can have.
        let longest = "\u{20000}".repeat(64);
        let other = "\u{20000}".repeat(63) + "\u{20001}";
        let mut count = 0;
        for (name, suffix) in [(&longest, ""), (&longest, "-screen"), (&longest, "-screen"), (&other, "")] {
            let mut files = TrackFiles::new(folder, name, suffix, names.clone());
            show(&mut files, Size::new(4, 2), 0);
            show(&mut files, Size::new(1_000, 2), 1);
            assert!(!files.broken, "{name}{suffix}");
            count += 4;
        }
        let files = std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("a file").file_name());
        let files: Vec<String> = files.map(|name| name.into_string().expect("whole characters")).collect();
        assert_eq!(files.len(), count, "each size has its own pictures and times: {files:?}");
        assert_eq!(files.iter().filter(|name| name.contains("-screen")).count(), 8);
        assert_eq!(file_name(&"é".repeat(64)), "é".repeat(64), "names of 64 letters of two bytes stay whole");
    }

    #[test]
    fn no_file_is_outside_of_the_folder() {
        assert_eq!(file_name("../../etc/passwd"), "______etc_passwd");
        assert_eq!(file_name("Zoé Müller"), "Zoé Müller");
        assert_eq!(file_name("  "), "nobody");
    }
}
