//! The sound system to ask, if there is one.

/// PulseAudio where it answers, else ALSA where it has anything to offer; `None` if there is no sound at all. ALSA's
/// library writes a page of complaints to standard error when it is asked for a card that is not there.
#[cfg(target_os = "linux")]
pub fn host() -> Option<cpal::Host> {
    let host = cpal::default_host();
    (host.id() != cpal::HostId::Alsa || has_card()).then_some(host)
}

/// The system's own.
#[cfg(not(target_os = "linux"))]
pub fn host() -> Option<cpal::Host> {
    Some(cpal::default_host())
}

/// A card that the kernel knows, or devices without a card that whoever runs this machine has set up.
#[cfg(target_os = "linux")]
fn has_card() -> bool {
    let cards = std::fs::read_to_string("/proc/asound/cards").unwrap_or_default();
    lists_a_card(&cards) || std::path::Path::new("/etc/asound.conf").exists()
}

/// ` 0 [PCH            ]: HDA-Intel - HDA Intel PCH`, and never `--- no soundcards ---`.
#[cfg(target_os = "linux")]
fn lists_a_card(cards: &str) -> bool {
    cards.lines().any(|line| line.trim_start().starts_with(|digit: char| digit.is_ascii_digit()))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_cards_is_told_from_an_empty_one() {
        assert!(lists_a_card(
            " 0 [PCH            ]: HDA-Intel - HDA Intel PCH\n                      at 0xf7 irq 32\n"
        ));
        assert!(lists_a_card("10 [Headset        ]: USB-Audio - Jabra\n"));
        for none in ["--- no soundcards ---\n", "", "\n"] {
            assert!(!lists_a_card(none), "{none:?}");
        }
    }
}
