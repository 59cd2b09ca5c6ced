//! An allocator that counts the allocations of each thread.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Calls the system's allocator and counts the calls.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[expect(unsafe_code, reason = "an allocator is unsafe by contract")]
// SAFETY: every call is passed to the system's allocator with the same arguments.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller upholds the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller upholds the contract of `dealloc`.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller upholds the contract of `realloc`.
        unsafe { System.realloc(block, layout, size) }
    }
}

fn count() {
    // Fails on a thread that is ending, whose count is not read any more.
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
}

/// Returns the number of allocations of this thread so far.
pub fn total() -> usize {
    ALLOCATIONS.get()
}

/// Returns the number of allocations of `work` on this thread.
pub fn allocations(work: impl FnOnce()) -> usize {
    let before = total();
    work();
    total() - before
}

/// Runs `work`, and adds its number of allocations on this thread to `count`.
pub fn counted<T>(count: &mut usize, work: impl FnOnce() -> T) -> T {
    let before = total();
    let result = work();
    *count += total() - before;
    result
}

#[test]
fn allocations_of_this_thread_are_counted() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 1);
    assert_eq!(allocations(|| ()), 0);
}
