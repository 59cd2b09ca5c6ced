//! Certificates by which an organisation says whose device a key is (X.509, RFC 5280).
//!
//! A certificate is evidence and authorises nothing: each receiver verifies it with the organisations that it trusts itself, and its own
//! clock, and shows the result.

mod chain;
mod device_check;
mod refusal;
mod request;
mod roots;
mod subject;
#[cfg(test)]
mod tests;
mod verify;

pub use chain::CertificateChain;
pub use refusal::{MAX_CERTIFICATES, MAX_CHAIN, Refusal};
pub use roots::{MAX_ROOTS, Roots};
pub use subject::Subject;
