//! Tests of `cargo xtask netlab`: networks with limits, in namespaces of the kernel. Without root, they only test the error
//! message.
#![cfg(target_os = "linux")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::time::{Duration, Instant};
use tests::netlab::{Error, Namespace, Netlab, NetworkSpec, Participant, Protocol};
use tests::program::{Program, command, until};

fn spec(text: &str) -> NetworkSpec {
    text.parse().expect("a specification")
}

/// Returns a network, or `None` with a message if this machine or this user cannot have one.
fn netlab(text: &str) -> Option<Netlab> {
    netlab_of(&spec(text))
}

fn netlab_of(spec: &NetworkSpec) -> Option<Netlab> {
    match Netlab::new(spec) {
        Ok(lab) => Some(lab),
        Err(error @ (Error::NotPermitted(_) | Error::Missing { .. })) => {
            eprintln!("skipped: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Returns true if a network namespace whose name contains `part` exists.
fn exists(part: &str) -> bool {
    let list = Command::new("ip").args(["netns", "list"]).output().expect("ip runs");
    String::from_utf8_lossy(&list.stdout).contains(part)
}

fn output(command: &mut Command) -> String {
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn rate_to_receiver(lab: &Netlab) -> String {
    output(Command::new("tc").args(["-n", lab.name(Namespace::Server), "qdisc", "show", "dev", "receiver"]))
}

#[test]
fn a_network_has_its_limits_and_is_removed_when_dropped() {
    let Some(lab) = netlab("down=300k loss=5% sender.loss=100%") else { return };
    assert!(rate_to_receiver(&lab).contains("rate 300Kbit burst 4Kb lat 200ms"), "{}", rate_to_receiver(&lab));
    let rules = |namespace| output(lab.command(namespace, "nft".as_ref()).args(["list", "ruleset"]));
    assert!(rules(Namespace::Receiver).contains("numgen random mod 10000 < 500"), "{}", rules(Namespace::Receiver));
    let all = rules(Namespace::Sender);
    assert!(all.contains("drop") && !all.contains("numgen"), "{all}");
    // Both ends of both links.
    assert_eq!(rules(Namespace::Server).matches("drop").count(), 2, "{}", rules(Namespace::Server));
    let name = lab.name(Namespace::Server).to_owned();
    assert!(exists(&name));
    drop(lab);
    assert!(!exists(&name));
}

#[test]
fn both_participants_reach_both_addresses_of_the_server() {
    let Some(lab) = netlab("free") else { return };
    let connects = |namespace, address: &str| connects(&lab, namespace, address);
    for namespace in [Namespace::Sender, Namespace::Receiver] {
        for participant in [Participant::Sender, Participant::Receiver] {
            assert!(connects(namespace, &Netlab::server_address(participant)), "{namespace:?} {participant:?}");
        }
    }
    assert!(lab.received_bytes(Participant::Receiver).expect("a counter") > 0);
}

/// Returns whether a participant reaches an address.
fn connects(lab: &Netlab, namespace: Namespace, address: &str) -> bool {
    // A refused connection has reached the other system, which answers at once.
    let script = format!("exec 3<>/dev/tcp/{address}/9");
    let refused = lab.command(namespace, "bash".as_ref()).args(["-c", &script]).output().expect("bash runs");
    String::from_utf8_lossy(&refused.stderr).contains("refused")
}

#[test]
fn a_guest_has_its_own_link_and_reaches_the_others_if_packets_are_forwarded() {
    let mut all = spec("down=1M");
    all.add_guest(&spec("down=300k"));
    let Some(lab) = netlab_of(&all) else { return };
    let (guest, participant) = (Namespace::Guest(0), Participant::Guest(0));
    let limits = output(Command::new("tc").args(["-n", lab.name(Namespace::Server), "qdisc", "show", "dev", "guest0"]));
    assert!(limits.contains("rate 300Kbit") && rate_to_receiver(&lab).contains("rate 1Mbit"), "{limits}");
    assert!(connects(&lab, guest, &Netlab::server_address(Participant::Sender)));
    let counted = |protocol| lab.received_bytes_of(participant, protocol).expect("a counter");
    assert!(counted(Protocol::Tcp) > counted(Protocol::Udp));
    if let Err(error) = lab.forward_packets() {
        eprintln!("the rest is skipped: {error}");
        return;
    }
    assert!(connects(&lab, guest, &Netlab::participant_address(Participant::Receiver)));
}

#[test]
fn a_delay_is_that_of_each_direction_and_changes_at_its_time() {
    let spec = spec("delay=60ms,0ms@1ms loss=1%");
    let Some(lab) = netlab("delay=60ms loss=1%") else { return };
    let rules = output(lab.command(Namespace::Receiver, "nft".as_ref()).args(["list", "ruleset"]));
    assert!(rules.contains("numgen random mod 10000 < 100"), "the kernel drops the packets of such a link: {rules}");
    // A refused connection takes one round trip.
    let round_trip = || {
        let script = format!("exec 3<>/dev/tcp/{}/9", Netlab::server_address(Participant::Receiver));
        let start = Instant::now();
        let refused =
            lab.command(Namespace::Receiver, "bash".as_ref()).args(["-c", &script]).output().expect("bash runs");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("refused"), "{refused:?}");
        start.elapsed()
    };
    assert!(round_trip() >= Duration::from_millis(120));
    assert!(lab.received_bytes(Participant::Receiver).expect("a counter") > 0);
    let schedule = lab.start_schedule(&spec).expect("a thread");
    until(Duration::from_secs(20), "the delay is removed", || round_trip() < Duration::from_millis(120));
    schedule.stop().expect("no change failed");
}

#[test]
fn a_schedule_changes_the_rate() {
    let spec = spec("down=1M,300k@1ms,free@50ms");
    let Some(lab) = netlab("down=1M") else { return };
    let schedule = lab.start_schedule(&spec).expect("a thread");
    until(Duration::from_secs(10), "the limit is removed", || !rate_to_receiver(&lab).contains("tbf"));
    schedule.stop().expect("no change failed");
}

#[test]
fn a_network_is_removed_after_a_panic() {
    let mut name = String::new();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let Some(lab) = netlab("free") else { return };
        lab.name(Namespace::Receiver).clone_into(&mut name);
        panic!("on purpose");
    }));
    assert!(name.is_empty() || panicked.is_err() && !exists(&name));
}

#[test]
fn a_network_is_removed_when_netlab_is_terminated_or_killed() {
    if netlab("free").is_none() {
        return;
    }
    for signal in ["TERM", "KILL"] {
        let netlab = command("netlab", &["free", "--", "sh", "-c", "echo $NETLAB_RECEIVER; exec sleep 999"]);
        let program = Program::start("netlab", netlab);
        let name = program.first_line();
        assert!(exists(&name), "{name}");
        program.signal(signal);
        until(Duration::from_secs(20), "the namespaces are removed", || !exists(&name));
    }
}

#[test]
fn a_network_is_removed_after_ctrl_c() {
    if netlab("free").is_none() {
        return;
    }
    // A terminal sends the signal to all processes of the group. The session is a group without this test.
    let interrupt = "echo $NETLAB_RECEIVER; trap 'exit 3' INT; kill -INT 0; sleep 999";
    let netlab = command("netlab", &["free", "--", "sh", "-c", interrupt]);
    let mut session = Command::new("setsid");
    session.arg(netlab.get_program()).args(netlab.get_args());
    let outcome = Program::start("netlab", session).end(Duration::from_secs(20));
    assert_eq!(outcome.code, Some(3), "netlab waits for the command: {outcome:?}");
    let name = outcome.out.trim();
    assert!(name.starts_with("netlab-") && !exists(name), "{outcome:?}");
}

#[test]
fn the_exit_code_is_that_of_the_command() {
    if netlab("free").is_none() {
        return;
    }
    let code = |script| Program::start("netlab", command("netlab", &["free", "--", "sh", "-c", script]));
    assert_eq!(code("exit 42").end(Duration::from_secs(20)).code, Some(42));
    assert_eq!(code("exit 0").end(Duration::from_secs(20)).code, Some(0));
}

#[test]
fn without_root_netlab_says_so_and_runs_nothing() {
    let mut netlab = command("netlab", &["down=300k", "--", "echo", "ran"]);
    let root = output(Command::new("id").arg("-u")).trim() == "0";
    if root {
        // Root without capabilities may create no namespace either.
        let mut without = Command::new("setpriv");
        without.args(["--bounding-set=-all", "--inh-caps=-all"]).arg(netlab.get_program()).args(netlab.get_args());
        netlab = without;
    }
    let outcome = Program::start("netlab", netlab).end(Duration::from_secs(20));
    assert_eq!(outcome.code, Some(77), "{outcome:?}");
    // On a machine without ip or nft, that is what it says.
    let said = ["netlab needs root", "netlab needs the packages"].iter().any(|text| outcome.err.contains(text));
    assert!(said && outcome.err.contains("nothing was run") && outcome.out.is_empty(), "{outcome:?}");
}

#[test]
fn a_text_that_is_no_specification_is_refused() {
    let outcome =
        Program::start("netlab", command("netlab", &["down=fast", "--", "true"])).end(Duration::from_secs(20));
    outcome.assert_failure(1, &["`down=fast` is not a setting of a link"]);
}
