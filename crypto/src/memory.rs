//! Secrets in their own memory pages: locked, excluded from core dumps, overwritten on drop.
//!
//! On systems other than Unix a secret is only overwritten. Systems limit the locked pages of a process. If the limit
//! (`RLIMIT_MEMLOCK`) is too low, secrets are used anyway, and the log says once that they may reach the swap space.
#![expect(unsafe_code, reason = "page locks and dump flags are system calls; the pages are our own allocation")]

use ring::rand::{SecureRandom, SystemRandom};
use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::NonNull;
#[cfg(unix)]
use std::sync::Once;
use std::sync::OnceLock;
use zeroize::Zeroize;

/// Secret bytes in their own pages. It has no `Debug`. A drop overwrites the pages.
pub struct Secret {
    pages: NonNull<u8>,
    layout: Layout,
    length: usize,
}

// SAFETY: a `Secret` owns its pages alone, as a `Box<[u8]>` would.
unsafe impl Send for Secret {}
// SAFETY: shared references only read.
unsafe impl Sync for Secret {}

impl Secret {
    /// Copies `bytes` into a secret. The caller must overwrite `bytes`.
    #[must_use]
    pub fn copy_of(bytes: &[u8]) -> Self {
        let mut secret = Self::zeroed(bytes.len());
        secret.expose_mut().copy_from_slice(bytes);
        secret
    }

    /// Moves `bytes` into a secret and overwrites them.
    #[must_use]
    pub fn take(mut bytes: Vec<u8>) -> Self {
        let secret = Self::copy_of(&bytes);
        bytes.zeroize();
        secret
    }

    /// Returns a secret of `length` random bytes, or `None` if the system returns no random bytes.
    #[must_use]
    pub fn random(length: usize) -> Option<Self> {
        let mut secret = Self::zeroed(length);
        SystemRandom::new().fill(secret.expose_mut()).ok()?;
        Some(secret)
    }

    /// Returns a secret of `length` zeros, to fill in place with [`Secret::expose_mut`].
    #[must_use]
    pub fn zeroed(length: usize) -> Self {
        let page = page_size();
        let size = length.max(1).next_multiple_of(page);
        // The page size is a power of two and the size is small, so this never falls back.
        let layout = Layout::from_size_align(size, page).unwrap_or(Layout::new::<u8>());
        // SAFETY: the layout's size is never zero.
        let pages = unsafe { alloc_zeroed(layout) };
        let Some(pages) = NonNull::new(pages) else { handle_alloc_error(layout) };
        protect(pages, layout.size());
        Self { pages, layout, length: length.min(layout.size()) }
    }

    /// Returns the bytes. The caller must not copy them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        // SAFETY: `length` bytes from `pages` are ours, initialised, and live as long as `self`.
        unsafe { std::slice::from_raw_parts(self.pages.as_ptr(), self.length) }
    }

    /// Returns the bytes, writable.
    #[must_use]
    pub fn expose_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `expose`, and `&mut self` is the only reference.
        unsafe { std::slice::from_raw_parts_mut(self.pages.as_ptr(), self.length) }
    }
}

impl Clone for Secret {
    fn clone(&self) -> Self {
        Self::copy_of(self.expose())
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.expose_mut().zeroize();
        release(self.pages, self.layout.size());
        // SAFETY: allocated in `zeroed` with this very layout, and never used again.
        unsafe { dealloc(self.pages.as_ptr(), self.layout) };
    }
}

/// A value whose bytes are overwritten when it is dropped: an expanded key of a library that does not overwrite it itself. A move
/// may leave a copy on the stack until other calls overwrite it.
pub(crate) struct Erased<T>(ManuallyDrop<T>);

impl<T> Erased<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(ManuallyDrop::new(value))
    }
}

impl<T> Deref for Erased<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Drop for Erased<T> {
    fn drop(&mut self) {
        // SAFETY: nothing uses the value after this.
        unsafe { ManuallyDrop::drop(&mut self.0) };
        // SAFETY: the bytes are our own, and hold no value any more that zeros could make invalid.
        unsafe { zeroize::zeroize_flat_type(&raw mut self.0) };
    }
}

fn page_size() -> usize {
    static SIZE: OnceLock<usize> = OnceLock::new();
    *SIZE.get_or_init(system_page_size)
}

#[cfg(unix)]
fn system_page_size() -> usize {
    // SAFETY: `sysconf` only reads a system value.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).ok().filter(|size| size.is_power_of_two()).unwrap_or(USUAL_PAGE)
}

#[cfg(not(unix))]
fn system_page_size() -> usize {
    USUAL_PAGE
}

/// Locks the pages and excludes them from core dumps, if the system allows it.
#[cfg(unix)]
fn protect(pages: NonNull<u8>, size: usize) {
    lock(pages, size, &NOT_LOCKED);
    advise(pages, size, DO_NOT_DUMP);
}

/// Locks the pages. The first failure is logged.
#[cfg(unix)]
fn lock(pages: NonNull<u8>, size: usize, failed: &Once) {
    // SAFETY: the call does not change the content of any page, and fails if the pages are not mapped.
    if unsafe { libc::mlock(pages.as_ptr().cast(), size) } != 0 {
        let error = std::io::Error::last_os_error();
        failed.call_once(|| {
            tracing::warn!(%error, "keys cannot be locked in memory and may reach the swap space: raise RLIMIT_MEMLOCK (ulimit -l)");
        });
    }
}

/// Completed if pages could not be locked.
#[cfg(unix)]
static NOT_LOCKED: Once = Once::new();

#[cfg(unix)]
fn release(pages: NonNull<u8>, size: usize) {
    advise(pages, size, DO_DUMP);
    // SAFETY: as in `protect`.
    unsafe { libc::munlock(pages.as_ptr().cast(), size) };
}

#[cfg(not(unix))]
fn protect(_pages: NonNull<u8>, _size: usize) {}

#[cfg(not(unix))]
fn release(_pages: NonNull<u8>, _size: usize) {}

#[cfg(target_os = "linux")]
fn advise(pages: NonNull<u8>, size: usize, advice: i32) {
    // SAFETY: as in `protect`.
    unsafe { libc::madvise(pages.as_ptr().cast(), size, advice) };
}

#[cfg(all(unix, not(target_os = "linux")))]
fn advise(_pages: NonNull<u8>, _size: usize, _advice: i32) {}

#[cfg(target_os = "linux")]
const DO_NOT_DUMP: i32 = libc::MADV_DONTDUMP;
#[cfg(target_os = "linux")]
const DO_DUMP: i32 = libc::MADV_DODUMP;
#[cfg(all(unix, not(target_os = "linux")))]
const DO_NOT_DUMP: i32 = 0;
#[cfg(all(unix, not(target_os = "linux")))]
const DO_DUMP: i32 = 0;

const USUAL_PAGE: usize = 4_096;

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use crate::tests::scan::{Pattern, range};
    use std::fs::read_to_string;

    #[test]
    fn a_dropped_secret_is_not_in_the_memory_of_this_process() {
        let secret = Secret::random(32).unwrap();
        let pattern = Pattern::of(secret.expose());
        assert!(pattern.count() >= 1, "the search finds a living secret");
        drop(secret);
        assert_eq!(pattern.count(), 0);
    }

    #[test]
    fn a_clone_outlives_the_original() {
        let first = Secret::copy_of(b"key");
        let second = first.clone();
        drop(first);
        assert_eq!(second.expose(), b"key");
        assert!(Secret::zeroed(0).expose().is_empty());
    }

    #[test]
    fn its_pages_are_left_out_of_core_dumps() {
        let secret = Secret::random(32).unwrap();
        let flags = smaps_flags(secret.expose().as_ptr() as usize);
        assert!(flags.contains(" dd"), "{flags}");
    }

    #[test]
    fn its_pages_are_locked_if_the_system_allows_it() {
        let secret = Secret::random(32).unwrap();
        let flags = smaps_flags(secret.expose().as_ptr() as usize);
        let limits = read_to_string("/proc/self/limits").unwrap();
        let limit = limits.lines().find_map(|line| line.strip_prefix("Max locked memory")).unwrap();
        let soft = limit.split_whitespace().next().unwrap();
        // The tests that run at the same time hold far less than this.
        let allowed = soft == "unlimited" || soft.parse::<usize>().unwrap() >= 4 << 20;
        assert!(flags.contains(" lo") || !allowed, "{flags}, limit {soft}");
    }

    #[test]
    fn pages_that_cannot_be_locked_are_reported_once() {
        let (unmapped, failed) = (NonNull::new(page_size() as *mut u8).unwrap(), Once::new());
        let secret = Secret::random(32).unwrap();
        let address = secret.expose().as_ptr() as usize;
        // The same as a limit that is too low, which does not bind the administrator: the system refuses.
        lock(unmapped, page_size(), &failed);
        assert!(failed.is_completed());
        lock(unmapped, page_size(), &failed);
        if smaps_flags(address).contains(" lo") {
            let failed = Once::new();
            lock(secret.pages, secret.layout.size(), &failed);
            assert!(!failed.is_completed());
        }
    }

    /// Returns the `VmFlags` of the pages at `address`.
    fn smaps_flags(address: usize) -> String {
        let smaps = read_to_string("/proc/self/smaps").unwrap();
        let mut inside = false;
        let flags = smaps.lines().find(|line| {
            if let Some((start, end)) = range(line) {
                inside = (start..end).contains(&address);
            }
            inside && line.starts_with("VmFlags:")
        });
        flags.unwrap().to_owned()
    }
}
