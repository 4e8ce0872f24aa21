//! The offline verification of a certificate.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::HEXLOWER;
use jiff::Timestamp;

use super::{Certificate, CertificateError, Entry, Evidence, OUTSIDE, Shown};
use crate::crypto::sign::VerifyKey;
use crate::erasure::{Answer, HolderKind, Level, SignedErasureReceipt, SignedOrder, answer_due};
use crate::governance::{Charter, Members, Software};
use crate::translog::checkpoint::{Checkpoint, origin};
use crate::translog::commitment::commit;
use crate::translog::note::NoteKey;
use crate::translog::proof::Proof;
use crate::types::{ItemId, MemberId, NetworkId};

/// Kinds of scopes.
const SCOPES: [&str; 6] = ["items", "subject", "purpose", "contract", "key", "class"];

/// What a certificate proves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checked {
    /// What it says.
    pub certificate: Certificate,
    /// Legal name of its controller.
    pub controller: String,
    /// Each holder, as its receipts have it.
    pub holders: Vec<CheckedHolder>,
    /// What the signed headers show of who was addressed.
    pub shown: Shown,
}

/// What a holder's receipts say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CheckedHolder {
    /// Who.
    pub member: MemberId,
    /// Its legal name in the directory.
    pub legal_name: String,
    /// What it runs.
    pub kind: HolderKind,
    /// Items of its orders.
    pub items: u64,
    /// How many items got which answer, in words.
    pub answers: BTreeMap<String, u64>,
    /// Lowest level among what is erased.
    pub level: Option<Level>,
    /// Until when a backup and the root together could open it.
    pub recoverable_until: Option<u64>,
    /// Orders that were not answered.
    pub unanswered: usize,
    /// Orders whose receipt is proved to be in the holder's journal.
    pub in_journal: usize,
    /// Orders whose receipt is signed, and not proved to be there.
    pub unproved: usize,
    /// When it last answered; 0: never.
    pub heard: u64,
    /// What keeps its root, and what that said of the old root's destruction.
    pub root: String,
}

impl CheckedHolder {
    /// Whether nothing more is to come of it.
    pub fn is_final(&self, all_final: bool) -> bool {
        self.kind == HolderKind::Tessera || (self.unanswered == 0 && all_final)
    }
}

impl Certificate {
    /// Verifies a file: every signature, every order, every receipt, every proof. `network`, where it is known, must be its network: it
    /// is the anchor of everything else.
    pub fn check(file: &str, network: Option<&NetworkId>) -> Result<Checked, CertificateError> {
        let (certificate, body, signature) = Self::read(file)?;
        if network.is_some_and(|network| *network != certificate.network) {
            return Err(CertificateError::Network(certificate.network));
        }
        let charter = certificate.charter()?;
        let members = charter.members();
        let statement = Self::statement(&certificate.network, body);
        let keys = keys_of(&charter, &certificate.controller, certificate.issued)?;
        if !keys.iter().any(|key| key.verify(&statement, &signature).is_ok()) {
            return Err(CertificateError::Unsigned(certificate.controller.clone()));
        }
        certificate.check_frame(members)?;
        let (mut holders, mut of_holders) = (Vec::with_capacity(certificate.holders.len()), BTreeMap::new());
        for entry in &certificate.holders {
            let (holder, all_final, items) = certificate.check_holder(&charter, entry)?;
            let is_proved = entry.kind == HolderKind::Tessera || holder.in_journal == entry.orders.len();
            if certificate.complete && !(holder.is_final(all_final) && is_proved) {
                return Err(CertificateError::Incomplete(entry.member.clone()));
            }
            of_holders.insert(&entry.member, items);
            holders.push(holder);
        }
        certificate.check_items(&of_holders)?;
        let shown = certificate.check_addressed(&charter, &of_holders)?;
        let controller = name_of(members, &certificate.controller);
        Ok(Checked { certificate, controller, holders, shown })
    }

    /// The charter of its documents: a chain from the network's beginning, whose digest is the network's id.
    fn charter(&self) -> Result<Charter, CertificateError> {
        let refused = |error: &dyn std::fmt::Display| CertificateError::Charter(error.to_string());
        let issued = i64::try_from(self.issued).ok().and_then(|at| Timestamp::from_millisecond(at).ok());
        let issued = issued.ok_or_else(|| refused(&"its date is none"))?;
        let charter = Charter::of_documents(&self.documents, issued).map_err(|error| refused(&error))?;
        if charter.network() != self.network {
            return Err(CertificateError::Charter("its first document is of another network".into()));
        }
        Ok(charter)
    }

    /// What must be so of every certificate, whatever its receipts say. The controller has every item: its own orders name them all.
    ///
    /// Threat: a controller that signs less than there is: a holder called a Tessera, one without orders, itself left out, nothing said of
    /// what is outside its reach. One that it leaves out altogether is seen where the audience is shown ([`super::addressed`]).
    fn check_frame(&self, members: &Members) -> Result<(), CertificateError> {
        let form = |why: String| Err(CertificateError::Form(why));
        if !SCOPES.contains(&self.scope.as_str()) {
            return form("its scope is of no kind".into());
        }
        if ![false, true].map(|extended| answer_due(self.requested, extended)).contains(&self.due) {
            return form("its due date is not that of art. 12(3)".into());
        }
        if self.outside != OUTSIDE {
            return form("it does not say what is outside its reach".into());
        }
        let mut seen = BTreeSet::new();
        for entry in &self.holders {
            let is_celosia = members.by_id(&entry.member).is_some_and(|member| member.software == Software::Celosia);
            if !seen.insert(&entry.member) {
                return form(format!("{} is there twice", entry.member));
            }
            if is_celosia != (entry.kind == HolderKind::Celosia) {
                return form(format!("{} does not run what it says", entry.member));
            }
            if entry.items == 0 || (is_celosia && entry.orders.is_empty()) {
                return form(format!("{} has no orders", entry.member));
            }
        }
        if seen.contains(&self.controller) { Ok(()) } else { form("its controller is not among the holders".into()) }
    }

    /// The items of the controller's own orders are the case's, and no holder has another.
    fn check_items(&self, of_holders: &BTreeMap<&MemberId, BTreeSet<ItemId>>) -> Result<(), CertificateError> {
        let none = BTreeSet::new();
        let all = of_holders.get(&self.controller).unwrap_or(&none);
        let is_part = of_holders.values().all(|items| items.is_subset(all));
        if all.len() as u64 == self.items && is_part {
            return Ok(());
        }
        Err(CertificateError::Form("its orders do not name the items that it counts".into()))
    }

    fn check_holder(
        &self,
        charter: &Charter,
        entry: &Entry,
    ) -> Result<(CheckedHolder, bool, BTreeSet<ItemId>), CertificateError> {
        let mut holder = CheckedHolder {
            member: entry.member.clone(),
            legal_name: name_of(charter.members(), &entry.member),
            kind: entry.kind,
            items: entry.items,
            answers: BTreeMap::new(),
            level: None,
            recoverable_until: None,
            unanswered: 0,
            in_journal: 0,
            unproved: 0,
            heard: entry.heard,
            root: String::new(),
        };
        let (mut all_final, mut items, mut named) = (true, 0, BTreeSet::new());
        for (page, evidence) in entry.orders.iter().enumerate() {
            let order = self.check_order(charter, entry, page, evidence)?;
            items += order.order.items.len() as u64;
            named.extend(order.order.items.iter().copied());
            if evidence.receipt.is_empty() {
                (holder.unanswered, all_final) = (holder.unanswered + 1, false);
                *holder.answers.entry("no answer".into()).or_default() += order.order.items.len() as u64;
                continue;
            }
            let receipt = check_receipt(charter, entry, page, evidence, &order)?;
            // Threat: a holder signs, and shows nothing: what its log has of it, if anything, nobody has seen.
            if evidence.proof.is_empty() {
                holder.unproved += 1;
            } else {
                self.check_journal(charter, entry, page, evidence, &receipt)?;
                holder.in_journal += 1;
            }
            all_final &= receipt.receipt.is_final();
            holder.add(&receipt);
        }
        if entry.kind == HolderKind::Celosia && (items != entry.items || named.len() as u64 != items) {
            let why = "its orders do not add up to its items";
            return Err(CertificateError::Order { member: entry.member.clone(), page: entry.orders.len(), why });
        }
        Ok((holder, all_final, named))
    }

    /// With keys of its date: a member may have replaced its own between order, receipt and certificate.
    fn check_order(
        &self,
        charter: &Charter,
        entry: &Entry,
        page: usize,
        evidence: &Evidence,
    ) -> Result<SignedOrder, CertificateError> {
        let wrong = |why| CertificateError::Order { member: entry.member.clone(), page, why };
        let bytes = crate::types::base64(evidence.order.as_bytes()).map_err(|_| wrong("it is not base64"))?;
        let signed = SignedOrder::decode(&bytes).map_err(|_| wrong("it does not decode"))?;
        let order = &signed.order;
        if (order.network, order.case, &order.controller) != (self.network, self.case, &self.controller) {
            return Err(wrong("it is of another case"));
        }
        if order.holder != entry.member || usize::try_from(order.page) != Ok(page) {
            return Err(wrong("it is addressed to somebody else, or stands in another place"));
        }
        let keys = keys_of(charter, &self.controller, order.time)?;
        if !keys.iter().any(|key| signed.verify(key).is_ok()) {
            return Err(wrong("its signature does not verify"));
        }
        Ok(signed)
    }

    fn check_journal(
        &self,
        charter: &Charter,
        entry: &Entry,
        page: usize,
        evidence: &Evidence,
        receipt: &SignedErasureReceipt,
    ) -> Result<(), CertificateError> {
        let wrong = |why: String| CertificateError::Journal { member: entry.member.clone(), page, why };
        let salt = crate::types::base64(evidence.salt.as_bytes()).ok().and_then(|salt| <[u8; 32]>::try_from(salt).ok());
        let salt = salt.ok_or_else(|| wrong("the salt is none".into()))?;
        let proof: Proof =
            evidence.proof.parse().map_err(|error: crate::translog::proof::ProofError| wrong(error.to_string()))?;
        let checkpoint: Result<Checkpoint, _> = proof.checkpoint.text().parse();
        let name = checkpoint.map_err(|error| wrong(error.to_string()))?.origin;
        let first = origin(&self.network, &entry.member);
        let is_theirs = name.strip_prefix(&first).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if !is_theirs {
            return Err(wrong("the proof is of another member's log".into()));
        }
        let commitment = commit(&salt, evidence.record.as_bytes());
        let mut outcome = Err(CertificateError::NoKey(entry.member.clone()));
        for key in keys_of(charter, &entry.member, receipt.receipt.time)? {
            let key = NoteKey { name: name.clone(), key };
            outcome = proof.verify(&key, &commitment).map(drop).map_err(|error| wrong(error.to_string()));
            if outcome.is_ok() {
                break;
            }
        }
        outcome?;
        let record: serde_json::Value =
            serde_json::from_str(&evidence.record).map_err(|_| wrong("the record is no JSON".into()))?;
        let said = record["details"]["receipt"].as_str().unwrap_or_default();
        if record["kind"] != "erasure-receipt" || said != HEXLOWER.encode(&receipt.digest()) {
            return Err(wrong("the record is of something else".into()));
        }
        Ok(())
    }
}

fn check_receipt(
    charter: &Charter,
    entry: &Entry,
    page: usize,
    evidence: &Evidence,
    order: &SignedOrder,
) -> Result<SignedErasureReceipt, CertificateError> {
    let wrong = |why| CertificateError::Receipt { member: entry.member.clone(), page, why };
    let bytes = crate::types::base64(evidence.receipt.as_bytes()).map_err(|_| wrong("it is not base64"))?;
    let signed = SignedErasureReceipt::decode(&bytes).map_err(|_| wrong("it does not decode"))?;
    let receipt = &signed.receipt;
    if receipt.network != order.order.network || receipt.member != entry.member || receipt.order != order.digest() {
        return Err(wrong("it is of another order"));
    }
    if receipt.answers.len() != order.order.items.len() {
        return Err(wrong("it does not answer for every item"));
    }
    let keys = keys_of(charter, &entry.member, receipt.time)?;
    if keys.iter().any(|key| signed.verify(key).is_ok()) { Ok(signed) } else { Err(wrong("its signature does not verify")) }
}

impl CheckedHolder {
    fn add(&mut self, signed: &SignedErasureReceipt) {
        let receipt = &signed.receipt;
        for answer in &receipt.answers {
            let words = match answer {
                Answer::Absent => "was not there, and is not taken".to_owned(),
                Answer::Erased(level) => format!("erased: {level}"),
                Answer::Held { .. } => "held: unreadable until a hold ends, then erased".to_owned(),
                Answer::NotControllers => "not erased: sent by another member".to_owned(),
                Answer::Refused { exception, text, .. } => format!("refused: {exception} ({}): {text}", exception.article()),
            };
            *self.answers.entry(words).or_default() += 1;
        }
        self.level = match (self.level, receipt.level()) {
            (Some(before), Some(now)) => Some(before.min(now)),
            (before, now) => before.or(now),
        };
        self.recoverable_until = self.recoverable_until.max(receipt.recoverable_until);
        self.root = if receipt.word.is_empty() { receipt.root.clone() } else { format!("{}: {}", receipt.root, receipt.word) };
    }
}

/// Keys of a member that something of a time may be signed with.
fn keys_of(charter: &Charter, member: &MemberId, time: u64) -> Result<Vec<VerifyKey>, CertificateError> {
    let keys = charter.signing_keys(member, time);
    if keys.is_empty() { Err(CertificateError::NoKey(member.clone())) } else { Ok(keys) }
}

fn name_of(members: &Members, member: &MemberId) -> String {
    members.by_id(member).map_or_else(String::new, |member| member.legal_name.clone())
}
