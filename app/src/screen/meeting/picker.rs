//! The choice of a monitor to share.

use engine::device_list;
use iced::advanced::image::Handle;

/// The choice of a monitor. It is shown when the monitors are listed.
#[derive(Clone, Debug, Default)]
pub(super) struct Picker {
    /// The monitors; empty until they are listed.
    pub(super) monitors: Vec<Monitor>,
    /// The index of the chosen one.
    pub(super) chosen: usize,
}

/// A monitor, as the dialog shows it.
#[derive(Clone, Debug)]
pub(super) struct Monitor {
    /// The id for the engine.
    pub(super) id: String,
    /// The name of its connector.
    pub(super) name: String,
    /// In pixels.
    pub(super) size: media::Size,
    /// What it shows.
    pub(super) thumbnail: Handle,
}

impl Picker {
    /// Shows these monitors. The first one is chosen.
    pub(super) fn show(&mut self, found: Vec<device_list::Monitor>) {
        let monitor = |found: device_list::Monitor| {
            let device_list::Thumbnail { size, rgba } = found.thumbnail;
            let thumbnail = Handle::from_rgba(size.width.into(), size.height.into(), rgba);
            Monitor { id: found.id, name: found.name, size: found.size, thumbnail }
        };
        self.monitors = found.into_iter().map(monitor).collect();
        self.chosen = 0;
    }

    /// Chooses the monitor with this index.
    pub(super) fn choose(&mut self, index: usize) {
        if index < self.monitors.len() {
            self.chosen = index;
        }
    }

    /// The id of the chosen monitor; `None` if the monitors are not listed yet.
    pub(super) fn into_chosen(mut self) -> Option<String> {
        (self.chosen < self.monitors.len()).then(|| self.monitors.swap_remove(self.chosen).id)
    }
}
