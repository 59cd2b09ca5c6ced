//! The timeouts and intervals of a meeting.

use std::time::Duration;

/// How long the server may send nothing before the connection counts as lost: four of its pings, which come every 2 s.
pub const SERVER_TIMEOUT: Duration = Duration::from_secs(8);

/// How long a knock may stay unanswered before the user is notified.
pub const KNOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a joiner asks for the admission key, if its link is newer than the server's keys. After the first failure it
/// waits for [`APPROACH_INTERVAL`], after the second one twice as long, and so on: 21 s in all. The server answers eight.
pub const MAX_APPROACHES: u32 = 7;

/// How long a joiner waits before it asks for the admission key again for the first time.
pub const APPROACH_INTERVAL: Duration = Duration::from_secs(1);

/// How long the server may take to accept a commit, or to answer that it came too late. The largest commit needs this
/// long on a slow uplink.
pub const COMMIT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a member waits after its commit before it sends another one. The server drops a commit that comes within 2 s
/// of the one before, unless a manager signed it.
pub const COMMIT_INTERVAL: Duration = Duration::from_millis(2_200);

/// How much longer each member waits to remove a departed member than the one before it in rank. The organiser, who is
/// first, does not wait.
pub const REMOVAL_INTERVAL: Duration = Duration::from_secs(4);

/// How much later each manager admits by a rule than the one before it in rank, so that not all commit at once.
pub const ADMISSION_INTERVAL: Duration = Duration::from_secs(2);

/// How long the group has no organiser before the next in rank becomes the organiser. The organiser's client comes back by
/// itself within this time if it can.
pub const SUCCESSION_TIMEOUT: Duration = RECOVERY_TIMEOUT;

/// How long application messages of a past epoch can be read after the last commit. Then its secrets are deleted.
pub const PAST_EPOCH_TIMEOUT: Duration = Duration::from_secs(2);

/// How often a manager sends a signed command with a beacon, and each member of a meeting of up to 25 its own beacon.
pub const BEACON_INTERVAL: Duration = Duration::from_secs(5);

/// In this interval, one member after the other updates its keys.
pub const REFRESH_INTERVAL: Duration = Duration::from_mins(5);

/// How long a client tries to come back after it lost its connection. The server keeps the place of an absent member for 20 s,
/// and again for 20 s after it was started.
pub const RECOVERY_TIMEOUT: Duration = Duration::from_secs(140);

/// How long a client waits before its second attempt to connect again. The first one is immediate; each further one waits twice
/// as long as the one before.
pub const FIRST_RETRY: Duration = Duration::from_millis(250);

/// The maximum time between two attempts to connect again, without jitter.
pub const MAX_RETRY: Duration = Duration::from_secs(4);

/// From this number of failures on, delays have a jitter of a quarter, so that the clients of a server that was away do not all
/// come back at the same moment.
pub const MIN_FAILURES_WITH_JITTER: u32 = 3;

/// How long an organiser waits after its first false Welcome. Each further one doubles the time.
pub const FALSE_WELCOME_RETRY: Duration = Duration::from_millis(500);

/// How long a manager that comes back waits for an answer for the first time. If there is none, it asks again, with another id and
/// another key package: a member may have added its leaf without a Welcome. Each time without an answer doubles this.
pub const RETURN_TIMEOUT: Duration = Duration::from_secs(10);

/// The maximum of that time: a member of any rank answers within 20 s, and needs some time to send the tree. As long, the server
/// lets members commit nothing but answers.
pub const MAX_RETURN_TIMEOUT: Duration = Duration::from_secs(40);

/// After this number of false Welcomes, an organiser does not ask again to come back. It is the default limit of a server
/// for the members of a meeting, so each hostile member may have sent one.
pub const MAX_FALSE_WELCOMES: u32 = 200;

/// The maximum time between a false Welcome and the next attempt.
pub const MAX_FALSE_WELCOME_RETRY: Duration = Duration::from_secs(2);

/// How long after an order of floor control its author makes it part of the policy, unless a commit does so before. Each
/// other manager waits once more as long.
pub const FOLD_INTERVAL: Duration = Duration::from_secs(5);

/// How long a client waits before it joins again for the first time in a while. If it was cut off several times in
/// [`REJOIN_MEMORY`], it waits longer, so that a hostile member cannot keep all busy.
pub const REJOIN_DELAY: Duration = Duration::from_millis(100);

/// The maximum of that time.
pub const MAX_REJOIN_DELAY: Duration = Duration::from_secs(15);

/// The maximum of that time if the reason was somebody else's commit, which this client could not read.
pub const MAX_BLAMELESS_DELAY: Duration = Duration::from_secs(2);

/// How long a manager that could not read a commit waits for the beacons of those who have merged it. In a small meeting each sends one
/// on an epoch, at most a second after the one before.
pub const EVIDENCE_TIMEOUT: Duration = Duration::from_secs(2);

/// How long another member that could not read a commit does not commit: a manager that has merged it sends a beacon meanwhile.
pub const UNREAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a member waits after an update of its keys before the next one. The server accepts none within 30 s, unless a manager signed
/// it.
pub const UPDATE_INTERVAL: Duration = Duration::from_secs(31);

/// How long it matters that a client was cut off.
pub const REJOIN_MEMORY: Duration = Duration::from_mins(1);

/// How long each part of the group's tree may take to arrive after an admission. A part has 64 KiB.
pub const TREE_PART_TIMEOUT: Duration = Duration::from_secs(15);

/// How long the whole tree may take. The longest one that members make by themselves has 1.6 MB: that is a connection of 100 kbit/s.
pub const TREE_TIMEOUT: Duration = Duration::from_mins(3);

/// The smallest group whose members update their keys so that commits get shorter. In a smaller one, a commit has less than 40 kB anyway.
pub const MIN_FILLED: u32 = 32;

/// How long the group is unchanged before the next of them does so: this, and [`FILL_INTERVAL_PER_MEMBER`] for each member.
pub const FILL_INTERVAL: Duration = Duration::from_secs(2);

/// See [`FILL_INTERVAL`]. All members get each commit, so the rate at the server does not grow with the group.
pub const FILL_INTERVAL_PER_MEMBER: Duration = Duration::from_millis(3);
