//! Who updates its keys, so that the nodes of the group's tree have keys again.
//!
//! A commit with a path encrypts one secret for each node in the resolution of its copath (RFC 9420, section 7.5): for one node at
//! each level if all nodes have keys, but for every member below a blank node. Members that are added leave their nodes blank, or
//! are unmerged there, and a removal blanks the path of its leaf. An update gives all nodes above its leaf new keys. Every
//! member decides from the same tree who is next, the highest blank node first.

use super::Group;
use crate::Leaf;
use openmls::prelude::MlsGroup;
use openmls::prelude::tls_codec::{Deserialize as _, Serialize as _, VLBytes};
use openmls::treesync::ParentNode;
use std::cmp::Reverse;
use std::ops::Range;

/// Returns the members that should update their keys next ([`Group::refresh`]), so that commits get shorter, at most four: the
/// first one at once, and each other one if those before it do not. Only leaves that are `present` are chosen. All members
/// of an epoch get the same answer. Empty if there is nothing to gain.
pub fn fillers(group: &Group, present: &dyn Fn(Leaf) -> bool) -> Vec<Leaf> {
    Shape::of(&group.mls).fillers(present)
}

/// The nodes of a tree, as far as the cost of a commit depends on them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shape {
    /// Which leaves have an owner. Their number is a power of two.
    leaves: Vec<bool>,
    /// The number of unmerged leaves of each parent node, from left to right. `None` if it is blank.
    parents: Vec<Option<usize>>,
}

impl Shape {
    fn of(mls: &MlsGroup) -> Self {
        let tree = mls.treesync();
        let leaves: Vec<_> = tree.leaves().iter().map(Option::is_some).collect();
        let mut parents = vec![None; leaves.len().saturating_sub(1)];
        for (index, node) in tree.full_parents() {
            if let Some(parent) = parents.get_mut(index.u32() as usize) {
                *parent = Some(unmerged(node));
            }
        }
        Self { leaves, parents }
    }

    /// Returns the next members whose updates are worth their cost, at most [`MAX_FILLERS`]. The first one is the next. The others
    /// are those that come next if it has updated its keys. Only leaves that are `present` count. Empty if there is nothing to gain.
    fn fillers(&self, present: &dyn Fn(Leaf) -> bool) -> Vec<Leaf> {
        let mut needy: Vec<bool> = (0..self.parents.len()).map(|node| self.needs_update(node)).collect();
        let mut order: Vec<usize> = (0..needy.len()).filter(|node| needy[*node]).collect();
        order.sort_by_key(|node| (Reverse(level(*node)), *node));
        let mut fillers = Vec::new();
        for node in order {
            if fillers.len() == MAX_FILLERS {
                break;
            }
            if !needy[node] {
                continue;
            }
            let gain = |leaf: usize| self.path(leaf).filter(|above| needy[*above]).count();
            let candidates = below(node).filter(|leaf| self.leaves[*leaf] && present(of_index(*leaf)));
            let Some(best) = candidates.max_by_key(|leaf| (gain(*leaf), Reverse(*leaf))) else { continue };
            self.path(best).for_each(|above| needy[above] = false);
            fillers.push(of_index(best));
        }
        fillers
    }

    /// Returns true if the resolution of a parent node is so large that it is worth an update.
    fn needs_update(&self, node: usize) -> bool {
        let members = |leaves: Range<usize>| self.leaves[leaves].iter().filter(|owned| **owned).count();
        let Range { start, end } = below(node);
        let middle = usize::midpoint(start, end);
        let (left, right) = (members(start..middle), members(middle..end));
        // A node with an empty side is never given a key (RFC 9420, section 4.1.2).
        left > 0
            && right > 0
            && left + right >= MIN_MEMBERS
            && self.parents[node].is_none_or(|unmerged| unmerged >= MIN_MEMBERS)
    }

    /// Returns the parent nodes above a leaf, from the lowest one.
    fn path(&self, leaf: usize) -> impl Iterator<Item = usize> {
        let levels = self.leaves.len().trailing_zeros();
        (1..=levels).map(move |level| (leaf >> level << level) + (1 << (level - 1)) - 1)
    }
}

/// Returns the level of a parent node: 1 above two leaves.
const fn level(node: usize) -> u32 {
    node.trailing_ones() + 1
}

/// Returns the leaves below a parent node.
pub(super) const fn below(node: usize) -> Range<usize> {
    let start = node + 1 - (1 << (level(node) - 1));
    start..start + (1 << level(node))
}

fn of_index(leaf: usize) -> Leaf {
    Leaf(u32::try_from(leaf).unwrap_or(u32::MAX))
}

/// Returns the number of unmerged leaves of a parent node, which have 4 bytes each.
fn unmerged(node: &ParentNode) -> usize {
    field(node, 2).map_or(0, |leaves| leaves.len() / 4)
}

/// Returns a field of a parent node. openmls shows them only in the encoding (RFC 9420, section 7.1): key, parent hash and unmerged leaves.
pub(super) fn field(node: &ParentNode, number: usize) -> Option<Vec<u8>> {
    let bytes = node.tls_serialize_detached().ok()?;
    let mut rest = bytes.as_slice();
    let mut fields = (0..3).map(|_| VLBytes::tls_deserialize(&mut rest));
    fields.nth(number)?.ok().map(|bytes| bytes.as_slice().to_vec())
}

/// A node with fewer members below it costs so little that it may stay blank.
const MIN_MEMBERS: usize = 4;

/// How many members are determined at once. Each one after the first acts only if those before it do not.
const MAX_FILLERS: usize = 4;

#[cfg(test)]
mod tests;
