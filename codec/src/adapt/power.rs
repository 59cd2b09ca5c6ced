//! The battery and the temperature of this computer, and how much they limit what is encoded.

use super::EncodeLimitReason;

/// The state of the power supply and of the temperature, as far as the system reports them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PowerState {
    /// The charge of the battery in percent while it is discharged. `None` with external power or without a battery.
    pub discharging: Option<u8>,
    /// The temperature.
    pub heat: Heat,
}

/// The temperature of the computer, compared with its own limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Heat {
    /// Below all limits.
    #[default]
    Normal,
    /// The system slows the processor down to cool it (a passive trip point).
    Hot,
    /// Near the temperature at which the system turns itself off.
    Critical,
}

/// The minimum number of steps by which less is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerLimit {
    /// The number of steps of [`super::encode::Adapter`].
    pub steps: usize,
    /// The reason.
    pub reason: EncodeLimitReason,
}

impl PowerState {
    /// Returns the limit of this state. `None` if nothing is limited. A state near a bound keeps the limit of `before`.
    #[must_use]
    pub fn limit(&self, before: Option<PowerLimit>) -> Option<PowerLimit> {
        let steps_before =
            before.filter(|before| before.reason == EncodeLimitReason::Battery).map_or(0, |before| before.steps);
        let is_below = |percent: u8, steps: usize| {
            let margin = if steps_before >= steps { BATTERY_MARGIN } else { 0 };
            self.discharging.is_some_and(|charge| charge <= percent + margin)
        };
        let battery = if is_below(EMPTY_BATTERY, 2) { 2 } else { usize::from(is_below(LOW_BATTERY, 1)) };
        let heat = match self.heat {
            Heat::Normal => 0,
            Heat::Hot => 1,
            Heat::Critical => 3,
        };
        let (steps, reason) =
            if heat > battery { (heat, EncodeLimitReason::Heat) } else { (battery, EncodeLimitReason::Battery) };
        (steps > 0).then_some(PowerLimit { steps, reason })
    }
}

/// The charge in percent below which one step is taken.
const LOW_BATTERY: u8 = 20;
/// The charge in percent below which two steps are taken.
const EMPTY_BATTERY: u8 = 8;
/// By how much more a battery must be charged until a step is undone, in percent.
const BATTERY_MARGIN: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(discharging: Option<u8>, heat: Heat, before: Option<PowerLimit>) -> (usize, Option<EncodeLimitReason>) {
        let limit = PowerState { discharging, heat }.limit(before);
        (limit.map_or(0, |limit| limit.steps), limit.map(|limit| limit.reason))
    }

    #[test]
    fn a_battery_that_gets_empty_and_heat_limit_what_is_encoded() {
        assert_eq!(steps(None, Heat::Normal, None), (0, None), "external power");
        assert_eq!(steps(Some(60), Heat::Normal, None), (0, None));
        assert_eq!(steps(Some(20), Heat::Normal, None), (1, Some(EncodeLimitReason::Battery)));
        assert_eq!(steps(Some(5), Heat::Hot, None), (2, Some(EncodeLimitReason::Battery)));
        assert_eq!(steps(Some(60), Heat::Hot, None), (1, Some(EncodeLimitReason::Heat)));
        assert_eq!(steps(Some(5), Heat::Critical, None), (3, Some(EncodeLimitReason::Heat)));
    }

    #[test]
    fn a_charge_near_a_bound_does_not_change_the_limit_again_and_again() {
        let low = PowerState { discharging: Some(20), heat: Heat::Normal }.limit(None);
        assert_eq!(steps(Some(22), Heat::Normal, low).0, 1);
        assert_eq!(steps(Some(24), Heat::Normal, low).0, 0);
        assert_eq!(steps(Some(22), Heat::Normal, None).0, 0);
        assert_eq!(steps(None, Heat::Normal, low).0, 0, "it is charged now");
    }
}
