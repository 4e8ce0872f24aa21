//! What a member is told when payloads of its own are asked for or seen.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::error::form;
use super::{Item, Refused, SignedDocket, SignedRequest, SignedVerdict, View};
use crate::crypto::sign::{Signature, statement};
use crate::governance::Charter;
use crate::translog::hash::Hash;
use crate::translog::tree;
use crate::types::{MemberId, NetworkId, PayloadId};
use crate::wire::DecodeError;
use crate::wire::strict::{Fields, Form, canonical};

/// What the signature of a notice is for.
const PURPOSE: &str = "celosia disclosure-notice 1";
const FORM: &str = "notice";
const FIELDS: u64 = 10;
/// Payloads of one notice. More come in further ones.
pub(super) const MAX_ITEMS: usize = 512;
/// Verdicts of one request: one for each officer of its committees.
const MAX_VERDICTS: usize = 512;
const MAX_PART: usize = 1 << 20;

/// Why a notice is given.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// It was asked for.
    Requested,
    /// It is being shown.
    Viewed,
    /// It will not be shown.
    Ended,
}

impl Stage {
    const ALL: [Self; 3] = [Self::Requested, Self::Viewed, Self::Ended];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Viewed => "viewed",
            Self::Ended => "ended",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Stage {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|stage| stage.name() == text).ok_or(())
    }
}

/// A payload in a notice: its item of the list, its place, and the way from it to the docket's root.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Told {
    /// The item.
    pub item: Item,
    /// Its place in the list, from 0.
    pub index: u64,
    /// From its sibling up.
    pub path: Vec<Hash>,
}

/// What a member is told: everything that it needs to see for itself who asked, why, and on whose approval.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Notice {
    /// Which network.
    pub network: NetworkId,
    /// To whom.
    pub to: MemberId,
    /// Why now.
    pub stage: Stage,
    /// Which of the notices of this stage, from 0.
    pub page: u32,
    /// When, milliseconds since the Unix epoch.
    pub time: u64,
    /// The request.
    pub request: SignedRequest,
    /// What it resolved to.
    pub docket: SignedDocket,
    /// What the officers said.
    pub verdicts: Vec<SignedVerdict>,
    /// The record of the view.
    pub view: Option<View>,
    /// The member's own payloads among them.
    pub items: Vec<Told>,
}

/// A notice and the holder's signature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedNotice {
    /// What it says.
    pub notice: Notice,
    /// The docket's member's on [`Notice::statement`].
    pub signature: Signature,
}

impl Notice {
    /// Payloads that one notice may hold.
    pub const MAX_ITEMS: usize = MAX_ITEMS;
    /// Verdicts that one notice may hold, and so those of a request.
    pub const MAX_VERDICTS: usize = MAX_VERDICTS;

    /// That it reads back at the member that is told. Asked before it is signed.
    ///
    /// Threat: a notice that no recipient reads, and that is sent for ever.
    pub fn check_form(&self) -> Result<(), Refused> {
        if self.verdicts.len() > MAX_VERDICTS || self.items.len() > MAX_ITEMS {
            return Err(form(FORM)(DecodeError::Length("items")));
        }
        self.items.iter().try_for_each(|told| told.item.check_form())
    }

    /// Which view it tells of, from 1, as the record says that it has; 0 without a record. Whether the record is in the log is
    /// [`View::check`]'s.
    pub fn view_number(&self) -> Result<u32, Refused> {
        let Some(view) = &self.view else { return Ok(0) };
        let number = view.number()?;
        if (1..=self.request.request.views).contains(&number) { Ok(number) } else { Err(Refused::Views) }
    }

    /// What is signed.
    pub fn statement(&self) -> Vec<u8> {
        statement(PURPOSE, &self.network, &self.fields(FIELDS).finish())
    }

    fn fields(&self, count: u64) -> Form {
        let mut form = Form::of(count, 4_096 + 1_200 * self.items.len())
            .bytes(self.network.as_bytes())
            .text(self.to.as_str())
            .text(self.stage.name())
            .number(self.page)
            .number(self.time)
            .bytes(&self.request.encode())
            .bytes(&self.docket.encode())
            .list(self.verdicts.len() as u64);
        form = self.verdicts.iter().fold(form, |form, verdict| form.bytes(&verdict.encode()));
        form = match &self.view {
            // Strings always serialise.
            Some(view) => form.bytes(&serde_json::to_vec(view).unwrap_or_default()),
            None => form.null(),
        };
        let form = form.list(self.items.len() as u64);
        self.items
            .iter()
            .fold(form, |form, told| form.list(3).bytes(&told.item.encode()).number(told.index).each(told.path.iter()))
    }
}

impl SignedNotice {
    /// Reads what [`SignedNotice::encode`] wrote, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refused> {
        read(bytes)
    }

    /// `[network, to, stage, page, time, request, docket, [verdict …], view or null, [[item, index, path] …], signature]`.
    pub fn encode(&self) -> Vec<u8> {
        self.notice.fields(FIELDS + 1).bytes(&self.signature).finish()
    }

    /// Whether the holder signed it, with a key of its date, the docket is of the request, and every payload is in the docket. Whether the
    /// officers approved is [`super::tally`]'s, whether the view is on record [`View::check`]'s.
    pub fn verify(&self, charter: &Charter) -> Result<(), Refused> {
        let notice = &self.notice;
        let keys = charter.signing_keys(&notice.docket.docket.member, notice.time);
        if !keys.iter().any(|key| key.verify(&notice.statement(), &self.signature).is_ok()) {
            return Err(Refused::Signature(FORM));
        }
        notice.request.verify(&notice.network)?;
        notice.docket.verify_by(&notice.request, charter)?;
        let docket = &notice.docket.docket;
        for told in &notice.items {
            tree::verify_inclusion(&told.item.leaf(), told.index, docket.items, &docket.root, &told.path)
                .map_err(|_| Refused::List("a payload of the notice is not in the docket"))?;
        }
        Ok(())
    }

    /// The payloads.
    pub fn ids(&self) -> impl Iterator<Item = PayloadId> {
        self.notice.items.iter().map(|told| told.item.id)
    }
}

fn read(bytes: &[u8]) -> Result<SignedNotice, Refused> {
    let wrong = form(FORM);
    let mut fields = Fields::of(bytes, FORM, FIELDS + 1).map_err(&wrong)?;
    let network = NetworkId::new(fields.array("network").map_err(&wrong)?);
    let to = fields.word("member").map_err(&wrong)?;
    let stage = fields.word("stage").map_err(&wrong)?;
    let (page, time) = (fields.number("page").map_err(&wrong)?, fields.number("time").map_err(&wrong)?);
    let request = SignedRequest::decode(fields.bytes("request", MAX_PART).map_err(&wrong)?)?;
    let docket = SignedDocket::decode(fields.bytes("docket", MAX_PART).map_err(&wrong)?)?;
    let verdicts = fields.list("verdicts", |fields| Ok(fields.bytes("verdict", MAX_PART)?.to_vec())).map_err(&wrong)?;
    let view = fields.option("view", |fields| Ok(fields.bytes("view", MAX_PART)?.to_vec())).map_err(&wrong)?;
    let items = fields.list("items", |fields| {
        fields.nested("item", 3)?;
        let (item, index) = (fields.bytes("item", MAX_PART)?.to_vec(), fields.number("index")?);
        Ok((item, index, fields.list("path", |fields| fields.array("hash"))?))
    });
    let items = items.map_err(&wrong)?;
    if verdicts.len() > MAX_VERDICTS || items.len() > MAX_ITEMS {
        return Err(wrong(DecodeError::Length("items")));
    }
    let verdicts = verdicts.iter().map(|bytes| SignedVerdict::decode(bytes)).collect::<Result<_, _>>()?;
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).map_err(|_| wrong(DecodeError::Value("view")));
    let view = view.map(text).transpose()?.map(|view| View::from_json(&view)).transpose()?;
    let told = |(item, index, path): (Vec<u8>, u64, Vec<Hash>)| Ok(Told { item: Item::decode(&item)?, index, path });
    let items = items.into_iter().map(told).collect::<Result<_, Refused>>()?;
    let notice = Notice { network, to, stage, page, time, request, docket, verdicts, view, items };
    let signed = SignedNotice { notice, signature: fields.array("signature").map_err(&wrong)? };
    canonical(bytes, &signed.encode(), FORM).map_err(&wrong)?;
    Ok(signed)
}
