use std::io;
use std::path::PathBuf;

use crate::api::admin::Refusal;
use crate::api::events::webhook::WebhookError;
use crate::ceremony::CeremonyError;
use crate::config::Surface;
use crate::directory::FolderError;
use crate::enclave::EnclaveError;
use crate::erasure::ProfileError;
use crate::journal::JournalError;
use crate::net::NetError;
use crate::net::tls::TlsError;
use crate::services;
use crate::shred::ShredError;
use crate::store::StoreError;
use crate::telemetry::FilterError;
use crate::types::{Code, Coded, MemberId};

/// Why a node does not start, or did not end well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The folder for payloads and key trees cannot be made.
    #[error("cannot use data folder {path}: {source}")]
    DataFolder {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A private key cannot be had.
    #[error("key {number} of the configuration: {reason}")]
    Key {
        /// Its place in the configuration, from 1.
        number: usize,
        /// Why.
        reason: String,
    },
    /// The socket of a separate enclave cannot be opened.
    #[error("cannot listen on enclave socket {path}: {source}")]
    EnclaveSocket {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A separate enclave without a socket.
    #[error("no enclave socket is configured: set socket under enclave")]
    NoEnclaveSocket,
    /// The configuration names no place to keep payloads.
    #[error("no data folder is configured: set data-dir")]
    NoDataFolder,
    /// The configuration names no key.
    #[error("no key is configured: make one with `celosia keygen` and name it under keys")]
    NoKeys,
    /// Key trees without the store that they belong to.
    #[error(
        "key folder {0} has key trees, and their store is gone: put it back, or fetch the payloads from the peers with --recover"
    )]
    NoRecords(PathBuf),
    /// A store without the key trees that it belongs to.
    #[error("the store has records, and key folder {0} has no key tree: put the key folder that belongs to this store back")]
    NoTrees(PathBuf),
    /// A surface that a node cannot be without.
    #[error("no {0:?} server is configured")]
    NoSurface(Surface),
    /// The process id cannot be written.
    #[error("cannot write pid file {path}: {source}")]
    PidFile {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A recovery that cannot go on.
    #[error("the recovery stopped: {source}")]
    Recovery {
        /// Why.
        source: services::Error,
    },
    /// Resident groups that do not fit the keys.
    #[error("resident groups: {0}")]
    ResidentGroups(services::Error),
    /// The index of subjects cannot be brought up to its keys.
    #[error("the index of data subjects cannot be finished: {0}")]
    Index(services::Error),
    /// Orders to stop cannot be read: the node would send what is stopped.
    #[error("the orders to stop cannot be read: {0}")]
    Stops(services::Error),
    /// What officers said in ceremonies cannot be read.
    #[error("the officers' ceremonies cannot be read: {0}")]
    Ceremonies(services::Error),
    /// The system gives no signals.
    #[error("cannot listen for signals: {source}")]
    Signals {
        /// What the system said.
        source: io::Error,
    },
    /// The acts that wait for a second person cannot be read.
    #[error(transparent)]
    Acts(#[from] Refusal),
    /// A governed node without a signing key.
    #[error("the enclave has no signing key: name it in [governance] signing-key-file, where the keys are")]
    NoSigningKey,
    /// The directory says something else of us.
    #[error(
        "the directory names another {what} for {member} than this node's, which is {ours}: start with the right files, or let the governors list it"
    )]
    NotAsListed {
        /// Who we are.
        member: MemberId,
        /// What differs.
        what: &'static str,
        /// Ours.
        ours: String,
    },
    /// The file of the law that applies cannot be read.
    #[error("the profile {path} cannot be read: {source}")]
    ProfileFile {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file of the law that applies is none.
    #[error("{path}: {source}")]
    Profile {
        /// Which one.
        path: PathBuf,
        /// What is wrong.
        source: ProfileError,
    },
    /// The hold committee's file is none, or lacks signatures.
    #[error("[holds] committee {}: {source}", path.display())]
    Committee {
        /// The file.
        path: PathBuf,
        /// Why.
        source: CeremonyError,
    },
    /// The hold committee's file cannot be read.
    #[error("[holds] committee {}: {source}", path.display())]
    CommitteeFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A law that wants blocks, and nobody to seal them to.
    #[error("the profile {0} blocks before it erases: name the hold committee's file in [holds] committee")]
    NoCommittee(String),
    /// Stopped while it waited for its operators.
    #[error("this node was put back and did not serve: {0}")]
    PutBack(String),
    /// The signing key cannot be opened.
    #[error("signing key: {0}")]
    SigningKey(String),
    /// The documents of the network cannot be used.
    #[error(transparent)]
    Charter(#[from] FolderError),
    /// The journal cannot be opened.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The enclave cannot be opened.
    #[error(transparent)]
    Enclave(#[from] EnclaveError),
    /// A listener or TLS cannot be opened.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The log cannot be set up.
    #[error(transparent)]
    Log(#[from] FilterError),
    /// TLS files that cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The key trees cannot be opened.
    #[error(transparent)]
    Shred(#[from] ShredError),
    /// A webhook cannot begin.
    #[error(transparent)]
    Webhook(#[from] WebhookError),
    /// The store cannot be opened or closed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Coded for StartError {
    fn code(&self) -> Code {
        match self {
            Self::DataFolder { .. } => Code(1301),
            Self::Key { .. } => Code(1302),
            Self::NoDataFolder => Code(1303),
            Self::NoSurface(_) => Code(1304),
            Self::PidFile { .. } => Code(1305),
            Self::NoKeys => Code(1309),
            Self::NoRecords(_) => Code(1312),
            Self::NoTrees(_) => Code(1313),
            Self::Recovery { .. } => Code(1306),
            Self::ResidentGroups(_) => Code(1307),
            Self::Index(_) => Code(1370),
            Self::Stops(_) => Code(7208),
            Self::Ceremonies(_) => Code(7098),
            Self::ProfileFile { .. } => Code(1380),
            Self::Profile { source, .. } => source.code(),
            Self::NoCommittee(_) => Code(1382),
            Self::Committee { source, .. } => source.code(),
            Self::CommitteeFile { .. } => Code(7042),
            Self::Signals { .. } => Code(1308),
            Self::NoEnclaveSocket => Code(1310),
            Self::EnclaveSocket { .. } => Code(1311),
            Self::Acts(error) => error.code(),
            Self::NoSigningKey => Code(1314),
            Self::NotAsListed { .. } => Code(1315),
            Self::SigningKey(_) => Code(1316),
            Self::PutBack(_) => Code(1317),
            Self::Charter(error) => error.code(),
            Self::Journal(error) => error.code(),
            Self::Enclave(error) => error.code(),
            Self::Net(error) => error.code(),
            Self::Shred(error) => error.code(),
            Self::Tls(error) => error.code(),
            Self::Log(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Webhook(error) => error.code(),
        }
    }
}
