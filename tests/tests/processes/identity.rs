//! Who the people are, over real meetings of real programs: devices that are known, another device under a known name, and certificates
//! of an organisation.

use crate::program::{NO_DEVICES, Outcome, Program, TIMEOUT, client, lock_meetings, until};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, PKCS_ED25519, PublicKeyData,
    SignatureAlgorithm,
};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};
use tests::temp_folder::TempFolder;

/// Starts a program whose state is in a folder, and which the test controls by JSON lines.
fn start(name: &'static str, mut command: Command, state: &Path) -> Program {
    command.args(NO_DEVICES).args(["--json", "--commands", "--name", name]).stdin(Stdio::piped());
    command.env("XDG_STATE_HOME", state);
    Program::start(name, command)
}

fn events(program: &Program) -> Vec<Value> {
    program.output().iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn link(program: &Program) -> String {
    let find = || events(program).iter().find_map(|event| event["entered"]["link"].as_str().map(str::to_owned));
    until(TIMEOUT, "the meeting is open", || find().is_some());
    find().expect("a link")
}

/// Waits until `program` sees somebody with this badge.
fn sees(program: &Program, name: &str, badge: &str) {
    let newest = || events(program).iter().rev().find_map(|event| event["people"].as_array().cloned());
    let is_seen = |people: Vec<Value>| people.iter().any(|one| one["name"] == name && one["badge"] == badge);
    until(TIMEOUT, &format!("{name} has the badge {badge}: {:#?}", program.output()), || newest().is_some_and(is_seen));
}

fn leave(mut program: Program) -> String {
    program.send_line(r#"{"leave":true}"#);
    let outcome = program.end(TIMEOUT);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    outcome.err
}

#[test]
fn another_device_under_a_known_name_is_an_alarm_in_the_next_meeting_until_it_is_accepted() {
    let _lock = lock_meetings();
    let folder = TempFolder::new("identity");
    let (own, other) = (folder.path("ada"), folder.path("anna"));
    let (own, other, key) = (Path::new(&own), Path::new(&other), folder.path("ada-key"));
    let alarm = "This is not the device that you know as Anna";
    for (round, badge) in [(1, "new-device"), (2, "other-device")] {
        let mut ada = start("ada", client(&["meet", "--identity", &key]), own);
        // Each start of a program without a window is a new device.
        let mut anna = start("Anna", client(&["join", "-"]), other);
        anna.send_line(&link(&ada));
        sees(&ada, "Anna", badge);
        if round == 2 {
            ada.send_line(r#"{"accept-device":"Anna"}"#);
            sees(&ada, "Anna", "new-device");
        }
        leave(anna);
        let said = leave(ada);
        assert_eq!(said.contains(alarm), round == 2, "{said}");
    }
    let file = std::fs::read_to_string(own.join("conclave/devices.json")).expect("the file of known devices");
    assert_eq!(file.matches("\"device\"").count(), 2, "both devices of Anna: {file}");
    assert!(!file.contains("Anna"), "{file}");
}

#[test]
fn a_damaged_file_of_known_devices_is_set_aside_and_said() {
    let _lock = lock_meetings();
    let folder = TempFolder::new("identity-damaged");
    let state = folder.path("state");
    let state = Path::new(&state);
    std::fs::create_dir_all(state.join("conclave")).expect("a folder");
    std::fs::write(state.join("conclave/devices.json"), b"{\"salt\":").expect("a file");
    let ada = start("ada", client(&["meet"]), state);
    link(&ada);
    let said = leave(ada);
    assert!(said.contains("The list of the devices that you know was damaged"), "{said}");
    assert!(state.join("conclave/devices.damaged").is_file() && !state.join("conclave/devices.json").exists());
}

/// The authority of an organisation.
struct Ca {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

struct DeviceKey([u8; 32]);

impl PublicKeyData for DeviceKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ED25519
    }
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

impl Ca {
    fn new(name: &str) -> Self {
        let (mut params, key) = (named(name), KeyPair::generate().expect("a key"));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// Certifies the key that a program has printed.
    fn issue(&self, name: &str, fingerprint: &str) -> String {
        let digits: String = fingerprint.split_whitespace().collect();
        let byte = |at: usize| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).expect("hexadecimal digits");
        let key = DeviceKey(std::array::from_fn(byte));
        named(name).signed_by(&key, &self.issuer).expect("a certificate").pem()
    }
}

/// Runs `conclave identity`.
fn identity(state: &Path, arguments: &[&str]) -> Outcome {
    let mut command = client(&[&["identity"][..], arguments].concat());
    command.env("XDG_STATE_HOME", state);
    Program::start("identity", command).end(TIMEOUT)
}

fn succeeds(outcome: Outcome) -> String {
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    outcome.out
}

#[test]
fn a_certificate_of_a_trusted_organisation_is_a_badge_and_its_device_is_known_later() {
    let _lock = lock_meetings();
    let folder = TempFolder::new("certificate");
    let (own, other, guest) = (folder.path("ada"), folder.path("anna"), folder.path("carol"));
    let (own, other, guest) = (Path::new(&own), Path::new(&other), Path::new(&guest));
    let (acme, key) = (Ca::new("ACME"), folder.path("key"));
    let request = succeeds(identity(other, &["--folder", &key, "--request", "--name", "Anna"]));
    assert!(request.starts_with("-----BEGIN CERTIFICATE REQUEST-----"), "{request}");
    let fingerprint = succeeds(identity(other, &["--folder", &key]));
    let certificate = folder.write("anna.pem", acme.issue("Anna", &fingerprint).as_bytes());
    let stranger = identity(other, &["--folder", &folder.path("stranger"), "--certificate", &certificate]);
    assert!(stranger.code == Some(1) && stranger.err.contains("another device"), "{stranger:?}");
    succeeds(identity(other, &["--folder", &key, "--certificate", &certificate]));
    let root = folder.write("root.pem", acme.pem.as_bytes());
    succeeds(identity(own, &["--trust", &root]));

    let own_key = folder.path("ada-key");
    let mut ada = start("ada", client(&["meet", "--waiting-room", "--identity", &own_key]), own);
    let link_of_meeting = link(&ada);
    let mut anna = start("Anna", client(&["join", "-", "--identity", &key]), other);
    anna.send_line(&link_of_meeting);
    let asks = |event: &Value| event["asks"]["badge"] == "verified" && event["asks"]["organisation"] == "ACME";
    until(TIMEOUT, &format!("Anna asks: {:?}", ada.output()), || events(&ada).iter().any(asks));
    ada.send_line(r#"{"admit":"all"}"#);
    sees(&ada, "Anna", "verified");
    let mut carol = start("Carol", client(&["join", "-"]), guest);
    carol.send_line(&link_of_meeting);
    let is_asked = |event: &Value| event["asks"]["name"] == "Carol" && event["asks"]["badge"] == "new-device";
    until(TIMEOUT, &format!("Carol asks: {:?}", ada.output()), || events(&ada).iter().any(is_asked));
    ada.send_line(r#"{"admit":"all"}"#);
    sees(&carol, "Anna", "new-device");
    leave(carol);
    leave(anna);
    leave(ada);

    std::fs::remove_file(Path::new(&key).join("certificate.pem")).expect("the certificate was installed");
    let ada = start("ada", client(&["meet", "--identity", &own_key]), own);
    let mut anna = start("Anna", client(&["join", "-", "--identity", &key]), other);
    anna.send_line(&link(&ada));
    sees(&ada, "Anna", "known-device");
    leave(anna);
    leave(ada);
}
