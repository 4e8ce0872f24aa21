//! The Unix socket between node and enclave: made for its owner alone, and proved on both ends.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream as StdStream;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

/// A listening socket whose file goes when this is dropped.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Listens on `path`, mode 0600. A file that is there is replaced only if it is a socket on which nobody answers.
    ///
    /// Threat: between `bind` and `chmod` another user connects. So it is bound under another name and moved when it is closed to others.
    pub(super) fn bind(path: &Path) -> io::Result<Self> {
        refuse_used(path)?;
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}", std::process::id()));
        let hidden = PathBuf::from(name);
        match fs::remove_file(&hidden) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&hidden)?;
        fs::set_permissions(&hidden, Permissions::from_mode(0o600)).and_then(|()| fs::rename(&hidden, path)).inspect_err(
            |_| {
                let _ = fs::remove_file(&hidden);
            },
        )?;
        Ok(Self { listener, path: path.to_owned() })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn refuse_used(path: &Path) -> io::Result<()> {
    let Ok(file) = fs::symlink_metadata(path) else { return Ok(()) };
    let in_use = |what: &str| io::Error::new(io::ErrorKind::AddrInUse, format!("{}: {what}", path.display()));
    if !file.file_type().is_socket() {
        return Err(in_use("exists and is not a socket: move it away"));
    }
    if StdStream::connect(path).is_ok() {
        return Err(in_use("another enclave answers on it"));
    }
    Ok(())
}

/// Whether the other end runs as the same user (SO_PEERCRED, as the kernel saw it when the connection was made).
///
/// Threat: a process of another user reaches the socket, or listens in its place and is sent plaintexts.
pub(super) fn same_user(stream: &UnixStream) -> io::Result<()> {
    let (theirs, ours) = (stream.peer_cred()?.uid(), rustix::process::geteuid().as_raw());
    if theirs == ours {
        return Ok(());
    }
    let text = format!("the other end runs as user {theirs}, this one as {ours}: run node and enclave as one user");
    Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sockets_are_private_and_not_stolen() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("enclave.sock");
        let socket = Socket::bind(&path).expect("free");
        assert_eq!(fs::metadata(&path).expect("bound").permissions().mode() & 0o777, 0o600);
        let second = Socket::bind(&path).expect_err("in use");
        assert_eq!(second.kind(), io::ErrorKind::AddrInUse);
        same_user(&UnixStream::connect(&path).await.expect("listens")).expect("ourselves");
        drop(socket);
        assert_eq!(fs::read_dir(folder.path()).expect("folder").count(), 0);
        // A dead socket is replaced, another file is not.
        drop(std::os::unix::net::UnixListener::bind(&path).expect("free"));
        drop(Socket::bind(&path).expect("stale"));
        fs::write(&path, b"a file").expect("written");
        assert!(Socket::bind(&path).is_err());
        assert_eq!(fs::read(&path).expect("kept"), b"a file");
    }
}
