//! Creates the tiles of a meeting from its participants.

use std::sync::Arc;

use engine::{Authorship, Limitation, Microphone, Person, Slot, TrackId, VideoStats};

use super::identity;
use crate::model::{MeetingModel, View, initials, reduction};
use crate::pictures::Pictures;
use crate::screen::Context;
use crate::stage::{ConnectionLoss, Tile};
use crate::theme;

/// The tiles: a shared screen first, then the other participants in the order of the list, our own last. `lacks_camera` says
/// whether we have no camera.
pub fn tiles(meeting: &MeetingModel, lacks_camera: bool, context: &Context, pictures: &Pictures) -> Vec<Tile> {
    // Only one shared screen is shown: the first in the list. Our own is not shown, because its picture would contain
    // itself.
    let shared = meeting.people.iter().find(|person| person.screen && !person.me);
    let screen = shared.map(|person| screen_tile(person, meeting, context, pictures));
    let others = meeting.people.iter().filter(|person| !person.me);
    let cameras = others.chain(meeting.me());
    let cameras = cameras.map(|person| camera_tile(person, meeting, lacks_camera, context, pictures));
    screen.into_iter().chain(cameras).collect()
}

fn screen_tile(person: &Person, meeting: &MeetingModel, context: &Context, pictures: &Pictures) -> Tile {
    let view = View::Track(TrackId { owner: person.id, slot: Slot::Screen });
    let name = context.language.with("tile-screen", &[("name", person.name.as_str().into())]);
    let doubt = doubt(person, &[Slot::Screen], meeting, context);
    let feed = doubt.is_none().then(|| pictures.feed(view));
    let reduced = doubt.unwrap_or_else(|| ReductionTexts::of(person, Slot::Screen, feed.as_ref(), meeting, context));
    let mark = mark(person, meeting, context);
    let label =
        [Some(name.clone()), mark.clone(), reduced.sentence].into_iter().flatten().collect::<Vec<_>>().join(", ");
    Tile {
        view,
        label,
        name: name.into(),
        initials: initials(&person.name).into(),
        colour: theme::avatar(person.id.0),
        muted: false,
        mark: identity::mark(person, meeting),
        speaking: false,
        mirrored: false,
        feed,
        loss: loss(person, meeting, context),
        note: reduced.note,
        hint: hint(mark, reduced.hint),
    }
}

/// The last loss of our own connection or of the one of `person`: the picture may be frozen until it moves again.
fn loss(person: &Person, meeting: &MeetingModel, context: &Context) -> Option<ConnectionLoss> {
    let reconnected_at = if meeting.reconnecting || !person.connected {
        None
    } else {
        let returned = meeting.returned.get(&person.id).copied();
        Some(meeting.reconnected_at.max(returned)?)
    };
    Some(ConnectionLoss { text: context.text("tile-reconnecting").into(), reconnected_at })
}

fn camera_tile(
    person: &Person,
    meeting: &MeetingModel,
    lacks_camera: bool,
    context: &Context,
    pictures: &Pictures,
) -> Tile {
    let view = if person.me { View::Own } else { View::Track(TrackId { owner: person.id, slot: Slot::Camera }) };
    // `meeting` has our own state as soon as a button is pressed; `person` has it when the engine has sent it.
    let microphone = if person.me { meeting.microphone } else { person.microphone };
    let camera = if person.me { meeting.camera } else { person.camera };
    let screen = if person.me { meeting.sharing } else { person.screen };
    let speaking = meeting.speaking.contains(&person.id) && microphone == Microphone::On;
    let camera_word = match (camera, person.me, lacks_camera) {
        (true, ..) => "tile-camera-on",
        _ if !person.rights.allow(Slot::Camera) => "tile-camera-by",
        (false, true, true) => "tile-no-camera",
        (false, true, false) => "tile-camera-off",
        // Whether another participant has a camera is not known.
        (false, false, _) => "tile-no-video",
    };
    let doubt = doubt(person, &[Slot::Camera, Slot::Microphone], meeting, context);
    let feed = (camera && doubt.is_none()).then(|| pictures.feed(view));
    let alarm = identity::note(person, meeting, context).filter(|_| doubt.is_none());
    let reduced = doubt.unwrap_or_else(|| ReductionTexts::of(person, Slot::Camera, feed.as_ref(), meeting, context));
    let muted_by = (!person.rights.allow(Slot::Microphone)).then(|| context.text("tile-note-muted"));
    let mark = mark(person, meeting, context);
    let reason = reduced.sentence.clone();
    let hand = meeting.moderation.place(person.id).is_some();
    let state = State { mark: mark.clone(), microphone, speaking, camera: camera_word, screen, hand, reduced: reason };
    let name = if person.me {
        context.language.with("tile-you", &[("name", person.name.as_str().into())])
    } else {
        person.name.clone()
    };
    Tile {
        view,
        label: label(&name, person, &state, context),
        name: name.into(),
        initials: initials(&person.name).into(),
        colour: theme::avatar(person.id.0),
        muted: microphone != Microphone::On,
        mark: identity::mark(person, meeting),
        speaking,
        mirrored: person.me,
        feed,
        loss: if person.me { None } else { loss(person, meeting, context) },
        note: alarm.or(reduced.note).or_else(|| muted_by.clone().map(Into::into)),
        hint: hint(mark, muted_by.into_iter().chain(reduced.hint).reduce(|first, next| first + "\n" + &next)),
    }
}

/// Why the name of `person` is marked, and what is known of who it is; `None` if there is nothing to say.
fn mark(person: &Person, meeting: &MeetingModel, context: &Context) -> Option<String> {
    let badge = identity::sentence(person, meeting, context);
    let mark = meeting.name_marks.get(&person.id).map(|mark| context.text(mark.text()));
    badge.into_iter().chain(mark).reduce(|first, next| first + ", " + &next)
}

/// The text of the tooltip: why the name is marked, and why the picture is reduced.
fn hint(mark: Option<String>, reduced: Option<String>) -> Option<String> {
    let lines: Vec<String> = mark.into_iter().chain(reduced).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// The texts of a tile whose picture is hidden, because frames of one of `slots` are not from `person`. A forged voice hides the
/// picture, too: both say who speaks.
fn doubt(person: &Person, slots: &[Slot], meeting: &MeetingModel, context: &Context) -> Option<ReductionTexts> {
    let of = |slot: &Slot| meeting.doubted_tracks.get(&TrackId { owner: person.id, slot: *slot });
    let is_forged = slots.iter().filter_map(of).map(|state| *state == Authorship::Forged).max()?;
    let (note, sentence) =
        if is_forged { ("tile-forged", "tile-forged-text") } else { ("tile-unproven", "tile-unproven-text") };
    let sentence = context.language.with(sentence, &[("name", person.name.as_str().into())]);
    Some(ReductionTexts {
        note: Some(context.text(note).into()),
        hint: Some(sentence.clone()),
        sentence: Some(sentence),
    })
}

/// The texts of a tile whose picture is reduced. All are `None` if it is not.
#[derive(Default)]
struct ReductionTexts {
    /// The label on the tile. `None` if the picture is only as small as it should be, or if the text over a frozen picture
    /// says it.
    note: Option<Arc<str>>,
    /// The text of the tooltip.
    hint: Option<String>,
    /// The sentence for assistive tools.
    sentence: Option<String>,
}

impl ReductionTexts {
    fn of(person: &Person, slot: Slot, feed: Option<&render::Feed>, meeting: &MeetingModel, context: &Context) -> Self {
        let second = meeting.second.as_deref();
        let video = second.and_then(|second| second.video_of(TrackId { owner: person.id, slot }));
        let limitation = if person.me {
            second.and_then(|second| second.own_limit(slot)).filter(|_| feed.is_some())
        } else if !person.connected {
            Some(Limitation::SenderReconnecting)
        } else {
            video.and_then(|video| video.tile_limit).filter(|_| feed.is_some())
        };
        let Some(limitation) = limitation else { return Self::default() };
        let language = context.language;
        let sentence = if person.me {
            reduction::own_sentence(limitation, language)
        } else {
            reduction::sentence(limitation, &person.name, slot, language)
        };
        let cause = reduction::cause(limitation, &person.name, language);
        let rate = |video: &VideoStats| second.map_or(0, |second| second.per_second(video.shown));
        let figures = video.and_then(|video| reduction::figures(video, rate(video), language));
        let hint: Vec<String> = [Some(sentence.clone()), Some(cause), figures].into_iter().flatten().collect();
        let is_frozen = matches!(limitation, Limitation::Reconnecting | Limitation::SenderReconnecting)
            && feed.is_some_and(|feed| feed.last_published().is_some());
        let note =
            (limitation.is_disturbing() && !is_frozen).then(|| reduction::label(limitation, slot, language).into());
        let sentence = limitation.is_disturbing().then_some(sentence);
        Self { note, hint: Some(hint.join("\n")), sentence }
    }
}

/// What a tile shows besides the video.
struct State {
    /// Why the name is marked.
    mark: Option<String>,
    microphone: Microphone,
    speaking: bool,
    /// The text id.
    camera: &'static str,
    screen: bool,
    hand: bool,
    /// Why the picture is reduced.
    reduced: Option<String>,
}

/// The description for assistive tools, such as "Anne Martin, organiser, muted, camera on".
fn label(name: &str, person: &Person, state: &State, context: &Context) -> String {
    let mut parts = vec![name.to_owned()];
    parts.extend(state.mark.clone());
    if person.is_organiser() {
        parts.push(context.text("tile-organiser"));
    }
    match state.microphone {
        Microphone::Off => parts.push(context.text("tile-no-microphone")),
        Microphone::Muted if !person.rights.allow(Slot::Microphone) => parts.push(context.text("tile-muted-by")),
        Microphone::Muted => parts.push(context.text("tile-muted")),
        Microphone::On => {}
    }
    if state.speaking {
        parts.push(context.text("tile-speaking"));
    }
    if state.hand {
        parts.push(context.text("tile-hand"));
    }
    if state.screen {
        parts.push(context.text("tile-sharing"));
    }
    parts.push(context.text(state.camera));
    parts.extend(state.reduced.clone());
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use engine::{Event, ParticipantId};
    use media::{Colour, PlaneRef, Size, Timestamp};

    use super::*;
    use crate::locale::Language;
    use crate::model::Devices;
    use crate::screen::meeting::Meeting;
    use crate::theme::Choice;

    const BOB: View = View::Track(TrackId { owner: ParticipantId(2), slot: Slot::Camera });

    fn people(connected: bool) -> Event {
        let person = |id: u64| Person {
            id: ParticipantId(id),
            name: format!("Person {id}"),
            me: id == 1,
            role: if id == 1 { engine::Role::Organiser } else { engine::Role::Participant },
            rights: engine::Rights::ALL,
            device: String::new(),
            certificate: None,
            microphone: Microphone::On,
            camera: true,
            screen: false,
            connected: connected || id != 2,
        };
        Event::People(vec![person(1), person(2), person(3)])
    }

    fn show(pictures: &Pictures) {
        let size = Size::new(2, 2);
        let plane = |data, size| PlaneRef { data, stride: 2, size };
        let planes = [plane(&[90; 4][..], size), plane(&[90; 2], size.chroma()), plane(&[90; 2], size.chroma())];
        assert!(pictures.feed(BOB).show(planes, Colour::default(), 0, Timestamp::default()));
    }

    #[test]
    fn the_picture_of_a_participant_who_is_cut_off_is_frozen_until_it_moves_again() {
        let (pictures, start) = (Pictures::default(), Instant::now());
        let mut screen = Meeting::new(MeetingModel::default(), Devices::default());
        let context = Context {
            language: Language::English,
            bandwidth: crate::model::bandwidth::Bandwidth::default(),
            theme: Choice::Dark,
            reduced_motion: true,
            size: iced::Size::new(800.0, 600.0),
            scale: 1.0,
            now: start,
        };
        show(&pictures);
        let frozen = |screen: &Meeting, now| {
            let tiles = tiles(&screen.model, false, &context, &pictures);
            let frozen = tiles.into_iter().filter(|tile| tile.frozen_text(now).is_some());
            frozen.map(|tile| tile.view).collect::<Vec<_>>()
        };
        let later = start + Duration::from_secs(5);
        screen.handle_event(&people(true), start);
        assert_eq!(frozen(&screen, later), []);
        screen.handle_event(&people(false), start);
        assert_eq!(frozen(&screen, later), [BOB], "only the picture of the participant who lost the connection");
        let back = Instant::now();
        screen.handle_event(&people(true), back);
        assert_eq!(frozen(&screen, back + Duration::from_secs(1)), [BOB], "no picture has come yet");
        show(&pictures);
        assert_eq!(frozen(&screen, back + Duration::from_secs(9)), []);
    }
}
