//! Links, the authority's chain and signatures, policies, credentials, and words.

use super::{ADA, ADA_ID, BOB, BOB_ID, Common, EVE, NEXT_SEEDS, NOW, SEEDS, at, hex, identity, public};
use anyhow::{Context, Result};
use crypto::vectors::{CertifiedLeaf, credential, first_policy};
use crypto::{CertificateChain, DeviceKey, Fingerprint, Identity, Language, PolicyChange, PolicyEdit, Profile, Words};
use proto::{ManagerCommand, MeetingFlags, ParticipantId, Rights, Role};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, PKCS_ED25519, PublicKeyData,
    SignatureAlgorithm,
};
use serde_json::{Value, json};

/// Returns links of a meeting before and after a rotation of its keys.
pub(super) fn links(common: &Common) -> Result<Vec<Value>> {
    let meeting = hex(common.meeting().0);
    let mut keys = SEEDS.keys().context("the seeds are keys")?;
    let hashes = [sha256(keys.public_key()), sha256(NEXT_SEEDS.keys().context("the seeds are keys")?.public_key())];
    let mut vectors = Vec::new();
    for (seeds, hash) in [SEEDS, NEXT_SEEDS].into_iter().zip(hashes) {
        for (host, port, certificate) in
            [("192.0.2.1", 7_443, Some([0xd1; 32])), ("2001:db8::1", 443, None), ("meet.example", 1, None)]
        {
            let invitation = keys.invitation(host, port, certificate.map(Fingerprint::from));
            vectors.push(json!({
                "link": invitation.to_text().as_str(), "host": host, "port": port, "secret": hex(seeds.link),
                "meeting": meeting, "authority": hex(public(seeds.authority)?), "admission_hash": hash,
                "certificate_hash": certificate.map(hex),
            }));
        }
        NEXT_SEEDS.prepare_rotation(&mut keys).context("the seeds are keys")?;
        keys.finish_rotation();
    }
    Ok(vectors)
}

/// Returns the chain of authorities and what each of the authorities signs.
pub(super) fn authority(common: &Common) -> Result<Vec<Value>> {
    let mut keys = SEEDS.keys().context("the seeds are keys")?;
    let meeting = hex(common.meeting().0);
    let before = keys.chain().encode();
    NEXT_SEEDS.prepare_rotation(&mut keys).context("the seeds are keys")?;
    keys.finish_rotation();
    let after = keys.chain().encode();
    let authorities = [public(SEEDS.authority)?, public(NEXT_SEEDS.authority)?].map(hex);
    let command = proto::encode(&ManagerCommand::End);
    let signature = keys.sign_command(ADA_ID, 3, &command);
    let profile = Profile::new("Ada").context("it is a name")?;
    let (_, back) = crypto::return_to_meeting(&keys, &common.ada, profile, ADA_ID, &after, at(NOW))?;
    Ok(vec![
        json!({"kind": "chain", "meeting": meeting, "chain": hex(before), "authorities": authorities[..1]}),
        json!({"kind": "chain", "meeting": meeting, "chain": hex(after), "authorities": authorities}),
        json!({
            "kind": "command", "meeting": meeting, "authority": authorities[1], "sender": ADA_ID.0, "counter": 3,
            "command": hex(command), "signature": hex(signature),
        }),
        json!({
            "kind": "return", "meeting": meeting, "authority": authorities[1], "participant": ADA_ID.0,
            "request": hex(back.package), "signature": hex(back.signature),
        }),
    ])
}

/// Returns policies: the first one, one with roles and exceptions, and one with a rotation and a barred device.
pub(super) fn policies(common: &Common) -> Result<Vec<Value>> {
    let mut keys = SEEDS.keys().context("the seeds are keys")?;
    let (bob, eve) = (identity(BOB)?.public(), identity(EVE)?.public());
    let eve_id = ParticipantId(3);
    let first = first_policy(common.ada.public(), ADA_ID, &keys).context("the keys are those of the meeting")?;
    let edits = vec![
        PolicyEdit::SetRole(bob, BOB_ID, Role::CoOrganiser),
        PolicyEdit::Withdraw(bob, BOB_ID, Rights::DELEGATE),
        PolicyEdit::Grant(eve, eve_id, Rights::RECORD),
        PolicyEdit::SetFlags(MeetingFlags::ALL),
        PolicyEdit::SetDefaults(Role::Guest, Rights::NONE),
    ];
    let second = first.next(&PolicyChange { edits, rotate: false }, &keys)?;
    NEXT_SEEDS.prepare_rotation(&mut keys).context("the seeds are keys")?;
    let edits = vec![PolicyEdit::Bar(eve), PolicyEdit::SetEveryone(Role::Guest)];
    let third = second.next(&PolicyChange { edits, rotate: true }, &keys)?;
    let person = |device: DeviceKey, participant: ParticipantId, role: u8, granted: u32, withdrawn: u32| {
        json!({
            "device": hex(device.0), "participant": participant.0, "role": role, "granted": granted,
            "withdrawn": withdrawn,
        })
    };
    let ada = person(common.ada.public(), ADA_ID, 0, 0, 0);
    let bob = person(bob, BOB_ID, 1, 0, 1 << 15);
    let recorder = person(eve, eve_id, 3, 1 << 10, 0);
    let authority = |seed| Ok::<_, anyhow::Error>(hex(public(seed)?));
    let says = [
        json!({
            "serial": 0, "rotations": 0, "flags": 28, "everyone": 3, "defaults": [0xffff, 0x0fff, 0x09ff, 0x53],
            "people": [ada], "barred": [], "authority": authority(SEEDS.authority)?,
        }),
        json!({
            "serial": 1, "rotations": 0, "flags": 63, "everyone": 3, "defaults": [0xffff, 0x0fff, 0x09ff, 0],
            "people": [ada, bob, recorder], "barred": [], "authority": authority(SEEDS.authority)?,
        }),
        json!({
            "serial": 2, "rotations": 1, "flags": 63, "everyone": 4, "defaults": [0xffff, 0x0fff, 0x09ff, 0],
            "people": [ada, bob], "barred": [hex(eve.0)], "authority": authority(NEXT_SEEDS.authority)?,
        }),
    ];
    let meeting = hex(common.meeting().0);
    let vector = |(policy, says): (&crypto::MeetingPolicy, _)| json!({"meeting": meeting, "policy": hex(policy.encode()), "says": says});
    Ok([&first, &second, &third].into_iter().zip(says).map(vector).collect())
}

/// Returns the credentials of a member and of a manager who comes back.
pub(super) fn credentials(common: &Common) -> Result<Vec<Value>> {
    let leaf =
        CertifiedLeaf { meeting: common.meeting(), participant: BOB_ID, issued: at(NOW), key: public([0xe1; 32])? };
    let vector = |identity: &Identity, name: &str, returning: Option<&[u8; 32]>, certificates: &[Vec<u8>]| {
        let profile = Profile::new(name).context("it is a name")?;
        let bytes = credential(identity, profile, &leaf, returning).context("the seeds are keys")?;
        let authority = returning.map(|seed| public(*seed)).transpose()?.map(hex);
        Ok::<_, anyhow::Error>(json!({
            "credential": hex(bytes), "meeting": hex(leaf.meeting.0), "leaf": hex(leaf.key),
            "device": hex(identity.public().0), "participant": BOB_ID.0, "issued": NOW, "name": name,
            "authority": authority, "certificates": certificates.iter().map(hex).collect::<Vec<_>>(),
        }))
    };
    let mut employee = identity(EVE)?;
    let certificates = certificates_of(employee.public())?;
    employee.set_certificate(CertificateChain::new(&certificates)?)?;
    Ok(vec![
        vector(&identity(BOB)?, "Bob", None, &[])?,
        vector(&identity(ADA)?, "Zoé Müller", None, &[])?,
        vector(&identity(ADA)?, "Ada", Some(&SEEDS.authority), &[])?,
        vector(&employee, "Eve", None, &certificates)?,
        vector(&employee, "Ève", Some(&SEEDS.authority), &certificates)?,
    ])
}

/// Returns the certificate of a device, and the one of the authority that has signed it, in DER.
fn certificates_of(device: DeviceKey) -> Result<[Vec<u8>; 2]> {
    let named = |name: &str| {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params
    };
    let (mut authority, key) = (named("ACME staff"), KeyPair::generate()?);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let middle = authority.self_signed(&key)?;
    let person = named("Eve Martin").signed_by(&PublicKey(device.0), &Issuer::new(authority, key))?;
    Ok([person.der().to_vec(), middle.der().to_vec()])
}

/// The public key of a device.
struct PublicKey([u8; 32]);

impl PublicKeyData for PublicKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ED25519
    }
}

/// Returns the two lists of words, and the words of some authenticators.
pub(super) fn words() -> Result<Vec<Value>> {
    let languages = [("english", Language::English), ("french", Language::French)];
    let mut vectors = Vec::new();
    for (name, language) in languages {
        let list = (0..2_048).map(|index| Some(word(index)?.in_language(language)[0]));
        let list: Vec<_> = list.collect::<Option<_>>().context("an authenticator has 48 bytes")?;
        vectors.push(json!({"kind": "list", "language": name, "words": list}));
    }
    let rising: [u8; 48] = std::array::from_fn(|at| u8::try_from(at * 5).unwrap_or(0xff));
    for authenticator in [[0; 48], [0xff; 48], rising] {
        let words = Words::of(&authenticator).context("an authenticator has 48 bytes")?;
        let [english, french] = languages.map(|(_, language)| words.in_language(language));
        vectors
            .push(json!({"kind": "words", "authenticator": hex(authenticator), "english": english, "french": french}));
    }
    Ok(vectors)
}

/// Returns words of which the first one has this index.
fn word(index: u16) -> Option<Words> {
    let mut authenticator = [0; 48];
    authenticator[..2].copy_from_slice(&(index << 5).to_be_bytes());
    Words::of(&authenticator)
}

fn sha256(bytes: &[u8]) -> String {
    hex(ring::digest::digest(&ring::digest::SHA256, bytes))
}
