//! How the link is given to a client, and which address is in it.

use crate::program::{NO_DEVICES, Program, TIMEOUT, client, lock_meetings, server, until};
use std::fs::File;
use std::process::Command;
use tests::temp_folder::TempFolder;

/// Starts a guest that reports the participants.
fn guest(name: &str, arguments: &[&str], change: impl FnOnce(&mut Command)) -> Program {
    let mut command = client(&[&["join"], arguments, NO_DEVICES.as_slice()].concat());
    command.env("CONCLAVE_LOG", "conclave=info");
    change(&mut command);
    Program::start(name, command)
}

#[test]
fn a_link_is_read_from_an_argument_a_file_or_standard_input_and_does_not_stay_visible() {
    let (_lock, folder) = (lock_meetings(), TempFolder::new("link"));
    let host = Program::start("host", client(&[&["meet"], NO_DEVICES.as_slice()].concat()));
    let link = host.first_line();
    let secret = link.split_once('#').expect("a link has a secret part").1.to_owned();
    let file = folder.write("link", format!("\n{link}\n").as_bytes());
    let start: [&dyn Fn() -> Program; 3] =
        [&|| guest("argument", &[&link], |_| {}), &|| guest("file", &["--link-file", &file], |_| {}), &|| {
            let input = File::open(&file).expect("it was written");
            guest("standard input", &["-"], |command| {
                command.stdin(input);
            })
        }];
    for start in start {
        let guest = start();
        guest.wait_for_line(0, "participants people=2", TIMEOUT);
        #[cfg(target_os = "linux")]
        {
            let arguments = guest.arguments();
            assert!(arguments.contains("join") && !arguments.contains(&secret), "{arguments}");
        }
        guest.leave().assert_success();
    }
    host.leave().assert_success();
}

#[test]
fn a_link_that_cannot_be_read_is_reported() {
    let folder = TempFolder::new("no-link");
    let empty = folder.write("empty", b"\n \n");
    let end = |arguments: &[&str]| guest("guest", arguments, |_| {}).end(TIMEOUT);
    end(&["--link-file", &folder.path("missing")])
        .assert_failure(1, &["cannot read the link", "missing", "No such file"]);
    end(&["--link-file", &empty]).assert_failure(1, &["cannot read the link", "there is no link in it"]);
    end(&["-"]).assert_failure(1, &["standard input", "there is no link in it"]);
}

#[test]
fn the_link_names_a_reachable_address_or_the_public_name() {
    let _lock = lock_meetings();
    for (arguments, expected) in [
        (&["--listen", "0.0.0.0:0", "--public-name", "meet.example.org"][..], "conclave://meet.example.org:"),
        (&["--listen", "[::]:0", "--public-name", "[2001:db8::7]"], "conclave://[2001:db8::7]:"),
        (&["--listen", "[::1]:0"], "conclave://[::1]:"),
    ] {
        let host = Program::start("host", client(&[&["meet"], arguments, NO_DEVICES.as_slice()].concat()));
        let link = host.first_line();
        assert!(link.starts_with(expected), "{link}");
        host.leave().assert_success();
    }
    for everywhere in ["0.0.0.0:0", "[::]:0"] {
        let host = Program::start("host", client(&[&["meet", "--listen", everywhere], NO_DEVICES.as_slice()].concat()));
        let link = host.first_line();
        assert!(!link.contains("0.0.0.0") && !link.contains("[::]"), "{link}");
        let guest = guest("guest", &[&link], |_| {});
        guest.wait_for_line(0, "participants people=2", TIMEOUT);
        guest.leave().assert_success();
        host.leave().assert_success();
    }
}

/// A computer in a LAN without a gateway, with a VPN that has the default route.
#[test]
#[cfg(target_os = "linux")]
fn the_link_names_the_network_and_not_the_vpn_with_the_default_route() {
    let _lock = lock_meetings();
    let network = "ip link set lo up && ip link add lan9 type veth peer name lan8 && ip addr add 192.168.77.2/24 dev lan9 && \
                   ip link set lan8 up && ip link set lan9 up && ip link add wg9 type veth peer name wg8 && \
                   ip addr add 10.9.0.2/24 dev wg9 && ip link set wg8 up && ip link set wg9 up && \
                   ip route add default dev wg9";
    let isolated = |program: &str| {
        let mut command = Command::new("unshare");
        command.args(["--net", "--map-root-user", "--", "sh", "-c", program]);
        command
    };
    if !isolated(network).output().is_ok_and(|output| output.status.success()) {
        println!("skipped: this system permits no private network");
        return;
    }
    let meet = client(&[&["meet", "--listen", "0.0.0.0:0"], NO_DEVICES.as_slice()].concat());
    let words: Vec<_> =
        [meet.get_program()].into_iter().chain(meet.get_args()).map(|word| word.to_string_lossy()).collect();
    let host = Program::start("host", isolated(&format!("{network} && exec {}", words.join(" "))));
    let link = host.first_line();
    assert!(link.starts_with("conclave://192.168.77.2:"), "{link}");
    host.leave().assert_success();
    let (program, folder) = (server(&[]), TempFolder::new("reachable"));
    let options = format!("--listen 0.0.0.0:7443 --data {}", folder.path("data"));
    let program = format!("{network} && exec {} {options}", program.get_program().to_string_lossy());
    let lines = reachable(&Program::start("server", isolated(&program)), 2);
    assert_eq!(lines, ["reachable at 192.168.77.2:7443", "reachable at 10.9.0.2:7443"], "the VPN is the last");
}

/// Returns the lines of a server with the addresses by which it is reached, at least `count`.
fn reachable(server: &Program, count: usize) -> Vec<String> {
    let lines = || {
        let lines = server.output().into_iter().filter(|line| line.starts_with("reachable at "));
        lines.collect::<Vec<_>>()
    };
    until(TIMEOUT, "the server prints its addresses", || lines().len() >= count);
    lines()
}

#[test]
fn a_server_on_all_addresses_prints_how_it_is_reached_and_never_an_address_of_no_use() {
    for (listen, name) in [("0.0.0.0:0", "meet.example.org"), ("[::]:0", "[2001:db8::7]")] {
        let folder = TempFolder::new("reachable-all");
        let arguments = ["--listen", listen, "--public-name", name, "--data", &folder.path("data")];
        let server = Program::start("server", server(&arguments));
        let lines = reachable(&server, 1);
        assert!(lines[0].starts_with(&format!("reachable at {name}:")), "the public name is the first: {lines:?}");
        for line in &lines {
            for useless in ["0.0.0.0", "[::]", "127.", "[::1]", "fe80", "169.254."] {
                assert!(!line.contains(useless), "{line}");
            }
        }
        server.signal("TERM");
        server.end(TIMEOUT).assert_success();
    }
}
