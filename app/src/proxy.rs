//! The proxy on the way to servers: from the command line, else from the environment.

use engine::{ProxySettings, ProxyUrl};
use std::sync::OnceLock;

/// Sets the proxy of this program. Servers on this computer are reached without it. Has an effect only before the first call of [`settings`], and only once.
pub fn set(proxy: ProxyUrl) {
    // The command line is read once.
    let _ = SETTINGS.set(ProxySettings::of(proxy).bypassing_loopback());
}

/// Returns the proxy of this program.
#[must_use]
pub fn settings() -> ProxySettings {
    SETTINGS.get_or_init(|| ProxySettings::from_variables(|name| std::env::var(name).ok())).clone()
}

static SETTINGS: OnceLock<ProxySettings> = OnceLock::new();
