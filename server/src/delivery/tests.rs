//! Behaviour of the delivery service.
