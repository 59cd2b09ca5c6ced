use super::super::tests::{request, with_three_members};
use super::super::{Changes, Error, PendingCommit};
use super::*;
use crate::Leaf;

/// Returns whether `bytes` contain `part`.
fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Makes a tree from the right one.
type Changed<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;

#[test]
fn a_joiner_enters_with_the_tree_of_its_welcome_only() {
    let (mut keys, mut groups) = with_three_members();
    let mut admit = |groups: &mut Vec<super::super::Group>, number| {
        let (joiner, request) = request(&mut keys, number);
        let pending = groups[0].add(vec![request]).unwrap();
        groups[0].clear_pending_commit();
        let PendingCommit { welcome, tree, .. } = pending;
        (joiner, welcome.unwrap(), tree.unwrap())
    };
    let (_, _, other) = admit(&mut groups, 7);
    let enter = |(joiner, welcome, _): (crate::Joiner, Vec<u8>, _), tree: &[u8]| joiner.enter(&welcome, tree);
    let one = admit(&mut groups, 7);
    assert!(matches!(enter(one, &other), Err(Error::Tree)), "the tree of another commit");
    let one = admit(&mut groups, 7);
    assert!(matches!(enter(one, &[]), Err(Error::Tree)), "no tree");
    for at in [0, 100, 3_000] {
        let one = admit(&mut groups, 7);
        let mut tree = one.2.clone();
        tree[at] ^= 1;
        assert!(matches!(enter(one, &tree), Err(Error::Tree)), "byte {at} is changed");
    }
    let one = admit(&mut groups, 7);
    let tree = one.2.clone();
    assert_eq!(enter(one, &tree).unwrap().members().len(), 4);
}

/// A committer knows the key, and can seal anything with it.
#[test]
fn a_joiner_rejects_another_tree_that_is_sealed_with_the_right_key() {
    let key = Zeroizing::new([7; 32]);
    let (mut keys, mut groups) = with_three_members();
    let meeting = groups[0].meeting;
    let before = groups[0].mls.export_ratchet_tree().tls_serialize_detached().unwrap();
    let mut enter = |tree: &dyn Fn(&[u8]) -> Vec<u8>| {
        let (joiner, request) = request(&mut keys, 7);
        let (_, welcome, sealed) =
            groups[0].build(vec![request.into_key_package()], &[], None, false, &key).expect("it is staged");
        groups[0].clear_pending_commit();
        let right = open(&sealed.unwrap(), &key, meeting).unwrap().tls_serialize_detached().unwrap();
        joiner.enter(&welcome.unwrap(), &seal_bytes(&tree(&right), &key, meeting).unwrap())
    };
    assert_eq!(enter(&<[u8]>::to_vec).unwrap().members().len(), 4, "the right one");
    // The members are those of the commit only if the tree has the hash that the committer has signed.
    let wrong: [(&str, Changed); 4] = [
        ("the tree before the commit", &|_| before.clone()),
        ("a cut one", &|right| right[..right.len() - 1].to_vec()),
        ("none", &|_| Vec::new()),
        ("another key of a leaf", &|right| {
            // Length, presence and type of the node, and the length of its key.
            let mut tree = right.to_vec();
            tree[10] ^= 1;
            tree
        }),
    ];
    for (what, tree) in wrong {
        assert!(matches!(enter(tree), Err(Error::Malformed)), "{what}");
    }
}

#[test]
fn the_delivery_service_finds_no_name_and_no_key_in_a_sealed_tree() {
    let (mut keys, mut groups) = with_three_members();
    let (_, request) = request(&mut keys, 7);
    let pending = groups[0].add(vec![request]).unwrap();
    let plain = groups[0].mls.export_ratchet_tree();
    let device = groups[0].members()[0].device;
    let bytes = openmls::prelude::tls_codec::Serialize::tls_serialize_detached(&plain).unwrap();
    assert!(contains(&bytes, &device.0), "the tree contains the devices");
    assert!(!contains(&pending.tree.unwrap(), &device.0));
    assert!(!contains(&pending.welcome.unwrap(), &device.0));
}

#[test]
fn a_welcome_does_not_grow_with_the_group() {
    let (mut keys, mut groups) = with_three_members();
    let length = |group: &mut super::super::Group, request| group.add(vec![request]).unwrap().welcome.unwrap().len();
    let (_, first) = request(&mut keys, 7);
    let before = length(&mut groups[0], first);
    groups[0].merge_pending_commit().unwrap();
    let (_, second) = request(&mut keys, 8);
    assert_eq!(length(&mut groups[0], second), before);
}

#[test]
fn the_key_of_a_tree_is_overwritten_when_it_is_dropped() {
    const fn is_overwritten<T: zeroize::ZeroizeOnDrop>() {}
    is_overwritten::<TreeKey>();
}

#[test]
fn a_commit_without_joiners_has_no_tree() {
    let (_, mut groups) = with_three_members();
    let pending = groups[0].commit(Changes { remove: vec![Leaf(2)], ..Changes::default() }).unwrap();
    assert_eq!((pending.welcome, pending.tree), (None, None));
}
