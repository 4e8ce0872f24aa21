//! That a view is on record before anything is released: the row of a member's journal, and its place in the log.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::request::GrantId;
use super::{Docket, Refused, SignedVerdict, case_digest};
use crate::governance::Charter;
use crate::translog::checkpoint::{Checkpoint, origin};
use crate::translog::commitment::commit;
use crate::translog::cosignature::Witness;
use crate::translog::note::{Note, NoteKey};
use crate::translog::proof::Proof;
use crate::types::MemberId;

/// The kind of the row.
pub const RECORD_KIND: &str = "disclosure-view";
const FORM: &str = "record of a view";

/// A row of a member's journal, the salt of its commitment, and that it is in the log.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct View {
    /// Whose journal.
    pub member: MemberId,
    /// The row, as it was committed to.
    pub record: String,
    /// The salt, base64.
    pub salt: String,
    /// A C2SP tlog-proof.
    pub proof: String,
}

/// What a record of a view says.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Details {
    /// Which grant.
    pub grant: GrantId,
    /// [`case_digest`], hexadecimal.
    pub case: String,
    /// Which view of the grant, from 1.
    pub view: u32,
    /// Items of the list.
    pub items: u64,
    /// Digests of the approvals, hexadecimal.
    pub approvals: Vec<String>,
    /// When the grant ends, milliseconds since the Unix epoch.
    pub until: u64,
}

#[derive(Deserialize)]
struct Row {
    kind: String,
    at: u64,
    details: Details,
}

/// A view that is on record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CheckedView {
    /// Which view, from 1.
    pub view: u32,
    /// When, milliseconds since the Unix epoch.
    pub at: u64,
    /// Which log.
    pub log: String,
    /// Where in the log, from 0.
    pub index: u64,
    /// Size of the log at the checkpoint.
    pub size: u64,
    /// Other members whose cosignature on the checkpoint verifies.
    pub witnesses: Vec<MemberId>,
}

impl CheckedView {
    /// That so many other members saw the record's log.
    ///
    /// Threat: a holder shows officers a log of its own making, and everybody else another one. A cosigned checkpoint is one that others saw.
    pub fn is_witnessed(&self, by: usize) -> Result<(), Refused> {
        let have = self.witnesses.len();
        if have < by { Err(Refused::NoView(format!("{have} of {by} witnesses cosigned its log"))) } else { Ok(()) }
    }

    /// Its witnesses, for people.
    pub fn witnesses_named(&self) -> String {
        let names: Vec<&str> = self.witnesses.iter().map(MemberId::as_str).collect();
        if names.is_empty() { "none yet".to_owned() } else { names.join(", ") }
    }
}

impl Details {
    /// What is recorded of a view.
    pub fn of(docket: &Docket, view: u32, approvals: &[SignedVerdict], until: u64) -> Self {
        Self {
            grant: docket.grant,
            case: HEXLOWER.encode(&case_digest(docket)),
            view,
            items: docket.items,
            approvals: digests(approvals),
            until,
        }
    }
}

fn digests(verdicts: &[SignedVerdict]) -> Vec<String> {
    let approvals = verdicts.iter().filter(|signed| signed.verdict.approves);
    let mut digests: Vec<_> = approvals.map(|signed| HEXLOWER.encode(&signed.digest())).collect();
    digests.sort();
    digests
}

impl View {
    /// Reads a view from JSON.
    pub fn from_json(text: &str) -> Result<Self, Refused> {
        serde_json::from_str(text).map_err(|error| Refused::Form(FORM, error.to_string()))
    }

    /// Which view the record says that it is. Nothing of it is checked.
    pub(super) fn number(&self) -> Result<u32, Refused> {
        let row: Row = serde_json::from_str(&self.record).map_err(|error| Refused::NoView(error.to_string()))?;
        Ok(row.details.view)
    }

    /// Members, other than the holder, whose cosignature on the checkpoint verifies with the directory's keys, or with theirs of the record's
    /// date.
    fn cosigners(&self, charter: &Charter, docket: &Docket, at: u64, checkpoint: &Note) -> Vec<MemberId> {
        let others = charter.members().all().iter().filter(|member| member.id != self.member);
        let cosigned = others.filter(|member| {
            let mut keys = charter.signing_keys(&member.id, at).into_iter();
            keys.any(|key| Witness { name: origin(&docket.network, &member.id), key }.verifies(checkpoint).is_some())
        });
        cosigned.map(|member| member.id.clone()).collect()
    }

    /// That the holder's own log has it, and that it is of this list and of these approvals.
    ///
    /// Threat: something is released and nobody can show that it was. An officer gives nothing before it has seen this.
    pub fn check(&self, charter: &Charter, docket: &Docket, verdicts: &[SignedVerdict]) -> Result<CheckedView, Refused> {
        let wrong = |why: String| Refused::NoView(why);
        let say = |why: &str| Refused::NoView(why.to_owned());
        if self.member != docket.member {
            return Err(say("it is of another member's journal"));
        }
        let salt = crate::types::base64(self.salt.as_bytes()).ok().and_then(|salt| <[u8; 32]>::try_from(salt).ok());
        let salt = salt.ok_or_else(|| say("its salt is none"))?;
        let proof: Proof = self.proof.parse().map_err(|error: crate::translog::proof::ProofError| wrong(error.to_string()))?;
        let checkpoint: Result<Checkpoint, _> = proof.checkpoint.text().parse();
        let log = checkpoint.map_err(|error| wrong(error.to_string()))?.origin;
        let first = origin(&docket.network, &self.member);
        if !log.strip_prefix(&first).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            return Err(say("the proof is of another member's log"));
        }
        let row: Row = serde_json::from_str(&self.record).map_err(|error| wrong(error.to_string()))?;
        let entry = commit(&salt, self.record.as_bytes());
        let mut outcome = Err(say("the directory has no key of its member"));
        for key in charter.signing_keys(&self.member, row.at) {
            outcome = proof.verify(&NoteKey { name: log.clone(), key }, &entry).map_err(|error| wrong(error.to_string()));
            if outcome.is_ok() {
                break;
            }
        }
        let checkpoint = outcome?;
        let details = &row.details;
        if row.kind != RECORD_KIND || details.grant != docket.grant || details.case != HEXLOWER.encode(&case_digest(docket)) {
            return Err(say("the record is of something else"));
        }
        if details.approvals != digests(verdicts) || details.items != docket.items {
            return Err(say("the record is of other approvals"));
        }
        let witnesses = self.cosigners(charter, docket, row.at, &proof.checkpoint);
        Ok(CheckedView { view: details.view, at: row.at, log, index: proof.index, size: checkpoint.size, witnesses })
    }
}
