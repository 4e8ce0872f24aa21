//! Members are told what of theirs is asked for and seen: at once, or when a secrecy order ends.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::DisclosureError;
use super::rows::{Dossier, delete, put_came, put_waiting};
use crate::disclosure::{Item, Notice, Refused, SignedNotice, Stage, Told};
use crate::enclave::EnclaveError;
use crate::services::governed::native_address;
use crate::services::happening::{Happening, Kind as What};
use crate::services::native::path;
use crate::services::records::now;
use crate::services::{Error, Governed, Node};
use crate::store::Kind;
use crate::translog::hash::{self, Hash};
use crate::translog::tree;
use crate::types::{Coded as _, MemberId};

const BUDGET: Duration = Duration::from_secs(10);
/// When a member that did not answer is told again, in milliseconds.
const LATER: u64 = 30_000;
/// Notices told in one turn.
const TOGETHER: usize = 64;

impl Node {
    /// Writes the notices of a stage down, one or more for each member concerned: they wait for it, and for the end of secrecy.
    pub(super) async fn queue_notices(
        &self,
        governed: &Arc<Governed>,
        dossier: &Dossier,
        items: &[Item],
        stage: Stage,
    ) -> Result<(), Error> {
        let request = dossier.request()?;
        let due = request.request.secret_until().unwrap_or_default();
        let leaves: Vec<Hash> = items.iter().map(Item::leaf).collect();
        let (docket, verdicts, view) = (dossier.docket()?, dossier.verdicts()?, self.view_of(governed, dossier).await?);
        let mut rows = Vec::new();
        for (member, places) in self.concerned(governed, items).await? {
            for (page, places) in (0_u32..).zip(places.chunks(Notice::MAX_ITEMS)) {
                let told = places.iter().map(|at| Told {
                    item: items[*at].clone(),
                    index: *at as u64,
                    path: path_of(&leaves, *at as u64),
                });
                let notice = Notice {
                    network: governed.network,
                    to: member.clone(),
                    stage,
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
                rows.push(put_waiting(due, &member, SignedNotice { notice, signature }.encode()));
            }
        }
        self.store.write(rows, Vec::new()).await?;
        Ok(())
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
                let event =
                    Happening::now(What::DisclosureNotice).member(&member).text("runs a Tessera and cannot be told").event();
                self.store.write(vec![delete(place)], vec![event]).await?;
                continue;
            };
            match governed.peers.call(&to, path::DISCLOSE_NOTICE, waiting.clone(), BUDGET).await {
                Ok(_) => self.store.write(vec![delete(place)], Vec::new()).await?,
                Err(error) => {
                    tracing::info!(%member, code = %error.code(), "a member was not told of a disclosure yet");
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
        let key = governed.charter().members().by_id(from).and_then(|member| member.signing_key);
        let key = key.ok_or_else(|| Error::NotAMember(from.clone()))?;
        signed.verify(&key).map_err(DisclosureError::from)?;
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

/// The way from an item to the root of its list.
fn path_of(leaves: &[Hash], index: u64) -> Vec<Hash> {
    let subtree = |node: tree::Node| {
        let (width, index) = (1_usize << node.level, usize::try_from(node.index).unwrap_or(usize::MAX));
        let from = width.saturating_mul(index).min(leaves.len());
        Ok::<_, std::convert::Infallible>(hash::fold(&leaves[from..(from + width).min(leaves.len())]))
    };
    let Ok(path) = tree::inclusion(index, leaves.len() as u64, &mut { subtree });
    path
}
