use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;

use celosia::net::{Endpoint, Listener, NetError, Owner, Shutdown};
use celosia::types::{Code, Coded};

use crate::support::{PATIENCE, client, socket_at, unix};

#[tokio::test]
async fn a_socket_serves_and_is_removed_when_its_server_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tm.ipc");
    let shutdown = Shutdown::new();
    unix(&path, &shutdown).await.unwrap();
    let client = client(&format!("unix:{}", path.display()));
    for _ in 0..2 {
        assert_eq!(&client.get("/upcheck").await.unwrap().body[..], b"I'm up!");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing but the socket is left beside it");
    shutdown.finish(PATIENCE).await;
    assert!(!path.exists());
}

#[tokio::test]
async fn mode_and_owner_are_as_configured() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tm.ipc");
    let ours = fs::metadata(folder.path()).unwrap();
    for mode in [0o600, 0o660, 0o666] {
        let owner = Owner { user: Some(ours.uid()), group: Some(ours.gid()) };
        let listener = Listener::bind(&Endpoint::Unix { path: path.clone(), mode, owner }, None).await.unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
        drop(listener);
    }
}

#[tokio::test]
async fn a_stale_socket_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tm.ipc");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "the file outlives its listener");
    unix(&path, &Shutdown::new()).await.unwrap();
    assert!(client(&format!("unix:{}", path.display())).get("/upcheck").await.is_ok());
}

#[tokio::test]
async fn a_socket_on_which_somebody_answers_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tm.ipc");
    let other = UnixListener::bind(&path).unwrap();
    let inode = fs::metadata(&path).unwrap().ino();
    let error = unix(&path, &Shutdown::new()).await.unwrap_err();
    assert!(matches!(error, NetError::SocketInUse(_)), "{error}");
    assert_eq!(error.code(), Code(1204));
    assert_eq!(fs::metadata(&path).unwrap().ino(), inode);
    drop(other);
}

#[tokio::test]
async fn what_is_no_socket_is_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (file, link) = (folder.path().join("file"), folder.path().join("link"));
    fs::write(&file, "precious").unwrap();
    std::os::unix::fs::symlink(&file, &link).unwrap();
    for path in [&file, &link, &folder.path().to_owned()] {
        assert!(matches!(unix(path, &Shutdown::new()).await, Err(NetError::NotASocket(_))), "{path:?}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
}

#[tokio::test]
async fn paths_fit_up_to_107_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let name = |length: usize| folder.path().join("s".repeat(length - folder.path().as_os_str().len() - 1));
    unix(&name(107), &Shutdown::new()).await.unwrap();
    let error = unix(&name(108), &Shutdown::new()).await.unwrap_err();
    assert!(matches!(error, NetError::PathTooLong { length: 108, max: 107, .. }), "{error}");
}

#[tokio::test]
async fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = unix(&folder.path().join("none/tm.ipc"), &Shutdown::new()).await.unwrap_err();
    assert!(error.to_string().contains("none/tm.ipc"), "{error}");
}

#[tokio::test]
async fn a_socket_that_another_program_put_there_since_is_not_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tm.ipc");
    let listener = Listener::bind(&socket_at(&path), None).await.unwrap();
    fs::remove_file(&path).unwrap();
    let _other = UnixListener::bind(&path).unwrap();
    drop(listener);
    assert!(path.exists());
}
