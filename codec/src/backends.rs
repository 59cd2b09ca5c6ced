//! Tables of back-ends in order of preference, and the active back-end of a table.
//!
//! A back-end that does not open, returns an error or panics is replaced by the next one of its table. The last one is
//! opened again, until it fails for `MAX_FAILURES` consecutive pictures, so that one bad picture does not end a track
//! that has no other back-end.

use crate::BoxError;
use media::{VideoCodec, catch_panic};
use std::fmt;
use std::sync::Arc;

/// A back-end that failed: it did not open, returned an error, or panicked.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {reason}")]
pub struct Refusal {
    /// The name of the back-end.
    pub name: &'static str,
    /// The error of the back-end.
    pub reason: BoxError,
}

/// A back-end that failed, and the one that replaced it.
#[derive(Debug)]
pub struct Replacement {
    /// The back-end that failed.
    pub refusal: Refusal,
    /// The name of the back-end that replaced it. It is the same name if the back-end was opened again.
    pub by: &'static str,
}

impl Replacement {
    /// Returns true if another back-end replaced it, and false if the last one of the table was opened again.
    #[must_use]
    pub fn is_another(&self) -> bool {
        self.by != self.refusal.name
    }
}

impl fmt::Display for Replacement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, replaced by {}", self.refusal, self.by)
    }
}

/// Opens a back-end.
type Open<A, B> = dyn Fn(&A) -> Result<Box<B>, BoxError> + Send + Sync;

/// One back-end of a table. `A` is the argument to open it, `B` its trait.
pub struct Candidate<A, B: ?Sized> {
    name: &'static str,
    codec: VideoCodec,
    open: Arc<Open<A, B>>,
}

impl<A, B: ?Sized> Candidate<A, B> {
    /// Returns a back-end for `codec` that `open` opens, on the thread that will use it.
    #[must_use]
    pub fn new(
        name: &'static str,
        codec: VideoCodec,
        open: impl Fn(&A) -> Result<Box<B>, BoxError> + Send + Sync + 'static,
    ) -> Self {
        Self { name, codec, open: Arc::new(open) }
    }

    /// Returns the name of the back-end.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the format.
    #[must_use]
    pub fn codec(&self) -> VideoCodec {
        self.codec
    }

    /// Opens the back-end. A panic is an error.
    ///
    /// # Errors
    /// Returns the reason of the back-end if it does not open.
    pub fn open(&self, argument: &A) -> Result<Box<B>, BoxError> {
        catch_panic(|| (self.open)(argument)).unwrap_or_else(|panicked| Err(panicked.into()))
    }
}

impl<A, B: ?Sized> Clone for Candidate<A, B> {
    fn clone(&self) -> Self {
        Self { name: self.name, codec: self.codec, open: Arc::clone(&self.open) }
    }
}

/// Back-ends in order of preference. Clones share the table.
pub struct Table<A, B: ?Sized> {
    candidates: Arc<[Candidate<A, B>]>,
}

impl<A, B: ?Sized> Table<A, B> {
    /// Returns a table of `candidates`, the preferred one first.
    #[must_use]
    pub fn new(candidates: Vec<Candidate<A, B>>) -> Self {
        Self { candidates: candidates.into() }
    }

    /// Returns the back-ends, the preferred one first.
    #[must_use]
    pub fn candidates(&self) -> &[Candidate<A, B>] {
        &self.candidates
    }
}

impl<A, B: ?Sized> Clone for Table<A, B> {
    fn clone(&self) -> Self {
        Self { candidates: Arc::clone(&self.candidates) }
    }
}

/// The active back-end of a table. Created, used and dropped on one thread.
pub(crate) struct Active<A, B: ?Sized> {
    table: Table<A, B>,
    codec: VideoCodec,
    /// The position of `backend` in the table.
    index: usize,
    name: &'static str,
    backend: Box<B>,
    /// Consecutive failures of the last back-end of the table.
    failures: u8,
    /// The replacements since the last [`Active::take_replacements`].
    replacements: Vec<Replacement>,
}

impl<A, B: ?Sized> Active<A, B> {
    /// Opens the first back-end of `table` that accepts `argument`.
    ///
    /// # Errors
    /// Returns every refusal if no back-end opens.
    pub(crate) fn open(table: Table<A, B>, codec: VideoCodec, argument: &A) -> Result<Self, Vec<Refusal>> {
        let mut refusals = Vec::new();
        let Some((index, name, backend)) = first(&table, codec, 0, argument, &mut refusals) else {
            return Err(refusals);
        };
        let replacements = replaced(refusals, name);
        Ok(Self { table, codec, index, name, backend, failures: 0, replacements })
    }

    /// Returns `backend` without another one to replace it.
    pub(crate) fn only(name: &'static str, codec: VideoCodec, backend: Box<B>) -> Self {
        let table = Table::new(Vec::new());
        Self { table, codec, index: 0, name, backend, failures: 0, replacements: Vec::new() }
    }

    pub(crate) fn get(&self) -> &B {
        &self.backend
    }

    /// Calls the back-end for a picture. A panic is an error. After an error the caller calls [`Active::replace`].
    pub(crate) fn call<T>(&mut self, work: impl FnOnce(&mut B) -> Result<T, BoxError>) -> Result<T, BoxError> {
        let result = self.prepare(work);
        if result.is_ok() {
            self.failures = 0;
        }
        result
    }

    /// Works like [`Active::call`], but success does not reset the count of consecutive failures.
    pub(crate) fn prepare<T>(&mut self, work: impl FnOnce(&mut B) -> Result<T, BoxError>) -> Result<T, BoxError> {
        let backend = &mut *self.backend;
        catch_panic(|| work(backend)).unwrap_or_else(|panicked| Err(panicked.into()))
    }

    /// Replaces the back-end, which failed with `reason`, by the next one that opens.
    ///
    /// # Errors
    /// Returns every refusal that was not taken yet if no back-end is left. A caller that continues starts at the top
    /// of the table again.
    pub(crate) fn replace(&mut self, reason: BoxError, argument: &A) -> Result<(), Vec<Refusal>> {
        let last = !self.table.candidates.iter().skip(self.index + 1).any(|candidate| candidate.codec == self.codec);
        let failures = self.failures + 1;
        let again = last && failures < MAX_FAILURES;
        let from = if again { self.index } else { self.index + 1 };
        let mut refusals = vec![Refusal { name: self.name, reason }];
        if let Some(opened) = first(&self.table, self.codec, from, argument, &mut refusals) {
            self.install(opened);
            self.failures = if again { failures } else { 0 };
            self.replacements.extend(replaced(refusals, self.name));
            return Ok(());
        }
        if let Some(opened) = first(&self.table, self.codec, 0, argument, &mut Vec::new()) {
            self.install(opened);
        }
        let earlier = self.replacements.drain(..).map(|replacement| replacement.refusal);
        Err(earlier.chain(refusals).collect())
    }

    fn install(&mut self, (index, name, backend): Opened<B>) {
        let failed = std::mem::replace(&mut self.backend, backend);
        // A back-end that failed may panic while it is dropped.
        let _ = catch_panic(|| drop(failed));
        (self.index, self.name, self.failures) = (index, name, 0);
    }

    /// Returns the replacements since the last call.
    pub(crate) fn take_replacements(&mut self) -> Vec<Replacement> {
        std::mem::take(&mut self.replacements)
    }
}

type Opened<B> = (usize, &'static str, Box<B>);

/// Opens the first back-end for `codec` at index `from` or later. Adds those that do not open to `refusals`.
fn first<A, B: ?Sized>(
    table: &Table<A, B>,
    codec: VideoCodec,
    from: usize,
    argument: &A,
    refusals: &mut Vec<Refusal>,
) -> Option<Opened<B>> {
    for (index, candidate) in table.candidates.iter().enumerate().skip(from) {
        if candidate.codec != codec {
            continue;
        }
        match candidate.open(argument) {
            Ok(backend) => return Some((index, candidate.name, backend)),
            Err(reason) => refusals.push(Refusal { name: candidate.name, reason }),
        }
    }
    None
}

fn replaced(refusals: Vec<Refusal>, by: &'static str) -> Vec<Replacement> {
    refusals.into_iter().map(|refusal| Replacement { refusal, by }).collect()
}

/// Consecutive failures after which the last back-end of a table is not opened again.
const MAX_FAILURES: u8 = 3;

/// Returns the refusals on one line, for an error message.
pub(crate) fn list(refusals: &[Refusal]) -> String {
    refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
