use super::*;

impl Shape {
    /// Returns a tree with `members` that were all added at once.
    fn blank(members: usize) -> Self {
        let width = members.next_power_of_two();
        Self { leaves: (0..width).map(|leaf| leaf < members).collect(), parents: vec![None; width - 1] }
    }

    fn resolution(&self, node: usize) -> usize {
        match self.parents[node] {
            Some(unmerged) => 1 + unmerged,
            None => self.resolution_of(below(node)),
        }
    }

    fn resolution_of(&self, leaves: Range<usize>) -> usize {
        match leaves.len() {
            1 => usize::from(self.leaves[leaves.start]),
            length => {
                let middle = leaves.start + length / 2;
                let half = |range: Range<usize>| match range.len() {
                    1 => usize::from(self.leaves[range.start]),
                    length => self.resolution(range.start + length / 2 - 1),
                };
                half(leaves.start..middle) + half(middle..leaves.end)
            }
        }
    }

    /// Updates the keys of a leaf. Returns for how many nodes its commit encrypts a secret.
    fn update(&mut self, leaf: usize) -> usize {
        let mut secrets = 0;
        for node in self.path(leaf).collect::<Vec<_>>() {
            let Range { start, end } = below(node);
            let middle = usize::midpoint(start, end);
            let sibling = if leaf < middle { middle..end } else { start..middle };
            let resolution = match sibling.len() {
                1 => usize::from(self.leaves[sibling.start]),
                length => self.resolution(sibling.start + length / 2 - 1),
            };
            secrets += resolution;
            self.parents[node] = (resolution > 0).then_some(0);
        }
        secrets
    }

    /// Lets `by` remove a leaf. Returns for how many nodes its commit encrypts a secret.
    fn remove(&mut self, leaf: usize, by: usize) -> usize {
        self.leaves[leaf] = false;
        for node in self.path(leaf).collect::<Vec<_>>() {
            self.parents[node] = None;
        }
        self.update(by)
    }

    /// Lets the members update their keys in turn until there is nothing to gain. Returns the secrets of each commit.
    fn fill(&mut self) -> Vec<usize> {
        let mut commits = Vec::new();
        while let Some(next) = self.fillers(&|_| true).first() {
            commits.push(self.update(next.0 as usize));
            assert!(commits.len() <= self.leaves.len(), "each update fills a node");
        }
        commits
    }
}

#[test]
fn nodes_and_leaves_are_numbered_as_in_the_rfc() {
    assert_eq!([0, 1, 2, 3, 5].map(level), [1, 2, 1, 3, 2]);
    assert_eq!([0, 1, 2, 3, 5].map(below), [0..2, 0..4, 2..4, 0..8, 4..8]);
    assert_eq!(Shape::blank(8).path(5).collect::<Vec<_>>(), [4, 5, 3]);
}

#[test]
fn the_highest_blank_nodes_are_filled_first() {
    let mut shape = Shape::blank(64);
    let leaves = |shape: &Shape| shape.fillers(&|_| true).iter().map(|leaf| leaf.0).collect::<Vec<_>>();
    assert_eq!(leaves(&shape), [0, 32, 16, 48]);
    assert_eq!(shape.update(0), 63);
    assert_eq!(leaves(&shape), [32, 16, 48, 8]);
    assert_eq!(shape.update(32), 32, "the left half has a key");
}

#[test]
fn after_the_schedule_every_removal_is_cheap() {
    for (members, most) in [(33, 11), (100, 14), (1_000, 20)] {
        let mut shape = Shape::blank(members);
        assert_eq!(shape.clone().remove(members - 1, 0), members - 2);
        let commits = shape.fill();
        assert!(commits.len() <= members.div_ceil(4), "{} updates of {members}", commits.len());
        let secrets: usize = commits.iter().sum();
        let levels = members.next_power_of_two().ilog2() as usize;
        assert!(secrets <= members * levels + commits.len() * levels, "{secrets} secrets of {members}");
        for removed in 1..members {
            let cost = shape.clone().remove(removed, 0);
            assert!(cost <= most, "the removal of {removed} of {members} costs {cost}");
        }
    }
}

#[test]
fn one_update_repairs_what_a_removal_has_blanked() {
    let mut shape = Shape::blank(256);
    shape.fill();
    for removed in [200, 37, 101] {
        shape.remove(removed, 0);
        assert!(shape.fill().len() <= 2, "the removal of {removed}");
    }
}

#[test]
fn members_that_are_not_present_are_left_out() {
    let shape = Shape::blank(64);
    let fillers = shape.fillers(&|leaf| leaf.0 != 0 && leaf.0 < 32);
    assert_eq!(fillers.iter().map(|leaf| leaf.0).collect::<Vec<_>>(), [1, 16, 8, 24]);
    assert!(shape.fillers(&|_| false).is_empty());
}

#[test]
fn nodes_with_an_empty_side_and_few_unmerged_leaves_need_no_update() {
    let mut shape = Shape::blank(5);
    shape.update(0);
    assert!(shape.fillers(&|_| true).is_empty(), "the node above leaf 4 alone stays blank: {shape:?}");
    let mut shape = Shape::blank(8);
    shape.fill();
    shape.parents[3] = Some(3);
    assert!(shape.fillers(&|_| true).is_empty());
    shape.parents[3] = Some(4);
    assert_eq!(shape.fillers(&|_| true), [Leaf(0)]);
}
