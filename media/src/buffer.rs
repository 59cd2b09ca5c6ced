//! Pooled byte buffers with headroom and tailroom, so that a frame is sealed without a copy.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

/// Free bytes before the content, enough for the clear prefix, the `SFrame` header and the inner header.
pub const HEADROOM: usize = 96;

/// Free bytes after the content, enough for the authentication tag, signed digests, and the padding of audio or the Dependency
/// Descriptors of a picture.
pub const TAILROOM: usize = 400;

/// A pool of reusable byte buffers. Clones share the buffers.
#[derive(Clone)]
pub struct BufferPool {
    idle: Arc<Mutex<Vec<Vec<u8>>>>,
    keep: usize,
}

impl BufferPool {
    /// Returns a pool that keeps at most `keep` idle buffers.
    #[must_use]
    pub fn new(keep: usize) -> Self {
        Self { idle: Arc::new(Mutex::new(Vec::with_capacity(keep))), keep }
    }

    /// Takes an empty buffer that holds `capacity` bytes, plus headroom and tailroom, without reallocating.
    #[must_use]
    pub fn take(&self, capacity: usize) -> Buffer {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut bytes = idle.unwrap_or_default();
        bytes.reserve(HEADROOM + capacity + TAILROOM);
        bytes.resize(HEADROOM, 0);
        Buffer { bytes, start: HEADROOM, pool: Some(self.clone()) }
    }

    /// Takes a buffer and copies `bytes` into it.
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

/// The error that the headroom of a [`Buffer`] is too small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom;

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the buffer has too little headroom")
    }
}

impl std::error::Error for NoRoom {}

/// Bytes that can grow at both ends and shrink at the front. Dereferences to the content.
pub struct Buffer {
    bytes: Vec<u8>,
    start: usize,
    pool: Option<BufferPool>,
}

impl Buffer {
    /// Returns a buffer without a pool, for tests and rare messages.
    #[must_use]
    pub fn unpooled(content: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(HEADROOM + content.len() + TAILROOM);
        bytes.resize(HEADROOM, 0);
        bytes.extend_from_slice(content);
        Self { bytes, start: HEADROOM, pool: None }
    }

    /// Appends bytes.
    pub fn append(&mut self, more: &[u8]) {
        self.bytes.extend_from_slice(more);
    }

    /// Prepends bytes.
    ///
    /// # Errors
    /// Returns [`NoRoom`] if `more` is longer than the remaining headroom. Then the buffer is unchanged.
    pub fn prepend(&mut self, more: &[u8]) -> Result<(), NoRoom> {
        let start = self.start.checked_sub(more.len()).ok_or(NoRoom)?;
        self.bytes[start..self.start].copy_from_slice(more);
        self.start = start;
        Ok(())
    }

    /// Removes the first `count` bytes, or all bytes if there are fewer.
    pub fn skip(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.bytes.len());
    }

    /// Keeps only the first `length` bytes.
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
        if let Some(pool) = self.pool.take() {
            pool.give_back(std::mem::take(&mut self.bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_grows_and_shrinks_at_both_ends() {
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
    fn prepending_more_than_the_headroom_fails() {
        let mut buffer = Buffer::unpooled(b"x");
        assert_eq!(buffer.prepend(&[0; HEADROOM + 1]), Err(NoRoom));
        buffer.prepend(&[0; HEADROOM]).unwrap();
        assert_eq!(buffer.len(), HEADROOM + 1);
    }

    #[test]
    fn a_dropped_buffer_is_reused() {
        let pool = BufferPool::new(1);
        let first = pool.take(1_000);
        let address = first.bytes.as_ptr();
        drop(first);
        assert_eq!(pool.take(1_000).bytes.as_ptr(), address);
    }
}
