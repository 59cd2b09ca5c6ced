//! The proxy settings of the desktop: GNOME, KDE and others answer through `xdg-desktop-portal`
//! (`org.freedesktop.portal.ProxyResolver`), which also evaluates their automatic configuration.

use std::time::Duration;
use zbus::blocking::{Connection, Proxy, connection};

/// Returns the URLs of the proxies for the server at `url`, in the order in which they should be tried. Empty if the desktop does not
/// say. Blocks for two seconds at most.
pub fn proxies_for(url: &str) -> Vec<String> {
    let asked = || {
        let connection = connection::Builder::session()?.method_timeout(TIMEOUT).build()?;
        ask(&connection, url)
    };
    asked().unwrap_or_else(|error| {
        tracing::debug!(%error, "the desktop does not say which proxy to use");
        Vec::new()
    })
}

fn ask(connection: &Connection, url: &str) -> zbus::Result<Vec<String>> {
    let portal = Proxy::new(connection, NAME, PATH, INTERFACE)?;
    let mut proxies: Vec<String> = portal.call("Lookup", &(url,))?;
    proxies.truncate(MAX_PROXIES);
    Ok(proxies)
}

const NAME: &str = "org.freedesktop.portal.Desktop";
const PATH: &str = "/org/freedesktop/portal/desktop";
const INTERFACE: &str = "org.freedesktop.portal.ProxyResolver";

/// How long the portal may take. It may have to load an automatic configuration.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The maximum number of proxies that are tried.
const MAX_PROXIES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_bus::TestBus;

    struct Portal {
        proxy: &'static str,
    }

    #[zbus::interface(name = "org.freedesktop.portal.ProxyResolver")]
    impl Portal {
        fn lookup(&self, uri: &str) -> Vec<String> {
            match uri {
                "https://meet.example" => vec![self.proxy.into(), "direct://".into()],
                "https://[2001:db8::7]" => vec!["socks://[2001:db8::1]:1080".into()],
                _ => vec!["direct://".into()],
            }
        }
    }

    /// Over a real bus.
    #[test]
    fn the_portal_names_the_proxy_for_each_server() {
        let Some(bus) = TestBus::start() else { return };
        let portal = bus
            .connect()
            .serve_at(PATH, Portal { proxy: "http://proxy.example:3128" })
            .unwrap()
            .name(NAME)
            .unwrap()
            .build()
            .unwrap();
        let client = bus.connect().build().unwrap();
        assert_eq!(ask(&client, "https://meet.example").unwrap(), ["http://proxy.example:3128", "direct://"]);
        assert_eq!(ask(&client, "https://[2001:db8::7]").unwrap(), ["socks://[2001:db8::1]:1080"]);
        assert_eq!(ask(&client, "https://intern.example").unwrap(), ["direct://"]);
        drop(portal);
        assert!(
            bus.connect().build().is_ok_and(|client| ask(&client, "https://meet.example").is_err()),
            "there is no portal"
        );
    }
}
