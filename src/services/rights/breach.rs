//! What is exposed when something is lost (GDPR art. 33 and 34): an identity key, this node's disk, a member.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

use super::export::moment;
use super::resolve::Facts;
use crate::services::records::now;
use crate::services::{Error, Node};
use crate::shred::RootKind;
use crate::store::Kind;
use crate::types::{Address, DocumentId, ItemId, MemberId, PayloadId};

/// What was lost, or got into the hands of others.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Loss {
    /// The private half of a sender's or recipient's key.
    Key(Address),
    /// This node's disk: its store and its key folder.
    Disk,
    /// Everything that a member has.
    Member(MemberId),
}

/// What a loss means for an item that it touches.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Exposure {
    /// It lies there in the clear, or its keys lie beside it.
    Readable,
    /// Whoever recorded its delivery, or has the disk of a Tessera that was sent it, opens it with the key.
    WithRecordedBoxes,
    /// Its boxes were made with keys of a day, which are destroyed: the lost key opens none.
    EpochKeys,
    /// No box of it ever left this node.
    NeverSent,
    /// Its keys are not on the disk.
    KeysElsewhere,
}

impl Exposure {
    pub(super) const fn is_exposed(self) -> bool {
        matches!(self, Self::Readable | Self::WithRecordedBoxes)
    }
}

/// What is asked of an item.
pub(super) struct Item<'a> {
    pub(super) sender: Address,
    pub(super) recipients: &'a [Address],
    /// It is of the suite celosia-1.
    pub(super) is_native: bool,
}

/// What the loss of a key means for an item; `None` if the key has no part in it.
///
/// A box of Tessera's suite is made between the sender's key and one recipient's, so either opens it, for ever.
pub(super) fn of_key(lost: &Address, item: &Item<'_>, is_own: impl Fn(&Address) -> bool) -> Option<Exposure> {
    let is_sender = item.sender == *lost;
    if !is_sender && !item.recipients.contains(lost) {
        return None;
    }
    if item.is_native {
        return Some(Exposure::EpochKeys);
    }
    // A box crosses the network when its two keys are not on one node.
    let crosses = |recipient: &Address| !(is_own(&item.sender) && is_own(recipient));
    let mut boxes = item.recipients.iter().filter(|recipient| **recipient != item.sender && crosses(recipient));
    let opens = boxes.any(|recipient| is_sender || recipient == lost);
    Some(if opens { Exposure::WithRecordedBoxes } else { Exposure::NeverSent })
}

/// How far a radius is.
#[derive(Clone, Copy)]
enum At {
    Payloads(Option<PayloadId>),
    Raws(Option<PayloadId>),
    Documents(Option<DocumentId>),
    End,
}

/// A radius in the making: each call gives the lines of some more items.
pub struct Radius {
    node: Arc<Node>,
    loss: Loss,
    /// Pseudonyms are told.
    with_subjects: bool,
    /// Where the root of the key trees is.
    root: RootKind,
    keys: Vec<Address>,
    at: At,
    total: Total,
}

#[derive(Default)]
struct Total {
    touched: u64,
    documents: u64,
    exposed: u64,
    classes: BTreeMap<&'static str, u64>,
    members: BTreeSet<String>,
    subjects: BTreeSet<String>,
    window: Option<(u64, u64)>,
}

impl Node {
    /// Begins to look at what a loss exposes.
    pub async fn breach_radius(self: &Arc<Self>, loss: Loss, with_subjects: bool) -> Result<Radius, Error> {
        let keys = match &loss {
            Loss::Key(key) => vec![*key],
            Loss::Disk => Vec::new(),
            Loss::Member(id) => {
                let charter = self.needs_governance()?.charter();
                let member = charter.members().by_id(id).ok_or_else(|| Error::NotAMember(id.clone()))?;
                member.addresses.clone()
            }
        };
        let (node, root) = (Arc::clone(self), self.root_status().await?.kind);
        Ok(Radius { node, loss, with_subjects, root, keys, at: At::Payloads(None), total: Total::default() })
    }
}

impl Radius {
    /// The lines of some more items; `None` after the last, which sums up.
    pub async fn next(&mut self) -> Result<Option<Vec<Value>>, Error> {
        let page =
            match self.at {
                At::Payloads(after) => self.node.page_of(Kind::Payload, after).await?.map(|(page, last)| {
                    (page.into_iter().map(|known| Facts::of(Kind::Payload, known)).collect::<Vec<_>>(), At::Payloads(Some(last)))
                }),
                At::Raws(after) => self.node.page_of(Kind::Raw, after).await?.map(|(page, last)| {
                    (page.into_iter().map(|known| Facts::of(Kind::Raw, known)).collect(), At::Raws(Some(last)))
                }),
                At::Documents(after) => {
                    self.node.page_of_documents(after).await?.map(|(page, last)| (page, At::Documents(Some(last))))
                }
                At::End => return Ok(None),
            };
        if let Some((page, next)) = page {
            self.at = next;
            return Ok(Some(page.iter().filter_map(|facts| self.line(facts)).collect()));
        }
        self.at = match self.at {
            // Payloads that wait to be sent lie on the disk as well.
            At::Payloads(_) if self.loss == Loss::Disk => At::Raws(None),
            At::Payloads(_) | At::Raws(_) => At::Documents(None),
            At::Documents(_) | At::End => At::End,
        };
        Ok(Some(if matches!(self.at, At::End) { vec![self.summary()] } else { Vec::new() }))
    }

    fn exposure(&self, facts: &Facts) -> Option<Exposure> {
        let directory = &self.node.directory;
        // A document that is not whole went nowhere from here; its chunks lie on the disk.
        if !facts.is_whole && self.loss != Loss::Disk {
            return None;
        }
        match &self.loss {
            Loss::Key(key) => {
                let item = Item { sender: facts.sender, recipients: &facts.recipients, is_native: facts.is_native };
                of_key(key, &item, |key| directory.is_own(key))
            }
            Loss::Disk if self.root == RootKind::File => Some(Exposure::Readable),
            Loss::Disk => Some(Exposure::KeysElsewhere),
            Loss::Member(_) => {
                let has = self.keys.iter().any(|key| facts.sender == *key || facts.recipients.contains(key));
                has.then_some(Exposure::Readable)
            }
        }
    }

    fn line(&mut self, facts: &Facts) -> Option<Value> {
        let exposure = self.exposure(facts)?;
        let class = facts.class;
        let members: BTreeSet<String> = [facts.sender]
            .iter()
            .chain(&facts.recipients)
            .map(|key| self.node.party(key)["member"].as_str().map_or_else(|| key.to_string(), str::to_owned))
            .collect();
        self.total.add(exposure, facts, &members);
        let mut line = json!({
            "kind": "item", "id": facts.item, "type": facts.kind,
            "stored": moment(facts.time), "class": class, "suite": if facts.is_native { "celosia-1" } else { "nacl" },
            "exposure": exposure, "exposed": exposure.is_exposed(), "members": members,
        });
        if self.with_subjects && !facts.tags.subjects.is_empty() {
            line["subjects"] = facts.tags.subjects.clone().into();
        }
        Some(line)
    }

    fn summary(&self) -> Value {
        let total = &self.total;
        let what = match &self.loss {
            Loss::Key(key) => json!({ "key": key }),
            Loss::Disk => json!({ "disk": true, "root-key": self.root.name() }),
            Loss::Member(member) => json!({ "member": member }),
        };
        let mut summary = json!({
            "kind": "summary",
            "format": "celosia-breach-radius-1",
            "made": moment(now()),
            "lost": what,
            "touched": total.touched,
            "exposed": total.exposed,
            "documents": total.documents,
            "exposed-by-class": total.classes,
            "members": total.members,
            "subjects": total.subjects.len(),
            "window": total.window.map(|(first, last)| json!({ "first": moment(first), "last": moment(last) })),
            // Art. 34(3)(a): data that the loss leaves unintelligible need not be told to its subjects.
            "keys-exposed": total.exposed > 0,
        });
        if self.with_subjects {
            summary["exposed-subjects"] = total.subjects.iter().cloned().collect::<Vec<_>>().into();
        }
        summary
    }
}

impl Total {
    fn add(&mut self, exposure: Exposure, facts: &Facts, members: &BTreeSet<String>) {
        self.touched += 1;
        self.documents += u64::from(matches!(facts.item, ItemId::Document(_)));
        if !exposure.is_exposed() {
            return;
        }
        self.exposed += 1;
        *self.classes.entry(facts.class.name()).or_default() += 1;
        self.members.extend(members.iter().cloned());
        self.subjects.extend(facts.tags.subjects.iter().cloned());
        self.window = Some(self.window.map_or((facts.time, facts.time), |(a, b)| (a.min(facts.time), b.max(facts.time))));
    }
}

#[cfg(test)]
mod tests;
