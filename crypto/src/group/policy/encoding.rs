//! The bytes of a policy (docs/protocol.md, "The policy"). One policy has one encoding, and decoding accepts no other.

use super::content::PolicyContent;
use super::people::{People, Person};
use super::rules::{MAX_BARRED, MAX_PEOPLE, Rules};
use crate::authority_chain::{AuthorityChain, PAIR, Rotation};
use crate::identity::DeviceKey;
use proto::{MAX_ROTATIONS, MeetingFlags, ParticipantId, Rights, Role};

/// Encodes everything but the signature.
#[expect(clippy::cast_possible_truncation, reason = "the counts are at most 256, 256 and 1024")]
pub(super) fn encode(policy: &PolicyContent) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(&policy.serial.to_be_bytes());
    bytes.extend_from_slice(&(policy.chain.rotations() as u16).to_be_bytes());
    bytes.extend_from_slice(&policy.chain.encode());
    let Rules { flags, everyone, defaults } = &policy.rules;
    bytes.extend_from_slice(&flags.bits().to_be_bytes());
    bytes.push(everyone.number());
    for rights in defaults {
        bytes.extend_from_slice(&rights.bits().to_be_bytes());
    }
    bytes.extend_from_slice(&(policy.people.list().len() as u16).to_be_bytes());
    for person in policy.people.iter() {
        encode_person(person, &mut bytes);
    }
    bytes.extend_from_slice(&(policy.barred.len() as u16).to_be_bytes());
    for device in &policy.barred {
        bytes.extend_from_slice(&device.0);
    }
    bytes
}

/// Decodes a policy and its signature, which it does not verify. `None` if the bytes are not the encoding of a policy.
pub(super) fn decode(bytes: &[u8]) -> Option<(PolicyContent, [u8; 64])> {
    let mut reader = Reader(bytes);
    let [VERSION] = reader.take()? else { return None };
    let serial = u64::from_be_bytes(reader.take()?);
    let rotations = usize::from(u16::from_be_bytes(reader.take()?));
    if rotations > MAX_ROTATIONS {
        return None;
    }
    let chain = AuthorityChain::decode(reader.slice(PAIR + rotations * Rotation::LENGTH)?).ok()?;
    let rules = decode_rules(&mut reader)?;
    let people = usize::from(u16::from_be_bytes(reader.take()?));
    if people > MAX_PEOPLE {
        return None;
    }
    let people = (0..people).map(|_| decode_person(&mut reader)).collect::<Option<_>>()?;
    let barred = usize::from(u16::from_be_bytes(reader.take()?));
    if barred > MAX_BARRED {
        return None;
    }
    let barred = (0..barred).map(|_| reader.take().map(DeviceKey)).collect::<Option<Vec<_>>>()?;
    let (people, signature) = (People::unchecked(people), reader.take()?);
    let content = PolicyContent { serial, chain, rules, people, barred };
    (reader.0.is_empty() && content.is_valid()).then_some((content, signature))
}

fn decode_rules(reader: &mut Reader<'_>) -> Option<Rules> {
    let flags = MeetingFlags::from_bits(u16::from_be_bytes(reader.take()?))?;
    let [everyone] = reader.take()?;
    let everyone = Role::from_number(everyone)?;
    let mut defaults = [Rights::NONE; 4];
    for rights in &mut defaults {
        *rights = Rights::from_bits(u32::from_be_bytes(reader.take()?))?;
    }
    Some(Rules { flags, everyone, defaults })
}

fn encode_person(person: &Person, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&person.device.0);
    bytes.extend_from_slice(&person.participant.0.to_be_bytes());
    bytes.push(person.role.number());
    bytes.extend_from_slice(&person.granted.bits().to_be_bytes());
    bytes.extend_from_slice(&person.withdrawn.bits().to_be_bytes());
}

fn decode_person(reader: &mut Reader<'_>) -> Option<Person> {
    let device = DeviceKey(reader.take()?);
    let participant = ParticipantId(u64::from_be_bytes(reader.take()?));
    let [role] = reader.take()?;
    let granted = Rights::from_bits(u32::from_be_bytes(reader.take()?))?;
    let withdrawn = Rights::from_bits(u32::from_be_bytes(reader.take()?))?;
    Some(Person { device, participant, role: Role::from_number(role)?, granted, withdrawn })
}

/// The bytes that are left.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn slice(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

const VERSION: u8 = 4;
