//! Changes of the boxes of an MP4 file that ffmpeg wrote, in which the `moov` box is the last.

/// 1.0 as 16.16 fixed point.
pub const ONE: i32 = 1 << 16;
/// The start of an edit that shows nothing.
pub const PAUSE: i32 = -1;

/// An MP4 file.
#[derive(Clone)]
pub struct File(pub Vec<u8>);

/// An entry of an edit list: its duration in thousandths of a second, its start in ticks of the track, and its rate.
pub type Edit = (u32, i32, i32);

impl File {
    pub fn read(path: &std::path::Path) -> Self {
        Self(std::fs::read(path).expect("a file that ffmpeg wrote"))
    }

    /// Replaces the linear part of the track's matrix: x' = a x + c y, y' = b x + d y.
    pub fn matrix(mut self, [a, b, c, d]: [i32; 4]) -> Self {
        let at = self.body(*b"tkhd") + 40;
        for (index, value) in [(0, a), (1, b), (3, c), (4, d)] {
            self.0[at + 4 * index..][..4].copy_from_slice(&value.to_be_bytes());
        }
        self
    }

    /// Replaces the displayed size in the track's header.
    pub fn displayed(mut self, width: u32, height: u32) -> Self {
        let at = self.body(*b"tkhd") + 76;
        self.0[at..at + 4].copy_from_slice(&(width << 16).to_be_bytes());
        self.0[at + 4..at + 8].copy_from_slice(&(height << 16).to_be_bytes());
        self
    }

    /// Hides a box from readers.
    pub fn without(mut self, kind: [u8; 4]) -> Self {
        let at = self.body(kind) - 4;
        self.0[at..at + 4].copy_from_slice(b"free");
        self
    }

    /// Replaces the edit list.
    pub fn edits(mut self, edits: &[Edit]) -> Self {
        let entries = edits.iter().flat_map(|(duration, start, rate)| {
            [duration.to_be_bytes(), start.to_be_bytes(), rate.to_be_bytes()].concat()
        });
        let count = u32::try_from(edits.len()).expect("few edits");
        let list: Vec<u8> = [0_u32.to_be_bytes(), count.to_be_bytes()].concat().into_iter().chain(entries).collect();
        let list = boxed(*b"edts", &boxed(*b"elst", &list));
        let (start, end) = (self.body(*b"edts") - 8, self.end(*b"edts"));
        let grown = i64::try_from(list.len()).expect("short") - i64::try_from(end - start).expect("short");
        for parent in [*b"moov", *b"trak"] {
            let at = self.body(parent) - 8;
            let size = i64::from(self.word(at)) + grown;
            self.0[at..at + 4].copy_from_slice(&u32::try_from(size).expect("a small box").to_be_bytes());
        }
        self.0.splice(start..end, list);
        self
    }

    /// Returns the offset after the last type `kind`.
    fn body(&self, kind: [u8; 4]) -> usize {
        let at = self.0.windows(4).rposition(|window| *window == kind);
        at.unwrap_or_else(|| panic!("no {}", String::from_utf8_lossy(&kind))) + 4
    }

    fn end(&self, kind: [u8; 4]) -> usize {
        let start = self.body(kind) - 8;
        start + usize::try_from(self.word(start)).expect("a small box")
    }

    fn word(&self, at: usize) -> u32 {
        u32::from_be_bytes(*self.0[at..].first_chunk().expect("four bytes"))
    }
}

fn boxed(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    [&u32::try_from(body.len() + 8).expect("a small box").to_be_bytes()[..], &kind, body].concat()
}
