//! Where findings are listed from: the daemon, or without one the store. Either way each is a line of JSON, and no more than
//! a few are in memory.

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::cli::context::{Context, answered};
use crate::cli::failure::Failure;
use crate::daemon::control::client::Lines;
use crate::finding::Finding;
use crate::store::{FindingFilter, StoreError};

pub(super) enum Source {
    Daemon(Lines),
    Store(mpsc::Receiver<Result<Finding, StoreError>>),
}

impl Source {
    pub(super) async fn open(context: &Context, filter: FindingFilter) -> Result<Self, Failure> {
        match answered(context.client()?.findings(&filter).await)? {
            Ok(lines) => Ok(Self::Daemon(lines)),
            Err(unreachable) => {
                let store = context.store_instead(&unreachable).await?;
                Ok(Self::Store(store.findings(filter).await?))
            }
        }
    }

    /// The next finding, as the line of JSON that `--format jsonl` prints.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        match self {
            Self::Daemon(lines) => Ok(lines.next().await?),
            Self::Store(findings) => match findings.recv().await {
                Some(finding) => Ok(Some(serde_json::to_vec(&finding?)?.into())),
                None => Ok(None),
            },
        }
    }
}

/// One finding with its history; none if there is none of this number.
pub(super) async fn one(context: &Context, id: i64, raw: bool) -> Result<Bytes, Failure> {
    match answered(context.client()?.finding(id, raw).await)? {
        Ok(document) => Ok(document),
        Err(unreachable) => {
            let store = context.store_instead(&unreachable).await?;
            let finding = store.finding(id, raw).await?;
            let finding =
                finding.ok_or_else(|| Failure::usage(format!("there is no finding {id}")))?;
            Ok(serde_json::to_vec(&finding)?.into())
        }
    }
}
