//! Bytes with room at both ends, which go home to their pool: what a sealed frame lives in.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes kept free in front: the clear prefix, the `SFrame` header and the inner header all fit.
pub const HEADROOM: usize = 96;

/// Bytes kept free behind: the padding of sound or what packets say of a picture, and the authentication tag, all fit.
pub const TAILROOM: usize = 64;

/// Byte buffers that are used again instead of freed. Clones share the same pool.
#[derive(Clone)]
pub struct BufferPool {
    idle: Arc<Mutex<Vec<Vec<u8>>>>,
    keep: usize,
}

impl BufferPool {
    /// A pool that keeps at most `keep` idle buffers.
    #[must_use]
    pub fn new(keep: usize) -> Self {
        Self { idle: Arc::new(Mutex::new(Vec::with_capacity(keep))), keep }
    }

    /// An empty buffer that can take `capacity` bytes, and the room at both ends, without allocating again.
    #[must_use]
    pub fn take(&self, capacity: usize) -> Buffer {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut bytes = idle.unwrap_or_default();
        bytes.reserve(HEADROOM + capacity + TAILROOM);
        bytes.resize(HEADROOM, 0);
        Buffer { bytes, start: HEADROOM, home: Some(self.clone()) }
    }

    /// A buffer that holds a copy of `bytes`.
    #[must_use]
    pub fn copy(&self, bytes: &[u8]) -> Buffer {
        let mut buffer = self.take(bytes.len());
        buffer.append(bytes);
        buffer
    }

    fn give_back(&self, mut bytes: Vec<u8>) {
        bytes.clear();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.keep {
            idle.push(bytes);
        }
    }
}

/// The room in front of a [`Buffer`] is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom;

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no room in front of the bytes")
    }
}

impl std::error::Error for NoRoom {}

/// Bytes that can grow at both ends and shrink in front. Derefs to what lies between.
pub struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    home: Option<BufferPool>,
}

impl Buffer {
    /// A buffer with no pool behind it, for tests and rare messages.
    #[must_use]
    pub fn unpooled(content: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(HEADROOM + content.len() + TAILROOM);
        bytes.resize(HEADROOM, 0);
        bytes.extend_from_slice(content);
        Self { bytes, start: HEADROOM, home: None }
    }

    /// Adds bytes behind.
    pub fn append(&mut self, more: &[u8]) {
        self.bytes.extend_from_slice(more);
    }

    /// Adds bytes in front.
    ///
    /// # Errors
    /// [`NoRoom`] where more than what is left of [`HEADROOM`] is asked for; nothing has changed then.
    pub fn prepend(&mut self, more: &[u8]) -> Result<(), NoRoom> {
        let start = self.start.checked_sub(more.len()).ok_or(NoRoom)?;
        self.bytes[start..self.start].copy_from_slice(more);
        self.start = start;
        Ok(())
    }

    /// Drops the first `count` bytes; all of them where there are fewer.
    pub fn skip(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.bytes.len());
    }

    /// Keeps the first `length` bytes.
    pub fn truncate(&mut self, length: usize) {
        self.bytes.truncate(self.start.saturating_add(length));
    }
}

impl Deref for Buffer {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..]
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({} B)", self.len())
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(home) = self.home.take() {
            home.give_back(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_and_shrinks_at_both_ends() {
        let mut buffer = BufferPool::new(1).copy(b"body");
        buffer.prepend(b"head ").unwrap();
        buffer.append(b" tail");
        assert_eq!(&*buffer, b"head body tail");
        buffer.skip(5);
        buffer.truncate(4);
        assert_eq!(&*buffer, b"body");
        buffer.skip(99);
        assert!(buffer.is_empty());
    }

    #[test]
    fn the_room_in_front_ends() {
        let mut buffer = Buffer::unpooled(b"x");
        assert_eq!(buffer.prepend(&[0; HEADROOM + 1]), Err(NoRoom));
        buffer.prepend(&[0; HEADROOM]).unwrap();
        assert_eq!(buffer.len(), HEADROOM + 1);
    }

    #[test]
    fn a_dropped_buffer_serves_again() {
        let pool = BufferPool::new(1);
        let first = pool.take(1_000);
        let home = first.bytes.as_ptr();
        drop(first);
        assert_eq!(pool.take(1_000).bytes.as_ptr(), home);
    }
}
