//! When the sound is played that says that somebody asks to join.

use std::time::{Duration, Instant};

use engine::Event;

use crate::model::MeetingModel;

/// When it was played last.
#[derive(Debug, Default)]
pub struct KnockSound {
    last: Option<Instant>,
}

impl KnockSound {
    /// Whether the sound is to be played now, after the model has handled `event`: somebody waits for a decision of this user, who wants
    /// the sound and does not speak.
    pub fn is_due(&mut self, event: &Event, model: &MeetingModel, now: Instant) -> bool {
        let Event::AsksToJoin { id, .. } = event else { return false };
        let waits = model.may_admit() && model.asking.iter().any(|asker| asker.id == *id);
        let speaks = model.me().is_some_and(|me| model.speaking.contains(&me.id));
        let is_early = self.last.is_some_and(|last| now.saturating_duration_since(last) < INTERVAL);
        let is_due = waits && model.lobby.choices.knock_sound && !speaks && !is_early;
        if is_due {
            self.last = Some(now);
        }
        is_due
    }
}

/// Many people may ask at once.
const INTERVAL: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;
    use engine::{DeviceKey, Evidence, IdentityClass, Microphone, ParticipantId, Person, Role};

    const ME: ParticipantId = ParticipantId(1);

    fn organiser() -> MeetingModel {
        let me = Person {
            id: ME,
            name: "Anne".into(),
            me: true,
            role: Role::Organiser,
            rights: Role::Organiser.default_rights(),
            device: String::new(),
            certificate: None,
            microphone: Microphone::Muted,
            camera: false,
            screen: false,
            connected: true,
        };
        MeetingModel { people: vec![me], ..MeetingModel::default() }
    }

    fn asks(id: u64) -> Event {
        let (class, device) = (IdentityClass::Guest, DeviceKey([7; 32]));
        let evidence = Evidence { class, device, certificate: None, via_old_link: false, sent_back: false };
        Event::AsksToJoin { id: ParticipantId(id), name: "Paul".into(), evidence }
    }

    #[test]
    fn it_is_played_for_who_may_admit_wants_it_and_does_not_speak_at_most_every_five_seconds() {
        let now = Instant::now();
        let is_due = |sound: &mut KnockSound, model: &mut MeetingModel, id, now| {
            let event = asks(id);
            model.handle_event(&event);
            sound.is_due(&event, model, now)
        };
        let (mut sound, mut model) = (KnockSound::default(), organiser());
        assert!(is_due(&mut sound, &mut model, 2, now));
        assert!(!is_due(&mut sound, &mut model, 3, now + Duration::from_millis(4_900)));
        assert!(is_due(&mut sound, &mut model, 4, now + Duration::from_secs(5)));
        assert!(!KnockSound::default().is_due(&Event::Speaking(Vec::new()), &model, now));
        for change in [
            (|model| model.people[0].role = Role::Participant) as fn(&mut MeetingModel),
            |model| model.lobby.choices.knock_sound = false,
            |model| model.speaking.push(ME),
        ] {
            let mut model = organiser();
            change(&mut model);
            assert!(!is_due(&mut KnockSound::default(), &mut model, 2, now));
        }
        // Whom a rule of the user has let in asks nothing.
        let mut model = organiser();
        model.handle_event(&asks(2));
        model.remove_asker(ParticipantId(2));
        assert!(!KnockSound::default().is_due(&asks(2), &model, now));
    }
}
