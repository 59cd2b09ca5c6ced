//! Chromium, if it is installed, shows the same tiles without a window. Measures the CPU time of all its processes.

use crate::temp_folder::TempFolder;
use anyhow::{Context, Result, bail};
use media::Size;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Returns the path of the browser, or `None` if it is not installed.
#[must_use]
pub fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let named = |name: &str| folders.iter().map(|folder| folder.join(name)).find(|program| program.is_file());
    ["chromium", "chromium-browser", "google-chrome"].iter().find_map(|name| named(name))
}

/// Returns the CPU milliseconds of the whole browser per shown picture: `count` tiles of `picture` size at 30 fps in
/// `target` pixels, over some seconds.
///
/// # Errors
/// Returns an error if the browser does not start or shows nothing, or if `/proc` cannot be read.
pub fn cost(program: &Path, count: u16, picture: Size, target: [u32; 2]) -> Result<f64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let Size { width, height } = picture;
        let page = format!("http://{}/?count={count}&width={width}&height={height}", listener.local_addr()?);
        let browser = Browser::start(program, &page, target)?;
        timeout(TIMEOUT, watch(&browser, &listener)).await.context("the browser shows nothing")?
    })
}

/// Serves the page, and reads the clock each time the page reports the number of shown pictures.
async fn watch(browser: &Browser, listener: &TcpListener) -> Result<f64> {
    let (mut first, mut start) = (None, None);
    loop {
        let (stream, _) = listener.accept().await?;
        let Some(shown) = answer(stream).await? else { continue };
        let now = Instant::now();
        if shown == 0 || now - *first.get_or_insert(now) < WARM_UP {
            continue;
        }
        let (since, before, cpu) = *start.get_or_insert((now, shown, browser.cpu_ms()?));
        if now - since < MEASURED_TIME {
            continue;
        }
        if shown <= before {
            bail!("the browser stopped showing pictures");
        }
        return Ok((browser.cpu_ms()? - cpu) / f64::from(shown - before));
    }
}

/// Answers one request. Returns the number of shown pictures, if the request reports it.
async fn answer(stream: TcpStream) -> Result<Option<u32>> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    (&mut stream).take(MAX_LINE_BYTES).read_line(&mut line).await?;
    let path = line.split(' ').nth(1).unwrap_or_default();
    let shown = path.strip_prefix("/shown/").map(str::parse).transpose()?;
    let (status, body) = match path {
        _ if path.starts_with("/?") => ("200 OK", PAGE),
        _ if shown.is_some() => ("204 No Content", ""),
        _ => ("404 Not Found", ""),
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    Ok(shown)
}

/// A running browser. Drop kills it.
struct Browser {
    child: Child,
    /// Removed after the browser has ended.
    _profile: TempFolder,
}

impl Browser {
    fn start(program: &Path, page: &str, [width, height]: [u32; 2]) -> Result<Self> {
        let profile = TempFolder::create("bench-browser")?;
        let child = Command::new(program)
            .args(HEADLESS_FLAGS)
            .arg(TILE_FLAG)
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(format!("--window-size={width},{height}"))
            .arg(page)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Self { child, _profile: profile })
    }

    /// Returns the CPU time of the browser and its child processes so far.
    fn cpu_ms(&self) -> Result<f64> {
        let processes = processes()?;
        let root = self.child.id();
        let is_descendant = |mut id: u32| loop {
            match processes.get(&id) {
                _ if id == root => return true,
                Some(process) => id = process.parent,
                None => return false,
            }
        };
        let ticks: u64 = processes.iter().filter(|(id, _)| is_descendant(**id)).map(|(_, process)| process.ticks).sum();
        #[expect(clippy::cast_precision_loss, reason = "a bench lasts for seconds")]
        let ticks = ticks as f64;
        Ok(ticks * 1e3 / TICKS_PER_SECOND)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Fails if the browser has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Process {
    parent: u32,
    ticks: u64,
}

/// Returns all processes of this machine by id: `proc_pid_stat(5)`.
fn processes() -> Result<HashMap<u32, Process>> {
    let mut all = HashMap::new();
    for entry in fs::read_dir("/proc").context("this system has no /proc")? {
        let Ok(id) = entry?.file_name().to_string_lossy().parse() else { continue };
        // The process may have ended.
        let Ok(stat) = fs::read_to_string(format!("/proc/{id}/stat")) else { continue };
        // The name may contain spaces and brackets.
        let Some((_, fields)) = stat.rsplit_once(')') else { continue };
        let field = |number: usize| -> Option<u64> { fields.split_whitespace().nth(number - 3)?.parse().ok() };
        let (Some(parent), Some(user), Some(system)) = (field(4), field(14), field(15)) else { continue };
        all.insert(id, Process { parent: u32::try_from(parent)?, ticks: user + system });
    }
    Ok(all)
}

const PAGE: &str = include_str!("tiles.html");
/// The flags of a Chromium without a window that loads nothing but the page of a bench.
pub const HEADLESS_FLAGS: &[&str] = &[
    "--headless=new",
    // Chromium has no sandbox for root. The browser opens only our own page.
    "--no-sandbox",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
];
const TILE_FLAG: &str = "--enable-blink-features=MediaStreamInsertableStreams";
/// Time for compilation and for filling buffers.
const WARM_UP: Duration = Duration::from_secs(4);
const MEASURED_TIME: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_mins(1);
const MAX_LINE_BYTES: u64 = 1_024;
/// `USER_HZ` of Linux, the same on all architectures of Debian.
const TICKS_PER_SECOND: f64 = 100.0;
