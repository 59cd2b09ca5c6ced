//! What the screens show. People, keys, reasons and notices are the engine's own types; this module adds what only a
//! window needs: the state of one meeting, the devices to choose from, and the Fluent id of each thing that is shown.

pub mod bandwidth;
pub mod connection;
mod content_hints;
pub mod detail;
mod device;
pub mod link;
mod meeting;
mod name_mark;
mod notice;
pub mod number;
pub mod reduction;
pub mod sentence;
mod view;

pub use content_hints::ContentHints;
pub use device::{Device, Devices, Kind};
pub use link::is_host;
pub use meeting::{Asker, Comparison, LockState, MeetingModel, Phase, initials};
pub use name_mark::NameMark;
pub use notice::{Notice, NoticeKind};
pub use view::View;
