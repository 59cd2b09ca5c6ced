//! The sealed ratchet tree that a member sends in parts before a commit that admits others.
//!
//! The parts are encoded once, and all joiners of the commit share them: a part uses memory until the last of them has read it.

use crate::quota::MAX_TREE_AGE;
use bytes::Bytes;
use proto::{Blob, Down, MAX_TREE, MAX_TREE_PART, Problem, Welcome};
use std::time::Instant;

/// The parts that one member has sent so far.
#[derive(Debug, Default)]
pub struct Tree {
    /// Encoded [`Down::Tree`] messages.
    parts: Vec<Bytes>,
    /// Bytes of the sealed tree.
    length: usize,
    /// When the last part came.
    since: Option<Instant>,
}

/// The Welcomes of a commit, and the tree for their receivers.
#[derive(Debug, Default)]
pub struct Welcomes {
    pub list: Vec<Welcome>,
    pub tree: Tree,
}

impl Tree {
    /// Adds a part. The first one replaces what was there. All parts but the last one are full, so they are few.
    ///
    /// # Errors
    /// Returns [`Problem::Malformed`] if a part before is missing or not full, or the tree is longer than [`MAX_TREE`].
    pub fn add(&mut self, first: bool, part: Blob, now: Instant) -> Result<(), Problem> {
        if first {
            *self = Self::default();
        }
        let continues = !self.parts.is_empty() && self.length.is_multiple_of(MAX_TREE_PART);
        self.length += part.0.len();
        if !first && !continues || self.length > MAX_TREE {
            *self = Self::default();
            return Err(Problem::Malformed);
        }
        self.parts.push(proto::encode(&Down::Tree { part }).into());
        self.since = Some(now);
        Ok(())
    }

    /// Drops the parts if no message with Welcomes has followed them.
    pub fn expire(&mut self, now: Instant) {
        if self.since.is_some_and(|since| since + MAX_TREE_AGE <= now) {
            *self = Self::default();
        }
    }

    /// Returns the length of the sealed tree in bytes.
    pub fn length(&self) -> u32 {
        u32::try_from(self.length).unwrap_or(u32::MAX)
    }

    /// Returns the messages for a joiner.
    pub fn parts(&self) -> &[Bytes] {
        &self.parts
    }
}
