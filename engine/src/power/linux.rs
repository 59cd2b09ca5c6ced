//! Reads the battery and the temperature from the files of the kernel (`Documentation/ABI/testing/sysfs-class-power` and
//! `sysfs-class-thermal`).

use codec::adapt::power::{Heat, PowerState};
use std::fs;
use std::path::{Path, PathBuf};

/// Returns the state of this computer. A value that the kernel does not report limits nothing.
pub fn read() -> PowerState {
    read_from(Path::new("/sys/class"))
}

fn read_from(class: &Path) -> PowerState {
    PowerState { discharging: discharging(&class.join("power_supply")), heat: heat(&class.join("thermal")) }
}

/// Returns the charge of the fullest battery of the computer, or `None` if one of its supplies has external power. Batteries of
/// mice and headsets have the scope `Device`.
fn discharging(folder: &Path) -> Option<u8> {
    let supplies = entries(folder).filter(|supply| text(supply, "scope").as_deref() != Some("Device"));
    let mut fullest = None;
    for supply in supplies {
        match text(&supply, "type").as_deref() {
            Some("Mains" | "USB") if text(&supply, "online").as_deref() == Some("1") => return None,
            Some("Battery") if text(&supply, "status").as_deref() == Some("Discharging") => {
                let charge = number(&supply, "capacity").and_then(|charge| u8::try_from(charge).ok());
                fullest = fullest.max(charge);
            }
            Some(_) | None => {}
        }
    }
    fullest
}

/// Returns the worst state of all thermal zones.
fn heat(folder: &Path) -> Heat {
    let zones = entries(folder).filter(|zone| {
        zone.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("thermal_zone"))
    });
    zones.filter_map(|zone| zone_heat(&zone)).max().unwrap_or_default()
}

/// Returns the state of one zone. Its temperature and its trip points are in thousandths of a degree Celsius.
fn zone_heat(zone: &Path) -> Option<Heat> {
    let temperature = number(zone, "temp")?;
    let trips = (0..MAX_TRIP_POINTS).map_while(|index| {
        let kind = text(zone, &format!("trip_point_{index}_type"))?;
        Some((kind, number(zone, &format!("trip_point_{index}_temp"))?))
    });
    let state = |(kind, at): (String, i64)| match kind.as_str() {
        // Some firmware has trip points of 0 degrees, which mean nothing.
        _ if at <= 0 => Heat::Normal,
        "critical" | "hot" if temperature + CRITICAL_MARGIN >= at => Heat::Critical,
        "passive" if temperature >= at => Heat::Hot,
        _ => Heat::Normal,
    };
    trips.map(state).max()
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

fn text(folder: &Path, file: &str) -> Option<String> {
    fs::read_to_string(folder.join(file)).ok().map(|text| text.trim().to_owned())
}

fn number(folder: &Path, file: &str) -> Option<i64> {
    text(folder, file)?.parse().ok()
}

/// The number of trip points of a zone that are read.
const MAX_TRIP_POINTS: u8 = 16;

/// So close to its critical temperature, a computer may turn itself off soon.
const CRITICAL_MARGIN: i64 = 5_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder like `/sys/class` with these files. Drop removes it.
    struct Class(tempfile::TempDir);

    impl Class {
        fn new(files: &[(&str, &str)]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            for (path, text) in files {
                let path = folder.path().join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, format!("{text}\n")).unwrap();
            }
            Self(folder)
        }

        fn read(&self) -> PowerState {
            read_from(self.0.path())
        }
    }

    const BATTERY: [(&str, &str); 3] = [
        ("power_supply/BAT0/type", "Battery"),
        ("power_supply/BAT0/status", "Discharging"),
        ("power_supply/BAT0/capacity", "17"),
    ];

    #[test]
    fn a_computer_that_reports_nothing_is_not_limited() {
        assert_eq!(Class::new(&[]).read(), PowerState::default());
        assert_eq!(Class::new(&[("thermal/thermal_zone0/temp", "hot"), BATTERY[0]]).read(), PowerState::default());
    }

    #[test]
    fn a_battery_counts_while_it_is_discharged() {
        assert_eq!(Class::new(&BATTERY).read().discharging, Some(17));
        let charging = [BATTERY[0], ("power_supply/BAT0/status", "Charging"), BATTERY[2]];
        assert_eq!(Class::new(&charging).read().discharging, None);
        let plugged = [("power_supply/AC/type", "Mains"), ("power_supply/AC/online", "1")];
        assert_eq!(Class::new(&[&BATTERY[..], &plugged].concat()).read().discharging, None);
        let mouse = [("power_supply/BAT0/scope", "Device")];
        assert_eq!(Class::new(&[&BATTERY[..], &mouse].concat()).read().discharging, None);
    }

    #[test]
    fn heat_is_compared_with_the_trip_points_of_each_zone() {
        let zone = |temperature| {
            [
                ("thermal/thermal_zone0/temp", "40000"),
                ("thermal/thermal_zone1/temp", temperature),
                ("thermal/thermal_zone1/trip_point_0_type", "passive"),
                ("thermal/thermal_zone1/trip_point_0_temp", "80000"),
                ("thermal/thermal_zone1/trip_point_1_type", "critical"),
                ("thermal/thermal_zone1/trip_point_1_temp", "100000"),
                ("thermal/cooling_device0/type", "Fan"),
            ]
        };
        let heat = |temperature| Class::new(&zone(temperature)).read().heat;
        assert_eq!([heat("79000"), heat("80000"), heat("95000")], [Heat::Normal, Heat::Hot, Heat::Critical]);
        let without_meaning =
            [("thermal/thermal_zone0/trip_point_0_type", "critical"), ("thermal/thermal_zone0/trip_point_0_temp", "0")];
        assert_eq!(Class::new(&[&zone("50000")[..], &without_meaning].concat()).read().heat, Heat::Normal);
    }
}
