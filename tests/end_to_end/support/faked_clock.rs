use std::fs;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};

use super::Installation;

/// The clock of a daemon, which a test sets while it runs (with libfaketime, which `scripts/test` fetches).
pub(crate) struct FakedClock {
    library: String,
    file: PathBuf,
}

impl FakedClock {
    /// One that is right until it is set; none where libfaketime is missing.
    pub(crate) fn of(installation: &Installation) -> Option<Self> {
        let given = std::env::var_os("SECPULL_LIBFAKETIME").map(PathBuf::from);
        let arch = std::env::consts::ARCH;
        let installed = format!("/usr/lib/{arch}-linux-gnu/faketime/libfaketimeMT.so.1");
        let library = given
            .into_iter()
            .chain([installed.into()])
            .find(|path| path.is_file());
        let Some(library) = library else {
            eprintln!("not tested: libfaketime is missing; scripts/test fetches it");
            return None;
        };
        let clock = Self {
            library: library.display().to_string(),
            file: installation.path("clock"),
        };
        clock.set_ahead(TimeDelta::zero());
        Some(clock)
    }

    /// From now on it shows this time, and goes on from there.
    pub(crate) fn set(&self, time: DateTime<Utc>) {
        self.set_ahead(time - Utc::now());
    }

    /// From now on it is so far ahead of the right one.
    pub(crate) fn set_ahead(&self, ahead: TimeDelta) {
        // In one step, so that nobody reads half of it.
        let new = self.file.with_extension("new");
        fs::write(&new, format!("{:+}\n", ahead.num_seconds())).unwrap();
        fs::rename(new, &self.file).unwrap();
    }

    /// What makes a process go by it.
    pub(crate) fn environment(&self) -> [(&str, &str); 4] {
        [
            ("LD_PRELOAD", &self.library),
            ("FAKETIME_TIMESTAMP_FILE", self.file.to_str().unwrap()),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ]
    }
}
