//! A folder of one test's own.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};

/// Made empty, removed when dropped.
pub struct Folder(PathBuf);

impl Folder {
    /// A folder for the test called `name`.
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("conclave-processes-{}-{name}", std::process::id()));
        // One that an ended run with this process number left.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder can be made");
        Self(path)
    }

    /// The path of `name` in it, as text.
    pub fn path(&self, name: &str) -> String {
        self.0.join(name).into_os_string().into_string().expect("temporary folders are called in Unicode")
    }

    /// Writes a file into it and gives its path.
    pub fn write(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.path(name);
        fs::write(&path, bytes).expect("a file can be written");
        path
    }
}

impl Deref for Folder {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays is removed by the system with its other temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}
