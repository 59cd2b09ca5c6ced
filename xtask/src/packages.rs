//! Lists and installs the packages that a fresh Debian or Ubuntu lacks.

use crate::process::{exists, run};
use anyhow::Result;
use std::process::{Command, Stdio};

/// Needed to build: C libraries with headers, and the assembler for the video encoder's SIMD code.
pub const BUILD: &[&str] = &[
    "build-essential",
    "cmake",
    "nasm",
    "pkg-config",
    "clang",
    "libclang-dev",
    "libasound2-dev",
    "libpulse-dev",
    "libdbus-1-dev",
    "libv4l-dev",
];

/// Needed to draw. The program loads them at run time, so it can report a missing one.
pub const DRAW: &[&str] = &[
    "libvulkan1",
    "mesa-vulkan-drivers",
    "libegl1",
    "libgl1",
    "libgl1-mesa-dri",
    "libxkbcommon0",
    "libxkbcommon-x11-0",
    "libx11-xcb1",
    "libxcursor1",
    "libxi6",
    "libxrandr2",
];

/// Needed to test: a display, a window manager, a sound server, a client of the accessibility bus, the cryptography of the Python
/// reader of our test vectors, and programs that read the files that the tests write.
pub const TEST: &[&str] = &[
    "xvfb",
    "openbox",
    "xdotool",
    "imagemagick",
    "x11-utils",
    "pulseaudio",
    "pulseaudio-utils",
    "ffmpeg",
    "dbus",
    "at-spi2-core",
    "gir1.2-atspi-2.0",
    "python3-gi",
    "python3-cryptography",
    "libglib2.0-bin",
];

/// Needed to share a screen in the scenario.
pub const SCREEN: &[&str] = &["xvfb"];

/// Needed for networks with limits: namespaces, rates, random loss.
pub const NET: &[&str] = &["iproute2", "nftables"];

/// Needed to check for other systems: a stable compiler with the sources of its standard library.
pub const CROSS: &[&str] = &["rustc-web", "rust-web-src"];

/// Needed to check for Windows: compilers for the C and C++ in our dependencies.
pub const WINDOWS: &[&str] = &["gcc-mingw-w64-x86-64-win32", "g++-mingw-w64-x86-64-win32"];

/// Installs those of `wanted` that are missing. On a system without apt, prints what to install and returns.
///
/// # Errors
/// Returns an error if apt fails.
pub fn install(wanted: &[&[&str]]) -> Result<()> {
    let wanted = wanted.concat();
    if !exists("dpkg-query") || !exists("apt-get") {
        if cfg!(target_os = "linux") {
            println!(
                "This system has no apt. Please install the equivalents of these Debian packages: {}",
                wanted.join(" ")
            );
        }
        return Ok(());
    }
    let missing: Vec<&str> = wanted.into_iter().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("Installing with apt: {}", missing.join(" "));
    run(apt().args(["update", "-qq"]))?;
    run(apt().args(["install", "-y", "-qq", "--no-install-recommends"]).args(&missing))
}

fn is_installed(package: &str) -> bool {
    let query = Command::new("dpkg-query").args(["-W", "-f=${Status}", package]).stderr(Stdio::null()).output();
    query.is_ok_and(|query| query.stdout.ends_with(b" installed"))
}

/// apt-get without questions, through sudo unless the user is root.
fn apt() -> Command {
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.trim_ascii() == b"0");
    let mut command = Command::new(if root { "env" } else { "sudo" });
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]).stdin(Stdio::null());
    command
}
