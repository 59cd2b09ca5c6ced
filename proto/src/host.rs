//! The host and the port of a URL (RFC 3986, section 3.2).

use crate::Malformed;

/// Splits `HOST[:PORT]`. An IPv6 address has brackets in `text`. Returns it without them.
///
/// # Errors
/// Returns [`Malformed`] if the host can be neither a name nor an address, or if the port is not a number from 1 to 65535.
pub fn split_host_port(text: &str) -> Result<(&str, Option<u16>), Malformed> {
    let (host, port) = match text.strip_prefix('[') {
        Some(bracketed) => {
            let (host, after) = bracketed.split_once(']').ok_or(Malformed)?;
            let port = if after.is_empty() { None } else { Some(after.strip_prefix(':').ok_or(Malformed)?) };
            (host, port)
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map(str::parse).transpose().map_err(|_| Malformed)?;
    if port == Some(0) || !is_host(host) { Err(Malformed) } else { Ok((host, port)) }
}

/// Returns true if `host` can be a host name, or an address without brackets.
pub(crate) fn is_host(host: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':');
    (1..=MAX_HOST).contains(&host.len()) && host.bytes().all(is_part)
}

/// The maximum length of a host name in bytes (RFC 1035, section 2.3.4).
const MAX_HOST: usize = 253;
