//! The socket's file: made with its permissions, taken away at the end.

use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Group, getegid};
use tokio::net::{UnixListener, UnixStream};

/// Why the socket cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Its folder is missing.
    #[error(
        "the folder of the control socket {0} does not exist: create it, owned by the service's user (RuntimeDirectory=secpull in the unit does), or set control.socket"
    )]
    NoFolder(PathBuf),
    /// Something answers there.
    #[error(
        "another daemon answers at the control socket {0}: stop it first, or set control.socket to another path"
    )]
    Taken(PathBuf),
    /// There is a file of another sort.
    #[error("{0} exists and is not a socket: it is left alone; set control.socket to another path")]
    NotASocket(PathBuf),
    /// `control.group` names nothing.
    #[error("control.group: there is no group {0:?} on this machine")]
    UnknownGroup(String),
    /// The group cannot be given.
    #[error(
        "cannot give the control socket {path} to control.group: {error}; the service's user must be a member of it and may not be kept from chown, as the unit keeps it: there, set Group= instead"
    )]
    Group {
        /// The socket.
        path: PathBuf,
        /// The system's words.
        error: std::io::Error,
    },
    /// The system refuses.
    #[error("cannot {what} the control socket {path}: {error}")]
    System {
        /// What was tried.
        what: &'static str,
        /// The socket.
        path: PathBuf,
        /// The system's words.
        error: std::io::Error,
    },
}

/// A bound socket. Its file is removed when this is dropped.
pub struct Socket {
    listener: UnixListener,
    file: SocketFile,
    group: Gid,
}

impl Socket {
    /// Binds the socket, mode 0660, owned by `group` or else by the process's own group. What a killed daemon has left at
    /// the path is removed.
    ///
    /// # Errors
    /// Somebody answers there, or the file cannot be made as it has to be.
    pub async fn bind(path: &Path, group: Option<&str>) -> Result<Self, SocketError> {
        let group = match group {
            Some(name) => group_id(name)?,
            None => getegid(),
        };
        make_room(path).await?;
        let failed = |what| {
            move |error| SocketError::System {
                what,
                path: path.to_owned(),
                error,
            }
        };
        let listener = UnixListener::bind(path).map_err(failed("create"))?;
        let file = SocketFile::of(path).map_err(failed("look at"))?;
        // The process's file mask lets nobody but the owner connect until the group is right.
        give_to(path, group).map_err(|error| SocketError::Group {
            path: path.to_owned(),
            error,
        })?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))
            .map_err(failed("set the mode of"))?;
        Ok(Self {
            listener,
            file,
            group,
        })
    }

    /// The group that may connect.
    #[must_use]
    pub fn group(&self) -> Gid {
        self.group
    }

    pub(super) fn into_parts(self) -> (UnixListener, SocketFile) {
        (self.listener, self.file)
    }
}

/// Asks for nothing where there is nothing to change: under the hardened unit the call alone is refused.
fn give_to(path: &Path, group: Gid) -> std::io::Result<()> {
    if std::fs::symlink_metadata(path)?.gid() == group.as_raw() {
        return Ok(());
    }
    std::os::unix::fs::chown(path, None, Some(group.as_raw()))
}

/// Removes the file when dropped, if it is still the one that was made.
pub(super) struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl SocketFile {
    fn of(path: &Path) -> std::io::Result<Self> {
        let made = std::fs::symlink_metadata(path)?;
        Ok(Self {
            path: path.to_owned(),
            device: made.dev(),
            inode: made.ino(),
        })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_ours = std::fs::symlink_metadata(&self.path)
            .is_ok_and(|found| (found.dev(), found.ino()) == (self.device, self.inode));
        if is_ours && let Err(error) = std::fs::remove_file(&self.path) {
            tracing::warn!("cannot remove {}: {error}", self.path.display());
        }
    }
}

async fn make_room(path: &Path) -> Result<(), SocketError> {
    let system = |what, error| SocketError::System {
        what,
        path: path.to_owned(),
        error,
    };
    let found = match std::fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return match path.parent() {
                Some(folder) if folder != Path::new("") && !folder.is_dir() => {
                    Err(SocketError::NoFolder(path.to_owned()))
                }
                _ => Ok(()),
            };
        }
        Err(error) => return Err(system("look at", error)),
    };
    if !found.file_type().is_socket() {
        return Err(SocketError::NotASocket(path.to_owned()));
    }
    match UnixStream::connect(path).await {
        Ok(_) => Err(SocketError::Taken(path.to_owned())),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path).map_err(|error| system("remove what is left of", error))
        }
        // Its queue is full: somebody is there.
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            Err(SocketError::Taken(path.to_owned()))
        }
        Err(error) => Err(system("connect to", error)),
    }
}

fn group_id(name: &str) -> Result<Gid, SocketError> {
    match Group::from_name(name) {
        Ok(Some(group)) => Ok(group.gid),
        _ => Err(SocketError::UnknownGroup(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path_in(folder: &tempfile::TempDir) -> PathBuf {
        folder.path().join("secpull.sock")
    }

    #[tokio::test]
    async fn the_socket_is_for_owner_and_group_only_and_gone_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = path_in(&folder);
        let socket = Socket::bind(&path, None).await.unwrap();
        let made = std::fs::metadata(&path).unwrap();
        assert_eq!(made.permissions().mode() & 0o7777, 0o660);
        assert_eq!(made.gid(), getegid().as_raw());
        drop(socket);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_socket_that_a_killed_daemon_left_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = path_in(&folder);
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        assert!(Socket::bind(&path, None).await.is_ok());
    }

    #[tokio::test]
    async fn a_socket_at_which_a_daemon_answers_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = path_in(&folder);
        let first = Socket::bind(&path, None).await.unwrap();
        let second = Socket::bind(&path, None).await;
        assert!(matches!(second, Err(SocketError::Taken(_))));
        assert!(path.exists());
        drop(first);
    }

    #[tokio::test]
    async fn a_file_that_is_no_socket_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = path_in(&folder);
        std::fs::write(&path, "precious").unwrap();
        let refused = Socket::bind(&path, None).await;
        assert!(matches!(refused, Err(SocketError::NotASocket(_))));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    }

    #[tokio::test]
    async fn a_missing_folder_is_said_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let refused = Socket::bind(&folder.path().join("none/secpull.sock"), None).await;
        let line = refused.err().unwrap().to_string();
        assert!(line.contains("RuntimeDirectory=secpull"), "{line}");
    }

    #[tokio::test]
    async fn an_unknown_group_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let refused = Socket::bind(&path_in(&folder), Some("no-such-group-here")).await;
        let line = refused.err().unwrap().to_string();
        assert!(line.contains("no-such-group-here"), "{line}");
        assert!(!path_in(&folder).exists());
    }
}
