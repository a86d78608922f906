//! The one connection that writes, on a thread of its own: transactions come one after the other.

use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::claims::Claims;
use super::fault::Fault;
use super::open;
use super::unpack::Unpacker;
use crate::store::StoreError;
use crate::store::dictionaries::Dictionaries;
use crate::store::names::KnownNames;
use crate::store::pack::Packer;

/// What the thread works with.
#[derive(Debug)]
pub(super) struct Writing {
    connection: Connection,
    side: Side,
}

/// What a transaction needs beside the database.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) claims: Claims,
    pub(super) unpacker: Unpacker,
    /// For the few bodies that are made inside a transaction.
    pub(super) packer: Packer,
    pub(super) names: KnownNames,
}

impl Writing {
    /// Runs `work` in one transaction: all of it is kept, or nothing.
    pub(super) fn transaction<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>, &mut Side) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction, &mut self.side)?;
        transaction.commit()?;
        Ok(done)
    }

    pub(super) fn side(&mut self) -> &mut Side {
        &mut self.side
    }

    /// Empties the write-ahead log into the database, if nobody reads from it just now, and gives memory back.
    pub(super) fn settle(&mut self) -> Result<(), Fault> {
        // A reader is not worth waiting for: others want to write.
        self.connection.busy_timeout(Duration::from_millis(50))?;
        let emptied = self
            .connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        self.connection.busy_timeout(open::PATIENCE)?;
        self.connection
            .execute_batch("PRAGMA shrink_memory")
            .map_err(Fault::from)?;
        match emptied {
            Err(rusqlite::Error::SqliteFailure(failure, _))
                if failure.code == rusqlite::ErrorCode::DatabaseBusy =>
            {
                Ok(())
            }
            other => Ok(other?),
        }
    }
}

type Work = Box<dyn FnOnce(&mut Writing) + Send>;

/// Sends work to the thread. Dropped: waits until the thread has done what was sent.
#[derive(Debug)]
pub(super) struct Writer {
    path: PathBuf,
    work: Option<mpsc::Sender<Work>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Opens the database (blocking) and starts the thread.
    pub(super) fn start(path: PathBuf, dictionaries: &Arc<Dictionaries>) -> Result<Self, Fault> {
        let (connection, claims) = open::for_writing(&path)?;
        let mut writing = Writing {
            connection,
            side: Side {
                claims,
                unpacker: Unpacker::new(dictionaries)?,
                packer: Packer::plain()?,
                names: KnownNames::default(),
            },
        };
        let (work, jobs) = mpsc::channel::<Work>();
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                for job in jobs {
                    job(&mut writing);
                }
            })
            .map_err(|error| Fault::System {
                reason: format!("no thread could be started: {error}"),
                passing: true,
            })?;
        Ok(Self {
            path,
            work: Some(work),
            thread: Some(thread),
        })
    }

    /// Has `job` done on the thread. It is done even if nobody waits for the answer any more.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Writing) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let sent = self.work.as_ref().is_some_and(|work| {
            work.send(Box::new(move |writing| {
                // Nobody waits: the caller was cancelled.
                drop(answer.send(job(writing)));
            }))
            .is_ok()
        });
        if !sent {
            return Err(self.stopped());
        }
        match answered.await {
            Ok(done) => done.map_err(|fault| fault.at(&self.path)),
            Err(_) => Err(self.stopped()),
        }
    }

    /// Has `work` done in one transaction.
    pub(super) async fn transaction<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>, &mut Side) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run(move |writing| writing.transaction(work)).await
    }

    fn stopped(&self) -> StoreError {
        Fault::lasting("its writer has stopped after a fault of secpull: restart secpull")
            .at(&self.path)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.work.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(path = %self.path.display(), "the store's writer had stopped after a fault");
        }
    }
}
