//! Writes the test vectors of our formats into a folder. `cargo xtask vectors` runs it.

use anyhow::{Result, bail};
use std::path::Path;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder] = arguments.as_slice() else { bail!("usage: vectors FOLDER") };
    tests::vectors::write(Path::new(folder))
}
