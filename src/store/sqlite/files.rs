//! The store's files: nobody but the owner and the group reads what the vendors say.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::fault::Fault;

const MODE: u32 = 0o640;
const OTHERS: u32 = 0o007;

/// Opens a file for reading and writing, creating it if need be, whatever the umask is. SQLite gives the mode of the
/// database to its `-wal` and `-shm`.
pub(super) fn open_private(path: &Path) -> Result<File, Fault> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(MODE)
        .open(path)
        .map_err(|error| cannot_open(path, &error))?;
    close_to_others(path, &file);
    Ok(file)
}

/// A restored backup may have come with wider rights. Not to be the owner is no reason to stop.
fn close_to_others(path: &Path, file: &File) {
    let narrowed = file.metadata().and_then(|metadata| {
        let mode = metadata.permissions().mode() & 0o7777;
        if mode & OTHERS == 0 {
            return Ok(());
        }
        file.set_permissions(Permissions::from_mode(mode & !OTHERS))
    });
    if let Err(error) = narrowed {
        tracing::warn!(path = %path.display(), %error, "everybody on this machine may read the store");
    }
}

fn cannot_open(path: &Path, error: &io::Error) -> Fault {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let what = match (error.kind(), folder) {
        (io::ErrorKind::NotFound, Some(folder)) => format!(
            "the folder {} does not exist: create it, owned by the user that runs secpull",
            folder.display()
        ),
        (io::ErrorKind::PermissionDenied, Some(folder)) => format!(
            "no permission: {} and its folder {} must belong to the user that runs secpull",
            path.display(),
            folder.display()
        ),
        (io::ErrorKind::IsADirectory, _) => {
            format!("{} is a folder: give the path of a file", path.display())
        }
        _ => format!("{} cannot be opened: {error}", path.display()),
    };
    Fault::System {
        reason: what,
        passing: matches!(
            error.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        ) || matches!(
            error.raw_os_error(),
            Some(nix::libc::EMFILE | nix::libc::ENFILE)
        ),
    }
}
