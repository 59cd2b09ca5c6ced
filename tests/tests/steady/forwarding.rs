//! The SFU.

use super::allocator::total;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use str0m::net::Transmit;
use tests::sfu::{Client, LAYERS, Observer, Simulation};

/// Counts the allocations of the SFU.
struct Counter(Rc<Cell<usize>>);

impl Observer for Counter {
    fn serve(&mut self, work: &mut dyn FnMut() -> Vec<Transmit>) -> Vec<Transmit> {
        let before = total();
        let transmits = work();
        self.0.set(self.0.get() + total() - before);
        transmits
    }
}

/// One of them is for each packet that is sent, and the interface of str0m leaves no choice: the encrypted datagram. The others
/// are made for received packets, feedback, messages to the senders and the lists of this simulation; here they are
/// divided by the packets that are sent. A map of header extensions for each packet would be two more.
#[test]
fn forwarding_allocates_about_three_times_for_a_packet() {
    let count = Rc::new(Cell::new(0));
    let mut simulation = Simulation::observed(Box::new(Counter(Rc::clone(&count)))).unwrap();
    let camera = simulation.join();
    simulation.publish(camera, &LAYERS);
    for _ in 0..10 {
        let receiver = simulation.join();
        simulation.subscribe(receiver, camera);
        simulation.wish(receiver, camera, (1_280, 720), 30);
    }
    let connected = |simulation: &Simulation| simulation.clients.iter().all(Client::connected);
    assert!(simulation.run_until(Duration::from_secs(10), connected));
    simulation.send_for(camera, Duration::from_secs(5));
    let before = simulation.totals().packets_out;
    count.set(0);
    simulation.send_for(camera, Duration::from_secs(3));
    let packets = usize::try_from(simulation.totals().packets_out - before).unwrap();
    let hundredths = count.get() * 100 / packets;
    println!("{} allocations for {packets} packets: {hundredths} for a hundred", count.get());
    assert!(packets > 4_000, "{packets} packets");
    assert!(hundredths <= MAX_PER_HUNDRED, "{hundredths} allocations for a hundred packets");
}

const MAX_PER_HUNDRED: usize = 310;
