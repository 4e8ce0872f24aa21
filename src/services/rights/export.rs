//! What a person may know of the data about them (GDPR art. 15 and 20): items, purposes, recipients by legal name, uses.

use std::sync::Arc;

use data_encoding::BASE64;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::resolve::Known;
use crate::enclave::EnclaveError;
use crate::erasure::Scope;
use crate::services::{Contents, DocumentError, DocumentState, Error, Node};
use crate::store::Kind;
use crate::types::{Address, DocumentId, ItemId, PayloadId};

/// Kinds of journal records that are uses of an item, or what became of it.
const USES: [&str; 6] = ["delivered", "read", "received", "stored", "tagged", "withdrawn"];

/// An export in the making: each call gives the lines of one more item.
pub struct SubjectExport {
    node: Arc<Node>,
    items: std::vec::IntoIter<ItemId>,
    with_plaintext: bool,
    /// A document whose content is being given, and the next piece of it.
    reading: Option<(Contents, u64)>,
    given: usize,
    ended: bool,
}

/// A moment as people and machines read it.
pub(super) fn moment(millis: u64) -> Value {
    let stamp = i64::try_from(millis).ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
    stamp.map_or(Value::Null, |stamp| stamp.to_string().into())
}

impl Node {
    /// Begins the export of a subject. The first lines say whose it is and who answers for it.
    pub async fn export_subject(self: &Arc<Self>, subject: &str, with_plaintext: bool) -> Result<(Value, SubjectExport), Error> {
        if let Some(governed) = &self.governed {
            // A node that was put back may still have what was erased since.
            governed.may_serve()?;
        }
        let items = self.resolve(&Scope::Subject(subject.to_owned())).await?;
        let first = json!({
            "kind": "export",
            "format": "celosia-subject-export-1",
            "subject": subject,
            "made": moment(crate::services::records::now()),
            "controller": self.controller(),
            "items": items.len(),
            "with-payloads": with_plaintext,
        });
        let export = SubjectExport {
            node: Arc::clone(self),
            items: items.into_iter(),
            with_plaintext,
            reading: None,
            given: 0,
            ended: false,
        };
        Ok((first, export))
    }

    /// Us, as the directory names us; `null` without one.
    pub(super) fn controller(&self) -> Value {
        let Some(governed) = &self.governed else { return Value::Null };
        let charter = governed.charter();
        let network = governed.network.to_string();
        let Some(member) = charter.members().by_id(governed.me()) else {
            return json!({ "member": governed.me(), "network": network });
        };
        json!({
            "member": member.id, "legal-name": member.legal_name, "legal-id": member.legal_id,
            "region": member.region.as_str(), "network": network,
        })
    }

    /// Whose key it is: by legal name where the directory knows it.
    pub(super) fn party(&self, key: &Address) -> Value {
        let charter = self.governed.as_ref().map(|governed| governed.charter());
        match charter.as_ref().and_then(|charter| charter.members().by_address(key)) {
            Some(member) => json!({
                "address": key, "member": member.id, "legal-name": member.legal_name, "legal-id": member.legal_id,
                "region": member.region.as_str(),
            }),
            None => json!({ "address": key }),
        }
    }

    fn line_of(&self, known: &Known, payload: Option<Value>) -> Value {
        let (meta, tags) = (&known.meta, &known.tags);
        let recipients = meta.recipients.iter().filter(|key| **key != meta.sender).map(|key| self.party(key));
        let mut line = json!({
            "kind": "item",
            "id": known.id,
            "type": "payload",
            "stored": moment(known.time),
            "direction": if self.directory.is_own(&meta.sender) { "sent" } else { "received" },
            "suite": if meta.native.is_some() { "celosia-1" } else { "nacl" },
            "class": known.class(),
            "purpose": tags.purpose,
            "basis": tags.basis,
            "contract": tags.contract,
            "kept-until": self.due_at(known.time, known.class(), tags).map(moment),
            "portable": tags.is_portable(),
            "sender": self.party(&meta.sender),
            "recipients": recipients.collect::<Vec<_>>(),
        });
        if let Some(native) = &meta.native {
            line["made"] = moment(native.time);
            line["policy"] = native.policy.into();
        }
        if let Some(payload) = payload {
            line["payload"] = payload;
        }
        line
    }

    /// What the journal says of a payload: what was done with it, when, in which role. No employee's name (CJEU C-579/21).
    async fn uses(&self, id: &PayloadId) -> Result<Vec<Value>, Error> {
        let mut uses = Vec::new();
        for index in self.store.trace(id).await? {
            for row in self.store.journal(index, 1).await? {
                let Some((_, record)) = row.content else { continue };
                let record: Value = serde_json::from_slice(&record).unwrap_or_default();
                if !USES.iter().any(|kind| record["kind"] == *kind) {
                    continue;
                }
                let mut line = json!({
                    "kind": "use", "id": id, "what": record["kind"],
                    "at": record["at"].as_u64().map_or(Value::Null, moment), "row": index,
                });
                for field in ["surface", "role", "member"] {
                    if !record[field].is_null() {
                        line[field] = record[field].clone();
                    }
                }
                uses.push(line);
            }
        }
        Ok(uses)
    }

    /// Who acknowledged a payload of ours, and when: what was disclosed, proved.
    async fn disclosed(&self, id: PayloadId) -> Result<Vec<Value>, Error> {
        if self.governed.is_none() || self.store.beside(&id).await?.is_none() {
            return Ok(Vec::new());
        }
        let receipt = match self.receipt(id).await {
            Ok(receipt) => receipt,
            Err(Error::NoReceipt(_) | Error::NotFound(_)) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let line = |signed: &crate::wire::ack::SignedAck| json!({ "kind": "use", "id": id, "what": "acknowledged", "member": signed.ack.member, "at": moment(signed.ack.time) });
        Ok(receipt.acks.iter().map(line).collect())
    }

    /// The payload itself in base64; `None` if it was erased meanwhile.
    async fn plaintext(&self, id: PayloadId) -> Result<Option<Value>, Error> {
        let Some(record) = self.record(Kind::Payload, &id).await? else { return Ok(None) };
        match self.enclave.open(id, &record.head, record.nonce, record.ciphertext).await {
            Ok(opened) => Ok(Some(BASE64.encode(&opened.plaintext).into())),
            Err(EnclaveError::Erased) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl SubjectExport {
    /// The lines of the next item; `None` after the last, which says how many there were: a file without it was cut off.
    pub async fn next(&mut self) -> Result<Option<Vec<Value>>, Error> {
        if let Some(piece) = self.piece().await? {
            return Ok(Some(vec![piece]));
        }
        while let Some(item) = self.items.next() {
            let id = match item {
                ItemId::Payload(id) => id,
                ItemId::Document(id) => match self.document(id).await? {
                    Some(line) => return Ok(Some(vec![line])),
                    None => continue,
                },
            };
            let Some((time, head)) = self.node.store.dated_head(Kind::Payload, &id).await? else { continue };
            let Some(known) = self.node.look_at(id, time, &head).await? else { continue };
            let payload = if self.with_plaintext {
                match self.node.plaintext(id).await? {
                    Some(payload) => Some(payload),
                    None => continue,
                }
            } else {
                None
            };
            let mut lines = vec![self.node.line_of(&known, payload)];
            lines.extend(self.node.disclosed(id).await?);
            lines.extend(self.node.uses(&id).await?);
            self.given += 1;
            return Ok(Some(lines));
        }
        if self.ended {
            return Ok(None);
        }
        self.ended = true;
        Ok(Some(vec![json!({ "kind": "end", "items": self.given })]))
    }

    /// The line of a document; its content follows in pieces, where payloads are wanted and it is complete. `None` if it is here no more.
    async fn document(&mut self, id: DocumentId) -> Result<Option<Value>, Error> {
        let (node, item) = (&self.node, ItemId::Document(id));
        let found = async {
            let (time, _) = node.dated_head(item).await?;
            Ok::<_, Error>((time, node.document_info(id).await?, node.tags_of(item).await?.unwrap_or_default()))
        };
        let (time, info, tags) = match found.await {
            Ok(found) => found,
            Err(
                Error::ItemNotFound(_)
                | Error::Kept(DocumentError::NotFound(_) | DocumentError::Erased(_) | DocumentError::Blocked(_)),
            ) => return Ok(None),
            Err(error) => return Err(error),
        };
        let class = tags.class.unwrap_or(info.class);
        let recipients = info.recipients.iter().filter(|one| one.key != info.sender).map(|one| node.party(&one.key));
        let mut line = json!({
            "kind": "item",
            "id": id,
            "type": "document",
            "stored": moment(time),
            "direction": if node.directory.is_own(&info.sender) { "sent" } else { "received" },
            "class": class,
            "purpose": tags.purpose,
            "basis": tags.basis,
            "contract": tags.contract,
            "kept-until": node.due_at(time, class, &tags).map(moment),
            "portable": tags.is_portable(),
            "sender": node.party(&info.sender),
            "recipients": recipients.collect::<Vec<_>>(),
            "name": info.name,
            "media": info.media,
            "size": info.size,
        });
        if self.with_plaintext && info.state == DocumentState::Here {
            line["content"] = "follows".into();
            self.reading = Some((self.node.open_document(id).await?, 0));
        }
        self.given += 1;
        Ok(Some(line))
    }

    /// The next piece of a document's content.
    async fn piece(&mut self) -> Result<Option<Value>, Error> {
        let Some((contents, index)) = self.reading.take() else { return Ok(None) };
        if index * Contents::CHUNK >= contents.size() {
            return Ok(None);
        }
        let piece = contents.chunk(index).await?;
        self.reading = Some((contents, index + 1));
        Ok(Some(json!({ "kind": "piece", "index": index, "data": BASE64.encode(&piece) })))
    }
}
