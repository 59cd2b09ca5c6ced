//! Shown pictures as a Y4M file, with a side file of their numbers and times.

use crate::screen::Meta;
use codec::container::y4m::{Header, Writer};
use codec::decode::Picture;
use media::{FrameRate, Size, Timestamp};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// One track's files. A Y4M file has one size: where a track comes in another one, `NAME-WxH.y4m` goes on.
pub struct Dump {
    stem: PathBuf,
    rate: FrameRate,
    open: Option<Files>,
    broken: bool,
}

struct Files {
    size: Size,
    pictures: Writer<BufWriter<File>>,
    times: BufWriter<File>,
}

impl Dump {
    /// Files in `folder`, named after `name` with whatever a file name should not hold replaced.
    pub fn new(folder: &Path, name: &str, rate: FrameRate) -> Self {
        Self { stem: folder.join(file_name(name)), rate, open: None, broken: false }
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
        let files = match &mut self.open {
            Some(files) if files.size == picture.size => files,
            other => {
                let first = other.is_none();
                other.insert(Files::create(&self.stem, first, picture, self.rate)?)
            }
        };
        files.pictures.write(picture.planes)?;
        let (captured, shown) = (meta.captured.as_micros(), shown.as_micros());
        writeln!(files.times, "{},{captured},{shown}", meta.number)?;
        // Flushed line by line: a client that is killed leaves what it showed.
        files.times.flush()?;
        Ok(())
    }
}

impl Files {
    fn create(
        stem: &Path,
        first: bool,
        picture: &Picture<'_>,
        rate: FrameRate,
    ) -> Result<Self, codec::container::Error> {
        let name = stem.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let path = |ending: &str| {
            let name = if first { format!("{name}.{ending}") } else { format!("{name}-{}.{ending}", picture.size) };
            stem.with_file_name(name)
        };
        if let Some(folder) = stem.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let header = Header { size: picture.size, rate, colour: picture.colour };
        let mut times = BufWriter::new(File::create(path("csv"))?);
        writeln!(times, "frame,captured_us,shown_us")?;
        Ok(Self { size: picture.size, pictures: Writer::create(&path("y4m"), header)?, times })
    }
}

/// Letters, digits and a few signs stay; everything else becomes an underscore, so no name leaves the folder.
fn file_name(name: &str) -> String {
    let clean = |sign: char| if sign.is_alphanumeric() || "-_ ".contains(sign) { sign } else { '_' };
    let name: String = name.chars().map(clean).take(64).collect();
    if name.trim().is_empty() { "nobody".into() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leaves_the_folder() {
        assert_eq!(file_name("../../etc/passwd"), "______etc_passwd");
        assert_eq!(file_name("Zoé Müller"), "Zoé Müller");
        assert_eq!(file_name("  "), "nobody");
    }
}
