//! A node as a member of a governed network: its documents, its key, its log, its native surface.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::StartError;
use super::acceptance::Acceptances;
use crate::api;
use crate::config::{self, Config, Listen, Surface};
use crate::directory::{CharterFolder, LiveCharter};
use crate::enclave::Enclave;
use crate::governance::{Charter, TlsPin};
use crate::net::native::{Admission, NativePool, NativeTls, Pin};
use crate::net::{self, Listener, Shutdown};
use crate::services::{Chronicle, DocumentLimits, Governed, Node, log_name};
use crate::store::Store;
use crate::telemetry::{Metrics, observe};
use crate::types::{Coded as _, MemberId};

/// How long other members get to tell what they saw of our log before the other surfaces open.
const ASK_PATIENCE: Duration = Duration::from_secs(5);

/// How long after a member that did not answer is asked again.
const REPLAY_AGAIN: Duration = Duration::from_secs(5);

/// What is needed to serve the native surface.
pub(super) struct Native {
    listener: Listener,
    tls: Arc<NativeTls>,
    governed: Arc<Governed>,
    gossip_interval: Duration,
    accepted: Option<super::acceptance::Acceptance>,
    /// Number of the log in use.
    log: u64,
}

/// The directory decides who may call: active members that run a Celosia.
struct Directory(Arc<LiveCharter>);

impl Admission for Directory {
    fn admitted(&self, pin: &Pin) -> Option<MemberId> {
        let charter = self.0.snapshot();
        let member = charter.members().by_pin(&TlsPin::new(*pin))?;
        member.is_active().then(|| member.id.clone())
    }
}

impl Native {
    /// Opens documents, log and native listener; `None` without `[governance]`.
    pub(super) async fn open(
        config: &Config,
        data_dir: &Path,
        enclave: &Arc<dyn Enclave>,
        store: &Arc<dyn Store>,
    ) -> Result<Option<Self>, StartError> {
        let Some(table) = &config.governance else { return Ok(None) };
        let folder = CharterFolder::open(&config.governance_dir(data_dir), Some(table.network), Timestamp::now())?;
        let live = Arc::new(LiveCharter::new(folder));
        let admission: Arc<dyn Admission> = Arc::new(Directory(Arc::clone(&live)));
        let tls = NativeTls::load(&table.cert, &table.key, admission)?;
        check_identity(&live.snapshot(), table, enclave, &tls)?;
        let journal = data_dir.join("journal");
        let acceptances = Acceptances::read(&journal)?;
        let name = log_name(&table.network, &table.member, acceptances.number());
        let witness_name = log_name(&table.network, &table.member, 1);
        let (is_new, log) = acceptances.folder(&journal);
        let chronicle =
            Chronicle::open(&log, &journal.join("witnessed"), name, witness_name, Arc::clone(store), Arc::clone(enclave)).await?;
        let pool = NativePool::new(Arc::clone(&tls));
        let uploads: PathBuf = data_dir.join("uploads");
        let governed = Governed::new(table.member.clone(), live, pool, uploads, config.limits.max_body);
        let limits = DocumentLimits { size: config.limits.max_document, total: config.limits.max_documents };
        let governed = governed.with_documents(data_dir.join("documents"), limits);
        let governed = Arc::new(governed.with_journal(Arc::new(chronicle)));
        let listener = bind(config).await?;
        let accepted = acceptances.last().filter(|_| is_new);
        let log = acceptances.number();
        Ok(Some(Self { listener, tls, governed, gossip_interval: table.gossip_interval, accepted, log }))
    }

    pub(super) fn governed(&self) -> Arc<Governed> {
        Arc::clone(&self.governed)
    }

    /// Serves the native surface, gossips and keeps the journal. Returns when other members were asked for our past.
    pub(super) async fn serve(self, config: &Config, node: &Arc<Node>, metrics: &Arc<Metrics>, shutdown: &Shutdown) {
        let limits = api::Limits { body: usize::try_from(config.limits.max_body).unwrap_or(usize::MAX), ..api::Limits::peer() };
        let router = observe(api::native_router(Arc::clone(node), limits), "native", metrics);
        let changes = self.governed.live().changes();
        if let Some(accepted) = &self.accepted {
            node.note_acceptance(accepted.number, &accepted.actor, &accepted.reason).await;
        }
        // Threat: an order came while this node was away, and it serves before it knows.
        let (asked, _) = tokio::join!(
            tokio::time::timeout(ASK_PATIENCE, node.ask_for_our_past()),
            tokio::time::timeout(ASK_PATIENCE, node.ask_for_stops())
        );
        if asked.unwrap_or(0) == 0 {
            tracing::warn!("no member answered what it saw of this node's log: it is asked for again with each checkpoint");
        }
        if self.governed.halted().is_none() && node.needs_replay(self.log).await.unwrap_or(true) {
            self.governed.halt(Some("erasures are replayed after a restore".into()));
            net::native::serve(self.listener, self.tls, router, changes, shutdown);
            replay(node, &self.governed, self.log, shutdown).await;
        } else {
            net::native::serve(self.listener, self.tls, router, changes, shutdown);
        }
        let stop = shutdown.clone();
        let (gossiping, keeping, erasing) = (Arc::clone(node), Arc::clone(node), Arc::clone(node));
        let (documents, supervising, interval) = (Arc::clone(node), Arc::clone(node), self.gossip_interval);
        let relaying = Arc::clone(node);
        tokio::spawn(async move {
            tokio::select! {
                () = stop.begun() => {}
                () = gossiping.gossip(interval) => {}
                () = keeping.keep_journal() => {}
                () = erasing.keep_erasures() => {}
                () = documents.keep_documents() => {}
                () = relaying.keep_ceremonies(interval) => {}
                () = supervising.keep_supervision(interval) => {}
            }
        });
    }
}

/// After a restore: nothing is served before every other member has told what was erased since. Others may ask us meanwhile: they may
/// have been put back, too.
async fn replay(node: &Arc<Node>, governed: &Arc<Governed>, log: u64, shutdown: &Shutdown) {
    loop {
        match node.replay_erasures(log).await {
            Ok(_) => return governed.halt(None),
            Err(error) => {
                tracing::error!(%error, code = %error.code(), "this node does not serve yet");
                governed.halt(Some(error.to_string()));
            }
        }
        tokio::select! {
            () = shutdown.begun() => return,
            () = tokio::time::sleep(REPLAY_AGAIN) => {}
        }
    }
}

/// The directory must say of us what we are: else every other member refuses us, and nobody here would know why.
fn check_identity(
    charter: &Charter,
    table: &config::Governance,
    enclave: &Arc<dyn Enclave>,
    tls: &NativeTls,
) -> Result<(), StartError> {
    let key = enclave.verify_key().ok_or(StartError::NoSigningKey)?;
    let Some(member) = charter.members().by_id(&table.member) else {
        tracing::warn!(member = %table.member, version = charter.version(), "the directory does not name this node yet: it takes documents and sends nothing");
        return Ok(());
    };
    let differs = |what: &'static str, ours: String| StartError::NotAsListed { member: table.member.clone(), what, ours };
    if member.signing_key != Some(key) {
        return Err(differs("signing key", key.to_string()));
    }
    if member.tls_pin.map(|pin| *pin.as_bytes()) != Some(tls.pin()) {
        return Err(differs("TLS pin", TlsPin::new(tls.pin()).to_string()));
    }
    if let Some(address) = enclave.addresses().iter().find(|address| !member.addresses.contains(address)) {
        tracing::warn!(%address, "the directory does not list this key of ours: nothing can be sent with it");
    }
    Ok(())
}

async fn bind(config: &Config) -> Result<Listener, StartError> {
    let server = config.servers_of(Surface::Native).next().ok_or(StartError::NoSurface(Surface::Native))?;
    let Listen::Tcp(place) = server.listen() else { return Err(StartError::NoSurface(Surface::Native)) };
    Ok(Listener::bind(&net::Endpoint::Tcp { host: place.host, port: place.port }, None).await?)
}
