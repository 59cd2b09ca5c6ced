//! What the screens show. People, keys, reasons and notices are the engine's own types; this module adds what only a
//! window needs: the state of one meeting, the devices to choose from, and the Fluent id of each thing that is shown.

mod device;
mod meeting;
mod notice;
pub mod sentence;
mod view;

pub use device::{Device, Devices, Kind};
pub use meeting::{LockState, MeetingModel, Phase, initials};
pub use notice::{Notice, NoticeKind};
pub use view::View;
