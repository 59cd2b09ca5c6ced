//! Drawing of tiles: processor time of the whole process for each picture that is shown.

use super::row::{Duel, Row};
use anyhow::Result;
use media::Size;
use render::bench::{Grid, canvas, offscreen};
use render::{Drawing, Font, Look, Rgba};
use rustix::time::{ClockId, clock_gettime};

/// All rows of the group `draw`: 25 tiles of 640x360 with names in 1280x720. Without any adapter there is only the
/// processor's row.
///
/// # Errors
/// Where an adapter is there and cannot draw.
pub fn rows() -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let (mut ours, mut shaders, mut plain) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        plain.push(canvas(look()?, &mut grid(), TURNS, process_ms));
        let chosen = offscreen(look()?, Drawing::on_this_machine(), &mut grid(), TURNS, process_ms);
        let fixed = offscreen(look()?, Drawing::Shaders, &mut grid(), TURNS, process_ms);
        match (chosen, fixed) {
            (Ok(chosen), Ok(fixed)) => {
                ours.push(chosen);
                shaders.push(fixed);
            }
            (Err(render::Error::NoAdapter { .. }), _) | (_, Err(render::Error::NoAdapter { .. })) => {}
            (Err(error), _) | (_, Err(error)) => return Err(error.into()),
        }
    }
    let limit = |values| Duel { subject: super::row::median(values), peer: FRAME_BUDGET_MS, runs: RUNS };
    if !ours.is_empty() {
        let duel = Duel { subject: super::row::median(ours.clone()), peer: super::row::median(shaders), runs: RUNS };
        rows.push(Row::at_most(
            "draw a shown picture, as chosen here",
            "ms CPU",
            "shaders on the same adapter",
            duel,
            1.1,
        ));
        rows.push(Row::at_most("draw a shown picture, as chosen here", "ms CPU", BUDGET, limit(ours), 1.0));
    }
    rows.push(Row::at_most("draw a shown picture, no adapter", "ms CPU", BUDGET, limit(plain), 1.0));
    Ok(rows)
}

fn grid() -> Grid {
    Grid::new(25, Size::new(640, 360), [1_280, 720])
}

fn look() -> Result<Look, render::Error> {
    let font = include_bytes!("../../../app/assets/fonts/ConclaveSans-SemiBold.ttf");
    Ok(Look {
        font: Font::new(&[font.as_slice()])?,
        backdrop: Rgba::opaque(0x0017_1b21),
        tag_paper: Rgba::opaque(0x000f_1216).with_alpha(178),
        tag_ink: Rgba::opaque(0x00e9_edf2),
        tag_muted: Rgba::opaque(0x00ff_6b66),
        initials: Rgba::opaque(0x00ff_ffff),
        tag_size: 13.0,
        tag_weight: 600,
        ring_width: 3.0,
    })
}

#[expect(clippy::cast_precision_loss, reason = "a process lives for less than 2^52 nanoseconds of processor time")]
fn process_ms() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

const RUNS: usize = 3;
/// Turns that do not count, and turns that do.
const TURNS: [u32; 2] = [10, 60];
/// 25 pictures at 30 a second on one core leave 1.33 ms for each; the browser next door takes 0.86 to 1.03.
const FRAME_BUDGET_MS: f64 = 0.86;
const BUDGET: &str = "limit: a browser's 0.86 ms (measured before)";
