//! Tests with an authority that each test makes.

use super::*;
use crate::device_key::DeviceKey;
use crate::identity::Identity;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ED25519, PublicKeyData, SanType, SignatureAlgorithm, date_time_ymd,
};
use std::time::{Duration, SystemTime};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::FromDer;

/// An authority and its certificate.
struct Ca {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

struct Key(DeviceKey);

impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.0.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ED25519
    }
}

fn named(common: &str, organisation: Option<&str>) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common);
    if let Some(organisation) = organisation {
        params.distinguished_name.push(DnType::OrganizationName, organisation);
    }
    (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(2027, 1, 1));
    params
}

fn authority(common: &str) -> CertificateParams {
    let mut params = named(common, Some("ACME"));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

impl Ca {
    fn root(common: &str) -> Self {
        let (params, key) = (authority(common), KeyPair::generate().unwrap());
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    fn below(&self, common: &str) -> Self {
        let (params, key) = (authority(common), KeyPair::generate().unwrap());
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    fn issue(&self, params: &CertificateParams, device: DeviceKey) -> Certificate {
        params.signed_by(&Key(device), &self.issuer).unwrap()
    }

    fn roots(&self) -> Roots {
        let mut roots = Roots::default();
        roots.add_pem(self.certificate.pem().as_bytes()).unwrap();
        roots
    }
}

fn chain(certificates: &[&Certificate]) -> CertificateChain {
    CertificateChain::new(&certificates.iter().map(|one| one.der()).collect::<Vec<_>>()).unwrap()
}

/// The middle of 2026.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + 24 * Duration::from_hours(20_625)
}

fn device() -> DeviceKey {
    Identity::generate().unwrap().public()
}

#[test]
fn a_person_is_verified_by_the_root_that_the_receiver_trusts() {
    let (ca, device) = (Ca::root("ACME Root"), device());
    let mut params = named("Anna Martin", Some("Other"));
    params.subject_alt_names = vec![SanType::Rfc822Name("anna@acme.example".try_into().unwrap())];
    let certificate = chain(&[&ca.issue(&params, device)]);
    let subject = certificate.verify(device, &ca.roots(), now()).unwrap();
    let (name, email, organisation) = ("Anna Martin".into(), Some("anna@acme.example".into()), "ACME".into());
    assert_eq!(subject, Subject { name, email, organisation }, "the organisation is that of the root");
    let other = Ca::root("ACME Root");
    assert_eq!(
        certificate.verify(device, &other.roots(), now()),
        Err(Refusal::Untrusted),
        "the same name, another key"
    );
    assert_eq!(certificate.verify(device, &Roots::default(), now()), Err(Refusal::Untrusted));
}

#[test]
fn a_chain_leads_over_authorities_between() {
    let root = Ca::root("Root");
    let (middle, device) = (root.below("Middle"), device());
    let entity = middle.issue(&named("Anna", None), device);
    let whole = chain(&[&entity, &middle.certificate]);
    assert_eq!(whole.verify(device, &root.roots(), now()).unwrap().name, "Anna");
    assert_eq!(chain(&[&entity]).verify(device, &root.roots(), now()), Err(Refusal::Untrusted), "one is missing");
    let pem = [entity.pem(), middle.certificate.pem()].concat();
    assert_eq!(CertificateChain::from_pem(pem.as_bytes()).unwrap(), whole);
}

#[test]
fn a_certificate_counts_for_its_key_its_time_and_its_usage_only() {
    let (ca, device) = (Ca::root("Root"), device());
    let roots = ca.roots();
    let verify = |change: &dyn Fn(&mut CertificateParams)| {
        let mut params = named("Anna", None);
        change(&mut params);
        chain(&[&ca.issue(&params, device)]).verify(device, &roots, now()).map(|subject| subject.name)
    };
    assert_eq!(verify(&|_| {}).as_deref(), Ok("Anna"));
    assert_eq!(verify(&|params| params.not_after = date_time_ymd(2026, 2, 1)), Err(Refusal::Expired));
    assert_eq!(verify(&|params| params.not_before = date_time_ymd(2026, 12, 1)), Err(Refusal::NotYetValid));
    assert_eq!(verify(&|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained)), Err(Refusal::WrongUsage));
    let usage = |usage| {
        move |params: &mut CertificateParams| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::clone(&usage)]
    };
    assert_eq!(verify(&usage(ExtendedKeyUsagePurpose::ServerAuth)), Err(Refusal::WrongUsage));
    assert_eq!(verify(&usage(ExtendedKeyUsagePurpose::ClientAuth)).as_deref(), Ok("Anna"));
    let only = |usage| move |params: &mut CertificateParams| params.key_usages = vec![usage];
    assert_eq!(verify(&only(KeyUsagePurpose::KeyEncipherment)), Err(Refusal::WrongUsage));
    assert_eq!(verify(&only(KeyUsagePurpose::DigitalSignature)).as_deref(), Ok("Anna"));
    let nameless = |params: &mut CertificateParams| params.distinguished_name = DistinguishedName::new();
    assert_eq!(verify(&nameless), Err(Refusal::NoName));
    let certificate = chain(&[&ca.issue(&named("Anna", None), device)]);
    let mut other = Identity::generate().unwrap();
    assert_eq!(certificate.verify(other.public(), &roots, now()), Err(Refusal::OtherKey));
    assert_eq!(other.set_certificate(certificate.clone()), Err(Refusal::OtherKey));
    let day = Duration::from_hours(24);
    let end = SystemTime::UNIX_EPOCH + 24 * Duration::from_hours(20_819);
    assert!(certificate.verify(device, &roots, end + Duration::from_mins(59)).is_ok(), "two clocks may differ");
    assert_eq!(certificate.verify(device, &roots, end + day), Err(Refusal::Expired));
}

#[test]
fn names_are_shown_without_what_could_deceive() {
    let (ca, device) = (Ca::root("Root"), device());
    let name = |common: &str| {
        chain(&[&ca.issue(&named(common, None), device)]).verify(device, &ca.roots(), now()).map(|subject| subject.name)
    };
    assert_eq!(name("  An\u{200b}na \u{202e} M ").as_deref(), Ok("Anna M"));
    assert_eq!(name("\u{200b}"), Err(Refusal::NoName));
    assert_eq!(name(&"x".repeat(90)).as_deref(), Ok("x".repeat(64).as_str()));
    let mut by_mail = named("", None);
    by_mail.distinguished_name = DistinguishedName::new();
    by_mail.subject_alt_names = vec![SanType::Rfc822Name("anna@acme.example".try_into().unwrap())];
    let found = chain(&[&ca.issue(&by_mail, device)]).verify(device, &ca.roots(), now()).unwrap();
    assert_eq!(found.name, "anna@acme.example");
}

#[test]
fn chains_and_roots_are_bounded() {
    assert_eq!(CertificateChain::new(&[[0; 5_000]]), Err(Refusal::TooLong));
    assert_eq!(CertificateChain::new(&[[1; 9]; 5]), Err(Refusal::TooLong));
    assert_eq!(CertificateChain::new::<[u8; 0]>(&[]), Err(Refusal::Malformed));
    assert_eq!(CertificateChain::new(&[[0; 0]]), Err(Refusal::Malformed));
    let most = CertificateChain::new(&[[7; 1_022]; 4]).unwrap();
    assert_eq!((most.encoded().len(), CertificateChain::decode(most.encoded())), (MAX_CHAIN, Some(most.clone())));
    assert_eq!(most.verify(device(), &Roots::default(), now()), Err(Refusal::Malformed));
    for length in 1..most.encoded().len() {
        let cut = CertificateChain::decode(&most.encoded()[..length]);
        assert_eq!(cut.is_some(), length % 1_024 == 0, "{length}");
    }
    for wrong in ["", "nothing", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert_eq!(Roots::default().add_pem(wrong.as_bytes()), Err(Refusal::Malformed), "{wrong}");
    }
    let ca = Ca::root("Root");
    let mut roots = ca.roots();
    roots.add_pem(ca.certificate.pem().as_bytes()).unwrap();
    assert_eq!(roots.organisations().collect::<Vec<_>>(), ["ACME"], "each once");
    let many: String = (0..40).map(|number| Ca::root(&number.to_string()).certificate.pem()).collect();
    assert_eq!(roots.add_pem(many.as_bytes()), Err(Refusal::TooLong));
    assert_eq!(roots, ca.roots(), "nothing was added");
}

#[test]
fn a_request_names_the_device_key_and_is_signed_by_it() {
    let identity = Identity::generate().unwrap();
    let request = identity.certificate_request("Anna Martin").unwrap();
    let (_, pem) = x509_parser::pem::parse_x509_pem(request.as_bytes()).unwrap();
    assert_eq!(pem.label, "CERTIFICATE REQUEST");
    let (_, parsed) = X509CertificationRequest::from_der(&pem.contents).unwrap();
    let info = &parsed.certification_request_info;
    assert_eq!(*info.subject_pki.subject_public_key.data, identity.public().0);
    assert_eq!(info.subject.iter_common_name().next().unwrap().as_str(), Ok("Anna Martin"));
    let signature = &parsed.signature_value.data;
    assert!(crate::provider::is_signed(&identity.public().0, info.raw, signature));
    assert_eq!(info.raw[0], 0x30, "no other signature of the key is over bytes that begin so");
}
