//! The one file that knows the engine: its events become the view model, what the screens want becomes its commands.

use std::sync::Arc;

use engine::{AudioChoice, Command, Engine, Event, Invitation, WordsLanguage};
use engine::{Choice, ParticipantId, Picture, Slot, TileWish, TrackId};
use media::{Frame, Plane, Rotation};
use render::Feed;

use crate::announce::Said;
use crate::locale::Language;
use crate::model::{
    Device, Ending, Fault, LinkProblem, Lock, Meeting, Microphone, NoticeKind, Person, PersonId, SELF, Shows, Step,
    View, Wish,
};
use crate::pictures::Pictures;
use crate::screen::meeting::Action;
use crate::screen::notice::Notice;

/// What an event means beyond the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// We are in.
    Entered,
    /// Something to tell.
    Notice(Notice),
    /// Something for assistive tools.
    Said(Said),
    /// The meeting is over; the words of whoever reported it.
    Ended(Ending, String),
}

/// Takes an event into the model.
pub fn learn(model: &mut Meeting, event: &Event) -> Vec<News> {
    match event {
        Event::Progress(step) => model.step = entering(*step),
        Event::Entered { link, organiser, .. } => {
            model.step = Step::Inside;
            model.link.clone_from(link);
            model.organiser = *organiser;
            return vec![News::Entered];
        }
        Event::People(people) => return replace_people(model, people.iter().map(person).collect()),
        Event::Locked(found) => model.lock = Some(lock(found)),
        Event::Speaking(speaking) => model.speaking = speaking.iter().map(|id| PersonId(id.0)).collect(),
        Event::Level(level) => model.level = *level,
        Event::Microphone(state) => model.microphone = microphone(*state),
        Event::Camera(on) => model.camera = *on,
        Event::Sharing(on) => model.sharing = *on,
        Event::Notice(found) => {
            take_back(model, found.kind);
            return vec![News::Notice(heard(notice(found), model))];
        }
        Event::Totals(_) => {}
        Event::Ended(reason) => {
            let (ending, detail) = ended(reason);
            return vec![News::Ended(ending, detail)];
        }
    }
    Vec::new()
}

/// The same fact is another one inside than at the door: there nobody lets us in, here nobody new comes in.
fn heard(notice: Notice, model: &Meeting) -> Notice {
    match (notice.kind, model.step) {
        (NoticeKind::NobodyAdmits, Step::Inside) => Notice { kind: NoticeKind::OrganiserLeft, ..notice },
        _ => notice,
    }
}

/// A button shows its new state at once; where the engine says that it could not be so, it goes back.
fn take_back(model: &mut Meeting, kind: engine::NoticeKind) {
    use engine::NoticeKind as Kind;
    match kind {
        Kind::NoCamera | Kind::CameraTaken | Kind::CameraLost | Kind::CameraFailed | Kind::FileFormat => {
            model.camera = false;
        }
        // It may be the voice's file: then the camera is, or will be, announced.
        Kind::BadFile => model.camera = model.me().is_some_and(|me| me.camera),
        Kind::NoScreen => model.sharing = false,
        Kind::NoSound
        | Kind::NoMicrophone
        | Kind::NoSpeaker
        | Kind::SoundLost
        | Kind::StillWaiting
        | Kind::NobodyAdmits
        | Kind::Overloaded
        | Kind::CodecReplaced
        | Kind::TrackFailed
        | Kind::PeerUnreadable
        | Kind::Refused => {}
    }
}

/// The command for what a screen wants; `None` where that is not the engine's business.
pub fn command(action: &Action, model: &Meeting) -> Option<Command> {
    Some(match action {
        Action::Mute(muted) => Command::Mute(*muted),
        Action::Camera(on) => Command::Camera(*on),
        Action::Share(on) => Command::Share(*on),
        Action::Remove(id) => Command::Remove(ParticipantId(id.0)),
        Action::Choose(kind, device) => choose(*kind, device),
        Action::RequestSizes(wishes) => Command::Tiles(tiles(wishes, model)),
        Action::Leave => Command::Leave,
        Action::None | Action::Copy(_) | Action::Notify(_) | Action::FullScreen | Action::Prefer(_) => return None,
    })
}

fn choose(kind: crate::model::Kind, device: &Device) -> Command {
    match kind {
        crate::model::Kind::Camera => Command::ChooseCamera(camera(device)),
        crate::model::Kind::Microphone => Command::ChooseMicrophone(sound(device)),
        crate::model::Kind::Speaker => Command::ChooseSpeaker(sound(device)),
    }
}

/// A camera as the engine knows it.
pub fn camera(device: &Device) -> Choice {
    match device {
        Device::Off => Choice::Off,
        Device::Default => Choice::Device(None),
        Device::Synthetic => Choice::Synthetic,
        Device::Named(id) => Choice::Device(Some(id.clone())),
        Device::File(path) => Choice::File(path.clone()),
    }
}

/// A microphone or speaker as the engine knows it.
pub fn sound(device: &Device) -> AudioChoice {
    match device {
        Device::Off => AudioChoice::Off,
        Device::Default | Device::Synthetic => AudioChoice::Default,
        Device::Named(id) => AudioChoice::Device(id.clone()),
        Device::File(path) => AudioChoice::File(path.clone()),
    }
}

/// A camera as the screens know it.
pub fn camera_device(choice: &Choice) -> Device {
    match choice {
        Choice::Off => Device::Off,
        Choice::Synthetic => Device::Synthetic,
        // The window brings none along: whatever it is, it is nobody's choice from a list.
        Choice::Device(None) => Device::Default,
        Choice::Device(Some(id)) => Device::Named(id.clone()),
        Choice::File(path) => Device::File(path.clone()),
    }
}

/// A microphone or speaker as the screens know it.
pub fn sound_device(choice: &AudioChoice) -> Device {
    match choice {
        AudioChoice::Off => Device::Off,
        AudioChoice::Default => Device::Default,
        AudioChoice::Device(id) => Device::Named(id.clone()),
        AudioChoice::File(path) => Device::File(path.clone()),
    }
}

/// Reads a link.
///
/// # Errors
/// What is wrong with it, for the screen to say.
pub fn invitation(link: &str) -> Result<Invitation, LinkProblem> {
    type Error = <Invitation as std::str::FromStr>::Err;
    #[expect(clippy::wildcard_enum_match_arm, reason = "the reader may learn to find more")]
    let problem = |error| match error {
        Error::NotALink => LinkProblem::NotALink,
        Error::BadHost | Error::BadPort => LinkProblem::Host,
        Error::BadMeeting | Error::NoSecret | Error::Truncated => LinkProblem::Truncated,
        Error::OtherVersion(_) => LinkProblem::Version,
        // Damaged, too long, and whatever a later version of the reader finds wrong.
        _ => LinkProblem::Damaged,
    };
    link.trim().parse().map_err(|error: Error| problem(error))
}

/// A notice as the screens know it.
pub fn notice(found: &engine::Notice) -> Notice {
    Notice { kind: kind(found.kind), fault: Some(fault(found.kind.fault())), detail: found.detail.clone() }
}

/// Sends a command; a notice where the engine takes none.
pub fn send(engine: &Engine, command: Command) -> Option<Notice> {
    let refused = engine.send(command).err()?;
    Some(Notice { kind: NoticeKind::Refused, fault: Some(Fault::Here), detail: refused.to_string() })
}

/// The screen of a meeting as the engine sees it: its pictures go to the feeds that the stage draws.
pub struct Canvases(pub Pictures);

impl engine::VideoOutput for Canvases {
    fn open(&self, track: TrackId, _name: &str) -> Box<dyn engine::VideoSink> {
        Box::new(Canvas(self.0.feed(view(track))))
    }

    fn own(&self, frame: Frame) {
        show_frame(&self.0.feed(SELF), &frame);
    }
}

/// Shows one of our own pictures. Called on the camera's thread.
pub fn show_frame(feed: &Feed, frame: &Frame) {
    let planes = [Plane::Y, Plane::U, Plane::V].map(|plane| frame.plane(plane));
    // A picture for which there is no room is skipped and counted by the feed: the next one comes soon.
    feed.show(planes, frame.colour(), frame.rotation(), frame.number(), frame.captured());
}

struct Canvas(Feed);

impl engine::VideoSink for Canvas {
    fn show(&mut self, picture: &Picture<'_>, meta: engine::Meta) {
        self.0.show(picture.planes, picture.colour, Rotation::default(), meta.number, meta.captured);
    }
}

impl Drop for Canvas {
    fn drop(&mut self) {
        self.0.clear();
    }
}

fn view(track: TrackId) -> View {
    let shows = if track.slot == Slot::Screen { Shows::Screen } else { Shows::Camera };
    View { person: PersonId(track.owner.0), shows }
}

/// What the stage shows as the network is asked for it: nothing of our own, screens before faces.
fn tiles(wishes: &[Wish], model: &Meeting) -> Vec<TileWish> {
    let others = wishes.iter().filter(|wish| wish.view != SELF && model.person(wish.view.person).is_none_or(|p| !p.me));
    let wish = |wish: &Wish| {
        let (slot, priority) = match wish.view.shows {
            Shows::Screen => (Slot::Screen, 2),
            Shows::Camera => (Slot::Camera, 1),
        };
        TileWish {
            track: TrackId { owner: ParticipantId(wish.view.person.0), slot },
            width: wish.width,
            height: wish.height,
            frames_per_second: 60,
            priority,
            paused: false,
        }
    };
    others.map(wish).collect()
}

/// Replaces the people, and says who came and who left; nothing about ourselves, nothing on the way in.
fn replace_people(model: &mut Meeting, people: Vec<Person>) -> Vec<News> {
    let before = std::mem::replace(&mut model.people, people);
    if before.is_empty() {
        return Vec::new();
    }
    let absent = |person: &&Person, from: &[Person]| !person.me && from.iter().all(|other| other.id != person.id);
    let joined = model.people.iter().filter(|person| absent(person, &before));
    let left = before.iter().filter(|person| absent(person, &model.people));
    let joined = joined.map(|person| News::Said(Said::Joined(person.name.clone())));
    joined.chain(left.map(|person| News::Said(Said::Left(person.name.clone())))).collect()
}

fn person(found: &engine::Person) -> Person {
    Person {
        id: PersonId(found.id.0),
        name: found.name.clone(),
        me: found.me,
        organiser: found.organiser,
        device: found.device.clone(),
        microphone: microphone(found.microphone),
        camera: found.camera,
        screen: found.screen,
    }
}

fn lock(found: &engine::Lock) -> Lock {
    let words = |language| {
        let language = match language {
            Language::English => WordsLanguage::English,
            Language::French => WordsLanguage::French,
        };
        found.words.in_language(language).map(str::to_owned).to_vec()
    };
    Lock { epoch: found.epoch, words: Language::ALL.map(words), suite: found.suite.to_owned() }
}

fn microphone(found: engine::Microphone) -> Microphone {
    match found {
        engine::Microphone::Off => Microphone::Off,
        engine::Microphone::Muted => Microphone::Muted,
        engine::Microphone::On => Microphone::On,
    }
}

fn entering(step: engine::Step) -> Step {
    match step {
        engine::Step::Connecting => Step::Connecting,
        engine::Step::Approaching => Step::Approaching,
        engine::Step::Knocking => Step::Knocking,
    }
}

fn kind(found: engine::NoticeKind) -> NoticeKind {
    use engine::NoticeKind as Theirs;
    match found {
        Theirs::NoCamera => NoticeKind::NoCamera,
        Theirs::CameraTaken => NoticeKind::CameraTaken,
        Theirs::CameraLost => NoticeKind::CameraLost,
        Theirs::CameraFailed => NoticeKind::CameraFailed,
        Theirs::NoSound => NoticeKind::NoSound,
        Theirs::NoMicrophone => NoticeKind::NoMicrophone,
        Theirs::NoSpeaker => NoticeKind::NoSpeaker,
        Theirs::SoundLost => NoticeKind::SoundLost,
        Theirs::BadFile => NoticeKind::BadFile,
        Theirs::FileFormat => NoticeKind::FileFormat,
        Theirs::NoScreen => NoticeKind::NoScreen,
        Theirs::StillWaiting => NoticeKind::StillWaiting,
        Theirs::NobodyAdmits => NoticeKind::NobodyAdmits,
        Theirs::Overloaded => NoticeKind::Overloaded,
        Theirs::CodecReplaced => NoticeKind::CodecReplaced,
        Theirs::TrackFailed => NoticeKind::TrackFailed,
        Theirs::PeerUnreadable => NoticeKind::PeerUnreadable,
        Theirs::Refused => NoticeKind::Refused,
    }
}

fn fault(found: engine::Fault) -> Fault {
    match found {
        engine::Fault::Here => Fault::Here,
        engine::Fault::Network => Fault::Network,
        engine::Fault::Server => Fault::Server,
        engine::Fault::Link => Fault::Link,
        engine::Fault::Peer => Fault::Peer,
    }
}

/// Why a meeting is over, as the screens know it, and the cause in the words of whoever reported it.
pub fn ended(reason: &engine::Reason) -> (Ending, String) {
    use engine::Reason;
    let plain = |ending| (ending, String::new());
    match reason {
        Reason::Left => plain(Ending::Left),
        Reason::Removed => plain(Ending::Removed),
        Reason::Refused => plain(Ending::Refused),
        Reason::Unattended => plain(Ending::Unattended),
        Reason::NoMeeting => plain(Ending::NoMeeting),
        Reason::Unreachable(detail) => (Ending::Unreachable, detail.clone()),
        Reason::Certificate(detail) => (Ending::Certificate, detail.clone()),
        Reason::Version => plain(Ending::Version),
        Reason::ServerSilent => plain(Ending::ServerSilent),
        Reason::Full => plain(Ending::Full),
        Reason::Draining => plain(Ending::Draining),
        Reason::Server(detail) => (Ending::Server, detail.clone()),
        Reason::Forged => plain(Ending::Forged),
        Reason::Here(detail) => (Ending::Here, detail.clone()),
    }
}

/// Hands a meeting's pictures to the engine.
pub fn screen(pictures: &Pictures) -> Arc<dyn engine::VideoOutput> {
    Arc::new(Canvases(pictures.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn someone(id: u64, me: bool) -> engine::Person {
        engine::Person {
            id: ParticipantId(id),
            name: format!("Person {id}"),
            me,
            organiser: me,
            device: "0123 4567".into(),
            microphone: engine::Microphone::On,
            camera: true,
            screen: false,
        }
    }

    #[test]
    fn who_comes_and_goes_is_said_and_our_own_entry_is_not() {
        let mut model = Meeting::default();
        assert_eq!(learn(&mut model, &Event::People(vec![someone(1, true), someone(2, false)])), []);
        let news = learn(&mut model, &Event::People(vec![someone(1, true), someone(3, false)]));
        let expected = [News::Said(Said::Joined("Person 3".into())), News::Said(Said::Left("Person 2".into()))];
        assert_eq!(news, expected);
    }

    #[test]
    fn a_camera_that_cannot_be_opened_is_shown_as_off() {
        let mut model = Meeting { camera: true, sharing: true, ..Meeting::default() };
        for (kind, camera, sharing) in [
            (engine::NoticeKind::PeerUnreadable, true, true),
            (engine::NoticeKind::CameraTaken, false, true),
            (engine::NoticeKind::CameraFailed, false, true),
            (engine::NoticeKind::NoScreen, false, false),
        ] {
            let news = learn(&mut model, &Event::Notice(engine::Notice { kind, detail: String::new() }));
            assert!(matches!(news[..], [News::Notice(_)]));
            assert_eq!((model.camera, model.sharing), (camera, sharing), "{kind:?}");
        }
    }

    #[test]
    fn who_is_inside_is_not_told_that_nobody_lets_them_in() {
        for (step, expected) in [(Step::Inside, NoticeKind::OrganiserLeft), (Step::Knocking, NoticeKind::NobodyAdmits)]
        {
            let mut model = Meeting { step, ..Meeting::default() };
            let kind = engine::NoticeKind::NobodyAdmits;
            let news = learn(&mut model, &Event::Notice(engine::Notice { kind, detail: String::new() }));
            let [News::Notice(notice)] = &news[..] else { panic!("{news:?}") };
            assert_eq!(notice.kind, expected, "{step:?}");
        }
    }

    #[test]
    fn nothing_is_asked_of_our_own_picture() {
        let mut model = Meeting::default();
        learn(&mut model, &Event::People(vec![someone(1, true), someone(2, false)]));
        let wish = |view| Wish { view, width: 640, height: 360 };
        let face = |id| View { person: PersonId(id), shows: Shows::Camera };
        let Some(Command::Tiles(asked)) =
            command(&Action::RequestSizes(vec![wish(SELF), wish(face(1)), wish(face(2))]), &model)
        else {
            panic!("wishes are a command")
        };
        assert_eq!(asked.iter().map(|wish| wish.track.owner.0).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn a_bad_link_says_what_is_wrong_with_it() {
        for (text, expected) in [
            ("hello", LinkProblem::NotALink),
            ("https://example.org", LinkProblem::NotALink),
            ("conclave://", LinkProblem::Host),
            ("conclave://host:1/m/00112233445566778899aabbccddeeff", LinkProblem::Truncated),
            ("conclave://host:1/m/00112233445566778899aabbccddeeff#", LinkProblem::Truncated),
            ("conclave://host:1/m/00112233445566778899aabbccddeeff#**", LinkProblem::Damaged),
        ] {
            assert_eq!(invitation(text).err(), Some(expected), "{text}");
        }
    }
}
