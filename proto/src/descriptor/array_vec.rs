//! A list of bounded length without an allocation.

use std::fmt;
use std::ops::Deref;

/// At most `N` items, stored inline.
#[derive(Clone, Copy)]
pub struct ArrayVec<T, const N: usize> {
    items: [T; N],
    length: usize,
}

impl<T: Copy + Default, const N: usize> ArrayVec<T, N> {
    /// Returns an empty list.
    pub fn new() -> Self {
        Self { items: [T::default(); N], length: 0 }
    }

    /// Returns a list of `items`, which must fit: `M` is at most `N`.
    pub fn of<const M: usize>(items: [T; M]) -> Self {
        const { assert!(M <= N, "the items fit") };
        let mut list = Self::new();
        list.items[..M].copy_from_slice(&items);
        list.length = M;
        list
    }

    /// Returns a list of the results of `count` calls of `item`. Returns `None` if a call does, or if `count` is above
    /// `N`.
    pub fn collect(count: u8, mut item: impl FnMut() -> Option<T>) -> Option<Self> {
        let mut list = Self::new();
        for _ in 0..count {
            list.push(item()?)?;
        }
        Some(list)
    }

    /// Appends `item`. Returns `None` if the list is full.
    pub fn push(&mut self, item: T) -> Option<()> {
        *self.items.get_mut(self.length)? = item;
        self.length += 1;
        Some(())
    }
}

impl<T: Copy + Default, const N: usize> Default for ArrayVec<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, const N: usize> Deref for ArrayVec<T, N> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items[..self.length]
    }
}

impl<T: PartialEq, const N: usize> PartialEq for ArrayVec<T, N> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Eq, const N: usize> Eq for ArrayVec<T, N> {}

impl<T: fmt::Debug, const N: usize> fmt::Debug for ArrayVec<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_list_refuses_items() {
        let mut list = ArrayVec::<u8, 2>::of([1]);
        assert_eq!((list.push(2), list.push(3)), (Some(()), None));
        assert_eq!(*list, [1, 2]);
        assert_eq!(ArrayVec::<u8, 2>::collect(3, || Some(0)), None);
    }
}
