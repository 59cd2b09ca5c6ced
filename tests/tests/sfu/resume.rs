//! Members that resume on another connection for messages, with the transport that they had or with another one.

use super::{continuous, meeting, secs, wanted};
use proto::ServerSignal;
use tests::sfu::{Client, id};

#[test]
fn the_media_of_a_member_that_resumes_go_on_and_it_is_told_everything_again() {
    let mut simulation = meeting(1);
    simulation.wish(1, 0, (320, 180), 30);
    simulation.send_for(0, secs(2));
    let (received, told) = (simulation.clients[1].received.len(), wanted(&simulation, 0));
    simulation.clients[1].signals.clear();
    (0..2).for_each(|member| simulation.rejoin(member));
    simulation.send_for(0, secs(2));
    assert!(simulation.clients[1].received.len() >= received + 55, "{}", simulation.clients[1].received.len());
    assert!(continuous(&simulation, 1), "the same stream");
    assert_eq!(wanted(&simulation, 0)[told.len()..], [vec![0]], "what the receivers want is repeated, once");
    let names = |signal: &ServerSignal| matches!(signal, ServerSignal::Tracks { owner, tracks } if *owner == id(0) && tracks.len() == 1);
    assert!(simulation.clients[1].signals.iter().any(names), "{:?}", simulation.clients[1].signals);
    simulation.offer(1);
    simulation.send_for(0, secs(1));
    assert!(continuous(&simulation, 1), "an offer of the same transport changes nothing");
}

#[test]
fn the_offer_of_another_transport_replaces_the_one_that_was_kept() {
    let mut simulation = meeting(1);
    let address = simulation.clients[1].address();
    simulation.clients[1] = Client::new(address, simulation.now);
    simulation.rejoin(1);
    simulation.subscribe(1, 0);
    assert!(simulation.run_until(secs(5), |simulation| simulation.clients[1].connected()));
    simulation.wish(1, 0, (320, 180), 30);
    simulation.send_for(0, secs(2));
    assert!(simulation.clients[1].received.len() >= 40, "{}", simulation.clients[1].received.len());
}
