//! Congestion control for sent media. [`Estimator`] estimates how much a path can carry, from feedback on each packet.
//! [`Pacer`] decides when each packet is sent.
//!
//! Pure: callers pass the time, nothing opens a socket or reads a clock. After construction nothing allocates, except
//! that the pacer's queues grow up to their bound. Feedback is untrusted: no value of it can panic or allocate.
//!
//! Sources of the formulas:
//! - draft-ietf-rmcat-gcc-02 (Google Congestion Control), and its later form in the WebRTC project,
//!   `modules/congestion_controller/goog_cc` (`goog_cc` in this crate's comments).
//! - draft-holmer-rmcat-transport-wide-cc-extensions-01 and RFC 8888: the feedback on each packet.
//! - RFC 8698 (NADA): a rate is lowered in proportion to what is known about the queue.
//! - RFC 8083 (circuit breakers): what happens if feedback stops.

mod aimd;
mod competition;
mod estimator;
mod inter_arrival;
mod loss;
mod pacer;
mod packet_feedback;
mod probe;
mod proven_rate;
mod queue_delay;
mod rate_window;
mod trendline;
mod units;

pub use estimator::{Config, Estimator, PathStats};
pub use pacer::{Full, PacedPacket, Pacer, Priority};
pub use packet_feedback::{ClusterId, PacketFeedback};
pub use probe::Probe;
pub use trendline::Usage;
