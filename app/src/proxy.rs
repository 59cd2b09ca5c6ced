//! The proxy on the way to servers: from the command line, else from the environment, else from the settings of the desktop.

#[cfg(target_os = "linux")]
mod portal;
#[cfg(not(target_os = "linux"))]
mod system_settings;

#[cfg(target_os = "linux")]
use portal as desktop;
#[cfg(not(target_os = "linux"))]
use system_settings as desktop;

use engine::{Entry, ProxySettings, ProxyUrl};
use std::net::IpAddr;
use std::sync::OnceLock;

/// Sets the proxy of this program. Servers on this computer are reached without it. Has an effect only before the first call of
/// [`for_host`], and only once.
pub fn set(proxy: ProxyUrl) {
    // The command line is read once.
    let _ = SETTINGS.set(ProxySettings::of(proxy).bypassing_loopback());
}

/// Returns the proxy on the way to the server at `host`, a name or an address. If neither the command line nor the environment names
/// one, asks the desktop, which may take two seconds: call it on a thread that may block.
#[must_use]
pub fn for_host(host: &str) -> ProxySettings {
    let settings = SETTINGS.get_or_init(|| ProxySettings::from_variables(|name| std::env::var(name).ok()));
    if settings.is_empty() && !is_loopback(host) {
        of_desktop(&desktop::proxies_for(&url_of(host)))
    } else {
        settings.clone()
    }
}

/// Like [`for_host`], for the server of a meeting.
#[must_use]
pub fn for_entry(entry: &Entry) -> ProxySettings {
    match entry {
        Entry::Create { host, .. } => for_host(host),
        Entry::Join(invitation) => for_host(&invitation.host),
    }
}

/// Returns the settings for what the desktop lists: URLs in the order in which they should be tried. `direct://` is no proxy. One that
/// is not supported is skipped.
fn of_desktop(proxies: &[String]) -> ProxySettings {
    for proxy in proxies {
        if proxy.starts_with("direct:") {
            return ProxySettings::default();
        }
        match proxy.parse::<ProxyUrl>() {
            Ok(proxy) => return ProxySettings::of(proxy).bypassing_loopback(),
            // The error does not contain the URL, which may have a password.
            Err(error) => tracing::warn!(%error, "a proxy of the desktop's settings is not supported"),
        }
    }
    ProxySettings::default()
}

/// Returns the URL of a server, by which a desktop chooses a proxy. Conclave speaks TLS, as HTTPS does.
fn url_of(host: &str) -> String {
    if host.contains(':') && !host.starts_with('[') { format!("https://[{host}]") } else { format!("https://{host}") }
}

fn is_loopback(host: &str) -> bool {
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    host == "localhost" || address.is_some_and(|address| address.is_loopback())
}

static SETTINGS: OnceLock<ProxySettings> = OnceLock::new();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_proxy_that_is_supported_is_used() {
        let used = |proxies: &[&str]| {
            let proxies: Vec<String> = proxies.iter().map(|proxy| (*proxy).to_owned()).collect();
            of_desktop(&proxies).for_host("meet.example").map(ToString::to_string)
        };
        assert_eq!(used(&["http://proxy.example:3128"]).as_deref(), Some("proxy.example:3128"));
        assert_eq!(used(&["socks4://a:1", "socks://b:2", "direct://"]).as_deref(), Some("b:2"), "GNOME says socks");
        assert_eq!(used(&["direct://", "http://a:1"]), None);
        assert_eq!(used(&[]), None);
        assert_eq!(used(&["pac+http://wpad/wpad.dat"]), None);
        assert!(of_desktop(&["http://a:1".into()]).for_host("127.0.0.1").is_none());
    }

    #[test]
    fn an_ipv6_address_has_brackets_in_its_url() {
        assert_eq!(url_of("meet.example"), "https://meet.example");
        assert_eq!(["2001:db8::7", "[2001:db8::7]"].map(url_of), ["https://[2001:db8::7]"; 2]);
    }

    #[test]
    fn the_desktop_is_not_asked_about_this_computer() {
        assert!(["localhost", "127.0.0.1", "::1", "[::1]"].into_iter().all(is_loopback));
        assert!(!is_loopback("meet.example") && !is_loopback("192.0.2.7"));
    }
}
