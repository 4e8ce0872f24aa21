//! What an auditor has in hand at the end: JSON for tools, a page for people.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::request::{GrantId, Request, moment};
use super::{Approver, CheckedView, Docket, Opened, Refused, SignedRequest};
use crate::crypto::hash::sha256;
use crate::governance::{Charter, Members};
use crate::types::{Class, Coded as _, MemberId, NetworkId, PayloadId};

/// The first word of a report.
const FORMAT: &str = "celosia-disclosure-report-2";

/// Somebody named in a report.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Party {
    /// Short name in the directory; empty for an officer.
    pub id: String,
    /// Legal name, or an officer's own.
    pub name: String,
    /// An officer's legal entity; a member's legal id.
    pub entity: String,
    /// When it did what it is named for.
    pub time: String,
}

/// One payload of a report.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Row {
    /// Its id: what the chain's transaction refers to.
    pub id: PayloadId,
    /// Where the payload was written, beside the report; empty: it was not opened.
    pub file: String,
    /// Bytes of the payload.
    pub bytes: u64,
    /// SHA-256 of the payload, hexadecimal.
    pub sha256: String,
    /// As its sender declared it.
    pub class: Option<Class>,
    /// When its sender made it.
    pub made: String,
    /// Version of the policy that it was sent under.
    pub policy: u64,
    /// The sending member.
    pub sender: Option<Party>,
    /// Members whose acknowledgement verifies.
    pub acknowledged: Vec<Party>,
    /// Why it was not opened; empty: it was.
    pub why_not: String,
    /// The stable code of that.
    pub code: String,
    /// Shares that were wrong, and whose.
    pub wrong_shares: Vec<String>,
}

/// What was disclosed, to whom, on whose approval, and what was found.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Report {
    format: String,
    /// Which network.
    pub network: NetworkId,
    /// Which grant.
    pub grant: GrantId,
    /// Who asked: name and entity.
    pub auditor: Party,
    /// On what mandate.
    pub mandate: String,
    /// For what.
    pub purpose: String,
    /// On what legal basis.
    pub basis: String,
    /// What was asked for, in words.
    pub scope: String,
    /// The window.
    pub window: String,
    /// The secrecy order, where there was one.
    pub secrecy: String,
    /// Who holds the data and released it.
    pub holder: Party,
    /// Who approved.
    pub officers: Vec<Party>,
    /// Which view of the grant, and where it is on record.
    pub view: String,
    /// The log that has the record.
    pub log: String,
    /// The witnesses that cosigned it.
    pub witnesses: Vec<String>,
    /// How many payloads were opened and verified.
    pub opened: u64,
    /// How many were not.
    pub not_opened: u64,
    /// Why not: how many, by the stable code of the reason.
    pub reasons: BTreeMap<String, u64>,
    /// Of more than [`Report::ROWS`] payloads: the files beside the report that have their rows, in the order of the list.
    pub pages: Vec<PageOf>,
    /// The payloads, where there are no pages.
    pub payloads: Vec<Row>,
}

/// A file of rows beside a report.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PageOf {
    /// Its name: a list of rows, JSON. The same name with the ending `html` is the page for people.
    pub file: String,
    /// How many rows it has.
    pub rows: usize,
    /// Of the JSON, hexadecimal.
    pub sha256: String,
}

impl Report {
    /// Rows that a report has in itself, and those of a page. A report of 100,000 payloads that nobody's browser shows helps nobody.
    pub const ROWS: usize = 1_000;

    /// The frame of a report, without payloads.
    pub fn new(charter: &Charter, signed: &SignedRequest, docket: &Docket, approvals: &[Approver], view: &CheckedView) -> Self {
        let request = &signed.request;
        Self {
            format: FORMAT.to_owned(),
            network: request.network,
            grant: request.grant,
            auditor: auditor(request),
            mandate: request.mandate.clone(),
            purpose: request.purpose.clone(),
            basis: request.basis.clone(),
            scope: request.scope.to_string(),
            window: format!("{} to {}, {} view(s)", moment(request.from), moment(request.until), request.views),
            secrecy: request
                .secrecy
                .as_ref()
                .map_or_else(String::new, |secrecy| format!("{}, until {}", secrecy.reference, moment(secrecy.until))),
            holder: member(charter.members(), &docket.member, docket.time),
            officers: approvals.iter().map(officer).collect(),
            view: format!(
                "view {} of {}, recorded {}, entry {} of {}",
                view.view,
                request.views,
                moment(view.at),
                view.index,
                view.size
            ),
            log: view.log.clone(),
            witnesses: view.witnesses.iter().map(|id| member(charter.members(), id, view.at).name).collect(),
            opened: 0,
            not_opened: 0,
            reasons: BTreeMap::new(),
            pages: Vec::new(),
            payloads: Vec::new(),
        }
    }

    /// Takes a payload.
    pub fn add(&mut self, row: Row) {
        if row.why_not.is_empty() {
            self.opened += 1;
        } else {
            self.not_opened += 1;
            *self.reasons.entry(row.code.clone()).or_default() += 1;
        }
        self.payloads.push(row);
    }

    /// Takes the rows that there are out of the report, for a page of their own: its name, and its text.
    pub fn turn(&mut self) -> (String, String, Vec<Row>) {
        let rows = std::mem::take(&mut self.payloads);
        let file = format!("payloads-{:06}.json", self.pages.len() + 1);
        // Strings and numbers always serialise.
        let text = serde_json::to_string_pretty(&rows).unwrap_or_default() + "\n";
        let sha256 = HEXLOWER.encode(&sha256(&[text.as_bytes()]));
        self.pages.push(PageOf { file: file.clone(), rows: rows.len(), sha256 });
        (file, text, rows)
    }

    /// As a file.
    pub fn to_json(&self) -> String {
        // Strings and numbers always serialise.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Reads a report.
    pub fn from_json(text: &str) -> Result<Self, Refused> {
        let report: Self = serde_json::from_str(text).map_err(|error| Refused::Form("report", error.to_string()))?;
        if report.format == FORMAT { Ok(report) } else { Err(Refused::Form("report", "its format is another".into())) }
    }
}

impl Row {
    /// Of a payload that was opened and written to a file.
    pub fn opened(members: &Members, opened: &Opened, file: String, sha256: String) -> Self {
        let (label, header) = (&opened.label, opened.header.as_ref());
        let day = u64::from(label.day) * 24 * 60 * 60 * 1000;
        let time = header.map_or(day, |header| header.time);
        Self {
            id: opened.id,
            file,
            bytes: opened.payload.len() as u64,
            sha256,
            class: Some(label.class),
            made: moment(time),
            policy: header.map_or(label.policy, |header| header.policy),
            sender: label.member.as_ref().map(|id| member(members, id, time)),
            acknowledged: opened
                .provenance
                .acks
                .iter()
                .map(|signed| member(members, &signed.ack.member, signed.ack.time))
                .collect(),
            why_not: String::new(),
            code: String::new(),
            wrong_shares: opened.wrong.iter().map(ToString::to_string).collect(),
        }
    }

    /// Of a payload that was not.
    pub fn not_opened(id: PayloadId, why: &Refused) -> Self {
        Self {
            id,
            file: String::new(),
            bytes: 0,
            sha256: String::new(),
            class: None,
            made: String::new(),
            policy: 0,
            sender: None,
            acknowledged: Vec::new(),
            why_not: why.to_string(),
            code: why.code().to_string(),
            wrong_shares: Vec::new(),
        }
    }
}

/// The auditor of a request.
fn auditor(request: &Request) -> Party {
    Party { id: String::new(), name: request.name.clone(), entity: request.entity.clone(), time: moment(request.time) }
}

fn officer(approver: &Approver) -> Party {
    let (name, entity) = (approver.name.clone(), approver.entity.clone());
    Party { id: String::new(), name, entity, time: moment(approver.time) }
}

fn member(members: &Members, id: &MemberId, time: u64) -> Party {
    let found = members.by_id(id);
    let (name, entity) = found.map_or_else(Default::default, |member| (member.legal_name.clone(), member.legal_id.clone()));
    Party { id: id.to_string(), name, entity, time: moment(time) }
}
