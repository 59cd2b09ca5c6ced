//! Twelve verification words. Members compare them aloud. If the words are equal, all are in the same group, without an
//! attacker in between.

/// The first 132 bits of the epoch authenticator (RFC 9420, section 8.7), eleven per word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Words([u16; 12]);

/// The language of the words. One epoch has the same list indices in all languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// The English list of BIP 39.
    English,
    /// The French list of BIP 39.
    French,
}

impl Words {
    /// The first word of the list, twelve times.
    pub(crate) const NONE: Self = Self([0; 12]);

    /// Returns the words of an authenticator, or `None` if it is shorter than 17 bytes.
    pub fn of(authenticator: &[u8]) -> Option<Self> {
        let bytes = authenticator.first_chunk::<17>()?;
        let bit = |at: usize| u16::from(bytes[at / 8] >> (7 - at % 8) & 1);
        Some(Self(std::array::from_fn(|word| (0..11).fold(0, |sum, at| sum << 1 | bit(word * 11 + at)))))
    }

    /// Returns the words, in order.
    pub fn in_language(&self, language: Language) -> [&'static str; 12] {
        self.0.map(|index| language.word(index))
    }
}

impl Language {
    /// Returns a word of the list. Eleven bits never exceed its 2048 words.
    pub(crate) fn word(self, index: u16) -> &'static str {
        let list = match self {
            Self::English => bip39::Language::English.word_list(),
            Self::French => bip39::Language::French.word_list(),
        };
        list.get(usize::from(index)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Group, Identity, ManagerKeys, Profile, knock};
    use proto::ParticipantId;
    use std::time::SystemTime;

    fn profile() -> Profile {
        Profile::new("N").unwrap()
    }

    /// Returns a group of the same two devices, with the same ids and the same meeting keys each time.
    fn group_of_two(devices: &[Identity; 2], keys: &mut ManagerKeys) -> [Group; 2] {
        let (now, [organiser, guest]) = (SystemTime::now(), devices);
        let mut first = Group::create(organiser, profile(), ParticipantId(1), keys, now).unwrap();
        let (link, chain) = (keys.invitation("localhost", 1, None), keys.chain().encode());
        let made = knock(&link, keys.public_key(), &chain, guest, profile(), ParticipantId(2), now);
        let (joiner, request) = made.unwrap();
        let request = keys.open(&request, now).unwrap();
        let pending = first.add(vec![request]).unwrap();
        first.merge_pending_commit().unwrap();
        let second = joiner.enter(&pending.welcome.unwrap(), &pending.tree.unwrap()).unwrap();
        [first, second]
    }

    #[test]
    fn two_groups_of_the_same_members_have_different_words() {
        let devices = [(); 2].map(|()| Identity::generate().unwrap());
        let mut keys = ManagerKeys::new().unwrap();
        let (one, two) = (group_of_two(&devices, &mut keys), group_of_two(&devices, &mut keys));
        assert_eq!(one[0].members(), two[0].members());
        assert_eq!((one[0].epoch(), one[0].words()), (two[0].epoch(), one[1].words()));
        assert_ne!(one[0].words(), two[0].words());
        assert_ne!(one[0].words().in_language(Language::English), two[0].words().in_language(Language::English));
    }

    #[test]
    fn each_word_has_eleven_bits() {
        assert_eq!(Words::of(&[0; 48]).unwrap().in_language(Language::English), ["abandon"; 12]);
        assert_eq!(Words::of(&[0xff; 48]).unwrap().in_language(Language::English), ["zoo"; 12]);
        assert_eq!(Words::of(&[0xff; 48]).unwrap().in_language(Language::French), ["zoologie"; 12]);
        assert_eq!(Words::of(&[0; 16]), None);
    }

    #[test]
    fn one_bit_changes_a_word() {
        for bit in 0..132 {
            let mut bytes = [0u8; 48];
            bytes[bit / 8] |= 0x80 >> (bit % 8);
            let words = Words::of(&bytes).unwrap();
            let expected: [u16; 12] =
                std::array::from_fn(|word| if word == bit / 11 { 1 << (10 - bit % 11) } else { 0 });
            assert_eq!(words, Words(expected));
        }
    }
}
