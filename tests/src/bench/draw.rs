//! Drawing of tiles: CPU time of the whole process per drawn picture.

pub(super) mod browser;
mod grid;

use super::row::{Comparison, Row, median};
use anyhow::Result;
use grid::{Grid, canvas, offscreen};
use media::Size;
use render::{Drawing, Font, Rgba, Style};
use rustix::time::{ClockId, clock_gettime};

/// Measures all rows of the group `draw`: 25 tiles of 640x360 with names in 1280x720, compared with shaders on the same
/// adapter and with Chromium, if these exist.
///
/// # Errors
/// Returns an error if an adapter or a browser exists and cannot draw.
pub fn rows() -> Result<Vec<Row>> {
    let browser = browser::program();
    if browser.is_none() {
        eprintln!("draw: Chromium is not installed, so it is not compared (Debian: apt-get install chromium).");
    }
    let mut runs = Runs::default();
    for _ in 0..RUNS {
        runs.cpu_only.push(canvas(style()?, &mut grid(), FRAMES, process_ms));
        let chosen = offscreen(style()?, Drawing::on_this_machine(), &mut grid(), FRAMES, process_ms);
        let fixed = offscreen(style()?, Drawing::Shaders, &mut grid(), FRAMES, process_ms);
        match (chosen, fixed) {
            (Ok(chosen), Ok(fixed)) => {
                runs.chosen.push(chosen);
                runs.shaders.push(fixed);
            }
            (Err(render::Error::NoAdapter { .. }), _) | (_, Err(render::Error::NoAdapter { .. })) => {}
            (Err(error), _) | (_, Err(error)) => return Err(error.into()),
        }
        if let Some(program) = &browser {
            runs.browser.push(browser::cost(program, TILES, PICTURE, TARGET)?);
        }
    }
    Ok(runs.rows())
}

/// CPU milliseconds per picture, in the order of the runs.
#[derive(Default)]
struct Runs {
    cpu_only: Vec<f64>,
    chosen: Vec<f64>,
    shaders: Vec<f64>,
    browser: Vec<f64>,
}

impl Runs {
    fn rows(self) -> Vec<Row> {
        let Self { cpu_only, chosen, shaders, browser } = self;
        let compared = [
            (CHOSEN, &chosen, "shaders on the same adapter", &shaders, 1.1),
            (CHOSEN, &chosen, BROWSER, &browser, 1.0),
            (CPU_ONLY, &cpu_only, BROWSER, &browser, 1.0),
        ];
        let measured = compared.into_iter().filter(|(_, subject, _, peer, _)| !subject.is_empty() && !peer.is_empty());
        measured
            .map(|(name, subject, against, peer, max)| {
                let comparison =
                    Comparison { subject: median(subject.clone()), peer: median(peer.clone()), runs: subject.len() };
                Row::at_most(name, "ms CPU", against, comparison, max)
            })
            .collect()
    }
}

fn grid() -> Grid {
    Grid::new(TILES, PICTURE, TARGET)
}

fn style() -> Result<Style, render::Error> {
    let font = include_bytes!("../../../app/assets/fonts/ConclaveSans-SemiBold.ttf");
    Ok(Style {
        font: Font::new(&[font.as_slice()])?,
        backdrop: Rgba::opaque(0x0017_1b21),
        tag_background: Rgba::opaque(0x000f_1216).with_alpha(178),
        tag_text: Rgba::opaque(0x00e9_edf2),
        tag_muted: Rgba::opaque(0x00ff_6b66),
        tag_marked: Rgba::opaque(0x00f2_c14e),
        tag_verified: Rgba::opaque(0x57_d38c),
        initials: Rgba::opaque(0x00ff_ffff),
        tag_size: 13.0,
        tag_weight: 600,
        ring_width: 3.0,
    })
}

#[expect(clippy::cast_precision_loss, reason = "a process has less than 2^52 nanoseconds of CPU time")]
fn process_ms() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

const RUNS: usize = 3;
/// Warm-up frames, and measured frames.
const FRAMES: [u32; 2] = [10, 60];
const TILES: u16 = 25;
const PICTURE: Size = Size { width: 640, height: 360 };
const TARGET: [u32; 2] = [1_280, 720];
const CPU_ONLY: &str = "draw a shown picture into a window, CPU only";
const CHOSEN: &str = "draw a shown picture, default renderer";
const BROWSER: &str = "Chromium, headless, the same tiles at 30 fps";
