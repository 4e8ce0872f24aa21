//! The certificate of a case as it stands: everything that was said, signed by this node.

use data_encoding::BASE64;

use super::error::ErasureError;
use crate::erasure::{About, Addressed, CaseId, Certificate, Entry, Evidence, HolderKind};
use crate::services::happening::{Happening, Kind as What};
use crate::services::records::now;
use crate::services::{Error, Node};

impl Node {
    /// Writes and signs the certificate of a case: the file. Before everybody has answered it names who has not.
    pub async fn certificate(&self, id: CaseId) -> Result<String, Error> {
        let governed = self.needs_governance()?;
        let case = self.case(&id).await?.ok_or(ErasureError::Unknown(id))?;
        let mut holders = Vec::with_capacity(case.holders.len());
        for holder in &case.holders {
            let mut orders = Vec::new();
            for page in 0..if holder.kind == HolderKind::Celosia { holder.orders } else { 0 } {
                let given = self.given(&id, page, &holder.member).await?;
                orders.push(Evidence {
                    order: BASE64.encode(&given.order),
                    receipt: BASE64.encode(&given.receipt),
                    record: String::from_utf8_lossy(&given.record).into_owned(),
                    salt: BASE64.encode(&given.salt),
                    proof: given.proof,
                });
            }
            holders.push(Entry {
                member: holder.member.clone(),
                kind: holder.kind,
                items: holder.items,
                heard: holder.heard,
                orders,
            });
        }
        let charter = governed.charter();
        let addressed = self.audiences(&id).await?;
        // Keys and addresses of that time are shown, too.
        let since = addressed.iter().filter_map(Addressed::made).chain([case.requested]).min().unwrap_or_default();
        let about = About {
            network: governed.network,
            controller: governed.me.clone(),
            issued: now(),
            addressed,
            documents: charter.documents(since),
        };
        let body = Certificate::of(&case, about, holders).body();
        let signature = self.enclave.sign(Certificate::statement(&governed.network, &body)).await?;
        let digest = data_encoding::HEXLOWER.encode(&crate::crypto::hash::sha256(&[body.as_bytes()]));
        let details = serde_json::json!({ "case": id, "certificate": digest, "state": case.state });
        self.note(Happening::now(What::ErasureCertificate).details(details).event()).await;
        Ok(Certificate::file(&body, &signature))
    }
}
