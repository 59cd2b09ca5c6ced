//! A temporary folder for one test or bench.

use std::fs;
use std::io;
use std::ops::Deref;
use std::path::Path;

/// A temporary folder, empty at first, that other users cannot read: it may contain sockets. Drop removes it.
pub struct TempFolder(tempfile::TempDir);

impl TempFolder {
    /// Creates a folder whose name contains `name`.
    ///
    /// # Panics
    /// Panics if the system refuses it.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self::create(name).unwrap_or_else(|error| panic!("the folder {name} cannot be made: {error}"))
    }

    /// Creates a folder whose name contains `name`.
    ///
    /// # Errors
    /// Returns the system's error.
    pub fn create(name: &str) -> io::Result<Self> {
        tempfile::Builder::new().prefix(&format!("conclave-{name}-")).tempdir().map(Self)
    }

    /// Returns the path of `name` in the folder, as text for a command line.
    ///
    /// # Panics
    /// Panics if the system's folder for temporary files has a name that is not Unicode.
    #[must_use]
    pub fn path(&self, name: &str) -> String {
        self.join(name).into_os_string().into_string().expect("the path of temporary folders is Unicode")
    }

    /// Writes a file into the folder, and returns its path.
    ///
    /// # Panics
    /// Panics if the file cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap_or_else(|error| panic!("{path} cannot be written: {error}"));
        path
    }
}

impl Deref for TempFolder {
    type Target = Path;

    fn deref(&self) -> &Path {
        self.0.path()
    }
}
