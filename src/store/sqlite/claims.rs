//! Which runs are alive: one locked byte a run, in a file beside the database.
//!
//! A lock of an open file description goes when its process goes, however that ends, and no other process can take it
//! before. A row in the database could not do that: nobody would delete it after a kill.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use super::fault::Fault;
use super::files;
use crate::store::RunId;

/// The byte of those who migrate. Runs are numbered from 1.
const MIGRATION: RunId = 0;

/// The claims file, and which runs this store object has claimed.
#[derive(Debug)]
pub(super) struct Claims {
    path: PathBuf,
    file: File,
    held: HashSet<RunId>,
}

impl Claims {
    /// Opens or creates the claims file of a database.
    pub(super) fn open(database: &Path) -> Result<Self, Fault> {
        let mut name = OsString::from(database);
        name.push("-claims");
        let path = PathBuf::from(name);
        let file = files::open_private(&path)?;
        Ok(Self {
            path,
            file,
            held: HashSet::new(),
        })
    }

    /// Waits until nobody else migrates; the right to do it lasts until [`Self::end_migration`].
    pub(super) fn begin_migration(&self) -> Result<(), Fault> {
        loop {
            match self.control(FcntlArg::F_OFD_SETLKW(&byte(MIGRATION, libc::F_WRLCK))) {
                Err(Errno::EINTR) => {}
                done => return done.map_err(|errno| self.fault(errno)),
            }
        }
    }

    /// Lets others migrate.
    pub(super) fn end_migration(&self) -> Result<(), Fault> {
        self.control(FcntlArg::F_OFD_SETLK(&byte(MIGRATION, libc::F_UNLCK)))
            .map_err(|errno| self.fault(errno))
    }

    /// Claims a run that nobody can have claimed yet.
    pub(super) fn take(&mut self, run: RunId) -> Result<(), Fault> {
        self.control(FcntlArg::F_OFD_SETLK(&byte(run, libc::F_WRLCK)))
            .map_err(|errno| self.fault(errno))?;
        self.held.insert(run);
        Ok(())
    }

    /// Lets a run go. That it cannot be unlocked would be noticed at the end of the process at the latest.
    pub(super) fn release(&mut self, run: RunId) {
        if self.held.remove(&run)
            && let Err(errno) = self.control(FcntlArg::F_OFD_SETLK(&byte(run, libc::F_UNLCK)))
        {
            tracing::warn!(run, path = %self.path.display(), error = %errno, "a run's claim could not be released");
        }
    }

    /// Whether this store object has claimed the run.
    pub(super) fn holds(&self, run: RunId) -> bool {
        self.held.contains(&run)
    }

    /// Whether the process that claimed the run is alive; that may be this one.
    pub(super) fn is_alive(&self, run: RunId) -> Result<bool, Fault> {
        // The own locks never stand in one's way, so they would look free.
        if self.holds(run) {
            return Ok(true);
        }
        let mut lock = byte(run, libc::F_WRLCK);
        self.control(FcntlArg::F_OFD_GETLK(&mut lock))
            .map_err(|errno| self.fault(errno))?;
        Ok(i32::from(lock.l_type) != libc::F_UNLCK)
    }

    fn control(&self, what: FcntlArg<'_>) -> Result<(), Errno> {
        fcntl(&self.file, what).map(|_| ())
    }

    fn fault(&self, errno: Errno) -> Fault {
        Fault::lasting(format!(
            "locking {} failed: {errno}; the store must be on a local file system",
            self.path.display()
        ))
    }
}

fn byte(run: RunId, kind: i32) -> libc::flock {
    libc::flock {
        // The constants are declared wider than the field that takes them.
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: run,
        l_len: 1,
        l_pid: 0,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_claim_is_seen_by_others_and_goes_with_its_holder() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a.db");
        let mut one = Claims::open(&database).unwrap();
        let two = Claims::open(&database).unwrap();
        one.take(7).unwrap();
        assert!(one.is_alive(7).unwrap());
        assert!(two.is_alive(7).unwrap());
        assert!(!two.is_alive(8).unwrap());
        drop(one);
        assert!(!two.is_alive(7).unwrap());
    }

    #[test]
    fn a_released_claim_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a.db");
        let mut one = Claims::open(&database).unwrap();
        let two = Claims::open(&database).unwrap();
        one.take(7).unwrap();
        one.release(7);
        assert!(!two.is_alive(7).unwrap());
        assert!(!one.is_alive(7).unwrap());
    }
}
