//! Opens network devices whose packets this process reads and writes (`TUN`, Documentation/networking/tuntap.rst of Linux).

#![expect(unsafe_code, reason = "ioctl(2)")]

use rustix::fs::OFlags;
use rustix::ioctl::{Opcode, Updater, ioctl, opcode};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;

/// Creates the device `name` in the network namespace of this thread. Each read of the file returns one IP packet that the
/// kernel sends through the device, each write is one that it receives. Reads do not wait. The device exists until the
/// file is closed, and may move to another namespace.
///
/// # Errors
/// Returns the system's error if the name is too long or taken, or if this user may not create devices.
pub fn open_tun(name: &str) -> io::Result<File> {
    let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).map_err(io::Error::other)?;
    let file = OpenOptions::new().read(true).write(true).custom_flags(nonblocking).open("/dev/net/tun")?;
    let mut request = InterfaceRequest { name: [0; NAME_BYTES], flags: IFF_TUN | IFF_NO_PI, unused: [0; 22] };
    // The name ends with a zero.
    if name.len() >= NAME_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the name of a device is too long"));
    }
    request.name[..name.len()].copy_from_slice(name.as_bytes());
    // SAFETY: TUNSETIFF reads and writes a `struct ifreq`, which `InterfaceRequest` is.
    let set = unsafe { Updater::<TUNSETIFF, InterfaceRequest>::new(&mut request) };
    // SAFETY: the call keeps no pointer to the request.
    unsafe { ioctl(&file, set) }?;
    Ok(file)
}

/// `struct ifreq` (netdevice(7)) with its member `ifr_flags`.
#[repr(C)]
struct InterfaceRequest {
    name: [u8; NAME_BYTES],
    flags: u16,
    unused: [u8; 22],
}

/// `IFNAMSIZ`.
const NAME_BYTES: usize = 16;

/// IP packets without Ethernet headers.
const IFF_TUN: u16 = 1;

/// No header before each packet.
const IFF_NO_PI: u16 = 0x1000;

/// `_IOW('T', 202, int)`.
const TUNSETIFF: Opcode = opcode::write::<i32>(b'T', 202);
