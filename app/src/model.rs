//! What the screens show. People, keys, reasons and notices are the engine's own types; this module adds what only a
//! window needs: the state of one meeting, the devices to choose from, and the Fluent id of each thing that is shown.

pub mod bandwidth;
pub mod chat;
pub mod connection;
mod content_hints;
pub mod detail;
mod device;
pub mod identity;
mod known_devices;
pub mod link;
pub mod lobby;
mod meeting;
pub mod moderation;
mod name_mark;
mod notice;
pub mod number;
pub mod reduction;
pub mod rights;
pub mod sentence;
pub mod verification;
mod view;

pub use content_hints::ContentHints;
pub use device::{Device, Devices, Kind};
pub use identity::Badge;
pub use known_devices::take_known;
pub use link::is_host;
pub use lobby::Asker;
pub use meeting::{Comparison, LockState, MeetingModel, Phase, initials};
pub use name_mark::NameMark;
pub use notice::{Notice, NoticeKind};
pub use view::View;
