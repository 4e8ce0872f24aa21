//! How grants are shown to people and tools.

use std::sync::Arc;

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::rows::Dossier;
use crate::disclosure::GrantId;
use crate::services::records::now;
use crate::services::{Error, Node};

impl Node {
    /// A grant.
    pub async fn disclosure(&self, grant: GrantId) -> Result<Value, Error> {
        self.shown_disclosure(&self.dossier(&grant).await?).await
    }

    /// Grants in the order of their names, after one.
    pub async fn disclosures(self: &Arc<Self>, after: Option<GrantId>, limit: usize) -> Result<Vec<Value>, Error> {
        let mut shown = Vec::new();
        for dossier in self.dossiers(after.as_ref(), limit).await? {
            shown.push(self.shown_disclosure(&dossier).await?);
        }
        Ok(shown)
    }

    pub(super) async fn shown_disclosure(&self, dossier: &Dossier) -> Result<Value, Error> {
        let (signed, docket, verdicts) = (dossier.request()?, dossier.docket()?, dossier.verdicts()?);
        let (request, life) = (&signed.request, dossier.life.at(now()));
        let shares = self.shares_of(&request.grant).await?;
        let shares: Vec<Value> = shares.iter().map(|shares| json!({ "epoch": shares.epoch, "index": shares.index })).collect();
        let verdicts: Vec<Value> = verdicts
            .iter()
            .map(|signed| {
                let verdict = &signed.verdict;
                json!({
                    "officer": verdict.officer, "approves": verdict.approves, "text": verdict.text, "time": verdict.time,
                    "until": verdict.until,
                })
            })
            .collect();
        Ok(json!({
            "grant": request.grant, "state": life.state, "ended": dossier.ended, "by": dossier.by,
            "name": request.name, "entity": request.entity, "mandate": request.mandate, "purpose": request.purpose,
            "basis": request.basis, "scope": request.scope.to_string(), "from": life.from, "until": life.until,
            "secret-until": request.secret_until(), "renews": request.renews,
            "items": docket.docket.items, "epochs": dossier.epochs, "verdicts": verdicts, "shares": shares,
            "views": json!({ "of": life.views, "recorded": life.used, "released": dossier.released }),
            "request": BASE64.encode(&signed.encode()),
        }))
    }
}
