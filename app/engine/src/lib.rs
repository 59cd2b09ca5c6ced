//! A meeting without a window: devices, codecs, keys and network tied together, one thread owning each part.
//!
//! Knows no iced, reads no environment and no command line. Pictures go to a [`Screen`], never through an [`Event`].

mod event;
mod screen;
mod setup;

pub use event::{Command, Event, Fault, Lock, Notice, NoticeKind, Person, Reason, Step, Totals};
pub use screen::{Canvas, Meta, Screen};
pub use setup::{Choice, Entry, Setup};

pub use audio::Choice as AudioChoice;
pub use crypto::{Invitation, Words};
pub use net::meeting::Microphone;
pub use proto::{ParticipantId, Slot, TileWish, TrackId};
