//! The web server of a call between two browsers: serves the page, passes messages between both ends, and stores their results.
//!
//! It is this program again, in the server's namespace.

use anyhow::{Context, Result, bail};
use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;

/// Serves until the process is ended. `arguments` are the address to listen at and the folder for the results. Prints a line as soon as
/// it listens. Writes the file `KIND-ROLE` for each end that is `ready` or has `failed`, and for its `result`.
///
/// # Errors
/// Returns an error if the arguments are wrong, or if the address cannot be used.
pub fn run(arguments: &[String]) -> Result<()> {
    let [address, folder] = arguments else { bail!("usage: bench {COMMAND} ADDRESS FOLDER") };
    let listener = TcpListener::bind(address)?;
    println!("listening");
    let server = Arc::new(Server { folder: folder.into(), messages: Mutex::default() });
    for stream in listener.incoming() {
        let (stream, server) = (stream?, Arc::clone(&server));
        Builder::new().name("request".into()).spawn(move || {
            // A browser may close a connection at any time.
            let _ = server.answer(stream);
        })?;
    }
    Ok(())
}

struct Server {
    folder: PathBuf,
    /// The messages of each end, as JSON.
    messages: Mutex<HashMap<String, Vec<String>>>,
}

impl Server {
    /// Answers one request.
    fn answer(&self, mut stream: TcpStream) -> Result<()> {
        let (path, body) = read(&stream)?;
        let (kind, text) = match self.reply(&path, body)? {
            Some(Reply::Page) => ("text/html; charset=utf-8", PAGE.to_owned()),
            Some(Reply::Json(text)) => ("application/json", text),
            None => ("text/plain", String::new()),
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            text.len()
        );
        stream.write_all(head.as_bytes())?;
        Ok(stream.write_all(text.as_bytes())?)
    }

    fn reply(&self, path: &str, body: String) -> Result<Option<Reply>> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match parts[..] {
            [] => Ok(Some(Reply::Page)),
            ["signal", role] if query.is_empty() => {
                self.messages
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .entry(role.to_owned())
                    .or_default()
                    .push(body);
                Ok(None)
            }
            ["signal", role] => {
                let other = if role == SENDER { RECEIVER } else { SENDER };
                let messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
                let new =
                    messages.get(other).map_or(&[][..], |all| all.get(query.parse().unwrap_or(0)..).unwrap_or(&[]));
                Ok(Some(Reply::Json(format!("[{}]", new.join(",")))))
            }
            [kind @ ("ready" | "failed" | "result"), role @ (SENDER | RECEIVER)] => {
                // Renamed, so that a file is complete as soon as it has its name.
                let (file, part) =
                    (self.folder.join(format!("{kind}-{role}")), self.folder.join(format!("{kind}-{role}.part")));
                fs::write(&part, body)?;
                fs::rename(part, file)?;
                Ok(None)
            }
            _ => Ok(None),
        }
    }
}

enum Reply {
    Page,
    Json(String),
}

/// Reads a request: its path and its body.
fn read(stream: &TcpStream) -> Result<(String, String)> {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).context("a request has a path")?.to_owned();
    while !line.trim().is_empty() {
        line.clear();
        reader.read_line(&mut line)?;
        let header = line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        if let Some((_, value)) = header {
            length = value.trim().parse()?;
        }
    }
    let mut body = String::new();
    reader.take(length).read_to_string(&mut body)?;
    Ok((path, body))
}

/// The argument with which this program is the web server.
pub const COMMAND: &str = "browser-signalling";

/// The names of both ends.
pub const SENDER: &str = "sender";
pub const RECEIVER: &str = "receiver";

const PAGE: &str = include_str!("call.html");
