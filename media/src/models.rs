//! Loom models of the hand-offs between threads: the orders in which their steps can fall are played, and a thread that
//! waits for what never comes fails the model.
//!
//! Waits with a deadline are not played, since loom has no time. `cargo xtask test` runs these with `--cfg loom`.

use crate::{ByteSize, Full, Mailbox, Notify, Sender, bounded};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

/// Plays every order in which a thread is interrupted at most `INTERRUPTIONS` times where it could have gone on.
fn play(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(INTERRUPTIONS);
    builder.check(model);
}

/// Enough for what goes wrong between three threads; without a bound the queues' models run for minutes.
const INTERRUPTIONS: usize = 3;

/// An item of some weight that counts how many of its kind have been dropped.
struct Parcel {
    number: usize,
    weight: usize,
    dropped: Arc<AtomicUsize>,
}

impl ByteSize for Parcel {
    fn byte_size(&self) -> usize {
        self.weight
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

fn parcel(number: usize, weight: usize, dropped: &Arc<AtomicUsize>) -> Parcel {
    Parcel { number, weight, dropped: Arc::clone(dropped) }
}

fn counter() -> Arc<AtomicUsize> {
    Arc::new(AtomicUsize::new(0))
}

#[test]
fn a_mailbox_reader_gets_the_newest_and_then_learns_of_the_end() {
    play(|| {
        let mailbox = Mailbox::new();
        let writer = mailbox.clone();
        let writer = thread::spawn(move || {
            let replaced = (1..=3).filter(|number| writer.put(*number).is_some()).count();
            writer.close();
            replaced
        });
        let read: Vec<u32> = std::iter::from_fn(|| mailbox.take()).collect();
        let replaced = writer.join().unwrap();
        assert_eq!(read.last(), Some(&3), "the newest is never lost");
        assert!(read.is_sorted_by(|one, next| one < next), "{read:?}");
        assert_eq!(read.len() + replaced, 3, "each was read or handed back");
        assert_eq!(mailbox.replaced(), u64::try_from(replaced).unwrap());
    });
}

#[test]
fn what_is_put_while_a_mailbox_closes_is_read_or_handed_back() {
    play(|| {
        let mailbox = Mailbox::new();
        let (writer, closer) = (mailbox.clone(), mailbox.clone());
        let writer = thread::spawn(move || writer.put(7).is_some());
        let closer = thread::spawn(move || closer.close());
        let read = mailbox.take();
        let handed_back = writer.join().unwrap();
        closer.join().unwrap();
        assert_eq!(mailbox.take(), None);
        assert_ne!(read.is_some(), handed_back);
    });
}

#[test]
fn two_writers_of_a_mailbox_lose_nothing() {
    play(|| {
        let mailbox = Mailbox::new();
        let put = |number: u32| {
            let mailbox = mailbox.clone();
            thread::spawn(move || mailbox.put(number))
        };
        let writers = [put(1), put(2)];
        let first = mailbox.take();
        let pushed_out = writers.map(|writer| writer.join().unwrap());
        let mut seen: Vec<u32> = pushed_out.into_iter().chain([first, mailbox.try_take()]).flatten().collect();
        seen.sort_unstable();
        assert_eq!(seen, [1, 2]);
    });
}

#[test]
fn a_queue_hands_on_what_every_sender_sent_and_then_ends() {
    play(|| {
        let (dropped, (sender, receiver)) = (counter(), bounded(10));
        let send = |sender: Sender<Parcel>, numbers: [usize; 2]| {
            let dropped = Arc::clone(&dropped);
            thread::spawn(move || {
                for number in numbers {
                    assert!(sender.try_send(parcel(number, 1, &dropped)).is_ok(), "there is room for all");
                }
            })
        };
        let senders = [send(sender.clone(), [1, 2]), send(sender, [11, 12])];
        let read: Vec<usize> = std::iter::from_fn(|| receiver.recv()).map(|parcel| parcel.number).collect();
        assert!(receiver.is_ended());
        for sender in senders {
            sender.join().unwrap();
        }
        let of = |range: std::ops::Range<usize>| read.iter().copied().filter(move |number| range.contains(number));
        assert_eq!((of(0..10).collect(), of(10..20).collect()), (vec![1, 2], vec![11, 12]));
    });
}

#[test]
fn a_queue_hands_back_what_finds_no_room_and_weighs_right_afterwards() {
    play(|| {
        let (dropped, (sender, receiver)) = (counter(), bounded(2));
        let writer = {
            let dropped = Arc::clone(&dropped);
            thread::spawn(move || {
                let refused = |number: &usize| sender.try_send(parcel(*number, 1, &dropped)).is_err();
                let refused = (1..=3).filter(refused).count();
                (refused, sender)
            })
        };
        let mut read = usize::from(receiver.try_recv().is_some());
        let (refused, sender) = writer.join().unwrap();
        read += std::iter::from_fn(|| receiver.try_recv()).count();
        assert_eq!(read + refused, 3);
        assert_eq!(dropped.load(Ordering::Relaxed), 3);
        // Empty again: its whole weight is free, and no more than that.
        let free = [1, 2, 3].map(|number| sender.try_send(parcel(number, 1, &dropped)).is_ok());
        assert_eq!(free, [true, true, false]);
    });
}

#[test]
fn a_queue_whose_reader_leaves_keeps_nothing() {
    play(|| {
        let (dropped, (sender, receiver)) = (counter(), bounded(10));
        let reader = thread::spawn(move || drop(receiver));
        let sent = sender.try_send(parcel(1, 1, &dropped));
        let handed_back = sent.is_err_and(|Full(parcel)| parcel.number == 1);
        reader.join().unwrap();
        assert!(sender.is_closed());
        assert_eq!(dropped.load(Ordering::Relaxed), 1, "dropped by the queue, or handed back: {handed_back}");
        assert!(sender.try_send(parcel(2, 1, &dropped)).is_err());
    });
}

#[test]
fn a_bell_wakes_the_reader_of_two_queues_for_each_item_and_each_end() {
    play(|| {
        let (dropped, notify) = (counter(), Notify::new());
        let queues = [1, 2].map(|number| {
            let (sender, receiver) = bounded(10);
            receiver.notify_on(notify.clone());
            let dropped = Arc::clone(&dropped);
            let sender = thread::spawn(move || sender.try_send(parcel(number, 1, &dropped)).is_ok());
            (sender, receiver)
        });
        let mut read = 0;
        while queues.iter().any(|(_, receiver)| !receiver.is_ended()) {
            notify.wait();
            read += queues.iter().filter(|(_, receiver)| receiver.try_recv().is_some()).count();
        }
        assert_eq!(read, 2);
        for (sender, _) in queues {
            assert!(sender.join().unwrap());
        }
    });
}

#[test]
fn no_ring_of_a_bell_is_lost() {
    play(|| {
        let (notify, done) = (Notify::new(), counter());
        let ringers = [(); 2].map(|()| {
            let (notify, done) = (notify.clone(), Arc::clone(&done));
            thread::spawn(move || {
                done.fetch_add(1, Ordering::Release);
                notify.notify();
            })
        });
        while done.load(Ordering::Acquire) < 2 {
            notify.wait();
        }
        for ringer in ringers {
            ringer.join().unwrap();
        }
    });
}
