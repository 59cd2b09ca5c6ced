//! The content of one WebSocket message: meeting control, or a message to or from the SFU.
//!
//! Meeting messages and SFU messages share one range of variant numbers. `Hello` and `Problem` keep their numbers in
//! every version of the protocol, so a client of another version can read why the server refuses it.

use crate::encoding::Limited;
use crate::{Blob, Down, MAX_SIGNAL, Totals, Up};
use minicbor::{CborLen, Decode, Decoder, Encode, Encoder, decode, encode};

/// A message from a client.
pub type ClientMessage = Envelope<Up, ToSfu>;

/// A message from a server.
pub type ServerMessage = Envelope<Down, FromSfu>;

/// A message to or from one of the two parts of a server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Envelope<M, S> {
    /// Meeting control, for the delivery service.
    Meeting(M),
    /// For the SFU.
    Sfu(S),
}

/// A message from a client to the SFU.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub enum ToSfu {
    /// Media signalling: the bytes of a [`crate::ClientSignal`].
    #[n(8)]
    Signal(#[n(0)] Blob),
    /// Asks for [`FromSfu::Totals`].
    #[n(11)]
    Count,
}

/// A message from the SFU to a client.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode, CborLen)]
pub enum FromSfu {
    /// Media signalling: the bytes of a [`crate::ServerSignal`].
    #[n(10)]
    Signal(#[n(0)] Blob),
    /// Answers [`ToSfu::Count`].
    #[n(14)]
    Totals {
        /// The totals of this meeting.
        #[n(0)]
        totals: Totals,
    },
}

/// The variant numbers of a type in an [`Envelope`].
trait Numbered {
    const NUMBERS: [u32; 2];
}

impl Numbered for ToSfu {
    const NUMBERS: [u32; 2] = [8, 11];
}

impl Numbered for FromSfu {
    const NUMBERS: [u32; 2] = [10, 14];
}

impl<C, M: Encode<C>, S: Encode<C>> Encode<C> for Envelope<M, S> {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, ctx: &mut C) -> Result<(), encode::Error<W::Error>> {
        match self {
            Self::Meeting(message) => message.encode(e, ctx),
            Self::Sfu(message) => message.encode(e, ctx),
        }
    }
}

impl<C, M: CborLen<C>, S: CborLen<C>> CborLen<C> for Envelope<M, S> {
    fn cbor_len(&self, ctx: &mut C) -> usize {
        match self {
            Self::Meeting(message) => message.cbor_len(ctx),
            Self::Sfu(message) => message.cbor_len(ctx),
        }
    }
}

impl<'b, C, M: Decode<'b, C>, S: Decode<'b, C> + Numbered> Decode<'b, C> for Envelope<M, S> {
    fn decode(d: &mut Decoder<'b>, ctx: &mut C) -> Result<Self, decode::Error> {
        let mut ahead = d.probe();
        ahead.array()?;
        if S::NUMBERS.contains(&ahead.u32()?) {
            S::decode(d, ctx).map(Self::Sfu)
        } else {
            M::decode(d, ctx).map(Self::Meeting)
        }
    }
}

impl<M: Limited, S: Limited> Limited for Envelope<M, S> {
    fn within_limits(&self) -> bool {
        match self {
            Self::Meeting(message) => message.within_limits(),
            Self::Sfu(message) => message.within_limits(),
        }
    }
}

impl Limited for ToSfu {
    fn within_limits(&self) -> bool {
        match self {
            Self::Signal(blob) => blob.0.len() <= MAX_SIGNAL,
            Self::Count => true,
        }
    }
}

impl Limited for FromSfu {
    fn within_limits(&self) -> bool {
        match self {
            Self::Signal(blob) => blob.0.len() <= MAX_SIGNAL,
            Self::Totals { .. } => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Malformed, Problem, decode, encode};

    #[test]
    fn each_part_of_the_server_gets_its_own_messages() {
        let signal = ToSfu::Signal(Blob(vec![1, 2, 3]));
        assert_eq!(decode::<ClientMessage>(&encode(&signal)), Ok(Envelope::Sfu(signal.clone())));
        assert_eq!(decode::<ClientMessage>(&encode(&ToSfu::Count)), Ok(Envelope::Sfu(ToSfu::Count)));
        assert_eq!(decode::<ClientMessage>(&encode(&Up::Leave)), Ok(Envelope::Meeting(Up::Leave)));
        assert_eq!(decode::<Up>(&encode(&signal)), Err(Malformed));
        let signal = FromSfu::Signal(Blob(vec![1, 2, 3]));
        assert_eq!(decode::<ServerMessage>(&encode(&signal)), Ok(Envelope::Sfu(signal)));
        let totals = FromSfu::Totals { totals: Totals::default() };
        assert_eq!(decode::<ServerMessage>(&encode(&totals)), Ok(Envelope::Sfu(totals)));
        assert_eq!(decode::<ServerMessage>(&encode(&Down::Ping)), Ok(Envelope::Meeting(Down::Ping)));
    }

    #[test]
    fn hello_and_problem_keep_their_bytes_in_every_version() {
        let hello = Envelope::Meeting(Up::Hello { version: 1 });
        assert_eq!(decode::<ClientMessage>(&[0x82, 0x00, 0x81, 0x01]), Ok(hello));
        let problem: ServerMessage = Envelope::Meeting(Down::Problem { problem: Problem::Version });
        assert_eq!(encode(&problem), [0x82, 0x0f, 0x81, 0x00]);
    }

    #[test]
    fn a_signal_is_no_longer_than_its_limit() {
        let blob = |length| Blob(vec![0; length]);
        let to_sfu = |length| decode::<ClientMessage>(&encode(&ToSfu::Signal(blob(length))));
        let from_sfu = |length| decode::<ServerMessage>(&encode(&FromSfu::Signal(blob(length))));
        assert!(to_sfu(MAX_SIGNAL).is_ok() && from_sfu(MAX_SIGNAL).is_ok());
        assert_eq!(to_sfu(MAX_SIGNAL + 1), Err(Malformed));
        assert_eq!(from_sfu(MAX_SIGNAL + 1), Err(Malformed));
    }
}
