//! The core with real transports.
