//! The commands of a client without a window: one JSON object a line, with one field. docs/commands.md lists them.

use super::chat_orders::{self, ChatOrder};
use super::fields::Fields;
use super::meeting_orders::{self, MeetingOrder};
use engine::Refusal;
use serde_json::Value;

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Does something in the chat.
    Chat(ChatOrder),
    /// Writes between the waiting room and the managers.
    Lobby {
        /// Who asks to join; `None` if we ask ourselves.
        to: Option<String>,
        /// The text.
        text: String,
    },
    /// Lets those in who ask to join.
    Admit(Whom),
    /// Declines those who ask to join, who read the reason.
    Decline(Whom, Refusal),
    /// Accepts the device of the person with this name or id as another one of that person.
    AcceptDevice(String),
    /// Prints our counters, if true.
    Report(bool),
    /// Leaves the meeting, if true.
    Leave(bool),
    /// Changes the meeting or our own devices.
    Meeting(MeetingOrder),
}

/// Who is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// All who wait.
    All,
    /// The one who waits with this name or id.
    Named(String),
}

/// A command, and its name for the error if it is not carried out.
pub type NamedOrder = (String, Order);

/// Returns the command of a line. `None` if the line is empty. An error says what is wrong and what is expected, and repeats no
/// value, because it is logged.
pub fn parse(line: &[u8]) -> Option<Result<NamedOrder, String>> {
    let line = line.trim_ascii();
    if line.is_empty() {
        return None;
    }
    Some(object(line).and_then(|(name, value)| order(&name, value).map(|order| (name, order))))
}

/// Returns the only field of a line.
fn object(line: &[u8]) -> Result<(String, Value), String> {
    let not_json = |error: serde_json::Error| {
        format!("this is not JSON: {:?} error at column {}", error.classify(), error.column())
    };
    let Value::Object(object) = serde_json::from_slice(line).map_err(not_json)? else {
        return Err(r#"expected an object such as {"chat":"Hello"}"#.into());
    };
    let count = object.len();
    match object.into_iter().next() {
        Some(field) if count == 1 => Ok(field),
        _ => Err(format!("expected one command in each line, found {count}")),
    }
}

fn order(name: &str, value: Value) -> Result<Order, String> {
    let fields = match chat_orders::parse(name, Fields::new(name, value))? {
        Ok(order) => return Ok(Order::Chat(order)),
        Err(fields) => fields,
    };
    Ok(match name {
        "lobby" if fields.is_text() => Order::Lobby { to: None, text: fields.text()? },
        "lobby" => {
            let [to, text] = fields.of(["to", "text"])?;
            Order::Lobby { to: Some(to.text()?), text: text.text()? }
        }
        "admit" => Order::Admit(whom(name, fields)?),
        "decline" => decline(fields)?,
        "accept-device" => Order::AcceptDevice(fields.text()?),
        "report" => Order::Report(fields.boolean()?),
        "leave" => Order::Leave(fields.boolean()?),
        _ => Order::Meeting(meeting_orders::parse(name, fields)?),
    })
}

fn whom(command: &str, fields: Fields) -> Result<Whom, String> {
    if fields.is_text() {
        let all = fields.one_of(&[("all", Whom::All)]);
        return all.map_err(|_| format!(r#"{command}: expected "all" or {{"name":"NAME"}}"#));
    }
    let [name] = fields.named("all, or an object", ["name"])?;
    Ok(Whom::Named(name.text()?))
}

/// Returns who is declined, and the reason that they read.
fn decline(fields: Fields) -> Result<Order, String> {
    if fields.is_text() {
        return Ok(Order::Decline(whom("decline", fields)?, Refusal::Declined));
    }
    let [name, reason] = fields.of(["name", "reason"])?;
    let whom = name.if_any(Fields::text)?.map_or(Whom::All, Whom::Named);
    let reason = reason.if_any(|reason| reason.one_of(&REASONS))?;
    Ok(Order::Decline(whom, reason.unwrap_or(Refusal::Declined)))
}

/// The reasons of a refusal that the user can choose, as in the window.
const REASONS: [(&str, Refusal); 4] = [
    ("none", Refusal::Declined),
    ("not-now", Refusal::NotNow),
    ("not-invited", Refusal::NotInvited),
    ("full", Refusal::Full),
];

#[cfg(test)]
mod tests {
    use super::*;
    use engine::chat::Reaction;

    fn parsed(line: &str) -> Result<Order, String> {
        parse(line.as_bytes()).expect("it is not empty").map(|(_, order)| order)
    }

    #[test]
    fn each_command_is_understood() {
        let chat = |text: &str, to: Option<&str>, reply: Option<&str>| {
            let (to, reply) = (to.map(str::to_owned), reply.map(str::to_owned));
            Order::Chat(ChatOrder::Write { text: text.into(), to, reply })
        };
        let vote = |secret| {
            let options = vec!["now".into(), "later".into()];
            Order::Chat(ChatOrder::Vote { question: "when?".into(), options, secret })
        };
        let react = |on| Order::Chat(ChatOrder::React { line: "07-ff".into(), reaction: Reaction::Heart, on });
        for (line, expected) in [
            (r#"{"chat":"Hello"}"#, chat("Hello", None, None)),
            (r#"{"chat":{"text":"psst","to":"Bob"}}"#, chat("psst", Some("Bob"), None)),
            (r#"{"chat":{"text":"yes","reply":"07-ff"}}"#, chat("yes", None, Some("07-ff"))),
            (
                r#"{"edit":{"line":"07-ff","text":"no"}}"#,
                Order::Chat(ChatOrder::Edit { line: "07-ff".into(), text: "no".into() }),
            ),
            (r#"{"delete":"07-ff"}"#, Order::Chat(ChatOrder::Delete("07-ff".into()))),
            (r#"{"react":{"line":"07-ff","reaction":"heart"}}"#, react(true)),
            (r#"{"react":{"line":"07-ff","reaction":"heart","on":false}}"#, react(false)),
            (r#"{"typing":"Hel"}"#, Order::Chat(ChatOrder::Typing("Hel".into()))),
            (r#"{"vote":{"question":"when?","options":["now","later"]}}"#, vote(false)),
            (r#"{"vote":{"question":"when?","options":["now","later"],"secret":true}}"#, vote(true)),
            (
                r#"{"ballot":{"vote":"07-ff","choice":1}}"#,
                Order::Chat(ChatOrder::Ballot { vote: "07-ff".into(), choice: 1 }),
            ),
            (r#"{"end-vote":"07-ff"}"#, Order::Chat(ChatOrder::EndVote("07-ff".into()))),
            (r#"{"lobby":"Hello?"}"#, Order::Lobby { to: None, text: "Hello?".into() }),
            (r#"{"lobby":{"to":"Bob","text":"Yes"}}"#, Order::Lobby { to: Some("Bob".into()), text: "Yes".into() }),
            (r#"{"admit":"all"}"#, Order::Admit(Whom::All)),
            (r#"{"decline":"all"}"#, Order::Decline(Whom::All, Refusal::Declined)),
            (r#"{"decline":{"name":"Bob"}}"#, Order::Decline(Whom::Named("Bob".into()), Refusal::Declined)),
            (
                r#"{"decline":{"name":"Bob","reason":"not-now"}}"#,
                Order::Decline(Whom::Named("Bob".into()), Refusal::NotNow),
            ),
            (r#"{"decline":{"reason":"full"}}"#, Order::Decline(Whom::All, Refusal::Full)),
            (r#"{"accept-device":"Bob"}"#, Order::AcceptDevice("Bob".into())),
            (r#"{"report":true}"#, Order::Report(true)),
            (" {\"leave\":true}\r", Order::Leave(true)),
            (r#"{"hand":true}"#, Order::Meeting(MeetingOrder::Hand(true))),
        ] {
            assert_eq!(parsed(line), Ok(expected), "{line}");
        }
        assert_eq!(parse(b" \r\n"), None);
    }

    #[test]
    fn an_error_says_which_field_is_wrong_and_what_is_expected_and_repeats_no_value() {
        for (line, expected) in [
            ("secret", "this is not JSON: Syntax error at column 1"),
            (r#"["secret"]"#, r#"expected an object such as {"chat":"Hello"}"#),
            ("{}", "expected one command in each line, found 0"),
            (r#"{"mute":true,"leave":true}"#, "expected one command in each line, found 2"),
            (r#"{"secret":true}"#, "there is no such command"),
            (r#"{"chat":7}"#, "chat: expected a text, or an object, found a number"),
            (r#"{"chat":{"to":"secret"}}"#, "chat.text: expected a text, found nothing"),
            (r#"{"chat":{"text":"x","to":7}}"#, "chat.to: expected a text, found a number"),
            (r#"{"chat":{"text":"x","secret":1}}"#, "chat: expected only text, to, reply"),
            (r#"{"mute":"secret"}"#, "mute: expected true or false, found a text"),
            (r#"{"admit":"secret"}"#, r#"admit: expected "all" or {"name":"NAME"}"#),
            (r#"{"vote":{"question":"x","options":["a"]}}"#, "vote.options: expected 2 to 6 different texts"),
            (r#"{"vote":{"question":"x","options":["a","a"]}}"#, "vote.options: expected 2 to 6 different texts"),
            (r#"{"default-role":"organiser"}"#, "default-role: expected one of presenter, participant, guest"),
            (
                r#"{"role":{"of":"secret","role":"organiser"}}"#,
                "role.role: expected one of co-organiser, presenter, participant, guest",
            ),
            (
                r#"{"decline":{"name":"x","reason":"secret"}}"#,
                "decline.reason: expected one of none, not-now, not-invited, full",
            ),
            (
                r#"{"ballot":{"vote":"x","choice":256}}"#,
                "ballot.choice: expected a whole number from 0 to 255, found a number",
            ),
            (r#"{"vote":{"question":"x","options":["a",7]}}"#, "vote.options: expected a list of texts"),
            (r#"{"grant":{"to":"secret"}}"#, "grant.right: expected a text, found nothing"),
        ] {
            let found = parsed(line).expect_err(line);
            assert!(found.starts_with(expected) && !found.contains("secret"), "{line}: {found}");
        }
    }
}
