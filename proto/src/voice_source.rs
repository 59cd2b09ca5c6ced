//! The contributing sources (CSRC; RFC 3550, section 5.1) of a packet on a shared media description: they name the participant whose
//! voice it is.

use crate::ParticipantId;

/// Returns the contributing sources that name a participant: the upper and the lower half of its number.
#[must_use]
pub fn voice_sources(owner: ParticipantId) -> [u32; 2] {
    [owner.0 >> 32, owner.0 & u64::from(u32::MAX)].map(|half| u32::try_from(half).unwrap_or(u32::MAX))
}

/// Returns the participant that contributing sources name, or `None` if they name none.
#[must_use]
pub fn voice_owner(sources: &[u32]) -> Option<ParticipantId> {
    match sources {
        [upper, lower] => Some(ParticipantId(u64::from(*upper) << 32 | u64::from(*lower))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sources_of_a_voice_name_its_owner_and_others_name_nobody() {
        for owner in [0, 1, u64::MAX, 0x0123_4567_89ab_cdef].map(ParticipantId) {
            assert_eq!(voice_owner(&voice_sources(owner)), Some(owner));
        }
        for others in [&[][..], &[1], &[1, 2, 3]] {
            assert_eq!(voice_owner(others), None);
        }
    }
}
