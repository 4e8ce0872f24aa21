//! What officers say: verdicts counted, shares taken, grants revoked; and what the clock says.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;

use super::DisclosureError;
use super::rows::{Dossier, Untold};
use crate::disclosure::{
    GrantId, Life, Notice, Refused, Released, SignedRevocation, SignedVerdict, Stage, State, Step, Tally, case_digest,
    committee_at, tally,
};
use crate::services::happening::{Happening, Kind as What};
use crate::services::records::now;
use crate::services::{Error, Governed, Node};
use crate::types::Coded as _;

/// How far a signature's time may be from now, in milliseconds.
///
/// Threat: an officer that left signs with a date of before.
const FRESH: u64 = 10 * 60 * 1000;
/// How far an officer's clock may be ahead of ours, in milliseconds.
const AHEAD: u64 = 5_000;
/// Grants looked at in one turn.
const PAGE: usize = 1_000;

impl Node {
    /// Counts an officer's verdict. With the last that is needed the grant begins, and its first view is put on record.
    pub async fn add_verdict(self: &Arc<Self>, grant: GrantId, verdict: &[u8]) -> Result<serde_json::Value, Error> {
        let governed = Arc::clone(self.discloses()?);
        let signed = SignedVerdict::decode(verdict).map_err(DisclosureError::from)?;
        fresh(signed.verdict.time)?;
        not_ahead(signed.verdict.time).await?;
        let gate = self.disclosures.gates.enter(&grant).await;
        let mut dossier = self.dossier(&grant).await?;
        let known = dossier.verdicts()?;
        if known.contains(&signed) {
            return self.shown_disclosure(&dossier).await;
        }
        let mut all = known;
        // An approval that has ended may be made anew, in its own place.
        all.retain(|old| old.verdict.officer != signed.verdict.officer || !old.verdict.approves || now() < old.verdict.until);
        all.push(signed.clone());
        if all.len() > Notice::MAX_VERDICTS {
            return Err(DisclosureError::from(Refused::State(
                dossier.life.state.name(),
                "it has as many verdicts as there may be",
            ))
            .into());
        }
        let counted = self.count_verdicts(&dossier, &all)?;
        // Threat: the word of one who has left the committee, or whose approval has ended, is passed over. It is not taken either.
        if !counted.has(&signed.verdict.officer) {
            return Err(DisclosureError::from(Refused::NotOfficer).into());
        }
        let until = counted.until();
        let step = Step::Counted { enough: counted.is_enough().is_ok(), until, possible: counted.is_possible };
        dossier.life = dossier.life.step(step, now()).map_err(DisclosureError::from)?;
        dossier.keep(&all);
        if dossier.life.state == State::Refused {
            "too many officers refused".clone_into(&mut dossier.ended);
        }
        let what = if signed.verdict.approves { What::DisclosureApproved } else { What::DisclosureRefused };
        let details = serde_json::json!({
            "grant": grant, "officer": signed.verdict.officer, "verdict": HEXLOWER.encode(&signed.digest()), "state": dossier.life.state,
        });
        self.store.write(vec![dossier.put()?], vec![Happening::now(what).details(details).event()]).await?;
        let begins = begins(&dossier);
        if begins {
            self.record_view(&governed, &mut dossier).await?;
        }
        drop(gate);
        if begins && let Err(error) = self.wait_for_view(&governed, &dossier).await {
            tracing::warn!(code = %error.code(), "the record of a view takes long");
        }
        self.shown_disclosure(&dossier).await
    }

    /// Counts the verdicts of a dossier as of now.
    pub(super) fn count_verdicts(&self, dossier: &Dossier, verdicts: &[SignedVerdict]) -> Result<Tally, Error> {
        let charter = self.needs_governance()?.charter();
        let (request, docket) = (dossier.request()?, dossier.docket()?);
        let epochs = dossier.epochs.iter().copied().collect();
        let case = case_digest(&docket.docket);
        Ok(tally(&charter, &request.request, &epochs, &case, verdicts, now()).map_err(DisclosureError::from)?)
    }

    /// Takes a grant back: one officer's signed word is enough.
    pub async fn revoke_disclosure(&self, grant: GrantId, revocation: &[u8]) -> Result<serde_json::Value, Error> {
        let governed = self.discloses()?;
        let signed = SignedRevocation::decode(revocation).map_err(DisclosureError::from)?;
        fresh(signed.revocation.time)?;
        let dossier = self.dossier(&grant).await?;
        let charter = governed.charter();
        let committees = dossier.epochs.iter().filter_map(|epoch| committee_at(&charter, *epoch, now()).ok());
        let committees: Vec<_> = committees.collect();
        let is_officer = |key: &_| committees.iter().any(|committee| committee.signer(key).is_some());
        signed.verify(&governed.network, grant, is_officer).map_err(DisclosureError::from)?;
        self.end_disclosure(grant, &signed.revocation.officer.to_string(), "officer", &signed.revocation.text).await
    }

    /// Takes a grant back by the word of who answers for personal data here.
    pub async fn withdraw_disclosure(&self, grant: GrantId, by: &str, text: &str) -> Result<serde_json::Value, Error> {
        // Threat: words that write over what a terminal said before.
        if text.is_empty() || text != Released::words(text) {
            return Err(DisclosureError::from(Refused::Form("text", "one line of at most 1,024 bytes".into())).into());
        }
        self.end_disclosure(grant, by, "dpo", text).await
    }

    async fn end_disclosure(&self, grant: GrantId, by: &str, role: &str, text: &str) -> Result<serde_json::Value, Error> {
        let _gate = self.disclosures.gates.enter(&grant).await;
        let mut dossier = self.dossier(&grant).await?;
        dossier.life = dossier.life.step(Step::Revoke, now()).map_err(DisclosureError::from)?;
        dossier.ended = format!("revoked: {text}");
        let details = serde_json::json!({ "grant": grant });
        let event = Happening::now(What::DisclosureRevoked).actor(by, role).text(text).details(details).event();
        self.store.write(vec![dossier.put()?], vec![event]).await?;
        self.shown_disclosure(&dossier).await
    }

    /// Begins grants whose window has begun, ends those whose time has come, and tells those concerned of every end.
    pub(super) async fn expire_disclosures(&self) -> Result<(), Error> {
        let governed = Arc::clone(self.needs_governance()?);
        let mut after: Option<GrantId> = None;
        loop {
            let page = self.dossier_rows(after.as_ref(), PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(*last);
            for (grant, dossier) in page {
                let turned = match dossier {
                    Ok(dossier) if is_due(&dossier) => self.settle(&governed, &grant).await,
                    Ok(_) => Ok(()),
                    Err(error) => Err(error),
                };
                // Threat: one grant that cannot be read keeps all behind it from their ends.
                if let Err(error) = turned {
                    tracing::warn!(code = %error.code(), %grant, "what is due for a grant is not done: tried again");
                }
            }
        }
    }

    async fn settle(&self, governed: &Arc<Governed>, grant: &GrantId) -> Result<(), Error> {
        let gate = self.disclosures.gates.enter(grant).await;
        let mut dossier = self.dossier(grant).await?;
        if begins(&dossier) {
            self.record_view(governed, &mut dossier).await?;
        } else if !dossier.end_told && dossier.life.at(now()).state.is_over() {
            let mut events = Vec::new();
            if !dossier.life.state.is_over() {
                dossier.life = dossier.life.at(now());
                "its time is over".clone_into(&mut dossier.ended);
                let details = serde_json::json!({ "grant": grant, "views": dossier.life.used });
                events.push(Happening::now(What::DisclosureExpired).details(details).event());
            }
            dossier.end_told = true;
            dossier.untold.push(Untold { stage: Stage::Ended, view: dossier.views.last().copied() });
            self.store.write(vec![dossier.put()?], events).await?;
        }
        drop(gate);
        self.tell_untold(governed, grant).await
    }
}

/// Whether the first view of a grant is to be put on record: its window has begun.
fn begins(dossier: &Dossier) -> bool {
    let life = dossier.life.at(now());
    life.state == State::Granted && life.used == 0 && now() >= life.from
}

/// Whether something is to be done about a grant: something is to be told, or it begins.
fn is_due(dossier: &Dossier) -> bool {
    let is_over = dossier.life.at(now()).state.is_over();
    begins(dossier) || (!dossier.end_told && is_over) || !dossier.untold.is_empty()
}

/// That something may be given under a grant now.
pub(super) fn is_granted(life: &Life) -> Result<(), DisclosureError> {
    match life.at(now()).state {
        State::Granted if now() < life.from => Err(Refused::Window("its window has not begun").into()),
        State::Granted => Ok(()),
        State::Revoked => Err(Refused::Revoked.into()),
        State::Expired => Err(Refused::Expired.into()),
        other => Err(Refused::State(other.name(), "nothing is given for it").into()),
    }
}

/// Waits for a clock that is a little ahead of ours: an approval counts from its own time on, and the record of a view is of ours.
async fn not_ahead(time: u64) -> Result<(), DisclosureError> {
    match time.saturating_sub(now()) {
        0 => Ok(()),
        ahead if ahead <= AHEAD => {
            tokio::time::sleep(Duration::from_millis(ahead + 1)).await;
            Ok(())
        }
        _ => Err(DisclosureError::Stale),
    }
}

pub(super) fn fresh(time: u64) -> Result<(), DisclosureError> {
    if time.abs_diff(now()) > FRESH { Err(DisclosureError::Stale) } else { Ok(()) }
}
