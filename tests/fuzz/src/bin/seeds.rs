//! Writes seeds to ../corpus: valid inputs from our encoders, and two truncations of each.
//! `cargo run -p fuzz --features libfuzzer --bin seeds`.

use std::path::Path;
use std::{fs, io};

fn main() -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    for target in fuzz::TARGETS {
        let folder = corpus.join(target.name);
        fs::create_dir_all(&folder)?;
        for (number, bytes) in (target.seeds)().iter().enumerate() {
            fs::write(folder.join(format!("seed-{number}")), bytes)?;
            for (cut, length) in [("half", bytes.len() / 2), ("short", bytes.len().saturating_sub(1))] {
                fs::write(folder.join(format!("seed-{number}-{cut}")), &bytes[..length])?;
            }
        }
    }
    Ok(())
}
