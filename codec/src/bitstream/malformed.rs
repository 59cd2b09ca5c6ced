//! Errors of bitstreams.

/// The reason why a bitstream is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// The bytes end within a unit or its length.
    #[error("a NAL unit is truncated")]
    CutOff,
    /// An empty unit, or one with the forbidden bit set (ITU-T H.264 7.4.1).
    #[error("not a NAL unit")]
    NotAUnit,
    /// A parameter set ends too early or contains an invalid value.
    #[error("a parameter set is invalid")]
    ParameterSet,
    /// The stream uses an unsupported feature: more than 8 bits, a format other than 4:2:0, fields, or a level above
    /// 5.1.
    #[error("H.264 {0} is not supported")]
    Unsupported(&'static str),
}
