//! A request comes: resolved, written down, told.

use std::sync::Arc;

use data_encoding::HEXLOWER;

use super::DisclosureError;
use super::rows::{Dossier, Untold, put_items};
use crate::disclosure::{Docket, Found, Item, Life, Refused, SignedDocket, SignedRequest, Stage, Step, root};
use crate::services::happening::{Happening, Kind as What};
use crate::services::records::now;
use crate::services::send::to_its_end;
use crate::services::{Error, Governed, Node};

impl Node {
    /// Takes an auditor's signed request: resolves it, signs what it resolved to, journals it and tells the members concerned. Answers the
    /// grant's state.
    pub async fn request_disclosure(self: &Arc<Self>, request: Vec<u8>, by: &str) -> Result<serde_json::Value, Error> {
        let (node, by) = (Arc::clone(self), by.to_owned());
        to_its_end(async move { node.ask_disclosure(&request, &by).await }).await
    }

    async fn ask_disclosure(&self, request: &[u8], by: &str) -> Result<serde_json::Value, Error> {
        let governed = Arc::clone(self.discloses()?);
        let signed = SignedRequest::decode(request).map_err(DisclosureError::from)?;
        let asked = signed.verify(&governed.network).map_err(DisclosureError::from)?;
        signed.check_itself(&governed.charter()).map_err(DisclosureError::from)?;
        asked.is_of_its_time(now()).map_err(DisclosureError::from)?;
        if now() >= asked.until {
            return Err(DisclosureError::from(Refused::Expired).into());
        }
        if self.has_dossier(&asked.grant).await? {
            return Err(DisclosureError::Exists(asked.grant).into());
        }
        // Threat: a wide request, and a revocation that waits for it. The list is made before anybody is kept out.
        let items = self.docket_items(&asked.scope).await?;
        if items.is_empty() {
            return Err(DisclosureError::Nothing.into());
        }
        let docket = self.sign_docket(&governed, &signed, &items).await?;
        let mut dossier = Dossier::new(Life::begin(asked.from, asked.until, asked.views), &signed, &docket, by);
        dossier.since = since(&items);
        dossier.epochs = docket.docket.epochs.iter().copied().collect();
        if items.iter().any(|item| matches!(item.found, Found::Escrowed { .. })) {
            dossier.untold.push(Untold { stage: Stage::Requested, view: None });
        } else {
            // What is erased or blocked is answered by reference: there is nothing to approve.
            let nothing = Step::Counted { enough: false, until: 0, possible: false };
            dossier.life = dossier.life.step(nothing, now()).map_err(DisclosureError::from)?;
            "nothing of it is in escrow here".clone_into(&mut dossier.ended);
        }
        let details = serde_json::json!({
            "grant": asked.grant, "request": HEXLOWER.encode(&signed.digest()), "items": items.len(), "until": asked.until,
            "secret-until": asked.secret_until(), "state": dossier.life.state,
        });
        let event = Happening::now(What::DisclosureRequested).actor(by, "auditor").details(details).event();
        let rows = [vec![dossier.put()?], put_items(&asked.grant, &items)].concat();
        let gate = self.disclosures.gates.enter(&asked.grant).await;
        if self.has_dossier(&asked.grant).await? {
            return Err(DisclosureError::Exists(asked.grant).into());
        }
        self.store.write(rows, vec![event]).await?;
        drop(gate);
        self.shown_disclosure(&dossier).await
    }

    async fn sign_docket(&self, governed: &Governed, request: &SignedRequest, items: &[Item]) -> Result<SignedDocket, Error> {
        let leaves: Vec<_> = items.iter().map(Item::leaf).collect();
        let docket = Docket {
            network: governed.network,
            grant: request.request.grant,
            request: request.digest(),
            member: governed.me.clone(),
            policy: governed.charter().policy_version(),
            time: now(),
            items: items.len() as u64,
            root: root(&leaves),
            epochs: items.iter().filter_map(|item| item.label()?.ok()).map(|label| label.epoch).collect(),
        };
        let signature = self.enclave.sign(docket.statement()).await?;
        let signed = SignedDocket { docket, signature };
        // A list under more keys than a docket may name is asked for in parts.
        Ok(SignedDocket::decode(&signed.encode()).map_err(DisclosureError::from)?)
    }
}

/// The day before the oldest payload of a list, in milliseconds since the Unix epoch: its header may be dated by another clock.
fn since(items: &[Item]) -> u64 {
    let days = items.iter().filter_map(|item| item.label()?.ok()).map(|label| label.day);
    days.min().map_or(0, |day| u64::from(day.saturating_sub(1)) * 24 * 60 * 60 * 1000)
}
