//! Finds a link in pasted text: mail programs wrap lines inside it, and put brackets, quotes and invisible characters
//! around it.

use super::secret_part::payload_length;
use crate::name::is_ignorable;
use std::iter::Peekable;
use std::str::Chars;
use zeroize::{Zeroize, Zeroizing};

/// Returns the first link in `text`, without what surrounds it and without breaks inside it; `None` if there is no
/// `conclave://`. The link may still be damaged or incomplete. Reads the first 64 KiB of `text`.
pub fn find_link(text: &str) -> Option<Zeroizing<String>> {
    let end = text.floor_char_boundary(MAX_TEXT);
    let mut visible = Zeroizing::new(String::with_capacity(end));
    visible.extend(text[..end].chars().filter(|character| !is_ignorable(*character)));
    let begin = begin_of_link(&visible)? + SCHEME.len();
    let mut rest = visible[begin..].chars().peekable();
    // The capacity is never exceeded: growing would leave a copy of the secret behind.
    let mut link = Zeroizing::new(String::with_capacity(SCHEME.len() + visible.len()));
    link.push_str(SCHEME);
    if read_place(&mut rest, &mut link) {
        link.push('#');
        read_payload(&mut rest, &mut link);
    }
    Some(link)
}

fn begin_of_link(text: &str) -> Option<usize> {
    text.as_bytes().windows(SCHEME.len()).position(|window| window.eq_ignore_ascii_case(SCHEME.as_bytes()))
}

/// Appends host, port and path. Returns true if a `#` follows, and skips it.
fn read_place(rest: &mut Peekable<Chars<'_>>, link: &mut String) -> bool {
    while let Some(&character) = rest.peek() {
        if character == '#' {
            rest.next();
            return true;
        }
        if is_line_break(character) || (character == '=' && is_soft_break(rest)) {
            let mut after = rest.clone();
            skip_break(&mut after);
            // The next line belongs to the link if it has the `#`.
            if !after.clone().take_while(|character| !character.is_whitespace()).any(|character| character == '#') {
                return false;
            }
            *rest = after;
        } else if character.is_whitespace() || matches!(character, '<' | '>' | '"' | '\'' | '`' | '(' | ')' | '|') {
            return false;
        } else {
            link.push(character);
            rest.next();
        }
    }
    false
}

/// Appends the secret part. Its first byte tells how long it is.
fn read_payload(rest: &mut Peekable<Chars<'_>>, link: &mut String) {
    let begin = link.len();
    read_run(rest, link);
    let first = link.len();
    let end = payload_length(&link[begin..]).map(|length| begin + length);
    if let Some(end) = end {
        read_wrapped(rest, link, end);
        // Markdown emphasis behind a complete link.
        if link.len() > end && link[end..].bytes().all(|byte| matches!(byte, b'_' | b'-')) {
            link.truncate(end);
        }
        // What follows is not the rest of the link, but the text behind it.
        if link.len() != end && link.len() > first {
            wipe_from(link, first);
        }
    }
    let incomplete = link.len() < end.unwrap_or(begin + MIN_PAYLOAD);
    if incomplete
        && link.len() == first
        && let Some(next) = rest.next()
    {
        let goes_on = rest.peek().is_some_and(|after| is_base64url(*after));
        if !next.is_whitespace() && (goes_on || !CLOSING.contains(next)) {
            // A character that no link has: the link is damaged, not only cut.
            link.push(next);
        }
    }
}

/// Appends the following lines of a wrapped link until it has `end` bytes.
fn read_wrapped(rest: &mut Peekable<Chars<'_>>, link: &mut String, end: usize) {
    while link.len() < end && rest.peek().is_some_and(|next| next.is_whitespace() || matches!(next, '>' | '=')) {
        let mut after = rest.clone();
        skip_break(&mut after);
        let before = link.len();
        read_run(&mut after, link);
        if link.len() == before {
            return;
        }
        *rest = after;
    }
}

/// Appends the characters of base64url that follow.
fn read_run(rest: &mut Peekable<Chars<'_>>, link: &mut String) {
    while let Some(character) = rest.next_if(|next| is_base64url(*next)) {
        link.push(character);
    }
}

/// Removes the bytes from `begin` on, and overwrites them.
fn wipe_from(link: &mut String, begin: usize) {
    let mut removed = link.split_off(begin);
    removed.zeroize();
}

/// Skips a line break with what mail programs add: the `=` of quoted-printable before it, indentation and `>` after it.
fn skip_break(rest: &mut Peekable<Chars<'_>>) {
    while rest.next_if(|next| next.is_whitespace() || matches!(next, '>' | '=')).is_some() {}
}

/// Returns true if `=` and a line break follow: a soft line break of quoted-printable text.
fn is_soft_break(rest: &Peekable<Chars<'_>>) -> bool {
    let mut after = rest.clone();
    after.next();
    after.peek().copied().is_some_and(is_line_break)
}

fn is_base64url(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_')
}

fn is_line_break(character: char) -> bool {
    matches!(character, '\n' | '\r')
}

/// What every link begins with.
pub const SCHEME: &str = "conclave://";
/// What ends a sentence, a quotation or a bracket.
const CLOSING: &str = ">)]}\"'.,;:!?»”’";
/// Characters from which the version of a secret part can be read.
const MIN_PAYLOAD: usize = 4;
const MAX_TEXT: usize = 64 << 10;
