//! Loom models of the mailbox, the queue and the notification: they run under every thread schedule, and a deadlock
//! fails the model.
//!
//! Waits with a deadline are not modelled, because loom has no time. `cargo xtask test` runs these with `--cfg loom`.

use crate::{ByteSize, Full, Mailbox, Notify, Sender, bounded};
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

/// Runs `model` under every schedule with at most `MAX_PREEMPTIONS` preemptions.
fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(MAX_PREEMPTIONS);
    builder.check(model);
}

/// Enough to find errors between three threads. Without a bound the queue models run for minutes.
const MAX_PREEMPTIONS: usize = 3;

/// A queue item that increments a shared counter when it is dropped.
struct Item {
    number: usize,
    bytes: usize,
    dropped: Arc<AtomicUsize>,
}

impl ByteSize for Item {
    fn byte_size(&self) -> usize {
        self.bytes
    }
}

impl Drop for Item {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

fn item(number: usize, bytes: usize, dropped: &Arc<AtomicUsize>) -> Item {
    Item { number, bytes, dropped: Arc::clone(dropped) }
}

fn counter() -> Arc<AtomicUsize> {
    Arc::new(AtomicUsize::new(0))
}

#[test]
fn a_mailbox_reader_gets_the_newest_value_and_then_the_end() {
    check(|| {
        let mailbox = Mailbox::new();
        let writer = mailbox.clone();
        let writer = thread::spawn(move || {
            let replaced = (1..=3).filter(|number| writer.put(*number).is_some()).count();
            writer.close();
            replaced
        });
        let read: Vec<u32> = std::iter::from_fn(|| mailbox.take()).collect();
        let replaced = writer.join().unwrap();
        assert_eq!(read.last(), Some(&3), "the newest value is never lost");
        assert!(read.is_sorted_by(|one, next| one < next), "{read:?}");
        assert_eq!(read.len() + replaced, 3, "each value was read or returned");
        assert_eq!(mailbox.replaced(), u64::try_from(replaced).unwrap());
    });
}

#[test]
fn a_value_put_while_a_mailbox_closes_is_read_or_returned() {
    check(|| {
        let mailbox = Mailbox::new();
        let (writer, closer) = (mailbox.clone(), mailbox.clone());
        let writer = thread::spawn(move || writer.put(7).is_some());
        let closer = thread::spawn(move || closer.close());
        let read = mailbox.take();
        let returned = writer.join().unwrap();
        closer.join().unwrap();
        assert_eq!(mailbox.take(), None);
        assert_ne!(read.is_some(), returned);
    });
}

#[test]
fn no_value_of_two_mailbox_writers_is_lost() {
    check(|| {
        let mailbox = Mailbox::new();
        let put = |number: u32| {
            let mailbox = mailbox.clone();
            thread::spawn(move || mailbox.put(number))
        };
        let writers = [put(1), put(2)];
        let first = mailbox.take();
        let replaced = writers.map(|writer| writer.join().unwrap());
        let mut seen: Vec<u32> = replaced.into_iter().chain([first, mailbox.try_take()]).flatten().collect();
        seen.sort_unstable();
        assert_eq!(seen, [1, 2]);
    });
}

#[test]
fn a_queue_delivers_the_items_of_every_sender_and_then_ends() {
    check(|| {
        let (dropped, (sender, receiver)) = (counter(), bounded(10));
        let send = |sender: Sender<Item>, numbers: [usize; 2]| {
            let dropped = Arc::clone(&dropped);
            thread::spawn(move || {
                for number in numbers {
                    assert!(sender.try_send(item(number, 1, &dropped)).is_ok(), "all items fit");
                }
            })
        };
        let senders = [send(sender.clone(), [1, 2]), send(sender, [11, 12])];
        let read: Vec<usize> = std::iter::from_fn(|| receiver.recv()).map(|item| item.number).collect();
        assert!(receiver.is_ended());
        for sender in senders {
            sender.join().unwrap();
        }
        let of = |range: std::ops::Range<usize>| read.iter().copied().filter(move |number| range.contains(number));
        assert_eq!((of(0..10).collect(), of(10..20).collect()), (vec![1, 2], vec![11, 12]));
    });
}

#[test]
fn a_full_queue_returns_the_item_and_counts_bytes_correctly() {
    check(|| {
        let (dropped, (sender, receiver)) = (counter(), bounded(2));
        let writer = {
            let dropped = Arc::clone(&dropped);
            thread::spawn(move || {
                let refused = |number: &usize| sender.try_send(item(*number, 1, &dropped)).is_err();
                let refused = (1..=3).filter(refused).count();
                (refused, sender)
            })
        };
        let mut read = usize::from(receiver.try_recv().is_some());
        let (refused, sender) = writer.join().unwrap();
        read += std::iter::from_fn(|| receiver.try_recv()).count();
        assert_eq!(read + refused, 3);
        assert_eq!(dropped.load(Ordering::Relaxed), 3);
        // The queue is empty again: exactly two bytes fit.
        let free = [1, 2, 3].map(|number| sender.try_send(item(number, 1, &dropped)).is_ok());
        assert_eq!(free, [true, true, false]);
    });
}

#[test]
fn a_queue_drops_its_items_with_its_receiver() {
    check(|| {
        let (dropped, (sender, receiver)) = (counter(), bounded(10));
        let reader = thread::spawn(move || drop(receiver));
        let sent = sender.try_send(item(1, 1, &dropped));
        let returned = sent.is_err_and(|Full(item)| item.number == 1);
        reader.join().unwrap();
        assert!(sender.is_closed());
        assert_eq!(dropped.load(Ordering::Relaxed), 1, "dropped by the queue, or returned: {returned}");
        assert!(sender.try_send(item(2, 1, &dropped)).is_err());
    });
}

#[test]
fn notify_wakes_the_reader_of_two_queues_for_each_item_and_each_end() {
    check(|| {
        let (dropped, notify) = (counter(), Notify::new());
        let queues = [1, 2].map(|number| {
            let (sender, receiver) = bounded(10);
            receiver.notify_on(notify.clone());
            let dropped = Arc::clone(&dropped);
            let sender = thread::spawn(move || sender.try_send(item(number, 1, &dropped)).is_ok());
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
fn no_notification_is_lost() {
    check(|| {
        let (notify, done) = (Notify::new(), counter());
        let notifiers = [(); 2].map(|()| {
            let (notify, done) = (notify.clone(), Arc::clone(&done));
            thread::spawn(move || {
                done.fetch_add(1, Ordering::Release);
                notify.notify();
            })
        });
        while done.load(Ordering::Acquire) < 2 {
            notify.wait();
        }
        for notifier in notifiers {
            notifier.join().unwrap();
        }
    });
}
