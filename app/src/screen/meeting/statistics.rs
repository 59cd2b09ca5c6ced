//! The panel with the statistics of the last second: the path to the server, what is received of each participant, and what is
//! sent.

use accesskit::Role;
use engine::{AudioStats, Limitation, Person, ReceivedRtpStreamStats, Second, SentLayerStats, VideoStats};
use iced::widget::{Column, column, container, row, scrollable};
use iced::{Alignment, Length};

use super::{Meeting, Menu, Message};
use crate::kit::{Element, Icon, elided, heading, icon, region, text};
use crate::locale::Language;
use crate::model::number::{bitrate, decimal, millis, percent};
use crate::model::reduction;
use crate::screen::preferences;
use crate::screen::{Context, icon_button};
use crate::theme::{self, ICON_SMALL, SPACE_L, SPACE_M, SPACE_S, SPACE_XS, TARGET_FORM, Tone};

/// The content of the panel.
pub(super) fn panel<'a>(screen: &'a Meeting, context: &Context) -> Element<'a, Message> {
    let inside: Element<'a, Message> = match &screen.model.second {
        Some(second) => {
            let people = screen.model.people.iter().filter(|person| !person.me);
            let received = people.filter_map(|person| received(person, second, context));
            Column::new()
                .push(path(second, context))
                .push(limits(screen, context))
                .push(sent(second, context))
                .extend(received)
                .spacing(SPACE_M)
                .into()
        }
        None => text::small(context.text("statistics-empty")).style(text::tone(Tone::Dim)).into(),
    };
    let body = scrollable(container(inside).padding([SPACE_XS, SPACE_L])).height(Length::Fill);
    let ready = screen.model.second.is_some();
    let export =
        icon_button(Icon::Save, context.text("statistics-export"), "", ready.then_some(Message::ExportPressed));
    let export = export.id("export").width(Length::Fill).height(TARGET_FORM);
    let words = text::caption(context.text("statistics-export-text")).style(text::tone(Tone::Dim));
    let foot = container(column![Element::from(export), words].spacing(SPACE_S)).padding(SPACE_L);
    column![body, foot].into()
}

/// The path between this computer and the server.
fn path<'a>(second: &Second, context: &Context) -> Element<'a, Message> {
    let language = context.language;
    let unknown = || context.text("statistics-unknown");
    let way = |rate: Option<u64>, lost: Option<u8>| match (rate, lost) {
        (Some(kbps), Some(lost)) => format!("{} · {}", bitrate(kbps, language), loss(u64::from(lost) * 10, language)),
        (Some(kbps), None) => bitrate(kbps, language),
        (None, _) => unknown(),
    };
    let path = second.link;
    let lines = [
        ("statistics-download", way(path.downlink_kbps, path.lost_down_percent)),
        ("statistics-upload", way(path.uplink_kbps, path.lost_up_percent)),
        ("statistics-round-trip", path.round_trip_ms.map_or_else(unknown, |time| millis(time, language))),
    ];
    card(&context.text("statistics-path"), None, vec![(None, lines.to_vec())], context)
}

/// The field that opens the menu of the bandwidth.
fn limits<'a>(screen: &Meeting, context: &Context) -> Element<'a, Message> {
    let menu = Menu::Preferences(preferences::Part::Bandwidth);
    preferences::bandwidth_field(context, screen.menu == Some(menu), Message::MenuPressed(menu))
}

/// What is received of a participant. `None` if that is nothing.
fn received<'a>(person: &Person, second: &Second, context: &Context) -> Option<Element<'a, Message>> {
    let pictures = second.video.iter().filter(|video| video.id.is_some_and(|track| track.owner == person.id));
    let voice = second.audio.iter().find(|audio| audio.id == Some(person.id));
    let mut parts: Vec<Part> = pictures.clone().map(|video| picture(video, second, context)).collect();
    parts.extend(voice.map(|voice| sound(voice, second, context)));
    if parts.is_empty() {
        return None;
    }
    let reduced = pictures.filter_map(|video| Some((video.limited_by?, video.id?.slot)));
    let mut sentence = reduced
        .map(|(limitation, slot)| (limitation, reduction::sentence(limitation, &person.name, slot, context.language)));
    Some(card(&person.name, sentence.next_back(), parts, context))
}

/// A heading, and lines with the id of their label and a value.
type Part = (Option<String>, Vec<(&'static str, String)>);

fn picture(video: &VideoStats, second: &Second, context: &Context) -> Part {
    let language = context.language;
    let fps = |count| rate(second.per_second(count), language);
    let size = |size: Option<(u16, u16)>| size.map_or_else(|| context.text("statistics-none"), reduction::size);
    let mut lines = vec![
        ("statistics-wished", size(video.wished)),
        ("statistics-received", format!("{} · {}", size(video.size), fps(video.received))),
        ("statistics-shown", format!("{} · {}", fps(video.decoded), fps(video.shown))),
        ("statistics-bitrate", bitrate(second.kbps(video.bytes), language)),
    ];
    lines.extend(packets(&video.packets, language));
    if let Some(time) = (video.decode_ms * 10).checked_div(video.decoded) {
        lines.push(("statistics-decoding", per_picture(time, language)));
    }
    let title = if video.track == "screen" { "statistics-screen" } else { "statistics-camera" };
    (Some(context.text(title)), lines)
}

fn sound(voice: &AudioStats, second: &Second, context: &Context) -> Part {
    let language = context.language;
    let mut lines = vec![("statistics-bitrate", bitrate(second.kbps(voice.bytes), language))];
    lines.extend(packets(&voice.packets, language));
    lines.push(("statistics-delay", millis(voice.delay_ms, language)));
    if let Some(part) = (voice.concealed_ms * 1_000).checked_div(voice.talk_ms) {
        lines.push(("statistics-concealed", percent(part, language)));
    }
    // Most seconds have neither.
    let changed = [("statistics-slowed", voice.inserted_ms), ("statistics-sped-up", voice.removed_ms)];
    let changed = changed.into_iter().filter(|(_, time)| *time > 0);
    lines.extend(changed.map(|(label, time)| (label, millis(time, language))));
    (Some(context.text("statistics-sound")), lines)
}

fn packets(packets: &ReceivedRtpStreamStats, language: Language) -> [(&'static str, String); 2] {
    [
        ("statistics-loss", percent(packets.lost_permille(), language)),
        ("statistics-jitter", millis(packets.jitter_ms, language)),
    ]
}

/// What is sent, with the reason if it is less than the others wish.
fn sent<'a>(second: &Second, context: &Context) -> Element<'a, Message> {
    let language = context.language;
    let layer = |sent: &SentLayerStats| {
        let mut line = bitrate(second.kbps(sent.bytes), language);
        if let Some(size) = sent.size {
            line = format!("{} · {} · {line}", reduction::size(size), rate(second.per_second(sent.frames), language));
        }
        let label = match sent.track.as_str() {
            "camera" => "statistics-camera",
            "screen" => "statistics-screen",
            _ => "statistics-sound",
        };
        let encoding = (sent.encode_ms * 10).checked_div(sent.frames).filter(|_| sent.size.is_some());
        let encoding = encoding.map(|time| ("statistics-encoding", per_picture(time, language)));
        [Some((label, line)), encoding].into_iter().flatten()
    };
    let mut lines: Vec<_> = second.sent.iter().filter(|sent| sent.frames > 0).flat_map(layer).collect();
    if lines.is_empty() {
        lines.push(("statistics-video", context.text("statistics-none")));
    }
    let limit = second.screen_limit.or(second.camera_limit);
    let sentence = limit.map(|limitation| (limitation, reduction::own_sentence(limitation, language)));
    card(&context.text("statistics-sent"), sentence, vec![(None, lines)], context)
}

/// A card with a title, the sentence of a reduction, and lines.
fn card<'a>(
    title: &str,
    sentence: Option<(Limitation, String)>,
    parts: Vec<Part>,
    context: &Context,
) -> Element<'a, Message> {
    let head = heading(3, elided(title).strong());
    let sentence = sentence.map(|(limitation, words)| {
        let (symbol, tone) =
            if limitation.is_disturbing() { (Icon::Warning, Tone::Warn) } else { (Icon::Info, Tone::Dim) };
        row![icon(symbol).size(ICON_SMALL).tone(tone), text::small(words).width(Length::Fill)].spacing(SPACE_S)
    });
    let parts = parts.into_iter().map(|(title, lines)| {
        let title = title.map(|title| text::caption(title).style(text::tone(Tone::Dim)));
        let lines = lines.into_iter().map(|(label, value)| line(context.text(label), value));
        Element::from(column![].push(title).extend(lines).spacing(2.0))
    });
    let inside = column![head].push(sentence).extend(parts).spacing(SPACE_S);
    let inside = container(inside).padding(SPACE_M).width(Length::Fill).style(theme::inset);
    region(Role::List, title, inside)
}

fn line<'a>(label: String, value: String) -> Element<'a, Message> {
    let name = format!("{label}, {value}");
    let label = text::caption(label).style(text::tone(Tone::Dim)).width(Length::Fill);
    let inside = row![label, text::caption(value)].spacing(SPACE_S).align_y(Alignment::Center);
    region(Role::ListItem, &name, inside)
}

fn rate(count: u64, language: Language) -> String {
    language.with("statistics-fps", &[("count", count.into())])
}

/// The time for one picture, from tenths of milliseconds.
fn per_picture(tenths: u64, language: Language) -> String {
    language.with("statistics-ms-picture", &[("time", decimal(tenths, language).into())])
}

fn loss(permille: u64, language: Language) -> String {
    language.with("statistics-lost", &[("part", decimal(permille, language).into())])
}
