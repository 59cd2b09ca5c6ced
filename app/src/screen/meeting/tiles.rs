//! Creates the tiles of a meeting from its participants.

use engine::{Microphone, Person, Slot, TrackId};

use crate::model::{MeetingModel, View, initials};
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
    Tile {
        view,
        label: name.clone(),
        name: name.into(),
        initials: initials(&person.name).into(),
        colour: theme::avatar(person.id.0),
        muted: false,
        speaking: false,
        mirrored: false,
        feed: Some(pictures.feed(view)),
        loss: loss(meeting, context),
    }
}

/// The last loss of our own connection: the pictures of the others may be frozen until each one moves again.
fn loss(meeting: &MeetingModel, context: &Context) -> Option<ConnectionLoss> {
    let reconnected_at = if meeting.reconnecting { None } else { Some(meeting.reconnected_at?) };
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
        (false, true, true) => "tile-no-camera",
        (false, true, false) => "tile-camera-off",
        // Whether another participant has a camera is not known.
        (false, false, _) => "tile-no-video",
    };
    let state = State { microphone, speaking, camera: camera_word, screen };
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
        speaking,
        mirrored: person.me,
        feed: camera.then(|| pictures.feed(view)),
        loss: if person.me { None } else { loss(meeting, context) },
    }
}

/// What a tile shows besides the video.
struct State {
    microphone: Microphone,
    speaking: bool,
    /// The text id.
    camera: &'static str,
    screen: bool,
}

/// The description for assistive tools, such as "Anne Martin, organiser, muted, camera on".
fn label(name: &str, person: &Person, state: &State, context: &Context) -> String {
    let mut parts = vec![name.to_owned()];
    if person.organiser {
        parts.push(context.text("tile-organiser"));
    }
    match state.microphone {
        Microphone::Off => parts.push(context.text("tile-no-microphone")),
        Microphone::Muted => parts.push(context.text("tile-muted")),
        Microphone::On => {}
    }
    if state.speaking {
        parts.push(context.text("tile-speaking"));
    }
    if state.screen {
        parts.push(context.text("tile-sharing"));
    }
    parts.push(context.text(state.camera));
    parts.join(", ")
}
