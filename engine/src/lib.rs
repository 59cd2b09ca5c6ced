//! A meeting without a window: devices, codecs, keys and network tied together, one thread owning each part.
//!
//! Knows no iced, reads no environment and no command line. Pictures go to a [`VideoOutput`], never through an [`Event`].

pub mod clock;
mod coordinator;
pub mod devices;
mod engine;
mod event;
pub mod histogram;
mod measure;
pub mod open_failures;
mod preview;
pub mod quality_probe;
mod reason;
mod receive;
pub mod report;
mod send;
mod setup;
mod sources;
pub mod track_stats;
pub mod usage;
mod video_output;
mod worker;

pub use engine::{Busy, Engine, Error, Events};
pub use event::{Command, Event, Fault, Lock, Notice, NoticeKind, Person, Reason, Step, Totals};
pub use measure::Facts;
pub use preview::{Preview, PreviewEvent};
pub use setup::{Choice, Entry, Setup};
pub use sources::Cameras;
pub use video_output::{Meta, VideoOutput, VideoSink};

pub use audio::Choice as AudioChoice;
pub use codec::decode::Picture;
pub use crypto::Language as WordsLanguage;
pub use crypto::link::Error as LinkError;
pub use crypto::store::Keychain;
pub use crypto::{Identity, Invitation, Words};
pub use net::meeting::Microphone;
pub use proto::{ParticipantId, Slot, TileWish, TrackId};
