//! Commands on standard input for the chat.

use super::fields::Fields;
use super::people;
use engine::chat::{Command, Line, LineId, MAX_OPTIONS, MAX_QUESTION, NewLine, Reaction, Text, TypedText};
use engine::{Person, Zeroizing};

/// A command. A line is named by the id of its event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChatOrder {
    /// Writes a line.
    Write {
        /// The text.
        text: String,
        /// The name or id of the only reader; `None` for all.
        to: Option<String>,
        /// The line that this one answers.
        reply: Option<String>,
    },
    /// Changes the text of our line.
    Edit {
        /// The line.
        line: String,
        /// The new text.
        text: String,
    },
    /// Removes a line.
    Delete(String),
    /// Adds a reaction to a line, or takes it back.
    React {
        /// The line.
        line: String,
        /// Which one.
        reaction: Reaction,
        /// False takes it back.
        on: bool,
    },
    /// Shows the others what we type; an empty text ends that.
    Typing(String),
    /// Begins a vote.
    Vote {
        /// The question.
        question: String,
        /// The answers.
        options: Vec<String>,
        /// Only we get the ballots.
        secret: bool,
    },
    /// Casts a ballot.
    Ballot {
        /// The line with the question.
        vote: String,
        /// The index of the answer. The first one is 0.
        choice: u8,
    },
    /// Ends our vote in this line.
    EndVote(String),
}

/// Returns the command `name`, or `fields` again if it is not about the chat.
///
/// # Errors
/// Returns an error if its fields are wrong.
pub fn parse(name: &str, fields: Fields) -> Result<Result<ChatOrder, Fields>, String> {
    Ok(Ok(match name {
        "chat" if fields.is_text() => ChatOrder::Write { text: fields.text()?, to: None, reply: None },
        "chat" => {
            let [text, to, reply] = fields.named("a text, or an object", ["text", "to", "reply"])?;
            let (to, reply) = (to.if_any(Fields::text)?, reply.if_any(Fields::text)?);
            ChatOrder::Write { text: text.text()?, to, reply }
        }
        "edit" => {
            let [line, text] = fields.of(["line", "text"])?;
            ChatOrder::Edit { line: line.text()?, text: text.text()? }
        }
        "delete" => ChatOrder::Delete(fields.text()?),
        "react" => {
            let [line, reaction, on] = fields.of(["line", "reaction", "on"])?;
            let on = on.if_any(Fields::boolean)?.unwrap_or(true);
            ChatOrder::React { line: line.text()?, reaction: reaction.one_of(&REACTIONS)?, on }
        }
        "typing" => ChatOrder::Typing(fields.text()?),
        "vote" => {
            let [question, options, secret] = fields.of(["question", "options", "secret"])?;
            let secret = secret.if_any(Fields::boolean)?.unwrap_or_default();
            let vote = ChatOrder::Vote { question: question.text()?, options: options.texts()?, secret };
            checked(vote)?
        }
        "ballot" => {
            let [vote, choice] = fields.of(["vote", "choice"])?;
            ChatOrder::Ballot { vote: vote.text()?, choice: choice.index()? }
        }
        "end-vote" => ChatOrder::EndVote(fields.text()?),
        _ => return Ok(Err(fields)),
    }))
}

/// Checks what the meeting would refuse without saying what is wrong.
fn checked(order: ChatOrder) -> Result<ChatOrder, String> {
    let ChatOrder::Vote { question, options, .. } = &order else { return Ok(order) };
    let is_again = |(index, text): (usize, &String)| options.iter().take(index).any(|before| before == text);
    if !(2..=MAX_OPTIONS).contains(&options.len()) || options.iter().enumerate().any(is_again) {
        return Err(format!("vote.options: expected 2 to {MAX_OPTIONS} different texts"));
    }
    let is_long = |text: &String| text.len() > MAX_QUESTION;
    if is_long(question) || options.iter().any(is_long) {
        return Err(format!("vote: expected texts of at most {MAX_QUESTION} bytes"));
    }
    Ok(order)
}

impl ChatOrder {
    /// Returns the command of the engine. `lines` are those of the chat.
    ///
    /// # Errors
    /// Returns why there is none: there is no such person or line, or the text cannot be sent.
    pub fn command(self, members: &[Person], lines: &[Line]) -> Result<Command, String> {
        Ok(match self {
            Self::Write { text, to, reply } => {
                let to = to.map(|name| people::member(members, &name)).transpose()?;
                let reply = reply.map(|id| line(lines, &id)).transpose()?;
                Command::Send(NewLine { to, text: checked_text(text)?, reply, mentions: Vec::new() })
            }
            Self::Edit { line: id, text } => Command::Edit { line: line(lines, &id)?, text: checked_text(text)? },
            Self::Delete(id) => Command::Delete(line(lines, &id)?),
            Self::React { line: id, reaction, on } => Command::React { line: line(lines, &id)?, reaction, on },
            Self::Typing(text) => Command::Type(TypedText::new(&Zeroizing::new(text))),
            Self::Vote { question, options, secret } => {
                let options = options.into_iter().map(checked_text).collect::<Result<_, _>>()?;
                Command::StartVote { question: checked_text(question)?, options, secret }
            }
            Self::Ballot { vote: id, choice } => Command::Choose { vote: vote(lines, &id)?, choice },
            Self::EndVote(id) => Command::EndVote(vote(lines, &id)?),
        })
    }
}

fn checked_text(text: String) -> Result<Text, String> {
    Text::new(&Zeroizing::new(text)).map_err(|error| error.to_string())
}

fn line(lines: &[Line], id: &str) -> Result<LineId, String> {
    let found = lines.iter().find(|line| line_id(line.id) == id);
    found.map(|line| line.id).ok_or_else(|| "there is no line with this id".into())
}

fn vote(lines: &[Line], id: &str) -> Result<LineId, String> {
    let found = lines.iter().find(|line| line.vote.is_some() && line_id(line.id) == id);
    found.map(|line| line.id).ok_or_else(|| "there is no vote with this id".into())
}

/// Returns the id of a line in events and commands: the device of its author and a number, in hexadecimal digits.
pub fn line_id(id: LineId) -> String {
    format!("{}-{:x}", id.device.to_string().replace(' ', ""), id.counter)
}

/// The names of the reactions.
pub const REACTIONS: [(&str, Reaction); 5] = [
    ("like", Reaction::Like),
    ("heart", Reaction::Heart),
    ("laugh", Reaction::Laugh),
    ("surprised", Reaction::Surprised),
    ("celebrate", Reaction::Celebrate),
];
