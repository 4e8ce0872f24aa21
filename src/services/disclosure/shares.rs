//! Officers' shares: taken sealed, and given together.

use std::sync::Arc;

use bytes::Bytes;
use data_encoding::HEXLOWER;

use super::DisclosureError;
use super::approve::is_granted;
use super::release::take;
use super::rows::{Dossier, KeptShares, frames, put_shares};
use crate::disclosure::{GrantId, Part, Refused, SignedShares, committee_at, frame};
use crate::services::happening::{Happening, Kind as What};
use crate::services::records::now;
use crate::services::{Error, Node};

/// The officers' shares on their way, a frame for each file. One of them is in memory at a time.
pub struct SharesStream {
    node: Arc<Node>,
    grant: GrantId,
    shares: std::vec::IntoIter<KeptShares>,
}

impl std::fmt::Debug for SharesStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SharesStream({}, {} left)", self.grant, self.shares.len())
    }
}

impl SharesStream {
    /// The next piece; nothing at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let Some(shares) = self.shares.next() else { return Ok(None) };
        Ok(Some(frame(&self.node.shares_file(&shares).await?).into()))
    }
}

impl Node {
    /// Takes an officer's shares for the auditor. They are sealed: nobody here can use them.
    pub async fn add_shares(&self, grant: GrantId, file: Bytes) -> Result<serde_json::Value, Error> {
        let charter = self.discloses()?.charter();
        let mut parts = frames(&file)?.into_iter();
        let head = parts.next().ok_or_else(|| DisclosureError::from(Refused::Form("shares", "nothing is in it".into())))?;
        let signed = SignedShares::decode(head).map_err(DisclosureError::from)?;
        let chunks: Vec<Vec<u8>> = parts.map(<[u8]>::to_vec).collect();
        let _gate = self.disclosures.gates.enter(&grant).await;
        let dossier = self.dossier(&grant).await?;
        is_granted(&dossier.life)?;
        let (docket, shares) = (dossier.docket()?, &signed.shares);
        let committee = committee_at(&charter, shares.epoch, now()).map_err(DisclosureError::from)?;
        // Threat: shares of before a refresh. The committee in force has made others, and the old ones combine with none of them.
        let officer = committee.officer(shares.index).filter(|_| committee.generation == shares.generation);
        let officer = officer.ok_or(DisclosureError::Refused(Refused::NotOfficer))?;
        signed.verify(&docket.docket, &officer.signing_key, &chunks).map_err(DisclosureError::from)?;
        let details = serde_json::json!({
            "grant": grant, "officer": officer.signing_key, "epoch": shares.epoch, "count": shares.count,
            "sealed": HEXLOWER.encode(&shares.sealed),
        });
        let event = Happening::now(What::DisclosureShares).details(details).event();
        self.store.write(put_shares(&grant, shares.epoch, shares.index, head.to_vec(), file.clone()), vec![event]).await?;
        self.shown_disclosure(&dossier).await
    }

    /// Shares of the officers, each a frame: given together, once there are enough for every key.
    ///
    /// Threat: a grant that is revoked after some shares were handed out. Fewer than k open nothing, so they go last and together.
    pub async fn all_shares(self: &Arc<Self>, grant: GrantId, taking: &[u8]) -> Result<SharesStream, Error> {
        let _gate = self.disclosures.gates.enter(&grant).await;
        let mut dossier = self.dossier(&grant).await?;
        take(&mut dossier, taking, Part::Shares)?;
        let shares = self.enough_shares(&dossier).await?;
        self.store.write(vec![dossier.put()?], Vec::new()).await?;
        Ok(SharesStream { node: Arc::clone(self), grant, shares: shares.into_iter() })
    }

    pub(super) async fn enough_shares(&self, dossier: &Dossier) -> Result<Vec<KeptShares>, Error> {
        is_granted(&dossier.life)?;
        let charter = self.discloses()?.charter();
        let shares = self.shares_of(&dossier.grant()?).await?;
        for epoch in &dossier.epochs {
            let committee = committee_at(&charter, *epoch, now()).map_err(DisclosureError::from)?;
            let need = usize::try_from(committee.threshold).unwrap_or(usize::MAX);
            // Threat: shares of before a refresh are counted, and the view is spent on what does not open.
            let counts = |shares: &KeptShares| {
                shares.epoch == *epoch
                    && committee.officer(shares.index).is_some()
                    && shares.generation == Some(committee.generation)
            };
            let have = shares.iter().filter(|shares| counts(shares)).count();
            if have < need {
                return Err(DisclosureError::Shares { have, need }.into());
            }
        }
        Ok(shares)
    }
}
