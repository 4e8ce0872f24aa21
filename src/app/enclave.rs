//! The enclave as a process of its own: keys, key trees, a socket, and nothing else.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{StartError, data_folder, keys, make_private};
use crate::config::Config;
use crate::crypto::sign::SigningKey;
use crate::enclave::Enclave as _;
use crate::enclave::harden::{harden, interfaces};
use crate::enclave::local::LocalEnclave;
use crate::enclave::server::Server;
use crate::shred::Forest;
use crate::types::Coded as _;

/// Serves the enclave of a configuration until SIGTERM or SIGINT. Opens no port and calls nobody.
pub async fn serve_enclave(config: Config) -> Result<(), StartError> {
    crate::telemetry::init_logs(&config.log)?;
    for note in harden() {
        tracing::warn!("{note}");
    }
    let network = interfaces();
    if !network.is_empty() {
        let interfaces = network.join(" ");
        tracing::info!(
            interfaces,
            "this process could use the network and does not: take it away (PrivateNetwork=yes, network_mode: none)"
        );
    }
    let socket = config.enclave.socket.clone().ok_or(StartError::NoEnclaveSocket)?;
    let (folder, _temporary) = match &config.enclave.data_dir {
        Some(folder) => (folder.clone(), None),
        None => data_folder(&config).map(|(data_dir, temporary)| (config.enclave_dir(&data_dir), temporary))?,
    };
    let listen = |kind| signal(kind).map_err(|source| StartError::Signals { source });
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    let enclave = open_local(&config, &folder)?;
    for key in enclave.addresses().iter() {
        tracing::info!(%key, "own key");
    }
    let server = Server::bind(&socket, Arc::new(enclave));
    let server = server.map_err(|source| StartError::EnclaveSocket { path: socket.clone(), source })?;
    tracing::info!(socket = %socket.display(), trees = %folder.display(), "ready");
    // Without systemd there is nobody to tell.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    let stop = CancellationToken::new();
    let serving = server.serve(stop.clone());
    tokio::pin!(serving);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = &mut serving => return Ok(()),
    }
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    stop.cancel();
    serving.await;
    tracing::info!("stopped");
    Ok(())
}

/// The enclave in this process: keys unlocked, key trees opened in `folder`, which is made (0700) if missing.
pub(super) fn open_local(config: &Config, folder: &Path) -> Result<LocalEnclave, StartError> {
    let keys = keys::load(&config.keys)?;
    make_private(folder).map_err(|source| StartError::DataFolder { path: PathBuf::from(folder), source })?;
    if let Some(root) = &config.root.folder {
        make_private(root).map_err(|source| StartError::DataFolder { path: root.clone(), source })?;
    }
    let forest = Arc::new(Forest::open(folder, config.root.open(folder)?)?);
    finish_rotation(&forest);
    let enclave = LocalEnclave::new(keys, forest).map_err(|_| StartError::NoKeys)?;
    let Some(governance) = &config.governance else { return Ok(enclave) };
    let Some(file) = &governance.signing_key_file else { return Ok(enclave) };
    let seed = keys::signing(file, governance.signing_password_file.as_deref()).map_err(StartError::SigningKey)?;
    Ok(enclave.with_signing(SigningKey::from_seed(&seed), governance.network, governance.member.clone()))
}

/// A rotation that was cut off is brought to its end before anything is served. Where that fails, everything still opens, and the next
/// rotation goes on with it: no reason not to serve.
fn finish_rotation(forest: &Forest) {
    match forest.finish_rotation() {
        Ok(None) => {}
        Ok(Some(done)) => tracing::info!(from = done.from, to = done.to, trees = done.trees, "the root was rotated"),
        Err(error) => tracing::error!(code = %error.code(), %error, "a rotation of the root is not finished"),
    }
}
