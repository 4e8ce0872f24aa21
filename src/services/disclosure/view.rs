//! The record of a view: in the journal before anything is given.

use std::time::Duration;

use data_encoding::BASE64;

use super::DisclosureError;
use super::rows::{Dossier, Untold};
use crate::disclosure::{Bundle, Stage, Step, View, ViewDetails};
use crate::services::happening::{Happening, Kind as What};
use crate::services::records::now;
use crate::services::{Error, Governed, Node};

/// How long the record of a view may take into the log, in tries.
const TRIES: usize = 40;
const PAUSE: Duration = Duration::from_millis(250);

impl Node {
    /// Puts the next view of a grant on record. The row is durable before the dossier counts it.
    pub(super) async fn record_view(&self, governed: &Governed, dossier: &mut Dossier) -> Result<(), Error> {
        let life = dossier.life.step(Step::View, now()).map_err(DisclosureError::from)?;
        let (docket, verdicts) = (dossier.docket()?, dossier.verdicts()?);
        let details = ViewDetails::of(&docket.docket, life.used, &verdicts, life.until);
        // Strings and numbers always serialise.
        let details = serde_json::to_value(details).unwrap_or_default();
        let event = Happening::now(What::DisclosureView).member(&governed.me).details(details).event();
        let index = self.store.note(event).await?;
        dossier.life = life;
        dossier.views.push(index);
        dossier.untold.push(Untold { stage: Stage::Viewed, view: Some(index) });
        self.store.write(vec![dossier.put()?], Vec::new()).await?;
        Ok(())
    }

    /// Waits until the newest view is in the log: about a second.
    pub(super) async fn wait_for_view(&self, governed: &Governed, dossier: &Dossier) -> Result<(), Error> {
        let view = self.view_in_log(governed, dossier.views.last().copied()).await?;
        if view.is_some() { Ok(()) } else { Err(DisclosureError::NotYet.into()) }
    }

    /// A view's row, once it is in the log; nothing if that takes long, or there is no view.
    pub(super) async fn view_in_log(&self, governed: &Governed, index: Option<u64>) -> Result<Option<View>, Error> {
        let Some(index) = index else { return Ok(None) };
        for _ in 0..TRIES {
            if let Some(view) = self.view_at(governed, index).await? {
                return Ok(Some(view));
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(None)
    }

    /// The newest view's row, and that it is in the log; nothing while it is on its way there.
    pub(super) async fn view_of(&self, governed: &Governed, dossier: &Dossier) -> Result<Option<View>, Error> {
        let Some(index) = dossier.views.last().copied() else { return Ok(None) };
        self.view_at(governed, index).await
    }

    async fn view_at(&self, governed: &Governed, index: u64) -> Result<Option<View>, Error> {
        let row = self.store.journal(index, 1).await?.into_iter().next();
        let Some((salt, record)) = row.and_then(|row| row.content) else { return Ok(None) };
        // Not sequenced yet: in a second it is.
        let Ok(proof) = self.journal_proof(index).await else { return Ok(None) };
        let record = String::from_utf8_lossy(&record).into_owned();
        Ok(Some(View { member: governed.me.clone(), record, salt: BASE64.encode(&salt), proof }))
    }

    /// The head of a grant's case file, as it stands.
    pub(super) async fn bundle(&self, dossier: &Dossier) -> Result<Bundle, Error> {
        let governed = self.needs_governance()?;
        let charter = governed.charter();
        Ok(Bundle {
            request: dossier.request()?,
            docket: dossier.docket()?,
            verdicts: dossier.verdicts()?,
            view: self.view_of(governed, dossier).await?,
            documents: charter.documents(dossier.since),
        })
    }
}
