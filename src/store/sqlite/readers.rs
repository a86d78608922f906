//! Connections that read, beside the one that writes and never in its way.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::fault::Fault;
use super::open::Reading;
use super::unpack::Unpacker;
use crate::store::dictionaries::Dictionaries;

/// How many read at the same time.
const MOST: usize = 4;
/// How many stay open while nobody reads.
const IDLE: usize = 1;

/// A connection that reads.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) connection: Connection,
    pub(super) unpacker: Unpacker,
}

/// Opens readers when they are needed.
#[derive(Debug)]
pub(super) struct Readers {
    reading: Reading,
    dictionaries: Arc<Dictionaries>,
    idle: Mutex<Vec<Reader>>,
    places: Semaphore,
}

impl Readers {
    pub(super) fn new(reading: Reading, dictionaries: Arc<Dictionaries>) -> Arc<Self> {
        Arc::new(Self {
            reading,
            dictionaries,
            idle: Mutex::new(Vec::new()),
            places: Semaphore::new(MOST),
        })
    }

    /// Has `job` done on a thread that may block.
    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        job: impl FnOnce(&mut Reader) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let _place = self.places.acquire().await;
        let readers = Arc::clone(self);
        blocking(move || {
            let mut reader = readers.take()?;
            let done = job(&mut reader)?;
            // One that failed may fail again: it is not kept.
            readers.put_back(reader);
            Ok(done)
        })
        .await
    }

    /// A reader of one's own, for a listing that goes at the pace of whoever listens.
    pub(super) async fn own(self: &Arc<Self>) -> Result<Reader, Fault> {
        let readers = Arc::clone(self);
        blocking(move || readers.open()).await
    }

    fn open(&self) -> Result<Reader, Fault> {
        Ok(Reader {
            connection: self.reading.connect()?,
            unpacker: Unpacker::new(&self.dictionaries)?,
        })
    }

    fn take(&self) -> Result<Reader, Fault> {
        let idle = self.idle().pop();
        match idle {
            Some(reader) => Ok(reader),
            None => self.open(),
        }
    }

    fn put_back(&self, reader: Reader) {
        let mut idle = self.idle();
        if idle.len() < IDLE {
            idle.push(reader);
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Reader>> {
        // Pushing and popping leave the list whole whatever happens.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does `job` on a thread that may block.
pub(super) async fn blocking<T: Send + 'static>(
    job: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    match tokio::task::spawn_blocking(job).await {
        Ok(done) => done,
        Err(error) => Err(Fault::lasting(format!(
            "reading it stopped after a fault of secpull: {error}"
        ))),
    }
}
