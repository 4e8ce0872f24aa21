use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::{UnixListener, UnixSocket, UnixStream};

use super::listen::BACKLOG;
use super::{NetError, Owner};
use crate::crypto::random;

/// Bytes of a path in `sockaddr_un` (unix(7)), less the final zero.
const MAX_PATH: usize = 107;

/// How long we wait to see whether somebody answers on a socket that is there already.
const ANSWER_TIME: Duration = Duration::from_secs(1);

/// Opens a Unix socket at a path. A socket file on which nobody answers is replaced; anything else that is there is an error.
///
/// The socket is made under another name, gets its mode and owner, begins to listen, and only then takes its place: no caller ever finds
/// it with looser permissions than configured (no umask games, which would hit other threads).
pub(super) async fn bind(path: &Path, mode: u32, owner: &Owner) -> Result<(UnixListener, SocketFile), NetError> {
    let length = path.as_os_str().as_bytes().len();
    if length > MAX_PATH {
        return Err(NetError::PathTooLong { path: path.to_owned(), length, max: MAX_PATH });
    }
    clear(path).await?;
    let failed = |source| NetError::Socket { path: path.to_owned(), source };
    let temporary = temporary_name(path).ok_or_else(|| failed(io::ErrorKind::InvalidInput.into()))?;
    open(path, &temporary, mode, owner).map_err(|source| {
        let _ = fs::remove_file(&temporary);
        failed(source)
    })
}

fn open(path: &Path, temporary: &Path, mode: u32, owner: &Owner) -> io::Result<(UnixListener, SocketFile)> {
    let socket = UnixSocket::new_stream()?;
    socket.bind(temporary)?;
    if owner.user.is_some() || owner.group.is_some() {
        chown(temporary, owner.user, owner.group)?;
    }
    fs::set_permissions(temporary, fs::Permissions::from_mode(mode))?;
    let listener = socket.listen(BACKLOG)?;
    let file = fs::symlink_metadata(temporary)?;
    fs::rename(temporary, path)?;
    Ok((listener, SocketFile { path: path.to_owned(), device: file.dev(), inode: file.ino() }))
}

/// Makes sure that nothing at the path is worth keeping.
async fn clear(path: &Path) -> Result<(), NetError> {
    let there = match fs::symlink_metadata(path) {
        Ok(there) => there,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(NetError::Socket { path: path.to_owned(), source }),
    };
    if !there.file_type().is_socket() {
        return Err(NetError::NotASocket(path.to_owned()));
    }
    match tokio::time::timeout(ANSWER_TIME, UnixStream::connect(path)).await {
        Ok(Err(error)) if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound) => Ok(()),
        Ok(Err(source)) if source.kind() != io::ErrorKind::WouldBlock => Err(NetError::Socket { path: path.to_owned(), source }),
        // It answers, or its backlog is full: either way somebody is there.
        _ => Err(NetError::SocketInUse(path.to_owned())),
    }
}

/// A free name beside the path, no longer than the path's own, so that it fits a socket address too.
fn temporary_name(path: &Path) -> Option<PathBuf> {
    let letters = path.file_name()?.as_bytes().len().min(12);
    let name = || {
        let bytes = random::<12>();
        bytes.iter().take(letters).map(|byte| char::from(b'a' + byte % 26)).collect::<String>()
    };
    (0..64).map(|_| path.with_file_name(name())).find(|candidate| fs::symlink_metadata(candidate).is_err())
}

/// A socket file of ours: removed when dropped, unless another program has put its own there since.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = fs::symlink_metadata(&self.path).is_ok_and(|there| (there.dev(), there.ino()) == (self.device, self.inode));
        if ours {
            let _ = fs::remove_file(&self.path);
        }
    }
}
