//! A view of memory that the display server shares with us.
#![expect(unsafe_code, reason = "mapping memory is a matter between us and the kernel")]

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr::NonNull;

/// Mapped memory, unmapped on drop.
pub(super) struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

impl Mapping {
    /// Maps the first `length` bytes behind `descriptor`.
    pub(super) fn new(descriptor: &OwnedFd, length: usize) -> io::Result<Self> {
        let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED);
        // SAFETY: a new mapping at an address of the kernel's choice touches nothing that is there; the descriptor is
        // open, and the mapping outlives it by the kernel's rules.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), length, protection, flags, descriptor.as_raw_fd(), 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::other("mapped at address zero"))?;
        Ok(Self { start, length })
    }

    /// The memory. Whoever shares it writes there only while it answers a request of ours, which is over when this is
    /// called.
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: the mapping is `length` bytes long, readable and writable, and lives as long as `self`, which is
        // borrowed for as long as the slice; the other side does not write meanwhile, see above.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped by `new` with this length, unmapped only here, and no slice outlives `self`. It cannot fail for a
        // mapping that exists.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}
