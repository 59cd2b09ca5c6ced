//! What the leaves and the parent nodes of the group's tree may hold, beyond what MLS checks (RFC 9420, section 7.3).
//!
//! A commit with a path encrypts to all other members, and fails if one key cannot be encrypted to. So such a key must not get into the
//! tree. Each joiner receives the whole tree, so no node may be longer than its content needs.

use crate::credential::capabilities;
use crate::provider::is_public_key;
use openmls::prelude::tls_codec::{Deserialize as _, Error, Serialize, VLBytes};
use openmls::prelude::{KeyPackage, LeafNode};
use openmls::treesync::{ParentNode, TreeSync};

/// The reason why a node may not be in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidNode {
    /// Nobody can encrypt to the key.
    #[error("a key cannot be encrypted to")]
    Key,
    /// A leaf has other capabilities than all leaves, or extensions.
    #[error("a leaf has other capabilities or extensions than all have")]
    Content,
}

/// Checks the keys, capabilities and extensions of a key package. The caller verifies its credential.
pub(crate) fn check_package(package: &KeyPackage) -> Result<(), InvalidNode> {
    check_key(package.hpke_init_key().as_slice())?;
    if package.extensions().iter().next().is_some() {
        return Err(InvalidNode::Content);
    }
    check_leaf(package.leaf_node())
}

/// Checks key, capabilities and extensions of a leaf. The caller verifies its credential.
pub(crate) fn check_leaf(leaf: &LeafNode) -> Result<(), InvalidNode> {
    if *leaf.capabilities() != capabilities() || leaf.extensions().iter().next().is_some() {
        return Err(InvalidNode::Content);
    }
    check_key(first_vector(leaf.encryption_key()).map_err(|_| InvalidNode::Key)?.as_slice())
}

/// Checks the key of a parent node.
pub(crate) fn check_key(key: &[u8]) -> Result<(), InvalidNode> {
    if is_public_key(key) { Ok(()) } else { Err(InvalidNode::Key) }
}

/// Checks all nodes of a tree. At a thousand members this takes some milliseconds, so only a joiner does it, once.
pub(crate) fn check_tree(tree: &TreeSync) -> Result<(), InvalidNode> {
    tree.full_leaves().try_for_each(|(_, leaf)| check_leaf(leaf))?;
    tree.full_parents().try_for_each(|(_, node)| check_parent(node))
}

fn check_parent(node: &ParentNode) -> Result<(), InvalidNode> {
    check_key(first_vector(node).map_err(|_| InvalidNode::Key)?.as_slice())
}

/// Returns the first vector in the encoding of a value. openmls shows the keys of nodes only there (RFC 9420, section 7.1).
fn first_vector(value: &impl Serialize) -> Result<VLBytes, Error> {
    VLBytes::tls_deserialize(&mut value.tls_serialize_detached()?.as_slice())
}
