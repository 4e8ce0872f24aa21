//! Members are told what of theirs is asked for and seen: at once, or when a secrecy order ends.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::DisclosureError;
use super::rows::{Dossier, Untold, delete, put_came, put_waiting};
use crate::disclosure::{GrantId, Item, Notice, Refused, SignedNotice, Told};
use crate::enclave::EnclaveError;
use crate::services::governed::native_address;
use crate::services::happening::{Happening, Kind as What};
use crate::services::native::path;
use crate::services::records::now;
use crate::services::{Error, Governed, Node};
use crate::store::{Kind, Write};
use crate::translog::levels::Levels;
use crate::types::{Coded as _, MemberId};

const BUDGET: Duration = Duration::from_secs(10);
/// When a member that did not answer is told again, in milliseconds.
const LATER: u64 = 30_000;
/// Notices told in one turn.
const TOGETHER: usize = 64;

impl Node {
    /// Writes down what those concerned are to be told of a grant, one or more notices for each: they wait for it, and for the end of secrecy.
    ///
    /// Threat: a list so long that nobody revokes anything while it is told. Others are kept out for the writing alone.
    pub(super) async fn tell_untold(&self, governed: &Arc<Governed>, grant: &GrantId) -> Result<(), Error> {
        let dossier = self.dossier(grant).await?;
        if dossier.untold.is_empty() {
            return Ok(());
        }
        let items = self.items(grant).await?;
        let concerned = self.concerned(governed, &items).await?;
        let levels = Levels::new(items.iter().map(Item::leaf).collect());
        for untold in &dossier.untold {
            let mut rows = self.notices_of(governed, &dossier, (&items, &levels, &concerned), *untold).await?;
            let _gate = self.disclosures.gate.lock().await;
            let mut dossier = self.dossier(grant).await?;
            dossier.untold.retain(|other| other != untold);
            rows.push(dossier.put()?);
            self.store.write(rows, Vec::new()).await?;
        }
        Ok(())
    }

    async fn notices_of(
        &self,
        governed: &Arc<Governed>,
        dossier: &Dossier,
        (items, levels, concerned): (&[Item], &Levels, &BTreeMap<MemberId, Vec<usize>>),
        untold: Untold,
    ) -> Result<Vec<Write>, Error> {
        let request = dossier.request()?;
        let due = request.request.secret_until().unwrap_or_default();
        // It is on record, and on its way into the log: if that takes long, it is told without the proof.
        let view = self.view_in_log(governed, untold.view).await?;
        let (docket, verdicts) = (dossier.docket()?, dossier.verdicts()?);
        let mut rows = Vec::new();
        for (member, places) in concerned {
            for (page, places) in (0_u32..).zip(places.chunks(Notice::MAX_ITEMS)) {
                let told =
                    places.iter().map(|at| Told { item: items[*at].clone(), index: *at as u64, path: levels.path(*at as u64) });
                let notice = Notice {
                    network: governed.network,
                    to: member.clone(),
                    stage: untold.stage,
                    page,
                    time: now(),
                    request: request.clone(),
                    docket: docket.clone(),
                    verdicts: verdicts.clone(),
                    view: view.clone(),
                    items: told.collect(),
                };
                notice.check_form().map_err(DisclosureError::from)?;
                let signature = self.enclave.sign(notice.statement()).await?;
                rows.push(put_waiting(due, member, SignedNotice { notice, signature }.encode()));
            }
        }
        Ok(rows)
    }

    /// Which members an item concerns: who sent it, and whom this node knows as its recipients. Others than this one.
    async fn concerned(&self, governed: &Governed, items: &[Item]) -> Result<BTreeMap<MemberId, Vec<usize>>, Error> {
        let charter = governed.charter();
        let mut concerned: BTreeMap<MemberId, Vec<usize>> = BTreeMap::new();
        for (at, item) in items.iter().enumerate() {
            let mut members = std::collections::BTreeSet::new();
            members.extend(item.label().and_then(Result::ok).and_then(|label| label.member));
            if let Some(head) = self.head(Kind::Payload, &item.id).await? {
                match self.enclave.meta(item.id, &head).await {
                    Ok(meta) => {
                        let keys = meta.recipients.iter().chain([&meta.sender]);
                        members.extend(keys.filter_map(|key| charter.members().by_address(key)).map(|member| member.id.clone()));
                    }
                    Err(EnclaveError::Erased) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            for member in members.into_iter().filter(|member| *member != governed.me) {
                concerned.entry(member).or_default().push(at);
            }
        }
        Ok(concerned)
    }

    /// Tells what is due. A member that does not answer is told later; one that runs a Tessera cannot be.
    pub(super) async fn tell_due(&self) -> Result<(), Error> {
        let governed = Arc::clone(self.needs_governance()?);
        let charter = governed.charter();
        for (place, member, waiting) in self.notices_due(now()).await?.into_iter().take(TOGETHER) {
            let Some(to) = charter.members().by_id(&member).and_then(native_address) else {
                // Not by name, either: the journal has no recipients of payloads.
                let event =
                    Happening::now(What::DisclosureNotice).text("one of those concerned runs a Tessera: not told").event();
                self.store.write(vec![delete(place)], vec![event]).await?;
                continue;
            };
            match governed.peers.call(&to, path::DISCLOSE_NOTICE, waiting.clone(), BUDGET).await {
                Ok(_) => self.store.write(vec![delete(place)], Vec::new()).await?,
                Err(error) => {
                    // Threat: the log names whom a payload is for: those concerned are its sender and its recipients.
                    tracing::info!(code = %error.code(), "a member was not told of a disclosure yet");
                    // Threat: a few that do not answer keep all others from being told. They are asked later.
                    self.store
                        .write(vec![delete(place), put_waiting(now() + LATER, &member, waiting.to_vec())], Vec::new())
                        .await?;
                }
            }
        }
        Ok(())
    }

    /// Takes a notice from the member that holds the data, and journals it.
    pub async fn take_notice(&self, from: &MemberId, bytes: Bytes) -> Result<(), Error> {
        let governed = self.needs_governance()?;
        let signed = SignedNotice::decode(&bytes).map_err(DisclosureError::from)?;
        let notice = &signed.notice;
        if notice.network != governed.network {
            return Err(DisclosureError::from(Refused::Network("notice")).into());
        }
        if notice.to != governed.me || notice.docket.docket.member != *from {
            return Err(DisclosureError::from(Refused::Signature("notice")).into());
        }
        signed.verify(&governed.charter()).map_err(DisclosureError::from)?;
        let details = json!({
            "grant": notice.request.request.grant, "stage": notice.stage.name(), "items": notice.items.len(),
            "approvals": notice.verdicts.iter().filter(|verdict| verdict.verdict.approves).count(),
        });
        let event = Happening::now(What::DisclosureNotice).member(from).details(details).event();
        self.counters.disclosure_notices.add();
        self.store.write(vec![put_came(notice.time, &bytes)], vec![event]).await?;
        Ok(())
    }

    /// Notices that came, at most `limit` after the one of a name: name and bytes of each, hexadecimal and base64.
    pub async fn disclosure_notices(&self, after: Option<&str>, limit: usize) -> Result<Vec<Value>, Error> {
        let after = after.map(|name| data_encoding::HEXLOWER.decode(name.as_bytes())).transpose();
        let after = after.map_err(|_| Error::BadRequest("not the name of a notice".into()))?;
        let came = self.notices_came(after.as_deref(), limit).await?;
        let shown = came.into_iter().map(|(name, notice)| {
            json!({ "name": data_encoding::HEXLOWER.encode(&name), "notice": data_encoding::BASE64.encode(&notice) })
        });
        Ok(shown.collect())
    }
}
