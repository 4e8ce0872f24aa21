//! Wiring: from a configuration to a node that serves, and back to nothing left behind.

mod acceptance;
mod admin;
mod enclave;
mod error;
mod events;
mod governed;
mod keys;
mod listeners;
mod pidfile;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tempfile::TempDir;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::ceremony::{CeremonyError, CommitteeFile};
use crate::config::{Config, Cosign, Surface};
use crate::directory::{Directory, Trust};
use crate::enclave::Enclave;
use crate::enclave::harden::harden;
use crate::enclave::remote::RemoteEnclave;
use crate::erasure::Profile;
use crate::governance::{Committee, Purpose};
use crate::net::Shutdown;
use crate::net::admin::{Pending, Readiness};
use crate::services::{CosignSettings, Governed, HoldSettings, Node, Settings};
use crate::store::Store;
use crate::store::rocks::RocksStore;
use crate::telemetry::{self, Metrics, NodeSource};
use crate::types::PeerUrl;

pub use enclave::serve_enclave;
pub use error::StartError;

/// How long requests in flight may take to finish at shutdown.
const GRACE: Duration = Duration::from_secs(5);

/// How long the enclave's process may take to answer at the start.
const ENCLAVE_PATIENCE: Duration = Duration::from_secs(10);

/// Writes down that operators accept that the node of a data folder was put back. Number of the log that begins with its next start.
pub fn accept_rollback(data_dir: &std::path::Path, actor: &str, reason: &str) -> Result<u64, StartError> {
    let journal = data_dir.join("journal");
    if !journal.is_dir() {
        return Err(StartError::DataFolder {
            path: journal,
            source: std::io::Error::other(
                "it holds no journal: is it the data folder of a governed node? One that lost everything and begins again says --empty",
            ),
        });
    }
    acceptance::Acceptances::add(&journal, actor, reason)
}

/// Writes down, in a data folder without a journal, that operators accept that the node lost everything: `logs` logs are over that witnesses
/// saw. Number of the log that begins with its first start.
///
/// Threat: a journal that is there is passed over by somebody who says that it is lost. With one, nothing is written; and what witnesses saw
/// is compared at the start as always.
pub fn accept_loss(data_dir: &std::path::Path, logs: u64, actor: &str, reason: &str) -> Result<u64, StartError> {
    let journal = data_dir.join("journal");
    let refused = |path: &std::path::Path, why: &str| {
        Err(StartError::DataFolder { path: path.to_owned(), source: std::io::Error::other(why.to_owned()) })
    };
    if !data_dir.is_dir() {
        return refused(data_dir, "it is no folder: make the data folder, with the network's documents, first");
    }
    if journal.symlink_metadata().is_ok() {
        return refused(&journal, "it is there: --empty is for a folder without a journal");
    }
    acceptance::Acceptances::begin(&journal, logs, actor, reason)
}

/// How a node is run.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// File to write the process id to; removed at the end.
    pub pidfile: Option<PathBuf>,
    /// Get everything back from the peers, then end.
    pub recover: bool,
}

/// Runs a node until it is told to stop (SIGTERM, SIGINT), or until everything is recovered. The process's exit code.
pub async fn run(config: Config, options: RunOptions) -> Result<u8, StartError> {
    telemetry::init_logs(&config.log)?;
    for note in harden() {
        tracing::warn!("{note}");
    }
    let mut signals = Signals::listen()?;
    let (data_dir, _temporary) = data_folder(&config)?;
    let enclave = open_enclave(&config, &data_dir).await?;
    let store = open_store(&config, &data_dir, options.recover).await?;
    let mut transport = listeners::Transport::prepare(&config, options.recover).await?;
    let native = governed::Native::open(&config, &data_dir, &enclave, &store).await?;
    let settings = settings(&config, options.recover)?;
    let trust = if config.peers.discovery { Trust::Open } else { Trust::ConfiguredOnly };
    let directory = Directory::new(settings.own_url.clone(), &enclave.addresses(), config.peers.urls.clone(), trust);
    let node = Node::new(enclave, Arc::clone(&store), Arc::new(directory), Arc::new(transport.peers()), settings);
    let node = node.with_root_rotation(config.root.rotate_every);
    let node = Arc::new(match &native {
        Some(native) => node.with_governance(native.governed()),
        None => node,
    });
    check_profile(&node)?;
    node.finish_unindexing().await.map_err(StartError::Index)?;
    node.load_supervision().await.map_err(StartError::Stops)?;
    node.load_ceremonies().await.map_err(StartError::Ceremonies)?;
    node.open_resident_groups(&listeners::groups(&config)).await.map_err(StartError::ResidentGroups)?;

    let shutdown = Shutdown::new();
    let (metrics, readiness) = (Metrics::new(), Readiness::new());
    let names = listeners::names(&config);
    let source = Arc::new(NodeSource::new(Arc::clone(&node), Arc::clone(&metrics), readiness.clone(), names));
    let admin = admin::Admin::open(&config, &data_dir, &node)?;
    let events = events::feed(&node, &shutdown);
    let figures = listeners::Figures { source, metrics, readiness, admin, events };
    let asking = native.as_ref().map(|native| follow(&native.governed(), &figures.readiness));
    transport.serve_some(|surface| surface == Surface::Admin, &config, &node, &figures, &shutdown);
    if let Some(native) = native {
        tokio::select! {
            () = native.serve(&config, &node, &figures.metrics, &shutdown) => {}
            // It may wait for other members for as long as it takes.
            () = signals.stop() => {
                shutdown.finish(GRACE).await;
                store.close().await?;
                return Ok(0);
            }
        }
        wait_for_operators(&node, &mut signals).await?;
    }
    events::start_webhooks(&config, &data_dir, &node, &shutdown).await?;
    transport.serve_some(|_| true, &config, &node, &figures, &shutdown);
    drop(asking);
    transport.keep_fresh(&figures, &shutdown);
    let pidfile = options.pidfile.as_deref().map(pidfile::PidFile::write).transpose()?;
    for key in node.own_keys().iter() {
        tracing::info!(%key, "own key");
    }
    tracing::info!(url = %node.settings().own_url, data = %data_dir.display(), "ready");
    // Without systemd there is nobody to tell.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    let code = work(&node, options.recover, config.store.purge_every, &mut signals).await?;
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    let outcome = shutdown.finish(GRACE).await;
    if outcome.cut > 0 {
        tracing::warn!(connections = outcome.cut, "cut at shutdown: their requests took too long");
    }
    if let Some(governed) = node.governed() {
        governed.finish().await;
    }
    store.close().await?;
    drop(pidfile);
    tracing::info!("stopped");
    Ok(code)
}

/// SIGTERM and SIGINT, listened to from the start on: whoever stops a node that has just answered gets a clean end.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> Result<Self, StartError> {
        let listen = |kind| signal(kind).map_err(|source| StartError::Signals { source });
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Resolves when the process is to stop.
    async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// A governed node is ready once others were asked for its past, and only while it serves.
///
/// Threat: a node that knows that it was put back says that it is ready, and traffic is sent to it.
fn follow(governed: &Governed, readiness: &Readiness) -> Pending {
    let (latch, waiting) = (readiness.clone(), Mutex::new(None));
    governed.on_halt(move |halted| {
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if !halted {
            *waiting = None;
        } else if waiting.is_none() {
            *waiting = Some(latch.wait_for("the operators: this node does not serve"));
        }
    });
    readiness.wait_for("other members: what they saw of this node's log")
}

/// A node that was put back serves nothing but its admin surface until operators decide; then it is started again.
///
/// Threat: its store answers "not a party" to what it has lost, and the node's private state diverges for ever.
async fn wait_for_operators(node: &Arc<Node>, signals: &mut Signals) -> Result<(), StartError> {
    let Some(reason) = node.governed().and_then(|governed| governed.halted()) else { return Ok(()) };
    tracing::error!(reason, code = "CEL3211", "this node does not serve: see docs/journal.md");
    signals.stop().await;
    Err(StartError::PutBack(reason))
}

/// Discovers, purges, rotates the root and erases what is due until a signal, or recovers until done.
async fn work(node: &Arc<Node>, recover: bool, purge_every: Duration, signals: &mut Signals) -> Result<u8, StartError> {
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(Arc::clone(node).discover());
    tasks.spawn(Arc::clone(node).keep_root_young());
    if !purge_every.is_zero() {
        tasks.spawn(Arc::clone(node).purge_regularly(purge_every));
    }
    if !recover {
        tasks.spawn(Arc::clone(node).keep_retention());
        tasks.spawn(Arc::clone(node).keep_holds());
        tasks.spawn(Arc::clone(node).keep_matters());
        tasks.spawn(Arc::clone(node).keep_disclosures());
    }
    let code = tokio::select! {
        () = signals.stop() => 0,
        done = node.recover(), if recover => {
            let done = done.map_err(|source| StartError::Recovery { source })?;
            tracing::info!(peers = done.peers, failed = done.failed, left = done.left, "recovery ended");
            u8::from(done.failed > 0 || done.left > 0)
        }
    };
    tasks.abort_all();
    Ok(code)
}

fn data_folder(config: &Config) -> Result<(PathBuf, Option<TempDir>), StartError> {
    let failed = |path: &std::path::Path, source| StartError::DataFolder { path: path.to_owned(), source };
    if config.temporary_data {
        let folder =
            tempfile::Builder::new().prefix("celosia-").tempdir().map_err(|source| failed(&std::env::temp_dir(), source))?;
        return Ok((folder.path().to_owned(), Some(folder)));
    }
    let path = config.data_dir.clone().ok_or(StartError::NoDataFolder)?;
    make_private(&path).map_err(|source| failed(&path, source))?;
    Ok((path, None))
}

/// Makes a folder that only we may read; one that exists keeps its mode.
fn make_private(path: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    if path.is_dir() {
        return Ok(());
    }
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

async fn open_enclave(config: &Config, data_dir: &std::path::Path) -> Result<Arc<dyn Enclave>, StartError> {
    if let Some(socket) = &config.enclave.socket {
        return Ok(Arc::new(RemoteEnclave::connect(socket, ENCLAVE_PATIENCE).await?));
    }
    Ok(Arc::new(enclave::open_local(config, &config.enclave_dir(data_dir))?))
}

/// Opens the store, and makes sure that key trees and store are there together.
///
/// Threat: one of the two is restored, mounted or named alone. An empty store answers "not a party" to everything, and a new key folder
/// seals new payloads under trees that the next restore loses. (A separate enclave keeps its own folder: nothing is seen of it here.)
async fn open_store(config: &Config, data_dir: &std::path::Path, recover: bool) -> Result<Arc<dyn Store>, StartError> {
    let folder = data_dir.join("store");
    let trees = config.enclave_dir(data_dir);
    let has_trees = std::fs::read_dir(&trees)
        .is_ok_and(|entries| entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("tree-")));
    let in_process = config.enclave.socket.is_none();
    // RocksDB's file of that name is there from the first start on.
    if in_process && has_trees && !recover && !folder.join("CURRENT").exists() {
        return Err(StartError::NoRecords(trees));
    }
    let store = RocksStore::open(&folder)?;
    let stats = store.stats().await?;
    if in_process && !has_trees && stats.payloads + stats.raws > 0 {
        return Err(StartError::NoTrees(trees));
    }
    Ok(Arc::new(store))
}

fn settings(config: &Config, recovering: bool) -> Result<Settings, StartError> {
    let own_url: PeerUrl =
        config.peer_server().and_then(|server| server.address.url().cloned()).ok_or(StartError::NoSurface(Surface::Peer))?;
    Ok(Settings {
        always_send_to: config.always_send_to.clone(),
        enhanced_privacy: config.features.privacy_enhancements,
        multiple_private_states: config.features.multiple_private_states,
        validate_keys: config.peers.validate_keys,
        recovering,
        peer_budget: config.peers.budget,
        poll_interval: config.peers.poll_interval,
        own_url,
        node_cache: config.erasure.node_cache,
        max_guards: config.erasure.max_guards,
        holds: holds(config)?,
        cosign: CosignSettings {
            automatic: config.supervision.cosign == Cosign::Automatic,
            within: config.supervision.cosign_within,
        },
        acknowledge_within: config.cases.acknowledge_within,
    })
}

/// A law that wants blocks needs a committee, in the policy or in the configuration.
fn check_profile(node: &Node) -> Result<(), StartError> {
    let profile = &node.settings().holds.profile;
    if profile.blocks.is_empty() || !node.hold_committees().is_empty() {
        return Ok(());
    }
    Err(StartError::NoCommittee(profile.name.clone()))
}

/// A hold committee in a file: signed by all its officers.
fn committee(path: &Path) -> Result<Committee, StartError> {
    let wrong = |source| StartError::Committee { path: path.to_owned(), source };
    let text = std::fs::read_to_string(path).map_err(|source| StartError::CommitteeFile { path: path.to_owned(), source })?;
    let file = CommitteeFile::parse(&text).map_err(wrong)?;
    file.check_own().map_err(wrong)?;
    if file.committee.purpose != Purpose::Hold {
        return Err(wrong(CeremonyError::Successor("it is no hold committee")));
    }
    Ok(file.committee)
}

/// The hold committee, and the law that applies.
fn holds(config: &Config) -> Result<HoldSettings, StartError> {
    let profile = match &config.erasure.profile {
        None => Profile::default(),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|source| StartError::ProfileFile { path: path.clone(), source })?;
            Profile::parse(&text).map_err(|source| StartError::Profile { path: path.clone(), source })?
        }
    };
    let committee = config.holds.committee.as_deref().map(committee).transpose()?;
    Ok(HoldSettings { committee, profile: Arc::new(profile) })
}
