//! How much of the network may be used: what the user chose, what the command line and the policy say, and what kind of network it
//! is. Pure.

use engine::{BandwidthLimit, BandwidthLimits, Bitrate, LimitOwner};
use serde::{Deserialize, Serialize};

use crate::policy::Policy;

/// What the user chose. The file stores it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Choices {
    /// Saves data on every network.
    pub save_data: bool,
    /// The limit of what is sent.
    pub send: Choice,
    /// The limit of what is received.
    pub receive: Choice,
}

/// A limit in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// Nothing was chosen: what the administrator recommends, else no limit.
    #[default]
    Default,
    /// No limit.
    Unlimited,
    /// At most these kbit/s.
    Kbps(u32),
}

/// Limits in both directions, in kbit/s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// What is sent at most.
    pub send: Option<u32>,
    /// What is received at most.
    pub receive: Option<u32>,
}

/// A direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the server.
    Send,
    /// From the server.
    Receive,
}

/// A change that the user makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Whether to save data on every network.
    SaveData(bool),
    /// The limit in a direction.
    Limit(Direction, Choice),
    /// Whether the current network is metered.
    Metered(bool),
    /// Whether no video of the others is received.
    IncomingVideoOff(bool),
    /// Forget all networks.
    ForgetNetworks,
}

/// Everything that decides the limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bandwidth {
    /// What the user chose.
    pub choices: Choices,
    /// What the command line says.
    pub command_line: Limits,
    /// What the administrator has set.
    pub policy: Policy,
    /// Whether the current network is metered. `None` if there is no network, or this system cannot tell one from another.
    pub metered: Option<bool>,
    /// True if networks are remembered.
    pub knows_networks: bool,
    /// True if no video of the others is received. It is not stored.
    pub incoming_video_off: bool,
}

impl Bandwidth {
    /// Returns the limits of a meeting.
    pub fn limits(&self) -> BandwidthLimits {
        BandwidthLimits {
            send: self.limit(Direction::Send),
            receive: self.limit(Direction::Receive),
            incoming_video_off: self.incoming_video_off,
        }
    }

    /// Returns the lowest limit of a direction. The organisation's one counts if it is as low as the user's.
    fn limit(&self, direction: Direction) -> Option<BandwidthLimit> {
        let user = [self.chosen(direction), self.saved(direction)].into_iter().flatten().min();
        let user = user.map(|kbps| BandwidthLimit { bitrate: Bitrate::kbps(kbps.into()), owner: LimitOwner::You });
        let organisation =
            self.policy_of(direction).map(|bitrate| BandwidthLimit { bitrate, owner: LimitOwner::Organisation });
        organisation.into_iter().chain(user).min_by_key(|limit| limit.bitrate)
    }

    /// Returns the figure that the window shows as chosen, in kbit/s: that of the command line, of the user, or what the administrator
    /// recommends.
    pub fn chosen(&self, direction: Direction) -> Option<u32> {
        let (command_line, choice, recommended) = match direction {
            Direction::Send => (self.command_line.send, self.choices.send, self.policy.recommended.max_send),
            Direction::Receive => {
                (self.command_line.receive, self.choices.receive, self.policy.recommended.max_receive)
            }
        };
        let chosen = || match choice {
            Choice::Default => recommended.map(kbps),
            Choice::Unlimited => None,
            Choice::Kbps(kbps) => Some(kbps),
        };
        command_line.or_else(chosen)
    }

    /// Returns the limit that the organisation has set for a direction. The user cannot change that figure.
    pub fn policy_of(&self, direction: Direction) -> Option<Bitrate> {
        match direction {
            Direction::Send => self.policy.mandatory.max_send,
            Direction::Receive => self.policy.mandatory.max_receive,
        }
    }

    /// Returns true if data are saved, because the user wants it or because the network is metered.
    pub fn saves_data(&self) -> bool {
        self.choices.save_data || self.metered == Some(true)
    }

    fn saved(&self, direction: Direction) -> Option<u32> {
        self.saves_data().then_some(match direction {
            Direction::Send => SAVING_SEND,
            Direction::Receive => SAVING_RECEIVE,
        })
    }

    /// Applies a change to what is shown and used now. The caller stores it.
    pub fn apply(&mut self, change: Change) {
        match change {
            Change::SaveData(on) => self.choices.save_data = on,
            Change::Limit(Direction::Send, choice) => (self.choices.send, self.command_line.send) = (choice, None),
            Change::Limit(Direction::Receive, choice) => {
                (self.choices.receive, self.command_line.receive) = (choice, None);
            }
            Change::Metered(metered) => self.metered = self.metered.map(|_| metered),
            Change::IncomingVideoOff(off) => self.incoming_video_off = off,
            Change::ForgetNetworks => self.knows_networks = false,
        }
    }
}

/// Returns a bitrate in kbit/s.
pub fn kbps(bitrate: Bitrate) -> u32 {
    u32::try_from(bitrate.as_bps() / 1_000).unwrap_or(u32::MAX)
}

/// The figures that the window offers for each direction, in kbit/s: a small picture, a medium one, a large one.
pub const FIGURES: [u32; 3] = [300, 1_000, 3_000];

/// What is used to save data, in kbit/s: about 350 MB an hour in all.
const SAVING_SEND: u32 = 250;
const SAVING_RECEIVE: u32 = 500;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policies;

    #[expect(clippy::unnecessary_wraps, reason = "limits are optional, and compared with this one")]
    fn limit(kbps: u64, owner: LimitOwner) -> Option<BandwidthLimit> {
        Some(BandwidthLimit { bitrate: Bitrate::kbps(kbps), owner })
    }

    #[test]
    fn the_lowest_limit_counts_and_names_its_owner() {
        let mut bandwidth = Bandwidth::default();
        assert_eq!(bandwidth.limits(), BandwidthLimits::default());
        bandwidth.apply(Change::Limit(Direction::Send, Choice::Kbps(1_000)));
        assert_eq!(bandwidth.limits().send, limit(1_000, LimitOwner::You));
        bandwidth.policy.mandatory.max_send = Some(Bitrate::kbps(600));
        assert_eq!(bandwidth.limits().send, limit(600, LimitOwner::Organisation));
        bandwidth.apply(Change::SaveData(true));
        let limits = bandwidth.limits();
        assert_eq!((limits.send, limits.receive), (limit(250, LimitOwner::You), limit(500, LimitOwner::You)));
        bandwidth.policy.mandatory.max_send = Some(Bitrate::kbps(250));
        assert_eq!(bandwidth.limits().send, limit(250, LimitOwner::Organisation), "both want the same");
    }

    #[test]
    fn a_policy_wins_over_the_command_line_which_wins_over_the_choice_and_a_recommendation() {
        let recommended = Policies { max_send: Some(Bitrate::kbps(400)), max_receive: None };
        let policy = Policy { recommended, ..Policy::default() };
        let mut bandwidth = Bandwidth { policy, ..Bandwidth::default() };
        assert_eq!(bandwidth.chosen(Direction::Send), Some(400));
        bandwidth.apply(Change::Limit(Direction::Send, Choice::Unlimited));
        assert_eq!((bandwidth.chosen(Direction::Send), bandwidth.limits().send), (None, None), "the user may");
        bandwidth.command_line.send = Some(700);
        assert_eq!(bandwidth.limits().send, limit(700, LimitOwner::You));
        bandwidth.policy.mandatory.max_send = Some(Bitrate::kbps(300));
        assert_eq!(bandwidth.limits().send, limit(300, LimitOwner::Organisation));
        bandwidth.apply(Change::Limit(Direction::Send, Choice::Kbps(200)));
        assert_eq!(bandwidth.command_line.send, None, "a choice in the window replaces the command line");
    }

    #[test]
    fn a_metered_network_saves_data_unless_the_user_calls_it_unmetered() {
        let mut bandwidth = Bandwidth { metered: Some(true), ..Bandwidth::default() };
        assert_eq!(bandwidth.limits().receive, limit(500, LimitOwner::You));
        bandwidth.apply(Change::Metered(false));
        assert_eq!(bandwidth.limits().receive, None);
        bandwidth.metered = None;
        bandwidth.apply(Change::Metered(true));
        assert_eq!(bandwidth.metered, None, "without a network there is nothing to remember");
    }
}
