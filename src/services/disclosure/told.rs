//! Notices that come: what another member discloses of ours.

use bytes::Bytes;
use data_encoding::{BASE64, HEXLOWER};
use serde_json::{Value, json};

use super::DisclosureError;
use super::rows::put_came;
use crate::crypto::hash::sha256;
use crate::disclosure::{Notice, Refused, SignedNotice};
use crate::services::happening::{Happening, Kind as What};
use crate::services::records::now;
use crate::services::{Error, Node};
use crate::types::MemberId;
use crate::wire::header::day_of;

/// Notices that one member may bring on a day, and bytes of them: a list of 200,000 payloads, told at its beginning, its view and its end,
/// with as much again to spare.
const MOST: u32 = 4_096;
const MOST_BYTES: u64 = 2 << 30;
/// How far a notice may be dated ahead, in milliseconds.
const AHEAD: u64 = 10 * 60 * 1000;
/// How old a notice may be, in milliseconds: a secrecy order ends after a year at most, and who was away is told later.
const OLDEST: u64 = 400 * 24 * 60 * 60 * 1000;

impl Node {
    /// Takes a notice from the member that holds the data, and journals it. One that came before is taken and not kept again.
    ///
    /// Threat: a member fills another's disk and journal with notices. One of each grant, stage, view and page is kept, and so many a day.
    pub async fn take_notice(&self, from: &MemberId, bytes: Bytes) -> Result<(), Error> {
        let signed = SignedNotice::decode(&bytes).map_err(DisclosureError::from)?;
        let (notice, what) = (&signed.notice, self.check_notice(from, &signed)?);
        let details = json!({
            "grant": notice.request.request.grant, "stage": notice.stage.name(), "items": notice.items.len(),
            "approvals": notice.verdicts.iter().filter(|verdict| verdict.verdict.approves).count(),
        });
        let event = Happening::now(What::DisclosureNotice).member(from).details(details).event();
        let (time, day) = (now(), day_of(now()));
        let _turn = self.disclosures.notices.lock().await;
        if self.has_come(&what).await? {
            return Ok(());
        }
        let mut today = self.came_today(from, day).await?;
        today.notices = today.notices.saturating_add(1);
        today.bytes = today.bytes.saturating_add(bytes.len() as u64);
        if today.notices > MOST || today.bytes > MOST_BYTES {
            return Err(DisclosureError::Flood.into());
        }
        self.store.write(put_came(time, &what, &bytes, (from, day), today), vec![event]).await?;
        self.counters.disclosure_notices.add();
        Ok(())
    }

    /// Checks a notice; a digest of what it is about.
    fn check_notice(&self, from: &MemberId, signed: &SignedNotice) -> Result<[u8; 32], Error> {
        let (governed, notice) = (self.needs_governance()?, &signed.notice);
        if notice.network != governed.network {
            return Err(DisclosureError::from(Refused::Network("notice")).into());
        }
        if notice.to != governed.me || notice.docket.docket.member != *from {
            return Err(DisclosureError::from(Refused::Signature("notice")).into());
        }
        if notice.time > now().saturating_add(AHEAD) || notice.time < now().saturating_sub(OLDEST) {
            return Err(DisclosureError::NoticeTime.into());
        }
        signed.verify(&governed.charter()).map_err(DisclosureError::from)?;
        what(from, notice).map_err(|refused| DisclosureError::from(refused).into())
    }

    /// Notices that came, at most `limit` after the one of a name: name and bytes of each, hexadecimal and base64.
    pub async fn disclosure_notices(&self, after: Option<&str>, limit: usize) -> Result<Vec<Value>, Error> {
        let after = after.map(|name| HEXLOWER.decode(name.as_bytes())).transpose();
        let after = after.map_err(|_| Error::BadRequest("not the name of a notice".into()))?;
        let came = self.notices_came(after.as_deref(), limit).await?;
        let shown =
            came.into_iter().map(|(name, notice)| json!({ "name": HEXLOWER.encode(&name), "notice": BASE64.encode(&notice) }));
        Ok(shown.collect())
    }
}

/// What a notice is: of whom, of which grant, stage, view and page.
fn what(from: &MemberId, notice: &Notice) -> Result<[u8; 32], Refused> {
    let view = notice.view_number()?.to_be_bytes();
    let parts = [from.as_str(), notice.stage.name()].map(|name| [name.as_bytes(), &[0]].concat());
    Ok(sha256(&[&parts[0], &parts[1], &notice.request.request.grant.0, &view, &notice.page.to_be_bytes()]))
}
