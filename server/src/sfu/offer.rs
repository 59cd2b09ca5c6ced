//! Bounds a client's session description before the transport stack parses it.
//!
//! The stack keeps every ICE candidate, source and simulcast stream that offers name, and searches them one by one. A client
//! without bounds could fill the memory, and stop the media thread for seconds.

use std::collections::HashSet;
use str0m::media::Mid;

/// An offer within the bounds.
#[derive(Debug, PartialEq, Eq)]
pub struct BoundedOffer {
    /// The session description without its ICE candidates. An ICE-lite agent sends no checks, so it needs none
    /// (RFC 8445, section 2.5).
    pub sdp: String,
    /// The sources (SSRCs) that it names, also repeatedly.
    pub sources: Vec<u32>,
}

/// What is kept of an offer that was answered.
#[derive(Debug, Default)]
pub struct AnsweredOffer {
    mids: HashSet<Mid>,
    /// The fingerprint of the client's certificate, as it is written there.
    fingerprint: Option<String>,
}

impl AnsweredOffer {
    /// Reads an offer.
    pub fn new(sdp: &str) -> Self {
        Self { mids: mids(sdp).map(Mid::from).collect(), fingerprint: fingerprint(sdp).map(str::to_owned) }
    }

    /// Returns the number of its media descriptions.
    pub fn description_count(&self) -> usize {
        self.mids.len()
    }

    /// Returns how many media descriptions a later offer has, and how many of them are new.
    pub fn descriptions(&self, sdp: &str) -> (usize, usize) {
        let count = count(sdp);
        let known: HashSet<Mid> = mids(sdp).map(Mid::from).filter(|mid| self.mids.contains(mid)).collect();
        (count, count.saturating_sub(known.len()))
    }

    /// Returns false if a later offer comes from another transport of the client: DTLS begins again with another certificate.
    pub fn is_of_same_transport(&self, sdp: &str) -> bool {
        self.fingerprint.as_deref().is_none_or(|known| fingerprint(sdp).is_none_or(|new| new == known))
    }
}

/// The bound that an offer exceeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// It has more media descriptions than a client in its meeting needs.
    #[error("too many media descriptions")]
    TooManyDescriptions,
    /// A media description is neither audio nor video. There are no data channels.
    #[error("a media description that is neither audio nor video")]
    NotMedia,
    /// One part has more than 256 lines, or a line is too long.
    #[error("a part that is too long")]
    TooLong,
    /// A media description has more than 8 simulcast streams in one direction.
    #[error("too many simulcast streams")]
    TooManyStreams,
}

/// Checks an offer against the bounds. It may have `max_descriptions` media descriptions.
///
/// # Errors
/// Returns [`OfferError`] if it exceeds one.
pub fn bound(sdp: &str, max_descriptions: usize) -> Result<BoundedOffer, OfferError> {
    let (mut bounded, mut sources) = (String::with_capacity(sdp.len()), Vec::new());
    let (mut descriptions, mut lines, mut streams) = (0, 0, 0);
    for line in sdp.lines().filter(|line| !is_candidate(line)) {
        if let Some(media) = line.strip_prefix("m=") {
            (descriptions, lines, streams) = (descriptions + 1, 0, 0);
            if !["audio ", "video "].iter().any(|kind| media.starts_with(kind)) {
                return Err(OfferError::NotMedia);
            }
        }
        lines += 1;
        streams += simulcast_streams(line);
        let max_length = if descriptions == 0 { MAX_SESSION_LINE } else { MAX_LINE };
        if descriptions > max_descriptions {
            return Err(OfferError::TooManyDescriptions);
        }
        if lines > MAX_LINES || line.len() > max_length {
            return Err(OfferError::TooLong);
        }
        if streams > 2 * MAX_STREAMS {
            return Err(OfferError::TooManyStreams);
        }
        sources.extend(named_sources(line));
        bounded.push_str(line);
        bounded.push_str("\r\n");
    }
    Ok(BoundedOffer { sdp: bounded, sources })
}

/// Returns the number of media descriptions.
pub fn count(sdp: &str) -> usize {
    sdp.lines().filter(|line| line.starts_with("m=")).count()
}

/// Returns the names of the media descriptions (RFC 5888, section 4). The stack ignores names in the session part, and
/// refuses an offer with several names of one description.
pub fn mids(sdp: &str) -> impl Iterator<Item = &str> {
    let descriptions = sdp.lines().skip_while(|line| !line.starts_with("m="));
    descriptions.filter_map(|line| line.strip_prefix("a=mid:")).map(str::trim_end)
}

/// Returns the first fingerprint of the client's certificate (RFC 8122, section 5).
pub fn fingerprint(sdp: &str) -> Option<&str> {
    sdp.lines().find_map(|line| line.strip_prefix("a=fingerprint:")).map(str::trim)
}

fn is_candidate(line: &str) -> bool {
    line.starts_with("a=candidate:") || line.starts_with("a=end-of-candidates")
}

/// Returns how many streams a simulcast line names (RFC 8853, section 5.1).
fn simulcast_streams(line: &str) -> usize {
    line.strip_prefix("a=simulcast:").map_or(0, |list| list.split([';', ',']).count())
}

/// Returns the sources of an `ssrc` or `ssrc-group` line (RFC 5576).
fn named_sources(line: &str) -> impl Iterator<Item = u32> {
    let one = line.strip_prefix("a=ssrc:").map(|rest| rest.split_ascii_whitespace().take(1));
    let group = line.strip_prefix("a=ssrc-group:").map(|rest| rest.split_ascii_whitespace().take(MAX_LINES));
    one.into_iter().flatten().chain(group.into_iter().flatten()).filter_map(|word| word.parse().ok())
}

/// The maximum number of lines of the session part, or of one media description. Ours have about 60.
const MAX_LINES: usize = 256;

/// Bytes of a line of a media description.
const MAX_LINE: usize = 1 << 10;

/// Bytes of a line of the session part: the group line names every media description by up to 16 characters.
const MAX_SESSION_LINE: usize = 20 << 10;

/// Simulcast streams of a media description in one direction: as many as spatial layers of a track.
const MAX_STREAMS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn offer(descriptions: usize, rest: &str) -> String {
        let one = format!("m=video 9 UDP/TLS/RTP/SAVPF 102\r\na=mid:0\r\n{rest}");
        format!("v=0\r\ns=-\r\n{}", one.repeat(descriptions))
    }

    #[test]
    fn candidates_are_left_out_and_sources_are_returned() {
        let candidate = "a=candidate:1 1 udp 2 192.0.2.1 9 typ host\r\n".repeat(5_000);
        let sources = "a=ssrc-group:FID 7 8\r\na=ssrc:7 cname:x\r\n";
        let bounded = bound(&offer(1, &format!("{candidate}{sources}a=end-of-candidates\r\n")), 1).unwrap();
        assert_eq!(bounded, BoundedOffer { sdp: offer(1, sources), sources: vec![7, 8, 7] });
    }

    #[test]
    fn an_offer_beyond_a_bound_is_refused() {
        let bounds = [
            (offer(11, ""), OfferError::TooManyDescriptions),
            (offer(1, &"a=x\r\n".repeat(MAX_LINES)), OfferError::TooLong),
            (offer(1, &format!("a={}\r\n", "x".repeat(MAX_LINE))), OfferError::TooLong),
            (format!("v=0\r\n{}", "a=x\r\n".repeat(MAX_LINES)), OfferError::TooLong),
            (format!("a={}\r\n", "x".repeat(MAX_SESSION_LINE)), OfferError::TooLong),
            (offer(1, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"), OfferError::NotMedia),
            (offer(1, &format!("a=simulcast:recv 0{}\r\n", ";1".repeat(16))), OfferError::TooManyStreams),
            (offer(1, &"a=simulcast:recv 0;1;2\r\n".repeat(6)), OfferError::TooManyStreams),
        ];
        for (sdp, error) in bounds {
            assert_eq!(bound(&sdp, 10), Err(error));
        }
        assert!(bound(&offer(10, "a=simulcast:send 0;1;2\n"), 10).is_ok());
    }
}
