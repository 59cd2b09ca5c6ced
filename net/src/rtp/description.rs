//! Reads the parts of a session description (RFC 8866) that RTP needs: SSRCs, payload types, extension ids.

use super::packetize::Extensions;
use proto::descriptor;

/// One media description.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// Its `mid` (RFC 9143).
    pub mid: String,
    /// Its payload types, preferred first.
    pub payload_types: Vec<u8>,
    /// Ids of the header extensions (RFC 8285) that we use.
    pub extensions: Extensions,
    /// The SSRCs that the remote side sends with (RFC 5576).
    pub source: Option<Source>,
}

/// The SSRC of a stream, and that of its retransmissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// SSRC of the packets.
    pub ssrc: u32,
    /// SSRC of the retransmissions (RFC 4588).
    pub repair: Option<u32>,
}

/// Returns the media descriptions of `sdp`, in order. Skips lines that it cannot read.
pub fn sections(sdp: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in sdp.lines() {
        if let Some(media) = line.strip_prefix("m=") {
            let payload_types = media.split_ascii_whitespace().skip(3).filter_map(|word| word.parse().ok()).collect();
            sections.push(Section { payload_types, ..Section::default() });
        } else if let (Some(section), Some(attribute)) = (sections.last_mut(), line.strip_prefix("a=")) {
            section.read(attribute);
        }
    }
    sections
}

impl Section {
    fn read(&mut self, attribute: &str) {
        let Some((name, value)) = attribute.split_once(':') else { return };
        let mut words = value.split_ascii_whitespace();
        match name {
            "mid" => value.clone_into(&mut self.mid),
            "extmap" => {
                let id = words.next().and_then(|word| word.split('/').next()?.parse().ok());
                if let (Some(id), Some(uri)) = (id, words.next()) {
                    self.read_extension(id, uri);
                }
            }
            "ssrc" => {
                if let Some(ssrc) = words.next().and_then(|word| word.parse().ok()) {
                    self.source.get_or_insert(Source { ssrc, repair: None });
                }
            }
            "ssrc-group" if words.next() == Some("FID") => {
                let mut numbers = words.map_while(|word| word.parse().ok());
                if let (Some(ssrc), repair @ Some(_)) = (numbers.next(), numbers.next()) {
                    self.source = Some(Source { ssrc, repair });
                }
            }
            _ => {}
        }
    }

    fn read_extension(&mut self, id: u8, uri: &str) {
        match uri {
            "urn:ietf:params:rtp-hdrext:sdes:mid" => self.extensions.mid = Some(id),
            "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id" => self.extensions.rid = Some(id),
            AUDIO_LEVEL => self.extensions.audio_level = Some(id),
            descriptor::URI => self.extensions.descriptor = Some(id),
            _ => {}
        }
    }
}

/// The audio level with its voice-activity bit (RFC 6464).
pub const AUDIO_LEVEL: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "v=0\r\na=ice-lite\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=recvonly\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 102 103\r\na=mid:1\r\n\
        a=extmap:3 https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension\r\n\
        a=extmap:1/sendonly urn:ietf:params:rtp-hdrext:sdes:mid\r\na=ssrc-group:FID 7 8\r\na=ssrc:7 cname:x\r\n\
        a=ssrc:8 cname:x\r\n";

    #[test]
    fn sources_and_extension_ids_are_read() {
        let sections = sections(ANSWER);
        assert_eq!(sections.len(), 2);
        assert_eq!((sections[0].mid.as_str(), sections[0].source), ("0", None));
        assert_eq!(sections[1].source, Some(Source { ssrc: 7, repair: Some(8) }));
        assert_eq!(sections[1].payload_types, [102, 103]);
        assert_eq!(sections[1].extensions, Extensions { mid: Some(1), descriptor: Some(3), ..Extensions::default() });
    }

    #[test]
    fn lines_that_cannot_be_read_are_skipped() {
        let nonsense = "a=mid:9\nm=\na=extmap:999 x\na=extmap:\na=ssrc:\na=ssrc-group:FID 1\na=ssrc:x y\nm=a b c 300 4";
        let sections = sections(nonsense);
        assert_eq!(sections.len(), 2);
        assert_eq!((&sections[0], sections[1].payload_types.as_slice()), (&Section::default(), &[4][..]));
    }
}
