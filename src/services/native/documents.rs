//! How directory and policy travel, and how everybody learns who has them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use rand_below::below;

use super::{NativeAddress, path, short};
use crate::directory::gossip::Next;
use crate::governance::{Accepted, Delta, State};
use crate::services::governed::{Governed, clock, listeners, native_address};
use crate::services::happening::{Happening, Kind};
use crate::services::records::now;
use crate::services::told::Matter;
use crate::services::{Error, Node};
use crate::translog::note::Note;
use crate::types::{Coded as _, MemberId};
use crate::wire::native::{Documents, DocumentsAfter, MAX_NOTES, Message as _, Standing};

/// Pause between rounds of news.
const NEWS: Duration = Duration::from_millis(250);
/// One exchange.
const BUDGET: Duration = Duration::from_secs(3);
/// Documents of a whole network.
const FETCH_BUDGET: Duration = Duration::from_secs(20);
/// Clocks further apart than this are told of.
const SKEW_MILLIS: u64 = 600_000;

mod rand_below {
    use crate::crypto::random;

    /// A random number below `bound`; 0 if that is 0. The bias of a remainder of 64 bits is below notice.
    pub(super) fn below(bound: usize) -> usize {
        let wide = u64::from_le_bytes(random());
        usize::try_from(wide % (bound.max(1) as u64)).unwrap_or_default()
    }
}

/// How far a network is on its newest version, as this node knows it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct GovernanceStatus {
    /// The network's id.
    pub network: crate::types::NetworkId,
    /// Who we are.
    pub member: MemberId,
    /// Our state in the directory; absent if it does not name us.
    pub state: Option<State>,
    /// The version that we are on.
    pub version: u64,
    /// Version of the directory in force.
    pub directory: u64,
    /// Version of the policy in force.
    pub policy: u64,
    /// Members that are not known to be on our version.
    pub behind: usize,
    /// Every member that runs a Celosia.
    pub members: Vec<MemberStatus>,
}

/// Where one member stands.
#[derive(Clone, Debug, serde::Serialize)]
pub struct MemberStatus {
    /// Who.
    pub id: MemberId,
    /// Its state in the directory.
    pub state: Option<State>,
    /// The version that it was last known to be on; 0 if nothing was heard.
    pub version: u64,
    /// Whether anything was heard of it.
    pub seen: bool,
}

impl Node {
    /// Takes a document, from whoever brings it: its signatures decide.
    pub async fn publish(self: &Arc<Self>, note: Note, actor: &str) -> Result<Accepted, Error> {
        let governed = Arc::clone(self.needs_governance()?);
        let live = Arc::clone(&governed.live);
        let before = governed.charter().directory().cloned();
        let shown = note.clone();
        let taken = tokio::task::spawn_blocking(move || live.take(&shown, clock())).await;
        let accepted = match taken.map_err(|_| Error::Disk("the work was cut off".into()))? {
            Ok(accepted) => accepted,
            Err(error) => {
                let code = error.code();
                // Threat: rows for texts that anybody can make up. What no governor signed gets a line in the log.
                let is_signed = governed.charter().is_signed_by_any(&note);
                let matter = if is_signed { Matter::Document } else { Matter::Text };
                if !governed.told.is_news(matter, actor, &[note.text().as_bytes()]) {
                    return Err(error.into());
                }
                tracing::warn!(%code, %error, actor, "a document was refused");
                if is_signed {
                    let event =
                        Happening::now(Kind::Refused).actor(actor, "document").code(code).text(&error.to_string()).event();
                    self.note(event).await;
                }
                return Err(error.into());
            }
        };
        if let Accepted::New { ignored } = &accepted {
            let charter = governed.charter();
            let (head, hash) = charter.newest();
            let replaced = before.filter(|before| charter.directory().is_some_and(|now| now.hash != before.hash));
            if let Some(directory) = replaced {
                governed.remember(directory);
            }
            governed.gossip().adopt(head.version, short(&hash), listeners(&charter), true);
            governed.cut(&charter);
            governed.news.notify_one();
            tracing::info!(version = head.version, actor, ignored = ignored.len(), "a document is in force");
            self.note(
                Happening::now(Kind::Document).version(head.version).text(&hash.to_string()).actor(actor, "document").event(),
            )
            .await;
        }
        Ok(accepted)
    }

    /// Documents after a version, with the newest directory as a change where the caller has its ground.
    pub fn documents(&self, asked: DocumentsAfter) -> Result<Documents, Error> {
        let charter = self.needs_governance()?.charter();
        let notes: Vec<String> = charter.after(asked.version).into_iter().map(ToString::to_string).collect();
        let delta = charter.directory().and_then(|newest| {
            let ground = self.needs_governance().ok()?.ground(asked.directory)?;
            (newest.content.head.version > asked.version).then(|| Delta::between(&ground, newest).encode())
        });
        let Some(delta) = delta else { return Ok(Documents { notes, delta: None }) };
        let directory = charter.directory().map(|newest| newest.note.to_string());
        let notes: Vec<String> = notes.into_iter().filter(|note| Some(note) != directory.as_ref()).collect();
        Ok(Documents { notes, delta: Some(delta.into()) })
    }

    /// The first of them that one message holds; the caller asks again after these. A change to the newest directory goes with the last.
    pub fn few_documents(&self, asked: DocumentsAfter) -> Result<Documents, Error> {
        let all = self.documents(asked)?;
        if all.notes.len() <= MAX_NOTES {
            return Ok(all);
        }
        let charter = self.needs_governance()?.charter();
        let notes = charter.after(asked.version).into_iter().take(MAX_NOTES).map(ToString::to_string).collect();
        Ok(Documents { notes, delta: None })
    }

    /// Our signed epoch key.
    pub async fn native_epoch(&self) -> Result<Vec<u8>, Error> {
        self.needs_governance()?;
        Ok(self.enclave.epoch_key().await?.encode())
    }

    /// Answers a member that says where it stands; asks it for what we lack.
    pub fn native_standing(self: &Arc<Self>, from: &MemberId, said: &Standing) -> Result<Standing, Error> {
        let governed = self.needs_governance()?;
        self.heard(governed, from, said);
        let answer = governed.gossip().standing(now(), true);
        Ok(answer)
    }

    fn heard(self: &Arc<Self>, governed: &Arc<Governed>, from: &MemberId, said: &Standing) {
        let apart = now().abs_diff(said.clock);
        if apart > SKEW_MILLIS && governed.told.is_due(Matter::Clock, from.as_str()) {
            tracing::warn!(member = %from, seconds = apart / 1000, code = "CEL3206", "the clocks of this node and of a member differ: set them (NTP)");
        }
        let next = governed.gossip().heard(from, said);
        match next {
            Next::Rest => {}
            // Hearsay: nobody has shown two signed documents. It is told as what it is.
            Next::Fork => {
                let what = [&said.version.to_be_bytes()[..], &said.hash.to_be_bytes()[..]];
                if !governed.told.is_news(Matter::Fork, from.as_str(), &what) {
                    return;
                }
                tracing::error!(member = %from, version = said.version, "a member says that it has another document of our version: compare the two, and who signed them");
                let (node, from, version) = (Arc::clone(self), from.clone(), said.version);
                tokio::spawn(async move {
                    let fork = Happening::now(Kind::Refused)
                        .member(&from)
                        .version(version)
                        .text("says that it has another document of this version");
                    node.note(fork.event()).await;
                });
            }
            Next::Fetch => {
                let charter = governed.charter();
                let Some(to) = charter.members().by_id(from).and_then(native_address) else { return };
                let (node, governed) = (Arc::clone(self), Arc::clone(governed));
                if governed.begin_fetch(&to.member) {
                    tokio::spawn(async move {
                        node.fetch_documents(&governed, &to).await;
                        governed.fetched(&to.member);
                    });
                }
            }
        }
    }

    /// Asks a member for the documents that we lack.
    pub(crate) async fn fetch_documents(self: &Arc<Self>, governed: &Arc<Governed>, from: &NativeAddress) {
        while self.fetch_some(governed, from).await {}
    }

    /// One message of them; whether there may be more.
    async fn fetch_some(self: &Arc<Self>, governed: &Arc<Governed>, from: &NativeAddress) -> bool {
        let charter = governed.charter();
        let directory = charter.directory().map_or(0, |signed| signed.content.head.version);
        let asked = DocumentsAfter { version: charter.version(), directory };
        let answer = match governed.peers.call(from, path::DOCUMENTS, Bytes::from(asked.to_bytes()), FETCH_BUDGET).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::info!(member = %from.member, error = error.without_words(), "documents could not be fetched");
                return false;
            }
        };
        let Ok(documents) = Documents::from_bytes(&answer) else {
            tracing::warn!(member = %from.member, "an answer with documents does not decode");
            return false;
        };
        let is_full = documents.notes.len() == MAX_NOTES;
        self.take_documents(governed, &from.member, documents).await;
        is_full && governed.charter().version() > charter.version()
    }

    /// Documents that a member brings us: we may be one that is not let in to ask.
    pub async fn native_take(self: &Arc<Self>, from: &MemberId, documents: Documents) -> Result<(), Error> {
        let governed = Arc::clone(self.needs_governance()?);
        self.take_documents(&governed, from, documents).await;
        Ok(())
    }

    async fn take_documents(self: &Arc<Self>, governed: &Arc<Governed>, from: &MemberId, documents: Documents) {
        let actor = from.as_str();
        for text in documents.notes {
            if let Ok(note) = Note::parse(&text) {
                // The reason of a refusal is in the log and in the journal.
                let _ = self.publish(note, actor).await;
            }
        }
        let Some(delta) = documents.delta else { return };
        let charter = governed.charter();
        let applied = Delta::decode(&delta).and_then(|delta| match charter.directory() {
            Some(ours) => delta.apply(ours),
            None => Err(crate::governance::DeltaError::Target),
        });
        match applied {
            Ok(note) => drop(self.publish(note, actor).await),
            Err(error) if governed.told.is_news(Matter::Text, actor, &[delta.as_slice()]) => {
                tracing::warn!(member = %from, %error, "a change of the directory cannot be applied");
            }
            Err(_) => {}
        }
    }

    /// Gossips until it is dropped: at once while there is news, else at every interval.
    pub async fn gossip(self: Arc<Self>, interval: Duration) {
        let Some(governed) = self.governed.clone() else { return };
        loop {
            let has_news = governed.gossip().has_news();
            let pause = if has_news { NEWS } else { interval };
            let _ = tokio::time::timeout(pause, governed.news.notified()).await;
            let targets = governed.gossip().targets(below);
            let charter = governed.charter();
            let calls = targets.iter().filter_map(|member| charter.members().by_id(member).and_then(native_address));
            join_all(calls.map(|to| self.exchange(&governed, to))).await;
        }
    }

    async fn exchange(self: &Arc<Self>, governed: &Arc<Governed>, to: NativeAddress) {
        let said = governed.gossip().standing(now(), true);
        match governed.peers.call(&to, path::STANDING, said.to_bytes().into(), BUDGET).await {
            Ok(answer) => match Standing::from_bytes(&answer) {
                Ok(said) => {
                    self.heard(governed, &to.member, &said);
                    self.bring(governed, &to, said.version).await;
                }
                Err(_) => tracing::debug!(member = %to.member, "a standing does not decode"),
            },
            Err(error) => tracing::debug!(member = %to.member, error = error.without_words(), "a member does not gossip"),
        }
    }

    /// Brings documents to a member that is behind and not let in to ask for them: a suspended one.
    async fn bring(&self, governed: &Arc<Governed>, to: &NativeAddress, version: u64) {
        let charter = governed.charter();
        let may_ask = charter.members().by_id(&to.member).is_some_and(crate::governance::Member::is_active);
        if may_ask || version >= charter.version() {
            return;
        }
        let Ok(documents) = self.few_documents(DocumentsAfter { version, directory: 0 }) else { return };
        if let Err(error) = governed.peers.call(to, path::TAKE, documents.to_bytes().into(), FETCH_BUDGET).await {
            tracing::debug!(member = %to.member, error = error.without_words(), "a suspended member does not take documents");
        }
    }

    /// How far the network is on our version.
    pub fn governance_status(&self) -> Result<GovernanceStatus, Error> {
        let governed = self.needs_governance()?;
        let charter = governed.charter();
        let state = |id: &MemberId| charter.members().by_id(id).map(|member| member.state);
        let gossip = governed.gossip();
        let members = gossip
            .versions()
            .map(|(id, version)| MemberStatus { id: id.clone(), state: state(id), version, seen: version > 0 })
            .collect();
        Ok(GovernanceStatus {
            network: governed.network,
            member: governed.me.clone(),
            state: state(&governed.me),
            version: charter.version(),
            directory: charter.members().version(),
            policy: charter.policy_version(),
            behind: gossip.behind(),
            members,
        })
    }
}
