//! What a node has when its network has a directory and a policy.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

use super::ceremonies::Mail;
use super::documents::Shelf;
use super::happening::Happening;
use super::native::{EpochKeys, NativeAddress, NativePeers, Outbox, Uploads};
use super::supervision::Desk;
use super::told::Told;
use super::{Chronicle, DocumentLimits, Error, Node};
use crate::crypto::sign::{Signature, VerifyKey};
use crate::directory::gossip::Gossip;
use crate::directory::{LiveCharter, Member};
use crate::governance::{self, Charter, Directory, Judged, Signed, Software, Violation};
use crate::store::Event;
use crate::types::{Address, Class, Coded as _, MemberId, NetworkId, PeerUrl};

/// How far clocks of members may be apart, in seconds: more than any network delays, less than any day.
pub(crate) const MAX_SKEW: i64 = 600;

/// This node as a member of a governed network.
pub struct Governed {
    pub(crate) me: MemberId,
    pub(crate) network: NetworkId,
    pub(crate) live: Arc<LiveCharter>,
    pub(crate) peers: Arc<dyn NativePeers>,
    pub(crate) gossip: Mutex<Gossip>,
    pub(crate) epochs: EpochKeys,
    pub(crate) uploads: Uploads,
    /// Documents: the second kind of payload.
    pub(crate) documents: Arc<Shelf>,
    /// Work that goes on behind an answer: acknowledgements on their way to the disk.
    pub(crate) tasks: TaskTracker,
    /// Signed roots of acknowledgements that were verified lately.
    pub(crate) verified: Mutex<VecDeque<(VerifyKey, [u8; 32], Signature)>>,
    /// There is a new document to tell of.
    pub(crate) news: Notify,
    /// Members that are being asked for documents.
    ///
    /// Threat: a member says that it is ahead and answers slowly. It holds up nobody but itself: others are asked meanwhile.
    fetching: Mutex<HashSet<MemberId>>,
    outboxes: Mutex<HashMap<MemberId, (NativeAddress, Outbox)>>,
    /// Former directories: the ground of changes for those who have them.
    grounds: Mutex<VecDeque<Arc<Signed<Directory>>>>,
    /// What others made us write down lately.
    pub(crate) told: Told,
    /// Why this node does not serve, if it must not, and who is told when that changes.
    halted: RwLock<Option<String>>,
    on_halt: OnceLock<Box<dyn Fn(bool) + Send + Sync>>,
    chronicle: Option<Arc<Chronicle>>,
    /// Officers' ceremonies that are relayed.
    pub(crate) mail: Mail,
    /// Orders to stop, and what else a supervisor and the supervised keep in memory.
    pub(crate) desk: Desk,
    /// The size of our log that each witness has seen.
    witnessed: Mutex<HashMap<MemberId, u64>>,
}

/// Former directories that are kept in memory.
const GROUNDS: usize = 4;

/// Where a recipient of another member is served.
#[derive(Clone, Debug)]
pub(crate) enum Route {
    /// Through Tessera's peer protocol.
    Compatible(Member),
    /// Through the native protocol.
    Native(NativeAddress),
}

impl Route {
    pub(crate) fn url(&self) -> &PeerUrl {
        match self {
            Self::Compatible(member) => &member.url,
            Self::Native(address) => &address.endpoint,
        }
    }
}

impl Governed {
    /// Joins the parts. Documents lie beside the folder of uploads.
    pub fn new(
        me: MemberId,
        live: Arc<LiveCharter>,
        peers: Arc<dyn NativePeers>,
        uploads: std::path::PathBuf,
        max_payload: u64,
    ) -> Self {
        let charter = live.snapshot();
        let mut gossip = Gossip::new(me.clone());
        let (head, hash) = charter.newest();
        gossip.adopt(head.version, super::native::short(&hash), listeners(&charter), false);
        Self {
            me,
            network: charter.network(),
            live,
            peers,
            gossip: Mutex::new(gossip),
            epochs: EpochKeys::default(),
            documents: Shelf::new(uploads.with_file_name("documents"), DocumentLimits::default()),
            uploads: Uploads::new(uploads, max_payload),
            tasks: TaskTracker::new(),
            verified: Mutex::default(),
            news: Notify::new(),
            fetching: Mutex::default(),
            outboxes: Mutex::default(),
            grounds: Mutex::default(),
            told: Told::default(),
            halted: RwLock::default(),
            on_halt: OnceLock::new(),
            chronicle: None,
            mail: Mail::default(),
            desk: Desk::default(),
            witnessed: Mutex::default(),
        }
    }

    /// The same with other bounds of documents.
    #[must_use]
    pub fn with_documents(mut self, folder: std::path::PathBuf, limits: DocumentLimits) -> Self {
        self.documents = Shelf::new(folder, limits);
        self
    }

    /// The same with a journal.
    #[must_use]
    pub fn with_journal(mut self, chronicle: Arc<Chronicle>) -> Self {
        self.chronicle = Some(chronicle);
        self
    }

    /// The journal.
    pub fn chronicle(&self) -> Option<&Arc<Chronicle>> {
        self.chronicle.as_ref()
    }

    pub(crate) fn witnessed_size(&self, member: &MemberId) -> u64 {
        self.witnessed.lock().unwrap_or_else(PoisonError::into_inner).get(member).copied().unwrap_or_default()
    }

    pub(crate) fn remember_witnessed(&self, member: &MemberId, size: u64) {
        self.witnessed.lock().unwrap_or_else(PoisonError::into_inner).insert(member.clone(), size);
    }

    /// Our name in the directory.
    pub fn me(&self) -> &MemberId {
        &self.me
    }

    /// Directory and policy as they are now.
    pub fn charter(&self) -> Arc<Charter> {
        self.live.snapshot()
    }

    /// The live charter, for those who watch it.
    pub fn live(&self) -> &Arc<LiveCharter> {
        &self.live
    }

    pub(crate) fn gossip(&self) -> std::sync::MutexGuard<'_, Gossip> {
        self.gossip.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a directory as the ground of later changes.
    pub(crate) fn remember(&self, directory: Arc<Signed<Directory>>) {
        let mut grounds = self.grounds.lock().unwrap_or_else(PoisonError::into_inner);
        grounds.push_back(directory);
        if grounds.len() > GROUNDS {
            grounds.pop_front();
        }
    }

    /// The directory of a version, if it is remembered.
    pub(crate) fn ground(&self, version: u64) -> Option<Arc<Signed<Directory>>> {
        let grounds = self.grounds.lock().unwrap_or_else(PoisonError::into_inner);
        grounds.iter().find(|directory| directory.content.head.version == version).cloned()
    }

    /// Whether a member is to be asked for documents now; false if it is being asked. [`Self::fetched`] ends it.
    pub(crate) fn begin_fetch(&self, member: &MemberId) -> bool {
        self.fetching.lock().unwrap_or_else(PoisonError::into_inner).insert(member.clone())
    }

    /// A member was asked.
    pub(crate) fn fetched(&self, member: &MemberId) {
        self.fetching.lock().unwrap_or_else(PoisonError::into_inner).remove(member);
    }

    /// Waits for work that goes on behind answers.
    pub async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Stops serving, or starts again.
    pub fn halt(&self, reason: Option<String>) {
        let mut halted = self.halted.write().unwrap_or_else(PoisonError::into_inner);
        *halted = reason;
        if let Some(tell) = self.on_halt.get() {
            tell(halted.is_some());
        }
    }

    /// Names who is told, in the same moment, that this node stops serving or starts again. The first call counts.
    pub fn on_halt(&self, tell: impl Fn(bool) + Send + Sync + 'static) {
        let _ = self.on_halt.set(Box::new(tell));
    }

    /// Why this node does not serve, if it must not.
    pub fn halted(&self) -> Option<String> {
        self.halted.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A node whose past was rolled back neither sends nor takes.
    pub(crate) fn may_serve(&self) -> Result<(), Error> {
        self.halted().map_or(Ok(()), |reason| Err(Error::RolledBack(reason)))
    }

    /// Whether we may act at all.
    pub(crate) fn own_standing(&self, charter: &Charter) -> Result<(), Error> {
        match charter.members().by_id(&self.me) {
            Some(member) if member.is_active() => Ok(()),
            Some(member) => Err(Error::Policy(Violation::Sender { member: member.id.clone(), state: member.state })),
            None => Err(Error::NotAMember(self.me.clone())),
        }
    }

    /// The queue of deliveries to a member. Another key or place of it gets a new one.
    pub(crate) fn outbox(&self, to: &NativeAddress, begin: impl FnOnce() -> Outbox) -> Outbox {
        let mut outboxes = self.outboxes.lock().unwrap_or_else(PoisonError::into_inner);
        match outboxes.get(&to.member) {
            Some((address, outbox)) if address == to => outbox.clone(),
            _ => {
                let outbox = begin();
                outboxes.insert(to.member.clone(), (to.clone(), outbox.clone()));
                outbox
            }
        }
    }

    /// Lets go of connections and queues that the directory no longer names.
    pub(crate) fn cut(&self, charter: &Charter) {
        let stays = |address: &NativeAddress| {
            let member = charter.members().by_id(&address.member);
            member.filter(|member| may_be_told(member)).and_then(native_address).as_ref() == Some(address)
        };
        self.outboxes.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, (address, _)| stays(address));
        self.peers.keep_only(&stays);
    }
}

/// Where a member's native surface is; `None` for a Tessera.
pub(crate) fn native_address(member: &governance::Member) -> Option<NativeAddress> {
    let (endpoint, pin) = member.native.clone().zip(member.tls_pin)?;
    (member.software == Software::Celosia).then(|| NativeAddress { member: member.id.clone(), endpoint, pin: *pin.as_bytes() })
}

/// Expelled members are told nothing; suspended ones still learn of documents, or they could not come back.
pub(crate) fn may_be_told(member: &governance::Member) -> bool {
    member.software == Software::Celosia && member.state != governance::State::Expelled
}

/// Members that take part in gossip, sorted.
pub(crate) fn listeners(charter: &Charter) -> Vec<MemberId> {
    charter.members().all().iter().filter(|member| may_be_told(member)).map(|member| member.id.clone()).collect()
}

/// The node's clock, as documents and headers are dated.
pub(crate) fn clock() -> Timestamp {
    Timestamp::now()
}

impl Node {
    /// The governed side of this node.
    pub fn governed(&self) -> Option<&Arc<Governed>> {
        self.governed.as_ref()
    }

    /// The same, where it is asked for.
    pub(crate) fn needs_governance(&self) -> Result<&Arc<Governed>, Error> {
        self.governed.as_ref().ok_or(Error::NotGoverned)
    }

    /// Where a recipient is: as the directory says in a governed network, else as it was announced.
    pub(crate) fn locate(&self, key: &Address) -> Result<Route, Error> {
        match &self.governed {
            Some(governed) => self.route(&governed.charter(), key),
            None => self.directory.locate(key).map(Route::Compatible).ok_or(Error::RecipientUnknown(*key)),
        }
    }

    /// The member that a key belongs to, in a governed network.
    pub(crate) fn member_of(&self, key: &Address) -> Option<MemberId> {
        self.governed.as_ref()?.charter().members().by_address(key).map(|member| member.id.clone())
    }

    /// Whether a payload may come from this sender at all: in a governed network, from an active member or from ourselves.
    pub(crate) fn admits_sender(&self, sender: &Address) -> Result<(), Error> {
        let Some(governed) = &self.governed else { return Ok(()) };
        governed.may_serve()?;
        let charter = governed.charter();
        match charter.members().by_address(sender) {
            Some(member) if member.is_active() || member.id == governed.me => Ok(()),
            Some(member) => Err(Error::Policy(Violation::Sender { member: member.id.clone(), state: member.state })),
            None => Err(Error::NotInDirectory(*sender)),
        }
    }

    /// Whether a payload in Tessera's suite may be taken: it says nothing of its class, so it counts as personal. What is given back in a
    /// recovery was judged when it was sent.
    ///
    /// Threat: a member sends in Tessera's suite what this node's policy, or its own suspension, does not let in.
    pub(crate) fn admits_untold(&self, sender: &Address) -> Result<(), Error> {
        let Some(governed) = &self.governed else { return Ok(()) };
        let charter = governed.charter();
        let members = charter.members();
        let from = members.by_address(sender).ok_or(Error::NotInDirectory(*sender))?;
        if self.settings.recovering || from.id == governed.me {
            return Ok(());
        }
        let me = members.by_id(&governed.me).ok_or_else(|| Error::NotAMember(governed.me.clone()))?;
        let judged = Judged { sender: from, recipients: &[me], class: Class::default() };
        charter.policy().judge(&judged).map_err(Error::Policy)?;
        charter.policy().check_unproved(&from.id, None, Class::default()).map_err(Error::Policy)
    }

    /// An event for the journal, where there is one.
    pub(crate) fn event<'a>(&self, make: impl FnOnce() -> Happening<'a>) -> Option<Event> {
        self.governed.as_ref().map(|_| make().event())
    }

    /// Journals an event by itself. What cannot be written is told in the log: the act that it records is done.
    pub(crate) async fn note(&self, event: Event) {
        if self.governed.is_some()
            && let Err(error) = self.store.note(event).await
        {
            tracing::error!(%error, code = %error.code(), "an event could not be journalled");
        }
    }

    /// Where a recipient is, by the directory alone.
    pub(crate) fn route(&self, charter: &Charter, key: &Address) -> Result<Route, Error> {
        let member = charter.members().by_address(key).ok_or(Error::RecipientUnknown(*key))?;
        if let Some(address) = native_address(member) {
            return Ok(Route::Native(address));
        }
        let url: PeerUrl = member.compatible.clone().ok_or(Error::RecipientUnknown(*key))?;
        // What it speaks it said itself, at the place that the directory names; before that, the oldest form.
        let known = self.directory.locate(key).filter(|known| known.url == url);
        Ok(Route::Compatible(known.unwrap_or(Member { url, versions: crate::types::VersionSet::default(), celosia: false })))
    }

    /// Whether the policy lets a payload go from one of our keys to its recipients. A refusal is journalled.
    pub(crate) async fn judge(&self, charter: &Charter, sender: &Address, to: &[Address], class: Class) -> Result<(), Error> {
        let members = charter.members();
        let from = members.by_address(sender).ok_or(Error::NotInDirectory(*sender))?;
        let mut recipients = Vec::with_capacity(to.len());
        for key in to.iter().filter(|key| *key != sender) {
            recipients.push(members.by_address(key).ok_or(Error::RecipientUnknown(*key))?);
        }
        let judged = charter.policy().judge(&Judged { sender: from, recipients: &recipients, class });
        match judged {
            Ok(()) => Ok(()),
            Err(violation) => Err(self.forbidden(charter, class, violation).await),
        }
    }
}
