//! An allocator that counts what each thread asks for.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Passes everything on to the system's allocator.
struct Counting;

thread_local! {
    static ASKED: Cell<usize> = const { Cell::new(0) };
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[expect(unsafe_code, reason = "an allocator is unsafe by contract")]
// SAFETY: everything is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(block, layout, size) }
    }
}

fn count() {
    // A thread that is ending has no counter any more, and nobody who reads it.
    let _ = ASKED.try_with(|asked| asked.set(asked.get() + 1));
}

/// How many times this thread has asked for memory since it began.
pub fn so_far() -> usize {
    ASKED.get()
}

/// How many times `work` asks for memory on this thread.
pub fn asked(work: impl FnOnce()) -> usize {
    let before = so_far();
    work();
    so_far() - before
}

/// Does `work`, and adds to `count` how many times it asks for memory on this thread.
pub fn counted<T>(count: &mut usize, work: impl FnOnce() -> T) -> T {
    let before = so_far();
    let result = work();
    *count += so_far() - before;
    result
}

#[test]
fn the_counter_counts() {
    assert_eq!(asked(|| drop(std::hint::black_box(Box::new(1)))), 1);
    assert_eq!(asked(|| ()), 0);
}
