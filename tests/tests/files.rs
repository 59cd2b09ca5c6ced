//! The corpus of clips and sound files that public programs write: each is played as ffmpeg plays it, or refused with the
//! reason and the remedy.
//!
//! The files are made when the tests run, by ffmpeg and by changes of the boxes and chunks that it writes. None is
//! committed. `cargo xtask test` installs ffmpeg.

#[path = "files/boxes.rs"]
mod boxes;
#[path = "files/clips.rs"]
mod clips;
#[path = "files/sounds.rs"]
mod sounds;
#[path = "files/tools.rs"]
mod tools;
