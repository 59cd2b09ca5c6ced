//! A meeting with more voices than descriptions for each: whoever speaks is heard.

use super::{Client, failed, opened, run, server};
use std::time::Duration;

#[test]
fn in_a_meeting_of_twenty_each_voice_is_heard_and_nobody_is_interrupted_when_they_begin_to_share() {
    run(async {
        let server = server().await;
        let organiser = Client::create(&server, "organiser");
        organiser.session.set_wishes(Vec::new());
        organiser.mute(true);
        organiser.until("the organiser is a member", |state| state.entered.is_some()).await;
        let mut clients = vec![organiser];
        for number in 1..MEMBERS {
            let client = Client::join(&clients[0].link(), &format!("guest {number}"));
            client.session.set_wishes(Vec::new());
            client.mute(number != 1);
            client.until("it is connected", |state| state.entered.is_some() && state.connected.is_some()).await;
            clients.push(client);
            if number == 2 {
                let voice = clients[1].microphone();
                clients[0].until("the first guest is heard", |state| opened(state, voice) > 50).await;
                clients[0].forget_gaps();
            }
        }
        let voice = clients[1].microphone();
        let before = clients[0].look(|state| opened(state, voice));
        clients[0].until("it is still heard", |state| opened(state, voice) > before + 50).await;
        let gap = clients[0].look(|state| state.received[&voice].longest_gap);
        assert!(gap < Duration::from_secs(3), "its voice was interrupted for {gap:?}");
        clients[1].mute(true);
        for speaker in &clients[2..] {
            let voice = speaker.microphone();
            speaker.mute(false);
            for listener in [&clients[0], &clients[1]] {
                listener.until("a guest is heard", |state| opened(state, voice) >= 20).await;
            }
            speaker.mute(true);
            let sent = speaker.look(|state| state.sounds_sent);
            clients[0].until("every frame is heard", |state| opened(state, voice) == sent).await;
        }
        assert!(clients.iter().all(|client| failed(client) == 0));
    });
}

/// More than 16 others, so that their voices share descriptions.
const MEMBERS: usize = 20;
