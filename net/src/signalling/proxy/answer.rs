//! The head of a proxy's answer (RFC 9112).

use proto::Malformed;

/// The parts of the answer that matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The demands for authentication: each value of `Proxy-Authenticate`.
    pub demands: Vec<String>,
}

impl Answer {
    /// Returns the answer that begins with `bytes`, or `None` if its head is not complete yet. Bytes after a successful head
    /// are malformed, because the server does not speak first.
    ///
    /// # Errors
    /// Returns [`Malformed`] if the bytes are not an HTTP answer, or if the head is longer than [`MAX_HEAD`].
    pub fn parse(bytes: &[u8]) -> Result<Option<Self>, Malformed> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let length = match response.parse(bytes) {
            Ok(httparse::Status::Complete(length)) if length <= MAX_HEAD => length,
            Ok(httparse::Status::Partial) if bytes.len() < MAX_HEAD => return Ok(None),
            Ok(_) | Err(_) => return Err(Malformed),
        };
        let status = response.code.ok_or(Malformed)?;
        if (200..300).contains(&status) && length != bytes.len() {
            return Err(Malformed);
        }
        let demands = response.headers.iter().filter(|header| header.name.eq_ignore_ascii_case("proxy-authenticate"));
        let demands = demands.filter_map(|header| std::str::from_utf8(header.value).ok());
        Ok(Some(Self { status, demands: demands.map(str::to_owned).collect() }))
    }

    /// Returns the names of the schemes that the proxy accepts, as far as each has its own header.
    pub fn schemes(&self) -> Vec<&str> {
        self.demands.iter().filter_map(|demand| demand.split_whitespace().next()).collect()
    }

    /// Returns the text after the name of a scheme in the demand for it. Returns `None` if the proxy does not accept the scheme.
    pub fn challenge(&self, scheme: &str) -> Option<&str> {
        self.demands.iter().find_map(|demand| {
            let (name, rest) = demand.split_once(char::is_whitespace).unwrap_or((demand, ""));
            name.trim_end_matches(',').eq_ignore_ascii_case(scheme).then_some(rest.trim())
        })
    }
}

/// The maximum length of the head in bytes.
pub const MAX_HEAD: usize = 16 << 10;

/// The maximum number of headers.
const MAX_HEADERS: usize = 64;
