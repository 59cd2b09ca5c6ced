//! Chooses the sound system.

use super::super::direction::Direction;
use super::super::error::Error;

/// Returns PulseAudio if it answers, else ALSA if it has a device. ALSA is not opened without a device, because its
/// library then writes many error lines to standard error.
///
/// # Errors
/// Returns [`Error::ServerRefused`] if there is a sound server, but it refuses this program, and [`Error::Missing`] if
/// there is no sound system.
#[cfg(target_os = "linux")]
pub fn host(direction: Direction) -> Result<cpal::Host, Error> {
    let refused = match cpal::host_from_id(cpal::HostId::PulseAudio) {
        Ok(host) => return Ok(host),
        // The server refuses a wrong cookie. If there is none, it closes the connection.
        Err(error) => {
            let (kind, closed) = (error.kind(), cpal::ErrorKind::StreamInvalidated);
            kind == cpal::ErrorKind::PermissionDenied || kind == closed && is_listening()
        }
    };
    if has_card() {
        return cpal::host_from_id(cpal::HostId::Alsa).map_err(|_| Error::Missing(direction));
    }
    Err(if refused { Error::ServerRefused } else { Error::Missing(direction) })
}

/// Returns the system's sound system.
///
/// # Errors
/// Never fails.
#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "Linux may have no sound system")]
pub fn host(_: Direction) -> Result<cpal::Host, Error> {
    Ok(cpal::default_host())
}

/// Returns true if a sound server accepts connections.
#[cfg(target_os = "linux")]
fn is_listening() -> bool {
    let socket = pulseaudio::socket_path_from_env();
    socket.is_some_and(|path| std::os::unix::net::UnixStream::connect(path).is_ok())
}

/// Returns true if the host is a connection to a sound server.
#[cfg(target_os = "linux")]
pub fn is_server(host: &cpal::Host) -> bool {
    host.id() == cpal::HostId::PulseAudio
}

/// Returns true if the host is a connection to a sound server.
#[cfg(not(target_os = "linux"))]
pub fn is_server(_: &cpal::Host) -> bool {
    false
}

/// Returns true if the kernel lists a card, or if the system's ALSA configuration may define devices without a card.
#[cfg(target_os = "linux")]
fn has_card() -> bool {
    let cards = std::fs::read_to_string("/proc/asound/cards").unwrap_or_default();
    lists_a_card(&cards) || std::path::Path::new("/etc/asound.conf").exists()
}

/// Returns true if a line names a card, such as ` 0 [PCH            ]: HDA-Intel - HDA Intel PCH`. An empty list is
/// `--- no soundcards ---`.
#[cfg(target_os = "linux")]
fn lists_a_card(cards: &str) -> bool {
    cards.lines().any(|line| line.trim_start().starts_with(|digit: char| digit.is_ascii_digit()))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn a_list_with_a_card_is_distinguished_from_an_empty_one() {
        assert!(lists_a_card(
            " 0 [PCH            ]: HDA-Intel - HDA Intel PCH\n                      at 0xf7 irq 32\n"
        ));
        assert!(lists_a_card("10 [Headset        ]: USB-Audio - Jabra\n"));
        for none in ["--- no soundcards ---\n", "", "\n"] {
            assert!(!lists_a_card(none), "{none:?}");
        }
    }
}
