//! Shown pictures as a Y4M file, with a side file of their numbers and times.

use crate::video_output::Meta;
use codec::container::y4m::{Header, Writer};
use codec::decode::Picture;
use media::{FrameRate, Size, Timestamp};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// One track's files. A Y4M file has one size: where a track comes in several, each has files of its own. At the end the
/// size that was shown the most is `NAME.y4m`, others are `NAME-WxH.y4m`.
pub struct Dump {
    folder: PathBuf,
    name: String,
    names: Names,
    /// What the files are called, from the first picture on.
    stem: PathBuf,
    rate: FrameRate,
    /// In the order in which their sizes came; the first has the plain name until the end.
    files: Vec<Files>,
    broken: bool,
}

struct Files {
    size: Size,
    pictures: Writer<BufWriter<File>>,
    times: BufWriter<File>,
    count: u64,
}

impl Dump {
    /// Files in `folder`, named after `name` with whatever a file name should not hold replaced, and a number where
    /// `names` has that one already.
    pub fn new(folder: &Path, name: &str, names: Names, rate: FrameRate) -> Self {
        let (folder, name) = (folder.to_owned(), file_name(name));
        Self { folder, name, names, stem: PathBuf::new(), rate, files: Vec::new(), broken: false }
    }

    /// Writes a picture. A disk that refuses is told once; the meeting goes on.
    pub fn add(&mut self, picture: &Picture<'_>, meta: Meta, shown: Timestamp) {
        if self.broken {
            return;
        }
        if let Err(error) = self.write(picture, meta, shown) {
            self.broken = true;
            tracing::warn!(%error, "dump stopped");
        }
    }

    fn write(&mut self, picture: &Picture<'_>, meta: Meta, shown: Timestamp) -> Result<(), codec::container::Error> {
        let files = self.open(picture)?;
        files.pictures.write(picture.planes)?;
        let (captured, shown) = (meta.captured.as_micros(), shown.as_micros());
        writeln!(files.times, "{},{captured},{shown}", meta.number)?;
        // Flushed line by line: a client that is killed leaves what it showed.
        files.times.flush()?;
        files.count += 1;
        Ok(())
    }

    fn open(&mut self, picture: &Picture<'_>) -> Result<&mut Files, codec::container::Error> {
        let found = self.files.iter().position(|files| files.size == picture.size);
        let index = found.unwrap_or(self.files.len());
        if found.is_none() {
            if index == MAX_SIZES {
                return Err(io::Error::other("more sizes than a track has").into());
            }
            if index == 0 {
                self.stem = self.folder.join(self.names.take(&self.name));
            }
            let other = (index > 0).then_some(picture.size);
            let (pictures, times) = (path(&self.stem, other, "y4m"), path(&self.stem, other, "csv"));
            self.files.push(Files::create(&pictures, &times, picture, self.rate)?);
        }
        Ok(&mut self.files[index])
    }
}

impl Drop for Dump {
    fn drop(&mut self) {
        let counts: Vec<(Size, u64)> = self.files.iter().map(|files| (files.size, files.count)).collect();
        // Closed before they are renamed.
        self.files.clear();
        let Some((first, _)) = counts.first() else { return };
        let most = counts.iter().max_by_key(|(_, count)| *count).map_or(*first, |(size, _)| *size);
        if most != *first
            && let Err(error) = exchange(&self.stem, *first, most)
        {
            tracing::warn!(%error, "the dump keeps its names");
        }
    }
}

/// Gives the plain name to the files of size `most` instead of those of size `first`.
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

impl Files {
    fn create(
        pictures: &Path,
        times: &Path,
        first: &Picture<'_>,
        rate: FrameRate,
    ) -> Result<Self, codec::container::Error> {
        if let Some(folder) = pictures.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let header = Header { size: first.size, rate, colour: first.colour };
        let mut times = BufWriter::new(File::create(times)?);
        writeln!(times, "frame,captured_us,shown_us")?;
        Ok(Self { size: first.size, pictures: Writer::create(pictures, header)?, times, count: 0 })
    }
}

/// Names that files of one client have: two people may be called the same, and one may come back. Clones share them.
#[derive(Clone, Default)]
pub struct Names(Arc<Mutex<BTreeSet<String>>>);

impl Names {
    /// `name`, or with the first free number from 2 on.
    fn take(&self, name: &str) -> String {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let numbered = (2u32..).map(|number| format!("{name}-{number}"));
        // Some systems know no capitals.
        let free = std::iter::once(name.to_owned()).chain(numbered).find(|name| taken.insert(name.to_lowercase()));
        free.unwrap_or_else(|| name.to_owned())
    }
}

/// Letters, digits and a few signs stay; everything else becomes an underscore, so no name leaves the folder.
fn file_name(name: &str) -> String {
    let clean = |sign: char| if sign.is_alphanumeric() || "-_ ".contains(sign) { sign } else { '_' };
    let name: String = name.chars().map(clean).take(64).collect();
    if name.trim().is_empty() { "nobody".into() } else { name }
}

/// Sizes of one track: its layers', and those of a camera that was turned or exchanged.
const MAX_SIZES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use media::{Colour, PlaneRef};

    fn show(dump: &mut Dump, size: Size, number: u64) {
        let samples = vec![0; usize::from(size.width) * usize::from(size.height)];
        let plane = |size: Size| PlaneRef { data: &samples, stride: usize::from(size.width), size };
        let planes = [plane(size), plane(size.chroma()), plane(size.chroma())];
        let picture = Picture { planes, size, colour: Colour::default() };
        let meta = Meta { number, captured: Timestamp::from_micros(number), layer: media::Layer::default() };
        dump.add(&picture, meta, Timestamp::from_micros(number + 1));
    }

    #[test]
    fn the_size_that_was_shown_the_most_has_the_plain_name() {
        let folder = std::env::temp_dir().join(format!("conclave-dump-{}", std::process::id()));
        let mut dump = Dump::new(&folder, "Anne", Names::default(), FrameRate::THIRTY);
        let (small, large) = (Size::new(4, 2), Size::new(8, 4));
        for (number, size) in (0..).zip([small, large, large, small, large]) {
            show(&mut dump, size, number);
        }
        drop(dump);
        let frames = |name: &str| {
            let text = std::fs::read_to_string(folder.join(name)).expect("a side file");
            text.lines().skip(1).filter_map(|line| line.split(',').next()?.parse().ok()).collect::<Vec<u64>>()
        };
        assert_eq!((frames("Anne.csv"), frames("Anne-4x2.csv")), (vec![1, 2, 4], vec![0, 3]));
        let length = |name: &str| std::fs::metadata(folder.join(name)).expect("pictures").len();
        assert!(length("Anne.y4m") > length("Anne-4x2.y4m") && !folder.join("Anne-8x4.y4m").exists());
        std::fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn who_comes_back_or_has_the_same_name_overwrites_nothing() {
        let folder = std::env::temp_dir().join(format!("conclave-names-{}", std::process::id()));
        let names = Names::default();
        // The second one shows nothing, and so takes no name.
        for (name, shows) in [("Anne", true), ("Anne", false), ("anne", true), ("Anne-2", true), ("Anne", true)] {
            let mut dump = Dump::new(&folder, name, names.clone(), FrameRate::THIRTY);
            (0..u64::from(shows)).for_each(|number| show(&mut dump, Size::new(4, 2), number));
        }
        let files = std::fs::read_dir(&folder).expect("the folder").map(|entry| entry.expect("a file").file_name());
        let mut files: Vec<String> = files.map(|name| name.to_string_lossy().into_owned()).collect();
        files.sort_unstable();
        files.retain(|name| name.ends_with("y4m"));
        assert_eq!(files, ["Anne-2-2.y4m", "Anne-3.y4m", "Anne.y4m", "anne-2.y4m"]);
        std::fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn no_name_leaves_the_folder() {
        assert_eq!(file_name("../../etc/passwd"), "______etc_passwd");
        assert_eq!(file_name("Zoé Müller"), "Zoé Müller");
        assert_eq!(file_name("  "), "nobody");
    }
}
