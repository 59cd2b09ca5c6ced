//! The cost of joins, removals and key updates in groups of 2 to 1,000 members: processor time and bytes.
//!
//! Only the organiser and up to three receivers hold the state of the group. In the *blank* group, the others were added a hundred at a
//! time, so no node above them has a key. The *filled* group is one in which the schedule of [`filling::fillers`] has nothing more to do:
//! one of each four new members updates its keys as soon as it is added, and is dropped then.

use crate::bench::row::{Comparison, Row, median, process_cpu_ms};
use anyhow::{Context, Result, ensure};
use crypto::group::filling;
use crypto::{Group, Identity, Joiner, KnockRequest, Leaf, ManagerKeys, PendingCommit, Profile};
use proto::{MAX_WELCOMES, ParticipantId};
use std::time::SystemTime;

/// Measures groups of these sizes.
///
/// # Errors
/// Returns an error if an operation of a group fails.
pub fn rows(sizes: &[usize]) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for &size in sizes {
        let (mut blank, last_batch) = Bench::blank(size)?;
        rows.extend(last_batch.rows(size));
        rows.extend(blank.removal()?.rows(size, "blank", false));
        let mut filled = Bench::filled(size)?;
        rows.extend(filled.removal()?.rows(size, "filled", true));
        rows.extend(filled.join()?.rows(size));
    }
    Ok(rows)
}

/// The organiser's group, and the receivers'.
pub struct Bench {
    /// The organiser's keys.
    pub keys: ManagerKeys,
    /// The organiser's group.
    pub organiser: Group,
    /// The groups of some other members.
    pub receivers: Vec<Group>,
    next: u64,
}

/// The cost of a removal.
struct Removal {
    sender_ms: f64,
    /// Of each of several victims, in order.
    bytes: Vec<f64>,
    /// `None` without receivers.
    receiver_ms: Option<f64>,
}

/// The cost of one commit that adds members.
struct Join {
    joiners: usize,
    sender_ms: f64,
    commit_bytes: usize,
    welcome_bytes: usize,
    tree_bytes: usize,
    receiver_ms: Option<f64>,
    /// The cost of one joiner; `None` if none has entered.
    joiner_ms: Option<f64>,
}

impl Bench {
    fn new() -> Result<Self> {
        let (keys, profile) = (ManagerKeys::new()?, Profile::new("Organiser")?);
        let organiser = Group::create(&Identity::generate()?, profile, ParticipantId(0), &keys, SystemTime::now())?;
        Ok(Self { keys, organiser, receivers: Vec::new(), next: 1 })
    }

    /// Returns a group of `size` members, and the cost of the last commit that added some.
    fn blank(size: usize) -> Result<(Self, Join)> {
        let (mut bench, mut left, mut last) = (Self::new()?, size - 1, None);
        while left > 0 {
            let batch = left.min(MAX_WELCOMES);
            left -= batch;
            // Members of the first and of the last batch.
            let receivers = if bench.receivers.is_empty() {
                1
            } else if left == 0 {
                2
            } else {
                0
            };
            last = Some(bench.admit(batch, receivers)?);
        }
        Ok((bench, last.context("a group has at least two members")?))
    }

    /// Returns a group of `size` members in whose tree no update is due.
    ///
    /// # Errors
    /// Returns an error if an operation of the group fails.
    pub fn filled(size: usize) -> Result<Self> {
        let (mut bench, mut count) = (Self::new()?, 1);
        while count < size {
            let batch = (4 - count % 4).min(size - count);
            count += batch;
            let is_receiver = bench.receivers.len() < RECEIVERS && count * RECEIVERS > size * bench.receivers.len();
            bench.admit(batch, 1)?;
            let mut filler = bench.receivers.pop().context("it is the last one")?;
            let update = filler.refresh()?;
            filler.merge_pending_commit()?;
            bench.merge(&update.commit, true)?;
            if is_receiver {
                bench.receivers.push(filler);
            }
        }
        let update = bench.organiser.refresh()?;
        bench.organiser.merge_pending_commit()?;
        bench.merge(&update.commit, false)?;
        ensure!(filling::fillers(&bench.organiser, &|_| true).is_empty(), "an update is due");
        Ok(bench)
    }

    /// Adds `count` members with one commit. The last `entering` of them become receivers.
    fn admit(&mut self, count: usize, entering: usize) -> Result<Join> {
        let (mut joiners, mut requests) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let (joiner, request) = self.knock()?;
            joiners.push(joiner);
            requests.push(request);
        }
        let (pending, mut sender_ms) = process_cpu_ms(|| self.organiser.add(requests));
        let PendingCommit { commit, welcome, tree, .. } = pending?;
        let (merged, merge_ms) = process_cpu_ms(|| self.organiser.merge_pending_commit());
        merged?;
        sender_ms += merge_ms;
        let receiver_ms = process(&mut self.receivers, &commit)?;
        let (welcome, tree) = (welcome.context("a Welcome")?, tree.context("a tree")?);
        let mut joiner_ms = Vec::new();
        for joiner in joiners.split_off(count.saturating_sub(entering)) {
            let (group, ms) = process_cpu_ms(|| joiner.enter(&welcome, &tree));
            self.receivers.push(group?);
            joiner_ms.push(ms);
        }
        let joiner_ms = (!joiner_ms.is_empty()).then(|| median(joiner_ms));
        let (commit_bytes, welcome_bytes, tree_bytes) = (commit.len(), welcome.len(), tree.len());
        Ok(Join { joiners: count, sender_ms, commit_bytes, welcome_bytes, tree_bytes, receiver_ms, joiner_ms })
    }

    fn knock(&mut self) -> Result<(Joiner, KnockRequest)> {
        let (link, chain, now) =
            (self.keys.invitation("bench", 1, None), self.keys.chain().encode(), SystemTime::now());
        let (identity, profile) = (Identity::generate()?, Profile::new(&format!("Member {:04}", self.next))?);
        let participant = ParticipantId(self.next);
        self.next += 1;
        let (joiner, request) =
            crypto::knock(&link, self.keys.public_key(), &chain, &identity, profile, participant, now)?;
        Ok((joiner, self.keys.open(&request, now)?))
    }

    /// Adds one member to the group.
    fn join(&mut self) -> Result<Join> {
        self.admit(1, 1)
    }

    /// Returns the leaves whose owners are neither the organiser nor receivers: the first, some in between and the last one.
    fn victims(&self) -> Vec<Leaf> {
        let kept: Vec<Leaf> = self.receivers.iter().chain([&self.organiser]).map(Group::me).collect();
        let others = self.organiser.members().into_iter().map(|member| member.leaf);
        let others: Vec<Leaf> = others.filter(|leaf| !kept.contains(leaf)).collect();
        let last = others.len().saturating_sub(1);
        let mut victims: Vec<Leaf> =
            (0..VICTIMS).filter_map(|part| others.get(last * part / (VICTIMS - 1)).copied()).collect();
        victims.dedup();
        victims
    }

    /// Stages the removal of several members, one after the other, and removes the one in the middle.
    fn removal(&mut self) -> Result<Removal> {
        let mut victims = self.victims();
        if victims.is_empty() {
            victims.extend(self.receivers.pop().map(|receiver| receiver.me()));
        }
        let (mut sender_ms, mut bytes) = (Vec::new(), Vec::new());
        for victim in &victims {
            let (staged, ms) = process_cpu_ms(|| self.organiser.remove(&[*victim]));
            sender_ms.push(ms);
            bytes.push(to_f64(staged?.commit.len()));
            self.organiser.clear_pending_commit();
        }
        let middle = *victims.get(victims.len() / 2).context("somebody is removed")?;
        let pending = self.organiser.remove(&[middle])?;
        let (merged, merge_ms) = process_cpu_ms(|| self.organiser.merge_pending_commit());
        merged?;
        let receiver_ms = process(&mut self.receivers, &pending.commit)?;
        Ok(Removal { sender_ms: median(sender_ms) + merge_ms, bytes, receiver_ms })
    }

    /// Lets the others merge a commit of one of the receivers, which was taken out, or of the organiser.
    fn merge(&mut self, commit: &[u8], to_organiser: bool) -> Result<()> {
        if to_organiser {
            self.organiser.process(commit, &|_| None)?;
        }
        process(&mut self.receivers, commit)?;
        Ok(())
    }
}

impl Removal {
    /// The goals are those of a filled tree.
    fn rows(&self, size: usize, tree: &str, has_goal: bool) -> Vec<Row> {
        let (ms, kilobytes, receiver_ms) = if size > 100 { LARGE } else { SMALL };
        let name = |what: &str| format!("{size} members, {tree} tree: remove one, {what}");
        let row = |what: &str, unit, value, limit: f64| {
            let peer = format!("limit: {limit} {unit}");
            if has_goal {
                Row::at_most(&name(what), unit, &peer, against(value, limit), 1.0)
            } else {
                Row::without_goal(&name(what), unit, &peer, against(value, limit))
            }
        };
        let median_bytes = median(self.bytes.clone()) / 1_000.0;
        let most = self.bytes.iter().copied().fold(0.0, f64::max) / 1_000.0;
        let mut rows = vec![
            row("sender", "ms", self.sender_ms, ms),
            row("commit", "kB", median_bytes, kilobytes),
            Row::without_goal(&name("longest commit"), "kB", "the median", against(most, median_bytes)),
        ];
        rows.extend(self.receiver_ms.map(|value| row("receiver", "ms", value, receiver_ms)));
        rows
    }
}

impl Join {
    fn rows(&self, size: usize) -> Vec<Row> {
        let joiners = self.joiners;
        let name = |what: &str| format!("{size} members: add {joiners}, {what}");
        let kilobytes = |bytes| to_f64(bytes) / 1_000.0;
        let whole = kilobytes(self.welcome_bytes + self.tree_bytes);
        let mut rows = vec![
            Row::at_most(&name("sender"), "ms", COMMIT_OF_JOINERS, against(self.sender_ms, COMMIT_OF_JOINERS_MS), 1.0),
            Row::without_goal(
                &name("commit"),
                "kB",
                "the Welcome and the tree",
                against(kilobytes(self.commit_bytes), whole),
            ),
            Row::without_goal(
                &name("Welcome"),
                "kB",
                "with the tree in it",
                against(kilobytes(self.welcome_bytes), whole),
            ),
        ];
        if let Some(ms) = self.receiver_ms {
            rows.push(Row::without_goal(&name("receiver"), "ms", "the sender", against(ms, self.sender_ms)));
        }
        if let Some(ms) = self.joiner_ms {
            rows.push(Row::without_goal(&name("joiner"), "ms", "the sender", against(ms, self.sender_ms)));
        }
        rows
    }
}

/// Lets all merge a commit. Returns the median of their processor times, in milliseconds; `None` if there is nobody.
fn process(groups: &mut [Group], commit: &[u8]) -> Result<Option<f64>> {
    let mut times = Vec::new();
    for group in groups {
        let (processed, ms) = process_cpu_ms(|| group.process(commit, &|_| None));
        processed?;
        times.push(ms);
    }
    Ok((!times.is_empty()).then(|| median(times)))
}

fn against(subject: f64, peer: f64) -> Comparison {
    Comparison { subject, peer, runs: 1 }
}

#[expect(clippy::cast_precision_loss, reason = "lengths of messages are small")]
fn to_f64(bytes: usize) -> f64 {
    bytes as f64
}

/// How many members follow all commits.
const RECEIVERS: usize = 3;

/// How many removals are staged.
const VICTIMS: usize = 5;

/// The goals of a removal at up to 100 members, and at 1,000: the sender's time in ms, the commit in kB, a receiver's time in ms.
const SMALL: (f64, f64, f64) = (8.0, 20.0, 3.0);
const LARGE: (f64, f64, f64) = (45.0, 40.0, 25.0);

/// A thousand people are admitted within 20 s, by at least ten commits.
const COMMIT_OF_JOINERS: &str = "limit: 20 s for ten commits";
const COMMIT_OF_JOINERS_MS: f64 = 2_000.0;
