//! Answers a receiver's reference times (RRTR) by DLRR blocks (RTCP XR, RFC 3611, sections 4.4 and 4.5). A receiver that sends nothing cannot
//! measure the round trip otherwise. The SFU waits for one round trip before it requests a lost packet again, and for 100 ms
//! before it knows the round trip.

use rtc::rtcp::extended_report::{DLRRReport, DLRRReportBlock, ExtendedReport, ReceiverReferenceTimeReportBlock};
use std::time::{Duration, Instant};

/// When the last answer was sent.
#[derive(Debug, Default)]
pub struct DlrrResponder {
    last: Option<Instant>,
}

impl DlrrResponder {
    /// Returns the answer to `report`, to be sent at once from `sender_ssrc`, if it has a reference time. At most one answer
    /// in 200 ms.
    pub fn answer(&mut self, report: &ExtendedReport, sender_ssrc: u32, now: Instant) -> Option<ExtendedReport> {
        let time = report.reports.iter().find_map(|block| {
            let block = block.as_any().downcast_ref::<ReceiverReferenceTimeReportBlock>()?;
            Some(block.ntp_timestamp)
        })?;
        if self.last.is_some_and(|last| now.saturating_duration_since(last) < INTERVAL) {
            return None;
        }
        self.last = Some(now);
        let block = DLRRReport { ssrc: report.sender_ssrc, last_rr: middle(time), dlrr: 0 };
        Some(ExtendedReport { sender_ssrc, reports: vec![Box::new(DLRRReportBlock { reports: vec![block] })] })
    }
}

/// Returns the middle 32 bits of an NTP timestamp.
fn middle(ntp: u64) -> u32 {
    let [_, _, a, b, c, d, _, _] = ntp.to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// The shortest time between two answers. A report comes about once a second for each stream.
const INTERVAL: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use rtc::rtcp;
    use rtc::shared::marshal::Marshal;

    fn asked(ntp_timestamp: u64) -> ExtendedReport {
        ExtendedReport { sender_ssrc: 7, reports: vec![Box::new(ReceiverReferenceTimeReportBlock { ntp_timestamp })] }
    }

    #[test]
    fn a_reference_time_is_answered_at_once_and_at_most_five_times_a_second() {
        let (mut responder, now) = (DlrrResponder::default(), Instant::now());
        let bytes = asked(0x0102_0304_0506_0708).marshal().unwrap();
        let packets = rtcp::packet::unmarshal(&mut &bytes[..]).unwrap();
        let report = packets[0].as_any().downcast_ref::<ExtendedReport>().expect("it is an extended report");
        let answer = responder.answer(report, 9, now).expect("it has a reference time");
        let expected: &[u8] = &[
            0x80, 207, 0, 5, 0, 0, 0, 9, // version, type, length in words less one, our SSRC
            5, 0, 0, 3, 0, 0, 0, 7, // DLRR, three words, their SSRC
            3, 4, 5, 6, 0, 0, 0, 0, // the middle of the time, no delay
        ];
        assert_eq!(answer.marshal().unwrap(), Bytes::from_static(expected));
        assert!(responder.answer(report, 9, now + Duration::from_millis(199)).is_none());
        assert!(responder.answer(report, 9, now + Duration::from_millis(200)).is_some());
        assert!(responder.answer(&answer, 9, now + Duration::from_secs(1)).is_none(), "an answer is not answered");
    }
}
