//! Chooses the sound system.

/// Returns PulseAudio if it answers, else ALSA if it has a device, else `None`. ALSA is not opened without a device,
/// because its library then writes many error lines to standard error.
#[cfg(target_os = "linux")]
pub fn host() -> Option<cpal::Host> {
    let host = cpal::default_host();
    (host.id() != cpal::HostId::Alsa || has_card()).then_some(host)
}

/// Returns the system's sound system.
#[cfg(not(target_os = "linux"))]
pub fn host() -> Option<cpal::Host> {
    Some(cpal::default_host())
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
