//! The commands of a client without a window: one JSON object a line, with one field. docs/commands.md lists them.

use super::fields::Fields;
use super::meeting_orders::{self, MeetingOrder};
use engine::Refusal;
use serde_json::Value;

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Writes in the chat.
    Chat(ChatOrder),
    /// Shows the others what we type; an empty text ends that.
    Typing(String),
    /// Begins a vote.
    Vote(VoteOrder),
    /// Casts a ballot.
    Ballot {
        /// The id of the line with the question, as its event has it.
        vote: String,
        /// The index of the answer. The first one is 0.
        choice: u8,
    },
    /// Ends our vote in the line with this id.
    EndVote(String),
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
    /// Accepts the device of the person with this name as another one of that person.
    AcceptDevice(String),
    /// Prints our counters, if true.
    Report(bool),
    /// Leaves the meeting, if true.
    Leave(bool),
    /// Changes the meeting or our own devices.
    Meeting(MeetingOrder),
}

/// What to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatOrder {
    /// The text.
    pub text: String,
    /// The name of the only reader; `None` for all.
    pub to: Option<String>,
}

/// A vote to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoteOrder {
    /// The question.
    pub question: String,
    /// The answers.
    pub options: Vec<String>,
    /// Only we get the ballots.
    pub secret: bool,
}

/// Who is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// All who wait.
    All,
    /// Those who wait with this name.
    Named(String),
}

impl Whom {
    /// Returns true if somebody with this name is meant.
    pub fn is(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(wanted) => wanted == name,
        }
    }
}

/// Returns the command of a line. `None` if the line is empty. An error says what is wrong and what is expected, and repeats no
/// value, because it is logged.
pub fn parse(line: &[u8]) -> Option<Result<Order, String>> {
    let line = line.trim_ascii();
    if line.is_empty() {
        return None;
    }
    Some(object(line).and_then(|(name, value)| order(&name, value)))
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
    let fields = Fields::new(name, value);
    Ok(match name {
        "chat" if fields.is_text() => Order::Chat(ChatOrder { text: fields.text()?, to: None }),
        "chat" => {
            let [text, to] = fields.of(["text", "to"])?;
            Order::Chat(ChatOrder { text: text.text()?, to: to.if_any(Fields::text)? })
        }
        "typing" => Order::Typing(fields.text()?),
        "vote" => {
            let [question, options, secret] = fields.of(["question", "options", "secret"])?;
            let secret = secret.if_any(Fields::boolean)?.unwrap_or_default();
            Order::Vote(VoteOrder { question: question.text()?, options: options.texts()?, secret })
        }
        "ballot" => {
            let [vote, choice] = fields.of(["vote", "choice"])?;
            Order::Ballot { vote: vote.text()?, choice: choice.index()? }
        }
        "end-vote" => Order::EndVote(fields.text()?),
        "lobby" if fields.is_text() => Order::Lobby { to: None, text: fields.text()? },
        "lobby" => {
            let [to, text] = fields.of(["to", "text"])?;
            Order::Lobby { to: Some(to.text()?), text: text.text()? }
        }
        "admit" => Order::Admit(whom(fields)?),
        "decline" => decline(fields)?,
        "accept-device" => Order::AcceptDevice(fields.text()?),
        "report" => Order::Report(fields.boolean()?),
        "leave" => Order::Leave(fields.boolean()?),
        _ => Order::Meeting(meeting_orders::parse(name, fields)?),
    })
}

fn whom(fields: Fields) -> Result<Whom, String> {
    if fields.is_text() {
        return fields.one_of(&[("all", Whom::All)]);
    }
    let [name] = fields.of(["name"])?;
    Ok(Whom::Named(name.text()?))
}

/// Returns who is declined, and the reason that they read.
fn decline(fields: Fields) -> Result<Order, String> {
    if fields.is_text() {
        return Ok(Order::Decline(whom(fields)?, Refusal::Declined));
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

    fn parsed(line: &str) -> Result<Order, String> {
        parse(line.as_bytes()).expect("it is not empty")
    }

    #[test]
    fn each_command_is_understood() {
        let chat =
            |text: &str, to: Option<&str>| Order::Chat(ChatOrder { text: text.into(), to: to.map(str::to_owned) });
        let vote = |secret| VoteOrder { question: "when?".into(), options: vec!["now".into(), "later".into()], secret };
        for (line, expected) in [
            (r#"{"chat":"Hello"}"#, chat("Hello", None)),
            (r#"{"chat":{"text":"psst","to":"Bob"}}"#, chat("psst", Some("Bob"))),
            (r#"{"typing":"Hel"}"#, Order::Typing("Hel".into())),
            (r#"{"vote":{"question":"when?","options":["now","later"]}}"#, Order::Vote(vote(false))),
            (r#"{"vote":{"question":"when?","options":["now","later"],"secret":true}}"#, Order::Vote(vote(true))),
            (r#"{"ballot":{"vote":"07-ff","choice":1}}"#, Order::Ballot { vote: "07-ff".into(), choice: 1 }),
            (r#"{"end-vote":"07-ff"}"#, Order::EndVote("07-ff".into())),
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
            (r#"{"chat":7}"#, "chat: expected an object, found a number"),
            (r#"{"chat":{"to":"secret"}}"#, "chat.text: expected a text, found nothing"),
            (r#"{"chat":{"text":"x","to":7}}"#, "chat.to: expected a text, found a number"),
            (r#"{"chat":{"text":"x","secret":1}}"#, "chat: expected only text, to"),
            (r#"{"mute":"secret"}"#, "mute: expected true or false, found a text"),
            (r#"{"admit":"secret"}"#, "admit: expected one of all"),
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
