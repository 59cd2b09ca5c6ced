//! Receives the UDP datagrams of a server with several media threads, and passes each to the thread of its participant.

use crate::media_socket::ReceiveBuffer;
use crate::media_sockets::MediaSockets;
use crate::path_test::PathTests;
use crate::receive_queue::ReceiveQueue;
use crate::sfu::{AddressTable, DropReason, MAX_DATAGRAM, Metrics, ice_ufrag};
use crate::tunnel::Endpoints;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::mpsc;

/// The state of the thread that reads the media sockets, if several threads forward.
pub struct ReceiveThread {
    pub sockets: MediaSockets,
    /// Receives a message when another thread has opened a socket. Closed when the other threads have ended.
    pub opened: mpsc::Receiver<()>,
    pub router: Router,
    /// The path tests whose datagrams this thread answers.
    pub path_tests: Arc<PathTests>,
}

/// Finds the thread of each datagram: from the ICE user name of a STUN request, or else from the source address.
pub struct Router {
    pub table: Arc<AddressTable>,
    /// The queue of each thread that forwards.
    pub queues: Vec<Arc<ReceiveQueue>>,
    /// Counts the datagrams that reach no thread.
    pub metrics: Arc<Mutex<Metrics>>,
}

impl ReceiveThread {
    /// Runs until the threads that forward have ended.
    pub async fn run(mut self) {
        let (mut received, mut answered) = (ReceiveBuffer::default(), Vec::new());
        loop {
            tokio::select! {
                opened = self.opened.recv() => match opened {
                    Some(()) => _ = self.sockets.refresh(),
                    None => return tracing::debug!("the thread that receives media ends"),
                },
                () = self.sockets.readable() => self.receive(&mut received, &mut answered),
            }
        }
    }

    /// Receives what has arrived. `answered` is scratch memory.
    fn receive(&mut self, received: &mut ReceiveBuffer, answered: &mut Vec<bool>) {
        for socket in self.sockets.known() {
            let mut calls = 0;
            while calls < MAX_CALLS && socket.receive(received) {
                let now = Instant::now();
                if self.path_tests.are_running() {
                    // Answers are sent before the router locks the table of addresses: the threads that forward wait for it.
                    answered.clear();
                    answered.extend(received.datagrams().map(|(remote, datagram)| {
                        let answer = self.path_tests.answer(remote, datagram, now);
                        answer.inspect(|answer| socket.send_one(answer, remote)).is_some()
                    }));
                    let all = received.datagrams().zip(answered.iter());
                    let others = all.filter(|(_, answered)| !**answered).map(|(datagram, _)| datagram);
                    self.router.route(socket.address(), others);
                } else {
                    self.router.route(socket.address(), received.datagrams());
                }
                calls += 1;
            }
        }
    }
}

impl Router {
    /// Passes datagrams that came to `local` to the threads of their participants. Drops datagrams of unknown senders, and
    /// those for a thread whose queue is full.
    pub fn route<'d>(&self, local: SocketAddr, datagrams: impl Iterator<Item = (SocketAddr, &'d [u8])>) {
        let mut woken = 0_u64;
        let table = self.table.lock();
        for (remote, datagram) in datagrams {
            if datagram.len() > MAX_DATAGRAM {
                self.drop(datagram, DropReason::TooLarge);
                continue;
            }
            let by_address = || table.thread_of(remote);
            let thread = ice_ufrag::map_ufrag(datagram, ice_ufrag::thread_of).unwrap_or_else(by_address);
            let found = thread.and_then(|thread| Some((thread, self.queues.get(usize::from(thread))?)));
            match found {
                Some((thread, queue)) if queue.push(Endpoints { local, remote }, datagram) => woken |= 1 << thread,
                Some(_) => self.drop(datagram, DropReason::ThreadBusy),
                None => self.drop(datagram, DropReason::UnknownSender),
            }
        }
        drop(table);
        for (thread, queue) in self.queues.iter().enumerate() {
            if woken & 1 << thread != 0 {
                queue.notify();
            }
        }
    }

    fn drop(&self, datagram: &[u8], reason: DropReason) {
        let mut metrics = self.metrics.lock().unwrap_or_else(PoisonError::into_inner);
        metrics.received.add(datagram.len());
        metrics.add_dropped(reason, 1);
    }
}

/// The maximum number of system calls for one socket before the next socket is read.
const MAX_CALLS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receive_queue::{MAX_DATAGRAMS, ReceivedDatagrams};
    use crate::sfu::ThreadAddresses;
    use proto::ParticipantId;

    const MEDIA: &[u8] = &[0x80, 111, 0, 0];

    fn address(port: u16) -> SocketAddr {
        ([198, 51, 100, 7], port).into()
    }

    /// Returns a router with two threads. Participant 1 of thread 0 has port 1, and participant 2 of thread 1 has port 2.
    fn router() -> Router {
        let now = Instant::now();
        let table = Arc::new(AddressTable::new(now));
        for thread in [0_u8, 1] {
            let (port, participant) = (u16::from(thread) + 1, ParticipantId(u64::from(thread) + 1));
            let addresses = ThreadAddresses::new(Arc::clone(&table), thread);
            addresses.claim(address(port), participant, now).expect("it is free");
        }
        Router { table, queues: vec![Arc::default(), Arc::default()], metrics: Arc::default() }
    }

    /// Returns a STUN binding request with a user name (RFC 8489, sections 5 and 14.3).
    fn check(user: &str) -> Vec<u8> {
        let name = format!("{user}:client");
        let padding = name.len().next_multiple_of(4) - name.len();
        let attributes =
            [&[0, 6, 0, u8::try_from(name.len()).unwrap()][..], name.as_bytes(), &[0; 3][..padding]].concat();
        // PRIORITY and MESSAGE-INTEGRITY, without which the stack parses no request. The thread of the participant verifies it.
        let rest = [&[0, 0x24, 0, 4, 1, 2, 3, 4, 0, 8, 0, 20][..], &[0; 20]].concat();
        let length = u16::try_from(attributes.len() + rest.len()).unwrap().to_be_bytes();
        [&[0, 1], &length[..], &[0x21, 0x12, 0xa4, 0x42], &[7; 12], &attributes, &rest].concat()
    }

    /// Returns the ports from which the waiting datagrams of each thread came.
    fn taken(router: &Router) -> [Vec<u16>; 2] {
        [0, 1].map(|thread: usize| {
            let mut taken = ReceivedDatagrams::default();
            router.queues[thread].take(&mut taken);
            taken.iter().map(|(endpoints, _)| endpoints.remote.port()).collect()
        })
    }

    fn route(router: &Router, datagrams: &[(u16, &[u8])]) {
        let local = ([192, 0, 2, 1], 7_443).into();
        router.route(local, datagrams.iter().map(|(port, datagram)| (address(*port), *datagram)));
    }

    fn dropped(router: &Router, reason: DropReason) -> u64 {
        router.metrics.lock().unwrap().dropped(reason)
    }

    #[test]
    fn media_go_to_the_thread_that_has_their_address_and_checks_to_the_one_that_they_name() {
        let router = router();
        let [first, second] = [0, 1].map(|thread| check(&ice_ufrag::credentials(thread).ufrag));
        route(&router, &[(1, MEDIA), (2, MEDIA), (9, MEDIA), (9, &first), (9, &second), (1, &second)]);
        assert_eq!(taken(&router), [vec![1, 9], vec![2, 9, 1]]);
        assert_eq!((dropped(&router, DropReason::UnknownSender), dropped(&router, DropReason::ThreadBusy)), (1, 0));
    }

    #[test]
    fn datagrams_that_name_a_thread_that_does_not_exist_or_are_too_large_are_dropped_and_counted() {
        let router = router();
        let none = ["2abcdefghijklmno", "zabcdefghijklmno", "!abcdefghijklmno"].map(check);
        route(&router, &[(1, &none[0]), (1, &none[1]), (1, &none[2]), (1, &[0x80; MAX_DATAGRAM + 1])]);
        assert_eq!(taken(&router), [Vec::<u16>::new(), Vec::new()]);
        assert_eq!((dropped(&router, DropReason::UnknownSender), dropped(&router, DropReason::TooLarge)), (3, 1));
        assert_eq!(router.metrics.lock().unwrap().received.packets, 4);
    }

    #[test]
    fn a_full_queue_drops_and_counts_and_the_other_thread_gets_its_datagrams() {
        let router = router();
        for _ in 0..MAX_DATAGRAMS + 10 {
            route(&router, &[(1, MEDIA)]);
        }
        route(&router, &[(2, MEDIA)]);
        assert_eq!(taken(&router), [vec![1; MAX_DATAGRAMS], vec![2]]);
        assert_eq!(dropped(&router, DropReason::ThreadBusy), 10);
        route(&router, &[(1, MEDIA)]);
        assert_eq!(taken(&router), [vec![1], vec![]], "there is room again");
    }
}
