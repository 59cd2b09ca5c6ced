//! Media Foundation and AVFoundation: what their messages mean, as far as they say it in a way that can be read.

use super::Cause;
use nokhwa::utils::CameraInfo;

pub(super) fn takes_pictures(_: &CameraInfo) -> bool {
    true
}

/// How people name a camera on the command line, besides its number: not at all.
pub(super) fn path(id: &str) -> String {
    id.to_owned()
}

/// What a message comes down to. Windows translates its own texts, so only numbers and names that it leaves alone count.
pub(super) fn cause(text: &str) -> Option<Cause> {
    let says = |needles: &[&str]| needles.iter().any(|needle| text.contains(needle));
    if says(&["0x80070005", "E_ACCESSDENIED", "denied", "NotAuthorized"]) {
        Some(Cause::Denied)
    } else if says(&["0xC00D3EA3", "0xC00D3704", "0x800700AA", "in use", "InUse"]) {
        Some(Cause::Taken)
    } else if says(&["0xC00D3EA2", "0xC00D36D5", "Not Found", "not found"]) {
        Some(Cause::Gone)
    } else {
        None
    }
}
