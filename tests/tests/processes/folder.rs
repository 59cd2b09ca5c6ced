//! A temporary folder for one test.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};

/// A temporary folder, empty at first. Drop removes it.
pub struct TempFolder(PathBuf);

impl TempFolder {
    /// Creates a folder for the test `name`.
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("conclave-processes-{}-{name}", std::process::id()));
        // An earlier run with the same process id may have left one.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder can be made");
        Self(path)
    }

    /// Returns the path of `name` in the folder.
    pub fn path(&self, name: &str) -> String {
        self.0.join(name).into_os_string().into_string().expect("the path of temporary folders is Unicode")
    }

    /// Writes a file into the folder, and returns its path.
    pub fn write(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.path(name);
        fs::write(&path, bytes).expect("a file can be written");
        path
    }
}

impl Deref for TempFolder {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        // If this fails, the folder stays among the system's temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}
