//! What every command starts from: the configuration, the daemon, and where to write.

use std::path::PathBuf;
use std::sync::Arc;

use super::failure::Failure;
use super::output::Output;
use crate::config::{self, Config, Local, Secret};
use crate::connectors;
use crate::daemon::control::client::{Client, ClientError};
use crate::store::{self, Store};

/// A command's surroundings.
pub(crate) struct Context {
    /// `--config`.
    pub(crate) config: PathBuf,
    /// `--socket`.
    pub(crate) socket: Option<PathBuf>,
    /// Where to write.
    pub(crate) output: Output,
}

impl Context {
    /// Loads the configuration, and says its warnings.
    pub(crate) fn load(&self) -> Result<Config, Failure> {
        let specs: Vec<_> = connectors::specs().collect();
        let loaded = config::load(&self.config, &config::process_environment(), &specs)?;
        self.warn(&loaded.warnings);
        Ok(loaded.config)
    }

    fn warn(&self, warnings: &[String]) {
        for warning in warnings {
            self.output.notes().warning(warning);
        }
    }

    /// A client of the daemon. Needs no right to read the whole configuration: members of the socket's group have none.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let socket = match &self.socket {
            Some(socket) => socket.clone(),
            None => {
                let local = self.local()?;
                if !local.control.socket.exists() {
                    self.warn(&local.warnings);
                }
                local.control.socket
            }
        };
        Ok(Client::new(&socket)?)
    }

    /// The store, for a listing whose daemon does not answer.
    pub(crate) async fn store_instead(&self, unreachable: &str) -> Result<Arc<dyn Store>, Failure> {
        let open = async {
            let local = self.local()?;
            Ok(store::open_read_only(&local.store).await?)
        };
        open.await
            .map_err(|failure: Failure| failure.after(unreachable))
    }

    /// `[store] password`, if this user may know it.
    pub(crate) fn store_password(&self) -> Result<Option<Secret>, Failure> {
        Ok(self.local()?.store_password)
    }

    fn local(&self) -> Result<Local, Failure> {
        Ok(config::load_local(
            &self.config,
            &config::process_environment(),
        )?)
    }
}

/// Splits "no daemon" from all other ways in which a call can fail.
pub(crate) fn answered<T>(answer: Result<T, ClientError>) -> Result<Result<T, String>, Failure> {
    match answer {
        Ok(value) => Ok(Ok(value)),
        Err(ClientError::Unreachable(line)) => Ok(Err(line)),
        Err(error) => Err(error.into()),
    }
}

/// Host and process, as runs name them.
pub(crate) fn process_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = match host.trim() {
        "" => "localhost",
        host => host,
    };
    format!("{host}:{}", std::process::id())
}
