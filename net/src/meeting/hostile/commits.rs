//! Commits that break the rules, made by a member with its real leaf key. MLS accepts them.

use super::super::{Meeting, Phase};
use crypto::group::hostile::{Forbidden, forge, unsigned_policy};
use crypto::group::{Member, PolicyEdit, edits};
use crypto::hostile::Flaw;
use crypto::{Changes, ManagerKeys, MeetingPolicy, Profile};
use proto::{Blob, Epoch, ManagerCommand, ParticipantId, Rights, Role, Up};
use std::time::SystemTime;

/// A rule that a commit breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breach {
    /// Adds an accomplice, without the right to admit.
    Add,
    /// Changes the committer's own name to the organiser's.
    Rename,
    /// Changes the committer's own id to the organiser's.
    Renumber,
    /// Makes the committer a co-organiser, in a policy that the authority has not signed.
    Promote,
    /// Makes the committer the organiser, in the same way.
    TakeOver,
    /// Makes the committer the organiser, in a policy that an authority of its own has signed.
    OwnAuthority,
    /// Gives the committer the right to speak again, in a policy that the authority has not signed.
    Unmute,
    /// Removes the policy.
    NoPolicy,
    /// Removes the organiser.
    RemoveOrganiser,
    /// Removes another member.
    RemoveOther,
    /// Gives the committer a key that nobody can encrypt to, so that no commit with a path would be possible.
    UnusableKey,
    /// Gives the committer a leaf of 60 kB, so that the tree would be too long for joiners.
    LongLeaf,
    /// Of a co-organiser, with the authority's signature: makes it the organiser.
    SignedTakeOver,
    /// Of a co-organiser, with the authority's signature: makes another member a co-organiser.
    SignedPromotion,
    /// Of a co-organiser, with the authority's signature: takes over, bars the organiser and removes it.
    SignedBar,
}

impl Breach {
    /// What a guest tries.
    pub const OF_GUESTS: [Self; 12] = [
        Self::Add,
        Self::Rename,
        Self::Renumber,
        Self::Promote,
        Self::TakeOver,
        Self::OwnAuthority,
        Self::Unmute,
        Self::NoPolicy,
        Self::RemoveOrganiser,
        Self::RemoveOther,
        Self::UnusableKey,
        Self::LongLeaf,
    ];

    /// What a co-organiser tries, who has the keys of the meeting.
    pub const OF_CO_ORGANISERS: [Self; 4] =
        [Self::RemoveOrganiser, Self::SignedTakeOver, Self::SignedPromotion, Self::SignedBar];

    /// Returns what the commit does, for a table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Add => "adds an accomplice",
            Self::Rename => "renames itself",
            Self::Renumber => "takes the organiser's id",
            Self::Promote => "makes itself a co-organiser",
            Self::TakeOver => "makes itself the organiser",
            Self::OwnAuthority => "makes itself the organiser by an authority of its own",
            Self::Unmute => "unmutes itself",
            Self::NoPolicy => "removes the policy",
            Self::RemoveOrganiser => "removes the organiser",
            Self::RemoveOther => "removes another member",
            Self::UnusableKey => "gives itself a key that nobody can encrypt to",
            Self::LongLeaf => "gives itself a leaf of 60 kB",
            Self::SignedTakeOver => "makes itself the organiser, signed",
            Self::SignedPromotion => "makes another member a co-organiser, signed",
            Self::SignedBar => "takes over and bars the organiser, signed",
        }
    }
}

/// How a co-organiser tries to be rid of the organiser, and to succeed it. The server obeys each command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Succession {
    /// It expels the organiser.
    ExpelAndSucceed,
    /// It says that the last commit is void, and that it was the organiser's: who has merged it would leave.
    VoidAndSucceed,
    /// It says that the group is another one: who is not in it would leave.
    BeaconAndSucceed,
}

impl Succession {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::ExpelAndSucceed, Self::VoidAndSucceed, Self::BeaconAndSucceed];

    /// Returns what it does, for a table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ExpelAndSucceed => "expels the organiser and succeeds it",
            Self::VoidAndSucceed => "voids a valid commit and succeeds the organiser",
            Self::BeaconAndSucceed => "names another group and succeeds the organiser",
        }
    }
}

/// Returns the commands of a co-organiser. The last one is the signed commit that removes the organiser and makes this client the
/// organiser. `None` if this client is no member, has a commit pending, or lacks the keys.
#[must_use]
pub fn succeed(meeting: &mut Meeting, how: Succession) -> Option<Vec<Up>> {
    let Phase::Member(joined) = &mut meeting.phase else { return None };
    let manager = meeting.manager.as_mut()?;
    let (members, own, epoch) = (joined.log.group().members(), joined.log.group().me(), joined.log.epoch());
    let me = members.iter().find(|member| member.leaf == own)?;
    let organiser = members.iter().find(|member| member.role == Role::Organiser)?;
    let edit = PolicyEdit::HandOver(me.device, me.participant);
    let policy = edits::edited_policy(joined.log.group().policy(), &[edit], false, manager.keys_mut()).ok()?;
    let changes = Changes { remove: vec![organiser.leaf], policy: Some(policy), ..Changes::default() };
    let blob = Blob(joined.log.group_mut().commit(changes).ok()?.commit);
    joined.log.group_mut().clear_pending_commit();
    let participant = organiser.participant;
    let first = match how {
        Succession::ExpelAndSucceed => ManagerCommand::Expel { participant },
        Succession::VoidAndSucceed => ManagerCommand::Void { epoch: Epoch(epoch.0.checked_sub(1)?), participant },
        Succession::BeaconAndSucceed => ManagerCommand::Beacon { epoch, mls_epoch: 0, transcript: [7; 32] },
    };
    let commit = ManagerCommand::Commit { epoch, blob, removed: vec![participant], rotation: None };
    Some([first, commit].map(|command| manager.command(&command, Vec::new())).into())
}

/// Returns a commit that breaks a rule, as a member sends it that is no manager: the server sees a commit that removes nobody. `None`
/// if this client is no member, has a commit pending, or lacks the keys.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "it is a hostile client")]
pub fn commit(meeting: &mut Meeting, breach: Breach, now: SystemTime) -> Option<Up> {
    let identity = &meeting.entrant.identity;
    let Phase::Member(joined) = &mut meeting.phase else { return None };
    let (members, own) = (joined.log.group().members(), joined.log.group().me());
    let me = members.iter().find(|member| member.leaf == own)?.clone();
    let organiser = members.iter().find(|member| member.role == Role::Organiser)?.clone();
    let other = members.iter().find(|member| member.leaf != own && !member.role.is_manager());
    let policy = joined.log.group().policy().clone();
    let id = (me.device, me.participant);
    let unsigned = |edit| Some(Forbidden::Policy(Box::new(unsigned_policy(&policy, &[edit])?), Vec::new()));
    let forbidden = match breach {
        Breach::Add => Forbidden::Add(ParticipantId(u64::MAX - 1)),
        Breach::Rename => Forbidden::Rename(Profile::new(&organiser.name).ok()?),
        Breach::Renumber => Forbidden::Renumber(organiser.participant),
        Breach::Promote => unsigned(PolicyEdit::SetRole(id.0, id.1, Role::CoOrganiser))?,
        Breach::TakeOver => unsigned(PolicyEdit::HandOver(id.0, id.1))?,
        Breach::OwnAuthority => {
            let keys = ManagerKeys::new().ok()?;
            Forbidden::Policy(Box::new(crypto::vectors::first_policy(id.0, id.1, &keys)?), Vec::new())
        }
        Breach::Unmute => unsigned(PolicyEdit::Grant(id.0, id.1, Rights::MICROPHONE))?,
        Breach::NoPolicy => Forbidden::NoPolicy,
        Breach::RemoveOrganiser => Forbidden::Remove(vec![organiser.leaf]),
        Breach::RemoveOther => Forbidden::Remove(vec![other?.leaf]),
        Breach::UnusableKey => Forbidden::Update(Flaw::LeafKey(vec![1; 7])),
        Breach::LongLeaf => Forbidden::Update(Flaw::Extension(60_000)),
        Breach::SignedTakeOver | Breach::SignedPromotion | Breach::SignedBar => {
            let keys = meeting.manager.as_mut()?.keys_mut();
            signed(breach, &policy, (&me, &organiser, other?), keys)?
        }
    };
    let blob = forge(joined.log.group_mut(), identity, forbidden, now).ok()?;
    Some(Up::Commit { epoch: joined.log.epoch(), blob: Blob(blob), removed: Vec::new(), welcome: None })
}

/// Returns a change with a policy that the authority has signed.
fn signed(
    breach: Breach,
    policy: &MeetingPolicy,
    (me, organiser, other): (&Member, &Member, &Member),
    keys: &mut ManagerKeys,
) -> Option<Forbidden> {
    let take_over = PolicyEdit::HandOver(me.device, me.participant);
    let (edits, removed) = match breach {
        Breach::SignedPromotion => {
            (vec![PolicyEdit::SetRole(other.device, other.participant, Role::CoOrganiser)], Vec::new())
        }
        Breach::SignedBar => (vec![take_over, PolicyEdit::Bar(organiser.device)], vec![organiser.leaf]),
        Breach::SignedTakeOver
        | Breach::Add
        | Breach::Rename
        | Breach::Renumber
        | Breach::Promote
        | Breach::TakeOver
        | Breach::OwnAuthority
        | Breach::Unmute
        | Breach::NoPolicy
        | Breach::RemoveOrganiser
        | Breach::RemoveOther
        | Breach::UnusableKey
        | Breach::LongLeaf => (vec![take_over], Vec::new()),
    };
    let policy = edits::edited_policy(policy, &edits, false, keys).ok()?;
    Some(Forbidden::Policy(Box::new(policy), removed))
}
