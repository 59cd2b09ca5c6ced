//! Beacons that lie, signed with the real key of the member's leaf.

use super::super::{Meeting, Phase};
use crypto::group::beacon;
use proto::{MemberBeacon, Up};

/// What a beacon claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FalseBeacon {
    /// Other keys in this epoch.
    OtherKeys,
    /// A later epoch, which does not exist.
    Later,
    /// An earlier epoch with other keys.
    Earlier,
}

impl FalseBeacon {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::OtherKeys, Self::Later, Self::Earlier];

    /// Returns what it claims, for a table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OtherKeys => "other keys in this epoch",
            Self::Later => "a later epoch",
            Self::Earlier => "other keys in the epoch before",
        }
    }
}

/// Returns a beacon of this member that lies. `counter` must be higher than those before. `None` if it is no member.
#[must_use]
pub fn false_beacon(meeting: &Meeting, lie: FalseBeacon, counter: u64) -> Option<Up> {
    let Phase::Member(joined) = &meeting.phase else { return None };
    let (mut epoch, mut mls_epoch) = (joined.log.epoch(), joined.log.group().epoch().0);
    match lie {
        FalseBeacon::OtherKeys => {}
        FalseBeacon::Later => (epoch.0, mls_epoch) = (epoch.0 + 3, mls_epoch + 3),
        FalseBeacon::Earlier => (epoch.0, mls_epoch) = (epoch.0.checked_sub(1)?, mls_epoch.checked_sub(1)?),
    }
    let content = MemberBeacon { counter, epoch, mls_epoch, transcript: [0xa5; 32], signature: [0; 64] };
    sign_beacon(meeting, content).map(|beacon| Up::Beacon { beacon })
}

/// Signs a beacon with any content as the member. `None` if the client is no member.
#[must_use]
pub fn sign_beacon(meeting: &Meeting, mut content: MemberBeacon) -> Option<MemberBeacon> {
    let Phase::Member(joined) = &meeting.phase else { return None };
    beacon::sign(joined.log.group(), joined.me(), &mut content);
    Some(content)
}
