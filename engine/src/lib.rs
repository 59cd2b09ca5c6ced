//! A meeting without a window. It connects devices, codecs, keys and the network. Each part is owned by one thread.
//!
//! It does not depend on iced, and reads neither the environment nor the command line. Pictures are passed to a
//! [`VideoOutput`], never in an [`Event`].

mod bandwidth;
pub mod clock;
mod connection_test;
mod coordinator;
pub mod device_list;
mod doubted_tracks;
pub mod dump;
mod engine;
mod event;
mod hardware;
mod limitation;
mod meter;
mod notice;
mod power;
mod preview;
mod quality;
mod receive;
pub mod report;
mod send;
mod setup;
pub mod stats;
mod video_output;
mod worker;

pub use bandwidth::{Bandwidth, BandwidthLimit, BandwidthLimits, LastRates, LimitOwner};
pub use connection_test::{ConnectionCause, ConnectionQuality, ConnectionTest, ConnectionTestEvent, ConnectionVerdict};
pub use engine::{Busy, Engine, Error, Events};
pub use event::{
    Command, Event, Fault, KeyState, Manager, Notice, NoticeKind, Person, Reason, Refusal, RightsChange, Step,
};
pub use hardware::{Cameras, Codecs, Hardware};
pub use limitation::{Limitation, ResponsibleParty};
pub use notice::clock_difference;
pub use preview::{Preview, PreviewEvent};
pub use quality::Quality;
pub use setup::{Choice, Entry, RejoinState, Screen, Setup};
pub use stats::timeline::{AudioStats, ReceivedRtpStreamStats, Second, SentLayerStats, VideoStats};
pub use stats::{Facts, Stats, histogram, history, open_failures, timeline, track_stats, usage};
pub use video_output::{Meta, NullOutput, VideoOutput, VideoSink};

pub use audio::Choice as AudioChoice;
pub use audio::device::Provider as SoundDevices;
pub use codec::adapt::ContentHint;
pub use codec::decode::Picture;
pub use crypto::Language as WordsLanguage;
pub use crypto::certificate::{self, CertificateChain};
pub use crypto::emoji::{Emoji, Phrase};
pub use crypto::link::Error as LinkError;
pub use crypto::store::Keychain;
pub use crypto::{Authorship, DeviceKey, Identity, Invitation, SecretLink, Words, Zeroizing, find_link, name};
pub use crypto::{Secret, Store, identity, store};
pub use media::Bitrate;
pub use net::meeting::{
    Evidence, FloorOrder, FloorTarget, IdentityClass, LobbyAuthor, LobbyEvent, MAX_LOBBY_TEXT, Microphone, PolicyState,
    chat, verification,
};
pub use net::{MediaPath, PathFigures, PathReport, PathTestError, ProxyAuthenticator, ProxySettings, ProxyUrl};
pub use proto::{MeetingFlags, ParticipantId, Rights, Role, Slot, TileWish, Totals, TrackId};
