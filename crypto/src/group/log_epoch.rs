//! The epoch of the delivery service's log, which a committer tells to joiners: the MLS epoch and the number of rejected commits.

use super::Group;
use super::log_extension::log_epoch;
use proto::Epoch;

/// Sets the log's epoch before a commit of ours.
pub fn set(group: &mut Group, epoch: Epoch) {
    group.rejected = epoch.0.saturating_sub(group.epoch().0);
}

/// Returns the log's epoch, if no commit was rejected since this client entered or set it.
pub fn of(group: &Group) -> Epoch {
    log_epoch(&group.mls, group.rejected)
}

#[cfg(test)]
mod tests {
    use super::super::PendingCommit;
    use super::super::tests::{request, with_three_members};
    use super::*;

    #[test]
    fn a_joiner_learns_the_epoch_of_the_log_from_the_committer() {
        let (mut keys, mut groups) = with_three_members();
        let mls = groups[0].epoch().0;
        assert_eq!(of(&groups[2]), Epoch(mls), "no commit was rejected");
        // Three commits are rejected.
        set(&mut groups[0], Epoch(mls + 3));
        let (joiner, request) = request(&mut keys, 7);
        let PendingCommit { welcome, tree, .. } = groups[0].add(vec![request]).unwrap();
        groups[0].merge_pending_commit().unwrap();
        let mut entered = joiner.enter(&welcome.unwrap(), &tree.unwrap()).unwrap();
        assert_eq!((entered.epoch(), of(&entered)), (Epoch(mls + 1), Epoch(mls + 4)));
        let commit = entered.refresh().unwrap().commit;
        groups[0].process(&commit, &|_| None).unwrap();
        entered.merge_pending_commit().unwrap();
        assert_eq!((of(&entered), of(&groups[0])), (Epoch(mls + 5), Epoch(mls + 5)));
    }
}
