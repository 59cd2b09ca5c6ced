//! Cameras, microphones and speakers: what is plugged in, and what the user chose.

use std::collections::BTreeMap;
use std::path::PathBuf;

use engine::{AudioChoice, Choice, device_list};

/// A choice in a menu of devices: one type for cameras, microphones and speakers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// No device.
    Off,
    /// The system's default.
    #[default]
    Default,
    /// A moving test pattern; cameras only.
    Synthetic,
    /// The device with this identifier.
    Named(String),
    /// A file instead of a device: a camera or microphone reads it, a speaker writes it.
    File(PathBuf),
}

impl Device {
    /// Converts to the engine's choice of a camera.
    pub fn camera(&self) -> Choice {
        match self {
            Self::Off => Choice::Off,
            Self::Default => Choice::Device(None),
            Self::Synthetic => Choice::Synthetic,
            Self::Named(id) => Choice::Device(Some(id.clone())),
            Self::File(path) => Choice::File(path.clone()),
        }
    }

    /// Converts to the engine's choice of a microphone or a speaker. [`Device::Synthetic`] exists for cameras only and
    /// becomes the default.
    pub fn sound(&self) -> AudioChoice {
        match self {
            Self::Off => AudioChoice::Off,
            Self::Default | Self::Synthetic => AudioChoice::Default,
            Self::Named(id) => AudioChoice::Device(id.clone()),
            Self::File(path) => AudioChoice::File(path.clone()),
        }
    }
}

impl From<&Choice> for Device {
    fn from(choice: &Choice) -> Self {
        match choice {
            Choice::Off => Self::Off,
            Choice::Synthetic => Self::Synthetic,
            Choice::Device(None) => Self::Default,
            Choice::Device(Some(id)) => Self::Named(id.clone()),
            Choice::File(path) => Self::File(path.clone()),
        }
    }
}

impl From<&AudioChoice> for Device {
    fn from(choice: &AudioChoice) -> Self {
        match choice {
            AudioChoice::Off => Self::Off,
            AudioChoice::Default => Self::Default,
            AudioChoice::Device(id) => Self::Named(id.clone()),
            AudioChoice::File(path) => Self::File(path.clone()),
        }
    }
}

/// Kinds of devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Video input.
    Camera,
    /// Audio input.
    Microphone,
    /// Audio output.
    Speaker,
}

/// What is plugged in, and what the user chose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Devices {
    present: BTreeMap<Kind, Vec<device_list::Device>>,
    chosen: BTreeMap<Kind, Device>,
    /// The names of chosen devices by their identifiers. They are also known after the device was unplugged.
    names: BTreeMap<String, String>,
    /// The menu of cameras offers the test pattern. It is for developers.
    pub offers_test_pattern: bool,
}

impl Devices {
    /// Replaces the list of what is plugged in.
    pub fn set_present(&mut self, kind: Kind, present: Vec<device_list::Device>) {
        self.present.insert(kind, present);
    }

    /// Chooses a device.
    pub fn choose(&mut self, kind: Kind, device: Device) {
        if let Device::Named(id) = &device
            && let Some(found) = self.present(kind).iter().find(|present| present.id == *id)
        {
            let name = found.name.clone();
            self.names.insert(id.clone(), name);
        }
        self.chosen.insert(kind, device);
    }

    /// The name of a chosen device that is not plugged in; its identifier if it was never listed.
    pub fn name_of_missing<'a>(&'a self, id: &'a str) -> &'a str {
        self.names.get(id).map_or(id, String::as_str)
    }

    /// The chosen device: the default until [`Devices::choose`] is called.
    pub fn chosen(&self, kind: Kind) -> Device {
        self.chosen.get(&kind).cloned().unwrap_or_default()
    }

    /// What is plugged in.
    pub fn present(&self, kind: Kind) -> &[device_list::Device] {
        self.present.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// Whether the list of this kind is known and empty, and the user chose no file or test pattern instead.
    pub fn lacks(&self, kind: Kind) -> bool {
        let replaced = matches!(self.chosen(kind), Device::Synthetic | Device::File(_));
        !replaced && self.present.get(&kind).is_some_and(Vec::is_empty)
    }

    /// The lines of the menu of this kind, in order. A chosen file, test pattern or unplugged device is one of them.
    pub fn choices(&self, kind: Kind) -> Vec<Device> {
        let mut choices = vec![Device::Default];
        choices.extend(self.present(kind).iter().map(|device| Device::Named(device.id.clone())));
        let chosen = self.chosen(kind);
        let is_missing = matches!(chosen, Device::Named(_)) && !choices.contains(&chosen);
        let is_pattern = chosen == Device::Synthetic;
        if is_missing || matches!(chosen, Device::File(_)) {
            choices.push(chosen);
        }
        if kind == Kind::Camera && (self.offers_test_pattern || is_pattern) {
            choices.push(Device::Synthetic);
        }
        choices.push(Device::Off);
        choices
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selected_file_stays_in_the_list() {
        let mut devices = Devices::default();
        devices.set_present(Kind::Camera, vec![device_list::Device { id: "0".into(), name: "Webcam".into() }]);
        devices.choose(Kind::Camera, Device::File("a.mp4".into()));
        let file = Device::File("a.mp4".into());
        let expected = [Device::Default, Device::Named("0".into()), file, Device::Off];
        assert_eq!(devices.choices(Kind::Camera), expected);
        assert_eq!(devices.choices(Kind::Speaker), [Device::Default, Device::Off]);
    }

    #[test]
    fn a_chosen_device_that_is_unplugged_keeps_its_name_and_its_line() {
        let mut devices = Devices::default();
        devices.set_present(Kind::Speaker, vec![device_list::Device { id: "pulse:1".into(), name: "Headset".into() }]);
        let headset = Device::Named("pulse:1".into());
        devices.choose(Kind::Speaker, headset.clone());
        devices.set_present(Kind::Speaker, Vec::new());
        assert_eq!(devices.choices(Kind::Speaker), [Device::Default, headset, Device::Off]);
        assert_eq!(devices.name_of_missing("pulse:1"), "Headset");
        assert_eq!(devices.name_of_missing("pulse:2"), "pulse:2", "chosen on the command line");
    }

    #[test]
    fn the_test_pattern_is_offered_to_developers_only() {
        let offered = |devices: &Devices| devices.choices(Kind::Camera).contains(&Device::Synthetic);
        let mut devices = Devices::default();
        assert!(!offered(&devices));
        devices.choose(Kind::Camera, Device::Synthetic);
        assert!(offered(&devices), "the command line chose it");
        let devices = Devices { offers_test_pattern: true, ..Devices::default() };
        assert!(offered(&devices) && !devices.choices(Kind::Microphone).contains(&Device::Synthetic));
    }

    #[test]
    fn a_camera_is_missing_only_if_the_list_is_known() {
        let mut devices = Devices::default();
        assert!(!devices.lacks(Kind::Camera), "not listed yet");
        devices.set_present(Kind::Camera, Vec::new());
        assert!(devices.lacks(Kind::Camera));
        devices.choose(Kind::Camera, Device::File("a.mp4".into()));
        assert!(!devices.lacks(Kind::Camera));
    }
}
