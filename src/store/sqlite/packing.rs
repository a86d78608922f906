//! The thread that packs, beside the one that writes.
//!
//! One, whoever asks: what is packed waits for its transaction in memory, and every thread that packs would have the allocator
//! keep as much again. Tasks that reckon this long are no good on Tokio's threads either: what else waits there, waits along.

use std::sync::mpsc;

use tokio::sync::oneshot;

use super::fault::Fault;

type Job = Box<dyn FnOnce() + Send>;

/// Sends jobs to the thread, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct Packing(mpsc::Sender<Job>);

impl Packing {
    pub(super) fn start() -> Result<Self, Fault> {
        let (work, jobs) = mpsc::channel::<Job>();
        std::thread::Builder::new()
            .name("store-packer".to_owned())
            .spawn(move || jobs.into_iter().for_each(|job| job()))
            .map_err(|error| Fault::System {
                reason: format!("no thread could be started: {error}"),
                passing: true,
            })?;
        Ok(Self(work))
    }

    /// Has `job` done on the thread.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let (answer, answered) = oneshot::channel();
        let sent = self.0.send(Box::new(move || {
            // Nobody waits: the caller was cancelled.
            drop(answer.send(job()));
        }));
        let stopped =
            || Fault::lasting("its packer has stopped after a fault of secpull: restart secpull");
        sent.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}
