//! Cameras, microphones and speakers: what is plugged in, and what was chosen of it.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// A device that was chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// None.
    Off,
    /// Whatever the system prefers.
    #[default]
    Default,
    /// A moving test pattern; cameras only.
    Synthetic,
    /// One device, by its identifier.
    Named(String),
    /// A file.
    File(PathBuf),
}

/// A device that is there: its identifier and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// What the system knows it by.
    pub id: String,
    /// What people know it by.
    pub name: String,
}

/// Kinds of devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Pictures in.
    Camera,
    /// Sound in.
    Microphone,
    /// Sound out.
    Speaker,
}

/// What is plugged in, and what was chosen of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Devices {
    offers: BTreeMap<Kind, Vec<Offer>>,
    chosen: BTreeMap<Kind, Device>,
}

impl Devices {
    /// Replaces what is plugged in.
    pub fn set_offers(&mut self, kind: Kind, offers: Vec<Offer>) {
        self.offers.insert(kind, offers);
    }

    /// Chooses.
    pub fn choose(&mut self, kind: Kind, device: Device) {
        self.chosen.insert(kind, device);
    }

    /// What was chosen.
    pub fn chosen(&self, kind: Kind) -> Device {
        self.chosen.get(&kind).cloned().unwrap_or_default()
    }

    /// What is plugged in.
    pub fn offers(&self, kind: Kind) -> &[Offer] {
        self.offers.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// Everything that a menu of this kind lists.
    pub fn choices(&self, kind: Kind) -> Vec<Device> {
        let mut choices = vec![Device::Default];
        choices.extend(self.offers(kind).iter().map(|offer| Device::Named(offer.id.clone())));
        let chosen = self.chosen(kind);
        if matches!(chosen, Device::File(_)) {
            choices.push(chosen);
        }
        if kind == Kind::Camera {
            choices.push(Device::Synthetic);
        }
        choices.push(Device::Off);
        choices
    }
}
