//! The verbs. A service decides; it knows no socket and no status code.

mod ceremonies;
mod chronicle;
mod counters;
mod disclosure;
mod discover;
mod documents;
mod encoded;
pub(crate) mod erase;
mod erasure;
mod error;
pub(crate) mod escrow;
mod gossip;
mod governed;
mod groups;
mod happening;
mod holds;
mod journal_view;
mod matters;
mod native;
mod peers;
mod purge;
mod push;
mod raw;
mod receive;
mod records;
mod recover;
mod resend;
mod returns;
mod rewrap;
mod rights;
mod root;
mod rules;
mod send;
mod supervision;
mod told;
mod withdraw;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::directory::Directory;
use crate::enclave::Enclave;
use crate::erasure::Tags;
use crate::store::Store;
use crate::types::{Address, Class, GroupId, PayloadId, PeerUrl, Privacy, PrivacyFlag};

pub use ceremonies::{CeremonyView, Posted, RelayError, SaidPage};
pub use chronicle::{Chronicle, log_name};
pub use counters::{Counter, Counters};
pub use disclosure::{DisclosureError, ReleaseStream, SharesStream};
pub use discover::{PartyInfoAnswer, PartyInfoFrom};
pub use documents::{
    BrokenOff, Contents, DocumentError, DocumentFigures, DocumentLimits, DocumentPlace, DocumentReceipt, DocumentState,
    DocumentTraces, Incoming, Info as DocumentInfo, NewDocument, Progress as UploadProgress, Recipient as DocumentRecipient,
    WayState, audit_documents, document_traces,
};
pub use erasure::{ErasureError, NewCase, Reach, Reached};
pub use error::Error;
pub use governed::Governed;
pub use groups::{Group, GroupKind, NewGroup, ResidentGroup};
pub use happening::Kind as HappeningKind;
pub use holds::{HoldError, HoldSettings, NewHold};
pub use matters::{Indicators, MatterFigures, NewMatter};
pub use native::{GovernanceStatus, MemberStatus, NativeAddress, NativePeers, path as native_path};
pub use peers::{Capabilities, Delivered, PeerError, Peers, ResendScope};
pub use purge::{LastPurge, Purges};
pub use push::Pushed;
pub use recover::Recovery;
pub use returns::{Begun, Brought, Fate, ReturnError, ReturnParts, Settled};
pub use rewrap::Rewrapped;
pub use rights::{Loss, Radius, SubjectExport};
pub use supervision::{
    CaughtUp, CaughtUpAt, CosignSettings, CosignState, NewStop, Queued, Recipient, Seen, Spread, StopView, SupervisionError,
    TwoHeaders, Watched, audit_copies,
};
pub use withdraw::WithdrawToken;

/// What a node is configured to do.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Recipients added to every transaction.
    pub always_send_to: Vec<Address>,
    /// Flags 1 to 3 are allowed here.
    pub enhanced_privacy: bool,
    /// Resident groups are served.
    pub multiple_private_states: bool,
    /// Peers must prove that they hold the keys that they announce.
    pub validate_keys: bool,
    /// Only standard payloads are accepted from peers, as during `--recover`.
    pub recovering: bool,
    /// Longest that a delivery to one peer may take: well inside GoQuorum's 5 s.
    pub peer_budget: Duration,
    /// How often peers are polled.
    pub poll_interval: Duration,
    /// Our own peer URL, as announced.
    pub own_url: PeerUrl,
    /// How long the node beside us may keep a payload in its cache: an erasure waits for it before it says "purged".
    pub node_cache: Duration,
    /// Items that are not here and that one member may have ordered to be erased: each leaves a row for ever.
    pub max_guards: u64,
    /// The hold committee, and the law that applies.
    pub holds: HoldSettings,
    /// Co-signatures: who gives them here, and how long a send waits.
    pub cosign: CosignSettings,
    /// How long somebody has to acknowledge a notice before it climbs.
    pub acknowledge_within: Duration,
}

/// The node: keys, store, peers and rules in one place. Cheap to clone through its `Arc`.
pub struct Node {
    pub(crate) enclave: Arc<dyn Enclave>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) peers: Arc<dyn Peers>,
    pub(crate) settings: Settings,
    pub(crate) counters: Counters,
    pub(crate) greetings: discover::Greetings,
    pub(crate) staging: recover::Staging,
    pub(crate) withdrawals: withdraw::Withdrawals,
    pub(crate) governed: Option<Arc<Governed>>,
    /// Held while an order is carried out: no two of them touch one item at once.
    pub(crate) orders: tokio::sync::Mutex<()>,
    /// Held while a case is changed.
    pub(crate) cases: tokio::sync::Mutex<()>,
    pub(crate) disclosures: disclosure::Disclosures,
    pub(crate) holds: holds::Holds,
    pub(crate) matters: matters::Matters,
    pub(crate) purges: Purges,
    pub(crate) index: rights::Index,
    pub(crate) rotations: root::Rotations,
    pub(crate) returns: returns::Returns,
}

impl Node {
    /// Joins the parts.
    pub fn new(
        enclave: Arc<dyn Enclave>,
        store: Arc<dyn Store>,
        directory: Arc<Directory>,
        peers: Arc<dyn Peers>,
        settings: Settings,
    ) -> Self {
        Self {
            enclave,
            store,
            directory,
            peers,
            settings,
            counters: Counters::default(),
            greetings: discover::Greetings::default(),
            staging: recover::Staging::default(),
            withdrawals: withdraw::Withdrawals::default(),
            governed: None,
            orders: tokio::sync::Mutex::default(),
            cases: tokio::sync::Mutex::default(),
            disclosures: disclosure::Disclosures::default(),
            holds: holds::Holds::default(),
            matters: matters::Matters::default(),
            purges: Purges::default(),
            index: rights::Index::default(),
            rotations: root::Rotations::default(),
            returns: returns::Returns::default(),
        }
    }

    /// The same node as a member of a governed network.
    #[must_use]
    pub fn with_governance(mut self, governed: Arc<Governed>) -> Self {
        self.governed = Some(governed);
        self
    }

    /// What the verbs did since the start.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What the node is configured to do.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The store, for its figures.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The enclave, to ask whether it answers.
    pub fn enclave(&self) -> &Arc<dyn Enclave> {
        &self.enclave
    }
}

/// A payload to send.
#[derive(Default)]
pub struct SendRequest {
    /// The payload, at least one byte.
    pub payload: Zeroizing<Vec<u8>>,
    /// Sender; the default key if absent.
    pub from: Option<Address>,
    /// Recipients; may be empty, hold the sender, or hold a key twice.
    pub to: Vec<Address>,
    /// Rules and addressing shared with `/sendsignedtx`.
    pub terms: Terms,
}

/// A stored raw payload to send.
#[derive(Debug)]
pub struct SendSignedRequest {
    /// Id that `/storeraw` gave.
    pub id: PayloadId,
    /// Recipients.
    pub to: Vec<Address>,
    /// Rules.
    pub terms: Terms,
}

/// The rules that a request asks for.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// Privacy flag.
    pub flag: PrivacyFlag,
    /// Affected transactions; duplicates collapse.
    pub affected: Vec<PayloadId>,
    /// Execution hash as written in the request; empty if absent.
    pub exec_hash: String,
    /// Mandatory recipients.
    pub mandatory: Vec<Address>,
    /// Privacy group whose members replace `to`.
    pub group: Option<GroupId>,
    /// What the payload holds; personal data if it is not said.
    pub class: Option<Class>,
    /// What else is declared of it. Kept here alone, for no recipient.
    pub tags: Tags,
}

impl Terms {
    /// The tags that are kept of a payload in Tessera's suite: its header has no place for a class.
    pub(crate) fn declared(&self) -> Tags {
        Tags { class: self.tags.class.or(self.class), ..self.tags.clone() }
    }
}

/// A payload that every recipient has durably.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sent {
    /// Its id.
    pub id: PayloadId,
    /// Whose key sealed it.
    pub sender: Address,
    /// This node's own keys among sender and recipients.
    pub managed: Vec<Address>,
}

/// A payload opened for one of our keys.
pub struct Received {
    /// The payload.
    pub payload: Zeroizing<Vec<u8>>,
    /// Its rules.
    pub privacy: Privacy,
    /// Who sealed it.
    pub sender: Address,
    /// This node's own keys among sender and recipients.
    pub managed: Vec<Address>,
}

// Both hold a payload in the clear: what prints them says how long it is, and nothing of the recipients.

impl fmt::Debug for SendRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SendRequest({} bytes, {} recipients, {:?})", self.payload.len(), self.to.len(), self.terms.flag)
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Received({} bytes, {:?})", self.payload.len(), self.privacy.flag)
    }
}
