//! A mapping of memory shared with the display server.
#![expect(unsafe_code, reason = "mmap and munmap are C functions")]

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr::NonNull;

/// Shared memory, unmapped on drop.
pub(super) struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

impl Mapping {
    /// Maps the first `length` bytes of `descriptor`.
    pub(super) fn new(descriptor: &OwnedFd, length: usize) -> io::Result<Self> {
        let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED);
        // SAFETY: the kernel chooses the address, so no existing mapping is affected. The descriptor is open; the mapping
        // stays valid after the descriptor is closed.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), length, protection, flags, descriptor.as_raw_fd(), 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::other("mapped at address zero"))?;
        Ok(Self { start, length })
    }

    /// The memory. The server writes to it only during a request, and every request has finished when this is called.
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: the mapping is `length` bytes long, readable and writable, and stays mapped as long as `self`
        // exists, which the slice borrows. The server does not write during that time, see above.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped by `new` with this length, unmapped only here, and no slice outlives `self`. The call cannot
        // fail for an existing mapping.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}
