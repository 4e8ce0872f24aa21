//! The journal at work: rows put into the log, checkpoints shown to witnesses, our own past asked of those who saw it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream;

use super::governed::{Governed, native_address};
use super::happening::{Happening, Kind};
use super::native::path;
use super::records::now;
use super::told::Matter;
use super::{Error, NativeAddress, Node, PeerError};
use crate::crypto::sign::{Signature, VerifyKey};
use crate::enclave::Enclave;
use crate::governance::{Charter, Role};
use crate::journal::{
    Cause, Cosigned, JournalError, Published, Refused, Sequencer, Signer, Source, Verdict, Witness as Witnesses, judge,
};
use crate::store::Store;
use crate::translog::checkpoint::origin;
use crate::translog::commitment::Commitment;
use crate::translog::cosignature;
use crate::translog::hash::Hash;
use crate::translog::note::{Note, NoteKey};
use crate::types::{Coded as _, MemberId, NetworkId};
use crate::wire::native::{Message as _, Seen, Witness, Witnessed};

/// How often new rows are put into the log.
const SEQUENCE: Duration = Duration::from_millis(800);
/// How often, in turns of it, witnesses are asked while there is something new.
const ASK_EVERY: u32 = 6;
/// How often the reads of the node are journalled as a number, in turns.
const READS_EVERY: u32 = 4_500;
/// Witnesses of one log. More make a rollback no easier to see, only dearer.
const WITNESSES: usize = 3;
/// Members asked at once for our past.
const PARALLEL: usize = 16;
const BUDGET: Duration = Duration::from_secs(3);
/// Logs of one member that are witnessed, one after the other: a file each.
const MAX_LOGS: u64 = 1_000;

/// The log of this node, and what it saw of others'.
pub struct Chronicle {
    sequencer: Sequencer,
    cosigned: Cosigned,
    witness: Witnesses,
}

/// The rows of the store.
struct Rows(Arc<dyn Store>);

#[async_trait]
impl Source for Rows {
    async fn size(&self) -> Result<u64, Cause> {
        Ok(self.0.journal_size().await?)
    }

    async fn commitments(&self, from: u64, limit: usize) -> Result<Vec<Commitment>, Cause> {
        Ok(self.0.journal(from, limit).await?.into_iter().map(|row| row.commitment).collect())
    }
}

/// The enclave's signing key.
struct Signing(Arc<dyn Enclave>, VerifyKey);

#[async_trait]
impl Signer for Signing {
    async fn sign(&self, message: &[u8]) -> Result<Signature, Cause> {
        Ok(self.0.sign(message.to_vec()).await?)
    }

    fn verify_key(&self) -> VerifyKey {
        self.1
    }
}

/// The name of a member's log. A log that was put back and accepted as such goes on as another one, in the open: `number` counts them from 1.
pub fn log_name(network: &NetworkId, member: &MemberId, number: u64) -> String {
    let first = origin(network, member);
    if number <= 1 { first } else { format!("{first}/{number}") }
}

impl Chronicle {
    /// Opens the log and what we witnessed. Fails where the log is older than the rows of the store say, or another.
    pub async fn open(
        log: &Path,
        witnessed: &Path,
        name: String,
        witness_name: String,
        store: Arc<dyn Store>,
        enclave: Arc<dyn Enclave>,
    ) -> Result<Self, JournalError> {
        let key = enclave.verify_key().ok_or_else(|| JournalError::Signer("the enclave has no signing key".into()))?;
        let signer: Arc<dyn Signer> = Arc::new(Signing(enclave, key));
        let sequencer = Sequencer::open(log, name, Arc::new(Rows(store)), Arc::clone(&signer)).await?;
        let cosigned = Cosigned::open(log, sequencer.key().clone(), 1)?;
        let witness = Witnesses::open(witnessed, witness_name, signer)?;
        Ok(Self { sequencer, cosigned, witness })
    }

    /// Name and key of our log.
    pub fn key(&self) -> &NoteKey {
        self.sequencer.key()
    }

    /// Our newest checkpoint.
    pub fn published(&self) -> Option<Arc<Published>> {
        self.sequencer.published()
    }

    /// Our newest checkpoint that witnesses have cosigned.
    pub async fn cosigned(&self) -> Option<Note> {
        self.cosigned.newest().await
    }

    /// What we last cosigned of a log.
    fn seen(&self, log: &NoteKey) -> Result<Witnessed, Error> {
        let seen = self.witness.seen(log).map_err(Error::Journal)?;
        let (size, newest) = seen.map_or((0, None), |(checkpoint, note)| (checkpoint.size, Some(note.to_string())));
        Ok(Witnessed { cosignature: None, newest, size, refused: None })
    }

    /// The files of the log.
    pub fn log(&self) -> &crate::journal::Log {
        self.sequencer.log()
    }
}

impl Governed {
    /// A log's name and key, if it is one of the member's.
    fn log_of(&self, member: &MemberId, name: &str) -> Result<NoteKey, Error> {
        let foreign = || Error::Message("a log of another name than the caller's");
        let rest = name.strip_prefix(&log_name(&self.network, member, 1)).ok_or_else(foreign)?;
        let number = if rest.is_empty() { Some(1) } else { rest.strip_prefix('/').and_then(|number| number.parse().ok()) };
        if number.is_none_or(|number| number > MAX_LOGS || log_name(&self.network, member, number) != name) {
            return Err(foreign());
        }
        let key = self.charter().members().by_id(member).and_then(|member| member.signing_key);
        Ok(NoteKey { name: name.to_owned(), key: key.ok_or_else(|| Error::NotAMember(member.clone()))? })
    }
}

impl Node {
    /// The journal, where there is one.
    pub fn chronicle(&self) -> Result<&Arc<Chronicle>, Error> {
        self.needs_governance()?.chronicle().ok_or(Error::NotGoverned)
    }

    /// Journals that operators accepted that this node was put back, and that another log begins.
    pub async fn note_acceptance(&self, number: u64, actor: &str, reason: &str) {
        let event =
            Happening::now(Kind::Act).actor(actor, "operator").version(number).text(reason).details("accept-rollback".into());
        self.note(event.event()).await;
    }

    /// Journals an act of a person, allowed or refused.
    pub async fn note_act(&self, actor: &str, role: &str, act: &str, outcome: &str, details: serde_json::Value) {
        let details = serde_json::json!({ "act": act, "outcome": outcome, "with": details });
        self.note(Happening::now(Kind::Act).actor(actor, role).details(details).event()).await;
    }

    /// Puts rows into the log and asks witnesses, until it is dropped.
    pub async fn keep_journal(self: Arc<Self>) {
        let Some(governed) = self.governed.clone() else { return };
        let Some(chronicle) = governed.chronicle().cloned() else { return };
        let (mut turn, mut unseen, mut reads) = (0_u32, false, 0);
        loop {
            tokio::time::sleep(SEQUENCE).await;
            turn = turn.wrapping_add(1);
            if turn.is_multiple_of(READS_EVERY) {
                reads = self.note_reads(reads).await;
            }
            match self.sequence(&chronicle).await {
                Ok(news) => unseen |= news,
                Err(error) => {
                    tracing::error!(%error, code = %error.code(), "the journal does not go on");
                    // A full disk or an enclave that restarts passes; a past that does not fit does not.
                    let passes = matches!(error, JournalError::Io { .. } | JournalError::Signer(_) | JournalError::Source(_));
                    if !passes {
                        governed.halt(Some(error.to_string()));
                    }
                }
            }
            if unseen && turn.is_multiple_of(ASK_EVERY) {
                unseen = false;
                self.ask_witnesses(&governed, &chronicle).await;
            }
        }
    }

    /// Puts what is new into the log; true if there is a new checkpoint.
    pub async fn sequence(&self, chronicle: &Chronicle) -> Result<bool, JournalError> {
        let keys = self.punctures().await;
        let Some(published) = chronicle.sequencer.advance(keys).await? else { return Ok(false) };
        chronicle.cosigned.expect(&published).await;
        Ok(true)
    }

    /// Punctures of the key trees; `None` while the enclave does not answer.
    async fn punctures(&self) -> Option<u64> {
        self.enclave.punctures().await.ok()
    }

    async fn note_reads(&self, before: u64) -> u64 {
        let total = self.counters.received.value();
        if total > before {
            self.note(Happening::now(Kind::Reads).surface("node").count(total - before).event()).await;
        }
        total
    }

    async fn ask_witnesses(&self, governed: &Arc<Governed>, chronicle: &Arc<Chronicle>) {
        let charter = governed.charter();
        let Some(published) = chronicle.published() else { return };
        for (member, to) in witnesses(&charter, &governed.me) {
            if let Err(error) = self.ask_witness(governed, chronicle, &charter, &published, &member, &to).await {
                tracing::info!(%member, code = %error.code(), "a witness did not cosign");
            }
        }
    }

    /// Shows a witness our checkpoint. It says from which size the proof must lead, so at most twice.
    async fn ask_witness(
        &self,
        governed: &Governed,
        chronicle: &Chronicle,
        charter: &Charter,
        published: &Published,
        member: &MemberId,
        to: &NativeAddress,
    ) -> Result<(), Error> {
        let key = charter.members().by_id(member).and_then(|member| member.signing_key);
        let key = key.ok_or_else(|| Error::NotAMember(member.clone()))?;
        let size = published.checkpoint.size;
        let mut from = governed.witnessed_size(member);
        for _ in 0..2 {
            let proof = chronicle.log().consistency(from.min(size), size).map_err(Error::Journal)?;
            let asked = Witness {
                log: chronicle.key().name.clone(),
                checkpoint: published.note.to_string(),
                from,
                proof: proof.concat().into(),
            };
            let answer = governed.peers.call(to, path::WITNESS, asked.to_bytes().into(), BUDGET).await?;
            let answer = Witnessed::from_bytes(&answer).map_err(|_| PeerError::Malformed(to.endpoint.clone()))?;
            governed.remember_witnessed(member, answer.size);
            if let Some(shown) = &answer.newest {
                self.judge_past(governed, chronicle, shown, member).await;
            }
            if let Some(line) = answer.cosignature {
                let line = line.parse().map_err(|_| PeerError::Malformed(to.endpoint.clone()))?;
                let witness = cosignature::Witness { name: log_name(&governed.network, member, 1), key };
                chronicle.cosigned.add(&witness, line).await.map_err(Error::Journal)?;
                return Ok(());
            }
            if answer.size == from {
                break;
            }
            from = answer.size;
        }
        Ok(())
    }

    /// Cosigns a checkpoint of a member's log, or says why not and what it cosigned before.
    pub async fn witness(&self, from: &MemberId, asked: &Witness) -> Result<Witnessed, Error> {
        let (governed, chronicle) = (self.needs_governance()?, self.chronicle()?);
        let log = governed.log_of(from, &asked.log)?;
        let note = Note::parse(&asked.checkpoint).map_err(|_| Error::Message("not a signed checkpoint"))?;
        let (proof, rest) = asked.proof.as_chunks::<32>();
        if !rest.is_empty() {
            return Err(Error::Message("a proof that is not made of hashes"));
        }
        let proof: Vec<Hash> = proof.to_vec();
        let is_new = chronicle.witness.seen(&log).map_err(Error::Journal)?.is_none();
        match chronicle.witness.consider(&log, &note, &proof, now() / 1000).await {
            Ok(line) => {
                // Threat: names of logs that never were. Told is what the member's key signed, and from now on the log is not new.
                if is_new && asked.log != log_name(&governed.network, from, 1) {
                    tracing::warn!(member = %from, log = asked.log, "a member begins another log: it was put back, and its operators accepted that");
                    self.note(Happening::now(Kind::Refused).member(from).text("began another log").event()).await;
                }
                Ok(Witnessed { cosignature: Some(line.to_string()), ..chronicle.seen(&log)? })
            }
            Err(refused) => {
                if matches!(refused, Refused::Rollback { .. } | Refused::Fork { .. })
                    && governed.told.is_news(Matter::Log, from.as_str(), &[asked.checkpoint.as_bytes()])
                {
                    let code = refused.code();
                    tracing::error!(member = %from, %code, %refused, "a member's log was not cosigned");
                    self.notice(code, Some(from), "this member's log contradicts what was seen of it before");
                    let event = Happening::now(Kind::Refused).member(from).code(code).text(&refused.to_string()).event();
                    self.note(event).await;
                }
                Ok(Witnessed { refused: Some(refused.to_string()), ..chronicle.seen(&log)? })
            }
        }
    }

    /// What we last cosigned of the caller's log.
    pub fn witnessed(&self, from: &MemberId, asked: &Seen) -> Result<Witnessed, Error> {
        let log = self.needs_governance()?.log_of(from, &asked.log)?;
        self.chronicle()?.seen(&log)
    }

    /// Asks every member what it saw of our log; the number of those that answered. A log that is older than what was seen halts the node.
    pub async fn ask_for_our_past(&self) -> usize {
        let Some(governed) = &self.governed else { return 0 };
        let Some(chronicle) = governed.chronicle() else { return 0 };
        let charter = governed.charter();
        let others: Vec<_> =
            charter.members().all().iter().filter(|member| member.id != governed.me && member.is_active()).collect();
        let asked = Bytes::from(Seen { log: chronicle.key().name.clone() }.to_bytes());
        let calls: Vec<_> = others
            .into_iter()
            .filter_map(native_address)
            .map(|to| {
                let asked = asked.clone();
                async move {
                    let answer = governed.peers.call(&to, path::WITNESSED, asked, BUDGET).await.ok()?;
                    Some((to.member, Witnessed::from_bytes(&answer).ok()?))
                }
            })
            .collect();
        let mut answers = stream::iter(calls).buffer_unordered(PARALLEL);
        let mut answered = 0;
        while let Some(answer) = answers.next().await {
            let Some((member, seen)) = answer else { continue };
            answered += 1;
            governed.remember_witnessed(&member, seen.size);
            if let Some(shown) = seen.newest {
                self.judge_past(governed, chronicle, &shown, &member).await;
            }
        }
        answered
    }

    /// Judges our log by a checkpoint of it that a witness shows.
    async fn judge_past(&self, governed: &Governed, chronicle: &Chronicle, shown: &str, witness: &MemberId) {
        let Ok(note) = Note::parse(shown) else { return };
        let keys = self.punctures().await;
        let published = chronicle.published();
        let ours = published.as_ref().map(|published| &published.checkpoint);
        match judge(chronicle.key(), ours, keys, chronicle.log(), &note) {
            Ok(Verdict::Fine) => {}
            Ok(verdict) => {
                if let Err(error) = verdict.refuse()
                    && governed.halted().is_none()
                {
                    let reason = format!("{error}; {witness} has seen it");
                    tracing::error!(code = %error.code(), %witness, reason, "this node was put back and refuses to serve");
                    governed.halt(Some(reason));
                }
            }
            // A checkpoint that we did not sign is no reason to stop.
            Err(error) => tracing::warn!(%witness, %error, "a witness shows a checkpoint that is not ours"),
        }
    }
}

/// The witnesses of a member: those with the role first, chosen by a hash of both names, so that everybody has some and nobody all.
fn witnesses(charter: &Charter, me: &MemberId) -> Vec<(MemberId, NativeAddress)> {
    let others = charter.members().all().iter().filter(|member| member.id != *me && member.is_active());
    let mut ranked: Vec<_> = others
        .filter_map(|member| {
            let rank = crate::crypto::hash::sha256(&[me.as_str().as_bytes(), b"/", member.id.as_str().as_bytes()]);
            Some((!member.has_role(Role::Witness), rank, member.id.clone(), native_address(member)?))
        })
        .collect();
    ranked.sort_by_key(|(is_other, rank, ..)| (*is_other, *rank));
    ranked.into_iter().take(WITNESSES).map(|(_, _, id, address)| (id, address)).collect()
}
