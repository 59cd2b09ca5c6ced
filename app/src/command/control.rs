//! Control of a client without a window: commands as JSON lines on standard input, events as JSON lines on standard output.

use super::chat_orders::{REACTIONS, line_id};
use super::options::Client;
use super::orders::{NamedOrder, parse};
use super::output;
use anyhow::{Context, Result, bail};
use app::locale::Language;
use app::model::sentence;
use engine::chat::{Body, Line, Reacted, Vote, VoteOption};
use engine::{Reason, SecretLink, Zeroizing};
use serde_json::{Value, json};
use std::io::{BufRead, Read};
use tokio::sync::mpsc;

/// Starts to read commands. `None` if the options do not ask for that. The reader ends with standard input.
///
/// # Errors
/// Returns an error if the system has no thread.
pub fn read(client: &Client) -> Result<Option<mpsc::Receiver<Result<NamedOrder, String>>>> {
    if !client.commands {
        return Ok(None);
    }
    let (sender, receiver) = mpsc::channel(MAX_WAITING);
    let read = move || read_orders(&mut std::io::stdin().lock(), |order| sender.blocking_send(order).is_ok());
    std::thread::Builder::new().name("commands".into()).spawn(read).context("cannot read commands")?;
    Ok(Some(receiver))
}

/// Passes each line to `send` until it returns false.
fn read_orders(input: &mut impl BufRead, mut send: impl FnMut(Result<NamedOrder, String>) -> bool) {
    loop {
        let mut line = Zeroizing::new(Vec::with_capacity(MAX_LINE + 1));
        let limit = u64::try_from(MAX_LINE + 1).unwrap_or(u64::MAX);
        match input.by_ref().take(limit).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let is_whole = line.ends_with(b"\n") || line.len() <= MAX_LINE;
        let order = if is_whole { parse(&line) } else { skip_line(input).map(|()| Err("the line is too long".into())) };
        if let Some(order) = order
            && !send(order)
        {
            return;
        }
    }
}

/// Skips the rest of a line. `None` at the end of the input.
fn skip_line(input: &mut impl BufRead) -> Option<()> {
    loop {
        let buffer = input.fill_buf().ok().filter(|buffer| !buffer.is_empty())?;
        let (end, length) = (buffer.iter().position(|byte| *byte == b'\n'), buffer.len());
        input.consume(end.map_or(length, |at| at + 1));
        if end.is_some() {
            return Some(());
        }
    }
}

/// Checks that the link is not read from the arguments: the program starts itself again then, with the link on standard
/// input, where the commands would be lost.
///
/// # Errors
/// Returns an error if commands are wanted, and the link is an argument or there is a window.
pub fn check(client: &Client, argument: Option<&SecretLink>) -> Result<()> {
    if client.commands && argument.is_some_and(|link| link.expose() != super::link::STDIN) {
        bail!("--commands needs the link from a file (--link-file), or as the first line of standard input (join -)");
    }
    if (client.commands || client.json) && !client.headless {
        bail!("--commands and --json need --headless");
    }
    Ok(())
}

/// Prints an event.
pub fn print(event: &Value) {
    output::line(event);
}

/// Returns the event of the entry into the meeting. `link` is that of a new meeting.
pub fn entered(name: &str, link: Option<&SecretLink>) -> Value {
    json!({ "entered": { "name": name, "link": link.map(SecretLink::expose) } })
}

/// Returns the event of a link that has changed.
pub fn link(link: &SecretLink) -> Value {
    json!({ "link": link.expose() })
}

/// Returns the event of a command that was not carried out.
pub fn refused(why: &str) -> Value {
    json!({ "error": why })
}

/// Returns the last event, which says why the meeting has ended for us.
pub fn ended(reason: &Reason) -> Value {
    let id = sentence::reason(reason);
    json!({ "ended": { "reason": id.strip_prefix("ended-").unwrap_or(id), "text": sentence::reason_text(reason, Language::of_system()) } })
}

/// Returns the event of a line of the chat that is in the meeting's log. `None` while it is on its way.
pub fn chat(line: &Line) -> Option<Value> {
    let text = if let Body::Text(text) = &line.body { Some(text.as_str()) } else { None };
    let removed_by = match &line.body {
        Body::Text(_) => None,
        Body::Deleted => Some(line.name.as_str()),
        Body::RemovedBy(name) => Some(name.as_str()),
    };
    Some(json!({ "chat": {
        "id": line_id(line.id),
        "place": line.place?,
        "from": line.name,
        "me": line.me,
        "private": line.private.as_ref().map(|peer| peer.name.as_str()),
        "text": text,
        "removed_by": removed_by,
        "edited": line.edited,
        "reply": line.reply.map(line_id),
        "mentions_me": line.mentions_me,
        "passed_on": line.passed_on.as_ref().map(|how| json!({ "by": how.by, "proved": how.proved })),
        "time": line.time,
        "reactions": line.reactions.iter().map(reaction).collect::<Vec<_>>(),
        "vote": line.vote.as_ref().map(vote),
    } }))
}

fn reaction(found: &Reacted) -> Value {
    let name = REACTIONS.iter().find(|(_, reaction)| *reaction == found.reaction).map(|(name, _)| *name);
    json!({ "reaction": name, "from": found.name, "me": found.me })
}

/// Describes a vote: `count` is null while the ballots are secret, `mine` is the index of our choice.
fn vote(vote: &Vote) -> Value {
    let option =
        |option: &VoteOption| json!({ "text": option.text.as_str(), "count": option.count, "voters": option.voters });
    let options: Vec<_> = vote.options.iter().map(option).collect();
    json!({
        "options": options,
        "secret": vote.secret,
        "ended": vote.ended,
        "ballots": vote.ballots,
        "mine": vote.mine,
    })
}

/// Commands that wait for the meeting.
const MAX_WAITING: usize = 16;
/// The longest line, in bytes. A text of the chat fits if each of its characters is escaped.
const MAX_LINE: usize = 128 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::chat_orders::ChatOrder;
    use crate::command::options::{self, Options};
    use crate::command::orders::{Order, Whom};
    use clap::Parser;

    fn orders(input: &[u8]) -> Vec<Result<Order, String>> {
        let mut found = Vec::new();
        read_orders(&mut &*input, |order| {
            found.push(order.map(|(_, order)| order));
            true
        });
        found
    }

    #[test]
    fn each_line_is_a_command_and_a_wrong_one_ends_nothing() {
        let input = b"{\"admit\":\"all\"}\n\n{\"typing\":\"x\"}\r\n{\"dance\":true}\nnonsense\n{\"leave\":true}";
        let found = orders(input);
        assert_eq!(found[..2], [Ok(Order::Admit(Whom::All)), Ok(Order::Chat(ChatOrder::Typing("x".into())))]);
        assert!(found[2].is_err() && found[3].is_err());
        assert_eq!(found[4..], [Ok(Order::Leave(true))]);
    }

    #[test]
    fn a_line_that_is_too_long_is_skipped() {
        let input = [&vec![b'x'; 3 * MAX_LINE][..], b"\n{\"leave\":true}\n"].concat();
        assert_eq!(orders(&input), [Err("the line is too long".into()), Ok(Order::Leave(true))]);
        assert!(orders(&vec![b'x'; 3 * MAX_LINE]).is_empty(), "it has no end");
    }

    #[test]
    fn a_link_in_the_arguments_would_take_the_place_of_the_commands() {
        let client = |arguments: &[&str]| {
            let parsed = Options::parse_from([&["conclave", "join", "-"], arguments].concat());
            let Some(options::Command::Join(join)) = parsed.command else { panic!("{parsed:?}") };
            join.client
        };
        let link = SecretLink::from("conclave://h:1/#s");
        let controlled = client(&["--headless", "--commands", "--json"]);
        assert!(check(&controlled, Some(&"-".into())).is_ok() && check(&controlled, None).is_ok());
        assert!(check(&controlled, Some(&link)).is_err());
        assert!(check(&client(&["--json"]), None).is_err() && check(&client(&[]), Some(&link)).is_ok());
    }

    #[test]
    fn an_event_of_the_chat_names_author_place_and_text() {
        let device = engine::DeviceKey([7; 32]);
        let mut line = Line {
            id: engine::chat::LineId { device, counter: 255 },
            name: "Bob".into(),
            me: false,
            private: None,
            time: 5,
            place: None,
            status: engine::chat::Status::Sending,
            reply: None,
            body: Body::Text(engine::chat::Text::new("two\nlines").unwrap()),
            edited: false,
            mentions_me: false,
            reactions: Vec::new(),
            passed_on: None,
            vote: None,
        };
        assert_eq!(chat(&line), None, "it is on its way");
        line.place = Some(9);
        let event = chat(&line).unwrap();
        assert_eq!((&event["chat"]["text"], &event["chat"]["place"]), (&json!("two\nlines"), &json!(9)));
        assert!(event["chat"]["id"].as_str().unwrap().contains("07-ff") && !event.to_string().contains('\n'));
        line.body = Body::RemovedBy("Ada".into());
        let event = chat(&line).unwrap();
        assert_eq!((&event["chat"]["text"], &event["chat"]["removed_by"]), (&Value::Null, &json!("Ada")));
    }
}
